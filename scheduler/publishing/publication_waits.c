/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a push from being given out: see publication_waits.h. */
#include "publication_waits.h"

#include <stdio.h>

#include "orphans.h"
#include "scheduler/session.h"

static const char *const names[WAIT_COUNT] = {
    [WAITS_WINDOW] = "window",   [WAITS_OTHERS] = "others", [WAITS_WORKER] = "worker",
    [WAITS_BREAKER] = "breaker", [WAITS_TRIAL] = "trial",   [WAITS_SWEEP] = "sweep",
    [WAITS_PAUSE] = "pause",     [WAITS_TURN] = "turn",
};

/* What is the same for all publications of the title. */
static void read_facts(struct tx *tx, struct waits_facts *facts) {
    struct query query = sql_query(tx, SQL_SESSIONS_PLACES, NULL, 0);
    facts->workers = query_next(&query);
    query_close(&query);
    facts->taking = sql_integer(tx, SQL_SESSIONS_SLOTS, NULL, 0, 0) > 0;
    facts->falls_back = session_knows(tx, "", KNOWS_FALLS_BACK_LINE);
    bool images = sql_integer(tx, SQL_VERSION_FOLDERS_OF_IMAGES, VALUES(TEXT(facts->title)), 0) > 0;
    facts->unknown = images && !session_knows(tx, "", KNOWS_IMAGES_LINE)
                         ? "posters and storyboards as they are now"
                         : NULL;
    facts->known = true;
}

/* Whether there is nobody for it; why goes to `out`. */
static bool lacks_worker(struct tx *tx, struct waits_facts *facts, const struct endpoint *endpoint,
                         struct publication_waits *out) {
    if (!facts->known) {
        read_facts(tx, facts);
    }
    if (facts->taking) {
        bool falls = endpoint->tells_falls_back && !facts->falls_back;
        out->unknown = falls ? "edges that fall back" : facts->unknown;
    }
    if (out->unknown != NULL) {
        snprintf(out->reason, sizeof(out->reason), "no worker that is there knows %s",
                 out->unknown);
    } else if (!facts->taking) {
        snprintf(out->reason, sizeof(out->reason), "%s",
                 facts->workers ? "all workers are drained or stopping" : "no worker is there");
    }
    return !facts->taking || out->unknown != NULL;
}

/* Of an endpoint that is not well. One that time alone has shut is tried at once by what has not
 * failed there (push.c). */
static void tell_breaker(struct tx *tx, const struct publication_row *row,
                         const struct endpoint_row *endpoint, const char *shown_to,
                         struct publication_waits *out) {
    const struct breaker *breaker = &endpoint->breaker;
    bool open = breaker->state == BREAKER_OPEN;
    bool early = breaker->by_time && row->failures == 0 && row->next_at <= tx_now(tx);
    const char *own = row->failures > 0 ? row->error : "";
    out->what = open ? WAITS_BREAKER : WAITS_TRIAL;
    out->since = breaker->opened_at;
    out->until = open && !early ? breaker->retry_at : 0;
    snprintf(out->reason, sizeof(out->reason), "%s", shown_to[0] == '\0' ? endpoint->error : own);
}

void publication_waits_read(struct tx *tx, struct waits_facts *facts,
                            const struct publication_row *row, const struct endpoint_row *endpoint,
                            struct publication_waits *out) {
    *out = (struct publication_waits){.what = WAITS_NOT};
    bool rests = row->stage == STAGE_SETTLED || row->stage == STAGE_RUNNING;
    if (rests || endpoint == NULL || endpoint->file == NULL) {
        return;
    }
    const struct endpoint *file = endpoint->file;
    bool leaves = row->wanted[0] == '\0'; /* which is done at any time of the day */
    if (!leaves && !endpoint_window_open(file, tx_now(tx))) {
        out->what = WAITS_WINDOW;
        out->until = endpoint_window_turns(file, tx_now(tx));
    } else if (row->stage == STAGE_BEHIND) {
        out->what = WAITS_OTHERS;
    } else if (lacks_worker(tx, facts, file, out)) {
        out->what = WAITS_WORKER;
    } else if (endpoint->breaker.state != BREAKER_CLOSED) {
        tell_breaker(tx, row, endpoint, facts->shown_to, out);
    } else if (orphans_hold(tx, facts->farm, file)) {
        out->what = WAITS_SWEEP;
    } else if (endpoint->pause_until > tx_now(tx)) { /* a sweep's worker was lost (orphans.c) */
        out->what = WAITS_SWEEP;
        out->until = endpoint->pause_until;
    } else if (row->next_at > tx_now(tx)) {
        out->what = WAITS_PAUSE;
        out->until = row->next_at;
    } else {
        out->what = WAITS_TURN;
    }
}

void publication_waits_write(const struct publication_waits *waits, struct writer *w) {
    if (waits->what == WAITS_NOT) {
        writer_null(w, "waits");
        return;
    }
    writer_object(w, "waits");
    writer_string(w, "for", names[waits->what]);
    writer_positive(w, "since", waits->since);
    writer_positive(w, "until", waits->until);
    writer_string(w, "reason", waits->reason);
    writer_object_end(w);
}
