/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove: what a failed or cancelled title leaves and no kept version names. */
#include "remove.h"
#include "task.h"

static int objects_remove(struct task_run *run, struct err *err) {
    int64_t removed = 0;
    int failed = remove_unnamed(run->output, run->task->title, &removed, err);
    return failed == 0 ? 0 : task_fail(run, output_failure(run->output, failed, err), failed);
}

static const struct step steps[] = {
    {"open output", task_open_output},
    {"remove", objects_remove},
    {"abandon puts", task_abandon_puts}, /* all tasks of the title have stopped */
    {NULL, NULL},
};

const struct task_kind_row task_remove_row = {steps, NULL};
