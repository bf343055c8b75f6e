/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What playlists of a version (hls.c) and early ones (hls_event.c) are written of. All append
 * text to `out`. Private to packager/. */
#ifndef PACKAGER_HLS_TEXT_H
#define PACKAGER_HLS_TEXT_H

#include "packager/packager.h"

/* The first lines of every playlist. */
void hls_header_write(struct buf *out);

/* All sounds and variants, whose media playlists lie in `folder`. A track without an average
 * rate declares none. */
void hls_streams_write(const struct period *period, const char *folder, struct buf *out);

/* EXT-X-TARGETDURATION, EXT-X-MEDIA-SEQUENCE and EXT-X-PLAYLIST-TYPE of a media playlist. */
void hls_target_write(const struct presentation *p, const char *type, struct buf *out);

/* EXT-X-MAP; `above` leads from the playlist's folder to the title's: "../". */
void hls_map_write(const struct presented_track *track, const char *above, struct buf *out);

/* Every segment of the track. */
void hls_segments_write(const struct presented_track *track, const char *above, struct buf *out);

#endif
