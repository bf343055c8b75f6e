/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that are compiled into the program: tables of files, which web/embed.cmake writes. */
#ifndef COMMON_WEB_H
#define COMMON_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "http_server.h"

struct web_file {
    const char *path; /* "/player.js" */
    const char *type;
    const char *etag; /* with its quotes */
    bool for_ever;    /* its path says what it holds: caches need not ask again */
    const char *data;
    size_t size;
};

/* hls.js (at WEB_HLS_JS), shaka-player and dash.js; nothing where the build had no npm. Ended by a
 * row without a path. */
#define WEB_HLS_JS "/hls.min.mjs"
extern const struct web_file web_players[];

/* The file of a path in a table that ends with a row without one; NULL where it is not there. */
const struct web_file *web_file_find(const struct web_file *files, const char *path);

/* Answers a GET or HEAD with the file, or with 304 where the client has it, and gives the exchange
 * up. `policy` is the Content-Security-Policy, NULL for none. Answers the status. */
int web_file_answer(struct exchange *exchange, const struct web_file *file, const char *policy);

/* Whether a list of tags such as an If-None-Match (NULL: none) has this one: RFC 9110 13.1.2. */
bool web_etag_listed(const char *list, const char *etag);

#endif
