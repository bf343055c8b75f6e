/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The true scheduler on loopback with a store of its own, and calls of its API by a made-up
 * worker. One of them at a time; a suite's checked fixture sets it up and tears it down.
 */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"
#include "common/json.h"
#include "common/wire.h"
#include "scheduler/scheduler.h"

extern char *api_store_path;
extern const char *api_endpoints; /* a file, for schedulers that start; NULL: none */
extern struct scheduler *api_scheduler;
extern struct http_client *api_client;
extern struct http_response api_answer; /* of the last call */
extern char api_session[64];            /* of the last api_join */

void api_set_up(void);
void api_tear_down(void);

/* Starts the scheduler that api_set_up has started, once it was stopped. */
void api_start(bool private_mode, int ttl_ms);
void api_restart(bool private_mode);

/* One call; returns the status. `body` may be NULL. */
int api_call_by(struct http_client *by, struct http_response *response, const char *method,
                const char *path, const char *token, const char *body);

/* The same with the operator's token, into `api_answer`. */
int api_call(const char *method, const char *path, const char *body);

/* The last answer as a tree, owned. */
struct json *api_tree_of_answer(void);

/* A text member of the last answer, copied to `out`. */
const char *api_text_of(const char *name, char *out, size_t size);

/* How many entries an array of the last answer has. */
size_t api_count_of(const char *name);

/* The sentence of the last answer, which the test fails for if it is no problem document. */
const char *api_problem(void);

/* Registers a worker of two slots. */
void api_join(const char *worker);

/* Submits this; `members` are more of the body, each with a comma behind; the status. */
int api_submit_with(const char *title, const char *source, const char *output,
                    const char *ladder_name, const char *members);

/* Submits /media/clip.mp4 under this name; the status. */
int api_submit(const char *title);

/* The body of a lease of one task, owned. */
char *api_lease_body(int wait_ms);

/* Leases one task; whether there was one. */
bool api_lease_task(struct task *task, int wait_ms);

/* Brings a report by POST /v1/leases/F/`verb`; the status. */
int api_report(const struct task *task, const char *verb, const struct task_report *result);

/* Completes the task with a report that fits it; the status. */
int api_complete(const struct task *task);

/* A heartbeat that lists the task (NULL: none); the status. */
int api_beat(const struct task *task);

/* "running", and so on; good until the next call. */
const char *api_title_state(const char *title);

/* Does all that there is to do; returns how many tasks that were. */
int api_work(void);

#endif
