/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders as people name them: see ladder_file.h. */
#include "ladder_file.h"

#include "packager/packager.h"

int ladder_file_load(struct ladder *out, const char *name_or_path, struct err *err) {
    struct ladder ladder;
    int failed = ladder_load(&ladder, name_or_path, err);
    for (int i = 0; failed == 0 && i < ladder.waive_count; i++) {
        failed = verify_check_waivable(ladder.waive[i], err);
        if (failed != 0) {
            err_wrap(err, "%s: waive", name_or_path);
        }
    }
    if (failed == 0) {
        *out = ladder;
    }
    return failed;
}
