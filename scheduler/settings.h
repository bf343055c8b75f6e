/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `reelfarm scheduler`, one table for file, environment, flags and help. */
#ifndef SCHEDULER_SETTINGS_H
#define SCHEDULER_SETTINGS_H

#include "common/config.h"
#include "common/wire.h"

/* The port that schedulers, workers and clients agree on where none is named. */
#define SCHEDULER_PORT "7430"

struct settings {
    const char *store;
    const char *token_file;
    const char *listen;
    int64_t port;
    const char *tls_certificate; /* NULL: plain HTTP, and then no tls_key */
    const char *tls_key;
    const char *worker_ca;     /* NULL: workers need no certificate */
    const char *backup_folder; /* NULL: `backups` beside the store */
    const char *sources;       /* places.h; NULL: anywhere */
    const char *outputs;
    const char *public_outputs; /* public_outputs.h; NULL: none */
    int64_t heartbeat_ms;
    int64_t ttl_ms;
    int64_t connections; /* as http_server_options has them */
    int64_t strangers;
    int64_t strangers_per_address;
    int64_t request_ms;
    int64_t keep_versions_ms;
    int64_t keep_versions;
    int64_t hedge_after;    /* times the expected time; 0: never */
    int64_t hedge_least_ms; /* not before */
    const char *endpoints;  /* file of edges and catalogs; NULL: none */
    const char *tenants;    /* as tenant_rules_parse reads them; NULL: none */
    int sandbox_required;   /* enum sandbox_level */
    int log_level;          /* enum log_level */
};

/* Fills `settings`; `config` holds their texts and is the caller's to finish, after a failure
 * too. Paths that were not named lie in this user's state folder. */
int settings_load(struct settings *settings, struct config *config, int argc, char **argv,
                  struct err *err);

/* Appends what --help prints. */
void settings_help(struct buf *out);

#endif
