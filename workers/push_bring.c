/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a push brings, in order, and reads back: see push_steps.h. */
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/log.h"
#include "push_steps.h"

enum {
    NAME_LOOKS = 6, /* at a stable name, which caches may keep for moments */
    NAME_PAUSE_MS = 250,
};

/* ---- Media ---------------------------------------------------------------------------------- */

/* Calls for each media object of the version from number `from` on. */
typedef int object_visit(struct push_state *push, int64_t number, const struct edge_object *object,
                         struct err *err);

static int objects_walk(struct push_state *push, object_visit *visit, struct err *err) {
    const struct task *task = push->run->task;
    int failed = 0;
    for (int64_t from = 0; failed == 0 && from >= 0;) {
        struct api_objects page = {0};
        failed = api_objects(push->run->tools->api, task->title, task->version, from, &page, err);
        if (failed != 0) {
            return task_fail(push->run, FAILURE_IO, failed);
        }
        for (size_t i = 0; i < page.count && failed == 0; i++) {
            const struct api_object *entry = &page.list[i];
            const struct edge_object object = {
                .path = entry->path, .sha256 = entry->sha256, .bytes = entry->bytes};
            failed = visit(push, from + (int64_t)i, &object, err);
        }
        from = page.next;
        api_objects_finish(&page);
    }
    return failed;
}

/* Whose it is; one that no rendition of the title document has is the scheduler's mistake. */
static int place_find(struct push_state *push, const struct edge_object *object, size_t *rendition,
                      int64_t *number, struct err *err) {
    if (strlen(object->path) < PUSH_PATH_TEXT &&
        push_place(&push->version, object->path, rendition, number)) {
        return 0;
    }
    err_set(err, ERR_CORRUPT, "the scheduler lists '%.100s', which version %s does not have",
            object->path, push->version.name);
    return task_fail(push->run, FAILURE_IO, ERR_CORRUPT);
}

static int bring(struct push_state *push, struct edge *edge, const struct edge_object *object,
                 struct err *err) {
    const struct edge_traffic before = edge->traffic, *now = &edge->traffic;
    int failed = edge_bring(edge, object, err);
    if (failed == 0) {
        int64_t sent = now->origin_bytes - before.origin_bytes + now->shared_bytes -
                       before.shared_bytes;
        atomic_fetch_add(&push->objects, 1);
        atomic_fetch_add(&push->bytes, object->bytes >= 0 ? object->bytes : sent);
        atomic_fetch_add(&push->requests, now->requests - before.requests);
        atomic_fetch_add(&push->busy_ms, now->busy_ms - before.busy_ms);
    }
    return failed;
}

/* Once more, whatever the endpoint says that it has. */
static int bring_again(void *push, struct edge *edge, const struct edge_object *object,
                       struct err *err) {
    struct edge_object damaged = *object;
    damaged.damaged = true;
    return bring(push, edge, &damaged, err);
}

static int media_bring_one(void *context, struct edge *edge, const struct edge_object *object,
                           struct err *err) {
    struct push_state *push = context;
    size_t rendition = 0;
    int64_t number = 0;
    push_place(&push->version, object->path, &rendition, &number);
    struct standing *standing = &push->standings[rendition];
    if (edge->driver->has != NULL && !atomic_load(&standing->absent)) {
        bool has = false;
        int failed = edge->driver->has(edge, object, &has, err);
        if (failed != 0 || has) {
            return failed;
        }
        atomic_store(&standing->absent, true);
    }
    return bring(push, edge, object, err);
}

static int media_add(struct push_state *push, int64_t number, const struct edge_object *object,
                     struct err *err) {
    size_t rendition = 0;
    int64_t segment = 0;
    struct edge_object added = *object;
    int failed = place_find(push, object, &rendition, &segment, err);
    if (failed == 0 && number < push->run->task->push.skip) {
        share_pass(push->target.share, share_hash(object->path));
        return 0;
    }
    if (failed != 0) {
        return failed;
    }
    added.unread = push->version.renditions[rendition].left_out;
    return pool_add(push->pool, &added, err);
}

/* Those of renditions that are left out count as brought: they pass through the pool's order. */
static int media_pass_or_bring(void *context, struct edge *edge, const struct edge_object *object,
                               struct err *err) {
    return object->unread ? 0 : media_bring_one(context, edge, object, err);
}

int push_media_bring(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    if (!push_brings(push)) {
        return 0;
    }
    int64_t skip = run->task->push.skip;
    atomic_store(&run->progress->done, skip < push->version.objects ? skip : push->version.objects);
    pool_begin(push->pool, media_pass_or_bring, push, &run->progress->done);
    return push_phase_end(push, objects_walk(push, media_add, err), err);
}

/* ---- Documents ------------------------------------------------------------------------------ */

static int document_bring_one(void *context, struct edge *edge, const struct edge_object *object,
                              struct err *err) {
    return bring(context, edge, object, err);
}

/* A cache that fetches by itself fetches stable names from where they are. */
static struct edge_object document_object(const struct push_state *push, const char *path,
                                          const char *from) {
    bool puts = (push->driver->caps & EDGE_PUTS) != 0;
    return (struct edge_object){
        .path = path, .from = puts ? from : NULL, .sha256 = "", .bytes = -1};
}

static int documents_bring(struct push_state *push, enum push_rank rank, struct err *err) {
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    int failed = 0;
    if (!push_brings(push)) {
        return 0;
    }
    for (size_t i = 0; failed == 0 && push_document(&push->version, rank, i, path, from); i++) {
        const struct edge_object object = document_object(push, path, from);
        pool_begin(push->pool, document_bring_one, push, NULL);
        failed = pool_add(push->pool, &object, err);
        if (failed == 0 && rank == PUSH_NAMES) {
            failed = pool_wait(push->pool, err); /* title.json last, as at the origin */
        }
    }
    return push_phase_end(push, failed, err);
}

int push_playlists_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_PLAYLISTS, err);
}

int push_version_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_DOCUMENTS, err);
}

int push_names_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_NAMES, err);
}

/* ---- Reading back --------------------------------------------------------------------------- */

/* Brings it once more and reads that back. */
static int bring_and_verify(struct push_state *push, struct edge *edge,
                            const struct edge_object *object, struct err *err) {
    struct err why = {0};
    int failed = bring_again(push, edge, object, &why);
    if (failed == 0) {
        failed = edge_verify(edge, object, &why);
    }
    int origin = failed == ERR_CORRUPT ? edge_origin_check(edge, object, err) : 0;
    if (origin != 0) {
        return origin;
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* What is not as it was brought is brought once more, and its rendition remembered. */
static int media_verify_one(void *context, struct edge *edge, const struct edge_object *object,
                            struct err *err) {
    struct push_state *push = context;
    struct err why = {0};
    size_t rendition = 0;
    int64_t number = 0;
    int failed = edge_verify(edge, object, &why);
    if (failed == ERR_CORRUPT || failed == ERR_NOT_FOUND) {
        push_place(&push->version, object->path, &rendition, &number);
        log_warn("an endpoint has not what was brought there; bringing it again",
                 "endpoint=%s object=%s", edge->target->endpoint->name, object->path);
        atomic_store(&push->standings[rendition].damaged, true);
        return bring_and_verify(push, edge, object, err);
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

static int sample_add(struct push_state *push, int64_t index, const struct edge_object *object,
                      struct err *err) {
    size_t rendition = 0;
    int64_t number = 0;
    (void)index;
    int failed = place_find(push, object, &rendition, &number, err);
    if (failed != 0) {
        return failed;
    }
    struct edge_object sample = *object;
    const struct push_rendition *of = &push->version.renditions[rendition];
    bool wanted = !of->left_out && push_sampled(number, of->segments,
                                                push->run->task->push.endpoint.verify_segments);
    sample.unread = true;
    return wanted ? pool_add(push->pool, &sample, err) : 0;
}

static int damaged_add(struct push_state *push, int64_t index, const struct edge_object *object,
                       struct err *err) {
    size_t rendition = 0;
    int64_t number = 0;
    (void)index;
    int failed = place_find(push, object, &rendition, &number, err);
    bool wanted = failed == 0 && atomic_load(&push->standings[rendition].damaged);
    return wanted ? pool_add(push->pool, object, err) : failed;
}

/* Where a sample was damaged, so may be what was not looked at: all of that rendition goes again.
 */
int push_media_verify(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    bool damaged = false;
    if (!push_brings(push) || (push->driver->caps & EDGE_READS) == 0) {
        return 0;
    }
    pool_begin(push->pool, media_verify_one, push, NULL);
    int failed = push_phase_end(push, objects_walk(push, sample_add, err), err);
    for (size_t i = 0; i < push->version.count; i++) {
        damaged = damaged || atomic_load(&push->standings[i].damaged);
    }
    if (failed == 0 && damaged) {
        pool_begin(push->pool, bring_again, push, NULL);
        failed = push_phase_end(push, objects_walk(push, damaged_add, err), err);
    }
    return failed;
}

/* The origin's bytes are the measure. */
static int document_look(struct edge *edge, const struct edge_object *object, struct err *err) {
    char hash[SHA256_TEXT];
    struct edge_object known = *object;
    const struct buf *body = NULL;
    int failed = edge_origin(edge, object, &body, err);
    if (failed == 0) {
        sha256_hex_of(body->data, body->size, hash);
        known.sha256 = hash;
        known.bytes = (int64_t)body->size;
        failed = edge_verify(edge, &known, err);
    }
    return failed;
}

static int document_verify_one(void *context, struct edge *edge, const struct edge_object *object,
                               struct err *err) {
    for (int looks = 1;; looks++) {
        struct err why = {0};
        int failed = document_look(edge, object, &why);
        bool again = failed == ERR_CORRUPT || failed == ERR_NOT_FOUND;
        if (failed == 0) {
            return 0;
        }
        if (!again || edge->failure == FAILURE_IO || looks == NAME_LOOKS ||
            !clock_sleep_ms(NAME_PAUSE_MS * (looks - 1), edge->target->cancel)) {
            return err_pass(err, &why);
        }
        failed = bring_again(context, edge, object, err);
        if (failed != 0) {
            return failed;
        }
    }
}

int push_documents_verify(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    int failed = 0;
    if (!push_brings(push) || (push->driver->caps & EDGE_READS) == 0) {
        return 0;
    }
    pool_begin(push->pool, document_verify_one, push, NULL);
    for (int rank = 0; rank < PUSH_RANKS; rank++) {
        for (size_t i = 0;
             failed == 0 && push_document(&push->version, (enum push_rank)rank, i, path, from);
             i++) {
            const struct edge_object object = document_object(push, path, from);
            failed = pool_add(push->pool, &object, err);
        }
    }
    return push_phase_end(push, failed, err);
}
