/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands, parsing by its rows, help, and errors: see command.h. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/wrap.h"
#include "documentation.h"
#include "nearest.h"

/* One a line, which reads and merges better. */
/* clang-format off */
static const struct command *const commands[] = {
    &command_encode,
    &command_probe,
    &command_ladder,
    &command_play,
    &command_verify,
    &command_search,
    &command_up,
    &command_scheduler,
    &command_worker,
    &command_catalog,
    &command_submit,
    &command_status,
    &command_why,
    &command_watch,
    &command_versions,
    &command_publish,
    &command_unpublish,
    &command_rollback,
    &command_popularity,
    &command_endpoints,
    &command_deliveries,
    &command_replay,
    &command_list,
    &command_cancel,
    &command_retry,
    &command_remove,
    &command_events,
    &command_workers,
    &command_page,
    &command_drain,
    &command_token,
    &command_config,
    &command_doctor,
    &command_backup,
    &command_presign,
    &command_version,
    NULL,
};
/* clang-format on */

static const struct option_row common_options[] = {
    {"json", NULL, "print JSON on stdout and nothing else"},
    {"help", NULL, "show this help"},
    {NULL, NULL, NULL},
};

/* What is typed without a command's name has everyone's options. */
static const struct command no_command = {.name = ""};

const struct command *command_at(int index) {
    return commands[index];
}

/* Rows of the command, then the rows of everyone: one numbering for both. */
const struct option_row *command_option_at(const struct command *command, int index) {
    int own = 0;
    for (; command->options != NULL && command->options[own].name != NULL; own++) {
        if (own == index) {
            return &command->options[own];
        }
    }
    const struct option_row *row = NULL;
    for (int i = 0; command->daemon == NULL && common_options[i].name != NULL && row == NULL; i++) {
        row = i == index - own ? &common_options[i] : NULL;
    }
    return row;
}

static int row_find(const struct command *command, const char *name, size_t length) {
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        if (strlen(row->name) == length && strncmp(row->name, name, length) == 0) {
            return i;
        }
    }
    return -1;
}

const char *option_value(const struct invocation *invocation, const char *name) {
    int index = row_find(invocation->command, name, strlen(name));
    return index < 0 ? NULL : invocation->values[index];
}

bool wants_json(const struct invocation *invocation) {
    return option_value(invocation, "json") != NULL;
}

int option_int(const struct invocation *invocation, const char *name, int min, int max,
               int fallback, int *out, struct err *err) {
    const char *text = option_value(invocation, name);
    if (text == NULL) {
        *out = fallback;
        return 0;
    }
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < min || value > max) {
        return err_set(err, ERR_INVALID, "--%s must be a whole number from %d to %d, not '%s'",
                       name, min, max, text);
    }
    *out = (int)value;
    return 0;
}

/* ---- Help ------------------------------------------------------------------------ */

enum { OPTION_COLUMNS = 22 };

static void help_command(const struct command *command, struct buf *out) {
    buf_format(out, "%s\n\nUsage: reelfarm %s%s%s [options]\n\n%s\nOptions:\n", command->summary,
               command->name, *command->words ? " " : "", command->words, command->help);
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        char typed[64];
        snprintf(typed, sizeof(typed), "--%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        int width = snprintf(NULL, 0, "  %-*s ", OPTION_COLUMNS, typed);
        buf_format(out, "  %-*s ", OPTION_COLUMNS, typed);
        wrap_text(out, row->help, (size_t)width, OPTION_COLUMNS + 3);
    }
}

static void help_all(struct buf *out) {
    buf_string(out, "reelfarm turns source titles into adaptive streams (HLS and DASH over one set "
                    "of CMAF segments).\n\nUsage: reelfarm COMMAND ...\n\nCommands:\n");
    for (int i = 0; commands[i] != NULL; i++) {
        buf_format(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    buf_string(
        out,
        "\nTry it:\n"
        "  reelfarm encode movie.mp4 --out streams    make a stream of movie.mp4 below streams/\n"
        "  reelfarm play streams                      watch it in a browser\n\n"
        "As a farm: `reelfarm up` on one machine; or `reelfarm scheduler` on one and\n"
        "`reelfarm worker` on many, then\n"
        "`reelfarm submit s3://masters/movie.mxf --out s3://streams/films --wait`.\n\n"
        "`reelfarm COMMAND --help` explains each by example, `reelfarm --version` tells the "
        "version.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nobody answers there, 4 refused (it\n"
        "conflicts with what is there, or the token may not), 130 stopped by Ctrl-C.\n");
}

static int print_help(const struct invocation *invocation) {
    struct buf help = {0};
    if (invocation->command == &no_command) {
        help_all(&help);
    } else {
        help_command(invocation->command, &help);
    }
    if (!wants_json(invocation)) {
        return command_print(&help);
    }
    struct buf text = {0};
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    writer_string(&w, "help", buf_text(&help));
    writer_object_end(&w);
    buf_string(&text, "\n");
    buf_finish(&help);
    return command_print(&text);
}

/* ---- Errors ------------------------------------------------------------------------ */

int64_t command_span(const char *text) {
    static const struct {
        char unit;
        int64_t ms;
        long most;
    } units[] = {{'m', 60000, 5000000}, {'h', 3600000, 87000}, {'d', 86400000, 3650}};
    char *end = NULL;
    long count = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (count > 0 && count <= units[i].most && end[0] == units[i].unit && end[1] == '\0') {
            return count * units[i].ms;
        }
    }
    return -1;
}

int64_t command_since(const char *text) {
    int64_t span = command_span(text), time = 0;
    if (span >= 0) {
        return clock_wall_ms() - span;
    }
    return clock_parse(text, &time) && time >= 0 ? time : -1;
}

void command_tell(const struct err *err) {
    struct buf plain = {0};
    buf_plain(&plain, err->message);
    fprintf(stderr, "reelfarm: %s\n", buf_text(&plain));
    buf_finish(&plain);
}

int command_fail(const struct invocation *invocation, int code, const struct err *err) {
    command_tell(err);
    if (wants_json(invocation)) {
        struct buf text = {0};
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_object(&w, "error");
        writer_string(&w, "code", err_code_name(err->code));
        writer_string(&w, "message", err->message);
        writer_object_end(&w);
        writer_object_end(&w);
        buf_string(&text, "\n");
        command_print(&text);
    }
    return code;
}

int command_usage(const struct invocation *invocation, const char *format, ...) {
    struct err err = {.code = ERR_INVALID};
    va_list args;
    va_start(args, format);
    vsnprintf(err.message, sizeof(err.message), format, args);
    va_end(args);
    size_t used = strlen(err.message);
    snprintf(err.message + used, sizeof(err.message) - used, "; see `reelfarm %s --help`",
             invocation->command->name);
    return command_fail(invocation, EXIT_USAGE, &err);
}

/* The stream's own flag tells also of what was lost before, of progress lines. */
int command_print(struct buf *text) {
    errno = 0;
    fwrite(buf_text(text), 1, text->size, stdout);
    fflush(stdout);
    buf_finish(text);
    if (ferror(stdout) == 0) {
        return EXIT_DONE;
    }
    fprintf(stderr, "reelfarm: cannot write to standard output: %s; check where it goes\n",
            strerror(errno != 0 ? errno : EIO));
    return EXIT_FAILED;
}

/* ---- Parsing ------------------------------------------------------------------------ */

static bool is_list(const struct option_row *row) {
    static const char end[] = ",...";
    size_t length = row->value != NULL ? strlen(row->value) : 0;
    return length >= sizeof(end) && strcmp(row->value + length - strlen(end), end) == 0;
}

/* The value of a list is all that were given. */
static void add_value(struct invocation *invocation, int index, const char *value) {
    char *list = mem_format("%s,%s", invocation->values[index], value);
    mem_free(invocation->lists[index]);
    invocation->lists[index] = list;
    invocation->values[index] = list;
}

static void fail_option(const struct command *command, const char *name, size_t length,
                        struct err *err) {
    struct nearest nearest = {.typed = name, .length = length};
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        nearest_try(&nearest, row->name);
    }
    if (nearest.word != NULL) {
        err_set(err, ERR_INVALID, "there is no option --%.*s (is --%s meant?)", (int)length, name,
                nearest.word);
    } else {
        err_set(err, ERR_INVALID, "there is no option --%s", name);
    }
}

/* Takes the option at argv[*at], and its value. */
static void take_option(struct invocation *invocation, int argc, char **argv, int *at,
                        struct err *err) {
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    int index = row_find(invocation->command, name, length);
    if (index < 0) {
        fail_option(invocation->command, name, length, err);
        return;
    }
    const struct option_row *row = command_option_at(invocation->command, index);
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (row->value == NULL && value != NULL) {
        err_set(err, ERR_INVALID, "--%s takes no value", row->name);
    } else if (row->value == NULL) {
        value = "";
    } else if (value == NULL && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (row->value != NULL && (value == NULL || *value == '\0')) {
        err_set(err, ERR_INVALID, "--%s needs a value: --%s %s", row->name, row->name, row->value);
    }
    if (is_list(row) && value != NULL && invocation->values[index] != NULL) {
        add_value(invocation, index, value);
    } else {
        invocation->values[index] = value;
    }
}

/* Goes on after an error, since a --json behind it says how to tell it. */
static void parse(struct invocation *invocation, int argc, char **argv, struct err *err) {
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            take_option(invocation, argc, argv, &i, err);
        } else if (!only_words && strcmp(argv[i], "-h") == 0) {
            invocation->values[row_find(invocation->command, "help", strlen("help"))] = "";
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            err_set(err, ERR_INVALID, "there is no option %s", argv[i]);
        } else if (invocation->word_count == MAX_WORDS) {
            err_set(err, ERR_INVALID, "too many words");
        } else {
            invocation->words[invocation->word_count++] = argv[i];
        }
    }
}

static int run_parsed(const struct invocation *invocation, const struct err *err) {
    const struct command *command = invocation->command;
    if (err->code != ERR_NONE) {
        return command_usage(invocation, "%s", err->message);
    }
    if (option_value(invocation, "help") != NULL) {
        return print_help(invocation);
    }
    if (invocation->word_count < command->least_words) {
        return command_usage(invocation, "%s needs %s", command->name, command->words);
    }
    if (invocation->word_count > command->most_words) {
        return command_usage(invocation, "'%s' is one word too many for %s",
                             invocation->words[command->most_words], command->name);
    }
    return command->run(invocation);
}

int command_run(const struct command *command, int argc, char **argv) {
    struct invocation invocation = {.command = command};
    struct err err = {0};
    parse(&invocation, argc, argv, &err);
    int code = run_parsed(&invocation, &err);
    for (int i = 0; i < MAX_OPTIONS; i++) {
        mem_free(invocation.lists[i]);
    }
    return code;
}

/* Without the name of a command: help, or the error that there is none. */
static int run_none(int argc, char **argv) {
    struct invocation invocation = {.command = &no_command};
    struct err err = {0};
    parse(&invocation, argc, argv, NULL); /* for the options alone */
    if (argc < 1) {
        int code = print_help(&invocation);
        return code == EXIT_DONE ? EXIT_USAGE : code;
    }
    bool option = argv[0][0] == '-' && option_value(&invocation, "help") != NULL;
    if (option || strcmp(argv[0], "help") == 0) {
        return print_help(&invocation);
    }
    struct nearest nearest = {.typed = argv[0], .length = strlen(argv[0])};
    for (int i = 0; commands[i] != NULL; i++) {
        nearest_try(&nearest, commands[i]->name);
    }
    bool is_near = nearest.word != NULL;
    err_set(&err, ERR_INVALID, "there is no command '%.80s'%s%s%s; see `reelfarm --help`", argv[0],
            is_near ? " (is `" : "", is_near ? nearest.word : "", is_near ? "` meant?)" : "");
    return command_fail(&invocation, EXIT_USAGE, &err);
}

/* For the build alone, which installs what this prints. */
static int print_documentation(const char *kind) {
    struct buf text = {0};
    if (strcmp(kind, "man") == 0) {
        manual_write(&text);
    } else if (strcmp(kind, "bash") == 0) {
        completion_write(&text);
    } else {
        fprintf(stderr, "reelfarm: documentation is man or bash, not '%s'\n", kind);
        return EXIT_USAGE;
    }
    return command_print(&text);
}

int cli_main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "documentation") == 0) {
        return print_documentation(argv[2]);
    }
    char help[] = "--help", *help_of[] = {help, NULL};
    bool asks_help = argc > 2 && strcmp(argv[1], "help") == 0 && argv[2][0] != '-';
    int from = asks_help ? 2 : 1; /* where the command's name stands */
    int count = asks_help ? 1 : argc - 2;
    char **rest = asks_help ? help_of : argv + 2;
    const char *name = argc > from ? argv[from] : "";
    name = strcmp(name, "--version") == 0 ? "version" : name;
    for (int i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0 && commands[i]->daemon != NULL) {
            return commands[i]->daemon(count, rest);
        }
        if (strcmp(commands[i]->name, name) == 0) {
            return command_run(commands[i], count, rest);
        }
    }
    return run_none(argc - from, argv + from);
}
