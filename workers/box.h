/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task child as a process: started ahead of its task (linking the codecs takes tens
 * of milliseconds), given its limits when the task is known, ended without mercy.
 */
#ifndef WORKERS_BOX_H
#define WORKERS_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/proc.h"
#include "sandbox.h"

struct box_options {
    const char *program; /* borrowed; the reelfarm-worker executable */
    enum sandbox_level sandbox;
    bool mask_cpu; /* tests only: no CPU feature beyond the architecture's base */
};

struct box {
    struct proc proc; /* pid 0: no child */
    int pipe;         /* owned; our end of the socketpair, does not block; -1: closed */
    int errors;       /* owned; the child's stderr, does not block; -1: closed */
    uint8_t *window;  /* owned; PIPE_READ_BYTES that the child reads source bytes from */
};

/* What a closed box is. */
#define BOX_CLOSED ((struct box){.pipe = -1, .errors = -1})

/* Starts a child that waits for its spec: an environment that says how glibc is to allocate and
 * nothing else, no descriptor but the pipe, its window and stderr, no Ctrl-C. It dies with the
 * calling thread. `out` is a closed box, and stays one on failure. */
int box_open(struct box *out, const struct box_options *options, struct err *err);

/* Bounds of the task: address space in bytes, CPU seconds (SIGXCPU); 0 for none. */
int box_limit(const struct box *box, int64_t memory_bytes, int64_t cpu_s, struct err *err);

/* Closes our end of the pipe. */
void box_hang_up(struct box *box);

/* Kills the child, if it lives; box_wait reaps it. */
void box_kill(const struct box *box);

/* Whether the child has ended within so many milliseconds; it is reaped then. */
bool box_wait(struct box *box, int timeout_ms, struct proc_result *result);

/* Kills the child if it lives, and frees all. Takes a closed one. */
void box_close(struct box *box);

#endif
