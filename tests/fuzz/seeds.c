/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes seeds of JSON for fuzz targets, by our own writers: FOLDER/<target>/wire-<number>.
 *   fuzz-seeds FOLDER */
#include <stdio.h>
#include <stdlib.h>

#include "common/fs.h"
#include "common/mem.h"
#include "tests/wire_fixture.h"

enum { SEEDS = 24 };

static void write_task(struct writer *w) {
    struct task task = {0};
    any_task(&task);
    task_write(&task, w, NULL);
    task_finish(&task);
}

static void write_report(struct writer *w) {
    struct task_report report = {0};
    any_task_report(&report);
    task_report_write(&report, w, NULL);
    task_report_finish(&report);
}

static void write_plan(struct writer *w) {
    struct title_plan plan = {0};
    any_title_plan(&plan);
    title_plan_write(&plan, w, NULL);
    title_plan_finish(&plan);
}

static void write_source(struct writer *w) {
    struct source_document source = {0};
    any_source(&source);
    source_document_write(&source, w, NULL);
    source_document_finish(&source);
}

static void write_spec(struct writer *w) {
    static const enum task_kind kinds[] = {TASK_PROBE, TASK_VIDEO, TASK_AUDIO};
    struct arena arena = {0};
    struct child_spec spec = {0};
    any_child_spec(&spec, kinds[any(0, 2)], &arena);
    child_spec_write(&spec, w, NULL);
    child_spec_finish(&spec);
    arena_finish(&arena);
}

static void write_stats(struct writer *w) {
    struct task_stats stats = {0};
    any_stats(&stats);
    task_stats_write(&stats, w, NULL);
}

static const struct {
    const char *target;
    void (*write)(struct writer *w);
} kinds[] = {
    {"task", write_task},     {"report", write_report}, {"plan", write_plan},
    {"source", write_source}, {"spec", write_spec},     {"stats", write_stats},
};

static int write_seed(const char *folder, size_t kind, int number, struct err *err) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    char *path = mem_format("%s/%s/wire-%d", folder, kinds[kind].target, number);
    kinds[kind].write(&w);
    int failed = fs_replace(path, text.data, text.size, 0644, err);
    mem_free(path);
    buf_finish(&text);
    return failed;
}

int main(int count, char **arguments) {
    struct err err = {0};
    srand(1);
    for (size_t kind = 0; count == 2 && kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (int number = 1; number <= SEEDS; number++) {
            if (write_seed(arguments[1], kind, number, &err) != 0) {
                fprintf(stderr, "fuzz-seeds: %s\n", err.message);
                return 1;
            }
        }
    }
    return count == 2 ? 0 : 2;
}
