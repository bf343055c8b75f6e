/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm popularity`: tells the farm how popular titles are, by a file. */
#include <inttypes.h>
#include <sys/stat.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"
#include "interrupt.h"
#include "scores.h"

enum {
    FILE_BYTES_MAX = 256 << 20,
    CALL_TITLES = 1000, /* of one call */
    LOOK_MS = 1000,     /* how often the file is looked at */
};

static void write_body(const struct scores *scores, size_t from, size_t end, struct buf *body) {
    struct writer w = writer_of(body);
    writer_object(&w, NULL);
    writer_object(&w, "scores");
    for (size_t i = from; i < end; i++) {
        writer_number(&w, scores->list[i].title, scores->list[i].value);
    }
    writer_object_end(&w);
    writer_object_end(&w);
}

/* A call with some of them; `*known` grows by the titles that the farm has. */
static int send_some(struct client *client, const struct scores *scores, size_t from, size_t end,
                     int64_t *known, struct err *err) {
    struct buf body = {0};
    struct json *answer = NULL;
    int64_t titles = 0;
    write_body(scores, from, end, &body);
    int failed = client_call_again(client, "PUT", "/v1/popularity", &body, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        reader_int(&r, "titles", 0, CALL_TITLES, &titles);
        failed = err->code;
    }
    *known += titles;
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

static int tell(const struct invocation *invocation, size_t count, int64_t known) {
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_int(&w, "scores", (int64_t)count);
        writer_int(&w, "titles", known);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%zu score%s, of %" PRId64 " title%s that the farm has\n", count,
                   count == 1 ? "" : "s", known, known == 1 ? "" : "s");
    }
    return command_print(&text);
}

/* Reads the file and sends all of it. `*code`: what a failure ends with. */
static int send_file(struct client *client, const struct invocation *invocation, int *code,
                     struct err *err) {
    const char *file = invocation->words[0];
    struct scores scores = {0};
    struct buf text = {0};
    struct err why = {0};
    int64_t known = 0;
    *code = EXIT_USAGE;
    int failed = fs_read(&text, file, FILE_BYTES_MAX, &why);
    if (failed == 0) {
        failed = scores_read(&scores, &text, &why);
    }
    if (failed != 0) {
        err_set(err, why.code, "no scores were sent of '%.400s': %s", file, why.message);
    }
    for (size_t i = 0; failed == 0 && i < scores.count; i += CALL_TITLES) {
        size_t end = i + CALL_TITLES < scores.count ? i + CALL_TITLES : scores.count;
        failed = send_some(client, &scores, i, end, &known, err);
        *code = EXIT_FAILED;
    }
    if (failed == 0) {
        *code = tell(invocation, scores.count, known);
    }
    scores_finish(&scores);
    buf_finish(&text);
    return failed;
}

/* Whether it is another than at the last look; a file that is not there is looked for again. */
static bool has_changed(const char *file, struct stat *last) {
    struct stat now;
    if (stat(file, &now) != 0) {
        return false;
    }
    bool changed = now.st_mtim.tv_sec != last->st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != last->st_mtim.tv_nsec || now.st_size != last->st_size ||
                   now.st_ino != last->st_ino;
    *last = now;
    return changed;
}

/* Sends the file whenever it has changed, until Ctrl-C. What is wrong then ends nothing: the next
 * change may mend it. */
static int follow(struct client *client, const struct invocation *invocation) {
    const atomic_bool *interrupted = interrupt_catch();
    struct stat last = {0};
    do {
        struct err err = {0};
        int code = EXIT_DONE;
        if (has_changed(invocation->words[0], &last) &&
            send_file(client, invocation, &code, &err) != 0 && err.code != ERR_CANCELLED) {
            log_warn("scores were not taken", "why=\"%s\"", err.message);
            last = err_is_transient(err.code) ? (struct stat){0} : last;
        }
    } while (clock_sleep_ms(LOOK_MS, interrupted));
    return EXIT_DONE;
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct err err = {0};
    int code = EXIT_DONE;
    if (client_connect(&client, invocation, &err) != 0) {
        return client_fail(client, invocation, &err);
    }
    if (option_value(invocation, "follow") != NULL) {
        code = follow(client, invocation);
    } else if (send_file(client, invocation, &code, &err) != 0) {
        code = code == EXIT_USAGE ? command_fail(invocation, code, &err)
                                  : client_fail(client, invocation, &err);
    }
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {
    {"follow", NULL, "send it again whenever it has changed, until Ctrl-C"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_popularity = {
    .name = "popularity",
    .words = "FILE",
    .least_words = 1,
    .most_words = 1,
    .summary = "tell how popular titles are, for edges that hold the popular ones",
    .help =
        "Edges whose fill is `score >= X` in the scheduler's file of endpoints hold the titles\n"
        "with such a score; one that falls below it is taken away. FILE is CSV whose first\n"
        "line names the columns title and score among others, or has a JSON object of these\n"
        "names in each line. Titles that it does not name keep their scores, and those that\n"
        "the farm does not have are passed over.\n\n"
        "  reelfarm popularity scores.csv\n"
        "  reelfarm popularity scores.jsonl --follow      and whenever it has changed\n\n"
        "  title,score\n"
        "  movie,0.93\n"
        "  goal,0.2\n",
    .options = options,
    .run = run,
};
