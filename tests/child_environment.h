/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The variables that task children may be given, in builds with AddressSanitizer alone. */
#ifndef TESTS_CHILD_ENVIRONMENT_H
#define TESTS_CHILD_ENVIRONMENT_H

/* Names a FIFO for what task children and their sanitizers say: see child_reports.c. */
#define CHILD_REPORTS "REELFARM_CHILD_REPORTS"

/* Names who is to do what UndefinedBehaviorSanitizer reports: "program" when it begins, "child", a
 * task child, when it ends. By that tests/sanitized sees that it would be told. */
#define SLIP "REELFARM_SLIP"

/* What is reported, if the variable names `who`. */
void slip(const char *who);

#endif
