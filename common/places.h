/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a farm's sources may come from and its outputs may go: pure rules over names. */
#ifndef COMMON_PLACES_H
#define COMMON_PLACES_H

#include "common/err.h"

/*
 * Whether `place`, a path or URL that is a title's `what` ("source"), is within one of `allowed`:
 * places separated by blanks, such as "s3://masters https://media.example/films /srv/media".
 * A place is within another that it continues after a '/': "s3://masters" has nothing of
 * "s3://masters-old". Names that climb ("..", also percent-encoded) are within none.
 * FORBIDDEN, with what is allowed. NULL or "" allows all.
 */
int places_check(const char *allowed, const char *what, const char *place, struct err *err);

#endif
