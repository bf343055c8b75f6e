/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scheduler on loopback and calls of its API: see api_fixture.h. */
#include "api_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "scheduler_fixture.h"

static char *folder;
char *api_store_path;
const char *api_endpoints;
struct scheduler *api_scheduler;
struct http_client *api_client;
struct http_response api_answer; /* of the last call */

void api_start(bool private_mode, int ttl_ms) {
    struct scheduler_options options = scheduler_options_default();
    struct err err = {0};
    options.store_path = api_store_path;
    options.endpoints = api_endpoints;
    options.private_mode = private_mode;
    options.heartbeat_ms = 500;
    options.ttl_ms = ttl_ms;
    ck_assert_msg(scheduler_start(&api_scheduler, &options, &err) == 0, "%s", err.message);
}

void api_restart(bool private_mode) {
    scheduler_stop(api_scheduler);
    api_start(private_mode, 30000);
}

void api_set_up(void) {
    folder = fixture_folder();
    api_store_path = fixture_store(folder);
    api_endpoints = NULL;
    api_start(false, 30000);
    ck_assert_int_eq(http_client_create(&api_client, NULL), 0);
}

void api_tear_down(void) {
    http_response_finish(&api_answer);
    http_client_destroy(api_client);
    scheduler_stop(api_scheduler);
    mem_free(api_store_path);
    fixture_folder_drop(folder);
}

/* ---- calls ------------------------------------------------------------------- */

int api_call_by(struct http_client *by, struct http_response *response, const char *method,
                const char *path, const char *token, const char *body) {
    struct http_request request = http_request_default();
    char *url = mem_format("%s%s", scheduler_url(api_scheduler), path);
    struct err err = {0};
    request.method = method;
    request.url = url;
    request.bearer = token;
    request.body = body;
    request.body_size = body == NULL ? 0 : strlen(body);
    ck_assert_msg(http_send(by, &request, response, &err) == 0, "%s", err.message);
    mem_free(url);
    return response->status;
}

int api_call(const char *method, const char *path, const char *body) {
    return api_call_by(api_client, &api_answer, method, path, scheduler_token(api_scheduler), body);
}

/* The last api_answer as a tree, owned. */
struct json *api_tree_of_answer(void) {
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&tree, api_answer.body.data, api_answer.body.size, &err) == 0,
                  "%s: %.200s", err.message, buf_text(&api_answer.body));
    return tree;
}

const char *api_text_of(const char *name, char *out, size_t size) {
    struct json *tree = api_tree_of_answer();
    struct err err = {0};
    struct reader reader = reader_of(tree, "answer", &err);
    const char *value = "";
    reader_string(&reader, name, &value);
    ck_assert_msg(reader_ok(&reader), "%s in %.300s", err.message, buf_text(&api_answer.body));
    snprintf(out, size, "%s", value);
    json_tree_destroy(tree);
    return out;
}

size_t api_count_of(const char *name) {
    struct json *tree = api_tree_of_answer();
    struct err err = {0};
    struct reader reader = reader_of(tree, "answer", &err);
    struct reader list = reader_array(&reader, name);
    size_t count = reader_count(&list);
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    json_tree_destroy(tree);
    return count;
}

const char *api_problem(void) {
    static char detail[1024];
    ck_assert_str_eq(http_response_header(&api_answer, "content-type"), "application/problem+json");
    return api_text_of("detail", detail, sizeof(detail));
}

char api_session[64];

void api_join(const char *worker) {
    char *body = mem_format("{\"worker\":\"%s\",\"host\":\"here\",\"pid\":1,\"slots\":2,"
                            "\"memory_bytes\":8589934592,\"encoders\":["
                            "{\"name\":\"x264\",\"codec\":\"h264\",\"build_line\":\"%s\","
                            "\"tail_frames\":40},"
                            "{\"name\":\"aac\",\"codec\":\"aac\",\"build_line\":\"%s\","
                            "\"tail_frames\":0}]}",
                            worker, FIXTURE_BUILD, FIXTURE_SOUND);
    ck_assert_int_eq(api_call("POST", "/v1/sessions", body), 201);
    api_text_of("session", api_session, sizeof(api_session));
    mem_free(body);
}

int api_submit_with(const char *title, const char *source, const char *output,
                    const char *ladder_name, const char *members) {
    char *ladder = fixture_ladder(ladder_name);
    char *body = mem_format("{\"title\":\"%s\",\"source\":\"%s\",\"output\":\"%s\","
                            "%s\"ladder\":%s,\"force\":false}",
                            title, source, output, members, ladder);
    int status = api_call("POST", "/v1/titles", body);
    mem_free(ladder);
    mem_free(body);
    return status;
}

int api_submit(const char *title) {
    return api_submit_with(title, "/media/clip.mp4", "/out", "fast", "");
}

char *api_lease_body(int wait_ms) {
    return mem_format("{\"session\":\"%s\",\"slots\":1,\"memory_bytes\":8589934592,"
                      "\"kinds\":[\"probe\",\"video\",\"audio\",\"package\",\"swap\",\"remove\"],"
                      "\"wait_ms\":%d}",
                      api_session, wait_ms);
}

bool api_lease_task(struct task *task, int wait_ms) {
    char *body = api_lease_body(wait_ms);
    ck_assert_int_eq(api_call("POST", "/v1/leases", body), 200);
    mem_free(body);
    struct json *tree = api_tree_of_answer();
    struct err err = {0};
    struct reader reader = reader_of(tree, "answer", &err);
    struct reader list = reader_array(&reader, "tasks");
    bool found = reader_count(&list) == 1;
    if (found) {
        struct reader item = reader_item(&list, 0);
        task_read(task, &item);
        ck_assert_msg(reader_ok(&item), "%s", err.message);
    }
    json_tree_destroy(tree);
    return found;
}

int api_report(const struct task *task, const char *verb, const struct task_report *result) {
    struct buf body = {0};
    struct writer writer = writer_of(&body);
    char *path = mem_format("/v1/leases/%lld/%s", (long long)task->fence, verb);
    task_report_write(result, &writer, NULL);
    int status = api_call("POST", path, buf_text(&body));
    buf_finish(&body);
    mem_free(path);
    return status;
}

int api_complete(const struct task *task) {
    struct task_report result;
    fixture_report(&result, task, 0);
    int status = api_report(task, "complete", &result);
    task_report_finish(&result);
    return status;
}

int api_beat(const struct task *task) {
    char *path = mem_format("/v1/sessions/%s/heartbeat", api_session);
    char *body = task == NULL ? mem_string("{\"tasks\":[]}")
                              : mem_format("{\"tasks\":[{\"fence\":%lld,\"done\":1,\"total\":2}]}",
                                           (long long)task->fence);
    int status = api_call("POST", path, body);
    mem_free(path);
    mem_free(body);
    return status;
}

const char *api_title_state(const char *title) {
    static char state[32];
    char *path = mem_format("/v1/titles/%s", title);
    ck_assert_int_eq(api_call("GET", path, NULL), 200);
    mem_free(path);
    return api_text_of("state", state, sizeof(state));
}

int api_work(void) {
    struct task task = {0};
    int count = 0;
    while (api_lease_task(&task, 0)) {
        ck_assert_int_eq(api_complete(&task), 200);
        task_finish(&task);
        count++;
    }
    return count;
}
