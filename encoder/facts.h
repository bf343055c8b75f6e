/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What streams and a decoded picture tell about a source: geometry, colour, sound. */
#ifndef ENCODER_FACTS_H
#define ENCODER_FACTS_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "encoder/encoder.h"

/* Whether the stream holds moving pictures, and no cover image or thumbnails. */
bool facts_is_video(const AVStream *stream);

/*
 * The picture track of the title; -1 without one. Of several that can be decoded: one
 * that the file calls its default, then the largest, then the first.
 */
int facts_choose_video(const AVFormatContext *format);

/* Geometry, format, scan and colour; rates, counts and stream number are the caller's.
 * `interlaced` and `top_first` count what the looked-at pictures say. */
void facts_of_picture(struct video_facts *facts, const AVFormatContext *format, AVStream *stream,
                      const AVFrame *picture, bool interlaced, bool top_first);

/* Whether the decoded picture is interlaced, and its top field is shown first. */
bool facts_is_interlaced(const AVFrame *picture, bool *top_first);

void facts_of_sound(struct audio_facts *facts, const AVStream *stream);

/* The track's language as BCP 47, "und" where unknown. */
void facts_language(char language[MAX_LANGUAGE], const AVStream *stream);

#endif
