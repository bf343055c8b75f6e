/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of backends, and what all have in common: see blob.h. */
#include "common/blob.h"

#include <stdio.h>
#include <string.h>

#include "blob_backend.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/mem.h"

enum { NAME_TEXT = 512, PART_BYTES_MAX = 255, SCHEME_TEXT = 16 };

static const struct blob_backend *const backends[] = {
    &blob_file_backend,
    &blob_http_backend,
    &blob_s3_backend,
};

static const struct blob_backend *find_backend(const char *scheme) {
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        for (const char *const *name = backends[i]->schemes; *name != NULL; name++) {
            if (strcmp(*name, scheme) == 0) {
                return backends[i];
            }
        }
    }
    return NULL;
}

/* The scheme of a URL, lower-case; "" for a plain path. */
static void scheme_of(const char *url, char out[SCHEME_TEXT]) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t length = strspn(url, more);
    out[0] = '\0';
    if (strspn(url, letters) == 0 || strncmp(url + length, "://", 3) != 0) {
        return;
    }
    length = length < SCHEME_TEXT - 1 ? length : SCHEME_TEXT - 1;
    for (size_t i = 0; i < length; i++) {
        out[i] = url[i] >= 'A' && url[i] <= 'Z' ? (char)(url[i] + 'a' - 'A') : url[i];
    }
    out[length] = '\0';
}

static int pick_backend(const struct blob_backend **out, const char *url, struct err *err) {
    char scheme[SCHEME_TEXT];
    scheme_of(url, scheme);
    const struct blob_backend *backend = find_backend(scheme);
    if (url[0] == '\0') {
        return err_set(err, ERR_INVALID, "an empty name is neither a path nor a URL; give one");
    }
    if (backend == NULL) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "the scheme '%s' is not known; give a path, file://, http://, https:// or s3://",
            scheme);
    }
    *out = backend;
    return 0;
}

static char *public_name(const char *url) {
    char scheme[SCHEME_TEXT];
    scheme_of(url, scheme);
    if (scheme[0] == '\0' || strcmp(scheme, "s3") == 0) {
        return mem_string(url); /* a path or key may hold '?' and '@' as it likes */
    }
    char name[NAME_TEXT];
    http_public_url(url, name, sizeof(name));
    return mem_string(name);
}

struct blob_options blob_options_default(void) {
    return (struct blob_options){.attempts = 5, .stall_s = 30};
}

int blob_cannot_read(const char *what, const struct err *why, struct err *err) {
    static const struct {
        enum err_code code;
        const char *advice;
    } advices[] = {
        {ERR_NOT_FOUND, "check its name or address"},
        {ERR_INVALID, "check its name or address, and that it may be read from here"},
        {ERR_UNAVAILABLE, "check its name or address, and run again when it can be reached"},
        {ERR_TIMEOUT, "run again when it can be read faster"},
    };
    if (why->code == ERR_CANCELLED) {
        return err_pass(err, why);
    }
    if (strstr(why->message, "; ") != NULL) { /* the store said what to do */
        return err_set(err, why->code, "cannot read %s: %s", what, why->message);
    }
    const char *advice = "copy it to this machine first";
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        advice = advices[i].code == why->code ? advices[i].advice : advice;
    }
    return err_set(err, why->code, "cannot read %s: %s; %s", what, why->message, advice);
}

/* ---- Sources ------------------------------------------------------------------ */

int blob_source_open(struct blob_source **out, const char *url, const struct blob_options *options,
                     struct err *err) {
    const struct blob_backend *backend = NULL;
    int code = pick_backend(&backend, url, err);
    if (code != 0) {
        return code;
    }
    struct blob_source *source = mem_zero(1, sizeof(*source));
    source->backend = backend;
    source->options = *options;
    source->name = public_name(url);
    source->fd = -1;
    code = backend->source_open(source, url, err);
    if (code != 0) {
        blob_source_close(source);
        return code;
    }
    *out = source;
    return 0;
}

void blob_source_close(struct blob_source *source) {
    if (source != NULL) {
        source->backend->source_close(source);
        mem_free(source->name);
        mem_free(source);
    }
}

const struct blob_facts *blob_source_facts(const struct blob_source *source) {
    return &source->facts;
}

const char *blob_source_name(const struct blob_source *source) {
    return source->name;
}

struct blob_traffic blob_source_traffic(const struct blob_source *source) {
    return source->traffic;
}

void blob_source_means(struct blob_source *source, int64_t bytes, int64_t most) {
    source->sure = bytes;
    source->span = most;
}

int blob_source_fd(const struct blob_source *source) {
    return source->fd;
}

int blob_changed(const struct blob_source *source, struct err *err) {
    return err_set(err, ERR_CORRUPT,
                   "'%s' changed while it was read; run again when it stays as it is",
                   source->name);
}

int blob_source_expect(const struct blob_source *source, int64_t size, const char *pin,
                       struct err *err) {
    bool same = source->facts.size == size && strcmp(source->facts.pin, pin) == 0;
    return same ? 0 : blob_changed(source, err);
}

int blob_read_at(struct blob_source *source, int64_t offset, void *out, size_t size, size_t *got,
                 struct err *err) {
    if (offset < 0) {
        return err_set(err, ERR_INVALID, "reading '%s' from before its start", source->name);
    }
    int64_t left = offset < source->facts.size ? source->facts.size - offset : 0;
    size_t inside = (uint64_t)left < size ? (size_t)left : size;
    if (inside > 0) {
        int code = source->backend->source_read(source, offset, out, inside, err);
        if (code != 0) {
            return code;
        }
    }
    *got = inside;
    return 0;
}

int blob_read_alone(struct blob_source *source, int64_t offset, void *out, size_t size,
                    struct err *err) {
    if (offset < 0 || offset > source->facts.size ||
        (uint64_t)(source->facts.size - offset) < size) {
        return err_set(err, ERR_INVALID, "reading '%s' past its end", source->name);
    }
    return source->backend->source_read_alone != NULL
               ? source->backend->source_read_alone(source, offset, out, size, err)
               : source->backend->source_read(source, offset, out, size, err);
}

/* ---- Roots -------------------------------------------------------------------- */

int blob_open(struct blob **out, const char *url, const struct blob_options *options,
              struct err *err) {
    const struct blob_backend *backend = NULL;
    int code = pick_backend(&backend, url, err);
    if (code != 0) {
        return code;
    }
    struct blob *blob = mem_zero(1, sizeof(*blob));
    blob->backend = backend;
    blob->options = *options;
    blob->name = public_name(url);
    code = backend->open(blob, url, err);
    if (code != 0) {
        blob_close(blob);
        return code;
    }
    *out = blob;
    return 0;
}

void blob_close(struct blob *blob) {
    if (blob != NULL) {
        blob->backend->close(blob);
        mem_free(blob->name);
        mem_free(blob);
    }
}

const char *blob_name(const struct blob *blob) {
    return blob->name;
}

bool blob_is_writable(const struct blob *blob) {
    return blob->backend->put != NULL;
}

static bool is_key(const char *key) {
    if (strlen(key) > BLOB_KEY_BYTES_MAX) {
        return false;
    }
    for (;;) {
        size_t length = strcspn(key, "/");
        if (length == 0 || length > PART_BYTES_MAX || key[0] == '.') {
            return false;
        }
        for (size_t i = 0; i < length; i++) {
            if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f) {
                return false;
            }
        }
        if (key[length] == '\0') {
            return true;
        }
        key += length + 1;
    }
}

static int check_key(const struct blob *blob, const char *key, struct err *err) {
    return is_key(key) ? 0
                       : err_set(err, ERR_INVALID, "'%.100s' is not a key for an object in '%s'",
                                 key, blob->name);
}

static int check_writable(const struct blob *blob, const char *what, struct err *err) {
    return blob_is_writable(blob)
               ? 0
               : err_set(err, ERR_UNSUPPORTED, "'%s' can only be read, so %s is not possible there",
                         blob->name, what);
}

/* Somebody else may be at work there by then. */
static int check_in_time(const struct blob *blob, struct err *err) {
    const _Atomic int64_t *until = blob->options.until_ms;
    const atomic_bool *cancel = blob->options.cancel; /* the time may be another's by now */
    return until == NULL || (clock_monotonic_ms() < atomic_load(until) &&
                             (cancel == NULL || !atomic_load(cancel)))
               ? 0
               : err_set(err, ERR_CANCELLED, "the time in which '%s' may be changed is over",
                         blob->name);
}

/* Whether a change is possible there, of `key` and now. */
static int check_change(const struct blob *blob, const char *what, const char *key,
                        struct err *err) {
    int code = check_writable(blob, what, err);
    if (code == 0) {
        code = check_key(blob, key, err);
    }
    return code != 0 ? code : check_in_time(blob, err);
}

int blob_put_known(struct blob *blob, const char *key, const void *data, size_t size,
                   const char *sha256, enum blob_put_mode mode, struct err *err) {
    int code = check_change(blob, "writing", key, err);
    const char *known = sha256 != NULL && sha256[0] != '\0' ? sha256 : NULL;
    return code != 0 ? code : blob->backend->put(blob, key, data, size, known, mode, err);
}

int blob_put(struct blob *blob, const char *key, const void *data, size_t size,
             enum blob_put_mode mode, struct err *err) {
    return blob_put_known(blob, key, data, size, NULL, mode, err);
}

int blob_copy(struct blob *blob, const char *key, const struct blob *from, const char *from_key,
              struct err *err) {
    if (blob->backend != from->backend || blob->backend->copy == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "'%s' and '%s' are not of one store", from->name,
                       blob->name);
    }
    int code = check_change(blob, "copying", key, err);
    if (code == 0) {
        code = check_key(from, from_key, err);
    }
    return code != 0 ? code : blob->backend->copy(blob, key, from, from_key, err);
}

bool blob_is_folder(const struct blob *blob) {
    return blob->backend->open_file != NULL;
}

int blob_open_file(const struct blob *blob, const char *key, int *fd, int64_t *size,
                   struct err *err) {
    int code = check_key(blob, key, err);
    return code != 0 ? code : blob->backend->open_file(blob, key, fd, size, err);
}

int blob_get(struct blob *blob, const char *key, size_t max, struct buf *out, struct err *err) {
    int code = check_key(blob, key, err);
    return code != 0 ? code : blob->backend->get(blob, key, max, out, err);
}

const char *blob_got_header(const struct blob *blob, const char *name) {
    return blob->backend->got_header != NULL ? blob->backend->got_header(blob, name) : NULL;
}

bool blob_is_same(const struct blob *a, const struct blob *b) {
    return a->backend == b->backend &&
           (a->backend->is_same != NULL ? a->backend->is_same(a, b)
                                        : strcmp(a->name, b->name) == 0);
}

int blob_stat(struct blob *blob, const char *key, int64_t *size, struct err *err) {
    int code = check_key(blob, key, err);
    return code != 0 ? code : blob->backend->stat(blob, key, size, err);
}

/* A prefix may end anywhere in a key, so the one key it is the head of is checked. */
static int check_prefix(const struct blob *blob, const char *prefix, struct err *err) {
    char *key = mem_format("%sx", prefix);
    bool valid = is_key(key);
    mem_free(key);
    return valid ? 0
                 : err_set(err, ERR_INVALID, "'%.100s' is not the head of a key in '%s'", prefix,
                           blob->name);
}

struct filter {
    const char *prefix;
    blob_visit *visit;
    void *context;
};

/* Who removes what is listed must not be told of what it did not ask for. */
static int visit_below(void *context, const char *key, int64_t size, struct err *err) {
    const struct filter *filter = context;
    bool below = strncmp(key, filter->prefix, strlen(filter->prefix)) == 0;
    return below ? filter->visit(filter->context, key, size, err) : 0;
}

int blob_list(struct blob *blob, const char *prefix, blob_visit *visit, void *context,
              struct err *err) {
    struct filter filter = {prefix, visit, context};
    int code = check_writable(blob, "listing", err);
    if (code == 0) {
        code = check_prefix(blob, prefix, err);
    }
    return code != 0 ? code : blob->backend->list(blob, prefix, visit_below, &filter, err);
}

int blob_remove(struct blob *blob, const char *key, struct err *err) {
    int code = check_change(blob, "removing", key, err);
    return code != 0 ? code : blob->backend->remove(blob, key, err);
}

int blob_abandon(struct blob *blob, const char *prefix, struct err *err) {
    int code = check_writable(blob, "taking back", err);
    if (code == 0) {
        code = check_prefix(blob, prefix, err);
    }
    if (code == 0) {
        code = check_in_time(blob, err);
    }
    return code != 0 || blob->backend->abandon == NULL ? code
                                                       : blob->backend->abandon(blob, prefix, err);
}
