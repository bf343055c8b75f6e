/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encode node: see daemon.h. */
#include "daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/http.h"
#include "common/log.h"
#include "common/mem.h"
#include "edge_share.h"
#include "slot.h"

enum {
    TOKEN_BYTES = 4096,
    TICK_MS = 100,          /* how often a signal is looked for */
    HEART_NICE = -5,        /* where we may: a heartbeat must not starve */
    ANSWER_PARTS = 3,       /* of a lease time a heartbeat's answer may take one */
    SHORT_WAIT_MS = 1000,   /* for work, while the memory for it may become free */
    AHEAD = 1,              /* tasks that wait for the end of another */
    AHEAD_MS = 1000,        /* which is about so near then */
    NONE_AHEAD_MS = 5000,   /* after which one is asked for again where none was given */
    WARN_MS = 60000,        /* a scheduler that is away is told of once a minute */
    PUSH_BYTES = 24 << 20,  /* of objects on their way to edges, of all pushes together */
    SHARE_BYTES = 32 << 20, /* that with what of the output is kept for pushes to come for */
    MALLOC_ARENAS = 2,      /* each keeps what it once had */
    MALLOC_LARGE = 1 << 18, /* what is larger goes back to the system when it is freed */
    EXIT_FAILED = 1,
    EXIT_REFUSED = 4,
    EXIT_INTERRUPTED = 130,
};

/* Slots that lease tasks of their own kinds. Each has a thread that asks for them: pushes never
 * wait for encoders, nor encoders for pushes. */
struct lane {
    struct daemon *daemon;
    const char *name;
    unsigned kinds;     /* of bits 1 << enum task_kind */
    unsigned newer;     /* those of them that an older scheduler does not know */
    struct slot *slots; /* of the daemon's */
    size_t slot_count;
    size_t thread_count; /* of slots, those for tasks ahead with them */
    struct slot_turns turns;
    int64_t ahead_from_ms; /* no task is asked for ahead before then */
    struct api *api;
    int failures;                   /* of leasing, one after another */
    char retired[API_SESSION_TEXT]; /* the session whose scheduler does not know the newer ones */
};

struct daemon {
    const struct daemon_options *options;
    struct api_worker worker;
    char name[128];
    char host[64];
    char *token;
    struct slot_shared shared; /* its lock guards what follows too */
    struct slot *slots;        /* of both lanes */
    size_t slot_count;
    struct lane encoding;
    struct lane pushing;
    pthread_t pusher;
    bool has_pusher;
    struct api_session session;
    bool has_session;
    bool refused; /* by the scheduler, for good */
    pthread_t heart;
    pthread_cond_t beat; /* the heart is to look at once, or to end */
    bool has_heart;
    bool heart_ends;
    atomic_bool heart_cancel; /* ends its calls */
    int64_t heard_ms;         /* when the latest heartbeat was sent that the scheduler answered */
    int unheard;              /* heartbeats since */
    bool listed;              /* the session knows what runs here */
    bool is_drained;          /* as the scheduler last said */
    int64_t warned_ms;        /* when the log was last told that it is away */
};

/* Set by signals. */
static atomic_bool leaving;  /* no new lease */
static atomic_bool stopping; /* at once */

static void on_signal(int number) {
    if (number == SIGINT || atomic_load(&leaving)) {
        atomic_store(&stopping, true);
    }
    atomic_store(&leaving, true);
}

/* ---- The heart ------------------------------------------------------------------------ */

static void warn_away(struct daemon *d, const struct err *why) {
    int64_t now = clock_monotonic_ms();
    if (d->warned_ms == 0 || now - d->warned_ms > WARN_MS) {
        log_warn("the scheduler can't be reached; trying on", "why=\"%s\"", why->message);
        d->warned_ms = now;
    }
}

/* Under the lock. */
static void wait_on(struct daemon *d, pthread_cond_t *condition, int64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(condition, &d->shared.lock, &until);
}

static void sleep_beat(struct daemon *d, int64_t ms) {
    pthread_mutex_lock(&d->shared.lock);
    if (!d->heart_ends) {
        wait_on(d, &d->beat, ms);
    }
    pthread_mutex_unlock(&d->shared.lock);
}

static bool heart_goes_on(struct daemon *d) {
    pthread_mutex_lock(&d->shared.lock);
    bool on = !d->heart_ends && !d->refused;
    pthread_mutex_unlock(&d->shared.lock);
    return on;
}

/* For good: the main loop ends. */
static void refuse(struct daemon *d, const struct err *why) {
    pthread_mutex_lock(&d->shared.lock);
    d->refused = true;
    pthread_cond_broadcast(&d->shared.changed);
    pthread_mutex_unlock(&d->shared.lock);
    log_error("the scheduler refuses this worker", "why=\"%s\"", why->message);
}

/* `sent_ms`: when it was asked for. */
static void session_take(struct daemon *d, const struct api_session *session, int64_t sent_ms) {
    pthread_mutex_lock(&d->shared.lock);
    d->session = *session;
    d->has_session = true;
    d->listed = false;
    pthread_cond_broadcast(&d->shared.changed);
    pthread_mutex_unlock(&d->shared.lock);
    d->heard_ms = sent_ms;
    d->warned_ms = 0;
    d->unheard = 0;
    atomic_store(&d->shared.ttl_ms, session->ttl_ms);
    atomic_store(&d->shared.lease_until_ms, sent_ms + session->ttl_ms);
    log_info("session", "session=%s", session->id);
}

static void session_open(struct daemon *d, struct api *api, int *failures) {
    static const struct http_retry retry = {.first_ms = 200, .most_ms = API_PAUSE_MS};
    struct err err = {0};
    struct api_session session;
    int64_t sent_ms = clock_monotonic_ms();
    int failed = api_session_open(api, &d->worker, &session, &err);
    if (failed == 0) {
        *failures = 0;
        session_take(d, &session, sent_ms);
    } else if (!api_is_final(api, failed)) {
        warn_away(d, &err);
        sleep_beat(d, http_retry_pause_ms(&retry, ++*failures, 0, NULL));
    } else if (failed != ERR_CANCELLED) {
        refuse(d, &err);
    }
}

/* Tasks that are not pure end with their lease: another worker may have it by now. */
static void stop_impure(struct daemon *d) {
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < d->slot_count; i++) {
        struct task *task = d->slots[i].task;
        if (task != NULL && !task_is_pure(task->kind)) {
            atomic_store(&d->slots[i].cancel, true);
        }
    }
    pthread_mutex_unlock(&d->shared.lock);
}

static void session_lost(struct daemon *d) {
    pthread_mutex_lock(&d->shared.lock);
    d->has_session = false;
    pthread_mutex_unlock(&d->shared.lock);
    stop_impure(d);
    log_warn("the session is gone; opening another", "");
}

static size_t beats_collect(struct daemon *d, struct api_beat *beats) {
    size_t count = 0;
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < d->slot_count; i++) {
        struct slot *slot = &d->slots[i];
        if (slot->task != NULL) {
            beats[count++] = (struct api_beat){slot->task->fence, atomic_load(&slot->progress.done),
                                               atomic_load(&slot->progress.total)};
        }
    }
    pthread_mutex_unlock(&d->shared.lock);
    return count;
}

static void orders_follow(struct daemon *d, const struct api_orders *orders) {
    pthread_mutex_lock(&d->shared.lock);
    d->listed = true;
    pthread_cond_broadcast(&d->shared.changed);
    for (size_t i = 0; i < d->slot_count; i++) {
        for (size_t k = 0; k < orders->stop_count && d->slots[i].task != NULL; k++) {
            if (d->slots[i].task->fence == orders->stop[k]) {
                atomic_store(&d->slots[i].cancel, true);
            }
        }
    }
    pthread_mutex_unlock(&d->shared.lock);
    if (orders->drain != d->is_drained) { /* it is the scheduler that gives nothing then */
        d->is_drained = orders->drain;
        log_info(orders->drain ? "drained: takes nothing new until that is undone"
                               : "takes work again",
                 "worker=%s", d->name);
    }
}

/* What is left of the lease time, of which our clock alone is sure. */
static int64_t time_left(const struct daemon *d) {
    int64_t left = d->heard_ms + d->session.ttl_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

/* After a heartbeat that got no answer: the next comes sooner than after one that did, since one
 * connection that died may not cost the session. */
static void sleep_unheard(struct daemon *d) {
    const struct http_retry retry = {.first_ms = 200, .most_ms = d->session.heartbeat_ms};
    int64_t pause = http_retry_pause_ms(&retry, ++d->unheard, 0, NULL);
    int64_t left = time_left(d);
    if (left == 0) {
        stop_impure(d);
    }
    sleep_beat(d, left > 0 && left < pause ? left : pause);
}

static void heart_beat(struct daemon *d, struct api *api, struct api_beat *beats) {
    struct api_orders orders = {0};
    struct err err = {0};
    size_t count = beats_collect(d, beats);
    int64_t sent_ms = clock_monotonic_ms();
    int64_t limit = d->session.ttl_ms / ANSWER_PARTS;
    int64_t left = time_left(d);
    int failed = api_heartbeat(api, d->session.id, beats, count,
                               left > 0 && left < limit ? left : limit, &orders, &err);
    if (failed == 0) {
        d->heard_ms = sent_ms;
        atomic_store(&d->shared.lease_until_ms, sent_ms + d->session.ttl_ms);
        d->unheard = 0;
        d->warned_ms = 0;
        orders_follow(d, &orders);
        sleep_beat(d, d->session.heartbeat_ms);
    } else if (failed == ERR_NOT_FOUND) {
        session_lost(d);
    } else if (api_refused(api)) {
        refuse(d, &err);
    } else {
        warn_away(d, &err);
        sleep_unheard(d);
    }
}

static void *heart_run(void *context) {
    struct daemon *d = context;
    struct err err = {0};
    struct api *api = NULL;
    int failures = 0;
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), HEART_NICE);
    if (api_create(&api, &d->shared.access, &d->heart_cancel, &err) != 0) {
        log_error("no heartbeat is possible", "why=\"%s\"", err.message);
        return NULL;
    }
    struct api_beat *beats = mem_zero(d->slot_count, sizeof(*beats));
    while (heart_goes_on(d)) {
        if (d->has_session) { /* only this thread changes it */
            heart_beat(d, api, beats);
        } else {
            session_open(d, api, &failures);
        }
    }
    mem_free(beats);
    api_destroy(api);
    return NULL;
}

/* ---- Leasing ---------------------------------------------------------------------------- */

/* Of which kinds the scheduler of a session knows. */
static unsigned kinds_for(const struct lane *lane, const char *session) {
    return strcmp(lane->retired, session) == 0 ? lane->kinds & ~lane->newer : lane->kinds;
}

/* How many of the lane's slots a slot's task takes, as the scheduler counts: see lease.h there. */
static size_t slots_taken(const struct lane *lane, const struct slot *slot) {
    size_t threads = slot->task == NULL ? 0 : (size_t)child_spec_threads(&slot->task->spec);
    return threads < lane->slot_count ? threads : lane->slot_count;
}

/* How many of the lane's slots are idle, and the memory that their tasks may take; the session to
 * name. While a new session has not heard what runs here, none: it would be given the same again.
 */
static size_t idle_count(struct lane *lane, int64_t *memory, char session[API_SESSION_TEXT]) {
    struct daemon *d = lane->daemon;
    size_t taken = 0;
    size_t all_idle = 0;
    *memory = d->worker.memory_bytes;
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < lane->thread_count; i++) {
        taken += slots_taken(lane, &lane->slots[i]);
        *memory -= lane->slots[i].task != NULL ? lane->slots[i].task->reserve_bytes : 0;
    }
    for (size_t i = 0; i < d->slot_count; i++) {
        all_idle += d->slots[i].task == NULL;
    }
    memcpy(session, d->session.id, API_SESSION_TEXT);
    bool may_lease = d->has_session && (d->listed || all_idle == d->slot_count) &&
                     kinds_for(lane, d->session.id) != 0;
    pthread_mutex_unlock(&d->shared.lock);
    return may_lease && taken < lane->slot_count ? lane->slot_count - taken : 0;
}

/* Whether what the tasks at work leave is less than these slots' share: none may fit now that
 * does as soon as one of those ends, of which a scheduler that was asked before knows nothing. */
static bool is_short(const struct lane *lane, int64_t memory, size_t idle) {
    int64_t share = lane->daemon->worker.memory_bytes / (int64_t)lane->slot_count;
    return idle < lane->slot_count && memory < share * (int64_t)idle;
}

static void wait_for_change(struct daemon *d) {
    pthread_mutex_lock(&d->shared.lock);
    wait_on(d, &d->shared.changed, TICK_MS);
    pthread_mutex_unlock(&d->shared.lock);
}

static void tasks_give(struct lane *lane, struct task **tasks, size_t count) {
    struct daemon *d = lane->daemon;
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < lane->thread_count && count > 0; i++) {
        if (lane->slots[i].task == NULL) {
            slot_give(&lane->slots[i], tasks[--count]);
        }
    }
    pthread_mutex_unlock(&d->shared.lock);
    while (count > 0) { /* more than were asked for: they go back with the next heartbeats */
        task_free(tasks[--count]);
    }
}

/* An older scheduler does not know of pushes, nor of early playlists: until another session is
 * opened, which may be with a newer one, it is not asked for any. */
static void retire(struct lane *lane, const char *session, const struct err *why) {
    memcpy(lane->retired, session, API_SESSION_TEXT);
    log_info("the scheduler knows no such tasks; it is asked for none", "lane=%s why=\"%s\"",
             lane->name, why->message);
}

/* Whether a slot's task is about to end, by how far it is. */
static bool ends_soon(const struct slot *slot, int64_t now) {
    double done = (double)atomic_load(&slot->progress.done);
    double left = (double)atomic_load(&slot->progress.total) - done;
    return slot->task != NULL && slot->task->kind == TASK_VIDEO && slot->began_ms > 0 && done > 0 &&
           (double)(now - slot->began_ms) * left < AHEAD_MS * done;
}

/* Whether to ask for a task before a slot is free: where all are taken, and one of them not for
 * long, for each once. */
static bool foresee_end(struct lane *lane) {
    struct daemon *d = lane->daemon;
    int64_t now = clock_monotonic_ms();
    bool found = false;
    size_t busy = 0;
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < lane->thread_count; i++) {
        busy += lane->slots[i].task != NULL;
    }
    bool may_lease = d->has_session && d->listed && now >= lane->ahead_from_ms;
    for (size_t i = 0; may_lease && busy == lane->slot_count && i < lane->thread_count; i++) {
        struct slot *slot = &lane->slots[i];
        if (lane->thread_count > busy && !found && !slot->foreseen && ends_soon(slot, now)) {
            found = slot->foreseen = true;
        }
    }
    pthread_mutex_unlock(&d->shared.lock);
    return found;
}

/* Where all slots are taken: a task for the next that is free, so that it waits for no round
 * trip. */
static void lease_ahead(struct lane *lane, const char *session, int64_t memory) {
    struct task *tasks[API_TASKS_MAX];
    struct err err = {0};
    size_t count = 0;
    if (!foresee_end(lane)) {
        wait_for_change(lane->daemon);
        return;
    }
    const struct api_wish wish = {.slots = 1,
                                  .memory_bytes = memory > 0 ? memory : 0,
                                  .kinds = 1U << TASK_VIDEO,
                                  .ahead = true};
    api_lease(lane->api, session, &wish, tasks, &count,
              &err); /* where it fails, a free slot asks */
    tasks_give(lane, tasks, count);
    lane->ahead_from_ms = clock_monotonic_ms() + (count == 0 ? NONE_AHEAD_MS : 0);
}

static void lease(struct lane *lane) {
    static const struct http_retry retry = {.first_ms = 200, .most_ms = API_PAUSE_MS};
    struct daemon *d = lane->daemon;
    char session[API_SESSION_TEXT];
    struct task *tasks[API_TASKS_MAX];
    struct err err = {0};
    int64_t memory = 0;
    size_t count = 0;
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
    int failed = api_lease(lane->api, session, &wish, tasks, &count, &err);
    if (failed == 0) {
        lane->failures = 0;
        tasks_give(lane, tasks, count);
    } else if (failed == ERR_INVALID && (wish.kinds & lane->newer) != 0 &&
               !api_refused(lane->api)) {
        retire(lane, session, &err);
    } else if (failed != ERR_CANCELLED) {
        log_debug("no lease", "lane=%s why=\"%s\"", lane->name, err.message);
        pthread_cond_signal(&d->beat); /* the heart finds out what is wrong */
        clock_sleep_ms(http_retry_pause_ms(&retry, ++lane->failures, 0, NULL), &leaving);
    }
}

static bool is_refused(struct daemon *d) {
    pthread_mutex_lock(&d->shared.lock);
    bool refused = d->refused;
    pthread_mutex_unlock(&d->shared.lock);
    return refused;
}

static void *lane_run(void *context) {
    struct lane *lane = context;
    while (!atomic_load(&leaving) && !is_refused(lane->daemon)) {
        lease(lane);
    }
    return NULL;
}

static bool is_busy(struct daemon *d) {
    bool busy = false;
    pthread_mutex_lock(&d->shared.lock);
    for (size_t i = 0; i < d->slot_count; i++) {
        busy = busy || d->slots[i].task != NULL;
    }
    pthread_mutex_unlock(&d->shared.lock);
    return busy;
}

/* ---- Beginning and end --------------------------------------------------------------------- */

static int64_t memory_most(const struct daemon_options *options) {
    int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    return options->memory_bytes > 0 ? options->memory_bytes : machine / 10 * 9;
}

static int token_read(struct daemon *d, struct err *err) {
    struct buf text = {0};
    struct err why = {0};
    int failed = fs_read(&text, d->options->token_file, TOKEN_BYTES, &why);
    if (failed != 0) {
        err_set(err, why.code,
                "cannot read the scheduler's token: %s; start `reelfarm scheduler` on this machine "
                "first, or name the token's file by --token-file",
                why.message);
    } else {
        d->token = mem_string(buf_text(&text));
        d->token[strcspn(d->token, " \t\r\n")] = '\0';
    }
    buf_finish(&text);
    return failed;
}

static void describe(struct daemon *d, const struct api_encoder *encoders, size_t encoder_count) {
    gethostname(d->host, sizeof(d->host) - 1);
    if (d->options->name != NULL) {
        snprintf(d->name, sizeof(d->name), "%s", d->options->name);
    } else {
        snprintf(d->name, sizeof(d->name), "%s-%d", d->host, (int)getpid());
    }
    d->worker = (struct api_worker){
        .name = d->name,
        .host = d->host,
        .pid = getpid(),
        .slots = (int)d->options->slots,
        .memory_bytes = memory_most(d->options),
        .cores = d->options->cores,
        .sandbox = (enum sandbox_level)d->options->sandbox,
        .encoder_count = encoder_count,
        .encoders = encoders,
    };
    d->shared.access = (struct api_access){
        .url = d->options->scheduler,
        .token = d->token,
        .trust = {d->options->ca_file, d->options->certificate, d->options->key_file},
    };
    d->shared.box_options = (struct box_options){.program = "/proc/self/exe",
                                                 .sandbox = (enum sandbox_level)d->options->sandbox,
                                                 .mask_cpu = d->options->mask_cpu};
    d->shared.stall_limit_s = (double)d->options->stall_s;
    d->shared.private_sources = d->options->private_sources;
    d->shared.endpoint_secrets = d->options->endpoint_secrets;
    d->shared.share = share_create(SHARE_BYTES);
    d->shared.push_memory.bytes = PUSH_BYTES;
    d->shared.keep_ms = d->options->keep_s * 1000;
}

/* A node where children can't be boxed in is told of at once, not by every title it is given. */
static int look_at_sandbox(const struct daemon *d, struct err *err) {
    int landlock_abi = 0;
    enum sandbox_level level = (enum sandbox_level)d->options->sandbox;
    int failed = sandbox_try(level, &landlock_abi, err);
    if (failed == 0 && level == SANDBOX_FULL) {
        log_info("sandbox", "level=%s landlock_abi=%d", sandbox_level_names[level], landlock_abi);
    } else if (failed == 0) {
        log_warn("sandbox is not whole", "level=%s landlock_abi=%d", sandbox_level_names[level],
                 landlock_abi);
    }
    return failed;
}

static void synchronise(struct daemon *d) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&d->beat, &attributes);
    pthread_cond_init(&d->shared.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&d->shared.lock, NULL);
}

/* Signals are the main thread's. */
static int thread_start(pthread_t *out, void *(*run)(void *), void *context) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static int lane_init(struct lane *lane, struct daemon *d, size_t first, size_t count, size_t ahead,
                     struct err *err) {
    lane->daemon = d;
    lane->slots = d->slots + first;
    lane->slot_count = lane->turns.most = count;
    lane->thread_count = count + ahead;
    return api_create(&lane->api, &d->shared.access, &leaving, err);
}

static int lanes_init(struct daemon *d, struct err *err) {
    size_t slots = (size_t)d->options->slots;
    size_t pushes = (size_t)d->options->pushes;
    d->slots = mem_zero(slots + AHEAD + pushes, sizeof(*d->slots));
    d->encoding = (struct lane){.name = "encoding",
                                .kinds = ~(1U << TASK_PUSH),
                                .newer = 1U << TASK_EARLY | 1U << TASK_IMAGES};
    d->pushing =
        (struct lane){.name = "pushing", .kinds = 1U << TASK_PUSH, .newer = 1U << TASK_PUSH};
    int failed = lane_init(&d->encoding, d, 0, slots, AHEAD, err);
    return failed == 0 ? lane_init(&d->pushing, d, slots + AHEAD, pushes, 0, err) : failed;
}

static int threads_start(struct daemon *d, struct err *err) {
    size_t encoding = d->encoding.thread_count;
    size_t count = encoding + d->pushing.thread_count;
    for (; d->slot_count < count; d->slot_count++) {
        struct slot *slot = &d->slots[d->slot_count];
        slot->childless = d->slot_count >= encoding;
        slot->late = d->slot_count >= d->encoding.slot_count;
        slot->turns = slot->childless ? NULL : &d->encoding.turns;
        int failed = slot_start(slot, &d->shared, err);
        if (failed != 0) {
            return failed;
        }
    }
    int failed = thread_start(&d->heart, heart_run, d);
    d->has_heart = failed == 0;
    if (failed == 0 && d->pushing.slot_count > 0) {
        failed = thread_start(&d->pusher, lane_run, &d->pushing);
        d->has_pusher = failed == 0;
    }
    return failed == 0 ? 0 : err_set_errno(err, failed, "cannot start a thread of the worker");
}

static void drain(struct daemon *d) {
    int64_t until = clock_monotonic_ms() + d->options->grace_s * 1000;
    while (is_busy(d) && !atomic_load(&stopping) && clock_monotonic_ms() < until) {
        wait_for_change(d);
    }
}

/* The session is closed last: what was not finished goes back to ready, no loss counted. */
static void threads_end(struct daemon *d, struct api *api) {
    pthread_mutex_lock(&d->shared.lock);
    d->shared.ending = true;
    d->heart_ends = true;
    for (size_t i = 0; i < d->slot_count; i++) {
        atomic_store(&d->slots[i].cancel, true);
    }
    pthread_cond_broadcast(&d->shared.changed);
    pthread_cond_broadcast(&d->beat);
    pthread_mutex_unlock(&d->shared.lock);
    for (size_t i = 0; i < d->slot_count; i++) {
        slot_join(&d->slots[i]);
        task_free(d->slots[i].task);
    }
    atomic_store(&d->heart_cancel, true);
    if (d->has_heart) {
        pthread_join(d->heart, NULL);
    }
    if (d->has_session && api != NULL) {
        api_session_close(api, d->session.id, NULL);
    }
}

static int work(struct daemon *d, struct err *err) {
    struct api *farewell = NULL; /* its calls are not ended by the signal that ends the rest */
    int failed = lanes_init(d, err);
    if (failed == 0) {
        failed = api_create(&farewell, &d->shared.access, NULL, err);
    }
    if (failed == 0) {
        failed = threads_start(d, err);
    }
    if (failed == 0) {
        lane_run(&d->encoding);
    } else {
        atomic_store(&leaving, true);
    }
    if (d->has_pusher) {
        pthread_join(d->pusher, NULL);
    }
    drain(d);
    threads_end(d, farewell);
    api_destroy(d->encoding.api);
    api_destroy(d->pushing.api);
    api_destroy(farewell);
    return failed;
}

int daemon_run(const struct daemon_options *options, const struct api_encoder *encoders,
               size_t encoder_count) {
    struct daemon d = {.options = options};
    struct err err = {0};
    struct sigaction action = {.sa_handler = on_signal};
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    mallopt(M_MMAP_THRESHOLD, MALLOC_LARGE); /* else it grows with what is freed */
    log_level_set((enum log_level)options->log_level);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    int failed = token_read(&d, &err);
    if (failed == 0) {
        failed = look_at_sandbox(&d, &err);
    }
    if (failed == 0) {
        describe(&d, encoders, encoder_count);
        synchronise(&d);
        failed = work(&d, &err);
    }
    if (failed != 0) {
        log_error("the worker can't begin", "why=\"%s\"", err.message);
    }
    share_destroy(d.shared.share);
    mem_free(d.slots);
    mem_free(d.token);
    return failed != 0              ? EXIT_FAILED
           : d.refused              ? EXIT_REFUSED
           : atomic_load(&stopping) ? EXIT_INTERRUPTED
                                    : 0;
}
