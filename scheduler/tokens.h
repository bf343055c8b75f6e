/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens in the store: made, listed, revoked. All calls run inside a transaction; errors
 * are the transaction's. What they change is in the book of good tokens at once; where
 * the transaction fails after all, tokens_load puts that right.
 */
#ifndef SCHEDULER_TOKENS_H
#define SCHEDULER_TOKENS_H

#include "auth.h"
#include "common/json.h"
#include "store.h"

/* Fills the book with the store's good tokens. */
void tokens_load(struct tx *tx, struct auth *auth);

struct token_request {
    const char *name;   /* for people */
    const char *tenant; /* "": bound to none */
    enum role role;
    int64_t expires_in_ms; /* 0: never */
};

/* Makes a token, tells its id and writes the members of one object: the only time that it is told.
 */
void token_create(struct tx *tx, struct auth *auth, const struct token_request *request,
                  char id[ID_TEXT], struct writer *w);

/* Writes all tokens, the newest first, as an array called "tokens". */
void tokens_write(struct tx *tx, struct writer *w);

/* NOT_FOUND where there is no such token; one that is revoked already stays as it is. */
void token_revoke(struct tx *tx, struct auth *auth, const char *id);

#endif
