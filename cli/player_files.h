/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The player's files, as the build put them into the program. Private to cli/. */
#ifndef CLI_PLAYER_FILES_H
#define CLI_PLAYER_FILES_H

#include <stddef.h>

struct player_file {
    const char *path; /* "/player.js" */
    const char *type;
    const char *data;
    size_t size;
};

/* Ended by a row without a path. */
extern const struct player_file player_files[];

#endif
