/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title waits for, in sentences: see why.h. */
#include "why.h"

#include <inttypes.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------- */

static void put_count(struct buf *out, int64_t count, const char *thing) {
    buf_format(out, "%" PRId64 " %s%s", count, thing, count == 1 ? "" : "s");
}

static void put_duration(struct buf *out, int64_t ms) {
    int64_t seconds = (ms + 999) / 1000;
    if (seconds < 60) {
        buf_format(out, "%" PRId64 " s", seconds);
    } else if (seconds < 3600) {
        buf_format(out, "%" PRId64 " min", seconds / 60);
    } else {
        buf_format(out, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
    }
}

static void put_bytes(struct buf *out, int64_t bytes) {
    buf_format(out, "%.1f GiB", (double)bytes / (double)(INT64_C(1) << 30));
}

/* A sentence of another, which may or may not end as one. */
static void put_sentence(struct buf *out, const char *text) {
    size_t length = strlen(text);
    buf_string(out, text);
    buf_string(out, length > 0 && strchr(".!?", text[length - 1]) != NULL ? "" : ".");
}

static const char *is_or_are(int64_t count) {
    return count == 1 ? "is" : "are";
}

/* ---- what holds it up -------------------------------------------------------- */

static bool is_open(const struct why *why) {
    return why->state == TITLE_SUBMITTED || why->state == TITLE_RUNNING ||
           why->state == TITLE_FAILING || why->state == TITLE_REMOVING;
}

static int64_t unit_sum(const struct why *why) {
    int64_t sum = 0;
    for (int i = 0; i < UNIT_STATE_COUNT; i++) {
        sum += why->units[i];
    }
    return sum;
}

/* Units that a worker with a free slot could be given. */
static int64_t ready_now(const struct why *why) {
    int64_t sum = 0;
    for (size_t i = 0; i < why->line_count; i++) {
        sum += why->lines[i].units;
    }
    return sum;
}

/* How many slots a task of those units takes, at least. */
static int64_t slots_each(const struct why *why) {
    int64_t least = 0;
    for (size_t i = 0; i < why->line_count; i++) {
        int64_t slots = why->lines[i].slots;
        least = slots > 0 && (least == 0 || slots < least) ? slots : least;
    }
    return least > 0 ? least : 1;
}

static bool is_capped(const struct why *why) {
    return ready_now(why) > 0 && why->tenant_cap > 0 && why->tenant_running > 0 &&
           why->tenant_running + slots_each(why) > why->tenant_cap;
}

/* Nobody announces the line, or nobody is left of those who do. */
static bool is_stuck(const struct why_line *line) {
    return line->units > 0 && line->able.count == line->able.drained + line->able.weak;
}

/* Some of its units could be leased if those that run them had a free slot. */
static bool is_queued(const struct why *why) {
    for (size_t i = 0; i < why->line_count; i++) {
        const struct why_line *line = &why->lines[i];
        if (line->units > 0 && !is_stuck(line) && line->able.free_slots == 0) {
            return !is_capped(why);
        }
    }
    return false;
}

static int64_t titles_ahead(const struct why *why) {
    bool is_first = why->state == TITLE_REMOVING; /* a removal goes before all work of others */
    return is_first ? 0 : why->above + why->smaller + why->earlier;
}

/* Others are served before it, or while it has nothing. */
static bool is_kept_waiting(const struct why *why) {
    return is_queued(why) && (titles_ahead(why) > 0 || why->task_count == 0);
}

static bool is_held(const struct why *why) {
    bool held = why->unnamed > 0 || why->paused > 0 || is_capped(why) || is_kept_waiting(why);
    for (size_t i = 0; i < why->line_count; i++) {
        held = held || is_stuck(&why->lines[i]);
    }
    return held;
}

/* ---- sentences --------------------------------------------------------------- */

static void say_open(const struct why *why, struct buf *out) {
    static const char *const doings[] = {
        [TITLE_SUBMITTED] = "is at its first step, the reading of its source",
        [TITLE_RUNNING] = "is being made",
        [TITLE_FAILING] = "has failed, and what it made is being removed",
        [TITLE_REMOVING] = "is being removed, with what it published",
    };
    bool held = is_held(why);
    buf_format(out, "%s %s", why->title, doings[why->state]);
    if (why->state == TITLE_FAILING || why->state == TITLE_REMOVING) {
        buf_string(out, held ? ", which something holds up." : ".");
        return;
    }
    int64_t done = why->units[UNIT_DONE];
    int64_t running = why->units[UNIT_LEASED];
    buf_string(out, held ? ", but something holds it up: " : ", and all is well: ");
    buf_format(out, "%" PRId64 " of ", done);
    put_count(out, unit_sum(why), "piece");
    buf_format(out, " of work done, %" PRId64 " running, %" PRId64 " to come.", running,
               unit_sum(why) - done - running - why->units[UNIT_FAILED]);
}

static void say_state(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (is_open(why)) {
        say_open(why, out);
    } else if (why->state == TITLE_DONE) {
        buf_format(out, "%s is done, as version %s%s", why->title, why->version,
                   why->publication_count > 0 ? "; it is not everywhere as it shall be."
                   : why->missing.count > 0   ? "; something is missing."
                                              : "; nothing remains.");
    } else if (why->state == TITLE_CANCELLED) {
        buf_format(out, "%s stopped: %s; `reelfarm retry %s` goes on from what is made already.",
                   why->title, why->error, why->title);
    } else {
        buf_format(out, "%s failed.", why->title);
    }
}

static void say_error(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (why->error[0] != '\0' && why->state != TITLE_CANCELLED) {
        buf_format(out, "It failed (%s): ", why->class[0] == '\0' ? "a fault" : why->class);
        put_sentence(out, why->error);
    }
}

static void say_missing(const struct why *why, size_t index, struct buf *out) {
    bool open = is_open(why);
    buf_format(out, "It %s without its %s (%s): ", open ? "goes on" : "is there",
               why->missing.list[index].id, why->missing.list[index].class);
    put_sentence(out, why->missing.errors[index]);
    if (!open) {
        buf_format(out, " `reelfarm retry %s` tries again, and makes nothing else anew.",
                   why->title);
    }
}

/* What a failure of a class asks of people. */
static const char *const remedies[FAILURE_COUNT] = {
    [FAILURE_BAD_SOURCE] = "Put a sound source in its place",
    [FAILURE_UNSUPPORTED] = "Choose a source and a ladder that are supported",
    [FAILURE_FRAME_COUNT] = "Put a sound source in its place",
    [FAILURE_REFUSED] = "Make room at the output, or let the workers write there",
    [FAILURE_IO] = "See that the workers reach the source and the output",
    [FAILURE_KILLED] = "See on the workers' machines who kills their encoders",
    [FAILURE_TIMEOUT] = "See why the workers are so slow, or hang",
    [FAILURE_OOM] = "Give it workers with more memory",
    [FAILURE_CRASH] = "See the workers' logs for what broke their encoders",
    [FAILURE_LIES] = "See the workers' logs for what their encoders made",
    [FAILURE_NONDETERMINISTIC] = "Let workers of one build and one kind of processor run it",
    [FAILURE_MISSING] = "See who removes files from the output",
    [FAILURE_ENDPOINT] = "See what the edge or catalog lacks",
};

static void say_remedy(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (why->state != TITLE_FAILED) {
        return;
    }
    int class = failure_class_from_name(why->class);
    buf_format(out, "%s; then `reelfarm retry %s`, or a new submission, runs it again.",
               class < 0 ? "See what the sentence asks for" : remedies[class], why->title);
}

static void say_task(const struct why *why, size_t index, struct buf *out) {
    const struct why_task *task = &why->tasks[index];
    if (task->kind == TASK_PROBE) {
        buf_format(out, "Its source is being read by %s", task->worker);
    } else {
        buf_string(out, task_kind_name(task->kind));
        if (task->chunk >= 0) {
            buf_format(out, " of chunk %d", task->chunk + 1); /* as the page counts */
        }
        if (task->renditions[0] != '\0') {
            buf_format(out, " for %s", task->renditions);
        }
        buf_format(out, " runs on %s", task->worker);
    }
    buf_string(out, " for ");
    put_duration(out, task->for_ms);
    buf_format(out, ", %.0f %% done", 100 * task->share);
    if (kind_is_media(task->kind)) {
        buf_string(out, "; it is expected to take ");
        put_duration(out, (int64_t)(1000 * task->expected_s));
        buf_string(out, " and ");
        put_bytes(out, task->reserve_bytes);
        buf_format(out, " of memory there. %s was the first to ask of ", task->worker);
        put_count(out, task->able, "worker");
        buf_format(out, " that could do it, of %" PRId64 " in all", why->workers.count);
    }
    buf_string(out, ".");
    if (task->hedges[0] != '\0') {
        buf_format(out,
                   " It is the second to run it, since %s takes much longer than expected: the "
                   "first result counts, and the other is stopped.",
                   task->hedges);
    }
}

static void say_more_tasks(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (why->task_count > WHY_TASKS_SHOWN) {
        put_count(out, (int64_t)(why->task_count - WHY_TASKS_SHOWN), "more task");
        buf_format(out, " %s running.", is_or_are((int64_t)(why->task_count - WHY_TASKS_SHOWN)));
    }
}

static void say_no_workers(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (is_open(why) && why->workers.count == 0) {
        buf_string(out, "There is no worker; start one by `reelfarm worker`.");
    }
}

/* No encoder: what a worker must know to read all of the title. */
static bool is_of_images(const struct why_line *line) {
    return strcmp(line->line, KNOWS_IMAGES_LINE) == 0;
}

static void say_encoder(const struct why *why, size_t index, struct buf *out) {
    const struct why_line *line = &why->lines[index];
    if (line->able.count > 0 || why->workers.count == 0) {
        return;
    }
    put_count(out, line->units, "piece");
    if (is_of_images(line)) {
        buf_string(out, " of work can be done by workers alone that know posters and storyboards "
                        "as they are now; those that are there are older: put this version on one, "
                        "or start another.");
        return;
    }
    buf_format(out,
               " of work can be made by the encoder '%s' alone, which the plan has pinned and no "
               "worker has; install it again on one worker, or plan the title for the encoders "
               "that are there by `reelfarm cancel %s` and `reelfarm retry %s`.",
               line->line, why->title, why->title);
}

static void say_drained(const struct why *why, size_t index, struct buf *out) {
    const struct why_line *line = &why->lines[index];
    if (!is_stuck(line) || line->able.drained == 0) {
        return;
    }
    buf_string(out, "All workers that could do ");
    put_count(out, line->units, "piece");
    buf_string(out, " of work");
    if (line->line[0] != '\0' && !is_of_images(line)) {
        buf_format(out, ", which the encoder '%s' makes,", line->line);
    }
    buf_format(out,
               " are drained (%" PRId64 "); `reelfarm drain %s --undo` lets one take work again.",
               line->able.drained, line->able.drained_worker);
}

static void say_sandbox(const struct why *why, size_t index, struct buf *out) {
    const struct why_line *line = &why->lines[index];
    if (line->units == 0 || line->able.weak == 0) {
        return;
    }
    put_count(out, line->able.weak, "worker");
    buf_format(out,
               ", such as %s, could do some of its work but for %s sandbox, which is weaker than "
               "the scheduler's option sandbox_required ('%s') asks for; `reelfarm doctor` says on "
               "such a machine what is missing.",
               line->able.weak_worker, line->able.weak == 1 ? "its" : "their",
               sandbox_level_names[why->sandbox_required]);
}

static void say_memory(const struct why *why, size_t index, struct buf *out) {
    const struct why_line *line = &why->lines[index];
    if (is_stuck(line) || line->memory_bytes <= line->able.memory_bytes) {
        return;
    }
    buf_string(out, "Some of its work takes up to ");
    put_bytes(out, line->memory_bytes);
    buf_string(out, " of memory, and the largest worker that could do it has ");
    put_bytes(out, line->able.memory_bytes);
    buf_string(out, ": it is given to a worker only when that runs nothing else; a worker with "
                    "more memory would take it at once.");
}

static void say_cap(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (is_capped(why)) {
        buf_format(out, "Its tenant '%s' takes ", why->tenant);
        put_count(out, why->tenant_running, "slot");
        bool full = why->tenant_running >= why->tenant_cap;
        buf_format(out, ", %s (%" PRId64 ")", full ? "as many as it may" : "of those that it may",
                   why->tenant_cap);
        if (!full) {
            buf_format(out, ", and a task of this title takes %" PRId64, slots_each(why));
        }
        buf_string(out, "; the scheduler's option `tenants` says so.");
    }
}

static void put_ahead(struct buf *out, int64_t count, const char *which) {
    if (count > 0) {
        buf_string(out, " ");
        put_count(out, count, "title");
        buf_format(out, " %s,", which);
    }
}

static void say_queue(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (!is_kept_waiting(why)) {
        return;
    }
    int64_t ready = ready_now(why);
    put_count(out, ready, "piece");
    buf_format(out, " of its work %s ready, and all slots that could take %s are busy;",
               is_or_are(ready), ready == 1 ? "it" : "them");
    if (titles_ahead(why) == 0) {
        buf_string(out, " no title comes before it.");
        return;
    }
    put_ahead(out, why->above, "of higher priority");
    put_ahead(out, why->smaller, "of tenants with a smaller share");
    put_ahead(out, why->earlier, "of its tenant with an earlier deadline or submission");
    out->size--; /* the last comma */
    buf_format(out, " come%s first; --priority at submission changes that, and so do more workers.",
               titles_ahead(why) == 1 ? "s" : "");
}

static void say_unnamed(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (why->unnamed > 0) {
        put_count(out, why->unnamed, "piece");
        buf_format(out, " of work %s for its source to be read to the end, which nobody does now.",
                   why->unnamed == 1 ? "waits" : "wait");
    }
}

static void say_pause(const struct why *why, size_t index, struct buf *out) {
    (void)index;
    if (why->paused == 0) {
        return;
    }
    put_count(out, why->paused, "piece");
    buf_format(out, " of work that failed %s tried again within ", is_or_are(why->paused));
    put_duration(out, why->pause_ms);
    buf_string(out, "; nobody needs to do anything.");
}

static void say_failures(const struct why *why, size_t index, struct buf *out) {
    const struct why_failures *failures = &why->failures[index];
    buf_format(out, "%s ", failures->worker);
    if (failures->failed > 0) {
        buf_string(out, "failed ");
        put_count(out, failures->failed, "task");
        buf_string(out, failures->returned > 0 ? " and " : "");
    }
    if (failures->returned > 0) {
        buf_string(out, "was lost with, or gave back, ");
        put_count(out, failures->returned, "task");
    }
    if (failures->failed == 0) {
        buf_string(out, ", to be done again.");
        return;
    }
    buf_string(out, ", the last one ");
    put_duration(out, failures->ago_ms);
    if (strcmp(failures->message, why->error) == 0) {
        buf_string(out, " ago, for that reason.");
        return;
    }
    buf_format(out, " ago (%s): ", failures->class);
    put_sentence(out, failures->message);
}

/* Of an endpoint that is not well: since when, what fails there, and when it is tried. */
static void say_breaker(const struct why_publication *one, struct buf *out) {
    bool open = one->waits.what == WAITS_BREAKER;
    const char *reason = one->failures > 0 ? one->error : one->waits.reason;
    buf_string(out,
               open ? "the endpoint has been broken off for " : "the endpoint was broken off ");
    put_duration(out, one->for_ms);
    if (open && one->again_ms > 0) {
        buf_string(out, ", and is tried again in ");
        put_duration(out, one->again_ms);
        buf_string(out, ".");
    } else {
        buf_string(out,
                   open ? ", and is tried again now." : " ago, and is on trial, a push at a time.");
    }
    if (one->failures > 0) {
        buf_string(out, " It failed with this title ");
        put_count(out, one->failures, "time");
        buf_string(out, ". The last time: ");
    } else if (reason[0] != '\0') { /* else to a tenant, to whom others' titles are not told */
        buf_string(out, " What failed there last: "); /* of whatever title */
    }
    if (reason[0] != '\0') {
        put_sentence(out, reason);
    }
}

static void say_lack(const struct why_publication *one, struct buf *out) {
    if (one->waits.unknown != NULL) {
        buf_format(
            out, "it waits for a worker that knows %s; put this version on one, or start another.",
            one->waits.unknown);
    } else {
        buf_format(out, "it waits for a worker: %s.", one->waits.reason);
    }
}

static void say_window(const struct why_publication *one, struct buf *out) {
    buf_string(out, "it waits for the time of the day at which that may be filled, in ");
    put_duration(out, one->again_ms);
    buf_string(out, ".");
}

static void say_others(const struct why_publication *one, struct buf *out) {
    buf_string(out, one->leaves ? "it waits for the catalogs." : "it waits for the edges.");
}

static void say_being_done(const struct why_publication *one, struct buf *out) {
    (void)one;
    buf_string(out, "that is being done.");
}

static void say_sweep(const struct why_publication *one, struct buf *out) {
    if (one->again_ms > 0) {
        buf_string(out, "who took away what lies there in vain was lost, and may have something on "
                        "its way still; it goes on in ");
        put_duration(out, one->again_ms);
        buf_string(out, ".");
    } else {
        buf_string(out, "what lies there in vain is taken away first.");
    }
}

/* It failed, or the origin had nothing for it, or its worker was lost; or it is new. */
static void say_turn(const struct why_publication *one, struct buf *out) {
    if (one->error[0] == '\0' && one->again_ms <= 0) {
        buf_string(out, "it waits for its turn, and for a worker that pushes.");
        return;
    }
    buf_string(out, "it ");
    if (one->failures > 0) {
        buf_string(out, "failed ");
        put_count(out, one->failures, "time");
        buf_string(out, ", and ");
    }
    buf_string(out, "is tried again");
    if (one->again_ms > 0) {
        buf_string(out, " in ");
        put_duration(out, one->again_ms);
    }
    buf_string(out, ".");
    if (one->error[0] != '\0') {
        buf_string(out, " The last time: ");
        put_sentence(out, one->error);
    }
}

static void say_publication(const struct why *why, size_t index, struct buf *out) {
    static void (*const says[WAIT_COUNT])(const struct why_publication *, struct buf *) = {
        [WAITS_NOT] = say_being_done, [WAITS_WINDOW] = say_window,   [WAITS_OTHERS] = say_others,
        [WAITS_WORKER] = say_lack,    [WAITS_BREAKER] = say_breaker, [WAITS_TRIAL] = say_breaker,
        [WAITS_SWEEP] = say_sweep,    [WAITS_PAUSE] = say_turn,      [WAITS_TURN] = say_turn,
    };
    const struct why_publication *one = &why->publications[index];
    buf_format(out, "%s %s it: ", one->endpoint, one->leaves ? "is to lose" : "is to have");
    if (!one->listed) {
        buf_string(out, "it stands in the scheduler's file of endpoints no more.");
    } else {
        says[one->waits.what](one, out);
    }
}

/* ---- all of them ------------------------------------------------------------- */

enum list { ONCE, TASKS, LINES, FAILURES, PUBLICATIONS, MISSING };

static size_t list_length(const struct why *why, enum list list) {
    size_t tasks = why->task_count;
    const size_t lengths[] = {
        [ONCE] = 1,
        [TASKS] = tasks < WHY_TASKS_SHOWN ? tasks : WHY_TASKS_SHOWN,
        [LINES] = why->line_count,
        [FAILURES] = why->failure_count,
        [PUBLICATIONS] = why->publication_count,
        [MISSING] = why->state == TITLE_FAILED ? 0 : why->missing.count,
    };
    return lengths[list];
}

/* In the order in which they are said. Each says nothing where it has nothing to say. */
static const struct {
    const char *about;
    enum list list; /* of which each has a sentence */
    void (*say)(const struct why *why, size_t index, struct buf *out);
} sentences[] = {
    {"state", ONCE, say_state},           {"error", ONCE, say_error},
    {"remedy", ONCE, say_remedy},         {"missing", MISSING, say_missing},
    {"workers", ONCE, say_no_workers},    {"encoder", LINES, say_encoder},
    {"drained", LINES, say_drained},      {"sandbox", LINES, say_sandbox},
    {"memory", LINES, say_memory},        {"cap", ONCE, say_cap},
    {"queue", ONCE, say_queue},           {"identity", ONCE, say_unnamed},
    {"pause", ONCE, say_pause},           {"publication", PUBLICATIONS, say_publication},
    {"failures", FAILURES, say_failures}, {"running", TASKS, say_task},
    {"running", ONCE, say_more_tasks},
};

void why_write(const struct why *why, struct writer *w) {
    struct buf text = {0};
    writer_object(w, NULL);
    writer_string(w, "title", why->title);
    writer_string(w, "state", state_name(MACHINE_TITLE, (int)why->state));
    writer_array(w, "sentences");
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        for (size_t j = 0; j < list_length(why, sentences[i].list); j++) {
            buf_clear(&text);
            sentences[i].say(why, j, &text);
            if (text.size > 0) {
                writer_object(w, NULL);
                writer_string(w, "about", sentences[i].about);
                writer_string(w, "text", buf_text(&text));
                writer_object_end(w);
            }
        }
    }
    writer_array_end(w);
    writer_object_end(w);
    buf_finish(&text);
}
