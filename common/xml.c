/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XML read in place: a copy of the document is cut into strings as it is walked,
 * which works since no string grows when its entities are replaced. See xml.h.
 */
#include "common/xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct xml_reading {
    struct arena *arena;
    char *text; /* the copy, with a NUL after it */
    char *at;
    size_t nodes;
    int depth;
    struct xml_node *open[XML_DEPTH_MAX]; /* root first */
    struct xml_node *root;
    struct err *err;
};

static int fail(const struct xml_reading *r, const char *why) {
    return err_set(r->err, ERR_CORRUPT, "at byte %zu: %s", (size_t)(r->at - r->text), why);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct xml_reading *r) {
    while (is_blank(*r->at)) {
        r->at++;
    }
}

static bool starts(const struct xml_reading *r, const char *with) {
    return strncmp(r->at, with, strlen(with)) == 0;
}

/* Moves past a name; NULL where there is none. The caller ends it by a NUL once it
 * has looked at what follows. */
static char *take_name(struct xml_reading *r) {
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-.:";
    char *name = r->at;
    if (*name == '\0' || strchr(first, *name) == NULL) {
        return NULL;
    }
    r->at += strspn(name, rest);
    return name;
}

/* Writes the character as UTF-8 (at most 4 bytes, never more than its reference). */
static char *put_character(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* Reads the reference after '&' up to its ';': 0 where it is none of XML's own. */
static uint32_t read_reference(const char **from) {
    static const struct {
        const char *name;
        char character;
    } entities[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
    const char *at = *from;
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        if (strncmp(at, entities[i].name, strlen(entities[i].name)) == 0) {
            *from = at + strlen(entities[i].name);
            return (uint32_t)entities[i].character;
        }
    }
    if (*at++ != '#') {
        return 0;
    }
    bool hex = *at == 'x';
    at += hex ? 1 : 0;
    uint32_t code = 0;
    int count = 0;
    for (; count < 7 && *at != ';'; count++, at++) {
        const char *digits = "0123456789abcdef";
        char lower = *at >= 'A' && *at <= 'F' ? (char)(*at + 32) : *at;
        const char *digit = lower != '\0' ? strchr(digits, lower) : NULL;
        if (digit == NULL || (!hex && digit - digits > 9)) {
            return 0;
        }
        code = code * (hex ? 16 : 10) + (uint32_t)(digit - digits);
    }
    bool allowed = code >= 0x20 && code < 0x110000 && (code < 0xd800 || code > 0xdfff);
    *from = at + 1;
    return count > 0 && *at == ';' && allowed ? code : 0;
}

/* Replaces the references in [from, end) and ends the string; `*end` may be lost. */
static int decode(struct xml_reading *r, char *from, char *end) {
    char *to = from;
    *end = '\0';
    for (const char *at = from; at < end;) {
        if (*at != '&') {
            *to++ = *at++;
            continue;
        }
        const char *after = at + 1;
        uint32_t code = read_reference(&after);
        if (code == 0) {
            return fail(r, "it holds an entity that is none of XML's own five");
        }
        to = put_character(to, code);
        at = after;
    }
    *to = '\0';
    return 0;
}

static int read_attribute(struct xml_reading *r, struct xml_attribute *out) {
    char *name = take_name(r);
    char *name_end = r->at;
    skip_blanks(r);
    if (name == NULL || *r->at != '=') {
        return fail(r, "an attribute is not NAME=\"VALUE\"");
    }
    r->at++;
    skip_blanks(r);
    char quote = *r->at;
    if (quote != '"' && quote != '\'') {
        return fail(r, "an attribute's value has no quotes");
    }
    char *value = ++r->at;
    char *end = strchr(value, quote);
    if (end == NULL || memchr(value, '<', (size_t)(end - value)) != NULL) {
        return fail(r, "an attribute's value does not end");
    }
    int failed = decode(r, value, end);
    *name_end = '\0';
    r->at = end + 1;
    *out = (struct xml_attribute){name, value};
    return failed;
}

static int read_attributes(struct xml_reading *r, struct xml_node *node) {
    struct xml_attribute list[XML_ATTRIBUTES_MAX];
    size_t count = 0;
    while (is_blank(*r->at)) {
        skip_blanks(r);
        if (*r->at == '/' || *r->at == '>') {
            break;
        }
        if (count == XML_ATTRIBUTES_MAX) {
            return fail(r, "an element has too many attributes");
        }
        int failed = read_attribute(r, &list[count]);
        if (failed != 0) {
            return failed;
        }
        for (size_t i = 0; i < count; i++) {
            if (strcmp(list[i].name, list[count].name) == 0) {
                return fail(r, "an element has an attribute twice");
            }
        }
        count++;
    }
    node->attribute_count = count;
    node->attributes = arena_zero(r->arena, count, sizeof(*list));
    if (count > 0) {
        memcpy(node->attributes, list, count * sizeof(*list));
    }
    return 0;
}

static int place_node(struct xml_reading *r, struct xml_node *node) {
    if (r->depth == 0) {
        if (r->root != NULL) {
            return fail(r, "it has two roots");
        }
        r->root = node;
        return 0;
    }
    struct xml_node *parent = r->open[r->depth - 1];
    if (parent->text[0] != '\0') {
        return fail(r, "an element stands between text");
    }
    if (parent->last != NULL) {
        parent->last->next = node;
    } else {
        parent->first = node;
    }
    parent->last = node;
    return 0;
}

/* From behind the '<' of an opening tag. */
static int read_open(struct xml_reading *r) {
    struct xml_node *node = arena_zero(r->arena, 1, sizeof(*node));
    char *name = take_name(r);
    char *name_end = r->at;
    if (name == NULL || ++r->nodes > XML_NODES_MAX) {
        return fail(r, name == NULL ? "a tag has no name" : "it has too many elements");
    }
    node->text = "";
    int failed = read_attributes(r, node);
    if (failed != 0) {
        return failed;
    }
    bool closed = *r->at == '/';
    r->at += closed ? 1 : 0;
    if (*r->at != '>') {
        return fail(r, "a tag does not end");
    }
    r->at++;
    *name_end = '\0';
    node->name = name;
    failed = place_node(r, node);
    if (failed == 0 && !closed) {
        if (r->depth == XML_DEPTH_MAX) {
            return fail(r, "its elements are nested too deeply");
        }
        r->open[r->depth++] = node;
    }
    return failed;
}

/* From behind the "</" of a closing tag. */
static int read_close(struct xml_reading *r) {
    char *name = take_name(r);
    char *name_end = r->at;
    skip_blanks(r);
    if (name == NULL || *r->at != '>' || r->depth == 0) {
        return fail(r, "a closing tag has no place here");
    }
    r->at++;
    *name_end = '\0';
    if (strcmp(r->open[--r->depth]->name, name) != 0) {
        return fail(r, "a closing tag is not of the element that is open");
    }
    return 0;
}

/* Text up to the next '<', whose place it leaves `at` behind; `*more` is false at the end. */
static int read_text(struct xml_reading *r, bool *more) {
    skip_blanks(r);
    char *from = r->at;
    char *end = from + strcspn(from, "<");
    *more = *end == '<';
    r->at = end + (*more ? 1 : 0);
    char *trimmed = end;
    while (trimmed > from && is_blank(trimmed[-1])) {
        trimmed--;
    }
    if (trimmed == from) {
        return 0;
    }
    struct xml_node *node = r->depth > 0 ? r->open[r->depth - 1] : NULL;
    if (node == NULL || node->first != NULL || node->text[0] != '\0') {
        return fail(r, "text stands between elements");
    }
    node->text = from;
    return decode(r, from, trimmed);
}

static int skip_comment(struct xml_reading *r) {
    char *end = strchr(r->at + 3, '-');
    while (end != NULL && strncmp(end, "-->", 3) != 0) {
        end = strchr(end + 1, '-');
    }
    if (end == NULL) {
        return fail(r, "a comment does not end");
    }
    r->at = end + 3;
    return 0;
}

static int read_document(struct xml_reading *r) {
    if (starts(r, "\xef\xbb\xbf")) {
        r->at += 3;
    }
    if (starts(r, "<?xml ")) {
        char *end = strstr(r->at, "?>");
        r->at = end != NULL ? end + 2 : r->at;
    }
    bool more = true;
    int failed = read_text(r, &more);
    while (failed == 0 && more) {
        if (starts(r, "!--")) {
            failed = skip_comment(r);
        } else if (*r->at == '!' || *r->at == '?') {
            failed = fail(r, "a document type, CDATA or an instruction has no place in a manifest");
        } else if (*r->at == '/') {
            r->at++;
            failed = read_close(r);
        } else {
            failed = read_open(r);
        }
        if (failed == 0) {
            failed = read_text(r, &more);
        }
    }
    if (failed == 0 && (r->root == NULL || r->depth > 0)) {
        failed = fail(r, "it ends within an element");
    }
    return failed;
}

int xml_read(struct xml_node **out, struct arena *arena, const void *data, size_t size,
             struct err *err) {
    if (size > XML_BYTES_MAX) {
        return err_set(err, ERR_CORRUPT, "it has %zu bytes, and %d are the most", size,
                       XML_BYTES_MAX);
    }
    struct xml_reading r = {.arena = arena, .err = err};
    r.text = arena_zero(arena, size + 1, 1);
    if (size > 0) {
        memcpy(r.text, data, size);
    }
    r.at = r.text;
    for (size_t i = 0; i < size; i++) {
        if ((uint8_t)r.text[i] < 0x20 && !is_blank(r.text[i])) {
            r.at = r.text + i;
            return fail(&r, "it holds a control character");
        }
    }
    int failed = read_document(&r);
    if (failed == 0) {
        *out = r.root;
    }
    return failed;
}

const char *xml_attribute(const struct xml_node *node, const char *name) {
    for (size_t i = 0; i < node->attribute_count; i++) {
        if (strcmp(node->attributes[i].name, name) == 0) {
            return node->attributes[i].value;
        }
    }
    return NULL;
}

static const struct xml_node *named(const struct xml_node *node, const char *name) {
    while (node != NULL && strcmp(node->name, name) != 0) {
        node = node->next;
    }
    return node;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name) {
    return named(node->first, name);
}

const struct xml_node *xml_again(const struct xml_node *node) {
    return named(node->next, node->name);
}
