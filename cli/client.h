/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls to a scheduler's HTTP API, or to a catalog's. Private to cli/. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

struct client; /* used by one thread */

/* Strings are copied. */
struct client_options {
    const char *url;     /* may be a list of several, of which one answers at a time */
    const char *token;   /* NULL: none is shown */
    const char *ca_file; /* who vouches for the scheduler; default (NULL) the system's */
    int call_ms;         /* a call's answer is waited for so long; default 30000 */
};

struct client_options client_options_default(void);

/* `*out` is owned. INTERNAL where there is no HTTP client to be had; nothing is asked yet. */
int client_create(struct client **out, const struct client_options *options, struct err *err);
void client_destroy(struct client *client);

struct invocation;

/* The rows of every command that talks to a farm's scheduler. */
#define CONNECTION_OPTIONS                                                                         \
    {"scheduler", "URL",                                                                           \
     "the scheduler, or URL,URL (default: REELFARM_SCHEDULER, http://127.0.0.1:7430)"},            \
        {"token-file", "FILE", "its token (default: REELFARM_TOKEN_FILE, this machine's own)"}, {  \
        "ca-file", "FILE", "PEM file of who vouches for it (default: REELFARM_CA_FILE, system's)"  \
    }

/* A client of the scheduler that the command's options, the environment or the defaults name.
 * Nothing is asked yet. From here on Ctrl-C ends a call: CANCELLED. */
int client_connect(struct client **out, const struct invocation *invocation, struct err *err);

/* The same for a catalog: --catalog, REELFARM_CATALOG, --token-file; most need no token. */
int client_connect_catalog(struct client **out, const struct invocation *invocation,
                           struct err *err);

/* The scheduler's address, of several the one that answered last; borrowed until the next call. */
const char *client_url(const struct client *client);

/* Tells the error of a call, and what to do where no scheduler answers; the exit code:
 * EXIT_UNREACHABLE, EXIT_REFUSED for a conflict or a right that the token lacks,
 * EXIT_INTERRUPTED or EXIT_FAILED. */
int client_fail(const struct client *client, const struct invocation *invocation,
                const struct err *err);

/* As client_fail, but tells people alone: for one of several calls of a command. */
int client_tell(const struct client *client, const struct err *err);

/*
 * One call: "GET", "/v1/titles/x"; `body` may be NULL. `*answer` is an owned JSON object;
 * `answer` itself may be NULL where no answer is looked at. A problem document becomes its
 * error. UNAVAILABLE where nothing answers, CORRUPT for an answer of no scheduler.
 */
int client_call(struct client *client, const char *method, const char *path, struct buf *body,
                struct json **answer, struct err *err);

/*
 * The same for a call that, made twice, does no more than made once: where its answer is lost, or
 * the scheduler goes away for a moment, it is made again for up to a minute. A scheduler that
 * never answered at all is not waited for.
 */
int client_call_again(struct client *client, const char *method, const char *path, struct buf *body,
                      struct json **answer, struct err *err);

/* Writes what a GET's answer holds to a descriptor, whatever its size; waited for as long as bytes
 * flow. Of one scheduler, the one that answered last. */
int client_fetch(struct client *client, const char *path, int fd, struct err *err);

/* Writes what an answer says as text for people; all of it is read, so that the reader's error
 * tells whether it is what it must be. */
typedef void client_text(struct reader *answer, struct buf *out);

/* A command that is one GET: connects, asks, and prints the answer, with --json as it is, else as
 * `write` says it. Returns the exit code. */
int client_show(const struct invocation *invocation, const char *path, client_text *write);

/* The same, by another GET where that one's is not found. */
int client_show_either(const struct invocation *invocation, const char *path, client_text *write,
                       const char *other, client_text *write_other);

/*
 * A page of a list, printed: its items as they are with --json, one a line, else as `write` says
 * each. `*next` becomes what the answer says to go on after, where it says that. Errors are those
 * of the call, and of an answer that can't be read or printed.
 */
int client_page(struct client *client, const struct invocation *invocation, const char *path,
                const char *list, client_text *write, int64_t *next, struct err *err);

#endif
