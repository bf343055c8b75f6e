/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times in display order for pictures in decode order: see reorder.h. */
#include "reorder.h"

#include <math.h>
#include <string.h>

enum {
    LONGEST_DELAY = 16, /* pictures between decoding and display, ITU-T H.264 A.3.1 */
    EPOCH_SHIFT = 40,
};

struct reorder reorder_of(double gap) {
    return (struct reorder){.gap = gap, .last_kind = REORDER_IN_ORDER};
}

void reorder_end(struct reorder *reorder) {
    reorder->ended = true;
}

static int64_t key_of(struct reorder *reorder, struct reorder_place place) {
    bool same_group = place.kind == reorder->last_kind ||
                      (place.kind == REORDER_AFTER && reorder->last_kind == REORDER_BETWEEN) ||
                      (place.kind == REORDER_BETWEEN && reorder->last_kind == REORDER_AFTER);
    if (!same_group || place.restarts) {
        reorder->epoch++;
        reorder->anchors = 0;
    }
    reorder->last_kind = place.kind;
    int64_t base = reorder->epoch << EPOCH_SHIFT;
    switch (place.kind) {
    case REORDER_AFTER:
        reorder->anchors++;
        return base + 2 * reorder->anchors;
    case REORDER_BETWEEN:
        return base + 2 * reorder->anchors - 1;
    case REORDER_BY_COUNT:
        return base + (INT64_C(1) << (EPOCH_SHIFT - 1)) + place.count;
    case REORDER_IN_ORDER:
        break;
    }
    return base;
}

static void forget_old(struct reorder *reorder) {
    if (reorder->count == REORDER_KEPT) {
        int kept = REORDER_KEPT / 2;
        memmove(reorder->pictures, reorder->pictures + reorder->count - kept,
                (size_t)kept * sizeof(reorder->pictures[0]));
        reorder->count = kept;
    }
    if (reorder->pool_count == REORDER_KEPT) {
        reorder->pool_count--;
        memmove(reorder->pool, reorder->pool + 1,
                (size_t)reorder->pool_count * sizeof(reorder->pool[0]));
    }
}

static void pool_add(struct reorder *reorder, int64_t dts) {
    int at = reorder->pool_count++;
    while (at > 0 && reorder->pool[at - 1] > dts) {
        reorder->pool[at] = reorder->pool[at - 1];
        at--;
    }
    reorder->pool[at] = dts;
}

static int64_t pool_take(struct reorder *reorder, int rank) {
    rank = rank < reorder->pool_count ? rank : reorder->pool_count - 1;
    int64_t dts = reorder->pool[rank];
    reorder->pool_count--;
    memmove(reorder->pool + rank, reorder->pool + rank + 1,
            (size_t)(reorder->pool_count - rank) * sizeof(reorder->pool[0]));
    return dts;
}

struct reorder_ticket reorder_push(struct reorder *reorder, struct reorder_place place, int64_t pts,
                                   int64_t dts) {
    forget_old(reorder);
    struct reorder_picture *picture = &reorder->pictures[reorder->count++];
    picture->number = reorder->next_number++;
    picture->key = key_of(reorder, place);
    picture->timed = pts != REORDER_NO_TIME;
    picture->pts = pts;
    picture->time = picture->timed ? (double)pts : 0;
    picture->by_dts = !picture->timed && dts != REORDER_NO_TIME;
    if (picture->by_dts) {
        pool_add(reorder, dts);
    }
    return (struct reorder_ticket){picture->number};
}

static bool shown_before(const struct reorder_picture *a, const struct reorder_picture *b) {
    return a->key != b->key ? a->key < b->key : a->number < b->number;
}

/* Whether every picture that is shown before this one has been pushed. */
static bool is_settled(const struct reorder *reorder, const struct reorder_picture *picture) {
    int64_t later = reorder->next_number - 1 - picture->number;
    int64_t epoch = picture->key >> EPOCH_SHIFT;
    if (reorder->ended || reorder->epoch > epoch || later >= LONGEST_DELAY) {
        return true;
    }
    switch (reorder->last_kind) {
    case REORDER_AFTER:
    case REORDER_BETWEEN:
        return picture->key % 2 != 0 ||
               picture->key < (reorder->epoch << EPOCH_SHIFT) + 2 * reorder->anchors;
    case REORDER_BY_COUNT:
        return false;
    case REORDER_IN_ORDER:
        break;
    }
    return true;
}

static double time_by_dts(struct reorder *reorder, const struct reorder_picture *picture) {
    int rank = 0;
    for (int i = 0; i < reorder->count; i++) {
        const struct reorder_picture *other = &reorder->pictures[i];
        rank += other->by_dts && !other->timed && shown_before(other, picture);
    }
    return (double)pool_take(reorder, rank);
}

/* Untimed pictures shown between the two. */
static int count_between(const struct reorder *reorder, const struct reorder_picture *early,
                         const struct reorder_picture *late) {
    int count = 0;
    for (int i = 0; i < reorder->count; i++) {
        const struct reorder_picture *other = &reorder->pictures[i];
        count += !other->timed && (early == NULL || shown_before(early, other)) &&
                 (late == NULL || shown_before(other, late));
    }
    return count;
}

static double time_by_neighbour(const struct reorder *reorder,
                                const struct reorder_picture *picture) {
    const struct reorder_picture *before = NULL;
    const struct reorder_picture *after = NULL;
    for (int i = 0; i < reorder->count; i++) {
        const struct reorder_picture *other = &reorder->pictures[i];
        if (!other->timed) {
            continue;
        }
        if (shown_before(other, picture) && (before == NULL || shown_before(before, other))) {
            before = other;
        }
        if (shown_before(picture, other) && (after == NULL || shown_before(other, after))) {
            after = other;
        }
    }
    if (before != NULL) {
        return before->time + reorder->gap * (1 + count_between(reorder, before, picture));
    }
    if (after != NULL) {
        return after->time - reorder->gap * (1 + count_between(reorder, picture, after));
    }
    return reorder->gap * count_between(reorder, NULL, picture);
}

bool reorder_time(struct reorder *reorder, struct reorder_ticket ticket, int64_t *pts) {
    struct reorder_picture *picture = NULL;
    for (int i = reorder->count - 1; i >= 0 && picture == NULL; i--) {
        if (reorder->pictures[i].number == ticket.number) {
            picture = &reorder->pictures[i];
        }
    }
    if (picture == NULL) {
        return false;
    }
    if (!picture->timed) {
        if (!is_settled(reorder, picture)) {
            return false;
        }
        picture->time = picture->by_dts ? time_by_dts(reorder, picture)
                                        : time_by_neighbour(reorder, picture);
        picture->pts = (int64_t)floor(picture->time + 0.5);
        picture->timed = true;
    }
    *pts = picture->pts;
    return true;
}
