/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders as people name them: see ladder_file.h. */
#include "ladder_file.h"

#include "packager/packager.h"

static bool is_advice(const char *id) {
    const struct verify_rule *rule = verify_rule_find(id);
    return rule != NULL && rule->weight == FINDING_ADVICE;
}

int ladder_file_load(struct ladder *out, const char *name_or_path, struct err *err) {
    struct ladder ladder;
    int failed = ladder_load(&ladder, name_or_path, err);
    for (int i = 0; failed == 0 && i < ladder.waive_count; i++) {
        if (!is_advice(ladder.waive[i])) {
            failed = err_set(err, ERR_INVALID,
                             "%s: waive: '%s' is no advice; `reelfarm verify --rules` lists all "
                             "that there is",
                             name_or_path, ladder.waive[i]);
        }
    }
    if (failed == 0) {
        *out = ladder;
    }
    return failed;
}
