/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm catalog`: options, the secret's file, and a catalog until a signal. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "catalog.h"
#include "common/ends.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/secret_file.h"
#include "common/tls.h"
#include "settings.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, DESCRIPTORS_ELSE = 64 };

/* NULL for an empty one. */
static const char *text_of(struct buf *text) {
    return text->size > 0 ? buf_text(text) : NULL;
}

static void on_loss(void *context) {
    (void)context;
    ends_wake();
}

static int start(struct catalog **out, const struct catalog_settings *settings, struct err *err) {
    struct buf secret = {0};
    struct buf token = {0};
    struct buf certificate = {0};
    struct buf key = {0};
    struct catalog_options options = catalog_options_default();
    int failed = fs_make_folder_of(settings->store, err);
    if (failed == 0) {
        failed = secret_file_load(&secret, settings->secret_file, "secret", err);
    }
    if (failed == 0 && settings->token_file != NULL) {
        failed = secret_file_load(&token, settings->token_file, "token", err);
    }
    if (failed == 0) {
        failed = tls_read_file(&certificate, settings->tls_certificate, false, err);
    }
    if (failed == 0) {
        failed = tls_read_file(&key, settings->tls_key, true, err);
    }
    if (failed == 0) {
        options.store = settings->store;
        options.secret = buf_text(&secret);
        options.token = text_of(&token);
        options.listen_host = settings->listen;
        options.port = (int)settings->port;
        options.certificate = text_of(&certificate);
        options.key = text_of(&key);
        options.allow_origin = settings->allow_origin;
        options.connections = (int)settings->connections;
        options.connections_per_address = (int)settings->connections_per_address;
        options.request_ms = (int)settings->request_ms;
        options.on_loss = on_loss;
        failed = catalog_start(out, &options, err);
    }
    secret_forget(&secret);
    secret_forget(&token);
    secret_forget(&key);
    buf_finish(&certificate);
    return failed;
}

/* A descriptor for each connection, and some for all else; as many as the system gives. */
static void raise_descriptors(const struct catalog_settings *settings) {
    struct rlimit limit = {0};
    rlim_t wanted = (rlim_t)settings->connections + DESCRIPTORS_ELSE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Until a signal, or until its store is lost, which is an error. */
static int serve(const struct catalog_settings *settings, struct err *err) {
    struct catalog *catalog = NULL;
    struct ends ends = {0};
    struct err loss = {0};
    ends_init(&ends);
    signal(SIGPIPE, SIG_IGN);
    log_level_set((enum log_level)settings->log_level);
    raise_descriptors(settings);
    int failed = start(&catalog, settings, err);
    if (failed != 0) {
        err_wrap(err, "the catalog can't begin");
    } else {
        log_info("catalog listens", "url=%s store=\"%s\" secret_file=\"%s\"", catalog_url(catalog),
                 settings->store, settings->secret_file);
        while (ends.signal == 0 && catalog_loss(catalog, &loss) == 0) {
            ends_wait(&ends);
        }
    }
    if (ends.signal != 0) {
        log_info("catalog stops", "signal=%d", ends.signal);
    } else if (failed == 0) {
        failed = err_set(err, loss.code, "the catalog ends: %s", loss.message);
    }
    catalog_stop(catalog);
    return failed;
}

int catalog_daemon(int argc, char **argv) {
    struct catalog_settings settings = {0};
    struct config config = {0};
    struct err err = {0};
    int status = EXIT_USAGE;
    umask(077);
    int failed = catalog_settings_load(&settings, &config, argc, argv, &err);
    bool told = false;
    if (failed != 0) {
        err_wrap(&err, "the catalog can't begin");
    } else if (config_tell(&config, catalog_settings_help, &told)) {
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
