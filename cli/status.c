/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a title stands, read from the scheduler's answer and drawn for people. */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {"submitted", "running",   "done",     "failing",
                                          "failed",    "cancelled", "removing", NULL};

/* What was tried again; a failure that was the last one ended the title. */
static int64_t read_retries(struct reader *r) {
    const int64_t most = INT64_MAX / 4;
    int64_t failures = 0;
    int64_t losses = 0;
    struct reader stats = reader_object(r, "stats");
    reader_int(&stats, "failures", 0, most, &failures);
    reader_int(&stats, "losses", 0, most, &losses);
    return failures + losses;
}

/* Schedulers before it say nothing of it. */
static void early_read(struct early_status *out, struct reader *r) {
    out->asked = reader_has(r, "early");
    if (out->asked) {
        struct reader below = reader_object(r, "early");
        reader_text(&below, "playlist", out->playlist, sizeof(out->playlist));
        reader_number(&below, "seconds", 0, 1e12, &out->seconds);
        reader_bool(&below, "whole", &out->whole);
    }
}

static void early_write(const struct early_status *early, struct writer *w) {
    if (!early->asked) {
        writer_null(w, "early");
        return;
    }
    writer_object(w, "early");
    writer_string(w, "playlist", early->playlist);
    writer_number(w, "seconds", early->seconds);
    writer_bool(w, "whole", early->whole);
    writer_object_end(w);
}

/* Schedulers before it say nothing of it. */
static void missing_read(struct title_status *out, struct reader *r) {
    if (!reader_has(r, "missing")) {
        return;
    }
    struct reader list = reader_array(r, "missing");
    size_t count = reader_count(&list);
    out->missing_count = count < STATUS_MISSING ? count : STATUS_MISSING;
    for (size_t i = 0; i < out->missing_count; i++) {
        struct reader item = reader_item(&list, i);
        reader_text(&item, "id", out->missing[i].id, sizeof(out->missing[i].id));
        reader_text(&item, "error", out->missing[i].error, sizeof(out->missing[i].error));
    }
}

void missing_text(const struct title_status *status, const char *before, struct buf *out) {
    for (size_t i = 0; i < status->missing_count; i++) {
        buf_format(out, "%swithout its %s: ", before, status->missing[i].id);
        buf_plain(out, status->missing[i].error);
        buf_string(out, "\n");
    }
}

void title_status_read(struct title_status *out, struct reader *r) {
    int state = 0;
    const int64_t most = INT64_MAX / 4;
    reader_text(r, "title", out->title, sizeof(out->title));
    reader_choice(r, "state", state_names, &state);
    out->state = (enum title_state)state;
    reader_text(r, "class", out->failure, sizeof(out->failure));
    reader_text(r, "error", out->error, sizeof(out->error));
    reader_text(r, "version", out->version, sizeof(out->version));
    if (reader_has(r, "submitted_at")) {
        reader_int(r, "submitted_at", 0, most, &out->submitted_at);
    }
    early_read(&out->early, r);
    reader_int(r, "frames", 0, most, &out->frames);
    reader_number(r, "seconds", 0, 1e12, &out->seconds);
    reader_int(r, "encoded_frames", 0, most, &out->encoded_frames);
    reader_int(r, "encoded_total", 0, most, &out->encoded_total);
    reader_int(r, "frames_repaired", 0, most, &out->frames_repaired);
    reader_int(r, "frames_concealed", 0, most, &out->frames_concealed);
    reader_int(r, "workers_busy", 0, most, &out->workers_busy);
    out->retries = read_retries(r);
    struct reader list = reader_array(r, "renditions");
    size_t count = reader_count(&list);
    out->rendition_count = count < STATUS_RENDITIONS ? count : STATUS_RENDITIONS;
    for (size_t i = 0; i < out->rendition_count; i++) {
        struct reader item = reader_item(&list, i);
        struct rendition_status *rendition = &out->renditions[i];
        const char *kind = "";
        int64_t units_reused = 0;
        reader_text(&item, "id", rendition->id, sizeof(rendition->id));
        reader_string(&item, "kind", &kind);
        rendition->video = strcmp(kind, "video") == 0;
        reader_int(&item, "units", 0, most, &rendition->units);
        reader_int(&item, "units_done", 0, most, &rendition->units_done);
        reader_int(&item, "frames", 0, most, &rendition->frames);
        reader_int(&item, "frames_done", 0, most, &rendition->frames_done);
        reader_int(&item, "reused", 0, most, &units_reused);
        rendition->has_loudness = reader_has(&item, "loudness");
        if (rendition->has_loudness) {
            struct reader below = reader_object(&item, "loudness");
            loudness_read(&rendition->loudness, &below);
        }
        rendition->reused = units_reused > 0 && units_reused == rendition->units;
    }
    missing_read(out, r);
}

bool title_status_ended(const struct title_status *status) {
    return status->state == TITLE_DONE || status->state == TITLE_FAILED ||
           status->state == TITLE_CANCELLED;
}

/* ---- Figures ---------------------------------------------------------------------- */

void progress_clock_note(struct progress_clock *clock, const struct title_status *status,
                         int64_t now_ms) {
    if (clock->started_ms == 0 && status->encoded_total > 0) {
        clock->started_ms = now_ms;
        clock->first_frames = status->encoded_frames;
    }
}

struct figures {
    double part;    /* of the work that is done, 0 to 1 */
    int64_t frames; /* of the title, as if its rungs went side by side */
    double fps;     /* title frames a second */
    double speed;   /* times real time */
    double eta_s;   /* < 0 unknown */
};

static struct figures figures_of(const struct title_status *status, struct progress_clock *clock,
                                 int64_t now_ms) {
    struct figures f = {.eta_s = -1};
    if (status->encoded_total <= 0 || status->frames <= 0) {
        return f;
    }
    f.part = (double)status->encoded_frames / (double)status->encoded_total;
    f.frames =
        ticks_scale(status->encoded_frames, status->frames, status->encoded_total, ROUND_DOWN);
    progress_clock_note(clock, status, now_ms);
    double seconds = (double)(now_ms - clock->started_ms) / 1000.0;
    double made = (double)(status->encoded_frames - clock->first_frames);
    if (seconds < 0.2 || made <= 0) {
        return f;
    }
    double share = (double)status->frames / (double)status->encoded_total;
    f.fps = made * share / seconds;
    f.speed = f.fps * status->seconds / (double)status->frames;
    f.eta_s = (double)(status->encoded_total - status->encoded_frames) * share / f.fps;
    return f;
}

void progress_eta(double eta_s, struct buf *out) {
    if (eta_s < 0) {
        buf_string(out, "-:--");
        return;
    }
    int64_t seconds = (int64_t)(eta_s + 0.5);
    if (seconds >= 3600) {
        buf_format(out, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
                   seconds % 60);
    } else {
        buf_format(out, "%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
    }
}

/* What it does now, where that is not encoding frames. */
static const char *stage_of(const struct title_status *status) {
    static const char *const stages[] = {"looking at the source", "",       "done",
                                         "cleaning up",           "failed", "cancelled"};
    if (status->state == TITLE_RUNNING && status->encoded_total > 0 &&
        status->encoded_frames == status->encoded_total) {
        return "writing manifests";
    }
    return stages[status->state];
}

/* ---- Drawing ------------------------------------------------------------------------ */

/* A bar of `width` cells in eighths of a cell. */
void progress_bar(double part, int width, struct buf *out) {
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int filled = (int)(part * 8 * width + 0.5);
    for (int cell = 0; cell < width; cell++) {
        int rest = filled - 8 * cell;
        buf_string(out, rest >= 8 ? "█" : eighths[rest > 0 ? rest : 0]);
    }
}

static void retries_write(const struct title_status *status, struct buf *out) {
    if (status->retries > 0) {
        buf_format(out, "  retries %" PRId64, status->retries);
    }
}

static void figures_write(const struct title_status *status, const struct figures *f, int workers,
                          struct buf *out) {
    buf_format(out, "%" PRId64 "/%" PRId64 " frames  %.1f fps  %.2fx  ETA ", f->frames,
               status->frames, f->fps, f->speed);
    progress_eta(f->eta_s, out);
    retries_write(status, out);
    buf_format(out, "  workers %" PRId64 "/%d", status->workers_busy, workers);
}

/* A line too wide for the terminal would wrap and spoil the redraw: the figures go first. */
static void head_line(const struct title_status *status, const struct figures *f, int workers,
                      int columns, struct buf *out) {
    struct buf figures = {0};
    const char *stage = stage_of(status);
    if (*stage != '\0') {
        buf_string(&figures, stage);
        retries_write(status, &figures);
    } else {
        figures_write(status, f, workers, &figures);
    }
    int name = columns >= 100 ? 24 : 12;
    int room = columns - name - 10 - (int)figures.size - 1;
    int width = room > 30 ? 30 : room;
    buf_format(out, "%-*.*s", name, name, status->title);
    if (width >= 5) {
        buf_string(out, " ");
        progress_bar(f->part, width, out);
        buf_string(out, "▏");
    }
    buf_format(out, " %3d %%  ", (int)(f->part * 100));
    int left = columns - name - 9 - (width >= 5 ? width + 2 : 0);
    buf_append(out, figures.data,
               (int)figures.size <= left ? figures.size : (size_t)(left > 0 ? left : 0));
    buf_string(out, "\n");
    buf_finish(&figures);
}

static void rung_line(const struct rendition_status *rendition, int columns, struct buf *out) {
    double part = 0;
    if (rendition->video && rendition->frames > 0) {
        part = (double)rendition->frames_done / (double)rendition->frames;
    } else if (rendition->units > 0) {
        part = (double)rendition->units_done / (double)rendition->units;
    }
    int name = columns >= 100 ? 24 : 12;
    buf_format(out, "  %-*.*s ", name - 2, name - 2, rendition->id);
    if (columns >= name + 30) {
        progress_bar(part, 20, out);
        buf_string(out, "▏");
    }
    bool room = columns >= name + 40;
    buf_format(out, " %3d %%%s\n", (int)(part * 100), rendition->reused && room ? "  reused" : "");
}

void progress_head(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, int columns, struct buf *out) {
    struct figures f = figures_of(status, clock, now_ms);
    head_line(status, &f, workers, columns, out);
}

int progress_draw(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                  int workers, int columns, struct buf *out) {
    progress_head(status, clock, now_ms, workers, columns, out);
    int lines = 1;
    for (size_t i = 0; i < status->rendition_count; i++) {
        rung_line(&status->renditions[i], columns, out);
        lines++;
    }
    return lines;
}

void progress_line(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, struct buf *out) {
    struct figures f = figures_of(status, clock, now_ms);
    const char *stage = stage_of(status);
    buf_format(out, "%s: ", status->title);
    if (*stage != '\0') {
        buf_string(out, stage);
        retries_write(status, out);
    } else {
        buf_format(out, "%d %%, ", (int)(f.part * 100));
        figures_write(status, &f, workers, out);
    }
    buf_string(out, "\n");
}

void progress_write(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                    int workers, const char *event, struct writer *w) {
    struct figures f = figures_of(status, clock, now_ms);
    writer_object(w, NULL);
    if (event != NULL) {
        writer_string(w, "event", event);
    }
    writer_string(w, "title", status->title);
    writer_string(w, "state", state_names[status->state]);
    writer_int(w, "frames_done", f.frames);
    writer_int(w, "frames", status->frames);
    writer_number(w, "fps", f.fps);
    writer_number(w, "speed", f.speed);
    if (f.eta_s >= 0) {
        writer_number(w, "eta_s", f.eta_s);
    } else {
        writer_null(w, "eta_s");
    }
    writer_int(w, "workers_busy", status->workers_busy);
    writer_int(w, "workers", workers);
    writer_int(w, "retries", status->retries);
    early_write(&status->early, w);
    writer_array(w, "renditions");
    for (size_t i = 0; i < status->rendition_count; i++) {
        const struct rendition_status *rendition = &status->renditions[i];
        writer_object(w, NULL);
        writer_string(w, "id", rendition->id);
        writer_int(w, "frames_done", rendition->frames_done);
        writer_int(w, "frames", rendition->frames);
        writer_bool(w, "reused", rendition->reused);
        writer_object_end(w);
    }
    writer_array_end(w);
    writer_object_end(w);
}

void progress_json(const struct title_status *status, struct progress_clock *clock, int64_t now_ms,
                   int workers, struct buf *out) {
    struct writer w = writer_of(out);
    progress_write(status, clock, now_ms, workers, "progress", &w);
    buf_string(out, "\n");
}

const char *title_state_name(enum title_state state) {
    return state_names[state];
}
