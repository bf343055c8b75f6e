/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of streams and pictures: see facts.h. */
#include "facts.h"

#include <libavutil/display.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "language.h"

enum {
    HD_LINES = 720,
    HD_WIDTH = 1280, /* a wide picture of fewer lines is an HD one without its bars */
};

/* ---- Choice ---------------------------------------------------------------- */

bool facts_is_video(const AVStream *stream) {
    return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
           (stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE |
                                   AV_DISPOSITION_TIMED_THUMBNAILS)) == 0;
}

static int64_t rank_of(const AVStream *stream) {
    const AVCodecParameters *parameters = stream->codecpar;
    int64_t rank = (int64_t)parameters->width * parameters->height;
    if (avcodec_find_decoder(parameters->codec_id) != NULL) {
        rank += INT64_C(1) << 61;
    }
    if ((stream->disposition & AV_DISPOSITION_DEFAULT) != 0) {
        rank += INT64_C(1) << 60;
    }
    return rank;
}

int facts_choose_video(const AVFormatContext *format) {
    int chosen = -1;
    int64_t best = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        if (facts_is_video(format->streams[i]) && rank_of(format->streams[i]) > best) {
            best = rank_of(format->streams[i]);
            chosen = (int)i;
        }
    }
    return chosen;
}

/* ---- Geometry -------------------------------------------------------------- */

static const void *stream_side_data(const AVStream *stream, enum AVPacketSideDataType type,
                                    size_t size) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData *data = av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, type);
    return data != NULL && data->size >= size ? data->data : NULL;
#else
    size_t found = 0;
    const uint8_t *data = av_stream_get_side_data(stream, type, &found);
    return data != NULL && found >= size ? data : NULL;
#endif
}

static const void *frame_side_data(const AVFrame *frame, enum AVFrameSideDataType type,
                                   size_t size) {
    const AVFrameSideData *data = av_frame_get_side_data(frame, type);
    return data != NULL && data->size >= size ? data->data : NULL;
}

/* ISO/IEC 14496-12 8.3.2: rows (a b u) and (c d v) say where the picture's axes go; y
 * grows downwards. */
static void set_orientation(struct video_facts *facts, const int32_t *matrix) {
    facts->rotation = 0;
    facts->mirrored = false;
    if (matrix == NULL) {
        return;
    }
    double a = matrix[0];
    double b = matrix[1];
    double c = matrix[3];
    double d = matrix[4];
    double area = a * d - b * c;
    if (area == 0) {
        return; /* it shows nothing; nobody means that */
    }
    if (area < 0) {
        facts->mirrored = true;
        a = -a;
        b = -b;
    }
    int quarter = (int)lround(atan2(b, a) * 2 / 3.14159265358979323846);
    facts->rotation = ((quarter + 4) % 4) * 90;
}

static void set_geometry(struct video_facts *facts, const AVFormatContext *format, AVStream *stream,
                         const AVFrame *picture) {
    facts->coded_width = picture->width;
    facts->coded_height = picture->height;
    AVRational sar =
        av_guess_sample_aspect_ratio((AVFormatContext *)format, stream, (AVFrame *)picture);
    bool sane = sar.num > 0 && sar.den > 0 && sar.num / sar.den < 16 && sar.den / sar.num < 16;
    facts->sample_aspect = sane ? rational_of(sar.num, sar.den) : (struct rational){1, 1};
    const int32_t *matrix = stream_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 36);
    if (matrix == NULL) {
        matrix = frame_side_data(picture, AV_FRAME_DATA_DISPLAYMATRIX, 36);
    }
    set_orientation(facts, matrix);
    int width = (int)ticks_scale(picture->width, facts->sample_aspect.num, facts->sample_aspect.den,
                                 ROUND_NEAR);
    width = width > 0 ? width : 1;
    bool upright = facts->rotation % 180 == 0;
    facts->width = upright ? width : picture->height;
    facts->height = upright ? picture->height : width;
}

static void set_format(struct video_facts *facts, const AVFrame *picture) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);
    if (format == NULL) {
        return;
    }
    snprintf(facts->pixel_format, sizeof(facts->pixel_format), "%s", format->name);
    facts->bit_depth = format->comp[0].depth;
    bool rgb = (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
    if (!rgb && format->nb_components < 3) {
        facts->chroma = CHROMA_400;
    } else if (rgb || format->log2_chroma_w == 0) {
        facts->chroma = CHROMA_444;
    } else {
        facts->chroma = format->log2_chroma_h == 0 ? CHROMA_422 : CHROMA_420;
    }
}

/* ---- Colour ---------------------------------------------------------------- */

/* What one known code point says about the others, ITU-T H.273. */
struct colour_family {
    int primaries;
    int transfer;
    int matrix;
};

static const struct colour_family bt709 = {1, 1, 1};
static const struct colour_family bt601_525 = {6, 6, 6};
static const struct colour_family bt601_625 = {5, 6, 5};
static const struct colour_family bt2020 = {9, 14, 9};
static const struct colour_family rgb = {1, 13, 0};

static bool is_known(int code) {
    return code != COLOUR_UNKNOWN && code != 3; /* 3 is reserved */
}

/* The family that the known fields point to; by the picture's size where none does. */
static struct colour_family family_of(const struct colour *colour, int width, int height) {
    if (is_known(colour->primaries) || is_known(colour->matrix)) {
        int matrix = colour->matrix;
        if (colour->primaries == 9 || matrix == 9 || matrix == 10) {
            return bt2020;
        }
        if (colour->primaries == 5 || matrix == 5) {
            return bt601_625;
        }
        if (colour->primaries == 6 || matrix == 6) {
            return bt601_525;
        }
        if (colour->primaries == 1 || matrix == 1) {
            return bt709;
        }
    }
    if (colour->transfer == 14 || colour->transfer == 15 || colour->transfer == 16 ||
        colour->transfer == 18) {
        return bt2020;
    }
    if (height >= HD_LINES || width >= HD_WIDTH) {
        return bt709;
    }
    /* Of the two 601s, the line count of PAL and SECAM tells the second. */
    return height == 576 || height == 288 ? bt601_625 : bt601_525;
}

static void set_light(struct colour *colour, const AVStream *stream, const AVFrame *picture) {
    const AVMasteringDisplayMetadata *mastering =
        frame_side_data(picture, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, sizeof(*mastering));
    if (mastering == NULL) {
        mastering =
            stream_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, sizeof(*mastering));
    }
    if (mastering != NULL && mastering->has_primaries && mastering->has_luminance) {
        static const int order[3] = {1, 2, 0}; /* green, blue, red of red, green, blue */
        colour->has_mastering = true;
        for (int i = 0; i < 3; i++) {
            for (int axis = 0; axis < 2; axis++) {
                colour->mastering.primaries[i][axis] =
                    (uint16_t)lround(50000 * av_q2d(mastering->display_primaries[order[i]][axis]));
            }
        }
        for (int axis = 0; axis < 2; axis++) {
            colour->mastering.white[axis] =
                (uint16_t)lround(50000 * av_q2d(mastering->white_point[axis]));
        }
        colour->mastering.max_luminance =
            (uint32_t)llround(10000 * av_q2d(mastering->max_luminance));
        colour->mastering.min_luminance =
            (uint32_t)llround(10000 * av_q2d(mastering->min_luminance));
    }
    const AVContentLightMetadata *light =
        frame_side_data(picture, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, sizeof(*light));
    if (light == NULL) {
        light = stream_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, sizeof(*light));
    }
    if (light != NULL) {
        colour->has_light_level = true;
        colour->max_content_light = (uint16_t)light->MaxCLL;
        colour->max_frame_average_light = (uint16_t)light->MaxFALL;
    }
}

/* The decoded picture carries what the bitstream says, and the container's word for
 * what it leaves open. */
static void set_colour(struct video_facts *facts, const AVStream *stream, const AVFrame *picture) {
    struct colour *colour = &facts->colour;
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);
    bool is_rgb = format != NULL && (format->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    bool old_full = strncmp(facts->pixel_format, "yuvj", 4) == 0;
    *colour = (struct colour){
        .primaries = picture->color_primaries,
        .transfer = picture->color_trc,
        .matrix = picture->colorspace,
        .full_range = is_rgb || old_full || picture->color_range == AVCOL_RANGE_JPEG,
        .chroma_location = picture->chroma_location != AVCHROMA_LOC_UNSPECIFIED
                               ? (int)picture->chroma_location - 1
                               : -1,
    };
    bool matrix_unknown = !is_known(colour->matrix) || (colour->matrix == 0 && !is_rgb);
    if (matrix_unknown) {
        colour->matrix = COLOUR_UNKNOWN;
    }
    struct colour_family family =
        is_rgb ? rgb : family_of(colour, facts->coded_width, facts->coded_height);
    facts->colour_assumed = matrix_unknown || !is_known(colour->primaries) ||
                            !is_known(colour->transfer) || colour->primaries == 0 ||
                            colour->transfer == 0;
    if (!is_known(colour->primaries) || colour->primaries == 0) {
        colour->primaries = family.primaries;
    }
    if (!is_known(colour->transfer) || colour->transfer == 0) {
        colour->transfer = family.transfer;
    }
    if (matrix_unknown) {
        colour->matrix = family.matrix;
    }
    set_light(colour, stream, picture);
}

/* ---- Public ---------------------------------------------------------------- */

bool facts_is_interlaced(const AVFrame *picture, bool *top_first) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    *top_first = (picture->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
    return (picture->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    *top_first = picture->top_field_first != 0;
    return picture->interlaced_frame != 0;
#endif
}

void facts_of_picture(struct video_facts *facts, const AVFormatContext *format, AVStream *stream,
                      const AVFrame *picture, bool interlaced, bool top_first) {
    snprintf(facts->codec, sizeof(facts->codec), "%s",
             avcodec_get_name(stream->codecpar->codec_id));
    facts->time_base = rational_of(stream->time_base.num, stream->time_base.den);
    facts->scan = !interlaced ? SCAN_PROGRESSIVE : top_first ? SCAN_TOP_FIRST : SCAN_BOTTOM_FIRST;
    set_geometry(facts, format, stream, picture);
    set_format(facts, picture);
    set_colour(facts, stream, picture);
}

void facts_language(char language[MAX_LANGUAGE], const AVStream *stream) {
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "language", NULL, 0);
    language_tag(language, tag != NULL ? tag->value : "");
}

void facts_of_sound(struct audio_facts *facts, const AVStream *stream) {
    const AVCodecParameters *parameters = stream->codecpar;
    struct rational tick = rational_of(stream->time_base.num, stream->time_base.den);
    *facts = (struct audio_facts){
        .stream = stream->index,
        .sample_rate = parameters->sample_rate,
        .channels = parameters->ch_layout.nb_channels,
        .start = {0, 1},
        .duration = {0, 1},
    };
    snprintf(facts->codec, sizeof(facts->codec), "%s", avcodec_get_name(parameters->codec_id));
    if (av_channel_layout_describe(&parameters->ch_layout, facts->layout, sizeof(facts->layout)) <
        0) {
        facts->layout[0] = '\0';
    }
    facts_language(facts->language, stream);
    int64_t most = INT64_MAX / (tick.num > 0 ? tick.num : 1);
    if (stream->start_time != AV_NOPTS_VALUE && stream->start_time < most &&
        stream->start_time > -most) {
        facts->start = rational_of(stream->start_time * tick.num, tick.den);
    }
    if (stream->duration > 0 && stream->duration < most) {
        facts->duration = rational_of(stream->duration * tick.num, tick.den);
    }
}
