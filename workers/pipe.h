/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language between a worker and its task child: frames over one socketpair,
 * each {u32 length of the payload, u8 type} in little endian and then the payload.
 * Both sides use this file. The worker's end does not block; the child's does. Source
 * bytes alone go another way: through the window, a MiB of memory that the worker writes
 * and the child can only read (a socket would copy each byte twice more and wake the
 * child every 32 KiB: a quarter of the CPU of a probe's pass).
 * Every length is bounded by its type, and a type is only taken from the side that
 * may send it, so that a child that lies costs nothing but itself.
 */
#ifndef WORKERS_PIPE_H
#define WORKERS_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum pipe_type {
    /* worker -> child */
    PIPE_SPEC = 1, /* JSON: child_spec; once, first */
    PIPE_DATA,     /* answer to READ: u32 n, the bytes that lie in the window now; 0 at the
                      end; a source that can't be read ends the child instead, so that a gap
                      is never taken for damage */
    /* child -> worker */
    PIPE_READ,     /* u64 offset, u32 size */
    PIPE_PROGRESS, /* u64 done, u64 total */
    PIPE_SOURCE,   /* JSON: source_document of a probe */
    PIPE_INIT,     /* u32 rung, u32 reorder_frames, u32 priming, u32 n, n bytes of
                      configuration record, the init segment */
    PIPE_SEGMENT,  /* u32 rung, u32 n, n bytes of JSON: segment_report, the segment */
    PIPE_DONE,     /* JSON: task_stats as far as the child knows them; the last frame */
    PIPE_FAIL,     /* JSON {code, message}; the last frame */
    PIPE_TYPE_COUNT
};

enum {
    PIPE_HEADER = 5,
    PIPE_FD = 3,                    /* the child's end in the child */
    PIPE_WINDOW_FD = 4,             /* the window in the child, until it has mapped it */
    PIPE_READ_BYTES = 1 << 20,      /* most that one READ may ask for: the window's size */
    PIPE_SEGMENT_BYTES = 256 << 20, /* most that a segment or init may have */
    PIPE_DOCUMENT_BYTES = 64 << 20, /* most that a JSON document may have */
    PIPE_FAIL_BYTES = 8 << 10,
    PIPE_STATS_BYTES = 64 << 10,
};

/* "segment", ...; "unknown" for a number that is no type. */
const char *pipe_type_name(int type);

enum pipe_side { PIPE_WORKER, PIPE_CHILD };

/* Frames that arrive, one after the other. Zeroed but for `from`. */
struct pipe_inbox {
    enum pipe_side from; /* who sends here */
    uint8_t header[PIPE_HEADER];
    size_t header_used;
    enum pipe_type type;
    uint8_t *payload; /* owned; `size` bytes once the frame is whole */
    size_t size;
    size_t used;
};

/*
 * Takes in what is there: 1 when a frame is whole (type, payload and size are then
 * set), 0 when more must arrive first (never from a blocking descriptor). Negative:
 * CORRUPT for a frame that breaks the rules, UNAVAILABLE when the other side has
 * gone. After 1, pipe_inbox_next makes room for the next frame.
 */
int pipe_inbox_fill(struct pipe_inbox *inbox, int fd, struct err *err);

/* Forgets the frame; its payload is freed unless pipe_inbox_take took it. */
void pipe_inbox_next(struct pipe_inbox *inbox);

/* The payload, owned by the caller from now on. */
uint8_t *pipe_inbox_take(struct pipe_inbox *inbox);

void pipe_inbox_finish(struct pipe_inbox *inbox);

/* For a blocking descriptor whose next frame must be of this type: its payload straight
 * into `data`, which has room for `size` bytes; returns how many came. CORRUPT for another
 * frame or a larger one, UNAVAILABLE when the other side has gone. */
int64_t pipe_receive(int fd, enum pipe_type type, void *data, size_t size, struct err *err);

/* One frame on its way out of a descriptor that does not block. Zeroed at first. */
struct pipe_outbox {
    uint8_t *data; /* owned; header and payload */
    size_t capacity;
    size_t size; /* 0: nothing to send */
    size_t sent;
};

/* Begins a frame of at most `size` bytes of payload and returns where to put them,
 * borrowed; NULL where memory is gone. The frame before must be sent. */
uint8_t *pipe_outbox_begin(struct pipe_outbox *outbox, size_t size);

/* Says what the frame is, now that its payload is there and has `size` bytes. */
void pipe_outbox_end(struct pipe_outbox *outbox, enum pipe_type type, size_t size);

/* Sends what the descriptor takes: 1 when all is sent, 0 when it would block,
 * negative (UNAVAILABLE) when the other side has gone. */
int pipe_outbox_flush(struct pipe_outbox *outbox, int fd, struct err *err);

/* Whether a frame is not all sent yet. */
bool pipe_outbox_busy(const struct pipe_outbox *outbox);
void pipe_outbox_finish(struct pipe_outbox *outbox);

/* Sends a frame of up to three parts through a blocking descriptor, without a
 * copy. INTERNAL where it is larger than its type may be. */
struct pipe_part {
    const void *data; /* borrowed during the call */
    size_t size;
};
enum { PIPE_PARTS = 3 };
int pipe_send(int fd, enum pipe_type type, const struct pipe_part *parts, size_t count,
              struct err *err);

/* Little-endian numbers of fixed payloads. */
void pipe_put_u32(uint8_t *out, uint32_t value);
void pipe_put_u64(uint8_t *out, uint64_t value);
uint32_t pipe_get_u32(const uint8_t *in);
uint64_t pipe_get_u64(const uint8_t *in);

/* An error as it crosses the pipe: JSON {code, message}. The code of a message that
 * can't be read is CORRUPT. */
struct buf;
void pipe_error_write(const struct err *error, struct buf *out);
int pipe_error_read(const uint8_t *data, size_t size, struct err *out);

#endif
