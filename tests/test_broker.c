/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The broker against children that do all that a child may not: each becomes its class,
 * in time, and nothing hangs. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "unruly_child.h"
#include "workers/broker.h"

Suite *broker_suite(void);

enum { SOURCE_BYTES = 3 << 20 };

struct seen {
    int inits;
    int segments;
    size_t bytes;
    int64_t done;
    int64_t total;
    int64_t full_until_ms; /* the sink is full until then */
    bool sink_failed;
    enum err_code read_fails;
};

static struct seen seen;
static struct broker_result result;
static struct err err;
static atomic_bool cancel;
static struct video_spec rung = {.codec = CODEC_H264, .threads = 1};

static int64_t source_read(void *context, int64_t offset, void *data, size_t size,
                           struct err *read_err) {
    (void)context;
    if (seen.read_fails != ERR_NONE) {
        return err_set(read_err, seen.read_fails, "the source is not what it was");
    }
    int64_t left = offset < SOURCE_BYTES ? SOURCE_BYTES - offset : 0;
    int64_t got = left < (int64_t)size ? left : (int64_t)size;
    memset(data, 's', (size_t)got);
    return got;
}

static void sink_made(void *context, struct made *made) {
    (void)context;
    seen.inits += made->is_init;
    seen.segments += !made->is_init;
    seen.bytes += made->size;
    ck_assert_int_eq(made->rung, 0);
    ck_assert_mem_eq(made->data, "the bytes of it", 15);
    if (made->is_init) {
        ck_assert_uint_eq(made->record_size, 6);
        ck_assert_mem_eq(made->record, "record", 6);
    } else {
        ck_assert_int_eq(made->report.number, 1);
        ck_assert_int_eq(made->report.samples, 2);
    }
    made_destroy(made);
}

static void sink_progress(void *context, int64_t done, int64_t total) {
    (void)context;
    seen.done = done;
    seen.total = total;
}

static bool sink_full(void *context) {
    (void)context;
    return clock_monotonic_ms() < seen.full_until_ms;
}

static void sink_wake_clear(void *context) {
    (void)context;
}

static bool sink_failed(void *context) {
    (void)context;
    return seen.sink_failed;
}

static void setup(void) {
    seen = (struct seen){0};
    result = (struct broker_result){0};
    err = (struct err){0};
    atomic_store(&cancel, false);
}

struct limits {
    double wall_s;
    double stall_s;
    int64_t memory_bytes;
};

static int run(enum unruly how, struct limits limits) {
    static const char program[] = REELFARM_BINARY_DIR "/unruly_child";
    struct box_options box_options = {.program = program};
    struct box box = BOX_CLOSED;
    ck_assert_msg(box_open(&box, &box_options, &err) == 0, "%s", err.message);
    struct child_spec spec = {
        .kind = TASK_VIDEO, .source_size = how, .rung_count = 1, .rungs = &rung};
    struct broker_options options = {
        .spec = &spec,
        .source = {.read = source_read},
        .sink = {.made = sink_made,
                 .progress = sink_progress,
                 .full = sink_full,
                 .wake_clear = sink_wake_clear,
                 .wake_fd = -1,
                 .failed = sink_failed},
        .memory_bytes = limits.memory_bytes,
        .wall_limit_s = limits.wall_s,
        .stall_limit_s = limits.stall_s,
        .cancel = &cancel,
    };
    int code = broker_run(&box, &options, &result, &err);
    ck_assert_int_eq(code, err.code);
    ck_assert_int_eq(box.pipe, -1);
    ck_assert_int_eq(box.proc.pid, 0);
    return code;
}

static const struct {
    enum unruly how;
    enum failure_class failure;
    const char *words; /* in the sentence */
} cases[] = {
    {UNRULY_CRASHES, FAILURE_CRASH, "crashed (signal 11"},
    {UNRULY_KILLED, FAILURE_KILLED, "killed from outside"},
    {UNRULY_EXITS, FAILURE_CRASH, "left early with status 0"},
    {UNRULY_EXITS_BADLY, FAILURE_CRASH, "left early with status 3"},
    {UNRULY_HANGS, FAILURE_TIMEOUT, "nothing went on"},
    {UNRULY_HANGS_HALFWAY, FAILURE_TIMEOUT, "nothing went on"},
    {UNRULY_DAWDLES, FAILURE_TIMEOUT, "longer than the 2 s"},
    {UNRULY_SPINS, FAILURE_TIMEOUT, ""},
    {UNRULY_GARBAGE, FAILURE_LIES, "broke the rules"},
    {UNRULY_GIANT, FAILURE_LIES, "4294967295 bytes"},
    {UNRULY_OTHER_SIDE, FAILURE_LIES, "wrong side"},
    {UNRULY_NO_RUNG, FAILURE_LIES, "no rung"},
    {UNRULY_NO_REPORT, FAILURE_LIES, "broke the rules"},
    {UNRULY_LONG_REPORT, FAILURE_LIES, "without its report"},
    {UNRULY_LONG_RECORD, FAILURE_LIES, "without its record"},
    {UNRULY_PROBES, FAILURE_LIES, "no answer to its task"},
    {UNRULY_NEVER_LISTENS, FAILURE_TIMEOUT, "nothing went on"},
    {UNRULY_ASKS_BEYOND, FAILURE_LIES, "no source has"},
    {UNRULY_HANGS_UP, FAILURE_LIES, "closed the pipe"},
    {UNRULY_SAYS_MEMORY, FAILURE_OOM, "out of memory"},
    {UNRULY_SAYS_BAD, FAILURE_BAD_SOURCE, "it has no video stream"},
    {UNRULY_SAYS_CANNOT, FAILURE_UNSUPPORTED, "it is encrypted"},
    {UNRULY_SAYS_REFUSED, FAILURE_UNSUPPORTED, "has no preset '14'"},
    {UNRULY_SAYS_DEFECT, FAILURE_CRASH, "two lines [31m"},
};

START_TEST(each_misdeed_has_its_class) {
    int64_t began = clock_monotonic_ms();
    struct limits limits = {.wall_s = 2, .stall_s = 1};
    ck_assert_int_lt(run(cases[_i].how, limits), 0);
    ck_assert_msg(result.failure == cases[_i].failure, "%s: class %s", err.message,
                  failure_class_name(result.failure));
    ck_assert_msg(strstr(err.message, cases[_i].words) != NULL, "%s", err.message);
    ck_assert_int_lt(clock_monotonic_ms() - began, 10000);
    ck_assert_int_eq(seen.segments, 0);
}
END_TEST

START_TEST(a_good_child_is_heard) {
    enum unruly how = _i == 0 ? UNRULY_NOT : _i == 1 ? UNRULY_CHATTERS : UNRULY_LOOKS_ROUND;
    ck_assert_msg(run(how, (struct limits){.wall_s = 30, .stall_s = 10}) == 0, "%s", err.message);
    ck_assert_int_eq(seen.inits, 1);
    ck_assert_int_eq(seen.segments, 1);
    ck_assert_uint_eq(seen.bytes, 30);
    ck_assert_int_eq(seen.done, 2);
    ck_assert_int_eq(seen.total, 2);
    ck_assert_int_eq(result.stats.frames_decoded, 12);
    ck_assert_int_eq(result.stats.frames_repaired, 1);
    ck_assert_int_eq(result.stats.frames_concealed, 3);
    ck_assert_double_eq(result.stats.encode_cpu_s, 0.125);
}
END_TEST

START_TEST(what_can_be_measured_is_not_the_childs_word) {
    ck_assert_int_eq(run(UNRULY_NOT, (struct limits){.wall_s = 30}), 0);
    ck_assert_int_eq(result.stats.source_bytes, SOURCE_BYTES);
    ck_assert_double_lt(result.stats.cpu_s, 30);
    ck_assert_double_lt(result.stats.wall_s, 30);
    ck_assert_double_gt(result.stats.wall_s, 0);
    ck_assert_int_gt(result.stats.peak_memory, 1 << 20);
}
END_TEST

static const struct {
    enum err_code code;
    enum failure_class failure;
} reads[] = {
    {ERR_UNAVAILABLE, FAILURE_IO},      {ERR_TIMEOUT, FAILURE_IO},
    {ERR_CONFLICT, FAILURE_BAD_SOURCE}, {ERR_NOT_FOUND, FAILURE_BAD_SOURCE},
    {ERR_INVALID, FAILURE_BAD_SOURCE},  {ERR_UNSUPPORTED, FAILURE_UNSUPPORTED},
};

START_TEST(a_source_that_fails_ends_the_child) {
    seen.read_fails = reads[_i].code;
    ck_assert_int_eq(run(UNRULY_NOT, (struct limits){.wall_s = 30}), reads[_i].code);
    ck_assert_int_eq(result.failure, reads[_i].failure);
    ck_assert_str_eq(err.message, "the source is not what it was");
}
END_TEST

static void cancel_soon(int number) {
    (void)number;
    atomic_store(&cancel, true);
}

START_TEST(a_stopped_task_ends_at_once) {
    int64_t began = clock_monotonic_ms();
    signal(SIGALRM, cancel_soon);
    alarm(1);
    ck_assert_int_eq(run(UNRULY_HANGS, (struct limits){.wall_s = 30}), ERR_CANCELLED);
    ck_assert_int_lt(clock_monotonic_ms() - began, 5000);
}
END_TEST

START_TEST(a_sink_that_fails_ends_the_child) {
    seen.sink_failed = true;
    ck_assert_int_eq(run(UNRULY_HANGS, (struct limits){.wall_s = 30}), ERR_CANCELLED);
}
END_TEST

/* Held back for longer than every limit: the child waits and is not blamed. */
START_TEST(time_held_back_is_not_the_childs) {
    seen.full_until_ms = clock_monotonic_ms() + 2500;
    ck_assert_msg(run(UNRULY_NOT, (struct limits){.wall_s = 2, .stall_s = 1}) == 0, "%s",
                  err.message);
    ck_assert_int_ge(clock_monotonic_ms(), seen.full_until_ms);
    ck_assert_int_eq(seen.segments, 1);
}
END_TEST

START_TEST(no_program_no_box) {
    struct box_options options = {.program = "/nowhere/reelfarm-worker"};
    struct box box = BOX_CLOSED;
    ck_assert_int_eq(box_open(&box, &options, &err), ERR_NOT_FOUND);
    ck_assert_int_eq(box.pipe, -1);
    box_close(&box);
}
END_TEST

Suite *broker_suite(void) {
    Suite *suite = suite_create("broker");
    TCase *tc = tcase_create("broker");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, each_misdeed_has_its_class, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_loop_test(tc, a_good_child_is_heard, 0, 3);
    tcase_add_test(tc, what_can_be_measured_is_not_the_childs_word);
    tcase_add_loop_test(tc, a_source_that_fails_ends_the_child, 0,
                        (int)(sizeof(reads) / sizeof(reads[0])));
    tcase_add_test(tc, a_stopped_task_ends_at_once);
    tcase_add_test(tc, a_sink_that_fails_ends_the_child);
    tcase_add_test(tc, time_held_back_is_not_the_childs);
    tcase_add_test(tc, no_program_no_box);
    suite_add_tcase(suite, tc);
    return suite;
}
