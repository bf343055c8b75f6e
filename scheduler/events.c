/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The feed: see events.h. */
#include "events.h"

#include <stdio.h>
#include <string.h>

enum {
    EVENTS_KEPT = 200000, /* some 40 MB: the events of about 40 two-hour titles */
    EVENTS_DROP_STEP = 1000,
    EVENTS_PAGE = 500,
};

void event_add(struct tx *tx, const char *title, int64_t unit, const char *thing, const char *event,
               const char *detail) {
    char kind[48];
    snprintf(kind, sizeof(kind), "%s.%s", thing, event);
    int64_t seq = tx_numbers(tx, "event", 1);
    sql_run(tx, SQL_EVENT_ADD,
            VALUES(INTEGER(seq), INTEGER(tx_now(tx)), TEXT(title), INTEGER(unit), TEXT(kind),
                   TEXT(detail)));
    if (seq % EVENTS_DROP_STEP == 0) {
        sql_run(tx, SQL_EVENTS_DROP, VALUES(INTEGER(seq - EVENTS_KEPT)));
    }
    tx_wake(tx, TOPIC_EVENTS);
}

int events_write(struct tx *tx, int64_t after, struct writer *w) {
    int count = 0;
    writer_array(w, "events");
    struct query query =
        sql_query(tx, SQL_EVENTS_AFTER, VALUES(INTEGER(after), INTEGER(EVENTS_PAGE)));
    while (query_next(&query)) {
        const char *detail = query_text(&query, 5);
        writer_object(w, NULL);
        writer_int(w, "seq", query_integer(&query, 0));
        writer_int(w, "at", query_integer(&query, 1));
        writer_string(w, "title", query_text(&query, 2));
        writer_int(w, "unit", query_integer(&query, 3));
        writer_string(w, "kind", query_text(&query, 4));
        if (detail[0] != '\0') {
            writer_raw(w, "detail", detail, strlen(detail));
        }
        writer_object_end(w);
        count++;
    }
    writer_array_end(w);
    return count;
}
