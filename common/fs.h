/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, so that nothing half-made is ever visible.
 *
 * What is written: the bytes go to a file without a name (O_TMPFILE), or with a
 * hidden one where the file system has no such thing; they are on the disk
 * (fdatasync) before the file gets its name in one step, and the name is on the
 * disk (fsync of the folder) before the call returns. So a process that is killed
 * leaves the old state or the new one, and a power cut after a return loses
 * nothing. A kill in the middle may leave a hidden FS_DRAFT_PREFIX file where the
 * file system has no O_TMPFILE (NFS); fs_is_draft tells them.
 */
#ifndef COMMON_FS_H
#define COMMON_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

#define FS_DRAFT_PREFIX ".reelfarm-draft-"

/* Appends a whole file to `out`, which is unchanged on failure. INVALID where it
 * has more than `max` bytes or is not a regular file. */
int fs_read(struct buf *out, const char *path, size_t max, struct err *err);

/* Opens a regular file for reading: its descriptor, and its size in bytes. INVALID where it is
 * none. */
int fs_open(int *fd, int64_t *size, const char *path, struct err *err);

/* Reads exactly so many bytes. CORRUPT where the file ends before. */
int fs_read_at(int fd, int64_t offset, void *out, size_t size, struct err *err);

/* Makes a new file with these bytes. CONFLICT where the name is taken; exactly one
 * of several that try at the same time succeeds. Its folder must be there. */
int fs_create(const char *path, const void *data, size_t size, mode_t mode, struct err *err);

/* The same with what `fill` writes to a descriptor, of which there may be more than memory holds;
 * where it fails, with its error, there is no file. */
typedef int fs_fill(void *context, int fd, struct err *err);
int fs_create_by(const char *path, fs_fill *fill, void *context, mode_t mode, struct err *err);

/* As fs_create, and puts it in the place of a file that is there. */
int fs_replace(const char *path, const void *data, size_t size, mode_t mode, struct err *err);

/* Renames a file within its folder, durably, if the new name is free: else CONFLICT. */
int fs_rename_new(const char *from, const char *to, struct err *err);

/* Whether the last part of a path is one that a killed write may leave. */
bool fs_is_draft(const char *name);

/* Makes a folder and those above it; no error where it is there already. */
int fs_make_dirs(const char *path, struct err *err);

/* The same for the folder that a file is to be in. */
int fs_make_folder_of(const char *path, struct err *err);

enum fs_kind { FS_FILE, FS_FOLDER, FS_OTHER }; /* other: links, sockets, devices */

struct fs_entry {
    const char *path; /* below the root of the walk, no leading slash; borrowed */
    enum fs_kind kind;
    int64_t size; /* bytes */
    int64_t mtime_ns;
};

/* Another answer than 0 ends the walk, which returns it. */
typedef int fs_visit(void *context, const struct fs_entry *entry, struct err *err);

/*
 * Visits all that lies below a folder, hidden names too, in the order of their
 * names (bytes), a folder before what it holds. Links are not followed, and what
 * vanishes meanwhile is left out. NOT_FOUND where the folder is not there.
 */
int fs_walk(const char *root, fs_visit *visit, void *context, struct err *err);

/* Where this user's programs keep what must survive them (XDG Base Directory
 * Specification), ours in it: $STATE_DIRECTORY of a systemd service, else
 * $XDG_STATE_HOME/reelfarm, else ~/.local/state/reelfarm. Returns owned, NULL where there
 * is no home; nothing is made. */
char *fs_state_folder(void);

/* The path from "/", without ".", ".." and doubled slashes, by its words alone: links are not
 * followed, and nothing needs to be there. Returns owned. */
char *fs_whole_path(const char *path);

/* Removes a file or a folder with all that it holds, links not followed. No error
 * where it is not there. */
int fs_remove_tree(const char *path, struct err *err);

/* A lock that ends with the process that holds it, whichever way that ends. */
struct fs_lock {
    int fd;
};

/* Takes the lock whose file is `path` (made where it is not there; stays). CONFLICT
 * that names the holder's process id where another process, or another call in this
 * one, has it. */
int fs_lock_take(struct fs_lock *out, const char *path, struct err *err);

/* Gives the lock back. Takes one with fd -1. */
void fs_lock_release(struct fs_lock *lock);

/* Bytes that this user may still write on the file system of `path`, which must be there. */
int fs_free_bytes(const char *path, int64_t *out, struct err *err);

#endif
