/* SPDX-License-Identifier: GPL-2.0-or-later */
/* H.264 in CMAF: the row of track_codec.h. */
#include <stdio.h>
#include <string.h>

#include "avc.h"
#include "track_codec.h"

/* What the record says of the pictures must be what the spec asked for. A profile may
 * be lowered to what was used; a level of 0 left the choice to the encoder. */
static int spec_check(const struct video_spec *spec, const struct avc_record *record,
                      struct err *err) {
    static const struct {
        const char *name;
        int idc;
    } profiles[] = {{"baseline", 66}, {"main", 77},     {"high", 100},
                    {"high10", 110},  {"high422", 122}, {"high444", 244}};
    const struct avc_sps *sps = &record->sps;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (strcmp(spec->profile, profiles[i].name) == 0 && sps->profile_idc > profiles[i].idc) {
            return err_set(err, ERR_INVALID, "its SPS says profile %d and its spec %s",
                           sps->profile_idc, spec->profile);
        }
    }
    const struct {
        const char *what;
        int said, wanted;
    } fields[] = {
        {"width", sps->width, spec->width},
        {"height", sps->height, spec->height},
        {"level", sps->level_idc, spec->level > 0 ? spec->level : sps->level_idc},
        {"chroma format", (int)sps->chroma, (int)spec->chroma},
        {"luma bit depth", sps->bit_depth, spec->bit_depth},
        {"chroma bit depth", sps->chroma_bit_depth, spec->bit_depth},
        {"progressive pictures", sps->frames_only, true},
        {"square pixels", sps->signal.square_pixels, true},
        {"colour primaries", sps->signal.primaries, spec->colour.primaries},
        {"transfer characteristics", sps->signal.transfer, spec->colour.transfer},
        {"matrix coefficients", sps->signal.matrix, spec->colour.matrix},
        {"full range", sps->signal.full_range, spec->colour.full_range},
        {"chroma location", sps->chroma_location,
         spec->colour.chroma_location > 0 ? spec->colour.chroma_location : 0},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].said != fields[i].wanted) {
            return err_set(err, ERR_INVALID, "its SPS says %d for %s and its spec %d",
                           fields[i].said, fields[i].what, fields[i].wanted);
        }
    }
    return 0;
}

static int h264_track_check(const struct track_config *track, struct err *err) {
    struct avc_record record;
    int failed = avc_record_read(&record, track->record, track->record_size, err);
    if (failed != 0) {
        return failed;
    }
    if (record.length_size != 4 || record.sps_count != 1 || record.extensions != 0 ||
        record.level != record.sps.level_idc ||
        record.compatibility != record.sps.constraint_flags) {
        return err_set(err, ERR_INVALID,
                       "its record is not of lengths of 4 bytes and one SPS of the same level, "
                       "without extensions");
    }
    /* ARCHITECTURE section 8: D is the SPS's own, so that all chunks of a track agree. */
    if (record.sps.reorder_frames != track->reorder_frames) {
        return err_set(err, ERR_INVALID,
                       "its SPS says %d for max_num_reorder_frames (-1: nothing) and its "
                       "configuration %d",
                       record.sps.reorder_frames, track->reorder_frames);
    }
    return spec_check(track->video, &record, err);
}

static void h264_configuration_write(const struct track_config *track, struct buf *out) {
    size_t box = mp4_open(out, "avcC");
    buf_append(out, track->record, track->record_size);
    mp4_close(out, box);
}

static int h264_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                   size_t *record_size, struct err *err) {
    struct avc_record parsed;
    int failed = avc_record_read(&parsed, box->body.data, box->body.size, err);
    if (failed == 0) {
        *record = box->body.data;
        *record_size = box->body.size;
    }
    return failed;
}

static int h264_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    struct avc_record parsed;
    int failed = avc_record_read(&parsed, record, record_size, err);
    if (failed == 0) {
        snprintf(out, size, "avc1.%02x%02x%02x", (unsigned)parsed.profile,
                 (unsigned)parsed.compatibility, (unsigned)parsed.level);
    }
    return failed;
}

static int h264_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    struct avc_sample sample;
    struct bytes in = bytes_of(record, record_size); /* that was read before */
    bytes_take(&in, 4);
    int failed = avc_sample_read(&sample, data, size, (bytes_u8(&in) & 3) + 1, err);
    if (failed == 0) {
        *look = (struct sample_look){.key = sample.idr,
                                     .disposable = !sample.reference,
                                     .foreign = sample.foreign,
                                     .spare = sample.filler};
    }
    return failed;
}

const struct track_codec track_codec_h264 = {
    .codec = CODEC_H264,
    .video = true,
    .sample_entry = "avc1",
    .configuration_box = "avcC",
    .reorders = true,
    .track_check = h264_track_check,
    .configuration_write = h264_configuration_write,
    .configuration_read = h264_configuration_read,
    .codecs_string = h264_codecs_string,
    .sample_read = h264_sample_read,
};
