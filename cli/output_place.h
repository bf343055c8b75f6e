/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a stream goes, and where the farm of one command keeps its own store for it: in
 * the folder itself, or, of an output in object storage, in this user's state folder.
 * Private to cli/.
 */
#ifndef CLI_OUTPUT_PLACE_H
#define CLI_OUTPUT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/blob.h"
#include "common/err.h"

struct output_place {
    char *out;    /* owned; an absolute path or an s3:// URL, no slash at its end */
    char *folder; /* owned; of mode 0700 */
};

/* Whether an output is in object storage rather than a folder. */
bool output_is_remote(const char *out);

/* The output as the workers of a farm find it, whatever is there: an absolute path, or an s3://
 * URL without a slash at its end. INVALID for another address. `*resolved` is owned. */
int output_resolve(char **resolved, const char *out, struct err *err);

/* Finds both and makes what is not there. Of a remote output nothing is asked. */
int output_place_open(struct output_place *place, const char *out, struct err *err);

/* What may be titles there: names right below the output that are valid as theirs. */
struct output_titles {
    size_t count;
    char **names; /* owned */
};

/* Lists them; `titles` is zeroed, and to be finished after a failure too, whose errors are those of
 * the folder or the store. */
int output_titles_find(struct output_titles *titles, const struct output_place *place,
                       struct err *err);

/* The same of the root of a store. */
int output_titles_list(struct output_titles *titles, struct blob *blob, struct err *err);

/* One more, where the name is valid as a title's and is not the last one again. */
void output_titles_add(struct output_titles *titles, const char *name);

void output_titles_finish(struct output_titles *titles);

/* Takes a zeroed one. */
void output_place_finish(struct output_place *place);

#endif
