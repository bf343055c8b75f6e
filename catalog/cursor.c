/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A search's next page: see cursor.h. */
#include "cursor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 4, DIGITS_MAX = 18 };

int cursor_read(struct cursor *out, const char *text, struct err *err) {
    static const char ends[PARTS] = {'-', '-', '-', '\0'};
    int64_t parts[PARTS] = {0};
    if (text[0] == '\0') {
        *out = (struct cursor){0};
        return 0;
    }
    for (int i = 0; i < PARTS; i++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > DIGITS_MAX || text[digits] != ends[i]) {
            return err_set(err, ERR_INVALID, "cursor must be `next` of the page before");
        }
        parts[i] = strtoll(text, NULL, 10);
        text += digits + 1;
    }
    *out =
        (struct cursor){.taken = parts[0], .bound = parts[1], .last = parts[2], .order = parts[3]};
    return 0;
}

void cursor_write(const struct cursor *cursor, struct buf *out) {
    buf_format(out, "%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64, cursor->taken, cursor->bound,
               cursor->last, cursor->order);
}
