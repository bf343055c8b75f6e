/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boxes of ISO/IEC 14496-12 (4.2): a writer by marks and a bounded reader for
 * bytes from outside. Private to packager/.
 */
#ifndef PACKAGER_MP4_BOX_H
#define PACKAGER_MP4_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* ---- Writing --------------------------------------------------------------- */

/* Begins a box of four letters; returns the mark that mp4_close wants. */
size_t mp4_open(struct buf *out, const char *type);

/* The same with the version and flags of a FullBox. */
size_t mp4_full_open(struct buf *out, const char *type, uint8_t version, uint32_t flags);

/* Ends the box: writes its size. */
void mp4_close(struct buf *out, size_t mark);

/* ---- Reading --------------------------------------------------------------- */

struct mp4_box {
    char type[5];         /* unprintable bytes as '?' */
    const uint8_t *start; /* of its header; borrowed */
    size_t size;          /* header included */
    struct bytes body;    /* what follows the header */
    uint8_t version;      /* of a FullBox, once mp4_full took them off its body; else 0 */
    uint32_t flags;
};

/* Reads the next box of `from`. CORRUPT where its size is below its header's or
 * beyond the end; a size of 0 ("to the end") is refused. */
int mp4_next(struct bytes *from, struct mp4_box *out, struct err *err);

/* Whether it is of that type, of four letters. */
bool mp4_is(const struct mp4_box *box, const char *type);

/* Reads version and flags of a FullBox from the start of its body; a body too short for them is
 * told by mp4_done. */
void mp4_full(struct mp4_box *box);

/* Finds the one child of that type; CORRUPT for none or two. Looks through all
 * children, whose sizes must add up to the parent's. */
int mp4_child(const struct mp4_box *parent, const char *type, struct mp4_box *out, struct err *err);

/* The same where it may be absent: `*found` tells. */
int mp4_child_maybe(const struct mp4_box *parent, const char *type, struct mp4_box *out,
                    bool *found, struct err *err);

/* As mp4_child, of a FullBox: mp4_full is done. */
int mp4_full_child(const struct mp4_box *parent, const char *type, struct mp4_box *out,
                   struct err *err);

/* After the last field of a leaf: CORRUPT where the box was too short for its
 * fields, or has bytes left over. */
int mp4_done(const struct mp4_box *box, struct err *err);

/* Names the box at `offset` of well-formed bytes of our own: "moof/traf/tfhd". */
void mp4_path_at(const uint8_t *data, size_t size, size_t offset, char *out, size_t out_size);

#endif
