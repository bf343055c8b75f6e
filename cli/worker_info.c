/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker executable says of its codecs: see worker_info.h. */
#include "worker_info.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "workers/workers.h"

enum { MAX_OUTPUT = 64 * 1024, LIMIT_MS = 30000 /* also for a machine that is all at work */ };

/* What is left until then. */
static int ms_until(int64_t until_ms) {
    int64_t left = until_ms - clock_monotonic_ms();
    return left > 0 ? (int)left : 0;
}

/* Until its end, or until then: TIMEOUT. */
static int read_all(int fd, int64_t until_ms, struct buf *out, struct err *err) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char block[4096];
    ssize_t got = 1;
    while ((got > 0 && out->size < MAX_OUTPUT) || (got < 0 && errno == EINTR)) {
        got = poll(&ready, 1, ms_until(until_ms));
        if (got == 0) {
            return err_set(err, ERR_TIMEOUT, "it says nothing");
        }
        if (got > 0) {
            got = read(fd, block, sizeof(block));
        }
        if (got > 0) {
            buf_append(out, block, (size_t)got);
        }
    }
    return got < 0 ? err_set_errno(err, errno, "cannot hear reelfarm-worker") : 0;
}

/* Both that it says all and that it ends. */
static int hear(struct proc *proc, int fd, int limit_ms, struct buf *out,
                struct proc_result *result, struct err *err) {
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    int failed = read_all(fd, until_ms, out, err);
    return failed != 0 ? failed : proc_wait(proc, ms_until(until_ms), result, err);
}

static void tell_hanging(const struct worker_run *run, struct err *err) {
    struct buf line = {0};
    buf_string(&line, run->program);
    for (size_t i = 1; run->argv[i] != NULL; i++) {
        buf_format(&line, " %s", run->argv[i]);
    }
    err_set(
        err, ERR_TIMEOUT,
        "`%s` did not end within %d s, and was killed; run it by hand, and where it hangs there "
        "too, install reelfarm again",
        buf_text(&line), run->limit_ms / 1000);
    buf_finish(&line);
}

int worker_run(const struct worker_run *run, struct buf *out, struct proc_result *result,
               struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_set_errno(err, errno, "cannot make a pipe");
    }
    struct proc_fd fd = {ends[1], run->from};
    struct proc_options options = proc_options_default();
    struct err why = {0};
    options.program = run->program;
    options.argv = run->argv;
    options.fds = &fd;
    options.fd_count = 1;
    struct proc proc = {0};
    int failed = proc_spawn(&proc, &options, err);
    close(ends[1]);
    if (failed == 0) {
        failed = hear(&proc, ends[0], run->limit_ms, out, result, &why);
    }
    close(ends[0]);
    proc_finish(&proc);
    if (why.code == ERR_TIMEOUT) {
        tell_hanging(run, err);
    } else if (why.code != ERR_NONE) {
        err_pass(err, &why);
    }
    return failed;
}

static bool is_well(const struct proc_result *result) {
    return result->exited && result->status == 0;
}

static int ask_versions(const char *program, struct buf *out, struct err *err) {
    static const char *const argv[] = {"reelfarm-worker", "--versions", NULL};
    struct proc_result result = {0};
    const struct worker_run run = {program, argv, STDOUT_FILENO, LIMIT_MS};
    int failed = worker_run(&run, out, &result, err);
    if (failed == 0 && !is_well(&result)) {
        char how[64];
        proc_result_text(&result, how, sizeof(how));
        failed = err_set(err, ERR_INTERNAL,
                         "%s %s when asked for its versions; install reelfarm again", program, how);
    }
    return failed;
}

int worker_options_check(const char *file, const char *token, struct err *err) {
    const char *const argv[] = {"reelfarm-worker",
                                "--config",
                                file,
                                "--show-config-json",
                                token != NULL ? "--token-file" : NULL,
                                token,
                                NULL};
    struct proc_result result = {0};
    struct buf said = {0};
    char *program = NULL;
    int failed = worker_program(&program, err);
    if (failed == 0) {
        const struct worker_run run = {program, argv, STDERR_FILENO, LIMIT_MS};
        failed = worker_run(&run, &said, &result, err);
    }
    if (failed == 0 && !is_well(&result)) {
        const char *sentence = strstr(buf_text(&said), ": ");
        sentence = sentence != NULL ? sentence + 2 : "it does not say why";
        failed = err_set(err, ERR_INVALID, "%.*s", (int)strcspn(sentence, "\n"), sentence);
    }
    buf_finish(&said);
    mem_free(program);
    return failed;
}

int worker_info_load(struct json **out, struct err *err) {
    char *program = NULL;
    struct buf text = {0};
    int failed = worker_program(&program, err);
    if (failed == 0) {
        failed = ask_versions(program, &text, err);
    }
    if (failed == 0) {
        failed = json_tree_parse(out, text.data, text.size, err);
    }
    buf_finish(&text);
    mem_free(program);
    return failed;
}

int worker_info_encoders(const struct json *info, struct announced_encoder *out, size_t *count,
                         struct err *err) {
    struct err found = {0};
    struct reader r = reader_of(info, "reelfarm-worker --versions", &found);
    struct reader list = reader_array(&r, "encoders");
    size_t total = reader_count(&list);
    size_t taken = 0;
    for (; taken < total && taken < WORKER_ENCODERS; taken++) {
        struct reader item = reader_item(&list, taken);
        const char *codec = "";
        out[taken] = (struct announced_encoder){.slots = 1};
        reader_string(&item, "name", &out[taken].name);
        reader_string(&item, "codec", &codec);
        reader_string(&item, "build_line", &out[taken].build_line);
        reader_int(&item, "tail_frames", 0, 100000, &out[taken].tail_frames);
        out[taken].codec = codec_from_name(codec);
    }
    if (!reader_ok(&r)) {
        return err_pass(err, &found);
    }
    *count = taken;
    return 0;
}
