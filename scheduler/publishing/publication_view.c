/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people see of publications: see publication.h. */
#include <string.h>

#include "publication_parts.h"
#include "publication_waits.h"
#include "scheduler/titles.h"

const char *publication_state(const struct publication_row *row) {
    if (row->wanted[0] == '\0') {
        return row->stage != STAGE_SETTLED ? "withdrawing" : row->fetches ? "fetches" : "gone";
    }
    return row->stage == STAGE_RUNNING   ? "running"
           : row->stage == STAGE_SETTLED ? "held"
                                         : "waiting";
}

/* What is done of the objects that are to be brought: as the push that runs tells, else as the
 * last one told. */
static void write_progress(struct tx *tx, struct farm *farm, const struct publication_row *row,
                           struct writer *w) {
    struct lease_list leases = {0};
    int64_t done = row->skip > 0 ? row->skip : 0, total = row->total;
    char place[PUBLICATION_TEXT];
    publication_place(row->id, place);
    if (row->stage == STAGE_RUNNING) {
        lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(place));
    }
    for (size_t i = 0; i < leases.count; i++) {
        const struct progress *progress = farm_progress(farm, leases.rows[i].fence);
        done = progress == NULL ? done : progress->done;
        total = progress == NULL ? total : progress->total;
    }
    lease_list_finish(&leases);
    writer_int(w, "done", done);
    writer_int(w, "total", total);
}

/* Publications of a title and what they wait for, beside their endpoints, which are read where one
 * of them is not as it shall be. */
struct showing {
    struct waits_facts facts;
    struct endpoint_list endpoints;
};

static struct showing show(struct tx *tx, const struct farm *farm,
                           const struct publication_list *list, const char *title, const char *to) {
    struct showing showing = {.facts = {.farm = farm, .title = title, .shown_to = to}};
    for (size_t i = 0; i < list->count; i++) {
        if (list->rows[i].stage != STAGE_SETTLED) {
            endpoint_list_read(tx, farm, &showing.endpoints);
            break;
        }
    }
    return showing;
}

static void write_waits(struct tx *tx, const struct publication_row *row, struct showing *showing,
                        struct writer *w) {
    struct publication_waits waits;
    publication_waits_read(tx, &showing->facts, row,
                           endpoint_list_find(&showing->endpoints, row->endpoint), &waits);
    publication_waits_write(&waits, w);
}

static void write_row(struct tx *tx, struct farm *farm, const struct publication_row *row,
                      struct showing *showing, struct writer *w) {
    bool waits = row->stage == STAGE_DUE && row->failures > 0;
    writer_object(w, NULL);
    writer_string(w, "endpoint", row->endpoint);
    writer_bool(w, "catalog", row->is_catalog);
    writer_bool(w, "listed", row->listed);
    writer_string(w, "wanted", row->wanted);
    writer_string(w, "held", row->held);
    writer_string(w, "state", publication_state(row));
    writer_bool(w, "pending", publication_goes_on(row));
    write_progress(tx, farm, row, w);
    writer_int(w, "failures", row->failures);
    writer_string(w, "class", row->failure);
    writer_string(w, "error", row->error);
    if (waits) {
        writer_int(w, "retry_at", row->next_at);
    } else {
        writer_null(w, "retry_at");
    }
    write_waits(tx, row, showing, w);
    writer_object_end(w);
}

static bool is_of(struct tx *tx, enum sql_id whose, const char *title, const char *tenant) {
    return tenant[0] == '\0' || sql_integer(tx, whose, VALUES(TEXT(title), TEXT(tenant)), 0) > 0;
}

void publications_show(struct tx *tx, struct farm *farm, const char *title, const char *tenant,
                       struct writer *w) {
    struct publication_list list = {0};
    struct title_row row = {0};
    bool is_there = title_find(tx, title, &row);
    publication_list_read(tx, title, &list);
    if ((!is_there && list.count == 0) ||
        !is_of(tx, is_there ? SQL_TITLE_IS_OF : SQL_TITLE_GONE_IS_OF, title, tenant)) {
        title_not_found(tx, title);
    }
    writer_string(w, "title", title);
    writer_string(w, "state", is_there ? state_name(MACHINE_TITLE, (int)row.state) : "removed");
    struct showing showing = show(tx, farm, &list, title, tenant);
    writer_array(w, "publications");
    for (size_t i = 0; i < list.count; i++) {
        write_row(tx, farm, &list.rows[i], &showing, w);
    }
    writer_array_end(w);
    endpoint_list_finish(&showing.endpoints);
    publication_list_finish(&list);
    title_row_finish(&row);
}

void publications_write(struct tx *tx, struct farm *farm, const struct title_row *title,
                        const char *shown_to, struct writer *w) {
    struct publication_list list = {0};
    struct publication_facts facts;
    publication_list_read(tx, title->id, &list);
    publication_facts_read(tx, title->id, true, &facts);
    bool published = title->version[0] != '\0' && !facts.withheld;
    struct showing showing = show(tx, farm, &list, title->id, shown_to);
    writer_array(w, "publications");
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        published = published && !publication_lacks(row, title->version);
        write_row(tx, farm, row, &showing, w);
    }
    writer_array_end(w);
    writer_bool(w, "published", published);
    endpoint_list_finish(&showing.endpoints);
    publication_list_finish(&list);
}
