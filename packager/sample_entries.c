/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sample entries: see sample_entries.h. */
#include "sample_entries.h"

static void colour_write(const struct colour *colour, struct buf *out) {
    size_t box = mp4_open(out, "colr");
    buf_string(out, "nclx");
    buf_u16(out, (uint16_t)colour->primaries);
    buf_u16(out, (uint16_t)colour->transfer);
    buf_u16(out, (uint16_t)colour->matrix);
    buf_u8(out, colour->full_range ? 0x80 : 0);
    mp4_close(out, box);
}

static void square_pixels_write(struct buf *out) {
    size_t box = mp4_open(out, "pasp");
    buf_u32(out, 1);
    buf_u32(out, 1);
    mp4_close(out, box);
}

static void entry_head_write(struct buf *out) {
    buf_zero(out, 6);
    buf_u16(out, 1); /* data_reference_index */
}

static void visual_entry_write(const struct track_config *track, const struct track_layout *layout,
                               struct buf *out) {
    size_t box = mp4_open(out, layout->codec->sample_entry);
    entry_head_write(out);
    buf_zero(out, 16);
    buf_u16(out, (uint16_t)track->video->width);
    buf_u16(out, (uint16_t)track->video->height);
    buf_u32(out, 0x00480000); /* 72 dpi, a template value */
    buf_u32(out, 0x00480000);
    buf_u32(out, 0);
    buf_u16(out, 1);   /* frame_count */
    buf_zero(out, 32); /* compressorname: no encoder's name */
    buf_u16(out, 24);  /* depth: colour without alpha */
    buf_u16(out, 0xffff);
    layout->codec->configuration_write(track, out);
    colour_write(&track->video->colour, out);
    square_pixels_write(out);
    mp4_close(out, box);
}

static void audio_entry_write(const struct track_config *track, const struct track_layout *layout,
                              struct buf *out) {
    size_t box = mp4_open(out, layout->codec->sample_entry);
    entry_head_write(out);
    buf_zero(out, 8);
    buf_u16(out, (uint16_t)track->audio->channels);
    buf_u16(out, 16); /* samplesize, a template value */
    buf_u32(out, 0);
    buf_u32(out, (uint32_t)track->audio->sample_rate << 16);
    layout->codec->configuration_write(track, out);
    mp4_close(out, box);
}

void sample_description_write(const struct track_config *track, const struct track_layout *layout,
                              struct buf *out) {
    size_t box = mp4_full_open(out, "stsd", 0, 0);
    buf_u32(out, 1);
    if (layout->video) {
        visual_entry_write(track, layout, out);
    } else {
        audio_entry_write(track, layout, out);
    }
    mp4_close(out, box);
}
