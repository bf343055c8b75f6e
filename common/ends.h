/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon's first thread waits for while its others work: SIGTERM or SIGINT, or that one of
 * them says that something has happened. It sleeps till then.
 */
#ifndef COMMON_ENDS_H
#define COMMON_ENDS_H

#include <signal.h>

struct ends {
    sigset_t signals;
    int signal; /* SIGTERM or SIGINT, once it came; 0: neither has */
};

/* From here on those signals are left to the waits: to be called before any thread starts. */
void ends_init(struct ends *ends);

/* Waits for a signal, or for ends_wake, also one that came before; now and then for nothing. */
void ends_wait(struct ends *ends);

/* The same, for at most so long. */
void ends_wait_ms(struct ends *ends, int ms);

/* Ends the wait of this process, or the next one. Any thread, after ends_init. */
void ends_wake(void);

#endif
