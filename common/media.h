/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that all processes share about media: rationals, codecs, colour,
 * the facts of a source, and the normalised settings of what is made from it.
 * Plain data; wire.h maps it to JSON and back.
 *
 * Time. A title has one normalised timeline: frame n is shown at
 * n * rate.den / rate.num seconds from its start. Chunks, segments and GOPs are
 * ranges of frames [first, end). Video tracks have timescale rate.num and sample
 * duration rate.den, so nothing is ever rounded.
 */
#ifndef COMMON_MEDIA_H
#define COMMON_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

/* A fraction in lowest terms; den > 0. {0, 1} where unknown. */
struct rational {
    int64_t num;
    int64_t den;
};

/* num/den in lowest terms with a positive denominator; {0, 1} where den is 0. */
struct rational rational_of(int64_t num, int64_t den);

/* < 0, 0, > 0 as a is less than, equal to, more than b. Exact for 63-bit terms. */
int rational_compare(struct rational a, struct rational b);

double rational_value(struct rational r);

enum rounding { ROUND_DOWN, ROUND_NEAR, ROUND_UP };

/* value * mul / div with a 128-bit product; halves round up in ROUND_NEAR.
 * div > 0. The result must fit 63 bits. */
int64_t ticks_scale(int64_t value, int64_t mul, int64_t div, enum rounding rounding);

enum codec_id { CODEC_NONE, CODEC_H264, CODEC_AV1, CODEC_AAC, CODEC_OPUS, CODEC_COUNT };

/* "h264", "av1", "aac", "opus": as in paths and JSON. */
const char *codec_name(enum codec_id codec);
enum codec_id codec_from_name(const char *name); /* CODEC_NONE for an unknown name */
bool codec_is_video(enum codec_id codec);

/* Sides of pictures that encoders take, in pixels. */
enum { PICTURE_SIDE_MIN = 16, PICTURE_SIDE_MAX = 16384 };

enum chroma { CHROMA_400, CHROMA_420, CHROMA_422, CHROMA_444 };

enum { COLOUR_UNKNOWN = 2 }; /* ITU-T H.273 "unspecified", for each of the three */

/* Mastering display, SMPTE ST 2086, in the units of H.265's SEI: 0.00002 for
 * chromaticity, 0.0001 cd/m2 for luminance. Order: green, blue, red. */
struct mastering_display {
    uint16_t primaries[3][2];
    uint16_t white[2];
    uint32_t max_luminance;
    uint32_t min_luminance;
};

/* How sample values mean colours: ITU-T H.273 code points. */
struct colour {
    int primaries;
    int transfer;
    int matrix;
    bool full_range;
    int chroma_location; /* H.264 chroma_sample_loc_type 0..5; -1 unspecified */
    bool has_mastering;
    struct mastering_display mastering;
    bool has_light_level;
    uint16_t max_content_light;       /* MaxCLL, cd/m2 */
    uint16_t max_frame_average_light; /* MaxFALL, cd/m2 */
};

/* AV1's chroma_sample_position (6.4.2) for a chroma_location; 0, unknown, where AV1 has no
 * word for it: it knows left and top left. */
int chroma_position_av1(int chroma_location);

/* Whether the transfer function is PQ (16) or HLG (18). */
bool colour_is_hdr(const struct colour *colour);

enum scan { SCAN_PROGRESSIVE, SCAN_TOP_FIRST, SCAN_BOTTOM_FIRST };

/* The normalised timeline of a title (ARCHITECTURE section 4). */
struct timeline {
    struct rational rate;  /* frames a second */
    int64_t frames;        /* in the title; > 0 */
    struct rational start; /* source time of frame 0, in seconds on the source's own clock */
};

/* Samples of sound that cover the title: its duration in units of 1/sample_rate,
 * rounded up. */
int64_t title_audio_samples(const struct timeline *timeline, int sample_rate);

/* The video track that is encoded, as the probe found it. */
struct video_facts {
    int stream; /* index in the container */
    char codec[32];
    int coded_width; /* pixels, before rotation */
    int coded_height;
    struct rational sample_aspect; /* 1/1 where unknown */
    int rotation;                  /* clockwise degrees that make it upright: 0, 90, 180, 270 */
    bool mirrored;                 /* flipped left-right before the rotation */
    int width;                     /* upright, square pixels, exact: what a person sees */
    int height;
    char pixel_format[32]; /* libavutil's name */
    enum chroma chroma;
    int bit_depth;
    enum scan scan;
    struct colour colour;        /* after the defaults for unknown fields */
    bool colour_assumed;         /* some field was unknown and got a default */
    struct rational source_rate; /* the source's own average rate */
    bool variable_rate;
    struct rational time_base; /* of the stream's timestamps */
    int64_t bit_rate;          /* bits a second; 0 unknown */
};

enum { MAX_LANGUAGE = 16 };

struct audio_facts {
    int stream;
    char codec[32];
    int sample_rate; /* Hz */
    int channels;
    char layout[32];             /* "stereo", "5.1(side)": libavutil's name */
    char language[MAX_LANGUAGE]; /* BCP 47; "und" where unknown */
    struct rational start;    /* source time of the first sample, seconds on the source's clock */
    struct rational duration; /* seconds; {0, 1} unknown */
};

/*
 * A place from which decoding gives exact pictures. `frame` is the first frame
 * of the timeline that is exact when a decoder starts here: open-GOP leading
 * pictures and recovery points are counted in. It may be below 0 for a start
 * before frame 0.
 */
struct random_access {
    int64_t frame;
    int64_t pts;      /* of its packet, ticks on the timeline's clock */
    int64_t dts;      /* ticks as the source stores them; its pts where it has none */
    int64_t position; /* byte offset to seek to; -1 where the container seeks by time */
};

/* Bytes of a source. */
struct byte_range {
    int64_t offset;
    int64_t size;
};

enum { HEADER_RANGES_MAX = 4096, HEADER_BYTES_MAX = 8 << 20 };

/* The source document: all that later tasks and people need to know. Strings and
 * lists live in `arena`. */
struct source_document {
    struct arena arena;
    const char *container; /* "mov,mp4", "matroska", "mpegts": short name */
    int64_t size;          /* bytes */
    struct timeline timeline;
    bool has_video;
    struct video_facts video;
    size_t audio_count; /* tracks found; the first is encoded */
    struct audio_facts *audio;
    size_t left_out_count; /* sentences: tracks that are not encoded, and why */
    const char **left_out;
    size_t defect_count; /* sentences: damage found, and what is done about it */
    const char **defects;
    int64_t missing; /* frames of the timeline for which the source has no picture */
    size_t access_count;
    struct random_access *access; /* rising frames */
    int64_t access_unit_bytes;    /* bytes of the video packets, 0 unknown */
    size_t header_count;          /* 0: unknown, or too many */
    struct byte_range *header;    /* what opening the container reads, rising and apart: of an MXF
                                     a little all over the file */
};

void source_document_finish(struct source_document *document);

enum deinterlace { DEINTERLACE_NONE, DEINTERLACE_FRAME, DEINTERLACE_FIELD };

/* The normalised spec of one video rendition: with the source and the grid, all
 * that its bytes depend on. */
struct video_spec {
    enum codec_id codec;
    char encoder[16]; /* row of the encoder's table: "x264" */
    int width;        /* upright, square pixels; even for 4:2:0 */
    int height;
    enum chroma chroma;
    int bit_depth;
    struct colour colour; /* of the coded pictures, signalled everywhere */
    struct rational rate;
    enum deinterlace deinterlace;
    bool lossless;
    int crf_hundredths;  /* 2300 is crf 23 */
    int64_t maxrate_bps; /* 0: no cap */
    int64_t bufsize_bits;
    int vbv_init_percent;
    char preset[16];
    char tune[16];    /* "" for none */
    char profile[16]; /* "high", ... */
    int level;        /* level_idc: 31 is 3.1 */
    int gop_frames;   /* the longest GOP that the grid makes */
    int threads;
};

struct audio_spec {
    enum codec_id codec;
    char encoder[16];
    int sample_rate; /* Hz, of the output: also the track's timescale */
    int channels;    /* 1 or 2 */
    int64_t bitrate_bps;
    char language[MAX_LANGUAGE];
};

/* Pictures of a title to look at. */
enum image_kind {
    IMAGE_POSTER,     /* one picture in a few sizes, each as AVIF and as JPEG */
    IMAGE_STORYBOARD, /* small pictures, one every so often, tiled into JPEG sheets */
    IMAGE_KIND_COUNT
};

/* With the source, all that their bytes depend on. */
struct image_spec {
    enum image_kind kind;
    int width; /* of one picture, upright, square pixels, even; of a poster of the largest */
    int height;
    enum deinterlace deinterlace;
    int64_t interval_frames; /* storyboard: picture i stands for frames from i x this on */
    int count;               /* pictures; of a poster its sizes */
    int columns;             /* of a sheet */
    int rows;
};

enum { IMAGE_POSTER_SIZES = 3 };

/* In how many sizes a poster is made whose largest is of that width and height. */
int image_poster_sizes(int width, int height);

/* Objects but the first: sheets of a storyboard; of a poster all files but one, two of a size. */
int image_sheets(const struct image_spec *spec);

/* Width and height of the object of that number, of those that are pictures: a sheet, or a poster,
 * of which the largest goes first, then all from the smallest on. */
void image_object_size(const struct image_spec *spec, int64_t number, int *width, int *height);

/* How loud a track is: ITU-R BS.1770-4, EBU Tech 3341 and 3342. */
struct loudness {
    double integrated_lufs; /* LOUDNESS_GATE_LUFS: no 400 ms of it are louder */
    double range_lu;
    double true_peak_dbtp; /* LOUDNESS_SILENCE_DBTP: silence */
};

enum { LOUDNESS_GATE_LUFS = -70, LOUDNESS_SILENCE_DBTP = -150 };

#endif
