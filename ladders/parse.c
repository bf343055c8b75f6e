/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ladder file into a ladder. The settings of a rung may also stand at the top:
 * they are then what every rung has that does not say otherwise.
 */
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/yaml.h"
#include "encoders.h"

enum {
    HEIGHT_MIN = 16,
    HEIGHT_MAX = 4320,
    BITRATE_MIN = 8000,
    BITRATE_MAX = 800000000, /* H.264's level 6.2 */
};

/* A rung while it is read: what was given in other units than it is kept in. */
struct draft {
    struct ladder_video_rung rung;
    int bufsize_ms;
};

/* ---- values --------------------------------------------------------------------- */

/* The member's text where it is a string, else NULL; no error either way. */
static const char *text_of(const struct reader *r, const char *name) {
    struct err ignored = {0};
    struct reader quiet = *r;
    quiet.err = &ignored;
    const char *text = NULL;
    if (reader_ok(r)) {
        reader_string(&quiet, name, &text);
    }
    return text;
}

/* "4500k" or "4.5M" in bits a second: exact, so no floating point. */
static bool bitrate_of(const char *text, int64_t *out) {
    size_t whole = strspn(text, "0123456789");
    if (whole < 1 || whole > 6) {
        return false;
    }
    int64_t value = strtoll(text, NULL, 10);
    int decimals = 0;
    const char *at = text + whole;
    if (*at == '.') {
        for (at++; isdigit((unsigned char)*at) && decimals < 3; at++, decimals++) {
            value = value * 10 + (*at - '0');
        }
        if (decimals == 0) {
            return false;
        }
    }
    int zeros = *at == 'k' ? 3 : *at == 'M' ? 6 : 0;
    if (zeros == 0 || at[1] != '\0') {
        return false;
    }
    for (zeros -= decimals; zeros > 0; zeros--) {
        value *= 10;
    }
    *out = value;
    return true;
}

static void bitrate_read(struct reader *r, const char *name, int64_t *out) {
    const char *text = text_of(r, name);
    if (!reader_ok(r)) {
        return;
    }
    if (text == NULL || !bitrate_of(text, out)) {
        reader_fail(r, name, "must be a bit rate with its unit, such as 4500k or 4.5M");
    } else if (*out < BITRATE_MIN || *out > BITRATE_MAX) {
        reader_fail(r, name, "must be from %dk to %dM, not %s", BITRATE_MIN / 1000,
                    BITRATE_MAX / 1000000, text);
    }
}

/* Seconds, kept as milliseconds. */
static void seconds_read(struct reader *r, const char *name, double min, double max, int *out_ms) {
    double seconds = *out_ms / 1000.0;
    if (reader_has(r, name)) {
        reader_number(r, name, min, max, &seconds);
        *out_ms = (int)(seconds * 1000 + 0.5);
    }
}

static void whole_read(struct reader *r, const char *name, int64_t min, int64_t max, int *out) {
    int64_t value = *out;
    if (reader_has(r, name)) {
        reader_int(r, name, min, max, &value);
        *out = (int)value;
    }
}

/* With zeros behind it, so that equal ladders have equal bytes. */
static void text_set(char out[16], const char *text) {
    memset(out, 0, 16);
    memcpy(out, text, strnlen(text, 15));
}

static const char *last_of(const char *const *names) {
    while (names[1] != NULL) {
        names++;
    }
    return names[0];
}

static void choice_read(struct reader *r, const char *name, const char *const *names,
                        char out[16]) {
    int choice = 0;
    if (reader_has(r, name)) {
        reader_choice(r, name, names, &choice);
        text_set(out, names[choice]);
    }
}

/* Presets may be numbers; they are kept as text. */
static void preset_read(struct reader *r, const char *const *names, char out[16]) {
    struct err ignored = {0};
    struct reader quiet = *r;
    quiet.err = &ignored;
    int64_t number = -1;
    if (reader_ok(r) && reader_has(r, "preset") && text_of(r, "preset") == NULL) {
        reader_int(&quiet, "preset", 0, 99, &number);
    }
    if (!reader_ok(&quiet) || number < 0) {
        choice_read(r, "preset", names, out);
        return;
    }
    char text[8];
    snprintf(text, sizeof(text), "%d", (int)number);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], text) == 0) {
            text_set(out, text);
            return;
        }
    }
    reader_fail(r, "preset", "must be from %s to %s, not %s", names[0], last_of(names), text);
}

/* The encoder that `codec` and `encoder` name, or `row` where neither is there. */
static const struct encoder_row *encoder_read(struct reader *r, bool video,
                                              const struct encoder_row *row) {
    if (reader_has(r, "codec")) {
        const char *text = text_of(r, "codec");
        enum codec_id codec = text != NULL ? codec_from_name(text) : CODEC_NONE;
        const struct encoder_row *found = encoder_row_for(codec);
        if (found == NULL || codec_is_video(codec) != video) {
            char codecs[64];
            encoder_codecs(video, codecs, sizeof(codecs));
            reader_fail(r, "codec", "must be one of %s", codecs);
            return row;
        }
        row = found;
    }
    if (reader_has(r, "encoder")) {
        const char *text = text_of(r, "encoder");
        const struct encoder_row *found = text != NULL ? encoder_row_of(text) : NULL;
        if (found == NULL || found->codec != row->codec) {
            reader_fail(r, "encoder", "must be an encoder of %s, such as %s",
                        codec_name(row->codec), encoder_row_for(row->codec)->name);
            return row;
        }
        row = found;
    }
    return row;
}

/* ---- rungs ----------------------------------------------------------------------- */

/* What another encoder was told says nothing about this one. */
static void use_encoder(struct draft *draft, const struct encoder_row *row) {
    struct ladder_video_rung *rung = &draft->rung;
    rung->codec = row->codec;
    rung->bit_depth = 8;
    rung->threads = 1;
    rung->lossless = false;
    rung->maxrate_bps = 0;
    rung->crf_hundredths = row->crf_hundredths;
    text_set(rung->tune, "");
    text_set(rung->encoder, row->name);
    text_set(rung->preset, row->preset);
    text_set(rung->profile, row->profile);
}

static void rate_read(struct draft *draft, struct reader *r, const struct encoder_row *row) {
    struct ladder_video_rung *rung = &draft->rung;
    if (reader_has(r, "crf")) {
        double crf = 0;
        reader_number(r, "crf", 1, row->crf_max_hundredths / 100.0, &crf);
        rung->crf_hundredths = (int)(crf * 100 + 0.5);
        if (row->codec == CODEC_AV1 && rung->crf_hundredths % 100 != 0) {
            reader_fail(r, "crf", "must be a whole number for the encoder %s", row->name);
        }
    }
    const char *text = text_of(r, "maxrate");
    if (text != NULL && strcmp(text, "none") == 0) {
        rung->maxrate_bps = 0;
    } else if (reader_has(r, "maxrate") && !row->capped) {
        reader_fail(r, "maxrate", "is not for the encoder %s, which keeps to crf alone", row->name);
    } else if (reader_has(r, "maxrate")) {
        bitrate_read(r, "maxrate", &rung->maxrate_bps);
    }
    seconds_read(r, "bufsize_s", 0.5, 10, &draft->bufsize_ms);
    whole_read(r, "vbv_init_percent", 10, 90, &rung->vbv_init_percent);
}

static void bit_depth_read(struct draft *draft, struct reader *r, const struct encoder_row *row) {
    whole_read(r, "bit_depth", 8, row->bits_max, &draft->rung.bit_depth);
    if (draft->rung.bit_depth % 2 != 0) {
        reader_fail(r, "bit_depth", "must be 8 or 10");
    }
}

static void lossless_read(struct draft *draft, struct reader *r, const struct encoder_row *row) {
    static const char *const without[] = {"crf", "maxrate", "tune", "profile", "bit_depth", NULL};
    struct ladder_video_rung *rung = &draft->rung;
    if (reader_has(r, "lossless")) {
        reader_bool(r, "lossless", &rung->lossless);
    }
    if (rung->lossless && row->lossless_profile == NULL) {
        reader_fail(r, "lossless", "is not for the encoder %s, which has no lossless mode",
                    row->name);
    }
    for (size_t i = 0; rung->lossless && without[i] != NULL; i++) {
        if (reader_has(r, without[i])) {
            reader_fail(r, without[i], "has no meaning where lossless is true; leave it out");
        }
    }
}

/* The settings that may stand at the top as well as in a rung. */
static void settings_read(struct draft *draft, struct reader *r) {
    struct ladder_video_rung *rung = &draft->rung;
    const struct encoder_row *row = encoder_row_of(rung->encoder);
    const struct encoder_row *named = encoder_read(r, true, row);
    if (named != row) {
        use_encoder(draft, named);
        row = named;
    }
    preset_read(r, row->presets, rung->preset);
    choice_read(r, "tune", row->tunes, rung->tune);
    if (strcmp(rung->tune, "none") == 0) {
        text_set(rung->tune, "");
    }
    choice_read(r, "profile", row->profiles, rung->profile);
    rate_read(draft, r, row);
    bit_depth_read(draft, r, row);
    whole_read(r, "threads", 1, row->threads_max, &rung->threads);
    lossless_read(draft, r, row);
}

static void rung_end(struct draft *draft) {
    struct ladder_video_rung *rung = &draft->rung;
    if (rung->lossless) {
        const struct encoder_row *row = encoder_row_of(rung->encoder);
        text_set(rung->profile, row->lossless_profile);
        rung->tune[0] = '\0';
        rung->crf_hundredths = 0;
        rung->maxrate_bps = 0;
    }
    if (rung->maxrate_bps == 0) {
        rung->vbv_init_percent = 0;
    }
    rung->bufsize_bits = ticks_scale(rung->maxrate_bps, draft->bufsize_ms, 1000, ROUND_NEAR);
}

/* Only these members and those of settings_read. */
static void only_settings_and(struct reader *r, const char *const *own, size_t own_count) {
    static const char *const settings[] = {
        "codec",     "encoder",          "preset",  "tune",     "profile",   "crf", "maxrate",
        "bufsize_s", "vbv_init_percent", "threads", "lossless", "bit_depth", NULL,
    };
    const char *names[32];
    memcpy(names, own, own_count * sizeof(*own));
    memcpy(names + own_count, settings, sizeof(settings));
    reader_only(r, names);
}

static void rung_read(struct ladder *ladder, const struct draft *top, struct reader *r) {
    static const char *const own[] = {"height"};
    struct draft draft = *top;
    only_settings_and(r, own, sizeof(own) / sizeof(own[0]));
    const char *text = text_of(r, "height");
    if (text != NULL && strcmp(text, "source") == 0) {
        draft.rung.height = 0;
    } else if (text != NULL) {
        reader_fail(r, "height", "must be an even number of lines or 'source', not '%.40s'", text);
    } else {
        int64_t height = 0;
        reader_int(r, "height", HEIGHT_MIN, HEIGHT_MAX, &height);
        draft.rung.height = (int)height;
        if (height % 2 != 0) {
            reader_fail(r, "height", "must be even, not %d", draft.rung.height);
        }
    }
    settings_read(&draft, r);
    rung_end(&draft);
    for (int i = 0; i < ladder->video_count; i++) {
        const struct ladder_video_rung *other = &ladder->video[i];
        if (other->height == draft.rung.height && other->codec == draft.rung.codec) {
            reader_fail(r, "height",
                        "is that of rungs[%d] too; a ladder has one rung of a codec "
                        "and height",
                        i);
        }
    }
    ladder->video[ladder->video_count++] = draft.rung;
}

static void rungs_read(struct ladder *ladder, const struct draft *top, struct reader *r) {
    const size_t most = sizeof(ladder->video) / sizeof(ladder->video[0]);
    struct reader items = reader_array(r, "rungs");
    size_t count = reader_count(&items);
    if (reader_ok(r) && (count < 1 || count > most)) {
        reader_fail(r, "rungs", "has %zu entries; 1 to %zu are allowed", count, most);
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        rung_read(ladder, top, &item);
    }
}

/* ---- sound ----------------------------------------------------------------------- */

static void sound_read(struct ladder *ladder, struct reader *r) {
    static const char *const names[] = {"codec", "encoder", "channels", "bitrate", NULL};
    reader_only(r, names);
    const struct encoder_row *row = encoder_read(r, false, encoder_row_for(CODEC_AAC));
    struct ladder_audio_rung rung = {.codec = row->codec, .channels = 2, .bitrate_bps = 128000};
    snprintf(rung.encoder, sizeof(rung.encoder), "%s", row->name);
    whole_read(r, "channels", 1, 2, &rung.channels);
    if (reader_has(r, "bitrate")) {
        bitrate_read(r, "bitrate", &rung.bitrate_bps);
    }
    if (reader_ok(r) && (rung.bitrate_bps < 24000 || rung.bitrate_bps > 512000)) {
        reader_fail(r, "bitrate", "must be from 24k to 512k");
    }
    for (int i = 0; i < ladder->audio_count; i++) {
        if (ladder->audio[i].codec == rung.codec && ladder->audio[i].channels == rung.channels) {
            reader_fail(r, "channels",
                        "is that of audio[%d] too; a ladder has one sound of a "
                        "codec and number of channels",
                        i);
        }
    }
    ladder->audio[ladder->audio_count++] = rung;
}

static void sounds_read(struct ladder *ladder, struct reader *r) {
    const size_t most = sizeof(ladder->audio) / sizeof(ladder->audio[0]);
    struct reader items = reader_array(r, "audio");
    size_t count = reader_count(&items);
    if (count > most) {
        reader_fail(r, "audio", "has %zu entries; at most %zu are allowed", count, most);
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        sound_read(ladder, &item);
    }
}

/* ---- the file --------------------------------------------------------------------- */

static void times_read(struct ladder *ladder, struct reader *r) {
    static const char *const names[] = {"none", "frame", "field", NULL};
    int max_rate = 60;
    int deinterlace = DEINTERLACE_FRAME;
    seconds_read(r, "gop_s", 0.5, 10, &ladder->gop_ms);
    whole_read(r, "segment_gops", 1, 10, &ladder->segment_gops);
    seconds_read(r, "chunk_s", 1, 600, &ladder->chunk_ms);
    whole_read(r, "max_rate", 10, 120, &max_rate);
    if (reader_has(r, "deinterlace")) {
        reader_choice(r, "deinterlace", names, &deinterlace);
    }
    ladder->max_rate = (struct rational){max_rate, 1};
    ladder->deinterlace = (enum deinterlace)deinterlace;
    if (reader_ok(r) && ladder->chunk_ms < ladder->gop_ms * ladder->segment_gops) {
        reader_fail(r, "chunk_s", "is %g s, shorter than a segment of %d GOPs of %g s",
                    ladder->chunk_ms / 1000.0, ladder->segment_gops, ladder->gop_ms / 1000.0);
    }
}

void ladder_waive_read(struct ladder *ladder, struct reader *r) {
    if (!reader_has(r, "waive")) {
        return;
    }
    struct reader items = reader_array(r, "waive");
    size_t count = reader_count(&items);
    if (reader_ok(r) && count > LADDER_WAIVE_MAX) {
        reader_fail(r, "waive", "has %zu entries; at most %d are allowed", count,
                    (int)LADDER_WAIVE_MAX);
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        const char *id = "";
        reader_item_string(&items, i, &id);
        size_t length = strlen(id);
        if (reader_ok(r) && (length == 0 || length >= sizeof(ladder->waive[0]) ||
                             strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)) {
            reader_fail(r, "waive", "must list names of advice, and '%.40s' is not one", id);
            return;
        }
        snprintf(ladder->waive[ladder->waive_count++], sizeof(ladder->waive[0]), "%s", id);
    }
}

void ladder_file_read(struct ladder *out, struct reader *r) {
    static const char *const own[] = {"description", "gop_s", "segment_gops", "chunk_s", "max_rate",
                                      "deinterlace", "waive", "rungs",        "audio",   "images"};
    struct ladder ladder = {.gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000};
    struct draft top = {.rung = {.vbv_init_percent = 50, .threads = 1}, .bufsize_ms = 2000};
    use_encoder(&top, encoder_row_for(CODEC_H264));
    only_settings_and(r, own, sizeof(own) / sizeof(own[0]));
    if (reader_has(r, "description")) {
        reader_text(r, "description", ladder.description, sizeof(ladder.description));
    }
    if (reader_has(r, "images")) {
        reader_bool(r, "images", &ladder.images);
    }
    times_read(&ladder, r);
    ladder_waive_read(&ladder, r);
    settings_read(&top, r);
    rungs_read(&ladder, &top, r);
    if (reader_has(r, "audio")) {
        sounds_read(&ladder, r);
    }
    if (reader_ok(r)) {
        *out = ladder;
    }
}
