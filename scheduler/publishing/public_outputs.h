/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where players read what lies in outputs: pure rules over names. A rule is PLACE=URL, such as
 * "s3://films=https://cdn.example/films /srv/streams=http://10.0.0.5:8080/media"; rules are
 * separated by blanks or commas. What lies in PLACE, or below it, is read at URL, or below that.
 */
#ifndef SCHEDULER_PUBLISHING_PUBLIC_OUTPUTS_H
#define SCHEDULER_PUBLISHING_PUBLIC_OUTPUTS_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

/* INVALID for a text that is no list of rules; NULL and "" are one without any. */
int public_outputs_check(const char *rules, struct err *err);

/* Appends the URL of the folder `title` in `output`, by the rule with the longest place; answers
 * false, appending nothing, where no rule has it. */
bool public_outputs_url(const char *rules, const char *output, const char *title, struct buf *out);

/* Whether a rule has just this URL. */
bool public_outputs_has(const char *rules, const char *url);

/* Appends a blank and an origin ("https://cdn.example") for each origin that rules name: what a
 * Content-Security-Policy lets a page read from. Once each. */
void public_outputs_origins(const char *rules, struct buf *out);

#endif
