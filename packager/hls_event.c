/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Early playlists: HLS EVENT lists of the head of a title, while the rest is being encoded
 * (RFC 8216 6.2.1, STANDARDS section 1). They only ever grow, and end by EXT-X-ENDLIST.
 */
#include <inttypes.h>

#include "hls_text.h"

void early_multivariant_write(const struct presentation *p, const char *folder, struct buf *out) {
    hls_header_write(out);
    buf_string(out, "#EXT-X-START:TIME-OFFSET=0\n"); /* or players join near the end */
    hls_streams_write(&p->periods[0], folder, out);
}

void early_media_write(const struct presentation *p, const struct presented_track *track,
                       bool ended, struct buf *out) {
    hls_header_write(out);
    hls_target_write(p, "EVENT", out);
    hls_map_write(track, "../../", out);
    hls_segments_write(track, "../../", out);
    if (ended) {
        buf_string(out, "#EXT-X-ENDLIST\n");
    }
}
