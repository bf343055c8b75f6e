/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bulkhead between endpoints: see push_lane.h. */
#include "push_lane.h"

#include <string.h>

#include "hooks.h"
#include "scheduler/task_make.h"

/* What stays free for endpoints that have none. A lane that is too small for that has one slot
 * for whatever comes, else nothing but first pushes would ever be given. */
static int64_t kept(const struct push_lane *lane) {
    int64_t most = lane->slots > 0 ? lane->slots - 1 : 0;
    return lane->bare < most ? lane->bare : most;
}

bool push_lane_fits(const struct push_lane *lane, int64_t has) {
    return lane->free > (has == 0 ? 0 : kept(lane));
}

void push_lane_take(struct push_lane *lane, int64_t has) {
    lane->free--;
    lane->bare -= has == 0 ? 1 : 0;
}

/* Whether a lease is of a push, and to which endpoint; "" where that is not known any more. */
static bool find_endpoint(struct tx *tx, const struct lease_row *lease, char out[ENDPOINT_TEXT]) {
    struct publication_row row;
    out[0] = '\0';
    if (lease->kind != TASK_PUSH) {
        return false;
    }
    if (hooks_have_lease(lease)) {
        hooks_find_endpoint(tx, lease->fence, out);
    } else if (publication_find(tx, publication_of_place(lease->title), &row)) {
        memcpy(out, row.endpoint, sizeof(row.endpoint));
    }
    return true;
}

void push_lane_read(struct tx *tx, const struct push_request *request, struct endpoint_list *list,
                    struct push_lane *out) {
    struct lease_list leases = {0};
    struct task push = {0};
    char name[ENDPOINT_TEXT];
    task_make_push(&push);
    int64_t fit = request->memory_bytes / push.reserve_bytes;
    *out = (struct push_lane){.free = fit < request->slots ? fit : request->slots};
    out->slots = out->free;
    lease_list_read(tx, &leases, SQL_LEASES_OF_SESSION, TEXT(request->session->id));
    for (size_t i = 0; i < leases.count; i++) {
        bool is_push = find_endpoint(tx, &leases.rows[i], name);
        struct endpoint_row *row = endpoint_list_find(list, name);
        out->slots += is_push || leases.rows[i].kind == TASK_SWEEP ? 1 : 0;
        if (row != NULL) {
            row->here++;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        out->bare += list->rows[i].file != NULL && list->rows[i].here == 0 ? 1 : 0;
    }
    lease_list_finish(&leases);
}

int push_lane_spare(struct tx *tx, const struct farm *farm, const struct push_request *request) {
    struct endpoint_list list = {0};
    struct push_lane lane;
    endpoint_list_read(tx, farm, &list);
    push_lane_read(tx, request, &list, &lane);
    endpoint_list_finish(&list);
    int64_t spare = lane.free - kept(&lane);
    return spare > 0 ? (int)spare : 0;
}
