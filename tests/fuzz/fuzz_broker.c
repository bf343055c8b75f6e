/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile child: which task it was given in a byte (odd: sound, even: a probe), then all that
 * it sends. What it makes goes through the gate of the title that fuzz/run makes its seeds of.
 */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "harness.h"
#include "workers/gate.h"
#include "workers/pipe.h"

enum { SAID_MAX = 64 << 10 /* fits in a socket */, READS_MAX = 32, FRAMES = 48 };

struct work {
    struct child_spec spec;
    struct task_report report;
    struct unit_report unit;
    struct gate gate;
    int reads;
};

/* Answers are not taken from the pipe, so there must not be many. */
static int64_t read_source(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    struct work *work = context;
    if (++work->reads > READS_MAX) {
        return err_set(err, ERR_UNAVAILABLE, "that is enough");
    }
    memset(data, (int)offset, size);
    return (int64_t)size;
}

static void take_made(void *context, struct made *made) {
    struct work *work = context;
    char name[GATE_NAME];
    gate_pass(&work->gate, made, name, NULL);
    made_destroy(made);
}

static void take_source(void *context, struct source_document *document) {
    (void)context;
    source_document_finish(document);
}

static void set_work(struct work *work, bool sound) {
    struct grid_options options = grid_options_default();
    options.frames = FRAMES;
    options.rate = (struct rational){24, 1};
    options.gop_ms = 500;
    work->spec = (struct child_spec){
        .kind = sound ? TASK_AUDIO : TASK_PROBE,
        .source.timeline = {.rate = options.rate, .frames = FRAMES},
        .audio = {CODEC_AAC, .encoder = "aac", .sample_rate = 48000, .channels = 2,
                  .bitrate_bps = 64000, .language = "und"},
    };
    int failed = grid_create(&work->spec.grid, &options, NULL);
    assert(failed == 0);
    gate_init(&work->gate, &work->spec, 0, &work->unit, &work->report.arena);
}

/* A box without a process: what it says lies in its pipe already. */
static void run(struct work *work, int pipe) {
    struct box box = BOX_CLOSED;
    struct broker_options options = {
        .spec = &work->spec,
        .source = {read_source, work},
        .sink = {.wake_fd = -1, .context = work},
        .stall_limit_s = 2,
    };
    struct broker_result result;
    if (work->spec.kind == TASK_PROBE) {
        options.sink.source = take_source;
    } else {
        options.sink.made = take_made;
    }
    box.pipe = pipe;
    box.window =
        mmap(NULL, PIPE_READ_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(box.window != MAP_FAILED);
    struct err err = {0};
    int failed = broker_run(&box, &options, &result, &err);
    assert((failed != 0) == (err.code != ERR_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct work work = {0};
    int ends[2];
    if (size == 0 || size > SAID_MAX) {
        return 0;
    }
    int failed = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    assert(failed == 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ssize_t written = write(ends[1], data + 1, size - 1);
    assert(written == (ssize_t)size - 1);
    shutdown(ends[1], SHUT_WR);
    set_work(&work, (data[0] & 1) != 0);
    run(&work, ends[0]);
    close(ends[1]);
    task_report_finish(&work.report);
    grid_destroy(work.spec.grid);
    return 0;
}
