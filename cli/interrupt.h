/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C and SIGTERM as a flag that long work looks at. Private to cli/. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdatomic.h>

/* Catches SIGINT, SIGTERM and SIGHUP from now on; the flag is set by the first. A
 * second one ends the process at once. */
const atomic_bool *interrupt_catch(void);

#endif
