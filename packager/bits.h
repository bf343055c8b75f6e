/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads single bits, big end first, of bytes that may lie. Past the end it gives
 * zeros and sets short_read, so that a parser checks once. Private to packager/.
 */
#ifndef PACKAGER_BITS_H
#define PACKAGER_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
    const uint8_t *data; /* borrowed */
    size_t size;         /* bits */
    size_t at;           /* next bit */
    bool short_read;
};

struct bits bits_of(const uint8_t *data, size_t bytes);

/* Takes the emulation prevention bytes of a NAL unit out (ISO/IEC 14496-10 7.4.1, 23008-2 7.4.2);
 * returns the size, 0 where it is more than `room`. */
size_t bits_unescape(uint8_t *out, size_t room, const uint8_t *nal, size_t size);

uint32_t bits_u(struct bits *bits, int count); /* 0 to 32 bits */
bool bits_flag(struct bits *bits);
uint32_t bits_ue(struct bits *bits); /* Exp-Golomb codes, ISO/IEC 14496-10 9.1 */
int32_t bits_se(struct bits *bits);

#endif
