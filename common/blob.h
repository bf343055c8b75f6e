/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object storage behind one table of backends, picked by the scheme of a URL: plain
 * paths and file:// (blob_file.c), http:// and https:// (blob_http.c, read only),
 * s3://bucket/key (blob_s3.c; who and where is found by s3_account.h).
 *
 * Two things are opened: a `blob_source`, one object read in pieces that are all of
 * the same version of it; and a `blob`, a root under which whole objects lie, named
 * by keys. Messages name objects without credentials and query.
 */
#ifndef COMMON_BLOB_H
#define COMMON_BLOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { BLOB_PIN_TEXT = 256, BLOB_IDENTITY_TEXT = 128, BLOB_KEY_BYTES_MAX = 1024 };

struct blob_options {
    const atomic_bool *cancel;       /* borrowed for the life of what is opened; NULL: none */
    const _Atomic int64_t *until_ms; /* of clock_monotonic_ms: nothing is changed in a root from
                                        then on, CANCELLED; borrowed likewise; NULL: never */
    bool public_only;                /* http sources: at public addresses alone (address.h) */
    const char *places;         /* where http sources may redirect to (places.h); borrowed, NULL or
                                   "": anywhere */
    int attempts;               /* tries of one network request, two that stall; default 5 */
    int stall_s;                /* a connection silent or slow so long is given up; default 30 */
    const char *trace;          /* borrowed likewise; sent with each request: see http.h */
    const struct s3_choice *s3; /* borrowed likewise; of s3:// (s3_account.h); NULL: as the
                                   environment says */
    const char *origin; /* of a page: objects behind a web server are asked for as its scripts
                           would, so that the answer tells whether those may read them; borrowed
                           likewise; NULL: none */
};

struct blob_options blob_options_default(void);

/* Makes the whole sentence of a failure to read: "cannot read WHAT: ...; " and what to do about
 * it, by the code of `why` where its message does not say it. */
int blob_cannot_read(const char *what, const struct err *why, struct err *err);

/* ---- Sources ------------------------------------------------------------------ */

/* What tells one version of an object from another. */
struct blob_facts {
    int64_t size; /* bytes */
    /* Opaque; equal while the object is untouched: of a file modification time and
     * inode, over http the strong ETag, else Last-Modified. */
    char pin[BLOB_PIN_TEXT];
    /* "etag:" and a hash of URL, validator and size (s3: of ETag and size); "" for a file, whose
     * identity is the hash of its bytes (ARCHITECTURE section 8), and where a server sends no
     * validator. */
    char identity[BLOB_IDENTITY_TEXT];
};

/* What reading has cost so far. */
struct blob_traffic {
    int64_t requests; /* or read calls */
    int64_t bytes;
};

struct blob_source; /* used by one thread at a time */

/*
 * Opens a path, file://, http://, https:// or s3:// URL for reading. NOT_FOUND, INVALID for
 * what is not a regular file or a URL that will not do, UNSUPPORTED for an unknown
 * scheme and for a server that can't answer ranges, UNAVAILABLE or TIMEOUT after all
 * attempts. An empty object opens, with size 0.
 */
int blob_source_open(struct blob_source **out, const char *url, const struct blob_options *options,
                     struct err *err);

/* Closes; takes NULL. */
void blob_source_close(struct blob_source *source);

/* Borrowed. */
const struct blob_facts *blob_source_facts(const struct blob_source *source);
const char *blob_source_name(const struct blob_source *source); /* for messages */
struct blob_traffic blob_source_traffic(const struct blob_source *source);

/* Tells that its reader will want about so many bytes in order, and may want the rest up to `most`,
 * so that what is read ahead of it in vain stays small beside them. 0: all there is, as if nothing
 * had been told. */
void blob_source_means(struct blob_source *source, int64_t bytes, int64_t most);

/* The descriptor of a file, borrowed; -1 for others. Not to be moved or closed. */
int blob_source_fd(const struct blob_source *source);

/* CORRUPT where the open source is not the version with this size and pin. */
int blob_source_expect(const struct blob_source *source, int64_t size, const char *pin,
                       struct err *err);

/*
 * Reads up to `size` bytes from `offset`; `*got` is less only at the end of the
 * object. CORRUPT where the object changed since it was opened: no byte of another
 * version is ever given.
 */
int blob_read_at(struct blob_source *source, int64_t offset, void *out, size_t size, size_t *got,
                 struct err *err);

/* Reads `size` bytes, all of them inside the object, and over a network no byte beside them: for
 * what lies apart and is kept by the caller. Else as blob_read_at. */
int blob_read_alone(struct blob_source *source, int64_t offset, void *out, size_t size,
                    struct err *err);

/* ---- Roots -------------------------------------------------------------------- */

struct blob; /* used by one thread at a time */

/* Opens a root; it need not be there yet. Nothing is asked of the store or made there by this
 * call. */
int blob_open(struct blob **out, const char *url, const struct blob_options *options,
              struct err *err);

/* Closes; takes NULL. */
void blob_close(struct blob *blob);

const char *blob_name(const struct blob *blob); /* of the root, for messages; borrowed */

/* Whether both are one place: what is put in one is in the other. Only what lies in buckets is
 * told apart by more than its name. */
bool blob_is_same(const struct blob *a, const struct blob *b);

/* Whether objects can be put, listed and removed there. */
bool blob_is_writable(const struct blob *blob);

/*
 * Keys are UTF-8 paths like "video/h264-720p/00001.m4s": parts between single
 * slashes, none empty, none beginning with a dot, at most 255 bytes each and 1024 in
 * all, no control bytes. Another key is INVALID.
 */

enum blob_put_mode {
    BLOB_CREATE,  /* CONFLICT where the key is taken; one of several writers wins */
    BLOB_REPLACE, /* takes the place of what is there, in one step */
};

/* Stores a whole object. After a return of 0 it is durable; until then, and after a
 * failure or a kill, there is nothing to be seen of it. */
int blob_put(struct blob *blob, const char *key, const void *data, size_t size,
             enum blob_put_mode mode, struct err *err);

/* The same of bytes whose SHA-256 is known, in hex (NULL or "": it is not): a store that is told it
 * gets that one, and it is not made again here. Where other bytes than those come there, a store
 * that looks takes none of them: UNAVAILABLE, after all attempts, as if they had changed on the
 * way. */
int blob_put_known(struct blob *blob, const char *key, const void *data, size_t size,
                   const char *sha256, enum blob_put_mode mode, struct err *err);

/* Copies the object `from_key` of the root `from` to `key` here, type and caching with it, by the
 * store itself: no byte comes this way. UNSUPPORTED, and nothing is done, where the two are not of
 * one store that can. As durable as blob_put, and takes the place of what is there. */
int blob_copy(struct blob *blob, const char *key, const struct blob *from, const char *from_key,
              struct err *err);

/* Appends a whole object to `out`; INVALID where it has more than `max` bytes, CORRUPT where it
 * says of itself, again and again, that other bytes were put there. */
int blob_get(struct blob *blob, const char *key, size_t max, struct buf *out, struct err *err);

/* Whether its objects are files of this machine. */
bool blob_is_folder(const struct blob *blob);

/* Opens an object of such a root, to be read piece by piece (fs_read_at): a descriptor, which the
 * caller closes, and its size in bytes. */
int blob_open_file(const struct blob *blob, const char *key, int *fd, int64_t *size,
                   struct err *err);

/* What the server said in that header when it last answered: "" where it did not, NULL where
 * there is no server. To be asked right after blob_get; borrowed until the next call. */
const char *blob_got_header(const struct blob *blob, const char *name);

/* The object's size in bytes; NOT_FOUND. */
int blob_stat(struct blob *blob, const char *key, int64_t *size, struct err *err);

/* One object of a listing. Another answer than 0 ends it, which returns that. */
typedef int blob_visit(void *context, const char *key, int64_t size, struct err *err);

/* Visits all objects whose key begins with `prefix` ("" for all), and none else, whatever a store
 * lists, in the order of their keys' bytes within a folder. None there is no error. */
int blob_list(struct blob *blob, const char *prefix, blob_visit *visit, void *context,
              struct err *err);

/* Removes an object, and the folders that it leaves empty. None there is no error. */
int blob_remove(struct blob *blob, const char *key, struct err *err);

enum { BLOB_WHOLE_BYTES = 32 << 20 }; /* what is longer may be put in parts */

/* Takes back what is being stored below `prefix` and is not to be seen yet: of writers that died.
 * Those that live fail, transiently. */
int blob_abandon(struct blob *blob, const char *prefix, struct err *err);

#endif
