/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots that lease: see lane.h. */
#include "lane.h"

#include <string.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/log.h"
#include "turns.h"

enum {
    TICK_MS = 100,        /* how often a signal is looked for */
    SHORT_WAIT_MS = 1000, /* for work, while the memory for it may become free */
    NONE_AHEAD_MS = 5000, /* after which one is asked for again where none was given */
};

/* Of which kinds the scheduler of a session knows. */
static unsigned kinds_for(const struct lane *lane, const char *session) {
    return strcmp(lane->retired, session) == 0 ? lane->kinds & ~lane->unknown : lane->kinds;
}

/* How many of the lane's slots are idle, and the memory that their tasks may take; the session to
 * name. While a new session has not heard what runs here, none: it would be given the same again.
 */
static size_t idle_count(struct lane *lane, int64_t *memory, char session[API_SESSION_TEXT]) {
    struct node *node = lane->node;
    size_t all_idle = 0;
    *memory = node->worker.memory_bytes;
    pthread_mutex_lock(&node->shared.lock);
    size_t taken = turns_taken(lane->slots, lane->thread_count);
    for (size_t i = 0; i < lane->thread_count; i++) {
        *memory -= lane->slots[i].task != NULL ? lane->slots[i].task->reserve_bytes : 0;
    }
    for (size_t i = 0; i < node->slot_count; i++) {
        all_idle += node->slots[i].task == NULL;
    }
    memcpy(session, node->session.id, API_SESSION_TEXT);
    bool may_lease = node->has_session && (node->listed || all_idle == node->slot_count) &&
                     kinds_for(lane, node->session.id) != 0;
    pthread_mutex_unlock(&node->shared.lock);
    return may_lease && taken < lane->slot_count ? lane->slot_count - taken : 0;
}

/* Whether what the tasks at work leave is less than these slots' share: none may fit now that
 * does as soon as one of those ends, of which a scheduler that was asked before knows nothing. */
static bool is_short(const struct lane *lane, int64_t memory, size_t idle) {
    int64_t share = lane->node->worker.memory_bytes / (int64_t)lane->slot_count;
    return idle < lane->slot_count && memory < share * (int64_t)idle;
}

static void wait_for_change(struct node *node) {
    pthread_mutex_lock(&node->shared.lock);
    node_wait(node, &node->shared.changed, TICK_MS);
    pthread_mutex_unlock(&node->shared.lock);
}

static void tasks_give(struct lane *lane, struct api_given *given) {
    struct node *node = lane->node;
    pthread_mutex_lock(&node->shared.lock);
    for (size_t i = 0; i < lane->thread_count && given->count > 0; i++) {
        if (lane->slots[i].task == NULL) {
            slot_give(&lane->slots[i], given->tasks[--given->count]);
        }
    }
    pthread_mutex_unlock(&node->shared.lock);
    while (given->count > 0) { /* more than were asked for: they go back with the next heartbeats */
        task_free(given->tasks[--given->count]);
    }
}

/* To as many slots as there are endpoints besides the shared ones, also while all it has are taken;
 * where a thread can't be started that is tried again. Its slots are the node's last. */
static void grow(struct lane *lane) {
    struct node *node = lane->node;
    struct err err = {0};
    pthread_mutex_lock(&node->shared.lock);
    size_t more = node->endpoints < lane->endpoints ? node->endpoints : lane->endpoints;
    while (lane->endpoints > 0 && lane->slot_count < lane->shared + more &&
           slot_start(&lane->slots[lane->slot_count], &node->shared, &err) == 0) {
        lane->thread_count = ++lane->slot_count;
        node->slot_count++;
    }
    pthread_mutex_unlock(&node->shared.lock);
    if (err.code != ERR_NONE && !lane->is_stunted) {
        log_warn("the lane can't grow: endpoints may wait for each other", "lane=%s why=\"%s\"",
                 lane->name, err.message);
    }
    lane->is_stunted = err.code != ERR_NONE;
}

/* An older scheduler does not know the newer kinds: until another session is opened, which may be
 * with a newer one, it is asked for one kind fewer each time, the newest first. */
static void retire(struct lane *lane, const char *session, unsigned asked, const struct err *why) {
    int newest = TASK_KIND_COUNT - 1;
    while ((asked & lane->newer & 1U << newest) == 0) {
        newest--;
    }
    lane->unknown = strcmp(lane->retired, session) == 0 ? lane->unknown : 0;
    lane->unknown |= 1U << newest;
    memcpy(lane->retired, session, API_SESSION_TEXT);
    log_info("the scheduler knows no such tasks; it is asked for none", "kind=%s why=\"%s\"",
             task_kind_name((enum task_kind)newest), why->message);
}

/* The end of which task is foreseen, by its fence; 0: none, or the session may not lease. */
static int64_t foresee_end(struct lane *lane) {
    struct node *node = lane->node;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&node->shared.lock);
    bool may_lease = node->has_session && node->listed && now >= lane->ahead_from_ms;
    int64_t fence = may_lease ? turns_foresee(lane->slots, lane->thread_count, now) : 0;
    pthread_mutex_unlock(&node->shared.lock);
    return fence;
}

/* Where all slots are taken: a task for the next that is free, so that it waits for no round
 * trip. */
static void lease_ahead(struct lane *lane, const char *session, int64_t memory) {
    struct api_given given;
    struct err err = {0};
    int64_t ends = lane->thread_count > lane->slot_count ? foresee_end(lane) : 0;
    if (ends == 0) {
        wait_for_change(lane->node);
        return;
    }
    const struct api_wish wish = {.slots = 1,
                                  .memory_bytes = memory > 0 ? memory : 0,
                                  .kinds = 1U << TASK_VIDEO,
                                  .ahead = true,
                                  .ends = ends};
    /* Where it fails, a free slot asks. */
    api_lease_tasks(lane->api, session, &wish, &given, &err);
    lane->ahead_from_ms = clock_monotonic_ms() + (given.count == 0 ? NONE_AHEAD_MS : 0);
    tasks_give(lane, &given);
}

static void lease(struct lane *lane) {
    static const struct http_retry retry = {.first_ms = 200, .most_ms = API_PAUSE_MS};
    struct node *node = lane->node;
    char session[API_SESSION_TEXT];
    struct api_given given;
    struct err err = {0};
    int64_t memory = 0;
    grow(lane);
    size_t idle = idle_count(lane, &memory, session);
    idle = idle < API_TASKS_MAX ? idle : API_TASKS_MAX;
    if (idle == 0) {
        lease_ahead(lane, session, memory);
        return;
    }
    const struct api_wish wish = {
        .slots = (int)idle,
        .memory_bytes = memory > 0 ? memory : 0,
        .wait_ms = is_short(lane, memory, idle) ? SHORT_WAIT_MS : API_WAIT_MS,
        .kinds = kinds_for(lane, session),
    };
    int failed = api_lease_tasks(lane->api, session, &wish, &given, &err);
    if (failed == 0) {
        lane->failures = 0;
        tasks_give(lane, &given);
    } else if (failed == ERR_INVALID && (wish.kinds & lane->newer) != 0 &&
               !api_refused(lane->api)) {
        retire(lane, session, wish.kinds, &err);
    } else if (failed != ERR_CANCELLED) {
        log_debug("no lease", "lane=%s why=\"%s\"", lane->name, err.message);
        pthread_cond_signal(&node->beat); /* the heart finds out what is wrong */
        clock_sleep_ms(http_retry_pause_ms(&retry, ++lane->failures, 0, NULL), lane->leaving);
    }
}

void *lane_run(void *context) {
    struct lane *lane = context;
    while (!atomic_load(lane->leaving) && !node_is_refused(lane->node)) {
        lease(lane);
    }
    return NULL;
}
