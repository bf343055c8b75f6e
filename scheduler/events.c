/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The feed: see events.h. */
#include "events.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "rows.h"
#include "scheduler/publishing/hooks.h"

enum {
    EVENTS_KEPT = 200000, /* some 40 MB: the events of about 40 two-hour titles */
    EVENTS_DROP_STEP = 1000,
    EVENTS_PAGE = 500,
    EVENTS_LOOK = 10000, /* looked at for a page of one title or tenant: some 5 ms */
};

/* What becomes of titles is told the operator, and what goes wrong with units; what goes well
 * is a worker's line in its own log. */
static bool is_logged(const char *kind) {
    static const char *const troubles[] = {"unit.retry", "unit.return", "unit.redo", "unit.fail"};
    bool is = strncmp(kind, "title.", 6) == 0;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        is = is || strcmp(kind, troubles[i]) == 0;
    }
    return is && log_wants(LOG_INFO);
}

static void log_event(struct tx *tx, const char *kind, const char *trace, const char *title,
                      int64_t unit, const char *detail) {
    struct buf pairs = {0};
    buf_format(&pairs, "trace=%s title=%s", trace, title);
    if (unit > 0) {
        buf_format(&pairs, " unit=%lld", (long long)unit);
    }
    if (detail[0] != '\0') {
        buf_string(&pairs, " detail=\"");
        for (; *detail != '\0'; detail++) {
            buf_format(&pairs, *detail == '"' || *detail == '\\' ? "\\%c" : "%c", *detail);
        }
        buf_string(&pairs, "\"");
    }
    tx_log(tx, kind, buf_text(&pairs));
    buf_finish(&pairs);
}

void event_add(struct tx *tx, const char *title, int64_t unit, const char *thing, const char *event,
               const char *detail) {
    char kind[48];
    snprintf(kind, sizeof(kind), "%s.%s", thing, event);
    char trace[TRACE_TEXT];
    title_trace(tx, title, trace);
    int64_t seq = tx_numbers(tx, "event", 1);
    sql_put(tx, SQL_EVENT_ADD,
            VALUES(INTEGER(seq), INTEGER(tx_now(tx)), TEXT(title), INTEGER(unit), TEXT(kind),
                   TEXT(detail), TEXT(trace)));
    if (unit == 0) {
        hooks_event(tx, seq, title, kind, trace, detail);
    }
    if (is_logged(kind)) {
        log_event(tx, kind, trace, title, unit, detail);
    }
    if (seq % EVENTS_DROP_STEP == 0) {
        sql_put(tx, SQL_EVENTS_DROP, VALUES(INTEGER(seq - EVENTS_KEPT)));
        sql_put(tx, SQL_TITLES_GONE_DROP, VALUES(INTEGER(seq - EVENTS_KEPT)));
    }
    tx_wake(tx, TOPIC_EVENTS);
}

/* Opens the query of a page and sets where the next one begins. */
static struct query open_page(struct tx *tx, struct event_page *page) {
    int64_t first = 0, last = 0;
    struct query bounds = sql_query(tx, SQL_EVENTS_BOUNDS, NULL, 0);
    if (query_next(&bounds)) {
        first = query_integer(&bounds, 0);
        last = query_integer(&bounds, 1);
    }
    query_close(&bounds);
    int64_t after = page->after < first - 1 ? first - 1 : page->after;
    after = after > last ? last : after; /* heard before an older copy of the store was put back */
    bool is_all = page->title[0] == '\0' && page->tenant[0] == '\0';
    int64_t look = is_all ? EVENTS_PAGE : EVENTS_LOOK;
    page->count = 0;
    page->next = after < last - look ? after + look : last;
    page->next = page->next > after ? page->next : after;
    page->more = page->next < last;
    return sql_query(tx, SQL_EVENTS_BETWEEN,
                     VALUES(INTEGER(after), INTEGER(page->next), TEXT(page->title),
                            INTEGER(EVENTS_PAGE), TEXT(page->tenant)));
}

/* Writes the query's row, which may be the last that the page takes. */
static void write_event(struct query *query, struct event_page *page, struct writer *w) {
    const char *detail = query_text(query, 5);
    int64_t seq = query_integer(query, 0);
    writer_object(w, NULL);
    writer_int(w, "seq", seq);
    writer_int(w, "at", query_integer(query, 1));
    writer_string(w, "title", query_text(query, 2));
    writer_int(w, "unit", query_integer(query, 3));
    writer_string(w, "kind", query_text(query, 4));
    writer_string(w, "trace", query_text(query, 6));
    if (detail[0] != '\0') {
        writer_raw(w, "detail", detail, strlen(detail));
    }
    writer_object_end(w);
    page->count++;
    if (page->count == EVENTS_PAGE) {
        page->more = page->more || seq < page->next;
        page->next = seq;
    }
}

void events_write(struct tx *tx, struct event_page *page, struct writer *w) {
    struct query query = open_page(tx, page);
    writer_array(w, "events");
    while (query_next(&query)) {
        write_event(&query, page, w);
    }
    writer_array_end(w);
}

void events_stream(struct tx *tx, struct event_page *page, struct buf *out) {
    struct query query = open_page(tx, page);
    while (query_next(&query)) {
        struct writer w = writer_of(out);
        buf_format(out, "id: %lld\ndata: ", (long long)query_integer(&query, 0));
        write_event(&query, page, &w);
        buf_string(out, "\n\n");
    }
}
