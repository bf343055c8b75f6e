/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate for media: see gate.h. */
#include "gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"

void gate_init(struct gate *gate, const struct child_spec *spec, int unit,
               struct unit_report *report, struct arena *arena) {
    *gate = (struct gate){.unit = report, .arena = arena};
    if (spec->kind == TASK_VIDEO) {
        gate->track.video = &spec->rungs[unit];
        gate->chunk = &spec->chunk;
        gate->first = spec->chunk.first_segment;
        gate->expected = spec->chunk.segment_count;
    } else if (spec->kind == TASK_IMAGES) {
        gate->images = spec;
        gate->first = 1;
        gate->expected = (size_t)image_sheets(&spec->image);
    } else {
        gate->track.audio = &spec->audio;
        gate->track.duration = title_audio_samples(&spec->source.timeline, spec->audio.sample_rate);
        gate->first = 1;
        gate->expected = spec->grid->segment_count;
    }
    report->segments = arena_zero(arena, gate->expected, sizeof(*report->segments));
}

static int image_check(const struct gate *gate, int64_t number, const struct made *made,
                       struct err *err) {
    return image_object_check(&gate->images->image, &gate->images->source.timeline, number,
                              made->data, made->size, err);
}

/* Folders may be unknown still; their kinds are not. */
static void name_object(const struct gate *gate, int64_t number, char name[GATE_NAME]) {
    const char *folder = gate->images == NULL                       ? "video/"
                         : gate->images->image.kind == IMAGE_POSTER ? "images/poster-"
                                                                    : "images/storyboard-";
    rendition_object_name(folder, number, name);
}

static int pass_init(struct gate *gate, const struct made *made, char name[GATE_NAME],
                     struct err *err) {
    if (gate->has_init) {
        return err_set(err, ERR_CORRUPT, "a second init segment came for one rung");
    }
    memcpy(gate->track.record, made->record, made->record_size);
    gate->track.record_size = made->record_size;
    gate->track.reorder_frames = made->reorder_frames;
    gate->track.priming = made->priming;
    int failed = gate->images != NULL
                     ? image_check(gate, 0, made, err)
                     : init_segment_check(made->data, made->size, &gate->track, err);
    if (failed != 0) {
        return failed;
    }
    struct unit_report *unit = gate->unit;
    memcpy(unit->record, made->record, made->record_size);
    unit->record_size = made->record_size;
    unit->reorder_frames = made->reorder_frames;
    unit->priming = made->priming;
    unit->init_bytes = (int64_t)made->size;
    sha256_hex_of(made->data, made->size, unit->init_sha256);
    gate->has_init = true;
    name_object(gate, 0, name);
    return 0;
}

/* Fragment offsets are the child's word, but segment_check compares each with the bytes. */
static void note_segment(struct gate *gate, const struct made *made) {
    struct segment_report *report = &gate->unit->segments[gate->unit->segment_count++];
    *report = made->report;
    report->bytes = (int64_t)made->size;
    sha256_hex_of(made->data, made->size, report->sha256);
    report->fragments =
        arena_zero(gate->arena, made->report.fragment_count, sizeof(*report->fragments));
    if (made->report.fragment_count > 0) {
        memcpy(report->fragments, made->report.fragments,
               made->report.fragment_count * sizeof(*report->fragments));
    }
}

static int pass_segment(struct gate *gate, const struct made *made, char name[GATE_NAME],
                        struct err *err) {
    int64_t next = gate->first + (int64_t)gate->unit->segment_count;
    if (!gate->has_init || gate->unit->segment_count == gate->expected ||
        made->report.number != next) {
        return err_set(err, ERR_CORRUPT,
                       "segment %" PRId64 " came where %s %" PRId64 " of %zu was due",
                       made->report.number, gate->has_init ? "segment" : "an init before segment",
                       next, gate->expected);
    }
    int failed = gate->images != NULL ? image_check(gate, next, made, err)
                                      : segment_check(made->data, made->size, &gate->track,
                                                      gate->chunk, &made->report, err);
    if (failed != 0) {
        return failed;
    }
    note_segment(gate, made);
    name_object(gate, next, name);
    return 0;
}

int gate_pass(struct gate *gate, const struct made *made, char name[GATE_NAME], struct err *err) {
    int (*pass)(struct gate *, const struct made *, char[GATE_NAME], struct err *) =
        made->is_init ? pass_init : pass_segment;
    int failed = pass(gate, made, name, err);
    return failed == 0 ? 0 : ERR_CORRUPT;
}

int gate_end(const struct gate *gate, struct err *err) {
    if (!gate->has_init || gate->unit->segment_count != gate->expected) {
        return err_set(err, ERR_CORRUPT, "only %zu of %zu segments came", gate->unit->segment_count,
                       gate->expected);
    }
    return 0;
}
