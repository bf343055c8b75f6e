/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes that no title waits for: see probes.h. */
#include "probes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "common/mem.h"
#include "metrics.h"
#include "task_make.h"
#include "titles.h"

enum {
    OPEN_MAX = 64, /* that have not ended */
    OPEN_OF_TENANT_MAX = 4,
    KEPT_MAX = 256,
    DOCUMENTS_MAX = 32 << 20, /* bytes of all */
    ATTEMPTS_MAX = 3,
    UNASKED_MS = 60000,
    KEPT_MS = 3600000,
    PLACE_MARK = '?', /* which no title's name begins with */
};

enum probe_state { PROBE_WAITING, PROBE_RUNNING, PROBE_DONE, PROBE_FAILED };

static const char *const state_names[] = {"waiting", "running", "done", "failed"};

struct probe {
    char id[ID_TEXT];
    char tenant[TENANT_TEXT];
    char *source;
    struct ladder ladder;
    enum probe_state state;
    int attempts;
    int64_t fence; /* of the last */
    int64_t asked_at;
    int64_t ended_at;
    char *error;
    char *pin;
    char *identity;
    int64_t size;
    struct buf document; /* JSON */
};

struct probe_book {
    size_t count;
    struct probe *probes[KEPT_MAX]; /* the oldest first */
};

static void probe_destroy(struct probe *probe) {
    mem_free(probe->source);
    mem_free(probe->error);
    mem_free(probe->pin);
    mem_free(probe->identity);
    buf_finish(&probe->document);
    mem_free(probe);
}

void probe_book_destroy(struct probe_book *book) {
    for (size_t i = 0; book != NULL && i < book->count; i++) {
        probe_destroy(book->probes[i]);
    }
    mem_free(book);
}

static void take_out(struct probe_book *book, size_t at) {
    probe_destroy(book->probes[at]);
    book->count--;
    memmove(&book->probes[at], &book->probes[at + 1], (book->count - at) * sizeof(*book->probes));
}

static bool has_ended(const struct probe *probe) {
    return probe->state == PROBE_DONE || probe->state == PROBE_FAILED;
}

/* ---- leases ---------------------------------------------------------------------- */

bool probe_has_lease(const struct lease_row *lease) {
    return lease->title[0] == PLACE_MARK;
}

static void place_of(const struct probe *probe, char out[WIRE_TITLE_TEXT]) {
    snprintf(out, WIRE_TITLE_TEXT, "%c%s", PLACE_MARK, probe->id);
}

static struct probe *find(const struct farm *farm, const char *id) {
    for (size_t i = 0; farm->probes != NULL && i < farm->probes->count; i++) {
        if (strcmp(farm->probes->probes[i]->id, id) == 0) {
            return farm->probes->probes[i];
        }
    }
    return NULL;
}

/* Whose lease it is; NULL where that probe is gone, or another of its attempts counts. */
static struct probe *find_running(const struct farm *farm, const struct lease_row *lease) {
    struct probe *probe = find(farm, lease->title + 1);
    return probe != NULL && probe->state == PROBE_RUNNING && probe->fence == lease->fence ? probe
                                                                                          : NULL;
}

/* Tells its worker to stop. */
static void stop_lease(struct tx *tx, const struct probe *probe) {
    struct lease_row lease;
    if (lease_find(tx, probe->fence, &lease) && lease.state == LEASE_LIVE) {
        lease_move(tx, lease.fence, LEASE_LIVE, LEASE_STOP);
    }
}

static void end_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                      enum lease_event event) {
    lease_move(tx, lease->fence, lease->state, event);
    farm_progress_drop(farm, lease->fence);
    title_drop_run(tx, lease->title);
    tx_wake(tx, TOPIC_LEASES);
}

/* ---- the book -------------------------------------------------------------------- */

static size_t document_bytes(const struct probe_book *book) {
    size_t sum = 0;
    for (size_t i = 0; i < book->count; i++) {
        sum += book->probes[i]->document.size;
    }
    return sum;
}

static bool is_forgotten(struct tx *tx, const struct probe *probe) {
    return has_ended(probe) ? tx_now(tx) >= probe->ended_at + KEPT_MS
                            : tx_now(tx) >= probe->asked_at + UNASKED_MS;
}

/* Drops what nobody asks for; and, the oldest first, what ended, where too much of it is kept. */
static void tidy(struct tx *tx, struct probe_book *book) {
    size_t bytes = document_bytes(book);
    for (size_t i = 0; i < book->count;) {
        struct probe *probe = book->probes[i];
        bool ended = has_ended(probe);
        bool crowded = book->count == KEPT_MAX || bytes > DOCUMENTS_MAX;
        if (is_forgotten(tx, probe) || (ended && crowded)) {
            if (!ended) {
                stop_lease(tx, probe);
            }
            bytes -= probe->document.size;
            take_out(book, i);
        } else {
            i++;
        }
    }
}

/* One whose transaction failed has no lease, whatever is kept here. */
static void look_at_lease(struct tx *tx, struct probe *probe) {
    struct lease_row lease;
    if (probe->state == PROBE_RUNNING &&
        (!lease_find(tx, probe->fence, &lease) || lease.state != LEASE_LIVE)) {
        probe->state = PROBE_WAITING;
    }
}

static bool is_same(const struct probe *probe, const struct probe_request *request) {
    return !has_ended(probe) && strcmp(probe->source, request->source) == 0 &&
           strcmp(probe->tenant, request->tenant) == 0 &&
           plan_probes_alike(&probe->ladder, request->ladder);
}

static struct probe *add(struct tx *tx, struct probe_book *book,
                         const struct probe_request *request) {
    struct probe *probe = mem_zero(1, sizeof(*probe));
    id_make(probe->id);
    snprintf(probe->tenant, sizeof(probe->tenant), "%s", request->tenant);
    probe->source = mem_string(request->source);
    probe->ladder = *request->ladder;
    book->probes[book->count++] = probe;
    tx_wake(tx, TOPIC_LEASES);
    return probe;
}

void probe_ask(struct tx *tx, struct farm *farm, const struct probe_request *request,
               char id[ID_TEXT]) {
    struct probe *probe = NULL;
    size_t open = 0, of_tenant = 0;
    if (farm->probes == NULL) {
        farm->probes = mem_zero(1, sizeof(*farm->probes));
    }
    struct probe_book *book = farm->probes;
    tidy(tx, book);
    for (size_t i = 0; i < book->count; i++) {
        open += !has_ended(book->probes[i]);
        of_tenant += !has_ended(book->probes[i]) &&
                     strcmp(book->probes[i]->tenant, request->tenant) == 0;
        probe = is_same(book->probes[i], request) ? book->probes[i] : probe;
    }
    if (probe == NULL && (open == OPEN_MAX || of_tenant == OPEN_OF_TENANT_MAX)) {
        err_set(tx_err(tx), ERR_UNAVAILABLE,
                "%zu sources wait to be probed or are being probed; ask again when one of them is",
                of_tenant == OPEN_OF_TENANT_MAX ? of_tenant : open);
        return;
    }
    probe = probe != NULL ? probe : add(tx, book, request);
    probe->asked_at = tx_now(tx);
    memcpy(id, probe->id, sizeof(probe->id));
}

bool probe_write(struct tx *tx, struct farm *farm, const char *id, const char *tenant,
                 struct writer *w) {
    struct probe *probe = find(farm, id);
    if (probe == NULL || is_forgotten(tx, probe) ||
        (tenant[0] != '\0' && strcmp(tenant, probe->tenant) != 0)) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "there is no probe %s; they are forgotten after an hour, and when the scheduler "
                "starts",
                id);
        return false;
    }
    look_at_lease(tx, probe);
    probe->asked_at = tx_now(tx);
    writer_string(w, "probe", probe->id);
    writer_string(w, "state", state_names[probe->state]);
    writer_string(w, "error", probe->error != NULL ? probe->error : "");
    if (probe->state == PROBE_DONE) {
        writer_int(w, "size", probe->size);
        writer_string(w, "pin", probe->pin);
        writer_string(w, "identity", probe->identity);
        writer_raw(w, "document", buf_text(&probe->document), probe->document.size);
    }
    return has_ended(probe);
}

/* ---- giving out ------------------------------------------------------------------ */

bool probes_any_waiting(const struct farm *farm) {
    for (size_t i = 0; farm->probes != NULL && i < farm->probes->count; i++) {
        if (farm->probes->probes[i]->state == PROBE_WAITING) {
            return true;
        }
    }
    return false;
}

static void take_lease(struct tx *tx, struct probe *probe, struct task *task,
                       const struct session_row *session) {
    char place[WIRE_TITLE_TEXT];
    place_of(probe, place);
    probe->state = PROBE_RUNNING;
    probe->attempts++;
    lease_add(tx, task, place, session, NULL);
    probe->fence = task->fence;
}

/* Leases one; false where the worker has no memory for it. One that runs nothing gets it all the
 * same, as in lease.c. */
static bool grant_one(struct tx *tx, struct farm *farm, struct probe *probe,
                      const struct probe_grant *grant, struct writer *w) {
    struct task task = {.attempt = probe->attempts + 1};
    struct task_source source = {.url = probe->source, .size = -1, .pin = "", .identity = ""};
    task_make_probe(&task, farm, &source, &probe->ladder);
    bool fits = task.reserve_bytes <= *grant->memory_left ||
                sql_integer(tx, SQL_SESSION_BUSY, VALUES(TEXT(grant->session->id)), 0) == 0;
    if (fits) {
        snprintf(task.title, sizeof(task.title), "probe-%s", probe->id);
        trace_make(task.trace);
        take_lease(tx, probe, &task, grant->session);
        task_write(&task, w, NULL);
        *grant->memory_left -= task.reserve_bytes;
    }
    task_finish(&task);
    return fits && tx_ok(tx);
}

int probes_grant(struct tx *tx, struct farm *farm, const struct probe_grant *grant,
                 struct writer *w) {
    int granted = 0;
    if (farm->probes == NULL || farm->probes->count == 0) {
        return 0;
    }
    tidy(tx, farm->probes);
    for (size_t i = 0; i < farm->probes->count && granted < grant->slots && tx_ok(tx); i++) {
        struct probe *probe = farm->probes->probes[i];
        look_at_lease(tx, probe);
        if (probe->state == PROBE_WAITING && grant_one(tx, farm, probe, grant, w)) {
            granted++;
        }
    }
    return granted;
}

/* ---- ends ------------------------------------------------------------------------ */

static void end(struct tx *tx, struct probe *probe, enum probe_state state) {
    probe->state = state;
    probe->ended_at = tx_now(tx);
    tx_wake(tx, TOPIC_TITLES);
}

static void keep(struct tx *tx, struct probe *probe, const struct task_report *report) {
    struct writer w = writer_of(&probe->document);
    source_document_write(&report->source, &w, NULL);
    probe->size = report->source_size;
    probe->pin = mem_string(report->pin);
    probe->identity = mem_string(report->identity);
    end(tx, probe, PROBE_DONE);
}

void probe_found(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                 const struct task_report *report) {
    struct probe *probe = find_running(farm, lease);
    if (probe != NULL) {
        keep(tx, probe, report);
        stop_lease(tx, probe);
    }
}

enum answer probe_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                           const struct task_report *report) {
    struct probe *probe = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    if (probe != NULL && !report->has_source) {
        err_set(tx_err(tx), ERR_INVALID, "the report of lease %" PRId64 " has no source document",
                lease->fence);
        return ANSWER_DROPPED;
    }
    if (lease->state != LEASE_ENDED) {
        end_lease(tx, farm, lease, LEASE_COMPLETE);
    }
    if (probe == NULL) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_COMPLETED, TASK_PROBE, 0, 1);
    metric_observe(tx, METRIC_LEASE_SECONDS, TASK_PROBE, (double)(tx_now(tx) - lease->at) / 1000);
    keep(tx, probe, report);
    return ANSWER_ACCEPTED;
}

/* Again, or never: people wait for it. */
static void give_back(struct tx *tx, struct probe *probe, bool may_retry, const char *sentence) {
    if (may_retry && probe->attempts < ATTEMPTS_MAX) {
        probe->state = PROBE_WAITING;
    } else {
        probe->error = mem_string(sentence);
        end(tx, probe, PROBE_FAILED);
    }
}

enum answer probe_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       const struct failure *failure) {
    struct probe *probe = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    if (lease->state == LEASE_ENDED) {
        return ANSWER_CONFLICT;
    }
    end_lease(tx, farm, lease, LEASE_FAIL);
    if (probe == NULL) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_FAILED, (int)failure->class, 0, 1);
    give_back(tx, probe, outcome_may_retry(failure->class), failure->message);
    return ANSWER_ACCEPTED;
}

void probe_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                enum lease_event event) {
    struct probe *probe = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    if (lease->state == LEASE_ENDED) {
        return;
    }
    end_lease(tx, farm, lease, event);
    if (probe != NULL) {
        metric_add(tx, event == LEASE_LOSE ? METRIC_LEASES_LOST : METRIC_LEASES_RETURNED, 0, 0, 1);
        give_back(tx, probe, true, "each worker that probed it was lost");
    }
}
