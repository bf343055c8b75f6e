/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the threads of the encode node share: see node.h. */
#include "node.h"

#include <signal.h>

#include "common/condition.h"

void node_init(struct node *node) {
    condition_init(&node->beat);
    condition_init(&node->shared.changed);
    pthread_mutex_init(&node->shared.lock, NULL);
}

void node_wait(struct node *node, pthread_cond_t *condition, int64_t ms) {
    condition_wait_ms(condition, &node->shared.lock, ms);
}

bool node_is_refused(struct node *node) {
    pthread_mutex_lock(&node->shared.lock);
    bool refused = node->refused;
    pthread_mutex_unlock(&node->shared.lock);
    return refused;
}

bool node_is_busy(struct node *node) {
    bool busy = false;
    pthread_mutex_lock(&node->shared.lock);
    for (size_t i = 0; i < node->slot_count; i++) {
        busy = busy || node->slots[i].task != NULL;
    }
    pthread_mutex_unlock(&node->shared.lock);
    return busy;
}

int node_thread(pthread_t *out, void *(*run)(void *), void *context) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}
