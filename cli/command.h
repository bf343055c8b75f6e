/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands as rows of a table: name, options, help by example, and the function
 * that runs it. Private to cli/.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "common/err.h"
#include "common/json.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_REFUSED = 4,
    EXIT_INTERRUPTED = 130,
};

struct option_row {
    const char *name;  /* "out": typed as --out */
    const char *value; /* what stands for its value in help: "DIR"; NULL: a flag. That of a list
                          ends with ",...": given once more, its values go behind the others */
    const char *help;
};

enum { MAX_OPTIONS = 32, MAX_WORDS = 64 };

struct command;

/* What was typed after the command's name. Strings are borrowed from argv, or from `lists`. */
struct invocation {
    const struct command *command;
    int word_count; /* words that are no option */
    const char *words[MAX_WORDS];
    const char *values[MAX_OPTIONS]; /* by row; "" for a flag that is set; NULL if not given */
    char *lists[MAX_OPTIONS];        /* by row; owned: of lists that were given in parts */
};

struct command {
    const char *name;
    const char *words; /* usage of the words: "SOURCE" */
    int least_words;
    int most_words;
    const char *summary; /* one line, for the list */
    const char *help;    /* paragraphs and examples, for --help */
    const struct option_row
        *options; /* ended by a row without a name; --json and --help are everyone's */
    int (*run)(const struct invocation *invocation);
    /* Of a daemon, in the place of all from `words` on but the summary: it takes its arguments
     * by a table of config.h, and has its own --help. */
    int (*daemon)(int argc, char **argv);
};

/* The commands in the order of help; NULL at the end. */
const struct command *command_at(int index);

/* The command's options, then those of every command; NULL at the end. */
const struct option_row *command_option_at(const struct command *command, int index);

/* The option's value, "" for a flag that is set; NULL where it was not given. */
const char *option_value(const struct invocation *invocation, const char *name);

/* Whether --json was given: one JSON document on stdout and nothing else. */
bool wants_json(const struct invocation *invocation);

/* A whole number option within [min, max], or `fallback` where it was not given. */
int option_int(const struct invocation *invocation, const char *name, int min, int max,
               int fallback, int *out, struct err *err);

/* Milliseconds of "90d", "12h" or "30m", at most ten years; -1 for what is none. */
int64_t command_span(const char *text);

/* When "2h" ago was, or a time of RFC 3339, in ms since 1970; -1 for what is neither. */
int64_t command_since(const char *text);

/* Tells the error as one sentence on stderr. */
void command_tell(const struct err *err);

/* Tells the error as one sentence on stderr (with --json also as a document on
 * stdout) and returns `code`. */
int command_fail(const struct invocation *invocation, int code, const struct err *err);

/* As command_fail with EXIT_USAGE, and points to --help. */
int command_usage(const struct invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs a command with what was typed after its name; the exit code. */
int command_run(const struct command *command, int argc, char **argv);

/* Writes the buffer to stdout whole and frees it; EXIT_DONE, or EXIT_FAILED having told on
 * stderr that this, or what was written to stdout before, is lost. */
int command_print(struct buf *text);

/* The rows: one file each. */
extern const struct command command_backup;
extern const struct command command_cancel;
extern const struct command command_catalog;
extern const struct command command_config;
extern const struct command command_doctor;
extern const struct command command_drain;
extern const struct command command_encode;
extern const struct command command_events;
extern const struct command command_list;
extern const struct command command_remove;
extern const struct command command_retry;
extern const struct command command_scheduler;
extern const struct command command_scheduler_backup; /* of `reelfarm scheduler backup` */
extern const struct command command_search;
extern const struct command command_status;
extern const struct command command_submit;
extern const struct command command_token;
extern const struct command command_up;
extern const struct command command_versions;
extern const struct command command_publish;
extern const struct command command_unpublish;
extern const struct command command_rollback;
extern const struct command command_popularity;
extern const struct command command_endpoints;
extern const struct command command_deliveries;
extern const struct command command_replay;
extern const struct command command_watch;
extern const struct command command_why;
extern const struct command command_worker;
extern const struct command command_workers;
extern const struct command command_presign;
extern const struct command command_probe;
extern const struct command command_ladder;
extern const struct command command_page;
extern const struct command command_play;
extern const struct command command_verify;
extern const struct command command_version;

#endif
