/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ladders: YAML files that say which renditions a title gets. Load, check, and
 * select the rungs that fit a source. The built-in ladders are the YAML files of
 * this folder, compiled in.
 */
#ifndef LADDERS_LADDERS_H
#define LADDERS_LADDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/json.h"
#include "common/media.h"

struct ladder_video_rung {
    int height; /* the short side in pixels ("720p"); 0: the source's size */
    enum codec_id codec;
    char encoder[16];
    char preset[16];
    char tune[16];
    char profile[16];
    int crf_hundredths;
    int64_t maxrate_bps; /* 0: no cap */
    int64_t bufsize_bits;
    int vbv_init_percent;
    int bit_depth; /* 8 or 10; of no meaning where lossless is true */
    int threads;
    bool lossless;
};

struct ladder_audio_rung {
    enum codec_id codec;
    char encoder[16];
    int channels; /* at most; a mono source stays mono */
    int64_t bitrate_bps;
};

enum { LADDER_WAIVE_MAX = 16 };

struct ladder {
    char name[64];
    char description[256];
    int gop_ms;
    int segment_gops;
    int chunk_ms;
    struct rational max_rate;
    enum deinterlace deinterlace;
    bool images; /* a poster and a storyboard */
    int waive_count;
    char waive[LADDER_WAIVE_MAX][32]; /* ids of advice that `verify` need not give on its titles */
    int video_count;
    struct ladder_video_rung video[32];
    int audio_count;
    struct ladder_audio_rung audio[8];
};

/* Names of the built-in ladders; NULL at the end. */
const char *ladder_builtin_at(size_t index);

/* The YAML text of a built-in ladder, borrowed; NULL for an unknown name. */
const char *ladder_builtin_text(const char *name);

/* Reads YAML text. `where` names it in messages, which name file, line, field and
 * what is allowed; the ladder is called by its last part ("dir/mine.yaml": "mine"). */
int ladder_parse(struct ladder *out, const char *where, const void *text, size_t size,
                 struct err *err);

/* A built-in name, or else a path to a YAML file of at most 64 KiB. */
int ladder_load(struct ladder *out, const char *name_or_path, struct err *err);

/* To and from JSON, normalised: every field written, in one order. */
void ladder_write(const struct ladder *ladder, struct writer *w, const char *name);
int ladder_read(struct ladder *out, struct reader *r, struct err *err);

struct dropped_rung {
    char name[32];    /* "h264-1080p" */
    char reason[192]; /* a sentence */
};

/* What a source gets. */
struct ladder_selection {
    int video_count;
    struct video_spec video[32]; /* falling height */
    char video_names[32][32];    /* "h264-720p" */
    int audio_count;
    struct audio_spec audio[8];
    char audio_names[8][48]; /* "audio-und-aac-2" */
    int dropped_count;
    struct dropped_rung dropped[40];
};

/*
 * Which rungs this source gets: never larger than the source; the next rung above
 * it is made at its size unless the one below has nearly its pixels, so there is
 * always one. Sizes are upright, square pixels, rounded to even. Levels are the
 * lowest that hold size, rate, and for H.264 four reference pictures and the cap
 * (H.264 table A-1, AV1 annex A.3).
 * The rules in full are in README.md. UNSUPPORTED for a source that this ladder
 * can't serve (HDR today), with a sentence that does not name the source.
 */
int ladder_select(struct ladder_selection *out, const struct ladder *ladder,
                  const struct source_document *source, struct err *err);

#endif
