/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names nobody else has, and random numbers, all from the kernel's generator.
 */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stddef.h>
#include <stdint.h>

enum {
    ID_TEXT = 27,       /* bytes of an id with its NUL: 128 bits, five a character */
    ID_TOKEN_TEXT = 65, /* bytes of a secret with its NUL: 256 bits in hex */
};

/* Fills `out`. Ends the process where the kernel gives no random bytes. */
void id_bytes(void *out, size_t size);

/* 26 characters of [0-9a-z] without i, l, o, u: 128 random bits. Fit for names of
 * files, sessions and tasks. */
void id_make(char out[ID_TEXT]);

/* 64 hex digits: 256 random bits. Fit for a bearer token. */
void id_token(char out[ID_TOKEN_TEXT]);

/* A number in [0, bound), each equally likely; `bound` > 0. */
uint64_t id_number(uint64_t bound);

/* `size` bytes as 2 * size lower-case hex digits and a NUL. */
void id_hex(const void *bytes, size_t size, char *out);

#endif
