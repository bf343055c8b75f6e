/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random names and numbers: see id.h. */
#include "common/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void id_bytes(void *out, size_t size) {
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            fputs("level=error msg=\"the kernel gives no random bytes\"\n", stderr);
            abort();
        }
        at += got;
        size -= (size_t)got;
    }
}

void id_make(char out[ID_TEXT]) {
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t bytes[ID_TEXT - 1]; /* five bits of each are used: simple, and plenty is there */
    id_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[i] = digits[bytes[i] & 31];
    }
    out[sizeof(bytes)] = '\0';
}

void id_hex(const void *bytes, size_t size, char *out) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[from[i] >> 4];
        out[2 * i + 1] = digits[from[i] & 15];
    }
    out[2 * size] = '\0';
}

void id_token(char out[ID_TOKEN_TEXT]) {
    uint8_t bytes[(ID_TOKEN_TEXT - 1) / 2];
    id_bytes(bytes, sizeof(bytes));
    id_hex(bytes, sizeof(bytes), out);
}

uint64_t id_number(uint64_t bound) {
    uint64_t number = 0;
    uint64_t uneven = UINT64_MAX -
                      UINT64_MAX % bound; /* numbers from here on would favour small results */
    do {
        id_bytes(&number, sizeof(number));
    } while (number >= uneven);
    return number % bound;
}
