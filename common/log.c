/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One logfmt line an event, one write a line: see log.h. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = 4096, /* longer lines are cut; a pipe takes this much in one piece */
    CONTEXT_BYTES = 512,
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static _Atomic int lowest_level = LOG_WARN;
static char process[CONTEXT_BYTES];
static _Thread_local char context[CONTEXT_BYTES];

struct line {
    char text[LINE_BYTES];
    size_t used;
};

/* Control bytes are escaped everywhere: a file's name must not forge a line or
 * steer a terminal. Quotes and backslashes only inside quotes. */
static void add_byte(struct line *line, unsigned char c, bool in_quotes) {
    const char *format = "%c";
    if (c == '\n') {
        format = "\\n";
    } else if (c < 0x20 || c == 0x7f) {
        format = "\\x%02x";
    } else if (in_quotes && (c == '"' || c == '\\')) {
        format = "\\%c";
    }
    char escaped[8];
    size_t length = (size_t)snprintf(escaped, sizeof(escaped), format, c);
    if (length < sizeof(line->text) - line->used) { /* keeps a byte for the newline */
        memcpy(line->text + line->used, escaped, length);
        line->used += length;
    }
}

static void add_text(struct line *line, const char *text, bool in_quotes) {
    for (; *text != '\0'; text++) {
        add_byte(line, (unsigned char)*text, in_quotes);
    }
}

static void add_pairs(struct line *line, const char *pairs) {
    if (pairs[0] != '\0') {
        add_text(line, " ", false);
        add_text(line, pairs, false);
    }
}

static void add_time(struct line *line) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    line->used = strftime(line->text, sizeof(line->text), "ts=%Y-%m-%dT%H:%M:%S", &utc);
    int wrote = snprintf(line->text + line->used, sizeof(line->text) - line->used, ".%03ldZ ",
                         now.tv_nsec / 1000000);
    line->used += (size_t)wrote;
}

static void write_all(const char *text, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(STDERR_FILENO, text, size);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return; /* there is nobody left to tell */
        }
        text += wrote;
        size -= (size_t)wrote;
    }
}

static void log_line(enum log_level level, const char *message, const char *pairs, va_list args) {
    if (!log_wants(level)) {
        return;
    }
    int errno_before = errno;
    struct line line;
    char values[LINE_BYTES / 2];
    vsnprintf(values, sizeof(values), pairs, args);
    add_time(&line);
    add_text(&line, "level=", false);
    add_text(&line, level_names[level], false);
    add_text(&line, " msg=\"", false);
    add_text(&line, message, true);
    add_text(&line, "\"", false);
    add_pairs(&line, process);
    add_pairs(&line, context);
    add_pairs(&line, values);
    line.text[line.used] = '\n';
    write_all(line.text, line.used + 1);
    errno = errno_before;
}

void log_level_set(enum log_level level) {
    lowest_level = (int)level;
}

bool log_wants(enum log_level level) {
    return (int)level >= lowest_level;
}

void log_process(const char *pairs) {
    snprintf(process, sizeof(process), "%s", pairs != NULL ? pairs : "");
}

void log_context(const char *pairs) {
    snprintf(context, sizeof(context), "%s", pairs != NULL ? pairs : "");
}

void log_debug(const char *message, const char *pairs, ...) {
    va_list args;
    va_start(args, pairs);
    log_line(LOG_DEBUG, message, pairs, args);
    va_end(args);
}

void log_info(const char *message, const char *pairs, ...) {
    va_list args;
    va_start(args, pairs);
    log_line(LOG_INFO, message, pairs, args);
    va_end(args);
}

void log_warn(const char *message, const char *pairs, ...) {
    va_list args;
    va_start(args, pairs);
    log_line(LOG_WARN, message, pairs, args);
    va_end(args);
}

void log_error(const char *message, const char *pairs, ...) {
    va_list args;
    va_start(args, pairs);
    log_line(LOG_ERROR, message, pairs, args);
    va_end(args);
}
