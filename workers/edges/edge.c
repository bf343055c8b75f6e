/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of drivers, and what all of them have in common: see edge.h. */
#include "edge.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/fs.h"
#include "common/hash.h"
#include "common/mem.h"

enum {
    STALL_BYTES_S = 16 * 1024,
    URL_TEXT = 512,
    OBJECT_BYTES_MAX = 1 << 30,
    DOCUMENT_BYTES_MAX = 64 << 20,
    ANSWER_BYTES_MAX = 1 << 20,    /* of what is said, where no object is asked for */
    BUFFER_KEPT_BYTES = 64 * 1024, /* a larger one is not held between objects */
};

static const struct edge_driver *const drivers[] = {
    &edge_dav, &edge_pull, &edge_s3, &edge_catalog, &edge_webhook,
};

const struct edge_driver *edge_driver_find(const char *name) {
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(drivers[i]->name, name) == 0) {
            return drivers[i];
        }
    }
    return NULL;
}

int edge_open(struct edge **out, const struct edge_target *target, struct err *err) {
    const struct edge_driver *driver = edge_driver_find(target->endpoint->driver);
    if (driver == NULL) {
        return err_set(err, ERR_UNSUPPORTED,
                       "this worker knows no driver '%s', which endpoint '%s' asks for; give it a "
                       "newer reelfarm",
                       target->endpoint->driver, target->endpoint->name);
    }
    struct edge *edge = mem_zero(1, sizeof(*edge));
    edge->driver = driver;
    edge->target = target;
    edge->failure = FAILURE_ENDPOINT;
    int failed = http_client_create(&edge->client, err);
    if (failed == 0 && driver->open != NULL) {
        failed = driver->open(edge, err);
    }
    if (failed != 0) {
        edge_close(edge);
        return failed;
    }
    *out = edge;
    return 0;
}

void edge_close(struct edge *edge) {
    if (edge != NULL) {
        if (edge->driver->close != NULL) {
            edge->driver->close(edge);
        }
        http_client_destroy(edge->client);
        http_response_finish(&edge->response);
        blob_close(edge->origin);
        share_release(edge->copy);
        buf_finish(&edge->body);
        mem_free(edge);
    }
}

/* ---- Requests ------------------------------------------------------------------------------ */

struct http_request edge_request(struct edge *edge, const char *method, const char *url) {
    const struct edge_target *target = edge->target;
    struct http_request request = http_request_default();
    int64_t half = target->send_bps / 2;
    request.method = method;
    request.url = url;
    request.bearer = target->secret->bearer;
    request.user = target->secret->user;
    request.password = target->secret->password;
    request.max_body = ANSWER_BYTES_MAX;
    request.redirects = 0; /* what it knows this worker by is for this host alone */
    request.stall_s = target->stall_s;
    request.stall_bytes_s = half > 0 && half < STALL_BYTES_S ? (int)half : STALL_BYTES_S;
    request.speed_bytes_s = target->send_bps;
    request.trace = target->trace;
    request.cancel = target->cancel;
    return request;
}

size_t edge_object_limit(const struct edge_object *object) {
    if (object->bytes < 0) {
        return DOCUMENT_BYTES_MAX;
    }
    return object->bytes > ANSWER_BYTES_MAX ? (size_t)object->bytes : ANSWER_BYTES_MAX;
}

static const char moved[] = "give as its url the place that it redirects to";

/* Statuses by which an endpoint refuses for good, and what to do about them and others. */
static const struct {
    int status;
    bool refuses;
    const char *advice;
} judgements[] = {
    {301, true, moved},
    {302, true, moved},
    {307, true, moved},
    {308, true, moved},
    {401, true, "check what endpoint_secrets says of it"},
    {403, true, "check what endpoint_secrets says of it, and what it allows this worker"},
    {405, true, "let it take PUT and DELETE there"},
    {409, true, "let it make folders there, and put nothing else in their place"},
    {413, true, "let it take larger bodies"},
    {500, false, "see its log: it may not write to its folder, or have no room"},
    {501, true, "let it take PUT and DELETE there"},
    {507, true, "make room there"},
};

/* What is read back is asked for as players do, whom no secret helps. */
static const char not_for_players[] =
    "let everybody read it there, as players do: a bucket, by its policy";

/* Leaves in the edge whose fault it is, and makes the sentence. */
static int judge(struct edge *edge, bool as_players, int code, const struct err *why,
                 struct err *err) {
    const char *advice = NULL;
    int status = edge->response.status;
    bool too_large = code == ERR_INVALID && status >= 200 && status <= 299;
    edge->failure = FAILURE_ENDPOINT;
    code = too_large ? ERR_CORRUPT : code;
    for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
        if (judgements[i].status == status && code != 0) {
            advice = as_players && (status == 401 || status == 403) ? not_for_players
                                                                    : judgements[i].advice;
            edge->failure = judgements[i].refuses ? FAILURE_REFUSED : FAILURE_ENDPOINT;
        }
    }
    if (status == 0 && code == ERR_INVALID) { /* a URL or a certificate that will not do */
        edge->failure = FAILURE_REFUSED;
    }
    return err_set(err, (enum err_code)code, "endpoint '%s': %s%s%s", edge->target->endpoint->name,
                   why->message, advice != NULL ? "; " : "", advice != NULL ? advice : "");
}

bool edge_is_late(const struct edge_target *target) {
    return target->until_ms != NULL && clock_monotonic_ms() >= atomic_load(target->until_ms);
}

static int send_as(struct edge *edge, bool as_players, const struct http_request *request,
                   struct err *err) {
    const struct http_retry retry = http_retry_default();
    for (int failures = 1;; failures++) {
        struct err why = {0};
        if (edge_is_late(edge->target)) {
            return err_set(err, ERR_CANCELLED, "the push's lease has run out");
        }
        int64_t began = clock_monotonic_ms();
        int failed = http_send(edge->client, request, &edge->response, &why);
        if (failed == 0) {
            failed = http_check(request, &edge->response, &why);
        }
        edge->traffic.requests++;
        edge->traffic.busy_ms += clock_monotonic_ms() - began;
        if (failed == 0) {
            return 0;
        }
        if (!http_retry_goes_on(&retry, failures, failed)) {
            return judge(edge, as_players, failed, &why, err);
        }
        edge->traffic.refused++;
        int64_t pause = http_retry_pause_ms(&retry, failures, edge->response.retry_after_s, NULL);
        if (!clock_sleep_ms(pause, request->cancel)) {
            return err_set(err, ERR_CANCELLED, "%s; stopped as asked", why.message);
        }
    }
}

int edge_send(struct edge *edge, const struct http_request *request, struct err *err) {
    return send_as(edge, false, request, err);
}

static char *url_below(const char *root, const char *title, const char *path) {
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/') {
        length--;
    }
    const char *slash = title[0] != '\0' ? "/" : "";
    return mem_format("%.*s/%s%s%s", (int)length, root, title, slash, path);
}

char *edge_url(const struct edge *edge, const char *path) {
    return url_below(edge->target->endpoint->url, edge->target->title, path);
}

char *edge_served_url(const struct edge *edge, const char *path) {
    const struct push_endpoint *endpoint = edge->target->endpoint;
    return url_below(endpoint->serves[0] != '\0' ? endpoint->serves : endpoint->url,
                     edge->target->title, path);
}

/* ---- The origin ------------------------------------------------------------------------------ */

static int origin_open(struct edge *edge, struct err *err) {
    struct blob_options options = blob_options_default();
    options.cancel = edge->target->cancel;
    options.trace = edge->target->trace;
    return edge->origin != NULL ? 0 : blob_open(&edge->origin, edge->target->origin, &options, err);
}

static const char *origin_path(const struct edge_object *object) {
    return object->from != NULL ? object->from : object->path;
}

/* NULL: what is written anew under its name is not shared. */
static struct share_member *share_of(const struct edge *edge, const struct edge_object *object) {
    return delivery_is_immutable(origin_path(object)) ? edge->target->share : NULL;
}

static int cannot_read(struct edge *edge, const struct err *why, struct err *err) {
    edge->failure = FAILURE_IO;
    return err_set(err, why->code, "cannot read the output '%s': %s",
                   edge->origin != NULL ? blob_name(edge->origin) : "", why->message);
}

static int check_size(const struct edge_object *object, const char *key, int64_t size,
                      struct err *err) {
    if (object->bytes < 0 || object->bytes == size) {
        return 0;
    }
    return err_set(err, ERR_CORRUPT,
                   "'%s' has %" PRId64 " bytes, not the %" PRId64 " that were put there", key, size,
                   object->bytes);
}

struct reading {
    struct edge *edge;
    const struct edge_object *object;
    const char *key; /* below the output */
};

static int origin_read(void *context, struct buf *out, struct err *err) {
    const struct reading *reading = context;
    struct edge *edge = reading->edge;
    int failed = origin_open(edge, err);
    if (failed == 0) {
        failed = blob_get(edge->origin, reading->key, OBJECT_BYTES_MAX, out, err);
    }
    if (failed == 0) {
        failed = check_size(reading->object, reading->key, (int64_t)out->size, err);
    }
    edge->traffic.origin_bytes += (int64_t)out->size;
    return failed;
}

int edge_origin(struct edge *edge, const struct edge_object *object, const struct buf **out,
                struct err *err) {
    char *key = mem_format("%s/%s", edge->target->title, origin_path(object));
    struct reading reading = {edge, object, key};
    struct err why = {0};
    bool shared = false;
    edge_relax(edge);
    const struct share_object shared_as = {origin_path(object), object->bytes};
    int failed = share_take(share_of(edge, object), &shared_as, origin_read, &reading,
                            edge->target->cancel, &edge->copy, &shared, &why);
    mem_free(key);
    if (failed != 0) {
        return cannot_read(edge, &why, err);
    }
    *out = share_body(edge->copy);
    edge->traffic.shared_bytes += shared ? (int64_t)(*out)->size : 0;
    return 0;
}

/* A file of the output that is read as it is sent. */
struct sending {
    int fd;
    struct err why; /* it could not be read */
};

static bool give_bytes(void *context, int64_t offset, void *out, size_t size) {
    struct sending *sending = context;
    return fs_read_at(sending->fd, offset, out, size, &sending->why) == 0;
}

static int open_object(struct edge *edge, const struct edge_object *object, const char *key,
                       int *fd, int64_t *size, struct err *err) {
    struct err why = {0};
    int failed = blob_open_file(edge->origin, key, fd, size, &why);
    if (failed == 0) {
        failed = check_size(object, key, *size, &why);
    }
    return failed == 0 ? 0 : cannot_read(edge, &why, err);
}

static int send_file(struct edge *edge, struct http_request *request,
                     const struct edge_object *object, struct err *err) {
    struct sending sending = {.fd = -1};
    int64_t size = 0;
    char *key = mem_format("%s/%s", edge->target->title, origin_path(object));
    int failed = open_object(edge, object, key, &sending.fd, &size, err);
    if (failed == 0) {
        struct err why = {0};
        request->give = give_bytes;
        request->give_context = &sending;
        request->body_size = (size_t)size;
        failed = edge_send(edge, request, &why);
        edge->traffic.origin_bytes += size;
        if (sending.why.code != 0) {
            err_wrap(&sending.why, "'%s'", key);
            failed = cannot_read(edge, &sending.why, err);
        } else if (failed != 0) {
            err_pass(err, &why);
        }
    }
    if (sending.fd >= 0) {
        close(sending.fd);
    }
    mem_free(key);
    return failed;
}

int edge_send_origin(struct edge *edge, struct http_request *request,
                     const struct edge_object *object, struct err *err) {
    const struct buf *body = NULL;
    struct err why = {0};
    struct share_member *member = share_of(edge, object);
    edge_relax(edge);
    if (origin_open(edge, &why) != 0) {
        return cannot_read(edge, &why, err);
    }
    if (share_is_alone(member) && blob_is_folder(edge->origin)) {
        share_pass(member, share_hash(origin_path(object)));
        return send_file(edge, request, object, err);
    }
    int failed = edge_origin(edge, object, &body, err);
    if (failed == 0) {
        request->body = body->data != NULL ? (const void *)body->data : "";
        request->body_size = body->size;
        failed = edge_send(edge, request, err);
    }
    return failed;
}

/* Not what pushes share of it, which may be what was sent and refused. */
int edge_origin_check(struct edge *edge, const struct edge_object *object, struct err *err) {
    char hash[SHA256_TEXT] = "";
    char *key = mem_format("%s/%s", edge->target->title, origin_path(object));
    struct reading reading = {edge, object, key};
    struct buf body = {0};
    bool read = object->sha256[0] != '\0' && origin_read(&reading, &body, NULL) == 0;
    if (read) {
        sha256_hex_of(body.data, body.size, hash);
    }
    buf_finish(&body);
    mem_free(key);
    if (!read || strcmp(hash, object->sha256) == 0) {
        return 0;
    }
    edge->failure = FAILURE_IO;
    return err_set(err, ERR_CORRUPT,
                   "'%s/%s' in the output '%s' has other bytes than were put there; see its disk, "
                   "and have the title made again",
                   edge->target->title, object->path,
                   edge->origin != NULL ? blob_name(edge->origin) : "");
}

/* ---- Reading back ---------------------------------------------------------------------------- */

int edge_read_served(struct edge *edge, const struct edge_object *object, struct err *err) {
    char *url = edge_served_url(edge, object->path);
    struct http_request request = edge_request(edge, "GET", url);
    request.redirects = http_request_default().redirects;
    request.bearer = NULL;
    request.user = NULL;
    request.max_body = edge_object_limit(object);
    buf_clear(&edge->body);
    int failed = send_as(edge, true, &request, err);
    if (failed == 0) {
        buf_move(&edge->body, &edge->response.body);
    }
    mem_free(url);
    return failed;
}

int edge_read(struct edge *edge, const struct edge_object *object, struct err *err) {
    return edge->driver->read != NULL ? edge->driver->read(edge, object, err)
                                      : edge_read_served(edge, object, err);
}

int edge_verify(struct edge *edge, const struct edge_object *object, struct err *err) {
    char hash[SHA256_TEXT];
    int failed = edge_read(edge, object, err);
    if (failed != 0) {
        return failed;
    }
    sha256_hex_of(edge->body.data, edge->body.size, hash);
    bool same = (object->bytes < 0 || edge->body.size == (size_t)object->bytes) &&
                (object->sha256[0] == '\0' || strcmp(hash, object->sha256) == 0);
    if (same) {
        return 0;
    }
    char *url = edge_served_url(edge, object->path);
    char public[URL_TEXT];
    http_public_url(url, public, sizeof(public));
    mem_free(url);
    edge->failure = FAILURE_ENDPOINT;
    return err_set(err, ERR_CORRUPT,
                   "endpoint '%s' serves other bytes than were brought there: %s; see what stands "
                   "between, and its disk",
                   edge->target->endpoint->name, public);
}

static int visit_first(void *context, const char *key, int64_t size, struct err *err) {
    (void)key;
    (void)size;
    (void)err;
    *(bool *)context = true;
    return 1;
}

/* What is not found in an output that is not mounted at this worker may be there. */
static int origin_look(struct edge *edge, struct err *err) {
    struct err why = {0};
    bool found = false;
    int failed = blob_list(edge->origin, "", visit_first, &found, &why);
    if (found || !blob_is_writable(edge->origin)) { /* else it can't be listed */
        return 0;
    }
    edge->failure = FAILURE_IO;
    return failed != 0 ? err_set(err, why.code, "cannot list the output '%s': %s",
                                 blob_name(edge->origin), why.message)
                       : err_set(err, ERR_NOT_FOUND,
                                 "the output '%s' has nothing at all; see that it is mounted at "
                                 "this worker, or empty the cache of endpoint '%s' if it is right",
                                 blob_name(edge->origin), edge->target->endpoint->name);
}

/* Whether a failure to read it as players do says that they don't get it: it is not there, or
 * blocked. */
static bool is_gone(const struct edge *edge, int failed) {
    return failed == ERR_NOT_FOUND || (failed == ERR_INVALID && edge->response.status == 403);
}

int edge_verify_gone(struct edge *edge, const struct edge_object *manifest, bool *fetches,
                     struct err *err) {
    static const char begins[] = "#EXTM3U";
    struct err why = {0};
    const struct buf *body = NULL;
    *fetches = false;
    int failed = edge_read(edge, manifest, &why);
    if (failed != 0) {
        return is_gone(edge, failed) ? 0 : err_set(err, why.code, "%s", why.message);
    }
    if (edge->body.size < sizeof(begins) - 1 ||
        memcmp(edge->body.data, begins, sizeof(begins) - 1) != 0) {
        return 0; /* a page that says so */
    }
    failed = edge->target->origin[0] != '\0' ? edge_origin(edge, manifest, &body, &why)
                                             : ERR_NOT_FOUND;
    *fetches = failed == 0;
    if (failed != ERR_NOT_FOUND) {
        return failed == 0 ? 0 : err_set(err, why.code, "%s", why.message);
    }
    failed = edge->target->origin[0] != '\0' ? origin_look(edge, err) : 0;
    if (failed != 0) {
        return failed;
    }
    edge->failure = FAILURE_ENDPOINT;
    return err_set(err, ERR_CORRUPT,
                   "endpoint '%s' gives players %s/%s still, which the output has no more; see "
                   "where it fetches from, and empty its cache",
                   edge->target->endpoint->name, edge->target->title, manifest->path);
}

void edge_relax(struct edge *edge) {
    share_release(edge->copy);
    edge->copy = NULL;
    if (edge->body.capacity > BUFFER_KEPT_BYTES) {
        buf_finish(&edge->body);
    }
    if (edge->response.body.capacity > BUFFER_KEPT_BYTES) {
        buf_finish(&edge->response.body);
    }
}

int edge_bring(struct edge *edge, const struct edge_object *object, struct err *err) {
    return (edge->driver->caps & EDGE_PUTS) != 0 ? edge->driver->put(edge, object, err)
                                                 : edge->driver->warm(edge, object, err);
}
