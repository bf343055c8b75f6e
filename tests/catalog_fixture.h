/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What publishers tell a catalog, for suites of it. */
#ifndef TESTS_CATALOG_FIXTURE_H
#define TESTS_CATALOG_FIXTURE_H

#include <stdint.h>

#include "common/json.h"

/* What a publisher says. Unset texts are the usual ones. */
struct said {
    const char *title;
    int64_t revision;
    const char *labels; /* JSON: "[\"show=news\"]" */
    const char *language;
    const char *tenant;
    const char *published_at;
    const char *find, *put; /* the first of these in the body becomes the other */
};

/* The body of such a PUT, with the document of tests/golden: languages und, 360p and 720p.
 * Returns owned. */
struct json *said_body(const struct said *said);

#endif
