/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children: what they are given, what they are not, how they end. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/proc.h"
#include "fixture.h"

Suite *proc_suite(void);

static struct proc_options options;
static const char *argv[4] = {"sh", "-c", NULL, NULL};
static struct proc proc;
static struct proc_result result;
static struct err err;

static void setup(void) {
    options = proc_options_default();
    options.program = "/bin/sh";
    options.argv = argv;
    proc = (struct proc){0};
    err = (struct err){0};
}

static void teardown(void) {
    proc_finish(&proc);
}

/* Runs a shell line to its end; returns what it printed. */
static const char *run(const char *line) {
    static char text[8192];
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    struct proc_fd fds[] = {{ends[1], 1}};
    if (options.fds == NULL) {
        options.fds = fds;
        options.fd_count = 1;
    }
    argv[2] = line;
    ck_assert_msg(proc_spawn(&proc, &options, &err) == 0, "%s", err.message);
    close(ends[1]);
    size_t used = 0;
    ssize_t got = 0;
    while ((got = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    text[used] = '\0';
    close(ends[0]);
    ck_assert_msg(proc_wait(&proc, 10000, &result, &err) == 0, "%s", err.message);
    return text;
}

START_TEST(environment_and_arguments_are_those_given) {
    static const char *const env[] = {"ONE=1", "PATH=/usr/bin:/bin", NULL};
    options.env = env;
    ck_assert_str_eq(run("echo $ONE-$HOME; exit 7"), "1-\n");
    ck_assert(result.exited && result.status == 7 && result.signal == 0);
    char text[64];
    proc_result_text(&result, text, sizeof(text));
    ck_assert_str_eq(text, "exited with status 7");
}
END_TEST

START_TEST(our_environment_is_the_default) {
    setenv("REELFARM_TEST_VALUE", "here", 1);
    ck_assert_str_eq(run("echo $REELFARM_TEST_VALUE"), "here\n");
}
END_TEST

START_TEST(no_other_descriptor_gets_through) {
    int open_one = open("/dev/null", O_RDONLY); /* not close-on-exec, as a library might do */
    int open_two = fcntl(open_one, F_DUPFD, 100);
    ck_assert_str_eq(run("cd /proc/self/fd && echo *"), "0 1 2 3\n"); /* 3: the folder itself */
    close(open_one);
    close(open_two);
}
END_TEST

START_TEST(standard_descriptors_not_named_are_dev_null) {
    ck_assert_str_eq(run("readlink /proc/self/fd/0 /proc/self/fd/2; cat"),
                     "/dev/null\n/dev/null\n");
}
END_TEST

START_TEST(descriptors_swap_without_loss) {
    int first[2];
    int second[2];
    char a[8] = "";
    char b[8] = "";
    ck_assert_int_eq(pipe2(first, O_CLOEXEC) + pipe2(second, O_CLOEXEC), 0);
    /* each goes to the other's number */
    struct proc_fd fds[] = {{first[1], second[1]}, {second[1], first[1]}};
    options.fds = fds;
    options.fd_count = 2;
    char *line = mem_format("echo one >&%d; echo two >&%d", second[1], first[1]);
    run(line);
    ck_assert_int_eq(read(first[0], a, sizeof(a)), 4);
    ck_assert_int_eq(read(second[0], b, sizeof(b)), 4);
    ck_assert_str_eq(a, "one\n");
    ck_assert_str_eq(b, "two\n");
    mem_free(line);
}
END_TEST

START_TEST(limits_hold) {
    options.address_space_bytes = 300 * 1024 * 1024;
    options.open_files = 40;
    options.cpu_s = 9;
    ck_assert_str_eq(run("ulimit -v; ulimit -n; ulimit -t; ulimit -c"), "307200\n40\n9\n0\n");
}
END_TEST

START_TEST(a_limit_above_ours_is_ours) {
    struct rlimit limit = {50, 50};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    options.open_files = 1000;
    ck_assert_str_eq(run("ulimit -n"), "50\n");
}
END_TEST

START_TEST(too_much_processor_time_ends_it) {
    options.cpu_s = 1;
    run("while :; do :; done");
    ck_assert(!result.exited);
    ck_assert(result.signal == SIGKILL || result.signal == SIGXCPU);
    ck_assert(result.cpu_s > 0.5 && result.cpu_s < 3);
    char text[64];
    proc_result_text(&result, text, sizeof(text));
    ck_assert(strncmp(text, "was killed by signal", 20) == 0);
}
END_TEST

START_TEST(a_confined_child_has_no_real_time_and_no_way_up) {
    options.confined = true;
    const char *text = run("grep -E '^(NoNewPrivs|CapEff|CapPrm|CapBnd)' /proc/self/status; "
                           "chrt -f 1 true 2>/dev/null && echo real-time; grep -i 'realtime p' "
                           "/proc/self/limits");
    ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1"));
    ck_assert_ptr_null(strstr(text, "real-time"));
    for (const char *at = strstr(text, "Cap"); at != NULL; at = strstr(at + 1, "Cap")) {
        unsigned long long set = strtoull(at + 8, NULL, 16);
        bool bounding = strncmp(at, "CapBnd", 6) == 0;
        ck_assert((set & (1ull << 23)) == 0 || (bounding && geteuid() != 0)); /* CAP_SYS_NICE */
    }
    unsigned soft = 1;
    unsigned hard = 1;
    const char *limit = strstr(text, "Max realtime priority");
    ck_assert_ptr_nonnull(limit);
    ck_assert_int_eq(sscanf(limit, "Max realtime priority %u %u", &soft, &hard), 2);
    ck_assert(soft == 0 && hard == 0);
}
END_TEST

START_TEST(signals_are_as_new) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    const char *text = run("grep -E '^Sig(Blk|Ign)' /proc/self/status");
    ck_assert_str_eq(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}
END_TEST

START_TEST(a_program_that_is_not_there_is_named) {
    options.program = "/nowhere/reelfarm-worker";
    ck_assert_int_eq(proc_spawn(&proc, &options, &err), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "starting '/nowhere/reelfarm-worker'"));
    ck_assert_int_eq(proc.pid, 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
}
END_TEST

START_TEST(a_program_that_is_none_is_named) {
    options.program = "/etc/passwd";
    ck_assert_int_eq(proc_spawn(&proc, &options, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "Permission denied"));
}
END_TEST

START_TEST(a_descriptor_that_is_closed_is_an_error) {
    struct proc_fd fds[] = {{987, 3}};
    options.fds = fds;
    options.fd_count = 1;
    argv[2] = "true";
    ck_assert_int_ne(proc_spawn(&proc, &options, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "giving it its descriptors"));
}
END_TEST

START_TEST(waiting_is_bounded_and_killing_works) {
    argv[2] = "sleep 1000";
    ck_assert_int_eq(proc_spawn(&proc, &options, &err), 0);
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(proc_wait(&proc, 0, &result, &err), ERR_TIMEOUT);
    err_clear(&err);
    ck_assert_int_eq(proc_wait(&proc, 100, &result, &err), ERR_TIMEOUT);
    ck_assert_int_ge(clock_monotonic_ms() - from, 99);
    err_clear(&err);
    struct pollfd end = {.fd = proc.pidfd, .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, 0), 0);
    proc_kill(&proc, SIGKILL);
    ck_assert_int_eq(poll(&end, 1, 5000), 1);
    ck_assert_int_eq(proc_wait(&proc, -1, &result, &err), 0);
    ck_assert(!result.exited && result.signal == SIGKILL);
    ck_assert_int_eq(proc.pid, 0);
    proc_kill(&proc, SIGKILL); /* nobody: nothing */
}
END_TEST

START_TEST(finish_kills_and_reaps) {
    argv[2] = "trap '' TERM; sleep 1000";
    ck_assert_int_eq(proc_spawn(&proc, &options, &err), 0);
    proc_finish(&proc);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    proc_finish(&proc);
}
END_TEST

/* Spawns a sleeper, tells its number, and dies without a word to it. */
static void spawn_and_die(int tell) {
    argv[2] = "sleep 1000";
    pid_t pid = proc_spawn(&proc, &options, &err) == 0 ? proc.pid : 0;
    ssize_t wrote = write(tell, &pid, sizeof(pid));
    raise(SIGKILL);
    _exit((int)wrote);
}

START_TEST(a_child_dies_with_its_spawner) {
    int ends[2];
    pid_t grandchild = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        spawn_and_die(ends[1]);
    }
    ck_assert_int_eq(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    ck_assert_int_gt(grandchild, 0);
    waitpid(pid, NULL, 0);
    char *state = mem_format("/proc/%ld/stat", (long)grandchild);
    int64_t until = clock_monotonic_ms() + 5000;
    bool gone = false;
    while (!gone && clock_monotonic_ms() < until) { /* gone, or a zombie that init reaps */
        char text[256] = "";
        FILE *file = fopen(state, "r");
        gone = file == NULL || fgets(text, sizeof(text), file) == NULL ||
               strstr(text, ") Z ") != NULL || strstr(text, ") X ") != NULL;
        if (file != NULL) {
            fclose(file);
        }
        clock_sleep_ms(5, NULL);
    }
    ck_assert(gone);
    mem_free(state);
}
END_TEST

START_TEST(own_group_keeps_the_terminal_away) {
    options.own_group = true;
    const char *text = run("ps -o pgid= -p $$; echo $$");
    long group = 0;
    long pid = -1;
    ck_assert_int_eq(sscanf(text, "%ld %ld", &group, &pid), 2);
    ck_assert_int_eq(group, pid);
}
END_TEST

START_TEST(memory_and_time_are_told) {
    run("x=$(head -c 40000000 /dev/zero | tr '\\0' x); echo ${#x} >/dev/null");
    ck_assert_msg(result.exited && result.status == 0, "status %d", result.status);
    ck_assert_int_gt(result.peak_memory_bytes, 39 * 1000 * 1000);
    ck_assert(result.cpu_s > 0.001);
}
END_TEST

START_TEST(open_files_are_raised_as_far_as_may_be) {
    struct rlimit limit = {.rlim_cur = 40, .rlim_max = 60};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(proc_raise_open_files(20), 40);
    ck_assert_uint_eq(proc_raise_open_files(50), 50);
    ck_assert_uint_eq(proc_raise_open_files(UINT64_MAX), 60);
    ck_assert_str_eq(run("ulimit -Sn"), "60\n");
}
END_TEST

START_TEST(the_running_program_knows_its_folder) {
    char *folder = NULL;
    ck_assert_int_eq(proc_self_folder(&folder, &err), 0);
    char *program = mem_format("%s/%s", folder, program_invocation_short_name);
    ck_assert_int_eq(access(program, X_OK), 0);
    mem_free(program);
    mem_free(folder);
}
END_TEST

Suite *proc_suite(void) {
    Suite *suite = suite_create("proc");
    TCase *tcase = tcase_create("proc");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, environment_and_arguments_are_those_given);
    tcase_add_test(tcase, our_environment_is_the_default);
    tcase_add_test(tcase, no_other_descriptor_gets_through);
    tcase_add_test(tcase, standard_descriptors_not_named_are_dev_null);
    tcase_add_test(tcase, descriptors_swap_without_loss);
    tcase_add_test(tcase, limits_hold);
    tcase_add_test(tcase, a_limit_above_ours_is_ours);
    tcase_add_test(tcase, too_much_processor_time_ends_it);
    tcase_add_test(tcase, a_confined_child_has_no_real_time_and_no_way_up);
    tcase_add_test(tcase, signals_are_as_new);
    tcase_add_test(tcase, a_program_that_is_not_there_is_named);
    tcase_add_test(tcase, a_program_that_is_none_is_named);
    tcase_add_test(tcase, a_descriptor_that_is_closed_is_an_error);
    tcase_add_test(tcase, waiting_is_bounded_and_killing_works);
    tcase_add_test(tcase, finish_kills_and_reaps);
    tcase_add_test(tcase, a_child_dies_with_its_spawner);
    tcase_add_test(tcase, own_group_keeps_the_terminal_away);
    tcase_add_test(tcase, memory_and_time_are_told);
    tcase_add_test(tcase, open_files_are_raised_as_far_as_may_be);
    tcase_add_test(tcase, the_running_program_knows_its_folder);
    suite_add_tcase(suite, tcase);
    return suite;
}
