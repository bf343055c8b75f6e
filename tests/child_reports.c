/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into the worker of builds with AddressSanitizer: where child_environment.c hands a task
 * child the name of a FIFO that is read, what it and its sanitizers say goes whole into that. (The
 * worker keeps the tail alone, and the child itself can neither open a file nor write to one.)
 *
 * A child ends without freeing anything, and no sandboxed one can be searched for leaks. So one
 * without a sandbox closes what it has open, and is searched before it ends.
 */
#include <fcntl.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child_environment.h"
#include "encoder/encoder.h"
#include "workers/pipe.h"
#include "workers/sandbox.h"

const char *__ubsan_default_options(void);

const char *__ubsan_default_options(void) {
    return "print_stacktrace=1";
}

/* What the worker is linked with in the place of these (--wrap). */
_Noreturn void __wrap__exit(int status);
int __wrap_encoder_encode_video(const struct encode_video_task *task, const struct source_io *io,
                                const struct coded_sink *sink, struct encode_stats *stats,
                                struct err *err);
int __wrap_sandbox_child(enum sandbox_level level, struct err *err);
_Noreturn void __real__exit(int status);
int __real_encoder_encode_video(const struct encode_video_task *task, const struct source_io *io,
                                const struct coded_sink *sink, struct encode_stats *stats,
                                struct err *err);
int __real_sandbox_child(enum sandbox_level level, struct err *err);

static bool is_searched;

_Noreturn void __wrap__exit(int status) {
    if (is_searched) {
        close(STDIN_FILENO); /* it may open no more files than it has, and the search does */
        close(STDOUT_FILENO);
        close(PIPE_FD);
        __lsan_do_recoverable_leak_check();
    }
    __real__exit(status);
}

int __wrap_encoder_encode_video(const struct encode_video_task *task, const struct source_io *io,
                                const struct coded_sink *sink, struct encode_stats *stats,
                                struct err *err) {
    struct encode_video_task own = *task;
    own.last_of_process = own.last_of_process && !is_searched;
    return __real_encoder_encode_video(&own, io, sink, stats, err);
}

int __wrap_sandbox_child(enum sandbox_level level, struct err *err) {
    int failed = __real_sandbox_child(level, err);
    slip("child");
    return failed;
}

__attribute__((constructor)) static void speak(int count, char **arguments) {
    const char *fifo = getenv(CHILD_REPORTS);
    if (count > 1 && strcmp(arguments[1], "--task") == 0 && fifo != NULL) {
        int fd = open(fifo, O_WRONLY | O_NONBLOCK); /* fails where nobody reads */
        if (fd < 0 || fcntl(fd, F_SETFL, 0) != 0 || dup2(fd, STDERR_FILENO) < 0) {
            abort();
        }
        close(fd);
        is_searched = count > 2 && strcmp(arguments[2], "none") == 0;
    }
}
