/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked into the programs of builds with AddressSanitizer: a task child, whose environment is
 * else empty, is told where its reports go, if we are. */
#include "child_environment.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/proc.h"

enum { VARIABLES_MAX = 4 };

/* What the programs are linked with in the place of proc_spawn (--wrap). */
int __wrap_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err);
int __real_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err);

int __wrap_proc_spawn(struct proc *out, const struct proc_options *options, struct err *err) {
    const char *fifo = getenv(CHILD_REPORTS);
    if (fifo == NULL || !options->confined || options->env == NULL) {
        return __real_proc_spawn(out, options, err);
    }
    struct proc_options telling = *options;
    char *variable = mem_format("%s=%s", CHILD_REPORTS, fifo);
    const char *env[VARIABLES_MAX + 2] = {variable};
    for (size_t i = 0; options->env[i] != NULL; i++) {
        assert(i < VARIABLES_MAX);
        env[i + 1] = options->env[i];
    }
    telling.env = env;
    int failed = __real_proc_spawn(out, &telling, err);
    mem_free(variable);
    return failed;
}
