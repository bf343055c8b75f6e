/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What endpoints know this worker by: a YAML file of its own (option endpoint_secrets), which
 * nobody else may read. Endpoint names, each with what its driver needs:
 *
 *   paris:   {user: push, password: ...}            # HTTP basic
 *   london:  {bearer: ...}                          # Authorization: Bearer
 *   berlin:  {refresh_header: X-Refresh-Token, refresh_value: ...}  # of a cache that refreshes so
 *   tokyo:   {purge_header: X-Purge-Token, purge_value: ...}        # sent with PURGE and WARM
 *   catalog: {hmac: ...}                            # signs what a catalog or webhook is told
 *   oslo:    {profile: other}                       # a bucket: of AWS's files, by s3_account.h
 *   rome:    {access_key: ..., secret_key: ..., region: eu-south-1, endpoint_url: https://...}
 *
 * The file is read anew for each push, so that a secret can be changed while the worker runs.
 */
#ifndef WORKERS_EDGES_EDGE_SECRETS_H
#define WORKERS_EDGES_EDGE_SECRETS_H

#include "common/buf.h"
#include "common/err.h"

/* Each NULL where the file does not say it. Strings are owned. */
struct edge_secret {
    char *user;
    char *password;
    char *bearer;
    char *refresh_header;
    char *refresh_value;
    char *purge_header;
    char *purge_value;
    char *hmac;
    char *profile;
    char *access_key;
    char *secret_key;
    char *region;
    char *endpoint_url;
};

/* Reads what `path` says of one endpoint; `path` NULL: nothing. INVALID for a file that others may
 * read, that is not this user's or root's, or that can't be understood; its sentence has no
 * secret. Ends with edge_secret_finish. */
int edge_secret_load(struct edge_secret *out, const char *path, const char *endpoint,
                     struct err *err);

/* Overwrites and frees; takes a zeroed one. */
void edge_secret_finish(struct edge_secret *secret);

#endif
