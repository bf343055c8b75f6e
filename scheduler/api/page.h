/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page at /: the files of web/, compiled in. It does all that it does by the public API. */
#ifndef SCHEDULER_API_PAGE_H
#define SCHEDULER_API_PAGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/http_server.h"

/* Answers an exchange that asks for a file of the page, and gives it up; false for any other.
 * `policy` is page_policy's. */
bool page_answer(struct exchange *exchange, const char *policy, int *status);

/* Appends the page's Content-Security-Policy. What it may read from other origins is what
 * public_outputs.h's rules name, and no more. */
void page_policy(const char *public_outputs, struct buf *out);

#endif
