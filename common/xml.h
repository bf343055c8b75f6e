/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict, bounded reader for the XML of manifests and of object stores' answers:
 * elements, attributes, text, comments, the five entities and character references.
 * A document type (and with it every entity of one's own), CDATA and processing
 * instructions are refused. Time and memory are linear in the input.
 */
#ifndef COMMON_XML_H
#define COMMON_XML_H

#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"

enum {
    XML_BYTES_MAX = 16 << 20,
    XML_DEPTH_MAX = 16,
    XML_NODES_MAX = 1 << 19,
    XML_ATTRIBUTES_MAX = 32, /* of one element */
};

struct xml_attribute {
    const char *name; /* with its prefix */
    const char *value;
};

/* One element. Names keep their prefix; namespaces are not looked up. */
struct xml_node {
    const char *name;
    const char *text; /* between its tags, blanks around it cut off; "" for none */
    size_t attribute_count;
    struct xml_attribute *attributes;
    struct xml_node *first; /* child; NULL for none */
    struct xml_node *last;
    struct xml_node *next; /* sibling */
};

/* Reads a document; `*out` is its root and lives in `arena`. CORRUPT with the byte
 * at which it breaks a rule. */
int xml_read(struct xml_node **out, struct arena *arena, const void *data, size_t size,
             struct err *err);

/* The attribute's value; NULL where it is not there. */
const char *xml_attribute(const struct xml_node *node, const char *name);

/* The first child of that name, and the next sibling of the same name as `node`. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_again(const struct xml_node *node);

#endif
