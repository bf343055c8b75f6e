/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one error type: see err.h. */
#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum err_code code;
    const char *name;
    bool transient;
} codes[] = {
    {ERR_NONE, "none", false},
    {ERR_INVALID, "invalid", false},
    {ERR_NOT_FOUND, "not_found", false},
    {ERR_CONFLICT, "conflict", false},
    {ERR_UNSUPPORTED, "unsupported", false},
    {ERR_CORRUPT, "corrupt", false},
    {ERR_NO_SPACE, "no_space", true},
    {ERR_UNAVAILABLE, "unavailable", true},
    {ERR_TIMEOUT, "timeout", true},
    {ERR_CANCELLED, "cancelled", false},
    {ERR_INTERNAL, "internal", false},
    {ERR_FORBIDDEN, "forbidden", false},
};

enum { CODE_COUNT = sizeof(codes) / sizeof(codes[0]) };

static const struct {
    int value;
    enum err_code code;
} errno_codes[] = {
    {ENOENT, ERR_NOT_FOUND},    {ENOTDIR, ERR_NOT_FOUND},
    {EEXIST, ERR_CONFLICT},     {EACCES, ERR_INVALID},
    {EPERM, ERR_INVALID},       {EISDIR, ERR_INVALID},
    {EROFS, ERR_INVALID},       {ENAMETOOLONG, ERR_INVALID},
    {EINVAL, ERR_INVALID},      {ENOSPC, ERR_NO_SPACE},
    {EDQUOT, ERR_NO_SPACE},     {EFBIG, ERR_NO_SPACE},
    {ETIMEDOUT, ERR_TIMEOUT},   {ECONNREFUSED, ERR_UNAVAILABLE},
    {EAGAIN, ERR_UNAVAILABLE},  {ENETUNREACH, ERR_UNAVAILABLE},
    {EPIPE, ERR_UNAVAILABLE},   {ECONNRESET, ERR_UNAVAILABLE},
    {EIO, ERR_UNAVAILABLE},     {EMFILE, ERR_UNAVAILABLE},
    {ENFILE, ERR_UNAVAILABLE},  {ENOTSUP, ERR_UNSUPPORTED},
    {ECANCELED, ERR_CANCELLED},
};

static enum err_code code_of_errno(int value) {
    for (size_t i = 0; i < sizeof(errno_codes) / sizeof(errno_codes[0]); i++) {
        if (errno_codes[i].value == value) {
            return errno_codes[i].code;
        }
    }
    return ERR_INTERNAL;
}

int err_set(struct err *err, enum err_code code, const char *format, ...) {
    if (err != NULL && err->code == ERR_NONE) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

int err_set_errno(struct err *err, int errno_value, const char *format, ...) {
    enum err_code code = code_of_errno(errno_value);
    if (err != NULL && err->code == ERR_NONE) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(errno_value));
        err->code = code;
    }
    return code;
}

int err_wrap(struct err *err, const char *format, ...) {
    if (err == NULL || err->code == ERR_NONE) {
        return err == NULL ? ERR_INTERNAL : ERR_NONE;
    }
    char old[sizeof(err->message)];
    memcpy(old, err->message, sizeof(old));
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
    return err->code;
}

int err_pass(struct err *err, const struct err *from) {
    return from->code == ERR_NONE ? 0 : err_set(err, from->code, "%s", from->message);
}

void err_clear(struct err *err) {
    if (err != NULL) {
        err->code = ERR_NONE;
        err->message[0] = '\0';
    }
}

bool err_is_transient(enum err_code code) {
    for (int i = 0; i < CODE_COUNT; i++) {
        if (codes[i].code == code) {
            return codes[i].transient;
        }
    }
    return false;
}

const char *err_code_name(enum err_code code) {
    for (int i = 0; i < CODE_COUNT; i++) {
        if (codes[i].code == code) {
            return codes[i].name;
        }
    }
    return "internal";
}

enum err_code err_code_from_name(const char *name) {
    for (int i = 0; i < CODE_COUNT; i++) {
        if (strcmp(codes[i].name, name) == 0) {
            return codes[i].code;
        }
    }
    return ERR_INTERNAL;
}
