/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels of H.264 (ITU-T H.264 table A-1) and of AV1 (annex A.3). Private to ladders/. */
#ifndef LADDERS_LEVEL_H
#define LADDERS_LEVEL_H

#include "common/media.h"

/*
 * The lowest level that holds the picture's size and rate, as 31 for 3.1; 0 where none does.
 * For H.264 also four reference pictures (x264's B-pyramid needs them; the encoder keeps to
 * what the level holds where its preset wants more), and the cap's rate and buffer; without
 * a cap the rate of bits is not looked at.
 */
int level_of(const struct video_spec *spec);

#endif
