/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `submit` says of a title's place in the queue, and its labels. */
#ifndef CLI_TITLE_ORDER_H
#define CLI_TITLE_ORDER_H

#include "command.h"
#include "common/json.h"

struct title_order {
    bool has_priority;
    int priority;
    const char *tenant;  /* NULL: that of the token, or the title's own */
    int64_t deadline_ms; /* since 1970; 0: none */
    const char *labels;  /* "NAME=VALUE,..."; NULL: none */
};

/*
 * A deadline as ms since 1970: a time of RFC 3339 ("2026-12-01T18:00:00Z", or with an offset as
 * "+01:00"), or "+90m", "+12h", "+2d" from `now_ms` on. INVALID with a sentence.
 */
int title_deadline_parse(const char *text, int64_t now_ms, int64_t *out, struct err *err);

/* From the options --priority, --deadline, --tenant and --label; strings are borrowed from
 * them. INVALID with a sentence. */
int title_order_read(struct title_order *out, const struct invocation *invocation, struct err *err);

/* Writes the members into the object that is open in `w`. */
void title_order_write(const struct title_order *order, struct writer *w);

/* Rows of a command's options. */
#define TITLE_ORDER_OPTIONS                                                                        \
    {"priority", "N", "from -100 to 100 (default 0): titles of a larger one go first"},            \
        {"deadline", "TIME", "when it should be ready: 2026-12-01T18:00:00Z, or +90m, +12h, +2d"}, \
        {"tenant", "NAME", "who it is for; tenants share the farm as its operator says"}, {        \
        "label", "NAME=VALUE,...", "for people, and for `list --label`; may be given again"        \
    }

#endif
