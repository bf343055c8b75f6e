/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all API calls share: see call.h. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "scheduler/rows.h"

struct reader call_body(struct tx *tx, struct call *call) {
    return reader_of(call->body, "the request", tx_err(tx));
}

int64_t call_number(struct call *call, const char *name, int64_t otherwise, int64_t most) {
    const char *text = exchange_query(call->exchange, name);
    if (text == NULL) {
        return otherwise;
    }
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < 0) {
        return otherwise;
    }
    return value < most ? value : most;
}

int64_t call_fence(struct call *call) {
    return strtoll(call->argument, NULL, 10);
}

void call_check_title(struct tx *tx, struct call *call) {
    const char *tenant = call->caller.tenant;
    if (tenant[0] != '\0' &&
        sql_integer(tx, SQL_TITLE_IS_OF, VALUES(TEXT(call->argument), TEXT(tenant)), 0) == 0) {
        title_not_found(tx, call->argument);
    }
}

void call_wait(struct call *call, unsigned topics, int64_t wait_ms, int64_t retry_in_ms) {
    int64_t now = clock_monotonic_ms();
    if (call->deadline_ms == 0) {
        call->deadline_ms = now + wait_ms;
    }
    call->retry_ms = retry_in_ms > 0 ? now + retry_in_ms : 0;
    call->topics = topics;
}

void call_check_word(struct reader *r, const char *name, const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    if (reader_ok(r) && (text[0] == '\0' || strspn(text, allowed) != strlen(text))) {
        reader_fail(r, name, "must be letters, digits, '.', '_' and '-'");
    }
}

void call_check_length(struct reader *r, const char *name, const char *text, size_t most) {
    if (reader_ok(r) && (text[0] == '\0' || strlen(text) > most)) {
        reader_fail(r, name, "must have 1 to %zu bytes", most);
    }
}
