/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of codecs, and the timing of a track: see track_codec.h. */
#include "track_codec.h"

#include <string.h>

#include "fragment.h"

static const struct track_codec *const codecs[] = {&track_codec_h264, &track_codec_av1,
                                                   &track_codec_aac};

/* Of what others package. */
static const struct track_codec *const foreign[] = {&track_codec_hvc1, &track_codec_hev1,
                                                    &track_codec_opus, &track_codec_ac3,
                                                    &track_codec_eac3, &track_codec_flac};

enum {
    CODECS = sizeof(codecs) / sizeof(codecs[0]),
    FOREIGN = sizeof(foreign) / sizeof(foreign[0])
};
enum { REORDER_MAX = 16, PRIMING_MAX = 1 << 16 };

int track_codec_find(const struct track_codec **out, enum codec_id codec, struct err *err) {
    for (int i = 0; i < CODECS; i++) {
        if (codecs[i]->codec == codec) {
            *out = codecs[i];
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "this version packages no %s", codec_name(codec));
}

int track_codec_find_entry(const struct track_codec **out, const char *sample_entry,
                           struct err *err) {
    for (int i = 0; i < CODECS; i++) {
        if (strcmp(codecs[i]->sample_entry, sample_entry) == 0) {
            *out = codecs[i];
            return 0;
        }
    }
    for (int i = 0; i < FOREIGN; i++) {
        if (strcmp(foreign[i]->sample_entry, sample_entry) == 0) {
            *out = foreign[i];
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "this version knows no sample entry %s", sample_entry);
}

static int video_layout(struct track_layout *layout, const struct track_config *track,
                        struct err *err) {
    const struct video_spec *spec = track->video;
    if (spec->rate.num <= 0 || spec->rate.num > UINT32_MAX || spec->rate.den <= 0 ||
        spec->rate.den > INT32_MAX) {
        return err_set(err, ERR_INVALID, "a rate of %lld/%lld fits no timescale of 32 bits",
                       (long long)spec->rate.num, (long long)spec->rate.den);
    }
    if (spec->width < 1 || spec->width > UINT16_MAX || spec->height < 1 ||
        spec->height > UINT16_MAX) {
        return err_set(err, ERR_INVALID, "a picture of %dx%d fits no sample entry", spec->width,
                       spec->height);
    }
    if (track->reorder_frames < 0 || track->reorder_frames > REORDER_MAX) {
        return err_set(err, ERR_INVALID, "pictures can't be reordered by %d frames",
                       track->reorder_frames);
    }
    layout->timescale = (uint32_t)spec->rate.num;
    layout->sample_duration = (uint32_t)spec->rate.den;
    layout->media_time = track->reorder_frames * spec->rate.den;
    layout->default_flags = SAMPLE_FLAGS_NON_SYNC;
    return 0;
}

static int sound_layout(struct track_layout *layout, const struct track_config *track,
                        struct err *err) {
    const struct audio_spec *spec = track->audio;
    if (spec->sample_rate < 1 || spec->sample_rate > UINT16_MAX || spec->channels < 1) {
        return err_set(err, ERR_INVALID, "sound of %d Hz and %d channels fits no sample entry",
                       spec->sample_rate, spec->channels);
    }
    if (track->priming < 0 || track->priming > PRIMING_MAX || track->duration < 1) {
        return err_set(err, ERR_INVALID, "%d samples of priming and %lld of sound make no track",
                       track->priming, (long long)track->duration);
    }
    layout->timescale = (uint32_t)spec->sample_rate;
    layout->sample_duration = (uint32_t)layout->codec->packet_samples;
    layout->media_time = track->priming;
    layout->edit_duration = track->duration;
    layout->default_flags = SAMPLE_FLAGS_SYNC;
    return 0;
}

int track_layout_of(struct track_layout *out, const struct track_config *track, struct err *err) {
    struct track_layout layout = {.video = track->video != NULL};
    enum codec_id codec = layout.video ? track->video->codec : track->audio->codec;
    int failed = track_codec_find(&layout.codec, codec, err);
    if (failed == 0 && codec_is_video(codec) != layout.video) {
        failed = err_set(err, ERR_INVALID, "%s is no codec of such a track", codec_name(codec));
    }
    if (failed == 0) {
        failed = layout.video ? video_layout(&layout, track, err)
                              : sound_layout(&layout, track, err);
    }
    if (failed == 0) {
        failed = layout.codec->track_check(track, err);
    }
    if (failed == 0) {
        *out = layout;
    }
    return failed;
}

int64_t sound_packets_before(const struct track_layout *layout, const struct grid *grid,
                             size_t segment) {
    struct timeline until = {.rate = grid->rate, .frames = grid_segment_frame(grid, segment)};
    if (until.frames == 0) {
        return 0;
    }
    int64_t samples = title_audio_samples(&until, (int)layout->timescale) + layout->media_time;
    return ticks_scale(samples, 1, layout->sample_duration, ROUND_UP);
}

int track_codecs_string(const struct track_config *track, char *out, size_t size, struct err *err) {
    const struct track_codec *codec = NULL;
    enum codec_id id = track->video != NULL ? track->video->codec : track->audio->codec;
    int failed = track_codec_find(&codec, id, err);
    if (failed != 0) {
        return failed;
    }
    return codec->codecs_string(track->record, track->record_size, out, size, err);
}
