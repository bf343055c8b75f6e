/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cap that a rung was encoded with, against its whole stream. See verify.h. */
#include <inttypes.h>

#include "manifest_number.h"
#include "verify.h"

/*
 * The least buffer in bits from which pictures can be taken each at its time while bits arrive at
 * that rate, whatever chunks they were encoded in: a leaky bucket of what is owed (ISO/IEC 14496-10
 * C.1, which is full at first). With `apart` the bucket is full again where each segment begins.
 */
static int64_t needed_bits(const struct listing *listing, int64_t bps, bool apart) {
    const struct real_track *track = listing->track;
    const int64_t most = MANIFEST_SECONDS_MAX * (int64_t)track->facts.timescale;
    int64_t frames = 0;
    int64_t arrived = 0;
    int64_t owed = 0;
    int64_t worst = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        owed = apart ? 0 : owed;
        for (size_t s = 0; s < segment->sample_count; s++) {
            owed += 8 * (int64_t)segment->sizes[s];
            worst = owed > worst ? owed : worst;
            frames++;
            if (frames * track->frame_ticks > most) {
                return worst;
            }
            int64_t until =
                ticks_scale(frames * track->frame_ticks, bps, track->facts.timescale, ROUND_DOWN);
            owed = owed > until - arrived ? owed - (until - arrived) : 0;
            arrived = until;
        }
    }
    return worst;
}

/* How full a chunk takes the buffer to be at its start, in percent, so that the one before it may
 * have drained the rest. Above this, chunks that each keep to the cap may not when joined, and
 * none of their segments alone needs more. */
enum { INIT_PERCENT_JOINS = 50 };

void verify_cap(struct verify *v, const char *id, const struct listing *listing,
                const struct told_cap *cap) {
    if (cap->maxrate_bps == 0 || cap->bufsize_bits == 0 ||
        listing->track->facts.codec->codec != CODEC_H264) {
        return;
    }
    int64_t bits = needed_bits(listing, cap->maxrate_bps, cap->init_percent > INIT_PERCENT_JOINS);
    if (bits > cap->bufsize_bits) {
        verify_found(v, RULE_RUNG_CAP, listing->track->init,
                     "at its cap of %" PRId64 " b/s rendition %.60s needs a buffer of %" PRId64
                     " bits, and its spec allows %" PRId64,
                     cap->maxrate_bps, id, bits, cap->bufsize_bits);
    }
}
