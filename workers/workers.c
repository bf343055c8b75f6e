/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line does with the means of a worker: see workers.h. */
#include "workers.h"

#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "common/blob.h"
#include "common/mem.h"
#include "common/proc.h"
#include "remove.h"

static const double stall_limit_s = 120;

int worker_program(char **out, struct err *err) {
    char *folder = NULL;
    int failed = proc_self_folder(&folder, err);
    if (failed != 0) {
        return failed;
    }
    char *beside = mem_format("%s/reelfarm-worker", folder);
    const char *const places[] = {beside, REELFARM_BIN "/reelfarm-worker"};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && found == NULL; i++) {
        found = access(places[i], X_OK) == 0 ? places[i] : NULL;
    }
    if (found != NULL) {
        *out = mem_string(found);
    } else {
        failed = err_set(err, ERR_NOT_FOUND,
                         "reelfarm-worker is neither in %s nor in " REELFARM_BIN
                         "; install it, or run reelfarm from where it was built",
                         folder);
    }
    mem_free(beside);
    mem_free(folder);
    return failed;
}

int worker_sandbox_try(const char *level, int *landlock_abi, struct err *err) {
    enum sandbox_level found = sandbox_level_find(level);
    if (found == SANDBOX_LEVEL_COUNT) {
        return err_set(err, ERR_INVALID, "a sandbox is full, no-landlock or none, not '%s'", level);
    }
    return sandbox_try(found, landlock_abi, err);
}

static int64_t read_source(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    size_t got = 0;
    int failed = blob_read_at(context, offset, data, size, &got, err);
    return failed != 0 ? failed : (int64_t)got;
}

static void take_source(void *context, struct source_document *document) {
    source_document_finish(context);
    *(struct source_document *)context = *document;
}

static int run_boxed(struct source_document *found, const struct worker_probe *probe,
                     struct blob_source *source, const char *program, struct err *err) {
    struct child_spec spec = *probe->spec; /* borrows what the caller's holds */
    spec.source_size = blob_source_facts(source)->size;
    struct box_options box_options = {.program = program,
                                      .sandbox = sandbox_level_find(probe->sandbox)};
    struct broker_options options = {
        .spec = &spec,
        .source = {.read = read_source, .context = source},
        .sink = {.source = take_source, .wake_fd = -1, .context = found},
        .memory_bytes = probe->memory_bytes,
        .stall_limit_s = stall_limit_s,
        .cancel = probe->cancel,
    };
    struct box box = BOX_CLOSED;
    struct broker_result result = {0};
    int failed = box_open(&box, &box_options, err);
    if (failed != 0) {
        return failed;
    }
    failed = broker_run(&box, &options, &result, err);
    if (failed == 0 && found->container == NULL) {
        failed = err_set(err, ERR_CORRUPT, "its encoder process gave no source document");
    }
    if (failed != 0 && !result.source_failed) {
        err_wrap(err, "cannot read '%s'", blob_source_name(source));
    }
    return failed;
}

int worker_probe(struct source_document *document, const struct worker_probe *probe,
                 struct err *err) {
    struct blob_options options = blob_options_default();
    struct blob_source *source = NULL;
    struct source_document found = {0};
    char *program = NULL;
    options.cancel = probe->cancel;
    int failed = worker_program(&program, err);
    if (failed == 0) {
        failed = blob_source_open(&source, probe->source, &options, err);
    }
    if (failed == 0) {
        failed = run_boxed(&found, probe, source, program, err);
    }
    if (failed == 0) {
        *document = found;
    } else {
        source_document_finish(&found);
    }
    blob_source_close(source);
    mem_free(program);
    return failed;
}

int worker_remove_unnamed(const char *output, const char *title, int64_t *removed,
                          const atomic_bool *cancel, struct err *err) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    int64_t count = 0;
    options.cancel = cancel;
    int failed = blob_open(&blob, output, &options, err);
    if (failed == 0) {
        failed = remove_unnamed(blob, title, NULL, &count, err);
    }
    if (removed != NULL) {
        *removed = count;
    }
    blob_close(blob);
    return failed;
}
