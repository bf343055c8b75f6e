/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built-in ladders, ladder files, and ladders as JSON: see ladders.h. */
#include "ladders/ladders.h"

#include <stdio.h>
#include <string.h>

#include "builtin.h"
#include "common/buf.h"
#include "common/fs.h"
#include "common/wire_fields.h"
#include "common/yaml.h"
#include "parse.h"

enum { FILE_MAX = 64 * 1024 };

const char *ladder_builtin_at(size_t index) {
    return index < ladder_builtin_count ? ladder_builtins[index].name : NULL;
}

const char *ladder_builtin_text(const char *name) {
    for (size_t i = 0; i < ladder_builtin_count; i++) {
        if (strcmp(ladder_builtins[i].name, name) == 0) {
            return ladder_builtins[i].text;
        }
    }
    return NULL;
}

/* "ladders/mine.yaml" is called "mine". */
static void name_of(const char *where, char *out, size_t size) {
    const char *slash = strrchr(where, '/');
    snprintf(out, size, "%s", slash != NULL ? slash + 1 : where);
    char *dot = strrchr(out, '.');
    if (dot != NULL && dot != out && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0)) {
        *dot = '\0';
    }
}

int ladder_parse(struct ladder *out, const char *where, const void *text, size_t size,
                 struct err *err) {
    struct err local = {0};
    struct err *e = err != NULL ? err : &local;
    struct json *root = NULL;
    if (size > FILE_MAX) {
        return err_set(err, ERR_INVALID, "%s: has %zu bytes; a ladder has at most %d", where, size,
                       (int)FILE_MAX);
    }
    int rc = yaml_tree_parse(&root, text, size, where, e);
    if (rc == 0) {
        struct reader r = yaml_reader(root, where, e);
        ladder_file_read(out, &r);
        rc = e->code;
    }
    if (rc == 0) {
        name_of(where, out->name, sizeof(out->name));
    }
    json_tree_destroy(root);
    return rc;
}

int ladder_load(struct ladder *out, const char *name_or_path, struct err *err) {
    const char *text = ladder_builtin_text(name_or_path);
    if (text != NULL) {
        return ladder_parse(out, name_or_path, text, strlen(text), err);
    }
    struct err local = {0};
    struct buf file = {0};
    int rc = fs_read(&file, name_or_path, FILE_MAX, &local);
    if (rc == 0) {
        rc = ladder_parse(out, name_or_path, file.data, file.size, err);
    } else if (rc == ERR_NOT_FOUND) {
        err_set(err, rc, "there is no ladder '%s': it is not a file, and the built-in ones are %s",
                name_or_path, ladder_builtin_list);
    } else {
        err_set(err, rc, "%s", local.message);
    }
    buf_finish(&file);
    return rc;
}

/* ---- JSON ------------------------------------------------------------------------- */

static const struct field video_fields[] = {
    NUMBER(struct ladder_video_rung, height, 0, 4320),
    CHOICE(struct ladder_video_rung, codec, CODEC_H264, wire_codec_names),
    NAME(struct ladder_video_rung, encoder, 1),
    NAME(struct ladder_video_rung, preset, 0),
    NAME(struct ladder_video_rung, tune, 0),
    NAME(struct ladder_video_rung, profile, 0),
    NUMBER(struct ladder_video_rung, crf_hundredths, 0, 6300),
    NUMBER(struct ladder_video_rung, maxrate_bps, 0, INT32_MAX),
    NUMBER(struct ladder_video_rung, bufsize_bits, 0, INT64_C(10) * INT32_MAX),
    NUMBER(struct ladder_video_rung, vbv_init_percent, 0, 100),
    NUMBER(struct ladder_video_rung, bit_depth, 8, 10),
    NUMBER(struct ladder_video_rung, threads, 1, 16),
    FLAG(struct ladder_video_rung, lossless),
    END,
};

static const struct field audio_fields[] = {
    CHOICE(struct ladder_audio_rung, codec, CODEC_H264, wire_codec_names),
    NAME(struct ladder_audio_rung, encoder, 1),
    NUMBER(struct ladder_audio_rung, channels, 1, 2),
    NUMBER(struct ladder_audio_rung, bitrate_bps, 8000, 10000000),
    END,
};

/* Stored ladders of before it say nothing of images, and are compared with new ones. */
static void images_write(const void *from, struct writer *w, const char *name) {
    if (((const struct ladder *)from)->images) {
        writer_bool(w, name, true);
    }
}

static void images_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    if (reader_has(r, name)) {
        reader_bool(r, name, &((struct ladder *)to)->images);
    }
}

static const struct field ladder_fields[] = {
    TEXT(struct ladder, name),
    TEXT(struct ladder, description),
    NUMBER(struct ladder, gop_ms, 500, 10000),
    NUMBER(struct ladder, segment_gops, 1, 10),
    NUMBER(struct ladder, chunk_ms, 1000, 600000),
    RATIONAL(struct ladder, max_rate, 1, 1000000),
    CHOICE(struct ladder, deinterlace, 0, wire_deinterlace_names),
    OTHER("images", images_write, images_read),
    END,
};

void ladder_write(const struct ladder *ladder, struct writer *w, const char *name) {
    writer_object(w, name);
    fields_write(ladder_fields, ladder, w);
    writer_array(w, "waive");
    for (int i = 0; i < ladder->waive_count; i++) {
        writer_string(w, NULL, ladder->waive[i]);
    }
    writer_array_end(w);
    writer_array(w, "video");
    for (int i = 0; i < ladder->video_count; i++) {
        object_write(video_fields, &ladder->video[i], w, NULL);
    }
    writer_array_end(w);
    writer_array(w, "audio");
    for (int i = 0; i < ladder->audio_count; i++) {
        object_write(audio_fields, &ladder->audio[i], w, NULL);
    }
    writer_array_end(w);
    writer_object_end(w);
}

/* Fills `rungs` of `size` bytes each from a list of `least` to `most`. */
static int rungs_read(const struct field *fields, void *rungs, size_t size, size_t least,
                      size_t most, struct reader *r, const char *name) {
    struct reader items = reader_array(r, name);
    size_t count = reader_count(&items);
    if (count < least || count > most) {
        reader_fail(r, name, "has %zu entries; %zu to %zu are allowed", count, least, most);
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        fields_read(fields, (char *)rungs + i * size, NULL, &item);
    }
    return reader_ok(r) ? (int)count : 0;
}

int ladder_read(struct ladder *out, struct reader *r, struct err *err) {
    struct ladder ladder = {0};
    fields_read(ladder_fields, &ladder, NULL, r);
    ladder_waive_read(&ladder, r);
    ladder.video_count = rungs_read(video_fields, ladder.video, sizeof(ladder.video[0]), 1,
                                    sizeof(ladder.video) / sizeof(ladder.video[0]), r, "video");
    ladder.audio_count = rungs_read(audio_fields, ladder.audio, sizeof(ladder.audio[0]), 0,
                                    sizeof(ladder.audio) / sizeof(ladder.audio[0]), r, "audio");
    if (!reader_ok(r)) {
        return r->err == err ? err->code : err_pass(err, r->err);
    }
    *out = ladder;
    return 0;
}
