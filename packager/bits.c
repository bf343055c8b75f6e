/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single bits: see bits.h. */
#include "bits.h"

struct bits bits_of(const uint8_t *data, size_t bytes) {
    return (struct bits){.data = data, .size = bytes * 8};
}

uint32_t bits_u(struct bits *bits, int count) {
    if ((size_t)count > bits->size - bits->at) {
        bits->short_read = true;
        bits->at = bits->size;
        return 0;
    }
    uint32_t value = 0;
    for (int i = 0; i < count; i++, bits->at++) {
        value = value << 1 | (uint32_t)(bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1);
    }
    return value;
}

bool bits_flag(struct bits *bits) {
    return bits_u(bits, 1) != 0;
}

uint32_t bits_ue(struct bits *bits) {
    int zeros = 0;
    while (!bits->short_read && !bits_flag(bits)) {
        zeros++;
    }
    if (zeros > 31) { /* the largest code that any field of ours may have */
        bits->short_read = true;
    }
    return bits->short_read ? 0 : ((uint32_t)1 << zeros) - 1 + bits_u(bits, zeros);
}

int32_t bits_se(struct bits *bits) {
    uint32_t code = bits_ue(bits);
    int32_t half = (int32_t)(code / 2 + code % 2);
    return code % 2 == 1 ? half : -half;
}

size_t bits_unescape(uint8_t *out, size_t room, const uint8_t *nal, size_t size) {
    size_t used = 0;
    int zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        if (used == room) {
            return 0;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        out[used++] = nal[i];
    }
    return used;
}
