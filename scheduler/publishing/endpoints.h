/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The endpoints of a farm, edges, catalogs and webhooks, as a YAML file lists them; and the pure
 * rules of what each is to hold and when it may be filled. No secret stands there: workers have
 * those, by the endpoint's name.
 */
#ifndef SCHEDULER_PUBLISHING_ENDPOINTS_H
#define SCHEDULER_PUBLISHING_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/wire.h"

enum {
    ENDPOINTS_MAX = 64,
    ENDPOINT_PUSHES = 4, /* at a time, unless the file says otherwise */
    ENDPOINT_CONNECTIONS = 8,
    ENDPOINT_VERIFY_SEGMENTS = 3,
    DAY_MS = 24 * 60 * 60 * 1000,
};

enum fill {
    FILL_ALWAYS,    /* every title that its filters pass */
    FILL_ON_DEMAND, /* what somebody publishes to it by name */
    FILL_SCORE,     /* what is popular enough */
    FILL_NEVER,     /* nothing: what it holds is taken away */
};

/* What a webhook is told, and how. */
struct hook_rules {
    int64_t events;     /* a bit each: hook_events.h */
    const char *source; /* of its CloudEvents */
    const char *origin; /* by which the farm asks for leave before it sends; "": nobody is asked */
    bool batch;         /* many in one request */
    int attempts;       /* of a delivery, at most */
    int64_t max_age_ms; /* and so long */
    int timeout_ms;     /* of a request */
};

struct endpoint {
    struct push_endpoint push; /* as workers are told; the bandwidth is the endpoint's */
    bool is_catalog;
    bool is_hook; /* it is told of events and holds no titles: of the rest it has label, tenant and
                     pushes alone */
    struct hook_rules hook;
    bool fetches;          /* it takes from the origin by itself what players ask it for */
    bool tells_falls_back; /* that it does is said to workers by the field alone, which older ones
                              do not read */
    enum fill fill;
    double score;       /* FILL_SCORE: at least so much */
    const char *label;  /* NAME=VALUE that its titles have; "": any */
    const char *tenant; /* whose titles it holds; "": any */
    int pushes;         /* at a time, at most */
    bool lists;         /* says what it holds of a title, so that orphans are found */
    bool has_window;
    int64_t opens_ms;  /* of the day, UTC, when it may be filled from; and to, which may be the */
    int64_t closes_ms; /* next morning */
    const char *rules; /* what decides which titles it holds, as a text to compare */
    const char *place; /* where it is, how it is spoken to and where it is read, likewise: a hash,
                          since a webhook's URL may have a key in it */
};

struct endpoints {
    struct arena arena; /* of the texts */
    size_t count;
    struct endpoint list[ENDPOINTS_MAX];
};

/* Reads the file; NULL: there are none. INVALID where something in it is not as it must be, with
 * file and line, and the codes of yaml_tree_load. `out` is the caller's to finish in any case. */
int endpoints_load(struct endpoints *out, const char *path, struct err *err);

/* The same from a text that is called `where` in messages. */
int endpoints_parse(struct endpoints *out, const void *text, size_t size, const char *where,
                    struct err *err);

void endpoints_finish(struct endpoints *endpoints);

/* The endpoint of that name, borrowed; NULL where there is none. */
const struct endpoint *endpoints_find(const struct endpoints *endpoints, const char *name);

/* Whether two URLs are of one place: they differ by slashes at their end at most. */
bool endpoint_same_place(const char *one, const char *other);

/* What decides whether a title is wanted. */
struct wanting {
    const char *tenant;
    const char *const *labels; /* "NAME=VALUE" */
    size_t label_count;
    double score; /* 0: nobody has told one */
};

/* Whether an endpoint is to hold such a title, if nobody says otherwise. */
bool endpoint_wants(const struct endpoint *endpoint, const struct wanting *wanting);

/* "always", "score >= 0.5": the fill rule as in the file. */
void endpoint_fill_text(const struct endpoint *endpoint, char *out, size_t size);

/* Whether it may be filled at a time, ms since 1970. */
bool endpoint_window_open(const struct endpoint *endpoint, int64_t now);

/* When that is otherwise next; 0 for one without a window. */
int64_t endpoint_window_turns(const struct endpoint *endpoint, int64_t now);

#endif
