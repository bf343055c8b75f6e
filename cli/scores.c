/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How popular titles are, from a file: see scores.h. */
#include "scores.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/csv.h"
#include "common/json.h"
#include "common/mem.h"

static const double value_max = 1e12; /* as the API takes it */

static int add(struct scores *scores, const char *title, double value, struct err *err) {
    if (!title_id_valid(title)) {
        return err_set(err, ERR_INVALID, "'%.200s' is no title's id", title);
    }
    if (!isfinite(value) || value < 0 || value > value_max) {
        return err_set(err, ERR_INVALID, "a score is a number from 0 to %g", value_max);
    }
    if ((scores->count & (scores->count - 1)) == 0) { /* room for twice as many */
        size_t room = scores->count == 0 ? 1 : 2 * scores->count;
        scores->list = mem_resize(scores->list, room, sizeof(*scores->list));
    }
    struct score *score = &scores->list[scores->count++];
    snprintf(score->title, sizeof(score->title), "%s", title);
    score->value = value;
    return 0;
}

static int wrong_line(struct err *err, int64_t line, const struct err *why) {
    return err_set(err, ERR_INVALID, "line %" PRId64 ": %s", line, why->message);
}

/* ---- CSV -------------------------------------------------------------------------- */

/* The column of that name; behind the last where there is none. */
static size_t column_of(const struct csv_record *header, const char *name) {
    size_t at = 0;
    while (at < header->count && strcasecmp(csv_field(header, at), name) != 0) {
        at++;
    }
    return at;
}

static int take_record(struct scores *scores, const struct csv_record *record, size_t title,
                       size_t score, struct err *err) {
    const char *text = csv_field(record, score);
    char *end = NULL;
    double value = strtod(text, &end);
    if (text[0] == '\0' || *end != '\0') {
        return err_set(err, ERR_INVALID, "score '%.60s' is no number", text);
    }
    return add(scores, csv_field(record, title), value, err);
}

static int read_csv(struct scores *scores, const struct buf *text, struct err *err) {
    struct csv csv = csv_of(text->data, text->size);
    struct csv_record header = {0}, record = {0};
    struct err why = {0};
    int result = csv_next(&csv, &header, &why);
    size_t title = column_of(&header, "title"), score = column_of(&header, "score");
    if (result >= 0 && (title == header.count || score == header.count)) {
        result = err_set(&why, ERR_INVALID, "the first line names no columns 'title' and 'score'");
    }
    record.line = header.line;
    while (result > 0) {
        result = csv_next(&csv, &record, &why);
        if (result > 0 && take_record(scores, &record, title, score, &why) != 0) {
            result = ERR_INVALID;
        }
    }
    int failed = result < 0 ? wrong_line(err, record.line, &why) : 0;
    csv_record_finish(&header);
    csv_record_finish(&record);
    return failed;
}

/* ---- JSON Lines ------------------------------------------------------------------- */

static int take_line(struct scores *scores, const char *line, size_t size, struct err *err) {
    struct json *tree = NULL;
    const char *title = "";
    double value = 0;
    int failed = json_tree_parse(&tree, line, size, err);
    if (failed == 0) {
        struct reader r = reader_of(tree, "the line", err);
        reader_string(&r, "title", &title);
        reader_number(&r, "score", 0, value_max, &value);
        failed = reader_ok(&r) ? add(scores, title, value, err) : ERR_INVALID;
    }
    json_tree_destroy(tree);
    return failed;
}

static int read_lines(struct scores *scores, const struct buf *text, struct err *err) {
    const char *at = (const char *)text->data, *end = at + text->size;
    struct err why = {0};
    for (int64_t number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop != NULL ? stop : end) - at);
        bool is_empty = strspn(at, " \t\r") >= size;
        if (!is_empty && take_line(scores, at, size, &why) != 0) {
            return wrong_line(err, number, &why);
        }
        at += size + 1;
    }
    return 0;
}

int scores_read(struct scores *out, const struct buf *text, struct err *err) {
    struct buf whole = {0}; /* with a NUL behind it */
    buf_append(&whole, text->data, text->size);
    const char *begin = buf_text(&whole);
    bool is_json = begin[strspn(begin, " \t\r\n")] == '{';
    int failed = is_json ? read_lines(out, &whole, err) : read_csv(out, &whole, err);
    buf_finish(&whole);
    return failed;
}

void scores_finish(struct scores *scores) {
    mem_free(scores->list);
    *scores = (struct scores){0};
}
