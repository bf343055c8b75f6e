/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that cannot fail, and arenas: see mem.h. */
#include "common/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    _Alignas(max_align_t) unsigned char data[];
};

static void *or_die(void *memory) {
    if (memory == NULL) {
        fputs("level=error msg=\"out of memory\"\n", stderr);
        abort();
    }
    return memory;
}

void *mem_zero(size_t count, size_t size) {
    return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_resize(void *memory, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / size) {
        return or_die(NULL);
    }
    size_t total = count * size;
    return or_die(realloc(memory, total > 0 ? total : 1));
}

void *mem_try(size_t size) {
    return malloc(size > 0 ? size : 1);
}

char *mem_string(const char *text) {
    return text == NULL ? NULL : or_die(strdup(text));
}

char *mem_format(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    return or_die(size < 0 ? NULL : text);
}

void mem_free(void *memory) {
    free(memory);
}

void *arena_zero(struct arena *arena, size_t count, size_t size) {
    if (size > 0 && count > (SIZE_MAX / 2) / size) {
        return or_die(NULL);
    }
    size_t align = sizeof(max_align_t);
    size_t total = (count * size + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < total) {
        size_t room = total > ARENA_BLOCK_BYTES ? total : ARENA_BLOCK_BYTES;
        block = or_die(calloc(1, sizeof(*block) + room));
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += total;
    return memory;
}

char *arena_string(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(arena_zero(arena, size, 1), text, size);
}

char *arena_format(struct arena *arena, const char *format, ...) {
    assert(format != NULL);
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_zero(arena, (size_t)(size < 0 ? 0 : size) + 1, 1);
    vsnprintf(text, (size_t)(size < 0 ? 0 : size) + 1, format, again);
    va_end(again);
    return text;
}

void arena_finish(struct arena *arena) {
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
