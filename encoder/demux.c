/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libavformat over struct source_io: see demux.h. */
#include "demux.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

#include "common/mem.h"
#include "header.h"
#include "outline.h"

enum {
    AVIO_BYTES = 64 * 1024,
    PROBE_BYTES = 1 << 20,       /* to tell the container */
    ANALYSE_BYTES = 5 * 1000000, /* to find the codecs of all streams */
    ANALYSE_SECONDS = 10,
    MAX_FAILURES = 256, /* unreadable packets in a row that end the source */
    FREE_BOX_HEADER = 16,
    RAW_STEP = 1024, /* libavformat reads elementary streams in pieces of this size */
};

static const struct container containers[] = {
    {"mov,mp4", "mov,mp4,m4a,3gp,3g2,mj2", REACH_TABLES, true},
    {"matroska", "matroska,webm", REACH_CLUSTER, true},
    {"flv", "flv", REACH_BYTE, true},
    {"mpegts", "mpegts", REACH_BYTE, false},
    {"mpeg", "mpeg", REACH_BYTE, false},
    {"avi", "avi", REACH_TIME, true},
    {"asf", "asf", REACH_TIME, true},
    {"ogg", "ogg", REACH_TIME, false},
    {"mxf", "mxf", REACH_TIME, false},
    {"gxf", "gxf", REACH_TIME, false},
    {"nut", "nut", REACH_TIME, true},
    {"dv", "dv", REACH_TIME, false},
    {"rm", "rm", REACH_TIME, false},
    {"wtv", "wtv", REACH_TIME, false},
    {"ivf", "ivf", REACH_TIME, true},
    {"obu", "obu", REACH_TIME, false},
    {"h264", "h264", REACH_RAW, false},
    {"hevc", "hevc", REACH_RAW, false},
    {"mpegvideo", "mpegvideo", REACH_RAW, false},
    {"m4v", "m4v", REACH_RAW, false},
    {"yuv4mpegpipe", "yuv4mpegpipe", REACH_TIME, false},
};

enum { CONTAINER_COUNT = sizeof(containers) / sizeof(containers[0]) };

/* What people hand over that is no title, by the demuxer's name. */
static const struct {
    const char *format; /* the start of its name */
    const char *what;
} strangers[] = {
    {"gif", "a GIF image"},
    {"image2", "an image"},
    {"png", "an image"},
    {"apng", "an image"},
    {"jpeg", "an image"},
    {"webp", "an image"},
    {"bmp", "an image"},
    {"tiff", "an image"},
    {"svg", "an image"},
    {"hls", "a playlist that points to other files"},
    {"dash", "a manifest that points to other files"},
    {"concat", "a list of other files"},
    {"sdp", "the description of a live session"},
    {"srt", "a subtitle file"},
    {"ass", "a subtitle file"},
    {"webvtt", "a subtitle file"},
    {"mp3", "sound without pictures"},
    {"aac", "sound without pictures"},
    {"ac3", "sound without pictures"},
    {"flac", "sound without pictures"},
    {"wav", "sound without pictures"},
    {"aiff", "sound without pictures"},
};

/* Text that libavformat may not tell from any other, by its first bytes. */
static const struct {
    const char *begins;
    const char *what;
} texts[] = {
    {"#EXTM3U", "a playlist that points to other files"},
    {"<?xml", "an XML document"},
    {"<MPD", "a manifest that points to other files"},
    {"WEBVTT", "a subtitle file"},
    {"<!DOCTYPE html", "a web page"},
    {"<html", "a web page"},
};

const struct container *container_of_name(const char *name) {
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        if (strcmp(containers[i].name, name) == 0) {
            return &containers[i];
        }
    }
    return NULL;
}

bool demux_has_parts(const struct container *container) {
    return container->reach == REACH_BYTE && !container->exact_times;
}

/* ---- Bytes ---------------------------------------------------------------- */

/* A free box with a 64-bit size that reaches to the end of the hole. */
static int read_hole(struct demux *demux, uint8_t *data, int size) {
    uint8_t box[FREE_BOX_HEADER] = {0, 0, 0, 1, 'f', 'r', 'e', 'e'};
    uint64_t length = (uint64_t)(demux->hole.to - demux->hole.from);
    int64_t offset = demux->position - demux->hole.from;
    int64_t left = demux->hole.to - demux->position;
    for (int i = 0; i < 8; i++) {
        box[8 + i] = (uint8_t)(length >> (56 - 8 * i));
    }
    if (size > left) {
        size = (int)left;
    }
    for (int i = 0; i < size; i++) {
        data[i] = offset + i < FREE_BOX_HEADER ? box[offset + i] : 0;
    }
    demux->position += size;
    return size;
}

/* libavformat goes on elsewhere: not all that is in its buffer was wanted. */
static void end_run(struct demux *demux) {
    if (demux->header == NULL) {
        return;
    }
    int64_t used = demux->position - (demux->avio->buf_end - demux->avio->buf_ptr);
    demux->run_to = used > demux->run_to ? used : demux->run_to;
    header_notes_add(demux->header, demux->run_from, demux->run_to);
}

static int read_bytes(void *opaque, uint8_t *data, int size) {
    struct demux *demux = opaque;
    demux->run_to = demux->position; /* what it has of the run, it has used */
    if (demux->ghost) {
        /* Left as they are: nobody looks at them, and a sample may have many megabytes. */
        demux->position += size;
        return size;
    }
    if (demux->io_err.code != ERR_NONE) {
        return AVERROR(EIO);
    }
    if (demux->position >= demux->hole.from && demux->position < demux->hole.to) {
        return read_hole(demux, data, size);
    }
    if (demux->position < demux->hole.from && demux->position + size > demux->hole.from &&
        demux->hole.to > demux->hole.from) {
        size = (int)(demux->hole.from - demux->position);
    }
    int64_t got =
        demux->io->read(demux->io->context, demux->position, data, (size_t)size, &demux->io_err);
    if (got < 0) {
        err_set(&demux->io_err, (enum err_code)got, "cannot read the source");
        return AVERROR(EIO);
    }
    if (got == 0) {
        return AVERROR_EOF;
    }
    if (demux->trail != NULL) {
        fragment_trail_see(demux->trail, demux->position, data, (size_t)got);
    }
    demux->position += got;
    return (int)got;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence) {
    struct demux *demux = opaque;
    int64_t size = demux->ghost ? INT64_MAX / 2 : demux->io->size;
    if ((whence & AVSEEK_SIZE) != 0) {
        return size;
    }
    int64_t base = 0;
    switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = demux->position;
        break;
    case SEEK_END:
        base = size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset < -base || offset > INT64_MAX - base) {
        return AVERROR(EINVAL);
    }
    end_run(demux);
    demux->position = base + offset;
    demux->run_from = demux->run_to = demux->position;
    return demux->position;
}

/* Media that points to other files or addresses gets none of them. */
static int refuse_open(AVFormatContext *format, AVIOContext **avio, const char *url, int flags,
                       AVDictionary **options) {
    (void)format;
    (void)avio;
    (void)url;
    (void)flags;
    (void)options;
    return AVERROR(EACCES);
}

/* ---- Opening -------------------------------------------------------------- */

/* The first error of a read, which says more than libavformat's code. */
static int io_failed(const struct demux *demux, struct err *err) {
    return err_set(err, demux->io_err.code, "%s", demux->io_err.message);
}

static int refuse_as(const char *what, struct err *err) {
    return err_set(err, ERR_UNSUPPORTED,
                   "it is %s, not a video; give a file that holds moving pictures, such as MP4, "
                   "Matroska or MPEG-TS",
                   what);
}

/* What no demuxer is sure about. */
static int refuse_unknown(const struct demux *demux, struct err *err) {
    char first[16] = "";
    int64_t got = demux->io->read(demux->io->context, 0, first, sizeof(first) - 1, err);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (got > 0 && strncmp(first, texts[i].begins, strlen(texts[i].begins)) == 0) {
            return refuse_as(texts[i].what, err);
        }
    }
    return outline_refusal(demux->io, "nothing in it looks like a video", err);
}

static int refuse_stranger(const char *format, struct err *err) {
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        if (strncmp(format, strangers[i].format, strlen(strangers[i].format)) == 0) {
            return refuse_as(strangers[i].what, err);
        }
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "its container (%s) is not one that is read here; convert it to MP4, Matroska "
                   "or MPEG-TS without re-encoding",
                   format);
}

/* Finds the row of the container, by the document's word or by the first bytes. */
static int find_container(struct demux *demux, const char *name, const AVInputFormat **input,
                          struct err *err) {
    if (name != NULL) {
        demux->container = container_of_name(name);
        if (demux->container == NULL) {
            return err_set(err, ERR_INVALID, "no container is called '%s'", name);
        }
        char first[32];
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(demux->container->format, ","),
                 demux->container->format);
        *input = av_find_input_format(first);
        return *input != NULL ? 0
                              : err_set(err, ERR_UNSUPPORTED,
                                        "this build of libavformat cannot read %s", first);
    }
    int score = av_probe_input_buffer2(demux->avio, input, NULL, NULL, 0, PROBE_BYTES);
    if (demux->io_err.code != ERR_NONE) {
        return io_failed(demux, err);
    }
    if (score < 0 || *input == NULL) {
        return refuse_unknown(demux, err);
    }
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        if (strcmp(containers[i].format, (*input)->name) == 0) {
            demux->container = &containers[i];
            return 0;
        }
    }
    /* Text may look like a subtitle file and noise like a sound: a low score is no proof. */
    if (score <= AVPROBE_SCORE_RETRY) {
        return refuse_unknown(demux, err);
    }
    return refuse_stranger((*input)->name, err);
}

static void set_limits(AVFormatContext *format, const struct demux_options *options) {
    format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    if (options->stored_times) {
        format->flags |= AVFMT_FLAG_NOFILLIN;
    }
    if (options->linear) {
        format->flags |= AVFMT_FLAG_IGNIDX;
    }
    format->io_open = refuse_open;
    format->protocol_whitelist = av_strdup("");
    format->max_streams = options->max_streams;
    format->probesize = ANALYSE_BYTES;
    format->max_analyze_duration = (int64_t)ANALYSE_SECONDS * AV_TIME_BASE;
    format->max_index_size = 64 << 20;
    format->fps_probe_size = 0; /* rates are ours to find */
}

static int open_format(struct demux *demux, const struct demux_options *options, struct err *err) {
    const AVInputFormat *input = NULL;
    int status = find_container(demux, options->container, &input, err);
    if (status != 0) {
        return status;
    }
    demux->format = avformat_alloc_context();
    if (demux->format == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for a container");
    }
    demux->format->pb = demux->avio;
    set_limits(demux->format, options);
    AVDictionary *private = NULL;
    if (options->ignore_edits) {
        av_dict_set_int(&private, "ignore_editlist", 1, 0);
    }
    /* Frees the context where it fails. */
    int opened = avformat_open_input(&demux->format, "", input, &private);
    av_dict_free(&private);
    if (opened < 0) {
        if (demux->io_err.code != ERR_NONE) {
            return io_failed(demux, err);
        }
        return outline_refusal(demux->io, "its header cannot be read", err);
    }
    if (options->analyse && avformat_find_stream_info(demux->format, NULL) < 0 &&
        demux->io_err.code == ERR_NONE) {
        return outline_refusal(demux->io, "its streams cannot be read", err);
    }
    return demux->io_err.code != ERR_NONE ? io_failed(demux, err) : 0;
}

int demux_open(struct demux **out, const struct source_io *io, const struct demux_options *options,
               struct err *err) {
    av_log_set_level(AV_LOG_QUIET); /* a library never logs; damage is told by the document */
    if (io->size <= 0) {
        return err_set(err, ERR_CORRUPT, "it is empty (0 bytes); upload it again");
    }
    if (options->header != NULL) {
        header_notes_finish(options->header);
    }
    struct demux *demux = mem_zero(1, sizeof(*demux));
    demux->io = io;
    demux->trail = options->trail;
    demux->header = options->header;
    demux->hole = options->hole;
    if (demux->hole.to - demux->hole.from < FREE_BOX_HEADER) {
        demux->hole = (struct byte_hole){0, 0};
    }
    uint8_t *buffer = av_malloc(AVIO_BYTES);
    if (buffer != NULL) {
        demux->avio =
            avio_alloc_context(buffer, AVIO_BYTES, 0, demux, read_bytes, NULL, seek_bytes);
    }
    int status = 0;
    if (demux->avio == NULL) {
        av_free(buffer);
        status = err_set(err, ERR_INTERNAL, "out of memory for reading the source");
    } else {
        status = open_format(demux, options, err);
        end_run(demux);
        demux->header = NULL;
    }
    if (status != 0) {
        demux_close(demux);
        return status;
    }
    *out = demux;
    return 0;
}

void demux_close(struct demux *demux) {
    if (demux == NULL) {
        return;
    }
    avformat_close_input(&demux->format);
    if (demux->avio != NULL) {
        av_freep(&demux->avio->buffer);
        avio_context_free(&demux->avio);
    }
    mem_free(demux);
}

/* ---- Packets -------------------------------------------------------------- */

int demux_read(struct demux *demux, AVPacket *packet, struct err *err) {
    for (;;) {
        int status = av_read_frame(demux->format, packet);
        if (demux->io_err.code != ERR_NONE) {
            av_packet_unref(packet);
            return io_failed(demux, err);
        }
        if (status >= 0) {
            demux->failures = 0;
            return 1;
        }
        demux->failures++;
        if (status == AVERROR_EOF || demux->failures > MAX_FAILURES) {
            return 0;
        }
    }
}

void demux_keep_streams(struct demux *demux, int stream, int other) {
    for (unsigned i = 0; i < demux->format->nb_streams; i++) {
        bool keep = (int)i == stream || (int)i == other;
        demux->format->streams[i]->discard = keep ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
}

void demux_ghost(struct demux *demux) {
    demux->ghost = true;
    demux->format->flags |= AVFMT_FLAG_NOPARSE;
}

static bool seek_byte(struct demux *demux, int64_t position) {
    return position >= 0 && av_seek_frame(demux->format, -1, position, AVSEEK_FLAG_BYTE) >= 0;
}

bool demux_seek_time(struct demux *demux, int stream, int64_t time) {
    demux->failures = 0;
    return av_seek_frame(demux->format, stream, time, AVSEEK_FLAG_BACKWARD) >= 0;
}

bool demux_seek(struct demux *demux, int stream, const struct random_access *access) {
    AVStream *target = demux->format->streams[stream];
    int64_t time = access->dts != AV_NOPTS_VALUE ? access->dts : access->pts;
    demux->failures = 0;
    switch (demux->container->reach) {
    case REACH_BYTE:
        return seek_byte(demux, access->position);
    case REACH_RAW:
        return seek_byte(demux, access->position < RAW_STEP ? 0 : access->position - RAW_STEP);
    case REACH_CLUSTER:
        if (access->position >= 0) {
            /* A second entry behind: the demuxer would read on to find out whether the
             * last one is the last. */
            time = access->pts;
            av_add_index_entry(target, access->position, time, 0, 0, AVINDEX_KEYFRAME);
            av_add_index_entry(target, access->position, time + 1, 0, 0, AVINDEX_KEYFRAME);
        }
        break;
    case REACH_TABLES:
    case REACH_TIME:
        break;
    }
    return demux_seek_time(demux, stream, time);
}
