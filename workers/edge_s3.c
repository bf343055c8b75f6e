/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * s3: another bucket, by the credentials that this worker has for object stores (s3_account.h).
 * Where the origin lies in the same store, the store copies by itself; else bytes go through here.
 * Type and caching are written as at the origin (blob_s3.c).
 */
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "edge.h"

enum { OBJECT_BYTES_MAX = 1 << 30 };

struct bucket {
    struct blob *blob;
    struct blob *origin; /* NULL until the first copy */
    bool stores_differ;  /* nothing can be copied */
};

static struct blob_options options_of(const struct edge *edge) {
    struct blob_options options = blob_options_default();
    options.cancel = edge->target->cancel;
    options.trace = edge->target->trace;
    options.stall_s = edge->target->stall_s;
    return options;
}

static int s3_open(struct edge *edge, struct err *err) {
    const struct blob_options options = options_of(edge);
    struct bucket *bucket = mem_zero(1, sizeof(*bucket));
    edge->state = bucket;
    if (strncmp(edge->target->endpoint->url, "s3://", 5) != 0) {
        edge->failure = FAILURE_REFUSED;
        return err_set(err, ERR_INVALID, "endpoint '%s' is no bucket; give its URL as s3://BUCKET",
                       edge->target->endpoint->name);
    }
    return blob_open(&bucket->blob, edge->target->endpoint->url, &options, err);
}

static void s3_close(struct edge *edge) {
    struct bucket *bucket = edge->state;
    if (bucket != NULL) {
        blob_close(bucket->blob);
        blob_close(bucket->origin);
        mem_free(bucket);
    }
}

/* The store's own sentence names bucket and key. */
static int judge(struct edge *edge, int failed, const struct err *why, struct err *err) {
    bool refuses = failed == ERR_INVALID || failed == ERR_NO_SPACE || failed == ERR_UNSUPPORTED;
    edge->failure = refuses ? FAILURE_REFUSED : FAILURE_ENDPOINT;
    return err_set(err, (enum err_code)failed, "endpoint '%s': %s", edge->target->endpoint->name,
                   why->message);
}

static int copy(struct edge *edge, const struct edge_object *object, const char *key,
                struct err *err) {
    struct bucket *bucket = edge->state;
    const struct blob_options options = options_of(edge);
    int failed = 0;
    if (bucket->origin == NULL) {
        failed = blob_open(&bucket->origin, edge->target->origin, &options, err);
    }
    if (failed == 0) {
        char *from = mem_format("%s/%s", edge->target->title,
                                object->from != NULL ? object->from : object->path);
        failed = blob_copy(bucket->blob, key, bucket->origin, from, err);
        mem_free(from);
    }
    return failed;
}

/* How long it took counts as a request's time, whatever it is made of. */
static int put(struct edge *edge, const struct edge_object *object, const char *key,
               struct err *err) {
    struct bucket *bucket = edge->state;
    int failed = ERR_UNSUPPORTED;
    if (!bucket->stores_differ) {
        failed = copy(edge, object, key, err);
        bucket->stores_differ = failed == ERR_UNSUPPORTED;
    }
    if (bucket->stores_differ) {
        err_clear(err);
        failed = edge_origin(edge, object, err);
        if (failed == 0) {
            failed =
                blob_put(bucket->blob, key, edge->body.data, edge->body.size, BLOB_REPLACE, err);
        }
    }
    return failed;
}

static int s3_put(struct edge *edge, const struct edge_object *object, struct err *err) {
    struct err why = {0};
    char *key = mem_format("%s/%s", edge->target->title, object->path);
    int64_t began = clock_monotonic_ms();
    edge->failure = FAILURE_ENDPOINT;
    int failed = put(edge, object, key, &why);
    edge->traffic.requests++;
    edge->traffic.busy_ms += clock_monotonic_ms() - began;
    mem_free(key);
    if (failed != 0 && edge->failure == FAILURE_IO) {
        return err_set(err, why.code, "%s", why.message);
    }
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

static int s3_has(struct edge *edge, const struct edge_object *object, bool *has, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    int64_t size = -1;
    char *key = mem_format("%s/%s", edge->target->title, object->path);
    int failed = blob_stat(bucket->blob, key, &size, &why);
    mem_free(key);
    if (failed != 0 && failed != ERR_NOT_FOUND) {
        return judge(edge, failed, &why, err);
    }
    *has = failed == 0 && size == object->bytes;
    return 0;
}

static int s3_remove(struct edge *edge, const char *path, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    char *key = mem_format("%s/%s", edge->target->title, path);
    int failed = blob_remove(bucket->blob, key, &why);
    mem_free(key);
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

struct names {
    char **list;
    size_t count;
};

static int name_take(void *context, const char *key, int64_t size, struct err *err) {
    struct names *names = context;
    (void)size;
    (void)err;
    names->list = mem_resize(names->list, names->count + 1, sizeof(*names->list));
    names->list[names->count++] = mem_string(key);
    return 0;
}

/* Listed before anything goes: a listing that changes under way may leave some out. */
static int s3_remove_folder(struct edge *edge, const char *path, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    struct names names = {0};
    char *prefix = mem_format("%s/%s%s", edge->target->title, path, path[0] != '\0' ? "/" : "");
    int failed = blob_list(bucket->blob, prefix, name_take, &names, &why);
    failed = failed == ERR_NOT_FOUND ? 0 : failed;
    for (size_t i = 0; i < names.count; i++) {
        if (failed == 0) {
            failed = blob_remove(bucket->blob, names.list[i], &why);
        }
        mem_free(names.list[i]);
    }
    mem_free(names.list);
    mem_free(prefix);
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

/* As players do where they read it by HTTP; else by the store. */
static int s3_read(struct edge *edge, const struct edge_object *object, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    if (strncmp(edge->target->endpoint->serves, "http", 4) == 0) {
        return edge_read_served(edge, object, err);
    }
    char *key = mem_format("%s/%s", edge->target->title, object->path);
    buf_clear(&edge->body);
    int failed = blob_get(bucket->blob, key, OBJECT_BYTES_MAX, &edge->body, &why);
    mem_free(key);
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

const struct edge_driver edge_s3 = {
    .name = "s3",
    .caps = EDGE_PUTS | EDGE_FOLDERS | EDGE_READS,
    .open = s3_open,
    .close = s3_close,
    .put = s3_put,
    .has = s3_has,
    .remove = s3_remove,
    .remove_folder = s3_remove_folder,
    .read = s3_read,
};
