/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove: what a failed title leaves and no kept version names; versions that are kept no more, or
 * folders alone of what could not be made; or all of a title. */
#include <inttypes.h>

#include "common/log.h"
#include "remove.h"
#include "task.h"

static int objects_remove(struct task_run *run, struct err *err) {
    int64_t removed = 0;
    const struct task *task = run->task;
    const struct dropped_versions dropped = {
        .versions = task->versions,
        .version_count = task->version_count,
        .folders = task->folders,
        .folder_count = task->folder_count,
    };
    int failed = 0;
    if (task->everything) {
        failed = remove_everything(run->output, task->title, &removed, err);
    } else if (task->early.alone) {
        failed = remove_early(run->output, task->title, &task->early, &removed, err);
    } else if (task->version_count + task->folder_count > 0) {
        failed = remove_versions(run->output, task->title, &dropped, &removed, err);
    } else {
        failed = remove_unnamed(run->output, task->title, &task->early, &removed, err);
    }
    log_info("removed", "objects=%" PRId64, removed);
    return failed == 0 ? 0 : task_fail(run, output_failure(run->output, failed, err), failed);
}

static const struct step steps[] = {
    {"open output", task_open_output},
    {"remove", objects_remove},
    {"abandon puts", task_abandon_puts}, /* all tasks of the title have stopped */
    {NULL, NULL},
};

const struct task_kind_row task_remove_row = {steps, NULL};
