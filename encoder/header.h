/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of a source opening its container reads. Each task of a title opens it anew, and an
 * MXF keeps its index in a little piece every ten seconds: who knows where need not look for them.
 */
#ifndef ENCODER_HEADER_H
#define ENCODER_HEADER_H

#include "common/media.h"

struct header_notes {
    struct byte_range *ranges; /* owned; as they were read */
    size_t count;
};

/* Notes bytes [from, to) as read; nothing where there are none. */
void header_notes_add(struct header_notes *notes, int64_t from, int64_t to);

/* Puts them in the document, which is zeroed there, rising and those that are near to each other
 * as one; none where they are more than a document may hold. */
void header_notes_give(struct header_notes *notes, struct source_document *document);

void header_notes_finish(struct header_notes *notes);

#endif
