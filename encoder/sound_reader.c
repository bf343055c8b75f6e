/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound packets on the title's clock: see sound_reader.h. */
#include "sound_reader.h"

#include "common/mem.h"
#include "join.h"

enum {
    MAX_PARTS = 4096,   /* joined recordings in a source */
    MAX_WAITING = 2048, /* packets of sound that wait for the pictures of their part */
};

static const double run_in_s = 0.3; /* of sound before an edit, for its decoder */

struct waiting_sound {
    AVPacket *packet;
    int part;
    struct waiting_sound *next;
};

struct sound_reader {
    const struct source_document *document;
    const struct audio_facts *facts;
    struct demux *demux;
    AVStream *stream;
    AVPacket *raw;
    bool follows; /* the pictures are read too: the source may be joined from parts */
    struct join_clock join;
    int64_t shifts[MAX_PARTS]; /* of the parts that the pictures have reached */
    int parts;
    int part; /* of the newest packet of sound */
    int64_t last;
    bool started;
    struct edit_list edits;
    size_t edit;
    int64_t turn; /* added to stored times: the pictures' turn of a clock that wraps */
    struct waiting_sound *first;
    struct waiting_sound *newest;
    int waiting;
    bool ended;
};

AVStream *sound_reader_stream(const struct sound_reader *reader) {
    return reader->stream;
}

const struct edit *sound_reader_edit(const struct sound_reader *reader) {
    return reader->edits.count > 0 ? &reader->edits.edits[reader->edit] : NULL;
}

/* ---- Edits ------------------------------------------------------------------ */

static void begin_edit(struct sound_reader *reader, size_t index) {
    double ticks = run_in_s / av_q2d(reader->stream->time_base);
    reader->edit = index;
    demux_seek_time(reader->demux, reader->stream->index,
                    reader->edits.edits[index].start - (int64_t)ticks);
}

/* Puts the packet's time where its edit shows it: false where the packet belongs to none,
 * or comes after the present edit, and the next one was gone to. */
static bool apply_edit(struct sound_reader *reader, AVPacket *packet) {
    static const int64_t most = INT64_C(1) << 61;
    const struct edit *edit = sound_reader_edit(reader);
    if (edit == NULL) {
        return true;
    }
    if (packet->pts == AV_NOPTS_VALUE || packet->pts > most || packet->pts < -most) {
        return false;
    }
    if (packet->pts < edit->end) {
        packet->pts += edit->shift;
        return true;
    }
    if (reader->edit + 1 < reader->edits.count) {
        begin_edit(reader, reader->edit + 1);
    } else {
        reader->ended = true;
    }
    return false;
}

/* ---- Packets --------------------------------------------------------------- */

/* The turn of the clock on which the time is nearest to the timeline's start. */
static int64_t turn_of(const struct sound_reader *reader, int64_t time) {
    int bits = reader->stream->pts_wrap_bits;
    if (bits <= 0 || bits >= 63) {
        return 0;
    }
    double tick_s = av_q2d(reader->stream->time_base);
    double turn_s = (double)(INT64_C(1) << bits) * tick_s;
    double turns = (rational_value(reader->document->timeline.start) - (double)time * tick_s) /
                   turn_s;
    return (int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5) * (INT64_C(1) << bits);
}

/* A packet of pictures: its part may be a new one. */
static void see_picture(struct sound_reader *reader, const AVPacket *packet) {
    int joins = reader->join.joins;
    join_clock_see(&reader->join, packet->pts, packet->dts);
    if (reader->join.joins > joins && reader->parts < MAX_PARTS) {
        reader->shifts[reader->parts++] = reader->join.shift;
    }
}

/* The part that a packet of sound belongs to: the one of the pictures just read, or of
 * those that come next. */
static int part_of(struct sound_reader *reader, int64_t time) {
    if (time != AV_NOPTS_VALUE) {
        if (reader->started && reader->follows &&
            join_clock_jumps(&reader->join, reader->last, time)) {
            int newest = reader->parts - 1;
            reader->part = newest > reader->part ? newest : reader->part + 1;
        }
        if (!reader->started) {
            reader->turn = turn_of(reader, time);
        }
        reader->started = true;
        reader->last = time;
    }
    return reader->part;
}

static int enqueue(struct sound_reader *reader, struct err *err) {
    struct waiting_sound *sound = mem_zero(1, sizeof(*sound));
    sound->packet = av_packet_alloc();
    if (sound->packet == NULL) {
        mem_free(sound);
        return err_set(err, ERR_INTERNAL, "out of memory for a packet");
    }
    av_packet_move_ref(sound->packet, reader->raw);
    if (sound->packet->pts == AV_NOPTS_VALUE) {
        sound->packet->pts = sound->packet->dts; /* sound is never reordered */
    }
    sound->part = part_of(reader, sound->packet->pts);
    if (reader->newest == NULL) {
        reader->first = sound;
    } else {
        reader->newest->next = sound;
    }
    reader->newest = sound;
    reader->waiting++;
    return 0;
}

static void dequeue(struct sound_reader *reader, AVPacket *packet) {
    struct waiting_sound *sound = reader->first;
    reader->first = sound->next;
    if (reader->first == NULL) {
        reader->newest = NULL;
    }
    reader->waiting--;
    av_packet_move_ref(packet, sound->packet);
    if (packet->pts != AV_NOPTS_VALUE && sound->part < reader->parts) {
        packet->pts += reader->turn + reader->shifts[sound->part];
    } else {
        packet->pts = AV_NOPTS_VALUE; /* its pictures never came: it goes on where it was */
    }
    av_packet_free(&sound->packet);
    mem_free(sound);
}

/* Whether the first packet in the queue need not wait for pictures. */
static bool is_ready(const struct sound_reader *reader) {
    return reader->first != NULL &&
           (reader->first->part < reader->parts || reader->ended || reader->waiting >= MAX_WAITING);
}

static int take(struct sound_reader *reader, struct err *err) {
    if (reader->raw->stream_index == reader->stream->index && apply_edit(reader, reader->raw)) {
        return enqueue(reader, err);
    }
    if (reader->follows && reader->raw->stream_index == reader->document->video.stream) {
        see_picture(reader, reader->raw);
    }
    av_packet_unref(reader->raw);
    return 0;
}

int sound_reader_next(struct sound_reader *reader, AVPacket *packet, struct err *err) {
    while (!is_ready(reader) && !reader->ended) {
        int status = demux_read(reader->demux, reader->raw, err);
        if (status == 0 && reader->edit + 1 < reader->edits.count) {
            begin_edit(reader, reader->edit + 1);
        } else if (status == 0) {
            reader->ended = true;
        } else if (status > 0) {
            status = take(reader, err);
        }
        if (status < 0) {
            return status;
        }
    }
    if (reader->first == NULL) {
        return 0;
    }
    dequeue(reader, packet);
    return 1;
}

/* ---- Opening --------------------------------------------------------------- */

/* In containers without a header the track is there once its first packet has come. */
static int await_stream(struct sound_reader *reader, struct err *err) {
    AVFormatContext *format = reader->demux->format;
    const struct source_document *document = reader->document;
    while (format->nb_streams <= (unsigned)reader->facts->stream) {
        av_packet_unref(reader->raw);
        int status = demux_read(reader->demux, reader->raw, err);
        if (status < 0) {
            return status;
        }
        if (status == 0) {
            return err_set(err, ERR_CORRUPT, "its audio stream %d has no packets",
                           reader->facts->stream);
        }
        if (reader->follows && reader->raw->stream_index == document->video.stream) {
            see_picture(reader, reader->raw);
        }
    }
    reader->stream = format->streams[reader->facts->stream];
    return reader->raw->buf != NULL ? take(reader, err) : 0;
}

int sound_reader_open(struct sound_reader **out, const struct source_document *document,
                      const struct audio_facts *facts, const struct source_io *io,
                      struct err *err) {
    struct sound_reader *reader = mem_zero(1, sizeof(*reader));
    const struct container *tables = container_of_name(document->container);
    struct demux_options options = {
        .container = document->container,
        .max_streams = facts->stream + 1000,
        .stored_times = true,
    };
    reader->document = document;
    reader->facts = facts;
    reader->parts = 1;
    reader->raw = av_packet_alloc();
    int status = 0;
    if (reader->raw == NULL) {
        status = err_set(err, ERR_INTERNAL, "out of memory for sound");
    } else if (tables != NULL && tables->reach == REACH_TABLES) {
        status = edits_read(&reader->edits, io, facts->stream, err);
        options.ignore_edits = reader->edits.count > 0;
    }
    if (status == 0) {
        status = demux_open(&reader->demux, io, &options, err);
    }
    if (status == 0) {
        const struct container *container = reader->demux->container;
        struct rational rate = document->video.source_rate;
        reader->follows = demux_has_parts(container) && document->has_video;
        reader->join = join_clock_of(rational_value(document->video.time_base),
                                     rate.num > 0 ? rational_value(rate) : 25);
        status = await_stream(reader, err);
    }
    if (status != 0) {
        sound_reader_close(reader);
        return status;
    }
    demux_keep_streams(reader->demux, facts->stream,
                       reader->follows ? document->video.stream : facts->stream);
    if (reader->edits.count > 0) {
        begin_edit(reader, 0);
    }
    *out = reader;
    return 0;
}

void sound_reader_close(struct sound_reader *reader) {
    if (reader == NULL) {
        return;
    }
    while (reader->first != NULL) {
        struct waiting_sound *next = reader->first->next;
        av_packet_free(&reader->first->packet);
        mem_free(reader->first);
        reader->first = next;
    }
    edits_finish(&reader->edits);
    av_packet_free(&reader->raw);
    demux_close(reader->demux);
    mem_free(reader);
}
