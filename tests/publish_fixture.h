/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A farm that publishes, with an origin, edges and catalogs that are made up: what each holds is
 * names of versions and folders, and tasks change that one small step after another, so that a
 * test may stop anywhere. After each step it is checked that nothing is listed that is not there,
 * and that order was kept.
 */
#ifndef TESTS_PUBLISH_FIXTURE_H
#define TESTS_PUBLISH_FIXTURE_H

#include "scheduler/publishing/endpoints.h"
#include "scheduler/publishing/publication.h"
#include "scheduler_fixture.h"

#define PUBLISH_A "aaaaaaaaaaaaaaaa"
#define PUBLISH_B "bbbbbbbbbbbbbbbb"
#define PUBLISH_C "cccccccccccccccc"

/* Two edges and a catalog, that hold everything. */
extern const char publish_two_edges[];

enum { SITES_MAX = 8, NAMES_MAX = 64, SITE_NAME_TEXT = WIRE_FOLDER_TEXT + 16 };

struct names {
    int count;
    char list[NAMES_MAX][SITE_NAME_TEXT];
};

/* The origin, an edge or a catalog. */
struct site {
    char name[ENDPOINT_TEXT];
    char stable[VERSION_TEXT]; /* what its stable names give; "": nothing */
    struct names versions;
    struct names folders;
    int64_t revision; /* of a catalog: the last it took */
    bool is_catalog;
    bool fetches;             /* from the origin, what players ask for */
    enum failure_class fails; /* what becomes of pushes to it; FAILURE_COUNT: they succeed */
    int fails_after;          /* so many steps of each, which are done */
    int64_t hangs_ms;         /* before it fails */
    bool untold;              /* a push has changed it, and its end was not told */
    bool is_hook;             /* it hears events, and nothing else of this is said of it: */
    int64_t heard;            /* the last of them */
    int64_t heard_count;      /* those that came after all that were there before them */
};

struct world {
    struct fixture_farm farm;
    char session[ID_TEXT];
    struct endpoints endpoints;
    struct site origin;
    struct site sites[SITES_MAX];
    int site_count;
    const char *version; /* that packages make */
    int steps;           /* that were done */
    int stop_at;         /* no step is done past so many; -1: all are */
    bool check_order;    /* between catalog, edges and origin */
    bool check_told;     /* what is told of the title t, which must be the only one */
    int64_t horizon_ms;  /* that world_work waits at most; default an hour */
    struct task task;    /* that world_work is at, owned */
    bool is_busy;        /* with it */
    int at;              /* its next step; -1: its report */
};

/* `file` is the text of a file of endpoints. */
void world_open(struct world *world, const char *file);
void world_close(struct world *world);

/* Another file of endpoints, and a scheduler that starts with it. */
void world_list(struct world *world, const char *file);

/* The scheduler is killed and starts again. Its worker goes with it, or lives on. */
void world_kill(struct world *world, bool worker_too);

struct site *world_site(struct world *world, const char *name);

/* Runs a call on the store, as the API does. Returns its error's code. */
typedef void world_ask(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                       const char *version);
int world_call(struct world *world, world_ask *ask, const char *title, const char *endpoint,
               const char *version);
extern world_ask ask_publish, ask_unpublish, ask_roll_back;

/* Submits by ladder 0, 1 or 2, that differ in one rung. */
void world_submit(struct world *world, const char *title, int ladder, const char *version);

/* What time alone brings about. */
void world_sweep(struct world *world);

/* Leases pushes alone; how many there were, in `farm.tasks`. */
int world_lease_pushes(struct world *world, int slots);

/* Does a task, and reports. */
void world_do(struct world *world, const struct task *task);

/* Does all that there is to do, also by waiting up to the horizon; false where `stop_at` is
 * reached. */
bool world_work(struct world *world);

/* Submits and works. */
void world_run(struct world *world, const char *title, int ladder, const char *version);

/* Whether a site holds just these versions, each with its folders: "BA" for B, which is current,
 * and A; "" for none. */
void world_expect(struct world *world, const char *title, struct site *site, const char *letters);

/* "held", "waiting" and so on of a title at an endpoint; "none" where there is no such. */
const char *world_state(struct world *world, const char *title, const char *endpoint);

/* Whether it is said to be on its way. */
bool world_pending(struct world *world, const char *title, const char *endpoint);
bool world_published(struct world *world, const char *title);

/* What people are told of all endpoints. */
extern fixture_view world_view_endpoints;

/* Whether a webhook has heard all events that it is to, once in the order of the feed. */
bool world_heard_all(struct world *world, const struct site *site);

/* What must be so at any time, as after each step. */
void world_check(struct world *world);

/* Whether the title's row is there. */
bool world_has(struct world *world, const char *title);

#endif
