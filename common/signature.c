/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One header that signs a request: see signature.h. */
#include "common/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/hash.h"

enum { DIGITS_MAX = 12, CODE_LETTERS = 2 * SHA256_BYTES };

static void make_code(const struct signature_request *request, const void *secret,
                      size_t secret_size, int64_t at_s, char out[SHA256_TEXT]) {
    struct buf text = {0};
    uint8_t code[SHA256_BYTES];
    buf_format(&text, "%" PRId64 ".%s.%s.", at_s, request->method, request->target);
    if (request->body_size > 0) {
        buf_append(&text, request->body, request->body_size);
    }
    sha256_code_of(secret, secret_size, text.data, text.size, code);
    sha256_hex(code, out);
    buf_finish(&text);
}

void signature_make(const struct signature_request *request, const void *secret, size_t secret_size,
                    int64_t now_s, char out[SIGNATURE_TEXT]) {
    char code[SHA256_TEXT];
    make_code(request, secret, secret_size, now_s, code);
    snprintf(out, SIGNATURE_TEXT, "t=%" PRId64 ",v1=%s", now_s, code);
}

/* Takes a value apart: the time, and where the code begins. NULL where it is none. */
static const char *read_value(const char *value, int64_t *at_s) {
    int64_t time = 0;
    if (strncmp(value, "t=", 2) != 0) {
        return NULL;
    }
    const char *digits = value + 2;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > DIGITS_MAX || strncmp(digits + count, ",v1=", 4) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        time = 10 * time + (digits[i] - '0');
    }
    const char *code = digits + count + 4;
    if (strlen(code) != CODE_LETTERS || strspn(code, "0123456789abcdef") != CODE_LETTERS) {
        return NULL;
    }
    *at_s = time;
    return code;
}

/* Takes as long whatever the letters are: how many fit must not be told by the time it takes. */
static bool is_equal(const char *left, const char *right) {
    unsigned differ = 0;
    for (size_t i = 0; i < CODE_LETTERS; i++) {
        differ |= (unsigned char)left[i] ^ (unsigned char)right[i];
    }
    return differ == 0;
}

int signature_check(const struct signature_request *request, const char *value, const void *secret,
                    size_t secret_size, int64_t now_s, struct err *err) {
    int64_t at_s = 0;
    char code[SHA256_TEXT];
    if (value == NULL) {
        return err_set(err, ERR_FORBIDDEN,
                       "the request has no signature; sign it in the header " SIGNATURE_HEADER);
    }
    const char *given = read_value(value, &at_s);
    if (given == NULL) {
        return err_set(err, ERR_FORBIDDEN,
                       "the header " SIGNATURE_HEADER " is not t=SECONDS,v1=64 hex digits");
    }
    make_code(request, secret, secret_size, at_s, code);
    if (!is_equal(given, code)) {
        return err_set(err, ERR_FORBIDDEN,
                       "the signature is not by this secret and of this request; have both sides "
                       "the same secret, and does a proxy change the path?");
    }
    if (at_s < now_s - SIGNATURE_WINDOW_S || at_s > now_s + SIGNATURE_WINDOW_S) {
        return err_set(err, ERR_FORBIDDEN,
                       "the signature is %" PRId64 " s %s, and holds for %d s; set the clocks",
                       at_s < now_s ? now_s - at_s : at_s - now_s,
                       at_s < now_s ? "old" : "ahead of this clock", (int)SIGNATURE_WINDOW_S);
    }
    return 0;
}
