/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What coded bytes depend on beside spec and source, and the tables as others see them. */
#include <gnu/libc-version.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <string.h>

#include "audio.h"
#include "encoder/encoder.h"
#include "image_avif.h"
#include "picture.h"
#include "sound.h"
#include "video.h"

/* Raised by hand with every change of our media code that can change a coded byte. The worker of
 * another build that tests/farm/daemons has made is compiled with one of its own. */
#ifndef REELFARM_MEDIA_REVISION
#define REELFARM_MEDIA_REVISION 2
#endif

enum { ROWS_MAX = 16, LINE_BYTES = 384, LIBRARY_BYTES = 48 };

static const char *libav_text(char *text, const char *name, unsigned version) {
    snprintf(text, LIBRARY_BYTES, "%s %u.%u.%u", name, version >> 16, version >> 8 & 255,
             version & 255);
    return text;
}

static const char *format_library(void) {
    static char text[LIBRARY_BYTES];
    return libav_text(text, "libavformat", avformat_version());
}

static const char *codec_library(void) {
    static char text[LIBRARY_BYTES];
    return libav_text(text, "libavcodec", avcodec_version());
}

static const char *filter_library(void) {
    static char text[LIBRARY_BYTES];
    return libav_text(text, "libavfilter", avfilter_version());
}

static const char *c_library(void) {
    static char text[LIBRARY_BYTES];
    snprintf(text, sizeof(text), "libc %s", gnu_get_libc_version());
    return text;
}

static const char *(*const libraries[])(void) = {
    format_library, codec_library, filter_library, sound_library, picture_library, c_library,
};

enum { LIBRARY_COUNT = sizeof(libraries) / sizeof(libraries[0]) };

const char *encoder_library_at(size_t index) {
    return index < LIBRARY_COUNT ? libraries[index]() : NULL;
}

/* Video rows, audio rows, then that of images; fakes only where `fakes` says so. */
static bool row_at(size_t index, bool fakes, struct encoder_info *row) {
    const struct video_codec *video;
    for (size_t i = 0; (video = video_codec_at(i)) != NULL; i++) {
        if ((fakes || !(video->capabilities & VIDEO_FAKE)) && index-- == 0) {
            *row = (struct encoder_info){video->name, video->codec, video->library(),
                                         video->tail_frames};
            return true;
        }
    }
    const struct audio_codec *audio;
    for (size_t i = 0; (audio = audio_codec_at(i)) != NULL; i++) {
        if (index-- == 0) {
            *row = (struct encoder_info){audio->name, audio->codec, audio->library(), 0};
            return true;
        }
    }
    if (index == 0) { /* posters are AV1 pictures */
        *row = (struct encoder_info){"posters", CODEC_AV1, image_avif_library(), 0};
    }
    return index == 0;
}

const struct encoder_info *encoder_info_at(size_t index) {
    static struct encoder_info rows[ROWS_MAX];
    return index < ROWS_MAX && row_at(index, false, &rows[index]) ? &rows[index] : NULL;
}

/* " libname=version" for "libname version". */
static void append_library(char *line, const char *library) {
    size_t used = strlen(line);
    snprintf(line + used, LINE_BYTES - used, " %s", library);
    char *space = strchr(line + used + 1, ' ');
    if (space != NULL) {
        *space = '=';
    }
}

const char *encoder_build_line(const char *encoder) {
    static char lines[ROWS_MAX][LINE_BYTES];
    struct encoder_info row;
    for (size_t i = 0; i < ROWS_MAX && row_at(i, true, &row); i++) {
        if (strcmp(row.name, encoder) != 0) {
            continue;
        }
        snprintf(lines[i], LINE_BYTES, "encoder=%s media=%d", row.name, REELFARM_MEDIA_REVISION);
        append_library(lines[i], row.library);
        for (size_t k = 0; k < LIBRARY_COUNT; k++) {
            if (strcmp(libraries[k](), row.library) != 0) {
                append_library(lines[i], libraries[k]());
            }
        }
        return lines[i];
    }
    return NULL;
}
