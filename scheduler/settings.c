/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler's option table: see settings.h. */
#include "settings.h"

#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "scheduler/publishing/public_outputs.h"
#include "store.h"
#include "tenants.h"

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

#define FIELD(member) offsetof(struct settings, member)

static const struct config_option table[] = {
    {.name = "store",
     .type = CONFIG_TEXT,
     .offset = FIELD(store),
     .min = 1,
     .max = 4096,
     .help = "SQLite file (default: ~/.local/state/reelfarm/scheduler.db), or "
             "postgresql://HOST/DATABASE, which several schedulers share"},
    {.name = "token_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(token_file),
     .min = 1,
     .max = 4096,
     .help = "the token that calls need, made if missing; default: `token` by the store, or in "
             "~/.local/state/reelfarm for a shared one"},
    {.name = "listen",
     .type = CONFIG_TEXT,
     .offset = FIELD(listen),
     .standard = "127.0.0.1",
     .min = 2,
     .max = 64,
     .help = "numeric address to listen on"},
    {.name = "port",
     .type = CONFIG_INT,
     .offset = FIELD(port),
     .standard = SCHEDULER_PORT,
     .min = 0,
     .max = 65535,
     .help = "port to listen on; 0: any free one"},
    {.name = "tls_certificate",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_certificate),
     .min = 1,
     .max = 4096,
     .help = "PEM file of its certificate and what that is signed by: speak HTTPS alone"},
    {.name = "tls_key",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_key),
     .min = 1,
     .max = 4096,
     .help = "PEM file of that certificate's key"},
    {.name = "worker_ca",
     .type = CONFIG_TEXT,
     .offset = FIELD(worker_ca),
     .min = 1,
     .max = 4096,
     .help = "PEM file of who vouches for workers, which then need a certificate"},
    {.name = "sources",
     .type = CONFIG_TEXT,
     .offset = FIELD(sources),
     .min = 1,
     .max = 65536,
     .help = "where sources may come from: places such as s3://masters ; where http "
             "servers redirect to must be within them too; default: anywhere"},
    {.name = "outputs",
     .type = CONFIG_TEXT,
     .offset = FIELD(outputs),
     .min = 1,
     .max = 65536,
     .help = "where outputs may go, likewise"},
    {.name = "public_outputs",
     .type = CONFIG_TEXT,
     .offset = FIELD(public_outputs),
     .min = 0,
     .max = 65536,
     .help =
         "where players read what lies in outputs, so that the page can play it: PLACE=URL ..., "
         "such as s3://films=https://cdn.example/films"},
    {.name = "backup_folder",
     .type = CONFIG_TEXT,
     .offset = FIELD(backup_folder),
     .min = 1,
     .max = 3840,
     .help = "where `reelfarm backup` has copies of the store made; default: `backups` by it"},
    {.name = "heartbeat_ms",
     .type = CONFIG_INT,
     .offset = FIELD(heartbeat_ms),
     .standard = "10000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "how often workers report"},
    {.name = "ttl_ms",
     .type = CONFIG_INT,
     .offset = FIELD(ttl_ms),
     .standard = "30000",
     .min = 1000,
     .max = 3600000,
     .unit = "ms",
     .help = "a worker silent so long is lost"},
    {.name = "connections",
     .type = CONFIG_INT,
     .offset = FIELD(connections),
     .standard = "8192",
     .min = 16,
     .max = 100000,
     .help = "open at a time, some 33 kB each; a worker has one or two"},
    {.name = "strangers",
     .type = CONFIG_INT,
     .offset = FIELD(strangers),
     .standard = "2048",
     .min = 8,
     .max = 100000,
     .help = "of them, those that have shown no token yet; one more ends the oldest"},
    {.name = "strangers_per_address",
     .type = CONFIG_INT,
     .offset = FIELD(strangers_per_address),
     .standard = "256",
     .min = 4,
     .max = 100000,
     .help = "likewise, of one address (in IPv6: of one /64)"},
    {.name = "request_ms",
     .type = CONFIG_INT,
     .offset = FIELD(request_ms),
     .standard = "10000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "a request's head may take so long, and its body (with a token: and 1 s each 64 KiB)"},
    {.name = "keep_versions_ms",
     .type = CONFIG_INT,
     .offset = FIELD(keep_versions_ms),
     .standard = "86400000",
     .min = 0,
     .max = INT64_C(3153600000000),
     .unit = "ms",
     .help = "so long after a new one took its place a title's version is kept, for who plays it"},
    {.name = "keep_versions",
     .type = CONFIG_INT,
     .offset = FIELD(keep_versions),
     .standard = "0",
     .min = 0,
     .max = 1000,
     .help = "so many of a title's versions that were replaced last are kept longer"},
    {.name = "hedge_after",
     .type = CONFIG_INT,
     .offset = FIELD(hedge_after),
     .standard = "3",
     .min = 0,
     .max = 1000,
     .help = "a task that runs so many times as long as expected is given to a second worker too, "
             "where one is idle; 0: never"},
    {.name = "hedge_least_ms",
     .type = CONFIG_INT,
     .offset = FIELD(hedge_least_ms),
     .standard = "30000",
     .min = 100,
     .max = 86400000,
     .unit = "ms",
     .help = "no task is given to a second worker sooner"},
    {.name = "sandbox_required",
     .type = CONFIG_CHOICE,
     .offset = FIELD(sandbox_required),
     .standard = "none",
     .choices = sandbox_level_names,
     .help = "workers whose children have a weaker sandbox are given nothing that reads a source"},
    {.name = "endpoints",
     .type = CONFIG_TEXT,
     .offset = FIELD(endpoints),
     .min = 1,
     .max = 4096,
     .help = "YAML file of the edges and catalogs that titles are published to, and of webhooks; "
             "it is read at the start"},
    {.name = "tenants",
     .type = CONFIG_TEXT,
     .offset = FIELD(tenants),
     .min = 0,
     .max = 8192,
     .help = "who gets how much when all want it: NAME=WEIGHT[:MOST SLOTS], ..."},
    {.name = "log_level",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_level),
     .standard = "info",
     .choices = levels,
     .help = "lines under this level are not written"},
};

enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

/* A file by the store, or, where that is on a server, in this user's state folder. */
static const char *token_path(const struct settings *settings, struct config *config) {
    if (store_is_shared(settings->store)) {
        char *folder = fs_state_folder();
        const char *path = folder == NULL ? "token"
                                          : arena_format(&config->arena, "%s/token", folder);
        mem_free(folder);
        return path;
    }
    const char *slash = strrchr(settings->store, '/');
    return slash == NULL ? "token"
                         : arena_format(&config->arena, "%.*s/token",
                                        (int)(slash - settings->store), settings->store);
}

/* Fills in the paths that follow from others. */
static int find_paths(struct settings *settings, struct config *config, struct err *err) {
    if (settings->store == NULL) {
        char *folder = fs_state_folder();
        if (folder == NULL) {
            return err_set(err, ERR_INVALID,
                           "there is no home to keep the store in; name a file by --store");
        }
        settings->store = arena_format(&config->arena, "%s/scheduler.db", folder);
        mem_free(folder);
    }
    if (settings->token_file == NULL) {
        settings->token_file = token_path(settings, config);
    }
    return 0;
}

int settings_load(struct settings *settings, struct config *config, int argc, char **argv,
                  struct err *err) {
    struct config_input input = {
        .file = "/etc/reelfarm/scheduler.yaml", .environment = environ, .argc = argc, .argv = argv};
    int failed = config_load(config, table, OPTIONS, settings, &input, err);
    if (failed != 0 || config->wants_help) {
        return failed;
    }
    if (config->operand_count > 0) {
        return err_set(err, ERR_INVALID, "'%s' is no option; see `reelfarm scheduler --help`",
                       config->operands[0]);
    }
    if (settings->ttl_ms < 2 * settings->heartbeat_ms) {
        return err_set(err, ERR_INVALID,
                       "ttl_ms is %lld, which must be at least twice heartbeat_ms (%lld): else one "
                       "late heartbeat loses a worker",
                       (long long)settings->ttl_ms, (long long)settings->heartbeat_ms);
    }
    if ((settings->tls_certificate == NULL) != (settings->tls_key == NULL) ||
        (settings->worker_ca != NULL && settings->tls_certificate == NULL)) {
        return err_set(err, ERR_INVALID,
                       "tls_certificate and tls_key go together, and worker_ca goes with both");
    }
    if (settings->strangers >= settings->connections) {
        return err_set(err, ERR_INVALID,
                       "strangers is %lld, which must be less than connections (%lld): else they "
                       "leave no room for workers",
                       (long long)settings->strangers, (long long)settings->connections);
    }
    struct tenant_rules rules;
    int result = tenant_rules_parse(&rules, settings->tenants, err);
    if (result == 0) {
        result = public_outputs_check(settings->public_outputs, err);
    }
    return result != 0 ? result : find_paths(settings, config, err);
}

void settings_help(struct buf *out) {
    buf_string(
        out,
        "the daemon that gives out the work\n\nUsage: reelfarm scheduler [options]\n\n"
        "Keeps titles and their tasks in a store, leases tasks to workers, and answers\n"
        "`reelfarm submit`, `list`, `watch` and the rest over HTTP. It may be killed at any\n"
        "moment and started again: workers keep what they run.\n\n"
        "  reelfarm scheduler                            on this machine alone\n"
        "  reelfarm scheduler --listen 10.0.0.5          for workers of a network\n"
        "  reelfarm scheduler --config scheduler.yaml    options from a file\n"
        "  reelfarm scheduler backup FILE                a copy of its store, while it works\n\n"
        "Outside of one machine, give it a certificate: tokens go over the network in plain\n"
        "text otherwise. A new certificate is read at the next start, which costs nothing.\n\n"
        "Workers and clients need its token: `reelfarm worker --token-file FILE`. On one\n"
        "machine they find it by themselves. Options are read from --config FILE (default\n"
        "/etc/reelfarm/scheduler.yaml, where it is there), as `port: 7430`; then from\n"
        "variables as REELFARM_PORT; then from flags.\n\nOptions:\n");
    config_help(table, OPTIONS, out);
}
