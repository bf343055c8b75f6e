/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rungs a source gets. Sizes go by the short side of the upright picture, so
 * that 1920x800 and 800x1920 are sources of 800 lines. Each rung's settings depend
 * on the source and on that rung alone; the other rungs only decide whether it is
 * made.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grid.h"
#include "encoders.h"
#include "ladders/ladders.h"
#include "level.h"

/* A rung this little above the source is made at the source's size: 720 of 718. */
static const int nearly_percent = 105;
/* The next rung above the source is made at its size unless one below it has this
 * much of its pixels already: 800 lines are worth a rung above 720, 740 are not. */
static const int covered_percent = 83;
/* A rung with this much of the pixels of the one above adds nothing. */
static const int equal_percent = 95;

static const int lossless_bits = 10; /* what x264 can code */

struct choice {
    struct ladder_selection *out;
    const struct ladder *ladder;
    const struct source_document *source;
    int short_side; /* of the source */
    int gop_frames;
};

/* ---- dropping ----------------------------------------------------------------- */

static void rung_name(char out[32], enum codec_id codec, int lines) {
    snprintf(out, 32, "%s-%dp", codec_name(codec), lines);
}

static void drop(struct choice *c, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void drop(struct choice *c, const char *name, const char *format, ...) {
    struct dropped_rung *dropped = &c->out->dropped[c->out->dropped_count++];
    snprintf(dropped->name, sizeof(dropped->name), "%s", name);
    va_list args;
    va_start(args, format);
    vsnprintf(dropped->reason, sizeof(dropped->reason), format, args);
    va_end(args);
}

static void drop_rung(struct choice *c, const struct ladder_video_rung *rung, const char *reason) {
    char name[32];
    rung_name(name, rung->codec, rung->height > 0 ? rung->height : c->short_side);
    drop(c, name, "%s", reason);
}

/* ---- pictures ------------------------------------------------------------------- */

/* The size of `lines` lines in the source's shape, never above the source; 4:2:0
 * wants even numbers. */
static void size_of(const struct choice *c, int lines, struct video_spec *spec) {
    const struct video_facts *video = &c->source->video;
    int across = spec->chroma == CHROMA_420 || spec->chroma == CHROMA_422 ? 2 : 1;
    int down = spec->chroma == CHROMA_420 ? 2 : 1;
    int width = video->width;
    int height = video->height;
    if (lines < c->short_side) {
        width = (int)ticks_scale(video->width, lines, (int64_t)c->short_side * across, ROUND_NEAR) *
                across;
        height = (int)ticks_scale(video->height, lines, (int64_t)c->short_side * down, ROUND_NEAR) *
                 down;
    }
    width = width < video->width ? width : video->width / across * across;
    height = height < video->height ? height : video->height / down * down;
    spec->width = width > across ? width : across;
    spec->height = height > down ? height : down;
}

/* The source's colour as 4:2:0 SDR can carry it. */
static struct colour picture_colour(const struct video_facts *video,
                                    const struct video_spec *spec) {
    struct colour colour = video->colour;
    colour.has_mastering = false; /* of no meaning for SDR */
    colour.mastering = (struct mastering_display){0};
    colour.has_light_level = false;
    colour.max_content_light = 0;
    colour.max_frame_average_light = 0;
    if (spec->chroma != CHROMA_444 && colour.matrix == 0) {
        colour.matrix = 1; /* RGB has no subsampled form: BT.709 */
    }
    if (spec->chroma != CHROMA_420) {
        colour.chroma_location = -1;
    } else if (video->chroma != CHROMA_420 ||
               (spec->codec == CODEC_AV1 && chroma_position_av1(colour.chroma_location) == 0)) {
        colour.chroma_location = 0; /* where we put it: left, H.264's default */
    }
    return colour;
}

static struct video_spec make_spec(const struct choice *c, const struct ladder_video_rung *rung,
                                   int lines) {
    const struct video_facts *video = &c->source->video;
    struct video_spec spec = {
        .codec = rung->codec,
        .chroma = rung->lossless ? video->chroma : CHROMA_420,
        .bit_depth = rung->lossless ? video->bit_depth : rung->bit_depth,
        .rate = c->source->timeline.rate,
        .deinterlace = video->scan != SCAN_PROGRESSIVE ? c->ladder->deinterlace : DEINTERLACE_NONE,
        .lossless = rung->lossless,
        .crf_hundredths = rung->crf_hundredths,
        .maxrate_bps = rung->maxrate_bps,
        .bufsize_bits = rung->bufsize_bits,
        .vbv_init_percent = rung->vbv_init_percent,
        .gop_frames = c->gop_frames,
        .threads = rung->threads,
    };
    memcpy(spec.encoder, rung->encoder, sizeof(spec.encoder));
    memcpy(spec.preset, rung->preset, sizeof(spec.preset));
    memcpy(spec.tune, rung->tune, sizeof(spec.tune));
    memcpy(spec.profile, rung->profile, sizeof(spec.profile));
    size_of(c, lines, &spec);
    spec.colour = picture_colour(video, &spec);
    spec.level = level_of(&spec);
    return spec;
}

static int64_t pixels_of(const struct video_spec *spec) {
    return (int64_t)spec->width * spec->height;
}

/* Adds the rung at `lines` lines, or drops it with a reason. */
static void add(struct choice *c, const struct ladder_video_rung *rung, int lines) {
    struct ladder_selection *out = c->out;
    struct video_spec spec = make_spec(c, rung, lines);
    char name[32];
    int short_side = spec.width < spec.height ? spec.width : spec.height;
    rung_name(name, rung->codec, short_side);
    if (spec.bit_depth > lossless_bits) {
        drop(c, name, "H.264 can't hold the source's %d bits a sample without loss",
             spec.bit_depth);
        return;
    }
    if (spec.level == 0) {
        drop(c, name, "no level of %s holds %dx%d at %.3f frames a second",
             spec.codec == CODEC_H264 ? "H.264" : "AV1", spec.width, spec.height,
             rational_value(spec.rate));
        return;
    }
    int side_min = encoder_row_of(spec.encoder)->side_min;
    if (spec.width < side_min || spec.height < side_min) {
        drop(c, name, "at %dx%d it is smaller than the encoder %s can make; its sides begin at %d",
             spec.width, spec.height, spec.encoder, side_min);
        return;
    }
    if (out->video_count > 0) {
        const struct video_spec *above = &out->video[out->video_count - 1];
        if (above->codec == spec.codec &&
            pixels_of(&spec) * 100 > pixels_of(above) * equal_percent) {
            drop(c, name, "at %dx%d it would be nearly the same as %s", spec.width, spec.height,
                 out->video_names[out->video_count - 1]);
            return;
        }
    }
    memcpy(out->video_names[out->video_count], name, sizeof(name));
    out->video[out->video_count++] = spec;
}

/* Rungs of one codec by falling height, the source's size first. */
static int by_height(const void *a, const void *b) {
    const struct ladder_video_rung *x = *(const struct ladder_video_rung *const *)a;
    const struct ladder_video_rung *y = *(const struct ladder_video_rung *const *)b;
    int x_height = x->height > 0 ? x->height : INT32_MAX;
    int y_height = y->height > 0 ? y->height : INT32_MAX;
    return x_height < y_height ? 1 : x_height > y_height ? -1 : 0;
}

static bool is_above(const struct choice *c, const struct ladder_video_rung *rung) {
    return (int64_t)rung->height * 100 > (int64_t)c->short_side * nearly_percent;
}

/* Whether `below`, the largest rung that fits, makes one at the source's size needless. */
static bool covers(const struct choice *c, const struct ladder_video_rung *below) {
    if (below == NULL) {
        return false;
    }
    int64_t lines = below->height > 0 && below->height < c->short_side ? below->height
                                                                       : c->short_side;
    return lines * lines * 100 > (int64_t)c->short_side * c->short_side * covered_percent;
}

static void select_codec(struct choice *c, enum codec_id codec) {
    const struct ladder *ladder = c->ladder;
    const struct ladder_video_rung *rungs[sizeof(ladder->video) / sizeof(ladder->video[0])];
    size_t count = 0;
    for (int i = 0; i < ladder->video_count; i++) {
        if (ladder->video[i].codec == codec) {
            rungs[count++] = &ladder->video[i];
        }
    }
    qsort(rungs, count, sizeof(rungs[0]), by_height);
    bool whole = count > 0 && rungs[0]->height == 0;
    for (size_t i = 0; i < count; i++) {
        const struct ladder_video_rung *rung = rungs[i];
        const struct ladder_video_rung *next = i + 1 < count ? rungs[i + 1] : NULL;
        if (!is_above(c, rung)) {
            add(c, rung, rung->height > 0 ? rung->height : c->short_side);
        } else if (!whole && (next == NULL || !is_above(c, next)) && !covers(c, next)) {
            add(c, rung, c->short_side);
        } else {
            char reason[128];
            snprintf(reason, sizeof(reason), "it would be larger than the source, which is %dx%d",
                     c->source->video.width, c->source->video.height);
            drop_rung(c, rung, reason);
        }
    }
}

/* ---- sound ------------------------------------------------------------------------ */

static struct audio_spec make_sound(const struct ladder_audio_rung *rung,
                                    const struct audio_facts *track) {
    bool kept = track->sample_rate == 44100 || track->sample_rate == 48000;
    struct audio_spec spec = {
        .codec = rung->codec,
        .sample_rate = kept ? track->sample_rate : 48000,
        .channels = track->channels < rung->channels ? track->channels : rung->channels,
        .bitrate_bps = rung->bitrate_bps,
    };
    spec.bitrate_bps = spec.bitrate_bps * spec.channels / rung->channels;
    memcpy(spec.encoder, rung->encoder, sizeof(spec.encoder));
    snprintf(spec.language, sizeof(spec.language), "%s",
             track->language[0] != '\0' ? track->language : "und");
    return spec;
}

static void select_sound(struct choice *c) {
    struct ladder_selection *out = c->out;
    for (int i = 0; i < c->ladder->audio_count; i++) {
        const struct ladder_audio_rung *rung = &c->ladder->audio[i];
        char name[48];
        if (c->source->audio_count == 0) {
            snprintf(name, sizeof(name), "audio-%s", codec_name(rung->codec));
            drop(c, name, "the source has no sound");
            continue;
        }
        struct audio_spec spec = make_sound(rung, &c->source->audio[0]);
        snprintf(name, sizeof(name), "audio-%s-%s-%d", spec.language, codec_name(spec.codec),
                 spec.channels);
        bool there = false;
        for (int k = 0; k < out->audio_count; k++) {
            there = there || strcmp(out->audio_names[k], name) == 0;
        }
        if (there) {
            drop(c, name, "with the source's %d channels it would be made twice",
                 c->source->audio[0].channels);
            continue;
        }
        memcpy(out->audio_names[out->audio_count], name, sizeof(name));
        out->audio[out->audio_count++] = spec;
    }
}

/* ---- all of it --------------------------------------------------------------------- */

static int check_source(const struct ladder *ladder, const struct source_document *source,
                        struct err *err) {
    if (!source->has_video || source->video.width < 1 || source->video.height < 1) {
        return err_set(err, ERR_UNSUPPORTED, "the source has no pictures to encode");
    }
    if (source->video.width < PICTURE_SIDE_MIN || source->video.height < PICTURE_SIDE_MIN) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the source's picture of %dx%d is too small to encode; sides of %d pixels "
                       "and more can be",
                       source->video.width, source->video.height, PICTURE_SIDE_MIN);
    }
    if (colour_is_hdr(&source->video.colour)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the source is HDR (%s), which ladder %s can't show rightly: it makes SDR "
                       "alone; convert the source to BT.709 first",
                       source->video.colour.transfer == 16 ? "PQ" : "HLG", ladder->name);
    }
    return 0;
}

/* The longest GOP that the title's grid will have. */
static int longest_gop(int *out, const struct ladder *ladder, const struct timeline *timeline,
                       struct err *err) {
    struct grid_options options = {
        .frames = timeline->frames,
        .rate = timeline->rate,
        .gop_ms = ladder->gop_ms,
        .segment_gops = ladder->segment_gops,
        .chunk_ms = ladder->chunk_ms,
    };
    struct grid *grid = NULL;
    int rc = grid_create(&grid, &options, err);
    if (rc == 0) {
        *out = (int)grid_longest_gop(grid);
        grid_destroy(grid);
    }
    return rc;
}

int ladder_select(struct ladder_selection *out, const struct ladder *ladder,
                  const struct source_document *source, struct err *err) {
    int rc = check_source(ladder, source, err);
    if (rc < 0) {
        return rc;
    }
    struct ladder_selection *selection = mem_zero(1, sizeof(*selection)); /* large for a stack */
    const struct video_facts *video = &source->video;
    struct choice choice = {
        .out = selection,
        .ladder = ladder,
        .source = source,
        .short_side = video->width < video->height ? video->width : video->height,
    };
    rc = longest_gop(&choice.gop_frames, ladder, &source->timeline, err);
    if (rc == 0) {
        for (int codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
            select_codec(&choice, (enum codec_id)codec);
        }
        select_sound(&choice);
        if (selection->video_count == 0) {
            rc = err_set(err, ERR_UNSUPPORTED, "ladder %s has no rung for this source: %s: %s",
                         ladder->name, selection->dropped[0].name, selection->dropped[0].reason);
        }
    }
    if (rc == 0) {
        *out = *selection;
    }
    mem_free(selection);
    return rc;
}
