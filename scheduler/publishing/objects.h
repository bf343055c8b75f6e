/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The media objects of a version, with their sizes and hashes, from the reports of who made them.
 */
#ifndef SCHEDULER_PUBLISHING_OBJECTS_H
#define SCHEDULER_PUBLISHING_OBJECTS_H

#include "scheduler/farm.h"

enum { OBJECTS_PAGE = 1000 };

/*
 * Writes {"objects": [{"key", "bytes", "sha256"}], "next": N or null}: a page of at most
 * OBJECTS_PAGE from number `from` (0 is the first) on: rendition by rendition in the order of the
 * plan, each with its segments in order and then its init.mp4. Keys are below the title's folder.
 * NOT_FOUND where the title has no such version, or its reports are gone.
 */
void objects_write(struct tx *tx, const char *title, const char *version, int64_t from,
                   struct writer *w);

/* How many segments the reports of a rendition's place tell of; 0: none are there. */
int64_t objects_count_segments(struct tx *tx, const char *place);

#endif
