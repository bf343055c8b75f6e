/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about sources that no title has yet. */
#include "call.h"
#include "common/places.h"
#include "scheduler/probes.h"

enum { URL_MAX = 8192 };

void call_ask_probe(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct ladder ladder;
    struct probe_request request = {.source = "", .tenant = call->caller.tenant, .ladder = &ladder};
    char id[ID_TEXT];
    reader_string(&r, "source", &request.source);
    call_check_length(&r, "source", request.source, URL_MAX);
    if (reader_ok(&r)) {
        places_check(call->routes->farm->sources, "source", request.source, tx_err(tx));
    }
    struct reader below = reader_object(&r, "ladder");
    if (tx_ok(tx) && ladder_read(&ladder, &below, tx_err(tx)) == 0) {
        probe_ask(tx, call->routes->farm, &request, id);
    }
    if (tx_ok(tx)) {
        call->status = 201;
        writer_object(&call->writer, NULL);
        probe_write(tx, call->routes->farm, id, "", &call->writer);
        writer_object_end(&call->writer);
    }
}

void call_show_probe(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    bool ended =
        probe_write(tx, call->routes->farm, call->argument, call->caller.tenant, &call->writer);
    writer_object_end(&call->writer);
    if (!ended && tx_ok(tx)) {
        call_wait(call, TOPIC_TITLES, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
}
