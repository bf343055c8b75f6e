/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients see of a title: see view.h. */
#include "view.h"

#include <string.h>

#include "common/mem.h"
#include "scheduler/early.h"
#include "scheduler/missing.h"
#include "scheduler/publishing/public_outputs.h"
#include "scheduler/publishing/publication.h"
#include "scheduler/versions.h"

enum { COMMON_TITLES = 2000 }; /* of a label: more are not sorted for a page */

/* ---- titles ------------------------------------------------------------------ */

/* The URL of the title's folder as players read it; null where nobody knows. */
void view_media(const struct farm *farm, const char *output, const char *title, struct writer *w) {
    struct buf url = {0};
    if (public_outputs_url(farm->public_outputs, output, title, &url)) {
        writer_string(w, "media", buf_text(&url));
    } else {
        writer_null(w, "media");
    }
    buf_finish(&url);
}

static void write_place(struct writer *w, const char *name, const char *place) {
    char text[PLACE_TEXT];
    place_public(place, text);
    writer_string(w, name, text);
}

/* The title's labels, "NAME=VALUE". */
static void write_labels(struct tx *tx, const char *title, struct writer *w) {
    struct query query = sql_query(tx, SQL_LABELS, VALUES(TEXT(title)));
    rows_write_texts(&query, w, "labels");
}

/* When a title came, and what places it in the queue: four columns of a query, from `column` on. */
static void write_order(struct writer *w, struct query *query, int column) {
    int64_t deadline = query_integer(query, column + 2);
    writer_positive(w, "submitted_at", query_integer(query, column + 3));
    writer_int(w, "priority", query_integer(query, column));
    writer_string(w, "tenant", query_text(query, column + 1));
    if (deadline == 0) {
        writer_null(w, "deadline");
    } else {
        writer_int(w, "deadline", deadline);
    }
}

/* The statement that looks at the fewest titles, and the label that it goes by. Those of a rare
 * label are sorted, the others come in order. */
static enum sql_id way_to(struct tx *tx, const struct titles_page *page, int *label) {
    *label = 0;
    for (int i = 0; i < TITLES_PAGE_LABELS && page->labels[i][0] != '\0'; i++) {
        if (sql_integer(tx, SQL_LABEL_IS_COMMON,
                        VALUES(TEXT(page->labels[i]), INTEGER(COMMON_TITLES)), 0) == 0) {
            *label = i;
            return SQL_TITLES_PAGE_OF_LABEL;
        }
    }
    if (page->tenant[0] != '\0') {
        return SQL_TITLES_PAGE_OF_TENANT;
    }
    return page->state[0] != '\0' ? SQL_TITLES_PAGE_OF_STATE : SQL_TITLES_PAGE;
}

void view_titles(struct tx *tx, const struct titles_page *page, struct writer *w) {
    int count = 0, first = 0;
    int64_t last = page->before;
    enum sql_id statement = way_to(tx, page, &first);
    const char *labels[TITLES_PAGE_LABELS];
    for (int i = 0; i < TITLES_PAGE_LABELS; i++) {
        labels[i] = page->labels[(first + i) % TITLES_PAGE_LABELS];
    }
    struct query query = sql_query(
        tx, statement,
        VALUES(INTEGER(page->before), TEXT(page->state), TEXT(page->tenant), TEXT(labels[0]),
               INTEGER(page->limit + 1), TEXT(labels[1]), TEXT(labels[2]), TEXT(labels[3])));
    bool more = false;
    writer_object(w, NULL);
    writer_array(w, "titles");
    while (query_next(&query)) {
        more = count == page->limit;
        if (more) {
            continue; /* one past the page tells that there is another */
        }
        last = query_integer(&query, 0);
        writer_object(w, NULL);
        writer_string(w, "title", query_text(&query, 1));
        writer_string(w, "state", query_text(&query, 2));
        write_place(w, "source", query_text(&query, 3));
        write_place(w, "output", query_text(&query, 4));
        writer_string(w, "version", query_text(&query, 5));
        writer_string(w, "class", query_text(&query, 6));
        writer_string(w, "error", query_text(&query, 7));
        write_order(w, &query, 8);
        write_labels(tx, query_text(&query, 1), w);
        writer_object_end(w);
        count++;
    }
    writer_array_end(w);
    if (more) {
        writer_int(w, "next", last);
    } else {
        writer_null(w, "next");
    }
    writer_object_end(w);
}

/* ---- a title ----------------------------------------------------------------- */

struct task_view {
    struct lease_row lease;
    struct unit_list units;
    double share;
};

/* What is done of a title, gathered before it is written. */
struct title_view {
    struct task_view *tasks;
    size_t task_count;
    int64_t busy_workers;
    int64_t encoded_frames;
    int64_t encoded_total;
};

static void load_tasks(struct tx *tx, struct farm *farm, const char *title,
                       struct title_view *view) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(title));
    view->tasks = mem_zero(leases.count + 1, sizeof(*view->tasks));
    for (size_t i = 0; i < leases.count; i++) {
        if (leases.rows[i].state != LEASE_LIVE) {
            continue;
        }
        struct task_view *task = &view->tasks[view->task_count];
        bool known = false;
        for (size_t j = 0; j < view->task_count; j++) {
            known = known || strcmp(view->tasks[j].lease.session, leases.rows[i].session) == 0;
        }
        view->busy_workers += known ? 0 : 1;
        task->lease = leases.rows[i];
        task->share = farm_progress_share(farm, task->lease.fence);
        lease_units(tx, task->lease.fence, &task->units);
        view->task_count++;
    }
    lease_list_finish(&leases);
}

static int64_t chunk_frames(const struct plan *plan, int chunk) {
    return grid_chunk_frame(plan->title.grid, (size_t)chunk + 1) -
           grid_chunk_frame(plan->title.grid, (size_t)chunk);
}

/* Frames of a rendition that running tasks have done. */
static int64_t running_frames(const struct plan *plan, const struct title_view *view,
                              int rendition) {
    double frames = 0;
    for (size_t i = 0; i < view->task_count; i++) {
        const struct task_view *task = &view->tasks[i];
        for (size_t j = 0; j < task->units.count; j++) {
            const struct unit_row *unit = &task->units.rows[j];
            if (unit->rendition == rendition && unit->chunk >= 0 && unit->state == UNIT_LEASED) {
                frames += task->share * (double)chunk_frames(plan, unit->chunk);
            }
        }
    }
    return (int64_t)frames;
}

/* How loud a rendition is, where its report tells. */
static void write_loudness(struct tx *tx, const struct title_row *title,
                           const struct rendition_plan *rendition, struct writer *w) {
    size_t length = strlen(title->output);
    length -= length > 1 && title->output[length - 1] == '/' ? 1 : 0;
    char *place =
        mem_format("%.*s/%s/%s", (int)length, title->output, title->id, rendition->folder);
    struct query query = sql_query(tx, SQL_PRODUCTS_OF_PLACE, VALUES(TEXT(place)));
    if (query_next(&query)) {
        const char *text = query_text(&query, 0);
        struct json *tree = NULL;
        struct loudness loudness;
        struct err err = {0};
        json_tree_parse(&tree, text, strlen(text), &err);
        struct reader report = reader_of(tree, "the stored report", &err);
        if (reader_has(&report, "loudness")) {
            struct reader below = reader_object(&report, "loudness");
            loudness_read(&loudness, &below);
            if (reader_ok(&report)) {
                loudness_write(&loudness, w, "loudness");
            }
        }
        json_tree_destroy(tree);
    }
    query_close(&query);
    mem_free(place);
}

/* A report may have thousands of segments, so loudness is looked up only where no client asks
 * every second. */
static void write_renditions(struct tx *tx, const struct title_row *title, const struct plan *plan,
                             struct title_view *view, struct writer *w) {
    writer_array(w, "renditions");
    struct query query = sql_query(tx, SQL_UNITS_PROGRESS, VALUES(TEXT(title->id)));
    while (plan != NULL && query_next(&query)) {
        int rendition = (int)query_integer(&query, 0);
        int64_t frames = query_integer(&query, 3);
        int64_t done = query_integer(&query, 4) + running_frames(plan, view, rendition);
        const struct rendition_plan *made = &plan->title.renditions[rendition];
        writer_object(w, NULL);
        writer_string(w, "id", made->id);
        writer_string(w, "kind", made->is_image ? "images" : made->is_video ? "video" : "audio");
        writer_int(w, "units", query_integer(&query, 1));
        writer_int(w, "units_done", query_integer(&query, 2));
        writer_int(w, "frames_done", done);
        writer_int(w, "frames", frames);
        writer_int(w, "reused", query_integer(&query, 5));
        if (!made->is_video && title->state == TITLE_DONE) {
            write_loudness(tx, title, made, w);
        }
        writer_object_end(w);
        view->encoded_frames += done;
        view->encoded_total += frames;
    }
    query_close(&query);
    writer_array_end(w);
}

static void write_tasks(struct farm *farm, const struct title_view *view, struct writer *w) {
    writer_array(w, "tasks");
    for (size_t i = 0; i < view->task_count; i++) {
        const struct task_view *task = &view->tasks[i];
        const struct progress *progress = farm_progress(farm, task->lease.fence);
        writer_object(w, NULL);
        writer_int(w, "fence", task->lease.fence);
        writer_string(w, "kind", task_kind_name(task->lease.kind));
        writer_int(w, "chunk", task->units.count > 0 ? task->units.rows[0].chunk : -1);
        writer_string(w, "worker", task->lease.worker);
        writer_array(w, "renditions");
        for (size_t j = 0; j < task->units.count; j++) {
            if (task->units.rows[j].rendition >= 0) {
                writer_string(w, NULL, task->units.rows[j].rendition_id);
            }
        }
        writer_array_end(w);
        writer_int(w, "done", progress == NULL ? 0 : progress->done);
        writer_int(w, "total", progress == NULL ? 0 : progress->total);
        writer_object_end(w);
    }
    writer_array_end(w);
}

static void write_stats(struct tx *tx, const char *title, struct writer *w) {
    struct query query = sql_query(tx, SQL_TITLE_STATS, VALUES(TEXT(title)));
    writer_object(w, "stats");
    if (query_next(&query)) {
        writer_int(w, "tasks", query_integer(&query, 0));
        writer_int(w, "failures", query_integer(&query, 1));
        writer_int(w, "losses", query_integer(&query, 2));
        writer_int(w, "frames_decoded", query_integer(&query, 3));
        writer_int(w, "source_bytes", query_integer(&query, 4));
        writer_number(w, "cpu_s", query_real(&query, 5));
        writer_number(w, "decode_cpu_s", query_real(&query, 6));
        writer_number(w, "scale_cpu_s", query_real(&query, 7));
        writer_number(w, "encode_cpu_s", query_real(&query, 8));
        writer_number(w, "wall_s", query_real(&query, 9));
        writer_int(w, "peak_memory", query_integer(&query, 10));
    }
    writer_object_end(w);
    query_close(&query);
}

void view_title(struct tx *tx, struct farm *farm, const char *id, struct writer *w) {
    view_title_to(tx, farm, id, "", w);
}

void view_title_to(struct tx *tx, struct farm *farm, const char *id, const char *tenant,
                   struct writer *w) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    struct title_view view = {0};
    const struct plan *plan = NULL;
    if (title.source_size >= 0) { /* set with the plan */
        plan = farm_plan(tx, farm, &title);
    }
    load_tasks(tx, farm, id, &view);
    writer_object(w, NULL);
    writer_string(w, "title", id);
    writer_string(w, "state", state_name(MACHINE_TITLE, (int)title.state));
    write_place(w, "source", title.source);
    write_place(w, "output", title.output);
    view_media(farm, title.output, id, w);
    writer_string(w, "class", title.failure);
    writer_string(w, "error", title.error);
    writer_string(w, "version", title.version);
    writer_bool(w, "rolling_back", versions_rolling_back(tx, id));
    writer_string(w, "identity", title.identity);
    char trace[TRACE_TEXT];
    title_trace(tx, id, trace);
    writer_string(w, "trace", trace);
    struct query order = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(id)));
    if (query_next(&order)) {
        write_order(w, &order, 0);
    }
    query_close(&order);
    write_labels(tx, id, w);
    early_write(tx, &title, plan, w);
    write_renditions(tx, &title, plan, &view, w);
    missing_write(tx, id, w);
    struct rational rate = plan == NULL ? (struct rational){0, 1} : plan->title.grid->rate;
    int64_t frames = plan == NULL ? 0 : plan->title.grid->frames;
    writer_int(w, "frames", frames);
    writer_number(w, "seconds", rate.num > 0 ? (double)frames / rational_value(rate) : 0);
    writer_int(w, "encoded_frames", view.encoded_frames);
    writer_int(w, "encoded_total", view.encoded_total);
    writer_int(w, "frames_repaired", sql_integer(tx, SQL_UNITS_REPAIRED, VALUES(TEXT(id)), 0));
    writer_int(w, "frames_concealed", sql_integer(tx, SQL_UNITS_CONCEALED, VALUES(TEXT(id)), 0));
    writer_int(w, "workers_busy", view.busy_workers);
    write_tasks(farm, &view, w);
    write_stats(tx, id, w);
    publications_write(tx, farm, &title, tenant, w);
    writer_object_end(w);
    for (size_t i = 0; i < view.task_count; i++) {
        unit_list_finish(&view.tasks[i].units);
    }
    mem_free(view.tasks);
    title_row_finish(&title);
}

/* ---- its plan, units, identity ----------------------------------------------- */

void view_plan(struct tx *tx, struct farm *farm, const char *id, struct writer *w) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    if (title.source_size < 0) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "title %s has no plan yet; its source is being read",
                id);
    } else {
        const struct plan *plan = farm_plan(tx, farm, &title);
        if (plan != NULL) {
            struct missing_list missing = {0};
            struct title_plan copy = plan->title;
            missing_read(tx, id, &missing);
            copy.missing = missing.list;
            copy.missing_count = missing.count;
            copy.frames_repaired = sql_integer(tx, SQL_UNITS_REPAIRED, VALUES(TEXT(id)), 0);
            copy.frames_concealed = sql_integer(tx, SQL_UNITS_CONCEALED, VALUES(TEXT(id)), 0);
            title_plan_write(&copy, w, NULL);
            missing_finish(&missing);
        }
    }
    title_row_finish(&title);
}

void view_units(struct tx *tx, const char *id, const struct units_page *page, struct writer *w) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    int count = 0;
    int64_t last = page->after;
    writer_object(w, NULL);
    writer_array(w, "units");
    struct query query = sql_query(tx, SQL_UNITS_PAGE,
                                   VALUES(TEXT(id), INTEGER(page->after), INTEGER(page->limit),
                                          INTEGER(page->has_reports ? 1 : 0)));
    while (query_next(&query)) {
        const char *report = query_text(&query, 5);
        last = query_integer(&query, 0);
        writer_object(w, NULL);
        writer_int(w, "id", last);
        writer_string(w, "kind", query_text(&query, 1));
        writer_string(w, "rendition", query_text(&query, 2));
        writer_int(w, "chunk", query_integer(&query, 3));
        writer_string(w, "state", query_text(&query, 4));
        writer_bool(w, "reused", query_integer(&query, 6) != 0);
        writer_int(w, "failures", query_integer(&query, 7));
        writer_int(w, "losses", query_integer(&query, 8));
        if (report[0] == '\0') {
            writer_null(w, "report");
        } else {
            writer_raw(w, "report", report, strlen(report));
        }
        writer_object_end(w);
        count++;
    }
    writer_array_end(w);
    if (count == page->limit) {
        writer_int(w, "next", last);
    } else {
        writer_null(w, "next");
    }
    writer_object_end(w);
    title_row_finish(&title);
}

bool view_identity(struct tx *tx, struct farm *farm, const char *id, struct writer *w) {
    struct title_row title = {0};
    bool known = title_get(tx, id, &title) && title.identity[0] != '\0';
    const struct plan *plan = known ? farm_plan(tx, farm, &title) : NULL;
    if (plan != NULL) {
        writer_object(w, NULL);
        writer_string(w, "identity", title.identity);
        writer_array(w, "renditions");
        for (size_t i = 0; i < plan->title.rendition_count; i++) {
            const struct rendition_plan *rendition = &plan->title.renditions[i];
            writer_object(w, NULL);
            writer_string(w, "id", rendition->id);
            writer_string(w, "folder", rendition->folder);
            writer_string(w, "key", rendition->key);
            writer_object_end(w);
        }
        writer_array_end(w);
        writer_object_end(w);
    }
    title_row_finish(&title);
    return known;
}
