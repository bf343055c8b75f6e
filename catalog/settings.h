/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `reelfarm catalog`, one table for file, environment, flags and help. Private to
 * catalog/. */
#ifndef CATALOG_SETTINGS_H
#define CATALOG_SETTINGS_H

#include "common/config.h"

struct catalog_settings {
    const char *store;
    const char *secret_file;
    const char *token_file; /* NULL: everybody may read */
    const char *listen;
    int64_t port;
    const char *tls_certificate; /* NULL: plain HTTP, and then no tls_key */
    const char *tls_key;
    const char *allow_origin; /* NULL: no page of another origin may read */
    int64_t connections;
    int64_t connections_per_address;
    int64_t request_ms;
    int log_level; /* enum log_level */
};

/* Fills `settings`; `config` holds their texts and is the caller's to finish, after a failure
 * too. Paths that were not named lie in this user's state folder. */
int catalog_settings_load(struct catalog_settings *settings, struct config *config, int argc,
                          char **argv, struct err *err);

/* Appends what --help prints. */
void catalog_settings_help(struct buf *out);

#endif
