/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes: another program, with the descriptors, environment and limits
 * that are named and no others. Never a bare fork.
 *
 * A child dies with the thread that spawned it (PR_SET_PDEATHSIG), so spawn from
 * a thread that lives as long as its children may.
 */
#ifndef COMMON_PROC_H
#define COMMON_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

enum { PROC_FDS_MAX = 16, PROC_NO_LIMIT = -1 };

/* A descriptor of ours and its number in the child. */
struct proc_fd {
    int ours; /* borrowed */
    int theirs;
};

struct proc_options {
    const char *program;       /* path; PATH is not searched */
    const char *const *argv;   /* ended by NULL, argv[0] first */
    const char *const *env;    /* "NAME=value", ended by NULL; NULL: ours */
    const struct proc_fd *fds; /* at most PROC_FDS_MAX; of 0, 1, 2 those not named are /dev/null */
    size_t fd_count;
    int64_t address_space_bytes; /* RLIMIT_AS; default PROC_NO_LIMIT: as ours */
    int64_t cpu_s;               /* RLIMIT_CPU; default as ours */
    int64_t open_files;          /* RLIMIT_NOFILE; default as ours */
    int64_t core_bytes;          /* RLIMIT_CORE; default 0 */
    bool own_group;              /* its own process group: a Ctrl-C at the terminal is not for it */
    /* For a process that decodes foreign bytes: no new privileges, no real-time
     * priority (RLIMIT_RTPRIO 0), and where we are root no CAP_SYS_NICE. SVT-AV1 run as
     * root takes SCHED_FIFO 99 and starves its neighbours (tried). */
    bool confined;
};

/* A child that is running, or has ended and not been waited for. */
struct proc {
    pid_t pid; /* 0: none */
    int pidfd; /* readable (poll) when it has ended */
};

struct proc_result {
    bool exited; /* by itself, with `status`; else by a signal, with `signal` */
    int status;
    int signal;
    double cpu_s;              /* user and system, of it and of its own waited-for children */
    int64_t peak_memory_bytes; /* largest resident set; never less than the spawner's own at
                                  the time, which Linux counts in */
};

/* All fields as their comments say; the caller sets program, argv and the rest. */
struct proc_options proc_options_default(void);

/* Starts a program; returns when its first instruction is certain. NOT_FOUND where
 * it is not there; `out` is untouched on failure. End it with proc_wait or
 * proc_finish. */
int proc_spawn(struct proc *out, const struct proc_options *options, struct err *err);

/* Waits until the child has ended, at most so long (0: only looks, -1: for ever).
 * On success it is reaped and `proc` holds none. TIMEOUT where it still runs. */
int proc_wait(struct proc *proc, int timeout_ms, struct proc_result *out, struct err *err);

/* Sends a signal; nothing happens where the child has ended. */
void proc_kill(const struct proc *proc, int signal);

/* Kills the child if it runs and reaps it. Takes a zeroed one. */
void proc_finish(struct proc *proc);

/* "exited with status 3", "was killed by signal 9 (Killed)". */
void proc_result_text(const struct proc_result *result, char *out, size_t size);

/* Lets this process, and the children that it spawns from then on, open so many files, or as many
 * as its hard limit lets it; returns how many that is. Never lowers it. */
uint64_t proc_raise_open_files(uint64_t wanted);

/* The folder of the running executable, to find the ones beside it. Returns owned. */
int proc_self_folder(char **out, struct err *err);

#endif
