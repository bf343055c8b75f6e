/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * s3: another bucket, by the account that endpoint_secrets says, else by that which this worker has
 * for object stores (s3_account.h). Where the origin lies in the same store and is of the same
 * account, the store copies by itself; else bytes go through here, with the hash of the scheduler's
 * reports as the one that is signed: none is made on the way.
 * Type and caching are written as at the origin (blob_s3.c).
 */
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/s3_account.h"
#include "edge.h"

enum {
    OBJECT_BYTES_MAX = 1 << 30,
    NAMES_MAX = 1000,  /* that are taken of a listing at a time: a page of it */
    ROUNDS_MAX = 1000, /* of that, for one folder */
    STUCK_MAX = 3,     /* of them that list again what was removed */
};

struct bucket {
    struct blob *blob;
    struct blob *origin;     /* NULL where that is no bucket */
    bool stores_differ;      /* nothing can be copied */
    struct s3_choice choice; /* of the secret's */
};

static struct blob_options options_of(const struct edge *edge) {
    struct blob_options options = blob_options_default();
    options.cancel = edge->target->cancel;
    options.until_ms = edge->target->until_ms;
    options.trace = edge->target->trace;
    options.stall_s = edge->target->stall_s;
    return options;
}

static bool is_bucket(const char *url) {
    return strncmp(url, "s3://", 5) == 0;
}

/* An edge in the origin's own folder would take away, with what it holds, the only copy. */
static int check_apart(struct edge *edge, struct err *err) {
    const struct bucket *bucket = edge->state;
    if (bucket->origin == NULL || !blob_is_same(bucket->blob, bucket->origin)) {
        return 0;
    }
    edge->failure = FAILURE_REFUSED;
    return err_set(err, ERR_INVALID,
                   "endpoint '%s' is the output itself, '%s', of which it is to hold a copy; give "
                   "it a folder or bucket of its own",
                   edge->target->endpoint->name, blob_name(bucket->origin));
}

/* Nothing is asked of either. */
static int s3_open(struct edge *edge, struct err *err) {
    const struct edge_secret *secret = edge->target->secret;
    struct blob_options options = options_of(edge);
    struct bucket *bucket = mem_zero(1, sizeof(*bucket));
    int failed = 0;
    edge->state = bucket;
    if (!is_bucket(edge->target->endpoint->url)) {
        edge->failure = FAILURE_REFUSED;
        return err_set(err, ERR_INVALID, "endpoint '%s' is no bucket; give its URL as s3://BUCKET",
                       edge->target->endpoint->name);
    }
    if (is_bucket(edge->target->origin)) {
        failed = blob_open(&bucket->origin, edge->target->origin, &options, err);
    }
    if (failed == 0 && (secret->profile != NULL || secret->access_key != NULL)) {
        bucket->choice = (struct s3_choice){secret->profile, secret->access_key, secret->secret_key,
                                            secret->region, secret->endpoint_url};
        options.s3 = &bucket->choice;
    }
    if (failed == 0) {
        failed = blob_open(&bucket->blob, edge->target->endpoint->url, &options, err);
    }
    return failed == 0 ? check_apart(edge, err) : failed;
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
    char *from = mem_format("%s/%s", edge->target->title, object->path);
    int failed = blob_copy(bucket->blob, key, bucket->origin, from, err);
    mem_free(from);
    return failed;
}

/* Takes the hash that is known for the body's. A store that looks at it has refused what is no such
 * body, as if it had been damaged on its way there: whether it came so from the output is looked at
 * then alone. */
static int put_body(struct edge *edge, const struct edge_object *object, const char *key,
                    const struct buf *body, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    int failed = blob_put_known(bucket->blob, key, body->data, body->size, object->sha256,
                                BLOB_REPLACE, &why);
    int damaged = failed == ERR_UNAVAILABLE ? edge_origin_check(edge, object, err) : 0;
    if (damaged != 0) {
        return damaged;
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* What a push that was killed left half put. A store that lets nobody list such (it is a right of
 * its own) holds nothing up. */
static int leftovers_abandon(struct bucket *bucket, const char *prefix, struct err *err) {
    struct err why = {0};
    int failed = blob_abandon(bucket->blob, prefix, &why);
    bool stops = failed == ERR_CANCELLED || err_is_transient((enum err_code)failed);
    return stops ? err_set(err, why.code, "%s", why.message) : 0;
}

/* How long it took counts as a request's time, whatever it is made of. A stable name is not copied
 * from what it is made of: the copy would say of it too that it can never change. */
static int put(struct edge *edge, const struct edge_object *object, const char *key,
               struct err *err) {
    struct bucket *bucket = edge->state;
    int failed = ERR_UNSUPPORTED;
    bucket->stores_differ = bucket->stores_differ || bucket->origin == NULL;
    bool renames = object->from != NULL && strcmp(object->from, object->path) != 0;
    bool copies = !bucket->stores_differ && !renames;
    if (object->bytes > BLOB_WHOLE_BYTES && leftovers_abandon(bucket, key, err) != 0) {
        return (int)err->code;
    }
    if (copies) {
        failed = copy(edge, object, key, err);
        bucket->stores_differ = failed == ERR_UNSUPPORTED;
    }
    if (!copies || bucket->stores_differ) {
        const struct buf *body = NULL;
        err_clear(err);
        failed = edge_origin(edge, object, &body, err);
        if (failed == 0) {
            failed = put_body(edge, object, key, body, err);
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
        return err_pass(err, &why);
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
    int64_t began = clock_monotonic_ms();
    int failed = blob_remove(bucket->blob, key, &why);
    edge->traffic.requests++;
    edge->traffic.busy_ms += clock_monotonic_ms() - began;
    mem_free(key);
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

/* What is taken of a listing at a time. */
struct names {
    char *list[NAMES_MAX];
    size_t count;
};

/* Ends the listing when there are enough. */
static int name_take(void *context, const char *key, int64_t size, struct err *err) {
    struct names *names = context;
    (void)size;
    if (names->count == NAMES_MAX) {
        return err_set(err, ERR_CONFLICT, "enough");
    }
    names->list[names->count++] = mem_string(key);
    return 0;
}

/* Listed before anything goes: a listing that changes under way may leave some out. `*all`: there
 * were no more. `first` gets the first name. */
static int some_remove(struct bucket *bucket, const char *prefix, bool *all, struct buf *first,
                       struct err *err) {
    struct names *names = mem_zero(1, sizeof(*names));
    struct err why = {0};
    int failed = blob_list(bucket->blob, prefix, name_take, names, &why);
    *all = failed == 0 || failed == ERR_NOT_FOUND;
    failed = *all || names->count == NAMES_MAX ? 0 : failed;
    err_clear(&why);
    buf_clear(first);
    buf_string(first, names->count > 0 ? names->list[0] : "");
    for (size_t i = 0; i < names->count; i++) {
        if (failed == 0) {
            failed = blob_remove(bucket->blob, names->list[i], &why);
        }
        mem_free(names->list[i]);
    }
    mem_free(names);
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* A listing without end, or of what was removed, costs neither memory nor for ever. */
static int all_remove(struct bucket *bucket, const char *prefix, struct err *err) {
    struct buf names[2] = {{0}, {0}}; /* the first of this round and of the one before */
    bool all = false;
    int stuck = 0;
    int failed = 0;
    for (int round = 0; failed == 0 && !all; round++) {
        failed = some_remove(bucket, prefix, &all, &names[round % 2], err);
        bool same = strcmp(buf_text(&names[0]), buf_text(&names[1])) == 0;
        stuck = same ? stuck + 1 : 0;
        if (failed == 0 && !all && (stuck == STUCK_MAX || round == ROUNDS_MAX)) {
            failed = err_set(err, ERR_CORRUPT,
                             "the listing of '%s' below '%s' has no end, whatever is removed; see "
                             "that store",
                             prefix, blob_name(bucket->blob));
        }
    }
    buf_finish(&names[0]);
    buf_finish(&names[1]);
    return failed;
}

static int s3_remove_folder(struct edge *edge, const char *path, struct err *err) {
    struct err why = {0};
    char *prefix = mem_format("%s/%s%s", edge->target->title, path, path[0] != '\0' ? "/" : "");
    int failed = all_remove(edge->state, prefix, &why);
    if (failed == 0) {
        failed = leftovers_abandon(edge->state, prefix, &why);
    }
    mem_free(prefix);
    return failed == 0 ? 0 : judge(edge, failed, &why, err);
}

struct visiting {
    edge_visit *visit;
    void *context;
    size_t skip; /* of a key: the title's folder */
};

static int visit_key(void *context, const char *key, int64_t size, struct err *err) {
    const struct visiting *visiting = context;
    return visiting->visit(visiting->context, key + visiting->skip, size, err);
}

static int s3_list(struct edge *edge, edge_visit *visit, void *context, struct err *err) {
    struct bucket *bucket = edge->state;
    struct err why = {0};
    char *prefix = mem_format("%s%s", edge->target->title, edge->target->title[0] ? "/" : "");
    struct visiting visiting = {visit, context, strlen(prefix)};
    int failed = blob_list(bucket->blob, prefix, visit_key, &visiting, &why);
    mem_free(prefix);
    return failed == 0 ? 0 : judge(edge, failed, &why, err); /* NOT_FOUND: there is no bucket */
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
    .caps = EDGE_PUTS | EDGE_FOLDERS | EDGE_ONE_BY_ONE | EDGE_READS | EDGE_LISTS,
    .open = s3_open,
    .close = s3_close,
    .put = s3_put,
    .has = s3_has,
    .remove = s3_remove,
    .remove_folder = s3_remove_folder,
    .list = s3_list,
    .read = s3_read,
};
