/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 by OpenSSL's libcrypto, which uses the CPU's own instructions: see hash.h. */
#include "common/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "common/mem.h"

enum { READ_BYTES = 1024 * 1024 };

/* These calls fail only without memory or with a libcrypto that has no SHA-256. */
static void must(int result) {
    if (result != 1) {
        fputs("level=error msg=\"libcrypto can't make SHA-256 hashes\"\n", stderr);
        abort();
    }
}

void sha256_init(struct sha256 *hash) {
    hash->context = EVP_MD_CTX_new();
    must(hash->context != NULL);
    must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
}

void sha256_add(struct sha256 *hash, const void *data, size_t size) {
    must(EVP_DigestUpdate(hash->context, data, size));
}

void sha256_end(struct sha256 *hash, uint8_t out[SHA256_BYTES]) {
    must(EVP_DigestFinal_ex(hash->context, out, NULL));
    sha256_finish(hash);
}

void sha256_finish(struct sha256 *hash) {
    EVP_MD_CTX_free(hash->context);
    hash->context = NULL;
}

void sha256_of(const void *data, size_t size, uint8_t out[SHA256_BYTES]) {
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, data, size);
    sha256_end(&hash, out);
}

void sha256_hex(const uint8_t hash[SHA256_BYTES], char out[SHA256_TEXT]) {
    id_hex(hash, SHA256_BYTES, out);
}

void sha256_hex_of(const void *data, size_t size, char out[SHA256_TEXT]) {
    uint8_t hash[SHA256_BYTES];
    sha256_of(data, size, hash);
    sha256_hex(hash, out);
}

void sha256_code_of(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[SHA256_BYTES]) {
    uint8_t code[SHA256_BYTES];
    must(HMAC(EVP_sha256(), key, (int)key_size, data, size, code, NULL) != NULL);
    memcpy(out, code, sizeof(code));
}

int sha256_file(int fd, uint8_t out[SHA256_BYTES], sha256_progress *progress, void *context,
                struct err *err) {
    struct sha256 hash = {0};
    int code = 0;
    int64_t done = 0;
    uint8_t *block = mem_resize(NULL, READ_BYTES, 1);
    sha256_init(&hash);
    for (;;) {
        ssize_t got = pread(fd, block, READ_BYTES, done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            code = err_set_errno(err, errno, "reading at byte %lld for its hash", (long long)done);
            break;
        }
        if (got == 0) {
            sha256_end(&hash, out);
            break;
        }
        sha256_add(&hash, block, (size_t)got);
        done += got;
        if (progress != NULL && progress(context, done) != 0) {
            code = err_set(err, ERR_CANCELLED, "hashing was stopped after %lld bytes",
                           (long long)done);
            break;
        }
    }
    sha256_finish(&hash);
    mem_free(block);
    return code;
}
