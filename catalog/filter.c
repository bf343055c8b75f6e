/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What titles must be: see filter.h. */
#include "filter.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "words.h"

/* ---- reading ------------------------------------------------------------------------- */

/* A label, or the name of one. */
static bool is_label(const char *text) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return title_label_valid(text) || (text[0] != '\0' && text[strspn(text, letters)] == '\0');
}

static int read_labels(struct filter *out, const char *text, struct err *err) {
    size_t count = 0;
    bool is_good = true;
    while (*text != '\0' && is_good) {
        size_t size = strcspn(text, ",");
        is_good = count < FILTER_LABELS_MAX && size <= LABEL_MAX;
        if (is_good) {
            memcpy(out->labels[count], text, size);
            is_good = is_label(out->labels[count++]);
        }
        text += size;
        is_good = is_good && strcmp(text, ",") != 0;
        text += *text == ',';
    }
    return is_good ? 0
                   : err_set(err, ERR_INVALID,
                             "label must be 1 to %d of NAME=VALUE or NAME, with commas between, of "
                             "letters, digits, '.', '_' and '-'",
                             (int)FILTER_LABELS_MAX);
}

static int read_height(struct filter *out, const char *text, struct err *err) {
    size_t digits = strspn(text, "0123456789");
    if (text[0] == '\0') {
        return 0;
    }
    out->min_height = text[digits] == '\0' && digits <= 5 ? strtoll(text, NULL, 10) : 0;
    return out->min_height >= 1 && out->min_height <= FILTER_HEIGHT_MAX
               ? 0
               : err_set(err, ERR_INVALID, "min_height must be a number from 1 to %d",
                         (int)FILTER_HEIGHT_MAX);
}

int filter_read(struct filter *out, const struct filter_texts *texts, struct err *err) {
    struct filter filter = {0};
    int failed = read_labels(&filter, texts->labels, err);
    if (failed == 0) {
        failed = read_height(&filter, texts->min_height, err);
    }
    if (failed != 0) {
        return failed;
    }
    if (entry_text_length(texts->language) > ENTRY_LANGUAGE_MAX) {
        return err_set(err, ERR_INVALID, "language must be one language's tag, such as en");
    }
    if (entry_text_length(texts->codec) > ENTRY_CODEC_MAX) {
        return err_set(err, ERR_INVALID, "codec must be one codec's name, such as h264");
    }
    if (texts->tenant[0] != '\0' && !tenant_name_valid(texts->tenant)) {
        return err_set(err, ERR_INVALID, "tenant must be a tenant's name");
    }
    if (texts->updated_since[0] != '\0' &&
        !(clock_parse(texts->updated_since, &filter.updated_since) && filter.updated_since > 0)) {
        return err_set(err, ERR_INVALID,
                       "updated_since must be a time, such as 2026-12-01T18:00:00Z");
    }
    snprintf(filter.language, sizeof(filter.language), "%s", texts->language);
    snprintf(filter.codec, sizeof(filter.codec), "%s", texts->codec);
    snprintf(filter.tenant, sizeof(filter.tenant), "%s", texts->tenant);
    *out = filter;
    return 0;
}

bool filter_is_any(const struct filter *filter) {
    return filter->labels[0][0] == '\0' && filter->language[0] == '\0' &&
           filter->codec[0] == '\0' && filter->tenant[0] == '\0' && filter->min_height == 0 &&
           filter->updated_since == 0;
}

size_t filter_marks(const struct filter *filter, struct filter_mark out[FILTER_MARKS_MAX]) {
    const struct filter_mark all[FILTER_MARKS_MAX] = {
        {"label", filter->labels[0]}, {"label", filter->labels[1]}, {"label", filter->labels[2]},
        {"label", filter->labels[3]}, {"tenant", filter->tenant},   {"language", filter->language},
        {"codec", filter->codec},
    };
    size_t count = 0;
    for (size_t i = 0; i < FILTER_MARKS_MAX; i++) {
        if (all[i].value[0] != '\0') {
            out[count++] = all[i];
        }
    }
    return count;
}

/* ---- as an expression ---------------------------------------------------------------- */

/* What has none of ASCII may have no word at all, and would then find nothing. */
static bool has_word(const char *text) {
    while (*text != '\0' && !isalnum((unsigned char)*text)) {
        text++;
    }
    return *text != '\0';
}

void filter_mark_expression(const struct filter_mark *mark, struct buf *out) {
    static const struct {
        const char *kind, *column;
    } columns[] = {
        {"label", "labels"}, {"tenant", "tenant"}, {"language", "languages"}, {"codec", "made"}};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (strcmp(columns[i].kind, mark->kind) == 0 && has_word(mark->value)) {
            buf_format(out, "%s%s : ", out->size > 0 ? " AND " : "", columns[i].column);
            words_phrase(mark->value, strlen(mark->value), out);
        }
    }
}

void filter_expression(const struct filter *filter, const int64_t *heights, size_t count,
                       struct buf *out) {
    struct filter_mark marks[FILTER_MARKS_MAX];
    size_t mark_count = filter_marks(filter, marks);
    for (size_t i = 0; i < mark_count; i++) {
        filter_mark_expression(&marks[i], out);
    }
    if (filter->min_height == 0 || count > FILTER_HEIGHTS_MAX) {
        return;
    }
    buf_format(out, "%smade : (\"%" PRId64 "p\"", out->size > 0 ? " AND " : "", filter->min_height);
    for (size_t i = 0; i < count; i++) {
        buf_format(out, " OR \"%" PRId64 "p\"", heights[i]);
    }
    buf_string(out, ")");
}
