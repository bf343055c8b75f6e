/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `encode` shows while it runs and when it has ended. Private to cli/. */
#ifndef CLI_ENCODE_DISPLAY_H
#define CLI_ENCODE_DISPLAY_H

#include "status.h"

enum display_kind { DISPLAY_LIVE, DISPLAY_LINES, DISPLAY_JSON };

struct encode_display {
    enum display_kind kind;
    int workers;
    int lines;        /* drawn by the last live display, to be drawn over */
    int64_t shown_ms; /* monotonic; of the last line */
    struct progress_clock clock;
};

/* Live on a terminal (stderr), a line every few seconds elsewhere, JSON lines on
 * stdout where asked for. */
void encode_display_init(struct encode_display *display, bool json, int workers);
void encode_display_show(struct encode_display *display, const struct title_status *status);

/* Removes the live display from the terminal. */
void encode_display_finish(struct encode_display *display);

/* What was made, from the title's document below the output `out`: for people, or as
 * one JSON line {"event":"done",...}. */
int encode_summary_write(const struct title_status *status, const char *out, double wall_s,
                         bool json, struct buf *text, struct err *err);

#endif
