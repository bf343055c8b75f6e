/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls, and what they may do. A caller has a role, and a tenant where it is bound
 * to one: it then sees and touches that tenant's titles alone.
 *
 * A token is "reelfarm_ID_SECRET". The store keeps the ID and the hash of the whole, so
 * whoever reads the store can't call. One more, the operator's, comes with the
 * scheduler's start; it has every right and no row.
 *
 * The book of good tokens lies in memory: the HTTP server's thread asks it, the store's
 * thread fills it. Its functions may be called by any thread.
 */
#ifndef SCHEDULER_AUTH_H
#define SCHEDULER_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/hash.h"
#include "common/id.h"
#include "common/wire.h"

enum role {
    ROLE_VIEWER,    /* sees titles */
    ROLE_SUBMITTER, /* a viewer who also submits, cancels and so on */
    ROLE_WORKER,    /* leases tasks and brings results */
    ROLE_ADMIN,     /* everything */
    ROLE_COUNT
};

/* The name as people write it: "viewer". */
const char *role_name(enum role role);

/* The role of a name; -1 where there is none. */
int role_from_name(const char *name);

enum { TOKEN_TEXT = 9 + ID_TEXT + ID_TOKEN_TEXT };

struct caller {
    char token[ID_TEXT]; /* id; "operator" */
    enum role role;
    char tenant[TENANT_TEXT]; /* "": bound to none */
};

/* A token as the book keeps it. */
struct auth_token {
    struct caller caller;
    char hash[SHA256_TEXT]; /* of the whole token */
    int64_t expires;        /* ms since 1970 by the wall clock, not the store's; 0: never */
};

struct auth;

/* A book of the operator's token alone, which is copied as its hash. Owned. */
struct auth *auth_create(const char *operator_token);
void auth_destroy(struct auth *auth);

/* Makes these all good tokens but the operator's. Takes `tokens` (mem_*), which is in the order
 * of ids. */
void auth_fill(struct auth *auth, struct auth_token *tokens, size_t count);

/* Whether the text is a good token, whose id then goes to `id`. Takes as long for every wrong
 * token of one id. */
bool auth_check(struct auth *auth, const char *text, char id[ID_TEXT]);

/* Who a good token's id is; false where it is good no more. */
bool auth_find(struct auth *auth, const char *id, struct caller *out);

/* A new token and its id. */
void auth_make(char token[TOKEN_TEXT], char id[ID_TEXT]);

#endif
