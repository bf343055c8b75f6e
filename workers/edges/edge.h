/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints: where titles are published besides their output (ARCHITECTURE section 8). One
 * const row a driver, picked by name; a push (task_push.c) walks a version's objects and calls
 * what the row can do. Drivers know nothing of order, progress or versions.
 *
 * A `struct edge` is one connection of one push: used by one thread at a time; a push opens
 * several, which share a `struct edge_target`. All calls are idempotent, since a push is tried
 * again for as long as it takes.
 *
 * A call that fails leaves in edge->failure whose fault it is: FAILURE_ENDPOINT (the default: the
 * endpoint does not do its part), FAILURE_REFUSED (it refuses for good: credentials, no room, a
 * body that it will not have) or FAILURE_IO (the origin can't be read). edge_send and edge_origin
 * do so by themselves. Sentences name the endpoint and no secret.
 *
 * To add a driver: edge_NAME.c with its row, declared below, listed in edge.c.
 */
#ifndef WORKERS_EDGES_EDGE_H
#define WORKERS_EDGES_EDGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"
#include "common/http.h"
#include "common/wire.h"
#include "edge_secrets.h"
#include "edge_share.h"

/* What a driver can do; the functions of its row that go with it are set. */
enum {
    EDGE_PUTS = 1 << 0,       /* keeps files of its own: put */
    EDGE_WARMS = 1 << 1,      /* fetches from the origin when it is asked: warm */
    EDGE_FOLDERS = 1 << 2,    /* takes a folder away at once: remove_folder */
    EDGE_KEYS = 1 << 3,       /* forgets all of a title by its surrogate key: purge_title */
    EDGE_READS = 1 << 4,      /* can be asked as a player asks: read, and so be verified */
    EDGE_DOCUMENT = 1 << 5,   /* is told of the title and holds none of its files: tell */
    EDGE_LISTS = 1 << 6,      /* says what it holds of a title: list */
    EDGE_EVENTS = 1 << 7,     /* is told of events, and of nothing else: post */
    EDGE_ONE_BY_ONE = 1 << 8, /* EDGE_FOLDERS: but by a request for each object there, one after
                                 another: what is known of it better goes before */
};

/* What all connections of one push share. All borrowed, and outlives them. */
struct edge_target {
    const struct push_endpoint *endpoint;
    const struct edge_secret *secret; /* never NULL; empty where this worker has none for it */
    const char *origin;               /* URL of the folder above the titles': task.output */
    const char *title;                /* "": what lies there is named from the titles' folder on */
    bool leaves;                      /* nothing of it is to be had there any more */
    const char *trace;                /* of the title's run; "": none */
    struct share_member *share;       /* among those who push what this one does; NULL: alone */
    const atomic_bool *cancel;
    int stall_s;                     /* a connection silent so long is given up */
    int64_t send_bps;                /* bytes a second of one connection; 0: any */
    const _Atomic int64_t *until_ms; /* monotonic: the push is another's after it; NULL: never */
};

/* What a connection has met, for the report and for the number of connections. */
struct edge_traffic {
    int64_t requests;
    int64_t busy_ms;      /* of all of them, without pauses */
    int64_t refused;      /* requests that failed and were tried again */
    int64_t origin_bytes; /* read from the origin */
    int64_t shared_bytes; /* of the origin, that another push read */
};

struct edge_driver;

struct edge {
    const struct edge_driver *driver;
    const struct edge_target *target;
    enum failure_class failure; /* of the call that failed last */
    struct edge_traffic traffic;
    struct http_client *client;    /* owned */
    struct http_response response; /* owned; of the last edge_send */
    struct blob *origin;           /* owned; NULL until edge_origin */
    struct share_copy *copy;       /* owned; of edge_origin */
    struct buf body;               /* owned; what was read back */
    void *state;                   /* the driver's own; freed by its close */
};

/* One object of a title. Borrowed during a call. */
struct edge_object {
    const char *path;   /* below the title's folder: "video/h264-720p-0123456789/00001.m4s" */
    const char *from;   /* where its bytes lie at the origin; NULL: at the same path */
    const char *sha256; /* in hex, from the scheduler's reports; "": not known */
    int64_t bytes;      /* -1: not known */
    bool damaged; /* what players get there is not this: what lies there is not to be relied on */
    bool unread;  /* nothing of the origin is read for it: it waits for no other push */
};

/* One object of a listing, by its path below the title's folder. Another answer than 0 ends it. */
typedef int edge_visit(void *context, const char *path, int64_t size, struct err *err);

/* For EDGE_DOCUMENT. */
struct edge_title {
    int64_t revision;     /* orders what the endpoint is told of this title */
    const char *version;  /* "": the title is to go from there */
    const char *document; /* the version's title document (VERSION.json at the origin), as it lies
                            there; NULL where version is "" */
    size_t document_size;
    const struct push_listing *listing; /* NULL: none is known */
};

/* For EDGE_EVENTS. */
struct edge_post {
    const void *body; /* a CloudEvent in JSON, or an array of them */
    size_t body_size;
    bool is_batch;
    const char *origin; /* by whose leave; NULL: nobody's is needed */
    int timeout_ms;     /* of the request in all */
};

/* For EDGE_EVENTS: what is asked before any. */
struct edge_asking {
    const char *origin; /* the name by which the farm asks */
    int timeout_ms;
};

struct edge_driver {
    const char *name;
    unsigned caps;

    /* Each may be NULL where there is nothing to do. Nothing is sent by `open`: INVALID for a URL
     * that will not do. `close` takes what a failed `open` left. */
    int (*open)(struct edge *edge, struct err *err);
    void (*close)(struct edge *edge);

    /* EDGE_PUTS: brings an object from the origin (edge_origin), with its bytes as they are; one
     * that is there gives way in one step. */
    int (*put)(struct edge *edge, const struct edge_object *object, struct err *err);

    /* EDGE_PUTS, may be NULL: whether it has an object of that path and size, as it says itself.
     * An endpoint that does not answer is an error; one that can't tell says false. */
    int (*has)(struct edge *edge, const struct edge_object *object, bool *has, struct err *err);

    /* EDGE_WARMS: has it fetch the object anew, in the place of what it holds: without a moment in
     * which it has none. */
    int (*warm)(struct edge *edge, const struct edge_object *object, struct err *err);

    /* All but EDGE_DOCUMENT and EDGE_EVENTS: it holds the object no more. None there is no error.
     */
    int (*remove)(struct edge *edge, const char *path, struct err *err);

    /* EDGE_FOLDERS: the same of all below "video/h264-720p-0123456789", or of the title's whole
     * folder, "". UNSUPPORTED where it can't after all. */
    int (*remove_folder)(struct edge *edge, const char *path, struct err *err);

    /* EDGE_LISTS: visits all that lies below the title's folder, or of all titles one after
     * another where that is ""; ends with what `visit` says. A folder that is not there, as before
     * the first push, holds nothing. */
    int (*list)(struct edge *edge, edge_visit *visit, void *context, struct err *err);

    /* EDGE_KEYS: the same of all that carries the key title-TITLE. UNSUPPORTED where it can't. */
    int (*purge_title)(struct edge *edge, struct err *err);

    /* EDGE_READS: reads the object as players get it (endpoint.serves) into edge->body. NOT_FOUND
     * where there is none. NULL: by HTTP. */
    int (*read)(struct edge *edge, const struct edge_object *object, struct err *err);

    /*
     * EDGE_DOCUMENT, of a catalog: the one call that a push makes there, with version "" when the
     * title is to go. It is made after all edges have the version (the scheduler sees to that).
     * Players' URLs are edge_served_url's; credentials target->secret (its `hmac`). What is sent
     * must follow from `title` and target alone, not from clock or attempt, so that a second
     * attempt with the same revision says the same. A title that is not there any more when it is
     * to go, and one that is kept as said already, are no errors; that a later revision is there
     * (409) is none either: this push is late, and what it wanted is not wanted any more.
     */
    int (*tell)(struct edge *edge, const struct edge_title *title, struct err *err);

    /* EDGE_EVENTS, of a webhook: one request, tried once; edge->response has the answer, of which
     * the status says how it was taken (hook_judge). Such an endpoint is given no other tasks than
     * task_hook.c's. */
    int (*post)(struct edge *edge, const struct edge_post *post, struct err *err);

    /* EDGE_EVENTS: asks whether events may be sent, and in `*rate` how many requests a minute, 0
     * for any. Tried once. FAILURE_REFUSED where they may not. */
    int (*ask)(struct edge *edge, const struct edge_asking *asking, int *rate, struct err *err);
};

extern const struct edge_driver edge_dav;
extern const struct edge_driver edge_pull;
extern const struct edge_driver edge_s3;
extern const struct edge_driver edge_catalog;
extern const struct edge_driver edge_webhook;

/* The row of that name; NULL where there is none. */
const struct edge_driver *edge_driver_find(const char *name);

/* Opens a connection; `target` is borrowed for its life. */
int edge_open(struct edge **out, const struct edge_target *target, struct err *err);

/* Takes NULL. */
void edge_close(struct edge *edge);

/* Whether another may have the push by now: the endpoint has no fence, so whoever was stopped and
 * wakes sends nothing more. */
bool edge_is_late(const struct edge_target *target);

/* ---- For drivers ------------------------------------------------------------------------ */

/* A request with the endpoint's credentials (bearer, or user and password), stall guard, speed
 * and cancel filled in, for a short answer. It follows no redirect. `url` is borrowed. What it
 * borrows lives as long as the edge. */
struct http_request edge_request(struct edge *edge, const char *method, const char *url);

/* How many bytes the answer may have that is the object: an endpoint that sends on for ever must
 * not fill this worker's memory. */
size_t edge_object_limit(const struct edge_object *object);

/*
 * Sends it, again where that may help, and takes the answer into edge->response: 0 for a status
 * from 200 to 299. Else the code of http_check (its own where nothing came), edge->failure, and a
 * sentence that names the endpoint and says what to do where that is known. CORRUPT for an answer
 * that is larger than the request allows; CANCELLED, and nothing is sent, where the push is late
 * (edge_is_late). NOT_FOUND is left to the caller to judge.
 */
int edge_send(struct edge *edge, const struct http_request *request, struct err *err);

/* URL of a path below the title's folder, as it is written and as players read it ("" for the
 * folder itself, with its slash). Returns owned. */
char *edge_url(const struct edge *edge, const char *path);
char *edge_served_url(const struct edge *edge, const char *path);

/* The object's bytes as the origin has them, borrowed until the next call or edge_relax: read whole
 * and at most once a call, or by another push at the same time (edge_share.h). CORRUPT where it has
 * another size than `object` says. FAILURE_IO. */
int edge_origin(struct edge *edge, const struct edge_object *object, const struct buf **out,
                struct err *err);

/* Sends the request as edge_send does, and with it the object's bytes: those of edge_origin; or, of
 * an output that is a folder, and where no other push wants them now, read from there as they are
 * sent. Who fails at that, FAILURE_IO, may have sent some of them. */
int edge_send_origin(struct edge *edge, struct http_request *request,
                     const struct edge_object *object, struct err *err);

/* Looks whether the origin has the bytes that `object` knows the hash of: CORRUPT and FAILURE_IO
 * where it has others. 0 where it has those, where no hash is known, and where it can't be read. */
int edge_origin_check(struct edge *edge, const struct edge_object *object, struct err *err);

/* Reads an object as players get it by HTTP from endpoint.serves, without credentials, into
 * edge->body. */
int edge_read_served(struct edge *edge, const struct edge_object *object, struct err *err);

/* ---- For pushes ------------------------------------------------------------------------- */

/* Reads the object as players do, into edge->body. NOT_FOUND where it is not there. */
int edge_read(struct edge *edge, const struct edge_object *object, struct err *err);

/* Reads the object as players do, and compares: CORRUPT where it has other bytes (sha256 and
 * size, as far as the object says them), NOT_FOUND where it is not there. */
int edge_verify(struct edge *edge, const struct edge_object *object, struct err *err);

/* Looks by a title's top manifest, which was taken from there, whether players find it: `*fetches`
 * where they do since the origin has it. Where that has it no more, CORRUPT: the edge gives on what
 * it should have forgotten; where the origin has nothing at all, NOT_FOUND and FAILURE_IO. What
 * can't be asked now, or is kept from the worker alone, is an error. */
int edge_verify_gone(struct edge *edge, const struct edge_object *manifest, bool *fetches,
                     struct err *err);

/* Gives back the origin's bytes, and the memory that a large object took. */
void edge_relax(struct edge *edge);

/* Puts it there or warms it, as the driver does. */
int edge_bring(struct edge *edge, const struct edge_object *object, struct err *err);

#endif
