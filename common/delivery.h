/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How an object of a stream is given to players, by its path below the title's folder:
 * under which media type, and for how long a cache may keep it (ARCHITECTURE section 8).
 */
#ifndef COMMON_DELIVERY_H
#define COMMON_DELIVERY_H

#include <stdbool.h>

/* The Content-Type by the path's ending; NULL for what no stream is made of. */
const char *delivery_type(const char *path);

/* Whether what lies at the path can never change: a version's documents, and what lies
 * in a version's folder or a rendition's. */
bool delivery_is_immutable(const char *path);

/* The Cache-Control: a year for what can never change; the rest is asked for anew each
 * time, which costs an answer without a body while it is as it was. */
const char *delivery_caching(const char *path);

#endif
