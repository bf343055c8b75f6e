/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoded sound of a track, in order of time: see source.h. Samples are counted
 * from the first timestamp on, since stamps of a millisecond are coarser than samples;
 * a stamp that differs by more than its jitter starts the count anew.
 */
#include "common/mem.h"
#include "decoder.h"
#include "demux.h"
#include "source.h"

__extension__ typedef __int128 wide;

enum {
    JITTER_MS = 10, /* of timestamps against counted samples, before they are believed */
    SKIP_SIDE_DATA = 8,
};

struct sound_source {
    const struct source_document *document;
    struct demux *demux;
    AVStream *stream;
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    bool read_all;
    bool anchored;
    int64_t wrap;            /* added to stored timestamps: the pictures' turn of the clock */
    struct rational anchor;  /* seconds after the timeline's start */
    int64_t counted;         /* samples since the anchor */
    int rate;                /* of the counted samples */
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

int sound_source_open(struct sound_source **out, const struct source_document *document, int track,
                      const struct source_io *io, struct err *err) {
    if (track < 0 || (size_t)track >= document->audio_count) {
        return err_set(err, ERR_INVALID, "it has no audio track %d", track);
    }
    struct sound_source *source = mem_zero(1, sizeof(*source));
    const struct audio_facts *facts = &document->audio[track];
    const struct demux_options options = {
        .container = document->container,
        .max_streams = facts->stream + 1000,
        .stored_times = true,
    };
    source->document = document;
    source->packet = av_packet_alloc();
    source->frame = av_frame_alloc();
    int status = 0;
    if (source->packet == NULL || source->frame == NULL) {
        status = err_set(err, ERR_INTERNAL, "no memory for sound");
    } else {
        status = demux_open(&source->demux, io, &options, err);
    }
    while (status == 0 && source->demux->format->nb_streams <= (unsigned)facts->stream) {
        status = demux_read(source->demux, source->packet, err) > 0 ? 0 : ERR_CORRUPT;
        if (status == 0 && source->packet->stream_index == facts->stream) {
            break;
        }
        av_packet_unref(source->packet);
    }
    if (status == 0) {
        source->stream = source->demux->format->streams[facts->stream];
        demux_keep_stream(source->demux, facts->stream);
        status = decoder_open(&source->decoder, source->stream->codecpar,
                              source->stream->time_base, facts->codec, err);
    }
    if (status != 0) {
        err_set(err, (enum err_code)status, "its audio track %d has no packets", track + 1);
        sound_source_close(source);
        return status;
    }
    *out = source;
    return 0;
}

void sound_source_close(struct sound_source *source) {
    if (source == NULL) {
        return;
    }
    avcodec_free_context(&source->decoder);
    demux_close(source->demux);
    av_packet_free(&source->packet);
    av_frame_free(&source->frame);
    mem_free(source);
}

/* Hands the decoder its next packet, or the end. */
static int feed(struct sound_source *source, struct err *err) {
    for (;;) {
        int status = 1;
        if (source->packet->data == NULL || source->packet->stream_index != source->stream->index) {
            av_packet_unref(source->packet);
            status = demux_read(source->demux, source->packet, err);
        }
        if (status < 0) {
            return status;
        }
        if (status == 0) {
            source->read_all = true;
            avcodec_send_packet(source->decoder, NULL);
            return 0;
        }
        if (source->packet->stream_index != source->stream->index) {
            continue;
        }
        if (source->packet->pts == AV_NOPTS_VALUE) {
            source->packet->pts = source->packet->dts; /* sound is never reordered */
        }
        /* A packet that the decoder refuses leaves a gap. */
        avcodec_send_packet(source->decoder, source->packet);
        av_packet_unref(source->packet);
        return 0;
    }
}

/* Cuts samples that the container says are to be skipped; what it says of the start and
 * the end is 32 bits each, little-endian. */
static int cut_samples(AVFrame *frame) {
    const AVFrameSideData *skip = av_frame_get_side_data(frame, AV_FRAME_DATA_SKIP_SAMPLES);
    if (skip == NULL || skip->size < SKIP_SIDE_DATA) {
        return 0;
    }
    const uint8_t *data = skip->data;
    int64_t start = data[0] | data[1] << 8 | data[2] << 16 | (int64_t)data[3] << 24;
    int64_t end = data[4] | data[5] << 8 | data[6] << 16 | (int64_t)data[7] << 24;
    if (start >= frame->nb_samples) {
        start = frame->nb_samples;
    }
    if (end > frame->nb_samples - start) {
        end = frame->nb_samples - start;
    }
    int bytes = av_get_bytes_per_sample(frame->format);
    bool planar = av_sample_fmt_is_planar(frame->format) != 0;
    int channels = frame->ch_layout.nb_channels;
    int64_t offset = start * bytes * (planar ? 1 : channels);
    for (int i = 0; i < (planar ? channels : 1); i++) {
        frame->extended_data[i] += offset;
        if (frame->extended_data != frame->data && i < AV_NUM_DATA_POINTERS) {
            frame->data[i] += offset;
        }
    }
    frame->nb_samples -= (int)(start + end);
    return (int)start;
}

/* Seconds after the timeline's start of a stored timestamp, on the pictures' turn of a
 * clock that wraps. */
static struct rational time_of(struct sound_source *source, int64_t pts) {
    const AVStream *stream = source->stream;
    int bits = stream->pts_wrap_bits;
    struct rational start = source->document->timeline.start;
    struct rational tick = {stream->time_base.num, stream->time_base.den};
    if (!source->anchored && bits > 0 && bits < 63) {
        double turn = (double)(INT64_C(1) << bits) * rational_value(tick);
        double off = rational_value(start) - (double)pts * rational_value(tick);
        double turns = off / turn;
        int64_t whole = (int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5);
        source->wrap = whole * (INT64_C(1) << bits);
    }
    struct rational negative = {-start.num, start.den};
    return add(negative, (pts + source->wrap) * tick.num, tick.den);
}

/* The time of the frame's first sample, after `cut` were cut from it. */
static struct rational place(struct sound_source *source, int cut) {
    AVFrame *frame = source->frame;
    int rate = frame->sample_rate;
    bool restart = !source->anchored || rate != source->rate;
    struct rational counted = {0, 1};
    if (source->anchored) {
        counted = add(source->anchor, source->counted, source->rate);
    }
    if (frame->pts != AV_NOPTS_VALUE) {
        struct rational stamped = add(time_of(source, frame->pts), cut, rate);
        double off = rational_value(stamped) - rational_value(counted);
        if (restart || off * 1000 > JITTER_MS || off * 1000 < -JITTER_MS) {
            counted = stamped;
            restart = true;
        }
    }
    if (restart) {
        source->anchor = counted;
        source->counted = 0;
        source->rate = rate;
        source->anchored = true;
    }
    source->counted += frame->nb_samples;
    return counted;
}

int sound_source_next(struct sound_source *source, const AVFrame **samples, struct rational *start,
                      struct err *err) {
    for (;;) {
        int status = avcodec_receive_frame(source->decoder, source->frame);
        if (status == AVERROR_EOF) {
            return 0;
        }
        if (status == 0) {
            if (source->frame->sample_rate <= 0) {
                source->frame->sample_rate = source->decoder->sample_rate;
            }
            int cut = cut_samples(source->frame);
            if (source->frame->nb_samples > 0 && source->frame->sample_rate > 0) {
                *start = place(source, cut);
                *samples = source->frame;
                return 1;
            }
        } else if (source->read_all) {
            if (status == AVERROR(EAGAIN)) {
                return 0;
            }
        } else if (status == AVERROR(EAGAIN)) {
            status = feed(source, err);
            if (status < 0) {
                return status;
            }
        }
    }
}
