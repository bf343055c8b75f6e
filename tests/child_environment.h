/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The variables that task children may be given, in builds with AddressSanitizer alone. */
#ifndef TESTS_CHILD_ENVIRONMENT_H
#define TESTS_CHILD_ENVIRONMENT_H

/* Names a FIFO for what task children and their sanitizers say: see child_reports.c. */
#define CHILD_REPORTS "REELFARM_CHILD_REPORTS"

/* Names who is to do what UndefinedBehaviorSanitizer reports: "program" when it begins, "child", a
 * task child, when it is in its sandbox; or AddressSanitizer: "memory", a program when it begins.
 * By that tests/sanitized sees that it would be told. */
#define SLIP "REELFARM_SLIP"

/* Names the file, but for the process's number, that UndefinedBehaviorSanitizer reports to. (Its
 * own log_path is AddressSanitizer's where both are shared libraries.) */
#define REPORTS "REELFARM_REPORTS"

/* What is reported, if the variable names `who`. */
void slip(const char *who);

#endif
