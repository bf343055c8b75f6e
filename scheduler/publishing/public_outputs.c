/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where players read what lies in outputs: see public_outputs.h. */
#include "public_outputs.h"

#include <string.h>

/* One PLACE=URL of a list; borrowed from it. Neither ends with a slash. */
struct rule {
    const char *place;
    size_t place_length;
    const char *url;
    size_t url_length;
};

static const char blanks[] = " \t\n,";

static size_t without_slash(const char *text, size_t length) {
    while (length > 1 && text[length - 1] == '/') {
        length--;
    }
    return length;
}

/* Takes the next word of `*at`; false at the end. A word without "=http" is a rule without URL. */
static bool next_rule(const char **at, struct rule *rule) {
    const char *word = *at + strspn(*at, blanks);
    size_t length = strcspn(word, blanks);
    *at = word + length;
    *rule = (struct rule){.place = word, .place_length = length};
    for (size_t i = 0; i < length; i++) {
        if (strncmp(word + i, "=http://", 8) == 0 || strncmp(word + i, "=https://", 9) == 0) {
            rule->place_length = without_slash(word, i);
            rule->url = word + i + 1;
            rule->url_length = without_slash(rule->url, length - i - 1);
            break;
        }
    }
    return length > 0;
}

/* The length of "https://host:port". */
static size_t origin_length(const struct rule *rule) {
    size_t scheme = (size_t)(strstr(rule->url, "://") - rule->url) + 3;
    size_t host = strcspn(rule->url + scheme, "/ \t\n,");
    return scheme + host < rule->url_length ? scheme + host : rule->url_length;
}

/* Whether an origin has a host, and nothing that a header of the page could trip over. */
static bool origin_is_sound(const struct rule *rule) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    size_t scheme = (size_t)(strstr(rule->url, "://") - rule->url) + 3;
    size_t host = origin_length(rule) - scheme;
    return host > 0 && strspn(rule->url + scheme, allowed) >= host;
}

int public_outputs_check(const char *rules, struct err *err) {
    const char *at = rules == NULL ? "" : rules;
    struct rule rule;
    while (next_rule(&at, &rule)) {
        bool is_sound = rule.url != NULL && rule.place_length > 0 && origin_is_sound(&rule) &&
                        memchr(rule.url, '?', rule.url_length) == NULL &&
                        memchr(rule.url, '#', rule.url_length) == NULL;
        if (!is_sound) {
            return err_set(err, ERR_INVALID,
                           "public_outputs has '%.*s', which is not PLACE=URL; write such as "
                           "s3://films=https://cdn.example/films",
                           (int)(at - rule.place), rule.place);
        }
    }
    return 0;
}

/* Whether the output is in the rule's place; `*below` is then what follows the place. */
static bool is_within(const struct rule *rule, const char *output, const char **below) {
    if (strncmp(output, rule->place, rule->place_length) != 0) {
        return false;
    }
    *below = output + rule->place_length;
    return **below == '\0' || **below == '/' || **below == '?' ||
           rule->place[rule->place_length - 1] == '/';
}

bool public_outputs_url(const char *rules, const char *output, const char *title, struct buf *out) {
    const char *at = rules == NULL ? "" : rules;
    const char *below = "";
    struct rule best = {.url = NULL};
    struct rule rule;
    while (next_rule(&at, &rule)) {
        const char *rest = "";
        if (rule.url != NULL && rule.place_length > best.place_length &&
            is_within(&rule, output, &rest)) {
            best = rule;
            below = rest;
        }
    }
    if (best.url == NULL) {
        return false;
    }
    below += strspn(below, "/");
    size_t length = without_slash(below, strcspn(below, "?"));
    buf_format(out, "%.*s%s%.*s/%s", (int)best.url_length, best.url, length > 0 ? "/" : "",
               (int)length, below, title);
    return true;
}

bool public_outputs_has(const char *rules, const char *url) {
    const char *at = rules == NULL ? "" : rules;
    size_t length = without_slash(url, strlen(url));
    struct rule rule;
    bool found = false;
    while (!found && next_rule(&at, &rule)) {
        found = rule.url != NULL && rule.url_length == length &&
                strncmp(rule.url, url, length) == 0;
    }
    return found;
}

void public_outputs_origins(const char *rules, struct buf *out) {
    const char *at = rules == NULL ? "" : rules;
    struct rule rule;
    while (next_rule(&at, &rule)) {
        const char *before = rules;
        struct rule earlier = {.url = NULL};
        bool is_new = rule.url != NULL;
        while (is_new && next_rule(&before, &earlier) && earlier.place != rule.place) {
            is_new = origin_length(&earlier) != origin_length(&rule) ||
                     strncmp(earlier.url, rule.url, origin_length(&rule)) != 0;
        }
        if (is_new) {
            buf_format(out, " %.*s", (int)origin_length(&rule), rule.url);
        }
    }
}
