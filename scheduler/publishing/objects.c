/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The media objects of a version: see objects.h. */
#include "objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

/* A rendition of the version, as the store has it. */
struct folder {
    char name[WIRE_FOLDER_TEXT];
    int64_t segments;
};

struct page {
    struct writer *w;
    int64_t at;    /* number of the next object of the version */
    int64_t first; /* of the page */
    int64_t end;
};

/* What is listed of a segment. */
struct segment {
    int64_t number;
    int64_t bytes;
    char sha256[WIRE_HASH_TEXT];
};

/* The segments of a rendition, joined from its chunks. */
struct segments {
    size_t count;
    struct segment *list; /* owned */
    struct segment init;
};

static void write_object(struct page *page, const char *folder, const char *name,
                         const struct segment *segment) {
    if (page->at >= page->first && page->at < page->end) {
        char key[WIRE_FOLDER_TEXT + 32];
        snprintf(key, sizeof(key), "%s/%s", folder, name);
        writer_object(page->w, NULL);
        writer_string(page->w, "key", key);
        writer_int(page->w, "bytes", segment->bytes);
        writer_string(page->w, "sha256", segment->sha256);
        writer_object_end(page->w);
    }
    page->at++;
}

static void take_report(const struct unit_report *report, struct segments *out) {
    out->list = mem_resize(out->list, out->count + report->segment_count + 1, sizeof(*out->list));
    for (size_t i = 0; i < report->segment_count; i++) {
        const struct segment_report *segment = &report->segments[i];
        struct segment *taken = &out->list[out->count++];
        *taken = (struct segment){.number = segment->number, .bytes = segment->bytes};
        memcpy(taken->sha256, segment->sha256, sizeof(taken->sha256));
    }
    out->init.bytes = report->init_bytes;
    memcpy(out->init.sha256, report->init_sha256, sizeof(out->init.sha256));
}

static int compare_segments(const void *left, const void *right) {
    int64_t a = ((const struct segment *)left)->number;
    int64_t b = ((const struct segment *)right)->number;
    return (a > b) - (a < b);
}

/* All reports of a place; the transaction's error where one can't be read. */
static void read_segments(struct tx *tx, const char *place, struct segments *out) {
    struct query query = sql_query(tx, SQL_PRODUCTS_OF_PLACE, VALUES(TEXT(place)));
    while (query_next(&query)) {
        struct json *tree = NULL;
        struct arena arena = {0};
        struct unit_report report = {0};
        struct err err = {0};
        const char *text = query_text(&query, 0);
        if (json_tree_parse(&tree, text, strlen(text), &err) == 0) {
            struct reader reader = reader_of(tree, "the stored report", &err);
            unit_report_read(&report, &arena, &reader);
        }
        if (err.code == ERR_NONE) {
            take_report(&report, out);
        }
        arena_finish(&arena);
        json_tree_destroy(tree);
        if (err.code != ERR_NONE) {
            err_set(tx_err(tx), ERR_CORRUPT, "%s", err.message);
            break;
        }
    }
    query_close(&query);
    if (out->count > 0) {
        qsort(out->list, out->count, sizeof(*out->list), compare_segments);
    }
}

int64_t objects_count_segments(struct tx *tx, const char *place) {
    struct segments segments = {0};
    read_segments(tx, place, &segments);
    mem_free(segments.list);
    return (int64_t)segments.count;
}

/* The objects of one rendition, of which the page has some. */
static void write_folder(struct tx *tx, struct page *page, const char *output, const char *title,
                         const struct folder *folder) {
    struct segments segments = {0};
    char *place = mem_format("%s/%s/%s", output, title, folder->name);
    read_segments(tx, place, &segments);
    if (tx_ok(tx) && (int64_t)segments.count != folder->segments) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "the reports of %s of title %s are not all there: a new run makes it again",
                folder->name, title);
    }
    for (size_t i = 0; i < segments.count && tx_ok(tx); i++) {
        char name[WIRE_OBJECT_TEXT];
        rendition_object_name(folder->name, segments.list[i].number, name);
        write_object(page, folder->name, name, &segments.list[i]);
    }
    if (tx_ok(tx)) {
        char name[WIRE_OBJECT_TEXT];
        rendition_object_name(folder->name, 0, name);
        write_object(page, folder->name, name, &segments.init);
    }
    mem_free(segments.list);
    mem_free(place);
}

static struct folder *read_folders(struct tx *tx, const char *title, const char *version,
                                   size_t *count) {
    struct folder *folders = NULL;
    *count = 0;
    struct query query = sql_query(tx, SQL_VERSION_FOLDERS, VALUES(TEXT(title), TEXT(version)));
    while (query_next(&query)) {
        folders = mem_resize(folders, *count + 1, sizeof(*folders));
        struct folder *folder = &folders[(*count)++];
        snprintf(folder->name, sizeof(folder->name), "%s", query_text(&query, 0));
        folder->segments = query_integer(&query, 1);
    }
    return folders;
}

/* Where the version lies; owned, NULL with an error where it does not. */
static char *find_output(struct tx *tx, const char *title, const char *version) {
    struct query query = sql_query(tx, SQL_VERSION_OUTPUT, VALUES(TEXT(title), TEXT(version)));
    char *output = query_next(&query) ? mem_string(query_text(&query, 0)) : NULL;
    query_close(&query);
    if (output == NULL) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "title %s keeps no version '%.16s'", title, version);
        return NULL;
    }
    size_t size = strlen(output);
    if (size > 1 && output[size - 1] == '/') { /* as plan.c names places */
        output[size - 1] = '\0';
    }
    return output;
}

void objects_write(struct tx *tx, const char *title, const char *version, int64_t from,
                   struct writer *w) {
    struct page page = {.w = w, .first = from, .end = from + OBJECTS_PAGE};
    size_t count = 0;
    char *output = find_output(tx, title, version);
    struct folder *folders = output == NULL ? NULL : read_folders(tx, title, version, &count);
    writer_object(w, NULL);
    writer_array(w, "objects");
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        int64_t next = page.at + folders[i].segments + 1;
        if (next > page.first && page.at < page.end) {
            write_folder(tx, &page, output, title, &folders[i]);
        }
        page.at = next;
    }
    writer_array_end(w);
    if (page.at > page.end) {
        writer_int(w, "next", page.end);
    } else {
        writer_null(w, "next");
    }
    writer_object_end(w);
    if (tx_ok(tx) && count == 0) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "what version '%.16s' of title %s is made of is not known; submit it again",
                version, title);
    }
    mem_free(folders);
    mem_free(output);
}
