/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `encode` shows while it runs and when it has ended. Private to cli/. */
#ifndef CLI_ENCODE_DISPLAY_H
#define CLI_ENCODE_DISPLAY_H

#include "display.h"
#include "status.h"

struct encode_display {
    struct display display;
    int workers;
    struct progress_clock clock;
    bool early_told; /* where it can be watched while it is encoded */
};

void encode_display_init(struct encode_display *display, bool json, int workers);
void encode_display_show(struct encode_display *display, const struct title_status *status);

/* Removes the live display from the terminal. */
void encode_display_finish(struct encode_display *display);

/* What was made, from the title's document below the output `out`: for people, or as
 * one JSON line {"event":"done",...}. */
int encode_summary_write(const struct title_status *status, const char *out, double wall_s,
                         bool json, struct buf *text, struct err *err);

#endif
