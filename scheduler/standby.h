/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scheduler answers while another one is active on the store that they share, or
 * while the store is away: /healthz that it lives, all else that it stands by (503). No
 * token is good: only the active one knows which are.
 */
#ifndef SCHEDULER_STANDBY_H
#define SCHEDULER_STANDBY_H

#include "common/err.h"
#include "common/http_server.h"

struct standby;

/* Listens as `server` says, whose handler and authoriser are the standby's own. Errors as
 * http_server_start has them. `*out` is owned. */
int standby_start(struct standby **out, const struct http_server_options *server, struct err *err);

/* Why it stands by from now on: CONFLICT for another scheduler's sake, else the store's. The
 * log has the whole sentence; anybody may call, and hears no more than which of both it is. */
void standby_say(struct standby *standby, const struct err *why);

/* Takes NULL. */
void standby_stop(struct standby *standby);

#endif
