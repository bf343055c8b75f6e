/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's id made from its source's name: see title_name.h. */
#include "title_name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/fs.h"
#include "common/mem.h"
#include "common/utf8.h"

static bool is_web(const char *source) {
    return strncasecmp(source, "http://", 7) == 0 || strncasecmp(source, "https://", 8) == 0;
}

bool source_is_url(const char *source) {
    return is_web(source) || strncasecmp(source, "s3://", 5) == 0;
}

char *source_whole(const char *source) {
    bool is_url = isalpha((unsigned char)source[0]) && strstr(source, "://") != NULL;
    return is_url ? mem_string(source) : fs_whole_path(source);
}

int place_name_check(const char *place, struct err *err) {
    return utf8_is_whole(place)
               ? 0
               : err_set(err, ERR_INVALID,
                         "the name '%.200s' is not UTF-8, as what a farm is told must "
                         "be; rename it, or make a link to it of another name",
                         place);
}

void title_name_of(const char *source, char out[WIRE_TITLE_TEXT]) {
    size_t length = is_web(source) ? strcspn(source, "?#") : strlen(source);
    while (length > 0 && source[length - 1] == '/') {
        length--;
    }
    size_t first = length;
    while (first > 0 && source[first - 1] != '/') {
        first--;
    }
    size_t end = length;
    for (size_t i = length; i > first + 1; i--) {
        if (source[i - 1] == '.') {
            end = i - 1;
            break;
        }
    }
    size_t used = 0;
    for (size_t i = first; i < end && used < WIRE_TITLE_TEXT - 1; i++) {
        int c = tolower((unsigned char)source[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain || (used > 0 && (c == '.' || c == '_'))) {
            out[used++] = (char)c;
        } else if (used > 0 && out[used - 1] != '-') {
            out[used++] = '-';
        }
    }
    while (used > 0 && out[used - 1] == '-') {
        used--;
    }
    out[used] = '\0';
    if (used == 0) {
        memcpy(out, "title", sizeof("title"));
    }
}
