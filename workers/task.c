/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doing one leased task, and the steps that kinds share: see task.h. */
#include "task.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "workers/edges/edge.h"

static const struct task_kind_row *const kinds[TASK_KIND_COUNT] = {
    [TASK_PROBE] = &task_probe_row,   [TASK_VIDEO] = &task_encode_row,
    [TASK_AUDIO] = &task_encode_row,  [TASK_PACKAGE] = &task_package_row,
    [TASK_SWAP] = &task_swap_row,     [TASK_REMOVE] = &task_remove_row,
    [TASK_PUSH] = &task_push_row,     [TASK_EARLY] = &task_early_row,
    [TASK_IMAGES] = &task_encode_row, [TASK_SWEEP] = &task_sweep_row,
};

bool task_is_pure(enum task_kind kind) {
    return kind == TASK_PROBE || kind == TASK_VIDEO || kind == TASK_AUDIO || kind == TASK_IMAGES;
}

static const struct task_kind_row *row_of(const struct task *task) {
    const struct edge_driver *driver =
        task->kind == TASK_PUSH ? edge_driver_find(task->push.endpoint.driver) : NULL;
    bool tells = driver != NULL && (driver->caps & EDGE_EVENTS) != 0;
    return tells ? &task_hook_row : kinds[task->kind];
}

int task_perform(struct task_run *run, struct err *err) {
    const struct task_kind_row *row = row_of(run->task);
    int failed = 0;
    int64_t began = clock_monotonic_ms();
    run->failure = FAILURE_IO;
    for (const struct step *step = row->steps; step->name != NULL && failed == 0; step++) {
        failed = atomic_load(run->cancel) ? err_set(err, ERR_CANCELLED, "the task was stopped")
                                          : step->perform(run, err);
        int64_t now = clock_monotonic_ms();
        log_debug("step", "step=%s ms=%" PRId64 " result=%s", step->name, now - began,
                  err_code_name((enum err_code)failed));
        began = now;
    }
    if (row->finish != NULL) {
        row->finish(run);
    }
    if (failed != 0 && atomic_load(run->cancel)) {
        err_clear(err); /* what a stop tears down fails for no other reason */
        failed = err_set(err, ERR_CANCELLED, "the task was stopped");
    }
    return failed;
}

void task_run_finish(struct task_run *run) {
    task_report_finish(&run->report);
    header_give(run->header);
    blob_source_close(run->source);
    blob_close(run->output);
    mem_free(run->missing);
    *run = (struct task_run){0};
}

int task_fail(struct task_run *run, enum failure_class failure, int code) {
    run->failure = failure;
    return code;
}

static struct blob_options blob_options_of(const struct task_run *run) {
    struct blob_options options = blob_options_default();
    options.cancel = run->cancel;
    options.trace = run->task->trace;
    return options;
}

/* So many frames, as if all were of a size. */
static int64_t bytes_of_frames(const struct source_document *source, int64_t frames, int64_t size) {
    return (int64_t)((double)size * (double)frames / (double)source->timeline.frames) + 1;
}

int64_t task_chunk_bytes(const struct child_spec *spec, int64_t size) {
    const struct source_document *source = &spec->source;
    int64_t frame = spec->chunk.first;
    int64_t end = -1;
    const struct random_access *from = NULL;
    const struct random_access *to = NULL;
    for (size_t i = 0; i < source->access_count && to == NULL; i++) {
        const struct random_access *access = &source->access[i];
        from = access->frame <= spec->chunk.first ? access : from;
        to = access->frame >= spec->chunk.end ? access : NULL;
    }
    if (from != NULL) {
        frame = from->frame;
        end = to != NULL ? to->position : spec->chunk.end >= source->timeline.frames ? size : -1;
    }
    return from != NULL && from->position >= 0 && end > from->position
               ? end - from->position
               : bytes_of_frames(source, spec->chunk.end - frame, size);
}

/* What a chunk's child will read, and at most where its encoder looks at all of the tail. */
static void tell_means(struct blob_source *of, const struct child_spec *spec, int64_t size) {
    if (spec->kind == TASK_VIDEO && spec->source.timeline.frames > 0) {
        int64_t bytes = task_chunk_bytes(spec, size);
        blob_source_means(of, bytes,
                          bytes + bytes_of_frames(&spec->source, spec->chunk.tail, size));
    }
}

int task_open_source(struct task_run *run, struct err *err) {
    const struct task_source *pinned = &run->task->source;
    struct blob_options options = blob_options_of(run);
    options.public_only = !run->tools->private_sources;
    options.places = pinned->places;
    int failed = blob_source_open(&run->source, pinned->url, &options, err);
    if (failed == 0 && run->task->kind != TASK_PROBE) {
        failed = blob_source_expect(run->source, pinned->size, pinned->pin, err);
    }
    if (failed != 0) {
        return task_fail(run, source_failure((enum err_code)failed), failed);
    }
    tell_means(run->source, &run->task->spec, pinned->size);
    const struct blob_facts *facts = blob_source_facts(run->source);
    run->task->spec.source_size = facts->size;
    run->header =
        headers_take(run->tools->headers, facts->identity, &run->task->spec.source, facts->size);
    return 0;
}

int task_open_output(struct task_run *run, struct err *err) {
    struct blob_options options = blob_options_of(run);
    options.until_ms = task_is_pure(run->task->kind) ? run->tools->keep_until_ms
                                                     : run->tools->lease_until_ms;
    int failed = blob_open(&run->output, run->task->output, &options, err);
    enum failure_class class = err_is_transient((enum err_code)failed) ? FAILURE_IO
                                                                       : FAILURE_REFUSED;
    return failed == 0 ? 0 : task_fail(run, class, failed);
}

static int fetch_header(void *context, int64_t offset, void *out, size_t size, struct err *err) {
    return blob_read_alone(context, offset, out, size, err);
}

static int64_t read_source(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    const struct task_run *run = context;
    size_t got = 0;
    int64_t known =
        header_read(run->header, offset, data, size, fetch_header, run->source, run->cancel, err);
    if (known != 0) {
        return known;
    }
    int failed = blob_read_at(run->source, offset, data, size, &got, err);
    return failed != 0 ? failed : (int64_t)got;
}

int task_run_child(struct task_run *run, const char *verb, const struct broker_sink *sink,
                   struct err *err) {
    const struct task *task = run->task;
    struct box *box = run->tools->box;
    struct broker_result result = {0};
    int failed = 0;
    struct proc_result end = {0};
    if (box_wait(box, 0,
                 &end)) { /* what happened to it while it was idle is not the task's fault */
        box_close(box);
    }
    if (box->proc.pid == 0 && (failed = box_open(box, run->tools->box_options, err)) != 0) {
        return task_fail(run, FAILURE_IO, failed);
    }
    struct broker_options options = {
        .spec = &task->spec,
        .source = {.read = read_source, .context = run},
        .sink = *sink,
        .memory_bytes = task->memory_bytes,
        .wall_limit_s = task->wall_limit_s,
        .stall_limit_s = run->tools->stall_limit_s,
        .cancel = run->cancel,
    };
    failed = broker_run(box, &options, &result, err);
    run->report.stats = result.stats;
    if (failed != 0) {
        if (!result.source_failed) { /* such a sentence names the source already */
            err_wrap(err, "cannot %s '%s'", verb, blob_source_name(run->source));
        }
        return task_fail(run, result.failure, failed);
    }
    return 0;
}

enum failure_class output_failure(const struct blob *output, int code, struct err *err) {
    static const struct {
        int code;
        const char *advice;
    } refusals[] = {
        {ERR_NO_SPACE, "free some space there and run again"},
        {ERR_INVALID, "choose a folder that this user may write to"},
        {ERR_NOT_FOUND, "choose a folder that can be made"},
        {ERR_UNSUPPORTED, "choose a folder on a file system"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].code == code) {
            struct err why = *err;
            bool advised = strstr(why.message, "; ") != NULL; /* by the store */
            err_clear(err);
            err_set(err, why.code, "cannot write to '%s': %s%s%s", blob_name(output), why.message,
                    advised ? "" : "; ", advised ? "" : refusals[i].advice);
            return FAILURE_REFUSED;
        }
    }
    return FAILURE_IO;
}

static bool is_there(struct blob *output, const char *key, const void *data, size_t size) {
    struct buf there = {0};
    bool same = blob_get(output, key, size, &there, NULL) == 0 && there.size == size &&
                memcmp(there.data, data, size) == 0;
    buf_finish(&there);
    return same;
}

int task_put_document(struct task_run *run, const char *key, const void *data, size_t size,
                      enum blob_put_mode mode, struct err *err) {
    if (is_there(run->output, key, data, size)) {
        return 0;
    }
    int failed = blob_put(run->output, key, data, size, mode, err);
    return failed == 0 ? 0 : task_fail(run, output_failure(run->output, failed, err), failed);
}

/* A store that refuses to list uploads (they are a right of their own) fails no title. */
int task_abandon_puts(struct task_run *run, struct err *err) {
    struct err why = {0};
    char *prefix = mem_format("%s/", run->task->title);
    int failed = blob_abandon(run->output, prefix, &why);
    mem_free(prefix);
    if (failed == ERR_CANCELLED || err_is_transient((enum err_code)failed)) {
        err_pass(err, &why);
        return task_fail(run, FAILURE_IO, failed);
    }
    if (failed != 0) {
        log_warn("uploads that were broken off can't be taken back", "why=\"%s\"", why.message);
    }
    return 0;
}
