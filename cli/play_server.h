/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of `reelfarm play`: one place of titles, a folder or a prefix in object storage,
 * and the player page, on loopback. Private to cli/.
 *
 *   GET /                       the page; /player.js, /player.css, /hls.min.mjs where built in
 *   GET /titles.json            {"titles": [...], "hls_js": bool}
 *   GET /media/<title>/<path>   a file of a title, whole or one range of it
 *
 * In a folder a title is there once it has a master.m3u8, or an early.m3u8: the page shows it
 * as far as it is made. Nothing else of the place is served: no
 * listing, nothing hidden (so no .reelfarm), nothing behind a symbolic link, no file
 * whose ending is not one of a stream's.
 */
#ifndef CLI_PLAY_SERVER_H
#define CLI_PLAY_SERVER_H

#include <stddef.h>

#include "common/err.h"

struct play_server;

/* Serves `place`: a folder or an s3:// URL with titles below it, or one title's own. `port` 0:
 * any free one. `*out` is owned. NOT_FOUND or INVALID where it is no folder, UNAVAILABLE where
 * the port is taken, or what a store answers. */
int play_server_start(struct play_server **out, const char *place, int port, struct err *err);

/* "http://127.0.0.1:8080/", borrowed. */
const char *play_server_url(const struct play_server *server);

/* How many titles there were at its start. */
size_t play_server_titles(const struct play_server *server);

/* Ends it; answers under way are given half a second. Takes NULL. */
void play_server_stop(struct play_server *server);

#endif
