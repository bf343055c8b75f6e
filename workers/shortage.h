/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codec libraries go on with the NULL that an allocation gave them, and crash. In a task
 * child that is no defect, but a task that needs more memory.
 */
#ifndef WORKERS_SHORTAGE_H
#define WORKERS_SHORTAGE_H

/* From now on SIGSEGV, SIGBUS and SIGABRT, which still end the process, say "out of memory" on
 * stderr first where its address space has come to an end or the thread was last refused memory:
 * the words by which broker.h tells FAILURE_OOM from FAILURE_CRASH. Does nothing under
 * sanitizers, whose own reports these signals are. */
void shortage_watch(void);

#endif
