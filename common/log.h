/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs in logfmt, one line an event, to stderr: ts=... level=info msg="..."
 * key=value. Libraries never log above debug; they return struct err. Roles and
 * tasks log once, where a thing is handled.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines under this level are dropped. The default is LOG_WARN. */
void log_level_set(enum log_level level);

/* Whether lines of this level are written. */
bool log_wants(enum log_level level);

/* A prefix of "key=value" pairs for every later line of this process (worker); copied; NULL removes
 * it. Not while other threads log. */
void log_process(const char *pairs);

/* Likewise for every later line of this thread, behind it (title, task, attempt). */
void log_context(const char *pairs);

/* Most lines have no pairs, which is what the compiler takes for a slip. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

/* `pairs` are printf-formatted key=value pairs after the quoted message, or "".
 * Control bytes in them are escaped; a value with spaces wants quotes of its own.
 * A line longer than 4 KiB is cut. */
void log_debug(const char *message, const char *pairs, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *message, const char *pairs, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *message, const char *pairs, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *message, const char *pairs, ...) __attribute__((format(printf, 2, 3)));

#endif
