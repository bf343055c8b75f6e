/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles from a file: see batch.h. */
#include "batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/csv.h"
#include "ladder_file.h"
#include "output_place.h"
#include "title_name.h"

enum { LADDERS_MAX = 1000, SOURCE_MAX = 8192 };

enum field { SOURCE, TITLE, OUT, LADDER, PRIORITY, DEADLINE, TENANT, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {
    [SOURCE] = "source",     [TITLE] = "title",       [OUT] = "out",       [LADDER] = "ladder",
    [PRIORITY] = "priority", [DEADLINE] = "deadline", [TENANT] = "tenant",
};

static const char label_prefix[] = "label.";
static const char known_names[] =
    "source, title, out, ladder, priority, deadline, tenant and label.NAME";

/* A row as it is written: "" for what it leaves out. Strings are borrowed. */
struct raw {
    int64_t line;
    const char *values[FIELD_COUNT];
    struct buf labels; /* "NAME=VALUE,..." of its own */
};

/* What reading works with. */
struct reading {
    struct batch *batch;
    struct batch_faults *faults;
    const struct batch_defaults *defaults;
    const char *name;
    int64_t now_ms;
};

/* Notes what is wrong with a line. */
static void fault(struct reading *reading, int64_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct reading *reading, int64_t line, const char *format, ...) {
    struct batch_faults *faults = reading->faults;
    char sentence[1200];
    if (faults->count++ >= BATCH_FAULTS_SHOWN) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    buf_format(&faults->text, "%s, line %" PRId64 ": ", reading->name, line);
    buf_plain(&faults->text, sentence);
    buf_string(&faults->text, "\n");
}

static char *keep(struct reading *reading, const char *text) {
    return arena_string(&reading->batch->arena, text);
}

/* ---- what a row says --------------------------------------------------------------- */

/* The batch's ladder of that name, loaded at its first use. */
static size_t find_ladder(struct reading *reading, const char *name) {
    struct batch *batch = reading->batch;
    struct ladder ladder;
    struct err err = {0};
    for (size_t i = 0; i < batch->ladder_count; i++) {
        if (strcmp(batch->ladders[i].name, name) == 0) {
            return i;
        }
    }
    struct batch_ladder found = {.name = keep(reading, name)};
    if (batch->ladder_count >= LADDERS_MAX) {
        err_set(&err, ERR_INVALID, "the file names more than %d ladders; split it", LADDERS_MAX);
    }
    if (err.code == ERR_NONE && ladder_file_load(&ladder, name, &err) == 0) {
        struct buf text = {0};
        struct writer w = writer_of(&text);
        ladder_write(&ladder, &w, NULL);
        found.text = keep(reading, buf_text(&text));
        buf_finish(&text);
    } else {
        found.why = keep(reading, err.message);
    }
    batch->ladders = mem_resize(batch->ladders, batch->ladder_count + 1, sizeof(*batch->ladders));
    batch->ladders[batch->ladder_count] = found;
    return batch->ladder_count++;
}

/* The value, or else what goes without one. */
static const char *chosen(const struct raw *raw, enum field field, const char *otherwise) {
    return raw->values[field][0] != '\0' ? raw->values[field] : otherwise;
}

static int check_place(struct reading *reading, struct batch_row *row, const struct raw *raw,
                       struct err *err) {
    const char *out = chosen(raw, OUT, reading->defaults->out);
    char *whole = NULL;
    if (raw->values[SOURCE][0] == '\0') {
        return err_set(err, ERR_INVALID, "it names no source");
    }
    if (strlen(raw->values[SOURCE]) > SOURCE_MAX / 2) {
        return err_set(err, ERR_INVALID, "its source is longer than %d bytes", SOURCE_MAX / 2);
    }
    if (out == NULL) {
        return err_set(err, ERR_INVALID,
                       "it names no out, and there is no --out that would go for it");
    }
    if (output_resolve(&whole, out, err) != 0) {
        return ERR_INVALID;
    }
    row->out = keep(reading, whole);
    mem_free(whole);
    whole = source_whole(raw->values[SOURCE]);
    int failed = place_name_check(whole, err);
    row->source = keep(reading, whole);
    mem_free(whole);
    return failed;
}

static int check_title(struct reading *reading, struct batch_row *row, const struct raw *raw,
                       struct err *err) {
    char made[WIRE_TITLE_TEXT];
    if (raw->values[TITLE][0] != '\0' && !title_id_valid(raw->values[TITLE])) {
        return err_set(err, ERR_INVALID,
                       "title '%.200s' must be 1 to 128 of a-z 0-9 . _ - and begin with a letter "
                       "or digit",
                       raw->values[TITLE]);
    }
    title_name_of(raw->values[SOURCE], made);
    row->title = keep(reading, chosen(raw, TITLE, made));
    return 0;
}

static bool is_named(const char *labels, const char *label, size_t name) {
    for (const char *at = labels; *at != '\0'; at += strspn(at, ",")) {
        if (strncmp(at, label, name + 1) == 0) { /* with its '=' */
            return true;
        }
        at += strcspn(at, ",");
    }
    return false;
}

/* The row's own labels, then those of the command line whose names it does not have. */
static int check_labels(struct reading *reading, struct batch_row *row, struct raw *raw,
                        struct err *err) {
    const char *others = reading->defaults->order.labels;
    struct buf all = {0};
    int count = 0;
    buf_string(&all, buf_text(&raw->labels));
    for (const char *at = others != NULL ? others : ""; *at != '\0'; at += strspn(at, ",")) {
        size_t length = strcspn(at, ",");
        if (length > 0 && !is_named(buf_text(&raw->labels), at, strcspn(at, "=,"))) {
            buf_format(&all, "%s%.*s", all.size > 0 ? "," : "", (int)length, at);
        }
        at += length;
    }
    for (const char *at = buf_text(&all); *at != '\0'; at += strspn(at, ",")) {
        at += strcspn(at, ",");
        count++;
    }
    if (count > LABELS_MAX) {
        err_set(err, ERR_INVALID, "it has %d labels, and %d is the most", count, LABELS_MAX);
    } else if (all.size > 0) {
        row->order.labels = keep(reading, buf_text(&all));
    }
    buf_finish(&all);
    return count > LABELS_MAX ? ERR_INVALID : 0;
}

static int check_order(struct reading *reading, struct batch_row *row, const struct raw *raw,
                       struct err *err) {
    const char *priority = raw->values[PRIORITY];
    row->order = reading->defaults->order;
    row->order.labels = NULL;
    if (priority[0] != '\0') {
        char *end = NULL;
        long value = strtol(priority, &end, 10);
        if (*end != '\0' || value < PRIORITY_MIN || value > PRIORITY_MAX) {
            return err_set(err, ERR_INVALID,
                           "priority must be a whole number from %d to %d, not '%.60s'",
                           PRIORITY_MIN, PRIORITY_MAX, priority);
        }
        row->order.has_priority = true;
        row->order.priority = (int)value;
    }
    if (raw->values[TENANT][0] != '\0') {
        if (!tenant_name_valid(raw->values[TENANT])) {
            return err_set(err, ERR_INVALID,
                           "tenant '%.100s' must be at most 64 letters, digits, '.', '_' and '-'",
                           raw->values[TENANT]);
        }
        row->order.tenant = keep(reading, raw->values[TENANT]);
    }
    return raw->values[DEADLINE][0] == '\0'
               ? 0
               : title_deadline_parse(raw->values[DEADLINE], reading->now_ms,
                                      &row->order.deadline_ms, err);
}

static int check_ladder(struct reading *reading, struct batch_row *row, const struct raw *raw,
                        struct err *err) {
    row->ladder = find_ladder(reading, chosen(raw, LADDER, reading->defaults->ladder));
    const struct batch_ladder *ladder = &reading->batch->ladders[row->ladder];
    return ladder->text != NULL ? 0 : err_set(err, ERR_INVALID, "%s", ladder->why);
}

static void make_key(struct reading *reading, struct batch_row *row) {
    const char *const parts[] = {row->title, row->source, row->out,
                                 reading->batch->ladders[row->ladder].text};
    struct buf all = {0};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        buf_append(&all, parts[i], strlen(parts[i]) + 1);
    }
    sha256_hex_of(all.data, all.size, row->key);
    buf_finish(&all);
}

/* Takes one row into the batch, or notes what is wrong with it. */
static void take_row(struct reading *reading, struct raw *raw) {
    struct batch *batch = reading->batch;
    struct batch_row row = {.line = raw->line};
    struct err err = {0};
    if (check_place(reading, &row, raw, &err) != 0 || check_title(reading, &row, raw, &err) != 0 ||
        check_order(reading, &row, raw, &err) != 0 || check_labels(reading, &row, raw, &err) != 0 ||
        check_ladder(reading, &row, raw, &err) != 0) {
        fault(reading, raw->line, "%s", err.message);
        return;
    }
    make_key(reading, &row);
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? 64 : 2 * batch->capacity;
        batch->rows = mem_resize(batch->rows, batch->capacity, sizeof(*batch->rows));
    }
    batch->rows[batch->count++] = row;
}

/* Adds a label to the row; 0, or INVALID where it can be none. */
static int add_label(struct raw *raw, const char *name, const char *value, struct err *err) {
    char *label = mem_format("%s=%s", name, value);
    bool valid = title_label_valid(label) && strchr(name, '=') == NULL;
    if (valid) {
        buf_format(&raw->labels, "%s%s", raw->labels.size > 0 ? "," : "", label);
    }
    mem_free(label);
    return valid ? 0
                 : err_set(err, ERR_INVALID,
                           "label %.100s='%.100s' must be letters, digits, '.', '_' and '-' on "
                           "both sides, in at most %d bytes",
                           name, value, LABEL_MAX);
}

static struct raw raw_of(int64_t line) {
    struct raw raw = {.line = line};
    for (int i = 0; i < FIELD_COUNT; i++) {
        raw.values[i] = "";
    }
    return raw;
}

/* The field of a name; FIELD_COUNT for a label's, -1 for none. */
static int field_of(const char *name) {
    size_t prefix = sizeof(label_prefix) - 1;
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (strcasecmp(name, field_names[i]) == 0) {
            return i;
        }
    }
    return strncasecmp(name, label_prefix, prefix) == 0 && name[prefix] != '\0' ? FIELD_COUNT : -1;
}

/* Takes one named value into the row. */
static int set_field(struct raw *raw, const char *name, const char *value, struct err *err) {
    int field = field_of(name);
    if (field == FIELD_COUNT) {
        return value[0] == '\0' ? 0 : add_label(raw, name + sizeof(label_prefix) - 1, value, err);
    }
    raw->values[field] = value;
    return 0;
}

/* ---- CSV --------------------------------------------------------------------------- */

/* Whether the header names columns of ours, each once, and the source among them. */
static bool check_header(struct reading *reading, const struct csv_record *header) {
    bool has_source = false;
    for (size_t i = 0; i < header->count; i++) {
        const char *name = csv_field(header, i);
        int field = field_of(name);
        if (field < 0) {
            fault(reading, header->line,
                  "'%.100s' is no column; the first line names the columns, parted by commas: %s",
                  name, known_names);
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcasecmp(csv_field(header, j), name) == 0) {
                fault(reading, header->line, "there are two columns '%.100s'", name);
                return false;
            }
        }
        has_source = has_source || field == SOURCE;
    }
    if (!has_source) {
        fault(reading, header->line, "there is no column 'source'");
    }
    return has_source;
}

static void take_record(struct reading *reading, const struct csv_record *header,
                        const struct csv_record *record) {
    struct raw raw = raw_of(record->line);
    struct err err = {0};
    int failed = 0;
    if (record->count != header->count) {
        failed = err_set(&err, ERR_INVALID, "it has %zu fields, and the first line names %zu",
                         record->count, header->count);
    }
    for (size_t i = 0; i < record->count && failed == 0; i++) {
        failed = set_field(&raw, csv_field(header, i), csv_field(record, i), &err);
    }
    if (failed == 0) {
        take_row(reading, &raw);
    } else {
        fault(reading, raw.line, "%s", err.message);
    }
    buf_finish(&raw.labels);
}

static void read_csv(struct reading *reading, const struct buf *text) {
    struct csv csv = csv_of(text->data, text->size);
    struct csv_record header = {0}, record = {0};
    struct err err = {0};
    int result = csv_next(&csv, &header, &err);
    bool fits = result > 0 && check_header(reading, &header);
    if (result < 0) {
        fault(reading, header.line, "%s", err.message);
    }
    while (fits) {
        err_clear(&err);
        result = csv_next(&csv, &record, &err);
        if (result == 0) {
            break;
        }
        if (result < 0) {
            fault(reading, record.line, "%s", err.message);
        } else {
            take_record(reading, &header, &record);
        }
    }
    csv_record_finish(&header);
    csv_record_finish(&record);
}

/* ---- JSON Lines -------------------------------------------------------------------- */

/* One member of a line's object. A priority may be a number. */
static int take_member(struct reading *reading, struct raw *raw, struct reader *r,
                       const char *name) {
    const char *value = "";
    if (field_of(name) < 0) {
        return err_set(r->err, ERR_INVALID, "'%.100s' is no field; there are %s", name,
                       known_names);
    }
    if (!reader_has(r, name)) { /* null */
        return 0;
    }
    if (field_of(name) == PRIORITY) {
        int64_t number = 0;
        struct err as_number = {0};
        struct reader again = *r;
        again.err = &as_number;
        reader_int(&again, name, PRIORITY_MIN, PRIORITY_MAX, &number);
        if (as_number.code == ERR_NONE) {
            return set_field(raw, name, arena_format(&reading->batch->arena, "%" PRId64, number),
                             r->err);
        }
    }
    reader_string(r, name, &value);
    return reader_ok(r) ? set_field(raw, name, value, r->err) : ERR_INVALID;
}

static void take_line(struct reading *reading, int64_t line, const char *text, size_t size) {
    struct raw raw = raw_of(line);
    struct json *tree = NULL;
    struct err err = {0};
    int failed = json_tree_parse(&tree, text, size, &err);
    struct reader r = {.err = &err};
    if (failed == 0) {
        r = reader_of(tree, "the row", &err);
        failed = reader_is_object(&r) ? 0 : err_set(&err, ERR_INVALID, "it is no object");
    }
    if (failed != 0) {
        fault(reading, line, "each line must be one JSON object: %s", err.message);
        json_tree_destroy(tree);
        return;
    }
    const char *name = NULL;
    for (size_t i = 0; failed == 0 && (name = reader_name(&r, i)) != NULL; i++) {
        failed = take_member(reading, &raw, &r, name);
    }
    if (failed == 0) {
        take_row(reading, &raw);
    } else {
        fault(reading, line, "%s", err.message);
    }
    buf_finish(&raw.labels);
    json_tree_destroy(tree);
}

static void read_json_lines(struct reading *reading, const struct buf *text, size_t from) {
    const char *at = (const char *)text->data + from;
    const char *end = (const char *)text->data + text->size;
    for (int64_t line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop != NULL ? stop : end) - at);
        bool empty = true;
        for (size_t i = 0; i < size && empty; i++) {
            empty = strchr(" \t\r", at[i]) != NULL && at[i] != '\0';
        }
        if (!empty) {
            take_line(reading, line, at, size);
        }
        at += size + 1;
    }
}

/* ---- all ----------------------------------------------------------------------------- */

static int compare_titles(const void *left, const void *right) {
    const struct batch_row *a = *(const struct batch_row *const *)left;
    const struct batch_row *b = *(const struct batch_row *const *)right;
    int order = strcmp(a->title, b->title);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static void check_names(struct reading *reading) {
    struct batch *batch = reading->batch;
    const struct batch_row **sorted = mem_zero(batch->count + 1, sizeof(const struct batch_row *));
    for (size_t i = 0; i < batch->count; i++) {
        sorted[i] = &batch->rows[i];
    }
    qsort(sorted, batch->count, sizeof(const struct batch_row *), compare_titles);
    for (size_t i = 1; i < batch->count; i++) {
        if (strcmp(sorted[i]->title, sorted[i - 1]->title) == 0) {
            fault(reading, sorted[i]->line,
                  "its title would be %s, as that of line %" PRId64
                  "; give each a title of its own",
                  sorted[i]->title, sorted[i - 1]->line);
        }
    }
    mem_free(sorted);
}

/* Where the first character is that is no space, past a byte order mark. */
static size_t find_text(const struct buf *text) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t at = text->size >= 3 && memcmp(text->data, mark, 3) == 0 ? 3 : 0;
    while (at < text->size && text->data[at] != '\0' && strchr(" \t\r\n", text->data[at]) != NULL) {
        at++;
    }
    return at;
}

bool batch_read(struct batch *out, struct batch_faults *faults, const char *name,
                const struct buf *text, const struct batch_defaults *defaults, int64_t now_ms) {
    struct reading reading = {
        .batch = out, .faults = faults, .defaults = defaults, .name = name, .now_ms = now_ms};
    size_t first = find_text(text);
    if (first < text->size && text->data[first] == '[') {
        fault(&reading, 1, "it is a JSON list; write one object a line, without list and commas");
    } else if (first < text->size && text->data[first] == '{') {
        read_json_lines(&reading, text, text->data[0] == 0xef ? 3 : 0);
    } else {
        read_csv(&reading, text);
    }
    check_names(&reading);
    if (out->count == 0 && faults->count == 0) {
        fault(&reading, 1, "there is no title in it");
    }
    if (faults->count > BATCH_FAULTS_SHOWN) {
        buf_format(&faults->text, "%s: and %zu more like these\n", name,
                   faults->count - BATCH_FAULTS_SHOWN);
    }
    return faults->count == 0;
}

void batch_finish(struct batch *batch) {
    mem_free(batch->rows);
    mem_free(batch->ladders);
    arena_finish(&batch->arena);
}

void batch_faults_finish(struct batch_faults *faults) {
    buf_finish(&faults->text);
}
