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

/* What a worker must know to push the title there, and none that is there does. */
static const char *find_unknown(struct tx *tx, const char *title, const struct endpoint *endpoint) {
    if (endpoint->tells_falls_back && !session_knows(tx, "", KNOWS_FALLS_BACK_LINE)) {
        return "edges that fall back";
    }
    return sql_integer(tx, SQL_VERSION_FOLDERS_OF_IMAGES, VALUES(TEXT(title)), 0) > 0 &&
                   !session_knows(tx, "", KNOWS_IMAGES_LINE)
               ? "posters and storyboards as they are now"
               : NULL;
}

/* Whether there is nobody for it; why goes to `out`. */
static bool lacks_worker(struct tx *tx, const struct publication_row *row,
                         const struct endpoint *endpoint, struct publication_waits *out) {
    struct query query = sql_query(tx, SQL_SESSIONS_PLACES, NULL, 0);
    bool is_there = query_next(&query);
    query_close(&query);
    bool takes = sql_integer(tx, SQL_SESSIONS_SLOTS, NULL, 0, 0) > 0;
    out->unknown = takes ? find_unknown(tx, row->title, endpoint) : NULL;
    if (out->unknown != NULL) {
        snprintf(out->reason, sizeof(out->reason), "no worker that is there knows %s",
                 out->unknown);
    } else if (!takes) {
        snprintf(out->reason, sizeof(out->reason), "%s",
                 is_there ? "all workers are drained" : "no worker is there");
    }
    return !takes || out->unknown != NULL;
}

/* Of an endpoint that is not well. */
static void tell_breaker(const struct publication_row *row, const struct endpoint_row *endpoint,
                         const char *shown_to, struct publication_waits *out) {
    bool open = endpoint->breaker.state == BREAKER_OPEN;
    out->what = open ? WAITS_BREAKER : WAITS_TRIAL;
    out->since = endpoint->breaker.opened_at;
    out->until = open ? endpoint->breaker.retry_at : 0;
    snprintf(out->reason, sizeof(out->reason), "%s",
             shown_to[0] == '\0' ? endpoint->error : row->error);
}

void publication_waits_read(struct tx *tx, const struct farm *farm,
                            const struct publication_row *row, const struct endpoint_row *endpoint,
                            const char *shown_to, struct publication_waits *out) {
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
    } else if (lacks_worker(tx, row, file, out)) {
        out->what = WAITS_WORKER;
    } else if (endpoint->breaker.state != BREAKER_CLOSED) {
        tell_breaker(row, endpoint, shown_to, out);
    } else if (orphans_hold(tx, farm, file)) {
        out->what = WAITS_SWEEP;
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
