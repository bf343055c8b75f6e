/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing byte buffer, with big-endian writers for file formats and a
 * bounded reader for bytes from outside. Growth goes through mem_resize.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* owned; NULL while empty */
    size_t size;   /* bytes in use */
    size_t capacity;
};

/* Frees the bytes; the buffer is empty and may be used again. Takes a zeroed one. */
void buf_finish(struct buf *buf);

/* Forgets the content and keeps the memory. */
void buf_clear(struct buf *buf);

/* Makes room for `extra` more bytes. */
void buf_reserve(struct buf *buf, size_t extra);

/* The same and no more, for what will not grow on: large bodies of known size. */
void buf_reserve_exact(struct buf *buf, size_t extra);

/* Moves what `from` holds behind what is there, without a copy where nothing is; `from` is empty
 * afterwards. */
void buf_move(struct buf *buf, struct buf *from);

/* Changes the two for each other. */
void buf_swap(struct buf *one, struct buf *other);

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_string(struct buf *buf, const char *text); /* without the NUL */
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Words of others on their way to people: each control byte as a blank. */
void buf_plain(struct buf *buf, const char *text);
void buf_zero(struct buf *buf, size_t count);

/* Big-endian writers: the low `8 * n` bits of the value. */
void buf_u8(struct buf *buf, uint8_t value);
void buf_u16(struct buf *buf, uint16_t value);
void buf_u24(struct buf *buf, uint32_t value);
void buf_u32(struct buf *buf, uint32_t value);
void buf_u64(struct buf *buf, uint64_t value);

/* Overwrites four bytes at `offset`, which must lie inside the buffer. */
void buf_put_u32(struct buf *buf, size_t offset, uint32_t value);

/* The bytes as a C string: appends a NUL that `size` does not count; borrowed
 * until the next write. */
const char *buf_text(struct buf *buf);

/*
 * Reads bytes that may lie. Reading past the end sets `short_read` and gives
 * zeros, so that a parser checks once at its end.
 */
struct bytes {
    const uint8_t *data; /* borrowed */
    size_t size;
    size_t at; /* next byte */
    bool short_read;
};

/* A reader that stands on the first byte. Numbers are big-endian. */
struct bytes bytes_of(const void *data, size_t size);
size_t bytes_left(const struct bytes *bytes);
uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16(struct bytes *bytes);
uint32_t bytes_u24(struct bytes *bytes);
uint32_t bytes_u32(struct bytes *bytes);
uint64_t bytes_u64(struct bytes *bytes);

/* Moves past `size` bytes and returns where they begin, borrowed; NULL where
 * fewer are left (short_read is then set). */
const uint8_t *bytes_take(struct bytes *bytes, size_t size);

#endif
