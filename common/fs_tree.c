/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders: making, walking and removing them: see fs.h. */
#include "common/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

enum { LEVELS_MAX = 64 }; /* each level of a walk holds a descriptor */

static int sync_folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? mem_string(".")
                   : slash == path ? mem_string("/")
                                   : mem_format("%.*s", (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mem_free(folder);
    if (fd < 0) {
        return errno == EACCES ? 0 : errno; /* may be entered but not read: nothing to sync by */
    }
    int failure = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return failure;
}

int fs_rename_new(const char *from, const char *to, struct err *err) {
    int failure = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0 ? errno : 0;
    if (failure == 0) {
        failure = sync_folder_of(to);
    }
    return failure == 0 ? 0 : err_set_errno(err, failure, "cannot call a file '%s'", to);
}

/* Makes one folder; no error where it is there. Returns an errno. */
static int make_dir(const char *path) {
    struct stat info;
    if (mkdir(path, 0755) == 0) {
        return sync_folder_of(path);
    }
    int failure = errno;
    if (stat(path, &info) == 0) {
        return S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    }
    return failure;
}

int fs_make_dirs(const char *path, struct err *err) {
    char *part = mem_string(path);
    int failure = 0;
    for (char *at = part + 1; failure == 0 && part[0] != '\0' && *at != '\0'; at++) {
        if (*at == '/' && at[-1] != '/') {
            *at = '\0';
            failure = make_dir(part);
            *at = '/';
        }
    }
    if (failure == 0) {
        failure = make_dir(part);
    }
    mem_free(part);
    return failure == 0 ? 0 : err_set_errno(err, failure, "making the folder '%s'", path);
}

int fs_make_folder_of(const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return 0;
    }
    char *folder = mem_format("%.*s", (int)(slash - path), path);
    int failed = fs_make_dirs(folder, err);
    mem_free(folder);
    return failed;
}

/* ---- Walking ---------------------------------------------------------------- */

struct names {
    char **items; /* owned, as is each */
    size_t count;
};

static void names_finish(struct names *names) {
    for (size_t i = 0; i < names->count; i++) {
        mem_free(names->items[i]);
    }
    mem_free(names->items);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted names in a folder. Returns an errno. */
static int names_read(struct names *out, int folder_fd) {
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        int failure = errno;
        if (fd >= 0) {
            close(fd);
        }
        return failure;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            if ((out->count & (out->count - 1)) == 0) { /* grows at powers of two */
                size_t room = out->count > 0 ? 2 * out->count : 1;
                out->items = mem_resize(out->items, room, sizeof(*out->items));
            }
            out->items[out->count++] = mem_string(entry->d_name);
        }
    }
    int failure = errno;
    closedir(folder);
    if (out->count > 0) {
        qsort(out->items, out->count, sizeof(*out->items), compare_names);
    }
    return failure;
}

struct walk {
    const char *root;
    struct buf path; /* below the root */
    fs_visit *visit;
    void *context;
    struct err *err;
};

static int walk_folder(struct walk *walk, int fd, int level);

static int walk_fail(struct walk *walk, int failure) {
    return err_set_errno(walk->err, failure, "listing '%s/%s'", walk->root, buf_text(&walk->path));
}

static int walk_entry(struct walk *walk, int folder, const char *name, int level) {
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : walk_fail(walk, errno);
    }
    struct fs_entry entry = {
        .path = buf_text(&walk->path),
        .kind = S_ISREG(info.st_mode)   ? FS_FILE
                : S_ISDIR(info.st_mode) ? FS_FOLDER
                                        : FS_OTHER,
        .size = info.st_size,
        .mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
    };
    int code = walk->visit(walk->context, &entry, walk->err);
    if (code != 0 || entry.kind != FS_FOLDER) {
        return code;
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : walk_fail(walk, errno);
    }
    code = walk_folder(walk, fd, level + 1);
    close(fd);
    return code;
}

static int walk_folder(struct walk *walk, int fd, int level) {
    size_t from = walk->path.size;
    struct names names = {0};
    int failure = level > LEVELS_MAX ? ELOOP : names_read(&names, fd);
    int code = failure != 0 ? walk_fail(walk, failure) : 0;
    for (size_t i = 0; i < names.count && code == 0; i++) {
        walk->path.size = from;
        buf_format(&walk->path, "%s%s", from > 0 ? "/" : "", names.items[i]);
        code = walk_entry(walk, fd, names.items[i], level);
    }
    walk->path.size = from;
    names_finish(&names);
    return code;
}

int fs_walk(const char *root, fs_visit *visit, void *context, struct err *err) {
    struct walk walk = {.root = root, .visit = visit, .context = context, .err = err};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "listing '%s'", root);
    }
    int code = walk_folder(&walk, fd, 1);
    close(fd);
    buf_finish(&walk.path);
    return code;
}

/* ---- Removing ---------------------------------------------------------------- */

/* Removes what `name` is in `folder`. Returns an errno; what is gone is no error. */
static int remove_at(int folder, const char *name, int level) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR && errno != EPERM) { /* POSIX says EPERM for a folder, Linux EISDIR */
        return errno;
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : errno;
    }
    struct names names = {0};
    int failure = level > LEVELS_MAX ? ELOOP : names_read(&names, fd);
    for (size_t i = 0; i < names.count && failure == 0; i++) {
        failure = remove_at(fd, names.items[i], level + 1);
    }
    names_finish(&names);
    close(fd);
    if (failure == 0 && unlinkat(folder, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        failure = errno;
    }
    return failure;
}

int fs_remove_tree(const char *path, struct err *err) {
    int failure = remove_at(AT_FDCWD, path, 1);
    return failure == 0 ? 0 : err_set_errno(err, failure, "removing '%s'", path);
}
