/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AV1 in CMAF: the row of track_codec.h. */
#include <stdio.h>
#include <string.h>

#include "av1.h"
#include "track_codec.h"

enum { LEVELS_A_MAJOR = 4, LEVEL_MAJOR_MIN = 2 };

/* 31 for 3.1, of seq_level_idx 5 (annex A.3). */
static int level_of(const struct av1_sequence *sequence) {
    return (LEVEL_MAJOR_MIN + sequence->level / LEVELS_A_MAJOR) * 10 +
           sequence->level % LEVELS_A_MAJOR;
}

/* What the record says of the pictures must be what the spec asked for; a level of 0 left
 * the choice to the encoder. */
static int spec_check(const struct video_spec *spec, const struct av1_sequence *sequence,
                      struct err *err) {
    const struct {
        const char *what;
        int said, wanted;
    } fields[] = {
        {"profile", sequence->profile, 0},
        {"width", sequence->width, spec->width},
        {"height", sequence->height, spec->height},
        {"level", level_of(sequence), spec->level > 0 ? spec->level : level_of(sequence)},
        {"tier", sequence->tier, 0},
        {"chroma format", (int)sequence->chroma, (int)spec->chroma},
        {"bit depth", sequence->bit_depth, spec->bit_depth},
        {"colour primaries", sequence->signal.primaries, spec->colour.primaries},
        {"transfer characteristics", sequence->signal.transfer, spec->colour.transfer},
        {"matrix coefficients", sequence->signal.matrix, spec->colour.matrix},
        {"full range", sequence->signal.full_range, spec->colour.full_range},
        {"chroma sample position", sequence->chroma_position,
         spec->chroma == CHROMA_420 ? chroma_position_av1(spec->colour.chroma_location) : 0},
        {"still pictures", sequence->still, false},
        {"timing", sequence->timing, false},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].said != fields[i].wanted) {
            return err_set(err, ERR_INVALID, "its sequence header says %d for %s and its spec %d",
                           fields[i].said, fields[i].what, fields[i].wanted);
        }
    }
    return 0;
}

static int av1_track_check(const struct track_config *track, struct err *err) {
    struct av1_record record;
    int failed = av1_record_read(&record, track->record, track->record_size, err);
    if (failed != 0) {
        return failed;
    }
    if (record.header == NULL) {
        return err_set(err, ERR_INVALID, "its record holds no sequence header");
    }
    if (track->reorder_frames != 0) {
        return err_set(err, ERR_INVALID,
                       "samples of AV1 stand in the order in which they are shown, and its "
                       "configuration tells of reordering by %d",
                       track->reorder_frames);
    }
    return spec_check(track->video, &record.sequence, err);
}

static void av1_configuration_write(const struct track_config *track, struct buf *out) {
    size_t box = mp4_open(out, "av1C");
    buf_append(out, track->record, track->record_size);
    mp4_close(out, box);
}

static int av1_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                  size_t *record_size, struct err *err) {
    struct av1_record parsed;
    int failed = av1_record_read(&parsed, box->body.data, box->body.size, err);
    if (failed == 0) {
        *record = box->body.data;
        *record_size = box->body.size;
    }
    return failed;
}

/* AV1 in ISOBMFF, section 5: what follows the bit depth is left out where all of it is the
 * default. */
static int av1_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                             struct err *err) {
    struct av1_record parsed;
    int failed = av1_record_read(&parsed, record, record_size, err);
    if (failed != 0) {
        return failed;
    }
    const struct av1_sequence *sequence = &parsed.sequence;
    bool mono = sequence->chroma == CHROMA_400;
    char colour[32];
    snprintf(colour, sizeof(colour), ".%d.%d%d%d.%02d.%02d.%02d.%d", mono,
             sequence->chroma != CHROMA_444, mono || sequence->chroma == CHROMA_420,
             sequence->chroma_position, sequence->signal.primaries, sequence->signal.transfer,
             sequence->signal.matrix, sequence->signal.full_range);
    bool tell = parsed.header != NULL && strcmp(colour, ".0.110.01.01.01.0") != 0;
    snprintf(out, size, "av01.%d.%02d%c.%02d%s", sequence->profile, sequence->level,
             sequence->tier != 0 ? 'H' : 'M', sequence->bit_depth, tell ? colour : "");
    return 0;
}

static int av1_look(const uint8_t *record, size_t record_size, const uint8_t *data, size_t size,
                    struct sample_look *look, struct err *err) {
    struct av1_record parsed;
    struct av1_sample sample;
    int failed = av1_sample_read(&sample, data, size, err);
    if (failed != 0) {
        return failed;
    }
    if (sample.header != NULL) {
        failed = av1_record_read(&parsed, record, record_size, err);
        if (failed == 0 && !av1_record_fits(&parsed, &sample)) {
            failed = err_set(err, ERR_CORRUPT, "its sequence header is not that of av1C");
        }
    }
    if (failed == 0) {
        *look = (struct sample_look){.key = sample.key,
                                     .intra = sample.intra,
                                     .frames = sample.frames,
                                     .foreign = sample.spare || sample.unsized,
                                     .spare = sample.spare};
    }
    return failed;
}

const struct track_codec track_codec_av1 = {
    .codec = CODEC_AV1,
    .video = true,
    .sample_entry = "av01",
    .configuration_box = "av1C",
    .brand = "av01",
    .track_check = av1_track_check,
    .configuration_write = av1_configuration_write,
    .configuration_read = av1_configuration_read,
    .codecs_string = av1_codecs_string,
    .sample_read = av1_look,
};
