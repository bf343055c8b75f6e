/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task child's sandbox, from the inside: every way out is tried for every kind of task,
 * and from the outside: a kernel that lacks a wall is told of, not passed over. */
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"
#include "escape.h"
#include "unruly_child.h"
#include "workers/broker.h"
#include "workers/sandbox.h"
#include "workers/workers.h"

Suite *sandbox_suite(void);

static struct broker_result result;
static struct err err;

static const enum task_kind kinds[] = {TASK_PROBE, TASK_VIDEO, TASK_AUDIO, TASK_IMAGES};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void setup(void) {
    result = (struct broker_result){0};
    err = (struct err){0};
}

static int64_t source_read(void *context, int64_t offset, void *data, size_t size,
                           struct err *read_err) {
    (void)context;
    (void)offset;
    (void)data;
    (void)size;
    (void)read_err;
    return 0;
}

/* Gives a child of that program a task of that kind and that source size. */
static int run(const char *program, enum task_kind kind, int64_t size, enum sandbox_level level) {
    struct box_options box_options = {.program = program, .sandbox = level};
    struct box box = BOX_CLOSED;
    ck_assert_msg(box_open(&box, &box_options, &err) == 0, "%s", err.message);
    struct grid_options grid_options = grid_options_default();
    struct grid *grid = NULL;
    grid_options.frames = 48;
    grid_options.rate = (struct rational){24, 1};
    ck_assert_int_eq(grid_create(&grid, &grid_options, &err), 0);
    struct child_spec spec = {
        .kind = kind,
        .source_size = size,
        .max_width = 64,
        .max_height = 64,
        .max_frames = 48,
        .max_rate = {24, 1},
        .long_gop_ms = 16000,
        .audio = {.channels = 2, .sample_rate = 48000},
        .grid = grid,
    };
    struct broker_options options = {
        .spec = &spec,
        .source = {.read = source_read},
        .sink = {.wake_fd = -1},
        .wall_limit_s = 30,
    };
    int failed = broker_run(&box, &options, &result, &err);
    grid_destroy(grid);
    return failed;
}

static void run_unruly(enum task_kind kind, int how) {
    run(REELFARM_BINARY_DIR "/unruly_child", kind, how, SANDBOX_FULL);
}

static bool walls_stand(const char *test) {
    struct err why = {0};
    if (sandbox_try(SANDBOX_FULL, NULL, &why) == 0) {
        return true;
    }
    printf("SKIP %s: %s\n", test, why.message);
    return false;
}

START_TEST(what_libraries_try_is_refused) {
    if (!walls_stand("what_libraries_try_is_refused")) {
        return;
    }
    run_unruly(kinds[_i], UNRULY_TRIES_REFUSED);
    ck_assert_str_eq(err.message, "all refused");
}
END_TEST

START_TEST(what_no_codec_does_is_deadly) {
    if (!walls_stand("what_no_codec_does_is_deadly")) {
        return;
    }
    for (int i = 0; i < escape_deadly_count(); i++) {
        setup();
        run_unruly(kinds[i % KINDS], UNRULY_TRIES_DEADLY + i);
        ck_assert_msg(result.failure == FAILURE_CRASH &&
                          strstr(err.message, "what no codec needs") != NULL,
                      "%s: %s", escape_deadly_name(i), err.message);
    }
}
END_TEST

/* Each kind of task with each deadly call would take long, and the child is the same. */
START_TEST(no_kind_of_task_may_fork_or_execute) {
    static const char *const names[] = {"execve", "clone of a process", "ptrace of the worker"};
    if (!walls_stand("no_kind_of_task_may_fork_or_execute")) {
        return;
    }
    for (int i = 0; i < escape_deadly_count(); i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            if (strcmp(escape_deadly_name(i), names[k]) == 0) {
                setup();
                run_unruly(kinds[_i], UNRULY_TRIES_DEADLY + i);
                ck_assert_int_eq(result.failure, FAILURE_CRASH);
            }
        }
    }
}
END_TEST

START_TEST(another_architectures_calls_are_deadly) {
    if (!walls_stand("another_architectures_calls_are_deadly")) {
        return;
    }
    run_unruly(TASK_PROBE, UNRULY_IS_FOREIGN);
    ck_assert_int_eq(result.failure, FAILURE_CRASH);
    ck_assert_msg(strstr(err.message, "left early") == NULL, "%s", err.message);
}
END_TEST

START_TEST(threads_and_memory_are_to_be_had) {
    if (!walls_stand("threads_and_memory_are_to_be_had")) {
        return;
    }
    run_unruly(kinds[_i], UNRULY_WORKS_INSIDE);
    ck_assert_str_eq(err.message, "all works");
}
END_TEST

START_TEST(an_abort_is_still_a_crash) {
    if (!walls_stand("an_abort_is_still_a_crash")) {
        return;
    }
    run_unruly(kinds[_i], UNRULY_ABORTS_INSIDE);
    ck_assert_int_eq(result.failure, FAILURE_CRASH);
    ck_assert_msg(strstr(err.message, "signal 6") != NULL, "%s", err.message);
}
END_TEST

/* ---- Kernels that lack a wall --------------------------------------------------------- */

/* From now on this process and its children live with a kernel without that call. */
static void take_away(long call) {
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(lines) / sizeof(lines[0]), lines};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
}

static const struct {
    long missing;
    enum sandbox_level level;
    const char *words; /* of the sentence; NULL: this level stands without */
    const char *option;
} lacks[] = {
    {SYS_landlock_create_ruleset, SANDBOX_FULL, "no Landlock", "--sandbox no-landlock"},
    {SYS_landlock_restrict_self, SANDBOX_FULL, "no Landlock", "--sandbox no-landlock"},
    {SYS_landlock_create_ruleset, SANDBOX_NO_LANDLOCK, NULL, NULL},
    {SYS_seccomp, SANDBOX_FULL, "no seccomp filters", "--sandbox none"},
    {SYS_seccomp, SANDBOX_NO_LANDLOCK, "no seccomp filters", "--sandbox none"},
    {SYS_seccomp, SANDBOX_NONE, NULL, NULL},
};

START_TEST(a_wall_that_is_missing_is_told_of) {
    int landlock_abi = -1;
    if (!walls_stand("a_wall_that_is_missing_is_told_of")) {
        return;
    }
    take_away(lacks[_i].missing);
    int failed = sandbox_try(lacks[_i].level, &landlock_abi, &err);
    if (lacks[_i].words == NULL) {
        ck_assert_msg(failed == 0 && landlock_abi == 0, "%s", err.message);
        return;
    }
    ck_assert_int_eq(failed, ERR_UNSUPPORTED);
    ck_assert_int_eq(landlock_abi, -1);
    ck_assert_msg(strstr(err.message, lacks[_i].words) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.message, lacks[_i].option) != NULL, "%s", err.message);
}
END_TEST

/* The real child, which says so before it has read its task. */
START_TEST(the_child_does_not_begin_without) {
    char *program = NULL;
    if (!walls_stand("the_child_does_not_begin_without")) {
        return;
    }
    ck_assert_int_eq(worker_program(&program, &err), 0);
    take_away(lacks[_i].missing);
    run(program, TASK_PROBE, 1, lacks[_i].level);
    if (lacks[_i].words == NULL) { /* and finds that the source is empty */
        ck_assert_msg(result.failure == FAILURE_BAD_SOURCE, "%s", err.message);
    } else {
        ck_assert_int_eq(result.failure, FAILURE_UNSUPPORTED);
        ck_assert_msg(strstr(err.message, lacks[_i].words) != NULL, "%s", err.message);
    }
    mem_free(program);
}
END_TEST

START_TEST(levels_have_names) {
    for (int level = 0; level < SANDBOX_LEVEL_COUNT; level++) {
        ck_assert_int_eq(sandbox_level_find(sandbox_level_names[level]), level);
    }
    ck_assert_int_eq(sandbox_level_find("fool"), SANDBOX_LEVEL_COUNT);
    ck_assert_int_eq(worker_sandbox_try("fool", NULL, &err), ERR_INVALID);
}
END_TEST

START_TEST(a_trial_leaves_no_trace) {
    if (!walls_stand("a_trial_leaves_no_trace")) {
        return;
    }
    int landlock_abi = 0;
    ck_assert_int_eq(worker_sandbox_try("full", &landlock_abi, &err), 0);
    ck_assert_int_ge(landlock_abi, 1);
    ck_assert_int_eq(access("/", R_OK), 0);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}
END_TEST

Suite *sandbox_suite(void) {
    Suite *suite = suite_create("sandbox");
    TCase *tc = tcase_create("sandbox");
    const int lack_count = (int)(sizeof(lacks) / sizeof(lacks[0]));
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, what_libraries_try_is_refused, 0, KINDS);
    tcase_add_test(tc, what_no_codec_does_is_deadly);
    tcase_add_loop_test(tc, no_kind_of_task_may_fork_or_execute, 0, KINDS);
    tcase_add_test(tc, another_architectures_calls_are_deadly);
    tcase_add_loop_test(tc, threads_and_memory_are_to_be_had, 0, KINDS);
    tcase_add_loop_test(tc, an_abort_is_still_a_crash, 0, KINDS);
    tcase_add_loop_test(tc, a_wall_that_is_missing_is_told_of, 0, lack_count);
    tcase_add_loop_test(tc, the_child_does_not_begin_without, 0, lack_count);
    tcase_add_test(tc, levels_have_names);
    tcase_add_test(tc, a_trial_leaves_no_trace);
    suite_add_tcase(suite, tc);
    return suite;
}
