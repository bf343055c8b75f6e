/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What webhooks are told: see hook_events.h. */
#include "hook_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"

enum { NUMBER_TEXT = 48, TYPE_TEXT = 64 };

/* A bit each, in this order, which the store knows: new ones go to the end. */
static const struct {
    const char *kind; /* in the feed */
    const char *name; /* in public */
} events[] = {
    {"title.submit", "title.submitted"},
    {"title.plan", "title.planned"},
    {"title.finish", "title.done"},
    {"title.publish", "title.published"},
    {"title.fail", "title.failed"},
    {"title.cancel", "title.cancelled"},
    {"title.remove", "title.removing"},
    {"title.drop", "title.removed"},
    {"version.rollback", "title.rolled-back"},
    {"publication.held", "publication.held"},
    {"publication.gone", "publication.gone"},
    {"publication.fail", "publication.failed"},
    {"publication.fetches", "publication.fetches"},
};

enum { EVENTS = sizeof(events) / sizeof(events[0]) };

int64_t hook_event_bit(const char *kind) {
    for (int i = 0; i < EVENTS; i++) {
        if (strcmp(events[i].kind, kind) == 0) {
            return INT64_C(1) << i;
        }
    }
    return 0;
}

int64_t hook_event_parse(const char *name) {
    for (int i = 0; i < EVENTS; i++) {
        if (strcmp(events[i].name, name) == 0) {
            return INT64_C(1) << i;
        }
    }
    return 0;
}

const char *hook_event_name(const char *kind) {
    for (int i = 0; i < EVENTS; i++) {
        if (strcmp(events[i].kind, kind) == 0) {
            return events[i].name;
        }
    }
    return NULL;
}

const char *hook_event_at(size_t index) {
    return index < EVENTS ? events[index].name : NULL;
}

int64_t hook_events_default(void) {
    int64_t all = 0;
    for (int i = 0; i < EVENTS; i++) {
        all |= strncmp(events[i].name, "title.", 6) == 0 ? INT64_C(1) << i : 0;
    }
    return all;
}

void hook_data_write(const struct hook_facts *facts, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_int(&w, "event", facts->event);
    writer_string(&w, "title", facts->title);
    writer_string(&w, "tenant", facts->tenant);
    writer_strings(&w, "labels", facts->labels, facts->label_count);
    writer_string(&w, "trace", facts->trace);
    if (facts->detail[0] != '\0') {
        writer_raw(&w, "detail", facts->detail, strlen(facts->detail));
    }
    writer_object_end(&w);
}

void cloud_event_write(const struct cloud_event *event, struct buf *out) {
    char id[NUMBER_TEXT], sequence[NUMBER_TEXT], type[TYPE_TEXT], time[CLOCK_TEXT];
    struct writer w = writer_of(out);
    snprintf(id, sizeof(id), "%" PRId64 "-%" PRId64, event->event, event->at);
    snprintf(sequence, sizeof(sequence), "%020" PRId64, event->event);
    snprintf(type, sizeof(type), HOOK_TYPE_PREFIX "%s", hook_event_name(event->kind));
    clock_text(event->at, time);
    writer_object(&w, NULL);
    writer_string(&w, "specversion", "1.0");
    writer_string(&w, "id", id);
    writer_string(&w, "source", event->source);
    writer_string(&w, "type", type);
    writer_string(&w, "subject", event->title);
    writer_string(&w, "time", time);
    writer_string(&w, "sequence", sequence);
    writer_string(&w, "datacontenttype", "application/json");
    writer_raw(&w, "data", event->data, strlen(event->data));
    writer_object_end(&w);
}

int64_t hook_asked_ms(int64_t retry_after_s) {
    return retry_after_s < HOOK_PAUSE_MOST_MS / 1000 ? 1000 * retry_after_s : HOOK_PAUSE_MOST_MS;
}

int64_t hook_pause_ms(int64_t failures, int64_t retry_after_s, uint64_t (*draw)(uint64_t bound)) {
    int64_t most = HOOK_PAUSE_FIRST_MS;
    for (int64_t i = 1; i < failures && most < HOOK_PAUSE_MOST_MS; i++) {
        most *= 2;
    }
    most = most < HOOK_PAUSE_MOST_MS ? most : HOOK_PAUSE_MOST_MS;
    int64_t pause = most / 2 + (int64_t)draw((uint64_t)(most / 2 + 1));
    int64_t asked = hook_asked_ms(retry_after_s);
    return pause > asked ? pause : asked;
}
