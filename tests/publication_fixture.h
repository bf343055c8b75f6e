/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What suites of publications share beyond the world of publish_fixture.h: a title's way up to a
 * push, calls that change what is to be published, and what people are told. */
#ifndef TESTS_PUBLICATION_FIXTURE_H
#define TESTS_PUBLICATION_FIXTURE_H

#include "publish_fixture.h"

/* One edge, e1, that holds everything. */
extern const char publish_one_edge[];

/* Makes a version, up to the first push, which is leased. */
void world_make(struct world *world, const char *title, int ladder, const char *version);

/* The one push that is due, which the test fails without; borrowed until the next lease. */
const struct task *world_lease_push(struct world *world, const char *endpoint);

/* Asks of the title t; the test fails where that is refused. */
void world_must(struct world *world, world_ask *ask, const char *endpoint, const char *version);

/* Takes the title away; its files stay where a version is named. */
extern world_ask ask_remove;

/* As if the origin had dropped all versions of the title. */
extern world_ask ask_forget_version;

/* Whether people are told so, in these words, of a title. */
bool world_is_told(struct world *world, const char *title, fixture_view *view,
                   const char *sentence);

/* Whether the title t is told to wait so, beside one of its endpoints; a time of 0: none. */
bool world_is_told_to_wait(struct world *world, const char *what, int64_t since, int64_t until,
                           const char *reason);

#endif
