/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon that owns the plan: titles, units, leases, in a store that survives
 * it, behind the HTTP API of openapi.json. It runs in threads of the caller's process:
 * one for the store and all decisions, one for HTTP. It never touches media.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include <stdbool.h>

#include "common/err.h"
#include "plan.h"

struct scheduler;

struct scheduler_options {
    const char *store_path;     /* the SQLite file, made where it is not there; its folder must be;
                                   or a postgresql:// URL without a password */
    const char *token;          /* bearer token of every call; NULL: a random one is made */
    const char *listen_host;    /* a numeric address; default "127.0.0.1" */
    int port;                   /* default 0: any free one */
    const char *certificate;    /* PEM texts: of the scheduler's own TLS; NULL: plain HTTP */
    const char *key;            /* of the certificate */
    const char *worker_ca;      /* who vouches for workers, which then need a certificate; NULL:
                                   a token is enough */
    const char *backup_folder;  /* NULL: `backups` beside the store */
    const char *sources;        /* places.h: where sources may come from; NULL: anywhere */
    const char *outputs;        /* where outputs may go; NULL: anywhere */
    const char *public_outputs; /* public_outputs.h: where players read them; NULL: not known */
    bool private_mode;          /* default false: see below */
    int heartbeat_ms;           /* what workers are told; default 10000; private: 500 is good */
    int ttl_ms;                 /* a session silent for so long is lost; default 30000 */
    int comment_ms;             /* who follows the feed hears so often at least; default 12000 */
    int connections;            /* as http_server_options has these four, with its defaults */
    int strangers;
    int strangers_per_address;
    int request_ms;
    int64_t keep_versions_ms; /* a version that was replaced is dropped after so long; default:
                                 never */
    int64_t keep_versions;    /* so many of them stay longer; default 0 */
    enum sandbox_level sandbox_required; /* of workers that are given a source's bytes; default
                                            SANDBOX_NONE: any */
    int hedge_after;           /* times its expected time after which a task that hangs behind is
                                  given to a second worker; default 0: never */
    int hedge_least_ms;        /* and not before; default 30000 */
    const char *endpoints;     /* file of endpoints (endpoints.h); NULL: none */
    const char *tenants;       /* weights and caps as tenant_rules_parse reads them; NULL: none */
    struct plan_limits limits; /* what a source may be; default plan_limits_default() */
    /* Called each time that another scheduler has the store, or its server can't be reached: waits
     * a moment and answers whether to try again. NULL: both are failures. */
    bool (*stand_by)(void *context);
    /* Called once, on a thread of the scheduler's, when scheduler_loss has something to say from
     * then on; it must not wait. NULL: nobody is told. */
    void (*on_loss)(void *context);
    void *context; /* of both */
};

struct scheduler_options scheduler_options_default(void);

/*
 * Opens the store (checks it, brings it to this version's schema), starts the
 * threads and listens; from then on the API answers. `*out` is owned; options are
 * copied. A scheduler that starts gives each session in its store one full lease
 * time; in private mode, where workers die with their parent, it ends every one and
 * its units are ready again, no loss counted.
 * CONFLICT where another process has the store open; CORRUPT where it is damaged;
 * UNSUPPORTED where a newer reelfarm has written it; NO_SPACE; UNAVAILABLE where
 * the port can't be listened on, or the store's server be reached; CANCELLED where
 * stand_by ended it. While it stands by it listens, and answers so (standby.h).
 */
int scheduler_start(struct scheduler **out, const struct scheduler_options *options,
                    struct err *err);

/*
 * Stops listening, answers the calls that wait, writes what was promised, closes
 * the store and frees everything. Leases stay in the store. Takes NULL.
 */
void scheduler_stop(struct scheduler *scheduler);

/* "http://127.0.0.1:34567" (or https), without a slash at its end, and the token that calls
 * need; borrowed until scheduler_stop. */
const char *scheduler_url(const struct scheduler *scheduler);
const char *scheduler_token(const struct scheduler *scheduler);

/* Whether the store has no room on its disk for what it is told: nobody hears of results then. It
 * is over when a write succeeds again. Any thread. */
bool scheduler_is_full(const struct scheduler *scheduler);

/* 0, or why the store can be used no more: it is out of reach for good, and another scheduler may
 * be active on it by now, or it is damaged (CORRUPT). This one can do nothing any more but stop.
 * Any thread. */
int scheduler_loss(const struct scheduler *scheduler, struct err *err);

/*
 * The daemon: takes options as `reelfarm scheduler --help` tells them (`argv` without the
 * names of program and command), runs a scheduler until SIGTERM or SIGINT, and logs.
 * Answers the exit status.
 */
int scheduler_daemon(int argc, char **argv);

/* Whether the daemon would begin by the options of this file, and can read the files that these
 * name: 0, or the error that it would begin with. A token's file that is not there is none. */
int scheduler_options_check(const char *file, struct err *err);

/*
 * For a private scheduler, whose parent saw wait() report the death of a worker:
 * ends the sessions of that name at once; their units are ready again, no loss
 * counted. Durable when it returns. Any thread. An unknown name is no error.
 */
int scheduler_worker_died(struct scheduler *scheduler, const char *worker, struct err *err);

#endif
