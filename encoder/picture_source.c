/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of each frame of a chunk: see source.h. Reads from the last exact
 * random access point to the last packet that the chunk needs, decodes, drops what is
 * not exact, and lays the pictures on the timeline by their timestamps alone.
 *
 * A picture that the decoder conceals is shown as it comes: it is nearer to the truth
 * than the one before. Only what it does not give at all counts as missing.
 */
#include <string.h>

#include "common/mem.h"
#include "cpu.h"
#include "decoder.h"
#include "deinterlace.h"
#include "reader.h"
#include "source.h"
#include "timeline.h"

enum {
    NEIGHBOURS = 3,      /* pictures before a chunk that the deinterlacer is shown */
    MAX_RECOVERY = 1000, /* packets until a recovery point is reached */
};

struct waiting_packet {
    AVPacket *packet;
    bool restarts; /* see reader_item */
    struct waiting_packet *next;
};

struct packet_queue {
    struct waiting_packet *first;
    struct waiting_packet *last;
};

struct picture_source {
    struct picture_source_options options;
    const struct source_document *document;
    struct frame_clock clock;
    struct frame_clock half_clock; /* of half ticks, for the deinterlacer's times */
    size_t access;                 /* index of the random access point in use */
    struct reader *reader;
    AVCodecContext *decoder;
    struct deinterlacer *deinterlacer; /* NULL where pictures are progressive */
    bool feeding;                      /* the deinterlacer has been given its first picture */
    AVFrame *run_in[NEIGHBOURS];       /* the newest pictures before that */
    int run_in_count;
    int64_t exact_pts;         /* pictures before this time are not exact */
    int64_t decode_end;        /* packets of pictures from this frame on are not needed */
    struct packet_queue ready; /* to be decoded */
    struct packet_queue held;  /* past the end, but a needed one may follow and refer to them */
    AVPacket *after_drain;     /* the first of another edit: goes in when all is out; or NULL */
    int past;                  /* pictures past the end seen so far */
    bool read_all;
    bool decoded_all;
    AVFrame *scratch;
    AVFrame *current; /* on screen */
    AVFrame *next;    /* after it */
    bool has_current;
    bool has_next;
    int64_t current_slot;
    int64_t next_slot;
    int64_t frame; /* to be given next */
    bool current_was_given;
    bool next_was_given; /* it stood in for a picture that is not there */
    uint8_t *expected;   /* bits: frames of the chunk that the packets promise a picture for */
    struct picture_source_stats stats;
};

/* ---- Queues --------------------------------------------------------------- */

static void queue_push(struct packet_queue *queue, AVPacket *packet, bool restarts) {
    struct waiting_packet *waiting = mem_zero(1, sizeof(*waiting));
    waiting->packet = packet;
    waiting->restarts = restarts;
    if (queue->last == NULL) {
        queue->first = waiting;
    } else {
        queue->last->next = waiting;
    }
    queue->last = waiting;
}

/* The first packet, owned by the caller; NULL from an empty queue. */
static AVPacket *queue_pop(struct packet_queue *queue, bool *restarts) {
    struct waiting_packet *first = queue->first;
    if (first == NULL) {
        return NULL;
    }
    AVPacket *packet = first->packet;
    *restarts = first->restarts;
    queue->first = first->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    mem_free(first);
    return packet;
}

static void queue_clear(struct packet_queue *queue) {
    AVPacket *packet = NULL;
    bool restarts = false;
    while ((packet = queue_pop(queue, &restarts)) != NULL) {
        av_packet_free(&packet);
    }
}

/* ---- Packets -------------------------------------------------------------- */

static void expect(struct picture_source *source, int64_t slot) {
    int64_t bit = slot - source->options.first;
    if (bit >= 0 && slot < source->options.end) {
        source->expected[bit / 8] |= (uint8_t)(1 << bit % 8);
    }
}

static bool is_expected(const struct picture_source *source, int64_t frame) {
    int64_t bit = frame - source->options.first;
    return (source->expected[bit / 8] >> bit % 8 & 1) != 0;
}

/* Sorts a packet into `ready` or `held`. */
static int admit(struct picture_source *source, const struct reader_item *item, struct err *err) {
    AVPacket *packet = av_packet_alloc();
    if (packet == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for a packet");
    }
    int64_t slot = 0;
    bool past = source->held.first != NULL; /* a second field goes with the first */
    if (item->picture) {
        slot = frame_clock_slot(&source->clock, item->packet->pts);
        past = slot >= source->decode_end;
        source->past += past;
    }
    if (item->shown) {
        expect(source, slot);
    }
    source->stats.packets++;
    av_packet_move_ref(packet, item->packet);
    if (!past) {
        AVPacket *before = NULL;
        bool restarts = false;
        while ((before = queue_pop(&source->held, &restarts)) != NULL) {
            queue_push(&source->ready, before, restarts);
        }
    }
    queue_push(past ? &source->held : &source->ready, packet, item->restarts);
    bool beyond = item->floor != AV_NOPTS_VALUE &&
                  frame_clock_slot(&source->clock, item->floor) >= source->decode_end;
    if (past && (beyond || source->past > decoder_reorder_limit(source->decoder))) {
        source->read_all = true;
    }
    return 0;
}

/* The next packet to decode, owned by the caller: 1, 0 where none is needed any more.
 * `*restarts`: the decoder must first give all it has, and forget it. */
static int next_packet(struct picture_source *source, AVPacket **out, bool *restarts,
                       struct err *err) {
    *restarts = false;
    for (;;) {
        *out = queue_pop(&source->ready, restarts);
        if (*out != NULL) {
            return 1;
        }
        if (source->read_all) {
            return 0;
        }
        struct reader_item item;
        int status = reader_next(source->reader, &item, err);
        if (status < 0) {
            return status;
        }
        if (status == 0) {
            source->read_all = true;
        } else {
            status = admit(source, &item, err);
            if (status < 0) {
                return status;
            }
        }
    }
}

/* ---- Decoding -------------------------------------------------------------- */

/* Hands the decoder the next packet, or the end. What it refuses is a missing picture. */
static int feed_decoder(struct picture_source *source, struct err *err) {
    AVPacket *packet = NULL;
    bool restarts = false;
    int status = next_packet(source, &packet, &restarts, err);
    if (status < 0) {
        return status;
    }
    if (restarts) {
        source->after_drain = packet;
        return decoder_check(avcodec_send_packet(source->decoder, NULL), err);
    }
    status = decoder_check(avcodec_send_packet(source->decoder, packet), err);
    av_packet_free(&packet);
    return status;
}

/* The next picture out of the decoder, exact or not: 1, 0 at the end. */
static int decode(struct picture_source *source, AVFrame *frame, struct err *err) {
    while (!source->decoded_all) {
        int status = avcodec_receive_frame(source->decoder, frame);
        if (status == 0) {
            source->stats.decoded++;
            return 1;
        }
        if (status == AVERROR_EOF && source->after_drain != NULL) {
            avcodec_flush_buffers(source->decoder);
            status = decoder_check(avcodec_send_packet(source->decoder, source->after_drain), err);
            av_packet_free(&source->after_drain);
        } else if (status == AVERROR_EOF) {
            source->decoded_all = true;
            status = 0;
        } else if (status == AVERROR(EAGAIN)) {
            status = feed_decoder(source, err);
        } else {
            status = decoder_check(status, err);
        }
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* As decode, and only pictures from the first exact one on. */
static int decode_exact(struct picture_source *source, AVFrame *frame, struct err *err) {
    for (;;) {
        int status = decode(source, frame, err);
        if (status <= 0) {
            return status;
        }
        if (frame->pts != AV_NOPTS_VALUE && frame->pts >= source->exact_pts) {
            return 1;
        }
        av_frame_unref(frame);
    }
}

/* Pictures of the run-in are kept back: just the last ones matter. */
static int feed(struct picture_source *source, AVFrame *frame, struct err *err) {
    int status = 0;
    int64_t slot = frame_clock_slot(&source->clock, frame->pts);
    if (!source->feeding && slot < source->options.first) {
        if (source->run_in_count == NEIGHBOURS) {
            AVFrame *oldest = source->run_in[0];
            memmove(source->run_in, source->run_in + 1,
                    (NEIGHBOURS - 1) * sizeof(source->run_in[0]));
            source->run_in[NEIGHBOURS - 1] = oldest;
            source->run_in_count--;
        }
        AVFrame *kept = source->run_in[source->run_in_count++];
        av_frame_unref(kept);
        av_frame_move_ref(kept, frame);
        return 0;
    }
    for (int i = 0; i < source->run_in_count && status == 0; i++) {
        status = deinterlacer_push(source->deinterlacer, source->run_in[i], err);
        av_frame_unref(source->run_in[i]);
    }
    source->run_in_count = 0;
    source->feeding = true;
    if (status == 0) {
        status = deinterlacer_push(source->deinterlacer, frame, err);
    }
    av_frame_unref(frame);
    return status;
}

static int feed_end(struct picture_source *source, struct err *err) {
    int status = 0;
    for (int i = 0; i < source->run_in_count && status == 0; i++) {
        status = deinterlacer_push(source->deinterlacer, source->run_in[i], err);
        av_frame_unref(source->run_in[i]);
    }
    source->run_in_count = 0;
    return status < 0 ? status : deinterlacer_push(source->deinterlacer, NULL, err);
}

/* The next picture and the frame whose turn it is: 1, 0 at the end. */
static int next_picture(struct picture_source *source, AVFrame *frame, int64_t *slot,
                        struct err *err) {
    if (source->deinterlacer == NULL) {
        int status = decode_exact(source, frame, err);
        if (status == 1) {
            *slot = frame_clock_slot(&source->clock, frame->pts);
        }
        return status;
    }
    for (;;) {
        int status = deinterlacer_pull(source->deinterlacer, frame, err);
        if (status != 0) {
            *slot = status == 1 ? frame_clock_slot(&source->half_clock, frame->pts) : 0;
            return status;
        }
        bool was_all = source->decoded_all;
        status = decode_exact(source, source->scratch, err);
        if (status == 1) {
            status = feed(source, source->scratch, err);
        } else if (status == 0 && !was_all) {
            status = feed_end(source, err);
        } else if (status == 0) {
            return 0;
        }
        if (status < 0) {
            return status;
        }
    }
}

/* ---- Opening --------------------------------------------------------------- */

static void close_access(struct picture_source *source) {
    reader_close(source->reader);
    source->reader = NULL;
    avcodec_free_context(&source->decoder);
    deinterlacer_destroy(source->deinterlacer);
    source->deinterlacer = NULL;
    queue_clear(&source->ready);
    queue_clear(&source->held);
    av_packet_free(&source->after_drain);
    for (int i = 0; i < NEIGHBOURS; i++) {
        av_frame_unref(source->run_in[i]);
    }
    source->run_in_count = 0;
    source->feeding = false;
    source->past = 0;
    source->read_all = false;
    source->decoded_all = false;
    source->has_current = false;
    source->has_next = false;
    source->next_was_given = false;
}

static bool is_deinterlaced(const struct picture_source *source) {
    return source->options.deinterlace != DEINTERLACE_NONE &&
           source->document->video.scan != SCAN_PROGRESSIVE;
}

/* Whether the picture at the random access point is what the index promised: 1, or 0
 * where an earlier point must be taken. */
static int check_access(struct picture_source *source, struct err *err) {
    struct reader_item item;
    int status = reader_next(source->reader, &item, err);
    if (status <= 0) {
        return status;
    }
    struct picture_look look = item.look;
    source->exact_pts = look.access == ACCESS_LEADING ? item.packet->pts : INT64_MIN;
    status = admit(source, &item, err);
    return status < 0 ? status : look.access == ACCESS_CLOSED || look.access == ACCESS_LEADING;
}

/* Opens at the source's random access point: 1, 0 where it is not exact. */
static int open_access(struct picture_source *source, struct err *err) {
    const struct source_document *document = source->document;
    const struct reader_options options = {
        .io = source->options.io,
        .container = document->container,
        .stream = document->video.stream,
        .pair_fields = document->video.scan != SCAN_PROGRESSIVE,
        .rate = document->video.source_rate,
        .access = &document->access[source->access],
    };
    close_access(source);
    int status = reader_open(&source->reader, &options, err);
    if (status != 0) {
        return status;
    }
    AVStream *stream = reader_stream(source->reader);
    status = decoder_open(&source->decoder, stream->codecpar, stream->time_base,
                          document->video.codec, err);
    if (status != 0) {
        return status;
    }
    if (is_deinterlaced(source)) {
        source->deinterlacer = deinterlacer_create(stream->time_base, source->options.deinterlace ==
                                                                          DEINTERLACE_FIELD);
    }
    return check_access(source, err);
}

/* Opens at the last random access point that is exact, looking no further than the one in
 * use: sample tables may call a picture safe that is not. */
static int open_exact(struct picture_source *source, struct err *err) {
    for (;;) {
        int status = open_access(source, err);
        if (status != 0 || source->access == 0) {
            return status < 0 ? status : 0; /* before the first nothing is better */
        }
        source->access--;
    }
}

/* Goes on until the next frame's picture, and the one after it, are known. */
static int advance(struct picture_source *source, struct err *err) {
    while (!source->has_next || source->next_slot <= source->frame) {
        if (source->has_next) {
            AVFrame *free_frame = source->current;
            av_frame_unref(free_frame);
            source->current = source->next;
            source->next = free_frame;
            source->current_slot = source->next_slot;
            source->has_current = true;
            source->has_next = false;
            source->current_was_given = source->next_was_given;
            source->next_was_given = false;
        }
        int64_t slot = 0;
        int status = next_picture(source, source->next, &slot, err);
        if (status <= 0) {
            return status;
        }
        /* After damage a decoder may give pictures too late: time never goes back. */
        source->has_next = !source->has_current || slot >= source->current_slot;
        source->next_slot = slot;
    }
    return 0;
}

/* Finds the picture of the chunk's first frame: where it is missing the one before is
 * looked for, further back if need be, and where nothing is before, the first after. */
static int find_first(struct picture_source *source, struct err *err) {
    for (;;) {
        int status = advance(source, err);
        if (status < 0 || source->has_current) {
            return status;
        }
        if (source->access > 0) {
            source->access--;
        } else if (!source->has_next && source->decode_end != INT64_MAX) {
            source->decode_end = INT64_MAX;
        } else {
            return 0;
        }
        status = open_exact(source, err);
        if (status != 0) {
            return status;
        }
    }
}

static int alloc_frames(struct picture_source *source) {
    source->scratch = av_frame_alloc();
    source->current = av_frame_alloc();
    source->next = av_frame_alloc();
    bool complete = source->scratch != NULL && source->current != NULL && source->next != NULL;
    for (int i = 0; i < NEIGHBOURS; i++) {
        source->run_in[i] = av_frame_alloc();
        complete = complete && source->run_in[i] != NULL;
    }
    int64_t frames = source->options.end - source->options.first;
    source->expected = mem_try((size_t)frames / 8 + 1);
    if (!complete || source->expected == NULL) {
        return ERR_INTERNAL;
    }
    memset(source->expected, 0, (size_t)frames / 8 + 1);
    return 0;
}

int picture_source_open(struct picture_source **out, const struct picture_source_options *options,
                        struct err *err) {
    const struct source_document *document = options->document;
    if (!document->has_video || document->access_count == 0 || options->first < 0 ||
        options->end <= options->first) {
        return err_set(err, ERR_INVALID, "frames [%lld, %lld) of a source are asked for wrongly",
                       (long long)options->first, (long long)options->end);
    }
    double before = cpu_seconds();
    struct picture_source *source = mem_zero(1, sizeof(*source));
    source->options = *options;
    source->document = document;
    source->frame = options->first;
    source->clock = frame_clock_of(&document->timeline, document->video.time_base,
                                   document->video.source_rate, document->video.variable_rate, 1);
    source->half_clock = frame_clock_of(&document->timeline, document->video.time_base,
                                        document->video.source_rate, document->video.variable_rate,
                                        2);
    int64_t target = options->first;
    source->decode_end = options->end;
    if (is_deinterlaced(source)) {
        /* At field rate a picture is two frames. */
        target -= 2 * NEIGHBOURS;
        source->decode_end += 4;
    }
    while (source->access + 1 < document->access_count &&
           document->access[source->access + 1].frame <= target) {
        source->access++;
    }
    int status = alloc_frames(source);
    if (status != 0) {
        err_set(err, ERR_INTERNAL, "out of memory for pictures");
    } else {
        status = open_exact(source, err);
    }
    if (status == 0) {
        status = find_first(source, err);
    }
    if (status != 0) {
        picture_source_close(source);
        return status;
    }
    source->stats.decode_cpu_s += cpu_seconds() - before;
    *out = source;
    return 0;
}

void picture_source_close(struct picture_source *source) {
    if (source == NULL) {
        return;
    }
    close_access(source);
    for (int i = 0; i < NEIGHBOURS; i++) {
        av_frame_free(&source->run_in[i]);
    }
    av_frame_free(&source->scratch);
    av_frame_free(&source->current);
    av_frame_free(&source->next);
    mem_free(source->expected);
    mem_free(source);
}

/* ---- Frames ---------------------------------------------------------------- */

/* Whether the frame shows an older picture since its own is missing. */
static bool is_repair(const struct picture_source *source) {
    const struct source_document *document = source->document;
    int64_t frame = source->frame;
    if (!source->has_current) {
        return frame >= document->access[0].frame; /* before it the title holds its first picture */
    }
    if (document->video.variable_rate) {
        return source->current_slot < frame && is_expected(source, frame);
    }
    /* At field rate a picture that is not interlaced stands for both of its fields. */
    int64_t held = source->options.deinterlace == DEINTERLACE_FIELD && is_deinterlaced(source);
    /* What the title's first edit cuts into may be on screen since long before. */
    int64_t since = source->current_slot > 0 ? source->current_slot : 0;
    return since < frame - held;
}

int picture_source_next(struct picture_source *source, const AVFrame **picture, bool *same,
                        struct err *err) {
    if (source->frame >= source->options.end) {
        return 0;
    }
    double before = cpu_seconds();
    int status = advance(source, err);
    source->stats.decode_cpu_s += cpu_seconds() - before;
    if (status < 0) {
        return status;
    }
    if (!source->has_current && !source->has_next) {
        return err_set(err, ERR_CORRUPT, "no picture of it can be decoded");
    }
    /* Before any picture the first that comes. */
    bool *was_given = source->has_current ? &source->current_was_given : &source->next_was_given;
    *picture = source->has_current ? source->current : source->next;
    bool repair = is_repair(source);
    source->stats.repaired += repair;
    source->stats.concealed += !repair && (*picture)->decode_error_flags != 0;
    *same = *was_given;
    *was_given = true;
    source->frame++;
    return 1;
}

struct picture_source_stats picture_source_stats(const struct picture_source *source) {
    return source->stats;
}
