/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm workers`: who works for the farm. */
#include <inttypes.h>

#include "client.h"
#include "command.h"

static void worker_text(struct reader *item, struct buf *out) {
    const char *worker = "";
    const char *host = "";
    int64_t slots = 0;
    int64_t busy = 0;
    int64_t seen_ms = 0;
    int64_t cores = 0;
    int64_t memory = 0;
    const char *sandbox = "";
    const char *refused = "";
    bool drains = false;
    bool stops = false;
    reader_string(item, "worker", &worker);
    reader_string(item, "host", &host);
    reader_int(item, "slots", 0, INT64_MAX, &slots);
    reader_int(item, "busy", 0, INT64_MAX, &busy);
    reader_int(item, "seen_ms_ago", INT64_MIN, INT64_MAX, &seen_ms);
    reader_bool(item, "drain", &drains);
    reader_bool(item, "stopping", &stops);
    reader_int(item, "cores", 0, INT64_MAX, &cores);
    reader_int(item, "memory_bytes", 0, INT64_MAX, &memory);
    reader_string(item, "sandbox", &sandbox);
    reader_string(item, "refused", &refused);
    struct reader codecs = reader_array(item, "codecs");
    if (reader_ok(item)) { /* names that a scheduler takes are plain */
        buf_format(out,
                   "%-24s %-20s busy %" PRId64 "/%" PRId64 "  heard %" PRId64 " s ago  %" PRId64
                   " cores  %.1f GiB  sandbox %s  ",
                   worker, host, busy, slots, (seen_ms > 0 ? seen_ms : 0) / 1000, cores,
                   (double)memory / (double)(INT64_C(1) << 30), sandbox);
        for (size_t i = 0; i < reader_count(&codecs); i++) {
            const char *codec = "";
            reader_item_string(&codecs, i, &codec);
            buf_format(out, "%s%s", i > 0 ? "," : "", codec);
        }
        buf_format(out, "%s%s%s%s\n", refused[0] != '\0' ? "  no sources: " : "", refused,
                   drains ? "  drained" : "", stops ? "  stopping" : "");
    }
}

static void workers_text(struct reader *answer, struct buf *out) {
    struct reader list = reader_array(answer, "workers");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        worker_text(&item, out);
    }
    buf_string(out, out->size == 0 ? "no workers; start one by `reelfarm worker`\n" : "");
}

static int run(const struct invocation *invocation) {
    return client_show(invocation, "/v1/workers", workers_text);
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_workers = {
    .name = "workers",
    .words = "",
    .summary = "who works for the farm, and how busy",
    .help =
        "Each with its host, its slots and how many are busy, cores, memory, sandbox and codecs.\n"
        "One that is silent for the scheduler's ttl_ms is lost, and no longer there.\n"
        "One that is stopping ends when its tasks have; `reelfarm drain` empties one.\n\n"
        "  reelfarm workers\n"
        "  reelfarm workers --json      with the tasks of each\n",
    .options = options,
    .run = run,
};
