/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports: what tasks made and what it cost. A two-hour title has 20,000 GOPs, so
 * these are written short. See wire.h. */
#include <string.h>

#include "common/wire.h"
#include "wire_fields.h"

enum {
    SEGMENTS_MAX = 1 << 18, /* of one unit: 12 days of 4 s */
    FRAGMENTS_MAX = 1 << 16,
    UNITS_MAX = 64,
};

/* Sums over SEGMENTS_MAX of them stay within 63 bits. */
static const int64_t segment_max = INT64_C(1) << 44;
static const int64_t count_max = INT64_C(1) << 56;

/* ---- segments ------------------------------------------------------------------ */

/* Three numbers a GOP in one list: offset, size, IDR's size. */
static void fragments_write(const void *from, struct writer *w, const char *name) {
    const struct segment_report *report = from;
    writer_array(w, name);
    for (size_t i = 0; i < report->fragment_count; i++) {
        writer_int(w, NULL, report->fragments[i].offset);
        writer_int(w, NULL, report->fragments[i].size);
        writer_int(w, NULL, report->fragments[i].idr_size);
    }
    writer_array_end(w);
}

static void fragments_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct segment_report *report = to;
    struct reader items = reader_array(r, name);
    size_t count = reader_count(&items) / 3;
    if (reader_count(&items) % 3 != 0 || count > FRAGMENTS_MAX) {
        reader_fail(r, name, "must be up to %d times offset, size, IDR's size", (int)FRAGMENTS_MAX);
        return;
    }
    report->fragments = arena_zero(arena, count, sizeof(*report->fragments));
    report->fragment_count = count;
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        int64_t values[3] = {0};
        for (size_t k = 0; k < 3; k++) {
            reader_item_int(&items, 3 * i + k, 0, UINT32_MAX, &values[k]);
        }
        report->fragments[i] = (struct fragment_report){
            .offset = (uint32_t)values[0],
            .size = (uint32_t)values[1],
            .idr_size = (uint32_t)values[2],
        };
    }
}

static const struct field segment_fields[] = {
    NUMBER(struct segment_report, number, 1, INT32_MAX),
    NUMBER(struct segment_report, bytes, 0, segment_max),
    NUMBER(struct segment_report, samples, 0, segment_max),
    NUMBER(struct segment_report, decode_time, 0, count_max),
    NUMBER(struct segment_report, duration, 0, segment_max),
    HASH(struct segment_report, sha256),
    OTHER("gops", fragments_write, fragments_read),
    END,
};

void segment_report_write(const struct segment_report *report, struct writer *w, const char *name) {
    object_write(segment_fields, report, w, name);
}

void segment_report_read(struct segment_report *out, struct arena *arena, struct reader *r) {
    *out = (struct segment_report){0};
    fields_read(segment_fields, out, arena, r);
}

/* ---- loudness ------------------------------------------------------------------ */

enum { LOUDNESS_MAX = 200 }; /* of floats, dB above full scale */

static const struct field loudness_fields[] = {
    NUMBER(struct loudness, integrated_lufs, LOUDNESS_GATE_LUFS, LOUDNESS_MAX),
    NUMBER(struct loudness, range_lu, 0, LOUDNESS_MAX - LOUDNESS_GATE_LUFS),
    NUMBER(struct loudness, true_peak_dbtp, LOUDNESS_SILENCE_DBTP, LOUDNESS_MAX),
    END,
};

void loudness_write(const struct loudness *loudness, struct writer *w, const char *name) {
    object_write(loudness_fields, loudness, w, name);
}

void loudness_read(struct loudness *out, struct reader *r) {
    *out = (struct loudness){0};
    fields_read(loudness_fields, out, NULL, r);
}

/* ---- units --------------------------------------------------------------------- */

static void record_write(const void *from, struct writer *w, const char *name) {
    static const char digits[] = "0123456789abcdef";
    const struct unit_report *report = from;
    char text[2 * sizeof(report->record) + 1];
    for (size_t i = 0; i < report->record_size; i++) {
        text[2 * i] = digits[report->record[i] >> 4];
        text[2 * i + 1] = digits[report->record[i] & 15];
    }
    text[2 * report->record_size] = '\0';
    writer_string(w, name, text);
}

static void record_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    static const char digits[] = "0123456789abcdef";
    (void)arena;
    struct unit_report *report = to;
    const char *text = "";
    reader_string(r, name, &text);
    size_t length = strlen(text);
    if (length % 2 != 0 || length > 2 * sizeof(report->record) || strspn(text, digits) != length) {
        reader_fail(r, name, "must be up to %zu bytes in lower-case hex", sizeof(report->record));
        return;
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t digit = (uint8_t)(strchr(digits, text[i]) - digits);
        report->record[i / 2] = (uint8_t)(report->record[i / 2] << 4 | digit);
    }
    report->record_size = length / 2;
}

static const struct field unit_fields[] = {
    OTHER("record", record_write, record_read),
    NUMBER(struct unit_report, reorder_frames, 0, 16),
    NUMBER(struct unit_report, priming, 0, 1 << 20),
    OPTIONAL(struct unit_report, loudness, has_loudness, loudness_fields),
    NUMBER(struct unit_report, init_bytes, 0, 1 << 20),
    HASH(struct unit_report, init_sha256),
    LIST(struct unit_report, segments, segment_count, SEGMENTS_MAX, segment_fields),
    END,
};

void unit_report_write(const struct unit_report *report, struct writer *w, const char *name) {
    object_write(unit_fields, report, w, name);
}

void unit_report_read(struct unit_report *out, struct arena *arena, struct reader *r) {
    *out = (struct unit_report){0};
    fields_read(unit_fields, out, arena, r);
}

/* ---- tasks --------------------------------------------------------------------- */

static const struct field stats_fields[] = {
    NUMBER(struct task_stats, frames_decoded, 0, count_max),
    NUMBER(struct task_stats, frames_repaired, 0, GRID_FRAMES_MAX),
    NUMBER(struct task_stats, frames_concealed, 0, GRID_FRAMES_MAX),
    NUMBER(struct task_stats, source_bytes, 0, count_max),
    NUMBER(struct task_stats, cpu_s, 0, INT32_MAX),
    NUMBER(struct task_stats, decode_cpu_s, 0, INT32_MAX),
    NUMBER(struct task_stats, scale_cpu_s, 0, INT32_MAX),
    NUMBER(struct task_stats, encode_cpu_s, 0, INT32_MAX),
    NUMBER(struct task_stats, wall_s, 0, INT32_MAX),
    NUMBER(struct task_stats, peak_memory, 0, count_max),
    OPTIONAL(struct task_stats, loudness, has_loudness, loudness_fields),
    END,
};

void task_stats_write(const struct task_stats *stats, struct writer *w, const char *name) {
    object_write(stats_fields, stats, w, name);
}

void task_stats_read(struct task_stats *out, struct reader *r) {
    *out = (struct task_stats){0};
    fields_read(stats_fields, out, NULL, r);
}

static void source_write(const void *from, struct writer *w, const char *name) {
    const struct task_report *report = from;
    if (report->has_source) {
        source_document_write(&report->source, w, name);
    }
}

static void source_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct task_report *report = to;
    report->has_source = reader_has(r, name);
    if (report->has_source) {
        struct reader below = reader_object(r, name);
        source_document_read(&report->source, &below);
    }
}

/* Not there where nothing was pushed, nor from workers that do not know of it. */
static void report_push_write(const void *from, struct writer *w, const char *name) {
    const struct task_report *report = from;
    const struct push_report *push = &report->push;
    if (push->objects != 0 || push->request_ms > 0 || push->refused != 0) {
        push_report_write(push, w, name);
    }
}

static void report_push_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct task_report *report = to;
    if (reader_has(r, name)) {
        struct reader below = reader_object(r, name);
        push_report_read(&report->push, &below);
    }
}

static void report_hook_write(const void *from, struct writer *w, const char *name) {
    const struct task_report *report = from;
    if (report->hook.result_count > 0) {
        hook_report_write(&report->hook, w, name);
    }
}

static void report_hook_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task_report *report = to;
    if (reader_has(r, name)) {
        struct reader below = reader_object(r, name);
        hook_report_read(&report->hook, arena, &below);
    }
}

static void early_chunks_write(const void *from, struct writer *w, const char *name) {
    int64_t chunks = ((const struct task_report *)from)->early_chunks;
    if (chunks != 0) {
        writer_int(w, name, chunks);
    }
}

static void early_chunks_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    if (reader_has(r, name)) {
        reader_int(r, name, 0, GRID_FRAMES_MAX, &((struct task_report *)to)->early_chunks);
    }
}

static const struct field report_fields[] = {
    OBJECT(struct task_report, stats, stats_fields),
    LIST(struct task_report, units, unit_count, UNITS_MAX, unit_fields),
    OTHER("source", source_write, source_read),
    TEXT(struct task_report, identity),
    STRING(struct task_report, pin, 1024),
    NUMBER(struct task_report, source_size, -1, count_max),
    NAME(struct task_report, version, 0),
    NUMBER(struct task_report, output_bytes, 0, count_max),
    OTHER("push", report_push_write, report_push_read),
    OTHER("hook", report_hook_write, report_hook_read),
    OTHER("early_chunks", early_chunks_write, early_chunks_read),
    END,
};

void task_report_write(const struct task_report *report, struct writer *w, const char *name) {
    object_write(report_fields, report, w, name);
}

void task_report_read(struct task_report *out, struct reader *r) {
    *out = (struct task_report){0};
    fields_read(report_fields, out, &out->arena, r);
}

void task_report_finish(struct task_report *report) {
    source_document_finish(&report->source);
    arena_finish(&report->arena);
    *report = (struct task_report){0};
}
