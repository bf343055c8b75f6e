/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What edges and catalogs are to hold: see publication.h. */
#include "publication.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "publication_parts.h"
#include "scheduler/events.h"
#include "scheduler/titles.h"

enum {
    WALK_TITLES = 50,     /* looked at in one sweep for endpoints that are new in the file */
    BEHIND_ROWS = 50,     /* likewise, of those that wait for others */
    REMOVING_TITLES = 50, /* likewise, of those whose endpoints may be away by now */
    UNSURE_ROWS = 50,     /* likewise, of those whose workers were lost */
    GOING_ROWS = 50,      /* likewise, of those that keep versions longer than the origin */
    RANK_LATER = 1 << 20, /* of what an endpoint is caught up with: behind all that is new */
};

static const char *const stages[STAGE_COUNT] = {"settled", "due", "behind", "running"};

/* ---- rows ------------------------------------------------------------------------------ */

static enum publication_stage stage_of(const char *name) {
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (strcmp(stages[i], name) == 0) {
            return (enum publication_stage)i;
        }
    }
    return STAGE_SETTLED;
}

void publication_read(struct query *query, struct publication_row *row) {
    *row = (struct publication_row){
        .id = query_integer(query, 0),
        .choice = (int)query_integer(query, 3),
        .revision = query_integer(query, 6),
        .stage = stage_of(query_text(query, 7)),
        .pushed_revision = query_integer(query, 9),
        .skip = query_integer(query, 10),
        .total = query_integer(query, 11),
        .failures = query_integer(query, 12),
        .next_at = query_integer(query, 15),
        .is_catalog = query_integer(query, 17) != 0,
        .reachable = query_integer(query, 18) != 0,
        .unsure_at = query_integer(query, 19),
        .listed = query_integer(query, 20) != 0,
        .fetches = query_integer(query, 21) != 0,
    };
    snprintf(row->title, sizeof(row->title), "%s", query_text(query, 1));
    snprintf(row->endpoint, sizeof(row->endpoint), "%s", query_text(query, 2));
    snprintf(row->wanted, sizeof(row->wanted), "%s", query_text(query, 4));
    snprintf(row->held, sizeof(row->held), "%s", query_text(query, 5));
    snprintf(row->pushed, sizeof(row->pushed), "%s", query_text(query, 8));
    snprintf(row->failure, sizeof(row->failure), "%s", query_text(query, 13));
    snprintf(row->error, sizeof(row->error), "%s", query_text(query, 14));
}

bool publication_find(struct tx *tx, int64_t id, struct publication_row *out) {
    struct query query = sql_query(tx, SQL_PUBLICATION_GET, VALUES(INTEGER(id)));
    bool found = query_next(&query);
    if (found) {
        publication_read(&query, out);
    }
    query_close(&query);
    return found;
}

static void list_read(struct query query, struct publication_list *out) {
    while (query_next(&query)) {
        out->rows = mem_resize(out->rows, out->count + 1, sizeof(*out->rows));
        publication_read(&query, &out->rows[out->count++]);
    }
}

void publication_list_read(struct tx *tx, const char *title, struct publication_list *out) {
    list_read(sql_query(tx, SQL_PUBLICATIONS_OF_TITLE, VALUES(TEXT(title))), out);
}

void publication_list_finish(struct publication_list *list) {
    mem_free(list->rows);
    *list = (struct publication_list){0};
}

struct publication_row *publication_of(const struct publication_list *list, const char *endpoint) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->rows[i].endpoint, endpoint) == 0) {
            return &list->rows[i];
        }
    }
    return NULL;
}

void publication_place(int64_t id, char out[PUBLICATION_TEXT]) {
    snprintf(out, PUBLICATION_TEXT, "#%" PRId64, id);
}

int64_t publication_of_place(const char *place) {
    return place[0] == '#' ? strtoll(place + 1, NULL, 10) : 0;
}

/* ---- which is next ------------------------------------------------------------------------ */

bool publication_goes_on(const struct publication_row *row) {
    bool refused = strcmp(row->failure, failure_class_name(FAILURE_REFUSED)) == 0;
    return row->stage != STAGE_SETTLED && row->reachable && !refused &&
           row->failures < PUBLICATION_PATIENCE;
}

/* Whether others of its title come before it. */
static bool is_behind(const struct publication_list *list, const struct publication_row *row) {
    bool leaves = row->wanted[0] == '\0';
    for (size_t i = 0; i < list->count; i++) {
        const struct publication_row *other = &list->rows[i];
        if (other->is_catalog != row->is_catalog && row->is_catalog == !leaves &&
            (other->wanted[0] == '\0') == leaves && publication_goes_on(other)) {
            return true;
        }
    }
    return false;
}

bool publication_lacks(const struct publication_row *row, const char *version) {
    bool has = row->stage == STAGE_SETTLED && strcmp(row->held, version) == 0;
    return row->is_catalog && row->listed && row->wanted[0] != '\0' && !has;
}

/* Tells, once for each version that is current, that the origin and all catalogs have it; a farm
 * without endpoints is told that it is done. */
static void tell_published(struct tx *tx, const char *title, const struct publication_list *list) {
    char version[VERSION_TEXT] = "";
    bool withheld = false;
    struct query query = sql_query(tx, SQL_TITLE_WANTING, VALUES(TEXT(title)));
    if (query_next(&query)) {
        bool stays = strcmp(query_text(&query, 0), state_name(MACHINE_TITLE, TITLE_REMOVING)) != 0;
        snprintf(version, sizeof(version), "%s", stays ? query_text(&query, 1) : "");
        withheld = query_integer(&query, 5) != 0;
    }
    query_close(&query);
    for (size_t i = 0; i < list->count && !withheld; i++) {
        if (publication_lacks(&list->rows[i], version)) {
            return;
        }
    }
    const char *told = withheld ? "" : version;
    bool is_new = sql_run(tx, SQL_TITLE_SET_TOLD, VALUES(TEXT(title), TEXT(told))) > 0;
    if (is_new && told[0] != '\0' && sql_integer(tx, SQL_ENDPOINTS_LISTED, NULL, 0, 0) > 0) {
        struct buf detail = {0};
        struct writer w = writer_of(&detail);
        writer_object(&w, NULL);
        writer_string(&w, "version", version);
        writer_object_end(&w);
        event_add(tx, title, 0, "title", "publish", buf_text(&detail));
        buf_finish(&detail);
    }
}

void publication_order(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        enum publication_stage stage = is_behind(&list, row) ? STAGE_BEHIND : STAGE_DUE;
        if (row->stage != stage && (row->stage == STAGE_DUE || row->stage == STAGE_BEHIND)) {
            sql_run(tx, SQL_PUBLICATION_STAGE,
                    VALUES(INTEGER(row->id), TEXT(stages[row->stage]), TEXT(stages[stage])));
        }
    }
    tell_published(tx, title, &list);
    publication_list_finish(&list);
    tx_wake(tx, TOPIC_PUSHES);
}

/* ---- what is wanted ------------------------------------------------------------------------- */

static void tell(struct tx *tx, const struct publication_row *row, const char *event,
                 const char *version) {
    struct buf detail = {0};
    struct writer w = writer_of(&detail);
    writer_object(&w, NULL);
    writer_string(&w, "endpoint", row->endpoint);
    writer_string(&w, "version", version);
    writer_object_end(&w);
    event_add(tx, row->title, 0, "publication", event, buf_text(&detail));
    buf_finish(&detail);
}

static void stop_push(struct tx *tx, const struct publication_row *row) {
    struct lease_list leases = {0};
    char place[PUBLICATION_TEXT];
    publication_place(row->id, place);
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(place));
    for (size_t i = 0; i < leases.count; i++) {
        if (leases.rows[i].state == LEASE_LIVE) {
            lease_move(tx, leases.rows[i].fence, LEASE_LIVE, LEASE_STOP);
        }
    }
    lease_list_finish(&leases);
}

void publication_stop_bringing(struct tx *tx, const char *endpoint) {
    struct publication_list list = {0};
    list_read(sql_query(tx, SQL_PUBLICATIONS_BRINGING, VALUES(TEXT(endpoint))), &list);
    for (size_t i = 0; i < list.count; i++) {
        stop_push(tx, &list.rows[i]);
    }
    publication_list_finish(&list);
}

/* Of the objects of the version that is wanted, how many are there for sure. */
static int64_t known_objects(struct tx *tx, const struct publication_row *row,
                             const char *version) {
    if (strcmp(version, row->wanted) != 0) {
        return row->stage == STAGE_RUNNING ? -1 : 0;
    }
    bool whole = row->stage == STAGE_SETTLED && strcmp(row->held, version) == 0;
    return whole ? sql_integer(tx, SQL_VERSION_FOLDERS_COUNT,
                               VALUES(TEXT(row->title), TEXT(version)), 0)
                 : row->skip;
}

void publication_want(struct tx *tx, const struct publication_row *row, const char *version,
                      int64_t rank, int64_t skip) {
    bool changes = strcmp(version, row->wanted) != 0;
    sql_run(tx, SQL_PUBLICATION_WANT,
            VALUES(INTEGER(row->id), TEXT(version), INTEGER(tx_numbers(tx, "revision", 1)),
                   INTEGER(tx_now(tx)), INTEGER(rank), INTEGER(skip)));
    if (version[0] != '\0') {
        sql_run(tx, SQL_PUBLICATION_VERSION_SET,
                VALUES(INTEGER(row->id), TEXT(version), INTEGER(0)));
    } else if (row->stage == STAGE_RUNNING && row->pushed[0] != '\0') {
        stop_push(tx, row);
    }
    bool caught_up = rank > RANK_LATER / 2 && version[0] != '\0'; /* by the thousand: no news */
    if (changes && !caught_up) {
        tell(tx, row, version[0] != '\0' ? "want" : "withdraw",
             version[0] != '\0' ? version : row->wanted);
    }
}

static void want_other(struct tx *tx, const struct publication_row *row, const char *version,
                       int64_t rank) {
    if (strcmp(version, row->wanted) != 0) {
        publication_want(tx, row, version, rank, known_objects(tx, row, version));
    }
}

void publication_add(struct tx *tx, const char *title, const struct endpoint *endpoint,
                     struct publication_row *out) {
    *out = (struct publication_row){.id = tx_numbers(tx, "publication", 1),
                                    .is_catalog = endpoint->is_catalog};
    snprintf(out->title, sizeof(out->title), "%s", title);
    snprintf(out->endpoint, sizeof(out->endpoint), "%s", endpoint->push.name);
    sql_run(tx, SQL_PUBLICATION_ADD,
            VALUES(INTEGER(out->id), TEXT(title), TEXT(endpoint->push.name)));
}

void publication_facts_read(struct tx *tx, const char *title, bool is_new,
                            struct publication_facts *out) {
    *out = (struct publication_facts){.version = ""};
    struct query query = sql_query(tx, SQL_TITLE_WANTING, VALUES(TEXT(title)));
    if (query_next(&query)) {
        bool stays = strcmp(query_text(&query, 0), state_name(MACHINE_TITLE, TITLE_REMOVING)) != 0;
        snprintf(out->version, sizeof(out->version), "%s", stays ? query_text(&query, 1) : "");
        snprintf(out->tenant, sizeof(out->tenant), "%s", query_text(&query, 2));
        out->rank = (is_new ? 0 : RANK_LATER) - query_integer(&query, 3);
        out->wanting.score = query_real(&query, 4);
        out->withheld = query_integer(&query, 5) != 0;
    }
    query_close(&query);
    struct query labels = sql_query(tx, SQL_LABELS, VALUES(TEXT(title)));
    while (query_next(&labels) && out->wanting.label_count < LABELS_MAX) {
        size_t at = out->wanting.label_count++;
        snprintf(out->texts[at], sizeof(out->texts[at]), "%s", query_text(&labels, 0));
        out->labels[at] = out->texts[at];
    }
    query_close(&labels);
    out->wanting.labels = out->labels;
    out->wanting.tenant = out->tenant;
    bool is_noted =
        sql_integer(tx, SQL_VERSION_FOLDERS_COUNT, VALUES(TEXT(title), TEXT(out->version)), 0) > 0;
    if (!is_noted) { /* it could not be taken away again */
        out->version[0] = '\0';
    }
}

/* Which version an endpoint is to hold. */
static const char *version_for(const struct publication_facts *facts,
                               const struct endpoint *endpoint, int choice) {
    bool wants = !facts->withheld && endpoint_wants(endpoint, &facts->wanting);
    if (choice != 0) {
        wants = choice > 0;
    }
    return wants && endpoint->fill != FILL_NEVER ? facts->version : "";
}

void publication_follow(struct tx *tx, const struct farm *farm, const char *title, bool is_new) {
    struct publication_list list = {0};
    struct publication_facts facts;
    publication_list_read(tx, title, &list);
    publication_facts_read(tx, title, is_new, &facts);
    for (size_t i = 0; farm->endpoints != NULL && i < farm->endpoints->count; i++) {
        const struct endpoint *endpoint = &farm->endpoints->list[i];
        struct publication_row *row = publication_of(&list, endpoint->push.name);
        struct publication_row added;
        const char *version = version_for(&facts, endpoint, row == NULL ? 0 : row->choice);
        if (row == NULL && version[0] != '\0') {
            publication_add(tx, title, endpoint, &added);
            row = &added;
        }
        if (row != NULL) {
            want_other(tx, row, version, facts.rank);
        }
    }
    publication_list_finish(&list);
    publication_order(tx, title);
}

void publication_current(struct tx *tx, struct farm *farm, const char *title) {
    publication_note(tx, farm, title);
    publication_follow(tx, farm, title, true);
}

/* ---- what is not wanted any more ----------------------------------------------------------- */

static void drop_row(struct tx *tx, const struct publication_row *row) {
    sql_run(tx, SQL_PUBLICATION_VERSIONS_DROP, VALUES(INTEGER(row->id)));
    sql_run(tx, SQL_PUBLICATION_DROP, VALUES(INTEGER(row->id)));
}

void publication_leave(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        sql_run(tx, SQL_PUBLICATION_CHOOSE, VALUES(INTEGER(row->id), INTEGER(0)));
        want_other(tx, row, "", 0);
    }
    publication_list_finish(&list);
    publication_clean(tx, title);
    publication_order(tx, title);
}

void publication_forget(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        stop_push(tx, &list.rows[i]);
        drop_row(tx, &list.rows[i]);
    }
    publication_list_finish(&list);
}

void publication_clean(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        if (row->stage == STAGE_SETTLED && row->wanted[0] == '\0' && row->choice == 0 &&
            row->unsure_at == 0 &&
            sql_integer(tx, SQL_PUBLICATION_VERSIONS_COUNT, VALUES(INTEGER(row->id)), 0) == 0) {
            drop_row(tx, row);
        }
    }
    publication_list_finish(&list);
    sql_run(tx, SQL_VERSION_FOLDERS_DROP, VALUES(TEXT(title)));
}

int64_t publication_holding(struct tx *tx, const char *title) {
    return sql_integer(tx, SQL_PUBLICATIONS_HOLDING,
                       VALUES(TEXT(title), INTEGER(PUBLICATION_PATIENCE),
                              TEXT(failure_class_name(FAILURE_REFUSED))),
                       0);
}

/* Versions there that are to go. */
static int64_t count_going(struct tx *tx, const struct publication_row *row) {
    return sql_integer(
        tx, SQL_PUBLICATION_VERSIONS_TO_GO,
        VALUES(INTEGER(row->id), TEXT(row->wanted), TEXT(row->title), INTEGER(tx_now(tx))), 0);
}

void publication_versions_go(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        bool rests = row->stage == STAGE_SETTLED; /* a push that comes anyway sees to it */
        if (rests && row->wanted[0] != '\0' && count_going(tx, row) > 0) {
            publication_want(tx, row, row->wanted, RANK_LATER, known_objects(tx, row, row->wanted));
        }
        sql_run(tx, SQL_PUBLICATION_SET_GOES,
                VALUES(INTEGER(row->id), TEXT(title), INTEGER(tx_now(tx))));
    }
    publication_list_finish(&list);
    publication_order(tx, title);
}

void publication_origin_went(struct tx *tx, const char *title) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        if (sql_run(tx, SQL_PUBLICATION_VERSIONS_AGAIN,
                    VALUES(INTEGER(row->id), TEXT(row->title))) > 0) {
            publication_want(tx, row, row->wanted, RANK_LATER, known_objects(tx, row, row->wanted));
        }
    }
    publication_list_finish(&list);
    publication_order(tx, title);
}

int64_t publication_drop_endpoint(struct tx *tx, const char *endpoint) {
    struct value name = TEXT(endpoint);
    sql_run(tx, SQL_ENDPOINT_DROP_VERSIONS, VALUES(name));
    sql_run(tx, SQL_ENDPOINT_DROP_FOLDERS, VALUES(name));
    return sql_run(tx, SQL_ENDPOINT_DROP_PUBLICATIONS, VALUES(name));
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Wants all that an endpoint is to hold once more: it is at another place. A push that runs goes to
 * the old one. Edges come first, as the walk sees to. Older versions are taken from there, as if it
 * might be the old place by another name: else they would stay. */
static void want_all_again(struct tx *tx, const struct endpoint *endpoint) {
    const char *name = endpoint->push.name;
    publication_stop_bringing(tx, name);
    if (endpoint->is_hook) { /* which holds no titles, and was an edge */
        publication_drop_endpoint(tx, name);
    } else { /* which is told of no events, and may have been a webhook */
        sql_run(tx, SQL_ENDPOINT_DROP_DELIVERIES, VALUES(TEXT(name)));
    }
    sql_run(tx, SQL_ENDPOINT_OLDER_GO, VALUES(TEXT(name)));
    sql_run(tx, SQL_PUBLICATIONS_WANT_AGAIN,
            VALUES(TEXT(name), INTEGER(tx_numbers(tx, "revision", 1)), INTEGER(tx_now(tx)),
                   TEXT(stages[endpoint->is_catalog ? STAGE_BEHIND : STAGE_DUE]),
                   INTEGER(RANK_LATER)));
}

void publication_begin(struct tx *tx, struct farm *farm) {
    bool moved[ENDPOINTS_MAX] = {false};
    /* as fences: a catalog takes no revision twice, of a copy of the store that was put back */
    tx_numbers_pass(tx, "revision", 1000 * tx_now(tx));
    if (endpoint_rows_begin(tx, farm, moved)) {
        sql_run(tx, SQL_NUMBER_SET, VALUES(TEXT("publish_walk"), INTEGER(0)));
    }
    for (size_t i = 0; farm->endpoints != NULL && i < farm->endpoints->count; i++) {
        if (moved[i]) {
            want_all_again(tx, &farm->endpoints->list[i]);
        }
    }
    farm->behind_again = true;
}

/* A title, with the submission by which the walk knows it. */
struct walked {
    char id[WIRE_TITLE_TEXT];
    int64_t submission;
};

/* The first column as titles, the second as numbers. Returns how many there were. */
static size_t read_walked(struct query *query, struct walked *out) {
    size_t count = 0;
    while (query_next(query)) {
        snprintf(out[count].id, sizeof(out[count].id), "%s", query_text(query, 0));
        out[count++].submission = query_integer(query, 1);
    }
    return count;
}

/* Its current version, if a scheduler that knew of no endpoints published that. */
static void note_older(struct tx *tx, const char *title) {
    char version[VERSION_TEXT] = "";
    struct query query = sql_query(tx, SQL_TITLE_WANTING, VALUES(TEXT(title)));
    if (query_next(&query)) {
        snprintf(version, sizeof(version), "%s", query_text(&query, 1));
    }
    query_close(&query);
    publication_note_older(tx, title, version);
}

/* Titles that were there before an endpoint was. */
static bool walk(struct tx *tx, struct farm *farm) {
    struct walked titles[WALK_TITLES];
    int64_t from = sql_integer(tx, SQL_NUMBER_GET, VALUES(TEXT("publish_walk")), -1);
    if (from < 0) {
        return false;
    }
    struct query query =
        sql_query(tx, SQL_TITLES_FROM, VALUES(INTEGER(from), INTEGER(WALK_TITLES)));
    size_t count = read_walked(&query, titles);
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        note_older(tx, titles[i].id);
        publication_follow(tx, farm, titles[i].id, false);
    }
    bool more = count == WALK_TITLES;
    sql_run(tx, SQL_NUMBER_SET,
            VALUES(TEXT("publish_walk"), INTEGER(more ? titles[count - 1].submission : -1)));
    return more;
}

/* Those that wait for others of their titles, round and round: others may be away by now. */
static bool look_behind(struct tx *tx, struct farm *farm) {
    struct walked titles[BEHIND_ROWS];
    size_t count = 0;
    struct query query = sql_query(tx, SQL_PUBLICATIONS_BEHIND,
                                   VALUES(INTEGER(farm->behind_seen), INTEGER(BEHIND_ROWS)));
    while (query_next(&query)) {
        farm->behind_seen = query_integer(&query, 0);
        snprintf(titles[count++].id, sizeof(titles[0].id), "%s", query_text(&query, 1));
    }
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        if (i == 0 || strcmp(titles[i].id, titles[i - 1].id) != 0) {
            publication_order(tx, titles[i].id);
        }
    }
    bool more = count == BEHIND_ROWS;
    farm->behind_seen = more ? farm->behind_seen : 0;
    farm->behind_again = farm->behind_again && more;
    return farm->behind_again;
}

/* Removals that waited for an endpoint which is away by now. */
static void settle_removals(struct tx *tx) {
    struct walked titles[REMOVING_TITLES];
    size_t count = 0;
    struct query query = sql_query(tx, SQL_TITLES_REMOVING, VALUES(INTEGER(REMOVING_TITLES)));
    while (query_next(&query)) {
        snprintf(titles[count++].id, sizeof(titles[0].id), "%s", query_text(&query, 0));
    }
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        title_settle(tx, titles[i].id);
    }
}

/* Brings once more what a worker that was lost may have spoilt by now. A push that comes anyway, or
 * runs, sees to that too. */
static bool look_unsure(struct tx *tx) {
    int64_t ids[UNSURE_ROWS];
    size_t count = 0;
    struct query query =
        sql_query(tx, SQL_PUBLICATIONS_UNSURE, VALUES(INTEGER(tx_now(tx)), INTEGER(UNSURE_ROWS)));
    while (query_next(&query)) {
        ids[count++] = query_integer(&query, 0);
    }
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        struct publication_row row;
        sql_run(tx, SQL_PUBLICATION_SET_UNSURE, VALUES(INTEGER(ids[i]), INTEGER(0)));
        if (publication_find(tx, ids[i], &row) && row.stage == STAGE_SETTLED) {
            publication_want(tx, &row, row.wanted, RANK_LATER, known_objects(tx, &row, row.wanted));
            publication_order(tx, row.title);
        }
    }
    return count == UNSURE_ROWS;
}

/* Versions that were left here later than at the origin, and stayed as long. */
static bool look_going(struct tx *tx) {
    struct walked titles[GOING_ROWS];
    size_t count = 0;
    struct query query =
        sql_query(tx, SQL_PUBLICATIONS_GOING, VALUES(INTEGER(tx_now(tx)), INTEGER(GOING_ROWS)));
    while (query_next(&query)) {
        snprintf(titles[count++].id, sizeof(titles[0].id), "%s", query_text(&query, 0));
    }
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        publication_versions_go(tx, titles[i].id);
    }
    return count == GOING_ROWS;
}

/* What is brought to an endpoint whose window has shut: it goes on in the next one from where it
 * stops now, and nobody has failed. */
static void stop_outside_windows(struct tx *tx, const struct farm *farm) {
    for (size_t i = 0; farm->endpoints != NULL && i < farm->endpoints->count; i++) {
        const struct endpoint *endpoint = &farm->endpoints->list[i];
        if (!endpoint_window_open(endpoint, tx_now(tx))) {
            publication_stop_bringing(tx, endpoint->push.name);
        }
    }
}

bool publication_sweep(struct tx *tx, struct farm *farm) {
    if (endpoint_rows_look(tx, farm)) {
        farm->behind_again = true;
        farm->behind_seen = 0;
    }
    stop_outside_windows(tx, farm);
    bool more = walk(tx, farm);
    more = look_behind(tx, farm) || more;
    more = look_unsure(tx) || more;
    more = look_going(tx) || more;
    settle_removals(tx);
    return more;
}
