/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm scheduler`: options, the token's file, and a scheduler until a signal. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/ends.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/secret_file.h"
#include "common/tls.h"
#include "scheduler.h"
#include "scheduler/publishing/endpoints.h"
#include "settings.h"
#include "store.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    DESCRIPTORS_ELSE = 64,
    RETRY_MS = 1000, /* the store of another scheduler, or of a server that is away */
};

/* NULL for an empty one. */
static const char *text_of(struct buf *text) {
    return text->size > 0 ? buf_text(text) : NULL;
}

static bool stand_by(void *context) {
    struct ends *ends = context;
    ends_wait_ms(ends, RETRY_MS);
    return ends->signal == 0;
}

static void on_loss(void *context) {
    (void)context;
    ends_wake();
}

/* Texts of files that the options name. */
struct files {
    struct buf token;
    struct buf certificate;
    struct buf key;
    struct buf worker_ca;
};

static int files_read_tls(struct files *files, const struct settings *settings, struct err *err) {
    int failed = tls_read_file(&files->certificate, settings->tls_certificate, false, err);
    if (failed == 0) {
        failed = tls_read_file(&files->key, settings->tls_key, true, err);
    }
    return failed != 0 ? failed : tls_read_file(&files->worker_ca, settings->worker_ca, false, err);
}

static void files_finish(struct files *files) {
    secret_forget(&files->token);
    secret_forget(&files->key);
    buf_finish(&files->certificate);
    buf_finish(&files->worker_ca);
}

static int start(struct scheduler **out, const struct settings *settings, struct ends *ends,
                 struct err *err) {
    struct files files = {0};
    struct scheduler_options scheduler = scheduler_options_default();
    bool is_shared = store_is_shared(settings->store);
    int failed = is_shared ? 0 : fs_make_folder_of(settings->store, err);
    if (failed == 0) {
        failed = secret_file_load(&files.token, settings->token_file, "token", err);
    }
    if (failed == 0) {
        failed = files_read_tls(&files, settings, err);
    }
    if (failed == 0) {
        scheduler.certificate = text_of(&files.certificate);
        scheduler.key = text_of(&files.key);
        scheduler.worker_ca = text_of(&files.worker_ca);
        scheduler.backup_folder = settings->backup_folder;
        scheduler.sources = settings->sources;
        scheduler.outputs = settings->outputs;
        scheduler.public_outputs = settings->public_outputs;
        scheduler.store_path = settings->store;
        scheduler.token = buf_text(&files.token);
        scheduler.listen_host = settings->listen;
        scheduler.port = (int)settings->port;
        scheduler.heartbeat_ms = (int)settings->heartbeat_ms;
        scheduler.ttl_ms = (int)settings->ttl_ms;
        scheduler.keep_versions_ms = settings->keep_versions_ms;
        scheduler.keep_versions = settings->keep_versions;
        scheduler.tenants = settings->tenants;
        scheduler.endpoints = settings->endpoints;
        scheduler.connections = (int)settings->connections;
        scheduler.strangers = (int)settings->strangers;
        scheduler.strangers_per_address = (int)settings->strangers_per_address;
        scheduler.request_ms = (int)settings->request_ms;
        scheduler.sandbox_required = (enum sandbox_level)settings->sandbox_required;
        scheduler.hedge_after = (int)settings->hedge_after;
        scheduler.hedge_least_ms = (int)settings->hedge_least_ms;
        scheduler.stand_by = is_shared ? stand_by : NULL;
        scheduler.on_loss = on_loss;
        scheduler.context = ends;
        failed = scheduler_start(out, &scheduler, err);
    }
    files_finish(&files);
    return failed;
}

static int check_files(const struct settings *settings, struct err *err) {
    struct files files = {0};
    struct endpoints endpoints = {0};
    struct err why = {0};
    int failed = secret_file_read(&files.token, settings->token_file, "token", &why);
    if (failed == ERR_NOT_FOUND) { /* it is made at the first start */
        failed = 0;
    } else if (failed != 0) {
        err_pass(err, &why);
    }
    if (failed == 0) {
        failed = files_read_tls(&files, settings, err);
    }
    if (failed == 0 && settings->tls_certificate != NULL) {
        failed = tls_check(buf_text(&files.certificate), text_of(&files.key),
                           text_of(&files.worker_ca), err);
    }
    if (failed == 0) {
        failed = endpoints_load(&endpoints, settings->endpoints, err);
    }
    endpoints_finish(&endpoints);
    files_finish(&files);
    return failed;
}

int scheduler_options_check(const char *file, struct err *err) {
    struct settings settings = {0};
    struct config config = {0};
    char option[] = "--config";
    char *name = mem_string(file);
    char *argv[] = {option, name, NULL};
    int failed = settings_load(&settings, &config, 2, argv, err);
    if (failed == 0) {
        failed = check_files(&settings, err);
    }
    config_finish(&config);
    mem_free(name);
    return failed;
}

/* A descriptor for each connection, and some for all else; where the system gives fewer, as many
 * as that is. */
static void raise_descriptors(const struct settings *settings) {
    uint64_t wanted = (uint64_t)settings->connections + DESCRIPTORS_ELSE;
    uint64_t there_are = proc_raise_open_files(wanted);
    if (there_are < wanted) {
        log_warn("there are few descriptors for connections",
                 "descriptors=%" PRIu64 " wanted=%" PRIu64, there_are, wanted);
    }
}

/* One scheduler until a signal, or until its store is lost: 0 where that is another's by now, for
 * which this one may stand by, or an error where it is nobody's. */
static int serve_once(const struct settings *settings, struct ends *ends, struct err *err) {
    struct scheduler *scheduler = NULL;
    struct err loss = {0};
    int failed = start(&scheduler, settings, ends, err);
    if (failed != 0) {
        err_wrap(err, "the scheduler can't begin");
    } else {
        log_info("scheduler listens", "url=%s store=\"%s\" token_file=\"%s\"",
                 scheduler_url(scheduler), settings->store, settings->token_file);
        while (ends->signal == 0 && scheduler_loss(scheduler, &loss) == 0) {
            ends_wait(ends);
        }
    }
    if (ends->signal != 0) {
        log_info("scheduler stops", "signal=%d", ends->signal);
    } else if (failed == 0 && store_is_shared(settings->store)) {
        log_warn("the store is lost; the scheduler is active no more", "store=\"%s\" why=\"%s\"",
                 settings->store, loss.message);
    } else if (failed == 0) {
        failed = err_set(err, loss.code, "the scheduler ends: %s", loss.message);
    }
    scheduler_stop(scheduler);
    return failed;
}

static int serve(const struct settings *settings, struct err *err) {
    struct ends ends = {0};
    int failed = 0;
    ends_init(&ends);
    signal(SIGPIPE, SIG_IGN);
    log_level_set((enum log_level)settings->log_level);
    raise_descriptors(settings);
    while (failed == 0 && ends.signal == 0) {
        failed = serve_once(settings, &ends, err);
    }
    if (failed == ERR_CANCELLED) { /* it stood by */
        err_clear(err);
        failed = 0;
    }
    return failed;
}

int scheduler_daemon(int argc, char **argv) {
    struct settings settings = {0};
    struct config config = {0};
    struct err err = {0};
    int status = EXIT_USAGE;
    umask(077); /* sources' addresses may hold credentials: the store is nobody else's */
    int failed = settings_load(&settings, &config, argc, argv, &err);
    bool told = false;
    if (failed != 0) {
        err_wrap(&err, "the scheduler can't begin");
    } else if (config_tell(&config, settings_help, &told)) {
        status = told ? EXIT_DONE : EXIT_FAILED;
    } else if (err.code == ERR_NONE) {
        status = serve(&settings, &err) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (err.code != ERR_NONE) {
        fprintf(stderr, "reelfarm: %s\n", err.message);
    }
    config_finish(&config);
    return status;
}
