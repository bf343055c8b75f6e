/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the plan and the accepted reports to the model that manifests are
 * functions of; and the gate: reports that do not join to one gapless title are
 * refused here, before anything is written.
 */
#include <string.h>

#include "common/hash.h"
#include "images.h"
#include "measure.h"
#include "packager/packager.h"

void presentation_finish(struct presentation *presentation) {
    if (presentation != NULL) {
        arena_finish(&presentation->arena);
        *presentation = (struct presentation){0};
    }
}

static struct track_config track_config_of(const struct title_plan *plan,
                                           const struct rendition_plan *rendition,
                                           const struct unit_report *report) {
    struct track_config config = {
        .video = rendition->is_video ? &rendition->video : NULL,
        .audio = rendition->is_video ? NULL : &rendition->audio,
        .record_size = report->record_size,
        .reorder_frames = report->reorder_frames,
        .priming = report->priming,
    };
    memcpy(config.record, report->record, sizeof(config.record));
    if (!rendition->is_video) {
        config.duration = title_audio_samples(&plan->source.timeline, rendition->audio.sample_rate);
    }
    return config;
}

/* ---- The gate ---------------------------------------------------------------- */

static int check_numbers(const struct unit_report *report, size_t count, struct err *err) {
    for (size_t s = 0; s < report->segment_count; s++) {
        int64_t want = (int64_t)s + 1;
        if (report->segments[s].number != want) {
            return err_set(err, ERR_CORRUPT, "segment %lld stands where segment %lld belongs",
                           (long long)report->segments[s].number, (long long)want);
        }
    }
    if (report->segment_count != count) {
        return err_set(err, ERR_CORRUPT, "it has %zu segments and the plan says %zu",
                       report->segment_count, count);
    }
    return 0;
}

static int check_fragments(const struct segment_report *segment, size_t gops, struct err *err) {
    long long number = (long long)segment->number;
    if (segment->fragment_count != gops) {
        return err_set(err, ERR_CORRUPT, "segment %lld has %zu GOPs and the plan says %zu", number,
                       segment->fragment_count, gops);
    }
    int64_t at = gops > 0 ? segment->fragments[0].offset : segment->bytes;
    for (size_t g = 0; g < gops; g++) {
        const struct fragment_report *fragment = &segment->fragments[g];
        if (fragment->offset != at || fragment->idr_size == 0 ||
            fragment->idr_size > fragment->size) {
            return err_set(err, ERR_CORRUPT, "segment %lld: fragment %zu lies wrongly", number, g);
        }
        at += fragment->size;
    }
    if (at != segment->bytes) {
        return err_set(err, ERR_CORRUPT, "segment %lld: fragments end at byte %lld of %lld", number,
                       (long long)at, (long long)segment->bytes);
    }
    return 0;
}

static int check_video(const struct title_plan *plan, const struct unit_report *report,
                       struct err *err) {
    const struct grid *grid = plan->grid;
    for (size_t s = 0; s < report->segment_count; s++) {
        const struct segment_report *segment = &report->segments[s];
        int64_t first = grid_segment_frame(grid, s);
        int64_t frames = grid_segment_frame(grid, s + 1) - first;
        if (segment->decode_time != first * grid->rate.den ||
            segment->duration != frames * grid->rate.den || segment->samples != frames) {
            return err_set(err, ERR_CORRUPT,
                           "segment %lld covers %lld frames from tick %lld, and the plan says %lld "
                           "from tick %lld",
                           (long long)segment->number, (long long)segment->samples,
                           (long long)segment->decode_time, (long long)frames,
                           (long long)(first * grid->rate.den));
        }
        int failed = check_fragments(segment, grid->segments[s + 1] - grid->segments[s], err);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

/* Segment k of sound ends at the first packet border at or after video boundary k,
 * so never a packet or more behind it. */
static int check_audio(const struct title_plan *plan, const struct rendition_plan *rendition,
                       const struct unit_report *report, struct err *err) {
    const struct grid *grid = plan->grid;
    int64_t next = 0;
    for (size_t s = 0; s < report->segment_count; s++) {
        const struct segment_report *segment = &report->segments[s];
        long long number = (long long)segment->number;
        if (segment->decode_time != next) {
            return err_set(err, ERR_CORRUPT, "segment %lld starts at tick %lld, not at %lld",
                           number, (long long)segment->decode_time, (long long)next);
        }
        if (segment->samples <= 0 || segment->duration <= 0) {
            return err_set(err, ERR_CORRUPT, "segment %lld is empty", number);
        }
        next += segment->duration;
        int64_t packet = segment->duration / segment->samples;
        struct timeline until = plan->source.timeline;
        until.frames = grid_segment_frame(grid, s + 1);
        int64_t boundary = title_audio_samples(&until, rendition->audio.sample_rate);
        int64_t end = next - report->priming;
        if (end < boundary || end >= boundary + packet) {
            return err_set(err, ERR_CORRUPT,
                           "segment %lld ends at sample %lld, and the picture's boundary is %lld",
                           number, (long long)end, (long long)boundary);
        }
    }
    return 0;
}

/* That it is the rendition's first `count` segments. */
static int check_rendition(const struct title_plan *plan, const struct rendition_plan *rendition,
                           const struct unit_report *report, size_t count, struct err *err) {
    if (rendition->folder[0] == '\0' || report->record_size == 0 || report->init_bytes <= 0) {
        return err_set(err, ERR_CORRUPT, "its init segment was never reported");
    }
    int failed = check_numbers(report, count, err);
    if (failed != 0) {
        return failed;
    }
    return rendition->is_video ? check_video(plan, report, err)
                               : check_audio(plan, rendition, report, err);
}

/* ---- The model --------------------------------------------------------------- */

static void present_segments(struct arena *arena, const struct title_plan *plan,
                             const struct unit_report *report, struct presented_track *track) {
    track->segment_count = report->segment_count;
    track->segments = arena_zero(arena, report->segment_count, sizeof(*track->segments));
    int64_t *gop_ticks = NULL;
    if (track->video) {
        gop_ticks = arena_zero(arena, plan->grid->gop_count, sizeof(*gop_ticks));
        for (size_t g = 0; g < plan->grid->gop_count; g++) {
            gop_ticks[g] = (plan->grid->gops[g + 1] - plan->grid->gops[g]) * track->rate.den;
        }
    }
    int64_t next = 0;
    for (size_t s = 0; s < report->segment_count; s++) {
        const struct segment_report *from = &report->segments[s];
        struct presented_segment *to = &track->segments[s];
        to->start = next;
        to->duration = from->duration;
        if (!track->video && s == 0) {
            to->duration -= report->priming; /* the edit list skips it */
        }
        to->bytes = from->bytes;
        if (track->video) {
            to->gop_count = (int)from->fragment_count;
            to->gops = from->fragments;
            to->gop_ticks = gop_ticks + plan->grid->segments[s];
        }
        next = to->start + to->duration;
    }
}

static int present_track(struct arena *arena, const struct title_plan *plan,
                         const struct rendition_plan *rendition, const struct unit_report *report,
                         size_t count, struct presented_track *track, struct err *err) {
    int failed = check_rendition(plan, rendition, report, count, err);
    if (failed != 0) {
        return failed;
    }
    struct track_config config = track_config_of(plan, rendition, report);
    char codecs[64];
    failed = track_codecs_string(&config, codecs, sizeof(codecs), err);
    if (failed != 0) {
        return failed;
    }
    *track = (struct presented_track){
        .id = rendition->id,
        .folder = rendition->folder,
        .video = rendition->is_video,
        .codecs = arena_string(arena, codecs),
        .init_bytes = report->init_bytes,
    };
    if (rendition->is_video) {
        track->codec = rendition->video.codec;
        track->rate = rendition->video.rate;
        track->timescale = rendition->video.rate.num;
        track->presentation_offset = report->reorder_frames * rendition->video.rate.den;
        track->width = rendition->video.width;
        track->height = rendition->video.height;
        track->colour = rendition->video.colour;
    } else {
        track->codec = rendition->audio.codec;
        track->timescale = rendition->audio.sample_rate;
        track->presentation_offset = report->priming;
        track->sample_rate = rendition->audio.sample_rate;
        track->channels = rendition->audio.channels;
        track->language = rendition->audio.language;
    }
    present_segments(arena, plan, report, track);
    return 0;
}

static bool comes_before(const struct presented_track *a, const struct presented_track *b) {
    if (a->video != b->video) {
        return a->video;
    }
    if (a->codec != b->codec) {
        return a->codec < b->codec;
    }
    return a->video && a->peak_bps < b->peak_bps;
}

static void sort_tracks(struct presented_track *tracks, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct presented_track track = tracks[i];
        size_t to = i;
        for (; to > 0 && comes_before(&track, &tracks[to - 1]); to--) {
            tracks[to] = tracks[to - 1];
        }
        tracks[to] = track;
    }
}

/* A model of `count` tracks, which are still to be presented. */
static struct presentation begin(const struct title_plan *plan, size_t count) {
    struct presentation p = {0};
    struct rational rate = plan->source.timeline.rate;
    p.title = plan->title;
    p.duration_num = plan->source.timeline.frames * rate.den;
    p.duration_den = rate.num;
    p.period_count = 1;
    p.periods = arena_zero(&p.arena, 1, sizeof(*p.periods));
    p.periods[0].track_count = count;
    p.periods[0].tracks = arena_zero(&p.arena, count, sizeof(*p.periods[0].tracks));
    return p;
}

static int refuse(struct presentation *p, const struct title_plan *plan, size_t index, int failed,
                  struct err *err) {
    err_wrap(err, "rendition %s of %s", plan->renditions[index].id, plan->title);
    presentation_finish(p);
    return failed;
}

/* Of images nothing is played; a storyboard is listed beside what is. */
static int present_images(struct presentation *p, const struct title_plan *plan,
                          const struct rendition_plan *rendition, const struct unit_report *report,
                          struct err *err) {
    const struct image_spec *spec = &rendition->image;
    const struct rational rate = plan->source.timeline.rate;
    int64_t largest = 0;
    int failed = images_check(spec, report, err);
    for (size_t i = 0; failed == 0 && i < report->segment_count; i++) {
        largest = report->segments[i].bytes > largest ? report->segments[i].bytes : largest;
    }
    if (failed == 0 && spec->kind == IMAGE_STORYBOARD) {
        int64_t duration = spec->interval_frames * spec->columns * spec->rows * rate.den;
        p->has_storyboard = true;
        p->storyboard = (struct presented_storyboard){
            .id = rendition->id,
            .folder = rendition->folder,
            .width = spec->width * spec->columns,
            .height = spec->height * spec->rows,
            .columns = spec->columns,
            .rows = spec->rows,
            .timescale = p->duration_den,
            .duration = duration,
            .bps = ticks_scale(largest * 8, p->duration_den, duration, ROUND_UP),
        };
    }
    return failed;
}

int presentation_build(struct presentation *out, const struct title_plan *plan,
                       const struct rendition_report *reports, struct err *err) {
    struct presentation p = begin(plan, plan->rendition_count);
    struct period *period = &p.periods[0];
    period->track_count = 0;
    for (size_t i = 0; i < plan->rendition_count; i++) {
        const struct rendition_plan *rendition = &plan->renditions[i];
        const struct unit_report *report = &reports[i].joined;
        int failed = rendition->is_image
                         ? present_images(&p, plan, rendition, report, err)
                         : present_track(&p.arena, plan, rendition, report,
                                         plan->grid->segment_count,
                                         &period->tracks[period->track_count++], err);
        if (failed != 0) {
            return refuse(&p, plan, i, failed, err);
        }
    }
    presentation_measure(&p);
    sort_tracks(period->tracks, period->track_count);
    *out = p;
    return 0;
}

/* ---- Its head, early ------------------------------------------------------------ */

bool early_has(const struct rendition_plan *rendition) {
    return rendition->is_video ? rendition->video.codec == CODEC_H264
                               : rendition->audio.codec == CODEC_AAC;
}

/* The longest segment, in whole seconds: of a picture's by the plan, of sound as it is made. */
static int64_t longest_second(const struct title_plan *plan, const struct period *period) {
    const struct grid *grid = plan->grid;
    int64_t longest = 1;
    for (size_t s = 0; s < grid->segment_count; s++) {
        int64_t frames = grid_segment_frame(grid, s + 1) - grid_segment_frame(grid, s);
        int64_t seconds = ticks_scale(frames, grid->rate.den, grid->rate.num, ROUND_NEAR);
        longest = seconds > longest ? seconds : longest;
    }
    for (size_t t = 0; t < period->track_count; t++) {
        const struct presented_track *track = &period->tracks[t];
        for (size_t s = 0; s < track->segment_count; s++) {
            int64_t seconds =
                ticks_scale(track->segments[s].duration, 1, track->timescale, ROUND_NEAR);
            longest = seconds > longest ? seconds : longest;
        }
    }
    return longest;
}

/* No run of segments as long as the target can have a higher rate: a full buffer, and what its
 * cap brings meanwhile; and two in a hundred for boxes. */
static int64_t rate_allowed(const struct rendition_plan *rendition,
                            const struct presented_track *measured, int64_t target_s) {
    int64_t bps = rendition->is_video
                      ? rendition->video.maxrate_bps + rendition->video.bufsize_bits / target_s
                      : 0;
    return bps > 0               ? bps + bps / 50
           : rendition->is_video ? 2 * measured->peak_bps
                                 : measured->peak_bps;
}

int early_build(struct presentation *out, const struct title_plan *plan,
                const struct rendition_report *reports, size_t chunks, struct err *err) {
    const struct grid *grid = plan->grid;
    struct presentation p = begin(plan, plan->rendition_count);
    struct period *period = &p.periods[0];
    size_t segments = grid->chunks[chunks];
    const struct rendition_plan **from =
        arena_zero(&p.arena, plan->rendition_count, sizeof(const struct rendition_plan *));
    period->track_count = 0;
    for (size_t i = 0; i < plan->rendition_count; i++) {
        const struct rendition_plan *rendition = &plan->renditions[i];
        if (early_has(rendition)) {
            int failed = present_track(&p.arena, plan, rendition, &reports[i].joined,
                                       rendition->is_video ? segments : grid->segment_count,
                                       &period->tracks[period->track_count], err);
            if (failed != 0) {
                return refuse(&p, plan, i, failed, err);
            }
            from[period->track_count++] = rendition;
        }
    }
    int64_t target_s = longest_second(plan, period);
    presentation_measure(&p);
    p.target_duration_s = target_s;
    for (size_t t = 0; t < period->track_count; t++) {
        struct presented_track *track = &period->tracks[t];
        track->segment_count = segments; /* sound that is ahead waits */
        track->peak_bps = rate_allowed(from[t], track, target_s);
        track->average_bps = 0;
    }
    sort_tracks(period->tracks, period->track_count);
    *out = p;
    return 0;
}

/* ---- The version --------------------------------------------------------------- */

void presentation_name_version(struct presentation *p, const struct title_plan *plan,
                               const struct rendition_report *reports) {
    struct buf text = {0};
    p->version[0] = '\0';
    for (size_t i = 0; i < p->period_count; i++) {
        for (size_t t = 0; t < p->periods[i].track_count; t++) {
            const struct presented_track *track = &p->periods[i].tracks[t];
            hls_media_write(p, track, &text);
            if (track->video) {
                hls_iframes_write(p, track, &text);
            }
        }
    }
    hls_multivariant_write(p, &text);
    dash_write(p, &text);
    title_document_write(p, plan, reports, &text);
    char hex[WIRE_HASH_TEXT];
    sha256_hex_of(text.data, text.size, hex);
    memcpy(p->version, hex, sizeof(p->version) - 1);
    p->version[sizeof(p->version) - 1] = '\0';
    buf_finish(&text);
}
