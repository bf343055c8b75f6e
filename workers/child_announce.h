/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this worker encodes with: for the session, and for people (--versions). */
#ifndef WORKERS_CHILD_ANNOUNCE_H
#define WORKERS_CHILD_ANNOUNCE_H

#include "api.h"
#include "common/mem.h"

struct announcement {
    struct arena arena;
    struct api_encoder *encoders;
    size_t count;
};

/* The encoders of this build, each with its build line and the segment layout's version. */
void announcement_make(struct announcement *out);

void announcement_finish(struct announcement *announcement);

/* Prints {encoders:[...], libraries:[...]} on stdout; returns the exit status. */
int versions_print(void);

#endif
