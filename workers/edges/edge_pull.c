/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pull: a cache that fetches from the origin by itself. Nothing is uploaded: what can never change
 * is asked for once, so that it is there before its first player; stable names are fetched anew.
 * Three ways to that, tried in this order until one is taken:
 *   - a header that makes the cache pass its copy by and keep what comes (endpoint_secrets'
 *     refresh_header; nginx's proxy_cache_bypass);
 *   - the method WARM (Varnish: a GET with hash_always_miss), which never leaves the cache without;
 *   - PURGE, then GET.
 * To forget is PURGE: of a URL, and of a whole title by its key (xkey, Surrogate-Key), which the
 * origin must have sent with each object.
 */
#include <inttypes.h>

#include "common/delivery.h"
#include "common/mem.h"
#include "edge.h"

enum { HEADERS_MAX = 4 };

/* How this cache fetches anew: found out by the first that is asked for. */
struct pull {
    bool knows_no_warm;
};

static int pull_open(struct edge *edge, struct err *err) {
    (void)err;
    edge->state = mem_zero(1, sizeof(struct pull));
    return 0;
}

static void pull_close(struct edge *edge) {
    mem_free(edge->state);
}

/* One request with those of the secret's headers that go with it, and up to two more. */
static int ask(struct edge *edge, const char *method, const struct edge_object *object,
               const struct http_header *more, size_t count, struct err *err) {
    const struct edge_secret *secret = edge->target->secret;
    struct http_header headers[HEADERS_MAX];
    size_t used = 0;
    for (; used < count; used++) {
        headers[used] = more[used];
    }
    if (secret->purge_header != NULL && method[0] != 'G') {
        headers[used++] = (struct http_header){secret->purge_header, secret->purge_value};
    }
    char *url = edge_url(edge, object->path);
    struct http_request request = edge_request(edge, method, url);
    request.headers = headers;
    request.header_count = used;
    request.max_body = edge_object_limit(object);
    int failed = edge_send(edge, &request, err);
    mem_free(url);
    return failed;
}

/* Whether it does not know the method: nginx 405, others 501; Varnish's own code pipes what it
 * does not know, and its backend says 400, 405 or 501. */
static bool is_unknown_method(const struct edge *edge) {
    int status = edge->response.status;
    return status == 400 || status == 405 || status == 501;
}

static int fetch_anew(struct edge *edge, const struct edge_object *object, struct err *err) {
    const struct edge_secret *secret = edge->target->secret;
    struct pull *pull = edge->state;
    struct err why = {0};
    int failed = 0;
    if (secret->refresh_header != NULL) {
        const struct http_header refresh = {secret->refresh_header, secret->refresh_value};
        return ask(edge, "GET", object, &refresh, 1, err);
    }
    if (!pull->knows_no_warm) {
        failed = ask(edge, "WARM", object, NULL, 0, &why);
        pull->knows_no_warm = failed != 0 && is_unknown_method(edge);
        if (!pull->knows_no_warm) {
            return failed == 0 ? 0 : err_pass(err, &why);
        }
    }
    failed = ask(edge, "PURGE", object, NULL, 0, err);
    return failed == 0 ? ask(edge, "GET", object, NULL, 0, err) : failed;
}

static bool is_whole(const struct edge *edge, const struct edge_object *object) {
    return object->bytes < 0 || edge->response.body.size == (size_t)object->bytes;
}

/* What can't change is fetched anew only where what the cache holds can't be it: an error that it
 * remembers, a part, what was read back and had other bytes. */
static int pull_warm(struct edge *edge, const struct edge_object *object, struct err *err) {
    struct err why = {0};
    bool keeps = delivery_is_immutable(object->path) && !object->damaged;
    int failed = keeps ? ask(edge, "GET", object, NULL, 0, &why) : 0;
    if (!keeps || failed == ERR_NOT_FOUND || failed == ERR_CORRUPT ||
        (failed == 0 && !is_whole(edge, object))) {
        err_clear(&why);
        failed = fetch_anew(edge, object, &why);
    }
    if (failed == 0 && !is_whole(edge, object)) {
        edge->failure = FAILURE_ENDPOINT;
        failed = err_set(&why, ERR_CORRUPT,
                         "endpoint '%s' gives %zu bytes of %s/%s, not the %" PRId64
                         " that the output has; see whether it fetches from there",
                         edge->target->endpoint->name, edge->response.body.size,
                         edge->target->title, object->path, object->bytes);
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* A cache without PURGE can only look again: where the origin has the object no more, nginx gives
 * its old copy on to players until that has expired, and nobody can have it forget it from here. Of
 * a title that is to go that is said, and looked at again; else nothing lists what is old. */
static int look_whether_forgotten(struct edge *edge, const struct edge_object *object,
                                  struct err *err) {
    struct err why = {0};
    int failed = ask(edge, "HEAD", object, NULL, 0, &why);
    if (failed == ERR_NOT_FOUND) {
        return 0;
    }
    if (failed != 0) {
        return err_pass(err, &why);
    }
    edge->failure = FAILURE_REFUSED;
    return err_set(
        err, ERR_UNSUPPORTED,
        "endpoint '%s' gives players %s/%s still, which the output has no more: it takes "
        "no PURGE, so it forgets by itself when its copy has expired; let it take PURGE, "
        "or empty its cache",
        edge->target->endpoint->name, edge->target->title, object->path);
}

static int pull_remove(struct edge *edge, const char *path, struct err *err) {
    const struct edge_object object = {.path = path, .sha256 = "", .bytes = -1};
    struct err why = {0};
    int failed = ask(edge, "PURGE", &object, NULL, 0, &why);
    if (failed != 0 && is_unknown_method(edge) && edge->target->secret->refresh_header != NULL) {
        err_clear(&why);
        failed = fetch_anew(edge, &object, &why);
        if (failed == ERR_NOT_FOUND && edge->target->leaves) {
            return look_whether_forgotten(edge, &object, err);
        }
    }
    return failed == 0 || failed == ERR_NOT_FOUND ? 0 : err_pass(err, &why);
}

static int pull_purge_title(struct edge *edge, struct err *err) {
    struct err why = {0};
    const struct edge_object folder = {.path = "", .sha256 = "", .bytes = -1};
    char *key = mem_format("title-%s", edge->target->title);
    const struct http_header keys[] = {{"xkey-purge", key}, {"Surrogate-Key", key}};
    int failed = ask(edge, "PURGE", &folder, keys, sizeof(keys) / sizeof(keys[0]), &why);
    mem_free(key);
    if (failed == 0 || failed == ERR_NOT_FOUND) {
        return 0;
    }
    return err_set(err, is_unknown_method(edge) ? ERR_UNSUPPORTED : why.code, "%s", why.message);
}

const struct edge_driver edge_pull = {
    .name = "pull",
    .caps = EDGE_WARMS | EDGE_KEYS | EDGE_READS,
    .open = pull_open,
    .close = pull_close,
    .warm = pull_warm,
    .remove = pull_remove,
    .purge_title = pull_purge_title,
};
