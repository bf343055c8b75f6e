/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This machine as one of its daemons sees it: with the rights of the user and by the environment
 * that it begins with, which are seldom those of whoever asks. A daemon whose file of options lies
 * where the units of reelfarm read it is begun by its unit: as that user, in its folder of state,
 * in /, by the variables of its file. Any other is begun by this user, by its own environment but
 * for variables REELFARM_..., which are of this shell. Private to cli/.
 */
#ifndef CLI_AS_DAEMON_H
#define CLI_AS_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/mem.h"

/* What its unit says of a daemon. */
struct daemon_facts {
    const char *name;
    const char *user;
    const char *config;    /* its file of options */
    const char *variables; /* its file of them; NULL: it has none */
    const char *token;     /* that root gives it; NULL: it has its own */
    const char *state;     /* its folder; NULL: none */
};

extern const struct daemon_facts scheduler_facts;
extern const struct daemon_facts worker_facts;

/* What was named; each may be NULL. */
struct daemon_names {
    const char *config;
    const char *variables;
    const char *user;
};

struct as_daemon {
    const struct daemon_facts *facts;
    const char *config;    /* its file of options; NULL: there is none */
    const char *variables; /* its file of them; NULL: there is none */
    int odd_line;          /* of those, the first that says nothing; 0: none */
    const char *user;
    bool is_unit;
    bool is_other;     /* than who asks */
    const char *blind; /* why nothing can be told from here, a clause; NULL: it can */
    /* Its own. */
    struct arena arena;
    uid_t uid;
    gid_t gid;
    size_t group_count;
    gid_t *groups;
    char **environment;
    /* Of who asks, while it is entered. */
    bool became;
    size_t own_group_count;
    gid_t *own_groups;
    uid_t own_uid;
    gid_t own_gid;
    char **own_environment;
    int own_folder; /* -1: it was not left */
};

/* Finds out how the daemon begins. INVALID for a user that there is not; and the codes of fs_read
 * for a file of variables. `out` is the caller's to finish
 * in any case; it borrows facts and names. */
int as_daemon_init(struct as_daemon *out, const struct daemon_facts *facts,
                   const struct daemon_names *names, struct err *err);
void as_daemon_finish(struct as_daemon *as);

/* From here to as_daemon_leave, which is due where it was well, this process, and what it starts,
 * sees the machine so. Not where it is blind, and not while other threads run. */
int as_daemon_enter(struct as_daemon *as, struct err *err);
void as_daemon_leave(struct as_daemon *as);

/* Whether there is such a file, or this user is not let see whether; not for NULL. */
bool may_be_there(const char *path);

/* Adds the variables of a text as systemd reads it, which is changed: a line `NAME=VALUE` each,
 * its value in quotes or not; lines that begin with # or ; are for people. `*list` is ended by
 * NULL and lives in the arena with its entries; of a name that comes again the last counts. The
 * number of the first line that is none of this, which systemd passes over, too; 0: all are. */
int variables_read(char ***list, struct arena *arena, char *text);

#endif
