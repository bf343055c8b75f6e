/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a source is read without libavformat. Packets: codec, flags and size of the extradata
 * in a byte each, extradata, packet. Or an ISO media file: a codec of none, how many bytes a read
 * gives at most, then the file.
 */
#include <assert.h>
#include <string.h>

#include "common/buf.h"
#include "encoder/bitstream.h"
#include "encoder/edits.h"
#include "encoder/outline.h"
#include "harness.h"

/* ---- Packets ----------------------------------------------------------------------- */

static const enum AVCodecID codecs[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1,    AV_CODEC_ID_MPEG2VIDEO,
    AV_CODEC_ID_VP9,  AV_CODEC_ID_VP8,  AV_CODEC_ID_PRORES, AV_CODEC_ID_MPEG4,
};

enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

static void look_at_packet(enum AVCodecID codec, struct bytes bytes) {
    AVCodecParameters parameters = {.codec_type = AVMEDIA_TYPE_VIDEO, .codec_id = codec};
    bool key = (bytes_u8(&bytes) & 1) != 0;
    parameters.extradata_size = bytes_u8(&bytes);
    parameters.extradata = (uint8_t *)bytes_take(&bytes, (size_t)parameters.extradata_size);
    if (!bytes.short_read) {
        struct bitstream stream = bitstream_of(&parameters);
        bitstream_look(&stream, bytes.data + bytes.at, bytes_left(&bytes), key);
    }
}

/* ---- Boxes: outline, fragments, edit lists -------------------------------------------- */

enum { TRACKS = 3 };

struct file {
    struct bytes bytes;
    size_t most; /* of one read */
};

static int64_t read_file(void *context, int64_t offset, void *data, size_t size, struct err *err) {
    const struct file *file = context;
    (void)err;
    assert(offset >= 0);
    if (offset >= (int64_t)file->bytes.size) {
        return 0;
    }
    size_t left = file->bytes.size - (size_t)offset;
    size = size < left ? size : left;
    size = size < file->most ? size : file->most;
    memcpy(data, file->bytes.data + offset, size);
    return (int64_t)size;
}

/* What edits.h promises of a list, and a search for times round each edit. */
static void check_edits(const struct edit_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct edit *edit = &list->edits[i];
        assert(edit->start >= 0 && edit->end > edit->start && edit->end + edit->shift > 0);
        assert(edits_find(list, edit->shift, edit->start - 1) <= i);
        assert(edits_find(list, edit->shift, edit->end - 1) <= i);
    }
}

/* As the file goes by in pieces, whatever their size, the same fragments are seen. */
static void check_trail(const struct file *file, int64_t start) {
    struct fragment_trail whole;
    struct fragment_trail pieces;
    fragment_trail_start(&whole, start);
    fragment_trail_start(&pieces, start);
    fragment_trail_see(&whole, 0, file->bytes.data, file->bytes.size);
    for (size_t at = 0; at < file->bytes.size; at += file->most) {
        size_t left = file->bytes.size - at;
        fragment_trail_see(&pieces, (int64_t)at, file->bytes.data + at,
                           left < file->most ? left : file->most);
    }
    assert(whole.count == pieces.count);
    for (size_t i = 0; i < whole.count; i++) {
        assert(whole.fragments[i] == pieces.fragments[i]);
        assert(i == 0 || whole.fragments[i] > whole.fragments[i - 1]);
        assert(fragment_trail_before(&whole, whole.fragments[i]) == whole.fragments[i]);
    }
    fragment_trail_finish(&whole);
    fragment_trail_finish(&pieces);
}

static void look_at_file(struct bytes bytes) {
    size_t most = 1 + (size_t)bytes_u8(&bytes);
    struct file file = {bytes_of(bytes.data + bytes.at, bytes_left(&bytes)), most};
    struct source_io io = {.read = read_file, .size = (int64_t)file.bytes.size, .context = &file};
    struct outline outline;
    assert(outline_read(&outline, &io, NULL) == 0);
    assert(outline_refusal(&io, "it is none", NULL) < 0);
    check_trail(&file, outline.moov ? outline.moov_end : 0);
    for (int track = 0; track < TRACKS; track++) {
        struct edit_list list;
        assert(edits_read(&list, &io, track, NULL) == 0);
        check_edits(&list);
        edits_finish(&list);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes bytes = bytes_of(data, size);
    size_t codec = bytes_u8(&bytes) % (CODECS + 1);
    if (codec < CODECS) {
        look_at_packet(codecs[codec], bytes);
    } else {
        look_at_file(bytes);
    }
    return 0;
}
