/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small whole title in memory, as `encode` would publish it: ffmpeg makes the coded
 * media, our packager all the rest. 6.006 s at 24000/1001 in 3 segments of 2 GOPs, two
 * or three rungs and one sound.
 */
#ifndef TESTS_TITLE_FIXTURE_H
#define TESTS_TITLE_FIXTURE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/media.h"
#include "packager/packager.h"

enum { TITLE_FIXTURE_RUNGS_MAX = 3, TITLE_FIXTURE_OBJECTS_MAX = 60 };

struct title_fixture_rung {
    enum codec_id codec;
    const char *id, *folder;
    int width, height;
    const char *pixel_format; /* of ffmpeg */
    int crf;
    int colour;      /* 1 (BT.709), 2 (unknown), 6 (BT.601; of AV1 alone) or 9 (BT.2020 with PQ) */
    bool full_range; /* of H.264 alone */
};

struct title_fixture_options {
    const char *pictures; /* a source of ffmpeg's lavfi, sized by "%dx%d" */
    size_t early_chunks;  /* of 3, that early playlists in early/1 list; 0: there are none */
    bool images;          /* a poster in two sizes and a storyboard of six pictures on two sheets */
    size_t rung_count;
    struct title_fixture_rung rungs[TITLE_FIXTURE_RUNGS_MAX]; /* as in plans: H.264 first */
};

/* h264-180p and h264-90p of ordinary rates. */
struct title_fixture_options title_fixture_options_default(void);

/* And av1-180p. */
struct title_fixture_options title_fixture_options_av1(void);

struct title_fixture_object {
    char path[128];
    struct buf bytes;
};

struct title_fixture {
    char version[17];
    struct served served; /* how all objects are; borrowed */
    size_t count;
    struct title_fixture_object objects[TITLE_FIXTURE_OBJECTS_MAX];
};

/* Fails the test where ffmpeg or the packager does. */
void title_fixture_make(struct title_fixture *out, const struct title_fixture_options *options);

/* Runs a program of PATH in a folder, its output into <folder>/<output>; fails the test where that
 * does. Its words end with NULL. */
void title_fixture_run(const char *folder, const char *output, const char *const *words);

/* Adds an object, a copy of the bytes. */
void title_fixture_add(struct title_fixture *title, const char *path, const void *data,
                       size_t size);

/* A copy of its own, to be damaged. */
void title_fixture_copy(struct title_fixture *out, const struct title_fixture *from);

/* Takes a zeroed one. */
void title_fixture_finish(struct title_fixture *title);

/* The bytes of an object, borrowed; NULL where there is none. "$V" in the path stands
 * for the version. */
struct buf *title_fixture_bytes(struct title_fixture *title, const char *path);

/* As fetch_fn of packager.h; the context is the title. */
int title_fixture_fetch(void *context, const char *path, struct buf *out, struct served *served,
                        struct err *err);

#endif
