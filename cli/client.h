/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls to a scheduler's HTTP API. Private to cli/. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

struct client; /* used by one thread */

/* Strings are copied. */
int client_create(struct client **out, const char *url, const char *token, struct err *err);
void client_destroy(struct client *client);

/*
 * One call: "GET", "/v1/titles/x"; `body` may be NULL. `*answer` is an owned tree,
 * NULL for an answer without a body; `answer` itself may be NULL. A problem document
 * becomes its error. UNAVAILABLE where nothing answers.
 */
int client_call(struct client *client, const char *method, const char *path, struct buf *body,
                struct json **answer, struct err *err);

#endif
