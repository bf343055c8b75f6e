/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common encryption (ISO/IEC 23001-7) as others package it: what a sample entry and a fragment say
 * of it. Nothing is decrypted, and no key is read. Private to packager/.
 */
#ifndef PACKAGER_PROTECTION_H
#define PACKAGER_PROTECTION_H

#include "fragment.h"
#include "mp4_box.h"

enum { KEY_ID_BYTES = 16 };

struct protection_facts {
    bool there;       /* the sample entry is encv or enca; all else is 0 where it is not */
    char original[5]; /* the sample entry that it was: frma */
    char scheme[5];   /* of schm */
    bool is_default;  /* samples are encrypted unless a group of them says otherwise */
    int iv_bytes;     /* of each sample; 0: all have the same */
    int constant_iv_bytes;
    int crypt_blocks, skip_blocks; /* the pattern, 0 and 0 for none */
    uint8_t key_id[KEY_ID_BYTES];
};

/* Reads sinf of a sample entry whose own fields are taken off. CORRUPT where its boxes are not
 * whole. */
int protection_read(struct protection_facts *out, const struct mp4_box *entry, struct err *err);

/* What of it breaks a rule of ISO/IEC 23001-7; NULL for nothing. */
const char *protection_fault(const struct protection_facts *facts);

/* The same of senc in a moof, against its samples. A fragment without one, or with groups of
 * samples that have keys of their own, is not looked into. */
const char *protection_fragment_fault(const struct protection_facts *facts, const uint8_t *moof,
                                      size_t size, const struct run_sample *samples, size_t count);

#endif
