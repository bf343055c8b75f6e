/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists and searches of the catalog's store: see shelf.h. A filter that lets few titles through is
 * followed from the index that names the fewest, so that a word that all titles have is not gone
 * through for them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shelf_parts.h"

enum {
    FILTER_VALUES = 9,
    VALUES_MAX = 18, /* of a statement that has a filter's */
    GROWTH = 4,      /* few on the first page are few on the others while they are so many times
                        as many at most: a cursor may not cost more than that */
};

/* ---- which side is the narrowest ---------------------------------------------------------- */

/* Titles that one index names, of which a filter's are a part. */
struct side {
    const char *kind; /* that of a mark, "height" or "since"; "": the filter has none */
    const char *value;
    int64_t count; /* of titles; one more than are few: that many, or more */
};

/* Those of a filter that name the fewest. */
struct sides {
    struct side mark;
    struct side narrowest; /* of all */
    int64_t order;         /* of a search: as in cursor.h */
};

/* So few that the search keeps to them. */
static bool are_few(const struct sides *sides) {
    return sides->order >= CURSOR_OF_FEW;
}

static int count_side(struct shelf *shelf, enum shelf_sql_id id, const struct value *values,
                      size_t count, int64_t *out, struct err *err) {
    int row = shelf_first(shelf, id, values, count, err);
    if (row > 0) {
        *out = driver_integer(shelf->driver, (int)id, 0);
        driver_reset(shelf->driver, (int)id);
    }
    return row < 0 ? row : 0;
}

static void take_side(struct side *narrowest, const struct side *side) {
    if (narrowest->kind[0] == '\0' || side->count < narrowest->count) {
        *narrowest = *side;
    }
}

static int weigh_marks(struct shelf *shelf, const struct filter *filter, int64_t few,
                       struct sides *out, struct err *err) {
    struct filter_mark marks[FILTER_MARKS_MAX];
    size_t count = filter_marks(filter, marks);
    int failed = 0;
    for (size_t i = 0; i < count && failed == 0; i++) {
        struct side side = {.kind = marks[i].kind, .value = marks[i].value};
        failed = count_side(shelf, SHELF_COUNT_MARKED,
                            VALUES(TEXT(side.kind), TEXT(side.value), INTEGER(few + 1)),
                            &side.count, err);
        take_side(&out->mark, &side);
        if (out->mark.value == side.value && side.count <= few) {
            out->order = CURSOR_OF_MARK + (int64_t)i;
        }
    }
    out->narrowest = out->mark;
    return failed;
}

/* `order` is that of the pages before; 0: there are none. */
static int weigh(struct shelf *shelf, const struct filter *filter, int64_t order, struct sides *out,
                 struct err *err) {
    const struct {
        const char *kind;
        enum shelf_sql_id id;
        int64_t least;
    } facts[] = {{"height", SHELF_COUNT_TALL, filter->min_height},
                 {"since", SHELF_COUNT_SINCE, filter->updated_since}};
    int64_t few = order >= CURSOR_OF_FEW ? GROWTH * shelf->few : shelf->few;
    struct sides sides = {.mark = {.kind = "", .value = "", .count = few + 1},
                          .order = CURSOR_OF_FEW};
    int failed = weigh_marks(shelf, filter, few, &sides, err);
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && failed == 0; i++) {
        struct side side = {.kind = facts[i].kind, .value = ""};
        if (facts[i].least > 0) {
            failed = count_side(shelf, facts[i].id,
                                VALUES(INTEGER(facts[i].least), INTEGER(few + 1)), &side.count,
                                err);
            take_side(&sides.narrowest, &side);
        }
    }
    if (sides.narrowest.count > few) {
        sides.order = CURSOR_OF_MANY;
    } else if (order > 0) {
        sides.order = order;
    }
    *out = sides;
    return failed;
}

/* ---- pages --------------------------------------------------------------------------------- */

/* The last row of a page. */
struct last {
    char title[WIRE_TITLE_TEXT]; /* of a list */
    int64_t number;              /* of a search */
    bool more;                   /* there is another after it */
};

/* Appends the summaries of a started statement, of which one too many was asked for, up to the
 * page's end. */
static int take_rows(struct shelf *shelf, enum shelf_sql_id id, int limit, struct last *last,
                     struct buf *out, struct err *err) {
    struct driver *driver = shelf->driver;
    bool is_list = id == SHELF_LIST || id == SHELF_LIST_MARKED || id == SHELF_LIST_FEW;
    int row = 0;
    for (int taken = 0; (row = driver_step(driver, (int)id, err)) > 0; taken++) {
        if (taken == limit) {
            last->more = true;
            driver_reset(driver, (int)id);
            break;
        }
        buf_string(out, taken > 0 ? "," : "");
        buf_string(out, driver_text(driver, (int)id, 0));
        if (is_list) {
            snprintf(last->title, sizeof(last->title), "%s", driver_text(driver, (int)id, 1));
        } else {
            last->number = driver_integer(driver, (int)id, 1);
        }
    }
    return row < 0 ? row : 0;
}

/* Starts a statement whose parameters are a filter's, then others. */
static int start_filtered(struct shelf *shelf, enum shelf_sql_id id, const struct filter *filter,
                          const struct value *others, size_t count, struct err *err) {
    struct value values[VALUES_MAX] = {
        TEXT(filter->labels[0]), TEXT(filter->labels[1]),     TEXT(filter->labels[2]),
        TEXT(filter->labels[3]), TEXT(filter->language),      TEXT(filter->codec),
        TEXT(filter->tenant),    INTEGER(filter->min_height), INTEGER(filter->updated_since),
    };
    memcpy(values + FILTER_VALUES, others, count * sizeof(*others));
    return shelf_start(shelf, id, values, FILTER_VALUES + count, err);
}

/* ---- lists --------------------------------------------------------------------------------- */

static int start_list(struct shelf *shelf, const struct filter *filter, const struct sides *sides,
                      const char *after, int limit, enum shelf_sql_id *id, struct err *err) {
    bool by_mark = sides->mark.count <= sides->narrowest.count;
    const struct side *side = by_mark ? &sides->mark : &sides->narrowest;
    const struct value others[] = {TEXT(after), INTEGER(limit + 1), TEXT(side->kind),
                                   TEXT(side->value)};
    *id = !by_mark ? SHELF_LIST_FEW : side->kind[0] != '\0' ? SHELF_LIST_MARKED : SHELF_LIST;
    return start_filtered(shelf, *id, filter, others, *id == SHELF_LIST ? 2 : 4, err);
}

int shelf_list(struct shelf *shelf, const struct filter *filter, const char *after, int limit,
               struct buf *out, struct err *err) {
    enum shelf_sql_id id = SHELF_LIST;
    struct sides sides;
    struct last last = {0};
    int failed = weigh(shelf, filter, 0, &sides, err);
    if (failed == 0) {
        failed = start_list(shelf, filter, &sides, after, limit, &id, err);
    }
    buf_string(out, "{\"titles\":[");
    if (failed == 0) {
        failed = take_rows(shelf, id, limit, &last, out, err);
    }
    buf_format(out, last.more ? "],\"next\":\"%s\"}" : "],\"next\":null}", last.title);
    return failed;
}

/* ---- searches ------------------------------------------------------------------------------ */

/* The highest number that a title has. */
static int find_bound(struct shelf *shelf, int64_t *out, struct err *err) {
    return count_side(shelf, SHELF_LAST, NULL, 0, out, err);
}

/* Appends an expression by which the index finds what a filter lets through. */
static int express(struct shelf *shelf, const struct filter *filter, struct buf *out,
                   struct err *err) {
    int64_t heights[FILTER_HEIGHTS_MAX];
    size_t count = 0;
    int row = 0;
    if (filter->min_height > 0) {
        row = shelf_start(shelf, SHELF_HEIGHTS,
                          VALUES(INTEGER(filter->min_height), INTEGER(FILTER_HEIGHTS_MAX + 1)),
                          err);
        while (row == 0 && (row = driver_step(shelf->driver, SHELF_HEIGHTS, err)) > 0) {
            if (count < FILTER_HEIGHTS_MAX) {
                heights[count] = driver_integer(shelf->driver, SHELF_HEIGHTS, 0);
            }
            count++;
            row = 0;
        }
    }
    if (row == 0) {
        filter_expression(filter, heights, count, out);
    }
    return row;
}

/* Likewise where few titles are: what else the filter asks for is not worth a look at the index,
 * which is gone through for each word. */
static void express_few(const struct filter *filter, int64_t order, struct buf *out) {
    struct filter_mark marks[FILTER_MARKS_MAX];
    size_t count = filter_marks(filter, marks);
    if (order >= CURSOR_OF_MARK && order - CURSOR_OF_MARK < (int64_t)count) {
        filter_mark_expression(&marks[order - CURSOR_OF_MARK], out);
    }
}

static int start_search(struct shelf *shelf, const struct search *search, const struct sides *sides,
                        const char *expression, int64_t bound, enum shelf_sql_id *id,
                        struct err *err) {
    const struct side *side = &sides->narrowest;
    /* Where the last title has gone, those after it have each moved up by one. */
    int64_t before = search->from.taken > 0 ? search->from.taken - 1 : 0;
    const struct value others[] = {TEXT(expression),    INTEGER(SHELF_CANDIDATES),
                                   TEXT(search->title), INTEGER(search->limit + 1),
                                   INTEGER(bound),      INTEGER(search->from.last),
                                   INTEGER(before),     TEXT(side->kind),
                                   TEXT(side->value)};
    *id = are_few(sides) ? SHELF_SEARCH_FEW : SHELF_SEARCH;
    return start_filtered(shelf, *id, &search->filter, others, are_few(sides) ? 9 : 7, err);
}

/* By a filter alone. */
static int start_find(struct shelf *shelf, const struct search *search, const struct sides *sides,
                      const char *expression, enum shelf_sql_id *id, struct err *err) {
    const struct side *side = &sides->narrowest;
    int64_t below = search->from.last > 0 ? search->from.last : INT64_MAX;
    if (are_few(sides)) {
        *id = SHELF_FIND_FEW;
        return start_filtered(
            shelf, *id, &search->filter,
            VALUES(INTEGER(below), INTEGER(search->limit + 1), TEXT(side->kind), TEXT(side->value)),
            err);
    }
    const struct value others[] = {INTEGER(below), INTEGER(search->limit + 1), TEXT(expression)};
    bool indexed = expression[0] != '\0';
    *id = indexed ? SHELF_FIND_WORDS : SHELF_FIND;
    return start_filtered(shelf, *id, &search->filter, others, indexed ? 3 : 2, err);
}

/* Starts a search of which the filter may find something. */
static int start_any(struct shelf *shelf, const struct search *search, const struct sides *sides,
                     int64_t bound, enum shelf_sql_id *id, struct err *err) {
    struct buf expression = {0};
    int failed = 0;
    if (are_few(sides)) {
        express_few(&search->filter, sides->order, &expression);
    } else {
        failed = express(shelf, &search->filter, &expression, err);
    }
    if (search->expression[0] != '\0') {
        buf_format(&expression, "%s(%s)", expression.size > 0 ? " AND " : "", search->expression);
    }
    if (failed == 0) {
        failed = search->expression[0] != '\0'
                     ? start_search(shelf, search, sides, buf_text(&expression), bound, id, err)
                     : start_find(shelf, search, sides, buf_text(&expression), id, err);
    }
    buf_finish(&expression);
    return failed;
}

int shelf_search(struct shelf *shelf, const struct search *search, struct buf *out,
                 struct err *err) {
    struct cursor next = {.taken = search->from.taken + search->limit, .bound = search->from.bound};
    enum shelf_sql_id id = SHELF_SEARCH;
    struct sides sides;
    struct last last = {0};
    int failed = next.bound == 0 ? find_bound(shelf, &next.bound, err) : 0;
    if (failed == 0) {
        failed = weigh(shelf, &search->filter, search->from.order, &sides, err);
    }
    buf_string(out, "{\"titles\":[");
    if (failed == 0 && sides.narrowest.count > 0) {
        failed = start_any(shelf, search, &sides, next.bound, &id, err);
        failed = failed == 0 ? take_rows(shelf, id, search->limit, &last, out, err) : failed;
    }
    buf_string(out, "],\"next\":");
    if (last.more) {
        next.last = last.number;
        next.order = sides.order;
        buf_string(out, "\"");
        cursor_write(&next, out);
        buf_string(out, "\"}");
    } else {
        buf_string(out, "null}");
    }
    return failed;
}
