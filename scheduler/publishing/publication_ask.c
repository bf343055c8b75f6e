/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people ask of publications: see publication.h. */
#include <string.h>

#include "publication_parts.h"
#include "scheduler/titles.h"

/* NOT_FOUND or CONFLICT unless the title has a version that may be published. */
static bool get_published(struct tx *tx, const char *id, struct title_row *title) {
    if (!title_get(tx, id, title)) {
        return false;
    }
    if (title->state == TITLE_REMOVING || title->version[0] == '\0') {
        err_set(tx_err(tx), ERR_CONFLICT,
                title->state == TITLE_REMOVING
                    ? "title %s is being removed; submit it again when it is gone"
                    : "title %s has no version yet; it is published when its run is done",
                id);
    }
    return tx_ok(tx);
}

/* CONFLICT where it is not known what the current version is made of: from no endpoint could it
 * be taken away again. */
static bool check_noted(struct tx *tx, const struct title_row *title) {
    publication_note_older(tx, title->id, title->version);
    if (tx_ok(tx) && sql_integer(tx, SQL_VERSION_FOLDERS_COUNT,
                                 VALUES(TEXT(title->id), TEXT(title->version)), 0) == 0) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "what version %s of title %s is made of is not known, since its reports are gone; "
                "submit it again",
                title->version, title->id);
    }
    return tx_ok(tx);
}

/* The choice for one endpoint, whose row is made where there is none. */
static void choose(struct tx *tx, const char *title, const struct endpoint *endpoint, int choice) {
    struct publication_list list = {0};
    struct publication_row added;
    publication_list_read(tx, title, &list);
    const struct publication_row *row = publication_of(&list, endpoint->push.name);
    if (row == NULL) {
        publication_add(tx, title, endpoint, &added);
        row = &added;
    }
    sql_run(tx, SQL_PUBLICATION_CHOOSE, VALUES(INTEGER(row->id), INTEGER(choice)));
    publication_list_finish(&list);
}

/* Once more, from the first object on: an edge may have lost what it had. A push that runs has
 * perhaps passed by what was lost: another follows it. */
static void want_again(struct tx *tx, const char *title, const char *endpoint) {
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        bool is_asked = endpoint == NULL ? row->listed : strcmp(endpoint, row->endpoint) == 0;
        if (row->wanted[0] != '\0' && is_asked) {
            publication_want(tx, row, row->wanted, 0, row->stage == STAGE_RUNNING ? -1 : 0);
        }
    }
    publication_list_finish(&list);
}

/* Whether a title may be asked of it; else the transaction has a sentence. */
static bool check_holds(struct tx *tx, const struct endpoint *file) {
    if (file != NULL && file->is_hook) {
        err_set(
            tx_err(tx), ERR_CONFLICT,
            "endpoint %s is a webhook, which holds no titles; `reelfarm replay` tells it events "
            "once more",
            file->push.name);
        return false;
    }
    return true;
}

void publication_publish(struct tx *tx, const struct farm *farm, const char *id,
                         const char *endpoint) {
    struct title_row title = {0};
    const struct endpoint *file = endpoint == NULL ? NULL : endpoint_get(tx, farm, endpoint);
    if (tx_ok(tx) && check_holds(tx, file) && get_published(tx, id, &title) &&
        check_noted(tx, &title)) {
        if (file != NULL && file->fill == FILL_NEVER) {
            err_set(tx_err(tx), ERR_CONFLICT,
                    "endpoint %s is to hold nothing: its fill is never in the file of endpoints",
                    endpoint);
        } else if (file != NULL) {
            choose(tx, id, file, 1);
        } else {
            sql_run(tx, SQL_TITLE_UNWITHHOLD, VALUES(TEXT(id)));
            sql_run(tx, SQL_PUBLICATIONS_CHOOSE, VALUES(TEXT(id), INTEGER(-1), INTEGER(0)));
        }
        publication_follow(tx, farm, id, true);
        want_again(tx, id, endpoint);
        publication_order(tx, id);
    }
    title_row_finish(&title);
}

/* Takes an old version from an endpoint, or from all that have it. Returns how many do. */
static int64_t drop_from_endpoints(struct tx *tx, const char *title, const char *endpoint,
                                   const char *version) {
    struct publication_list list = {0};
    int64_t count = 0;
    publication_list_read(tx, title, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct publication_row *row = &list.rows[i];
        if ((endpoint == NULL || strcmp(endpoint, row->endpoint) == 0) &&
            strcmp(version, row->wanted) != 0) {
            count += sql_run(tx, SQL_PUBLICATION_VERSION_SET,
                             VALUES(INTEGER(row->id), TEXT(version), INTEGER(1)));
        }
    }
    publication_list_finish(&list);
    publication_versions_go(tx, title);
    return count;
}

/* Takes an old version from the origin; whether it is, or was going to be. */
static bool drop_from_origin(struct tx *tx, const struct title_row *title, const char *version) {
    bool rests = title->state == TITLE_DONE || title->state == TITLE_FAILED ||
                 title->state == TITLE_CANCELLED;
    if (sql_integer(tx, SQL_VERSION_FIND,
                    VALUES(TEXT(title->id), TEXT(version), TEXT(title->output)), -1) == -1) {
        return false;
    }
    if (!rests) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "title %s is %s, and its run may use what version %s has; wait for its end",
                title->id, state_name(MACHINE_TITLE, (int)title->state), version);
        return false;
    }
    sql_run(tx, SQL_VERSION_DROP_SOON, VALUES(TEXT(title->id), TEXT(version)));
    sql_run(tx, SQL_PRODUCTS_DROP_UNKEPT, VALUES(TEXT(title->id)));
    return true;
}

static void unpublish_version(struct tx *tx, const struct title_row *title, const char *endpoint,
                              const char *version) {
    bool dropped = endpoint == NULL && drop_from_origin(tx, title, version);
    if (tx_ok(tx) && drop_from_endpoints(tx, title->id, endpoint, version) == 0 && !dropped) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "%s%s no version '%.16s' of title %s",
                endpoint == NULL ? "there is" : endpoint, endpoint == NULL ? "" : " holds", version,
                title->id);
    }
}

void publication_unpublish(struct tx *tx, const struct farm *farm, const char *id,
                           const char *endpoint, const char *version) {
    struct title_row title = {0};
    const struct endpoint *file = endpoint == NULL ? NULL : endpoint_get(tx, farm, endpoint);
    if (tx_ok(tx) && check_holds(tx, file) && get_published(tx, id, &title)) {
        if (version != NULL && strcmp(version, title.version) == 0) {
            err_set(tx_err(tx), ERR_CONFLICT,
                    "version %.16s of title %s is the current one; `reelfarm rollback %s` makes "
                    "an older one current, and `reelfarm unpublish %s` without a version takes the "
                    "title from there",
                    version, id, id, id);
        } else if (version != NULL) {
            unpublish_version(tx, &title, endpoint, version);
        } else if (file != NULL) {
            choose(tx, id, file, -1);
            publication_follow(tx, farm, id, true);
        } else {
            sql_run(tx, SQL_TITLE_WITHHOLD, VALUES(TEXT(id)));
            sql_run(tx, SQL_PUBLICATIONS_CHOOSE, VALUES(TEXT(id), INTEGER(1), INTEGER(0)));
            publication_follow(tx, farm, id, true);
        }
    }
    title_row_finish(&title);
}

int64_t publication_forget_endpoint(struct tx *tx, const struct farm *farm, const char *endpoint) {
    struct endpoint_list list = {0};
    struct value name = TEXT(endpoint);
    int64_t titles = 0;
    endpoint_list_read(tx, farm, &list);
    const struct endpoint_row *row = endpoint_list_find(&list, endpoint);
    bool listed = row != NULL && (row->listed || row->file != NULL);
    if (row == NULL) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "there is no endpoint '%.64s'; `reelfarm endpoints` lists them", endpoint);
    } else if (listed) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "endpoint %s stands in the scheduler's file of endpoints; take it out there and "
                "start the scheduler again, then it can be forgotten",
                endpoint);
    } else {
        publication_stop_bringing(tx, endpoint);
        titles = publication_drop_endpoint(tx, endpoint);
        sql_run(tx, SQL_ENDPOINT_DROP_DELIVERIES, VALUES(name));
        sql_run(tx, SQL_ENDPOINT_DROP, VALUES(name));
    }
    endpoint_list_finish(&list);
    return titles;
}

bool publication_score(struct tx *tx, const struct farm *farm, const char *title, double score) {
    struct title_row row = {0};
    bool found = title_find(tx, title, &row);
    title_row_finish(&row);
    if (found) {
        sql_run(tx, SQL_TITLE_SET_SCORE, VALUES(TEXT(title), REAL(score)));
        publication_follow(tx, farm, title, false);
    }
    return found;
}
