/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm submit`: hands titles to a farm. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/id.h"
#include "common/mem.h"
#include "dry_run.h"
#include "farm_title.h"
#include "ladder_file.h"
#include "output_place.h"
#include "submit_batch.h"
#include "title_name.h"
#include "title_order.h"

struct submission {
    const struct invocation *invocation;
    struct client *client;
    struct ladder ladder;
    struct title_order order;
    char *out;        /* as workers find it */
    char id[ID_TEXT]; /* of this command: by which a call that is made again is known */
};

static int post(struct submission *submission, const char *title, const char *source, bool *is_new,
                struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    struct json *answer = NULL;
    writer_object(&w, NULL);
    writer_string(&w, "title", title);
    writer_string(&w, "source", source);
    writer_string(&w, "output", submission->out);
    ladder_write(&submission->ladder, &w, "ladder");
    title_order_write(&submission->order, &w);
    writer_bool(&w, "force", option_value(submission->invocation, "force") != NULL);
    writer_bool(&w, "early", option_value(submission->invocation, "early") != NULL);
    writer_string(&w, "key", submission->id);
    writer_string(&w, "sender", submission->id);
    writer_object_end(&w);
    int failed = client_call_again(submission->client, "POST", "/v1/titles", &body, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        reader_bool(&r, "own", is_new);
        failed = err->code;
    }
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

static int submit(struct submission *submission, const char *word, const char *title, bool *is_new,
                  struct err *err) {
    char *source = source_whole(word);
    int failed = place_name_check(source, err);
    failed = failed != 0 ? failed : post(submission, title, source, is_new, err);
    mem_free(source);
    return failed;
}

/* It may lie where workers alone see it, or nowhere. */
static void tell_unseen(const char *word) {
    char *source = source_whole(word);
    struct buf plain = {0};
    if (source[0] == '/' && access(source, F_OK) != 0 && errno == ENOENT) {
        buf_plain(&plain, source);
        fprintf(stderr, "note: there is no %s on this machine; workers must find it there\n",
                buf_text(&plain));
    }
    buf_finish(&plain);
    mem_free(source);
}

static void tell(struct submission *submission, const char *title, bool is_new, struct buf *out) {
    if (wants_json(submission->invocation)) {
        struct writer w = writer_of(out);
        writer_object(&w, NULL);
        writer_string(&w, "event", "submitted");
        writer_string(&w, "title", title);
        writer_bool(&w, "new", is_new);
        writer_object_end(&w);
        buf_string(out, "\n");
    } else {
        buf_format(out, is_new ? "%s: submitted\n" : "%s: runs already, as submitted before\n",
                   title);
    }
}

static int check_usage(const struct invocation *invocation) {
    const char *title = option_value(invocation, "title");
    if (invocation->word_count == 0) {
        return command_usage(invocation, "submit needs SOURCE..., or a file of titles by --from");
    }
    if (option_value(invocation, "out") == NULL) {
        return command_usage(invocation, "submit needs --out, the folder or s3:// address for the "
                                         "streams");
    }
    if (title != NULL && !title_id_valid(title)) {
        return command_usage(invocation,
                             "--title '%.200s' must be 1 to 128 of a-z 0-9 . _ - and begin with a "
                             "letter or digit",
                             title);
    }
    if (title != NULL && invocation->word_count > 1) {
        return command_usage(invocation, "--title names one title, and there are %d sources",
                             invocation->word_count);
    }
    return EXIT_DONE;
}

/* The ids of all sources, in their order; two of one name are a usage error. */
static int name_titles(const struct invocation *invocation, char (*titles)[WIRE_TITLE_TEXT]) {
    const char *named = option_value(invocation, "title");
    for (int i = 0; i < invocation->word_count; i++) {
        if (named != NULL) {
            memcpy(titles[i], named, strlen(named) + 1);
        } else {
            title_name_of(invocation->words[i], titles[i]);
        }
        for (int j = 0; j < i; j++) {
            if (strcmp(titles[i], titles[j]) == 0) {
                return command_usage(
                    invocation,
                    "'%.200s' and '%.200s' would both be title %s; submit them one "
                    "by one with --title",
                    invocation->words[j], invocation->words[i], titles[i]);
            }
        }
    }
    return EXIT_DONE;
}

/* All sources, whatever comes of one; then, where asked for, those that were accepted to their
 * ends. The first code that is not EXIT_DONE. */
static int run_all(struct submission *submission, char (*titles)[WIRE_TITLE_TEXT]) {
    const struct invocation *invocation = submission->invocation;
    bool waits = option_value(invocation, "wait") != NULL;
    int first = EXIT_DONE;
    for (int i = 0; i < invocation->word_count && first != EXIT_INTERRUPTED; i++) {
        struct buf text = {0};
        struct err err = {0};
        bool is_new = false;
        int code = EXIT_DONE;
        if (submit(submission, invocation->words[i], titles[i], &is_new, &err) != 0) {
            code = client_fail(submission->client, invocation, &err);
            titles[i][0] = '\0';
        } else {
            tell(submission, titles[i], is_new, &text);
            code = command_print(&text);
            tell_unseen(invocation->words[i]);
        }
        first = first != EXIT_DONE ? first : code;
    }
    for (int i = 0; i < invocation->word_count && waits && first != EXIT_INTERRUPTED; i++) {
        if (titles[i][0] != '\0') {
            int code = farm_title_watch(submission->client, invocation, titles[i]);
            first = first != EXIT_DONE ? first : code;
        }
    }
    return first;
}

/* What would be made of all sources; the first code that is not EXIT_DONE. */
static int plan_all(const struct submission *submission, char (*titles)[WIRE_TITLE_TEXT]) {
    const struct invocation *invocation = submission->invocation;
    const struct dry_run dry_run = {.client = submission->client,
                                    .invocation = invocation,
                                    .ladder = &submission->ladder,
                                    .out = submission->out};
    int first = EXIT_DONE;
    for (int i = 0; i < invocation->word_count && first != EXIT_INTERRUPTED; i++) {
        char *source = source_whole(invocation->words[i]);
        struct err err = {0};
        int code = place_name_check(source, &err) == 0
                       ? dry_run_title(&dry_run, titles[i], source)
                       : command_fail(invocation, EXIT_FAILED, &err);
        first = first != EXIT_DONE ? first : code;
        mem_free(source);
    }
    return first;
}

static int run_words(const struct invocation *invocation) {
    struct submission submission = {.invocation = invocation};
    char(*titles)[WIRE_TITLE_TEXT] = mem_zero((size_t)invocation->word_count, sizeof(*titles));
    const char *ladder = option_value(invocation, "ladder");
    struct err err = {0};
    int code = check_usage(invocation);
    id_make(submission.id);
    if (code == EXIT_DONE) {
        code = name_titles(invocation, titles);
    }
    if (code == EXIT_DONE && title_order_read(&submission.order, invocation, &err) != 0) {
        code = command_usage(invocation, "%s", err.message);
    }
    if (code == EXIT_DONE &&
        output_resolve(&submission.out, option_value(invocation, "out"), &err) != 0) {
        code = command_usage(invocation, "%s", err.message);
    }
    if (code == EXIT_DONE &&
        (ladder_file_load(&submission.ladder, ladder != NULL ? ladder : LADDER_DEFAULT, &err) !=
             0 ||
         client_connect(&submission.client, invocation, &err) != 0)) {
        code = command_fail(invocation, EXIT_FAILED, &err);
    } else if (code == EXIT_DONE) {
        code = option_value(invocation, "dry-run") != NULL ? plan_all(&submission, titles)
                                                           : run_all(&submission, titles);
    }
    client_destroy(submission.client);
    mem_free(submission.out);
    mem_free(titles);
    return code;
}

static int run(const struct invocation *invocation) {
    bool from_file = option_value(invocation, "from") != NULL;
    return from_file ? submit_batch(invocation) : run_words(invocation);
}

static const struct option_row options[] = {
    {"from", "FILE", "titles of a CSV or JSON Lines file, - for standard input"},
    {"out", "DIR|s3://BUCKET/PREFIX", "what gets the streams, as DIR/TITLE"},
    {"title", "ID", "the title's id (default: made from the source's name)"},
    {"ladder", "NAME|FILE",
     "which renditions to make (default standard; see `reelfarm ladder list`)"},
    TITLE_ORDER_OPTIONS,
    {"early", NULL, "let it be watched while it is encoded"},
    {"force", NULL, "make everything anew, even what is there unchanged"},
    {"dry-run", NULL, "say what would be encoded and what reused, and submit nothing"},
    {"wait", NULL, "show how it goes, and end when it has ended, and is published"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_submit = {
    .name = "submit",
    .words = "SOURCE...",
    .least_words = 0,
    .most_words = MAX_WORDS,
    .summary = "hand titles to a farm",
    .help =
        "SOURCE and --out are what workers read and write: s3:// addresses (workers have\n"
        "credentials of their own), http(s) URLs to read from, or paths on a file system that\n"
        "all of them share. A title that was accepted survives whatever is killed.\n\n"
        "  reelfarm submit s3://masters/movie.mxf --out s3://streams/films --wait\n"
        "  reelfarm submit /nas/a.mov /nas/b.mov --out /nas/streams --ladder av1\n"
        "  reelfarm submit s3://masters/goal.mxf --out s3://streams/news --tenant news \\\n"
        "      --priority 50 --deadline +90m --label show=sport,season=12\n\n"
        "--wait ends when the title is done and, where the farm publishes to edges and catalogs,\n"
        "when each has it. One that is dead, shut, refuses it, or has failed three times is not\n"
        "waited for: it is named as behind, with exit code 0, and caught up when it is back.\n\n"
        "Titles are served by priority; then tenants get their shares; then the nearest\n"
        "deadline goes first, then who came first. Submitted once more with another priority or\n"
        "deadline, a title that runs moves in the queue.\n\n"
        "Submitted once more, a title that runs goes on, and one that has ended is made anew\n"
        "as far as source or ladder have changed. What that is, and the core-seconds that it is\n"
        "expected to take, --dry-run tells before; a source that the farm has not read yet is\n"
        "probed for it: here, or by a worker of the farm where it can't be read here.\n\n"
        "  reelfarm submit s3://masters/movie.mxf --out s3://streams/films --ladder new.yaml "
        "--dry-run\n\n"
        "With --early, OUT/TITLE/early.m3u8 is there a few seconds after the start: an HLS "
        "playlist\n"
        "of what is encoded so far, H.264 and AAC, that grows until it is all of the title; a\n"
        "player that began with it plays on to the end. master.m3u8 and manifest.mpd (DASH) come\n"
        "at the end, as ever.\n\n"
        "  reelfarm submit s3://masters/goal.mxf --out s3://streams/news --early --wait\n\n"
        "Thousands come from a file, of which all lines are checked before the first is sent:\n\n"
        "  reelfarm submit --from titles.csv --out s3://streams/films\n\n"
        "  source,title,ladder,priority,deadline,tenant,label.show\n"
        "  s3://masters/a.mxf,a,av1,10,+2d,films,classics\n"
        "  s3://masters/b.mxf,,,,,,\n\n"
        "Its first line names the columns: source, title, out, ladder, priority, deadline,\n"
        "tenant, label.NAME. Or each line is a JSON object of these names. What a line leaves out\n"
        "is as the options say. The same file may be submitted again and again: a title that it\n"
        "submitted before with this source, output and ladder is left as it is, whatever became\n"
        "of it. --wait ends when all have ended and are published as far as can be now: with exit\n"
        "code 1 where one failed, or a catalog does not know one.\n",
    .options = options,
    .run = run,
};
