/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields out of a tree, one line a field, one error for all: see json.h. */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_tree.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: doubles up to it hold whole numbers exactly */

static const char *const type_names[] = {
    [NODE_NULL] = "null",        [NODE_BOOL] = "true or false", [NODE_INT] = "a number",
    [NODE_REAL] = "a number",    [NODE_STRING] = "a string",    [NODE_ARRAY] = "a list",
    [NODE_OBJECT] = "an object",
};

struct reader reader_of(const struct json *root, const char *where, struct err *err) {
    return (struct reader){.node = root, .where = where, .err = err};
}

bool reader_ok(const struct reader *r) {
    return r->err->code == ERR_NONE;
}

static bool is_dead(const struct reader *r) {
    return r->node == NULL || !reader_ok(r);
}

/* The whole message: where:line: path.name: what. An unnamed node is meant itself. */
static void fail_at(struct reader *r, const struct json *node, const char *path,
                    const char *message) {
    char place[512];
    int line = r->line_of != NULL && node != NULL ? r->line_of(r->line_context, node) : 0;
    if (line > 0) {
        snprintf(place, sizeof(place), "%s:%d", r->where, line);
    } else {
        snprintf(place, sizeof(place), "%s", r->where);
    }
    const char *colon = path[0] != '\0' ? ": " : "";
    err_set(r->err, ERR_INVALID, "%s: %s%s%s", place, path, colon, message);
}

/* Appends to a path; one too long for a message is cut and ends in "...". */
static void path_add(char *path, size_t size, const char *text) {
    size_t used = strlen(path);
    size_t length = strlen(text);
    if (used + length < size) {
        memcpy(path + used, text, length + 1);
    } else {
        if (used < size - 4) {
            memcpy(path + used, text, size - 4 - used);
        }
        memcpy(path + size - 4, "...", 4); /* full, so that nothing comes after */
    }
}

static const struct json *member_of(const struct json *node, const char *name) {
    if (node->type == NODE_OBJECT) {
        for (size_t i = 0; i < node->count; i++) {
            if (strcmp(node->items[i].name, name) == 0) {
                return &node->items[i];
            }
        }
    }
    return NULL;
}

/*
 * One value on its way out of a tree: a member by its name, or an item by its
 * index. `node` is NULL where there is nothing to read. Its path is made only
 * when a message or a reader below needs it: most fields are right.
 */
struct value {
    const struct json *node;
    const char *name; /* NULL for an item */
    size_t index;
};

static void value_path(const struct reader *r, const struct value *value, char *out, size_t size) {
    memcpy(out, r->path, sizeof(r->path));
    if (value->name == NULL) {
        char bracket[32];
        snprintf(bracket, sizeof(bracket), "[%zu]", value->index);
        path_add(out, size, bracket);
        return;
    }
    if (out[0] != '\0' && value->name[0] != '\0') {
        path_add(out, size, ".");
    }
    path_add(out, size, value->name);
}

void reader_fail(struct reader *r, const char *name, const char *format, ...) {
    if (!reader_ok(r)) {
        return;
    }
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    char path[sizeof(r->path)];
    value_path(r, &(struct value){.name = name != NULL ? name : ""}, path, sizeof(path));
    const struct json *node = r->node;
    if (node != NULL && name != NULL && member_of(node, name) != NULL) {
        node = member_of(node, name);
    }
    fail_at(r, node, path, message);
}

static void value_fail(struct reader *r, const struct value *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void value_fail(struct reader *r, const struct value *value, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    char path[sizeof(r->path)];
    value_path(r, value, path, sizeof(path));
    fail_at(r, value->node != NULL ? value->node : r->node, path, message);
}

static struct value take_member(struct reader *r, const char *name) {
    struct value value = {.name = name};
    if (is_dead(r)) {
        return value;
    }
    if (r->node->type != NODE_OBJECT) {
        fail_at(r, r->node, r->path, "must be an object");
        return value;
    }
    value.node = member_of(r->node, name);
    if (value.node == NULL) {
        value_fail(r, &value, "is missing");
    }
    return value;
}

static struct value take_item(struct reader *r, size_t index) {
    struct value value = {.index = index};
    if (is_dead(r)) {
        return value;
    }
    if (r->node->type != NODE_ARRAY || index >= r->node->count) {
        value_fail(r, &value, "is missing");
        return value;
    }
    value.node = &r->node->items[index];
    return value;
}

static void read_string(struct reader *r, const struct value *value, const char **out) {
    if (value->node == NULL) {
        return;
    }
    if (value->node->type != NODE_STRING) {
        value_fail(r, value, "must be a string, not %s", type_names[value->node->type]);
        return;
    }
    *out = value->node->text;
}

static void read_int(struct reader *r, const struct value *value, int64_t min, int64_t max,
                     int64_t *out) {
    const struct json *node = value->node;
    if (node == NULL) {
        return;
    }
    bool whole = node->type == NODE_REAL && node->real == floor(node->real) &&
                 fabs(node->real) <= WHOLE_MAX;
    if (node->type == NODE_REAL && !whole) {
        value_fail(r, value, "must be a whole number from %" PRId64 " to %" PRId64 ", not %g", min,
                   max, node->real);
        return;
    }
    if (node->type != NODE_INT && !whole) {
        value_fail(r, value, "must be a whole number from %" PRId64 " to %" PRId64 ", not %s", min,
                   max, type_names[node->type]);
        return;
    }
    int64_t number = whole ? (int64_t)node->real : node->integer;
    if (number < min || number > max) {
        value_fail(r, value, "must be from %" PRId64 " to %" PRId64 ", not %" PRId64, min, max,
                   number);
        return;
    }
    *out = number;
}

void reader_string(struct reader *r, const char *name, const char **out) {
    struct value value = take_member(r, name);
    read_string(r, &value, out);
}

void reader_int(struct reader *r, const char *name, int64_t min, int64_t max, int64_t *out) {
    struct value value = take_member(r, name);
    read_int(r, &value, min, max, out);
}

void reader_number(struct reader *r, const char *name, double min, double max, double *out) {
    struct value value = take_member(r, name);
    if (value.node == NULL) {
        return;
    }
    if (value.node->type != NODE_INT && value.node->type != NODE_REAL) {
        value_fail(r, &value, "must be a number from %g to %g, not %s", min, max,
                   type_names[value.node->type]);
        return;
    }
    double number = value.node->type == NODE_INT ? (double)value.node->integer : value.node->real;
    if (!(number >= min && number <= max)) {
        value_fail(r, &value, "must be from %g to %g, not %g", min, max, number);
        return;
    }
    *out = number;
}

void reader_bool(struct reader *r, const char *name, bool *out) {
    struct value value = take_member(r, name);
    if (value.node == NULL) {
        return;
    }
    if (value.node->type != NODE_BOOL) {
        value_fail(r, &value, "must be true or false, not %s", type_names[value.node->type]);
        return;
    }
    *out = value.node->boolean;
}

void reader_text(struct reader *r, const char *name, char *out, size_t size) {
    const char *text = NULL;
    struct value value = take_member(r, name);
    read_string(r, &value, &text);
    if (text == NULL) {
        return;
    }
    if (strlen(text) >= size) {
        value_fail(r, &value, "has %zu bytes; at most %zu are allowed", strlen(text), size - 1);
        return;
    }
    memcpy(out, text, strlen(text) + 1);
}

/* "a, b or c" */
static void list_names(const char *const *names, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; names[i] != NULL && used < size; i++) {
        const char *comma = i == 0 ? "" : names[i + 1] == NULL ? " or " : ", ";
        used += (size_t)snprintf(out + used, size - used, "%s%s", comma, names[i]);
    }
}

void reader_choice(struct reader *r, const char *name, const char *const *names, int *out) {
    const char *text = NULL;
    struct value value = take_member(r, name);
    read_string(r, &value, &text);
    if (text == NULL) {
        return;
    }
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return;
        }
    }
    char all[400];
    list_names(names, all, sizeof(all));
    value_fail(r, &value, "must be %s, not '%.60s'", all, text);
}

/* A reader for a node below `r`, or a dead one. */
static struct reader descend(const struct reader *r, const struct value *value) {
    struct reader below = *r;
    below.node = value->node;
    value_path(r, value, below.path, sizeof(below.path));
    return below;
}

static struct reader container(struct reader *r, struct value *value, enum node_type type) {
    if (value->node != NULL && value->node->type != type) {
        value_fail(r, value, "must be %s, not %s", type_names[type], type_names[value->node->type]);
        value->node = NULL;
    }
    return descend(r, value);
}

struct reader reader_object(struct reader *r, const char *name) {
    struct value value = take_member(r, name);
    return container(r, &value, NODE_OBJECT);
}

struct reader reader_array(struct reader *r, const char *name) {
    struct value value = take_member(r, name);
    return container(r, &value, NODE_ARRAY);
}

bool reader_has(const struct reader *r, const char *name) {
    if (is_dead(r)) {
        return false;
    }
    const struct json *member = member_of(r->node, name);
    return member != NULL && member->type != NODE_NULL;
}

bool reader_is_object(const struct reader *r) {
    return !is_dead(r) && r->node->type == NODE_OBJECT;
}

const char *reader_name(const struct reader *r, size_t index) {
    return reader_is_object(r) && index < r->node->count ? r->node->items[index].name : NULL;
}

size_t reader_count(const struct reader *r) {
    return !is_dead(r) && r->node->type == NODE_ARRAY ? r->node->count : 0;
}

struct reader reader_item(struct reader *r, size_t index) {
    struct value value = take_item(r, index);
    if (value.node != NULL && value.node->type != NODE_OBJECT && value.node->type != NODE_ARRAY) {
        value_fail(r, &value, "must be an object or a list, not %s", type_names[value.node->type]);
        value.node = NULL;
    }
    return descend(r, &value);
}

void reader_item_int(struct reader *r, size_t index, int64_t min, int64_t max, int64_t *out) {
    struct value value = take_item(r, index);
    read_int(r, &value, min, max, out);
}

void reader_item_string(struct reader *r, size_t index, const char **out) {
    struct value value = take_item(r, index);
    read_string(r, &value, out);
}

static bool is_listed(const char *const *names, const char *name) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void reader_only(struct reader *r, const char *const *names) {
    if (is_dead(r) || r->node->type != NODE_OBJECT) {
        return;
    }
    for (size_t i = 0; i < r->node->count; i++) {
        const struct json *item = &r->node->items[i];
        if (!is_listed(names, item->name)) {
            char all[400];
            list_names(names, all, sizeof(all));
            reader_fail(r, item->name, "is not a field of this place; known are %s", all);
            return;
        }
    }
}
