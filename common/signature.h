/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of requests between programs of a farm that share a secret, in one header:
 *
 *     Reelfarm-Signature: t=1700000000,v1=5257a869...
 *
 * t is when it was signed, in seconds since 1970; v1 the lower-case hex HMAC-SHA-256 of
 * "SECONDS.METHOD.TARGET.BODY", TARGET being path and query as they stand in the request
 * line. Pure: the time is the caller's. A signature holds for SIGNATURE_WINDOW_S, so what it
 * allows must be harmless when it is sent twice.
 */
#ifndef COMMON_SIGNATURE_H
#define COMMON_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SIGNATURE_HEADER "Reelfarm-Signature"

enum {
    SIGNATURE_TEXT = 96,       /* the header's value with its NUL */
    SIGNATURE_WINDOW_S = 300,  /* older than that it holds no more; nor from so far ahead */
    SIGNATURE_SECRET_MIN = 16, /* bytes */
};

/* What is signed. All borrowed. */
struct signature_request {
    const char *method; /* "PUT" */
    const char *target; /* "/titles/x?revision=3" */
    const void *body;   /* may be NULL where there is none */
    size_t body_size;   /* bytes */
};

/* Writes the header's value. */
void signature_make(const struct signature_request *request, const void *secret, size_t secret_size,
                    int64_t now_s, char out[SIGNATURE_TEXT]);

/* Whether the header's value, which may be NULL and may lie, is a signature of the request by the
 * secret: FORBIDDEN with a sentence that tells a missing one, one that can't be read, one whose
 * time is off, and a wrong one apart. */
int signature_check(const struct signature_request *request, const char *value, const void *secret,
                    size_t secret_size, int64_t now_s, struct err *err);

#endif
