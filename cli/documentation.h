/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The man page and the shell completion, written from the table of commands when
 * the house is built, so that they can't say anything else. Private to cli/.
 */
#ifndef CLI_DOCUMENTATION_H
#define CLI_DOCUMENTATION_H

#include "common/buf.h"

/* reelfarm.1 in man(7)'s language. */
void manual_write(struct buf *out);

/* A completion file for bash. */
void completion_write(struct buf *out);

#endif
