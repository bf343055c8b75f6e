/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep: lists all that lies at an edge, and tells the scheduler of it page by page, which knows
 * what of it is in vain; or takes away what a listing showed. What goes is looked at once more
 * first, so that nothing goes but what is named as ours.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "task.h"
#include "workers/edges/edge.h"
#include "workers/edges/push_order.h"
#include "workers/edges/sweep_groups.h"

enum {
    STALL_S_MAX = 30,
    OBJECTS_MAX = 1000000, /* of a title that are looked through to take some away */
    PAGE_ROOM = 64,        /* for a title's groups: a page with less goes out before it */
};

/* One object that goes. */
struct doomed {
    char *path; /* owned */
    const struct sweep_group *group;
    int64_t bytes;
};

struct sweep_state {
    struct task_run *run;
    struct edge_secret secret;
    struct edge_target target;
    struct edge *edge; /* owned */
    /* listing */
    char title[WIRE_TITLE_TEXT]; /* that is being listed */
    struct sweep_groups groups;
    /* taking away, of one title */
    const struct sweep_group *first; /* of its groups, which stand side by side */
    size_t group_count;
    bool *foreign;  /* of each group: something else lies among it */
    bool elsewhere; /* something lies in the title's folder that stays */
    int64_t seen;
    size_t doomed_count;
    size_t doomed_capacity;
    struct doomed *doomed;
};

static int secret_read(struct task_run *run, struct err *err) {
    const struct push_endpoint *endpoint = &run->task->sweep.endpoint;
    struct sweep_state *sweep = mem_zero(1, sizeof(*sweep));
    run->state = sweep;
    sweep->run = run;
    int failed =
        edge_secret_load(&sweep->secret, run->tools->endpoint_secrets, endpoint->name, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_REFUSED, failed);
}

/* For one title, or all: "". */
static int edge_of(struct sweep_state *sweep, const char *title, struct err *err) {
    struct task_run *run = sweep->run;
    edge_close(sweep->edge);
    sweep->edge = NULL;
    sweep->target = (struct edge_target){
        .endpoint = &run->task->sweep.endpoint,
        .secret = &sweep->secret,
        .origin = "",
        .title = title,
        .leaves = true,
        .trace = run->task->trace,
        .cancel = run->cancel,
        .until_ms = run->tools->lease_until_ms,
        .stall_s = run->tools->stall_limit_s < STALL_S_MAX ? (int)run->tools->stall_limit_s
                                                           : STALL_S_MAX,
    };
    int failed = edge_open(&sweep->edge, &sweep->target, err);
    if (failed != 0) {
        return task_fail(run, FAILURE_REFUSED, failed);
    }
    if ((sweep->edge->driver->caps & EDGE_LISTS) == 0) {
        err_set(err, ERR_UNSUPPORTED, "endpoint '%s' can't say what it holds",
                sweep->target.endpoint->name);
        return task_fail(run, FAILURE_REFUSED, ERR_UNSUPPORTED);
    }
    return 0;
}

/* ---- Listing -------------------------------------------------------------------------------- */

static int page_tell(struct sweep_state *sweep, struct err *err) {
    const struct sweep_page page = {sweep->groups.count, sweep->groups.list};
    int failed = page.group_count == 0
                     ? 0
                     : api_found(sweep->run->tools->api, sweep->run->task->fence, &page, err);
    sweep->groups.count = sweep->groups.first = 0;
    if (failed != 0) {
        sweep->edge->failure = FAILURE_IO;
    }
    return failed;
}

static int title_turn(struct sweep_state *sweep, const char *title, struct err *err) {
    if (strcmp(sweep->title, title) == 0) {
        return 0;
    }
    sweep_groups_close(&sweep->groups);
    memcpy(sweep->title, title, sizeof(sweep->title));
    return sweep->groups.count > SWEEP_PAGE_MAX - PAGE_ROOM ? page_tell(sweep, err) : 0;
}

static int object_note(void *context, const char *path, int64_t size, struct err *err) {
    struct sweep_state *sweep = context;
    struct task_run *run = sweep->run;
    char title[WIRE_TITLE_TEXT] = "";
    char group[WIRE_FOLDER_TEXT];
    const char *rest = sweep_title_of(path, title);
    if (atomic_load(run->cancel)) {
        return err_set(err, ERR_CANCELLED, "the task was stopped");
    }
    atomic_fetch_add(&run->progress->done, 1);
    run->report.push.objects++;
    run->report.push.bytes += size > 0 ? size : 0;
    if (rest == NULL || !sweep_group_of(rest, group)) {
        return 0;
    }
    int failed = title_turn(sweep, title, err);
    if (failed == 0 && !sweep_groups_add(&sweep->groups, title, group, size)) {
        failed = page_tell(sweep, err); /* in the middle of a title that has so many */
        sweep_groups_add(&sweep->groups, title, group, size);
    }
    return failed;
}

static int edge_list_all(struct task_run *run, struct err *err) {
    struct sweep_state *sweep = run->state;
    if (run->task->sweep.removes) {
        return 0;
    }
    int failed = edge_of(sweep, "", err);
    if (failed != 0) {
        return failed;
    }
    failed = sweep->edge->driver->list(sweep->edge, object_note, sweep, err);
    if (failed == 0) {
        sweep_groups_close(&sweep->groups);
        failed = page_tell(sweep, err);
    }
    return failed == 0 ? 0 : task_fail(run, sweep->edge->failure, failed);
}

/* ---- Taking away ---------------------------------------------------------------------------- */

/* Whether the object lies in the folder of that name. */
static bool lies_in(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int object_doom(void *context, const char *path, int64_t size, struct err *err) {
    struct sweep_state *sweep = context;
    char group[WIRE_FOLDER_TEXT] = "";
    const struct sweep_group *found = NULL;
    bool ours = sweep_group_of(path, group);
    if (++sweep->seen > OBJECTS_MAX) {
        return err_set(err, ERR_UNSUPPORTED, "a title has more than %d objects there", OBJECTS_MAX);
    }
    for (size_t i = 0; i < sweep->group_count; i++) {
        bool is_it = ours && strcmp(sweep->first[i].path, group) == 0;
        found = is_it ? &sweep->first[i] : found;
        sweep->foreign[i] = sweep->foreign[i] || (!is_it && lies_in(path, sweep->first[i].path));
    }
    if (found == NULL) {
        sweep->elsewhere = true;
        return 0;
    }
    if (sweep->doomed_count == sweep->doomed_capacity) {
        sweep->doomed_capacity = 2 * sweep->doomed_capacity + 64;
        sweep->doomed = mem_resize(sweep->doomed, sweep->doomed_capacity, sizeof(*sweep->doomed));
    }
    sweep->doomed[sweep->doomed_count++] = (struct doomed){mem_string(path), found, size};
    return 0;
}

static void doomed_clear(struct sweep_state *sweep) {
    for (size_t i = 0; i < sweep->doomed_count; i++) {
        mem_free(sweep->doomed[i].path);
    }
    mem_free(sweep->doomed);
    mem_free(sweep->foreign);
    sweep->doomed = NULL;
    sweep->foreign = NULL;
    sweep->doomed_count = sweep->doomed_capacity = 0;
}

/* A folder whole, where it holds nothing else and the edge can; empty ones stay else. */
static int folder_remove(struct sweep_state *sweep, const char *path, struct err *err) {
    const struct edge_driver *driver = sweep->edge->driver;
    struct err why = {0};
    if ((driver->caps & EDGE_FOLDERS) == 0) {
        return ERR_UNSUPPORTED;
    }
    int failed = driver->remove_folder(sweep->edge, path, &why);
    return failed == 0 || failed == ERR_UNSUPPORTED ? failed : err_pass(err, &why);
}

static int group_remove(struct sweep_state *sweep, size_t index, struct err *err) {
    struct task_run *run = sweep->run;
    const struct sweep_group *group = &sweep->first[index];
    bool is_folder = sweep_rank(group->path) == SWEEP_RANKS - 1;
    int failed = is_folder && !sweep->foreign[index] ? folder_remove(sweep, group->path, err)
                                                     : ERR_UNSUPPORTED;
    bool whole = failed == 0;
    failed = failed == ERR_UNSUPPORTED ? 0 : failed;
    for (size_t i = 0; failed == 0 && i < sweep->doomed_count; i++) {
        const struct doomed *doomed = &sweep->doomed[i];
        if (doomed->group != group) {
            continue;
        }
        failed = whole ? 0 : sweep->edge->driver->remove(sweep->edge, doomed->path, err);
        if (failed == 0) {
            run->report.push.objects++;
            run->report.push.bytes += doomed->bytes > 0 ? doomed->bytes : 0;
            atomic_fetch_add(&run->progress->done, 1);
        }
    }
    bool holds_playlists = failed == 0 && sweep_rank(group->path) == 1 && !sweep->foreign[index];
    int emptied = holds_playlists ? folder_remove(sweep, group->path, err) : 0;
    return failed == 0 && emptied != ERR_UNSUPPORTED ? emptied : failed;
}

static int title_sweep(struct sweep_state *sweep, struct err *err) {
    struct task_run *run = sweep->run;
    int failed = edge_of(sweep, sweep->first->title, err);
    if (failed != 0) {
        return failed;
    }
    sweep->elsewhere = false;
    sweep->seen = 0;
    sweep->foreign = mem_zero(sweep->group_count, sizeof(*sweep->foreign));
    failed = sweep->edge->driver->list(sweep->edge, object_doom, sweep, err);
    if (failed != 0) {
        return task_fail(run, sweep->edge->failure, failed);
    }
    for (int rank = 0; rank < SWEEP_RANKS; rank++) {
        for (size_t i = 0; failed == 0 && i < sweep->group_count; i++) {
            failed = sweep_rank(sweep->first[i].path) == rank ? group_remove(sweep, i, err) : 0;
        }
    }
    if (failed == 0 && !sweep->elsewhere && sweep->doomed_count > 0) {
        failed = folder_remove(sweep, "", err);
        failed = failed == ERR_UNSUPPORTED ? 0 : failed;
    }
    log_info("took away what lay at an endpoint in vain", "endpoint=%s of=%s objects=%zu",
             sweep->target.endpoint->name, sweep->first->title, sweep->doomed_count);
    return failed == 0 ? 0 : task_fail(run, sweep->edge->failure, failed);
}

static int groups_remove(struct task_run *run, struct err *err) {
    struct sweep_state *sweep = run->state;
    const struct sweep_task *wanted = &run->task->sweep;
    int failed = 0;
    for (size_t i = 0; wanted->removes && failed == 0 && i < wanted->group_count;
         i += sweep->group_count) {
        size_t end = i + 1;
        while (end < wanted->group_count &&
               strcmp(wanted->groups[end].title, wanted->groups[i].title) == 0) {
            end++;
        }
        sweep->first = &wanted->groups[i];
        sweep->group_count = end - i;
        failed = atomic_load(run->cancel) ? err_set(err, ERR_CANCELLED, "the task was stopped")
                                          : title_sweep(sweep, err);
        doomed_clear(sweep);
    }
    return failed;
}

static void sweep_finish(struct task_run *run) {
    struct sweep_state *sweep = run->state;
    if (sweep != NULL) {
        edge_close(sweep->edge);
        edge_secret_finish(&sweep->secret);
        doomed_clear(sweep);
        mem_free(sweep);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"read secret", secret_read},
    {"list", edge_list_all},
    {"take away", groups_remove},
    {NULL, NULL},
};

const struct task_kind_row task_sweep_row = {steps, sweep_finish};
