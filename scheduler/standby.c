/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scheduler that is not active answers: see standby.h. */
#include "standby.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

struct standby {
    struct http_server *server;
    atomic_bool away; /* the store; else another scheduler has it */
    char logged[sizeof((struct err){0}.message)];
};

static void handle(void *context, struct exchange *exchange) {
    struct standby *standby = context;
    if (strcmp(exchange->path, "/healthz") == 0) {
        struct buf healthy = {0};
        buf_string(&healthy, "{\"status\":\"ok\"}");
        http_answer(exchange, 200, "application/json", &healthy);
        return;
    }
    struct err why = {0};
    err_set(&why, ERR_UNAVAILABLE, "this scheduler stands by: %s",
            standby->away ? "its store can't be reached" : "another one is active");
    http_answer_problem(exchange, 503, &why);
}

int standby_start(struct standby **out, const struct http_server_options *server, struct err *err) {
    struct standby *standby = mem_zero(1, sizeof(*standby));
    struct http_server_options options = *server;
    options.handle = handle;
    options.authorise = NULL; /* a good one would be let send large bodies */
    options.most_body = NULL;
    options.context = standby;
    int failed = http_server_start(&standby->server, &options, err);
    if (failed != 0) {
        mem_free(standby);
        return failed;
    }
    *out = standby;
    return 0;
}

void standby_say(struct standby *standby, const struct err *why) {
    standby->away = why->code != ERR_CONFLICT;
    if (strcmp(standby->logged, why->message) != 0) {
        snprintf(standby->logged, sizeof(standby->logged), "%s", why->message);
        log_info("scheduler stands by", "why=\"%s\"", why->message);
    }
}

void standby_stop(struct standby *standby) {
    if (standby != NULL) {
        http_server_stop(standby->server);
        mem_free(standby);
    }
}
