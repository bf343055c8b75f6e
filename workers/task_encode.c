/* SPDX-License-Identifier: GPL-2.0-or-later */
/* video and audio: a child makes segments; each passes the gate and is put under its final
 * name, once, while the next is being made. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "gate.h"
#include "pipe.h"
#include "put_queue.h"
#include "task.h"

enum { FOLDER_RETRY_MS = 1000 };

struct encode {
    struct gate *gates; /* owned; one a unit */
    struct put_queue *queue;
    enum failure_class failure; /* of the queue's thread */
    bool folders_known;
};

/* ---- In the queue's thread ------------------------------------------------------------ */

/* Folders of renditions are named after the source's identity, which may still be read. */
static int wait_for_folders(struct task_run *run, struct err *err) {
    struct encode *encode = run->state;
    struct api *api = NULL;
    encode->failure = FAILURE_IO;
    int failed = api_create(&api, run->tools->access, run->cancel, err);
    if (failed == 0) {
        api_set_trace(api, run->task->trace);
    }
    while (failed == 0 && !encode->folders_known) {
        struct err why = {0};
        failed = api_folders(api, run->task, API_WAIT_MS, &encode->folders_known, &why);
        if (err_is_transient((enum err_code)failed)) {
            clock_sleep_ms(FOLDER_RETRY_MS, run->cancel);
            failed = atomic_load(run->cancel) ? ERR_CANCELLED : 0;
        }
        if (failed != 0) {
            err_set(err, (enum err_code)failed, "%s", why.message);
        }
    }
    api_destroy(api);
    return failed;
}

/* What lies under the name is compared by hash: equal bytes are as good as ours. */
static int put_over(struct task_run *run, const struct task_unit *unit, const struct made *made,
                    const char *key, struct err *err) {
    struct encode *encode = run->state;
    struct buf there = {0};
    char ours[SHA256_TEXT] = "";
    char other[SHA256_TEXT] = "";
    int failed = blob_get(run->output, key, PIPE_SEGMENT_BYTES, &there, err);
    if (failed == 0) {
        sha256_hex_of(made->data, made->size, ours);
        sha256_hex_of(there.data, there.size, other);
    }
    buf_finish(&there);
    if (failed != 0 || strcmp(ours, other) == 0) {
        return failed;
    }
    if (unit->may_replace) {
        return blob_put(run->output, key, made->data, made->size, BLOB_REPLACE, err);
    }
    encode->failure = FAILURE_NONDETERMINISTIC;
    return err_set(err, ERR_CONFLICT,
                   "'%s' in '%s' has other bytes than the same task made now; remove it and run "
                   "again",
                   key, blob_name(run->output));
}

static int put(struct task_run *run, const struct made *made, const char *name, struct err *err) {
    struct encode *encode = run->state;
    const struct task_unit *unit = &run->task->units[made->rung];
    char *key = mem_format("%s/%s/%s", run->task->title, unit->folder, name);
    struct err why = {0};
    int failed = blob_put(run->output, key, made->data, made->size, BLOB_CREATE, &why);
    encode->failure = FAILURE_COUNT;
    if (failed == ERR_CONFLICT) {
        err_clear(&why);
        failed = put_over(run, unit, made, key, &why);
    }
    if (failed != 0 && encode->failure == FAILURE_COUNT) {
        encode->failure = output_failure(run->output, failed, &why);
    }
    if (failed != 0) {
        err_set(err, why.code, "%s", why.message);
    }
    mem_free(key);
    return failed;
}

static int pass_and_put(void *context, const struct made *made, struct err *err) {
    struct task_run *run = context;
    struct encode *encode = run->state;
    char name[GATE_NAME];
    int failed = gate_pass(&encode->gates[made->rung], made, name, err);
    if (failed != 0) {
        err_wrap(err, "cannot encode '%s': what its encoder process made breaks the rules",
                 blob_source_name(run->source));
        encode->failure = FAILURE_LIES;
        return failed;
    }
    if (!encode->folders_known) {
        failed = wait_for_folders(run, err);
    }
    return failed != 0 ? failed : put(run, made, name, err);
}

/* ---- In the slot's thread --------------------------------------------------------------- */

static void sink_made(void *context, struct made *made) {
    struct task_run *run = context;
    put_queue_push(((struct encode *)run->state)->queue, made);
}

static bool sink_full(void *context) {
    struct task_run *run = context;
    return put_queue_full(((struct encode *)run->state)->queue);
}

static bool sink_failed(void *context) {
    struct task_run *run = context;
    return put_queue_failed(((struct encode *)run->state)->queue);
}

static void sink_wake_clear(void *context) {
    struct task_run *run = context;
    put_queue_wake_clear(((struct encode *)run->state)->queue);
}

static void sink_progress(void *context, int64_t done, int64_t total) {
    struct task_run *run = context;
    atomic_store(&run->progress->done, done);
    atomic_store(&run->progress->total, total);
}

static int queue_begin(struct task_run *run, struct err *err) {
    const struct task *task = run->task;
    struct task_report *report = &run->report;
    struct encode *encode = mem_zero(1, sizeof(*encode));
    run->state = encode;
    encode->gates = mem_zero(task->unit_count, sizeof(*encode->gates));
    report->unit_count = task->unit_count;
    report->units = arena_zero(&report->arena, task->unit_count, sizeof(*report->units));
    for (size_t i = 0; i < task->unit_count; i++) {
        gate_init(&encode->gates[i], &task->spec, (int)i, &report->units[i], &report->arena);
    }
    encode->folders_known = true;
    for (size_t i = 0; i < task->unit_count; i++) {
        encode->folders_known = encode->folders_known && task->units[i].folder[0] != '\0';
    }
    int failed = put_queue_create(&encode->queue, pass_and_put, run, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_IO, failed);
}

/* A put that failed is the reason, whatever became of the child. */
static int encode_run(struct task_run *run, struct err *err) {
    struct encode *encode = run->state;
    struct broker_sink sink = {
        .made = sink_made,
        .progress = sink_progress,
        .full = sink_full,
        .wake_clear = sink_wake_clear,
        .wake_fd = put_queue_wake_fd(encode->queue),
        .failed = sink_failed,
        .context = run,
    };
    struct err child_err = {0};
    struct err put_err = {0};
    int failed = task_run_child(run, "encode", &sink, &child_err);
    bool refused = put_queue_failed(encode->queue);
    int unput = put_queue_finish(encode->queue, failed != 0, &put_err);
    put_queue_destroy(encode->queue);
    encode->queue = NULL;
    if (refused || (failed == 0 && unput != 0)) {
        err_set(err, put_err.code, "%s", put_err.message);
        return task_fail(run, encode->failure, unput);
    }
    return failed == 0 ? 0 : err_set(err, child_err.code, "%s", child_err.message);
}

static int gates_end(struct task_run *run, struct err *err) {
    const struct encode *encode = run->state;
    for (size_t i = 0; i < run->task->unit_count; i++) {
        if (gate_end(&encode->gates[i], err) != 0) {
            err_wrap(err, "cannot encode '%s': its encoder process stopped early",
                     blob_source_name(run->source));
            return task_fail(run, FAILURE_LIES, ERR_CORRUPT);
        }
    }
    return 0;
}

static int loudness_take(struct task_run *run, struct err *err) {
    struct task_stats *stats = &run->report.stats;
    (void)err;
    if (run->task->kind == TASK_AUDIO) {
        run->report.units[0].has_loudness = stats->has_loudness;
        run->report.units[0].loudness = stats->loudness;
    }
    stats->has_loudness = false;
    return 0;
}

static void encode_finish(struct task_run *run) {
    struct encode *encode = run->state;
    if (encode != NULL) {
        if (encode->queue != NULL) {
            put_queue_finish(encode->queue, true, NULL);
            put_queue_destroy(encode->queue);
        }
        mem_free(encode->gates);
        mem_free(encode);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"open source", task_open_source},
    {"open output", task_open_output},
    {"begin puts", queue_begin},
    {"encode, verify, put", encode_run},
    {"count", gates_end},
    {"take loudness", loudness_take},
    {NULL, NULL},
};

const struct task_kind_row task_encode_row = {steps, encode_finish};
