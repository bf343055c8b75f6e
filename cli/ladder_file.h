/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders as people name them on the command line. Private to cli/. */
#ifndef CLI_LADDER_FILE_H
#define CLI_LADDER_FILE_H

#include "common/err.h"
#include "ladders/ladders.h"

/* The ladder of those who name none. */
#define LADDER_DEFAULT "standard"

/* As ladder_load; INVALID also where the ladder waives what is no advice of `verify`. */
int ladder_file_load(struct ladder *out, const char *name_or_path, struct err *err);

#endif
