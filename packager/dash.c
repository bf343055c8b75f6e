/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DASH manifest as a pure function of the presentation (ISO/IEC 23009-1 with
 * the DASH-IF timing model: STANDARDS section 2). One AdaptationSet a codec, its
 * SegmentTimeline shared by all Representations, whose boundaries the gate has
 * found equal. Times are presentation times after the edit list, in ticks.
 *
 * The Period lasts as long as its longest track, which is sound where there is any: it ends
 * with the packet in which the pictures end. A Period as long as the pictures would cover
 * itself to the tick, but players take a playhead that is past its end, in that packet, for
 * one that is lost; and one that is at its end, if only for rounding. So it is rounded up to
 * the next millisecond.
 */
#include <inttypes.h>
#include <string.h>

#include "packager/packager.h"

enum { TRANSFER_PQ = 16 }; /* ITU-T H.273 */

static void duration_write(int64_t millis, struct buf *out) {
    buf_format(out, "PT%" PRId64, millis / 1000);
    if (millis % 1000 != 0) {
        char digits[] = {(char)('0' + millis / 100 % 10), (char)('0' + millis / 10 % 10),
                         (char)('0' + millis % 10)};
        size_t length = digits[2] != '0' ? 3 : digits[1] != '0' ? 2 : 1;
        buf_string(out, ".");
        buf_append(out, digits, length);
    }
    buf_string(out, "S");
}

/* S elements: t on the first alone, runs of equal durations by @r. */
static void timeline_write(const struct presented_track *track, struct buf *out) {
    buf_string(out, "        <SegmentTimeline>\n");
    for (size_t s = 0; s < track->segment_count;) {
        size_t run = 1;
        while (s + run < track->segment_count &&
               track->segments[s + run].duration == track->segments[s].duration) {
            run++;
        }
        buf_string(out, "          <S");
        if (s == 0) {
            buf_format(out, " t=\"%" PRId64 "\"", track->segments[0].start);
        }
        buf_format(out, " d=\"%" PRId64 "\"", track->segments[s].duration);
        if (run > 1) {
            buf_format(out, " r=\"%zu\"", run - 1);
        }
        buf_string(out, "/>\n");
        s += run;
    }
    buf_string(out, "        </SegmentTimeline>\n");
}

static void template_write(const struct presented_track *track, struct buf *out) {
    buf_format(out,
               "      <SegmentTemplate timescale=\"%" PRId64
               "\" startNumber=\"1\" initialization=\"init.mp4\" media=\"$Number%%05d$.m4s\">\n",
               track->timescale);
    timeline_write(track, out);
    buf_string(out, "      </SegmentTemplate>\n");
}

static void frame_rate_write(struct rational rate, struct buf *out) {
    buf_format(out, "%" PRId64, rate.num);
    if (rate.den != 1) {
        buf_format(out, "/%" PRId64, rate.den);
    }
}

/* Players pass over what is essential and that they do not know. */
static void cicp_write(const char *weight, const char *name, int value, struct buf *out) {
    buf_format(out, "      <%sProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:%s\" value=\"%d\"/>\n",
               weight, name, value);
}

/* Pictures of PQ look wrong where they are shown as if they were of SDR; those of HLG do not. */
static void colour_write(const struct colour *colour, struct buf *out) {
    const char *weight = colour->transfer == TRANSFER_PQ ? "Essential" : "Supplemental";
    cicp_write("Supplemental", "ColourPrimaries", colour->primaries, out);
    cicp_write(weight, "TransferCharacteristics", colour->transfer, out);
    cicp_write("Supplemental", "MatrixCoefficients", colour->matrix, out);
}

/* Other video sets between which players may switch. */
static void switching_write(const struct period *period, const int *set_of, int set,
                            struct buf *out) {
    bool any = false;
    for (size_t t = 0; t < period->track_count; t++) {
        bool head = t == 0 || set_of[t] != set_of[t - 1];
        if (!period->tracks[t].video || set_of[t] == set || !head) {
            continue;
        }
        buf_string(out, any ? ","
                            : "      <SupplementalProperty schemeIdUri=\"urn:mpeg:dash:"
                              "adaptation-set-switching:2016\" value=\"");
        buf_format(out, "%d", set_of[t]);
        any = true;
    }
    if (any) {
        buf_string(out, "\"/>\n");
    }
}

static void representation_write(const struct presented_track *track, struct buf *out) {
    buf_format(out, "      <Representation id=\"%s\" bandwidth=\"%" PRId64 "\" codecs=\"%s\"",
               track->id, track->peak_bps, track->codecs);
    if (track->video) {
        buf_format(out, " width=\"%d\" height=\"%d\" frameRate=\"", track->width, track->height);
        frame_rate_write(track->rate, out);
        buf_string(out, "\" sar=\"1:1\"");
    } else {
        buf_format(out, " audioSamplingRate=\"%d\"", track->sample_rate);
    }
    buf_format(out, ">\n        <BaseURL>%s/</BaseURL>\n      </Representation>\n", track->folder);
}

static void video_set_open(const struct period *period, const int *set_of, size_t first,
                           size_t count, struct buf *out) {
    const struct presented_track *largest = &period->tracks[first];
    for (size_t t = first + 1; t < first + count; t++) {
        largest = period->tracks[t].width > largest->width ? &period->tracks[t] : largest;
    }
    struct rational aspect = rational_of(largest->width, largest->height);
    buf_format(out,
               "    <AdaptationSet id=\"%d\" contentType=\"video\" mimeType=\"video/mp4\" "
               "segmentAlignment=\"true\" startWithSAP=\"1\" par=\"%" PRId64 ":%" PRId64
               "\" maxWidth=\"%d\" maxHeight=\"%d\" maxFrameRate=\"",
               set_of[first], aspect.num, aspect.den, largest->width, largest->height);
    frame_rate_write(largest->rate, out);
    buf_string(out, "\">\n");
    colour_write(&largest->colour, out);
    switching_write(period, set_of, set_of[first], out);
}

static void audio_set_open(const struct presented_track *track, int set, bool main,
                           struct buf *out) {
    buf_format(out,
               "    <AdaptationSet id=\"%d\" contentType=\"audio\" mimeType=\"audio/mp4\" "
               "segmentAlignment=\"true\" startWithSAP=\"1\" lang=\"%s\">\n",
               set, track->language[0] != '\0' ? track->language : "und");
    buf_format(out,
               "      <AudioChannelConfiguration "
               "schemeIdUri=\"urn:mpeg:mpegB:cicp:ChannelConfiguration\" value=\"%d\"/>\n",
               track->channels);
    buf_format(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"%s\"/>\n",
               main ? "main" : "alternate");
}

/* Tracks of one codec and, for sound, of one language and channel count, form a set. */
static bool same_set(const struct presented_track *a, const struct presented_track *b) {
    if (a->video != b->video || a->codec != b->codec) {
        return false;
    }
    return a->video || (strcmp(a->language, b->language) == 0 && a->channels == b->channels &&
                        a->sample_rate == b->sample_rate);
}

static void set_write(const struct period *period, const int *set_of, size_t first, size_t count,
                      struct buf *out) {
    const struct presented_track *head = &period->tracks[first];
    if (head->video) {
        video_set_open(period, set_of, first, count, out);
        buf_string(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n");
    } else {
        bool main = first == 0 || period->tracks[first - 1].video;
        audio_set_open(head, set_of[first], main, out);
    }
    template_write(head, out);
    for (size_t i = 0; i < count; i++) {
        representation_write(&period->tracks[first + i], out);
    }
    buf_string(out, "    </AdaptationSet>\n");
}

/* The first whole millisecond after the end of its longest track. */
static int64_t period_millis(const struct period *period) {
    int64_t longest = 0;
    for (size_t t = 0; t < period->track_count; t++) {
        const struct presented_track *track = &period->tracks[t];
        const struct presented_segment *last = &track->segments[track->segment_count - 1];
        int64_t millis =
            ticks_scale(last->start + last->duration, 1000, track->timescale, ROUND_DOWN) + 1;
        longest = millis > longest ? millis : longest;
    }
    return longest;
}

/* Sheets of small pictures for seek bars: DASH-IF IOP 4.3, 6.2.6. */
static void storyboard_write(const struct presented_storyboard *storyboard, int set,
                             struct buf *out) {
    buf_format(out,
               "    <AdaptationSet id=\"%d\" contentType=\"image\" mimeType=\"image/jpeg\">\n"
               "      <SegmentTemplate timescale=\"%" PRId64
               "\" startNumber=\"1\" duration=\"%" PRId64 "\" media=\"$Number%%05d$.jpg\"/>\n",
               set, storyboard->timescale, storyboard->duration);
    buf_format(out,
               "      <Representation id=\"%s\" bandwidth=\"%" PRId64
               "\" width=\"%d\" height=\"%d\">\n",
               storyboard->id, storyboard->bps, storyboard->width, storyboard->height);
    buf_format(out,
               "        <BaseURL>%s/</BaseURL>\n        <EssentialProperty "
               "schemeIdUri=\"http://dashif.org/guidelines/thumbnail_tile\" value=\"%dx%d\"/>\n"
               "      </Representation>\n    </AdaptationSet>\n",
               storyboard->folder, storyboard->columns, storyboard->rows);
}

static void period_write(const struct period *period, size_t number,
                         const struct presented_storyboard *storyboard, struct buf *out) {
    int *set_of = mem_zero(period->track_count, sizeof(*set_of));
    for (size_t t = 0; t < period->track_count; t++) {
        bool same = t > 0 && same_set(&period->tracks[t - 1], &period->tracks[t]);
        set_of[t] = t == 0 ? 1 : set_of[t - 1] + (same ? 0 : 1);
    }
    buf_format(out, "  <Period id=\"%zu\" start=\"PT0S\" duration=\"", number);
    duration_write(period_millis(period), out);
    buf_string(out, "\">\n");
    for (size_t t = 0; t < period->track_count;) {
        size_t count = 1;
        while (t + count < period->track_count && set_of[t + count] == set_of[t]) {
            count++;
        }
        set_write(period, set_of, t, count, out);
        t += count;
    }
    if (storyboard != NULL) {
        storyboard_write(storyboard, set_of[period->track_count - 1] + 1, out);
    }
    buf_string(out, "  </Period>\n");
    mem_free(set_of);
}

void dash_write(const struct presentation *p, struct buf *out) {
    buf_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
                    "profiles=\"urn:mpeg:dash:profile:isoff-live:2011,"
                    "urn:mpeg:dash:profile:cmaf:2019\" mediaPresentationDuration=\"");
    duration_write(period_millis(&p->periods[p->period_count - 1]), out);
    buf_string(out, "\" minBufferTime=\"");
    duration_write(p->min_buffer_ms, out);
    buf_string(out, "\">\n");
    for (size_t i = 0; i < p->period_count; i++) {
        bool last = i + 1 == p->period_count;
        period_write(&p->periods[i], i + 1, last && p->has_storyboard ? &p->storyboard : NULL, out);
    }
    buf_string(out, "</MPD>\n");
}
