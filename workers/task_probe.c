/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe: the source document from the child, and beside it the source's identity, which for
 * a file is the SHA-256 of its bytes. The title is planned as soon as the first is there. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "task.h"

/* The hash of a file, in a thread of its own. */
struct probe {
    pthread_t thread;
    bool started;
    int fd; /* borrowed from the source */
    atomic_bool stop;
    atomic_bool ended;
    _Atomic int64_t hashed;
    uint8_t hash[SHA256_BYTES];
    int failed;
    struct err err;
};

static int hash_went_on(void *context, int64_t done) {
    struct probe *probe = context;
    atomic_store(&probe->hashed, done);
    return atomic_load(&probe->stop) ? 1 : 0;
}

static void *hash_run(void *context) {
    struct probe *probe = context;
    probe->failed = sha256_file(probe->fd, probe->hash, hash_went_on, probe, &probe->err);
    atomic_store(&probe->ended, true);
    return NULL;
}

/* An unchanged file whose identity was recorded is not read again. */
static bool is_recorded(const struct task_run *run) {
    const struct task_source *recorded = &run->task->source;
    const struct blob_facts *facts = blob_source_facts(run->source);
    return recorded->identity[0] != '\0' && recorded->size == facts->size &&
           strcmp(recorded->pin, facts->pin) == 0;
}

static int hash_begin(struct task_run *run, struct err *err) {
    const struct blob_facts *facts = blob_source_facts(run->source);
    struct probe *probe = mem_zero(1, sizeof(*probe));
    run->state = probe;
    run->report.pin = arena_string(&run->report.arena, facts->pin);
    run->report.source_size = facts->size;
    if (is_recorded(run)) {
        snprintf(run->report.identity, sizeof(run->report.identity), "%s",
                 run->task->source.identity);
        return 0;
    }
    probe->fd = blob_source_fd(run->source);
    if (probe->fd < 0 && facts->identity[0] == '\0') {
        err_set(err, ERR_UNSUPPORTED,
                "cannot read '%s': its server gives neither an ETag nor a Last-Modified date, so "
                "a change would go unseen; copy it to a file first",
                blob_source_name(run->source));
        return task_fail(run, FAILURE_UNSUPPORTED, ERR_UNSUPPORTED);
    }
    if (probe->fd < 0) {
        snprintf(run->report.identity, sizeof(run->report.identity), "%s", facts->identity);
        return 0;
    }
    int failed = pthread_create(&probe->thread, NULL, hash_run, probe);
    if (failed != 0) {
        return task_fail(run, FAILURE_IO,
                         err_set_errno(err, failed, "cannot start a thread for a hash"));
    }
    probe->started = true;
    return 0;
}

static void take_source(void *context, struct source_document *document) {
    struct task_run *run = context;
    source_document_finish(&run->report.source);
    run->report.source = *document;
    run->report.has_source = true;
}

static void take_progress(void *context, int64_t done, int64_t total) {
    struct task_run *run = context;
    atomic_store(&run->progress->done, done);
    atomic_store(&run->progress->total, total);
}

static int probe_run(struct task_run *run, struct err *err) {
    struct broker_sink sink = {
        .source = take_source, .progress = take_progress, .wake_fd = -1, .context = run};
    int failed = task_run_child(run, "read", &sink, err);
    if (failed == 0 && !run->report.has_source) {
        err_set(err, ERR_CORRUPT, "cannot read '%s': its encoder process gave no source document",
                blob_source_name(run->source));
        failed = task_fail(run, FAILURE_LIES, ERR_CORRUPT);
    }
    return failed;
}

/* The plan need not wait for the hash. A scheduler that can't take it now gets it with the
 * whole report. */
static int source_report(struct task_run *run, struct err *err) {
    const struct probe *probe = run->state;
    (void)err;
    if (probe->started && !atomic_load(&probe->ended)) {
        api_source(run->tools->api, run->task->fence, &run->report, NULL);
    }
    return 0;
}

static int hash_end(struct task_run *run, struct err *err) {
    struct probe *probe = run->state;
    if (!probe->started) {
        return 0;
    }
    while (!atomic_load(&probe->ended) && !atomic_load(run->cancel)) {
        take_progress(run, atomic_load(&probe->hashed), run->report.source_size);
        clock_sleep_ms(20, run->cancel);
    }
    atomic_store(&probe->stop, !atomic_load(&probe->ended));
    pthread_join(probe->thread, NULL);
    probe->started = false;
    if (probe->failed != 0) {
        err_set(err, probe->err.code, "cannot read '%s': %s", blob_source_name(run->source),
                probe->err.message);
        return task_fail(run, FAILURE_IO, probe->failed);
    }
    uint8_t byte;
    size_t got; /* a read looks whether the file is still the one that was opened */
    int failed = blob_read_at(run->source, 0, &byte, 1, &got, err);
    if (failed != 0) {
        return task_fail(run, source_failure((enum err_code)failed), failed);
    }
    char hex[SHA256_TEXT];
    sha256_hex(probe->hash, hex);
    snprintf(run->report.identity, sizeof(run->report.identity), "sha256:%s", hex);
    return 0;
}

static void probe_finish(struct task_run *run) {
    struct probe *probe = run->state;
    if (probe != NULL && probe->started) {
        atomic_store(&probe->stop, true);
        pthread_join(probe->thread, NULL);
    }
    mem_free(probe);
    run->state = NULL;
}

static const struct step steps[] = {
    {"open source", task_open_source}, {"begin hash", hash_begin}, {"probe", probe_run},
    {"report source", source_report},  {"end hash", hash_end},     {NULL, NULL},
};

const struct task_kind_row task_probe_row = {steps, probe_finish};
