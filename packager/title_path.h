/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of objects below a title's folder, as manifests refer to them. Private to
 * packager/. */
#ifndef PACKAGER_TITLE_PATH_H
#define PACKAGER_TITLE_PATH_H

#include "common/err.h"

enum { TITLE_PATH_TEXT = 512 };

/*
 * Resolves a reference (RFC 3986 5.2) found in the object at `base`; `base` and the
 * result are paths below the title's folder, and a result that ends with a slash may
 * be the next base. INVALID for what does not stay there whatever the title's own
 * address is: a scheme, a leading slash, a query, too many "..", characters that
 * would be escaped.
 */
int title_path_resolve(char out[TITLE_PATH_TEXT], const char *base, const char *reference,
                       struct err *err);

#endif
