/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A farm without HTTP, workers or media for the scheduler's suites: the true store
 * and decisions under a clock that the test moves, sources and reports made up.
 */
#ifndef TESTS_SCHEDULER_FIXTURE_H
#define TESTS_SCHEDULER_FIXTURE_H

#include <stdatomic.h>

#include "common/wire.h"
#include "scheduler/farm.h"
#include "scheduler/outcome.h"
#include "scheduler/store.h"
#include "scheduler/titles.h"

#define FIXTURE_BUILD  "x264 test layout=1"
#define FIXTURE_SOUND  "aac test layout=1"
#define FIXTURE_IMAGES "posters test layout=1"

/* Two rungs, of which the second is another one with another rate ("400k"), and a sound. */
#define FIXTURE_LADDER(rate)                                                                       \
    "rungs:\n"                                                                                     \
    "  - {height: 360, maxrate: 1200k}\n"                                                          \
    "  - {height: 180, maxrate: " rate "}\n"                                                       \
    "codec: h264\n"                                                                                \
    "crf: 25\n"                                                                                    \
    "audio:\n"                                                                                     \
    "  - {codec: aac, channels: 2, bitrate: 96k}\n"

/* A source of 1280x720 at 24 frames a second with a random access point each 2 s and
 * `sound` tracks of stereo. Lives in its own arena. */
void fixture_source(struct source_document *out, int64_t frames, int sound);

/* A probe's report of it; `identity` may be "". */
void fixture_probe_report(struct task_report *out, int64_t frames, const char *pin,
                          const char *identity);

/* A report that fits the task; `salt` makes other hashes. Probe: of 2,400 frames. */
void fixture_report(struct task_report *out, const struct task *task, int salt);

/* A ladder as normalised JSON, by a built-in name or YAML text; returns owned. */
char *fixture_ladder(const char *name);

enum {
    FIXTURE_TASKS_MAX = 64,
    FIXTURE_KEEP_MS = 600000, /* what workers do goes on so long when they are lost */
};

struct fixture_farm {
    char *folder;
    char *path;
    struct store *store;
    struct farm farm;
    atomic_int_fast64_t now_ms;
    int64_t memory_bytes;                 /* that workers say is free; default 64 GiB */
    bool images;                          /* workers that join make posters and storyboards */
    const char *images_line;              /* their build line for these; NULL: FIXTURE_IMAGES */
    bool old;                             /* they know nothing that is newer than pushes */
    bool ahead;                           /* they ask for chunks before a slot is */
    bool stopping;                        /* heartbeats say so */
    int64_t ends;                         /* the fence of what ends then */
    struct err err;                       /* of the last call */
    struct task tasks[FIXTURE_TASKS_MAX]; /* of the last lease */
    int task_count;
    int64_t retry_at;
    int64_t stop[FIXTURE_TASKS_MAX]; /* of the last heartbeat */
    int stop_count;
    bool drains; /* as the last heartbeat was told */
};

void fixture_farm_open(struct fixture_farm *farm);
void fixture_farm_close(struct fixture_farm *farm);

/* Closes the store and opens it again, forgetting all that was in memory. */
void fixture_farm_restart(struct fixture_farm *farm);

/* Each returns 0 or the call's error, which `err` holds. */
/* `ladder` is a built-in name, or YAML text with a newline. */
int fixture_submit(struct fixture_farm *farm, const char *title, const char *ladder, bool force);
/* The same with all that the request says but for source, output and ladder. */
int fixture_submit_as(struct fixture_farm *farm, const struct title_request *request,
                      const char *ladder);
/* The same by "h264", but with so many threads an encoder, 1 to 9. */
int fixture_submit_threads(struct fixture_farm *farm, const struct title_request *request,
                           int threads);
/* The same, just as it is. */
int fixture_submit_whole(struct fixture_farm *farm, const struct title_request *request);
int fixture_join(struct fixture_farm *farm, const char *worker, const char *host, int slots,
                 char session[ID_TEXT]);
int fixture_join_with(struct fixture_farm *farm, const char *worker, const char *build,
                      char session[ID_TEXT]);
/* The same of a worker that says how its children are walled in; others are of SANDBOX_FULL. */
int fixture_join_walled(struct fixture_farm *farm, const char *worker, enum sandbox_level sandbox,
                        char session[ID_TEXT]);
int fixture_drain(struct fixture_farm *farm, const char *worker, bool drains);
int fixture_leave(struct fixture_farm *farm, const char *session);

/* Leases up to `slots` tasks of all kinds into `tasks`. */
int fixture_lease(struct fixture_farm *farm, const char *session, int slots);

/* One task, which the test fails without; borrowed until the next lease. */
const struct task *fixture_lease_one(struct fixture_farm *farm, const char *session);

/* A heartbeat that lists these fences, each half done; what to stop goes to `stop`. */
int fixture_beat(struct fixture_farm *farm, const char *session, const int64_t *fences,
                 size_t count);

int fixture_early_source(struct fixture_farm *farm, const char *title,
                         const struct task_report *report);
enum answer fixture_complete(struct fixture_farm *farm, int64_t fence,
                             const struct task_report *report);
enum answer fixture_fail(struct fixture_farm *farm, int64_t fence, enum failure_class class,
                         const char *message);
enum answer fixture_fail_units(struct fixture_farm *farm, int64_t fence, enum failure_class class,
                               const int64_t *units, size_t count);

/* fixture_report and fixture_complete; the test fails where it is not accepted. */
void fixture_make(struct fixture_farm *farm, const struct task *task);

/* A lease, copied so that it outlives the next one. */
struct fixture_held {
    int64_t fence;
    enum task_kind kind;
    size_t count; /* of its units */
    int64_t units[8];
    int64_t memory_bytes;
    bool may_replace; /* its first unit */
    int attempt;
    struct task_report report; /* a good one */
};

/* fixture_lease_one, held; ends with fixture_drop. */
void fixture_take(struct fixture_farm *farm, struct fixture_held *held, const char *session);

/* The same, but makes tasks until one of the kind comes. */
void fixture_take_kind(struct fixture_farm *farm, struct fixture_held *held, const char *session,
                       enum task_kind kind);
void fixture_drop(struct fixture_held *held);

/* Lets all sessions fall silent for longer than the lease time, and sweeps. */
void fixture_lose(struct fixture_farm *farm);

/* Submits, registers, probes (2,400 frames, identity known): a title that runs. */
void fixture_run_title(struct fixture_farm *farm, const char *title, const char *ladder, int slots,
                       char session[ID_TEXT]);

/* Does all that there is to do, one task after another. Returns how many tasks. */
int fixture_work(struct fixture_farm *farm, const char *session);

/* Ends silent sessions. */
int fixture_sweep(struct fixture_farm *farm);
int fixture_cancel(struct fixture_farm *farm, const char *title);

/* Takes the title away; whether it is gone already. */
bool fixture_remove(struct fixture_farm *farm, const char *title, bool keep_files);

/* "running", and so on; the class and the sentence are in `error`. */
const char *fixture_state(struct fixture_farm *farm, const char *title, char *error, size_t size);

/* A unit's row; the test fails where there is none. */
struct unit_row fixture_unit(struct fixture_farm *farm, int64_t id);

/* How many units of the title are in a state. */
int fixture_count(struct fixture_farm *farm, const char *title, const char *state);

/* A view of the API as a parsed tree, owned by the caller. */
typedef void fixture_view(struct tx *tx, struct farm *farm, const char *title, struct writer *w);
struct json *fixture_look(struct fixture_farm *farm, fixture_view *view, const char *title);

#endif
