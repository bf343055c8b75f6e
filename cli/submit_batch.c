/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `submit --from`: see submit_batch.h. */
#include "submit_batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "batch_wait.h"
#include "client.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"
#include "ladder_file.h"
#include "status.h"

enum {
    FILE_BYTES_MAX = 64 << 20,
    SEND_TITLES = 100, /* of a request; some 10 ms of the scheduler's time */
    SEND_LADDERS = 16, /* of a request */
    REFUSALS_SHOWN = 20,
    LINE_MS = 5000, /* between lines of progress where there is no terminal */
    BAR_CELLS = 30,
};

/* The batch on its way. */
struct sending {
    const struct invocation *invocation;
    struct client *client;
    const char *file; /* for sentences */
    const struct batch *batch;
    char id[ID_TEXT]; /* of this command */
    bool *refused;    /* by row */
    size_t sent;
    int64_t accepted;
    int64_t known;
    int64_t ended_badly; /* of those known: they failed or were cancelled */
    int64_t refusals;
    struct buf sentences; /* of the first refusals */
    bool live;            /* the terminal shows a bar */
    int64_t began_ms;     /* monotonic */
    int64_t shown_ms;
};

/* ---- what is shown ------------------------------------------------------------------- */

static void erase(const struct sending *sending) {
    fputs(sending->live ? "\r\033[K" : "", stderr);
}

static void show(struct sending *sending) {
    int64_t now = clock_monotonic_ms();
    size_t count = sending->batch->count;
    double part = (double)sending->sent / (double)count;
    struct buf line = {0};
    if (wants_json(sending->invocation) || (!sending->live && now - sending->shown_ms < LINE_MS)) {
        return;
    }
    sending->shown_ms = now;
    if (sending->live) {
        buf_string(&line, "\r\033[K");
        progress_bar(part, BAR_CELLS, &line);
        buf_string(&line, "▏ ");
    }
    buf_format(&line, "%zu/%zu titles  ETA ", sending->sent, count);
    progress_eta(part > 0 ? 1e-3 * (double)(now - sending->began_ms) * (1 - part) / part : -1,
                 &line);
    buf_string(&line, sending->live ? "" : "\n");
    fputs(buf_text(&line), stderr);
    buf_finish(&line);
}

/* One title's result as a JSON line. */
static void tell_json(const struct sending *sending, const struct batch_row *row, bool is_new,
                      const char *state, const char *code, const char *detail) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    if (!wants_json(sending->invocation)) {
        return;
    }
    writer_object(&w, NULL);
    writer_string(&w, "event", code != NULL ? "refused" : "submitted");
    writer_string(&w, "title", row->title);
    writer_int(&w, "line", row->line);
    if (code != NULL) {
        writer_string(&w, "code", code);
        writer_string(&w, "error", detail);
    } else {
        writer_bool(&w, "new", is_new);
        writer_string(&w, "state", state);
    }
    writer_object_end(&w);
    buf_string(&text, "\n");
    fwrite(text.data, 1, text.size, stdout);
    buf_finish(&text);
}

static void tell_refusals(const struct sending *sending) {
    if (sending->refusals == 0 || wants_json(sending->invocation)) {
        return;
    }
    fwrite(sending->sentences.data, 1, sending->sentences.size, stderr);
    if (sending->refusals > REFUSALS_SHOWN) {
        fprintf(stderr, "%s: and %" PRId64 " more refused like these\n", sending->file,
                sending->refusals - REFUSALS_SHOWN);
    }
}

/* The sums; returns the exit code of printing them. */
static int tell_sums(const struct sending *sending) {
    struct buf text = {0};
    size_t unsent = sending->batch->count - sending->sent;
    if (wants_json(sending->invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "event", "summary");
        writer_int(&w, "accepted", sending->accepted);
        writer_int(&w, "known", sending->known);
        writer_int(&w, "refused", sending->refusals);
        writer_int(&w, "unsent", (int64_t)unsent);
        writer_object_end(&w);
        buf_string(&text, "\n");
        return command_print(&text);
    }
    buf_format(&text, "%" PRId64 " accepted, %" PRId64 " known, %" PRId64 " refused\n",
               sending->accepted, sending->known, sending->refusals);
    if (sending->ended_badly > 0) {
        buf_format(&text,
                   "%" PRId64 " of those known failed or were cancelled before: `reelfarm list "
                   "--state failed` shows which, `reelfarm retry` tries one again\n",
                   sending->ended_badly);
    }
    if (unsent > 0) {
        buf_format(&text, "%zu were not sent; the same command goes on from here\n", unsent);
    }
    return command_print(&text);
}

/* ---- one request ---------------------------------------------------------------------- */

/* The number of a ladder within the request, which holds those before it. -1: it is full. */
static int number_ladder(size_t ladders[SEND_LADDERS], int *count, size_t ladder) {
    for (int i = 0; i < *count; i++) {
        if (ladders[i] == ladder) {
            return i;
        }
    }
    if (*count == SEND_LADDERS) {
        return -1;
    }
    ladders[*count] = ladder;
    return (*count)++;
}

static void write_row(const struct sending *sending, const struct batch_row *row, int ladder,
                      struct writer *w) {
    bool force = option_value(sending->invocation, "force") != NULL;
    writer_object(w, NULL);
    writer_string(w, "title", row->title);
    writer_string(w, "source", row->source);
    writer_string(w, "output", row->out);
    writer_int(w, "ladder", ladder);
    title_order_write(&row->order, w);
    writer_bool(w, "force", force);
    writer_bool(w, "early", option_value(sending->invocation, "early") != NULL);
    writer_string(w, "key", force ? sending->id : row->key);
    writer_string(w, "sender", sending->id);
    writer_object_end(w);
}

/* The body of the next rows; returns how many they are. */
static size_t write_rows(const struct sending *sending, struct buf *body) {
    const struct batch *batch = sending->batch;
    size_t ladders[SEND_LADDERS];
    int ladder_count = 0;
    size_t count = 0;
    struct writer w = writer_of(body);
    writer_object(&w, NULL);
    writer_array(&w, "titles");
    while (count < SEND_TITLES && sending->sent + count < batch->count) {
        const struct batch_row *row = &batch->rows[sending->sent + count];
        int ladder = number_ladder(ladders, &ladder_count, row->ladder);
        if (ladder < 0) {
            break;
        }
        write_row(sending, row, ladder, &w);
        count++;
    }
    writer_array_end(&w);
    writer_array(&w, "ladders");
    for (int i = 0; i < ladder_count; i++) {
        const char *text = batch->ladders[ladders[i]].text;
        writer_raw(&w, NULL, text, strlen(text));
    }
    writer_array_end(&w);
    writer_object_end(&w);
    return count;
}

static void take_refusal(struct sending *sending, size_t index, const char *code,
                         const char *detail) {
    const struct batch_row *row = &sending->batch->rows[index];
    sending->refused[index] = true;
    if (sending->refusals++ < REFUSALS_SHOWN) {
        buf_format(&sending->sentences, "%s, line %" PRId64 ": title %s: ", sending->file,
                   row->line, row->title);
        buf_plain(&sending->sentences, detail);
        buf_string(&sending->sentences, "\n");
    }
    tell_json(sending, row, false, NULL, code, detail);
}

/* What came of one row. */
static void take_result(struct sending *sending, size_t index, struct reader *r) {
    bool is_own = false; /* it made this command's run: also where an earlier answer was lost */
    const char *state = "", *code = "", *detail = "";
    if (reader_has(r, "code")) {
        reader_string(r, "code", &code);
        reader_string(r, "detail", &detail);
        if (reader_ok(r)) {
            take_refusal(sending, index, code, detail);
        }
        return;
    }
    reader_bool(r, "own", &is_own);
    reader_string(r, "state", &state);
    if (reader_ok(r)) {
        sending->accepted += is_own ? 1 : 0;
        sending->known += is_own ? 0 : 1;
        bool badly = strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0;
        sending->ended_badly += badly ? 1 : 0;
        tell_json(sending, &sending->batch->rows[index], is_own, state, NULL, NULL);
    }
}

/* Sends the next rows and takes what came of each. */
static int send_some(struct sending *sending, struct err *err) {
    struct buf body = {0};
    struct json *answer = NULL;
    size_t count = write_rows(sending, &body);
    int failed =
        client_call_again(sending->client, "POST", "/v1/titles/batch", &body, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        struct reader list = reader_array(&r, "results");
        if (reader_ok(&r) && reader_count(&list) != count) {
            reader_fail(&r, "results", "must have %zu entries", count);
        }
        for (size_t i = 0; i < count && reader_ok(&r); i++) {
            struct reader item = reader_item(&list, i);
            take_result(sending, sending->sent + i, &item);
        }
        failed = (int)err->code;
    }
    sending->sent += failed == 0 ? count : 0;
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

/* ---- all -------------------------------------------------------------------------------- */

static int send_all(struct sending *sending) {
    const char *terminal = getenv("TERM");
    struct err err = {0};
    int code = EXIT_DONE;
    sending->began_ms = sending->shown_ms = clock_monotonic_ms();
    sending->live = !wants_json(sending->invocation) && isatty(STDERR_FILENO) && terminal != NULL &&
                    strcmp(terminal, "dumb") != 0;
    while (sending->sent < sending->batch->count && send_some(sending, &err) == 0) {
        show(sending);
    }
    erase(sending);
    tell_refusals(sending);
    if (err.code != ERR_NONE) {
        code = client_fail(sending->client, sending->invocation, &err);
    } else if (sending->refusals > 0) {
        code = EXIT_REFUSED;
    }
    int printed = tell_sums(sending);
    return code != EXIT_DONE ? code : printed;
}

static int wait_for_all(const struct sending *sending, int code) {
    const char **titles = mem_zero(sending->sent + 1, sizeof(*titles));
    size_t count = 0;
    for (size_t i = 0; i < sending->sent; i++) {
        if (!sending->refused[i]) {
            titles[count++] = sending->batch->rows[i].title;
        }
    }
    int ended = batch_wait(sending->client, sending->invocation, titles, count);
    mem_free(titles);
    return code == EXIT_DONE || ended == EXIT_INTERRUPTED ? ended : code;
}

static int read_input(struct buf *text, const char *file, struct err *err) {
    if (strcmp(file, "-") != 0) {
        return fs_read(text, file, FILE_BYTES_MAX, err);
    }
    size_t got = 0;
    errno = 0;
    do {
        buf_reserve(text, 1 << 16);
        got = fread(text->data + text->size, 1, 1 << 16, stdin);
        text->size += got;
    } while (got > 0 && text->size <= FILE_BYTES_MAX);
    if (ferror(stdin) != 0) {
        return err_set_errno(err, errno != 0 ? errno : EIO, "reading standard input");
    }
    if (text->size > FILE_BYTES_MAX) {
        return err_set(err, ERR_INVALID,
                       "standard input is too large: at most %d bytes are taken; split it",
                       FILE_BYTES_MAX);
    }
    return 0;
}

static int check_usage(const struct invocation *invocation) {
    if (invocation->word_count > 0) {
        return command_usage(invocation,
                             "the titles come from --from's file, and '%.200s' is given beside it",
                             invocation->words[0]);
    }
    return option_value(invocation, "title") == NULL
               ? EXIT_DONE
               : command_usage(invocation, "--title names one title, and --from's file has a "
                                           "column for that");
}

/* All titles of the file, or what is wrong with them. */
static int read_titles(struct batch *batch, const struct invocation *invocation, const char *name) {
    const char *file = option_value(invocation, "from");
    const char *ladder = option_value(invocation, "ladder");
    struct batch_defaults defaults = {.out = option_value(invocation, "out"),
                                      .ladder = ladder != NULL ? ladder : LADDER_DEFAULT};
    struct batch_faults faults = {0};
    struct buf text = {0};
    struct err err = {0};
    int code = EXIT_DONE;
    if (title_order_read(&defaults.order, invocation, &err) != 0) {
        code = command_usage(invocation, "%s", err.message);
    } else if (read_input(&text, file, &err) != 0) {
        code = command_fail(invocation, EXIT_USAGE, &err);
    } else if (!batch_read(batch, &faults, name, &text, &defaults, clock_wall_ms())) {
        fwrite(faults.text.data, 1, faults.text.size, stderr);
        err_set(&err, ERR_INVALID,
                "%s: %zu of its lines can't be submitted, so nothing was sent; mend the file and "
                "run it again",
                name, faults.count);
        code = command_fail(invocation, EXIT_USAGE, &err);
    }
    batch_faults_finish(&faults);
    buf_finish(&text);
    return code;
}

int submit_batch(const struct invocation *invocation) {
    const char *file = option_value(invocation, "from");
    struct batch batch = {0};
    struct sending sending = {.invocation = invocation,
                              .batch = &batch,
                              .file = strcmp(file, "-") == 0 ? "standard input" : file};
    struct err err = {0};
    int code = check_usage(invocation);
    id_make(sending.id);
    if (code == EXIT_DONE) {
        code = read_titles(&batch, invocation, sending.file);
    }
    if (code == EXIT_DONE && client_connect(&sending.client, invocation, &err) != 0) {
        code = command_fail(invocation, EXIT_FAILED, &err);
    } else if (code == EXIT_DONE) {
        sending.refused = mem_zero(batch.count + 1, sizeof(*sending.refused));
        code = send_all(&sending);
        if (option_value(invocation, "wait") != NULL && sending.sent == batch.count) {
            code = wait_for_all(&sending, code);
        }
    }
    client_destroy(sending.client);
    mem_free(sending.refused);
    buf_finish(&sending.sentences);
    batch_finish(&batch);
    return code;
}
