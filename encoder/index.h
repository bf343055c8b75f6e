/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of a source document: random access points as frames of its timeline. */
#ifndef ENCODER_INDEX_H
#define ENCODER_INDEX_H

#include "pass.h"
#include "timeline.h"

/*
 * Fills document->access with those places of the pass that are worth a seek: rising
 * frames, half a second apart or more, and never more than INDEX_MAX. The first stays.
 */
void index_build(struct source_document *document, const struct pass *pass,
                 const struct frame_clock *clock);

enum { INDEX_MAX = 65536 };

#endif
