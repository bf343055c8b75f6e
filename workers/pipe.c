/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames between worker and task child: see pipe.h. */
#include "pipe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"

/* Who may send what, and how much of it. */
static const struct {
    const char *name;
    enum pipe_side from;
    uint32_t least;
    uint32_t most;
} types[PIPE_TYPE_COUNT] = {
    [PIPE_SPEC] = {"spec", PIPE_WORKER, 2, PIPE_DOCUMENT_BYTES},
    [PIPE_DATA] = {"data", PIPE_WORKER, 4, 4},
    [PIPE_READ] = {"read", PIPE_CHILD, 12, 12},
    [PIPE_PROGRESS] = {"progress", PIPE_CHILD, 16, 16},
    [PIPE_SOURCE] = {"source", PIPE_CHILD, 2, PIPE_DOCUMENT_BYTES},
    [PIPE_INIT] = {"init", PIPE_CHILD, 17, 1 << 20},
    [PIPE_SEGMENT] = {"segment", PIPE_CHILD, 10, PIPE_SEGMENT_BYTES},
    [PIPE_DONE] = {"done", PIPE_CHILD, 2, PIPE_STATS_BYTES},
    [PIPE_FAIL] = {"fail", PIPE_CHILD, 2, PIPE_FAIL_BYTES},
};

const char *pipe_type_name(int type) {
    return type > 0 && type < PIPE_TYPE_COUNT ? types[type].name : "unknown";
}

void pipe_put_u32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

void pipe_put_u64(uint8_t *out, uint64_t value) {
    pipe_put_u32(out, (uint32_t)value);
    pipe_put_u32(out + 4, (uint32_t)(value >> 32));
}

uint32_t pipe_get_u32(const uint8_t *in) {
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

uint64_t pipe_get_u64(const uint8_t *in) {
    return (uint64_t)pipe_get_u32(in) | (uint64_t)pipe_get_u32(in + 4) << 32;
}

static void header_write(uint8_t header[PIPE_HEADER], enum pipe_type type, size_t size) {
    pipe_put_u32(header, (uint32_t)size);
    header[4] = (uint8_t)type;
}

/* 1 for bytes received (added to *used), 0 for none yet, negative when there will be none. */
static int receive(int fd, uint8_t *into, size_t wanted, size_t *used, struct err *err) {
    ssize_t got = recv(fd, into + *used, wanted - *used, 0);
    if (got > 0) {
        *used += (size_t)got;
        return 1;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return err_set(err, ERR_UNAVAILABLE, "the other side of the task pipe has gone");
}

static int header_read(struct pipe_inbox *inbox, struct err *err) {
    uint32_t size = pipe_get_u32(inbox->header);
    int type = inbox->header[4];
    if (type <= 0 || type >= PIPE_TYPE_COUNT || types[type].from != inbox->from) {
        return err_set(err, ERR_CORRUPT, "a frame of type %d came from the wrong side", type);
    }
    if (size < types[type].least || size > types[type].most) {
        return err_set(err, ERR_CORRUPT, "a frame '%s' of %u bytes is not within %u to %u",
                       types[type].name, size, types[type].least, types[type].most);
    }
    inbox->payload = mem_try(size);
    if (inbox->payload == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for a frame of %u bytes", size);
    }
    inbox->type = (enum pipe_type)type;
    inbox->size = size;
    inbox->used = 0;
    return 0;
}

int pipe_inbox_fill(struct pipe_inbox *inbox, int fd, struct err *err) {
    while (inbox->header_used < PIPE_HEADER) {
        int got = receive(fd, inbox->header, PIPE_HEADER, &inbox->header_used, err);
        if (got <= 0) {
            return got;
        }
        if (inbox->header_used == PIPE_HEADER) {
            int failed = header_read(inbox, err);
            if (failed != 0) {
                return failed;
            }
        }
    }
    while (inbox->used < inbox->size) {
        int got = receive(fd, inbox->payload, inbox->size, &inbox->used, err);
        if (got <= 0) {
            return got;
        }
    }
    return 1;
}

void pipe_inbox_next(struct pipe_inbox *inbox) {
    mem_free(inbox->payload);
    *inbox = (struct pipe_inbox){.from = inbox->from};
}

uint8_t *pipe_inbox_take(struct pipe_inbox *inbox) {
    uint8_t *payload = inbox->payload;
    inbox->payload = NULL;
    return payload;
}

void pipe_inbox_finish(struct pipe_inbox *inbox) {
    pipe_inbox_next(inbox);
}

static int receive_all(int fd, uint8_t *into, size_t size, struct err *err) {
    size_t used = 0;
    while (used < size) {
        int got = receive(fd, into, size, &used, err);
        if (got < 0) {
            return got;
        }
    }
    return 0;
}

int64_t pipe_receive(int fd, enum pipe_type type, void *data, size_t size, struct err *err) {
    uint8_t header[PIPE_HEADER];
    int failed = receive_all(fd, header, PIPE_HEADER, err);
    if (failed != 0) {
        return failed;
    }
    uint32_t coming = pipe_get_u32(header);
    if (header[4] != type || coming > size) {
        return err_set(err, ERR_CORRUPT, "a frame '%s' of %u bytes came where '%s' was due",
                       pipe_type_name(header[4]), coming, types[type].name);
    }
    failed = receive_all(fd, data, coming, err);
    return failed != 0 ? failed : (int64_t)coming;
}

uint8_t *pipe_outbox_begin(struct pipe_outbox *outbox, size_t size) {
    assert(outbox->size == 0);
    if (outbox->capacity < PIPE_HEADER + size) {
        mem_free(outbox->data);
        outbox->data = mem_try(PIPE_HEADER + size);
        outbox->capacity = outbox->data != NULL ? PIPE_HEADER + size : 0;
    }
    return outbox->data != NULL ? outbox->data + PIPE_HEADER : NULL;
}

void pipe_outbox_end(struct pipe_outbox *outbox, enum pipe_type type, size_t size) {
    assert(PIPE_HEADER + size <= outbox->capacity && size <= types[type].most);
    header_write(outbox->data, type, size);
    outbox->size = PIPE_HEADER + size;
    outbox->sent = 0;
}

int pipe_outbox_flush(struct pipe_outbox *outbox, int fd, struct err *err) {
    while (outbox->sent < outbox->size) {
        ssize_t wrote =
            send(fd, outbox->data + outbox->sent, outbox->size - outbox->sent, MSG_NOSIGNAL);
        if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) {
            return 0;
        }
        if (wrote < 0) {
            return err_set(err, ERR_UNAVAILABLE, "the other side of the task pipe has gone");
        }
        outbox->sent += (size_t)wrote;
    }
    outbox->size = 0;
    return 1;
}

bool pipe_outbox_busy(const struct pipe_outbox *outbox) {
    return outbox->size > 0;
}

void pipe_outbox_finish(struct pipe_outbox *outbox) {
    mem_free(outbox->data);
    *outbox = (struct pipe_outbox){0};
}

int pipe_send(int fd, enum pipe_type type, const struct pipe_part *parts, size_t count,
              struct err *err) {
    assert(count <= PIPE_PARTS);
    uint8_t header[PIPE_HEADER];
    struct iovec pieces[1 + PIPE_PARTS] = {{header, PIPE_HEADER}};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        pieces[1 + i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].size};
        size += parts[i].size;
    }
    if (size > types[type].most) {
        return err_set(err, ERR_INTERNAL, "a frame '%s' of %zu bytes is over the %u it may have",
                       types[type].name, size, types[type].most);
    }
    header_write(header, type, size);
    size_t first = 0;
    while (first < 1 + count) {
        struct msghdr message = {.msg_iov = pieces + first, .msg_iovlen = 1 + count - first};
        ssize_t wrote = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return err_set_errno(err, errno, "cannot write to the task pipe");
        }
        while (first < 1 + count && (size_t)wrote >= pieces[first].iov_len) {
            wrote -= (ssize_t)pieces[first++].iov_len;
        }
        if (first < 1 + count) {
            pieces[first].iov_base = (uint8_t *)pieces[first].iov_base + wrote;
            pieces[first].iov_len -= (size_t)wrote;
        }
    }
    return 0;
}

void pipe_error_write(const struct err *error, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "code", err_code_name(error->code));
    writer_string(&w, "message", error->message);
    writer_object_end(&w);
}

int pipe_error_read(const uint8_t *data, size_t size, struct err *out) {
    struct err err = {0};
    struct json *tree = NULL;
    const char *code = NULL;
    const char *message = NULL;
    if (json_tree_parse(&tree, data, size, &err) == 0) {
        struct reader r = reader_of(tree, "error frame", &err);
        reader_string(&r, "code", &code);
        reader_string(&r, "message", &message);
    }
    if (err.code != ERR_NONE) {
        err_set(out, ERR_CORRUPT, "an error frame can't be read: %s", err.message);
    } else {
        enum err_code known = err_code_from_name(code);
        err_set(out, known != ERR_NONE ? known : ERR_INTERNAL, "%s", message);
    }
    json_tree_destroy(tree);
    return out->code;
}
