/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a title stands: the answer of GET /v1/titles/T, and the ways to show it.
 * Private to cli/.
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "common/json.h"
#include "common/wire.h"

enum title_state {
    TITLE_SUBMITTED,
    TITLE_RUNNING,
    TITLE_DONE,
    TITLE_FAILING,
    TITLE_FAILED,
    TITLE_CANCELLED,
    TITLE_REMOVING
};

struct rendition_status {
    char id[WIRE_RENDITION_TEXT];
    bool video;
    int64_t units, units_done;
    int64_t frames, frames_done;
    bool reused;
    bool has_loudness; /* of sound, once the title is done */
    struct loudness loudness;
};

enum { STATUS_RENDITIONS = 40, STATUS_MISSING = 8 };

/* What the title goes without, and why. */
struct missing_status {
    char id[WIRE_RENDITION_TEXT];
    char error[1024];
};

/* Watching it while it is encoded. */
struct early_status {
    bool asked;
    char playlist[1024]; /* path or URL */
    double seconds;      /* that can be watched; 0: it is not there yet */
    bool whole;
};

struct title_status {
    struct early_status early;
    char title[WIRE_TITLE_TEXT];
    enum title_state state;
    char failure[32]; /* class of a failed title */
    char error[1024];
    char version[17];
    int64_t submitted_at;   /* ms since 1970; 0: not told */
    int64_t frames;         /* of the title; 0 until probed */
    double seconds;         /* of the title */
    int64_t encoded_frames; /* over all video rungs */
    int64_t encoded_total;
    int64_t frames_repaired;
    int64_t frames_concealed;
    int64_t workers_busy;
    int64_t retries; /* tasks of this run that failed, or whose worker was lost: tried again */
    size_t rendition_count;
    struct rendition_status renditions[STATUS_RENDITIONS];
    size_t missing_count;
    struct missing_status missing[STATUS_MISSING];
};

/* Reads the scheduler's answer. */
void title_status_read(struct title_status *out, struct reader *r);

/* A line for each thing that the title goes without, after `before`. */
void missing_text(const struct title_status *status, const char *before, struct buf *out);

/* As the API writes it. */
const char *title_state_name(enum title_state state);

/* Whether nothing more will happen. */
bool title_status_ended(const struct title_status *status);

/* What speed figures are counted from: when the first frame was seen, and how many
 * frames had been made before (reused, or of an earlier run). */
struct progress_clock {
    int64_t started_ms; /* monotonic; 0: no frame seen yet */
    int64_t first_frames;
};

/* Starts the clock when frames are first counted; to be called at every look. */
void progress_clock_note(struct progress_clock *clock, const struct title_status *status,
                         int64_t now_ms);

/*
 * The live display: a bar for the title and one for each video rung, at most
 * `columns` wide; every line ends with a newline. `now_ms` is monotonic. Returns the
 * number of lines.
 */
int progress_draw(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                  int workers, int columns, struct buf *out);

/* Its first line alone: the title's. */
void progress_head(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, int columns, struct buf *out);
/* A bar of `width` cells, of which `part` (0 to 1) is filled. */
void progress_bar(double part, int width, struct buf *out);

/* What is left, as minutes and seconds; negative: not known. */
void progress_eta(double seconds, struct buf *out);

/* The same in one line, for logs and pipes. */
void progress_line(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, struct buf *out);

/* The same as a JSON line: {"event":"progress",...}. */
void progress_json(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, struct buf *out);

/* The same as an object of a JSON document; `event` may be NULL. */
void progress_write(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                    int workers, const char *event, struct writer *w);

#endif
