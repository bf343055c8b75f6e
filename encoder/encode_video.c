/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One chunk into all its rungs: each picture is decoded once and made upright once,
 * then scaled and encoded for one rung after another. Before the chunk's own frames
 * encoders are shown its lead, if they want one, and after them its tail, until their last
 * own packet is out.
 */
#include <libavutil/frame.h>

#include "common/mem.h"
#include "cpu.h"
#include "encoder/encoder.h"
#include "picture.h"
#include "source.h"
#include "upright.h"
#include "video.h"

enum { RUNGS_MAX = 64 };

struct rung {
    int index;
    int64_t start;                 /* first frame that it is shown: that of its lead */
    struct video_encoder *encoder; /* owned */
    struct image_format wanted;
    bool lossless;
    struct image_format made_from; /* that `picture` converts */
    struct picture *picture;       /* owned; NULL while the source's format is the wanted one */
    struct image image;            /* the last frame as the encoder read it */
    int64_t packets;               /* handed on */
    size_t packet_gop;             /* index in chunk.gops of the next key packet */
    struct chunk_encode *encode;
};

struct chunk_encode {
    const struct encode_video_task *task;
    const struct coded_sink *sink;
    struct picture_source *source; /* owned */
    struct upright *upright;       /* owned */
    int64_t own_frames;
    int64_t start;   /* first frame that any rung is shown */
    size_t next_gop; /* index in chunk.gops of the next GOP that starts */
    int rungs_busy;  /* that still wait for packets of their own */
    struct rung *rungs;
    struct picture_source_stats lead; /* before the chunk's first frame */
    struct picture_source_stats own;  /* up to the last frame before the tail */
    double scale_cpu_s;
    double encode_cpu_s; /* less that of the encoders' own threads */
};

/* Hands on the chunk's own packets, which come before the tail's since the tail begins
 * with an IDR, and no others. */
static int take_packet(void *context, const struct coded_packet *packet, struct err *err) {
    struct rung *rung = context;
    struct chunk_encode *encode = rung->encode;
    const struct chunk_grid *chunk = &encode->task->chunk;
    if (rung->packets == encode->own_frames) {
        return 1;
    }
    if (packet->frame >= rung->start && packet->frame < chunk->first) {
        return 0;
    }
    bool starts_gop = rung->packet_gop < chunk->gop_count &&
                      packet->frame == chunk->gops[rung->packet_gop];
    if (packet->frame < chunk->first || packet->frame >= chunk->end || packet->key != starts_gop) {
        return err_set(err, ERR_INTERNAL, "the encoder left the grid at frame %lld",
                       (long long)packet->frame);
    }
    rung->packet_gop += starts_gop;
    int rc = 0;
    if (rung->packets == 0) {
        rc = encode->sink->config(encode->sink->context, rung->index,
                                  video_encoder_config(rung->encoder), err);
    }
    if (rc < 0) {
        return rc;
    }
    rc = encode->sink->packet(encode->sink->context, rung->index, packet, err);
    if (rc < 0) {
        return rc;
    }
    if (++rung->packets < encode->own_frames) {
        return 0;
    }
    encode->rungs_busy--;
    return 1;
}

static int check_task(const struct encode_video_task *task, struct err *err) {
    const struct chunk_grid *chunk = &task->chunk;
    bool good = task->rung_count > 0 && task->rung_count <= RUNGS_MAX && chunk->first >= 0 &&
                chunk->first < chunk->end && chunk->tail >= 0 && chunk->gop_count > 0 &&
                chunk->gops[0] == chunk->first && chunk->gops[chunk->gop_count] == chunk->end;
    for (size_t i = 0; good && i < chunk->gop_count; i++) {
        good = chunk->gops[i] < chunk->gops[i + 1] &&
               chunk->gops[i + 1] - chunk->gops[i] <= INT32_MAX / 2;
    }
    for (int i = 1; good && i < task->rung_count; i++) {
        good = task->rungs[i].deinterlace == task->rungs[0].deinterlace;
    }
    if (!good) {
        return err_set(err, ERR_INVALID, "the task's chunk or its list of rungs makes no sense");
    }
    return 0;
}

static int longest_gop(const struct chunk_grid *chunk) {
    int64_t longest = 0;
    for (size_t i = 0; i < chunk->gop_count; i++) {
        int64_t length = chunk->gops[i + 1] - chunk->gops[i];
        longest = length > longest ? length : longest;
    }
    return (int)longest;
}

static int open_all(struct chunk_encode *encode, const struct source_io *io, struct err *err) {
    const struct encode_video_task *task = encode->task;
    encode->rungs = mem_zero((size_t)task->rung_count, sizeof(*encode->rungs));
    for (int i = 0; i < task->rung_count; i++) {
        video_encoder_prepare(&task->rungs[i]);
    }
    for (int i = 0; i < task->rung_count; i++) {
        struct rung *rung = &encode->rungs[i];
        rung->index = i;
        rung->encode = encode;
        rung->wanted = image_format_of_spec(&task->rungs[i]);
        rung->lossless = task->rungs[i].lossless;
        const struct video_options options = {&task->rungs[i], longest_gop(&task->chunk)};
        double before = cpu_seconds();
        int rc = video_encoder_open(&rung->encoder, &options, err);
        encode->encode_cpu_s += cpu_seconds() - before;
        if (rc < 0) {
            return rc;
        }
        int64_t lead = video_encoder_lead(rung->encoder);
        rung->start = task->chunk.first > lead ? task->chunk.first - lead : 0;
        encode->start = rung->start < encode->start ? rung->start : encode->start;
    }
    encode->upright = upright_create(&task->source->video);
    const struct picture_source_options options = {
        .document = task->source,
        .io = io,
        .first = encode->start,
        .end = task->chunk.end + task->chunk.tail,
        .deinterlace = task->rungs[0].deinterlace,
    };
    return picture_source_open(&encode->source, &options, err);
}

static void close_all(struct chunk_encode *encode) {
    for (int i = 0; encode->rungs != NULL && i < encode->task->rung_count; i++) {
        video_encoder_close(encode->rungs[i].encoder);
        picture_destroy(encode->rungs[i].picture);
    }
    mem_free(encode->rungs);
    upright_destroy(encode->upright);
    picture_source_close(encode->source);
}

/* The source's image in the rung's format; it stays until the next one that is not the
 * same. */
static int scale(struct rung *rung, const struct image_format *format, const struct image *image,
                 bool same, struct err *err) {
    struct image_format wanted = rung->wanted;
    if (rung->lossless) { /* samples are kept, wherever turning has put their chroma */
        wanted.colour.chroma_location = format->colour.chroma_location;
    }
    if (image_format_equal(format, &wanted)) {
        rung->image = *image;
        return 0;
    }
    if (same) {
        return 0;
    }
    if (rung->picture == NULL || !image_format_equal(format, &rung->made_from)) {
        picture_destroy(rung->picture);
        rung->picture = NULL;
        int rc = picture_create(&rung->picture, format, &rung->wanted, err);
        if (rc < 0) {
            return rc;
        }
        rung->made_from = *format;
    }
    return picture_convert(rung->picture, image, &rung->image, err);
}

/* Scales and encodes frame number `frame` for every rung. */
static int encode_frame(struct chunk_encode *encode, int64_t frame, const AVFrame *decoded,
                        bool same, struct err *err) {
    const struct chunk_grid *chunk = &encode->task->chunk;
    bool key = encode->next_gop <= chunk->gop_count && chunk->gops[encode->next_gop] == frame;
    encode->next_gop += key;
    double before = cpu_seconds();
    const struct image_format *format;
    struct image image;
    int rc = upright_convert(encode->upright, decoded, same, &format, &image, err);
    if (rc < 0) {
        return rc;
    }
    for (int i = 0; i < encode->task->rung_count; i++) {
        struct rung *rung = &encode->rungs[i];
        if (rung->packets == encode->own_frames || frame < rung->start) {
            continue;
        }
        rc = scale(rung, format, &image, same && frame > rung->start, err);
        if (rc < 0) {
            return rc;
        }
        double scaled = cpu_seconds();
        struct video_picture picture = {.frame = frame, .key = key || frame == rung->start};
        for (int p = 0; p < 3; p++) {
            picture.plane[p] = rung->image.plane[p];
            picture.stride[p] = rung->image.stride[p];
        }
        rc = video_encoder_encode(rung->encoder, &picture, take_packet, rung, err);
        if (rc < 0) {
            return rc;
        }
        double encoded = cpu_seconds();
        encode->scale_cpu_s += scaled - before;
        encode->encode_cpu_s += encoded - scaled;
        before = encoded;
    }
    return 0;
}

static int flush_rungs(struct chunk_encode *encode, struct err *err) {
    double before = cpu_seconds();
    for (int i = 0; i < encode->task->rung_count; i++) {
        struct rung *rung = &encode->rungs[i];
        if (rung->packets == encode->own_frames) {
            continue;
        }
        int rc = video_encoder_flush(rung->encoder, take_packet, rung, err);
        if (rc < 0) {
            return rc;
        }
        if (rung->packets < encode->own_frames) {
            return err_set(err, ERR_INTERNAL, "the encoder gave %lld packets for %lld frames",
                           (long long)rung->packets, (long long)encode->own_frames);
        }
    }
    encode->encode_cpu_s += cpu_seconds() - before;
    return 0;
}

static int report_progress(const struct chunk_encode *encode, int64_t frames, struct err *err) {
    const struct encode_video_task *task = encode->task;
    int64_t done = frames < 0 ? 0 : frames < encode->own_frames ? frames : encode->own_frames;
    if (task->progress != NULL &&
        task->progress(task->progress_context, done, encode->own_frames) != 0) {
        return err_set(err, ERR_CANCELLED, "encoding was cancelled");
    }
    return 0;
}

static int encode_all(struct chunk_encode *encode, struct err *err) {
    const struct chunk_grid *chunk = &encode->task->chunk;
    int64_t frame = encode->start;
    encode->rungs_busy = encode->task->rung_count;
    while (encode->rungs_busy > 0) {
        const AVFrame *picture;
        bool same = false;
        int rc = picture_source_next(encode->source, &picture, &same, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            if (frame < chunk->end) {
                return err_set(err, ERR_INTERNAL, "the source ended at frame %lld of %lld",
                               (long long)frame, (long long)chunk->end);
            }
            return flush_rungs(encode, err);
        }
        if (frame < chunk->end) {
            encode->own = picture_source_stats(encode->source);
        }
        if (frame < chunk->first) {
            encode->lead = encode->own;
        }
        rc = encode_frame(encode, frame, picture, same && frame > encode->start, err);
        if (rc < 0) {
            return rc;
        }
        frame++;
        rc = report_progress(encode, frame - chunk->first, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int encoder_encode_video(const struct encode_video_task *task, const struct source_io *io,
                         const struct coded_sink *sink, struct encode_stats *stats,
                         struct err *err) {
    int rc = check_task(task, err);
    if (rc < 0) {
        return rc;
    }
    double others = cpu_seconds_of_others();
    struct chunk_encode encode = {
        .task = task,
        .sink = sink,
        .own_frames = task->chunk.end - task->chunk.first,
        .start = task->chunk.first,
    };
    rc = open_all(&encode, io, err);
    if (rc < 0) {
        goto out;
    }
    rc = encode_all(&encode, err);
    if (rc < 0) {
        goto out;
    }
    struct picture_source_stats read = picture_source_stats(encode.source);
    *stats = (struct encode_stats){
        .frames_decoded = read.decoded,
        .frames_repaired = encode.own.repaired - encode.lead.repaired,
        .frames_concealed = encode.own.concealed - encode.lead.concealed,
        .packets_read = read.packets,
        .decode_cpu_s = read.decode_cpu_s,
        .scale_cpu_s = encode.scale_cpu_s,
        .encode_cpu_s = encode.encode_cpu_s + cpu_seconds_of_others() - others,
    };
out:
    if (!task->last_of_process) {
        close_all(&encode);
    }
    return rc;
}
