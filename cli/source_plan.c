/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm ladder plan SOURCE`: probe it and plan it, and make nothing. */
#include "source_plan.h"

#include "cli_probe.h"
#include "ladder_file.h"
#include "sandbox_option.h"
#include "scheduler/scheduler.h"
#include "worker_info.h"

static int plan_source(struct plan **out, const struct json *info, const struct ladder *ladder,
                       const struct source_document *source, struct err *err) {
    struct announced_encoder encoders[WORKER_ENCODERS];
    size_t count = 0;
    int failed = worker_info_encoders(info, encoders, &count, err);
    if (failed != 0) {
        return failed;
    }
    struct plan_options options = {
        .title = "plan",
        .output = "",
        .identity = "",
        .ladder = ladder,
        .source = source,
        .encoders = encoders,
        .encoder_count = count,
    };
    return plan_create(out, &options, err);
}

static int print_plan(const struct invocation *invocation, const struct plan *plan) {
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        plan_describe_json(plan, &w, NULL);
        buf_string(&text, "\n");
    } else {
        plan_describe_text(plan, &text);
    }
    return command_print(&text);
}

int source_plan_run(const struct invocation *invocation) {
    const char *name = option_value(invocation, "ladder");
    struct ladder ladder;
    struct source_document source = {0};
    struct json *info = NULL;
    struct plan *plan = NULL;
    struct err err = {0};
    const char *sandbox = NULL;
    int code = sandbox_option(invocation, &sandbox);
    if (code != EXIT_DONE) {
        return code;
    }
    if (ladder_file_load(&ladder, name != NULL ? name : LADDER_DEFAULT, &err) == 0 &&
        cli_probe(&source, invocation->words[1], &ladder, sandbox, &err) == 0 &&
        worker_info_load(&info, &err) == 0 &&
        plan_source(&plan, info, &ladder, &source, &err) == 0) {
        code = print_plan(invocation, plan);
    } else {
        code = command_fail(invocation, err.code == ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED,
                            &err);
    }
    plan_destroy(plan);
    json_tree_destroy(info);
    source_document_finish(&source);
    return code;
}
