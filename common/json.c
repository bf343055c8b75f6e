/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text to a tree, by jansson, which no other file knows: see json.h. */
#include "common/json.h"

#include <jansson.h>
#include <string.h>

#include "json_tree.h"

enum {
    TEXT_BYTES_MAX = 64 * 1024 * 1024,
    PARTS_FREE = 1 << 16, /* of any text; see has_too_many_parts */
    PART_BYTES = 6,       /* of a text's bytes, for one more */
    BRACKET_PARTS = 8,    /* that an array or object counts for, since its memory is so much more */
};

/* jansson's nodes are hashed and counted one by one; ours lie in an arena, carry
 * lines, and are the same for YAML. */
static int convert(struct json *out, const json_t *value, int level, struct json_tree *tree,
                   struct err *err);

static struct json *make_items(struct json *out, enum node_type type, size_t count,
                               struct json_tree *tree) {
    out->type = type;
    out->count = count;
    out->items = arena_zero(&tree->arena, count, sizeof(*out->items));
    return out->items;
}

static int convert_array(struct json *out, const json_t *value, int level, struct json_tree *tree,
                         struct err *err) {
    size_t count = json_array_size(value);
    struct json *items = make_items(out, NODE_ARRAY, count, tree);
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        code = convert(&items[i], json_array_get(value, i), level + 1, tree, err);
    }
    return code;
}

static int convert_object(struct json *out, const json_t *value, int level, struct json_tree *tree,
                          struct err *err) {
    json_t *object = (json_t *)value; /* iterators take no const; nothing is changed */
    struct json *item = make_items(out, NODE_OBJECT, json_object_size(value), tree);
    int code = 0;
    for (void *at = json_object_iter(object); at != NULL && code == 0;
         at = json_object_iter_next(object, at), item++) {
        item->name = arena_string(&tree->arena, json_object_iter_key(at));
        code = convert(item, json_object_iter_value(at), level + 1, tree, err);
    }
    return code;
}

static int convert(struct json *out, const json_t *value, int level, struct json_tree *tree,
                   struct err *err) {
    if (level > JSON_TREE_LEVELS) {
        return err_set(err, ERR_CORRUPT, "the JSON text is nested deeper than %d levels",
                       JSON_TREE_LEVELS);
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return convert_object(out, value, level, tree, err);
    case JSON_ARRAY:
        return convert_array(out, value, level, tree, err);
    case JSON_STRING:
        out->type = NODE_STRING;
        out->text = arena_string(&tree->arena, json_string_value(value));
        break;
    case JSON_INTEGER:
        out->type = NODE_INT;
        out->integer = json_integer_value(value);
        break;
    case JSON_REAL:
        out->type = NODE_REAL;
        out->real = json_real_value(value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out->type = NODE_BOOL;
        out->boolean = json_is_true(value);
        break;
    case JSON_NULL:
        out->type = NODE_NULL;
        break;
    }
    return 0;
}

/* Whether a text would take far more memory than its bytes: "[],[],[]" takes seventy times as much.
 * Counted before it is parsed. What is long of ours, names, hashes and places in files, has 8 bytes
 * a part at the least. */
static bool has_too_many_parts(const unsigned char *text, size_t size) {
    static const unsigned char weights[256] = {
        [','] = 1, ['['] = BRACKET_PARTS, ['{'] = BRACKET_PARTS};
    size_t parts = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            parts += weights[text[i]];
        } else if (text[i] == '\\') {
            i++;
        }
    }
    return parts > PARTS_FREE + size / PART_BYTES;
}

int json_tree_parse(struct json **out, const void *text, size_t size, struct err *err) {
    if (size > TEXT_BYTES_MAX) {
        return err_set(err, ERR_CORRUPT, "the JSON text has %zu bytes; at most %d are taken", size,
                       TEXT_BYTES_MAX);
    }
    if (has_too_many_parts(text, size)) {
        return err_set(err, ERR_CORRUPT, "the JSON text has too many parts for its %zu bytes",
                       size);
    }
    json_error_t error;
    json_t *value =
        json_loadb(size > 0 ? text : "", size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        return err_set(err, ERR_CORRUPT, "not JSON at line %d, column %d: %s", error.line,
                       error.column, error.text);
    }
    struct json_tree *tree = mem_zero(1, sizeof(*tree));
    int code = convert(&tree->root, value, 1, tree, err);
    json_decref(value);
    if (code != 0) {
        json_tree_destroy(&tree->root);
        return code;
    }
    *out = &tree->root;
    return 0;
}

void json_tree_destroy(struct json *root) {
    if (root != NULL) {
        struct json_tree *tree = (struct json_tree *)root;
        arena_finish(&tree->arena);
        mem_free(tree);
    }
}

static void write_item(const struct json *node, struct writer *w) {
    writer_node(w, node->name, node);
}

void writer_node(struct writer *w, const char *name, const struct json *node) {
    switch (node->type) {
    case NODE_OBJECT:
        writer_object(w, name);
        for (size_t i = 0; i < node->count; i++) {
            write_item(&node->items[i], w);
        }
        writer_object_end(w);
        break;
    case NODE_ARRAY:
        writer_array(w, name);
        for (size_t i = 0; i < node->count; i++) {
            write_item(&node->items[i], w);
        }
        writer_array_end(w);
        break;
    case NODE_STRING:
        writer_string(w, name, node->text);
        break;
    case NODE_INT:
        writer_int(w, name, node->integer);
        break;
    case NODE_REAL:
        writer_number(w, name, node->real);
        break;
    case NODE_BOOL:
        writer_bool(w, name, node->boolean);
        break;
    case NODE_NULL:
        writer_null(w, name);
        break;
    }
}

void json_tree_write(const struct json *node, struct buf *out) {
    struct writer w = writer_of(out);
    writer_node(&w, NULL, node);
}
