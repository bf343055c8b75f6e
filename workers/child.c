/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task child: spec in, source bytes asked for, segments and a report out: see child.h. */
#include "child.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "shortage.h"

enum {
    PROGRESS_MS = 200,
    PROBE_AHEAD = PIPE_READ_BYTES,
    CHUNK_AHEAD = 256 << 10,
    SLICE_NS = 20 * 1000 * 1000,
    MALLOC_ARENAS = 2, /* each one more takes 128 MiB of the address space that is limited */
};

static int (*const kinds[TASK_KIND_COUNT])(struct child *, struct err *) = {
    [TASK_PROBE] = child_probe,
    [TASK_VIDEO] = child_video,
    [TASK_AUDIO] = child_audio,
    [TASK_IMAGES] = child_images,
};

static int send_parts(struct child *child, enum pipe_type type, const struct pipe_part *parts,
                      size_t count, struct err *err) {
    pthread_mutex_lock(&child->sending);
    int failed = pipe_send(child->fd, type, parts, count, err);
    pthread_mutex_unlock(&child->sending);
    return failed;
}

static int receive(struct child *child, struct err *err) {
    int got = 0;
    while (got == 0) {
        got = pipe_inbox_fill(&child->inbox, child->fd, err);
    }
    return got < 0 ? got : 0;
}

/* How much to ask for: a source that is read on gets ever more at once. A probe reads all of
 * it; a chunk ends somewhere, and what was read past its end was read for nothing. */
static size_t read_ahead(const struct child *child, int64_t offset, size_t size) {
    size_t most = child->spec.kind == TASK_PROBE ? PROBE_AHEAD : CHUNK_AHEAD;
    bool goes_on = offset == child->window_offset + (int64_t)child->window_size;
    size_t ahead = goes_on ? 2 * child->ahead : 0;
    ahead = ahead < most ? ahead : most;
    ahead = ahead > size ? ahead : size;
    return ahead < PIPE_READ_BYTES ? ahead : PIPE_READ_BYTES;
}

/* Fills the window with what lies at `offset`. */
static int window_fill(struct child *child, int64_t offset, size_t size, struct err *err) {
    uint8_t question[12];
    uint8_t answer[4];
    size_t wanted = read_ahead(child, offset, size);
    pipe_put_u64(question, (uint64_t)offset);
    pipe_put_u32(question + 8, (uint32_t)wanted);
    struct pipe_part part = {question, sizeof(question)};
    child->window_size = 0;
    int failed = send_parts(child, PIPE_READ, &part, 1, err);
    if (failed != 0) {
        return failed;
    }
    int64_t got = pipe_receive(child->fd, PIPE_DATA, answer, sizeof(answer), err);
    if (got < 0) {
        return (int)got;
    }
    if (got != (int64_t)sizeof(answer) || pipe_get_u32(answer) > wanted) {
        return err_set(err, ERR_INTERNAL, "the worker gave more than it was asked for");
    }
    child->window_offset = offset;
    child->window_size = pipe_get_u32(answer);
    child->ahead = wanted;
    return 0;
}

static int64_t source_read(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    struct child *child = context;
    pthread_mutex_lock(&child->reading);
    int64_t inside = offset - child->window_offset;
    int failed = 0;
    if (inside < 0 || inside >= (int64_t)child->window_size) {
        failed = window_fill(child, offset, size, err);
        inside = 0;
    }
    size_t left = child->window_size - (size_t)inside;
    size_t got = failed != 0 ? 0 : left < size ? left : size;
    memcpy(data, child->window + inside, got);
    pthread_mutex_unlock(&child->reading);
    return failed != 0 ? failed : (int64_t)got;
}

int child_progress(void *context, int64_t done, int64_t total) {
    struct child *child = context;
    int64_t now = clock_monotonic_ms();
    if (now - child->progress_at < PROGRESS_MS && done != total) {
        return 0;
    }
    child->progress_at = now;
    uint8_t numbers[16];
    pipe_put_u64(numbers, (uint64_t)done);
    pipe_put_u64(numbers + 8, (uint64_t)total);
    struct pipe_part part = {numbers, sizeof(numbers)};
    return send_parts(child, PIPE_PROGRESS, &part, 1, NULL);
}

int child_send_json(struct child *child, enum pipe_type type, const struct buf *json,
                    struct err *err) {
    struct pipe_part part = {json->data, json->size};
    return send_parts(child, type, &part, 1, err);
}

int child_send_init(struct child *child, int rung, const struct coded_config *config,
                    const struct buf *init, struct err *err) {
    uint8_t numbers[16];
    pipe_put_u32(numbers, (uint32_t)rung);
    pipe_put_u32(numbers + 4, (uint32_t)config->reorder_frames);
    pipe_put_u32(numbers + 8, (uint32_t)config->priming);
    pipe_put_u32(numbers + 12, (uint32_t)config->record_size);
    struct pipe_part parts[] = {
        {numbers, sizeof(numbers)},
        {config->record, config->record_size},
        {init->data, init->size},
    };
    return send_parts(child, PIPE_INIT, parts, 3, err);
}

int child_send_segment(struct child *child, int rung, const struct segment_report *report,
                       const uint8_t *data, size_t size, struct err *err) {
    struct buf json = {0};
    struct writer w = writer_of(&json);
    segment_report_write(report, &w, NULL);
    uint8_t numbers[8];
    pipe_put_u32(numbers, (uint32_t)rung);
    pipe_put_u32(numbers + 4, (uint32_t)json.size);
    struct pipe_part parts[] = {{numbers, sizeof(numbers)}, {json.data, json.size}, {data, size}};
    int failed = send_parts(child, PIPE_SEGMENT, parts, 3, err);
    buf_finish(&json);
    return failed;
}

void child_count(struct child *child, const struct encode_stats *stats) {
    child->stats.frames_decoded = stats->frames_decoded;
    child->stats.frames_repaired = stats->frames_repaired;
    child->stats.frames_concealed = stats->frames_concealed;
    child->stats.decode_cpu_s = stats->decode_cpu_s;
    child->stats.scale_cpu_s = stats->scale_cpu_s;
    child->stats.encode_cpu_s = stats->encode_cpu_s;
    child->stats.has_loudness = stats->has_loudness;
    child->stats.loudness = stats->loudness;
}

static int spec_receive(struct child *child, struct err *err) {
    int failed = receive(child, err);
    if (failed != 0) {
        return failed;
    }
    if (child->inbox.type != PIPE_SPEC) {
        return err_set(err, ERR_INTERNAL, "the worker began with a frame '%s', not with a spec",
                       pipe_type_name(child->inbox.type));
    }
    struct json *tree = NULL;
    failed = json_tree_parse(&tree, child->inbox.payload, child->inbox.size, err);
    if (failed == 0) {
        struct err read_err = {0};
        struct reader r = reader_of(tree, "task spec", &read_err);
        child_spec_read(&child->spec, &child->arena, &r);
        failed = read_err.code == ERR_NONE ? 0 : err_set(err, ERR_INTERNAL, "%s", read_err.message);
    }
    json_tree_destroy(tree);
    pipe_inbox_next(&child->inbox);
    return failed;
}

static int window_map(struct child *child, struct err *err) {
    void *window = mmap(NULL, PIPE_READ_BYTES, PROT_READ, MAP_SHARED, PIPE_WINDOW_FD, 0);
    if (window == MAP_FAILED) {
        return err_set_errno(err, errno, "a task child can't map its window");
    }
    child->window = window;
    return 0;
}

static int task_run(struct child *child, struct err *err) {
    int failed = spec_receive(child, err);
    if (failed != 0) {
        return failed;
    }
    child->io =
        (struct source_io){.read = source_read, .size = child->spec.source_size, .context = child};
    if (kinds[child->spec.kind] == NULL) {
        return err_set(err, ERR_INTERNAL, "a task '%s' is not for a child",
                       task_kind_name(child->spec.kind));
    }
    return kinds[child->spec.kind](child, err);
}

/*
 * Asks for longer slices of a core than the 1 to 3 ms of Linux: an encoder's threads are more than
 * the cores are, and each switch between them costs it what its caches held. Whoever wants a core
 * for a moment gets it no later: those with shorter slices go first (EEVDF). Linux has that from
 * 6.12 on; before, nothing comes of it. By its number, as glibc has no sched_setattr before 2.41.
 */
static void ask_for_long_slices(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } how = {0};
    if (syscall(SYS_sched_getattr, 0, &how, sizeof(how), 0) == 0) {
        how.size = sizeof(how);
        how.flags = 0;
        how.runtime_ns = SLICE_NS;
        syscall(SYS_sched_setattr, 0, &how, 0);
    }
}

/* Nothing is freed at the end: the process is, faster. */
int child_main(enum sandbox_level level, bool mask_cpu) {
    struct err err = {0};
    struct buf last = {0};
    struct child child = {
        .fd = PIPE_FD,
        .inbox = {.from = PIPE_WORKER},
        .reading = PTHREAD_MUTEX_INITIALIZER,
        .sending = PTHREAD_MUTEX_INITIALIZER,
    };
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    shortage_watch();
    ask_for_long_slices();
    if (mask_cpu) {
        encoder_use_baseline_cpu();
    }
    int failed = window_map(&child, &err);
    if (failed == 0) {
        failed = sandbox_child(level, &err);
    }
    if (failed == 0) {
        failed = task_run(&child, &err);
    }
    if (failed == 0) {
        struct writer w = writer_of(&last);
        task_stats_write(&child.stats, &w, NULL);
    } else {
        err_set(&err, (enum err_code)failed, "the task failed without a word"); /* if it did */
        pipe_error_write(&err, &last);
    }
    child_send_json(&child, failed == 0 ? PIPE_DONE : PIPE_FAIL, &last, NULL);
    _exit(failed == 0 ? 0 : 1);
}
