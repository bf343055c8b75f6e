/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm scheduler`: options, the token's file, and a scheduler until a signal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/id.h"
#include "common/log.h"
#include "scheduler.h"
#include "settings.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, TOKEN_BYTES_MAX = 4096 };

/* Makes the folder of a file, and what is new of it for this user alone. */
static int make_folder_of(const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return 0;
    }
    char *folder = mem_format("%.*s", (int)(slash - path), path);
    struct stat info;
    bool is_new = stat(folder, &info) != 0;
    int failed = fs_make_dirs(folder, err);
    if (failed == 0 && is_new && chmod(folder, 0700) != 0) {
        failed = err_set_errno(err, errno, "cannot keep '%s' to this user", folder);
    }
    mem_free(folder);
    return failed;
}

/* Refuses a file that others may read: who has the token has the farm. */
static int check_private(const char *path, struct err *err) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return err_set_errno(err, errno, "cannot look at the token's file '%s'", path);
    }
    return (info.st_mode & 077) == 0
               ? 0
               : err_set(err, ERR_INVALID,
                         "others may read the token's file '%s'; run `chmod 600` on it and make a "
                         "new token",
                         path);
}

/* Reads the token, or makes one where there is no file yet. */
static int load_token(struct buf *out, const char *path, struct err *err) {
    char token[ID_TOKEN_TEXT];
    id_token(token);
    int failed = make_folder_of(path, err);
    if (failed != 0) {
        return failed;
    }
    struct err taken = {0};
    failed = fs_create(path, token, strlen(token), 0600, &taken);
    if (failed != 0 && failed != ERR_CONFLICT) {
        return err_set(err, taken.code, "cannot write the token's file: %s", taken.message);
    }
    failed = check_private(path, err);
    if (failed == 0) {
        failed = fs_read(out, path, TOKEN_BYTES_MAX, err);
    }
    while (out->size > 0 && strchr(" \t\r\n", out->data[out->size - 1]) != NULL) {
        out->size--;
    }
    if (failed == 0 && out->size == 0) {
        return err_set(err, ERR_INVALID, "the token's file '%s' is empty; remove it", path);
    }
    return failed;
}

static int start(struct scheduler **out, const struct settings *settings, struct err *err) {
    struct buf token = {0};
    struct scheduler_options scheduler = scheduler_options_default();
    int failed = make_folder_of(settings->store, err);
    if (failed == 0) {
        failed = load_token(&token, settings->token_file, err);
    }
    if (failed == 0) {
        scheduler.store_path = settings->store;
        scheduler.token = buf_text(&token);
        scheduler.listen_host = settings->listen;
        scheduler.port = (int)settings->port;
        scheduler.heartbeat_ms = (int)settings->heartbeat_ms;
        scheduler.ttl_ms = (int)settings->ttl_ms;
        failed = scheduler_start(out, &scheduler, err);
    }
    if (token.data != NULL) {
        explicit_bzero(token.data, token.capacity);
    }
    buf_finish(&token);
    return failed;
}

/* Blocked before any thread starts, so that all of them leave the signals to the wait. */
static int serve(const struct settings *settings, struct err *err) {
    struct scheduler *scheduler = NULL;
    sigset_t ends;
    int number = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_level_set((enum log_level)settings->log_level);
    int failed = start(&scheduler, settings, err);
    if (failed == 0) {
        log_info("scheduler listens", "url=%s store=\"%s\" token_file=\"%s\"",
                 scheduler_url(scheduler), settings->store, settings->token_file);
        sigwait(&ends, &number);
        log_info("scheduler stops", "signal=%d", number);
    }
    scheduler_stop(scheduler);
    return failed;
}

int scheduler_daemon(int argc, char **argv) {
    struct settings settings = {0};
    struct config config = {0};
    struct buf help = {0};
    struct err err = {0};
    int status = EXIT_USAGE;
    if (settings_load(&settings, &config, argc, argv, &err) == 0 && config.wants_help) {
        settings_help(&help);
        status = printf("%s", buf_text(&help)) < 0 ? EXIT_FAILED : EXIT_DONE;
    } else if (err.code == ERR_NONE) {
        status = serve(&settings, &err) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (err.code != ERR_NONE) {
        fprintf(stderr, "reelfarm: the scheduler can't begin: %s\n", err.message);
    }
    buf_finish(&help);
    config_finish(&config);
    return status;
}
