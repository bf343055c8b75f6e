/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A search's words as an expression: see words.h. */
#include "words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char blanks[] = " \t\r\n\v\f";

/* Bytes past ASCII may be letters of any language: the index knows. */
static bool has_letter(const char *word, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (isalnum((unsigned char)word[i]) || (unsigned char)word[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

void words_phrase(const char *word, size_t size, struct buf *out) {
    buf_string(out, "\"");
    for (size_t i = 0; i < size; i++) {
        buf_string(out, word[i] == '"' ? "\"" : "");
        buf_append(out, word + i, 1);
    }
    buf_string(out, "\"");
}

int words_expression(const char *text, struct buf *out, struct err *err) {
    size_t count = 0;
    if (strlen(text) > WORDS_BYTES_MAX) {
        return err_set(err, ERR_INVALID, "the words of a search may have %d bytes",
                       (int)WORDS_BYTES_MAX);
    }
    for (const char *word = text + strspn(text, blanks); *word != '\0';) {
        size_t size = strcspn(word, blanks);
        if (has_letter(word, size)) {
            buf_string(out, count > 0 ? " AND " : "");
            words_phrase(word, size, out);
            count++;
        }
        word += size;
        word += strspn(word, blanks);
    }
    if (count == 0 || count > WORDS_MAX) {
        return err_set(err, ERR_INVALID,
                       "a search has 1 to %d words in q, such as q=big+buck, or a filter",
                       (int)WORDS_MAX);
    }
    buf_string(out, " *");
    return 0;
}
