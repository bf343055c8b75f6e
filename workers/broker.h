/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One task child, from its spec to its end: serves its reads, takes what it makes,
 * watches its limits, and gives each way to fail its class. It never hangs: whatever
 * the child does, broker_run returns within the limits.
 */
#ifndef WORKERS_BROKER_H
#define WORKERS_BROKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "box.h"
#include "common/err.h"
#include "common/wire.h"

/* One thing that a child made: the init segment or a media segment of a rung. Its
 * numbers are the child's word. */
struct made {
    struct made *next; /* for a queue */
    int rung;
    bool is_init;
    /* init */
    uint8_t record[512];
    size_t record_size;
    int reorder_frames;
    int priming;
    /* segment */
    struct arena arena; /* what the report holds */
    struct segment_report report;
    const uint8_t *data; /* in `payload` */
    size_t size;
    uint8_t *payload; /* owned */
};

/* Takes NULL. */
void made_destroy(struct made *made);

/* Where source bytes come from, as struct source_io: up to `size` bytes at `offset`; 0
 * at the end; negative ends the task with the class that `source_failure` gives. */
struct broker_source {
    int64_t (*read)(void *context, int64_t offset, void *data, size_t size, struct err *err);
    void *context;
};

/* Where results go; functions that do not fit the task's kind may be NULL. */
struct broker_sink {
    /* Takes the piece. */
    void (*made)(void *context, struct made *made);
    /* Takes the document's content. */
    void (*source)(void *context, struct source_document *document);
    void (*progress)(void *context, int64_t done, int64_t total);
    /* Whether the child's pipe is to be held back, and a descriptor that becomes readable when
     * that may have changed (wake_clear makes it unreadable); -1 for none. Time held back
     * counts against no limit. */
    bool (*full)(void *context);
    void (*wake_clear)(void *context);
    int wake_fd;
    /* Whether the sink can't go on: the child is ended, and the sink knows why. */
    bool (*failed)(void *context);
    void *context;
};

struct broker_options {
    const struct child_spec *spec; /* borrowed */
    struct broker_source source;
    struct broker_sink sink;
    int64_t memory_bytes;      /* the child's address space; 0 for no limit */
    double wall_limit_s;       /* of the attempt; 0 for none */
    double stall_limit_s;      /* longest time without progress, READ or result; 0 for none */
    const atomic_bool *cancel; /* looked at ten times a second */
};

struct broker_result {
    enum failure_class failure; /* where broker_run failed */
    bool source_failed;         /* a read of the source failed: the sentence is its own */
    struct task_stats stats;    /* as far as known, on failure too */
};

/*
 * Runs one task in the child of `box` and waits for its end; the box is closed then.
 * 0 when the child said DONE. Otherwise a negative code, a sentence that does not name
 * the source ("it has no video stream; ...", unless a read of the source failed), and
 * result->failure; CANCELLED where `cancel` became true or the sink failed, and the class
 * then says nothing.
 */
int broker_run(struct box *box, const struct broker_options *options, struct broker_result *result,
               struct err *err);

/* The class of a failed read of the source. */
enum failure_class source_failure(enum err_code code);

#endif
