/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * push: brings a version to an edge, or takes a title from there, or tells a catalog. Nothing is
 * listed at the edge before it is there, and nothing goes while it is listed (push_order.h). Every
 * step may be done again, so an attempt that ends anywhere is taken up by the next: media from
 * where `skip` says, all else anew.
 *
 * What is there already is asked for until, of each rendition, the first object is missing: after
 * a stop few are looked at in vain, and what a version shares with the one before is not sent.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/mem.h"
#include "edge.h"
#include "edge_orphans.h"
#include "edge_pool.h"
#include "push_order.h"
#include "task.h"

enum {
    DOCUMENT_BYTES = 64 << 20,
    MEMORY_BYTES = 24 << 20, /* of objects on their way, of one push */
    STALL_S_MAX = 30,
    NAME_LOOKS = 6, /* at a stable name, which caches may keep for moments */
    NAME_PAUSE_MS = 250,
};

/* What is known of a rendition at the endpoint. */
struct standing {
    atomic_bool absent;  /* an object of it is not there: no more looks */
    atomic_bool damaged; /* what was read back was not what was brought */
};

struct push_state {
    struct task_run *run;
    struct edge_secret secret;
    struct edge_target target;
    const struct edge_driver *driver;
    struct pool *pool;
    struct buf document; /* VERSION.json, as it lies at the origin */
    struct push_version version;
    struct standing *standings; /* of each rendition */
    atomic_int_fast64_t objects;
    atomic_int_fast64_t bytes;
};

static bool brings(const struct push_state *push) {
    return push->run->task->version[0] != '\0' && (push->driver->caps & EDGE_DOCUMENT) == 0;
}

/* ---- Beginning ------------------------------------------------------------------------------ */

static int secret_read(struct task_run *run, struct err *err) {
    const struct push_endpoint *endpoint = &run->task->push.endpoint;
    struct push_state *push = mem_zero(1, sizeof(*push));
    run->state = push;
    push->run = run;
    int failed = edge_secret_load(&push->secret, run->tools->endpoint_secrets, endpoint->name, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_REFUSED, failed);
}

/* Pushes of one version from one output read it together. */
static struct share_group *join_share(const struct push_state *push) {
    const struct task *task = push->run->task;
    if (!brings(push) || (push->driver->caps & EDGE_PUTS) == 0 || push->run->tools->share == NULL) {
        return NULL;
    }
    char *name = mem_format("%s %s %s", task->title, task->version, task->output);
    struct share_group *group = share_join(push->run->tools->share, name);
    mem_free(name);
    return group;
}

static int endpoint_open(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    const struct task *task = run->task;
    double limit_ms = task->wall_limit_s * 1000;
    push->driver = edge_driver_find(task->push.endpoint.driver);
    push->target = (struct edge_target){
        .endpoint = &task->push.endpoint,
        .secret = &push->secret,
        .origin = task->output,
        .title = task->title,
        .leaves = task->version[0] == '\0',
        .trace = task->trace,
        .cancel = run->cancel,
        .until_ms = run->tools->lease_until_ms,
        .stall_s = run->tools->stall_limit_s < STALL_S_MAX ? (int)run->tools->stall_limit_s
                                                           : STALL_S_MAX,
    };
    if (push->driver == NULL) {
        err_set(err, ERR_UNSUPPORTED,
                "this worker knows no driver '%s', which endpoint '%s' asks for; give it a newer "
                "reelfarm",
                task->push.endpoint.driver, task->push.endpoint.name);
        return task_fail(run, FAILURE_REFUSED, ERR_UNSUPPORTED);
    }
    push->target.share = join_share(push);
    const struct pool_options options = {
        .target = push->target,
        .cancel = run->cancel,
        .until_ms = limit_ms > 0 ? clock_monotonic_ms() + (int64_t)limit_ms : 0,
        .memory_bytes = MEMORY_BYTES,
    };
    push->pool = pool_create(&options);
    return 0;
}

static int version_read(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    const struct task *task = run->task;
    if (task->version[0] == '\0') {
        return 0;
    }
    struct err why = {0};
    char *key = mem_format("%s/%s.json", task->title, task->version);
    int failed = task_open_output(run, &why);
    if (failed == 0) {
        failed = blob_get(run->output, key, DOCUMENT_BYTES, &push->document, &why);
    }
    if (failed == 0) {
        failed = push_version_read(&push->version, task->version, push->document.data,
                                   push->document.size, task->push.endpoint.max_height, &why);
    }
    if (failed != 0) {
        err_set(err, why.code, "cannot read '%s' of the output: %s", key, why.message);
    }
    mem_free(key);
    if (failed != 0) {
        return task_fail(run, FAILURE_IO, failed);
    }
    push->standings = mem_zero(push->version.count, sizeof(*push->standings));
    atomic_store(&run->progress->total, push->version.objects);
    return 0;
}

static int phase_end(struct push_state *push, int failed, struct err *err) {
    struct err why = {0};
    int waited = pool_wait(push->pool, &why);
    if (failed == 0 && waited != 0) {
        failed = err_set(err, why.code, "%s", why.message);
    }
    return failed == 0 ? 0 : task_fail(push->run, pool_failure(push->pool), failed);
}

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
    int64_t before = edge->traffic.origin_bytes + edge->traffic.shared_bytes;
    int failed = edge_bring(edge, object, err);
    if (failed == 0) {
        int64_t sent = edge->traffic.origin_bytes + edge->traffic.shared_bytes - before;
        atomic_fetch_add(&push->objects, 1);
        atomic_fetch_add(&push->bytes, object->bytes >= 0 ? object->bytes : sent);
    }
    return failed;
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
    int failed = place_find(push, object, &rendition, &segment, err);
    if (failed != 0 || number < push->run->task->push.skip) {
        return failed;
    }
    return pool_add(push->pool, object, err);
}

/* Those of renditions that are left out count as brought: they pass through the pool's order. */
static int media_pass_or_bring(void *context, struct edge *edge, const struct edge_object *object,
                               struct err *err) {
    struct push_state *push = context;
    size_t rendition = 0;
    int64_t number = 0;
    bool known = push_place(&push->version, object->path, &rendition, &number);
    bool passed = known && push->version.renditions[rendition].left_out;
    return passed ? 0 : media_bring_one(context, edge, object, err);
}

static int media_bring(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    if (!brings(push)) {
        return 0;
    }
    int64_t skip = run->task->push.skip;
    atomic_store(&run->progress->done, skip < push->version.objects ? skip : push->version.objects);
    pool_begin(push->pool, media_pass_or_bring, push, &run->progress->done);
    return phase_end(push, objects_walk(push, media_add, err), err);
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
    if (!brings(push)) {
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
    return phase_end(push, failed, err);
}

static int playlists_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_PLAYLISTS, err);
}

static int version_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_DOCUMENTS, err);
}

static int names_bring(struct task_run *run, struct err *err) {
    return documents_bring(run->state, PUSH_NAMES, err);
}

/* ---- Reading back --------------------------------------------------------------------------- */

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
        failed = bring(push, edge, object, err);
        return failed == 0 ? edge_verify(edge, object, err) : failed;
    }
    return failed == 0 ? 0 : err_set(err, why.code, "%s", why.message);
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
    const struct push_rendition *of = &push->version.renditions[rendition];
    bool wanted = !of->left_out && push_sampled(number, of->segments,
                                                push->run->task->push.endpoint.verify_segments);
    return wanted ? pool_add(push->pool, object, err) : 0;
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

static int media_bring_again(void *context, struct edge *edge, const struct edge_object *object,
                             struct err *err) {
    return bring(context, edge, object, err);
}

/* Where a sample was damaged, so may be what was not looked at: all of that rendition goes again.
 */
static int media_verify(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    bool damaged = false;
    if (!brings(push) || (push->driver->caps & EDGE_READS) == 0) {
        return 0;
    }
    pool_begin(push->pool, media_verify_one, push, NULL);
    int failed = phase_end(push, objects_walk(push, sample_add, err), err);
    for (size_t i = 0; i < push->version.count; i++) {
        damaged = damaged || atomic_load(&push->standings[i].damaged);
    }
    if (failed == 0 && damaged) {
        pool_begin(push->pool, media_bring_again, push, NULL);
        failed = phase_end(push, objects_walk(push, damaged_add, err), err);
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
    struct push_state *push = context;
    for (int looks = 1;; looks++) {
        struct err why = {0};
        int failed = document_look(edge, object, &why);
        bool again = failed == ERR_CORRUPT || failed == ERR_NOT_FOUND;
        if (failed == 0) {
            return 0;
        }
        if (!again || edge->failure == FAILURE_IO || looks == NAME_LOOKS ||
            !clock_sleep_ms(NAME_PAUSE_MS * (looks - 1), edge->target->cancel)) {
            return err_set(err, why.code, "%s", why.message);
        }
        failed = bring(push, edge, object, err);
        if (failed != 0) {
            return failed;
        }
    }
}

static int documents_verify(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    int failed = 0;
    if (!brings(push) || (push->driver->caps & EDGE_READS) == 0) {
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
    return phase_end(push, failed, err);
}

/* ---- Taking away ---------------------------------------------------------------------------- */

static int remove_one(void *context, struct edge *edge, const struct edge_object *object,
                      struct err *err) {
    (void)context;
    return edge->driver->remove(edge, object->path, err);
}

static int path_remove(struct push_state *push, const char *path, struct err *err) {
    const struct edge_object object = {.path = path, .sha256 = "", .bytes = 0};
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
    return failed == 0 || failed == ERR_UNSUPPORTED ? 0 : err_set(err, why.code, "%s", why.message);
}

static int try_for(struct push_state *push, struct attempt *attempt, const char *path,
                   struct err *err) {
    pool_begin(push->pool, attempt_one, attempt, NULL);
    return phase_end(push, path_remove(push, path, err), err);
}

static int folder_call(struct edge *edge, const char *path, struct err *err) {
    return edge->driver->remove_folder(edge, path, err);
}

static int purge_call(struct edge *edge, const char *path, struct err *err) {
    (void)path;
    return edge->driver->purge_title(edge, err);
}

/* A title that goes, goes by its stable names first: who plays it plays on, nobody begins. */
static int names_remove(struct task_run *run, struct err *err) {
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
        failed = phase_end(push, path_remove(push, path, err), err);
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
    return phase_end(push, failed, err);
}

/* What lists before what is listed. */
static int old_versions_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    int failed = takes_away(push) ? old_documents_remove(push, PUSH_DOCUMENTS, err) : 0;
    return failed == 0 && takes_away(push) ? old_documents_remove(push, PUSH_PLAYLISTS, err)
                                           : failed;
}

static int old_folder_remove(struct push_state *push, const struct push_old_folder *folder,
                             struct err *err) {
    struct attempt whole = {.call = folder_call};
    char path[PUSH_PATH_TEXT];
    if ((push->driver->caps & EDGE_FOLDERS) != 0) {
        int failed = try_for(push, &whole, folder->folder, err);
        if (failed != 0 || !atomic_load(&whole.cannot)) {
            return failed;
        }
    }
    int failed = 0;
    pool_begin(push->pool, remove_one, push, NULL);
    for (int64_t i = 0; failed == 0 && push_old_object(folder, i, path); i++) {
        failed = path_remove(push, path, err);
    }
    return phase_end(push, failed, err);
}

static int old_folders_remove(struct task_run *run, struct err *err) {
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
static int rest_remove(struct task_run *run, struct err *err) {
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
static int orphans_remove(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    if (!brings(push) || !run->task->push.has_sweep || (push->driver->caps & EDGE_LISTS) == 0) {
        return 0;
    }
    struct edge_orphans *orphans = mem_zero(1, sizeof(*orphans));
    orphans->version = &push->version;
    orphans->sweep = &run->task->push.sweep;
    pool_begin(push->pool, orphans_find, orphans, NULL);
    int failed = phase_end(push, path_remove(push, "", err), err);
    pool_begin(push->pool, remove_one, push, NULL);
    for (size_t i = 0; failed == 0 && i < orphans->count; i++) {
        failed = path_remove(push, orphans->paths[i], err);
    }
    failed = phase_end(push, failed, err);
    edge_orphans_finish(orphans);
    mem_free(orphans);
    return failed;
}

/* ---- Catalogs ------------------------------------------------------------------------------- */

static int title_tell(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    const struct task *task = run->task;
    bool published = task->version[0] != '\0';
    struct edge *edge = NULL;
    const struct edge_title title = {
        .revision = task->push.revision,
        .version = task->version,
        .document = published ? buf_text(&push->document) : NULL,
        .document_size = published ? push->document.size : 0,
        .listing = task->push.has_listing ? &task->push.listing : NULL,
    };
    if ((push->driver->caps & EDGE_DOCUMENT) == 0) {
        return 0;
    }
    int failed = edge_open(&edge, &push->target, err);
    if (failed != 0) {
        return task_fail(run, FAILURE_REFUSED, failed);
    }
    failed = push->driver->tell(edge, &title, err);
    if (failed != 0) {
        task_fail(run, edge->failure, failed);
    }
    run->report.push.request_ms = edge->traffic.requests > 0 ? (double)edge->traffic.busy_ms /
                                                                   (double)edge->traffic.requests
                                                             : 0;
    run->report.push.refused = edge->traffic.refused;
    edge_close(edge);
    return failed;
}

static int report_make(struct task_run *run, struct err *err) {
    struct push_state *push = run->state;
    const struct edge_traffic traffic = pool_traffic(push->pool);
    struct push_report *report = &run->report.push;
    (void)err;
    report->objects = atomic_load(&push->objects);
    report->bytes = atomic_load(&push->bytes);
    if (traffic.requests > 0) {
        report->request_ms = (double)traffic.busy_ms / (double)traffic.requests;
        report->refused = traffic.refused;
    }
    log_info("pushed",
             "endpoint=%s version=%s objects=%" PRId64 " bytes=%" PRId64 " read=%" PRId64
             " shared=%" PRId64 " requests=%" PRId64 " request_ms=%.1f refused=%" PRId64,
             run->task->push.endpoint.name, run->task->version, report->objects, report->bytes,
             traffic.origin_bytes, traffic.shared_bytes, traffic.requests, report->request_ms,
             report->refused);
    return 0;
}

static void push_finish(struct task_run *run) {
    struct push_state *push = run->state;
    if (push != NULL) {
        pool_destroy(push->pool);
        share_leave(push->target.share);
        edge_secret_finish(&push->secret);
        push_version_finish(&push->version);
        buf_finish(&push->document);
        mem_free(push->standings);
        mem_free(push);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"read secret", secret_read},
    {"open endpoint", endpoint_open},
    {"take names away", names_remove},
    {"read version", version_read},
    {"bring media", media_bring},
    {"bring playlists", playlists_bring},
    {"bring version", version_bring},
    {"bring names", names_bring},
    {"verify media", media_verify},
    {"verify documents", documents_verify},
    {"take old versions away", old_versions_remove},
    {"take old folders away", old_folders_remove},
    {"take the rest away", rest_remove},
    {"take orphans away", orphans_remove},
    {"tell title", title_tell},
    {"report", report_make},
    {NULL, NULL},
};

const struct task_kind_row task_push_row = {steps, push_finish};
