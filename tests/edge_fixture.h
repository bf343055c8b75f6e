/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An endpoint and a title at it, for suites of the drivers of edges. */
#ifndef TESTS_EDGE_FIXTURE_H
#define TESTS_EDGE_FIXTURE_H

#include "workers/edges/edge.h"

/* An endpoint "paris" of a driver, at a URL, with eight connections; both are borrowed, and may
 * be NULL where they are filled in later. */
struct push_endpoint edge_fixture_endpoint(const char *driver, const char *url);

/* The title "t" there, whose origin is a folder; both are borrowed. It is known by no secret, is
 * never cancelled, and stalls after a second. */
struct edge_target edge_fixture_target(const struct push_endpoint *endpoint, const char *origin);

#endif
