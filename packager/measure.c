/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rates and buffers measured from the sizes that were made: see measure.h. */
#include "measure.h"

#include "common/mem.h"

static int64_t rate_bps(int64_t bytes, int64_t ticks, int64_t timescale) {
    return ticks > 0 ? ticks_scale(8 * bytes, timescale, ticks, ROUND_UP) : 0;
}

int64_t measure_average_bps(const struct measured_piece *pieces, size_t count, int64_t timescale) {
    int64_t bytes = 0;
    int64_t ticks = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += pieces[i].bytes;
        ticks += pieces[i].ticks;
    }
    return rate_bps(bytes, ticks, timescale);
}

int64_t measure_peak_bps(const struct measured_piece *pieces, size_t count, int64_t target_ticks,
                         int64_t timescale) {
    int64_t peak = 0;
    for (size_t first = 0; first < count; first++) {
        int64_t bytes = 0;
        int64_t ticks = 0;
        for (size_t i = first; i < count; i++) {
            bytes += pieces[i].bytes;
            ticks += pieces[i].ticks;
            if (2 * ticks > 3 * target_ticks) {
                break;
            }
            if (2 * ticks >= target_ticks) { /* of a few ticks the rate may not fit its type */
                int64_t bps = rate_bps(bytes, ticks, timescale);
                peak = bps > peak ? bps : peak;
            }
        }
    }
    return peak > 0 ? peak : measure_average_bps(pieces, count, timescale);
}

int64_t measure_buffer_ticks(const struct measured_piece *pieces, size_t count, int64_t bps,
                             int64_t timescale) {
    int64_t worst = 0;
    int64_t owed = 0; /* ticks by which bytes come too late, from the worst start so far */
    for (size_t i = 0; i < count && bps > 0; i++) {
        owed += ticks_scale(8 * pieces[i].bytes, timescale, bps, ROUND_UP);
        worst = owed > worst ? owed : worst;
        owed = owed > pieces[i].ticks ? owed - pieces[i].ticks : 0;
    }
    return worst;
}

static int64_t longest_second(const struct presentation *p) {
    int64_t longest = 1;
    for (size_t i = 0; i < p->period_count; i++) {
        for (size_t t = 0; t < p->periods[i].track_count; t++) {
            const struct presented_track *track = &p->periods[i].tracks[t];
            for (size_t s = 0; s < track->segment_count; s++) {
                int64_t seconds =
                    ticks_scale(track->segments[s].duration, 1, track->timescale, ROUND_NEAR);
                longest = seconds > longest ? seconds : longest;
            }
        }
    }
    return longest;
}

/* The pieces of a video track by GOP: whole fragments, or the IDRs alone. */
static size_t gop_pieces(const struct presented_track *track, bool key_only,
                         struct measured_piece *out) {
    size_t count = 0;
    for (size_t s = 0; s < track->segment_count; s++) {
        const struct presented_segment *segment = &track->segments[s];
        for (int g = 0; g < segment->gop_count; g++) {
            out[count].bytes = key_only ? segment->gops[g].idr_size : segment->gops[g].size;
            out[count].ticks = segment->gop_ticks[g];
            count++;
        }
    }
    return count;
}

static void measure_track(struct presentation *p, struct presented_track *track) {
    size_t most = track->segment_count;
    for (size_t s = 0; s < track->segment_count; s++) {
        most += (size_t)track->segments[s].gop_count;
    }
    struct measured_piece *pieces = mem_zero(most, sizeof(*pieces));
    for (size_t s = 0; s < track->segment_count; s++) {
        pieces[s].bytes = track->segments[s].bytes;
        pieces[s].ticks = track->segments[s].duration;
    }
    int64_t target = p->target_duration_s * track->timescale;
    size_t count = track->segment_count;
    track->peak_bps = measure_peak_bps(pieces, count, target, track->timescale);
    track->average_bps = measure_average_bps(pieces, count, track->timescale);
    if (track->video) {
        count = gop_pieces(track, true, pieces);
        track->iframe_peak_bps = measure_peak_bps(pieces, count, target, track->timescale);
        track->iframe_average_bps = measure_average_bps(pieces, count, track->timescale);
        count = gop_pieces(track, false, pieces);
    }
    int64_t ticks = measure_buffer_ticks(pieces, count, track->peak_bps, track->timescale);
    int64_t buffer_ms = ticks_scale(ticks, 1000, track->timescale, ROUND_UP);
    p->min_buffer_ms = buffer_ms > p->min_buffer_ms ? buffer_ms : p->min_buffer_ms;
    mem_free(pieces);
}

void presentation_measure(struct presentation *presentation) {
    presentation->target_duration_s = longest_second(presentation);
    presentation->min_buffer_ms = 0;
    for (size_t i = 0; i < presentation->period_count; i++) {
        for (size_t t = 0; t < presentation->periods[i].track_count; t++) {
            measure_track(presentation, &presentation->periods[i].tracks[t]);
        }
    }
}
