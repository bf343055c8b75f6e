/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked into the programs of builds with AddressSanitizer: a task child, whose environment is
 * else empty, is told where its reports go, if we are, and whether to have one. */
#include "child_environment.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"

enum { VARIABLES_MAX = 4 };

/* What the programs are linked with in the place of proc_spawn (--wrap). */
int __wrap_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err);
int __real_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err);

/* What the sanitizer calls before it says anything, after which the process ends. */
void __ubsan_on_report(void);

void __ubsan_on_report(void) {
    const char *path = getenv(REPORTS);
    if (path != NULL) {
        char *own = mem_format("%s.%d", path, (int)getpid());
        int fd = open(own, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (fd >= 0) {
            dup2(fd, STDERR_FILENO);
        }
    }
}

void slip(const char *who) {
    const char *named = getenv(SLIP);
    volatile int most = INT_MAX;
    if (named != NULL && strcmp(named, who) == 0) {
        most = most + 1;
    }
}

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv(SLIP);
    char *volatile twice = mem_format("freed twice");
    slip("program");
    if (named != NULL && strcmp(named, "memory") == 0) {
        mem_free(twice);
    }
    mem_free(twice);
}

int __wrap_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err) {
    const char *fifo = getenv(CHILD_REPORTS);
    const char *slips = getenv(SLIP);
    if (fifo == NULL || !options->confined || options->env == NULL) {
        return __real_proc_spawn(out, options, err);
    }
    struct proc_options telling = *options;
    char *reports = mem_format("%s=%s", CHILD_REPORTS, fifo);
    char *slipping = mem_format("%s=%s", SLIP, slips == NULL ? "" : slips);
    const char *env[VARIABLES_MAX + 3] = {reports, slipping};
    for (size_t i = 0; options->env[i] != NULL; i++) {
        assert(i < VARIABLES_MAX);
        env[i + 2] = options->env[i];
    }
    telling.env = env;
    int failed = __real_proc_spawn(out, &telling, err);
    mem_free(reports);
    mem_free(slipping);
    return failed;
}
