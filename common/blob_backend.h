/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kind of storage brings: one const table, listed in blob.c. A row without
 * the functions for writing is read only.
 */
#ifndef COMMON_BLOB_BACKEND_H
#define COMMON_BLOB_BACKEND_H

#include "common/blob.h"

struct blob_backend {
    const char *const *schemes; /* ended by NULL; "" for plain paths */

    /* Sources. open fills facts and state; read_at gives exactly `size` bytes that lie
     * inside the object. close takes what a failed open left. */
    int (*source_open)(struct blob_source *source, const char *url, struct err *err);
    int (*source_read)(struct blob_source *source, int64_t offset, void *out, size_t size,
                       struct err *err);
    int (*source_read_alone)(struct blob_source *source, int64_t offset, void *out, size_t size,
                             struct err *err); /* NULL: as source_read */
    void (*source_close)(struct blob_source *source);

    /* Roots. Keys have been checked. */
    int (*open)(struct blob *blob, const char *url, struct err *err);
    void (*close)(struct blob *blob);
    bool (*is_same)(const struct blob *a, const struct blob *b); /* NULL: by name */
    int (*get)(struct blob *blob, const char *key, size_t max, struct buf *out, struct err *err);
    int (*open_file)(const struct blob *blob, const char *key, int *fd, int64_t *size,
                     struct err *err); /* NULL: it is no folder */
    const char *(*got_header)(const struct blob *blob, const char *name); /* NULL: none is said */
    int (*stat)(struct blob *blob, const char *key, int64_t *size, struct err *err);
    int (*put)(struct blob *blob, const char *key, const void *data, size_t size,
               const char *sha256, enum blob_put_mode mode, struct err *err); /* NULL: not known */
    int (*copy)(struct blob *blob, const char *key, const struct blob *from, const char *from_key,
                struct err *err); /* `from` is of the same backend; NULL: none can */
    int (*list)(struct blob *blob, const char *prefix, blob_visit *visit, void *context,
                struct err *err);
    int (*remove)(struct blob *blob, const char *key, struct err *err);
    int (*abandon)(struct blob *blob, const char *prefix, struct err *err); /* NULL: none is left */
};

extern const struct blob_backend blob_file_backend;
extern const struct blob_backend blob_http_backend;
extern const struct blob_backend blob_s3_backend;

struct blob_source {
    const struct blob_backend *backend;
    struct blob_options options;
    struct blob_facts facts;
    struct blob_traffic traffic;
    int64_t sure; /* bytes, and `most`, of blob_source_means; 0: unknown */
    int64_t span;
    char *name;  /* owned; for messages */
    int fd;      /* of a file; else -1 */
    void *state; /* the backend's own */
};

struct blob {
    const struct blob_backend *backend;
    struct blob_options options;
    char *name;  /* owned; for messages */
    void *state; /* the backend's own */
};

/* The sentence for a source that is not the same any more: CORRUPT. */
int blob_changed(const struct blob_source *source, struct err *err);

/* The path of a plain path or file:// URL, percent-decoded. Returns owned. */
int blob_path_of(char **out, const char *url, struct err *err);

#endif
