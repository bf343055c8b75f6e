/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects by their addresses: a path below the title's folder, and behind it "#bytes=0-799"
 * where a manifest names so many of its bytes. See verify.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "title_path.h"
#include "verify.h"

static const char range_mark[] = "#bytes="; /* no path holds such a letter */

/* How often an object's bytes are read: by segments of HLS and of DASH, and by key pictures of
 * both. Ranges that overlap without end would make a small playlist cost days. */
enum { RANGES_OF_OBJECT = 4 };

static int fetch_whole(struct verify *v, const char *path, struct buf *out) {
    struct err err = {0};
    struct served served = {0};
    v->summary->objects++;
    int failed = v->fetch(v->fetch_context, path, out, &served, &err);
    if (failed != 0) {
        verify_found(v, RULE_OBJECT_MISSING, path, "it could not be read: %s", err.message);
    } else {
        verify_served(v, path, &served, out->size);
    }
    return failed;
}

/* The whole object, which is kept until another is asked for: the segments of one file come one
 * after the other. */
static int hold(struct verify *v, const char *path, size_t length) {
    bool held = v->held_path != NULL && strlen(v->held_path) == length &&
                memcmp(v->held_path, path, length) == 0;
    if (!held) {
        v->held_path = arena_format(&v->arena, "%.*s", (int)length, path);
        buf_clear(&v->held);
        v->held_taken = 0;
        v->held_failed = fetch_whole(v, v->held_path, &v->held);
    }
    return v->held_failed;
}

/* Counts bytes of the held object; once they are too many, none of it can be read any more. */
static int take(struct verify *v, size_t size) {
    v->held_taken += size;
    if (v->held_taken / RANGES_OF_OBJECT > v->held.size) {
        verify_found(v, RULE_TITLE_BOUNDS, v->held_path,
                     "more than %d times its %zu bytes are listed, range by range",
                     RANGES_OF_OBJECT, v->held.size);
        v->held_failed = ERR_UNSUPPORTED;
    }
    return v->held_failed;
}

int verify_fetch(struct verify *v, const char *address, struct buf *out) {
    const char *mark = strstr(address, range_mark);
    if (mark == NULL) {
        return fetch_whole(v, address, out);
    }
    long long first = 0;
    long long last = -1;
    int failed = hold(v, address, (size_t)(mark - address));
    sscanf(mark + strlen(range_mark), "%lld-%lld", &first, &last);
    if (failed == 0 && (uint64_t)last >= v->held.size) {
        verify_found(v, RULE_OBJECT_MISSING, address, "the object has only %zu bytes",
                     v->held.size);
        failed = ERR_NOT_FOUND;
    }
    if (failed == 0 && take(v, (size_t)(last - first + 1)) == 0) {
        buf_append(out, v->held.data + first, (size_t)(last - first + 1));
    }
    return failed == 0 ? v->held_failed : failed;
}

void verify_look_for(struct verify *v, const char *path) {
    struct buf bytes = {0};
    if (path != NULL) {
        verify_fetch(v, path, &bytes);
    }
    buf_finish(&bytes);
}

int verify_hold(struct verify *v, const char *path) {
    return hold(v, path, strlen(path));
}

const char *verify_range(struct verify *v, const char *path, int64_t offset, int64_t size) {
    return arena_format(&v->arena, "%s%s%" PRId64 "-%" PRId64, path, range_mark, offset,
                        offset + size - 1);
}

bool verify_is_range_of(const char *address, const char *path) {
    size_t length = strlen(path);
    return strncmp(address, path, length) == 0 &&
           strncmp(address + length, range_mark, strlen(range_mark)) == 0;
}

const char *verify_resolve(struct verify *v, const char *base, const char *reference) {
    char path[TITLE_PATH_TEXT];
    struct err err = {0};
    if (title_path_resolve(path, base, reference, &err) != 0) {
        verify_found(v, RULE_OBJECT_REFERENCE, base, "%s: '%.80s'", err.message, reference);
        return NULL;
    }
    return arena_string(&v->arena, path);
}
