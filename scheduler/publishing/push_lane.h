/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bulkhead between endpoints: on each worker every endpoint has a slot of its own, and what
 * is over is shared. An endpoint that hangs may take its own and all that are over; another's
 * stays free for it. Workers ask for as many slots as there are endpoints, and a few
 * (workers/lane.h); of one that asks for fewer, an older one, all but one go to endpoints that have
 * none there yet.
 */
#ifndef SCHEDULER_PUBLISHING_PUSH_LANE_H
#define SCHEDULER_PUBLISHING_PUSH_LANE_H

#include "endpoint_rows.h"
#include "push.h"

/* The slots of one worker that are for pushes, as far as its memory goes too. */
struct push_lane {
    int64_t slots;
    int64_t free; /* of them */
    int64_t bare; /* endpoints that have none of them */
};

/* Pure: whether an endpoint that has so many of them may have another; and that it takes it. */
bool push_lane_fits(const struct push_lane *lane, int64_t has);
void push_lane_take(struct push_lane *lane, int64_t has);

/* That of the worker that asks; how many pushes each endpoint has there goes to `list`. Inside a
 * transaction. */
void push_lane_read(struct tx *tx, const struct push_request *request, struct endpoint_list *list,
                    struct push_lane *out);

/* How many of the slots that are asked for are over, which sweeps of edges may take. */
int push_lane_spare(struct tx *tx, const struct farm *farm, const struct push_request *request);

#endif
