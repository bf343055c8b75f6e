/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a served folder: see media_file.h. */
#include "media_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

bool media_path_valid(const char *path) {
    const char *at = path;
    while (*at != '.' && *at != '/' && *at != '\0') {
        at += strcspn(at, "/");
        if (*at == '\0') {
            return true;
        }
        at++;
    }
    return false;
}

/* Goes down part by part: openat2's RESOLVE_BENEATH would be one call, but some
 * containers forbid it. Gives the last part's descriptor or -1 with errno. */
static int open_beneath(int root, char *path) {
    int folder = root;
    char *at = path;
    char *slash = NULL;
    while ((slash = strchr(at, '/')) != NULL) {
        *slash = '\0';
        int next = openat(folder, at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int failure = errno;
        if (folder != root) {
            close(folder);
        }
        if (next < 0) {
            errno = failure;
            return -1;
        }
        folder = next;
        at = slash + 1;
    }
    int fd = openat(folder, at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int failure = errno;
    if (folder != root) {
        close(folder);
    }
    errno = failure;
    return fd;
}

int media_file_open(struct media_file *out, int root, const char *path, struct err *err) {
    if (!media_path_valid(path)) {
        return err_set(err, ERR_NOT_FOUND, "%s is no path of a stream", path);
    }
    char *parts = mem_string(path);
    int fd = open_beneath(root, parts);
    int failure = errno;
    mem_free(parts);
    struct stat facts;
    if (fd < 0 && failure != ENOENT && failure != ENOTDIR && failure != ELOOP && failure != ENXIO &&
        failure != ENAMETOOLONG) {
        return err_set_errno(err, failure, "cannot open %s", path);
    }
    if (fd < 0 || fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
    }
    out->fd = fd;
    out->size = facts.st_size;
    snprintf(out->etag, sizeof(out->etag), "\"%jx-%jx-%" PRIx64 "\"", (uintmax_t)facts.st_ino,
             (uintmax_t)facts.st_size,
             (uint64_t)facts.st_mtim.tv_sec * 1000000000U + (uint64_t)facts.st_mtim.tv_nsec);
    return 0;
}

/* Digits at `*text`, past which it then stands; -1 where there are none. What is too
 * big to be a place in any file becomes INT64_MAX. */
static int64_t take_number(const char **text) {
    if (**text < '0' || **text > '9') {
        return -1;
    }
    int64_t value = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        int digit = **text - '0';
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    return value;
}

enum media_range media_range_parse(const char *text, int64_t size, int64_t *first,
                                   int64_t *length) {
    static const char unit[] = "bytes=";
    if (text == NULL || strncasecmp(text, unit, sizeof(unit) - 1) != 0) {
        return MEDIA_WHOLE;
    }
    text += sizeof(unit) - 1;
    int64_t from = take_number(&text);
    if (*text != '-') {
        return MEDIA_WHOLE;
    }
    text++;
    int64_t to = take_number(&text);
    if (*text != '\0' || (from < 0 && to < 0) || (from >= 0 && to >= 0 && to < from)) {
        return MEDIA_WHOLE;
    }
    if (from < 0) { /* the last so many */
        from = to < size ? size - to : 0;
        to = to == 0 ? -1 : size - 1;
    } else if (to < 0 || to >= size) {
        to = size - 1;
    }
    if (from >= size || to < from) {
        return MEDIA_BEYOND;
    }
    *first = from;
    *length = to - from + 1;
    return MEDIA_PART;
}
