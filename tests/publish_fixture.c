/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A farm that publishes to places that are made up: see publish_fixture.h. */
#include "publish_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/api/view.h"
#include "scheduler/lease.h"
#include "scheduler/titles.h"
#include "scheduler/versions.h"

enum {
    HOUR_MS = 3600000,
    BEAT_MS = 10000,
    SOURCE_FRAMES = 240, /* one chunk */
};

const char publish_two_edges[] = "endpoints:\n"
                                 "  - {name: e1, driver: dav, url: 'http://e1.example'}\n"
                                 "  - {name: e2, driver: dav, url: 'http://e2.example'}\n"
                                 "  - {name: cat, driver: catalog, url: 'http://cat.example', "
                                 "serves: 'http://play.example'}\n";

static const char *const ladders[] = {FIXTURE_LADDER("400k"), FIXTURE_LADDER("500k"),
                                      FIXTURE_LADDER("600k")};

/* ---- names ------------------------------------------------------------------------------- */

static int find_name(const struct names *names, const char *name) {
    for (int i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static void add_name(struct names *names, const char *name) {
    if (find_name(names, name) < 0) {
        ck_assert_int_lt(names->count, NAMES_MAX);
        snprintf(names->list[names->count++], sizeof(names->list[0]), "%s", name);
    }
}

static void drop_name(struct names *names, const char *name) {
    int at = find_name(names, name);
    if (at >= 0) {
        memmove(names->list[at], names->list[--names->count], sizeof(names->list[0]));
    }
}

/* ---- the world ---------------------------------------------------------------------------- */

static void run_begin(struct tx *tx, void *context) {
    struct world *world = context;
    publication_begin(tx, &world->farm.farm);
}

static void begin(struct world *world) {
    world->farm.farm.endpoints = &world->endpoints;
    world->farm.farm.keep_versions_ms = HOUR_MS * INT64_C(24);
    ck_assert_int_eq(store_call(world->farm.store, run_begin, world, NULL), 0);
}

static void read_file(struct world *world, const char *file) {
    struct err err = {0};
    endpoints_finish(&world->endpoints);
    ck_assert_msg(endpoints_parse(&world->endpoints, file, strlen(file), "edges.yaml", &err) == 0,
                  "%s", err.message);
    for (size_t i = 0; i < world->endpoints.count; i++) {
        const struct endpoint *endpoint = &world->endpoints.list[i];
        if (world_site(world, endpoint->push.name) == NULL) {
            struct site *site = &world->sites[world->site_count++];
            *site = (struct site){.is_catalog = endpoint->is_catalog,
                                  .is_hook = endpoint->is_hook,
                                  .fails = FAILURE_COUNT};
            snprintf(site->name, sizeof(site->name), "%s", endpoint->push.name);
        }
        world_site(world, endpoint->push.name)->fetches = endpoint->fetches;
    }
}

void world_open(struct world *world, const char *file) {
    *world = (struct world){
        .stop_at = -1, .version = PUBLISH_A, .check_order = true, .horizon_ms = HOUR_MS};
    fixture_farm_open(&world->farm);
    read_file(world, file);
    begin(world);
    ck_assert_int_eq(fixture_join(&world->farm, "w1", "host1", 4, world->session), 0);
}

void world_close(struct world *world) {
    task_finish(&world->task);
    fixture_farm_close(&world->farm);
    endpoints_finish(&world->endpoints);
}

void world_list(struct world *world, const char *file) {
    read_file(world, file);
    fixture_farm_restart(&world->farm);
    begin(world);
}

struct site *world_site(struct world *world, const char *name) {
    for (int i = 0; i < world->site_count; i++) {
        if (strcmp(world->sites[i].name, name) == 0) {
            return &world->sites[i];
        }
    }
    return NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */

struct asking {
    struct world *world;
    world_ask *ask;
    const char *title, *endpoint, *version;
    struct names *folders;
    bool found;
};

static void run_ask(struct tx *tx, void *context) {
    struct asking *asking = context;
    asking->ask(tx, &asking->world->farm.farm, asking->title, asking->endpoint, asking->version);
}

int world_call(struct world *world, world_ask *ask, const char *title, const char *endpoint,
               const char *version) {
    struct asking asking = {
        .world = world, .ask = ask, .title = title, .endpoint = endpoint, .version = version};
    world->farm.err = (struct err){0};
    return store_call(world->farm.store, run_ask, &asking, &world->farm.err);
}

void ask_publish(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                 const char *version) {
    (void)version;
    publication_publish(tx, farm, title, endpoint);
}

void ask_unpublish(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                   const char *version) {
    publication_unpublish(tx, farm, title, endpoint, version);
}

void ask_roll_back(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                   const char *version) {
    char chosen[VERSION_TEXT];
    (void)farm;
    (void)endpoint;
    versions_roll_back(tx, title, version, chosen);
}

static void run_sweep(struct tx *tx, void *context) {
    struct world *world = context;
    versions_sweep(tx, &world->farm.farm);
    while (publication_sweep(tx, &world->farm.farm)) {
        ck_assert(tx_ok(tx));
    }
}

void world_sweep(struct world *world) {
    ck_assert_int_eq(store_call(world->farm.store, run_sweep, world, NULL), 0);
}

void world_submit(struct world *world, const char *title, int ladder, const char *version) {
    world->version = version;
    ck_assert_int_eq(fixture_submit(&world->farm, title, ladders[ladder], false), 0);
}

void world_run(struct world *world, const char *title, int ladder, const char *version) {
    world_submit(world, title, ladder, version);
    ck_assert(world_work(world));
}

static void run_folders(struct tx *tx, void *context) {
    struct asking *asking = context;
    struct query query =
        sql_query(tx, SQL_VERSION_FOLDERS, VALUES(TEXT(asking->title), TEXT(asking->version)));
    while (query_next(&query)) {
        char name[SITE_NAME_TEXT];
        snprintf(name, sizeof(name), "%.8s%s", asking->title, query_text(&query, 0));
        add_name(asking->folders, name);
    }
}

/* What a version of a title is made of, which the store notes as it becomes current. */
static void folders_of(struct world *world, const char *title, const char *version,
                       struct names *out) {
    struct asking asking = {.title = title, .version = version, .folders = out};
    ck_assert_int_eq(store_call(world->farm.store, run_folders, &asking, NULL), 0);
}

/* ---- what must be so after each step
 * -------------------------------------------------------------- */

static void check_listed(struct world *world, const struct site *site) {
    struct names folders = {0};
    if (site->stable[0] == '\0' || site->is_catalog) {
        return;
    }
    ck_assert_msg(find_name(&site->versions, site->stable) >= 0, "%s lists %s, which it lacks",
                  site->name, site->stable);
    folders_of(world, "t", site->stable, &folders);
    for (int i = 0; i < folders.count; i++) {
        ck_assert_msg(find_name(&site->folders, folders.list[i]) >= 0, "%s lists %s without its %s",
                      site->name, site->stable, folders.list[i]);
    }
}

/* What is told of a title at an endpoint; "none" where there is no such. */
struct told {
    char state[32], held[VERSION_TEXT], wanted[VERSION_TEXT];
};

static void view_told(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    struct title_row row = {0};
    struct publication_list list = {0};
    publication_list_read(tx, title, &list);
    writer_object(w, NULL);
    if (title_find(tx, title, &row)) {
        writer_string(w, "version", row.version);
        publications_write(tx, farm, &row, "", w);
    } else if (list.count > 0) {
        publications_show(tx, farm, title, "", w);
    }
    writer_object_end(w);
    publication_list_finish(&list);
    title_row_finish(&row);
}

static struct told told_of(struct reader *answer, const char *endpoint) {
    struct told told = {.state = "none"};
    if (!reader_has(answer, "publications")) {
        return told;
    }
    struct reader list = reader_array(answer, "publications");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *name = "";
        reader_string(&item, "endpoint", &name);
        if (strcmp(name, endpoint) == 0) {
            reader_text(&item, "state", told.state, sizeof(told.state));
            reader_text(&item, "held", told.held, sizeof(told.held));
            reader_text(&item, "wanted", told.wanted, sizeof(told.wanted));
        }
    }
    return told;
}

static bool is_state(const struct told *told, const char *state) {
    return strcmp(told->state, state) == 0;
}

/* What is told of a site is so: that it runs, what it held when a push last told its end, and that
 * it holds what it is to hold, or nothing. */
static void check_site(struct world *world, const struct site *site, const struct told *told) {
    bool rid = is_state(told, "gone") || is_state(told, "fetches") || is_state(told, "none");
    bool settled = is_state(told, "held") || rid;
    bool empty = site->stable[0] == '\0' && site->versions.count == 0 && site->folders.count == 0;
    bool busy = world->is_busy && world->task.kind == TASK_PUSH &&
                strcmp(world->task.push.endpoint.name, site->name) == 0;
    bool runs = busy && told->wanted[0] != '\0';
    ck_assert_msg(is_state(told, "running") == runs, "%s is told to be %s", site->name,
                  told->state);
    ck_assert_msg(!settled || !site->untold, "%s is told to be %s, which nobody said", site->name,
                  told->state);
    ck_assert_msg(site->untold || strcmp(site->stable, told->held) == 0,
                  "%s has '%s', and '%s' is told", site->name, site->stable, told->held);
    ck_assert_msg(!is_state(told, "held") || strcmp(told->held, told->wanted) == 0,
                  "%s is told to hold what it is to, and has '%s'", site->name, told->held);
    ck_assert_msg(!rid || empty, "%s is told to be rid of it", site->name);
    ck_assert_msg(!is_state(told, "gone") || !site->fetches || world->origin.stable[0] == '\0',
                  "%s is told to be rid of what it fetches", site->name);
}

/* What `status` tells of t, and of all endpoints. */
static void check_told(struct world *world) {
    const char *version = "";
    bool published = false;
    struct json *tree = fixture_look(&world->farm, view_told, "t");
    struct reader r = reader_of(tree, "title", &world->farm.err);
    if (reader_has(&r, "published")) {
        reader_bool(&r, "published", &published);
        reader_string(&r, "version", &version);
    }
    ck_assert_msg(!published || world->origin.untold || strcmp(world->origin.stable, version) == 0,
                  "%s is told to be published, and the origin has '%s'", version,
                  world->origin.stable);
    for (int i = 0; i < world->site_count; i++) {
        const struct site *site = &world->sites[i];
        const struct told told = told_of(&r, site->name);
        check_site(world, site, &told);
        bool is_listed = endpoints_find(&world->endpoints, site->name) != NULL;
        ck_assert_msg(
            !published || !site->is_catalog || !is_listed || strcmp(site->stable, version) == 0,
            "%s is told to be published, and %s has '%s'", version, site->name, site->stable);
    }
    ck_assert_msg(reader_ok(&r), "%s", world->farm.err.message);
    json_tree_destroy(tree);
}

/* What the catalog has, edges that can be reached have; what edges have, the origin has. */
void world_check(struct world *world) {
    bool announced = false, served = false, whole = true;
    for (int i = 0; i < world->site_count; i++) {
        const struct site *site = &world->sites[i];
        bool well = site->fails == FAILURE_COUNT;
        check_listed(world, site);
        announced = announced || (site->is_catalog && well && site->stable[0] != '\0');
        whole = whole && (site->is_catalog || site->is_hook || !well || site->stable[0] != '\0');
        served = served || (!site->is_catalog && well && site->stable[0] != '\0');
    }
    check_listed(world, &world->origin);
    if (world->check_order) {
        ck_assert_msg(!announced || whole, "a catalog has what an edge has not");
        ck_assert_msg(!served || world->origin.stable[0] != '\0', "an edge outlives its origin");
    }
    if (world->check_told) {
        check_told(world);
    }
}

/* ---- tasks --------------------------------------------------------------------------------------
 */

static void drop_listed(struct site *site, const struct task *task) {
    for (size_t i = 0; i < task->push.old_version_count; i++) {
        drop_name(&site->versions, task->push.old_versions[i].version);
    }
    for (size_t i = 0; i < task->push.old_folder_count; i++) {
        char name[SITE_NAME_TEXT];
        ck_assert_int_gt(task->push.old_folders[i].segments, 0);
        snprintf(name, sizeof(name), "%.8s%s", task->title, task->push.old_folders[i].folder);
        drop_name(&site->folders, name);
    }
}

static void push_to_catalog(struct site *site, const struct task *task) {
    ck_assert_int_ge(task->push.revision, site->revision); /* else it answers 409 */
    site->revision = task->push.revision;
    snprintf(site->stable, sizeof(site->stable), "%s", task->version);
}

/* A webhook hears an event of a delivery; whether that was its last. */
static bool hear_event(struct site *site, const struct task *task, int at) {
    int64_t event = task->hook.events[at].event;
    if (event > site->heard) { /* else it hears it again */
        site->heard = event;
        site->heard_count++;
    }
    return at + 1 == (int)task->hook.event_count;
}

/* Step `at` of a push; whether it was the last. */
static bool push_step(struct world *world, const struct task *task, int at) {
    struct site *site = world_site(world, task->push.endpoint.name);
    bool brings = task->version[0] != '\0';
    if (task->hook.event_count > 0) {
        return hear_event(site, task, at);
    }
    site->untold = true;
    if (site->is_catalog) {
        push_to_catalog(site, task);
        return true;
    }
    if (at == 0 && brings) {
        ck_assert_msg(find_name(&world->origin.versions, task->version) >= 0,
                      "a push of %s, which the origin lacks", task->version);
        folders_of(world, task->title, task->version, &site->folders);
    } else if (at == 1 && brings) {
        add_name(&site->versions, task->version);
    } else if (at == (brings ? 2 : 0)) {
        snprintf(site->stable, sizeof(site->stable), "%s", task->version);
    } else {
        drop_listed(site, task);
        return true;
    }
    return false;
}

static bool remove_step(struct world *world, const struct task *task, int at) {
    struct site *origin = &world->origin;
    if (task->everything && at == 0) {
        origin->stable[0] = '\0';
        return false;
    }
    if (task->everything) {
        origin->versions.count = origin->folders.count = 0;
    }
    for (size_t i = 0; i < task->version_count; i++) {
        drop_name(&origin->versions, task->versions[i]);
    }
    for (size_t i = 0; i < task->folder_count; i++) {
        char name[SITE_NAME_TEXT];
        snprintf(name, sizeof(name), "%.8s%s", task->title, task->folders[i]);
        drop_name(&origin->folders, name);
    }
    return true;
}

/* A swap of a version that the origin has: of a rollback. */
static void swap_step(struct world *world, const struct task *task) {
    if (find_name(&world->origin.versions, task->version) >= 0) {
        snprintf(world->origin.stable, sizeof(world->origin.stable), "%s", task->version);
        world->origin.untold = true;
    }
}

/* Step `at` of a task; whether it was the last but the report. */
static bool task_step(struct world *world, const struct task *task, int at) {
    if (task->kind == TASK_PUSH) {
        return push_step(world, task, at);
    }
    if (task->kind == TASK_REMOVE) {
        return remove_step(world, task, at);
    }
    if (task->kind == TASK_SWAP) {
        swap_step(world, task);
    }
    return true;
}

/* All of a delivery is taken, or none. */
static void answer_events(struct task_report *report, const struct task *task, bool taken) {
    size_t count = task->hook.event_count;
    report->hook.results = arena_zero(&report->arena, count, sizeof(*report->hook.results));
    for (size_t i = 0; i < count; i++) {
        report->hook.results[report->hook.result_count++] =
            (struct hook_result){.event = task->hook.events[i].event,
                                 .verdict = taken ? HOOK_TAKEN : HOOK_DOWN,
                                 .status = taken ? 204 : 500,
                                 .error = taken ? "" : "it answers 500"};
    }
}

static void report(struct world *world, const struct task *task) {
    struct task_report report;
    int64_t fence = task->fence;
    char version[VERSION_TEXT], title[WIRE_TITLE_TEXT];
    bool swaps = task->kind == TASK_SWAP;
    snprintf(version, sizeof(version), "%s", task->version);
    snprintf(title, sizeof(title), "%s", task->title);
    if (task->kind == TASK_PROBE) {
        fixture_probe_report(&report, SOURCE_FRAMES, "pin-1", "sha256:one");
    } else {
        fixture_report(&report, task, 0);
    }
    if (task->kind == TASK_PACKAGE) {
        snprintf(report.version, sizeof(report.version), "%s", world->version);
    }
    struct site *site = NULL;
    if (task->kind == TASK_PUSH) {
        site = world_site(world, task->push.endpoint.name);
        report.push = (struct push_report){.objects = 3,
                                           .bytes = 3000,
                                           .request_ms = 5,
                                           .cost_ms = 5,
                                           .fetches = site->fetches && task->version[0] == '\0' &&
                                                      world->origin.stable[0] != '\0'};
    }
    if (task->hook.event_count > 0) {
        answer_events(&report, task, site->fails == FAILURE_COUNT);
    }
    ck_assert_int_eq(fixture_complete(&world->farm, fence, &report), ANSWER_ACCEPTED);
    task_report_finish(&report);
    if (site != NULL) {
        site->untold = false;
    }
    if (swaps) {
        world->origin.untold = false;
        folders_of(world, title, version, &world->origin.folders);
        add_name(&world->origin.versions, version);
        snprintf(world->origin.stable, sizeof(world->origin.stable), "%s", version);
    }
}

/* Whether another step may be done. */
static bool may_step(struct world *world) {
    if (world->stop_at >= 0 && world->steps >= world->stop_at) {
        return false;
    }
    world->steps++;
    return true;
}

/* Whether a push was told to stop: the scheduler hears that it did. */
static bool stops(struct world *world, const struct task *task) {
    bool told = false;
    if (task->kind == TASK_PUSH) {
        fixture_beat(&world->farm, world->session, &task->fence, 1);
        for (int i = 0; i < world->farm.stop_count; i++) {
            told = told || world->farm.stop[i] == task->fence;
        }
    }
    if (told) {
        fixture_beat(&world->farm, world->session, NULL, 0);
    }
    return told;
}

static void end_task(struct world *world) {
    task_finish(&world->task);
    world->task = (struct task){0};
    world->is_busy = false;
}

/* A push ends so; before that the site may hang. */
static void fail_push(struct world *world, const struct site *site, int64_t fence) {
    for (int64_t hung_ms = 0; hung_ms < site->hangs_ms; hung_ms += BEAT_MS) {
        fixture_beat(&world->farm, world->session, &fence, 1);
        world->farm.now_ms += BEAT_MS;
    }
    fixture_fail(&world->farm, fence, site->fails, "it answers 500");
}

/* Goes on with a task from step `*at`; false where `stop_at` is reached. */
static bool go_on(struct world *world, const struct task *task, int *at) {
    const struct site *site = task->kind == TASK_PUSH ? world_site(world, task->push.endpoint.name)
                                                      : NULL;
    bool fails = site != NULL && site->fails != FAILURE_COUNT;
    while (*at >= 0 && !(fails && *at >= site->fails_after)) {
        if (!may_step(world)) {
            return false;
        }
        *at = task_step(world, task, *at) ? -1 : *at + 1;
        world_check(world);
    }
    if (!may_step(world)) {
        return false;
    }
    if (fails && task->hook.event_count == 0) {
        fail_push(world, site, task->fence);
    } else if (!stops(world, task)) {
        report(world, task);
    }
    end_task(world);
    world_check(world);
    return true;
}

void world_do(struct world *world, const struct task *task) {
    int at = 0;
    ck_assert(go_on(world, task, &at));
}

/* Takes the one task that was leased, so that it outlives what comes. */
static void take_task(struct world *world) {
    world->task = world->farm.tasks[0];
    world->farm.task_count = 0;
    world->is_busy = true;
    world->at = 0;
}

bool world_work(struct world *world) {
    int64_t until = world->farm.now_ms + world->horizon_ms;
    for (;;) {
        if (world->is_busy && !go_on(world, &world->task, &world->at)) {
            return false;
        }
        end_task(world);
        world_sweep(world);
        ck_assert_msg(fixture_lease(&world->farm, world->session, 1) == 0, "%s",
                      world->farm.err.message);
        int64_t next = world->farm.retry_at;
        if (world->farm.task_count > 0) {
            take_task(world);
        } else if (next > world->farm.now_ms && next <= until) {
            world->farm.now_ms = next;
        } else {
            return true;
        }
    }
}

void world_kill(struct world *world, bool worker_too) {
    fixture_farm_restart(&world->farm);
    begin(world);
    if (worker_too) {
        end_task(world);
        fixture_lose(&world->farm);
        ck_assert_int_eq(fixture_join(&world->farm, "w2", "host2", 4, world->session), 0);
    }
}

struct lease_asking {
    struct world *world;
    int slots;
    struct buf answer;
};

static void run_lease_pushes(struct tx *tx, void *context) {
    struct lease_asking *asking = context;
    struct lease_request request = {.session = asking->world->session,
                                    .slots = asking->slots,
                                    .memory_bytes = asking->world->farm.memory_bytes};
    struct writer w = writer_of(&asking->answer);
    request.kinds[TASK_PUSH] = true;
    writer_array(&w, NULL);
    lease_grant(tx, &asking->world->farm.farm, &request, &w, &asking->world->farm.retry_at);
    writer_array_end(&w);
}

int world_lease_pushes(struct world *world, int slots) {
    struct lease_asking asking = {.world = world, .slots = slots};
    struct json *tree = NULL;
    struct err err = {0};
    for (int i = 0; i < world->farm.task_count; i++) {
        task_finish(&world->farm.tasks[i]);
    }
    world->farm.task_count = 0;
    ck_assert_int_eq(store_call(world->farm.store, run_lease_pushes, &asking, &err), 0);
    ck_assert_int_eq(json_tree_parse(&tree, asking.answer.data, asking.answer.size, &err), 0);
    struct reader reader = reader_of(tree, "lease", &err);
    for (size_t i = 0; i < reader_count(&reader); i++) {
        struct reader item = reader_item(&reader, i);
        task_read(&world->farm.tasks[world->farm.task_count++], &item);
    }
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    json_tree_destroy(tree);
    buf_finish(&asking.answer);
    return world->farm.task_count;
}

/* ---- looking
 * --------------------------------------------------------------------------------------- */

static void expect_names(const struct site *site, const struct names *names,
                         const struct names *wanted) {
    for (int i = 0; i < names->count; i++) {
        ck_assert_msg(find_name(wanted, names->list[i]) >= 0, "%s still has %s", site->name,
                      names->list[i]);
    }
    for (int i = 0; i < wanted->count; i++) {
        ck_assert_msg(find_name(names, wanted->list[i]) >= 0, "%s lacks %s", site->name,
                      wanted->list[i]);
    }
}

static const char *version_of(char letter) {
    return letter == 'A' ? PUBLISH_A : letter == 'B' ? PUBLISH_B : PUBLISH_C;
}

void world_expect(struct world *world, const char *title, struct site *site, const char *letters) {
    struct names versions = {0}, folders = {0};
    const char *current = letters[0] == '\0' ? "" : version_of(letters[0]);
    ck_assert_msg(strcmp(site->stable, current) == 0, "%s has '%s', not '%s'", site->name,
                  site->stable, current);
    for (; *letters != '\0' && !site->is_catalog; letters++) {
        add_name(&versions, version_of(*letters));
        folders_of(world, title, version_of(*letters), &folders);
    }
    expect_names(site, &site->versions, &versions);
    expect_names(site, &site->folders, &folders);
}

/* Of a publication of the title's; whether there is one. */
static bool look_at(struct world *world, const char *title, const char *endpoint, char state[32],
                    bool *pending) {
    bool known = false;
    struct json *tree = fixture_look(&world->farm, view_title, title);
    struct reader r = reader_of(tree, "title", &world->farm.err);
    struct reader list = reader_array(&r, "publications");
    for (size_t i = 0; i < reader_count(&list) && !known; i++) {
        struct reader item = reader_item(&list, i);
        const char *name = "", *found = "";
        reader_string(&item, "endpoint", &name);
        reader_string(&item, "state", &found);
        reader_bool(&item, "pending", pending);
        known = strcmp(name, endpoint) == 0;
        snprintf(state, 32, "%s", found);
    }
    ck_assert(reader_ok(&r));
    json_tree_destroy(tree);
    return known;
}

const char *world_state(struct world *world, const char *title, const char *endpoint) {
    static char state[32];
    bool pending = false;
    return look_at(world, title, endpoint, state, &pending) ? state : "none";
}

bool world_pending(struct world *world, const char *title, const char *endpoint) {
    char state[32];
    bool pending = false;
    return look_at(world, title, endpoint, state, &pending) && pending;
}

bool world_published(struct world *world, const char *title) {
    bool published = false;
    struct json *tree = fixture_look(&world->farm, view_title, title);
    struct reader r = reader_of(tree, "title", &world->farm.err);
    reader_bool(&r, "published", &published);
    ck_assert(reader_ok(&r));
    json_tree_destroy(tree);
    return published;
}

void world_view_endpoints(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    (void)title;
    writer_object(w, NULL);
    endpoint_rows_write(tx, farm, w);
    writer_object_end(w);
}

bool world_heard_all(struct world *world, const struct site *site) {
    struct json *tree = fixture_look(&world->farm, world_view_endpoints, "");
    struct reader r = reader_of(tree, "endpoints", &world->farm.err);
    struct reader list = reader_array(&r, "endpoints");
    int64_t waiting = -1, taken = -1;
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *name = "";
        reader_string(&item, "name", &name);
        if (strcmp(name, site->name) == 0) {
            struct reader hook = reader_object(&item, "webhook");
            reader_int(&item, "backlog", 0, INT64_MAX, &waiting);
            reader_int(&hook, "delivered", 0, INT64_MAX, &taken);
        }
    }
    ck_assert_msg(reader_ok(&r), "%s", world->farm.err.message);
    json_tree_destroy(tree);
    return waiting == 0 && taken == site->heard_count;
}

static void run_has(struct tx *tx, void *context) {
    struct asking *asking = context;
    struct title_row row = {0};
    asking->found = title_find(tx, asking->title, &row);
    title_row_finish(&row);
}

bool world_has(struct world *world, const char *title) {
    struct asking asking = {.title = title};
    ck_assert_int_eq(store_call(world->farm.store, run_has, &asking, NULL), 0);
    return asking.found;
}
