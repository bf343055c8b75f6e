/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the next page of a search begins, as clients hand it back. Pure. Private to catalog/. */
#ifndef CATALOG_CURSOR_H
#define CATALOG_CURSOR_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* The zero value is where the first page begins. */
struct cursor {
    int64_t taken; /* so many are on the pages before */
    int64_t bound; /* titles with higher numbers came later, and are on none of its pages */
    int64_t last;  /* number of the last title of the page before */
    int64_t order; /* in which the first page began: one of enum cursor_order or above; 0: this is
                      the first */
};

/* By what titles are ranked. It is found anew from how many a filter lets through, which may change
 * between two pages: in another order some would come twice. */
enum cursor_order {
    CURSOR_OF_MANY = 1,
    CURSOR_OF_FEW,
    CURSOR_OF_MARK, /* of few, and the first of the filter's marks has a say; then the others */
};

/* Reads what cursor_write has written; "" is the first page. INVALID for anything else. */
int cursor_read(struct cursor *out, const char *text, struct err *err);

/* Appends it: "50-1200-37-1". */
void cursor_write(const struct cursor *cursor, struct buf *out);

#endif
