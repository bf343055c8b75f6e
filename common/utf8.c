/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences of bytes that are characters: see utf8.h. */
#include "common/utf8.h"

size_t utf8_length(const unsigned char *text) {
    static const struct {
        unsigned char low, high; /* first byte */
        unsigned char from, to;  /* second byte: RFC 3629 section 4 */
        size_t length;
    } forms[] = {
        {0x20, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (text[0] < forms[i].low || text[0] > forms[i].high) {
            continue;
        }
        for (size_t k = 1; k < forms[i].length; k++) {
            unsigned char from = k == 1 ? forms[i].from : 0x80;
            unsigned char to = k == 1 ? forms[i].to : 0xbf;
            if (text[k] < from || text[k] > to) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

bool utf8_is_whole(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t length = *at < 0x80 ? 1 : utf8_length(at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}
