/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers as the scheduler sees them: a session a process, one heartbeat for all
 * its tasks, silence that counts as loss. All calls run inside a transaction.
 */
#ifndef SCHEDULER_SESSION_H
#define SCHEDULER_SESSION_H

#include "common/json.h"
#include "farm.h"

struct session_encoder {
    const char *name;
    const char *codec;
    const char *build_line;
    int64_t tail_frames;
};

struct session_request {
    const char *worker;
    const char *host;
    int64_t pid;
    int slots;
    int64_t memory_bytes;
    int64_t cores;   /* 0: it does not say */
    int64_t keep_ms; /* what it was doing may be put so long after its loss */
    enum sandbox_level sandbox;
    const struct session_encoder *encoders;
    size_t encoder_count;
};

/* A new session; `id` becomes its name. */
void session_add(struct tx *tx, struct farm *farm, const struct session_request *request,
                 char id[ID_TEXT]);

struct heard_task {
    int64_t fence;
    int64_t done;
    int64_t total;
};

struct heartbeat {
    const struct heard_task *tasks; /* all that the worker runs */
    size_t count;
    bool stopping; /* it takes nothing new, and ends when these have */
};

/*
 * A heartbeat: keeps the session, takes the progress of its tasks, ends leases that
 * were to stop and are not listed any more, returns those that were never received,
 * adopts tasks of the worker's lost session. From one that is stopping on, nothing is planned for
 * the session's encoders or kept for its slots. Writes the fences to stop as elements of the array
 * open in `w`. Whether the worker is drained. NOT_FOUND where the session is gone.
 */
bool session_heartbeat(struct tx *tx, struct farm *farm, const char *session,
                       const struct heartbeat *beat, struct writer *w);

/* The worker leaves: its leases go back, no loss counted. NOT_FOUND as above. */
void session_leave(struct tx *tx, struct farm *farm, const char *session);

/* The same for all sessions of a worker; NULL: of all workers. */
void session_leave_worker(struct tx *tx, struct farm *farm, const char *worker);

enum { SESSIONS_SILENT_MAX = 100 };

/* The ids of sessions that were silent for the lease time; returns how many. */
size_t session_silent(struct tx *tx, const struct farm *farm, char ids[][ID_TEXT]);

/* Ends one of them, as a loss; nothing where it is gone, or was heard by now. */
void session_lose(struct tx *tx, struct farm *farm, const char *id);

/* Gives every session a full lease time from now: after a start. */
void session_keep_all(struct tx *tx);

/* Lets a worker take nothing new, or take work again. By name and durable: a worker that comes
 * back is still drained. NOT_FOUND where no worker of that name is there (to end a drain it
 * need not be). */
void session_drain(struct tx *tx, struct farm *farm, const char *worker, bool drains);

/* Whether the worker takes nothing new. */
bool session_is_drained(struct tx *tx, const char *worker);

/* Whether children of the session may be given a source's bytes: its sandbox is as strong as the
 * farm asks for. */
bool session_is_walled(const struct farm *farm, const struct session_row *session);

/* Whether the session's worker announces that it knows something, by the line of common/wire.h
 * that stands for it; `session` "": whether any does. */
bool session_knows(struct tx *tx, const char *session, const char *line);

/* Writes all sessions as an array called "workers". */
void sessions_write(struct tx *tx, struct farm *farm, struct writer *w);

#endif
