/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm submit`: hands titles to a farm. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "farm_title.h"
#include "ladder_file.h"
#include "output_place.h"
#include "title_name.h"

struct submission {
    const struct invocation *invocation;
    struct client *client;
    struct ladder ladder;
    char *out; /* as workers find it */
};

/* A path as workers on this machine, or on one file system with it, find it. */
static char *whole_path(const char *path, struct err *err) {
    char *whole = realpath(path, NULL);
    char *copy = NULL;
    if (whole == NULL && path[0] == '/') {
        copy = mem_string(path);
    } else if (whole == NULL) {
        char *here = realpath(".", NULL);
        copy = here != NULL ? mem_format("%s/%s", here, path) : NULL;
        free(here);
    } else {
        copy = mem_string(whole);
    }
    free(whole);
    if (copy == NULL) {
        err_set(err, ERR_INVALID, "cannot tell where '%s' is; name it from /", path);
    }
    return copy;
}

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
    writer_bool(&w, "force", option_value(submission->invocation, "force") != NULL);
    writer_object_end(&w);
    int failed = client_call(submission->client, "POST", "/v1/titles", &body, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        reader_bool(&r, "new", is_new);
        failed = err->code;
    }
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

/* Submits one source; `title` gets its id. */
static int submit(struct submission *submission, const char *word, char title[WIRE_TITLE_TEXT],
                  bool *is_new, struct err *err) {
    const char *named = option_value(submission->invocation, "title");
    if (named != NULL) {
        memcpy(title, named, strlen(named) + 1);
    } else {
        title_name_of(word, title);
    }
    bool is_url = strstr(word, "://") != NULL;
    char *source = is_url ? mem_string(word) : whole_path(word, err);
    int failed = source == NULL ? ERR_INVALID : post(submission, title, source, is_new, err);
    mem_free(source);
    return failed;
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

/* Where workers put it: an address as it is, a folder by its whole path. */
static int find_output(struct submission *submission, struct err *err) {
    const char *out = option_value(submission->invocation, "out");
    submission->out = output_is_remote(out) ? mem_string(out) : whole_path(out, err);
    for (size_t end = submission->out != NULL ? strlen(submission->out) : 0;
         end > 1 && submission->out[end - 1] == '/';) {
        submission->out[--end] = '\0';
    }
    return submission->out != NULL ? 0 : ERR_INVALID;
}

static int run_all(struct submission *submission) {
    const struct invocation *invocation = submission->invocation;
    char(*titles)[WIRE_TITLE_TEXT] = mem_zero((size_t)invocation->word_count, sizeof(*titles));
    struct err err = {0};
    int code = EXIT_DONE;
    for (int i = 0; i < invocation->word_count && code == EXIT_DONE; i++) {
        struct buf text = {0};
        bool is_new = false;
        if (submit(submission, invocation->words[i], titles[i], &is_new, &err) != 0) {
            code = client_fail(submission->client, invocation, &err);
        } else {
            tell(submission, titles[i], is_new, &text);
            code = command_print(&text);
        }
    }
    bool waits = option_value(invocation, "wait") != NULL;
    for (int i = 0; i < invocation->word_count && waits && code <= EXIT_FAILED; i++) {
        int ended = titles[i][0] != '\0'
                        ? farm_title_watch(submission->client, invocation, titles[i])
                        : EXIT_DONE;
        code = ended != EXIT_DONE ? ended : code;
    }
    mem_free(titles);
    return code;
}

static int run(const struct invocation *invocation) {
    struct submission submission = {.invocation = invocation};
    struct err err = {0};
    int code = check_usage(invocation);
    if (code != EXIT_DONE) {
        return code;
    }
    const char *ladder = option_value(invocation, "ladder");
    if (ladder_file_load(&submission.ladder, ladder != NULL ? ladder : LADDER_DEFAULT, &err) != 0 ||
        find_output(&submission, &err) != 0 ||
        client_connect(&submission.client, invocation, &err) != 0) {
        code = command_fail(invocation, EXIT_FAILED, &err);
    } else {
        code = run_all(&submission);
    }
    client_destroy(submission.client);
    mem_free(submission.out);
    return code;
}

static const struct option_row options[] = {
    {"out", "DIR|s3://BUCKET/PREFIX", "what gets the streams, as DIR/TITLE"},
    {"title", "ID", "the title's id (default: made from the source's name)"},
    {"ladder", "NAME|FILE",
     "which renditions to make (default standard; see `reelfarm ladder list`)"},
    {"force", NULL, "make everything anew, even what is there unchanged"},
    {"wait", NULL, "show how it goes, and end when it has ended"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_submit = {
    .name = "submit",
    .words = "SOURCE...",
    .least_words = 1,
    .most_words = MAX_WORDS,
    .summary = "hand titles to a farm",
    .help = "SOURCE and --out are what workers read and write: s3:// addresses (workers have\n"
            "credentials of their own), http(s) URLs to read from, or paths on a file system that\n"
            "all of them share. A title that was accepted survives whatever is killed.\n\n"
            "  reelfarm submit s3://masters/movie.mxf --out s3://streams/films --wait\n"
            "  reelfarm submit /nas/a.mov /nas/b.mov --out /nas/streams --ladder av1\n\n"
            "Submitted once more, a title that runs goes on, and one that has ended is made anew\n"
            "as far as source or ladder have changed.\n",
    .options = options,
    .run = run,
};
