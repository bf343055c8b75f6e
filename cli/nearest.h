/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of some words is meant by one that is none of them. Pure. Private to cli/. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/* Begun by `typed` alone, of which the first `length` bytes count; then each word is tried. */
struct nearest {
    const char *typed;
    size_t length;
    const char *word; /* the nearest of those that were tried, borrowed; NULL: none is near */
    int slips;        /* letters lacking, too many, wrong or changed places, by which it differs */
};

/* Takes a word that is nearer than all before it, and near: by one slip, or two in a long word, or
 * since it begins so. */
void nearest_try(struct nearest *nearest, const char *word);

#endif
