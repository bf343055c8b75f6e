/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structs <-> JSON by tables: one line a field serves both ways, so that what is
 * written is what is read. For those who map structs of their own: wire_*.c, ladders.
 *
 * Reading trusts nothing: numbers have bounds, texts and lists have a most, and
 * whatever may become part of a path is a name.
 */
#ifndef COMMON_WIRE_FIELDS_H
#define COMMON_WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/grid.h"
#include "common/json.h"
#include "common/media.h"
#include "common/wire.h"

enum field_type {
    FIELD_INT,      /* int, in [min, max] */
    FIELD_INT64,    /* int64_t */
    FIELD_UINT16,   /* uint16_t */
    FIELD_UINT32,   /* uint32_t */
    FIELD_REAL,     /* double */
    FIELD_BOOL,     /* bool */
    FIELD_TEXT,     /* char[size]: control characters become spaces when read */
    FIELD_NAME,     /* char[size]: "" (unless min is 1) or letters, digits and "._-" */
    FIELD_PATH,     /* char[size]: "" or names with slashes between them */
    FIELD_HASH,     /* char[65]: "" or 64 lower-case hex digits */
    FIELD_STRING,   /* const char * in the arena, at most max bytes; read as TEXT */
    FIELD_CHOICE,   /* an enum by `names`, from min on */
    FIELD_RATIONAL, /* "num/den": num in [min, max], den in [1, max] */
    FIELD_OBJECT,   /* a struct with fields of its own */
    FIELD_OPTIONAL, /* the same, there only where the bool at `beside` is set */
    FIELD_LIST, /* a pointer to `beside` (size_t) structs with fields of their own, max of them */
    FIELD_STRINGS, /* const char ** to `beside` strings of at most 4 KiB, max of them */
    FIELD_OTHER,   /* by functions, which are given the whole struct */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset; /* of the member in its struct */
    size_t size;   /* of the member; LIST: of one element */
    size_t beside; /* offset of the count or the flag that goes with it */
    int64_t min, max;
    const char *const *names;
    const struct field *fields;
    void (*write)(const void *from, struct writer *w, const char *name);
    void (*read)(void *to, struct arena *arena, struct reader *r, const char *name);
};

#define MEMBER(type_, member_) (((type_ *)0)->member_)
#define AT(type_, member_)                                                                         \
    .name = #member_, .offset = offsetof(type_, member_), .size = sizeof(MEMBER(type_, member_))

/* A number or bool of the table's struct, its kind by its C type. */
#define NUMBER(type_, member_, min_, max_)                                                         \
    {                                                                                              \
        AT(type_, member_), .min = (min_), .max = (max_),                                          \
                            .type = _Generic(MEMBER(type_, member_), int                           \
                                             : FIELD_INT, int64_t                                  \
                                             : FIELD_INT64, uint16_t                               \
                                             : FIELD_UINT16, uint32_t                              \
                                             : FIELD_UINT32, double                                \
                                             : FIELD_REAL, bool                                    \
                                             : FIELD_BOOL)                                         \
    }
#define FLAG(type_, member_) NUMBER(type_, member_, 0, 1)
#define TEXT(type_, member_)                                                                       \
    { AT(type_, member_), .type = FIELD_TEXT }
#define NAME(type_, member_, min_)                                                                 \
    { AT(type_, member_), .type = FIELD_NAME, .min = (min_) }
#define PATH(type_, member_)                                                                       \
    { AT(type_, member_), .type = FIELD_PATH }
#define HASH(type_, member_)                                                                       \
    { AT(type_, member_), .type = FIELD_HASH }
#define STRING(type_, member_, max_)                                                               \
    { AT(type_, member_), .type = FIELD_STRING, .max = (max_) }
#define CHOICE(type_, member_, min_, names_)                                                       \
    { AT(type_, member_), .type = FIELD_CHOICE, .min = (min_), .names = (names_) }
#define RATIONAL(type_, member_, min_, max_)                                                       \
    { AT(type_, member_), .type = FIELD_RATIONAL, .min = (min_), .max = (max_) }
#define OBJECT(type_, member_, fields_)                                                            \
    { AT(type_, member_), .type = FIELD_OBJECT, .fields = (fields_) }
#define OPTIONAL(type_, member_, flag_, fields_)                                                   \
    {                                                                                              \
        AT(type_, member_), .type = FIELD_OPTIONAL, .beside = offsetof(type_, flag_),              \
                            .fields = (fields_)                                                    \
    }
#define LIST(type_, member_, count_, max_, fields_)                                                \
    {                                                                                              \
        .name = #member_, .type = FIELD_LIST, .offset = offsetof(type_, member_),                  \
        .size = sizeof(*MEMBER(type_, member_)), .beside = offsetof(type_, count_), .max = (max_), \
        .fields = (fields_)                                                                        \
    }
#define STRINGS(type_, member_, count_, max_)                                                      \
    { AT(type_, member_), .type = FIELD_STRINGS, .beside = offsetof(type_, count_), .max = (max_) }
#define OTHER(name_, write_, read_)                                                                \
    { .name = (name_), .type = FIELD_OTHER, .write = (write_), .read = (read_) }
#define END                                                                                        \
    { .name = NULL }

/* The fields of a struct as members of the object that is open in `w`. */
void fields_write(const struct field *fields, const void *from, struct writer *w);

/* The same as an object of its own. */
void object_write(const struct field *fields, const void *from, struct writer *w, const char *name);

/* Fills a zeroed struct from the object that `r` stands on; lists and strings live
 * in `arena`, which may be NULL for a struct that has none. */
void fields_read(const struct field *fields, void *to, struct arena *arena, struct reader *r);

/* Texts that may become part of a path or a command: see FIELD_NAME, FIELD_PATH. */
bool name_valid(const char *text);
bool path_valid(const char *text);

/* Names of enums, by value, NULL at the end. */
extern const char *const wire_codec_names[];
extern const char *const wire_deinterlace_names[];
extern const char *const wire_kind_names[];

#endif
