/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title is at each edge and catalog, and the calls that change it. Private to cli/. */
#ifndef CLI_PUBLICATION_TEXT_H
#define CLI_PUBLICATION_TEXT_H

#include "client.h"
#include "command.h"
#include "common/buf.h"
#include "common/json.h"

/* A line for each endpoint that an answer with "publications" names; nothing of an answer of a
 * scheduler that knows of none. */
void publications_text(struct reader *answer, struct buf *out);

/* Of a title that the farm has forgotten: the answer, whose "publications" are what endpoints
 * hold of it still; `waits`: once those that can be reached are rid of it. Owned; NULL where none
 * has it, and of an older scheduler. */
int publications_left(struct client *client, const char *title, bool waits, struct json **answer,
                      struct err *err);

/* A command that is one POST about the title that is its word, with its options `endpoint` (or
 * `edge`) and `version` where they are given: makes the call "/v1/titles/T/VERB" and tells what
 * came of it; `said` as "is published" of "movie is published". With its option `wait` it ends, and
 * tells, when the endpoints have followed (publication_wait.h). Returns the exit code. */
int publication_tell(const struct invocation *invocation, const char *verb, const char *said);

#endif
