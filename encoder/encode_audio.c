/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole track of sound: decoded, laid on the title's timeline, encoded. */
#include <libavutil/frame.h>

#include "audio.h"
#include "cpu.h"
#include "encoder/encoder.h"
#include "loudness.h"
#include "sound.h"
#include "source.h"

enum { PROGRESS_BLOCKS = 64 }; /* between two calls of progress */

struct track_encode {
    const struct encode_audio_task *task;
    const struct coded_sink *sink;
    const struct audio_codec *codec;
    void *state;                  /* the codec's, owned */
    struct loudness_meter *meter; /* owned */
    int64_t samples;              /* of the title */
    int64_t blocks;               /* encoded so far */
    int64_t packets;              /* handed on so far */
    int64_t packets_wanted;
    double encode_cpu_s;
};

/* Hands on packets until the title and the priming are covered. */
static int take_packet(void *context, const struct coded_packet *packet, struct err *err) {
    struct track_encode *encode = context;
    if (encode->packets == encode->packets_wanted) {
        return 0;
    }
    encode->packets++;
    return encode->sink->packet(encode->sink->context, 0, packet, err);
}

/* What fills up the last block is no sound of the title. */
static int measure_block(struct track_encode *encode, float *const *planes, struct err *err) {
    int64_t left = encode->samples - encode->blocks * encode->codec->block;
    int count = left < encode->codec->block ? (int)left : encode->codec->block;
    return loudness_meter_add(encode->meter, planes, count, err);
}

static int take_block(void *context, float *const *planes, struct err *err) {
    struct track_encode *encode = context;
    const struct encode_audio_task *task = encode->task;
    double before = cpu_seconds();
    int rc = encode->codec->encode(encode->state, planes, take_packet, encode, err);
    if (rc == 0) {
        rc = measure_block(encode, planes, err);
    }
    encode->encode_cpu_s += cpu_seconds() - before;
    if (rc < 0) {
        return rc;
    }
    int64_t done = ++encode->blocks * encode->codec->block;
    done = done < encode->samples ? done : encode->samples;
    if (task->progress != NULL && encode->blocks % PROGRESS_BLOCKS == 0 &&
        task->progress(task->progress_context, done, encode->samples) != 0) {
        return err_set(err, ERR_CANCELLED, "encoding was cancelled");
    }
    return 0;
}

static int encode_track(struct track_encode *encode, struct sound_source *source,
                        struct encode_stats *stats, struct err *err) {
    const struct audio_spec *spec = &encode->task->spec;
    const struct sound_options options = {
        .sample_rate = spec->sample_rate,
        .channels = spec->channels,
        .block = encode->codec->block,
        .samples = encode->samples,
        .emit = take_block,
        .context = encode,
    };
    struct sound *sound = sound_create(&options);
    struct encode_stats found = {0};
    int rc;
    for (;;) {
        const AVFrame *samples;
        struct rational start;
        double before = cpu_seconds();
        rc = sound_source_next(source, &samples, &start, err);
        found.decode_cpu_s += cpu_seconds() - before;
        if (rc <= 0) {
            break;
        }
        found.frames_decoded++;
        rc = sound_add(sound, samples, start, err);
        if (rc < 0) {
            break;
        }
    }
    if (rc == 0) {
        rc = sound_finish(sound, err);
    }
    if (rc == 0) {
        rc = encode->codec->flush(encode->state, take_packet, encode, err);
    }
    if (rc == 0 && encode->packets != encode->packets_wanted) {
        rc = err_set(err, ERR_INTERNAL, "the encoder gave %lld packets where %lld cover the title",
                     (long long)encode->packets, (long long)encode->packets_wanted);
    }
    if (rc == 0) {
        rc = loudness_meter_read(encode->meter, &found.loudness, err);
        found.has_loudness = rc == 0;
    }
    if (rc == 0) {
        found.encode_cpu_s = encode->encode_cpu_s;
        *stats = found;
    }
    sound_destroy(sound);
    return rc;
}

int encoder_encode_audio(const struct encode_audio_task *task, const struct source_io *io,
                         const struct coded_sink *sink, struct encode_stats *stats,
                         struct err *err) {
    struct sound_source *source = NULL;
    struct track_encode encode = {.task = task, .sink = sink};
    /* libavcodec 61 codes AAC by float kernels that differ between processors. */
    cpu_use_common();
    int rc = audio_codec_check(&encode.codec, &task->spec, err);
    if (rc < 0) {
        goto out;
    }
    struct coded_config config;
    rc = encode.codec->open(&encode.state, &task->spec, &config, err);
    if (rc < 0) {
        goto out;
    }
    encode.samples = title_audio_samples(&task->source->timeline, task->spec.sample_rate);
    encode.packets_wanted = (encode.samples + config.priming + encode.codec->block - 1) /
                            encode.codec->block;
    rc = sink->config(sink->context, 0, &config, err);
    if (rc < 0) {
        goto out;
    }
    rc = loudness_meter_create(&encode.meter, task->spec.sample_rate, task->spec.channels, err);
    if (rc < 0) {
        goto out;
    }
    rc = sound_source_open(&source, task->source, task->track, io, err);
    if (rc == 0) {
        rc = encode_track(&encode, source, stats, err);
    }
out:
    sound_source_close(source);
    loudness_meter_destroy(encode.meter);
    if (encode.codec != NULL) {
        encode.codec->close(encode.state);
    }
    return rc;
}
