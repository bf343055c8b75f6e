/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ladder as people write it. Private to ladders/. */
#ifndef LADDERS_PARSE_H
#define LADDERS_PARSE_H

#include "ladders/ladders.h"

/* Fills all of `out` but its name; leaves it alone on errors, which name the field
 * and what is allowed. README.md is the reference of the fields. */
void ladder_file_read(struct ladder *out, struct reader *r);

/* Fills the list of waived advice, which a file and its JSON have in the same form; nothing
 * where it is not there. Which advice there is, others know. */
void ladder_waive_read(struct ladder *ladder, struct reader *r);

#endif
