/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One API call on its way through the store's thread, and the functions that do the
 * calls. Each runs in a transaction: it writes its answer, or sets the transaction's
 * error, or waits.
 */
#ifndef SCHEDULER_API_CALL_H
#define SCHEDULER_API_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/http_server.h"
#include "common/json.h"
#include "common/wire.h"
#include "routes.h"
#include "scheduler/auth.h"
#include "scheduler/farm.h"
#include "scheduler/store.h"

enum {
    CALL_ARGUMENTS = 2,       /* variable parts of a path, at most */
    CALL_WAIT_MS_MAX = 20000, /* the server hears nothing of a client that waits */
    FOLLOWERS_MAX = 256,      /* streams of the feed at a time: some 50 kB each */
};

struct route;

struct call {
    struct routes *routes;
    struct exchange *exchange;
    const struct route *route;
    struct caller caller;           /* of a call that needs a token */
    char argument[WIRE_TITLE_TEXT]; /* the path's variable part */
    char second[WIRE_TITLE_TEXT];   /* its second one, or "" */
    struct json *body;              /* NULL where the call has none */
    struct buf answer;
    struct writer writer; /* of the answer */
    int status;
    const char *type;  /* of the answer; NULL: application/json */
    int64_t since_ns;  /* monotonic; when it came, moved on by what it waited */
    int64_t paused_ns; /* monotonic; when it began to wait */
    /* waiting */
    unsigned topics;     /* 0: the answer is ready */
    int64_t deadline_ms; /* monotonic; when it is answered in any case */
    int64_t retry_ms;    /* monotonic; when it is worth another try; 0: at news alone */
    bool expired;
    uint64_t looked; /* the routes' lease_news when it last looked for a task */
    struct call *next;
    /* a file as the answer */
    bool sends_file;
    int file; /* owned */
    int64_t file_size;
    /* a stream of the feed: done anew for each piece */
    bool follows;
    bool streams; /* its head is out */
    int64_t seen; /* the number to go on after */
};

/* ---- what calls share --------------------------------------------------------- */

/* A reader of the request's body, whose error is the transaction's. */
struct reader call_body(struct tx *tx, struct call *call);

/* A number of the query, at most `most`; `otherwise` where there is none. */
int64_t call_number(struct call *call, const char *name, int64_t otherwise, int64_t most);

/* The path's fence; 0, which no lease has, where it is no number. */
int64_t call_fence(struct call *call);

/* NOT_FOUND where the caller is bound to a tenant and the path's title is not that one's: it
 * hears nothing of others, not even that they are there. */
void call_check_title(struct tx *tx, struct call *call);

/* Lets the call wait for news of these topics, at most `wait_ms` from its first try, and
 * tries again in `retry_in_ms` where that is above 0. What it wrote is dropped. */
void call_wait(struct call *call, unsigned topics, int64_t wait_ms, int64_t retry_in_ms);

/* Fails unless `text`, the field `name` just read, is a word that people and logs may see. */
void call_check_word(struct reader *r, const char *name, const char *text);

/* Fails unless it has 1 to `most` bytes. */
void call_check_length(struct reader *r, const char *name, const char *text, size_t most);

/* ---- calls of workers (calls_workers.c) ----------------------------------------- */

void call_add_session(struct tx *tx, struct call *call);
void call_heartbeat(struct tx *tx, struct call *call);
void call_drop_session(struct tx *tx, struct call *call);
void call_list_workers(struct tx *tx, struct call *call);
void call_drain_worker(struct tx *tx, struct call *call);
void call_undrain_worker(struct tx *tx, struct call *call);
void call_grant_leases(struct tx *tx, struct call *call);
void call_early_source(struct tx *tx, struct call *call);
void call_add_orphans(struct tx *tx, struct call *call);
void call_complete_lease(struct tx *tx, struct call *call);
void call_fail_lease(struct tx *tx, struct call *call);

/* ---- calls about titles and the feed (calls_titles.c) ---------------------------- */

void call_submit_title(struct tx *tx, struct call *call);
void call_plan_title(struct tx *tx, struct call *call);
void call_list_ladders(struct tx *tx, struct call *call);
void call_submit_titles(struct tx *tx, struct call *call);
void call_list_titles(struct tx *tx, struct call *call);
void call_show_title(struct tx *tx, struct call *call);
void call_show_versions(struct tx *tx, struct call *call);
void call_show_publications(struct tx *tx, struct call *call);
void call_show_plan(struct tx *tx, struct call *call);
void call_show_why(struct tx *tx, struct call *call);
void call_show_units(struct tx *tx, struct call *call);
void call_show_identity(struct tx *tx, struct call *call);
void call_cancel_title(struct tx *tx, struct call *call);
void call_retry_title(struct tx *tx, struct call *call);
void call_remove_title(struct tx *tx, struct call *call);
void call_list_events(struct tx *tx, struct call *call);

/* ---- calls about sources that no title has yet (calls_probes.c) ------------------ */

void call_ask_probe(struct tx *tx, struct call *call);
void call_show_probe(struct tx *tx, struct call *call);

/* ---- calls about what is published (calls_publish.c) -------------------------------- */

void call_list_endpoints(struct tx *tx, struct call *call);
void call_forget_endpoint(struct tx *tx, struct call *call);
void call_reset_endpoint(struct tx *tx, struct call *call);
void call_sweep_endpoint(struct tx *tx, struct call *call);
void call_show_sweep(struct tx *tx, struct call *call);
void call_list_deliveries(struct tx *tx, struct call *call);
void call_replay_events(struct tx *tx, struct call *call);
void call_publish_title(struct tx *tx, struct call *call);
void call_unpublish_title(struct tx *tx, struct call *call);
void call_roll_back_title(struct tx *tx, struct call *call);
void call_set_popularity(struct tx *tx, struct call *call);
void call_show_objects(struct tx *tx, struct call *call);

/* ---- calls about tokens (calls_tokens.c) ------------------------------------------ */

void call_create_token(struct tx *tx, struct call *call);
void call_list_tokens(struct tx *tx, struct call *call);
void call_revoke_token(struct tx *tx, struct call *call);
void call_show_caller(struct tx *tx, struct call *call);

/* ---- calls about the store (calls_backup.c) -------------------------------------- */

void call_begin_backup(struct tx *tx, struct call *call);
void call_show_backup(struct tx *tx, struct call *call);
void call_fetch_backup(struct tx *tx, struct call *call);
void call_drop_backup(struct tx *tx, struct call *call);

/* ---- calls of who watches the scheduler (calls_watch.c) -------------------------- */

/* openapi.json, of which the build makes it. */
extern const char openapi_document[];

void call_show_document(struct tx *tx, struct call *call);
void call_show_ready(struct tx *tx, struct call *call);
void call_show_metrics(struct tx *tx, struct call *call);

#endif
