/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told to a webhook, and how it takes it. See wire.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static const struct field leave_fields[] = {
    STRING(struct hook_leave, origin, HOOK_ORIGIN_MAX),
    FLAG(struct hook_leave, ask),
    NUMBER(struct hook_leave, rate, 0, HOOK_RATE_MAX),
    END,
};

static const struct field hook_fields[] = {
    FLAG(struct hook_task, batch),
    NUMBER(struct hook_task, timeout_ms, 0, TIMEOUT_MS_MAX),
    OPTIONAL(struct hook_task, leave, has_leave, leave_fields),
    LIST(struct hook_task, events, event_count, EVENTS_MAX, event_fields),
    END,
};

void hook_task_write(const struct hook_task *hook, struct writer *w, const char *name) {
    object_write(hook_fields, hook, w, name);
}

void hook_task_read(struct hook_task *out, struct arena *arena, struct reader *r) {
    *out = (struct hook_task){0};
    fields_read(hook_fields, out, arena, r);
    if (reader_ok(r) && out->has_leave && !hook_origin_valid(out->leave.origin)) {
        reader_fail(r, "leave", "names no host as the origin");
    }
}

static const struct field result_fields[] = {
    NUMBER(struct hook_result, event, 0, INT64_MAX),
    CHOICE(struct hook_result, verdict, 0, verdicts),
    NUMBER(struct hook_result, status, 0, STATUS_MAX),
    STRING(struct hook_result, error, ERROR_MAX),
    END,
};

static const struct field grant_fields[] = {
    NUMBER(struct hook_grant, rate, 0, HOOK_RATE_MAX),
    END,
};

static const struct field report_fields[] = {
    NUMBER(struct hook_report, retry_after_s, 0, INT64_MAX),
    OPTIONAL(struct hook_report, grant, has_grant, grant_fields),
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

bool hook_origin_valid(const char *text) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t length = strlen(text);
    return length > 0 && length <= HOOK_ORIGIN_MAX && strspn(text, allowed) == length &&
           text[0] != '.' && text[0] != '-' && strstr(text, "..") == NULL;
}

/* "*" is any, as is none where none was asked for; false for what is no rate. */
static bool read_rate(const char *text, int *rate) {
    char *end = NULL;
    *rate = 0;
    if (text == NULL || strcmp(text, "*") == 0) {
        return true;
    }
    long long number = strtoll(text, &end, 10);
    *rate = number < HOOK_RATE_MAX ? (int)number : HOOK_RATE_MAX;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number > 0;
}

const char *hook_leave_refused(const char *origin, const char *allowed_origin,
                               const char *allowed_rate, int *rate) {
    if (allowed_origin == NULL) {
        return "has no WebHook-Allowed-Origin";
    }
    if (strcmp(allowed_origin, "*") != 0 && strcasecmp(allowed_origin, origin) != 0) {
        return "lets another than this farm send, by its WebHook-Allowed-Origin";
    }
    return read_rate(allowed_rate, rate) ? NULL : "has a WebHook-Allowed-Rate that is no rate";
}
