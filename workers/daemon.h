/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encode node: a session with the scheduler, kept by a heartbeat thread of its own; a
 * loop that leases tasks; and slots that do them (ARCHITECTURE section 7).
 */
#ifndef WORKERS_DAEMON_H
#define WORKERS_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "common/err.h"

/* The fields of the option table (options.c); texts are borrowed. */
struct daemon_options {
    const char *scheduler;
    const char *token_file;
    const char *ca_file;     /* PEM; NULL: the system's authorities */
    const char *certificate; /* PEM; NULL: none, and then no key_file */
    const char *key_file;
    const char *name; /* NULL: host and process id */
    int64_t slots;
    int64_t pushes; /* to edges and catalogs at a time, beside the slots; 0: none is taken */
    int64_t store_connections;    /* to one object store or server of sources at a time */
    const char *endpoint_secrets; /* a file (edge_secrets.h); NULL: none */
    int64_t cores;                /* that this process may use: no option, but found */
    int64_t memory_bytes; /* that tasks may take together; 0: nine tenths of the machine's */
    int64_t grace_s;      /* for running tasks after SIGTERM */
    int64_t stall_s;      /* longest time a child may show no progress */
    int64_t keep_s;       /* what is pure goes on so long while the scheduler is away */
    int log_level;        /* enum log_level */
    bool private_sources; /* of http may be read too */
    int sandbox;          /* enum sandbox_level */
    bool mask_cpu;        /* tests only */
};

/*
 * Works until SIGTERM (drains: no new lease, `grace_s` for what runs), SIGINT or a second
 * SIGTERM (stops at once), or the scheduler's order to drain. Returns the exit status: 0
 * drained, 130 interrupted, 4 refused by the scheduler, 1 where it can't begin, with a line
 * in the log. `encoders` are what the session announces.
 */
int daemon_run(const struct daemon_options *options, const struct api_encoder *encoders,
               size_t encoder_count);

#endif
