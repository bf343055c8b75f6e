/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's id made from its source's name. Private to cli/. */
#ifndef CLI_TITLE_NAME_H
#define CLI_TITLE_NAME_H

#include "common/wire.h"

/* "/films/Big Buck (1080p).mp4" -> "big-buck-1080p": the last part of a path or URL
 * without query and ending, in lower case, other characters as single hyphens;
 * "title" where nothing is left. Always valid. */
void title_name_of(const char *source, char out[WIRE_TITLE_TEXT]);

/* The source as workers find it: a URL as it is, a path from the root on. Owned. */
char *source_whole(const char *source);

/* Whether a path or URL can be told to a farm, whose calls are UTF-8. INVALID. */
int place_name_check(const char *place, struct err *err);

/* Whether the source is an http(s) or s3 URL rather than a path. */
bool source_is_url(const char *source);

#endif
