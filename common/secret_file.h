/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that hold one secret of a daemon in a line: a token, or what requests are signed with.
 * Who has it may do what its daemon lets: nobody else may read the file, or have put it there.
 */
#ifndef COMMON_SECRET_FILE_H
#define COMMON_SECRET_FILE_H

#include "common/buf.h"
#include "common/err.h"

/* Appends the secret without the blanks after it. `what` names it in sentences and is the option
 * that names the file: "token" of --token-file. NOT_FOUND where there is no file; INVALID for one
 * that others may read, that is not this user's or root's, or that holds no secret: 16 to 4096
 * letters, digits and signs. */
int secret_file_read(struct buf *out, const char *path, const char *what, struct err *err);

/* The same, and makes the file, and its folder, where there is none yet; of several that do so at
 * one time one makes it. */
int secret_file_load(struct buf *out, const char *path, const char *what, struct err *err);

/* Overwrites and frees. */
void secret_forget(struct buf *secret);

#endif
