/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may lie at a place: see orphan_names.h. */
#include "orphan_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "endpoint_rows.h"
#include "endpoints.h"

enum {
    TITLES_MAX = 256, /* of one statement, which steps over all those before each */
    TITLE_COLUMNS = WIRE_TITLE_TEXT - 1,
};

/* What a row of SQL_ORPHAN_NAMES says of a title. */
enum saying {
    SAYS_KNOWN,  /* the farm has heard of it */
    SAYS_OUTPUT, /* one of its versions lies in that output: all of it is */
    SAYS_LEAVES, /* it goes from that endpoint: all of it may be there still */
    SAYS_STABLE, /* its stable names are at that endpoint */
    SAYS_HOLDS,  /* that endpoint may hold that version or folder */
};

static const char *const sayings[] = {"known", "output", "leaves", "stable", "holds"};

struct orphan_name {
    char title[WIRE_TITLE_TEXT];
    enum saying saying;
    char name[WIRE_FOLDER_TEXT]; /* of what it holds */
};

static void add(struct orphan_names *names, const char *title, enum saying saying,
                const char *name) {
    if (names->count == names->capacity) {
        names->capacity = 2 * names->capacity + 64;
        names->rows = mem_resize(names->rows, names->capacity, sizeof(*names->rows));
    }
    struct orphan_name *row = &names->rows[names->count++];
    *row = (struct orphan_name){.saying = saying};
    snprintf(row->title, sizeof(row->title), "%s", title);
    snprintf(row->name, sizeof(row->name), "%s", name);
}

/* One that the file has no more may be there. */
static bool is_there(const struct endpoint_list *endpoints, const char *name, const char *url) {
    const struct endpoint_row *row = endpoint_list_find(endpoints, name);
    return row != NULL && (row->file == NULL || endpoint_same_place(row->file->push.url, url));
}

/* Of titles whose names stand one behind another, each in TITLE_COLUMNS. */
static void read_titles(struct tx *tx, const struct endpoint_list *endpoints, const char *url,
                        struct buf *titles, struct orphan_names *out) {
    struct query query =
        sql_query(tx, SQL_ORPHAN_NAMES,
                  VALUES(TEXT(buf_text(titles)), INTEGER((int64_t)titles->size / TITLE_COLUMNS)));
    while (query_next(&query)) {
        const char *what = query_text(&query, 1);
        int saying = 0;
        while (strcmp(sayings[saying], what) != 0) {
            saying++;
        }
        bool counts = saying == SAYS_KNOWN ||
                      (saying == SAYS_OUTPUT ? endpoint_same_place(query_text(&query, 2), url)
                                             : is_there(endpoints, query_text(&query, 3), url));
        if (counts) {
            add(out, query_text(&query, 0), (enum saying)saying, query_text(&query, 2));
        }
    }
    query_close(&query);
    buf_clear(titles);
}

static int by_title(const void *a, const void *b) {
    return strcmp(((const struct orphan_name *)a)->title, ((const struct orphan_name *)b)->title);
}

void orphan_names_read(struct tx *tx, const struct farm *farm, const char *url,
                       const struct sweep_group *const *groups, size_t count,
                       struct orphan_names *out) {
    struct endpoint_list endpoints = {0};
    struct buf titles = {0};
    *out = (struct orphan_names){0};
    endpoint_list_read(tx, farm, &endpoints);
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        if (i > 0 && strcmp(groups[i]->title, groups[i - 1]->title) == 0) {
            continue;
        }
        buf_format(&titles, "%-*s", (int)TITLE_COLUMNS, groups[i]->title);
        if (titles.size == TITLES_MAX * TITLE_COLUMNS) {
            read_titles(tx, &endpoints, url, &titles, out);
        }
    }
    if (titles.size > 0) {
        read_titles(tx, &endpoints, url, &titles, out);
    }
    if (out->count > 0) {
        qsort(out->rows, out->count, sizeof(*out->rows), by_title);
    }
    endpoint_list_finish(&endpoints);
    buf_finish(&titles);
}

void orphan_names_finish(struct orphan_names *names) {
    mem_free(names->rows);
    *names = (struct orphan_names){0};
}

/* The title's first row; the count where it has none. */
static size_t find(const struct orphan_names *names, const char *title) {
    size_t from = 0, to = names->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(names->rows[middle].title, title) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < names->count && strcmp(names->rows[from].title, title) == 0 ? from : names->count;
}

static bool is_stable_name(const char *path) {
    return strchr(path, '/') == NULL && strchr(path, '.') != NULL;
}

/* Whether a row of its title says that the group may be there. */
static bool says_so(const struct orphan_name *row, const char *path) {
    switch (row->saying) {
    case SAYS_KNOWN:
        return false;
    case SAYS_OUTPUT:
    case SAYS_LEAVES:
        return true;
    case SAYS_STABLE:
        return is_stable_name(path);
    case SAYS_HOLDS:
        return strcmp(row->name, path) == 0;
    }
    return false;
}

bool orphan_names_have(const struct orphan_names *names, const struct sweep_group *group) {
    bool found = false;
    for (size_t i = find(names, group->title);
         !found && i < names->count && strcmp(names->rows[i].title, group->title) == 0; i++) {
        found = says_so(&names->rows[i], group->path);
    }
    return found;
}

bool orphan_names_know(const struct orphan_names *names, const char *title) {
    bool found = false;
    for (size_t i = find(names, title);
         !found && i < names->count && strcmp(names->rows[i].title, title) == 0; i++) {
        found = names->rows[i].saying == SAYS_KNOWN;
    }
    return found;
}
