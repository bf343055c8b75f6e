/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits by signals that all threads have blocked: see ends.h. */
#include "ends.h"

#include <time.h>
#include <unistd.h>

enum { WAKE = SIGUSR1 };

void ends_init(struct ends *ends) {
    ends->signal = 0;
    sigemptyset(&ends->signals);
    sigaddset(&ends->signals, SIGTERM);
    sigaddset(&ends->signals, SIGINT);
    sigaddset(&ends->signals, WAKE);
    sigprocmask(SIG_BLOCK, &ends->signals, NULL);
}

static void note(struct ends *ends, int number) {
    if (number > 0 && number != WAKE) {
        ends->signal = number;
    }
}

void ends_wait(struct ends *ends) {
    note(ends, sigwaitinfo(&ends->signals, NULL));
}

void ends_wait_ms(struct ends *ends, int ms) {
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    note(ends, sigtimedwait(&ends->signals, NULL, &limit));
}

void ends_wake(void) {
    kill(getpid(), WAKE);
}
