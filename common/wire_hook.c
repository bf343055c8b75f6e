/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told to a webhook, and how it takes it. See wire.h. */
#include "common/wire.h"
#include "wire_fields.h"

enum {
    BODY_MAX = 128 * 1024,
    EVENTS_MAX = 1000,
    ERROR_MAX = 1024,
    TITLE_MAX = 128,
    TIMEOUT_MS_MAX = 600000,
    STATUS_MAX = 999,
};

static const char *const verdicts[HOOK_VERDICT_COUNT + 1] = {"taken", "refused", "busy", "gone",
                                                             "down"};

static const struct field event_fields[] = {
    NUMBER(struct hook_event, event, 0, INT64_MAX),
    STRING(struct hook_event, title, TITLE_MAX),
    STRING(struct hook_event, body, BODY_MAX),
    END,
};

static const struct field hook_fields[] = {
    FLAG(struct hook_task, batch),
    NUMBER(struct hook_task, timeout_ms, 0, TIMEOUT_MS_MAX),
    LIST(struct hook_task, events, event_count, EVENTS_MAX, event_fields),
    END,
};

void hook_task_write(const struct hook_task *hook, struct writer *w, const char *name) {
    object_write(hook_fields, hook, w, name);
}

void hook_task_read(struct hook_task *out, struct arena *arena, struct reader *r) {
    *out = (struct hook_task){0};
    fields_read(hook_fields, out, arena, r);
}

static const struct field result_fields[] = {
    NUMBER(struct hook_result, event, 0, INT64_MAX),
    CHOICE(struct hook_result, verdict, 0, verdicts),
    NUMBER(struct hook_result, status, 0, STATUS_MAX),
    STRING(struct hook_result, error, ERROR_MAX),
    END,
};

static const struct field report_fields[] = {
    NUMBER(struct hook_report, retry_after_s, 0, INT64_MAX),
    LIST(struct hook_report, results, result_count, EVENTS_MAX, result_fields),
    END,
};

void hook_report_write(const struct hook_report *report, struct writer *w, const char *name) {
    object_write(report_fields, report, w, name);
}

void hook_report_read(struct hook_report *out, struct arena *arena, struct reader *r) {
    *out = (struct hook_report){0};
    fields_read(report_fields, out, arena, r);
}

enum hook_verdict hook_judge(int status) {
    static const struct {
        int status;
        enum hook_verdict verdict;
    } rows[] = {
        {400, HOOK_REFUSED}, {410, HOOK_GONE},    {413, HOOK_REFUSED},
        {415, HOOK_REFUSED}, {422, HOOK_REFUSED}, {429, HOOK_BUSY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            return rows[i].verdict;
        }
    }
    return status >= 200 && status <= 299 ? HOOK_TAKEN : HOOK_DOWN;
}
