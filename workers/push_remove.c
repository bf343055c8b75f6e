/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a push takes away: see push_steps.h. */
#include <string.h>

#include "common/mem.h"
#include "push_steps.h"
#include "workers/edges/edge_orphans.h"

/* ---- Taking away ---------------------------------------------------------------------------- */

static int remove_one(void *context, struct edge *edge, const struct edge_object *object,
                      struct err *err) {
    (void)context;
    return edge->driver->remove(edge, object->path, err);
}

static int path_remove(struct push_state *push, const char *path, struct err *err) {
    const struct edge_object object = {.path = path, .sha256 = "", .bytes = 0, .unread = true};
    return pool_add(push->pool, &object, err);
}

static bool takes_away(const struct push_state *push) {
    return (push->driver->caps & EDGE_DOCUMENT) == 0;
}

/* A call that some edges can't answer: `*can` is then false. In a connection of the pool's. */
struct attempt {
    int (*call)(struct edge *edge, const char *path, struct err *err);
    atomic_bool cannot;
};

static int attempt_one(void *context, struct edge *edge, const struct edge_object *object,
                       struct err *err) {
    struct attempt *attempt = context;
    struct err why = {0};
    int failed = attempt->call(edge, object->path, &why);
    atomic_store(&attempt->cannot, failed == ERR_UNSUPPORTED);
    return failed == 0 || failed == ERR_UNSUPPORTED ? 0 : err_pass(err, &why);
}

static int try_for(struct push_state *push, struct attempt *attempt, const char *path,
                   struct err *err) {
    pool_begin(push->pool, attempt_one, attempt, NULL);
    return push_phase_end(push, path_remove(push, path, err), err);
}

static int folder_call(struct edge *edge, const char *path, struct err *err) {
    return edge->driver->remove_folder(edge, path, err);
}

static int purge_call(struct edge *edge, const char *path, struct err *err) {
    (void)path;
    return edge->driver->purge_title(edge, err);
}

/* A title that goes, goes by its stable names first: who plays it plays on, nobody begins. */
int push_names_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    struct attempt purge = {.call = purge_call};
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    int failed = 0;
    if (run->task->version[0] != '\0' || !takes_away(push)) {
        return 0;
    }
    for (size_t i = 0; failed == 0 && push_document(&push->version, PUSH_NAMES, i, path, from);
         i++) {
        pool_begin(push->pool, remove_one, push, NULL);
        failed = push_phase_end(push, path_remove(push, path, err), err);
    }
    bool by_key = (push->driver->caps & EDGE_KEYS) != 0;
    return failed == 0 && by_key ? try_for(push, &purge, "", err) : failed;
}

static int old_documents_remove(struct push_state *push, enum push_rank rank, struct err *err) {
    const struct push *wanted = &push->run->task->push;
    char path[PUSH_PATH_TEXT];
    int failed = 0;
    pool_begin(push->pool, remove_one, push, NULL);
    for (size_t i = 0; i < wanted->old_version_count; i++) {
        const struct push_old_version *old = &wanted->old_versions[i];
        bool kept = strcmp(old->version, push->run->task->version) == 0;
        for (size_t k = 0; !kept && failed == 0 && push_old_document(old, rank, k, path); k++) {
            failed = path_remove(push, path, err);
        }
    }
    return push_phase_end(push, failed, err);
}

/* What lists before what is listed. */
int push_old_versions_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    int failed = takes_away(push) ? old_documents_remove(push, PUSH_DOCUMENTS, err) : 0;
    return failed == 0 && takes_away(push) ? old_documents_remove(push, PUSH_PLAYLISTS, err)
                                           : failed;
}

/* What is known to be in a folder, on all connections. */
static int old_objects_remove(struct push_state *push, const struct push_old_folder *folder,
                              struct err *err) {
    char path[PUSH_PATH_TEXT];
    int failed = 0;
    pool_begin(push->pool, remove_one, push, NULL);
    for (int64_t i = 0; failed == 0 && push_old_object(folder, i, path); i++) {
        failed = path_remove(push, path, err);
    }
    return push_phase_end(push, failed, err);
}

static int old_folder_remove(struct push_state *push, const struct push_old_folder *folder,
                             struct err *err) {
    struct attempt whole = {.call = folder_call};
    unsigned caps = push->driver->caps;
    int failed = (caps & EDGE_ONE_BY_ONE) != 0 ? old_objects_remove(push, folder, err) : 0;
    if (failed == 0 && (caps & EDGE_FOLDERS) != 0) {
        failed = try_for(push, &whole, folder->folder, err);
    }
    bool goes_so = (caps & EDGE_FOLDERS) != 0 && !atomic_load(&whole.cannot);
    return failed != 0 || goes_so ? failed : old_objects_remove(push, folder, err);
}

int push_old_folders_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    const struct push *wanted = &run->task->push;
    int failed = 0;
    for (size_t i = 0; failed == 0 && takes_away(push) && i < wanted->old_folder_count; i++) {
        const struct push_old_folder *folder = &wanted->old_folders[i];
        if (!push_names_folder(&push->version, folder->folder)) {
            failed = old_folder_remove(push, folder, err);
        }
    }
    return failed;
}

/* Folders that are empty now, and what no list named: of a title that goes, all. */
int push_rest_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    struct attempt whole = {.call = folder_call};
    bool all = run->task->version[0] == '\0' && (push->driver->caps & EDGE_FOLDERS) != 0;
    bool versions = !all && (push->driver->caps & EDGE_FOLDERS) != 0;
    int failed = all ? try_for(push, &whole, "", err) : 0;
    for (size_t i = 0; versions && failed == 0 && i < run->task->push.old_version_count; i++) {
        const char *version = run->task->push.old_versions[i].version;
        if (strcmp(version, run->task->version) != 0) {
            failed = try_for(push, &whole, version, err);
        }
    }
    return failed;
}

/* ---- Orphans -------------------------------------------------------------------------------- */

/* In a connection of the pool's, as are all calls. */
static int orphans_find(void *context, struct edge *edge, const struct edge_object *object,
                        struct err *err) {
    (void)object;
    (void)err;
    edge_orphans_find(context, edge);
    return 0;
}

/* Listed whole before anything goes. */
int push_orphans_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    if (!push_brings(push) || !run->task->push.has_sweep ||
        (push->driver->caps & EDGE_LISTS) == 0) {
        return 0;
    }
    struct edge_orphans *orphans = mem_zero(1, sizeof(*orphans));
    orphans->version = &push->version;
    orphans->sweep = &run->task->push.sweep;
    pool_begin(push->pool, orphans_find, orphans, NULL);
    int failed = push_phase_end(push, path_remove(push, "", err), err);
    pool_begin(push->pool, remove_one, push, NULL);
    for (size_t i = 0; failed == 0 && i < orphans->count; i++) {
        failed = path_remove(push, orphans->paths[i], err);
    }
    failed = push_phase_end(push, failed, err);
    edge_orphans_finish(orphans);
    mem_free(orphans);
    return failed;
}

/* ---- As players see it ---------------------------------------------------------------------- */

static int gone_verify_one(void *context, struct edge *edge, const struct edge_object *object,
                           struct err *err) {
    struct push_state *push = context;
    bool fetches = false;
    int failed = edge_verify_gone(edge, object, &fetches, err);
    atomic_store(&push->fetches, fetches);
    return failed;
}

int push_gone_verify(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    bool fetches = run->task->push.endpoint.falls_back || (push->driver->caps & EDGE_WARMS) != 0;
    if (run->task->version[0] != '\0' || !takes_away(push) || !fetches ||
        !push_document(&push->version, PUSH_NAMES, 0, path, from)) {
        return 0;
    }
    const struct edge_object manifest = {.path = path, .sha256 = "", .bytes = -1, .unread = true};
    pool_begin(push->pool, gone_verify_one, push, NULL);
    return push_phase_end(push, pool_add(push->pool, &manifest, err), err);
}
