/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, writing in one step, locks: see fs.h. Trees are in fs_tree.c. */
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/id.h"
#include "common/mem.h"

enum { WRITE_BYTES = 1 << 20, READ_BYTES = 64 * 1024 };

/* Reads until the end, but never more than max + 1 bytes. Returns an errno. */
static int read_to_end(int fd, struct buf *out, size_t max) {
    size_t from = out->size;
    for (;;) {
        size_t left = max + 1 - (out->size - from);
        if (left == 0) {
            return EFBIG;
        }
        if (out->size == out->capacity) {
            buf_reserve(out, left < READ_BYTES ? left : READ_BYTES);
        }
        size_t room = out->capacity - out->size;
        ssize_t got = read(fd, out->data + out->size, room < left ? room : left);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? 0 : errno;
        }
        out->size += (size_t)got;
    }
}

int fs_open(int *out, int64_t *size, const char *path, struct err *err) {
    struct stat info;
    int code = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    if (fd < 0) {
        return err_set_errno(err, errno, "opening '%s'", path);
    }
    if (fstat(fd, &info) != 0) {
        code = err_set_errno(err, errno, "reading '%s'", path);
    } else if (!S_ISREG(info.st_mode)) {
        code = err_set(err, ERR_INVALID, "'%s' is not a regular file", path);
    }
    if (code != 0) {
        close(fd);
        return code;
    }
    *out = fd;
    *size = info.st_size;
    return 0;
}

int fs_read_at(int fd, int64_t offset, void *out, size_t size, struct err *err) {
    uint8_t *to = out;
    while (size > 0) {
        ssize_t got = pread(fd, to, size, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_set_errno(err, errno, "reading at byte %" PRId64, offset);
        }
        if (got == 0) {
            return err_set(err, ERR_CORRUPT, "it ends at byte %" PRId64, offset);
        }
        to += got;
        offset += got;
        size -= (size_t)got;
    }
    return 0;
}

int fs_read(struct buf *out, const char *path, size_t max, struct err *err) {
    int fd = -1;
    int64_t size = 0;
    size_t from = out->size;
    int code = fs_open(&fd, &size, path, err);
    if (code != 0) {
        return code;
    }
    size_t told = (uint64_t)size < max ? (size_t)size : max;
    buf_reserve_exact(out, told + 1); /* one more, so that the end is seen */
    int failure = read_to_end(fd, out, max);
    if (failure == EFBIG) {
        code =
            err_set(err, ERR_INVALID, "'%s' is too large: at most %zu bytes are taken", path, max);
    } else if (failure != 0) {
        code = err_set_errno(err, failure, "reading '%s'", path);
    }
    if (code != 0) {
        out->size = from;
    }
    close(fd);
    return code;
}

/* ---- Drafts: a file being written that nobody can see ---------------------- */

struct draft {
    int folder;
    int fd;
    char name[64]; /* hidden; "" while the file has no name at all */
};

static void draft_make_name(struct draft *draft) {
    char id[ID_TEXT];
    id_make(id);
    snprintf(draft->name, sizeof(draft->name), FS_DRAFT_PREFIX "%s", id);
}

/* Each returns 0 or an errno. */

static int draft_open_unnamed(struct draft *draft, mode_t mode) {
    draft->fd = openat(draft->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
    return draft->fd < 0 ? errno : 0;
}

static int draft_open_named(struct draft *draft, mode_t mode) {
    draft_make_name(draft);
    draft->fd = openat(draft->folder, draft->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    if (draft->fd < 0) {
        draft->name[0] = '\0';
        return errno;
    }
    return 0;
}

static int draft_fill(struct draft *draft, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(draft->fd, data, size < WRITE_BYTES ? size : WRITE_BYTES);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return wrote == 0 ? EIO : errno;
        }
        data += wrote;
        size -= (size_t)wrote;
    }
    return fdatasync(draft->fd) != 0 ? errno : 0;
}

static int draft_link(struct draft *draft, const char *name) {
    if (draft->name[0] != '\0') {
        return linkat(draft->folder, draft->name, draft->folder, name, 0) != 0 ? errno : 0;
    }
    /* AT_EMPTY_PATH would want a capability on kernels before 6.10 */
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", draft->fd);
    return linkat(AT_FDCWD, self, draft->folder, name, AT_SYMLINK_FOLLOW) != 0 ? errno : 0;
}

/* Renames a named draft where hard links are not to be had (exFAT, some FUSE). */
static int draft_move_new(struct draft *draft, const char *name) {
    if (renameat2(draft->folder, draft->name, draft->folder, name, RENAME_NOREPLACE) == 0) {
        draft->name[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    /* Nothing atomic is left. The scheduler's store is what keeps two writers of one
     * name apart, so looking first is enough here. */
    if (faccessat(draft->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return EEXIST;
    }
    if (renameat(draft->folder, draft->name, draft->folder, name) != 0) {
        return errno;
    }
    draft->name[0] = '\0';
    return 0;
}

static int draft_become_new(struct draft *draft, const char *name) {
    int failure = draft_link(draft, name);
    if (failure == 0 || failure == EEXIST || draft->name[0] == '\0') {
        return failure;
    }
    return draft_move_new(draft, name);
}

static int draft_become(struct draft *draft, const char *name) {
    if (draft->name[0] == '\0') {
        struct draft hidden = *draft;
        draft_make_name(&hidden);
        int failure = draft_link(draft, hidden.name);
        if (failure != 0) {
            return failure;
        }
        *draft = hidden;
    }
    if (renameat(draft->folder, draft->name, draft->folder, name) != 0) {
        return errno;
    }
    draft->name[0] = '\0';
    return 0;
}

static void draft_drop(struct draft *draft) {
    if (draft->name[0] != '\0') {
        unlinkat(draft->folder, draft->name, 0);
        draft->name[0] = '\0';
    }
    if (draft->fd >= 0) {
        close(draft->fd);
        draft->fd = -1;
    }
}

typedef int draft_finisher(struct draft *draft, const char *name);

static int write_draft(struct draft *draft, const char *name, const void *data, size_t size,
                       mode_t mode, draft_finisher *finisher) {
    int failure = draft_open_unnamed(draft, mode);
    if (failure == 0) {
        failure = draft_fill(draft, data, size);
        if (failure != 0) {
            return failure;
        }
        failure = finisher(draft, name);
        if (failure == 0 || failure == EEXIST) {
            return failure;
        }
        draft_drop(draft);
    }
    /* No O_TMPFILE here, or no /proc to name such a file by: any error that is about
     * something else comes again from the plain calls. */
    failure = draft_open_named(draft, mode);
    if (failure == 0) {
        failure = draft_fill(draft, data, size);
    }
    return failure != 0 ? failure : finisher(draft, name);
}

/* Opens the folder of a path and points `name` at the last part. */
static int open_folder(const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash != NULL ? slash + 1 : path;
    if (slash == NULL) {
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    char *folder = mem_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failure = errno;
    mem_free(folder);
    errno = failure;
    return fd;
}

static int write_file(const char *path, const void *data, size_t size, mode_t mode,
                      draft_finisher *finisher, struct err *err) {
    struct draft draft = {.folder = -1, .fd = -1};
    const char *name = NULL;
    draft.folder = open_folder(path, &name);
    if (draft.folder < 0) {
        return err_set_errno(err, errno, "opening the folder of '%s'", path);
    }
    int failure = write_draft(&draft, name, data, size, mode, finisher);
    if (failure == 0 && fsync(draft.folder) != 0 && errno != EINVAL) { /* EINVAL: has no sync */
        failure = errno;
    }
    draft_drop(&draft);
    close(draft.folder);
    return failure == 0 ? 0 : err_set_errno(err, failure, "writing '%s'", path);
}

int fs_create(const char *path, const void *data, size_t size, mode_t mode, struct err *err) {
    return write_file(path, data, size, mode, draft_become_new, err);
}

int fs_replace(const char *path, const void *data, size_t size, mode_t mode, struct err *err) {
    return write_file(path, data, size, mode, draft_become, err);
}

int fs_create_by(const char *path, fs_fill *fill, void *context, mode_t mode, struct err *err) {
    struct draft draft = {.folder = -1, .fd = -1};
    const char *name = NULL;
    int code = 0;
    draft.folder = open_folder(path, &name);
    if (draft.folder < 0) {
        return err_set_errno(err, errno, "opening the folder of '%s'", path);
    }
    int failure = draft_open_unnamed(&draft, mode);
    if (failure != 0) {
        failure = draft_open_named(&draft, mode);
    }
    if (failure == 0) {
        code = fill(context, draft.fd, err);
    }
    if (failure == 0 && code == 0 && fdatasync(draft.fd) != 0) {
        failure = errno;
    }
    if (failure == 0 && code == 0) {
        failure = draft_become_new(&draft, name);
    }
    if (failure == 0 && code == 0 && fsync(draft.folder) != 0 && errno != EINVAL) {
        failure = errno;
    }
    draft_drop(&draft);
    close(draft.folder);
    return failure == 0 ? code : err_set_errno(err, failure, "writing '%s'", path);
}

bool fs_is_draft(const char *name) {
    return strncmp(name, FS_DRAFT_PREFIX, strlen(FS_DRAFT_PREFIX)) == 0;
}

/* ---- Locks and space -------------------------------------------------------- */

static long read_holder(int fd) {
    char text[24] = "";
    long holder = 0;
    if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || sscanf(text, "%ld", &holder) != 1) {
        return 0; /* taken a moment ago, and not signed yet */
    }
    return holder;
}

int fs_lock_take(struct fs_lock *out, const char *path, struct err *err) {
    int code = 0;
    char text[24];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return err_set_errno(err, errno, "opening the lock '%s'", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            code = err_set(err, ERR_CONFLICT,
                           "'%s' is locked by process %ld; wait until it ends, or stop it", path,
                           read_holder(fd));
        } else {
            code = err_set_errno(err, errno, "locking '%s'", path);
        }
        goto out;
    }
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        code = err_set_errno(err, errno, "writing the lock '%s'", path);
        goto out;
    }
    out->fd = fd;
    return 0;
out:
    close(fd);
    return code;
}

void fs_lock_release(struct fs_lock *lock) {
    if (lock->fd >= 0) {
        close(lock->fd);
        lock->fd = -1;
    }
}

int fs_free_bytes(const char *path, int64_t *out, struct err *err) {
    struct statvfs info;
    if (statvfs(path, &info) != 0) {
        return err_set_errno(err, errno, "asking for the free space of '%s'", path);
    }
    *out = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
    return 0;
}

char *fs_state_folder(void) {
    const char *service = getenv("STATE_DIRECTORY");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (service != NULL && service[0] == '/') {
        return mem_format("%.*s", (int)strcspn(service, ":"), service);
    }
    if (state != NULL && state[0] == '/') {
        return mem_format("%s/reelfarm", state);
    }
    return home != NULL && home[0] == '/' ? mem_format("%s/.local/state/reelfarm", home) : NULL;
}

char *fs_whole_path(const char *path) {
    char *here = path[0] == '/' ? NULL : get_current_dir_name();
    char *given = mem_format("%s/%s", here != NULL ? here : "", path);
    char *whole = mem_string(given);
    size_t used = 0;
    for (const char *part = given; *part != '\0';) {
        part += strspn(part, "/");
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (used > 0 && whole[--used] != '/') {
            }
        } else if (length > 0 && !(length == 1 && part[0] == '.')) {
            whole[used++] = '/';
            memmove(whole + used, part, length);
            used += length;
        }
        part += length;
    }
    whole[used > 0 ? used : 1] = '\0'; /* of "/" the slash stays */
    free(here);
    mem_free(given);
    return whole;
}
