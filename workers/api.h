/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler's HTTP API (scheduler/api/openapi.json, API.md) as a worker speaks it. Failures of
 * the scheduler come with the code and the sentence of its problem document; UNAVAILABLE and
 * TIMEOUT where it can't be reached or asks to come back.
 */
#ifndef WORKERS_API_H
#define WORKERS_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/http.h"
#include "common/wire.h"

enum {
    API_SESSION_TEXT = 64,
    API_WAIT_MS = 20000,
    API_STOPS_MAX = 256,
    API_TASKS_MAX = 256,
    API_ENDPOINTS_MAX = 64, /* of a farm */
    API_PAUSE_MS = 3000,    /* at most between two tries: a scheduler that is back is soon found */
};

struct api; /* used by one thread at a time */

/* Where the scheduler is, and by what it knows this worker. Strings are borrowed. */
struct api_access {
    const char *url; /* or URL,URL: the next is asked where one stands by or is away */
    const char *token;
    struct http_trust trust;
};

/* `access` and `cancel`, which ends calls and may be NULL, are borrowed for its life. */
int api_create(struct api **out, const struct api_access *access, const atomic_bool *cancel,
               struct err *err);

/* Takes NULL. */
void api_destroy(struct api *api);

/* Sends this trace id (trace.h) with each call from here on; borrowed; NULL: none. */
void api_set_trace(struct api *api, const char *trace);

/* Whether the last call was refused for its token. */
bool api_refused(const struct api *api);

/* Whether to ask the same again can't help after a call that failed: the scheduler has judged it
 * (4xx), or it was cancelled. All else passes: a scheduler that is away, a full disk there (507),
 * an answer that something on the way made up. */
bool api_is_final(const struct api *api, int failed);

/* One row of a worker's announcement. */
struct api_encoder {
    const char *name;
    enum codec_id codec;
    const char *build_line; /* with the segment layout's version */
    int64_t tail_frames;
};

struct api_worker {
    const char *name;
    const char *host;
    int64_t pid;
    int slots;
    int64_t memory_bytes;
    int64_t cores;
    int64_t keep_ms;            /* what is pure may be put so long after its lease's time */
    enum sandbox_level sandbox; /* round its children */
    size_t encoder_count;
    const struct api_encoder *encoders;
};

struct api_session {
    char id[API_SESSION_TEXT];
    int64_t heartbeat_ms;
    int64_t ttl_ms;
};

/* Tells the scheduler of this worker, and fills in the session that it gives. Errors here and below
 * are those of http_send, the answer's problem, or CORRUPT where the answer can't be read. */
int api_session_open(struct api *api, const struct api_worker *worker, struct api_session *out,
                     struct err *err);
/* Ends it: its leases are given back at once. */
int api_session_close(struct api *api, const char *session, struct err *err);

/* One task's line in a heartbeat. */
struct api_beat {
    int64_t fence;
    int64_t done;
    int64_t total;
};

/* Which tasks nobody wants any more, whether to drain, and for how many endpoints to be ready. */
struct api_orders {
    size_t stop_count;
    int64_t stop[API_STOPS_MAX];
    bool drain;
    size_t endpoints; /* that the farm has, as far as API_ENDPOINTS_MAX; 0 of an older scheduler */
};

/* What a heartbeat says. */
struct api_heartbeat {
    const struct api_beat *beats;
    size_t count;
    bool stopping; /* the worker takes nothing new, and ends when these have */
};

/* NOT_FOUND where the session is gone: open another. TIMEOUT after `limit_ms`. */
int api_heartbeat(struct api *api, const char *session, const struct api_heartbeat *heartbeat,
                  int64_t limit_ms, struct api_orders *out, struct err *err);

/* What tasks are asked for. */
struct api_wish {
    int slots;            /* at most so many */
    int64_t memory_bytes; /* that they may take */
    int64_t wait_ms;      /* for one to come */
    unsigned kinds;       /* of bits 1 << enum task_kind */
    bool ahead;           /* for what ends soon: only where there is work enough for everybody */
    int64_t ends;         /* the fence of what does; 0: not known */
};

/* What came of it. */
struct api_given {
    size_t count;
    struct task *tasks[API_TASKS_MAX]; /* owned: free with task_free */
};

/* Asks for tasks, at most API_TASKS_MAX. INVALID where the scheduler does not know one of the
 * kinds; none are given where it fails. */
int api_lease_tasks(struct api *api, const char *session, const struct api_wish *wish,
                    struct api_given *out, struct err *err);
void task_free(struct task *task); /* takes NULL */

/* The probe's report as far as it goes. */
int api_source(struct api *api, int64_t fence, const struct task_report *report, struct err *err);

/* A task's result. `*accepted`: whether the scheduler took it, rather than that of another. */
int api_complete_task(struct api *api, int64_t fence, const struct task_report *report,
                      bool *accepted, struct err *err);

/* A page of what a sweep found; told once, since a page told twice counts twice. */
int api_found(struct api *api, int64_t fence, const struct sweep_page *page, struct err *err);

/* A task's failure, with a sentence, and the ids of units whose objects are missing or that are to
 * blame. */
int api_fail(struct api *api, int64_t fence, enum failure_class failure, const char *message,
             const int64_t *missing, size_t missing_count, struct err *err);

/* Fills in the folders of the task's units that have none: true where all are known, after
 * at most `wait_ms`. CONFLICT where nobody reads the source then. */
int api_folders(struct api *api, struct task *task, int64_t wait_ms, bool *known, struct err *err);

/* One page of the media objects of a version, below the title's folder, in the order in which they
 * are brought to endpoints. Texts live in `arena`. */
struct api_object {
    const char *path;
    int64_t bytes;
    const char *sha256;
};

struct api_objects {
    struct arena arena;
    size_t count;
    struct api_object *list;
    int64_t next; /* the number of the next page's first; -1: this is the last */
};

/* Those from number `from` (0 the first); `out` is the caller's zeroed struct. */
int api_objects(struct api *api, const char *title, const char *version, int64_t from,
                struct api_objects *out, struct err *err);
void api_objects_finish(struct api_objects *objects);

/* `out` is the caller's zeroed struct; finish it in any case. */
int api_plan(struct api *api, const char *title, struct title_plan *out, struct err *err);

/* One accepted unit of a title. Borrowed during the call. */
struct api_unit {
    int64_t id;
    enum task_kind kind;
    const char *rendition;
    int64_t chunk;
    const char *state;
    bool has_report;
    struct unit_report report; /* lists in `arena` of the call */
};
typedef int (*api_unit_fn)(void *context, const struct api_unit *unit, struct err *err);

/* Visits all units of a title in the order of their ids, page by page; reports' lists
 * are made in `arena`. */
int api_units(struct api *api, const char *title, struct arena *arena, api_unit_fn visit,
              void *context, struct err *err);

#endif
