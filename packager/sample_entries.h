/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sample entries (ISO/IEC 14496-12 12.1.3 and 12.2.3). Private to packager/. */
#ifndef PACKAGER_SAMPLE_ENTRIES_H
#define PACKAGER_SAMPLE_ENTRIES_H

#include "track_codec.h"

/* Appends stsd with the track's one sample entry: for pictures with colr and pasp,
 * which CMAF wants (ISO/IEC 23000-19 9.2.2). */
void sample_description_write(const struct track_config *track, const struct track_layout *layout,
                              struct buf *out);

#endif
