/* SPDX-License-Identifier: GPL-2.0-or-later */
/* YAML to a tree, by libyaml's events: see yaml.h. Its document calls are not used: they have no
 * bound on depth, and 64 KiB of brackets keep them busy for seconds. */
#include "common/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/fs.h"
#include "json_tree.h"

enum { TEXT_BYTES_MAX = 1024 * 1024, NODES_MAX = 100000 };

struct build {
    yaml_parser_t parser;
    struct json_tree *tree;
    const char *where;
    int nodes;
    struct err *err;
};

static int build_node(struct build *build, struct json *out, const yaml_event_t *event, int level);

static int build_fail(struct build *build, const yaml_event_t *event, const char *what) {
    return err_set(build->err, ERR_INVALID, "%s:%zu: %s", build->where, event->start_mark.line + 1,
                   what);
}

static int syntax_fail(struct build *build) {
    const yaml_parser_t *parser = &build->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "it can't be read";
    if (parser->error == YAML_READER_ERROR) {
        return err_set(build->err, ERR_INVALID, "%s: %s at byte %zu", build->where, problem,
                       parser->problem_offset);
    }
    const char *comma = parser->context != NULL ? ", " : "";
    return err_set(build->err, ERR_INVALID, "%s:%zu: %s%s%s", build->where,
                   parser->problem_mark.line + 1, problem, comma,
                   parser->context != NULL ? parser->context : "");
}

static int next_event(struct build *build, yaml_event_t *event) {
    return yaml_parser_parse(&build->parser, event) != 0 ? 0 : syntax_fail(build);
}

/* ---- Scalars: the core schema (YAML 1.2 section 10.3.2) -------------------- */

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_int(const char *text, int64_t *out) {
    static const struct {
        const char *prefix;
        const char *digits;
        int base;
    } forms[] = {
        {"0x", "0123456789abcdefABCDEF", 16},
        {"0o", "01234567", 8},
        {"", "0123456789", 10},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t skip = strlen(forms[i].prefix);
        if (strncmp(text, forms[i].prefix, skip) != 0) {
            continue;
        }
        const char *digits = text + skip;
        if (skip == 0 && (*digits == '-' || *digits == '+')) {
            digits++;
        }
        if (*digits == '\0' || digits[strspn(digits, forms[i].digits)] != '\0') {
            continue;
        }
        errno = 0;
        *out = strtoll(text + skip, NULL, forms[i].base);
        return errno == 0;
    }
    return false;
}

static bool read_real(const char *text, double *out) {
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-' || *text == '+');
    size_t before = strspn(at, digits);
    at += before;
    size_t after = 0;
    if (*at == '.') {
        after = strspn(at + 1, digits);
        at += 1 + after;
    }
    if (before + after == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (*at == '\0') {
            return false;
        }
        at += strspn(at, digits);
    }
    *out = strtod(text, NULL);
    return *at == '\0';
}

static void resolve_plain(struct json *out, const char *text) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    int64_t integer = 0;
    double real = 0;
    if (is_one_of(text, nulls)) {
        out->type = NODE_NULL;
    } else if (is_one_of(text, trues) || is_one_of(text, falses)) {
        out->type = NODE_BOOL;
        out->boolean = is_one_of(text, trues);
    } else if (read_int(text, &integer)) {
        out->type = NODE_INT;
        out->integer = integer;
    } else if (read_real(text, &real)) {
        out->type = NODE_REAL;
        out->real = real;
    } else {
        out->type = NODE_STRING;
        out->text = text;
    }
}

/* The scalar of an event as text in the arena; NULL, with the error set, where it is none. */
static const char *take_text(struct build *build, const yaml_event_t *event, const char *what) {
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor != NULL) {
        build_fail(build, event, what);
        return NULL;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        build_fail(build, event, "a string holds a zero byte");
        return NULL;
    }
    return arena_string(&build->tree->arena, text);
}

static int build_scalar(struct build *build, struct json *out, const yaml_event_t *event) {
    const char *text = take_text(build, event, "anchors are not taken; write the value out");
    if (text == NULL) {
        return ERR_INVALID;
    }
    if (event->data.scalar.tag != NULL) {
        return build_fail(build, event, "tags are not taken; write the plain value");
    }
    if (event->data.scalar.plain_implicit) {
        resolve_plain(out, text);
    } else {
        out->type = NODE_STRING;
        out->text = text;
    }
    return 0;
}

/* ---- Containers ------------------------------------------------------------- */

/* Children while their number is not known; settled into the arena at the end. */
struct items {
    struct json *data; /* owned */
    size_t count;
};

static struct json *items_add(struct items *items) {
    if ((items->count & (items->count - 1)) == 0) { /* grows at powers of two */
        size_t room = items->count > 0 ? 2 * items->count : 1;
        items->data = mem_resize(items->data, room, sizeof(*items->data));
    }
    struct json *item = &items->data[items->count++];
    *item = (struct json){0};
    return item;
}

static void items_settle(struct items *items, struct json *out, enum node_type type,
                         struct arena *arena) {
    out->type = type;
    out->count = items->count;
    out->items = arena_zero(arena, items->count, sizeof(*items->data));
    if (items->count > 0) {
        memcpy(out->items, items->data, items->count * sizeof(*items->data));
    }
    mem_free(items->data);
}

/* Reads one item of a list, or the value of a member. */
static int build_item(struct build *build, struct items *items, const yaml_event_t *event,
                      int level) {
    return build_node(build, items_add(items), event, level);
}

static int build_member(struct build *build, struct items *items, const yaml_event_t *key,
                        int level) {
    const char *name = take_text(build, key, "a key must be a plain name");
    if (name == NULL) {
        return ERR_INVALID;
    }
    yaml_event_t value;
    int code = next_event(build, &value);
    if (code == 0) {
        code = build_item(build, items, &value, level);
        yaml_event_delete(&value);
        items->data[items->count - 1].name = name;
        items->data[items->count - 1].line = (uint32_t)key->start_mark.line + 1;
    }
    return code;
}

typedef int build_part(struct build *build, struct items *items, const yaml_event_t *event,
                       int level);

static int build_parts(struct build *build, struct items *items, build_part *part,
                       yaml_event_type_t end, int level) {
    int code = 0;
    bool more = true;
    while (code == 0 && more) {
        yaml_event_t event;
        code = next_event(build, &event);
        if (code == 0) {
            more = event.type != end;
            code = more ? part(build, items, &event, level) : 0;
            yaml_event_delete(&event);
        }
    }
    return code;
}

static int compare_members(const void *a, const void *b) {
    const struct json *const *left = a;
    const struct json *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);
    return order != 0 ? order : ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

static int check_duplicates(struct build *build, const struct json *object) {
    int code = 0;
    const struct json **sorted = mem_zero(object->count, sizeof(const struct json *));
    for (size_t i = 0; i < object->count; i++) {
        sorted[i] = &object->items[i];
    }
    qsort(sorted, object->count, sizeof(const struct json *), compare_members);
    for (size_t i = 1; i < object->count && code == 0; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            code = err_set(build->err, ERR_INVALID,
                           "%s:%u: '%.60s' stands here twice; line %u has it too", build->where,
                           sorted[i]->line, sorted[i]->name, sorted[i - 1]->line);
        }
    }
    mem_free(sorted);
    return code;
}

static int build_list(struct build *build, struct json *out, int level) {
    struct items items = {0};
    int code = build_parts(build, &items, build_item, YAML_SEQUENCE_END_EVENT, level);
    items_settle(&items, out, NODE_ARRAY, &build->tree->arena);
    return code;
}

static int build_object(struct build *build, struct json *out, int level) {
    struct items items = {0};
    int code = build_parts(build, &items, build_member, YAML_MAPPING_END_EVENT, level);
    items_settle(&items, out, NODE_OBJECT, &build->tree->arena);
    return code != 0 ? code : check_duplicates(build, out);
}

static int check_container(struct build *build, const yaml_event_t *event,
                           const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor != NULL) {
        return build_fail(build, event, "anchors are not taken; write the value out");
    }
    return tag == NULL ? 0 : build_fail(build, event, "tags are not taken; write the plain value");
}

static int build_node(struct build *build, struct json *out, const yaml_event_t *event, int level) {
    int code = 0;
    out->line = (uint32_t)event->start_mark.line + 1;
    if (level > JSON_TREE_LEVELS) {
        return build_fail(build, event, "values are nested deeper than 64 levels");
    }
    if (++build->nodes > NODES_MAX) {
        return build_fail(build, event, "more than 100,000 values");
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return build_scalar(build, out, event);
    case YAML_SEQUENCE_START_EVENT:
        code = check_container(build, event, event->data.sequence_start.anchor,
                               event->data.sequence_start.tag);
        return code != 0 ? code : build_list(build, out, level + 1);
    case YAML_MAPPING_START_EVENT:
        code = check_container(build, event, event->data.mapping_start.anchor,
                               event->data.mapping_start.tag);
        return code != 0 ? code : build_object(build, out, level + 1);
    default:
        return build_fail(build, event, "aliases are not taken; write the value out");
    }
}

/* ---- Documents --------------------------------------------------------------- */

/* Takes the next event, which must be of this type. */
static int expect(struct build *build, yaml_event_type_t type, const char *otherwise) {
    yaml_event_t event;
    int code = next_event(build, &event);
    if (code == 0) {
        code = event.type == type ? 0 : build_fail(build, &event, otherwise);
        yaml_event_delete(&event);
    }
    return code;
}

static int build_document(struct build *build) {
    int code = expect(build, YAML_STREAM_START_EVENT, "it can't be read");
    if (code == 0) {
        code = expect(build, YAML_DOCUMENT_START_EVENT, "the file is empty");
    }
    yaml_event_t event;
    if (code == 0) {
        code = next_event(build, &event);
    }
    if (code == 0) {
        code = build_node(build, &build->tree->root, &event, 1);
        yaml_event_delete(&event);
    }
    if (code == 0) {
        code = expect(build, YAML_DOCUMENT_END_EVENT, "it can't be read");
    }
    return code != 0 ? code
                     : expect(build, YAML_STREAM_END_EVENT, "a second document; one is taken");
}

int yaml_tree_parse(struct json **out, const void *text, size_t size, const char *where,
                    struct err *err) {
    if (size > TEXT_BYTES_MAX) {
        return err_set(err, ERR_INVALID, "%s: has %zu bytes; at most %d are taken", where, size,
                       TEXT_BYTES_MAX);
    }
    struct build build = {.where = where, .err = err};
    if (yaml_parser_initialize(&build.parser) == 0) {
        return err_set(err, ERR_INTERNAL, "%s: libyaml can't start", where);
    }
    yaml_parser_set_encoding(&build.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&build.parser, text, size);
    build.tree = mem_zero(1, sizeof(*build.tree));
    int code = build_document(&build);
    yaml_parser_delete(&build.parser);
    if (code != 0) {
        json_tree_destroy(&build.tree->root);
        return code;
    }
    *out = &build.tree->root;
    return 0;
}

int yaml_tree_load(struct json **out, const char *path, struct err *err) {
    struct buf text = {0};
    int code = fs_read(&text, path, TEXT_BYTES_MAX, err);
    if (code == 0) {
        code = yaml_tree_parse(out, buf_text(&text), text.size, path, err);
    }
    buf_finish(&text);
    return code;
}

static int line_of(const void *context, const struct json *node) {
    (void)context;
    return (int)node->line;
}

struct reader yaml_reader(const struct json *root, const char *where, struct err *err) {
    struct reader reader = reader_of(root, where, err);
    reader.line_of = line_of;
    return reader;
}
