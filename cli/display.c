/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live, line or JSON: see display.h. */
#include "display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80 };

static const int64_t pauses_ms[] = {
    [DISPLAY_LIVE] = 0, [DISPLAY_LINES] = 5000, [DISPLAY_JSON] = 1000};

void display_init(struct display *display, bool json) {
    const char *terminal = getenv("TERM");
    bool live = isatty(STDERR_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    *display = (struct display){
        .kind = json   ? DISPLAY_JSON
                : live ? DISPLAY_LIVE
                       : DISPLAY_LINES,
    };
}

bool display_is_due(struct display *display, int64_t now_ms) {
    if (display->shown_ms != 0 && now_ms - display->shown_ms < pauses_ms[display->kind]) {
        return false;
    }
    display->shown_ms = now_ms;
    return true;
}

int display_columns(void) {
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

/* Back to the first line of the last drawing, clearing to the screen's end. */
static void back(const struct display *display) {
    if (display->lines > 0) {
        fprintf(stderr, "\r\033[%dA\033[J", display->lines);
    }
}

void display_print(struct display *display, struct buf *text, int lines) {
    FILE *stream = display->kind == DISPLAY_JSON ? stdout : stderr;
    back(display);
    fwrite(text->data, 1, text->size, stream);
    fflush(stream);
    display->lines = display->kind == DISPLAY_LIVE ? lines : 0;
    buf_finish(text);
}

void display_erase(struct display *display) {
    back(display);
    display->lines = 0;
}
