/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the operator says of tenants: how much of the farm each gets when all want it, and how
 * much at most. */
#ifndef SCHEDULER_TENANTS_H
#define SCHEDULER_TENANTS_H

#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "common/err.h"

struct tenant_rule {
    char name[TENANT_TEXT];
    double weight; /* above 0; 1 where nothing is said */
    int64_t cap;   /* slots at most; 0: as many as there are */
};

enum { TENANT_RULES_MAX = 64 };

struct tenant_rules {
    struct tenant_rule rules[TENANT_RULES_MAX];
    size_t count;
};

/* Reads "news=3, films=1:40": names with their weights, and caps behind a colon. NULL is no
 * rule. INVALID with a sentence. `out` is untouched then. */
int tenant_rules_parse(struct tenant_rules *out, const char *text, struct err *err);

/* The tenant's rule, or that of tenants of whom nothing is said. `rules` may be NULL. */
struct tenant_rule tenant_rules_find(const struct tenant_rules *rules, const char *name);

#endif
