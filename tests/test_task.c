/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks by a real scheduler and real workers: a title from end to end, and what becomes of
 * it when children, workers, sources and storage fail on the way. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/hash.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"
#include "ladders/ladders.h"
#include "scheduler/scheduler.h"
#include "workers/task.h"
#include "workers/workers.h"

Suite *task_suite(void);

enum { CLIP_SECONDS = 12, SOON_MS = 60000, FILE_BYTES = 64 << 20 };

static char *clip_folder; /* of all tests: the clip is made once */
static char *folder;      /* of one test: source.mp4, out, store.db */
static struct scheduler *scheduler;
static struct http_client *client;
static struct proc worker;
static struct json *answer; /* the last one */

static char *path_in(const char *name) {
    return mem_format("%s/%s", folder, name);
}

/* ---- A farm of one worker ------------------------------------------------------------ */

static void make_clip(void) {
    clip_folder = fixture_folder();
    char *path = mem_format("%s/clip.mp4", clip_folder);
    char *command = mem_format("%s/tests/farm/clip.sh %s %d 24 480x270 >&2", REELFARM_SOURCE_DIR,
                               path, CLIP_SECONDS);
    const char *const argv[] = {"bash", "-c", command, NULL};
    struct proc_options options = proc_options_default();
    struct proc_fd errors = {STDERR_FILENO, STDERR_FILENO};
    struct proc maker = {0};
    struct proc_result result = {0};
    options.program = "/bin/bash";
    options.argv = argv;
    options.fds = &errors;
    options.fd_count = 1;
    ck_assert_int_eq(proc_spawn(&maker, &options, NULL), 0);
    ck_assert_int_eq(proc_wait(&maker, -1, &result, NULL), 0);
    ck_assert_msg(result.exited && result.status == 0, "tests/farm/clip.sh made no clip");
    mem_free(command);
    mem_free(path);
}

static void drop_clip(void) {
    fixture_folder_drop(clip_folder);
}

static void copy_clip(const char *name) {
    struct buf clip = {0};
    char *from = mem_format("%s/clip.mp4", clip_folder);
    ck_assert_int_eq(fs_read(&clip, from, FILE_BYTES, NULL), 0);
    fixture_write(folder, name, clip.data, clip.size);
    buf_finish(&clip);
    mem_free(from);
}

static void scheduler_open(int port, bool private_mode) {
    struct err err = {0};
    char *store = path_in("store.db");
    struct scheduler_options options = scheduler_options_default();
    options.store_path = store;
    options.private_mode = private_mode;
    options.port = port;
    options.token = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    options.heartbeat_ms = 200;
    options.ttl_ms = 2000;
    ck_assert_msg(scheduler_start(&scheduler, &options, &err) == 0, "%s", err.message);
    fixture_write(folder, "token", options.token, strlen(options.token));
    mem_free(store);
}

static void worker_spawn(const char *program, const char *const *argv) {
    struct err err = {0};
    char *log = path_in("worker.log");
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct proc_fd errors = {fd, STDERR_FILENO};
    struct proc_options options = proc_options_default();
    options.program = program;
    options.argv = argv;
    options.fds = &errors;
    options.fd_count = 1;
    ck_assert_msg(proc_spawn(&worker, &options, &err) == 0, "%s", err.message);
    close(fd);
    mem_free(log);
}

static void worker_open(const char *more) {
    struct err err = {0};
    char *program = NULL;
    char *token = path_in("token");
    const char *argv[] = {"reelfarm-worker",
                          "--scheduler",
                          scheduler_url(scheduler),
                          "--token-file",
                          token,
                          "--name",
                          "one",
                          "--log-level",
                          "debug",
                          "--stall-s",
                          "2",
                          "--private-sources",
                          more,
                          NULL};
    ck_assert_msg(worker_program(&program, &err) == 0, "%s", err.message);
    worker_spawn(program, argv);
    mem_free(token);
    mem_free(program);
}

static void setup(void) {
    folder = fixture_folder();
    copy_clip("source.mp4");
    scheduler_open(0, true);
    worker_open(NULL);
    ck_assert_int_eq(http_client_create(&client, NULL), 0);
}

/* A sanitizer's finding in the worker or in a child would else pass for a bad ending. */
static void check_log(void) {
    struct buf log = {0};
    char *path = path_in("worker.log");
    ck_assert_int_eq(fs_read(&log, path, FILE_BYTES, NULL), 0);
    const char *text = buf_text(&log);
    ck_assert_msg(strstr(text, "Sanitizer") == NULL && strstr(text, "runtime error") == NULL, "%s",
                  text);
    buf_finish(&log);
    mem_free(path);
}

static void teardown(void) {
    proc_finish(&worker);
    check_log();
    scheduler_stop(scheduler);
    http_client_destroy(client);
    json_tree_destroy(answer);
    fixture_folder_drop(folder);
}

/* The status of a call; its JSON is in `answer`. */
static int call(const char *method, const char *path, const struct buf *body) {
    struct err err = {0};
    struct http_response response = {0};
    struct http_request request = http_request_default();
    char *url = mem_format("%s%s", scheduler_url(scheduler), path);
    request.method = method;
    request.url = url;
    request.bearer = scheduler_token(scheduler);
    request.body = body != NULL ? body->data : NULL;
    request.body_size = body != NULL ? body->size : 0;
    ck_assert_msg(http_send(client, &request, &response, &err) == 0, "%s", err.message);
    json_tree_destroy(answer);
    answer = NULL;
    if (response.body.size > 0) {
        json_tree_parse(&answer, response.body.data, response.body.size, &err);
        ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    }
    int status = response.status;
    http_response_finish(&response);
    mem_free(url);
    return status;
}

static void submit_as(const char *source, const char *output, const char *ladder_name) {
    struct err err = {0};
    struct ladder ladder;
    struct buf body = {0};
    struct writer w = writer_of(&body);
    ck_assert_msg(ladder_load(&ladder, ladder_name, &err) == 0, "%s", err.message);
    writer_object(&w, NULL);
    writer_string(&w, "title", "t");
    writer_string(&w, "source", source);
    writer_string(&w, "output", output);
    ladder_write(&ladder, &w, "ladder");
    writer_bool(&w, "force", false);
    writer_object_end(&w);
    ck_assert_int_eq(call("POST", "/v1/titles", &body), 201);
    buf_finish(&body);
}

static void submit_ladder(const char *ladder_name) {
    char *source = path_in("source.mp4");
    char *output = path_in("out");
    submit_as(source, output, ladder_name);
    mem_free(output);
    mem_free(source);
}

static void submit(void) {
    submit_ladder("fast");
}

/* A string member of the title's view; borrowed until the next call. */
static const char *view(const char *member) {
    struct err err = {0};
    const char *text = "";
    ck_assert_int_eq(call("GET", "/v1/titles/t", NULL), 200);
    struct reader r = reader_of(answer, "title", &err);
    reader_string(&r, member, &text);
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    return text;
}

static int64_t view_stat(const char *member) {
    struct err err = {0};
    int64_t value = -1;
    ck_assert_int_eq(call("GET", "/v1/titles/t", NULL), 200);
    struct reader r = reader_of(answer, "title", &err);
    struct reader stats = reader_object(&r, "stats");
    reader_int(&stats, member, 0, INT64_MAX, &value);
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    return value;
}

static void print_log(void) {
    struct buf log = {0};
    char *path = path_in("worker.log");
    if (fs_read(&log, path, FILE_BYTES, NULL) == 0) {
        fprintf(stderr, "%s\n", buf_text(&log));
    }
    buf_finish(&log);
    mem_free(path);
}

/* Waits until the title has ended in this state. */
static void ends(const char *state) {
    int64_t until = clock_monotonic_ms() + SOON_MS;
    const char *now = view("state");
    while (strcmp(now, "done") != 0 && strcmp(now, "failed") != 0 && clock_monotonic_ms() < until) {
        clock_sleep_ms(20, NULL);
        now = view("state");
    }
    if (strcmp(now, state) != 0) {
        print_log();
        ck_abort_msg("the title is not %s: %s", state, view("error"));
    }
}

/* Whether a task of this kind runs, and for a video task, whether it has begun. */
static bool runs(const char *kind) {
    struct err err = {0};
    bool found = false;
    ck_assert_int_eq(call("GET", "/v1/titles/t", NULL), 200);
    struct reader r = reader_of(answer, "title", &err);
    struct reader tasks = reader_array(&r, "tasks");
    for (size_t i = 0; i < reader_count(&tasks); i++) {
        struct reader task = reader_item(&tasks, i);
        const char *is = "";
        int64_t done = 0;
        reader_string(&task, "kind", &is);
        reader_int(&task, "done", 0, INT64_MAX, &done);
        found = found || (strcmp(is, kind) == 0 && done > 0);
    }
    return found;
}

static void wait_for_task(const char *kind) {
    int64_t until = clock_monotonic_ms() + SOON_MS;
    while (!runs(kind)) {
        ck_assert_msg(clock_monotonic_ms() < until, "no %s task began", kind);
        clock_sleep_ms(5, NULL);
    }
}

/* The worker's task child; 0 where there is none just now. */
static pid_t child_of_worker(void) {
    char *path = mem_format("/proc/%d/task", (int)worker.pid);
    pid_t child = 0;
    DIR *threads = opendir(path);
    for (struct dirent *entry = readdir(threads); entry != NULL; entry = readdir(threads)) {
        char *list = mem_format("%s/%s/children", path, entry->d_name);
        FILE *file = fopen(list, "re");
        int pid = 0;
        if (file != NULL && fscanf(file, "%d", &pid) == 1) {
            child = pid;
        }
        if (file != NULL) {
            fclose(file);
        }
        mem_free(list);
    }
    closedir(threads);
    mem_free(path);
    return child;
}

/* ---- What is there ---------------------------------------------------------------------- */

static bool is_there(const char *name) {
    char *path = path_in(name);
    bool there = access(path, F_OK) == 0;
    mem_free(path);
    return there;
}

static void read_file(const char *name, struct buf *out) {
    struct err err = {0};
    char *path = path_in(name);
    ck_assert_msg(fs_read(out, path, FILE_BYTES, &err) == 0, "%s", err.message);
    mem_free(path);
}

static void same_files(const char *one, const char *other) {
    struct buf a = {0};
    struct buf b = {0};
    read_file(one, &a);
    read_file(other, &b);
    ck_assert_uint_eq(a.size, b.size);
    ck_assert_mem_eq(a.data, b.data, a.size);
    buf_finish(&a);
    buf_finish(&b);
}

static int hash_entry(void *context, const struct fs_entry *entry, struct err *err) {
    struct buf file = {0};
    char hash[SHA256_TEXT];
    (void)err;
    if (entry->kind == FS_FILE) {
        char *name = mem_format("out/%s", entry->path);
        read_file(name, &file);
        sha256_hex_of(file.data, file.size, hash);
        buf_format(context, "%s %s\n", hash, entry->path);
        buf_finish(&file);
        mem_free(name);
    }
    return 0;
}

/* Names and hashes of all that was made; returns owned. */
static char *hashes(void) {
    struct buf list = {0};
    char *out = path_in("out");
    ck_assert_int_eq(fs_walk(out, hash_entry, &list, NULL), 0);
    char *text = mem_string(buf_text(&list));
    buf_finish(&list);
    mem_free(out);
    return text;
}

/* The first object whose name ends so: its path below the test's folder; returns owned. */
static int find_entry(void *context, const struct fs_entry *entry, struct err *err) {
    char **found = context;
    size_t length = strlen(entry->path);
    (void)err;
    if (*found == NULL && length > 9 && strcmp(entry->path + length - 9, "00002.m4s") == 0 &&
        strstr(entry->path, "video/") != NULL) {
        *found = mem_format("out/%s", entry->path);
    }
    return 0;
}

static char *second_segment(void) {
    char *found = NULL;
    char *out = path_in("out");
    ck_assert_int_eq(fs_walk(out, find_entry, &found, NULL), 0);
    ck_assert_ptr_nonnull(found);
    mem_free(out);
    return found;
}

/* The folder of a rendition, below the title; returns owned. */
static char *folder_of(const char *rendition) {
    struct err err = {0};
    char *found = NULL;
    ck_assert_int_eq(call("GET", "/v1/titles/t/identity?wait_ms=0", NULL), 200);
    struct reader r = reader_of(answer, "identity", &err);
    struct reader items = reader_array(&r, "renditions");
    for (size_t i = 0; i < reader_count(&items); i++) {
        struct reader item = reader_item(&items, i);
        const char *id = "";
        const char *name = "";
        reader_string(&item, "id", &id);
        reader_string(&item, "folder", &name);
        if (strcmp(id, rendition) == 0) {
            found = mem_string(name);
        }
    }
    ck_assert_ptr_nonnull(found);
    return found;
}

/* Each object that accepted reports of a rendition tell of has the bytes of which they
 * tell; returns how many segments. */
static int check_objects(const char *rendition) {
    struct err err = {0};
    int count = 0;
    char *below = folder_of(rendition);
    ck_assert_int_eq(call("GET", "/v1/titles/t/units?after=0&limit=100", NULL), 200);
    struct reader r = reader_of(answer, "units", &err);
    struct reader units = reader_array(&r, "units");
    for (size_t i = 0; i < reader_count(&units); i++) {
        struct reader unit = reader_item(&units, i);
        const char *of = "";
        if (!reader_has(&unit, "rendition") || !reader_has(&unit, "report")) {
            continue;
        }
        reader_string(&unit, "rendition", &of);
        struct reader report = reader_object(&unit, "report");
        struct reader segments = reader_array(&report, "segments");
        for (size_t k = 0; k < reader_count(&segments) && strcmp(of, rendition) == 0; k++) {
            struct reader segment = reader_item(&segments, k);
            struct buf file = {0};
            char hash[SHA256_TEXT];
            const char *told = "";
            int64_t number = 0;
            reader_string(&segment, "sha256", &told);
            reader_int(&segment, "number", 1, INT32_MAX, &number);
            char *name = mem_format("out/t/%s/%05" PRId64 ".m4s", below, number);
            read_file(name, &file);
            sha256_hex_of(file.data, file.size, hash);
            ck_assert_str_eq(hash, told);
            buf_finish(&file);
            mem_free(name);
            count++;
        }
    }
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    mem_free(below);
    return count;
}

START_TEST(a_title_from_end_to_end) {
    static const char *const stable[][2] = {
        {"master.m3u8", "m3u8"}, {"manifest.mpd", "mpd"}, {"title.json", "json"}};
    submit();
    ends("done");
    char *version = mem_string(view("version"));
    for (size_t i = 0; i < 3; i++) {
        char *name = mem_format("out/t/%s", stable[i][0]);
        char *source = mem_format("out/t/%s.%s", version, stable[i][1]);
        same_files(name, source);
        mem_free(source);
        mem_free(name);
    }
    ck_assert_int_eq(check_objects("h264-270p"), CLIP_SECONDS / 4);
    ck_assert_int_eq(check_objects("h264-180p"), CLIP_SECONDS / 4);
    ck_assert_int_eq(check_objects("audio-und-aac-2"), CLIP_SECONDS / 4);
    mem_free(version);
}
END_TEST

START_TEST(a_child_has_nothing_but_its_pipe) {
    char line[256];
    submit();
    wait_for_task("video");
    pid_t child = child_of_worker();
    ck_assert_int_gt(child, 0);
    kill(child, SIGSTOP); /* it stays as it is while it is looked at */
    char *path = mem_format("/proc/%d/environ", (int)child);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    size_t got = fread(line, 1, sizeof(line) - 1, file);
    line[got] = '\0';
    ck_assert_int_eq(strncmp(line, "GLIBC_TUNABLES=glibc.malloc.", 28), 0);
    for (size_t at = 0; at < got; at += strlen(line + at) + 1) { /* glibc cuts it at its colons */
        ck_assert(at == 0 || strncmp(line + at, "glibc.malloc.", 13) == 0);
    }
    fclose(file);
    mem_free(path);
    for (int fd = 0; fd < 64; fd++) {
        static const char *const ends_in[] = {"/dev/null", "/dev/null", "pipe:", "socket:"};
        path = mem_format("/proc/%d/fd/%d", (int)child, fd);
        ssize_t size = readlink(path, line, sizeof(line) - 1);
        ck_assert_msg((size > 0) == (fd < 4), "descriptor %d", fd);
        if (size > 0) {
            line[size] = '\0';
            ck_assert_msg(strncmp(line, ends_in[fd], strlen(ends_in[fd])) == 0, "%d is %s", fd,
                          line);
        }
        mem_free(path);
    }
    path = mem_format("/proc/%d/status", (int)child);
    file = fopen(path, "re");
    int seen = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        static const char *const promises[] = {"CapPrm:\t0000000000000000",
                                               "CapEff:\t0000000000000000", "NoNewPrivs:\t1"};
        for (size_t i = 0; i < 3; i++) {
            seen += strncmp(line, promises[i], strlen(promises[i])) == 0;
        }
    }
    ck_assert_int_eq(seen, 3);
    fclose(file);
    mem_free(path);
    kill(child, SIGCONT);
    ends("done");
}
END_TEST

/* Killed from outside, stopped for longer than a child may be silent, or crashed. */
static const int signals[] = {SIGKILL, SIGSTOP, SIGABRT};

START_TEST(a_child_that_ends_badly_is_tried_again) {
    submit();
    wait_for_task("video");
    pid_t child = child_of_worker();
    ck_assert_int_gt(child, 0);
    kill(child, signals[_i]);
    ends("done");
    ck_assert_int_ge(view_stat("failures"), 1);
}
END_TEST

START_TEST(a_worker_told_to_stop_finishes_its_task_first) {
    struct proc_result result = {0};
    submit();
    wait_for_task("video");
    proc_kill(&worker, SIGTERM);
    ck_assert_int_eq(proc_wait(&worker, 40000, &result, NULL), 0);
    ck_assert(result.exited);
    ck_assert_int_eq(result.status, 0);
    ck_assert_int_eq(call("GET", "/v1/titles/t", NULL), 200);
    ck_assert_int_eq(view_stat("losses"), 0);
    ck_assert_int_eq(view_stat("failures"), 0);
    ck_assert_int_ge(view_stat("tasks"), 2); /* the probe and at least what ran */
    worker_open(NULL);
    ends("done");
}
END_TEST

START_TEST(an_interrupted_worker_goes_at_once) {
    struct proc_result result = {0};
    submit();
    wait_for_task("video");
    int64_t began = clock_monotonic_ms();
    proc_kill(&worker, SIGINT);
    ck_assert_int_eq(proc_wait(&worker, 10000, &result, NULL), 0);
    ck_assert_int_eq(result.status, 130);
    ck_assert_int_lt(clock_monotonic_ms() - began, 3000);
    ck_assert_int_eq(view_stat("losses"), 0);
    worker_open(NULL);
    ends("done");
}
END_TEST

START_TEST(a_worker_that_dies_takes_its_child_along) {
    struct proc_result result = {0};
    submit();
    wait_for_task("video");
    pid_t child = child_of_worker();
    proc_kill(&worker, SIGKILL);
    ck_assert_int_eq(proc_wait(&worker, 10000, &result, NULL), 0);
    for (int i = 0; i < 100 && kill(child, 0) == 0; i++) {
        clock_sleep_ms(20, NULL);
    }
    char *path = mem_format("/proc/%d/exe", (int)child); /* gone, or a zombie of init's */
    ck_assert_int_ne(access(path, R_OK), 0);
    mem_free(path);
    ck_assert_int_eq(scheduler_worker_died(scheduler, "one", NULL), 0);
    worker_open(NULL);
    ends("done");
}
END_TEST

/* It keeps what it has made, and what it is making, until the scheduler is back. */
START_TEST(a_scheduler_that_was_away_finds_its_worker_again) {
    proc_finish(&worker);
    scheduler_stop(scheduler);
    int port = fixture_free_port();
    scheduler_open(port, false);
    worker_open(NULL);
    submit();
    wait_for_task("video");
    scheduler_stop(scheduler);
    clock_sleep_ms(1500, NULL);
    scheduler_open(port, false);
    ends("done");
    ck_assert_int_eq(view_stat("failures"), 0);
}
END_TEST

START_TEST(bytes_that_are_not_ours_are_made_anew) {
    struct buf segment = {0};
    submit();
    ends("done");
    char *before = hashes();
    char *name = second_segment();
    read_file(name, &segment);
    segment.data[segment.size / 2] ^= 1;
    fixture_write(folder, name, segment.data, segment.size);
    proc_finish(&worker);
    scheduler_stop(scheduler);
    char *store = path_in("store.db");
    unlink(store); /* a scheduler that knows nothing makes all again, over what is there */
    scheduler_open(0, true);
    worker_open(NULL);
    submit();
    ends("done");
    ck_assert_int_ge(view_stat("failures"), 1);
    char *after = hashes();
    ck_assert_str_eq(before, after);
    mem_free(after);
    mem_free(store);
    mem_free(name);
    mem_free(before);
    buf_finish(&segment);
}
END_TEST

START_TEST(an_object_that_went_missing_is_made_again) {
    submit();
    ends("done");
    char *before = hashes();
    char *name = second_segment();
    char *path = path_in(name);
    ck_assert_int_eq(unlink(path), 0);
    submit();
    ends("done");
    char *after = hashes();
    ck_assert_str_eq(before, after);
    mem_free(after);
    mem_free(path);
    mem_free(name);
    mem_free(before);
}
END_TEST

/* All chunks tell of it, and one makes it. */
START_TEST(an_init_that_went_missing_costs_one_chunk) {
    static const char ladder[] = "codec: h264\npreset: ultrafast\ncrf: 30\nbufsize_s: 2\n"
                                 "chunk_s: 4\nrungs:\n  - {height: 180, maxrate: 450k}\n";
    char *name = path_in("chunks.yaml");
    fixture_write(folder, "chunks.yaml", ladder, sizeof(ladder) - 1);
    submit_ladder(name);
    ends("done");
    ck_assert_int_ge(view_stat("frames_decoded"), CLIP_SECONDS * 24);
    char *before = hashes();
    char *below = folder_of("h264-180p");
    char *init = mem_format("%s/out/t/%s/init.mp4", folder, below);
    ck_assert_int_eq(unlink(init), 0);
    submit_ladder(name);
    ends("done");
    char *after = hashes();
    ck_assert_str_eq(before, after);
    ck_assert_int_lt(view_stat("frames_decoded"), CLIP_SECONDS * 24 / 2);
    mem_free(after);
    mem_free(init);
    mem_free(below);
    mem_free(before);
    mem_free(name);
}
END_TEST

START_TEST(a_source_that_changes_fails_the_title_without_a_trace) {
    submit();
    wait_for_task("video");
    char *source = path_in("source.mp4");
    int fd = open(source, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
    ends("failed");
    ck_assert_str_eq(view("class"), "bad_source");
    ck_assert_msg(strstr(view("error"), "changed while it was read") != NULL, "%s", view("error"));
    ck_assert_msg(strstr(view("error"), source) != NULL, "%s", view("error"));
    ck_assert(!is_there("out/t"));
    mem_free(source);
}
END_TEST

static const struct {
    const char *source; /* below the test's folder */
    const char *output;
    const char *failure;
    const char *words;
} refusals[] = {
    {"nowhere.mp4", "out", "bad_source", "nowhere.mp4"},
    {"", "out", "bad_source", "is a folder"},
    {"token", "out", "bad_source", "token"},
    {"source.mp4", "token", "refused", "token"},
    {"source.mp4", "token/below", "refused", "choose a folder"},
};

START_TEST(what_cannot_be_fails_at_once_with_a_sentence) {
    char *source = path_in(refusals[_i].source);
    char *output = path_in(refusals[_i].output);
    submit_as(source, output, "fast");
    ends("failed");
    ck_assert_str_eq(view("class"), refusals[_i].failure);
    ck_assert_msg(strstr(view("error"), refusals[_i].words) != NULL, "%s", view("error"));
    ck_assert_int_le(view_stat("failures"), 1);
    ck_assert(!is_there("out/t"));
    mem_free(output);
    mem_free(source);
}
END_TEST

/* A worker that may write no file above a MiB stands for a full disk. */
START_TEST(a_full_disk_fails_the_title_without_a_trace) {
    struct err err = {0};
    char *program = NULL;
    proc_finish(&worker);
    ck_assert_msg(worker_program(&program, &err) == 0, "%s", err.message);
    char *command = mem_format("trap '' XFSZ; ulimit -f 1024; exec %s --scheduler %s --token-file "
                               "%s/token --name one",
                               program, scheduler_url(scheduler), folder);
    const char *const argv[] = {"bash", "-c", command, NULL};
    worker_spawn("/bin/bash", argv);
    submit_ladder("lossless");
    ends("failed");
    ck_assert_str_eq(view("class"), "refused");
    ck_assert_msg(strstr(view("error"), "free some space") != NULL, "%s", view("error"));
    ck_assert(!is_there("out/t"));
    mem_free(command);
    mem_free(program);
}
END_TEST

START_TEST(a_wrong_token_ends_the_worker) {
    struct proc_result result = {0};
    proc_finish(&worker);
    fixture_write(folder, "token", "wrong", 5);
    worker_open(NULL);
    ck_assert_int_eq(proc_wait(&worker, 20000, &result, NULL), 0);
    ck_assert(result.exited);
    ck_assert_int_eq(result.status, 4);
}
END_TEST

/* Two GiB of nothing at the file's end take a while to hash: chunks begin before. */
START_TEST(chunks_begin_before_the_hash_is_known) {
    static const uint8_t box[16] = {0, 0, 0, 1, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 0x80, 0, 0, 0};
    struct stat facts;
    char *source = path_in("source.mp4");
    int fd = open(source, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(fstat(fd, &facts), 0);
    ck_assert_int_eq(write(fd, box, sizeof(box)), sizeof(box));
    ck_assert_int_eq(ftruncate(fd, facts.st_size + ((off_t)1 << 31)), 0);
    close(fd);
    proc_finish(&worker);
    ck_assert_int_eq(scheduler_worker_died(scheduler, "one", NULL), 0);
    worker_open("--slots=2");
    submit();
    wait_for_task("video");
    ck_assert_str_eq(view("identity"), "");
    ck_assert(!is_there("out/t/video"));
    ends("done");
    ck_assert_int_eq(strncmp(view("identity"), "sha256:", 7), 0);
    ck_assert_int_eq(view_stat("failures"), 0);
    mem_free(source);
}
END_TEST

START_TEST(a_source_on_a_web_server_is_read_by_ranges) {
    struct fixture_web web = {0};
    if (!fixture_web_start(&web, "task", "")) {
        return;
    }
    struct buf clip = {0};
    char *url = mem_format("%s/source.mp4", web.url);
    char *output = path_in("out");
    read_file("source.mp4", &clip);
    fixture_write(web.folder, "www/source.mp4", clip.data, clip.size);
    submit_as(url, output, "fast");
    ends("done");
    fixture_web_stop(&web);
    mem_free(output);
    mem_free(url);
    buf_finish(&clip);
}
END_TEST

START_TEST(bytes_do_not_depend_on_the_processor) {
    submit();
    ends("done");
    char *before = hashes();
    proc_finish(&worker);
    scheduler_stop(scheduler);
    char *store = path_in("store.db");
    char *out = path_in("out");
    unlink(store);
    ck_assert_int_eq(fs_remove_tree(out, NULL), 0);
    scheduler_open(0, true);
    worker_open("--mask-cpu");
    submit();
    ends("done");
    char *after = hashes();
    ck_assert_str_eq(before, after);
    mem_free(after);
    mem_free(out);
    mem_free(store);
    mem_free(before);
}
END_TEST

/* ---- What a chunk reads ---------------------------------------------------------- */

/* Of a source of 1000 bytes and 100 frames, with access points at frames 0, 40 and 80. */
static const struct {
    int64_t first, end;
    int64_t positions[3];
    int64_t bytes;
} reads[] = {
    {0, 40, {10, 510, 910}, 500},    /* to the point at its end */
    {50, 70, {10, 510, 910}, 400},   /* from the one before it to the one behind */
    {80, 100, {10, 510, 910}, 90},   /* the rest of the file */
    {85, 95, {10, 510, 910}, 151},   /* to no point, and not to the end: with its run-in */
    {50, 70, {-1, -1, -1}, 301},     /* positions are not known */
    {50, 70, {10, 510, 500}, 301},   /* or do not rise */
    {80, 100, {10, 510, 1910}, 201}, /* or lie behind the file */
};

START_TEST(a_chunk_reads_from_point_to_point) {
    struct random_access access[] = {{.frame = 0}, {.frame = 40}, {.frame = 80}};
    struct child_spec spec = {.chunk = {.first = reads[_i].first, .end = reads[_i].end}};
    for (size_t i = 0; i < 3; i++) {
        access[i].position = reads[_i].positions[i];
    }
    spec.source.timeline.frames = 100;
    spec.source.access = access;
    spec.source.access_count = 3;
    ck_assert_int_eq(task_chunk_bytes(&spec, 1000), reads[_i].bytes);
}
END_TEST

Suite *task_suite(void) {
    Suite *suite = suite_create("task");
    TCase *tc = tcase_create("task");
    tcase_set_timeout(tc, 180);
    tcase_add_unchecked_fixture(tc, make_clip, drop_clip);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_title_from_end_to_end);
    tcase_add_test(tc, a_child_has_nothing_but_its_pipe);
    tcase_add_loop_test(tc, a_child_that_ends_badly_is_tried_again, 0,
                        (int)(sizeof(signals) / sizeof(signals[0])));
    tcase_add_test(tc, a_worker_told_to_stop_finishes_its_task_first);
    tcase_add_test(tc, an_interrupted_worker_goes_at_once);
    tcase_add_test(tc, a_worker_that_dies_takes_its_child_along);
    tcase_add_test(tc, a_scheduler_that_was_away_finds_its_worker_again);
    tcase_add_test(tc, bytes_that_are_not_ours_are_made_anew);
    tcase_add_test(tc, an_object_that_went_missing_is_made_again);
    tcase_add_test(tc, an_init_that_went_missing_costs_one_chunk);
    tcase_add_test(tc, a_source_that_changes_fails_the_title_without_a_trace);
    tcase_add_loop_test(tc, what_cannot_be_fails_at_once_with_a_sentence, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    tcase_add_test(tc, a_full_disk_fails_the_title_without_a_trace);
    tcase_add_test(tc, a_wrong_token_ends_the_worker);
    tcase_add_test(tc, chunks_begin_before_the_hash_is_known);
    tcase_add_test(tc, a_source_on_a_web_server_is_read_by_ranges);
    tcase_add_test(tc, bytes_do_not_depend_on_the_processor);
    suite_add_tcase(suite, tc);
    TCase *chunks = tcase_create("what a chunk reads");
    tcase_add_loop_test(chunks, a_chunk_reads_from_point_to_point, 0,
                        (int)(sizeof(reads) / sizeof(reads[0])));
    suite_add_tcase(suite, chunks);
    return suite;
}
