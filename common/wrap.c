/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that end between words: see wrap.h. */
#include "common/wrap.h"

#include <stdbool.h>
#include <string.h>

void wrap_text(struct buf *out, const char *text, size_t at, size_t indent) {
    bool is_full = at > indent;
    bool begins = true;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        if (is_full || (!begins && at + 1 + length > WRAP_COLUMNS)) {
            buf_format(out, "\n%*s", (int)indent, "");
            at = indent;
            begins = true;
            is_full = false;
        }
        buf_format(out, "%s%.*s", begins ? "" : " ", (int)length, text);
        at += length + (begins ? 0 : 1);
        begins = false;
        text += length;
    }
    buf_string(out, "\n");
}
