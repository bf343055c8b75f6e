/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the titles lie that `play` serves: a folder, or a prefix in object storage, which
 * this user's credentials read. Private to cli/.
 */
#ifndef CLI_MEDIA_PLACE_H
#define CLI_MEDIA_PLACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "media_file.h"
#include "output_place.h"

struct media_place; /* used by one thread at a time */

/*
 * Opens a folder or an s3:// URL and finds whether it is one title's own. What is asked of a
 * store ends early once `*cancel` is true (borrowed for the place's life). NOT_FOUND or INVALID
 * where it is no folder; of a store also what it answers. `*out` is owned.
 */
int media_place_open(struct media_place **out, const char *url, const atomic_bool *cancel,
                     struct err *err);

/* Takes NULL. */
void media_place_close(struct media_place *place);

/* The title whose own place it is, borrowed; NULL where titles lie below it. */
const char *media_place_single(const struct media_place *place);

/* The titles in the order of their names, into a zeroed list, which is the caller's to finish,
 * after a failure too. Of a folder those with a master.m3u8 or an early.m3u8; of a store whatever
 * may be one. */
int media_place_titles(struct media_place *place, struct output_titles *titles, struct err *err);

/* What is served: of a folder a file, of a store bytes. */
struct media_object {
    struct media_file file; /* `fd` -1 where it is bytes; else owned */
    struct buf bytes;       /* owned */
};

/*
 * Gets what lies at `path` of a title: "video/h264-720p-.../00001.m4s". NOT_FOUND where it is
 * not there, or the title is none. `*out` is a zeroed one, the caller's to finish.
 */
int media_place_get(struct media_place *place, const char *title, const char *path,
                    struct media_object *out, struct err *err);

#endif
