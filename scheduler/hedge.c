/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stragglers: see hedge.h. */
#include "hedge.h"

enum {
    STRAGGLERS_MAX = 16, /* listed for one request */
    PROBE_PARTS = 10,    /* a probe may read all of a source, whose length nobody knows yet */
};

int64_t hedge_delay_ms(const struct farm *farm, enum task_kind kind,
                       const struct estimate *estimate) {
    if (farm->hedge_after <= 0 || !kind_is_pure(kind)) {
        return 0;
    }
    int64_t least_ms = farm->hedge_least_ms * (kind == TASK_PROBE ? PROBE_PARTS : 1);
    double ms = 1000 * farm->hedge_after * estimate->wall_s * estimate->spread;
    ms = ms > (double)least_ms ? ms : (double)least_ms;
    return ms < 1 ? 1 : ms < 1e15 ? (int64_t)ms : INT64_C(1000000000000000);
}

void hedge_list(struct tx *tx, const struct hedge_request *request, struct lease_list *out) {
    const struct session_row *session = request->session;
    struct query query =
        sql_query(tx, SQL_LEASES_STRAGGLING,
                  VALUES(INTEGER(tx_now(tx)), TEXT(session->worker), TEXT(session->id)));
    while (out->count < STRAGGLERS_MAX && lease_list_next(out, &query)) {
        bool is_wanted = request->kinds[out->rows[out->count - 1].kind] &&
                         !order_is_full(request->order, query_text(&query, LEASE_ROW_COLUMNS));
        out->count -= is_wanted ? 0 : 1;
    }
    query_close(&query);
}

bool hedge_units(struct tx *tx, const struct lease_row *straggler, struct unit_list *out) {
    lease_units(tx, straggler->fence, out);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        const struct unit_row *unit = &out->rows[i];
        if (unit->state == UNIT_LEASED &&
            sql_integer(tx, SQL_LEASES_LIVE_OF_UNIT, VALUES(INTEGER(unit->id)), 0) == 1) {
            out->rows[kept++] = *unit;
        }
    }
    out->count = kept;
    return kept > 0;
}

bool hedge_any(struct tx *tx) {
    return sql_integer(tx, SQL_LEASES_ANY_STRAGGLER, VALUES(INTEGER(tx_now(tx))), 0) != 0;
}

int64_t hedge_next_at(struct tx *tx) {
    return sql_integer(tx, SQL_LEASES_NEXT_STRAGGLER_AT, VALUES(INTEGER(tx_now(tx))), 0);
}

void hedge_begin(struct tx *tx, const struct lease_row *straggler) {
    sql_put(tx, SQL_LEASES_HEDGED, VALUES(INTEGER(straggler->fence)));
}

bool hedge_goes_on(struct tx *tx, const struct unit_row *unit) {
    return sql_integer(tx, SQL_LEASES_LIVE_OF_UNIT, VALUES(INTEGER(unit->id)), 0) > 0;
}

void hedge_rearm(struct tx *tx, const struct unit_row *unit) {
    sql_put(tx, SQL_LEASES_REARM, VALUES(INTEGER(unit->id), INTEGER(tx_now(tx))));
}
