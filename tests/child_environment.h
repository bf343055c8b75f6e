/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one variable that task children may be given, in builds with AddressSanitizer alone. */
#ifndef TESTS_CHILD_ENVIRONMENT_H
#define TESTS_CHILD_ENVIRONMENT_H

/* Names a FIFO for what task children and their sanitizers say: see child_reports.c. */
#define CHILD_REPORTS "REELFARM_CHILD_REPORTS"

#endif
