/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots as they are taken: see turns.h. */
#include "turns.h"

enum { AHEAD_MS = 1000 }; /* a task that ends within about so much is about to */

size_t turns_of(const struct slot *slot) {
    size_t threads = slot->task == NULL ? 0 : (size_t)child_spec_threads(&slot->task->spec);
    size_t most = slot->turns == NULL ? 1 : slot->turns->most;
    return threads < most ? threads : most;
}

size_t turns_taken(const struct slot *slots, size_t count) {
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        taken += turns_of(&slots[i]);
    }
    return taken;
}

/* Whether a slot's task is about to end, by how far it is. */
static bool ends_soon(const struct slot *slot, int64_t now) {
    double done = (double)atomic_load(&slot->progress.done);
    double left = (double)atomic_load(&slot->progress.total) - done;
    return slot->task != NULL && slot->task->kind == TASK_VIDEO && slot->began_ms > 0 && done > 0 &&
           (double)(now - slot->began_ms) * left < AHEAD_MS * done;
}

int64_t turns_foresee(struct slot *slots, size_t count, int64_t now_ms) {
    size_t taken = turns_taken(slots, count);
    size_t most = count > 0 && slots->turns != NULL ? slots->turns->most : 0;
    if (taken < most) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = &slots[i];
        if (!slot->foreseen && ends_soon(slot, now_ms) && taken - turns_of(slot) < most) {
            slot->foreseen = true;
            return slot->task->fence;
        }
    }
    return 0;
}
