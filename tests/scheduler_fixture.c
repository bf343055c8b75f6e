/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A farm without HTTP, workers or media: see scheduler_fixture.h. */
#include "scheduler_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/api/view.h"
#include "scheduler/lease.h"
#include "scheduler/removal.h"
#include "scheduler/session.h"
#include "scheduler/titles.h"

/* ---- made-up sources and reports ------------------------------------------------------- */

void fixture_source(struct source_document *out, int64_t frames, int sound) {
    *out = (struct source_document){
        .size = 1000 * frames,
        .timeline = {.rate = {24, 1}, .frames = frames, .start = {0, 1}},
        .has_video = true,
        .video = {.codec = "h264",
                  .coded_width = 1280,
                  .coded_height = 720,
                  .sample_aspect = {1, 1},
                  .width = 1280,
                  .height = 720,
                  .pixel_format = "yuv420p",
                  .chroma = CHROMA_420,
                  .bit_depth = 8,
                  .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = 0},
                  .source_rate = {24, 1},
                  .time_base = {1, 24},
                  .bit_rate = 2000000},
        .audio_count = (size_t)sound,
        .access_count = (size_t)(frames + 47) / 48,
    };
    out->container = arena_string(&out->arena, "mov,mp4");
    out->audio = arena_zero(&out->arena, (size_t)sound + 1, sizeof(*out->audio));
    for (int i = 0; i < sound; i++) {
        out->audio[i] = (struct audio_facts){.stream = 1 + i,
                                             .codec = "aac",
                                             .sample_rate = 48000,
                                             .channels = 2,
                                             .layout = "stereo",
                                             .language = "und",
                                             .start = {0, 1},
                                             .duration = {frames, 24}};
    }
    out->access = arena_zero(&out->arena, out->access_count, sizeof(*out->access));
    for (size_t i = 0; i < out->access_count; i++) {
        int64_t frame = 48 * (int64_t)i;
        out->access[i] = (struct random_access){
            .frame = frame, .pts = frame, .dts = frame, .position = 1000 * frame};
    }
}

void fixture_probe_report(struct task_report *out, int64_t frames, const char *pin,
                          const char *identity) {
    *out = (struct task_report){.has_source = true, .source_size = 1000 * frames};
    fixture_source(&out->source, frames, 1);
    snprintf(out->identity, sizeof(out->identity), "%s", identity);
    out->pin = arena_string(&out->arena, pin);
}

static void fill_unit(struct unit_report *out, struct arena *arena, const struct task *task,
                      size_t index, int salt) {
    char *text = mem_format("%s %lld %d", task->units[index].rendition,
                            (long long)task->spec.chunk.first, salt);
    *out = (struct unit_report){
        .record = {1, 100}, .record_size = 2, .init_bytes = 700, .segment_count = 2};
    sha256_hex_of("init", 4, out->init_sha256);
    out->segments = arena_zero(arena, out->segment_count, sizeof(*out->segments));
    for (size_t i = 0; i < out->segment_count; i++) {
        out->segments[i] = (struct segment_report){
            .number = (int64_t)i + 1, .bytes = 1000, .samples = 96, .duration = 96};
        sha256_hex_of(text, strlen(text), out->segments[i].sha256);
    }
    mem_free(text);
}

void fixture_report(struct task_report *out, const struct task *task, int salt) {
    if (task->kind == TASK_PROBE) {
        fixture_probe_report(out, 2400, "pin-1", "sha256:one");
        return;
    }
    *out = (struct task_report){.pin = "", .source_size = -1};
    out->stats =
        (struct task_stats){.frames_decoded = 100, .cpu_s = 2, .wall_s = 1, .peak_memory = 1 << 20};
    if (kind_is_media(task->kind)) {
        out->unit_count = task->unit_count;
        out->units = arena_zero(&out->arena, out->unit_count, sizeof(*out->units));
        for (size_t i = 0; i < out->unit_count; i++) {
            fill_unit(&out->units[i], &out->arena, task, i, salt);
        }
    } else if (task->kind == TASK_PACKAGE) {
        snprintf(out->version, sizeof(out->version), "0123456789abcdef");
    } else if (task->kind == TASK_EARLY) {
        out->early_chunks = task->early.chunks + 1;
    }
}

char *fixture_ladder(const char *name) {
    struct ladder ladder;
    struct buf text = {0};
    struct writer writer = writer_of(&text);
    struct err err = {0};
    int result = strchr(name, '\n') == NULL
                     ? ladder_load(&ladder, name, &err)
                     : ladder_parse(&ladder, "mine.yaml", name, strlen(name), &err);
    ck_assert_msg(result == 0, "%s", err.message);
    ladder_write(&ladder, &writer, NULL);
    char *copy = mem_string(buf_text(&text));
    buf_finish(&text);
    return copy;
}

/* ---- the farm ---------------------------------------------------------------- */

static int64_t farm_now(void *context) {
    return ((struct fixture_farm *)context)->now_ms;
}

static uint64_t draw_most(uint64_t bound) {
    return bound - 1;
}

static void open_store(struct fixture_farm *farm) {
    struct store_options options = {.path = farm->path, .now_ms = farm_now, .context = farm};
    struct err err = {0};
    ck_assert_msg(store_open(&farm->store, &options, &err) == 0, "%s", err.message);
    farm_init(&farm->farm);
    farm->farm.draw = draw_most;
}

void fixture_farm_open(struct fixture_farm *farm) {
    *farm = (struct fixture_farm){.folder = fixture_folder()};
    farm->path = fixture_store(farm->folder);
    farm->now_ms = 1000000;
    farm->memory_bytes = INT64_C(1) << 36;
    open_store(farm);
}

static void drop_tasks(struct fixture_farm *farm) {
    for (int i = 0; i < farm->task_count; i++) {
        task_finish(&farm->tasks[i]);
    }
    farm->task_count = 0;
}

void fixture_farm_close(struct fixture_farm *farm) {
    drop_tasks(farm);
    store_close(farm->store);
    farm_finish(&farm->farm);
    mem_free(farm->path);
    fixture_folder_drop(farm->folder);
}

void fixture_farm_restart(struct fixture_farm *farm) {
    drop_tasks(farm);
    store_close(farm->store);
    farm_finish(&farm->farm);
    open_store(farm);
}

/* One call with all that calls of the fixture need. */
struct doing {
    struct fixture_farm *farm;
    const void *input;
    const char *text;
    size_t count;
    int64_t number;
    struct buf answer;
    void *output;
};

static int call(struct fixture_farm *farm, store_run *run, struct doing *doing) {
    farm->err = (struct err){0};
    doing->farm = farm;
    return store_call(farm->store, run, doing, &farm->err);
}

static struct json *parse(struct buf *answer) {
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&tree, answer->data, answer->size, &err) == 0, "%s: %.200s",
                  err.message, buf_text(answer));
    buf_finish(answer);
    return tree;
}

static void run_submit(struct tx *tx, void *context) {
    struct doing *doing = context;
    title_submit(tx, &doing->farm->farm, doing->input);
}

int fixture_submit_whole(struct fixture_farm *farm, const struct title_request *request) {
    struct doing doing = {.input = request};
    return call(farm, run_submit, &doing);
}

/* Takes the ladder. */
static int submit_by(struct fixture_farm *farm, const struct title_request *request, char *ladder) {
    struct title_request whole = *request;
    whole.source = "/media/clip.mp4";
    whole.output = "/out";
    whole.ladder = ladder;
    int result = fixture_submit_whole(farm, &whole);
    mem_free(ladder);
    return result;
}

int fixture_submit_as(struct fixture_farm *farm, const struct title_request *request,
                      const char *ladder) {
    return submit_by(farm, request, fixture_ladder(ladder));
}

int fixture_submit_threads(struct fixture_farm *farm, const struct title_request *request,
                           int threads) {
    char *ladder = fixture_ladder("h264");
    for (char *at = ladder; (at = strstr(at, "\"threads\":")) != NULL; at++) {
        at[strlen("\"threads\":")] = (char)('0' + threads);
    }
    return submit_by(farm, request, ladder);
}

int fixture_submit(struct fixture_farm *farm, const char *title, const char *ladder, bool force) {
    struct title_request request = {.title = title, .force = force};
    return fixture_submit_as(farm, &request, ladder);
}

static void run_join(struct tx *tx, void *context) {
    struct doing *doing = context;
    session_add(tx, &doing->farm->farm, doing->input, doing->output);
}

static int join(struct fixture_farm *farm, const char *worker, const char *host, int slots,
                const char *build, enum sandbox_level sandbox, char session[ID_TEXT]) {
    const char *images = farm->images_line != NULL ? farm->images_line : FIXTURE_IMAGES;
    const struct session_encoder encoders[] = {
        {.name = "x264", .codec = "h264", .build_line = build, .tail_frames = 40},
        {.name = "aac", .codec = "aac", .build_line = FIXTURE_SOUND},
        {.name = KNOWS_LEAVE_NAME, .codec = "av1", .build_line = KNOWS_LEAVE_LINE},
        {.name = KNOWS_FALLS_BACK_NAME, .codec = "av1", .build_line = KNOWS_FALLS_BACK_LINE},
        {.name = KNOWS_IMAGES_NAME, .codec = "av1", .build_line = KNOWS_IMAGES_LINE},
        {.name = PLAN_IMAGES_ENCODER, .codec = "av1", .build_line = images},
    };
    struct session_request request = {.worker = worker,
                                      .host = host,
                                      .pid = 1,
                                      .slots = slots,
                                      .memory_bytes = INT64_C(1) << 36,
                                      .cores = 8,
                                      .keep_ms = FIXTURE_KEEP_MS,
                                      .sandbox = sandbox,
                                      .encoders = encoders,
                                      .encoder_count = farm->old      ? 2
                                                       : farm->images ? 6
                                                                      : 5};
    struct doing doing = {.input = &request, .output = session};
    return call(farm, run_join, &doing);
}

int fixture_join(struct fixture_farm *farm, const char *worker, const char *host, int slots,
                 char session[ID_TEXT]) {
    return join(farm, worker, host, slots, FIXTURE_BUILD, SANDBOX_FULL, session);
}

int fixture_join_with(struct fixture_farm *farm, const char *worker, const char *build,
                      char session[ID_TEXT]) {
    return join(farm, worker, worker, 1, build, SANDBOX_FULL, session);
}

int fixture_join_walled(struct fixture_farm *farm, const char *worker, enum sandbox_level sandbox,
                        char session[ID_TEXT]) {
    return join(farm, worker, worker, 1, FIXTURE_BUILD, sandbox, session);
}

static void run_drain(struct tx *tx, void *context) {
    struct doing *doing = context;
    session_drain(tx, &doing->farm->farm, doing->text, doing->count > 0);
}

int fixture_drain(struct fixture_farm *farm, const char *worker, bool drains) {
    struct doing doing = {.text = worker, .count = drains ? 1 : 0};
    return call(farm, run_drain, &doing);
}

static void run_leave(struct tx *tx, void *context) {
    struct doing *doing = context;
    session_leave(tx, &doing->farm->farm, doing->text);
}

int fixture_leave(struct fixture_farm *farm, const char *session) {
    struct doing doing = {.text = session};
    return call(farm, run_leave, &doing);
}

static void run_lease(struct tx *tx, void *context) {
    struct doing *doing = context;
    struct lease_request request = {.session = doing->text,
                                    .slots = (int)doing->count,
                                    .memory_bytes = doing->farm->memory_bytes,
                                    .ahead = doing->farm->ahead,
                                    .ends = doing->farm->ends};
    struct writer writer = writer_of(&doing->answer);
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        request.kinds[i] = !request.ahead || i == TASK_VIDEO; /* as workers do */
    }
    writer_array(&writer, NULL);
    lease_grant(tx, &doing->farm->farm, &request, &writer, &doing->farm->retry_at);
    writer_array_end(&writer);
}

int fixture_lease(struct fixture_farm *farm, const char *session, int slots) {
    struct doing doing = {.text = session, .count = (size_t)slots};
    drop_tasks(farm);
    int result = call(farm, run_lease, &doing);
    if (result != 0) {
        buf_finish(&doing.answer);
        return result;
    }
    struct json *tree = parse(&doing.answer);
    struct err err = {0};
    struct reader reader = reader_of(tree, "lease", &err);
    for (size_t i = 0; i < reader_count(&reader); i++) {
        struct reader item = reader_item(&reader, i);
        task_read(&farm->tasks[farm->task_count++], &item);
    }
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    json_tree_destroy(tree);
    return 0;
}

const struct task *fixture_lease_one(struct fixture_farm *farm, const char *session) {
    ck_assert_msg(fixture_lease(farm, session, 1) == 0, "%s", farm->err.message);
    ck_assert_int_eq(farm->task_count, 1);
    return &farm->tasks[0];
}

static void run_beat(struct tx *tx, void *context) {
    struct doing *doing = context;
    const struct heartbeat beat = {
        .tasks = doing->input, .count = doing->count, .stopping = doing->farm->stopping};
    struct writer writer = writer_of(&doing->answer);
    writer_array(&writer, NULL);
    doing->farm->drains = session_heartbeat(tx, &doing->farm->farm, doing->text, &beat, &writer);
    writer_array_end(&writer);
}

int fixture_beat(struct fixture_farm *farm, const char *session, const int64_t *fences,
                 size_t count) {
    struct heard_task *tasks = mem_zero(count + 1, sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        tasks[i] = (struct heard_task){.fence = fences[i], .done = 1, .total = 2};
    }
    struct doing doing = {.text = session, .input = tasks, .count = count};
    int result = call(farm, run_beat, &doing);
    farm->stop_count = 0;
    if (result == 0) {
        struct json *tree = parse(&doing.answer);
        struct reader reader = reader_of(tree, "stop", &farm->err);
        for (size_t i = 0; i < reader_count(&reader); i++) {
            reader_item_int(&reader, i, 0, INT64_MAX, &farm->stop[farm->stop_count++]);
        }
        json_tree_destroy(tree);
    }
    buf_finish(&doing.answer);
    mem_free(tasks);
    return result;
}

static void run_source(struct tx *tx, void *context) {
    struct doing *doing = context;
    title_source(tx, &doing->farm->farm, doing->text, doing->input);
}

int fixture_early_source(struct fixture_farm *farm, const char *title,
                         const struct task_report *report) {
    struct doing doing = {.text = title, .input = report};
    return call(farm, run_source, &doing);
}

static void run_complete(struct tx *tx, void *context) {
    struct doing *doing = context;
    doing->number = outcome_complete(tx, &doing->farm->farm, doing->number, doing->input);
}

enum answer fixture_complete(struct fixture_farm *farm, int64_t fence,
                             const struct task_report *report) {
    struct doing doing = {.number = fence, .input = report};
    call(farm, run_complete, &doing);
    return (enum answer)doing.number;
}

static void run_fail(struct tx *tx, void *context) {
    struct doing *doing = context;
    doing->number = outcome_fail(tx, &doing->farm->farm, doing->number, doing->input);
}

enum answer fixture_fail_units(struct fixture_farm *farm, int64_t fence, enum failure_class class,
                               const int64_t *units, size_t count) {
    struct failure failure = {
        .class = class, .message = "it did not work", .units = units, .unit_count = count};
    struct doing doing = {.number = fence, .input = &failure};
    call(farm, run_fail, &doing);
    return (enum answer)doing.number;
}

enum answer fixture_fail(struct fixture_farm *farm, int64_t fence, enum failure_class class,
                         const char *message) {
    struct failure failure = {.class = class, .message = message};
    struct doing doing = {.number = fence, .input = &failure};
    call(farm, run_fail, &doing);
    return (enum answer)doing.number;
}

void fixture_make(struct fixture_farm *farm, const struct task *task) {
    struct task_report report;
    fixture_report(&report, task, 0);
    enum answer answer = fixture_complete(farm, task->fence, &report);
    ck_assert_msg(farm->err.code == ERR_NONE, "%s", farm->err.message);
    ck_assert_int_eq(answer, ANSWER_ACCEPTED);
    task_report_finish(&report);
}

static void hold(struct fixture_held *held, const struct task *task) {
    *held = (struct fixture_held){.fence = task->fence,
                                  .kind = task->kind,
                                  .count = task->unit_count,
                                  .memory_bytes = task->memory_bytes,
                                  .may_replace = task->units[0].may_replace,
                                  .attempt = task->attempt};
    for (size_t i = 0; i < task->unit_count && i < 8; i++) {
        held->units[i] = task->units[i].id;
    }
    fixture_report(&held->report, task, 0);
}

void fixture_take(struct fixture_farm *farm, struct fixture_held *held, const char *session) {
    hold(held, fixture_lease_one(farm, session));
}

void fixture_take_kind(struct fixture_farm *farm, struct fixture_held *held, const char *session,
                       enum task_kind kind) {
    const struct task *task = fixture_lease_one(farm, session);
    while (task->kind != kind) {
        fixture_make(farm, task);
        task = fixture_lease_one(farm, session);
    }
    hold(held, task);
}

void fixture_drop(struct fixture_held *held) {
    task_report_finish(&held->report);
}

void fixture_lose(struct fixture_farm *farm) {
    farm->now_ms += farm->farm.ttl_ms * 7 / 6 + 1;
    ck_assert_int_eq(fixture_sweep(farm), 0);
}

void fixture_run_title(struct fixture_farm *farm, const char *title, const char *ladder, int slots,
                       char session[ID_TEXT]) {
    char error[64];
    ck_assert_int_eq(fixture_submit(farm, title, ladder, false), 0);
    ck_assert_int_eq(fixture_join(farm, "w1", "host1", slots, session), 0);
    const struct task *probe = fixture_lease_one(farm, session);
    ck_assert_int_eq(probe->kind, TASK_PROBE);
    fixture_make(farm, probe);
    ck_assert_str_eq(fixture_state(farm, title, error, sizeof(error)), "running");
}

int fixture_work(struct fixture_farm *farm, const char *session) {
    int count = 0;
    while (fixture_lease(farm, session, 1) == 0 && farm->task_count > 0) {
        fixture_make(farm, &farm->tasks[0]);
        count++;
    }
    ck_assert_msg(farm->err.code == ERR_NONE, "%s", farm->err.message);
    return count;
}

static void run_sweep(struct tx *tx, void *context) {
    struct doing *doing = context;
    char ids[SESSIONS_SILENT_MAX][ID_TEXT];
    size_t count = session_silent(tx, &doing->farm->farm, ids);
    for (size_t i = 0; i < count; i++) {
        session_lose(tx, &doing->farm->farm, ids[i]);
    }
}

int fixture_sweep(struct fixture_farm *farm) {
    struct doing doing = {0};
    return call(farm, run_sweep, &doing);
}

static void run_cancel(struct tx *tx, void *context) {
    struct doing *doing = context;
    title_cancel(tx, doing->text, "it was cancelled");
}

int fixture_cancel(struct fixture_farm *farm, const char *title) {
    struct doing doing = {.text = title};
    return call(farm, run_cancel, &doing);
}

static void run_remove(struct tx *tx, void *context) {
    struct doing *doing = context;
    doing->number = title_remove(tx, doing->text, doing->number != 0);
}

bool fixture_remove(struct fixture_farm *farm, const char *title, bool keep_files) {
    struct doing doing = {.text = title, .number = keep_files};
    return call(farm, run_remove, &doing) == 0 && doing.number != 0;
}

/* ---- looking ----------------------------------------------------------------- */

static void run_state(struct tx *tx, void *context) {
    struct doing *doing = context;
    struct title_row title = {0};
    if (title_get(tx, doing->text, &title)) {
        doing->number = title.state;
        snprintf(doing->output, doing->count, "%s: %s", title.failure, title.error);
    }
    title_row_finish(&title);
}

const char *fixture_state(struct fixture_farm *farm, const char *title, char *error, size_t size) {
    struct doing doing = {.text = title, .output = error, .count = size};
    ck_assert_int_eq(call(farm, run_state, &doing), 0);
    return state_name(MACHINE_TITLE, (int)doing.number);
}

static void run_unit(struct tx *tx, void *context) {
    struct doing *doing = context;
    if (!unit_find(tx, doing->number, doing->output)) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "no unit");
    }
}

struct unit_row fixture_unit(struct fixture_farm *farm, int64_t id) {
    struct unit_row unit = {0};
    struct doing doing = {.number = id, .output = &unit};
    ck_assert_msg(call(farm, run_unit, &doing) == 0, "%s", farm->err.message);
    return unit;
}

static void run_view(struct tx *tx, void *context) {
    struct doing *doing = context;
    fixture_view *const *view = doing->input;
    struct writer writer = writer_of(&doing->answer);
    (*view)(tx, &doing->farm->farm, doing->text, &writer);
}

struct json *fixture_look(struct fixture_farm *farm, fixture_view *view, const char *title) {
    struct doing doing = {.input = &view, .text = title};
    ck_assert_msg(call(farm, run_view, &doing) == 0, "%s", farm->err.message);
    return parse(&doing.answer);
}

static void all_units(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    (void)farm;
    const struct units_page page = {.limit = 100000, .has_reports = true};
    view_units(tx, title, &page, w);
}

int fixture_count(struct fixture_farm *farm, const char *title, const char *state) {
    int found = 0;
    struct json *tree = fixture_look(farm, all_units, title);
    struct reader reader = reader_of(tree, "units", &farm->err);
    struct reader list = reader_array(&reader, "units");
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *name = "";
        struct reader item = reader_item(&list, i);
        reader_string(&item, "state", &name);
        found += strcmp(name, state) == 0 ? 1 : 0;
    }
    json_tree_destroy(tree);
    return found;
}
