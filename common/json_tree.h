/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of a tree, for those who build one: json.c from JSON text, yaml.c
 * from YAML. Everybody else reads trees by the calls of json.h.
 */
#ifndef COMMON_JSON_TREE_H
#define COMMON_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "common/mem.h"

enum { JSON_TREE_LEVELS = 64 };

enum node_type {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_REAL,
    NODE_STRING,
    NODE_ARRAY,
    NODE_OBJECT,
};

struct json {
    enum node_type type;
    uint32_t line;    /* from 1; 0 where it is not known */
    const char *name; /* of a member of an object; NULL elsewhere */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;
        struct {
            struct json *items; /* contiguous, in the order of the text */
            size_t count;
        };
    };
};

/* A whole tree: its root, and the arena in which all nodes and strings live. The
 * root is first, so that json_tree_destroy finds the rest. */
struct json_tree {
    struct json root;
    struct arena arena;
};

#endif
