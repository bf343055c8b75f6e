/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a source is: opens it, decodes a picture or a few for their format, counts all
 * of them by their packets, and lays them on a timeline. See encoder.h.
 */
#include <stdio.h>
#include <string.h>

#include "decoder.h"
#include "facts.h"
#include "header.h"
#include "index.h"

enum {
    LOOK_PACKETS = 400, /* of all streams, until a picture must have come out */
    LOOK_PICTURES = 8,  /* where they may be interlaced */
    MAX_SENTENCES = 64,
    SAMPLES_CHECKED = 3,      /* of those that an MP4 calls safe to start at */
    SAMPLE_BYTES = 16 * 1024, /* of each */
    MAX_AUDIO = 64,
};

struct probe {
    const struct source_io *io;
    const struct probe_options *options;
    progress_fn progress;
    void *context;
    struct outline outline;
    struct fragment_trail trail;
    struct header_notes header;
    struct demux *demux;
    AVStream *stream;
    struct source_document document;
    struct rational hint; /* pictures a second, as container or codec claim */
    const char *sentences[2][MAX_SENTENCES];
    size_t counts[2];
};

enum sentence { LEFT_OUT, DEFECT };

static const int64_t longest_ticks = INT64_C(1) << 60;

struct probe_options probe_options_default(void) {
    return (struct probe_options){
        .max_width = 16384,
        .max_height = 16384,
        .max_frames = 20 * 1000 * 1000,
        .max_streams = 128,
        .max_rate = {60, 1},
        .deinterlace = DEINTERLACE_FRAME,
        .long_gop_ms = 16000,
    };
}

static void say(struct probe *probe, enum sentence kind, const char *sentence) {
    if (probe->counts[kind] < MAX_SENTENCES) {
        probe->sentences[kind][probe->counts[kind]++] = sentence;
    }
}

#define SAY(probe, kind, ...) say(probe, kind, arena_format(&(probe)->document.arena, __VA_ARGS__))

/* ---- Streams --------------------------------------------------------------- */

static int check_video(struct probe *probe, struct err *err) {
    const AVFormatContext *format = probe->demux->format;
    const struct probe_options *options = probe->options;
    int chosen = facts_choose_video(format);
    if (chosen < 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "it has no video stream; a title needs moving pictures, so give a file "
                       "that has them");
    }
    probe->stream = format->streams[chosen];
    probe->document.video.stream = chosen;
    const AVCodecParameters *parameters = probe->stream->codecpar;
    if (probe->outline.encrypted) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its pictures are encrypted (Common Encryption); give the clear file");
    }
    if (parameters->codec_id == AV_CODEC_ID_NONE) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the codec of its video stream is unknown here; convert it to H.264");
    }
    if (parameters->width > options->max_width || parameters->height > options->max_height) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its pictures are %dx%d pixels, more than the %dx%d that are allowed; "
                       "scale it down first",
                       parameters->width, parameters->height, options->max_width,
                       options->max_height);
    }
    return 0;
}

static void leave_out(struct probe *probe, const AVStream *stream, const char *why) {
    const AVCodecParameters *parameters = stream->codecpar;
    const char *type = av_get_media_type_string(parameters->codec_type);
    const char *codec = avcodec_get_name(parameters->codec_id);
    char language[MAX_LANGUAGE];
    facts_language(language, stream);
    bool cover = parameters->codec_type == AVMEDIA_TYPE_VIDEO && !facts_is_video(stream);
    SAY(probe, LEFT_OUT, "stream %d (%s, %s%s%s) is left out: %s", stream->index,
        cover          ? "cover image"
        : type != NULL ? type
                       : "data",
        codec, strcmp(language, "und") != 0 ? ", " : "",
        strcmp(language, "und") != 0 ? language : "", why);
}

static bool is_sound(const AVStream *stream) {
    const AVCodecParameters *parameters = stream->codecpar;
    return parameters->codec_type == AVMEDIA_TYPE_AUDIO &&
           avcodec_find_decoder(parameters->codec_id) != NULL && parameters->sample_rate > 0 &&
           parameters->ch_layout.nb_channels > 0;
}

/* Where our reading of an edit list says that the sound begins. */
static int begin_sound(const struct probe *probe, struct audio_facts *facts, struct err *err) {
    struct edit_list edits = {0};
    if (probe->demux->container->reach != REACH_TABLES) {
        return 0;
    }
    int status = edits_read(&edits, probe->io, facts->stream, err);
    if (status == 0 && edits.count > 0) {
        const AVStream *stream = probe->demux->format->streams[facts->stream];
        int64_t begin = edits.edits[0].start + edits.edits[0].shift;
        facts->start = rational_of(begin * stream->time_base.num, stream->time_base.den);
    }
    edits_finish(&edits);
    return status;
}

/* Audio tracks, those that the file calls its default first. */
static int list_sound(struct probe *probe, struct err *err) {
    const AVFormatContext *format = probe->demux->format;
    struct source_document *document = &probe->document;
    document->audio = arena_zero(&document->arena, MAX_AUDIO, sizeof(*document->audio));
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < format->nb_streams; i++) {
            const AVStream *stream = format->streams[i];
            bool preferred = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
            if (is_sound(stream) && preferred == (turn == 0) && document->audio_count < MAX_AUDIO) {
                struct audio_facts *facts = &document->audio[document->audio_count++];
                facts_of_sound(facts, stream);
                if (probe->outline.fragmented) {
                    facts->duration = (struct rational){0, 1}; /* of the first fragments */
                }
                int status = begin_sound(probe, facts, err);
                if (status != 0) {
                    return status;
                }
            }
        }
    }
    return 0;
}

static void list_left_out(struct probe *probe) {
    const AVFormatContext *format = probe->demux->format;
    const struct source_document *document = &probe->document;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *stream = format->streams[i];
        if (stream == probe->stream ||
            (document->audio_count > 0 && document->audio[0].stream == (int)i)) {
            continue;
        }
        switch (stream->codecpar->codec_type) {
        case AVMEDIA_TYPE_VIDEO:
            leave_out(probe, stream,
                      facts_is_video(stream) ? "one video track makes the title"
                                             : "it is no moving picture");
            break;
        case AVMEDIA_TYPE_AUDIO:
            leave_out(probe, stream,
                      is_sound(stream) ? "one audio track is encoded" : "it cannot be decoded");
            break;
        case AVMEDIA_TYPE_SUBTITLE:
            leave_out(probe, stream, "text tracks are not encoded");
            break;
        default:
            leave_out(probe, stream, "it is neither picture nor sound");
            break;
        }
    }
}

/* ---- A look at the first pictures ------------------------------------------ */

struct look {
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *picture;
    AVFrame *first;
    int wanted;
    int packets; /* of the stream */
    int seen;
    int interlaced;
    int top_first;
};

/* Sends it, or the end for NULL, and looks at what comes out. */
static int decode_packet(struct look *look, const AVPacket *packet, struct err *err) {
    int status = avcodec_send_packet(look->decoder, packet);
    if (decoder_check(status, err) < 0) {
        return ERR_INTERNAL;
    }
    while (look->seen < look->wanted &&
           (status = avcodec_receive_frame(look->decoder, look->picture)) == 0) {
        bool top_first = false;
        bool interlaced = facts_is_interlaced(look->picture, &top_first);
        look->interlaced += interlaced;
        look->top_first += interlaced && top_first;
        look->seen++;
        if (look->seen == 1) {
            av_frame_move_ref(look->first, look->picture);
        }
        av_frame_unref(look->picture);
    }
    return decoder_check(status, err);
}

static int decode_first(struct probe *probe, struct look *look, struct err *err) {
    for (int i = 0; i < LOOK_PACKETS && look->seen < look->wanted; i++) {
        int status = demux_read(probe->demux, look->packet, err);
        if (status < 0) {
            return status;
        }
        if (status == 0) {
            return decode_packet(look, NULL, err);
        }
        if (look->packet->stream_index == probe->stream->index) {
            look->packets++;
            status = decode_packet(look, look->packet, err);
        }
        av_packet_unref(look->packet);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

static int check_picture(const struct probe *probe, const AVFrame *picture, struct err *err) {
    const struct probe_options *options = probe->options;
    if (picture->width <= 0 || picture->height <= 0) {
        return err_set(err, ERR_CORRUPT, "its pictures have no size (%dx%d)", picture->width,
                       picture->height);
    }
    if (picture->width > options->max_width || picture->height > options->max_height) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its pictures are %dx%d pixels, more than the %dx%d that are allowed; "
                       "scale it down first",
                       picture->width, picture->height, options->max_width, options->max_height);
    }
    return 0;
}

static struct rational rate_hint(const struct probe *probe, const AVCodecContext *decoder) {
    const AVStream *stream = probe->stream;
    AVRational rate = stream->avg_frame_rate;
    /* The demuxers of elementary streams claim 25 where the codec knows better. */
    bool elementary = probe->demux->container->reach == REACH_RAW;
    if ((elementary || rate.num <= 0) && decoder->framerate.num > 0) {
        rate = decoder->framerate;
    }
    if (rate.num <= 0 || rate.den <= 0) {
        rate = stream->r_frame_rate;
    }
    return rate.num > 0 && rate.den > 0 ? rational_of(rate.num, rate.den) : (struct rational){0, 1};
}

static int look_inside(struct probe *probe, struct err *err) {
    struct look look = {.wanted = LOOK_PICTURES};
    const AVCodecParameters *parameters = probe->stream->codecpar;
    if (parameters->field_order == AV_FIELD_PROGRESSIVE) {
        look.wanted = 1;
    }
    look.packet = av_packet_alloc();
    look.picture = av_frame_alloc();
    look.first = av_frame_alloc();
    int status = decoder_open(&look.decoder, parameters, probe->stream->time_base, NULL, err);
    if (status == 0) {
        demux_keep_streams(probe->demux, probe->stream->index, probe->stream->index);
        status = decode_first(probe, &look, err);
    }
    if (status == 0 && look.packets == 0) {
        status = err_set(err, ERR_CORRUPT,
                         "its video stream has no pictures; upload it again from the original");
    } else if (status == 0 && look.seen == 0) {
        status = err_set(err, ERR_CORRUPT,
                         "none of its first pictures can be decoded (%s); upload it again from "
                         "the original",
                         avcodec_get_name(parameters->codec_id));
    }
    if (status == 0) {
        status = check_picture(probe, look.first, err);
    }
    if (status == 0 && look.interlaced > 0 && parameters->codec_id == AV_CODEC_ID_HEVC) {
        /* libavcodec gives each field as a picture of half the height. */
        status = err_set(err, ERR_UNSUPPORTED,
                         "its HEVC pictures are coded as single fields, which are not joined here; "
                         "deinterlace it first, or convert it to H.264");
    }
    if (status == 0) {
        bool interlaced = 2 * look.interlaced >= look.seen;
        facts_of_picture(&probe->document.video, probe->demux->format, probe->stream, look.first,
                         interlaced && look.interlaced > 0, 2 * look.top_first >= look.interlaced);
        probe->hint = rate_hint(probe, look.decoder);
    }
    avcodec_free_context(&look.decoder);
    av_packet_free(&look.packet);
    av_frame_free(&look.picture);
    av_frame_free(&look.first);
    return status;
}

/* ---- All packets ------------------------------------------------------------ */

/* Whether the picture's own headers promise what the sample table says of it. */
static int look_at_sample(const struct probe *probe, const struct access_candidate *candidate,
                          bool *exact, struct err *err) {
    uint8_t data[SAMPLE_BYTES];
    size_t wanted = candidate->data_size < SAMPLE_BYTES ? (size_t)candidate->data_size
                                                        : SAMPLE_BYTES;
    int64_t got = probe->io->read(probe->io->context, candidate->data, data, wanted, err);
    if (got < 0) {
        return err_set(err, (enum err_code)got, "cannot read the source");
    }
    struct bitstream stream = bitstream_of(probe->stream->codecpar);
    struct picture_look look = bitstream_look(&stream, data, (size_t)got, true);
    *exact = look.access == ACCESS_CLOSED || look.access == ACCESS_LEADING;
    return 0;
}

/* Looks at a few samples that the table calls safe to start at. */
static int check_tables(const struct probe *probe, const struct pass *pass, bool *exact,
                        struct err *err) {
    int status = 0;
    *exact = true;
    for (size_t i = 1; i <= SAMPLES_CHECKED && *exact && status == 0; i++) {
        size_t index = pass->access_count * i / (SAMPLES_CHECKED + 1);
        const struct access_candidate *candidate = &pass->accesses[index];
        if (index > 0 && candidate->data >= 0) {
            status = look_at_sample(probe, candidate, exact, err);
        }
    }
    return status;
}

/* Whether sample tables alone tell of safe places to start, none too far apart. */
static bool tables_suffice(const struct probe *probe, const struct pass *pass) {
    const struct source_document *document = &probe->document;
    double tick_s = rational_value(document->video.time_base);
    double longest_s = (double)probe->options->long_gop_ms / 1000;
    if (pass->undecodable > 0 || !pass->has_access) {
        return false;
    }
    for (size_t i = 0; i < pass->access_count; i++) {
        int64_t next = i + 1 < pass->access_count ? pass->accesses[i + 1].pts : pass->last_pts;
        if ((double)(next - pass->accesses[i].pts) * tick_s > longest_s) {
            return false;
        }
    }
    /* Pictures that need others, yet all are called sync samples: the table lies. */
    const AVCodecDescriptor *codec = avcodec_descriptor_get(probe->stream->codecpar->codec_id);
    bool intra = codec != NULL && (codec->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
    return intra || pass->access_count <= 1 || 2 * pass->access_count < pass->count;
}

/* An MP4 that tells all in its header: times from its tables; the packets are read only
 * where the tables leave open from where decoding is exact. */
static int pass_tables(struct probe *probe, struct pass *pass, struct reader_options *options,
                       const struct pass_limits *limits, struct err *err) {
    options->ghost = true;
    int status = pass_run(pass, options, limits, err);
    options->ghost = false;
    if (status != 0) {
        return status;
    }
    const AVStream *stream = probe->stream;
    if (pass->last_duration == 0 && stream->duration > 0 && stream->duration < longest_ticks) {
        /* Packets do not tell it, where their order is not that of display. */
        int64_t end = pass->first_pts + stream->duration;
        pass->last_duration = end > pass->last_pts ? end - pass->last_pts : 0;
    }
    bool exact = false;
    status = check_tables(probe, pass, &exact, err);
    if (status != 0) {
        pass_finish(pass);
        return status;
    }
    if (exact && tables_suffice(probe, pass)) {
        return 0;
    }
    struct pass full = {0};
    status = pass_run(&full, options, limits, err);
    if (status == 0 && pass->missing > 0) {
        /* The packets that are there say where to start, the tables how much is missing. */
        mem_free(pass->accesses);
        pass->accesses = full.accesses;
        pass->access_count = full.access_count;
        pass->has_access = full.has_access;
        full.accesses = NULL;
        pass_finish(&full);
    } else if (status == 0) {
        full.last_duration = pass->last_duration;
        pass_finish(pass);
        *pass = full;
    } else {
        pass_finish(pass);
    }
    return status;
}

static int count_pictures(struct probe *probe, struct pass *pass, struct err *err) {
    const struct video_facts *video = &probe->document.video;
    bool tables = probe->outline.moov && !probe->outline.fragmented;
    struct reader_options options = {
        .io = probe->io,
        .container = probe->demux->container->name,
        .stream = video->stream,
        .pair_fields = video->scan != SCAN_PROGRESSIVE,
        .rate = probe->hint,
        .linear = probe->outline.fragmented,
        .trail = probe->outline.fragmented ? &probe->trail : NULL,
        .header = &probe->header,
    };
    const struct pass_limits limits = {
        .max_pictures = probe->options->max_frames,
        .progress = probe->progress,
        .context = probe->context,
    };
    fragment_trail_start(&probe->trail, probe->outline.moov_end);
    /* H.264 fields may be samples of their own: only their headers tell. */
    bool fields = options.pair_fields && probe->stream->codecpar->codec_id == AV_CODEC_ID_H264;
    if (tables && !fields) {
        return pass_tables(probe, pass, &options, &limits, err);
    }
    return pass_run(pass, &options, &limits, err);
}

/* ---- The timeline ----------------------------------------------------------- */

static int lay_out(struct probe *probe, const struct pass *pass, struct err *err) {
    struct source_document *document = &probe->document;
    struct video_facts *video = &document->video;
    const struct timeline_input input = {
        .pts = pass->pts,
        .count = pass->count,
        .time_base = video->time_base,
        .cuts = pass->cuts,
        .last_duration = pass->last_duration,
        .hint = probe->hint,
        .max_rate = probe->options->max_rate,
        .fields = probe->options->deinterlace == DEINTERLACE_FIELD &&
                  video->scan != SCAN_PROGRESSIVE,
        .exact_times = probe->demux->container->exact_times,
        .has_sound = document->audio_count > 0,
        .sound_start = document->audio_count > 0 ? document->audio[0].start
                                                 : (struct rational){0, 1},
        .max_frames = probe->options->max_frames,
    };
    struct timeline_choice choice;
    int status = timeline_choose(&choice, &input, err);
    if (status != 0) {
        return status;
    }
    document->timeline = choice.timeline;
    video->source_rate = choice.source_rate;
    video->variable_rate = choice.variable;
    document->missing = choice.holes + pass->missing;
    document->access_unit_bytes = pass->bytes;
    double seconds = (double)choice.timeline.frames / rational_value(choice.timeline.rate);
    video->bit_rate = (int64_t)((double)pass->bytes * 8 / seconds);
    struct frame_clock clock = frame_clock_of(&document->timeline, video->time_base,
                                              video->source_rate, video->variable_rate, 1);
    index_build(document, pass, &clock);
    return 0;
}

static void tell_defects(struct probe *probe, const struct pass *pass) {
    const struct source_document *document = &probe->document;
    if (pass->missing > 0) {
        SAY(probe, DEFECT,
            "the file ends early: %lld of its %lld pictures are not in it; the last one before "
            "is shown instead",
            (long long)pass->missing, (long long)pass->count);
    } else if (probe->outline.cut) {
        SAY(probe, DEFECT, "the file ends in the middle of a box; what is there is encoded");
    }
    if (document->missing > pass->missing) {
        SAY(probe, DEFECT,
            "%lld pictures are missing between others; the one before is shown "
            "instead",
            (long long)(document->missing - pass->missing));
    }
    /* Where parts were joined their counters jump too, and nothing is damaged. */
    if (pass->damaged > pass->joins) {
        SAY(probe, DEFECT, "%lld packets of its pictures are damaged; what can be decoded is shown",
            (long long)(pass->damaged - pass->joins));
    }
    if (pass->joins > 0) {
        SAY(probe, DEFECT,
            "its clock jumps %d times, as where recordings were joined; each part follows the one "
            "before without a gap",
            pass->joins);
    }
    if (pass->undecodable > 0) {
        SAY(probe, DEFECT,
            "its first %lld pictures refer to others that are not there; the title begins after "
            "them",
            (long long)pass->undecodable);
    }
    if (!pass->has_access) {
        SAY(probe, DEFECT,
            "no picture of it promises that decoding can start there; each chunk is "
            "decoded from the beginning");
    }
}

static const char **keep_sentences(struct probe *probe, enum sentence kind) {
    const char **kept = arena_zero(&probe->document.arena, probe->counts[kind] + 1, sizeof(*kept));
    memcpy(kept, probe->sentences[kind], probe->counts[kind] * sizeof(*kept));
    return kept;
}

static int fill_document(struct probe *probe, struct err *err) {
    struct source_document *document = &probe->document;
    struct pass pass = {0};
    int status = check_video(probe, err);
    if (status == 0) {
        status = list_sound(probe, err);
    }
    if (status == 0) {
        list_left_out(probe);
        status = look_inside(probe, err);
    }
    if (status == 0) {
        status = count_pictures(probe, &pass, err);
    }
    if (status == 0) {
        status = lay_out(probe, &pass, err);
    }
    if (status == 0 && pass.joins > 0 &&
        rational_compare(probe->hint, document->video.source_rate) != 0) {
        /* Chunks will join the parts at the rate that was found. */
        probe->hint = document->video.source_rate;
        pass_finish(&pass);
        status = count_pictures(probe, &pass, err);
        status = status == 0 ? lay_out(probe, &pass, err) : status;
    }
    if (status == 0) {
        tell_defects(probe, &pass);
        document->has_video = true;
        document->container = arena_string(&document->arena, probe->demux->container->name);
        document->size = probe->io->size;
        header_notes_give(&probe->header, document);
        document->left_out = keep_sentences(probe, LEFT_OUT);
        document->left_out_count = probe->counts[LEFT_OUT];
        document->defects = keep_sentences(probe, DEFECT);
        document->defect_count = probe->counts[DEFECT];
    }
    pass_finish(&pass);
    return status;
}

int encoder_probe(struct source_document *document, const struct source_io *io,
                  const struct probe_options *options, progress_fn progress, void *context,
                  struct err *err) {
    struct probe probe = {.io = io, .options = options, .progress = progress, .context = context};
    int status = outline_read(&probe.outline, io, err);
    if (status == 0) {
        const struct demux_options demux = {
            .max_streams = options->max_streams,
            .analyse = true,
            .linear = probe.outline.fragmented,
        };
        status = demux_open(&probe.demux, io, &demux, err);
    }
    if (status == 0) {
        status = fill_document(&probe, err);
    }
    demux_close(probe.demux);
    fragment_trail_finish(&probe.trail);
    header_notes_finish(&probe.header);
    if (status != 0) {
        source_document_finish(&probe.document);
        return status;
    }
    *document = probe.document;
    return 0;
}
