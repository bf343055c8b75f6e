/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weights and caps of tenants: see tenants.h. */
#include "tenants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double weight_max = 1000;

struct tenant_rule tenant_rules_find(const struct tenant_rules *rules, const char *name) {
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        if (strcmp(rules->rules[i].name, name) == 0) {
            return rules->rules[i];
        }
    }
    return (struct tenant_rule){.weight = 1};
}

/* One "NAME=WEIGHT[:CAP]", of which `*at` is moved to the end; whether it is one. */
static bool parse_rule(struct tenant_rule *rule, const char **at) {
    size_t length = strcspn(*at, "= ,");
    if (length >= TENANT_TEXT || (*at)[length] != '=') {
        return false;
    }
    memcpy(rule->name, *at, length);
    rule->name[length] = '\0';
    char *end = NULL;
    *at += length + 1;
    rule->weight = strtod(*at, &end);
    if (end == *at || !isfinite(rule->weight) || rule->weight <= 0 || rule->weight > weight_max) {
        return false;
    }
    *at = end;
    if (*end == ':') {
        rule->cap = strtoll(end + 1, &end, 10);
        if (end == *at + 1 || rule->cap < 1) {
            return false;
        }
        *at = end;
    }
    return tenant_name_valid(rule->name) && (*end == '\0' || *end == ',' || *end == ' ');
}

int tenant_rules_parse(struct tenant_rules *out, const char *text, struct err *err) {
    struct tenant_rules rules = {.count = 0};
    const char *at = text == NULL ? "" : text;
    for (at += strspn(at, " ,"); *at != '\0'; at += strspn(at, " ,")) {
        const char *word = at;
        struct tenant_rule rule = {.cap = 0};
        if (!parse_rule(&rule, &at)) {
            return err_set(err, ERR_INVALID,
                           "tenants has '%.80s', which must be NAME=WEIGHT or NAME=WEIGHT:CAP, as "
                           "`news=3, films=1:40`: a weight above 0 and up to %.0f, and a cap of 1 "
                           "slot or more",
                           word, weight_max);
        }
        for (size_t i = 0; i < rules.count; i++) {
            if (strcmp(rules.rules[i].name, rule.name) == 0) {
                return err_set(err, ERR_INVALID, "tenants names %s twice", rule.name);
            }
        }
        if (rules.count == TENANT_RULES_MAX) {
            return err_set(err, ERR_INVALID, "tenants names more than %d", (int)TENANT_RULES_MAX);
        }
        rules.rules[rules.count++] = rule;
    }
    *out = rules;
    return 0;
}
