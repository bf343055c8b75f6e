/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels of H.264: ITU-T H.264 table A-1. Private to ladders/. */
#ifndef LADDERS_LEVEL_H
#define LADDERS_LEVEL_H

#include "common/media.h"

/*
 * level_idc (31 is 3.1) of the lowest level that holds the picture's size, four
 * reference pictures of it (x264's B-pyramid needs them; the encoder keeps to what
 * the level holds where its preset wants more), the macroblocks a second, and the
 * cap's rate and buffer; 0 where none does. Without a cap the rate is not looked at.
 */
int h264_level(const struct video_spec *spec);

#endif
