/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing buffers and a bounded reader: see buf.h. */
#include "common/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

void buf_finish(struct buf *buf) {
    mem_free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) {
    buf->size = 0;
}

static void resize(struct buf *buf, size_t capacity) {
    buf->data = mem_resize(buf->data, capacity, 1);
    buf->capacity = capacity;
}

static size_t need_of(const struct buf *buf, size_t extra) {
    assert(extra <= SIZE_MAX / 4 && buf->size <= SIZE_MAX / 4);
    return buf->size + extra;
}

void buf_reserve(struct buf *buf, size_t extra) {
    size_t need = need_of(buf, extra);
    if (need <= buf->capacity) {
        return;
    }
    size_t capacity = buf->capacity > 0 ? buf->capacity : 256;
    while (capacity < need) {
        capacity *= 2;
    }
    resize(buf, capacity);
}

void buf_reserve_exact(struct buf *buf, size_t extra) {
    size_t need = need_of(buf, extra);
    if (need > buf->capacity) {
        resize(buf, need);
    }
}

void buf_swap(struct buf *one, struct buf *other) {
    struct buf kept = *one;
    *one = *other;
    *other = kept;
}

void buf_move(struct buf *buf, struct buf *from) {
    if (buf->size == 0 && from->size > 0) {
        buf_swap(buf, from);
    } else {
        buf_append(buf, from->data, from->size);
    }
    buf_finish(from);
}

void buf_append(struct buf *buf, const void *data, size_t size) {
    if (size > 0) {
        buf_reserve(buf, size);
        memcpy(buf->data + buf->size, data, size);
        buf->size += size;
    }
}

void buf_string(struct buf *buf, const char *text) {
    buf_append(buf, text, strlen(text));
}

void buf_format(struct buf *buf, const char *format, ...) {
    assert(format != NULL);
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size > 0) {
        buf_reserve(buf, (size_t)size + 1);
        vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

void buf_plain(struct buf *buf, const char *text) {
    for (; *text != '\0'; text++) {
        bool is_control = (unsigned char)*text < 0x20 || *text == 0x7f;
        buf_u8(buf, is_control ? ' ' : (uint8_t)*text);
    }
}

void buf_zero(struct buf *buf, size_t count) {
    buf_reserve(buf, count);
    if (count > 0) {
        memset(buf->data + buf->size, 0, count);
        buf->size += count;
    }
}

static void append_big_endian(struct buf *buf, uint64_t value, int count) {
    buf_reserve(buf, (size_t)count);
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
        buf->data[buf->size++] = (uint8_t)(value >> shift);
    }
}

void buf_u8(struct buf *buf, uint8_t value) {
    append_big_endian(buf, value, 1);
}

void buf_u16(struct buf *buf, uint16_t value) {
    append_big_endian(buf, value, 2);
}

void buf_u24(struct buf *buf, uint32_t value) {
    append_big_endian(buf, value, 3);
}

void buf_u32(struct buf *buf, uint32_t value) {
    append_big_endian(buf, value, 4);
}

void buf_u64(struct buf *buf, uint64_t value) {
    append_big_endian(buf, value, 8);
}

void buf_put_u32(struct buf *buf, size_t offset, uint32_t value) {
    assert(buf->size >= 4 && offset <= buf->size - 4);
    for (int i = 0; i < 4; i++) {
        buf->data[offset + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

const char *buf_text(struct buf *buf) {
    buf_reserve(buf, 1);
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}

struct bytes bytes_of(const void *data, size_t size) {
    return (struct bytes){.data = data, .size = size};
}

size_t bytes_left(const struct bytes *bytes) {
    return bytes->size - bytes->at;
}

const uint8_t *bytes_take(struct bytes *bytes, size_t size) {
    if (size > bytes_left(bytes)) {
        bytes->short_read = true;
        bytes->at = bytes->size;
        return NULL;
    }
    const uint8_t *data = bytes->data + bytes->at;
    bytes->at += size;
    return data;
}

static uint64_t take_big_endian(struct bytes *bytes, int count) {
    const uint8_t *data = bytes_take(bytes, (size_t)count);
    uint64_t value = 0;
    for (int i = 0; data != NULL && i < count; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

uint8_t bytes_u8(struct bytes *bytes) {
    return (uint8_t)take_big_endian(bytes, 1);
}

uint16_t bytes_u16(struct bytes *bytes) {
    return (uint16_t)take_big_endian(bytes, 2);
}

uint32_t bytes_u24(struct bytes *bytes) {
    return (uint32_t)take_big_endian(bytes, 3);
}

uint32_t bytes_u32(struct bytes *bytes) {
    return (uint32_t)take_big_endian(bytes, 4);
}

uint64_t bytes_u64(struct bytes *bytes) {
    return take_big_endian(bytes, 8);
}
