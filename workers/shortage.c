/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a crash is one for want of memory: see shortage.h. */
#include "shortage.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef REELFARM_SANITIZED

enum {
    STACK_BYTES = 64 << 10,
    PROBE_BYTES = 64 << 20, /* where less is left, any library may have been refused its part,
                             * which grows the heap by more than it asks for (box.c) */
};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT};

/* The stack is limited as all else is: one that can't grow ends here, too. Threads of the
 * libraries have none of their own, and theirs do not grow. */
static char stack[STACK_BYTES];

static bool is_at_the_end(void) {
    void *probe = mmap(NULL, PROBE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe != MAP_FAILED) {
        munmap(probe, PROBE_BYTES);
    }
    return probe == MAP_FAILED;
}

/* Calls nothing but what is safe in a handler (signal-safety(7)) and two bare system calls.
 * SA_RESETHAND has brought back the default action: raised again, the signal ends the process
 * as soon as this returns. */
static void tell(int number) {
    static const char words[] = "out of memory\n";
    bool refused = errno == ENOMEM;
    if (refused || is_at_the_end()) {
        ssize_t wrote = write(STDERR_FILENO, words, sizeof(words) - 1);
        (void)wrote; /* nobody is left to hear of it */
    }
    raise(number);
}

void shortage_watch(void) {
    stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    sigaltstack(&own, NULL);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        sigaction(crashes[i], &action, NULL);
    }
}

#else

void shortage_watch(void) {
}

#endif
