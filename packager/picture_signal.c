/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How coded pictures say that their samples are meant: see picture_signal.h. */
#include "picture_signal.h"

enum { ASPECT_EXTENDED = 255 };

struct picture_signal picture_signal_silent(void) {
    return (struct picture_signal){
        .square_pixels = true,
        .primaries = COLOUR_UNKNOWN,
        .transfer = COLOUR_UNKNOWN,
        .matrix = COLOUR_UNKNOWN,
    };
}

struct picture_signal picture_signal_read(struct bits *bits) {
    struct picture_signal signal = picture_signal_silent();
    if (bits_flag(bits)) {
        uint32_t aspect = bits_u(bits, 8);
        signal.square_pixels = aspect <= 1;
        if (aspect == ASPECT_EXTENDED) {
            uint32_t wide = bits_u(bits, 16);
            signal.square_pixels = wide == bits_u(bits, 16);
        }
    }
    if (bits_flag(bits)) {
        bits_flag(bits); /* overscan_appropriate_flag */
    }
    if (bits_flag(bits)) {
        bits_u(bits, 3); /* video_format */
        signal.full_range = bits_flag(bits);
        if (bits_flag(bits)) {
            signal.primaries = (int)bits_u(bits, 8);
            signal.transfer = (int)bits_u(bits, 8);
            signal.matrix = (int)bits_u(bits, 8);
        }
    }
    return signal;
}

bool picture_signal_same_colours(const struct picture_signal *a, const struct picture_signal *b) {
    return a->primaries == b->primaries && a->transfer == b->transfer && a->matrix == b->matrix &&
           a->full_range == b->full_range;
}
