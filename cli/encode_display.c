/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `encode` shows: see encode_display.h. */
#include "encode_display.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/mem.h"

enum { MAX_DOCUMENT = 16 << 20 };

void encode_display_init(struct encode_display *display, bool json, int workers) {
    *display = (struct encode_display){.workers = workers};
    display_init(&display->display, json);
}

/* Once, above what is drawn again and again; --json tells it with all progress. */
static void tell_early(struct encode_display *display, const struct title_status *status) {
    struct buf text = {0};
    if (display->early_told || status->early.seconds <= 0 ||
        display->display.kind == DISPLAY_JSON) {
        return;
    }
    display->early_told = true;
    buf_format(&text, "%s: can be watched now, as far as it is made: ", status->title);
    buf_plain(&text, status->early.playlist);
    buf_string(&text, "\n");
    display_print(&display->display, &text, 0);
}

void encode_display_show(struct encode_display *display, const struct title_status *status) {
    int64_t now = clock_monotonic_ms();
    struct buf text = {0};
    int lines = 0;
    progress_clock_note(&display->clock, status, now);
    tell_early(display, status);
    if (!display_is_due(&display->display, now)) {
        return;
    }
    switch (display->display.kind) {
    case DISPLAY_JSON:
        progress_json(status, &display->clock, now, display->workers, &text);
        break;
    case DISPLAY_LINES:
        progress_line(status, &display->clock, now, display->workers, &text);
        break;
    case DISPLAY_LIVE:
        lines =
            progress_draw(status, &display->clock, now, display->workers, display_columns(), &text);
        break;
    }
    display_print(&display->display, &text, lines);
}

void encode_display_finish(struct encode_display *display) {
    display_erase(&display->display);
}

/* ---- The end -------------------------------------------------------------------- */

static void summary_json(const struct title_status *status, const char *folder, double wall_s,
                         const struct json *document, struct buf *text) {
    struct writer w = writer_of(text);
    char *hls = mem_format("%s/master.m3u8", folder);
    char *dash = mem_format("%s/manifest.mpd", folder);
    writer_object(&w, NULL);
    writer_string(&w, "event", "done");
    writer_string(&w, "title", status->title);
    writer_string(&w, "version", status->version);
    writer_number(&w, "wall_s", wall_s);
    writer_string(&w, "hls", hls);
    writer_string(&w, "dash", dash);
    writer_node(&w, "document", document);
    writer_object_end(&w);
    buf_string(text, "\n");
    mem_free(hls);
    mem_free(dash);
}

static void rendition_text(struct reader *item, const struct title_status *status,
                           struct buf *text) {
    const char *id = "";
    int64_t average = 0;
    int64_t peak = 0;
    int64_t bytes = 0;
    reader_string(item, "id", &id);
    reader_int(item, "average_bps", 0, INT64_MAX / 2, &average);
    reader_int(item, "peak_bps", 0, INT64_MAX / 2, &peak);
    reader_int(item, "bytes", 0, INT64_MAX / 2, &bytes);
    bool reused = false;
    for (size_t i = 0; i < status->rendition_count; i++) {
        reused = reused ||
                 (status->renditions[i].reused && strcmp(status->renditions[i].id, id) == 0);
    }
    buf_format(text, "  %-20s %6" PRId64 " kb/s (peak %" PRId64 ")  %.1f MB%s\n", id,
               average / 1000, peak / 1000, (double)bytes / 1e6, reused ? "  reused" : "");
}

static void notes_text(struct reader *document, const struct title_status *status,
                       struct buf *text) {
    static const char *const lists[] = {"defects", "left_out"};
    struct reader source = reader_object(document, "source");
    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
        struct reader list = reader_array(&source, lists[l]);
        for (size_t i = 0; i < reader_count(&list); i++) {
            const char *sentence = "";
            reader_item_string(&list, i, &sentence);
            buf_format(text, "  note: %s\n", sentence);
        }
    }
    if (status->frames_repaired > 0) {
        buf_format(text,
                   "  note: %" PRId64 " of %" PRId64
                   " frames were missing or damaged in the source and show the picture before\n",
                   status->frames_repaired, status->frames);
    }
    if (status->frames_concealed > 0) {
        buf_format(text,
                   "  note: %" PRId64 " of %" PRId64
                   " frames are damaged in the source and show what its decoder made of them\n",
                   status->frames_concealed, status->frames);
    }
}

static void summary_text(const struct title_status *status, const char *folder, double wall_s,
                         struct reader *document, struct buf *text) {
    buf_format(text, "%s: %" PRId64 " frames (%.1f s) in %.1f s, %.2fx real time\n", status->title,
               status->frames, status->seconds, wall_s,
               wall_s > 0 ? status->seconds / wall_s : 0.0);
    struct reader list = reader_array(document, "renditions");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        rendition_text(&item, status, text);
    }
    notes_text(document, status, text);
    missing_text(status, "  note: ", text);
    buf_format(text, "  HLS   %s/master.m3u8\n  DASH  %s/manifest.mpd\n", folder, folder);
}

int encode_summary_write(const struct title_status *status, const char *out, double wall_s,
                         bool json, struct buf *text, struct err *err) {
    char *folder = mem_format("%s/%s", out, status->title);
    char *key = mem_format("%s/title.json", status->title);
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    struct buf bytes = {0};
    struct json *document = NULL;
    struct err found = {0};
    int failed = blob_open(&blob, out, &options, &found);
    if (failed == 0) {
        failed = blob_get(blob, key, MAX_DOCUMENT, &bytes, &found);
    }
    if (failed == 0) {
        failed = json_tree_parse(&document, bytes.data, bytes.size, &found);
    }
    if (failed == 0) {
        struct reader r = reader_of(document, key, &found);
        if (json) {
            summary_json(status, folder, wall_s, document, text);
        } else {
            summary_text(status, folder, wall_s, &r, text);
        }
    }
    json_tree_destroy(document);
    buf_finish(&bytes);
    blob_close(blob);
    mem_free(key);
    mem_free(folder);
    return err_pass(err, &found);
}
