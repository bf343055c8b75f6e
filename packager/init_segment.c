/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CMAF header (ISO/IEC 23000-19 7.3.1): ftyp and a moov without samples. The
 * major brand is iso6, since that names the file features a reader needs (tfdt,
 * default-base-is-moof) and MSE refuses brands it does not know; cmfc and that of the
 * codec, where it wants one, stand beside it. All times of day are 0 and hdlr has no name, so that
 * the bytes are a function of the track alone.
 */
#include "fragment.h"
#include "sample_entries.h"
#include "track_codec.h"

static void matrix_write(struct buf *out) {
    static const uint32_t unity[] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (size_t i = 0; i < sizeof(unity) / sizeof(unity[0]); i++) {
        buf_u32(out, unity[i]);
    }
}

static void file_type_write(const struct track_layout *layout, struct buf *out) {
    size_t box = mp4_open(out, "ftyp");
    buf_string(out, "iso6");
    buf_u32(out, 0);
    buf_string(out, "iso6");
    buf_string(out, "cmfc");
    buf_string(out, layout->codec->brand != NULL ? layout->codec->brand : "");
    mp4_close(out, box);
}

/* Both headers tell durations of 0: those of fragments count (14496-12 8.8.2.1). */
static void movie_header_write(const struct track_layout *layout, struct buf *out) {
    size_t box = mp4_full_open(out, "mvhd", 0, 0);
    buf_zero(out, 8); /* creation and modification time */
    buf_u32(out, layout->timescale);
    buf_u32(out, 0);
    buf_u32(out, 0x10000); /* rate */
    buf_u16(out, 0x100);   /* volume */
    buf_zero(out, 10);
    matrix_write(out);
    buf_zero(out, 24);
    buf_u32(out, TRACK_ID + 1);
    mp4_close(out, box);
}

static void track_header_write(const struct track_config *track, struct buf *out) {
    size_t box = mp4_full_open(out, "tkhd", 0, 7); /* enabled, in movie, in preview */
    buf_zero(out, 8);
    buf_u32(out, TRACK_ID);
    buf_zero(out, 4 + 4 + 8 + 2 + 2); /* reserved, duration, reserved, layer, group */
    buf_u16(out, track->video != NULL ? 0 : 0x100);
    buf_u16(out, 0);
    matrix_write(out);
    buf_u32(out, track->video != NULL ? (uint32_t)track->video->width << 16 : 0);
    buf_u32(out, track->video != NULL ? (uint32_t)track->video->height << 16 : 0);
    mp4_close(out, box);
}

/* Presentation time 0 is media_time (STANDARDS sections 3 and 8). */
static void edit_list_write(const struct track_layout *layout, struct buf *out) {
    if (layout->media_time == 0 && layout->edit_duration == 0) {
        return;
    }
    bool wide = layout->edit_duration > UINT32_MAX || layout->media_time > INT32_MAX;
    size_t edits = mp4_open(out, "edts");
    size_t box = mp4_full_open(out, "elst", wide ? 1 : 0, 0);
    buf_u32(out, 1);
    if (wide) {
        buf_u64(out, (uint64_t)layout->edit_duration);
        buf_u64(out, (uint64_t)layout->media_time);
    } else {
        buf_u32(out, (uint32_t)layout->edit_duration);
        buf_u32(out, (uint32_t)layout->media_time);
    }
    buf_u32(out, 0x10000); /* rate 1 */
    mp4_close(out, box);
    mp4_close(out, edits);
}

/* mdhd knows codes of three letters; any other BCP 47 tag goes into elng. */
static bool is_three_letters(const char *language) {
    int count = 0;
    for (; language[count] >= 'a' && language[count] <= 'z'; count++) {
    }
    return count == 3 && language[3] == '\0';
}

static void media_header_write(const struct track_layout *layout, const char *language,
                               struct buf *out) {
    const char *code = is_three_letters(language) ? language : "und";
    size_t box = mp4_full_open(out, "mdhd", 0, 0);
    buf_zero(out, 8);
    buf_u32(out, layout->timescale);
    buf_u32(out, 0);
    buf_u16(out, (uint16_t)((code[0] - 0x60) << 10 | (code[1] - 0x60) << 5 | (code[2] - 0x60)));
    buf_u16(out, 0);
    mp4_close(out, box);
    if (code != language && language[0] != '\0') {
        box = mp4_full_open(out, "elng", 0, 0);
        buf_string(out, language);
        buf_u8(out, 0);
        mp4_close(out, box);
    }
}

static void handler_write(const struct track_layout *layout, struct buf *out) {
    size_t box = mp4_full_open(out, "hdlr", 0, 0);
    buf_u32(out, 0);
    buf_string(out, layout->video ? "vide" : "soun");
    buf_zero(out, 12);
    buf_u8(out, 0); /* no name */
    mp4_close(out, box);
}

static void data_information_write(struct buf *out) {
    size_t box = mp4_open(out, "dinf");
    size_t references = mp4_full_open(out, "dref", 0, 0);
    buf_u32(out, 1);
    mp4_close(out, mp4_full_open(out, "url ", 0, 1)); /* in this file */
    mp4_close(out, references);
    mp4_close(out, box);
}

static void sample_table_write(const struct track_config *track, const struct track_layout *layout,
                               struct buf *out) {
    static const struct {
        const char *type;
        size_t fields; /* bytes, all 0: no entries */
    } empty[] = {{"stts", 4}, {"stsc", 4}, {"stsz", 8}, {"stco", 4}};
    size_t table = mp4_open(out, "stbl");
    sample_description_write(track, layout, out);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        size_t box = mp4_full_open(out, empty[i].type, 0, 0);
        buf_zero(out, empty[i].fields);
        mp4_close(out, box);
    }
    mp4_close(out, table);
}

static void media_write(const struct track_config *track, const struct track_layout *layout,
                        struct buf *out) {
    size_t media = mp4_open(out, "mdia");
    media_header_write(layout, layout->video ? "und" : track->audio->language, out);
    handler_write(layout, out);
    size_t information = mp4_open(out, "minf");
    size_t header = layout->video ? mp4_full_open(out, "vmhd", 0, 1)
                                  : mp4_full_open(out, "smhd", 0, 0);
    buf_zero(out, layout->video ? 8 : 4);
    mp4_close(out, header);
    data_information_write(out);
    sample_table_write(track, layout, out);
    mp4_close(out, information);
    mp4_close(out, media);
}

static void track_extends_write(const struct track_layout *layout, struct buf *out) {
    size_t extends = mp4_open(out, "mvex");
    size_t box = mp4_full_open(out, "trex", 0, 0);
    buf_u32(out, TRACK_ID);
    buf_u32(out, 1); /* sample description */
    buf_u32(out, layout->sample_duration);
    buf_u32(out, 0); /* sizes stand in each trun */
    buf_u32(out, layout->default_flags);
    mp4_close(out, box);
    mp4_close(out, extends);
}

int init_segment_write(const struct track_config *track, struct buf *out, struct err *err) {
    struct track_layout layout;
    int failed = track_layout_of(&layout, track, err);
    if (failed != 0) {
        return failed;
    }
    file_type_write(&layout, out);
    size_t movie = mp4_open(out, "moov");
    movie_header_write(&layout, out);
    size_t box = mp4_open(out, "trak");
    track_header_write(track, out);
    edit_list_write(&layout, out);
    media_write(track, &layout, out);
    mp4_close(out, box);
    track_extends_write(&layout, out);
    mp4_close(out, movie);
    return 0;
}
