/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What webhooks are told: which events of the feed, under which names, as CloudEvents 1.0 in
 * JSON; and how long a delivery that failed waits. Pure.
 */
#ifndef SCHEDULER_PUBLISHING_HOOK_EVENTS_H
#define SCHEDULER_PUBLISHING_HOOK_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define HOOK_TYPE_PREFIX "org.reelfarm."
#define HOOK_SOURCE      "urn:reelfarm:farm"

enum {
    HOOK_ATTEMPTS = 30, /* of a delivery, unless the file says otherwise; as are these */
    HOOK_MAX_AGE_S = 24 * 60 * 60,
    HOOK_TIMEOUT_S = 10,
    HOOK_PAUSE_FIRST_MS = 5000, /* after a failure; doubles up to */
    HOOK_PAUSE_MOST_MS = 60 * 60 * 1000,
};

/* The bit of an event of the feed ("title.finish"); 0 for one that webhooks hear nothing of. */
int64_t hook_event_bit(const char *kind);

/* The bit of a name as files of endpoints have it ("title.done"); 0 for what is none. */
int64_t hook_event_parse(const char *name);

/* The name of the event of the feed; NULL for one without. */
const char *hook_event_name(const char *kind);

/* The name number `index`, from 0 on; NULL past the last. */
const char *hook_event_at(size_t index);

/* All events of titles: what a webhook hears unless its file says otherwise. */
int64_t hook_events_default(void);

/* What is known of an event besides its envelope. Borrowed. */
struct hook_facts {
    int64_t event; /* its number in the feed */
    const char *title;
    const char *tenant;
    const char *const *labels;
    size_t label_count;
    const char *trace;  /* "": none is known */
    const char *detail; /* JSON object; "": none */
};

/* Writes them as the JSON object that a CloudEvent has as its data. */
void hook_data_write(const struct hook_facts *facts, struct buf *out);

/* All borrowed. */
struct cloud_event {
    int64_t event; /* its number in the feed */
    int64_t at;    /* ms since 1970 */
    const char *source;
    const char *title;
    const char *kind; /* as the feed has it; one that has a bit */
    const char *data; /* hook_data_write's */
};

/* Writes it in JSON's structured mode: the same bytes for the same event. Its id is of number and
 * time, so that no event of a store that was put back to an older copy has the id of another. */
void cloud_event_write(const struct cloud_event *event, struct buf *out);

/* What a receiver that asked for a pause is given: no more than HOOK_PAUSE_MOST_MS. */
int64_t hook_asked_ms(int64_t retry_after_s);

/* How long a delivery waits after so many failures (from 1), half of it by chance, but at least as
 * long as the receiver asked for. `draw` gives a random number in [0, bound). */
int64_t hook_pause_ms(int64_t failures, int64_t retry_after_s, uint64_t (*draw)(uint64_t bound));

#endif
