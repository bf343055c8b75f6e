/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HLS playlists as pure functions of the presentation (RFC 8216 and Apple's
 * authoring rules: STANDARDS section 1).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hls_text.h"

enum { FIRST_VARIANT_BPS = 2000000 }; /* Apple's rule: players start on the first variant listed */

void hls_header_write(struct buf *out) {
    buf_string(out, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
}

/* EXT-X-VIDEO-RANGE by transfer characteristics (ITU-T H.273 code points). */
static const char *video_range(const struct colour *colour) {
    if (!colour_is_hdr(colour)) {
        return "SDR";
    }
    return colour->transfer == 16 ? "PQ" : "HLG";
}

static void audio_group_id(const struct presented_track *track, struct buf *out) {
    buf_format(out, "%s-%d", codec_name(track->codec), track->channels);
}

static void audio_write(const struct presented_track *track, const char *folder, bool first,
                        struct buf *out) {
    bool known = strcmp(track->language, "und") != 0 && track->language[0] != '\0';
    buf_string(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"");
    audio_group_id(track, out);
    buf_format(out, "\",NAME=\"%s\"", known ? track->language : "Main");
    if (known) {
        buf_format(out, ",LANGUAGE=\"%s\"", track->language);
    }
    buf_format(out, ",DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s/%s.m3u8\"\n",
               first ? "YES" : "NO", track->channels, folder, track->id);
}

/* The group's largest sound: what BANDWIDTH adds to the picture's. */
static const struct presented_track *largest_audio(const struct period *period) {
    const struct presented_track *largest = NULL;
    for (size_t t = 0; t < period->track_count; t++) {
        const struct presented_track *track = &period->tracks[t];
        if (!track->video && (largest == NULL || track->peak_bps > largest->peak_bps)) {
            largest = track;
        }
    }
    return largest;
}

static void variant_write(const struct presented_track *track, const struct presented_track *audio,
                          const char *folder, struct buf *out) {
    int64_t peak = track->peak_bps + (audio != NULL ? audio->peak_bps : 0);
    int64_t average = track->average_bps + (audio != NULL ? audio->average_bps : 0);
    buf_format(out, "#EXT-X-STREAM-INF:BANDWIDTH=%" PRId64, peak);
    if (track->average_bps > 0) {
        buf_format(out, ",AVERAGE-BANDWIDTH=%" PRId64, average);
    }
    buf_format(out, ",CODECS=\"%s%s%s\",RESOLUTION=%dx%d", track->codecs, audio != NULL ? "," : "",
               audio != NULL ? audio->codecs : "", track->width, track->height);
    int64_t milli = ticks_scale(track->rate.num, 1000, track->rate.den, ROUND_NEAR);
    buf_format(out, ",FRAME-RATE=%" PRId64 ".%03" PRId64 ",VIDEO-RANGE=%s,CLOSED-CAPTIONS=NONE",
               milli / 1000, milli % 1000, video_range(&track->colour));
    if (audio != NULL) {
        buf_string(out, ",AUDIO=\"");
        audio_group_id(audio, out);
        buf_string(out, "\"");
    }
    buf_format(out, "\n%s/%s.m3u8\n", folder, track->id);
}

static void iframe_variant_write(const struct presentation *p, const struct presented_track *track,
                                 struct buf *out) {
    buf_format(out,
               "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=%" PRId64 ",AVERAGE-BANDWIDTH=%" PRId64
               ",CODECS=\"%s\",RESOLUTION=%dx%d,VIDEO-RANGE=%s,URI=\"%s/%s-iframes.m3u8\"\n",
               track->iframe_peak_bps, track->iframe_average_bps, track->codecs, track->width,
               track->height, video_range(&track->colour), p->version, track->id);
}

/* The picture whose rate lies nearest to what a player should start on; of the first codec,
 * which is the one that more players know. */
static const struct presented_track *first_variant(const struct period *period) {
    const struct presented_track *nearest = NULL;
    int64_t distance = 0;
    for (size_t t = 0; t < period->track_count; t++) {
        const struct presented_track *track = &period->tracks[t];
        int64_t average = track->average_bps > 0 ? track->average_bps : track->peak_bps * 2 / 3;
        int64_t off = llabs(average - FIRST_VARIANT_BPS);
        if (track->video && track->codec == period->tracks[0].codec &&
            (nearest == NULL || off < distance)) {
            nearest = track;
            distance = off;
        }
    }
    return nearest;
}

void hls_streams_write(const struct period *period, const char *folder, struct buf *out) {
    const struct presented_track *audio = largest_audio(period);
    const struct presented_track *first = first_variant(period);
    bool first_audio = true;
    for (size_t t = 0; t < period->track_count; t++) {
        if (!period->tracks[t].video) {
            audio_write(&period->tracks[t], folder, first_audio, out);
            first_audio = false;
        }
    }
    if (first != NULL) {
        variant_write(first, audio, folder, out);
    }
    for (size_t t = 0; t < period->track_count; t++) {
        if (period->tracks[t].video && &period->tracks[t] != first) {
            variant_write(&period->tracks[t], audio, folder, out);
        }
    }
}

void hls_multivariant_write(const struct presentation *p, struct buf *out) {
    const struct period *period = &p->periods[0];
    hls_header_write(out);
    hls_streams_write(period, p->version, out);
    for (size_t t = 0; t < period->track_count; t++) {
        if (period->tracks[t].video) {
            iframe_variant_write(p, &period->tracks[t], out);
        }
    }
}

/* EXTINF of [start, end): the difference of two rounded times, so that the sum of
 * a playlist never drifts from the title's clock. */
static void extinf_write(int64_t start, int64_t end, int64_t timescale, struct buf *out) {
    int64_t micros = ticks_scale(end, 1000000, timescale, ROUND_NEAR) -
                     ticks_scale(start, 1000000, timescale, ROUND_NEAR);
    buf_format(out, "#EXTINF:%" PRId64 ".%06" PRId64 ",\n", micros / 1000000, micros % 1000000);
}

void hls_map_write(const struct presented_track *track, const char *above, struct buf *out) {
    buf_format(out, "#EXT-X-MAP:URI=\"%s%s/init.mp4\"\n", above, track->folder);
}

void hls_target_write(const struct presentation *p, const char *type, struct buf *out) {
    buf_format(out,
               "#EXT-X-TARGETDURATION:%" PRId64
               "\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:%s\n",
               p->target_duration_s, type);
}

void hls_segments_write(const struct presented_track *track, const char *above, struct buf *out) {
    for (size_t s = 0; s < track->segment_count; s++) {
        const struct presented_segment *segment = &track->segments[s];
        extinf_write(segment->start, segment->start + segment->duration, track->timescale, out);
        buf_format(out, "%s%s/%05zu.m4s\n", above, track->folder, s + 1);
    }
}

static void media_header_write(const struct presentation *p, const struct presented_track *track,
                               bool iframes, struct buf *out) {
    hls_header_write(out);
    hls_target_write(p, "VOD", out);
    if (iframes) {
        buf_string(out, "#EXT-X-I-FRAMES-ONLY\n");
    }
    hls_map_write(track, "../", out);
}

void hls_media_write(const struct presentation *p, const struct presented_track *track,
                     struct buf *out) {
    media_header_write(p, track, false, out);
    hls_segments_write(track, "../", out);
    buf_string(out, "#EXT-X-ENDLIST\n");
}

void hls_iframes_write(const struct presentation *p, const struct presented_track *track,
                       struct buf *out) {
    media_header_write(p, track, true, out);
    for (size_t s = 0; s < track->segment_count; s++) {
        const struct presented_segment *segment = &track->segments[s];
        int64_t at = segment->start;
        for (int g = 0; g < segment->gop_count; g++) {
            extinf_write(at, at + segment->gop_ticks[g], track->timescale, out);
            buf_format(out, "#EXT-X-BYTERANGE:%u@%u\n../%s/%05zu.m4s\n", segment->gops[g].idr_size,
                       segment->gops[g].offset, track->folder, s + 1);
            at += segment->gop_ticks[g];
        }
    }
    buf_string(out, "#EXT-X-ENDLIST\n");
}
