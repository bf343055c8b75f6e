/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a source without a scheduler. Private to cli/. */
#ifndef CLI_CLI_PROBE_H
#define CLI_CLI_PROBE_H

#include "ladders/ladders.h"

/* Probes the source as a title of this ladder would be; Ctrl-C cancels. `sandbox` is
 * that of sandbox_option.h. `document`
 * is the caller's zeroed struct, owned by it. */
int cli_probe(struct source_document *document, const char *source, const struct ladder *ladder,
              const char *sandbox, struct err *err);

#endif
