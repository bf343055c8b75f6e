/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's one table of options: file, environment, flags and --help follow from it. */
#ifndef WORKERS_OPTIONS_H
#define WORKERS_OPTIONS_H

#include "common/config.h"
#include "daemon.h"

/* Fills `options` from all sources; `config` keeps its texts: config_finish is due in any
 * case. argv without the program's name. INVALID with a sentence. */
int options_load(struct daemon_options *options, struct config *config, int argc, char **argv,
                 struct err *err);

/* Appends the text of --help. */
void options_help(struct buf *out);

#endif
