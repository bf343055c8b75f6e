/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens, against a book of three and the operator's: none is good but what was given out. A
 * byte 0xff in the bytes stands for a good token, so that there is something to go wrong by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "harness.h"
#include "scheduler/auth.h"

enum { TOKENS = 3 };

static const char own[] = "the operator's own token";
static struct auth *auth;
static char good[TOKENS][TOKEN_TEXT];

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct auth_token *)a)->caller.token,
                  ((const struct auth_token *)b)->caller.token);
}

static void leave(void) {
    auth_destroy(auth);
}

static void begin(void) {
    struct auth_token *tokens = mem_zero(TOKENS, sizeof(*tokens));
    for (int i = 0; i < TOKENS; i++) {
        auth_make(good[i], tokens[i].caller.token);
        sha256_hex_of(good[i], strlen(good[i]), tokens[i].hash);
    }
    qsort(tokens, TOKENS, sizeof(*tokens), by_id);
    auth = auth_create(own);
    auth_fill(auth, tokens, TOKENS);
    atexit(leave);
}

static bool is_given_out(const char *text) {
    bool is = strcmp(text, own) == 0;
    for (int i = 0; i < TOKENS; i++) {
        is = is || strcmp(text, good[i]) == 0;
    }
    return is;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf text = {0};
    struct caller caller;
    char id[ID_TEXT];
    if (auth == NULL) {
        begin();
    }
    for (size_t i = 0; i < size; i++) {
        if (data[i] == 0xff) {
            buf_string(&text, good[i % TOKENS]);
        } else {
            buf_append(&text, &data[i], 1);
        }
    }
    char *token = mem_string(buf_text(&text)); /* of just its size */
    bool is_good = auth_check(auth, token, id);
    if (is_good != is_given_out(token) || (is_good && !auth_find(auth, id, &caller))) {
        fprintf(stderr, "%s is %s\n", token, is_good ? "good" : "bad");
        abort();
    }
    mem_free(token);
    buf_finish(&text);
    return 0;
}
