/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks and shows, again and again: see title_watch.h. */
#include "title_watch.h"

#include "common/clock.h"
#include "common/mem.h"
#include "encode_display.h"
#include "interrupt.h"

enum {
    SHOW_MS = 1000, /* what is shown is as old as that at most; an end is known at once */
    LOOK_MS = 200,  /* between looks at least: an older scheduler answers without waiting */
    AWAY_MS = 60000,
};

/* Answered after `wait_ms` at the latest, sooner where the title has ended. */
static int status_get(struct client *client, const char *title, int wait_ms,
                      struct title_status *out, struct err *err) {
    char *path = mem_format("/v1/titles/%s?wait_ms=%d", title, wait_ms);
    struct json *answer = NULL;
    struct err found = {0};
    int failed = client_call(client, "GET", path, NULL, &answer, &found);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &found);
        struct title_status status = {0};
        title_status_read(&status, &r);
        failed = found.code;
        if (failed == 0) {
            *out = status;
        }
    }
    json_tree_destroy(answer);
    mem_free(path);
    return failed == 0 ? 0 : err_pass(err, &found);
}

int title_status_get(struct client *client, const char *title, struct title_status *out,
                     struct err *err) {
    return status_get(client, title, 0, out, err);
}

static int tend(const struct title_watch *watch, struct err *err) {
    return watch->tend != NULL ? watch->tend(watch->context, err) : 0;
}

/* One look; a scheduler that does not answer is asked again for a minute. Where it fails, whoever
 * tends it may know better why. */
static int look(const struct title_watch *watch, struct title_status *out, int64_t *heard_ms,
                struct err *err) {
    struct err why = {0};
    int failed = tend(watch, err);
    if (failed != 0) {
        return failed;
    }
    failed = status_get(watch->client, watch->title, *heard_ms == 0 ? 0 : SHOW_MS, out, &why);
    if (failed != 0 && tend(watch, err) != 0) {
        return (int)err->code;
    }
    int64_t now = clock_monotonic_ms();
    bool away = failed == ERR_UNAVAILABLE || failed == ERR_TIMEOUT;
    if (failed == 0) {
        *heard_ms = now;
    } else if (!away || *heard_ms == 0 || now - *heard_ms > AWAY_MS) {
        return err_pass(err, &why);
    }
    return 0;
}

int title_watch(const struct title_watch *watch, struct title_status *out, struct err *err) {
    const atomic_bool *interrupted = interrupt_catch();
    struct encode_display display;
    int64_t heard_ms = 0;
    int failed = 0;
    *out = (struct title_status){0};
    encode_display_init(&display, watch->json, watch->workers);
    for (;;) {
        if (atomic_load(interrupted)) {
            failed = err_set(err, ERR_CANCELLED, "stopped as asked");
            break;
        }
        failed = look(watch, out, &heard_ms, err);
        if (failed != 0 || title_status_ended(out)) {
            break;
        }
        encode_display_show(&display, out);
        clock_sleep_ms(LOOK_MS, interrupted);
    }
    encode_display_finish(&display);
    return failed;
}
