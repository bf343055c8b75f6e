/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The copy of the database: see backup.h. */
#include "backup.h"

#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/mem.h"

enum {
    STEP_PAGES = 256, /* 1 MiB: some ms between two groups of calls */
    SPARE_PARTS = 4,
    MIB = 1 << 20,
};

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

/* The folder may be on the store's own disk, which has to take submissions while this one is copied
 * and after. */
static int check_room(struct driver *driver, const char *folder, struct err *err) {
    int64_t database = 0, log = 0, free_bytes = 0;
    driver_size(driver, &database, &log);
    int64_t copy = database + log, least = copy + copy / SPARE_PARTS;
    int failed = fs_free_bytes(folder, &free_bytes, err);
    if (failed == 0 && free_bytes < least) {
        failed =
            err_set(err, ERR_NO_SPACE,
                    "a backup takes %.1f MiB, and a quarter of that is to stay free beside it; "
                    "%s has %.1f MiB left: make room there, or name another disk by the "
                    "scheduler's option backup_folder",
                    (double)copy / MIB, folder, (double)free_bytes / MIB);
    }
    return failed;
}

static int make_folder(struct driver *driver, const char *path, struct err *err) {
    char *folder = mem_format("%.*s", (int)(strrchr(path, '/') - path), path);
    int failed = fs_make_dirs(folder, err);
    if (failed == 0) {
        failed = check_room(driver, folder, err);
    }
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
    remove_part(part); /* of a scheduler that was killed */
    failed = make_folder(driver, path, err);
    if (failed == 0) {
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
