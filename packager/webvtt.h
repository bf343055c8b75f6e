/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict, bounded reader for WebVTT files (W3C WebVTT 4) and the header that HLS adds to them
 * (RFC 8216 3.5): when their cues are shown, and nothing of what they say. Time is linear in the
 * input, and no memory is taken. Private to packager/.
 */
#ifndef PACKAGER_WEBVTT_H
#define PACKAGER_WEBVTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Times of cues are those that the file tells, in milliseconds. */
struct webvtt {
    bool has_map;     /* X-TIMESTAMP-MAP */
    int64_t shift_ms; /* from such a time to that of the stream, by the map; 0 without one */
    int64_t cue_count;
    int64_t first_start_ms, last_start_ms; /* the least and the greatest; 0 without a cue */
    int64_t first_end_ms, last_end_ms;
};

/* CORRUPT with the line that breaks a rule; `out` is untouched then. */
int webvtt_read(struct webvtt *out, const void *data, size_t size, struct err *err);

#endif
