/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon's secret in a file, read or made: see secret_file.h. */
#include "common/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"

enum { SECRET_BYTES_MIN = 16, SECRET_BYTES_MAX = 4096 };

static int check_private(int fd, const char *path, const char *what, struct err *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return err_set_errno(err, errno, "cannot look at the %s's file '%s'", what, path);
    }
    if (!S_ISREG(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != 0)) {
        return err_set(err, ERR_INVALID,
                       "the %s's file '%s' is no file of this user; name another by --%s-file",
                       what, path, what);
    }
    return (info.st_mode & 077) == 0
               ? 0
               : err_set(err, ERR_INVALID,
                         "others may read the %s's file '%s'; run `chmod 600` on it and make a "
                         "new %s",
                         what, path, what);
}

/* Takes what was read up to its trailing blanks, where it is a secret. */
static int check_secret(struct buf *secret, const char *path, const char *what, struct err *err) {
    while (secret->size > 0 && strchr(" \t\r\n", secret->data[secret->size - 1]) != NULL) {
        secret->size--;
    }
    bool is_plain = secret->size >= SECRET_BYTES_MIN && secret->size <= SECRET_BYTES_MAX;
    for (size_t i = 0; i < secret->size; i++) {
        is_plain = is_plain && secret->data[i] > 0x20 && secret->data[i] < 0x7f;
    }
    return is_plain ? 0
                    : err_set(err, ERR_INVALID,
                              "the %s's file '%s' holds no %s, which has %d to %d letters and "
                              "digits; remove it to have one made",
                              what, path, what, SECRET_BYTES_MIN, SECRET_BYTES_MAX);
}

int secret_file_read(struct buf *out, const char *path, const char *what, struct err *err) {
    uint8_t bytes[SECRET_BYTES_MAX + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot read the %s's file '%s'", what, path);
    }
    int failed = check_private(fd, path, what, err);
    ssize_t got = failed == 0 ? read(fd, bytes, sizeof(bytes)) : 0;
    if (got < 0) {
        failed = err_set_errno(err, errno, "cannot read the %s's file '%s'", what, path);
    }
    close(fd);
    if (failed == 0) {
        buf_append(out, bytes, (size_t)got);
        failed = check_secret(out, path, what, err);
    }
    explicit_bzero(bytes, sizeof(bytes));
    return failed;
}

int secret_file_load(struct buf *out, const char *path, const char *what, struct err *err) {
    struct err why = {0};
    int failed = secret_file_read(out, path, what, &why);
    if (failed != ERR_NOT_FOUND) {
        return failed == 0 ? 0 : err_pass(err, &why);
    }
    char token[ID_TOKEN_TEXT];
    id_token(token);
    failed = fs_make_folder_of(path, err);
    if (failed == 0) {
        err_clear(&why);
        failed = fs_create(path, token, strlen(token), 0600, &why);
    }
    explicit_bzero(token, sizeof(token));
    if (failed != 0 && failed != ERR_CONFLICT) {
        return err_set(err, why.code, "cannot write the %s's file: %s", what, why.message);
    }
    return secret_file_read(out, path, what, err);
}

void secret_forget(struct buf *secret) {
    if (secret->data != NULL) {
        explicit_bzero(secret->data, secret->capacity);
    }
    buf_finish(secret);
}
