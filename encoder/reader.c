/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Picture packets with sure timestamps: see reader.h. */
#include "reader.h"

#include <libavcodec/bsf.h>
#include <string.h>

#include "common/mem.h"
#include "join.h"
#include "outline.h"
#include "reorder.h"

enum {
    EDIT_SEEKS = 64,        /* back from one key picture to the one before, at the most */
    SEARCH_PACKETS = 600,   /* after a seek, until the access point must have come */
    HEADER_PACKETS = 10000, /* until the stream is there, in containers without a header */
};

struct entry {
    AVPacket *packet;
    struct reader_item item;
    struct reorder_ticket ticket;
    struct entry *next;
};

struct reader {
    struct reader_options options;
    struct demux *demux;
    AVStream *stream;
    struct bitstream bitstream;
    AVBSFContext *unpack; /* MPEG-4 packed B-pictures */
    AVCodecParserContext *parser;
    AVCodecContext *parser_codec;
    bool look_at_all;
    bool ended;
    bool sought;
    bool anchored;   /* the packet where reading begins was seen */
    bool field_open; /* the last packet was a first field */
    int field_parity;
    int64_t position_before; /* of the newest packet that tells its own */
    struct join_clock join;  /* its shift is added to stored timestamps */
    struct edit_list edits;  /* of an MP4; the present one's shift is that of `join` */
    size_t edit;
    bool restarts; /* the next packet is the first that is read for its edit */
    struct reorder reorder;
    struct entry *first; /* read and not given yet, in decode order */
    struct entry *last;
    struct entry *given;
    AVPacket *raw;
};

AVStream *reader_stream(const struct reader *reader) {
    return reader->stream;
}

int reader_joins(const struct reader *reader) {
    return reader->join.joins;
}

const struct edit_list *reader_edits(const struct reader *reader) {
    return &reader->edits;
}

void reader_look_at_all(struct reader *reader, bool all) {
    reader->look_at_all = all;
}

static void entry_destroy(struct entry *entry) {
    if (entry != NULL) {
        av_packet_free(&entry->packet);
        mem_free(entry);
    }
}

/* ---- The stream ------------------------------------------------------------ */

static void open_unpack(struct reader *reader) {
    const AVBitStreamFilter *filter = av_bsf_get_by_name("mpeg4_unpack_bframes");
    if (reader->stream->codecpar->codec_id != AV_CODEC_ID_MPEG4 || filter == NULL ||
        reader->options.ghost) {
        return;
    }
    if (av_bsf_alloc(filter, &reader->unpack) < 0) {
        return;
    }
    avcodec_parameters_copy(reader->unpack->par_in, reader->stream->codecpar);
    reader->unpack->time_base_in = reader->stream->time_base;
    if (av_bsf_init(reader->unpack) < 0) {
        av_bsf_free(&reader->unpack);
    }
}

/* The parser knows picture types, order counts and fields. It is asked where the
 * container does not say all of it. */
static void open_parser(struct reader *reader) {
    const AVCodecParameters *parameters = reader->stream->codecpar;
    if (reader->parser != NULL || reader->options.ghost) {
        return;
    }
    reader->parser = av_parser_init(parameters->codec_id);
    reader->parser_codec = avcodec_alloc_context3(NULL);
    if (reader->parser == NULL || reader->parser_codec == NULL ||
        avcodec_parameters_to_context(reader->parser_codec, parameters) < 0) {
        av_parser_close(reader->parser);
        reader->parser = NULL;
        avcodec_free_context(&reader->parser_codec);
        return;
    }
    reader->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
}

/* Makes ready for the stream's first packet. */
static void meet_stream(struct reader *reader) {
    AVStream *stream = reader->demux->format->streams[reader->options.stream];
    double tick_s = av_q2d(stream->time_base);
    double rate = reader->options.rate.num > 0 ? rational_value(reader->options.rate) : 25;
    reader->stream = stream;
    reader->bitstream = bitstream_of(stream->codecpar);
    tick_s = tick_s > 0 ? tick_s : 1;
    reader->reorder = reorder_of(1 / (rate * tick_s));
    reader->join = join_clock_of(tick_s, rate);
    demux_keep_streams(reader->demux, reader->options.stream, reader->options.stream);
    open_unpack(reader);
    if (!reader->demux->container->exact_times || reader->options.pair_fields) {
        open_parser(reader);
    }
}

/* ---- Raw packets ----------------------------------------------------------- */

/* The next packet of the stream as it is stored. */
static int read_unpacked(struct reader *reader, AVPacket *packet, struct err *err) {
    for (;;) {
        if (reader->unpack != NULL && av_bsf_receive_packet(reader->unpack, packet) == 0) {
            return 1;
        }
        int status = demux_read(reader->demux, packet, err);
        if (status <= 0) {
            return status;
        }
        if (packet->stream_index != reader->options.stream) {
            av_packet_unref(packet);
            continue;
        }
        if (reader->stream == NULL) {
            meet_stream(reader);
        }
        if (reader->unpack == NULL) {
            return 1;
        }
        if (av_bsf_send_packet(reader->unpack, packet) < 0) {
            av_packet_unref(packet);
        }
    }
}

/* ---- What a packet is ------------------------------------------------------ */

static void parse(struct reader *reader, const AVPacket *packet) {
    uint8_t *data = NULL;
    int size = 0;
    av_parser_parse2(reader->parser, reader->parser_codec, &data, &size, packet->data, packet->size,
                     packet->pts, packet->dts, packet->pos);
}

/* Whether this is the second field of the packet before. */
static bool is_second_field(struct reader *reader) {
    if (!reader->options.pair_fields || reader->parser == NULL) {
        return false;
    }
    int structure = reader->parser->picture_structure;
    bool field = structure == AV_PICTURE_STRUCTURE_TOP_FIELD ||
                 structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
    bool second = field && reader->field_open && structure != reader->field_parity;
    reader->field_open = field && !second;
    reader->field_parity = structure;
    return second;
}

/* Where the picture stands in the order of display, as far as the codec tells. */
static struct reorder_place place_of(const struct reader *reader, const struct picture_look *look) {
    struct reorder_place place = {.kind = REORDER_IN_ORDER};
    if (reader->parser == NULL) {
        return place;
    }
    switch (reader->bitstream.codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
        place.kind = REORDER_BY_COUNT;
        place.count = reader->parser->output_picture_number;
        place.restarts = look->restarts;
        break;
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_WMV3:
        place.kind = reader->parser->pict_type == AV_PICTURE_TYPE_B ? REORDER_BETWEEN
                                                                    : REORDER_AFTER;
        break;
    default:
        break;
    }
    return place;
}

static struct picture_look look_at(const struct reader *reader, const AVPacket *packet) {
    bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    bool each = reader->look_at_all || reader->parser != NULL || reader->bitstream.intra_only ||
                reader->bitstream.codec == AV_CODEC_ID_VP8 ||
                reader->bitstream.codec == AV_CODEC_ID_VP9;
    if (reader->options.ghost) {
        return (struct picture_look){.access = key ? ACCESS_LEADING : ACCESS_NONE};
    }
    if (!key && !each) {
        return (struct picture_look){0};
    }
    return bitstream_look(&reader->bitstream, packet->data, (size_t)packet->size, key);
}

/* ---- The clock ------------------------------------------------------------- */

static bool same_time(const AVStream *stream, int64_t a, int64_t b) {
    if (a == b) {
        return true;
    }
    int bits = stream->pts_wrap_bits;
    return bits > 0 && bits < 63 && ((a - b) & ((INT64_C(1) << bits) - 1)) == 0;
}

/* What an access point's packet is known by: its decode time, else its presentation
 * time, as stored. */
static int64_t stored_time(const AVPacket *packet) {
    return packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
}

/* Whether the packet is one of the edits' media, with times that can be shifted. */
static bool is_edited(const struct reader *reader, const AVPacket *packet) {
    static const int64_t most = INT64_C(1) << 61;
    return reader->edits.count > 0 && packet->pts != AV_NOPTS_VALUE &&
           packet->dts != AV_NOPTS_VALUE && packet->pts < most && packet->pts > -most &&
           packet->dts < most && packet->dts > -most;
}

/* Whether the access point says for which edit the packet is read: by their shift. */
static bool names_edit(const struct reader *reader, const AVPacket *packet) {
    const struct edit_list *edits = &reader->edits;
    const struct random_access *access = reader->options.access;
    return edits->count == 0 ||
           (is_edited(reader, packet) &&
            edits_find(edits, access->pts - packet->pts, packet->pts) < edits->count);
}

/* Whether this is the packet of the access point, seen again: by its time, and where it
 * has none by its position. */
static bool is_anchor(const struct reader *reader, const AVPacket *packet) {
    const struct random_access *access = reader->options.access;
    enum reach reach = reader->demux->container->reach;
    bool by_byte = reach == REACH_BYTE || reach == REACH_RAW;
    int64_t stored = stored_time(packet);
    bool same = stored != AV_NOPTS_VALUE ? same_time(reader->stream, stored, access->dts)
                                         : packet->pos == access->position;
    /* Joined parts may have equal times. */
    bool early = by_byte && packet->pos >= 0 && packet->pos < access->position;
    if (!same || early || !names_edit(reader, packet)) {
        return false;
    }
    /* After a seek by byte the rest of the picture before may go by its name. */
    return !reader->sought || !by_byte || look_at(reader, packet).access != ACCESS_NONE;
}

/* Moves the clock onto the index's; a packet without any time gets the index's. */
static void anchor(struct reader *reader, AVPacket *packet) {
    const struct random_access *access = reader->options.access;
    reader->anchored = true;
    if (packet->pts != AV_NOPTS_VALUE) {
        reader->join.shift = access->pts - packet->pts;
    } else if (packet->dts != AV_NOPTS_VALUE) {
        reader->join.shift = access->dts - packet->dts;
    } else {
        packet->pts = access->pts;
    }
    reader->edit = edits_find(&reader->edits, reader->join.shift, packet->pts);
}

/* Whether the picture is decoded long before or after it is shown: a damaged stamp. Ten
 * seconds are the most of a still picture, ISO/IEC 13818-1 2.4.2.6. */
static bool is_damaged_time(const struct reader *reader, const AVPacket *packet) {
    if (packet->pts == AV_NOPTS_VALUE || packet->dts == AV_NOPTS_VALUE) {
        return false;
    }
    int64_t delay = packet->pts - packet->dts;
    return delay > reader->join.ahead || delay < -reader->join.back;
}

/* Puts the packet's times on the clock of the first part. */
static void shift_times(struct reader *reader, AVPacket *packet, bool picture) {
    int64_t shift = reader->join.shift;
    if (demux_has_parts(reader->demux->container)) {
        bool damaged = is_damaged_time(reader, packet);
        if (damaged) {
            packet->pts = AV_NOPTS_VALUE;
        }
        shift = picture ? join_clock_see(&reader->join, packet->pts, packet->dts) : shift;
        if (damaged) {
            packet->dts = AV_NOPTS_VALUE; /* its neighbours know better when it is shown */
        }
    }
    if (packet->pts != AV_NOPTS_VALUE) {
        packet->pts += shift;
    }
    if (packet->dts != AV_NOPTS_VALUE) {
        packet->dts += shift;
    }
}

/* ---- Edits ------------------------------------------------------------------ */

/* Says how the present edit cuts the picture, whose times are shifted. What is hidden
 * lies at the edit's border, so that its time tells nothing of other edits. */
static void cut(const struct reader *reader, AVPacket *packet, struct reader_item *item) {
    const struct edit *edit = &reader->edits.edits[reader->edit];
    int64_t start = edit->start + edit->shift;
    int64_t end = edit->end + edit->shift;
    if (packet->pts >= end - reader->edits.slack) {
        item->cut = CUT_AFTER;
        packet->flags |= AV_PKT_FLAG_DISCARD;
        packet->pts = end;
    } else if (packet->pts <= start + reader->edits.slack) {
        item->cut = CUT_BEFORE;
        /* The first edit's may keep its time: nothing is shown before. */
        packet->pts = reader->edit > 0 ? start : packet->pts;
    }
    packet->dts = packet->dts < end ? packet->dts : end;
}

static bool seek_edit(struct reader *reader, int64_t time) {
    if (reader->unpack != NULL) {
        av_bsf_flush(reader->unpack);
    }
    return reader->stream != NULL && demux_seek_time(reader->demux, reader->options.stream, time);
}

/* Goes to where decoding for the edit must begin: the last key picture that is shown at or
 * before its start. */
static int begin_edit(struct reader *reader, size_t index, struct err *err) {
    const struct edit *edit = &reader->edits.edits[index];
    int64_t target = edit->start;
    reader->edit = index;
    reader->join.shift = edit->shift;
    reader->restarts = true;
    reader->field_open = false;
    for (int i = 0; i < EDIT_SEEKS; i++) {
        if (!seek_edit(reader, target)) {
            return 0;
        }
        int status = read_unpacked(reader, reader->raw, err);
        bool late = status > 0 && is_edited(reader, reader->raw) &&
                    reader->raw->pts > edit->start + reader->edits.slack;
        int64_t time = late ? reader->raw->dts : target;
        av_packet_unref(reader->raw);
        if (status < 0) {
            return status;
        }
        if (!late) {
            break;
        }
        target = time - 1;
    }
    seek_edit(reader, target);
    return 0;
}

/* Whether the packet, as stored, and all after it are shown after the present edit. */
static bool is_past_edit(const struct reader *reader, const AVPacket *packet) {
    return reader->anchored && is_edited(reader, packet) &&
           packet->dts >= reader->edits.edits[reader->edit].end;
}

/* ---- The queue ------------------------------------------------------------- */

/* Where a seek finds the packet again. */
static int64_t place_in_file(struct reader *reader, const AVPacket *packet) {
    int64_t before = reader->position_before;
    if (packet->pos >= 0) {
        reader->position_before = packet->pos;
    }
    switch (reader->demux->container->reach) {
    case REACH_BYTE:
        return before >= 0 ? before : packet->pos;
    case REACH_RAW:
    case REACH_TABLES:
        return packet->pos;
    case REACH_TIME:
        return packet->pts == AV_NOPTS_VALUE && packet->dts == AV_NOPTS_VALUE ? packet->pos : -1;
    case REACH_CLUSTER:
        break;
    }
    const AVIndexEntry *entry =
        avformat_index_get_entry_from_timestamp(reader->stream, packet->pts, 0);
    return entry != NULL && entry->timestamp == packet->pts ? entry->pos : -1;
}

static void append(struct reader *reader, struct entry *entry) {
    if (reader->last == NULL) {
        reader->first = entry;
    } else {
        reader->last->next = entry;
    }
    reader->last = entry;
}

/* Takes the raw packet into the queue. */
static int take(struct reader *reader, struct err *err) {
    AVPacket *packet = av_packet_alloc();
    if (packet == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for a packet");
    }
    av_packet_move_ref(packet, reader->raw);
    if (reader->parser == NULL && packet->pts == AV_NOPTS_VALUE) {
        open_parser(reader); /* where times lack, the order of display must tell */
    }
    if (reader->parser != NULL) {
        parse(reader, packet);
    }
    struct entry *entry = mem_zero(1, sizeof(*entry));
    struct reader_item *item = &entry->item;
    entry->packet = packet;
    item->look = look_at(reader, packet);
    item->picture = !is_second_field(reader) && !item->look.hidden;
    item->stored = stored_time(packet);
    item->place = place_in_file(reader, packet);
    bool edited = is_edited(reader, packet);
    if (edited || reader->edits.count == 0) {
        shift_times(reader, packet, item->picture);
    }
    item->uncut = packet->pts;
    item->restarts = reader->restarts;
    reader->restarts = false;
    if (edited) {
        cut(reader, packet, item);
    }
    item->floor = packet->pts != AV_NOPTS_VALUE ? packet->dts : AV_NOPTS_VALUE;
    item->shown = item->picture && (packet->flags & AV_PKT_FLAG_DISCARD) == 0;
    if (item->picture) {
        struct reorder_place place = place_of(reader, &item->look);
        item->stored_time = packet->pts != AV_NOPTS_VALUE || packet->dts != AV_NOPTS_VALUE;
        entry->ticket = reorder_push(&reader->reorder, place, packet->pts, packet->dts);
    }
    append(reader, entry);
    return 1;
}

/* Reads one more packet into the queue: 1, 0 at the end. */
static int fill(struct reader *reader, struct err *err) {
    int searched = 0;
    for (;;) {
        int status = read_unpacked(reader, reader->raw, err);
        if (status > 0 && is_past_edit(reader, reader->raw)) {
            av_packet_unref(reader->raw);
            status = 0;
        }
        if (status == 0 && reader->anchored && reader->edit + 1 < reader->edits.count) {
            status = begin_edit(reader, reader->edit + 1, err);
            if (status < 0) {
                return status;
            }
            continue;
        }
        if (status == 0) {
            reader->ended = true;
            reorder_end(&reader->reorder);
        }
        if (status <= 0) {
            return status;
        }
        if (!reader->anchored && is_anchor(reader, reader->raw)) {
            anchor(reader, reader->raw);
        }
        if (reader->anchored) {
            return take(reader, err);
        }
        av_packet_unref(reader->raw);
        if (reader->sought && ++searched > SEARCH_PACKETS) {
            return 0;
        }
    }
}

int reader_next(struct reader *reader, struct reader_item *item, struct err *err) {
    entry_destroy(reader->given);
    reader->given = NULL;
    for (;;) {
        struct entry *entry = reader->first;
        int64_t pts = AV_NOPTS_VALUE;
        if (entry != NULL &&
            (!entry->item.picture || reorder_time(&reader->reorder, entry->ticket, &pts))) {
            if (entry->item.picture) {
                entry->packet->pts = pts;
                entry->item.uncut = entry->item.cut == CUT_NOT ? pts : entry->item.uncut;
            }
            reader->first = entry->next;
            reader->last = reader->first == NULL ? NULL : reader->last;
            reader->given = entry;
            *item = entry->item;
            item->packet = entry->packet;
            return 1;
        }
        if (reader->ended) {
            return 0;
        }
        int status = fill(reader, err);
        if (status < 0) {
            return status;
        }
    }
}

/* ---- Opening --------------------------------------------------------------- */

static void close_input(struct reader *reader) {
    av_bsf_free(&reader->unpack);
    av_parser_close(reader->parser);
    reader->parser = NULL;
    avcodec_free_context(&reader->parser_codec);
    demux_close(reader->demux);
    reader->demux = NULL;
    reader->stream = NULL;
    reader->ended = false;
}

static bool is_iso(const struct reader_options *options) {
    const struct container *container = container_of_name(options->container);
    return container != NULL && container->reach == REACH_TABLES;
}

/* Whether the index says in which fragment of an MP4 to begin. */
static bool begins_at_fragment(const struct reader_options *options) {
    return options->access != NULL && options->access->position >= 0 && is_iso(options);
}

/* Fragments before the access point are hidden: the demuxer need not read their headers. */
static int find_hole(const struct reader_options *options, struct byte_hole *hole,
                     struct err *err) {
    struct outline outline = {0};
    int status = outline_read(&outline, options->io, err);
    if (status == 0 && outline.moov && outline.moov_end < options->access->position) {
        *hole = (struct byte_hole){outline.moov_end, options->access->position};
    }
    return status;
}

/* Reads from the source's start until the stream is known, where no header tells. */
static int await_stream(struct reader *reader, struct err *err) {
    for (int i = 0; i < HEADER_PACKETS && reader->stream == NULL; i++) {
        int status = read_unpacked(reader, reader->raw, err);
        if (status <= 0) {
            return status;
        }
        av_packet_unref(reader->raw);
    }
    return 0;
}

/* Opens and goes to the access point, by a seek or packet by packet: 1, 0 where it is
 * not there. */
static int open_at_access(struct reader *reader, bool seek, struct err *err) {
    const struct reader_options *options = &reader->options;
    struct demux_options demux = {
        .container = options->container,
        .max_streams = options->stream + 1000,
        .stored_times = true,
        .ignore_edits = reader->edits.count > 0,
        .linear = options->linear,
        .trail = options->trail,
        .header = options->header,
    };
    if (seek && begins_at_fragment(options)) {
        int status = find_hole(options, &demux.hole, err);
        if (status != 0) {
            return status;
        }
        demux.linear = true;
    }
    int status = demux_open(&reader->demux, options->io, &demux, err);
    if (status != 0) {
        return status;
    }
    if (reader->demux->format->nb_streams > (unsigned)options->stream) {
        meet_stream(reader);
    }
    if (options->ghost) {
        demux_ghost(reader->demux);
    }
    if (options->access == NULL) {
        reader->anchored = true;
        status = reader->edits.count > 0 ? begin_edit(reader, 0, err) : 0;
        return status < 0 ? status : 1;
    }
    if (seek && !begins_at_fragment(options)) {
        status = reader->stream == NULL ? await_stream(reader, err) : 0;
        if (status < 0) {
            return status;
        }
        reader->sought = reader->stream != NULL &&
                         demux_seek(reader->demux, options->stream, options->access);
    }
    status = fill(reader, err);
    return status < 0 ? status : reader->anchored;
}

int reader_open(struct reader **out, const struct reader_options *options, struct err *err) {
    struct reader *reader = mem_zero(1, sizeof(*reader));
    reader->options = *options;
    reader->position_before = -1;
    reader->raw = av_packet_alloc();
    int status = 0;
    if (reader->raw == NULL) {
        status = err_set(err, ERR_INTERNAL, "out of memory for a packet");
    }
    if (status == 0 && is_iso(options)) {
        status = edits_read(&reader->edits, options->io, options->stream, err);
    }
    if (status == 0) {
        status = open_at_access(reader, true, err);
    }
    if (status == 0) {
        close_input(reader);
        reader->sought = false;
        status = open_at_access(reader, false, err);
    }
    if (status == 0) {
        status = err_set(err, ERR_CORRUPT,
                         "it no longer has a picture where its index says; it was changed since "
                         "it was probed");
    }
    if (status < 0) {
        reader_close(reader);
        return status;
    }
    *out = reader;
    return 0;
}

void reader_close(struct reader *reader) {
    if (reader == NULL) {
        return;
    }
    close_input(reader);
    while (reader->first != NULL) {
        struct entry *next = reader->first->next;
        entry_destroy(reader->first);
        reader->first = next;
    }
    entry_destroy(reader->given);
    edits_finish(&reader->edits);
    av_packet_free(&reader->raw);
    mem_free(reader);
}
