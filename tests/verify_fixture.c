/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify says of a title, and tools to damage one: see verify_fixture.h. */
#include "verify_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

static void take_finding(void *context, const struct finding *finding) {
    struct verdict *verdict = context;
    static const char *const weights[] = {
        [FINDING_MUST] = "must", [FINDING_ADVICE] = "advice", [FINDING_UNCHECKED] = "unchecked"};
    buf_format(&verdict->lines, "%s %s %s: %s\n", weights[finding->weight], finding->rule,
               finding->path, finding->message);
    buf_format(&verdict->rules, " %s ", finding->rule);
}

int verdict_of(struct verdict *out, struct title_fixture *title) {
    struct err err = {0};
    *out = (struct verdict){0};
    int failed = verify_title(title_fixture_fetch, title, take_finding, out, &out->summary, &err);
    ck_assert_int_eq(failed, err.code);
    buf_text(&out->lines);
    buf_text(&out->rules);
    return failed;
}

void verdict_finish(struct verdict *verdict) {
    buf_finish(&verdict->lines);
    buf_finish(&verdict->rules);
}

const char *verdict_lines(const struct verdict *verdict) {
    return (const char *)verdict->lines.data;
}

bool verdict_tells(const struct verdict *verdict, const char *rule) {
    return rule_in((const char *)verdict->rules.data, rule);
}

bool rule_in(const char *list, const char *rule) {
    char padded[64];
    snprintf(padded, sizeof(padded), " %s ", rule);
    return strstr(list, padded) != NULL;
}

/* Length of what `pattern` matches at `text`; '*' stands for letters, digits and dots. */
static size_t match(const char *text, const char *pattern) {
    const char *at = text;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            at += strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz.");
        } else if (*at++ != *pattern) {
            return 0;
        }
    }
    return (size_t)(at - text);
}

bool text_replace(struct buf *bytes, const char *find, const char *put, bool all) {
    struct buf out = {0};
    bool found = false;
    for (const char *at = buf_text(bytes); *at != '\0';) {
        size_t length = found && !all ? 0 : match(at, find);
        if (length > 0) {
            buf_string(&out, put);
            at += length;
            found = true;
        } else {
            buf_append(&out, at++, 1);
        }
    }
    buf_finish(bytes);
    *bytes = out;
    return found;
}

void damaged_folders_of_others(void) {
    static const char *const keys[][2] = {{"-0123456789/", "_0123456789/"},
                                          {"-abcdef0123/", "_abcdef0123/"},
                                          {"-1122334455/", "_1122334455/"}};
    for (size_t i = 0; i < damaged.count; i++) {
        char *path = damaged.objects[i].path;
        bool is_text = strstr(path, ".m3u8") != NULL || strstr(path, ".mpd") != NULL;
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            char *key = strstr(path, keys[k][0]);
            if (key != NULL) {
                *key = '_';
            } else if (is_text) {
                text_replace(&damaged.objects[i].bytes, keys[k][0], keys[k][1], true);
            }
        }
    }
}

uint8_t *box_of(struct title_fixture *title, const char *path, const char *type, int nth) {
    struct buf *bytes = title_fixture_bytes(title, path);
    uint8_t *at = bytes->data;
    for (int i = 0; i <= nth; i++) {
        at = memmem(at, bytes->size - (size_t)(at - bytes->data), type, 4);
        ck_assert_msg(at != NULL, "%s has no box %s %d", path, type, nth);
        at += 4;
    }
    return at;
}

void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Bytes from a box's start to its first child; 0 where it has none. */
static size_t before_children(const uint8_t *type) {
    static const struct {
        const char *type;
        size_t bytes;
    } containers[] = {{"moov", 8},  {"trak", 8},  {"mdia", 8},  {"minf", 8},  {"stbl", 8},
                      {"mvex", 8},  {"stsd", 16}, {"av01", 86}, {"avc1", 86}, {"hvc1", 86},
                      {"encv", 86}, {"mp4a", 36}, {"enca", 36}, {"moof", 8},  {"traf", 8}};
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        if (memcmp(type, containers[i].type, 4) == 0) {
            return containers[i].bytes;
        }
    }
    return 0;
}

/* Puts bytes in the place of `gone` ones; the boxes around both change with them. */
static void box_change(struct title_fixture *title, const char *path, const uint8_t *at,
                       size_t gone, const void *data, size_t size) {
    struct buf *bytes = title_fixture_bytes(title, path);
    size_t place = (size_t)(at - bytes->data);
    size_t end = bytes->size;
    for (size_t start = 0; start + 8 <= end && start < place;) {
        uint8_t *box = bytes->data + start;
        size_t length = get_u32(box);
        size_t inside = place < start + length ? before_children(box + 4) : 0;
        if (place < start + length) {
            bool is_itself = start == place && gone > 0;
            put_u32(box, (uint32_t)(is_itself ? length : length + size - gone));
            end = inside > 0 && !is_itself ? start + length : 0;
        }
        start += inside > 0 ? inside : length;
    }
    buf_reserve(bytes, size);
    memmove(bytes->data + place + size, bytes->data + place + gone, bytes->size - place - gone);
    memcpy(bytes->data + place, data, size);
    bytes->size += size - gone;
}

void box_insert(struct title_fixture *title, const char *path, const uint8_t *at, const void *data,
                size_t size) {
    box_change(title, path, at, 0, data, size);
}

void box_replace(struct title_fixture *title, const char *path, const char *type, const void *data,
                 size_t size) {
    const uint8_t *at = box_of(title, path, type, 0) - 8;
    box_change(title, path, at, get_u32(at), data, size);
}

/* ---- Titles to damage ------------------------------------------------------------ */

struct title_fixture whole;
struct title_fixture damaged;

void whole_make(void) {
    struct title_fixture_options options = title_fixture_options_default();
    title_fixture_make(&whole, &options);
}

void whole_make_av1(void) {
    struct title_fixture_options options = title_fixture_options_av1();
    title_fixture_make(&whole, &options);
}

void whole_drop(void) {
    title_fixture_finish(&whole);
}

void damaged_make(void) {
    title_fixture_copy(&damaged, &whole);
}

void damaged_drop(void) {
    title_fixture_finish(&damaged);
}

void damage_check(const struct damage *damage, int number) {
    if (damage->change != NULL) {
        damage->change();
    } else {
        struct buf *bytes = title_fixture_bytes(&damaged, damage->path);
        ck_assert_msg(bytes != NULL && text_replace(bytes, damage->find, damage->put, damage->all),
                      "%s has no %s", damage->path, damage->find);
    }
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict_tells(&verdict, damage->rule), "%d: %s is not told:\n%s", number,
                  damage->rule, verdict_lines(&verdict));
    char *rest = NULL;
    char *words = mem_string((const char *)verdict.rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(
            strcmp(word, damage->rule) == 0 || strncmp(word, "unchecked-", 10) == 0 ||
                rule_in(damage->also, word) || rule_in(" version-name version-copy ", word),
            "%d: %s breaks %s too:\n%s", number, damage->rule, word, verdict_lines(&verdict));
    }
    mem_free(words);
    verdict_finish(&verdict);
}
