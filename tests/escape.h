/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out of a task child's sandbox, each a system call: unruly_child.c tries them. */
#ifndef TESTS_ESCAPE_H
#define TESTS_ESCAPE_H

/* To be called before the sandbox is there, which answers fewer questions. */
void escape_prepare(void);

/* What ends the process that tries it, if the sandbox stands. */
int escape_deadly_count(void);
const char *escape_deadly_name(int index);

/* Tries it. To return is to be out. */
void escape_deadly_try(int index);

/* Tries all that is to be refused with an error. The name of the first that was not; NULL where
 * all were. */
const char *escape_refused_try(void);

/* A call by the numbers of another architecture, where the processor can make one. */
void escape_foreign_try(void);

#endif
