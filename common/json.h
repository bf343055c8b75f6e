/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in and out. Reading: a parsed tree and a `struct reader` that threads one
 * error through many fields, so that a parser is one line a field and one check
 * at its end. Writing: a `struct writer` that appends compact text to a buffer
 * (same calls, same bytes: the text is fit for hashing).
 *
 * A YAML file (yaml.h) becomes the same tree, so one reader serves both; errors
 * then name the line.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct json; /* one node of a parsed tree; children live as long as their root */

/* Parses UTF-8 text of at most 64 MiB and 64 levels, with no more values than 65,536 and one each
 * 6 bytes, of which arrays and objects count eightfold. `*out` is owned. CORRUPT with line and
 * column where it is not JSON, holds a key twice, or has trailing bytes. */
int json_tree_parse(struct json **out, const void *text, size_t size, struct err *err);

/* Frees a tree by its root; takes NULL. */
void json_tree_destroy(struct json *root);

/* Appends the node as compact text. */
void json_tree_write(const struct json *node, struct buf *out);

/*
 * A reader stands on one object or array. Getters do nothing and leave their
 * output alone once `err` holds an error. `where` names the thing in messages:
 * "ladder.yaml", "lease answer".
 */
struct reader {
    const struct json *node;                                      /* borrowed */
    const char *where;                                            /* borrowed */
    struct err *err;                                              /* borrowed; not NULL */
    int (*line_of)(const void *context, const struct json *node); /* YAML: line from 1; or NULL */
    const void *line_context;
    char path[256]; /* of the node from the root: "rungs[2]", "" for the root */
};

struct reader reader_of(const struct json *root, const char *where, struct err *err);

/* Required members. INVALID that names where, line, path, and what is allowed.
 * Strings are borrowed from the tree. Numbers are checked against [min, max]. */
void reader_string(struct reader *r, const char *name, const char **out);
void reader_int(struct reader *r, const char *name, int64_t min, int64_t max, int64_t *out);
void reader_number(struct reader *r, const char *name, double min, double max, double *out);
void reader_bool(struct reader *r, const char *name, bool *out);
/* A copy into `size` bytes at `out`; too long a string is INVALID. */
void reader_text(struct reader *r, const char *name, char *out, size_t size);
/* One of `names` (ended by NULL): its index. The message lists all of them. */
void reader_choice(struct reader *r, const char *name, const char *const *names, int *out);
/* The member as a reader of its own; on error a reader whose getters do nothing. */
struct reader reader_object(struct reader *r, const char *name);
struct reader reader_array(struct reader *r, const char *name);

/* Whether the member is there and is not null. */
bool reader_has(const struct reader *r, const char *name);

/* Whether the reader stands on an object. */
bool reader_is_object(const struct reader *r);

/* Names of an object reader's members, from 0 on, borrowed; NULL past the last. */
const char *reader_name(const struct reader *r, size_t index);

/* Elements of an array reader. */
size_t reader_count(const struct reader *r);
struct reader reader_item(struct reader *r, size_t index); /* an object or array in it */
void reader_item_int(struct reader *r, size_t index, int64_t min, int64_t max, int64_t *out);
void reader_item_string(struct reader *r, size_t index, const char **out);

/* INVALID where the object has a member that is not in `names` (ended by NULL). */
void reader_only(struct reader *r, const char *const *names);

/* Sets an INVALID of one's own in the reader's style: where:line: path.name: message. */
void reader_fail(struct reader *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether no error has been met. */
bool reader_ok(const struct reader *r);

/*
 * Writing. `name` is NULL inside arrays and for the root. Commas are the
 * writer's business. Numbers are written without exponent where they are whole.
 */
struct writer {
    struct buf *out; /* borrowed */
    bool comma;      /* the next value needs one before it */
};

struct writer writer_of(struct buf *out);
void writer_object(struct writer *w, const char *name);
void writer_object_end(struct writer *w);
void writer_array(struct writer *w, const char *name);
void writer_array_end(struct writer *w);
void writer_string(struct writer *w, const char *name, const char *value); /* NULL writes null */
void writer_strings(struct writer *w, const char *name, const char *const *list, size_t count);
void writer_int(struct writer *w, const char *name, int64_t value);
void writer_positive(struct writer *w, const char *name, int64_t value); /* 0, as for none: null */
void writer_number(struct writer *w, const char *name, double value);
void writer_bool(struct writer *w, const char *name, bool value);
void writer_null(struct writer *w, const char *name);
void writer_node(struct writer *w, const char *name, const struct json *node);
void writer_raw(struct writer *w, const char *name, const char *json,
                size_t size); /* trusted text */

#endif
