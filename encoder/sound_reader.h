/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of a sound track with times on the title's clock: wrapped clocks are on
 * the pictures' turn, parts with clocks of their own are moved as the pictures are, and
 * edits as their list says.
 */
#ifndef ENCODER_SOUND_READER_H
#define ENCODER_SOUND_READER_H

#include "demux.h"
#include "edits.h"

struct sound_reader;

/* `*out` is owned; document and facts are borrowed. */
int sound_reader_open(struct sound_reader **out, const struct source_document *document,
                      const struct audio_facts *facts, const struct source_io *io, struct err *err);
void sound_reader_close(struct sound_reader *reader);

AVStream *sound_reader_stream(const struct sound_reader *reader);

/* The next packet, owned by the caller's `packet`: 1, 0 at the end, negative on errors.
 * Its pts is AV_NOPTS_VALUE where it has no time of its own. */
int sound_reader_next(struct sound_reader *reader, AVPacket *packet, struct err *err);

/* The edit of an MP4 for which the newest packet is read, borrowed: it holds samples from
 * before the edit's start to after its end, and those of another are decoded on their own.
 * NULL where libavformat applies the edit list, or there is none. */
const struct edit *sound_reader_edit(const struct sound_reader *reader);

#endif
