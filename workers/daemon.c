/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encode node: see daemon.h. */
#include "daemon.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/http.h"
#include "common/log.h"
#include "common/mem.h"
#include "heart.h"
#include "lane.h"
#include "workers/edges/edge_share.h"

enum {
    TOKEN_BYTES = 4096,
    TICK_MS = 100,           /* how often a signal is looked for */
    AHEAD = 1,               /* tasks that wait for the end of another */
    PUSH_BYTES = 24 << 20,   /* of objects on their way to edges, of all pushes together */
    SHARE_BYTES = 40 << 20,  /* that with what of the output is kept for pushes to come for */
    HEADER_BYTES = 16 << 20, /* of sources' headers, kept for their tasks */
    MALLOC_ARENAS = 2,       /* each keeps what it once had */
    MALLOC_LARGE = 1 << 18,  /* what is larger goes back to the system when it is freed */
    EXIT_FAILED = 1,
    EXIT_REFUSED = 4,
    EXIT_INTERRUPTED = 130,
};

struct daemon {
    const struct daemon_options *options;
    char name[128];
    char host[64];
    char *token;
    struct node node;
    struct heart heart;
    struct lane encoding;
    struct lane pushing;
    pthread_t pusher;
    bool has_pusher;
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

/* Names the worker, to its log too. */
static void find_name(struct daemon *d) {
    gethostname(d->host, sizeof(d->host) - 1);
    if (d->options->name != NULL) {
        snprintf(d->name, sizeof(d->name), "%s", d->options->name);
    } else {
        snprintf(d->name, sizeof(d->name), "%s-%d", d->host, (int)getpid());
    }
    char *pairs = mem_format("worker=%s", d->name);
    log_process(pairs);
    mem_free(pairs);
}

static void describe(struct daemon *d, const struct api_encoder *encoders, size_t encoder_count) {
    d->node.worker = (struct api_worker){
        .name = d->name,
        .host = d->host,
        .pid = getpid(),
        .slots = (int)d->options->slots,
        .memory_bytes = memory_most(d->options),
        .cores = d->options->cores,
        .keep_ms = d->options->keep_s * 1000,
        .sandbox = (enum sandbox_level)d->options->sandbox,
        .encoder_count = encoder_count,
        .encoders = encoders,
    };
    d->node.shared.access = (struct api_access){
        .url = d->options->scheduler,
        .token = d->token,
        .trust = {d->options->ca_file, d->options->certificate, d->options->key_file},
    };
    d->node.shared.box_options =
        (struct box_options){.program = "/proc/self/exe",
                             .sandbox = (enum sandbox_level)d->options->sandbox,
                             .mask_cpu = d->options->mask_cpu};
    d->node.shared.stall_limit_s = (double)d->options->stall_s;
    d->node.shared.private_sources = d->options->private_sources;
    d->node.shared.endpoint_secrets = d->options->endpoint_secrets;
    d->node.shared.share = share_create(SHARE_BYTES);
    d->node.shared.push_memory.bytes = PUSH_BYTES;
    d->node.shared.headers = headers_create(HEADER_BYTES);
    d->node.shared.keep_ms = d->options->keep_s * 1000;
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

static int lane_init(struct lane *lane, struct daemon *d, size_t first, size_t count, size_t ahead,
                     struct err *err) {
    lane->node = &d->node;
    lane->leaving = &leaving;
    lane->slots = d->node.slots + first;
    lane->slot_count = lane->turns.most = count;
    lane->thread_count = count + ahead;
    return api_create(&lane->api, &d->node.shared.access, &leaving, err);
}

static int lanes_init(struct daemon *d, struct err *err) {
    size_t slots = (size_t)d->options->slots;
    size_t pushes = (size_t)d->options->pushes;
    size_t endpoints = pushes > 0 ? API_ENDPOINTS_MAX : 0;
    d->node.slot_most = slots + AHEAD + pushes + endpoints;
    d->node.slots = mem_zero(d->node.slot_most, sizeof(*d->node.slots));
    d->encoding = (struct lane){.name = "encoding",
                                .kinds = ~(1U << TASK_PUSH | 1U << TASK_SWEEP),
                                .newer = 1U << TASK_EARLY | 1U << TASK_IMAGES};
    d->pushing = (struct lane){.name = "pushing",
                               .kinds = 1U << TASK_PUSH | 1U << TASK_SWEEP,
                               .newer = 1U << TASK_PUSH | 1U << TASK_SWEEP,
                               .shared = pushes,
                               .endpoints = endpoints};
    int failed = lane_init(&d->encoding, d, 0, slots, AHEAD, err);
    return failed == 0 ? lane_init(&d->pushing, d, slots + AHEAD, pushes, 0, err) : failed;
}

static int threads_start(struct daemon *d, struct err *err) {
    size_t encoding = d->encoding.thread_count;
    size_t count = encoding + d->pushing.thread_count;
    for (size_t i = 0; i < d->node.slot_most; i++) {
        struct slot *slot = &d->node.slots[i];
        slot->childless = i >= encoding;
        slot->late = i >= d->encoding.slot_count;
        slot->turns = slot->childless ? NULL : &d->encoding.turns;
    }
    for (; d->node.slot_count < count; d->node.slot_count++) {
        int failed = slot_start(&d->node.slots[d->node.slot_count], &d->node.shared, err);
        if (failed != 0) {
            return failed;
        }
    }
    int failed = heart_start(&d->heart, &d->node);
    if (failed == 0 && d->pushing.slot_count > 0) {
        failed = node_thread(&d->pusher, lane_run, &d->pushing);
        d->has_pusher = failed == 0;
    }
    return failed == 0 ? 0 : err_set_errno(err, failed, "cannot start a thread of the worker");
}

static void drain(struct daemon *d) {
    int64_t until = clock_monotonic_ms() + d->options->grace_s * 1000;
    while (node_is_busy(&d->node) && !atomic_load(&stopping) && clock_monotonic_ms() < until) {
        pthread_mutex_lock(&d->node.shared.lock);
        node_wait(&d->node, &d->node.shared.changed, TICK_MS);
        pthread_mutex_unlock(&d->node.shared.lock);
    }
}

/* The session is closed last: what was not finished goes back to ready, no loss counted. */
static void threads_end(struct daemon *d, struct api *api) {
    pthread_mutex_lock(&d->node.shared.lock);
    d->node.shared.ending = true;
    heart_end(&d->heart);
    for (size_t i = 0; i < d->node.slot_count; i++) {
        atomic_store(&d->node.slots[i].cancel, true);
    }
    pthread_cond_broadcast(&d->node.shared.changed);
    pthread_mutex_unlock(&d->node.shared.lock);
    for (size_t i = 0; i < d->node.slot_count; i++) {
        slot_join(&d->node.slots[i]);
        task_free(d->node.slots[i].task);
    }
    heart_join(&d->heart);
    if (d->node.has_session && api != NULL) {
        api_session_close(api, d->node.session.id, NULL);
    }
}

static int work(struct daemon *d, struct err *err) {
    struct api *farewell = NULL; /* its calls are not ended by the signal that ends the rest */
    int failed = lanes_init(d, err);
    if (failed == 0) {
        failed = api_create(&farewell, &d->node.shared.access, NULL, err);
    }
    if (failed == 0) {
        failed = threads_start(d, err);
    }
    if (failed == 0) {
        lane_run(&d->encoding);
    } else {
        atomic_store(&leaving, true);
    }
    heart_leave(&d->heart);
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
    http_share_limit((int)options->store_connections);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    find_name(&d);
    int failed = token_read(&d, &err);
    if (failed == 0) {
        failed = look_at_sandbox(&d, &err);
    }
    if (failed == 0) {
        describe(&d, encoders, encoder_count);
        node_init(&d.node);
        failed = work(&d, &err);
    }
    if (failed != 0) {
        log_error("the worker can't begin", "why=\"%s\"", err.message);
    }
    share_destroy(d.node.shared.share);
    headers_destroy(d.node.shared.headers);
    mem_free(d.node.slots);
    mem_free(d.token);
    return failed != 0              ? EXIT_FAILED
           : d.node.refused         ? EXIT_REFUSED
           : atomic_load(&stopping) ? EXIT_INTERRUPTED
                                    : 0;
}
