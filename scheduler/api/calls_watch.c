/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls of who watches the scheduler. */
#include "call.h"
#include "common/clock.h"
#include "scheduler/metrics.h"

enum { PROOF_MS = 1000 }; /* everybody may ask: the disk is written to so often at most */

void call_show_document(struct tx *tx, struct call *call) {
    (void)tx;
    buf_string(&call->answer, openapi_document);
}

/* Ready is who can commit a write: the answer goes out when this one is on the disk. */
void call_show_ready(struct tx *tx, struct call *call) {
    int64_t now = clock_monotonic_ms();
    if (now - call->routes->proved_ms >= PROOF_MS) {
        sql_run(tx, SQL_PROOF_PUT, VALUES(INTEGER(tx_now(tx))));
        call->routes->proved_ms = now;
    }
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "status", "ready");
    writer_object_end(&call->writer);
}

void call_show_metrics(struct tx *tx, struct call *call) {
    call->type = EXPOSITION_TYPE;
    metrics_write(tx, call->routes, &call->answer);
}
