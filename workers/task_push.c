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
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "push_steps.h"
#include "workers/edges/edge_flow.h"

enum {
    DOCUMENT_BYTES = 64 << 20,
    STALL_S_MAX = 30,
};

bool push_brings(const struct push_state *push) {
    return push->run->task->version[0] != '\0' && (push->driver->caps & EDGE_DOCUMENT) == 0;
}

int push_phase_end(struct push_state *push, int failed, struct err *err) {
    struct err why = {0};
    int waited = pool_wait(push->pool, &why);
    if (failed == 0 && waited != 0) {
        failed = err_pass(err, &why);
    }
    return failed == 0 ? 0 : task_fail(push->run, pool_failure(push->pool), failed);
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
static struct share_member *join_share(const struct push_state *push) {
    const struct task *task = push->run->task;
    if (!push_brings(push) || (push->driver->caps & EDGE_PUTS) == 0 ||
        push->run->tools->share == NULL) {
        return NULL;
    }
    char *name = mem_format("%s %s %s", task->title, task->version, task->output);
    struct share_member *member = share_join(push->run->tools->share, name);
    mem_free(name);
    return member;
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
        .memory = run->tools->push_memory,
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
    const struct edge_traffic *traffic = &edge->traffic;
    run->report.push.request_ms = flow_cost(0, traffic->requests, traffic->busy_ms);
    run->report.push.cost_ms = run->report.push.request_ms;
    run->report.push.refused = traffic->refused;
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
    report->fetches = atomic_load(&push->fetches);
    if (traffic.requests > 0) {
        report->request_ms = flow_cost(0, traffic.requests, traffic.busy_ms);
        report->cost_ms =
            flow_cost(report->bytes, atomic_load(&push->requests), atomic_load(&push->busy_ms));
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
    {"take names away", push_names_remove},
    {"read version", version_read},
    {"bring media", push_media_bring},
    {"bring playlists", push_playlists_bring},
    {"bring version", push_version_bring},
    {"bring names", push_names_bring},
    {"verify media", push_media_verify},
    {"verify documents", push_documents_verify},
    {"take old versions away", push_old_versions_remove},
    {"take old folders away", push_old_folders_remove},
    {"take the rest away", push_rest_remove},
    {"take orphans away", push_orphans_remove},
    {"ask as players do", push_gone_verify},
    {"tell title", title_tell},
    {"report", report_make},
    {NULL, NULL},
};

const struct task_kind_row task_push_row = {steps, push_finish};
