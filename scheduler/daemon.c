/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm scheduler`: options, the token's file, and a scheduler until a signal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/id.h"
#include "common/log.h"
#include "scheduler.h"
#include "settings.h"
#include "store.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    TOKEN_BYTES_MIN = 16,
    TOKEN_BYTES_MAX = 4096,
    PEM_BYTES_MAX = 256 << 10,
    DESCRIPTORS_ELSE = 64,
    RETRY_MS = 1000, /* the store of another scheduler, or of a server that is away */
    LOOK_MS = 100,   /* whether a shared store is still ours */
};

static int make_folder_of(const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return 0;
    }
    char *folder = mem_format("%.*s", (int)(slash - path), path);
    int failed = fs_make_dirs(folder, err);
    mem_free(folder);
    return failed;
}

/* Who has the token has the farm: nobody else may read it, or have put it there. */
static int check_private(int fd, const char *path, struct err *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return err_set_errno(err, errno, "cannot look at the token's file '%s'", path);
    }
    if (!S_ISREG(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != 0)) {
        return err_set(
            err, ERR_INVALID,
            "the token's file '%s' is no file of this user; name another by --token-file", path);
    }
    return (info.st_mode & 077) == 0
               ? 0
               : err_set(err, ERR_INVALID,
                         "others may read the token's file '%s'; run `chmod 600` on it and make a "
                         "new token",
                         path);
}

/* Takes what was read up to its trailing blanks, where it is a token. */
static int check_token(struct buf *token, const char *path, struct err *err) {
    while (token->size > 0 && strchr(" \t\r\n", token->data[token->size - 1]) != NULL) {
        token->size--;
    }
    bool is_plain = token->size >= TOKEN_BYTES_MIN && token->size <= TOKEN_BYTES_MAX;
    for (size_t i = 0; i < token->size; i++) {
        is_plain = is_plain && token->data[i] > 0x20 && token->data[i] < 0x7f;
    }
    return is_plain
               ? 0
               : err_set(err, ERR_INVALID,
                         "the token's file '%s' holds no token, which has %d to %d letters and "
                         "digits; remove it to have one made",
                         path, TOKEN_BYTES_MIN, TOKEN_BYTES_MAX);
}

/* NOT_FOUND where there is no file. */
static int read_token(struct buf *out, const char *path, struct err *err) {
    uint8_t bytes[TOKEN_BYTES_MAX + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot read the token's file '%s'", path);
    }
    int failed = check_private(fd, path, err);
    ssize_t got = failed == 0 ? read(fd, bytes, sizeof(bytes)) : 0;
    if (got < 0) {
        failed = err_set_errno(err, errno, "cannot read the token's file '%s'", path);
    }
    close(fd);
    if (failed == 0) {
        buf_append(out, bytes, (size_t)got);
        failed = check_token(out, path, err);
    }
    explicit_bzero(bytes, sizeof(bytes));
    return failed;
}

/* Reads the token, or makes one where there is none yet; of several that do so at one time one
 * makes it. */
static int load_token(struct buf *out, const char *path, struct err *err) {
    struct err why = {0};
    int failed = read_token(out, path, &why);
    if (failed != ERR_NOT_FOUND) {
        return failed == 0 ? 0 : err_set(err, why.code, "%s", why.message);
    }
    char token[ID_TOKEN_TEXT];
    id_token(token);
    failed = make_folder_of(path, err);
    if (failed == 0) {
        err_clear(&why);
        failed = fs_create(path, token, strlen(token), 0600, &why);
    }
    explicit_bzero(token, sizeof(token));
    if (failed != 0 && failed != ERR_CONFLICT) {
        return err_set(err, why.code, "cannot write the token's file: %s", why.message);
    }
    return read_token(out, path, err);
}

/* The text of a PEM file; an unset path has none. */
static int read_pem(struct buf *out, const char *path, bool is_secret, struct err *err) {
    struct stat info;
    if (path == NULL) {
        return 0;
    }
    if (is_secret && stat(path, &info) == 0 && (info.st_mode & 007) != 0) {
        return err_set(err, ERR_INVALID,
                       "everybody may read the TLS key '%s'; run `chmod o= %s` and make a new one",
                       path, path);
    }
    int failed = fs_read(out, path, PEM_BYTES_MAX, err);
    err_wrap(failed != 0 ? err : NULL, "TLS");
    if (failed == 0 && (out->size == 0 || strlen(buf_text(out)) == 0)) {
        failed = err_set(err, ERR_INVALID,
                         "the TLS file '%s' is empty; put back the one that was there", path);
    }
    return failed;
}

static void forget(struct buf *secret) {
    if (secret->data != NULL) {
        explicit_bzero(secret->data, secret->capacity);
    }
    buf_finish(secret);
}

/* NULL for an empty one. */
static const char *text_of(struct buf *text) {
    return text->size > 0 ? buf_text(text) : NULL;
}

/* What ends the daemon. */
struct ends {
    sigset_t signals;
    int signal; /* that came; 0: none */
};

/* Waits so long for a signal; -1: without limit. */
static void wait_for_end(struct ends *ends, int ms) {
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    int number = ms < 0 ? sigwaitinfo(&ends->signals, NULL)
                        : sigtimedwait(&ends->signals, NULL, &limit);
    ends->signal = number > 0 ? number : 0;
}

static bool stand_by(void *context) {
    struct ends *ends = context;
    wait_for_end(ends, RETRY_MS);
    return ends->signal == 0;
}

static int start(struct scheduler **out, const struct settings *settings, struct ends *ends,
                 struct err *err) {
    struct buf token = {0};
    struct buf certificate = {0};
    struct buf key = {0};
    struct buf worker_ca = {0};
    struct scheduler_options scheduler = scheduler_options_default();
    bool is_shared = store_is_shared(settings->store);
    int failed = is_shared ? 0 : make_folder_of(settings->store, err);
    if (failed == 0) {
        failed = load_token(&token, settings->token_file, err);
    }
    if (failed == 0) {
        failed = read_pem(&certificate, settings->tls_certificate, false, err);
    }
    if (failed == 0) {
        failed = read_pem(&key, settings->tls_key, true, err);
    }
    if (failed == 0) {
        failed = read_pem(&worker_ca, settings->worker_ca, false, err);
    }
    if (failed == 0) {
        scheduler.certificate = text_of(&certificate);
        scheduler.key = text_of(&key);
        scheduler.worker_ca = text_of(&worker_ca);
        scheduler.backup_folder = settings->backup_folder;
        scheduler.sources = settings->sources;
        scheduler.outputs = settings->outputs;
        scheduler.public_outputs = settings->public_outputs;
        scheduler.store_path = settings->store;
        scheduler.token = buf_text(&token);
        scheduler.listen_host = settings->listen;
        scheduler.port = (int)settings->port;
        scheduler.heartbeat_ms = (int)settings->heartbeat_ms;
        scheduler.ttl_ms = (int)settings->ttl_ms;
        scheduler.keep_versions_ms = settings->keep_versions_ms;
        scheduler.keep_versions = settings->keep_versions;
        scheduler.tenants = settings->tenants;
        scheduler.connections = (int)settings->connections;
        scheduler.strangers = (int)settings->strangers;
        scheduler.strangers_per_address = (int)settings->strangers_per_address;
        scheduler.request_ms = (int)settings->request_ms;
        scheduler.sandbox_required = (enum sandbox_level)settings->sandbox_required;
        scheduler.hedge_after = (int)settings->hedge_after;
        scheduler.hedge_least_ms = (int)settings->hedge_least_ms;
        scheduler.stand_by = is_shared ? stand_by : NULL;
        scheduler.context = ends;
        failed = scheduler_start(out, &scheduler, err);
    }
    forget(&token);
    forget(&key);
    buf_finish(&certificate);
    buf_finish(&worker_ca);
    return failed;
}

/* A descriptor for each connection, and some for all else; where the system gives fewer, as many
 * as that is. */
static void raise_descriptors(const struct settings *settings) {
    struct rlimit limit = {0};
    rlim_t wanted = (rlim_t)settings->connections + DESCRIPTORS_ELSE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < wanted) {
        log_warn("there are few descriptors for connections", "descriptors=%llu wanted=%llu",
                 (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
    }
}

/* One scheduler until a signal, or until its store is lost. */
static int serve_once(const struct settings *settings, struct ends *ends, struct err *err) {
    struct scheduler *scheduler = NULL;
    bool is_shared = store_is_shared(settings->store);
    int failed = start(&scheduler, settings, ends, err);
    if (failed == 0) {
        log_info("scheduler listens", "url=%s store=\"%s\" token_file=\"%s\"",
                 scheduler_url(scheduler), settings->store, settings->token_file);
        while (ends->signal == 0 && !scheduler_is_lost(scheduler)) {
            wait_for_end(ends, is_shared ? LOOK_MS : -1);
        }
    }
    if (ends->signal != 0) {
        log_info("scheduler stops", "signal=%d", ends->signal);
    } else if (failed == 0) {
        log_warn("the store is lost; the scheduler is active no more", "store=\"%s\"",
                 settings->store);
    }
    scheduler_stop(scheduler);
    return failed;
}

/* Blocked before any thread starts, so that all of them leave the signals to the wait. */
static int serve(const struct settings *settings, struct err *err) {
    struct ends ends = {0};
    int failed = 0;
    sigemptyset(&ends.signals);
    sigaddset(&ends.signals, SIGTERM);
    sigaddset(&ends.signals, SIGINT);
    sigprocmask(SIG_BLOCK, &ends.signals, NULL);
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
    struct buf text = {0};
    struct err err = {0};
    int status = EXIT_USAGE;
    umask(077); /* sources' addresses may hold credentials: the store is nobody else's */
    int failed = settings_load(&settings, &config, argc, argv, &err);
    if (failed == 0 && (config.wants_help || config.show != CONFIG_RUN)) {
        if (config.wants_help) {
            settings_help(&text);
        } else {
            config_show(&config, &text);
        }
        bool told = printf("%s", buf_text(&text)) >= 0 && fflush(stdout) == 0;
        status = told ? EXIT_DONE : EXIT_FAILED;
    } else if (err.code == ERR_NONE) {
        status = serve(&settings, &err) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (err.code != ERR_NONE) {
        fprintf(stderr, "reelfarm: the scheduler can't begin: %s\n", err.message);
    }
    buf_finish(&text);
    config_finish(&config);
    return status;
}
