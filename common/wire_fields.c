/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks the tables that map structs to JSON: see wire_fields.h. */
#include "wire_fields.h"

#include <inttypes.h>
#include <string.h>

#include "common/wire.h"

enum { SENTENCE_MAX = 4096 };

bool name_valid(const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    return text[0] != '\0' && text[0] != '.' && text[strspn(text, allowed)] == '\0';
}

bool path_valid(const char *text) {
    char part[WIRE_FOLDER_TEXT];
    for (;;) {
        size_t length = strcspn(text, "/");
        if (length >= sizeof(part)) {
            return false;
        }
        memcpy(part, text, length);
        part[length] = '\0';
        if (!name_valid(part)) {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

static bool hash_valid(const char *text) {
    return strlen(text) == WIRE_HASH_TEXT - 1 && text[strspn(text, "0123456789abcdef")] == '\0';
}

/* A text from outside is for one line of a log or a page. */
static void tame(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = ' ';
        }
    }
}

/* ---- writing --------------------------------------------------------------- */

typedef void field_writer(const struct field *f, const char *from, struct writer *w);

static void number_write(const struct field *f, const char *from, struct writer *w) {
    const void *member = from + f->offset;
    int64_t value = f->type == FIELD_INT      ? *(const int *)member
                    : f->type == FIELD_UINT16 ? *(const uint16_t *)member
                    : f->type == FIELD_UINT32 ? *(const uint32_t *)member
                                              : *(const int64_t *)member;
    writer_int(w, f->name, value);
}

static void real_write(const struct field *f, const char *from, struct writer *w) {
    writer_number(w, f->name, *(const double *)(const void *)(from + f->offset));
}

static void bool_write(const struct field *f, const char *from, struct writer *w) {
    writer_bool(w, f->name, *(const bool *)(const void *)(from + f->offset));
}

static void text_write(const struct field *f, const char *from, struct writer *w) {
    writer_string(w, f->name, from + f->offset);
}

static void string_write(const struct field *f, const char *from, struct writer *w) {
    const char *text = *(const char *const *)(const void *)(from + f->offset);
    writer_string(w, f->name, text != NULL ? text : "");
}

static void choice_write(const struct field *f, const char *from, struct writer *w) {
    writer_string(w, f->name, f->names[*(const int *)(const void *)(from + f->offset)]);
}

static void fraction_write(const struct field *f, const char *from, struct writer *w) {
    rational_write(w, f->name, *(const struct rational *)(const void *)(from + f->offset));
}

static void below_write(const struct field *f, const char *from, struct writer *w) {
    object_write(f->fields, from + f->offset, w, f->name);
}

static void optional_write(const struct field *f, const char *from, struct writer *w) {
    if (*(const bool *)(const void *)(from + f->beside)) {
        below_write(f, from, w);
    }
}

static void list_write(const struct field *f, const char *from, struct writer *w) {
    size_t count = *(const size_t *)(const void *)(from + f->beside);
    const char *items = *(const char *const *)(const void *)(from + f->offset);
    writer_array(w, f->name);
    for (size_t i = 0; i < count; i++) {
        object_write(f->fields, items + i * f->size, w, NULL);
    }
    writer_array_end(w);
}

static void strings_write(const struct field *f, const char *from, struct writer *w) {
    size_t count = *(const size_t *)(const void *)(from + f->beside);
    const char *const *items = *(const char *const *const *)(const void *)(from + f->offset);
    writer_strings(w, f->name, items, count);
}

static void other_write(const struct field *f, const char *from, struct writer *w) {
    f->write(from, w, f->name);
}

/* ---- reading --------------------------------------------------------------- */

typedef void field_reader(const struct field *f, char *to, struct arena *arena, struct reader *r);

static void number_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    void *member = to + f->offset;
    int64_t value = 0;
    reader_int(r, f->name, f->min, f->max, &value);
    if (f->type == FIELD_INT) {
        *(int *)member = (int)value;
    } else if (f->type == FIELD_UINT16) {
        *(uint16_t *)member = (uint16_t)value;
    } else if (f->type == FIELD_UINT32) {
        *(uint32_t *)member = (uint32_t)value;
    } else {
        *(int64_t *)member = value;
    }
}

static void real_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    reader_number(r, f->name, (double)f->min, (double)f->max, (void *)(to + f->offset));
}

static void bool_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    reader_bool(r, f->name, (void *)(to + f->offset));
}

static void text_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    char *text = to + f->offset;
    reader_text(r, f->name, text, f->size);
    if (!reader_ok(r)) {
        return;
    }
    if (f->type == FIELD_TEXT) {
        tame(text);
    } else if (text[0] == '\0' && f->min == 0) {
        return;
    } else if (f->type == FIELD_NAME && !name_valid(text)) {
        reader_fail(r, f->name, "must be of letters, digits and \"._-\"");
    } else if (f->type == FIELD_PATH && !path_valid(text)) {
        reader_fail(r, f->name, "must be names of letters, digits and \"._-\" between slashes");
    } else if (f->type == FIELD_HASH && !hash_valid(text)) {
        reader_fail(r, f->name, "must be 64 lower-case hex digits");
    }
}

static const char *string_keep(struct arena *arena, const char *text) {
    char *copy = arena_string(arena, text);
    tame(copy);
    return copy;
}

static void string_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    const char *text = "";
    reader_string(r, f->name, &text);
    if (strlen(text) > (size_t)f->max) {
        reader_fail(r, f->name, "has %zu bytes; at most %" PRId64 " are allowed", strlen(text),
                    f->max);
        return;
    }
    *(const char **)(void *)(to + f->offset) = string_keep(arena, text);
}

static void choice_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    int value = (int)f->min;
    reader_choice(r, f->name, f->names, &value);
    if (value < f->min) {
        reader_fail(r, f->name, "can't be '%s' here", f->names[value]);
        return;
    }
    *(int *)(void *)(to + f->offset) = value;
}

static void fraction_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    (void)arena;
    struct rational value = {0, 1};
    rational_read(&value, r, f->name);
    if (reader_ok(r) && (value.num < f->min || value.num > f->max || value.den > f->max)) {
        reader_fail(r, f->name, "must be a fraction of numbers from %" PRId64 " to %" PRId64,
                    f->min, f->max);
        return;
    }
    *(struct rational *)(void *)(to + f->offset) = value;
}

static void below_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    struct reader below = reader_object(r, f->name);
    fields_read(f->fields, to + f->offset, arena, &below);
}

static void optional_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    bool there = reader_has(r, f->name);
    *(bool *)(void *)(to + f->beside) = there;
    if (there) {
        below_read(f, to, arena, r);
    }
}

/* An array's reader with its count checked; the count is 0 after an error. */
static struct reader array_read(const struct field *f, struct reader *r, size_t *count) {
    struct reader items = reader_array(r, f->name);
    *count = reader_count(&items);
    if (*count > (size_t)f->max) {
        reader_fail(r, f->name, "has %zu entries; at most %" PRId64 " are allowed", *count, f->max);
        *count = 0;
    }
    return items;
}

static void list_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    size_t count;
    struct reader items = array_read(f, r, &count);
    char *list = arena_zero(arena, count, f->size);
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        fields_read(f->fields, list + i * f->size, arena, &item);
    }
    *(void **)(void *)(to + f->offset) = list;
    *(size_t *)(void *)(to + f->beside) = count;
}

static void strings_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    size_t count;
    struct reader items = array_read(f, r, &count);
    const char **list = arena_zero(arena, count, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const char *text = "";
        reader_item_string(&items, i, &text);
        if (strlen(text) > SENTENCE_MAX) {
            reader_fail(r, f->name, "has an entry of %zu bytes; at most %d are allowed",
                        strlen(text), (int)SENTENCE_MAX);
            text = "";
        }
        list[i] = string_keep(arena, text);
    }
    *(const char ***)(void *)(to + f->offset) = list;
    *(size_t *)(void *)(to + f->beside) = count;
}

static void other_read(const struct field *f, char *to, struct arena *arena, struct reader *r) {
    f->read(to, arena, r, f->name);
}

/* ---- the types --------------------------------------------------------------- */

static const struct {
    field_writer *write;
    field_reader *read;
} types[] = {
    [FIELD_INT] = {number_write, number_read},
    [FIELD_INT64] = {number_write, number_read},
    [FIELD_UINT16] = {number_write, number_read},
    [FIELD_UINT32] = {number_write, number_read},
    [FIELD_REAL] = {real_write, real_read},
    [FIELD_BOOL] = {bool_write, bool_read},
    [FIELD_TEXT] = {text_write, text_read},
    [FIELD_NAME] = {text_write, text_read},
    [FIELD_PATH] = {text_write, text_read},
    [FIELD_HASH] = {text_write, text_read},
    [FIELD_STRING] = {string_write, string_read},
    [FIELD_CHOICE] = {choice_write, choice_read},
    [FIELD_RATIONAL] = {fraction_write, fraction_read},
    [FIELD_OBJECT] = {below_write, below_read},
    [FIELD_OPTIONAL] = {optional_write, optional_read},
    [FIELD_LIST] = {list_write, list_read},
    [FIELD_STRINGS] = {strings_write, strings_read},
    [FIELD_OTHER] = {other_write, other_read},
};

void fields_write(const struct field *fields, const void *from, struct writer *w) {
    for (const struct field *f = fields; f->name != NULL; f++) {
        types[f->type].write(f, from, w);
    }
}

void object_write(const struct field *fields, const void *from, struct writer *w,
                  const char *name) {
    writer_object(w, name);
    fields_write(fields, from, w);
    writer_object_end(w);
}

void fields_read(const struct field *fields, void *to, struct arena *arena, struct reader *r) {
    for (const struct field *f = fields; f->name != NULL && reader_ok(r); f++) {
        types[f->type].read(f, to, arena, r);
    }
}
