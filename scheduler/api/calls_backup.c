/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about the store's backup. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "scheduler/backup.h"

enum { NAME_BYTES_MAX = 128, FORGOTTEN_S = 24 * 60 * 60 };

/* How the names of copies begin that are made to be fetched. */
static const char to_fetch[] = "download-";

void call_show_backup(struct tx *tx, struct call *call) {
    const struct backup *backup = tx_backup(tx);
    struct writer *w = &call->writer;
    writer_object(w, NULL);
    writer_string(w, "state", backup_state_name(backup->state));
    writer_string(w, "path", backup->path != NULL ? backup->path : "");
    writer_int(w, "pages", backup->pages);
    writer_int(w, "pages_done", backup->pages_done);
    writer_string(w, "error", backup->err.message);
    writer_object_end(w);
}

/* Takes away a copy to be fetched whose client was stopped before it could say that it has it. */
static void drop_forgotten(const char *folder) {
    DIR *listing = opendir(folder);
    struct stat facts = {0};
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        if (strncmp(entry->d_name, to_fetch, strlen(to_fetch)) == 0 &&
            fstatat(dirfd(listing), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            facts.st_mtime < clock_wall_ms() / 1000 - FORGOTTEN_S &&
            unlinkat(dirfd(listing), entry->d_name, 0) == 0) {
            log_info("a copy that nobody fetched was removed", "path=\"%s/%s\"", folder,
                     entry->d_name);
        }
    }
    if (listing != NULL) {
        closedir(listing);
    }
}

/* The name is a plain one: a path would let callers write where the scheduler may. */
void call_begin_backup(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *name = "";
    reader_string(&r, "name", &name);
    call_check_word(&r, "name", name);
    call_check_length(&r, "name", name, NAME_BYTES_MAX);
    if (reader_ok(&r) && name[0] == '.') {
        reader_fail(&r, "name", "begins with a '.'");
    }
    if (reader_ok(&r)) {
        char *path = mem_format("%s/%s", call->routes->backups, name);
        drop_forgotten(call->routes->backups);
        tx_backup_begin(tx, path);
        mem_free(path);
    }
    if (tx_ok(tx)) {
        log_info("backup begun", "path=\"%s\" by=%s", tx_backup(tx)->path, call->caller.token);
        call->status = 202;
        call_show_backup(tx, call);
    }
}

/* Its path, owned; NULL with NOT_FOUND for a name that no backup can have. */
static char *path_of(struct tx *tx, const struct call *call) {
    const char *name = call->argument;
    if (name[0] == '.') {
        err_set(tx_err(tx), ERR_NOT_FOUND, "there is no backup '%s'", name);
        return NULL;
    }
    return mem_format("%s/%s", call->routes->backups, name);
}

/* A regular file that is opened, and how large it is; NOT_FOUND where it is none. */
static void open_backup(struct tx *tx, struct call *call, const char *path) {
    struct stat facts = {0};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "there is no backup '%s'", call->argument);
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    call->sends_file = true;
    call->file = fd;
    call->file_size = facts.st_size;
    call->type = "application/vnd.sqlite3";
    log_info("backup fetched", "path=\"%s\" by=%s", path, call->caller.token);
}

void call_fetch_backup(struct tx *tx, struct call *call) {
    char *path = path_of(tx, call);
    if (path != NULL) {
        open_backup(tx, call, path);
    }
    mem_free(path);
}

/* A token that has fallen into wrong hands takes no backup away but what was made to be fetched. */
void call_drop_backup(struct tx *tx, struct call *call) {
    if (strncmp(call->argument, to_fetch, strlen(to_fetch)) != 0) {
        err_set(tx_err(tx), ERR_INVALID,
                "only copies that were made to be fetched, %s..., are removed by a call; remove "
                "others on the scheduler's machine",
                to_fetch);
        return;
    }
    char *path = path_of(tx, call);
    if (unlink(path) != 0) {
        if (errno == ENOENT) {
            err_set(tx_err(tx), ERR_NOT_FOUND, "there is no backup '%s'", call->argument);
        } else {
            err_set_errno(tx_err(tx), errno, "removing '%s'", path);
        }
    }
    call->status = 204;
    mem_free(path);
}
