/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What versions are made of, as it is noted for what endpoints hold: see publication.h. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "objects.h"
#include "publication_parts.h"
#include "scheduler/missing.h"
#include "scheduler/plan.h"
#include "scheduler/titles.h"
#include "scheduler/versions.h"

enum { RENDITIONS_MAX = 256 }; /* of a version */

/* Renditions that a version made by the plan has. */
static int64_t count_made(const struct title_plan *plan, const struct missing_list *missing) {
    int64_t made = 0;
    for (size_t i = 0; i < plan->rendition_count; i++) {
        made += missing_has(missing, plan->renditions[i].id) ? 0 : 1;
    }
    return made;
}

void publication_note(struct tx *tx, struct farm *farm, const char *id) {
    struct title_row title = {0};
    struct missing_list missing = {0};
    const struct plan *plan = NULL;
    size_t count = 0;
    if (title_get(tx, id, &title) && title.version[0] != '\0' && title.source_size >= 0 &&
        strcmp(title.version, title.packaged) == 0) {
        plan = farm_plan(tx, farm, &title);
    }
    missing_read(tx, id, &missing);
    if (plan != NULL && sql_integer(tx, SQL_VERSION_RENDITIONS_COUNT,
                                    VALUES(TEXT(id), TEXT(title.version), TEXT(title.output)),
                                    0) == count_made(&plan->title, &missing)) {
        count = plan->title.rendition_count;
    }
    for (size_t i = 0; i < count; i++) {
        const struct rendition_plan *rendition = &plan->title.renditions[i];
        if (missing_has(&missing, rendition->id)) {
            continue;
        }
        int64_t segments = rendition->is_image ? image_sheets(&rendition->image)
                                               : (int64_t)plan->title.grid->segment_count;
        sql_run(tx, SQL_VERSION_FOLDER_ADD,
                VALUES(TEXT(id), TEXT(title.version), INTEGER((int64_t)i), TEXT(rendition->id),
                       TEXT(rendition->folder), INTEGER(segments)));
    }
    missing_finish(&missing);
    title_row_finish(&title);
}

/* ---- of older ones -------------------------------------------------------------------------- */

struct place_list {
    size_t count;
    char (*list)[PLAN_PLACE_TEXT]; /* owned */
};

static bool has_folder(const struct place_list *places, const char *folder) {
    bool found = false;
    for (size_t i = 0; i < places->count && !found; i++) {
        found = strcmp(version_folder_of(places->list[i]), folder) == 0;
    }
    return found;
}

/* Where the renditions lie with which the version is kept; at one output, where it is at several.
 */
static void read_places(struct tx *tx, const char *title, const char *version,
                        struct place_list *out) {
    out->list = mem_zero(RENDITIONS_MAX, sizeof(*out->list));
    struct query query = sql_query(tx, SQL_VERSION_RENDITIONS, VALUES(TEXT(title), TEXT(version)));
    while (out->count < RENDITIONS_MAX && query_next(&query)) {
        const char *place = query_text(&query, 0);
        if (!has_folder(out, version_folder_of(place))) {
            snprintf(out->list[out->count++], sizeof(*out->list), "%s", place);
        }
    }
    query_close(&query);
}

/* Whether the notes name just these. */
static bool is_noted(struct tx *tx, const char *title, const char *version,
                     const struct place_list *places) {
    size_t count = 0;
    bool all = true;
    struct query query = sql_query(tx, SQL_VERSION_FOLDERS, VALUES(TEXT(title), TEXT(version)));
    while (query_next(&query)) {
        all = all && has_folder(places, query_text(&query, 0));
        count++;
    }
    return all && count == places->count;
}

void publication_note_older(struct tx *tx, const char *title, const char *version) {
    struct place_list places = {0};
    read_places(tx, title, version, &places);
    int64_t *segments = mem_zero(places.count + 1, sizeof(*segments));
    bool known = places.count > 0 && !is_noted(tx, title, version, &places);
    for (size_t i = 0; i < places.count && known; i++) {
        segments[i] = objects_count_segments(tx, places.list[i]);
        known = tx_ok(tx) && segments[i] > 0;
    }
    if (known) {
        sql_run(tx, SQL_VERSION_NOTES_DROP, VALUES(TEXT(title), TEXT(version)));
    }
    for (size_t i = 0; i < places.count && known; i++) {
        const char *folder = version_folder_of(places.list[i]);
        char rendition[WIRE_RENDITION_TEXT];
        plan_rendition_of(folder, rendition);
        sql_run(tx, SQL_VERSION_FOLDER_ADD,
                VALUES(TEXT(title), TEXT(version), INTEGER((int64_t)i), TEXT(rendition),
                       TEXT(folder), INTEGER(segments[i])));
    }
    mem_free(segments);
    mem_free(places.list);
}
