/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens in the store: see tokens.h. */
#include "tokens.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

/* False for a row that no build of ours has written: it gives nobody a right. */
static bool read_token(struct query *query, struct auth_token *out) {
    int role = role_from_name(query_text(query, 1));
    *out = (struct auth_token){.expires = query_integer(query, 4)};
    snprintf(out->caller.token, sizeof(out->caller.token), "%s", query_text(query, 0));
    snprintf(out->caller.tenant, sizeof(out->caller.tenant), "%s", query_text(query, 2));
    out->caller.role = (enum role)role;
    snprintf(out->hash, sizeof(out->hash), "%s", query_text(query, 3));
    return role >= 0 && strlen(out->hash) == SHA256_TEXT - 1;
}

void tokens_load(struct tx *tx, struct auth *auth) {
    struct auth_token *tokens = NULL;
    size_t count = 0;
    size_t capacity = 0;
    struct query query = sql_query(tx, SQL_TOKENS_GOOD, NULL, 0);
    while (query_next(&query)) {
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : 2 * capacity;
            tokens = mem_resize(tokens, capacity, sizeof(*tokens));
        }
        count += read_token(&query, &tokens[count]) ? 1 : 0;
    }
    if (tx_ok(tx)) {
        auth_fill(auth, tokens, count);
    } else {
        mem_free(tokens);
    }
}

void token_create(struct tx *tx, struct auth *auth, const struct token_request *request,
                  char id[ID_TEXT], struct writer *w) {
    char token[TOKEN_TEXT], hash[SHA256_TEXT];
    int64_t now = tx_now(tx);
    int64_t expires = request->expires_in_ms == 0 ? 0 : clock_wall_ms() + request->expires_in_ms;
    auth_make(token, id);
    sha256_hex_of(token, strlen(token), hash);
    sql_run(tx, SQL_TOKEN_ADD,
            VALUES(TEXT(id), TEXT(request->name), TEXT(role_name(request->role)),
                   TEXT(request->tenant), TEXT(hash), INTEGER(now), INTEGER(expires)));
    tokens_load(tx, auth);
    writer_string(w, "id", id);
    writer_string(w, "token", token);
    writer_string(w, "role", role_name(request->role));
    writer_string(w, "tenant", request->tenant);
    writer_int(w, "expires", expires);
    explicit_bzero(token, sizeof(token));
}

void tokens_write(struct tx *tx, struct writer *w) {
    writer_array(w, "tokens");
    struct query query = sql_query(tx, SQL_TOKENS, NULL, 0);
    while (query_next(&query)) {
        writer_object(w, NULL);
        writer_string(w, "id", query_text(&query, 0));
        writer_string(w, "name", query_text(&query, 1));
        writer_string(w, "role", query_text(&query, 2));
        writer_string(w, "tenant", query_text(&query, 3));
        writer_int(w, "created", query_integer(&query, 4));
        writer_int(w, "expires", query_integer(&query, 5));
        writer_int(w, "revoked", query_integer(&query, 6));
        writer_object_end(w);
    }
    writer_array_end(w);
}

void token_revoke(struct tx *tx, struct auth *auth, const char *id) {
    if (sql_integer(tx, SQL_TOKEN_COUNT, VALUES(TEXT(id)), 0) == 0) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "there is no token '%.40s'; `reelfarm token list` shows them by id", id);
        return;
    }
    sql_run(tx, SQL_TOKEN_REVOKE, VALUES(TEXT(id), INTEGER(tx_now(tx))));
    tokens_load(tx, auth);
}
