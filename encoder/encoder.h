/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source bytes in, coded pictures and sound out. This library decodes untrusted
 * media: it runs in the task child alone, opens no file and no socket, and gets
 * every byte through struct source_io. It knows no farm.
 */
#ifndef ENCODER_ENCODER_H
#define ENCODER_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/grid.h"
#include "common/media.h"

/* Where source bytes come from. */
struct source_io {
    /* Reads up to `size` bytes at `offset` into `data`; returns how many (0 at the
     * end), or a negative err_code. Blocking. */
    int64_t (*read)(void *context, int64_t offset, void *data, size_t size, struct err *err);
    int64_t size; /* of the source, bytes */
    void *context;
};

/* Called now and then with work done so far; a non-zero answer cancels the work
 * (ERR_CANCELLED). `total` is 0 where unknown. */
typedef int (*progress_fn)(void *context, int64_t done, int64_t total);

/*
 * Why an encoder call failed, for those that decide about retries: a class as in
 * ARCHITECTURE section 5 travels with the sentence.
 *   ERR_CORRUPT      bad_source
 *   ERR_UNSUPPORTED  unsupported
 *   ERR_UNAVAILABLE, ERR_TIMEOUT   io
 * others are defects of ours.
 */

struct probe_options {
    int max_width;                /* of a picture; default 16384 */
    int max_height;               /* default 16384 */
    int64_t max_frames;           /* of a title; default 20 million */
    int max_streams;              /* default 128 */
    struct rational max_rate;     /* of the timeline, frames a second; default 60 */
    enum deinterlace deinterlace; /* FIELD doubles an interlaced source's rate */
    int64_t long_gop_ms; /* MP4: sync samples rarer than this cause a pass; default 16000 */
};

struct probe_options probe_options_default(void);

/*
 * Finds out what the source is: the source document with its exact frame count,
 * timeline and index of random access points (ARCHITECTURE sections 4 and 5).
 * Decodes no picture but what format detection needs. `document` is the caller's
 * zeroed struct, owned by it; untouched on failure. CORRUPT and UNSUPPORTED carry
 * a sentence for the user that does not name the source (the caller puts it in
 * front): "it has no video stream; ...".
 */
int encoder_probe(struct source_document *document, const struct source_io *io,
                  const struct probe_options *options, progress_fn progress, void *context,
                  struct err *err);

/* One coded picture or sound packet. */
struct coded_packet {
    const uint8_t *data; /* borrowed during the call; H.264: AVCC, 4-byte lengths, no
                            parameter sets, no access unit delimiter; AV1: a temporal unit's
                            OBUs with sizes, no temporal delimiter, a key picture's behind the
                            sequence header */
    size_t size;
    int64_t frame; /* video: number of the picture in the title's timeline (its time to be shown) */
    bool key;      /* IDR, or a shown key frame */
    bool disposable;  /* nothing refers to it: told of H.264 alone */
    int64_t duration; /* audio: samples */
};

/* What a track's init segment needs to know; constant in a rendition. */
struct coded_config {
    uint8_t record[512]; /* avcC, av1C or AudioSpecificConfig: the box's payload */
    size_t record_size;
    int reorder_frames; /* video: H.264's max_num_reorder_frames; 0 for AV1 */
    int priming;        /* audio: samples to skip at the start */
};

/* Where coded media go. A negative answer ends the encode with that error.
 * `rung` is the index in the task's list. */
struct coded_sink {
    /* Once for each rung, before its first packet. */
    int (*config)(void *context, int rung, const struct coded_config *config, struct err *err);
    /* In decode order. For video exactly chunk.end - chunk.first packets a rung. */
    int (*packet)(void *context, int rung, const struct coded_packet *packet, struct err *err);
    void *context;
};

struct encode_video_task {
    const struct source_document *source; /* its index may be the slice for this chunk */
    struct chunk_grid chunk;              /* borrowed lists */
    int rung_count;
    const struct video_spec *rungs;
    progress_fn progress; /* frames of the chunk encoded so far; may be NULL */
    void *progress_context;
    bool last_of_process; /* the caller ends the process next: nothing is closed, which would wait
                             for what encoders still make of the tail */
};

struct encode_stats {
    int64_t frames_decoded;   /* pictures out of the decoder */
    int64_t frames_repaired;  /* frames of this chunk that showed an older picture since theirs is
                                 missing or does not decode */
    int64_t frames_concealed; /* that show a picture which the decoder says is damaged */
    int64_t packets_read;
    double decode_cpu_s; /* CPU seconds of this process in each part */
    double scale_cpu_s;
    double encode_cpu_s;
    bool has_loudness; /* of a track of sound, as its encoder was given it */
    struct loudness loudness;
};

/* Decodes the chunk once, scales and encodes it for each rung. Fails with
 * ERR_CORRUPT where the source has no decodable picture for the chunk at all. */
int encoder_encode_video(const struct encode_video_task *task, const struct source_io *io,
                         const struct coded_sink *sink, struct encode_stats *stats,
                         struct err *err);

struct encode_audio_task {
    const struct source_document *source;
    int track; /* index in source->audio */
    struct audio_spec spec;
    progress_fn progress; /* samples */
    void *progress_context;
};

/* Encodes a whole track, from the timeline's start to its end: late, missing and
 * short sound is silence, early sound is cut, drift and gaps follow timestamps.
 * Packets of spec.sample_rate samples' time, each `duration` long (AAC: 1024);
 * enough of them to cover priming + the title's duration. */
int encoder_encode_audio(const struct encode_audio_task *task, const struct source_io *io,
                         const struct coded_sink *sink, struct encode_stats *stats,
                         struct err *err);

struct encode_images_task {
    const struct source_document *source; /* with its whole index */
    struct image_spec spec;
    progress_fn progress; /* pictures; may be NULL */
    void *progress_context;
};

/* Takes one file, borrowed during the call; a negative answer ends the work with it. */
typedef int (*image_fn)(void *context, int64_t number, const uint8_t *data, size_t size,
                        struct err *err);

/*
 * Makes a title's images, and hands each on with its number (rendition_object_name), rising: of a
 * poster 0 and 1, then the smaller ones, scaled from the largest; of a storyboard the sheets from 1
 * on. The poster is the random access point of
 * those from 10 to 40 % of the title at which there is most to see; picture i of a storyboard is
 * the one nearest to frame i x interval. So few pictures are decoded for each.
 */
int encoder_make_images(const struct encode_images_task *task, const struct source_io *io,
                        image_fn emit, void *context, struct encode_stats *stats, struct err *err);

/*
 * The build line: everything but spec and source that coded bytes depend on: a
 * hand-raised number of our media code and the versions of the codec, libavformat,
 * libavcodec, libavfilter, zimg and libc (ARCHITECTURE section 8), as one line
 * "encoder=x264 r3095 media=1 avformat=59.27.100 ...". Borrowed; NULL for an
 * encoder that this build lacks. "posters" is the one of encoder_make_images.
 */
const char *encoder_build_line(const char *encoder);

/* The rows of the codec tables: name and version of library i; NULL at the end. */
struct encoder_info {
    const char *name; /* "x264", "aac" */
    enum codec_id codec;
    const char *library; /* "libx264 0.164.3095" */
    int64_t tail_frames; /* frames past a chunk's end that it is shown, STANDARDS section 7: it
                            may take fewer, once the chunk's own packets are out */
};
const struct encoder_info *encoder_info_at(size_t index);

/*
 * For proofs: from now on this process codes as if its processor had nothing beyond the
 * architecture's baseline (x86-64: SSE2). Bytes must not change. To be called before
 * any work; the task child does so for a flag that tests give it.
 */
void encoder_use_baseline_cpu(void);

/* Names and versions of the other libraries: "libavformat 59.27.100", ...; NULL at the end. */
const char *encoder_library_at(size_t index);

#endif
