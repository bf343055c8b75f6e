/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A farm of one machine for as long as one command runs: a private scheduler in
 * this process with a store of its own (output_place.h), and worker processes that
 * lease from it over loopback HTTP, as on the farm. Private to cli/.
 */
#ifndef CLI_PRIVATE_FARM_H
#define CLI_PRIVATE_FARM_H

#include <stdbool.h>

#include "client.h"

struct private_farm;

struct private_farm_options {
    const char *out;     /* what gets the titles: a folder, made where it is not there, or s3:// */
    int workers;         /* processes, each with one task at a time */
    const char *sandbox; /* of their children: sandbox_option.h; borrowed */
};

/* `*out` is owned. CONFLICT where another run of
 * this user on this machine uses the output (any run, where it is a folder). */
int private_farm_start(struct private_farm **out, const struct private_farm_options *options,
                       struct err *err);

/* Removes the private store, and of every title all that none of its versions names.
 * CONFLICT as above: what another machine is making in an object store right now, and has not
 * published, is taken for a leftover. */
int private_farm_clean(const char *out, struct err *err);

/* The output's absolute path or URL, and a client of the scheduler; borrowed. */
const char *private_farm_out(const struct private_farm *farm);
struct client *private_farm_client(struct private_farm *farm);

/* To be called often: tells the scheduler of workers that died and starts others in
 * their place. INTERNAL where they keep dying, NO_SPACE where the store's disk is full, CORRUPT
 * where the store is damaged: nothing goes on then. */
int private_farm_tend(struct private_farm *farm, struct err *err);

/* Stops the workers at once and the scheduler; what was done stays in the store.
 * Takes NULL. */
void private_farm_stop(struct private_farm *farm);

#endif
