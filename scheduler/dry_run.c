/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a submission would make: see dry_run.h. */
#include "dry_run.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"
#include "estimate.h"

/* What the source is, and who says so. */
struct finding {
    const char *from;                       /* "recorded", "sent" or "unknown" */
    const struct source_document *document; /* borrowed; NULL: unknown */
    const char *identity;                   /* borrowed; "" unknown */
    bool checked;                           /* the sender sees the same */
    char *kept;                             /* owned; identity where it was looked up */
};

static bool is_probed_alike(const struct title_row *title, const struct ladder *ladder) {
    struct ladder last;
    struct err err = {0};
    return farm_ladder(title, &last, &err) == 0 && plan_probes_alike(&last, ladder);
}

/* Whether the title's plan is of the source as it is now, as far as anybody can tell. */
static bool is_recorded(const struct dry_run *run, const struct title_row *title) {
    return title->source_size >= 0 && strcmp(title->source, run->request->source) == 0 &&
           (run->pin[0] == '\0' ||
            (strcmp(title->pin, run->pin) == 0 && title->source_size == run->size)) &&
           is_probed_alike(title, run->ladder);
}

/* The identity that was recorded when just this source was last read whole. */
static char *look_up_identity(struct tx *tx, const struct dry_run *run) {
    char *identity = NULL;
    struct query query = sql_query(tx, SQL_SOURCE_GET, VALUES(TEXT(run->request->source)));
    if (query_next(&query) && query_integer(&query, 0) == run->size &&
        strcmp(query_text(&query, 1), run->pin) == 0) {
        identity = mem_string(query_text(&query, 2));
    }
    query_close(&query);
    return identity;
}

static void find_source(struct finding *out, struct tx *tx, struct farm *farm,
                        const struct dry_run *run, const struct title_row *title) {
    *out = (struct finding){.from = "unknown", .identity = run->identity};
    if (title->id != NULL && is_recorded(run, title)) {
        const struct plan *plan = farm_plan(tx, farm, title);
        out->from = "recorded";
        out->document = plan == NULL ? NULL : &plan->title.source;
        out->identity = title->identity[0] != '\0' ? title->identity : run->identity;
        out->checked = run->pin[0] != '\0';
    } else if (run->document != NULL) {
        out->from = "sent";
        out->document = run->document;
        out->checked = true;
    }
    if (out->identity[0] == '\0' && run->pin[0] != '\0') {
        out->kept = look_up_identity(tx, run);
        out->identity = out->kept != NULL ? out->kept : "";
    }
}

/* ---- what would be made ------------------------------------------------------ */

/* The pieces of one rendition, or of all. */
struct tally {
    int64_t encoded;
    int64_t reused;
    double encoded_s;
    double reused_s;
    double table_s; /* of encoded_s: what no report of the farm has told */
};

static bool is_media(const struct unit_plan *unit) {
    return kind_is_media(unit->kind);
}

static bool is_made(struct tx *tx, const struct unit_plan *unit) {
    return unit->key[0] != '\0' &&
           sql_integer(tx, SQL_PRODUCT_COUNT, VALUES(TEXT(unit->place), TEXT(unit->key)), 0) > 0;
}

static void write_tally(struct writer *w, const struct tally *tally) {
    writer_int(w, "encoded", tally->encoded);
    writer_int(w, "reused", tally->reused);
    writer_number(w, "encoded_s", (double)(int64_t)(tally->encoded_s * 1000 + 0.5) / 1000);
    writer_number(w, "reused_s", (double)(int64_t)(tally->reused_s * 1000 + 0.5) / 1000);
    writer_number(w, "table_s", (double)(int64_t)(tally->table_s * 1000 + 0.5) / 1000);
}

static void add_tally(struct tally *sum, const struct tally *tally) {
    sum->encoded += tally->encoded;
    sum->reused += tally->reused;
    sum->encoded_s += tally->encoded_s;
    sum->reused_s += tally->reused_s;
    sum->table_s += tally->table_s;
}

/* How long the table's second is on this farm. */
struct pace {
    double factor;
    bool is_known; /* by reports */
};

static void write_rendition(struct tx *tx, const struct plan *plan, int rendition, bool force,
                            struct pace pace, struct tally *sum, struct writer *w) {
    struct tally tally = {0};
    writer_object(w, NULL);
    writer_string(w, "id", plan->title.renditions[rendition].id);
    writer_string(w, "folder", plan->title.renditions[rendition].folder);
    writer_array(w, "chunks");
    for (size_t i = 0; i < plan->unit_count; i++) {
        const struct unit_plan *unit = &plan->units[i];
        if (!is_media(unit) || unit->rendition != rendition) {
            continue;
        }
        bool reused = !force && is_made(tx, unit);
        tally.reused += reused;
        tally.encoded += !reused;
        *(reused ? &tally.reused_s : &tally.encoded_s) += unit->cost_s * pace.factor;
        if (!reused && unit->chunk >= 0) {
            writer_int(w, NULL, unit->chunk);
        }
    }
    writer_array_end(w);
    tally.table_s = pace.is_known ? 0 : tally.encoded_s;
    write_tally(w, &tally);
    writer_object_end(w);
    add_tally(sum, &tally);
}

/* Whether it is known what of the plan is made already. */
static bool is_exact(struct tx *tx, const struct dry_run *run, const struct finding *finding) {
    return finding->identity[0] != '\0' || run->request->force ||
           sql_integer(tx, SQL_PRODUCTS_COUNT, VALUES(TEXT(run->request->title)), 0) == 0;
}

static void write_plan(struct tx *tx, struct farm *farm, const struct dry_run *run,
                       const struct finding *finding, const struct plan *plan, struct writer *w) {
    const struct grid *grid = plan->title.grid;
    struct tally sum = {0};
    double slow = estimate_farm_slowness(tx, farm);
    writer_bool(w, "exact", is_exact(tx, run, finding));
    writer_int(w, "frames", grid->frames);
    writer_number(w, "seconds", (double)grid->frames / rational_value(grid->rate));
    writer_int(w, "chunks", (int64_t)grid->chunk_count);
    writer_array(w, "renditions");
    for (size_t i = 0; i < plan->title.rendition_count; i++) {
        struct pace pace = {.is_known = false};
        pace.is_known =
            estimate_rendition(&pace.factor, tx, farm, &plan->title.renditions[i], slow);
        write_rendition(tx, plan, (int)i, run->request->force, pace, &sum, w);
    }
    writer_array_end(w);
    plan_describe_dropped(plan, w);
    write_tally(w, &sum);
}

/* ---- all of it --------------------------------------------------------------- */

static void plan_and_write(struct tx *tx, struct farm *farm, const struct dry_run *run,
                           const struct finding *finding, struct writer *w) {
    struct plan *plan = NULL;
    struct err err = {0};
    struct plan_options options = {.title = run->request->title,
                                   .output = run->request->output,
                                   .identity = finding->identity,
                                   .ladder = run->ladder,
                                   .source = finding->document};
    if (title_is_too_damaged(finding->document->missing, finding->document->timeline.frames)) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "the title would fail: %" PRId64 " of the %" PRId64
                " frames of its source are missing",
                finding->document->missing, finding->document->timeline.frames);
    } else if (farm_plan_make(tx, farm, &options, &plan, &err) != 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "the title would fail: %s", err.message);
    } else {
        write_plan(tx, farm, run, finding, plan, w);
    }
    plan_destroy(plan);
}

void dry_run_write(struct tx *tx, struct farm *farm, const struct dry_run *run, struct writer *w) {
    struct title_row title = {0};
    struct finding finding = {.from = ""};
    bool runs = false;
    if (title_find(tx, run->request->title, &title)) {
        runs = title_check_submission(tx, run->request, &title);
    }
    if (tx_ok(tx)) {
        find_source(&finding, tx, farm, run, &title);
    }
    if (tx_ok(tx)) {
        writer_object(w, NULL);
        writer_string(w, "title", run->request->title);
        writer_bool(w, "runs", runs);
        writer_string(w, "source", finding.from);
        writer_bool(w, "checked", finding.checked);
        if (finding.document != NULL) {
            plan_and_write(tx, farm, run, &finding, w);
        }
        writer_object_end(w);
    }
    mem_free(finding.kept);
    title_row_finish(&title);
}
