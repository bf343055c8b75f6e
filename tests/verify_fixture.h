/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify says of a title of title_fixture.h, and tools to damage one. */
#ifndef TESTS_VERIFY_FIXTURE_H
#define TESTS_VERIFY_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packager/packager.h"
#include "title_fixture.h"

/* Folders of the default title. */
#define PICTURES "video/h264-180p-0123456789/"
#define SMALL    "video/h264-90p-abcdef0123/"
#define SOUND    "audio/und-aac-2-1122334455/"

/* Documents; "$V" as in title_fixture_bytes. */
#define MASTER   "master.m3u8"
#define MPD      "manifest.mpd"
#define PLAYLIST "$V/h264-180p.m3u8"
#define SMALLEST "$V/h264-90p.m3u8"
#define IFRAMES  "$V/h264-180p-iframes.m3u8"

/* A whole title, made once for a test case, and a copy of it that each test may damage:
 * functions for Check's fixtures. */
extern struct title_fixture whole;
extern struct title_fixture damaged;
void whole_make(void);     /* of title_fixture_options_default */
void whole_make_av1(void); /* of title_fixture_options_av1 */
void whole_drop(void);
void damaged_make(void);
void damaged_drop(void);

/* The damaged title's tracks in folders without a key, as others have them. */
void damaged_folders_of_others(void);

/*
 * A way of damaging it: either a function, or a replacement in a text. Besides `rule` only
 * the rules in `also` may be told, the version's name and copies, which every changed text
 * breaks, and what is unchecked.
 */
struct damage {
    const char *rule;
    const char *also;
    void (*change)(void);
    const char *path, *find, *put;
    bool all;
};

/* The damages of test_verify_manifests.c. */
extern const struct damage manifest_damages[];
extern const size_t manifest_damage_count;

/* Those of test_verify_early.c. */
extern const struct damage early_damages[];
extern const size_t early_damage_count;

/* Those of test_verify_maps.c. */
extern const struct damage map_damages[];
extern const size_t map_damage_count;

/* Those of test_verify_images.c. */
extern const struct damage image_damages[];
extern const size_t image_damage_count;

/* Those of test_verify_text.c. */
extern const struct damage text_damages[];
extern const size_t text_damage_count;

/* Those of test_verify_index.c: to files with an index, to boxes of segments. */
extern const struct damage index_damages[];
extern const size_t index_damage_count;
extern const struct damage box_damages[];
extern const size_t box_damage_count;

/* Those of test_verify_foreign.c: to codecs of others, to what is encrypted, to MPDs of others. */
extern const struct damage foreign_damages[];
extern const size_t foreign_damage_count;

/* Does it to `damaged`, and fails the test where verify does not say so, or says more. */
void damage_check(const struct damage *damage, int number);

struct verdict {
    struct buf lines; /* "must rule path: message", a line a finding */
    struct buf rules; /* " rule  rule " */
    struct verify_summary summary;
};

/* Runs verify_title; its result. Ends with verdict_finish. */
int verdict_of(struct verdict *out, struct title_fixture *title);
void verdict_finish(struct verdict *verdict);

/* The texts, for messages. */
const char *verdict_lines(const struct verdict *verdict);

/* Whether the rule is told; whether " rule " stands in a list of rules. */
bool verdict_tells(const struct verdict *verdict, const char *rule);
bool rule_in(const char *list, const char *rule);

/* Puts `put` in the place of the first match, or of all; in `find` a '*' stands for
 * small letters, digits and dots. False where nothing matches. */
bool text_replace(struct buf *bytes, const char *find, const char *put, bool all);

/* What follows the four letters of the nth box of that type, from 0, in an object;
 * fails the test where there is none. */
uint8_t *box_of(struct title_fixture *title, const char *path, const char *type, int nth);

/* Puts bytes in at a place in an object; the boxes around it grow with them. */
void box_insert(struct title_fixture *title, const char *path, const uint8_t *at, const void *data,
                size_t size);

/* Puts a whole box in the place of the first one of that type; those around it change with it. */
void box_replace(struct title_fixture *title, const char *path, const char *type, const void *data,
                 size_t size);

/* Big-endian. */
void put_u32(uint8_t *at, uint32_t value);
uint32_t get_u32(const uint8_t *at);

#endif
