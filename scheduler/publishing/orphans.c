/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at edges in vain: see orphans.h. */
#include "orphans.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "endpoint_rows.h"
#include "orphan_names.h"
#include "scheduler/metrics.h"
#include "scheduler/task_make.h"
#include "scheduler/titles.h"

enum {
    ATTEMPTS_MAX = 3,
    UNASKED_MS = 60000, /* after which nobody waits for a listing */
    KEPT_MS = 3600000,
    IDLE_MS = 300000, /* after which a removal that nobody takes is given up: pushes wait for it */
    LOOK_MS = 1000,   /* how soon a removal looks again whether pushes have ended */
    LATE_MS = 30000,  /* what a lost worker may still have on its way */
    PLACE_MARK = '!', /* which no title's name begins with */
};

enum sweep_state { SWEEP_WAITING, SWEEP_RUNNING, SWEEP_DONE, SWEEP_FAILED };

static const char *const state_names[] = {"waiting", "running", "done", "failed"};

struct orphan {
    struct sweep_group group;
    bool known; /* its title, to this farm */
};

struct sweep {
    char endpoint[ENDPOINT_TEXT];
    enum sweep_state state;
    bool removes;
    int attempts;
    int64_t fence;   /* of the last */
    int64_t listing; /* the fence of what found the orphans; 0: it has not ended */
    int64_t asked_at;
    int64_t began_at; /* to wait for a worker */
    int64_t ended_at;
    char *error;
    int64_t objects; /* looked at, and their bytes */
    int64_t bytes;
    int64_t removed_objects;
    int64_t removed_bytes;
    bool more; /* there are more than are kept */
    size_t count;
    size_t capacity;
    struct orphan *orphans;
};

struct orphan_book {
    size_t count;
    struct sweep sweeps[ENDPOINTS_MAX];
};

static void sweep_clear(struct sweep *sweep) {
    mem_free(sweep->error);
    mem_free(sweep->orphans);
    sweep->error = NULL;
    sweep->orphans = NULL;
    sweep->count = sweep->capacity = 0;
    sweep->objects = sweep->bytes = sweep->removed_objects = sweep->removed_bytes = 0;
    sweep->listing = 0;
    sweep->more = false;
}

void orphan_book_destroy(struct orphan_book *book) {
    for (size_t i = 0; book != NULL && i < book->count; i++) {
        sweep_clear(&book->sweeps[i]);
    }
    mem_free(book);
}

static struct sweep *find(const struct farm *farm, const char *endpoint) {
    for (size_t i = 0; farm->orphans != NULL && i < farm->orphans->count; i++) {
        if (strcmp(farm->orphans->sweeps[i].endpoint, endpoint) == 0) {
            return &farm->orphans->sweeps[i];
        }
    }
    return NULL;
}

static bool has_ended(const struct sweep *sweep) {
    return sweep->state == SWEEP_DONE || sweep->state == SWEEP_FAILED;
}

/* ---- leases --------------------------------------------------------------------------------- */

bool orphans_have_lease(const struct lease_row *lease) {
    return lease->title[0] == PLACE_MARK;
}

static void place_of(const char *endpoint, bool removes, char out[WIRE_TITLE_TEXT]) {
    snprintf(out, WIRE_TITLE_TEXT, "%c%s:%s", PLACE_MARK, removes ? "remove" : "list", endpoint);
}

/* Whose lease it is; NULL where that sweep is gone, or another of its attempts counts. */
static struct sweep *find_running(const struct farm *farm, const struct lease_row *lease) {
    const char *name = strchr(lease->title, ':');
    struct sweep *sweep = name == NULL ? NULL : find(farm, name + 1);
    return sweep != NULL && sweep->state == SWEEP_RUNNING && sweep->fence == lease->fence ? sweep
                                                                                          : NULL;
}

static void end_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                      enum lease_event event) {
    lease_move(tx, lease->fence, lease->state, event);
    farm_progress_drop(farm, lease->fence);
    sql_run(tx, SQL_LEASE_DROP, VALUES(INTEGER(lease->fence))); /* of no later one of that name */
    tx_wake(tx, TOPIC_PUSHES);
}

static bool waits_in_vain(struct tx *tx, const struct sweep *sweep) {
    return sweep->removes && sweep->state == SWEEP_WAITING &&
           tx_now(tx) >= sweep->began_at + IDLE_MS;
}

static void give_up(struct tx *tx, struct sweep *sweep, const char *why) {
    mem_free(sweep->error);
    sweep->error = mem_string(why);
    sweep->state = SWEEP_FAILED;
    sweep->ended_at = tx_now(tx);
}

/* Gives up a listing that nobody waits for and a removal that nobody takes, and takes up one whose
 * transaction failed: it has no lease, whatever is kept here. */
static void look_at(struct tx *tx, struct sweep *sweep) {
    struct lease_row lease;
    bool leased = sweep->state == SWEEP_RUNNING && lease_find(tx, sweep->fence, &lease) &&
                  lease.state == LEASE_LIVE;
    if (sweep->state == SWEEP_RUNNING && !leased) {
        sweep->state = SWEEP_WAITING;
    }
    if (!has_ended(sweep) && !sweep->removes && tx_now(tx) >= sweep->asked_at + UNASKED_MS) {
        if (leased) {
            lease_move(tx, lease.fence, LEASE_LIVE, LEASE_STOP);
        }
        give_up(tx, sweep, "nobody asked for it any more");
    } else if (waits_in_vain(tx, sweep)) {
        give_up(tx, sweep,
                "no worker took it for five minutes: one must know of sweeps, and have "
                "pushes to spare");
    }
}

/* ---- what is in vain ------------------------------------------------------------------------ */

static void keep(struct sweep *sweep, const struct sweep_group *group, bool known) {
    if (sweep->count == SWEEP_GROUPS_MAX) {
        sweep->more = true;
        return;
    }
    if (sweep->count == sweep->capacity) {
        sweep->capacity = 2 * sweep->capacity + 16;
        sweep->orphans = mem_resize(sweep->orphans, sweep->capacity, sizeof(*sweep->orphans));
    }
    sweep->orphans[sweep->count++] = (struct orphan){.group = *group, .known = known};
}

/* ---- questions ------------------------------------------------------------------------------ */

/* Whether the endpoint can be asked at all. */
static const struct endpoint *listable(struct tx *tx, const struct farm *farm, const char *name) {
    const struct endpoint *endpoint = endpoint_get(tx, farm, name);
    if (endpoint != NULL && !endpoint->lists) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "endpoint '%s' does not say what it holds: buckets do, and edges of driver dav "
                "with `lists: true`",
                name);
        return NULL;
    }
    return endpoint;
}

static struct sweep *make(struct farm *farm, const char *name) {
    if (farm->orphans == NULL) {
        farm->orphans = mem_zero(1, sizeof(*farm->orphans));
    }
    struct sweep *sweep = &farm->orphans->sweeps[farm->orphans->count++];
    snprintf(sweep->endpoint, sizeof(sweep->endpoint), "%s", name);
    sweep->state = SWEEP_FAILED;
    return sweep;
}

static void begin(struct tx *tx, struct sweep *sweep, bool removes) {
    sweep->removes = removes;
    sweep->attempts = 0;
    sweep->began_at = tx_now(tx);
    sweep->state = SWEEP_WAITING;
    tx_wake(tx, TOPIC_PUSHES);
}

/* Those that go, of what was listed. */
static void begin_removal(struct tx *tx, struct sweep *sweep, bool unknown) {
    size_t kept = 0;
    for (size_t i = 0; i < sweep->count; i++) {
        if (sweep->orphans[i].known || unknown) {
            sweep->orphans[kept++] = sweep->orphans[i];
        }
    }
    sweep->count = kept;
    begin(tx, sweep, true);
}

void orphans_ask(struct tx *tx, struct farm *farm, const char *endpoint,
                 const struct orphans_wish *wish) {
    if (listable(tx, farm, endpoint) == NULL) {
        return;
    }
    struct sweep *sweep = find(farm, endpoint);
    if (sweep != NULL) {
        look_at(tx, sweep);
    }
    bool is_fresh = sweep != NULL && sweep->state == SWEEP_DONE && !sweep->removes &&
                    tx_now(tx) < sweep->ended_at + KEPT_MS;
    if (sweep != NULL && !has_ended(sweep) && (wish->removes || sweep->removes)) {
        err_set(tx_err(tx), ERR_CONFLICT, "endpoint '%s' is being swept; see how that ends first",
                endpoint);
    } else if (wish->removes && !is_fresh) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "endpoint '%s' was not listed within the last hour; nothing is removed that was "
                "not listed before",
                endpoint);
    } else if (wish->removes && wish->listing != 0 && wish->listing != sweep->listing) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "endpoint '%s' was listed anew meanwhile; see what that found first", endpoint);
    } else if (wish->removes) {
        begin_removal(tx, sweep, wish->unknown);
    } else if (sweep == NULL || has_ended(sweep)) {
        sweep = sweep == NULL ? make(farm, endpoint) : sweep;
        sweep_clear(sweep);
        begin(tx, sweep, false);
    }
    if (sweep != NULL) {
        sweep->asked_at = tx_now(tx);
    }
}

static void write_orphans(const struct sweep *sweep, struct writer *w) {
    writer_array(w, "orphans");
    for (size_t i = 0; i < sweep->count; i++) {
        const struct orphan *orphan = &sweep->orphans[i];
        writer_object(w, NULL);
        writer_string(w, "title", orphan->group.title);
        writer_string(w, "path", orphan->group.path);
        writer_int(w, "objects", orphan->group.objects);
        writer_int(w, "bytes", orphan->group.bytes);
        writer_bool(w, "known", orphan->known);
        writer_object_end(w);
    }
    writer_array_end(w);
}

bool orphans_write(struct tx *tx, struct farm *farm, const char *endpoint, struct writer *w) {
    struct sweep *sweep = find(farm, endpoint);
    if (sweep != NULL) {
        look_at(tx, sweep);
    }
    if (endpoint_get(tx, farm, endpoint) == NULL) {
        return true;
    }
    if (sweep == NULL || (has_ended(sweep) && tx_now(tx) >= sweep->ended_at + KEPT_MS)) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "nobody had endpoint '%s' listed within the last hour, or since the scheduler "
                "began",
                endpoint);
        return true;
    }
    const struct progress *progress =
        sweep->state == SWEEP_RUNNING ? farm_progress(farm, sweep->fence) : NULL;
    sweep->asked_at = tx_now(tx);
    writer_string(w, "endpoint", sweep->endpoint);
    writer_string(w, "state", state_names[sweep->state]);
    writer_bool(w, "removes", sweep->removes);
    writer_string(w, "error", sweep->error != NULL ? sweep->error : "");
    writer_int(w, "objects", progress != NULL && !sweep->removes ? progress->done : sweep->objects);
    writer_int(w, "bytes", sweep->bytes);
    writer_int(w, "removed_objects",
               progress != NULL && sweep->removes ? progress->done : sweep->removed_objects);
    writer_int(w, "removed_bytes", sweep->removed_bytes);
    writer_int(w, "listing", sweep->listing);
    writer_bool(w, "more", sweep->more);
    write_orphans(sweep, w);
    return has_ended(sweep);
}

/* ---- giving out ----------------------------------------------------------------------------- */

/* A scheduler that began meanwhile knows of no sweep, but of its lease. */
static bool removal_runs(struct tx *tx, const char *endpoint) {
    char place[WIRE_TITLE_TEXT];
    struct lease_list leases = {0};
    bool runs = false;
    place_of(endpoint, true, place);
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(place));
    for (size_t i = 0; i < leases.count; i++) {
        runs = runs || leases.rows[i].state == LEASE_LIVE;
    }
    lease_list_finish(&leases);
    return runs;
}

bool orphans_hold(struct tx *tx, const struct farm *farm, const struct endpoint *endpoint) {
    bool holds = false;
    for (size_t i = 0; i < farm->endpoints->count && !holds; i++) {
        const struct endpoint *other = &farm->endpoints->list[i];
        if (other->lists && endpoint_same_place(other->push.url, endpoint->push.url)) {
            const struct sweep *sweep = find(farm, other->push.name);
            holds = (sweep != NULL && sweep->removes && !has_ended(sweep) &&
                     !waits_in_vain(tx, sweep)) ||
                    removal_runs(tx, other->push.name);
        }
    }
    return holds;
}

/* Whether a push runs to that place, under whatever name. */
static bool is_pushed_to(struct tx *tx, const struct farm *farm, const struct endpoint *at) {
    struct endpoint_list list = {0};
    bool pushed = false;
    endpoint_list_read(tx, farm, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct endpoint *file = list.rows[i].file;
        pushed = pushed || (list.rows[i].running > 0 &&
                            (file == NULL || endpoint_same_place(file->push.url, at->push.url)));
    }
    endpoint_list_finish(&list);
    return pushed;
}

/* What is an orphan still goes. */
static void fill_groups(struct tx *tx, const struct farm *farm, struct task *task,
                        const struct endpoint *endpoint, const struct sweep *sweep) {
    struct sweep_task *out = &task->sweep;
    size_t count = sweep->removes ? sweep->count : 0;
    const struct sweep_group **groups = mem_zero(count + 1, sizeof(*groups));
    struct orphan_names names;
    for (size_t i = 0; i < count; i++) {
        groups[i] = &sweep->orphans[i].group;
    }
    orphan_names_read(tx, farm, endpoint->push.url, groups, count, &names);
    out->groups = arena_zero(&task->arena, count + 1, sizeof(*out->groups));
    for (size_t i = 0; i < count; i++) {
        if (!orphan_names_have(&names, groups[i])) {
            out->groups[out->group_count++] = *groups[i];
        }
    }
    orphan_names_finish(&names);
    mem_free(groups);
}

static void take_lease(struct tx *tx, struct sweep *sweep, struct task *task,
                       const struct session_row *session) {
    char place[WIRE_TITLE_TEXT];
    place_of(sweep->endpoint, sweep->removes, place);
    sweep->state = SWEEP_RUNNING;
    sweep->attempts++;
    lease_add(tx, task, place, session, NULL);
    sweep->fence = task->fence;
}

static bool grant_one(struct tx *tx, struct farm *farm, struct sweep *sweep,
                      const struct push_request *request, int64_t *memory_left, struct writer *w) {
    const struct endpoint *endpoint = endpoints_find(farm->endpoints, sweep->endpoint);
    struct task task = {.attempt = sweep->attempts + 1};
    task_make_sweep(&task);
    bool fits = task.reserve_bytes <= *memory_left &&
                !(sweep->removes && is_pushed_to(tx, farm, endpoint));
    if (fits) {
        snprintf(task.title, sizeof(task.title), "sweep-%s", sweep->endpoint);
        trace_make(task.trace);
        task.sweep.endpoint = endpoint->push;
        task.sweep.removes = sweep->removes;
        fill_groups(tx, farm, &task, endpoint, sweep);
        if (!sweep->removes) {
            sweep_clear(sweep);
        }
        take_lease(tx, sweep, &task, request->session);
        task_write(&task, w, NULL);
        *memory_left -= task.reserve_bytes;
    }
    task_finish(&task);
    return fits && tx_ok(tx);
}

int orphans_grant(struct tx *tx, struct farm *farm, const struct push_request *request,
                  int64_t *memory_left, struct writer *w) {
    int granted = 0;
    for (size_t i = 0; farm->orphans != NULL && i < farm->orphans->count && tx_ok(tx); i++) {
        struct sweep *sweep = &farm->orphans->sweeps[i];
        look_at(tx, sweep);
        if (sweep->state == SWEEP_WAITING && granted < request->slots &&
            grant_one(tx, farm, sweep, request, memory_left, w)) {
            granted++;
        }
    }
    return granted;
}

int64_t orphans_next_at(struct tx *tx, const struct farm *farm) {
    for (size_t i = 0; farm->orphans != NULL && i < farm->orphans->count; i++) {
        if (farm->orphans->sweeps[i].state == SWEEP_WAITING) {
            return tx_now(tx) + LOOK_MS;
        }
    }
    return 0;
}

/* ---- ends ----------------------------------------------------------------------------------- */

void orphans_found(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                   const struct sweep_page *page) {
    struct sweep *sweep = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    const struct endpoint *endpoint = sweep == NULL ? NULL
                                                    : endpoint_get(tx, farm, sweep->endpoint);
    if (endpoint == NULL || sweep->removes) {
        err_set(tx_err(tx), ERR_CONFLICT, "nobody waits for what lease %" PRId64 " found",
                lease->fence);
        return;
    }
    const struct sweep_group **groups = mem_zero(page->group_count + 1, sizeof(*groups));
    struct orphan_names names;
    for (size_t i = 0; i < page->group_count; i++) {
        groups[i] = &page->groups[i];
    }
    orphan_names_read(tx, farm, endpoint->push.url, groups, page->group_count, &names);
    for (size_t i = 0; i < page->group_count && tx_ok(tx); i++) {
        if (!orphan_names_have(&names, groups[i])) {
            keep(sweep, groups[i], orphan_names_know(&names, groups[i]->title));
        }
    }
    orphan_names_finish(&names);
    mem_free(groups);
}

static void end(struct tx *tx, struct sweep *sweep, enum sweep_state state, const char *error) {
    mem_free(sweep->error);
    sweep->error = error != NULL ? mem_string(error) : NULL;
    sweep->state = state;
    sweep->ended_at = tx_now(tx);
    tx_wake(tx, TOPIC_TITLES);
}

/* A listing without anything, of an edge to which titles were brought, is of another folder than
 * theirs, or of a disk that is not mounted. */
static void end_listing(struct tx *tx, struct sweep *sweep) {
    int64_t held = sweep->objects > 0
                       ? 0
                       : sql_integer(tx, SQL_PUBLICATIONS_HELD, VALUES(TEXT(sweep->endpoint)), 0);
    if (held == 0) {
        end(tx, sweep, SWEEP_DONE, NULL);
        return;
    }
    char *error = mem_format("endpoint '%s' lists nothing at all, and %" PRId64
                             " %s brought there; see its `url` and its disk",
                             sweep->endpoint, held, held == 1 ? "title was" : "titles were");
    end(tx, sweep, SWEEP_FAILED, error);
    mem_free(error);
}

enum answer orphans_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                             const struct task_report *report) {
    struct sweep *sweep = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    if (lease->state != LEASE_ENDED) {
        end_lease(tx, farm, lease, LEASE_COMPLETE);
    }
    if (sweep == NULL) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_COMPLETED, TASK_SWEEP, 0, 1);
    metric_observe(tx, METRIC_LEASE_SECONDS, TASK_SWEEP, (double)(tx_now(tx) - lease->at) / 1000);
    *(sweep->removes ? &sweep->removed_objects : &sweep->objects) = report->push.objects;
    *(sweep->removes ? &sweep->removed_bytes : &sweep->bytes) = report->push.bytes;
    if (sweep->removes) {
        end(tx, sweep, SWEEP_DONE, NULL);
    } else {
        sweep->listing = sweep->fence;
        end_listing(tx, sweep);
    }
    return ANSWER_ACCEPTED;
}

enum answer orphans_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                         const struct failure *failure) {
    struct sweep *sweep = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    if (lease->state == LEASE_ENDED) {
        return ANSWER_CONFLICT;
    }
    end_lease(tx, farm, lease, LEASE_FAIL);
    if (sweep == NULL) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_FAILED, (int)failure->class, 0, 1);
    end(tx, sweep, SWEEP_FAILED, failure->message); /* people wait for it, and may ask again */
    return ANSWER_ACCEPTED;
}

/* What a lost worker sent may still arrive: pushes wait for that. */
static void pause_pushes(struct tx *tx, const struct farm *farm, const char *name) {
    const struct endpoint *at = endpoints_find(farm->endpoints, name);
    for (size_t i = 0; at != NULL && i < farm->endpoints->count; i++) {
        const struct endpoint *other = &farm->endpoints->list[i];
        if (endpoint_same_place(other->push.url, at->push.url)) {
            sql_run(tx, SQL_ENDPOINT_SET_PAUSE,
                    VALUES(TEXT(other->push.name), INTEGER(tx_now(tx) + LATE_MS)));
        }
    }
}

void orphans_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  enum lease_event event) {
    struct sweep *sweep = lease->state == LEASE_LIVE ? find_running(farm, lease) : NULL;
    const char *name = strchr(lease->title, ':');
    bool removes = strncmp(lease->title + 1, "remove:", strlen("remove:")) == 0;
    if (lease->state == LEASE_ENDED) {
        return;
    }
    end_lease(tx, farm, lease, event);
    if (event == LEASE_LOSE && removes && name != NULL && farm->endpoints != NULL) {
        pause_pushes(tx, farm, name + 1);
    }
    if (sweep == NULL) {
        return;
    }
    metric_add(tx, event == LEASE_LOSE ? METRIC_LEASES_LOST : METRIC_LEASES_RETURNED, 0, 0, 1);
    if (sweep->removes || sweep->attempts == ATTEMPTS_MAX) {
        end(tx, sweep, SWEEP_FAILED,
            sweep->removes ? "its worker was lost or left; have the edge listed again to see "
                             "what it took away"
                           : "each worker that listed it was lost");
    } else {
        sweep->state = SWEEP_WAITING;
    }
}
