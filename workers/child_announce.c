/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this worker encodes with: see child_announce.h. */
#include "child_announce.h"

#include <stdio.h>

#include "common/json.h"
#include "encoder/encoder.h"
#include "packager/packager.h"

/* What older workers do not know. A codec has to be named: posters are of this one. */
static const struct api_encoder known[] = {
    {.name = KNOWS_IMAGES_NAME, .codec = CODEC_AV1, .build_line = KNOWS_IMAGES_LINE},
    {.name = KNOWS_LEAVE_NAME, .codec = CODEC_AV1, .build_line = KNOWS_LEAVE_LINE},
    {.name = KNOWS_FALLS_BACK_NAME, .codec = CODEC_AV1, .build_line = KNOWS_FALLS_BACK_LINE},
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

void announcement_make(struct announcement *out) {
    size_t rows = 0;
    while (encoder_info_at(rows) != NULL) {
        rows++;
    }
    out->encoders = arena_zero(&out->arena, rows + KNOWN_COUNT, sizeof(*out->encoders));
    for (size_t i = 0; i < rows; i++) {
        const struct encoder_info *info = encoder_info_at(i);
        const char *line = encoder_build_line(info->name);
        if (line != NULL) {
            out->encoders[out->count++] = (struct api_encoder){
                .name = info->name,
                .codec = info->codec,
                .build_line =
                    arena_format(&out->arena, "%s layout=%d", line, PACKAGER_LAYOUT_VERSION),
                .tail_frames = info->tail_frames,
            };
        }
    }
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        out->encoders[out->count++] = known[i];
    }
}

void announcement_finish(struct announcement *announcement) {
    arena_finish(&announcement->arena);
    *announcement = (struct announcement){0};
}

/* NULL of what is no encoder. */
static const char *library_of(const char *encoder) {
    size_t i = 0;
    while (encoder_info_at(i) != NULL && encoder_info_at(i)->name != encoder) {
        i++;
    }
    return encoder_info_at(i) != NULL ? encoder_info_at(i)->library : NULL;
}

int versions_print(void) {
    struct announcement announcement = {0};
    struct buf text = {0};
    struct writer w = writer_of(&text);
    announcement_make(&announcement);
    writer_object(&w, NULL);
    writer_array(&w, "encoders");
    for (size_t i = 0; i < announcement.count; i++) {
        const struct api_encoder *encoder = &announcement.encoders[i];
        const char *library = library_of(encoder->name);
        if (library == NULL) {
            continue;
        }
        writer_object(&w, NULL);
        writer_string(&w, "name", encoder->name);
        writer_string(&w, "codec", codec_name(encoder->codec));
        writer_string(&w, "library", library);
        writer_string(&w, "build_line", encoder->build_line);
        writer_int(&w, "tail_frames", encoder->tail_frames);
        writer_object_end(&w);
    }
    writer_array_end(&w);
    writer_array(&w, "libraries");
    for (size_t i = 0; encoder_library_at(i) != NULL; i++) {
        writer_string(&w, NULL, encoder_library_at(i));
    }
    writer_array_end(&w);
    writer_object_end(&w);
    int failed = printf("%s\n", buf_text(&text)) < 0;
    buf_finish(&text);
    announcement_finish(&announcement);
    return failed;
}
