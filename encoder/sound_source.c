/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoded sound of a track, in order of time: see source.h. Samples are counted
 * from the first timestamp on, since stamps of a millisecond are coarser than samples,
 * and some jitter by whole packets. Where the stamps of all the frames ahead agree that
 * the count is off, the count starts anew.
 */
#include <string.h>

#include "common/mem.h"
#include "decoder.h"
#include "sound_reader.h"
#include "source.h"

__extension__ typedef __int128 wide;

enum {
    JITTER_MS = 10, /* of timestamps against counted samples */
    AHEAD = 8,      /* frames that must agree about a jump */
    SKIP_SIDE_DATA = 8,
};

/* Bytes of a stored AMR frame by the type in its first byte, 3GPP TS 26.101 and 26.201
 * with RFC 4867 5.3. */
static const uint8_t amr_nb_sizes[16] = {13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t amr_wb_sizes[16] = {18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1};

/* A decoded frame that waits for its turn. */
struct sounding {
    AVFrame *frame;
    bool stamped;
    bool restarts;         /* the first of its edit: the count begins anew */
    struct rational stamp; /* of its first sample, seconds after the timeline's start */
};

struct sound_source {
    const struct source_document *document;
    const struct audio_facts *facts;
    struct sound_reader *reader;
    AVCodecContext *decoder;
    const uint8_t *frame_sizes; /* of packets that hold several frames, of which the
                                   decoder takes one at a time; else NULL */
    AVPacket *packet;
    int split; /* bytes of the packet that were handed on */
    AVPacket *piece;
    const struct edit *edit; /* that is decoded, or NULL */
    bool draining;          /* the decoder gives the rest of that edit, before the packet goes in */
    bool restarts;          /* no frame of the edit has come yet */
    bool follows;           /* in an edit frames without a stamp follow the one before, */
    struct rational follow; /* which ends here */
    bool read_all;
    bool decoded_all;
    struct sounding ahead[AHEAD];
    int ahead_count;
    AVFrame *given;
    bool anchored;
    struct rational anchor; /* seconds after the timeline's start */
    int64_t counted;        /* samples since the anchor */
    int rate;               /* of the counted samples */
};

/* a + n/d, exact where it fits, else to a nanosecond. */
static struct rational add(struct rational a, int64_t n, int64_t d) {
    wide num = (wide)a.num * d + (wide)n * a.den;
    wide den = (wide)a.den * d;
    wide x = num < 0 ? -num : num;
    wide y = den;
    while (y != 0) {
        wide rest = x % y;
        x = y;
        y = rest;
    }
    x = x == 0 ? 1 : x;
    num /= x;
    den /= x;
    if (num <= INT64_MAX && num >= -(wide)INT64_MAX && den <= INT64_MAX) {
        return (struct rational){(int64_t)num, (int64_t)den};
    }
    double seconds = (double)num / (double)den;
    return (struct rational){(int64_t)(seconds * 1e9), 1000000000};
}

/* ---- Opening --------------------------------------------------------------- */

static int alloc_buffers(struct sound_source *source) {
    source->packet = av_packet_alloc();
    source->piece = av_packet_alloc();
    source->given = av_frame_alloc();
    bool complete = source->packet != NULL && source->piece != NULL && source->given != NULL;
    for (int i = 0; i < AHEAD; i++) {
        source->ahead[i].frame = av_frame_alloc();
        complete = complete && source->ahead[i].frame != NULL;
    }
    return complete ? 0 : ERR_INTERNAL;
}

int sound_source_open(struct sound_source **out, const struct source_document *document, int track,
                      const struct source_io *io, struct err *err) {
    if (track < 0 || (size_t)track >= document->audio_count) {
        return err_set(err, ERR_INVALID, "it has no audio track %d", track);
    }
    struct sound_source *source = mem_zero(1, sizeof(*source));
    source->document = document;
    source->facts = &document->audio[track];
    int status = alloc_buffers(source);
    if (status != 0) {
        err_set(err, ERR_INTERNAL, "out of memory for sound");
    } else {
        status = sound_reader_open(&source->reader, document, source->facts, io, err);
    }
    if (status == 0) {
        const AVStream *stream = sound_reader_stream(source->reader);
        status = decoder_open(&source->decoder, stream->codecpar, stream->time_base,
                              source->facts->codec, err);
    }
    if (status != 0) {
        sound_source_close(source);
        return status;
    }
    if (source->decoder->codec_id == AV_CODEC_ID_AMR_NB) {
        source->frame_sizes = amr_nb_sizes;
    } else if (source->decoder->codec_id == AV_CODEC_ID_AMR_WB) {
        source->frame_sizes = amr_wb_sizes;
    }
    *out = source;
    return 0;
}

void sound_source_close(struct sound_source *source) {
    if (source == NULL) {
        return;
    }
    avcodec_free_context(&source->decoder);
    sound_reader_close(source->reader);
    av_packet_free(&source->packet);
    av_packet_free(&source->piece);
    av_frame_free(&source->given);
    for (int i = 0; i < AHEAD; i++) {
        av_frame_free(&source->ahead[i].frame);
    }
    mem_free(source);
}

/* ---- Packets --------------------------------------------------------------- */

/* Makes `packet` hold bytes of the track: 1, 0 at the end. */
static int next_packet(struct sound_source *source, struct err *err) {
    while (source->packet->size == 0) {
        av_packet_unref(source->packet);
        source->split = 0;
        int status = sound_reader_next(source->reader, source->packet, err);
        if (status <= 0) {
            return status;
        }
    }
    return 1;
}

/* Hands the decoder one frame of the packet; only the first has the packet's time. */
static int send_piece(struct sound_source *source, struct err *err) {
    AVPacket *packet = source->packet;
    const uint8_t *data = packet->data + source->split;
    int size = source->frame_sizes[data[0] >> 3 & 15];
    size = size < packet->size - source->split ? size : packet->size - source->split;
    int status = av_new_packet(source->piece, size);
    if (status == 0) {
        memcpy(source->piece->data, data, (size_t)size);
        source->piece->pts = source->split == 0 ? packet->pts : AV_NOPTS_VALUE;
        status = avcodec_send_packet(source->decoder, source->piece);
        av_packet_unref(source->piece);
    }
    source->split += size;
    if (source->split >= packet->size) {
        av_packet_unref(packet);
    }
    return decoder_check(status, err);
}

/* Hands the decoder more, or the end. What it refuses leaves a gap. */
static int feed(struct sound_source *source, struct err *err) {
    int status = next_packet(source, err);
    if (status < 0) {
        return status;
    }
    if (status == 0) {
        source->read_all = true;
        status = avcodec_send_packet(source->decoder, NULL);
    } else if (source->edit != sound_reader_edit(source->reader)) {
        source->draining = true;
        status = avcodec_send_packet(source->decoder, NULL);
    } else if (source->frame_sizes != NULL) {
        return send_piece(source, err);
    } else {
        status = avcodec_send_packet(source->decoder, source->packet);
        av_packet_unref(source->packet);
    }
    return decoder_check(status, err);
}

/* ---- Times ----------------------------------------------------------------- */

/* Removes samples at the frame's start and end. */
static void cut(AVFrame *frame, int64_t start, int64_t end) {
    start = start < frame->nb_samples ? start : frame->nb_samples;
    end = end < frame->nb_samples - start ? end : frame->nb_samples - start;
    bool planar = av_sample_fmt_is_planar(frame->format) != 0;
    int channels = frame->ch_layout.nb_channels;
    int64_t offset = start * av_get_bytes_per_sample(frame->format) * (planar ? 1 : channels);
    for (int i = 0; i < (planar ? channels : 1); i++) {
        frame->extended_data[i] += offset;
        if (frame->extended_data != frame->data && i < AV_NUM_DATA_POINTERS) {
            frame->data[i] += offset;
        }
    }
    frame->nb_samples -= (int)(start + end);
}

/* Cuts what the container says is to be skipped: 32 bits for the start and for the end,
 * little-endian. Returns the samples cut at the start. */
static int64_t cut_skipped(AVFrame *frame) {
    const AVFrameSideData *skip = av_frame_get_side_data(frame, AV_FRAME_DATA_SKIP_SAMPLES);
    if (skip == NULL || skip->size < SKIP_SIDE_DATA) {
        return 0;
    }
    const uint8_t *data = skip->data;
    int64_t start = data[0] | data[1] << 8 | data[2] << 16 | (int64_t)data[3] << 24;
    int64_t end = data[4] | data[5] << 8 | data[6] << 16 | (int64_t)data[7] << 24;
    start = start < frame->nb_samples ? start : frame->nb_samples;
    cut(frame, start, end);
    return start;
}

/* Seconds after the timeline's start. */
static struct rational time_of(const struct sound_source *source, int64_t pts) {
    const AVStream *stream = sound_reader_stream(source->reader);
    struct rational start = source->document->timeline.start;
    struct rational negative = {-start.num, start.den};
    return add(negative, pts * stream->time_base.num, stream->time_base.den);
}

/* Whole samples of the frame, no more than it has. */
static int64_t to_samples(double seconds, const AVFrame *frame) {
    double samples = seconds * frame->sample_rate + 0.5;
    return samples < frame->nb_samples ? (int64_t)samples : frame->nb_samples;
}

/* Where libavformat applies an MP4's edit list it leaves what the decoder needs before the
 * sound's start in the packets. Returns the samples cut at the start. */
static int64_t cut_to_edit(struct sound_source *source, AVFrame *frame, struct rational stamp) {
    if (!source->document->container || strcmp(source->document->container, "mov,mp4") != 0) {
        return 0;
    }
    struct rational start = source->document->timeline.start;
    struct rational begin = add(source->facts->start, -start.num, start.den);
    double late = 0;
    if (source->edit != NULL) {
        const struct edit *edit = source->edit;
        begin = time_of(source, edit->start + edit->shift);
        late = rational_value(stamp) - rational_value(time_of(source, edit->end + edit->shift));
    }
    double early = rational_value(begin) - rational_value(stamp);
    int64_t before = early > 0 ? to_samples(early, frame) : 0;
    late += (double)frame->nb_samples / frame->sample_rate;
    cut(frame, before, source->edit != NULL && late > 0 ? to_samples(late, frame) : 0);
    return before;
}

/* Decodes one more frame into the queue, if it has samples to give. */
static void enqueue(struct sound_source *source) {
    struct sounding *sounding = &source->ahead[source->ahead_count];
    AVFrame *frame = sounding->frame;
    if (frame->sample_rate <= 0) {
        frame->sample_rate = source->decoder->sample_rate;
    }
    if (frame->sample_rate <= 0) {
        av_frame_unref(frame);
        return;
    }
    int64_t skipped = cut_skipped(frame);
    bool follows = frame->pts == AV_NOPTS_VALUE && source->follows;
    sounding->stamped = frame->pts != AV_NOPTS_VALUE || follows;
    if (sounding->stamped) {
        struct rational time = follows ? source->follow : time_of(source, frame->pts);
        sounding->stamp = add(time, skipped, frame->sample_rate);
        source->follow = add(sounding->stamp, frame->nb_samples, frame->sample_rate);
        source->follows = source->edit != NULL;
        int64_t early = cut_to_edit(source, frame, sounding->stamp);
        sounding->stamp = add(sounding->stamp, early, frame->sample_rate);
    }
    if (frame->nb_samples <= 0) {
        av_frame_unref(frame);
        return;
    }
    sounding->restarts = source->restarts;
    source->restarts = false;
    source->ahead_count++;
}

static int fill_ahead(struct sound_source *source, struct err *err) {
    while (source->ahead_count < AHEAD && !source->decoded_all) {
        int status =
            avcodec_receive_frame(source->decoder, source->ahead[source->ahead_count].frame);
        if (status == 0) {
            enqueue(source);
        } else if (status == AVERROR_EOF && source->draining) {
            avcodec_flush_buffers(source->decoder);
            source->edit = sound_reader_edit(source->reader);
            source->draining = false;
            source->follows = false;
            source->restarts = true;
            status = 0;
        } else if (status == AVERROR_EOF || (source->read_all && status == AVERROR(EAGAIN))) {
            source->decoded_all = true;
            status = 0;
        } else if (status == AVERROR(EAGAIN)) {
            status = feed(source, err);
        } else {
            status = decoder_check(status, err);
        }
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* Whether the stamps of all frames ahead differ from the count, to the same side. */
static bool has_jumped(const struct sound_source *source, struct rational counted) {
    double expected = rational_value(counted);
    int side = 0;
    for (int i = 0; i < source->ahead_count; i++) {
        const struct sounding *sounding = &source->ahead[i];
        if (sounding->stamped) {
            double off_ms = (rational_value(sounding->stamp) - expected) * 1000;
            int this_side = off_ms > JITTER_MS ? 1 : off_ms < -JITTER_MS ? -1 : 0;
            if (this_side == 0 || (side != 0 && this_side != side)) {
                return false;
            }
            side = this_side;
        }
        expected += (double)sounding->frame->nb_samples / sounding->frame->sample_rate;
    }
    return side != 0;
}

/* The time of the first frame in the queue. */
static struct rational place(struct sound_source *source) {
    const struct sounding *first = &source->ahead[0];
    int rate = first->frame->sample_rate;
    struct rational time = {0, 1};
    if (source->anchored) {
        time = add(source->anchor, source->counted, source->rate);
    }
    bool jumped = first->stamped &&
                  (!source->anchored || first->restarts || has_jumped(source, time));
    if (jumped) {
        time = first->stamp;
    }
    if (jumped || rate != source->rate) {
        source->anchor = time;
        source->counted = 0;
        source->rate = rate;
        source->anchored = source->anchored || first->stamped;
    }
    source->counted += first->frame->nb_samples;
    return time;
}

int sound_source_next(struct sound_source *source, const AVFrame **samples, struct rational *start,
                      struct err *err) {
    av_frame_unref(source->given);
    int status = fill_ahead(source, err);
    if (status < 0) {
        return status;
    }
    if (source->ahead_count == 0) {
        return 0;
    }
    *start = place(source);
    AVFrame *frame = source->ahead[0].frame;
    source->ahead_count--;
    memmove(source->ahead, source->ahead + 1,
            (size_t)source->ahead_count * sizeof(source->ahead[0]));
    source->ahead[source->ahead_count].frame = source->given;
    source->given = frame;
    *samples = frame;
    return 1;
}
