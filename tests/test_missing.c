/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards that can't be made: their title is done without them, says so, and has
 * them after a retry; and workers that know nothing of them. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "scheduler/api/view.h"
#include "scheduler/missing.h"
#include "scheduler/publishing/publication_parts.h"
#include "scheduler/versions.h"
#include "scheduler/why.h"
#include "scheduler_fixture.h"

Suite *missing_suite(void);

static const char ladder[] = "codec: h264\n"
                             "images: true\n"
                             "rungs:\n"
                             "  - {height: 360}\n"
                             "audio:\n"
                             "  - {codec: aac}\n";

static struct fixture_farm farm;
static char session[ID_TEXT];
static char old[ID_TEXT];
static struct buf said;
static char error[1200];

static void open_farm(void) {
    fixture_farm_open(&farm);
    farm.images = true;
}

static void close_farm(void) {
    fixture_farm_close(&farm);
    buf_finish(&said);
}

static const char *state(void) {
    return fixture_state(&farm, "t", error, sizeof(error));
}

/* ---- looking ----------------------------------------------------------------------- */

/* A view of a title as JSON text; borrowed until the next call. */
static const char *look_at(const char *title, fixture_view *view) {
    struct json *tree = fixture_look(&farm, view, title);
    struct writer w;
    buf_clear(&said);
    w = writer_of(&said);
    writer_node(&w, NULL, tree);
    json_tree_destroy(tree);
    return buf_text(&said);
}

static const char *look(fixture_view *view) {
    return look_at("t", view);
}

static void ck_shows(fixture_view *view, const char *text) {
    const char *all = look(view);
    ck_assert_msg(strstr(all, text) != NULL, "'%s' is not in:\n%s", text, all);
}

static void ck_hides(fixture_view *view, const char *text) {
    const char *all = look(view);
    ck_assert_msg(strstr(all, text) == NULL, "'%s' is in:\n%s", text, all);
}

/* What the last title.finish says. */
static void last_finish(struct tx *tx, struct farm *store_farm, const char *title,
                        struct writer *w) {
    char detail[512] = "{}";
    (void)store_farm;
    struct query query =
        sql_query(tx, SQL_EVENTS_BETWEEN,
                  VALUES(INTEGER(0), INTEGER(INT32_MAX), TEXT(title), INTEGER(1000), TEXT("")));
    while (query_next(&query)) {
        if (strcmp(query_text(&query, 4), "title.finish") == 0) {
            snprintf(detail, sizeof(detail), "%s", query_text(&query, 5));
        }
    }
    writer_raw(w, NULL, detail, strlen(detail));
}

/* The folders of its version, as edges are to have them. */
static void its_folders(struct tx *tx, struct farm *store_farm, const char *title,
                        struct writer *w) {
    publication_note(tx, store_farm, title);
    struct query query =
        sql_query(tx, SQL_VERSION_FOLDERS, VALUES(TEXT(title), TEXT("0123456789abcdef")));
    rows_write_texts(&query, w, NULL);
}

/* ---- doing ------------------------------------------------------------------------- */

static void run_retry(struct tx *tx, void *context) {
    title_retry(tx, &farm.farm, context, NULL);
}

static int retry(const char *title) {
    struct err err = {0};
    return store_call(farm.store, run_retry, (char *)title, &err);
}

static void run_sweep(struct tx *tx, void *context) {
    (void)context;
    missing_sweep(tx, &farm.farm);
}

static void sweep(void) {
    struct err err = {0};
    ck_assert_int_eq(store_call(farm.store, run_sweep, NULL, &err), 0);
}

/* Makes tasks until one of images comes, which is held. */
static void take_images(struct fixture_held *held) {
    farm.now_ms += 60000; /* pauses are over */
    fixture_beat(&farm, session, NULL, 0);
    fixture_take_kind(&farm, held, session, TASK_IMAGES);
}

/* Fails the next images task until its title goes without it. */
static void give_up(enum failure_class class) {
    struct fixture_held held;
    int64_t unit = 0;
    do {
        take_images(&held);
        ck_assert(unit == 0 || unit == held.units[0]);
        unit = held.units[0];
        ck_assert_int_eq(fixture_fail(&farm, held.fence, class, "it broke"), ANSWER_ACCEPTED);
        fixture_drop(&held);
    } while (fixture_unit(&farm, unit).state == UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, unit).state, UNIT_FAILED);
    ck_assert_str_eq(state(), "running");
}

static void run_versions(struct tx *tx, void *context) {
    (void)context;
    versions_sweep(tx, &farm.farm);
}

static void sweep_versions(void) {
    struct err err = {0};
    ck_assert_int_eq(store_call(farm.store, run_versions, NULL, &err), 0);
}

/* Early playlists that may grow, or those of a run that is over. */
static void run_early(struct tx *tx, void *context) {
    if (context == NULL) {
        sql_put(tx, SQL_EARLY_REPLACE, VALUES(TEXT("t"), INTEGER(1)));
    } else {
        sql_put(tx, SQL_EARLY_ADD,
                VALUES(TEXT("t"), INTEGER(1), TEXT("key"), TEXT("/out"), INTEGER(1)));
    }
}

/* What was missing before, and left no files. */
static void run_lacks(struct tx *tx, void *context) {
    (void)context;
    sql_put(tx, SQL_MISSING_ADD,
            VALUES(TEXT("t"), TEXT("old"), TEXT("io"), TEXT("away"), INTEGER(0)));
}

/* Files of the poster's attempts, and no others, go once; not while early playlists may list them.
 */
static void ck_sweeps_what_is_left(void) {
    struct task_report report = {0};
    ck_assert_int_eq(store_call(farm.store, run_lacks, NULL, NULL), 0);
    ck_assert_int_eq(store_call(farm.store, run_early, &farm, NULL), 0);
    sweep_versions();
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(store_call(farm.store, run_early, NULL, NULL), 0);
    sweep_versions();
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(!task->everything);
    ck_assert_uint_eq(task->version_count, 0);
    ck_assert_uint_eq(task->folder_count, 1);
    ck_assert_msg(strncmp(task->folders[0], "images/poster-", strlen("images/poster-")) == 0, "%s",
                  task->folders[0]);
    ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
    sweep_versions();
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_str_eq(state(), "done");
}

/* ---- tests ------------------------------------------------------------------------- */

static const struct {
    enum failure_class class;
    const char *told;
} classes[] = {
    {FAILURE_BAD_SOURCE, "bad_source"}, {FAILURE_UNSUPPORTED, "unsupported"},
    {FAILURE_REFUSED, "refused"},       {FAILURE_IO, "io"},
    {FAILURE_TIMEOUT, "timeout"},       {FAILURE_OOM, "oom"},
    {FAILURE_CRASH, "poison"},          {FAILURE_NONDETERMINISTIC, "nondeterministic"},
};

/* The poster alone is missing: all say so, and a retry makes just that. */
START_TEST(a_title_goes_without_its_poster) {
    char text[128];
    fixture_run_title(&farm, "t", ladder, 1, session);
    give_up(classes[_i].class);
    int ready = fixture_count(&farm, "t", "ready");
    sweep_versions(); /* while it runs nothing goes */
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), ready);
    fixture_farm_restart(&farm); /* it is all in the store */
    ck_shows(why_title, "It goes on without its poster");
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    snprintf(text, sizeof(text), "\"missing\":[{\"id\":\"poster\",\"class\":\"%s\",\"error\":\"",
             classes[_i].told);
    ck_shows(view_title, text);
    ck_shows(view_title, "it broke\"}]");
    snprintf(text, sizeof(text), "\"missing\":[{\"id\":\"poster\",\"class\":\"%s\"}]",
             classes[_i].told);
    ck_shows(view_plan, text);
    ck_shows(last_finish, "\"missing\":[\"poster\"]");
    ck_shows(why_title, "It is there without its poster");
    ck_shows(why_title, "`reelfarm retry t` tries again");
    ck_hides(its_folders, "images/poster-");
    ck_shows(its_folders, "images/storyboard-");
    ck_sweeps_what_is_left();

    ck_assert_int_eq(retry("t"), 0);
    ck_assert_int_eq(fixture_work(&farm, session), 4); /* probe, poster, package, swap */
    ck_assert_str_eq(state(), "done");
    ck_shows(view_title, "\"missing\":[]");
    ck_hides(view_plan, "\"missing\":[");
    ck_hides(last_finish, "missing");
    ck_shows(why_title, "nothing remains");
    ck_shows(its_folders, "images/poster-");
    ck_assert_int_eq(retry("t"), ERR_CONFLICT);
}
END_TEST

/* Done with its poster, then made anew without: what an attempt left is the poster that the version
 * before has, and a removal of nothing would be one of all that no version names. */
START_TEST(what_a_kept_version_has_stays) {
    struct fixture_held package;
    farm.farm.keep_versions_ms = 86400000;
    fixture_run_title(&farm, "t", ladder, 1, session);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    farm.now_ms += 1000;
    ck_assert_int_eq(fixture_submit(&farm, "t", ladder, true), 0);
    give_up(FAILURE_BAD_SOURCE);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    memset(package.report.version, 'a', 16);
    fixture_complete(&farm, package.fence, &package.report);
    fixture_drop(&package);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    ck_shows(view_title, "\"missing\":[{\"id\":\"poster\"");
    sweep_versions();
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
}
END_TEST

/* Where nothing may be removed it is left, and nobody tries for ever. */
START_TEST(what_may_not_be_removed_is_left) {
    fixture_run_title(&farm, "t", ladder, 1, session);
    give_up(FAILURE_BAD_SOURCE);
    fixture_work(&farm, session);
    sweep_versions();
    for (int i = 0; i < 4; i++) {
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_int_eq(task->kind, TASK_REMOVE);
        fixture_fail(&farm, task->fence, FAILURE_REFUSED, "permission denied");
        sweep_versions(); /* it is one task */
    }
    farm.now_ms += 86400000;
    fixture_beat(&farm, session, NULL, 0);
    sweep_versions();
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_str_eq(state(), "done");
}
END_TEST

START_TEST(nothing_but_images_may_be_missing) {
    for (int kind = 0; kind < TASK_KIND_COUNT; kind++) {
        ck_assert(missing_allows((enum task_kind)kind) == (kind == TASK_IMAGES));
    }
}
END_TEST

/* Nothing else holds package up then; and what comes late is not wanted. */
START_TEST(package_waits_for_none_that_is_missing) {
    struct fixture_held first, second;
    fixture_run_title(&farm, "t", ladder, 2, session);
    fixture_take_kind(&farm, &first, session, TASK_IMAGES);
    fixture_take_kind(&farm, &second, session, TASK_IMAGES);
    fixture_work(&farm, session); /* all else */
    fixture_fail(&farm, first.fence, FAILURE_BAD_SOURCE, "it broke");
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0);
    fixture_fail(&farm, second.fence, FAILURE_BAD_SOURCE, "it broke");
    ck_assert_int_eq(fixture_lease_one(&farm, session)->kind, TASK_PACKAGE);
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_DROPPED);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).state, UNIT_FAILED);
    fixture_drop(&first);
    fixture_drop(&second);
}
END_TEST

/* Objects that package finds gone are made again, and counted among what it waits for. */
START_TEST(package_may_send_others_back) {
    struct fixture_held sound, package;
    fixture_run_title(&farm, "t", ladder, 1, session);
    fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
    fixture_complete(&farm, sound.fence, &sound.report);
    give_up(FAILURE_BAD_SOURCE);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    fixture_fail_units(&farm, package.fence, FAILURE_MISSING, sound.units, 1);
    ck_assert_int_eq(fixture_unit(&farm, package.units[0]).state, UNIT_BLOCKED);
    ck_assert_int_eq(fixture_work(&farm, session), 3); /* sound, package, swap */
    ck_assert_str_eq(state(), "done");
    fixture_drop(&package);
    fixture_drop(&sound);
}
END_TEST

START_TEST(lost_with_four_hosts_it_is_missing) {
    fixture_run_title(&farm, "t", ladder, 1, session);
    for (int i = 0; i < 4; i++) {
        char name[16];
        struct fixture_held held;
        fixture_take_kind(&farm, &held, session, TASK_IMAGES);
        fixture_drop(&held);
        fixture_lose(&farm);
        snprintf(name, sizeof(name), "h%d", i);
        fixture_join(&farm, name, name, 1, session);
    }
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    ck_shows(view_title, "\"class\":\"poison\",\"error\":\"poster was running on 4 hosts");
}
END_TEST

/* ---- workers that know nothing of it ------------------------------------------------- */

/* The plan has no images then, and the title says so; a worker that makes them and a retry do. */
START_TEST(nobody_makes_images) {
    farm.images = false;
    fixture_run_title(&farm, "t", ladder, 1, session);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    ck_shows(view_title, "\"id\":\"poster\",\"class\":\"unsupported\"");
    ck_shows(view_title, "\"id\":\"storyboard\",\"class\":\"unsupported\"");
    farm.images = true;
    fixture_join(&farm, "new", "new", 1, session);
    ck_assert_int_eq(retry("t"), 0);
    ck_assert_int_eq(fixture_work(&farm, session), 5); /* with two tasks of images */
    ck_shows(view_title, "\"missing\":[]");
    ck_shows(its_folders, "images/poster-");
}
END_TEST

/* What reads all of the title is not for them, and why says so. */
START_TEST(older_workers_are_not_given_what_they_would_misread) {
    fixture_run_title(&farm, "t", ladder, 1, session);
    farm.old = true;
    fixture_join(&farm, "old", "old", 1, old);
    farm.old = false;
    struct fixture_held held;
    fixture_take_kind(&farm, &held, session, TASK_PACKAGE);
    fixture_drop(&held);
    fixture_leave(&farm, session); /* it gives the task back */
    farm.now_ms += 60000;
    fixture_beat(&farm, old, NULL, 0);
    fixture_lease(&farm, old, 1);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_str_eq(state(), "running");
    ck_shows(why_title, "1 piece of work can be done by workers alone that know posters and "
                        "storyboards");
    sweep();
    farm.now_ms += 601000;
    fixture_beat(&farm, old, NULL, 0);
    sweep(); /* what is no image is waited for */
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    fixture_cancel(&farm, "t"); /* what removes it is not for them either */
    fixture_remove(&farm, "t", false);
    fixture_lease(&farm, old, 1);
    ck_assert_int_eq(farm.task_count, 0);
    fixture_join(&farm, "new", "new", 1, session);
    ck_assert_int_eq(fixture_lease_one(&farm, session)->kind, TASK_REMOVE);
}
END_TEST

/* ---- pushes ---------------------------------------------------------------------------- */

static const char without_images[] = "codec: h264\n"
                                     "rungs:\n"
                                     "  - {height: 360}\n"
                                     "audio:\n"
                                     "  - {codec: aac}\n";

static struct endpoints endpoints;

static void run_begin(struct tx *tx, void *context) {
    (void)context;
    publication_begin(tx, &farm.farm);
}

/* Done but for an edge are t, with images, and behind it u, without; of two workers the older one
 * knows nothing of them. */
static void open_publishing_farm(void) {
    static const char file[] =
        "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example'}\n";
    static const char *const titles[] = {"t", "u"};
    open_farm();
    ck_assert_int_eq(endpoints_parse(&endpoints, file, strlen(file), "edges.yaml", &farm.err), 0);
    farm.farm.endpoints = &endpoints;
    ck_assert_int_eq(store_call(farm.store, run_begin, NULL, NULL), 0);
    fixture_join(&farm, "new", "new", 1, session);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_submit(&farm, titles[i], i == 0 ? ladder : without_images, false),
                         0);
        while (strcmp(fixture_state(&farm, titles[i], error, sizeof(error)), "done") != 0) {
            const struct task *task = fixture_lease_one(&farm, session);
            if (task->kind == TASK_PUSH) { /* it is not its time yet */
                ck_assert_int_eq(fixture_leave(&farm, session), 0);
                fixture_join(&farm, "new", "new", 1, session);
            } else {
                fixture_make(&farm, task);
            }
        }
    }
    farm.old = true;
    fixture_join(&farm, "old", "old", 1, old);
    farm.old = false;
}

static void close_publishing_farm(void) {
    farm.farm.endpoints = NULL;
    endpoints_finish(&endpoints);
    close_farm();
}

/* The title of the next push that a worker is given; "" for none. */
static const char *lease_push(const char *worker) {
    fixture_lease(&farm, worker, 1);
    ck_assert(farm.task_count == 0 || farm.tasks[0].kind == TASK_PUSH);
    return farm.task_count == 0 ? "" : farm.tasks[0].title;
}

/* So does a push: they would leave its images out, or misread them. What comes behind it and has
 * none is for them. */
START_TEST(pushes_go_to_workers_that_know_them) {
    ck_shows(why_title, "e1 is to have it: it waits for its turn");
    fixture_leave(&farm, session);
    ck_shows(why_title, "e1 is to have it: it waits for a worker that knows posters");
    ck_assert_ptr_nonnull(strstr(look_at("u", why_title), "it waits for its turn"));
    ck_assert_str_eq(lease_push(old), "u");
    fixture_make(&farm, &farm.tasks[0]);
    ck_assert_str_eq(lease_push(old), "");
    fixture_join(&farm, "new", "new", 1, session);
    ck_assert_str_eq(lease_push(session), "t");
}
END_TEST

/* It is the endpoint's trouble, and no worker's. */
START_TEST(a_push_that_fails_is_told_at_its_endpoint) {
    ck_assert_str_eq(lease_push(session), "t");
    ck_assert_int_eq(fixture_fail(&farm, farm.tasks[0].fence, FAILURE_ENDPOINT, "it answers 500"),
                     ANSWER_ACCEPTED);
    ck_shows(why_title, "it answers 500");
    ck_assert_ptr_null(strstr(look_at("t", why_title), "gave back"));
}
END_TEST

/* They are no reason to try an edge that is shut, nor what it is tried by. */
START_TEST(older_workers_try_a_shut_edge_by_what_they_know) {
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        while (strcmp(lease_push(old), "u") != 0) {
            ck_assert_int_gt(farm.retry_at, farm.now_ms);
            farm.now_ms = farm.retry_at;
            fixture_beat(&farm, old, NULL, 0);
            fixture_beat(&farm, session, NULL, 0);
        }
        fixture_fail(&farm, farm.tasks[0].fence, FAILURE_ENDPOINT, "it answers 500");
    }
    ck_assert_str_eq(lease_push(old), "");
    ck_assert_str_eq(lease_push(session), "t"); /* it may be the fault of u */
    fixture_leave(&farm, session);              /* gives it back */
    fixture_join(&farm, "new", "new", 1, session);
    farm.now_ms += BREAKER_PAUSE_MOST_MS;
    fixture_beat(&farm, old, NULL, 0);
    fixture_beat(&farm, session, NULL, 0);
    ck_assert_str_eq(lease_push(old), "u");
    fixture_leave(&farm, old);
    ck_assert_str_eq(lease_push(session), "t");
}
END_TEST

/* ---- images that nobody can make -------------------------------------------------------- */

/* The last worker of its build line has gone for good: nobody waits for ever. */
START_TEST(images_that_nobody_can_make_are_not_waited_for) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", ladder, 1, session);
    fixture_take_kind(&farm, &held, session, TASK_IMAGES);
    fixture_drop(&held);
    fixture_leave(&farm, session);
    sweep();
    farm.now_ms += 3600000; /* a farm without workers waits for them */
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    farm.images = false;
    fixture_join(&farm, "old", "old", 1, old);
    sweep();
    farm.now_ms += 300000;
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    farm.now_ms += 300001;
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 2);
    ck_shows(view_title, "\"id\":\"poster\",\"class\":\"unsupported\"");
    farm.images = true;
    fixture_join(&farm, "new", "new", 1, session);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
}
END_TEST

/* Somebody came meanwhile who makes them, so that there was reason to wait. */
START_TEST(the_wait_begins_anew_when_a_worker_was_there) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", ladder, 1, session);
    fixture_take_kind(&farm, &held, session, TASK_IMAGES);
    fixture_drop(&held);
    fixture_leave(&farm, session);
    farm.images = false;
    fixture_join(&farm, "old", "old", 1, old);
    sweep();
    farm.now_ms += 599000;
    farm.images = true;
    fixture_join(&farm, "new", "new", 1, session);
    sweep();
    fixture_leave(&farm, session);
    for (int i = 0; i < 2; i++) {
        sweep();
        farm.now_ms += 599000;
        fixture_beat(&farm, old, NULL, 0);
        ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    }
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 2);
}
END_TEST

/* That nobody makes those of one line any more is no reason to give up those of another, whose last
 * worker left a moment ago. */
START_TEST(each_build_line_has_its_own_wait) {
    static const struct {
        const char *title;
        const char *line;
    } runs[] = {{"t", "posters of before"}, {"u", "posters of now"}};
    farm.images = false;
    fixture_join(&farm, "old", "old", 1, old);
    farm.images = true;
    for (int i = 0; i < 2; i++) {
        struct fixture_held held;
        farm.images_line = runs[i].line;
        fixture_run_title(&farm, runs[i].title, ladder, 1, session);
        fixture_take_kind(&farm, &held, session, TASK_IMAGES);
        fixture_drop(&held);
        fixture_leave(&farm, session);
        fixture_work(&farm, old); /* all else */
        sweep();
        farm.now_ms += 540000;
        fixture_beat(&farm, old, NULL, 0);
    }
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 2);
    ck_assert_int_eq(fixture_count(&farm, "u", "failed"), 0);
    farm.now_ms += 60001;
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "u", "failed"), 2);
}
END_TEST

/* While something else of the title is to do, pictures or sound, they hold nothing up. */
START_TEST(images_are_given_up_when_they_alone_are_waited_for) {
    struct fixture_held sound, held = {0};
    fixture_run_title(&farm, "t", ladder, 2, session);
    fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
    if (_i == 0) {
        fixture_complete(&farm, sound.fence, &sound.report);
    } else {
        fixture_take_kind(&farm, &held, session, TASK_IMAGES);
    }
    fixture_leave(&farm, session);
    farm.images = false;
    fixture_join(&farm, "old", "old", 1, old);
    for (int i = 0; i < 3; i++) {
        sweep();
        farm.now_ms += 601000;
        fixture_beat(&farm, old, NULL, 0);
    }
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    fixture_work(&farm, old);
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    farm.now_ms += 601000;
    sweep();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 2);
    fixture_drop(&sound);
    fixture_drop(&held);
}
END_TEST

/* A title without images is for all. */
START_TEST(older_workers_package_what_has_none) {
    farm.images = false;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
}
END_TEST

Suite *missing_suite(void) {
    Suite *suite = suite_create("missing");
    TCase *tcase = tcase_create("missing");
    tcase_add_checked_fixture(tcase, open_farm, close_farm);
    tcase_add_loop_test(tcase, a_title_goes_without_its_poster, 0,
                        sizeof(classes) / sizeof(classes[0]));
    tcase_add_test(tcase, what_a_kept_version_has_stays);
    tcase_add_test(tcase, what_may_not_be_removed_is_left);
    tcase_add_test(tcase, nothing_but_images_may_be_missing);
    tcase_add_test(tcase, package_waits_for_none_that_is_missing);
    tcase_add_test(tcase, package_may_send_others_back);
    tcase_add_test(tcase, lost_with_four_hosts_it_is_missing);
    tcase_add_test(tcase, nobody_makes_images);
    tcase_add_test(tcase, older_workers_are_not_given_what_they_would_misread);
    tcase_add_test(tcase, images_that_nobody_can_make_are_not_waited_for);
    tcase_add_test(tcase, the_wait_begins_anew_when_a_worker_was_there);
    tcase_add_test(tcase, each_build_line_has_its_own_wait);
    tcase_add_loop_test(tcase, images_are_given_up_when_they_alone_are_waited_for, 0, 2);
    tcase_add_test(tcase, older_workers_package_what_has_none);
    suite_add_tcase(suite, tcase);
    TCase *pushes = tcase_create("pushes");
    tcase_add_checked_fixture(pushes, open_publishing_farm, close_publishing_farm);
    tcase_add_test(pushes, pushes_go_to_workers_that_know_them);
    tcase_add_test(pushes, a_push_that_fails_is_told_at_its_endpoint);
    tcase_add_test(pushes, older_workers_try_a_shut_edge_by_what_they_know);
    suite_add_tcase(suite, pushes);
    return suite;
}
