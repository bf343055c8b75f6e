/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where progress is shown: live on a terminal (stderr), where each drawing takes the place of
 * the last; a line every few seconds elsewhere; JSON lines on stdout where asked for. Private
 * to cli/.
 */
#ifndef CLI_DISPLAY_H
#define CLI_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum display_kind { DISPLAY_LIVE, DISPLAY_LINES, DISPLAY_JSON };

struct display {
    enum display_kind kind;
    int lines;        /* of the last live drawing, to be drawn over */
    int64_t shown_ms; /* monotonic; of the last one; 0: none yet */
};

void display_init(struct display *display, bool json);

/* Whether it is time to show again; always on a terminal. Where it is, it counts as shown. */
bool display_is_due(struct display *display, int64_t now_ms);

/* How wide the terminal is. */
int display_columns(void);

/* Shows a text of so many lines. Takes it. */
void display_print(struct display *display, struct buf *text, int lines);

/* Removes a live drawing from the terminal. */
void display_erase(struct display *display);

#endif
