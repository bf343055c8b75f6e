/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A catalog of titles for those who have none: publishers tell it of titles by signed requests,
 * everybody reads and searches. An HTTP API over one file of SQLite; README.md says what it is,
 * openapi.json what it answers.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include <stdint.h>

#include "common/err.h"

/* The port that catalogs and clients agree on where none is named. */
#define CATALOG_PORT "7440"

struct catalog;

/* Strings are borrowed during catalog_start. */
struct catalog_options {
    const char *store;       /* file */
    const char *secret;      /* what publishers sign with */
    const char *token;       /* that readers need; NULL: none */
    const char *listen_host; /* numeric address; default "127.0.0.1" */
    int port;                /* 0: any free one; default 7440 */
    const char *certificate; /* PEM texts; NULL: plain HTTP */
    const char *key;
    const char *allow_origin;    /* of pages that may read: an origin or "*"; NULL: none */
    int connections;             /* default 1024 */
    int connections_per_address; /* without a token; default 256 */
    int request_ms;              /* default 10000: for a request to come in */
    /* Called once, on a thread of the catalog's, when catalog_loss has something to say from then
     * on; it must not wait. NULL: nobody is told. */
    void (*on_loss)(void *context);
    void *context; /* of on_loss */
};

struct catalog_options catalog_options_default(void);

/* Errors as driver_open and http_server_start. `*out` is owned. */
int catalog_start(struct catalog **out, const struct catalog_options *options, struct err *err);

/* "http://127.0.0.1:7440"; borrowed. */
const char *catalog_url(const struct catalog *catalog);

/* 0, or why the store can be used no more: it is damaged (CORRUPT). This catalog can do nothing any
 * more but stop. Any thread. */
int catalog_loss(const struct catalog *catalog, struct err *err);

/* Answers what has come in, then ends. Takes NULL. */
void catalog_stop(struct catalog *catalog);

/* `reelfarm catalog`: the arguments after the command's name; returns the exit status. */
int catalog_daemon(int argc, char **argv);

#endif
