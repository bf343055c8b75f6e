/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits by the monotonic clock: see condition.h. */
#include "condition.h"

#include <errno.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

void condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec condition_deadline(int64_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / MS_PER_S;
    at.tv_nsec += ms % MS_PER_S * NS_PER_MS;
    at.tv_sec += at.tv_nsec / NS_PER_S;
    at.tv_nsec %= NS_PER_S;
    return at;
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          const struct timespec *deadline) {
    return pthread_cond_timedwait(condition, mutex, deadline) != ETIMEDOUT;
}

bool condition_wait_ms(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms) {
    const struct timespec deadline = condition_deadline(ms);
    return condition_wait_until(condition, mutex, &deadline);
}
