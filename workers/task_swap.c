/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swap: a version's three documents to the stable names, each in one step. All that the
 * documents list is there already, so no order of the first two can make a listed URL answer
 * 404; title.json, which tells a catalog that the title is there and `remove` that it was
 * published, comes last.
 */
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "task.h"

enum { DOCUMENT_BYTES = 64 << 20 };

static const struct {
    const char *extension;
    const char *name;
} documents[] = {
    {"m3u8", "master.m3u8"},
    {"mpd", "manifest.mpd"},
    {"json", "title.json"},
};

enum { DOCUMENTS = sizeof(documents) / sizeof(documents[0]) };

/* All are read before the first is written: a version that lacks one changes nothing. */
static int version_read(struct task_run *run, struct err *err) {
    struct buf *texts = mem_zero(DOCUMENTS, sizeof(*texts));
    int failed = 0;
    run->state = texts;
    for (size_t i = 0; i < DOCUMENTS && failed == 0; i++) {
        char *key =
            mem_format("%s/%s.%s", run->task->title, run->task->version, documents[i].extension);
        failed = blob_get(run->output, key, DOCUMENT_BYTES, &texts[i], err);
        mem_free(key);
    }
    return failed == 0 ? 0 : task_fail(run, FAILURE_IO, failed);
}

static int names_write(struct task_run *run, struct err *err) {
    const struct buf *texts = run->state;
    int failed = 0;
    for (size_t i = 0; i < DOCUMENTS && failed == 0; i++) {
        char *key = mem_format("%s/%s", run->task->title, documents[i].name);
        failed = task_put_document(run, key, texts[i].data, texts[i].size, BLOB_REPLACE, err);
        mem_free(key);
    }
    return failed;
}

/* The title is published: what keeps its leftovers from being taken back fails it no more. */
static int puts_abandon(struct task_run *run, struct err *err) {
    struct err why = {0};
    int failed = task_abandon_puts(run, &why);
    if (failed == ERR_CANCELLED) {
        return err_set(err, why.code, "%s", why.message);
    }
    if (failed != 0) {
        log_warn("uploads that were broken off stay until the title is made anew or removed",
                 "why=\"%s\"", why.message);
    }
    return 0;
}

static void swap_finish(struct task_run *run) {
    struct buf *texts = run->state;
    for (size_t i = 0; i < DOCUMENTS && texts != NULL; i++) {
        buf_finish(&texts[i]);
    }
    mem_free(texts);
    run->state = NULL;
}

static const struct step steps[] = {
    {"open output", task_open_output},
    {"read version", version_read},
    {"write names", names_write},
    {"abandon puts", puts_abandon}, /* all units are done */
    {NULL, NULL},
};

const struct task_kind_row task_swap_row = {steps, swap_finish};
