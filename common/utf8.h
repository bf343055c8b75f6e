/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is UTF-8 and what is not: RFC 3629. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the sequence at `text`, which ends with a NUL; 0 if it is broken, or a control. */
size_t utf8_length(const unsigned char *text);

/* Whether all of it is, and so is read by others as it was written. */
bool utf8_is_whole(const char *text);

#endif
