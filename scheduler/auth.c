/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The book of good tokens: see auth.h. */
#include "auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

static const char prefix[] = "reelfarm_";
static const char operator_id[] = "operator";

enum { PREFIX = sizeof(prefix) - 1 };

static const char *const names[ROLE_COUNT] = {
    [ROLE_VIEWER] = "viewer",
    [ROLE_SUBMITTER] = "submitter",
    [ROLE_WORKER] = "worker",
    [ROLE_ADMIN] = "admin",
};

struct auth {
    struct auth_token own;     /* the operator's; never changes */
    pthread_mutex_t mutex;     /* guards what follows */
    struct auth_token *tokens; /* in the order of ids */
    size_t count;
};

const char *role_name(enum role role) {
    return names[role];
}

int role_from_name(const char *name) {
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

struct auth *auth_create(const char *operator_token) {
    struct auth *auth = mem_zero(1, sizeof(*auth));
    snprintf(auth->own.caller.token, ID_TEXT, "%s", operator_id);
    auth->own.caller.role = ROLE_ADMIN;
    sha256_hex_of(operator_token, strlen(operator_token), auth->own.hash);
    pthread_mutex_init(&auth->mutex, NULL);
    return auth;
}

void auth_destroy(struct auth *auth) {
    if (auth != NULL) {
        pthread_mutex_destroy(&auth->mutex);
        mem_free(auth->tokens);
        mem_free(auth);
    }
}

void auth_fill(struct auth *auth, struct auth_token *tokens, size_t count) {
    pthread_mutex_lock(&auth->mutex);
    struct auth_token *old = auth->tokens;
    auth->tokens = tokens;
    auth->count = count;
    pthread_mutex_unlock(&auth->mutex);
    mem_free(old);
}

static int by_id(const void *id, const void *token) {
    return strcmp(id, ((const struct auth_token *)token)->caller.token);
}

/* A copy of the token of an id, where it is good at this moment. */
static bool find(struct auth *auth, const char *id, struct auth_token *out) {
    if (strcmp(id, operator_id) == 0) {
        *out = auth->own;
        return true;
    }
    pthread_mutex_lock(&auth->mutex);
    const struct auth_token *found =
        auth->count == 0 ? NULL
                         : bsearch(id, auth->tokens, auth->count, sizeof(*auth->tokens), by_id);
    if (found != NULL) {
        *out = *found;
    }
    pthread_mutex_unlock(&auth->mutex);
    return found != NULL && (out->expires == 0 || clock_wall_ms() < out->expires);
}

/* The id that the text would have as a token; "" where it can't be one. */
static void id_of(const char *text, char id[ID_TEXT]) {
    id[0] = '\0';
    if (strlen(text) == TOKEN_TEXT - 1 && strncmp(text, prefix, PREFIX) == 0 &&
        text[PREFIX + ID_TEXT - 1] == '_') {
        memcpy(id, text + PREFIX, ID_TEXT - 1);
        id[ID_TEXT - 1] = '\0';
    }
}

/* Compared to the last digit: the time tells nothing about the token. */
static bool same_hash(const char a[SHA256_TEXT], const char b[SHA256_TEXT]) {
    unsigned difference = 0;
    for (int i = 0; i < SHA256_TEXT; i++) {
        difference |= (unsigned)(a[i] ^ b[i]);
    }
    return difference == 0;
}

bool auth_check(struct auth *auth, const char *text, char id[ID_TEXT]) {
    struct auth_token token;
    char hash[SHA256_TEXT];
    sha256_hex_of(text, strlen(text), hash);
    id_of(text, id);
    if (same_hash(hash, auth->own.hash)) {
        memcpy(id, operator_id, sizeof(operator_id));
        return true;
    }
    return id[0] != '\0' && find(auth, id, &token) && same_hash(hash, token.hash);
}

bool auth_find(struct auth *auth, const char *id, struct caller *out) {
    struct auth_token token;
    bool is_good = find(auth, id, &token);
    if (is_good) {
        *out = token.caller;
    }
    return is_good;
}

void auth_make(char token[TOKEN_TEXT], char id[ID_TEXT]) {
    char secret[ID_TOKEN_TEXT];
    id_make(id);
    id_token(secret);
    snprintf(token, TOKEN_TEXT, "%s%s_%s", prefix, id, secret);
    explicit_bzero(secret, sizeof(secret));
}
