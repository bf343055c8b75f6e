/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory policy. Small control-plane allocations go through mem_*, which ends
 * the process with a log line when memory is gone, so callers have no error
 * path for it. Sizes taken from input (frames, bodies, boxes) are bounded by
 * the caller first; for those above a few MiB use mem_try, which may fail.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Returns owned, zeroed memory; never NULL. */
void *mem_zero(size_t count, size_t size);

/* Grows or shrinks to count * size bytes (checked for overflow); returns owned,
 * never NULL. New bytes are not zeroed. */
void *mem_resize(void *memory, size_t count, size_t size);

/* Returns owned, uninitialised memory, or NULL: for sizes that depend on input. */
void *mem_try(size_t size);

/* Returns an owned copy of the string; NULL for NULL. */
char *mem_string(const char *text);

/* Returns an owned, formatted string. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Frees memory of mem_*; takes NULL. */
void mem_free(void *memory);

/*
 * An arena holds tree-shaped data that dies together: a ladder, a plan, a
 * presentation. Everything taken from it is freed by arena_finish.
 */
struct arena {
    struct arena_block *blocks; /* newest first */
};

/* Zeroed memory that lives as long as the arena, aligned for any type. */
void *arena_zero(struct arena *arena, size_t count, size_t size);

/* A copy of the string. */
char *arena_string(struct arena *arena, const char *text);

/* A formatted string. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Frees everything; the arena is empty and may be used again. Takes a zeroed one. */
void arena_finish(struct arena *arena);

#endif
