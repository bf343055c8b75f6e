/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 (FIPS 180-4) of memory, of streams and of files, and codes by it (HMAC).
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    SHA256_BYTES = 32,
    SHA256_TEXT = 65, /* hex digits and a NUL */
};

/* A hash being made. */
struct sha256 {
    void *context; /* owned */
};

/* Starts a hash; ends with sha256_end or sha256_finish. */
void sha256_init(struct sha256 *hash);

/* Adds bytes to what is hashed. */
void sha256_add(struct sha256 *hash, const void *data, size_t size);

/* Gives the hash of all that was added and frees what it held. */
void sha256_end(struct sha256 *hash, uint8_t out[SHA256_BYTES]);

/* Frees a hash that is not wanted any more; takes a zeroed or ended one. */
void sha256_finish(struct sha256 *hash);

/* The hash of bytes in memory, raw or as lower-case hex. */
void sha256_of(const void *data, size_t size, uint8_t out[SHA256_BYTES]);
void sha256_hex_of(const void *data, size_t size, char out[SHA256_TEXT]);

/* Lower-case hex of a raw hash. */
void sha256_hex(const uint8_t hash[SHA256_BYTES], char out[SHA256_TEXT]);

/* HMAC-SHA-256 (RFC 2104) of bytes in memory. `out` may be the key itself. */
void sha256_code_of(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[SHA256_BYTES]);

/* Called after each MiB with the bytes done so far; another answer than 0 stops. */
typedef int sha256_progress(void *context, int64_t done);

/*
 * The hash of a file from its first byte to its end, by reads of 1 MiB that leave
 * the descriptor's offset alone. `progress` may be NULL. CANCELLED where it
 * answered other than 0; the code of the read's errno otherwise.
 */
int sha256_file(int fd, uint8_t out[SHA256_BYTES], sha256_progress *progress, void *context,
                struct err *err);

#endif
