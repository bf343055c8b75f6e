/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Condition variables that are waited for by the monotonic clock: where wall time jumps, no wait
 * ends for that, nor lasts longer. Not moved by a test clock (clock.h).
 */
#ifndef COMMON_CONDITION_H
#define COMMON_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Ends with pthread_cond_destroy. */
void condition_init(pthread_cond_t *condition);

/* The moment in so many milliseconds. */
struct timespec condition_deadline(int64_t ms);

/* Waits, with the mutex held as for pthread_cond_wait, until it is signalled, or now and then for
 * nothing; false once the deadline has passed. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          const struct timespec *deadline);

/* The same for at most so long. */
bool condition_wait_ms(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms);

#endif
