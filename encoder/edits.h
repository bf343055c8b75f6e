/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edit list of a track in an ISO media file, read without libavformat (ISO/IEC
 * 14496-12 8.6.6): which parts of the media are shown, and when. libavformat finds the
 * packets of a list of several edits, or of one that begins in the middle of a picture,
 * but not their times.
 */
#ifndef ENCODER_EDITS_H
#define ENCODER_EDITS_H

#include "encoder/encoder.h"

enum { EDITS_MAX = 1024 };

/* Media times from `start` on and before `end` are shown, `shift` later. In ticks of the
 * track; no sum of the three overflows. */
struct edit {
    int64_t start;
    int64_t end;
    int64_t shift;
};

/* In the order that they are shown in; what is empty is left out, and tells by the
 * shifts of those after it. */
struct edit_list {
    struct edit *edits; /* owned */
    size_t count;
    int64_t slack; /* ticks: parts of a picture shorter than that come of rounding */
};

/*
 * Reads the list of the `track`th track, from 0. Empty where the track has none, where the
 * file has fragments, and where the list is longer than EDITS_MAX, changes the speed, or
 * makes no sense: those are left to libavformat. Only a failing read is an error.
 */
int edits_read(struct edit_list *out, const struct source_io *io, int track, struct err *err);
void edits_finish(struct edit_list *list);

/* The edit with this shift in which a picture of this media time is shown, or before whose
 * start; list->count where there is none. */
size_t edits_find(const struct edit_list *list, int64_t shift, int64_t time);

#endif
