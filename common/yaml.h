/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML 1.2 files, as people write ladders and configuration, into the tree of
 * json.h. Plain scalars follow the core schema: null, true, 12, 0x1f, 0.5 are what
 * they look like, all else is a string ("yes" too), as is everything in quotes.
 *
 * One document a file. Refused, with file and line: a key twice, a key that is a
 * list, tags, anchors and aliases (a few lines of them become gigabytes), more than
 * 1 MiB, 64 levels or 100,000 values.
 */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include <stddef.h>

#include "common/err.h"
#include "common/json.h"

/* Parses text; `where` names it in messages. `*out` is owned: json_tree_destroy.
 * INVALID where it is not such YAML or is empty. */
int yaml_tree_parse(struct json **out, const void *text, size_t size, const char *where,
                    struct err *err);

/* The same for a file, named by its path in messages. The codes of fs_read too. */
int yaml_tree_load(struct json **out, const char *path, struct err *err);

/* A reader on the root that names the line in its messages. As reader_of. */
struct reader yaml_reader(const struct json *root, const char *where, struct err *err);

#endif
