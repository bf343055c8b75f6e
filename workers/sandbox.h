/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task child may do. It decodes untrusted bytes, so it gives up all that it
 * does not need before it reads the first of them: the tables at the top of sandbox.c.
 *
 * Two walls of the kernel stand one behind the other. seccomp answers every system call by
 * a table and refuses all that names a file, a socket or another process. Landlock, without
 * a single rule, refuses files and, by its version (ABI), more: TCP from 4 on, abstract
 * sockets and signals to others from 6 on. Version 1 is enough, since seccomp alone refuses
 * all of that too; Debian 12's own kernel (6.1) has version 2.
 */
#ifndef WORKERS_SANDBOX_H
#define WORKERS_SANDBOX_H

#include "common/err.h"
#include "common/wire.h"

/*
 * The child's own promise, for ever: no capability, no new descriptor, no file, no core;
 * signals for people are left to the worker; then the walls of `level`. To be called while
 * the process has one thread: those that it starts later are inside. UNSUPPORTED names the
 * wall that the kernel lacks, and the option by which an operator goes on without; INTERNAL
 * where it refuses another part. The child then does not begin. Real-time priority and new
 * privileges are gone already (proc_options.confined); limits of memory and CPU belong to
 * the task (box_limit).
 */
int sandbox_child(enum sandbox_level level, struct err *err);

/*
 * Whether a child's walls of `level` would stand here: puts them round a thread of its own,
 * which ends. `*landlock_abi` is the version in force, 0 for none; may be NULL. Errors as of
 * sandbox_child.
 */
int sandbox_try(enum sandbox_level level, int *landlock_abi, struct err *err);

#endif
