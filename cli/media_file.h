/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of a served folder: which of them may be served, and which bytes a request asks
 * for. Private to cli/.
 */
#ifndef CLI_MEDIA_FILE_H
#define CLI_MEDIA_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { MEDIA_ETAG_TEXT = 64 };

struct media_file {
    int fd;                     /* owned */
    int64_t size;               /* bytes */
    char etag[MEDIA_ETAG_TEXT]; /* quoted, strong: another file or another content has another */
};

/* Whether the path names something below its root: parts between single slashes, none
 * of them empty or beginning with a dot (so no "..", and nothing hidden). */
bool media_path_valid(const char *path);

/*
 * Opens a regular file below the folder of descriptor `root`, for reading. NOT_FOUND
 * where it is not there, is no file, or lies behind a symbolic link: none is followed,
 * so nothing outside the folder can be reached. `*out` is the caller's to close.
 */
int media_file_open(struct media_file *out, int root, const char *path, struct err *err);

/* What a Range header asks of so many bytes. */
enum media_range {
    MEDIA_WHOLE,  /* all: no range, or one that a server may ignore (RFC 9110 14.2) */
    MEDIA_PART,   /* some: `first` and `length` are set */
    MEDIA_BEYOND, /* none that are there: 416 */
};

/* Takes the header's value, NULL where there was none. Only a single range of bytes is
 * honoured; several at once are answered with the whole. */
enum media_range media_range_parse(const char *text, int64_t size, int64_t *first, int64_t *length);

#endif
