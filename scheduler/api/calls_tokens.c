/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about tokens and about who calls. */
#include <string.h>

#include "call.h"
#include "common/clock.h"
#include "common/log.h"
#include "scheduler/tokens.h"

enum { NAME_MAX_BYTES = 128 };

static const int64_t expires_max_ms = 10LL * 366 * 24 * 3600 * 1000;

static bool read_request(struct reader *r, struct token_request *request) {
    const char *role = "";
    reader_string(r, "role", &role);
    if (reader_has(r, "name")) {
        reader_string(r, "name", &request->name);
    }
    if (reader_has(r, "tenant")) {
        reader_string(r, "tenant", &request->tenant);
    }
    if (reader_has(r, "expires_in_ms")) {
        reader_int(r, "expires_in_ms", 0, expires_max_ms, &request->expires_in_ms);
    }
    int found = role_from_name(role);
    if (reader_ok(r) && found < 0) {
        reader_fail(r, "role", "must be viewer, submitter, worker or admin, not '%.20s'", role);
    }
    request->role = (enum role)found;
    if (reader_ok(r) && request->tenant[0] != '\0') {
        call_check_word(r, "tenant", request->tenant);
        call_check_length(r, "tenant", request->tenant, TENANT_TEXT - 1);
        if (request->role == ROLE_WORKER || request->role == ROLE_ADMIN) {
            reader_fail(r, "tenant", "is for viewers and submitters; a token of role %s has none",
                        role);
        }
    }
    if (reader_ok(r) && strlen(request->name) > NAME_MAX_BYTES) {
        reader_fail(r, "name", "has more than %d bytes", NAME_MAX_BYTES);
    }
    return reader_ok(r);
}

void call_create_token(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct token_request request = {.name = "", .tenant = ""};
    if (read_request(&r, &request)) {
        call->status = 201;
        writer_object(&call->writer, NULL);
        char id[ID_TEXT];
        token_create(tx, call->routes->auth, &request, id, &call->writer);
        writer_object_end(&call->writer);
        log_info("token created", "token=%s role=%s tenant=\"%s\" by=%s", id,
                 role_name(request.role), request.tenant, call->caller.token);
    }
}

void call_list_tokens(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    tokens_write(tx, &call->writer);
    writer_object_end(&call->writer);
}

void call_revoke_token(struct tx *tx, struct call *call) {
    token_revoke(tx, call->routes->auth, call->argument);
    call->status = 204;
    if (tx_ok(tx)) {
        log_info("token revoked", "token=%s by=%s", call->argument, call->caller.token);
    }
}

void call_show_caller(struct tx *tx, struct call *call) {
    (void)tx;
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "token", call->caller.token);
    writer_string(&call->writer, "role", role_name(call->caller.role));
    writer_string(&call->writer, "tenant", call->caller.tenant);
    writer_int(&call->writer, "now", clock_wall_ms()); /* the store's may be ahead of it */
    writer_object_end(&call->writer);
}
