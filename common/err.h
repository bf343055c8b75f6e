/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error type of the whole house: a code that machines act on and a
 * sentence that people read. It crosses process and HTTP borders as
 * {code, message}.
 *
 * A function that can fail returns 0 or a negative enum err_code, and takes
 * `struct err *err` last. `err` may be NULL. The first message wins: a later
 * err_set on a struct that already holds an error changes nothing; callers put
 * context in front with err_wrap. Success leaves `err` untouched.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_INVALID = -1,     /* the caller or the user gave something wrong */
    ERR_NOT_FOUND = -2,   /* the thing named is not there */
    ERR_CONFLICT = -3,    /* the thing is there already, or is held by another */
    ERR_UNSUPPORTED = -4, /* understood, and not done by this version */
    ERR_CORRUPT = -5,     /* bytes that break the rules of their format */
    ERR_NO_SPACE = -6,    /* disk or quota is full */
    ERR_UNAVAILABLE = -7, /* a peer or device does not answer now; may later */
    ERR_TIMEOUT = -8,     /* it took longer than it may */
    ERR_CANCELLED = -9,   /* somebody asked to stop */
    ERR_INTERNAL = -10,   /* a defect of ours */
    ERR_FORBIDDEN = -11,  /* who asks may not have it done */
};

struct err {
    enum err_code code;
    char message[1024]; /* one sentence, no newline, UTF-8, NUL-terminated */
};

/* Sets code and message unless `err` already holds an error or is NULL.
 * Returns `code`, so that `return err_set(err, ERR_INVALID, "...")` reads well. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, and appends ": " and the text of `errno_value`; the code is
 * derived from it (ENOSPC is NO_SPACE, ENOENT NOT_FOUND, EEXIST CONFLICT, ...). */
int err_set_errno(struct err *err, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message that `err` holds; returns its code.
 * Does nothing on a struct without an error. With NULL it can't know the code and
 * returns ERR_INTERNAL: where `err` may be NULL, return the code at hand instead. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands on what another holds, as err_set would; returns its code, 0 where it holds no error. */
int err_pass(struct err *err, const struct err *from);

/* Makes `err` hold no error again. */
void err_clear(struct err *err);

/* Whether the same call may succeed when it is made again later. */
bool err_is_transient(enum err_code code);

/* The code's name as it crosses borders: "invalid", "not_found", ... */
const char *err_code_name(enum err_code code);

/* The code of that name; ERR_INTERNAL for an unknown one. */
enum err_code err_code_from_name(const char *name);

#endif
