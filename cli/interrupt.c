/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C as a flag: see interrupt.h. */
#include "interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool interrupted;

static void on_signal(int number) {
    (void)number;
    atomic_store(&interrupted, true);
}

const atomic_bool *interrupt_catch(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    /* SA_RESETHAND: whoever presses Ctrl-C twice is not kept waiting. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &action, NULL);
    }
    return &interrupted;
}
