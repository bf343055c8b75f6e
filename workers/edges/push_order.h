/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a version is made of and in which order it goes to an endpoint: media, then playlists, then
 * the version's documents, then the stable names, so that nothing is listed before it is there. And
 * what of it is read back. Pure.
 */
#ifndef WORKERS_EDGES_PUSH_ORDER_H
#define WORKERS_EDGES_PUSH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/wire.h"

enum { PUSH_PATH_TEXT = 256 }; /* longest path below a title's folder, with its NUL */

struct push_rendition {
    const char *id;     /* NULL of images */
    const char *folder; /* below the title's */
    bool video;
    bool image;    /* a poster or a storyboard */
    bool left_out; /* of more lines than the endpoint takes */
    int64_t segments;
};

struct push_version {
    struct arena arena;
    char name[VERSION_TEXT];
    size_t count;
    struct push_rendition *renditions; /* in `arena` */
    int64_t objects;                   /* media objects of all, also of those left out */
};

/* Reads a title document; `max_height` 0: nothing is left out. CORRUPT for one that can't be read,
 * is of another version, or whose names are no names. Finish it in any case. */
int push_version_read(struct push_version *out, const char *version, const void *text, size_t size,
                      int max_height, struct err *err);

/* Takes a zeroed one. */
void push_version_finish(struct push_version *version);

/* The rendition that a media object is of, and the segment's number, 0 for init.mp4: whether there
 * is one. */
bool push_place(const struct push_version *version, const char *path, size_t *rendition,
                int64_t *number);

/* Whether the segment is one of `wanted` that are spread evenly over so many, the last among
 * them; init.mp4 (number 0) always is. */
bool push_sampled(int64_t number, int64_t segments, int64_t wanted);

enum push_rank {
    PUSH_PLAYLISTS, /* of each rendition */
    PUSH_DOCUMENTS, /* VERSION.m3u8, .mpd, .json */
    PUSH_NAMES,     /* master.m3u8, manifest.mpd, title.json */
    PUSH_RANKS
};

/* Writes the path of number `index` (from 0) of the documents of that rank; false past the last.
 * `from` (PUSH_PATH_TEXT too) gets where its bytes lie at the origin. */
bool push_document(const struct push_version *version, enum push_rank rank, size_t index,
                   char path[PUSH_PATH_TEXT], char from[PUSH_PATH_TEXT]);

/* The same of a version that goes: what lists before what is listed. */
bool push_old_document(const struct push_old_version *version, enum push_rank rank, size_t index,
                       char path[PUSH_PATH_TEXT]);

/* Number `index` (from 0) of the objects of a folder that goes. */
bool push_old_object(const struct push_old_folder *folder, int64_t index,
                     char path[PUSH_PATH_TEXT]);

/* Whether what lies at the path below the title's folder is named as ours, and of no version that
 * may lie there: neither of `version` nor of those of `sweep`. What has another name is of another
 * tool, and none of our business. */
bool push_is_orphan(const struct push_version *version, const struct push_sweep *sweep,
                    const char *path);

/* Whether the version names the folder. */
bool push_names_folder(const struct push_version *version, const char *folder);

#endif
