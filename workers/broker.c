/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One task child from spec to end: see broker.h. */
#include "broker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "pipe.h"

enum {
    TICK_MS = 100,     /* how often limits and the cancel flag are looked at */
    END_MS = 2000,     /* for a child that has said its last word, or closed its pipe */
    TAIL_BYTES = 4096, /* kept of the child's stderr */
};

struct broker {
    const struct broker_options *options;
    struct box *box;
    struct broker_result *result;
    struct err *err;
    struct pipe_inbox inbox;
    struct pipe_outbox outbox;
    bool over;          /* DONE, or a reason to fail */
    bool failed;        /* a reason is set */
    bool gone;          /* the child closed its end without a last word */
    int64_t started_ms; /* monotonic, as the rest */
    int64_t looked_ms;
    int64_t held_ms;   /* time for which the pipe was held back */
    int64_t active_ms; /* when the child last showed life */
    int64_t done;      /* as last told */
    char tail[TAIL_BYTES];
    size_t tail_size;
};

void made_destroy(struct made *made) {
    if (made != NULL) {
        arena_finish(&made->arena);
        mem_free(made->payload);
        mem_free(made);
    }
}

/* Ends the loop; the first reason counts. */
static void __attribute__((format(printf, 4, 5)))
fail(struct broker *b, enum failure_class failure, enum err_code code, const char *format, ...) {
    if (!b->failed) {
        char message[sizeof(b->err->message)];
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        err_set(b->err, code, "%s", message);
        b->result->failure = failure;
    }
    b->failed = true;
    b->over = true;
}

enum failure_class source_failure(enum err_code code) {
    switch (code) {
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_INTERNAL:
        return FAILURE_IO;
    case ERR_UNSUPPORTED:
        return FAILURE_UNSUPPORTED;
    default: /* not there, no leave to read it, changed while it was read */
        return FAILURE_BAD_SOURCE;
    }
}

/* ---- Frames of the child ---------------------------------------------------- */

static void lies(struct broker *b, const char *what) {
    fail(b, FAILURE_LIES, ERR_CORRUPT, "its encoder process broke the rules of the task pipe: %s",
         what);
}

static void take_read(struct broker *b) {
    uint64_t offset = pipe_get_u64(b->inbox.payload);
    uint32_t wanted = pipe_get_u32(b->inbox.payload + 8);
    if (offset > INT64_MAX || wanted > PIPE_READ_BYTES) {
        lies(b, "it asked for bytes that no source has");
        return;
    }
    struct err err = {0};
    const struct broker_source *source = &b->options->source;
    int64_t got = source->read(source->context, (int64_t)offset, b->box->window, wanted, &err);
    if (got < 0) {
        b->result->source_failed = true;
        fail(b, source_failure((enum err_code)got), (enum err_code)got, "%s", err.message);
        return;
    }
    b->result->stats.source_bytes += got;
    pipe_put_u32(pipe_outbox_begin(&b->outbox, 4), (uint32_t)got);
    pipe_outbox_end(&b->outbox, PIPE_DATA, 4);
}

static void take_progress(struct broker *b) {
    uint64_t done = pipe_get_u64(b->inbox.payload);
    uint64_t total = pipe_get_u64(b->inbox.payload + 8);
    if (done > INT64_MAX || total > INT64_MAX) {
        lies(b, "its progress is no number");
        return;
    }
    b->done = (int64_t)done;
    if (b->options->sink.progress != NULL) {
        b->options->sink.progress(b->options->sink.context, b->done, (int64_t)total);
    }
}

/* Parses a JSON frame by `read`; false where the child lied. */
static bool take_json(struct broker *b, const uint8_t *data, size_t size, void *out,
                      struct arena *arena,
                      void (*read)(void *out, struct arena *arena, struct reader *r)) {
    struct err err = {0};
    struct json *tree = NULL;
    if (json_tree_parse(&tree, data, size, &err) == 0) {
        struct reader r = reader_of(tree, pipe_type_name(b->inbox.type), &err);
        read(out, arena, &r);
    }
    json_tree_destroy(tree);
    if (err.code != ERR_NONE) {
        lies(b, err.message);
    }
    return err.code == ERR_NONE;
}

static void read_source(void *out, struct arena *arena, struct reader *r) {
    (void)arena; /* a document has its own */
    source_document_read(out, r);
}

static void read_report(void *out, struct arena *arena, struct reader *r) {
    segment_report_read(out, arena, r);
}

static void read_stats(void *out, struct arena *arena, struct reader *r) {
    (void)arena;
    task_stats_read(out, r);
}

static void take_source(struct broker *b) {
    struct source_document document = {0};
    if (b->options->sink.source == NULL) {
        lies(b, "a source document is no answer to its task");
    } else if (take_json(b, b->inbox.payload, b->inbox.size, &document, NULL, read_source)) {
        b->options->sink.source(b->options->sink.context, &document);
        return;
    }
    source_document_finish(&document);
}

static int task_rungs(const struct child_spec *spec) {
    return spec->kind == TASK_VIDEO ? spec->rung_count : spec->kind == TASK_PROBE ? 0 : 1;
}

/* Gives the piece on, with the frame's payload, or drops both. */
static void give(struct broker *b, struct made *made, size_t head) {
    if (b->over) {
        made_destroy(made);
        return;
    }
    made->size = b->inbox.size - head;
    made->payload = pipe_inbox_take(&b->inbox);
    made->data = made->payload + head;
    b->options->sink.made(b->options->sink.context, made);
}

static void take_init(struct broker *b) {
    const uint8_t *at = b->inbox.payload;
    struct made *made = mem_zero(1, sizeof(*made));
    uint32_t rung = pipe_get_u32(at);
    uint32_t size = pipe_get_u32(at + 12);
    if (rung >= (uint32_t)task_rungs(b->options->spec) || size > sizeof(made->record) ||
        size > b->inbox.size - 16 || pipe_get_u32(at + 4) > INT32_MAX ||
        pipe_get_u32(at + 8) > INT32_MAX) {
        lies(b, "an init segment of no rung, or without its record");
    } else {
        made->is_init = true;
        made->rung = (int)rung;
        made->reorder_frames = (int)pipe_get_u32(at + 4);
        made->priming = (int)pipe_get_u32(at + 8);
        made->record_size = size;
        memcpy(made->record, at + 16, size);
    }
    give(b, made, 16 + (size_t)size);
}

static void take_segment(struct broker *b) {
    const uint8_t *at = b->inbox.payload;
    struct made *made = mem_zero(1, sizeof(*made));
    uint32_t rung = pipe_get_u32(at);
    uint32_t size = pipe_get_u32(at + 4);
    if (rung >= (uint32_t)task_rungs(b->options->spec) || size > b->inbox.size - 8) {
        lies(b, "a segment of no rung, or without its report");
    } else if (take_json(b, at + 8, size, &made->report, &made->arena, read_report)) {
        made->rung = (int)rung;
    }
    give(b, made, 8 + (size_t)size);
}

static void take_done(struct broker *b) {
    struct task_stats said = {0};
    if (take_json(b, b->inbox.payload, b->inbox.size, &said, NULL, read_stats)) {
        struct task_stats *stats = &b->result->stats;
        stats->frames_decoded = said.frames_decoded;
        stats->frames_repaired = said.frames_repaired;
        stats->frames_concealed = said.frames_concealed;
        stats->decode_cpu_s = said.decode_cpu_s;
        stats->scale_cpu_s = said.scale_cpu_s;
        stats->encode_cpu_s = said.encode_cpu_s;
        stats->has_loudness = said.has_loudness;
        stats->loudness = said.loudness;
        b->over = true;
    }
}

static bool is_out_of_memory(const char *message) {
    static const char words[] = "out of memory";
    return strncmp(message, words, sizeof(words) - 1) == 0;
}

static void take_fail(struct broker *b) {
    struct err said = {0};
    pipe_error_read(b->inbox.payload, b->inbox.size, &said);
    for (char *c = said.message; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
    }
    static const struct {
        enum err_code code;
        enum failure_class failure;
    } meanings[] = {
        {ERR_CORRUPT, FAILURE_BAD_SOURCE},  {ERR_UNSUPPORTED, FAILURE_UNSUPPORTED},
        {ERR_INVALID, FAILURE_UNSUPPORTED}, /* the task, by what its encoder takes */
        {ERR_UNAVAILABLE, FAILURE_IO},      {ERR_TIMEOUT, FAILURE_IO},
    };
    enum failure_class failure = is_out_of_memory(said.message) ? FAILURE_OOM : FAILURE_CRASH;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        failure = meanings[i].code == said.code ? meanings[i].failure : failure;
    }
    fail(b, failure, said.code, "%s", said.message);
}

static void (*const takers[PIPE_TYPE_COUNT])(struct broker *) = {
    [PIPE_READ] = take_read, [PIPE_PROGRESS] = take_progress, [PIPE_SOURCE] = take_source,
    [PIPE_INIT] = take_init, [PIPE_SEGMENT] = take_segment,   [PIPE_DONE] = take_done,
    [PIPE_FAIL] = take_fail,
};

/* ---- The loop ---------------------------------------------------------------- */

static bool is_held(const struct broker *b) {
    return b->options->sink.full != NULL && b->options->sink.full(b->options->sink.context);
}

/* Whether nothing is left to send. */
static bool send_rest(struct broker *b) {
    if (pipe_outbox_busy(&b->outbox) && pipe_outbox_flush(&b->outbox, b->box->pipe, NULL) < 0) {
        b->outbox.size = 0; /* what the child said before it went is still to be read */
    }
    return !pipe_outbox_busy(&b->outbox);
}

static void receive(struct broker *b) {
    while (!b->over && !is_held(b)) {
        struct err err = {0};
        int got = pipe_inbox_fill(&b->inbox, b->box->pipe, &err);
        if (got == 0) {
            return;
        }
        b->active_ms = clock_monotonic_ms();
        if (got == 1) {
            takers[b->inbox.type](b);
            pipe_inbox_next(&b->inbox);
        } else if (got == ERR_UNAVAILABLE) {
            b->gone = true;
            b->over = true;
        } else {
            lies(b, err.message);
        }
        if (!send_rest(b)) {
            return;
        }
    }
}

/* Keeps the last TAIL_BYTES of what the child says to people. */
static void hear(struct broker *b) {
    char heard[TAIL_BYTES];
    ssize_t got = read(b->box->errors, heard, sizeof(heard));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close(b->box->errors);
        b->box->errors = -1;
    }
    if (got <= 0) {
        return;
    }
    size_t size = (size_t)got;
    size_t kept = b->tail_size + size > TAIL_BYTES ? TAIL_BYTES - size : b->tail_size;
    memmove(b->tail, b->tail + b->tail_size - kept, kept);
    memcpy(b->tail + kept, heard, size);
    b->tail_size = kept + size;
}

static void watch(struct broker *b) {
    const struct broker_options *o = b->options;
    int64_t now = clock_monotonic_ms();
    if (is_held(b)) {
        b->held_ms += now - b->looked_ms;
        b->active_ms = now;
    }
    b->looked_ms = now;
    double ran_s = (double)(now - b->started_ms - b->held_ms) / 1000;
    double silent_s = (double)(now - b->active_ms) / 1000;
    if (o->cancel != NULL && atomic_load(o->cancel)) {
        fail(b, FAILURE_KILLED, ERR_CANCELLED, "the task was stopped");
    } else if (o->sink.failed != NULL && o->sink.failed(o->sink.context)) {
        fail(b, FAILURE_REFUSED, ERR_CANCELLED, "what it made can't be put");
    } else if (o->wall_limit_s > 0 && ran_s > o->wall_limit_s) {
        fail(b, FAILURE_TIMEOUT, ERR_TIMEOUT, "it took longer than the %.0f s it may",
             o->wall_limit_s);
    } else if (o->stall_limit_s > 0 && silent_s > o->stall_limit_s) {
        fail(b, FAILURE_TIMEOUT, ERR_TIMEOUT, "nothing went on for %.0f s", silent_s);
    }
}

static void loop(struct broker *b) {
    while (!b->over) {
        bool held = is_held(b);
        bool busy = pipe_outbox_busy(&b->outbox);
        struct pollfd fds[] = {
            {held && !busy ? -1 : b->box->pipe, (short)(busy ? POLLOUT : POLLIN), 0},
            {b->box->errors, POLLIN, 0},
            {held ? b->options->sink.wake_fd : -1, POLLIN, 0},
        };
        poll(fds, 3, TICK_MS);
        if (fds[2].revents != 0) {
            b->options->sink.wake_clear(b->options->sink.context);
        }
        if (fds[1].revents != 0) {
            hear(b);
        }
        if (fds[0].revents != 0 && send_rest(b)) {
            receive(b);
        }
        if (!b->over) {
            watch(b);
        }
    }
}

/* ---- The end ------------------------------------------------------------------ */

static bool tail_says_memory(const struct broker *b) {
    static const char words[] = "out of memory";
    return memmem(b->tail, b->tail_size, words, sizeof(words) - 1) != NULL;
}

/* A child that ended without a last word. */
static void explain(struct broker *b, bool ended, const struct proc_result *end) {
    if (!ended) {
        lies(b, "it closed the pipe and went on");
    } else if (end->exited) {
        fail(b, FAILURE_CRASH, ERR_INTERNAL, "its encoder process left early with status %d",
             end->status);
    } else if (end->signal == SIGXCPU) {
        fail(b, FAILURE_TIMEOUT, ERR_TIMEOUT, "it took more CPU time than it may");
    } else if (end->signal == SIGSYS) {
        fail(b, FAILURE_CRASH, ERR_INTERNAL,
             "its encoder process asked the kernel for what no codec needs, and was ended; the "
             "source may be made to break out");
    } else if (end->signal == SIGKILL) {
        fail(b, FAILURE_KILLED, ERR_UNAVAILABLE,
             "its encoder process was killed from outside, perhaps for want of memory");
    } else if (tail_says_memory(b)) {
        fail(b, FAILURE_OOM, ERR_INTERNAL, "out of memory within the %" PRId64 " MiB it may have",
             b->options->memory_bytes >> 20);
    } else {
        fail(b, FAILURE_CRASH, ERR_INTERNAL, "its encoder process crashed (signal %d, %s)",
             end->signal, strsignal(end->signal));
    }
}

static void finish(struct broker *b) {
    struct proc_result end = {0};
    if (b->failed) {
        box_kill(b->box);
    }
    if (!b->gone) {
        box_hang_up(b->box);
    }
    bool ended = box_wait(b->box, END_MS, &end);
    if (b->box->errors >= 0) {
        hear(b);
    }
    if (b->gone) {
        explain(b, ended, &end);
    }
    if (!ended) {
        box_kill(b->box);
        box_wait(b->box, END_MS, &end);
    }
    b->result->stats.cpu_s = end.cpu_s;
    b->result->stats.peak_memory = end.peak_memory_bytes;
    b->result->stats.wall_s = (double)(clock_monotonic_ms() - b->started_ms) / 1000;
    if (b->tail_size > 0) {
        log_debug("the task child said", "text=\"%.*s\"", (int)b->tail_size, b->tail);
    }
    box_close(b->box);
    pipe_inbox_finish(&b->inbox);
    pipe_outbox_finish(&b->outbox);
}

static void begin(struct broker *b) {
    struct buf json = {0};
    struct writer w = writer_of(&json);
    child_spec_write(b->options->spec, &w, NULL);
    uint8_t *room = json.size <= PIPE_DOCUMENT_BYTES ? pipe_outbox_begin(&b->outbox, json.size)
                                                     : NULL;
    if (room == NULL) {
        fail(b, FAILURE_UNSUPPORTED, ERR_UNSUPPORTED, "its index of %zu MiB is too large",
             json.size >> 20);
    } else {
        memcpy(room, json.data, json.size);
        pipe_outbox_end(&b->outbox, PIPE_SPEC, json.size);
    }
    buf_finish(&json);
}

/* Threads count: a ladder may give an encoder more than one. */
static int64_t cpu_limit(const struct broker_options *o) {
    int64_t threads = child_spec_threads(o->spec);
    return o->wall_limit_s > 0 ? ((int64_t)o->wall_limit_s + 1) * threads : 0;
}

int broker_run(struct box *box, const struct broker_options *options, struct broker_result *result,
               struct err *err) {
    struct err why = {0};
    int64_t now = clock_monotonic_ms();
    struct broker broker = {
        .options = options,
        .box = box,
        .result = result,
        .err = &why,
        .inbox = {.from = PIPE_CHILD},
        .started_ms = now,
        .looked_ms = now,
        .active_ms = now,
    };
    *result = (struct broker_result){0};
    if (box_limit(box, options->memory_bytes, cpu_limit(options), &why) != 0) {
        fail(&broker, FAILURE_IO, ERR_INTERNAL, "its limits can't be set");
    } else {
        begin(&broker);
    }
    loop(&broker);
    finish(&broker);
    return broker.failed ? err_set(err, why.code, "%s", why.message) : 0;
}
