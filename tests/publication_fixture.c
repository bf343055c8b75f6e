/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What suites of publications share: see publication_fixture.h. */
#include "publication_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/api/view.h"
#include "scheduler/removal.h"

const char publish_one_edge[] =
    "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example'}\n";

void world_make(struct world *world, const char *title, int ladder, const char *version) {
    world_submit(world, title, ladder, version);
    while (fixture_lease(&world->farm, world->session, 1) == 0 && world->farm.task_count > 0 &&
           world->farm.tasks[0].kind != TASK_PUSH) {
        world_do(world, &world->farm.tasks[0]);
    }
}

const struct task *world_lease_push(struct world *world, const char *endpoint) {
    ck_assert_int_eq(world_lease_pushes(world, 1), 1);
    const struct task *task = &world->farm.tasks[0];
    ck_assert_str_eq(task->push.endpoint.name, endpoint);
    return task;
}

/* ---- calls ----------------------------------------------------------------------------------- */

void world_must(struct world *world, world_ask *ask, const char *endpoint, const char *version) {
    ck_assert_msg(world_call(world, ask, "t", endpoint, version) == 0, "%s",
                  world->farm.err.message);
}

void ask_remove(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                const char *version) {
    (void)farm;
    (void)endpoint;
    title_remove(tx, title, version != NULL);
}

void ask_forget_version(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                        const char *version) {
    (void)farm;
    (void)endpoint;
    (void)version;
    sql_run(tx, SQL_VERSIONS_DROP, VALUES(TEXT(title)));
}

/* ---- what people are told -------------------------------------------------------------------- */

bool world_is_told(struct world *world, const char *title, fixture_view *view,
                   const char *sentence) {
    struct buf said = {0};
    struct writer w = writer_of(&said);
    struct json *tree = fixture_look(&world->farm, view, title);
    writer_node(&w, NULL, tree);
    json_tree_destroy(tree);
    bool told = strstr(buf_text(&said), sentence) != NULL;
    buf_finish(&said);
    return told;
}

bool world_is_told_to_wait(struct world *world, const char *what, int64_t since, int64_t until,
                           const char *reason) {
    char text[256], times[2][32] = {"null", "null"};
    const int64_t all[] = {since, until};
    for (int i = 0; i < 2; i++) {
        if (all[i] > 0) {
            snprintf(times[i], sizeof(times[i]), "%" PRId64, all[i]);
        }
    }
    snprintf(text, sizeof(text),
             "\"waits\":{\"for\":\"%s\",\"since\":%s,\"until\":%s,\"reason\":\"%s\"}", what,
             times[0], times[1], reason);
    return world_is_told(world, "t", view_title, text);
}
