/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The copy of the database: see backup.h. */
#include "backup.h"

#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/mem.h"

enum { STEP_PAGES = 256 }; /* 1 MiB: some ms between two groups of calls */

const char *backup_state_name(enum backup_state state) {
    static const char *const names[] = {
        [BACKUP_NONE] = "none",
        [BACKUP_RUNNING] = "running",
        [BACKUP_DONE] = "done",
        [BACKUP_FAILED] = "failed",
    };
    return names[state];
}

/* With what SQLite lays beside it while it writes. There is one such name, which no backup can
 * have, so that the next one clears away what a killed one left. */
static void remove_part(const char *part) {
    char *journal = mem_format("%s-journal", part);
    unlink(part);
    unlink(journal);
    mem_free(journal);
}

void backup_finish(struct backup *backup) {
    if (backup->state == BACKUP_RUNNING) {
        driver_copy_close(backup->copy);
        remove_part(backup->part);
    }
    mem_free(backup->path);
    mem_free(backup->part);
    *backup = (struct backup){0};
}

static int make_folder(const char *path, struct err *err) {
    char *folder = mem_format("%.*s", (int)(strrchr(path, '/') - path), path);
    int failed = fs_make_dirs(folder, err);
    mem_free(folder);
    return failed;
}

int backup_begin(struct backup *backup, struct driver *driver, const char *path, struct err *err) {
    struct driver_copy *copy = NULL;
    int failed = driver_copy_check(driver, err);
    if (failed != 0) {
        return failed;
    }
    if (backup->state == BACKUP_RUNNING) {
        return err_set(err, ERR_CONFLICT, "a backup to %s is being made; wait for its end",
                       backup->path);
    }
    if (access(path, F_OK) == 0) {
        return err_set(err, ERR_CONFLICT, "there is a backup %s already; choose another name",
                       path);
    }
    char *part = mem_format("%.*s/.part", (int)(strrchr(path, '/') - path), path);
    failed = make_folder(path, err);
    if (failed == 0) {
        remove_part(part); /* of a scheduler that was killed */
        failed = driver_copy_open(&copy, driver, part, err);
    }
    if (failed != 0) {
        mem_free(part);
        return failed;
    }
    backup_finish(backup);
    *backup = (struct backup){
        .state = BACKUP_RUNNING, .path = mem_string(path), .part = part, .copy = copy};
    return 0;
}

void backup_step(struct backup *backup) {
    if (backup->state != BACKUP_RUNNING) {
        return;
    }
    int more = driver_copy_step(backup->copy, STEP_PAGES, &backup->pages_done, &backup->pages,
                                &backup->err);
    if (more > 0) {
        return;
    }
    driver_copy_close(backup->copy);
    backup->copy = NULL;
    if (more < 0 || fs_rename_new(backup->part, backup->path, &backup->err) != 0) {
        remove_part(backup->part);
    }
    backup->state = backup->err.code == ERR_NONE ? BACKUP_DONE : BACKUP_FAILED;
}
