/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands, parsing by its rows, help, and errors: see command.h. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "documentation.h"

static const struct command *const commands[] = {
    &command_encode,  &command_probe, &command_ladder, &command_play, &command_verify,
    &command_version, NULL,
};

static const struct option_row common_options[] = {
    {"json", NULL, "print JSON on stdout and nothing else"},
    {"help", NULL, "show this help"},
    {NULL, NULL, NULL},
};

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
    for (int i = 0; common_options[i].name != NULL && row == NULL; i++) {
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

static void help_command(const struct command *command) {
    printf("%s\n\nUsage: reelfarm %s%s%s [options]\n\n%s\nOptions:\n", command->summary,
           command->name, *command->words ? " " : "", command->words, command->help);
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        char typed[64];
        snprintf(typed, sizeof(typed), "--%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        printf("  %-22s %s\n", typed, row->help);
    }
}

static void help_all(void) {
    printf("reelfarm turns source titles into adaptive streams (HLS and DASH over one set of "
           "CMAF segments).\n\nUsage: reelfarm COMMAND ...\n\nCommands:\n");
    for (int i = 0; commands[i] != NULL; i++) {
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf(
        "\nTry it:\n"
        "  reelfarm encode movie.mp4 --out streams    make a stream of movie.mp4 below streams/\n"
        "  reelfarm play streams                      watch it in a browser\n\n"
        "`reelfarm COMMAND --help` explains each by example.\n");
}

/* ---- Errors ------------------------------------------------------------------------ */

int command_fail(const struct invocation *invocation, int code, const struct err *err) {
    fprintf(stderr, "reelfarm: %s\n", err->message);
    if (invocation != NULL && wants_json(invocation)) {
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

int command_print(struct buf *text) {
    bool written = fwrite(text->data, 1, text->size, stdout) == text->size && fflush(stdout) == 0;
    buf_finish(text);
    return written ? EXIT_DONE : EXIT_FAILED;
}

/* ---- Parsing ------------------------------------------------------------------------ */

/* Takes the option at argv[*at], and its value: 0, or EXIT_USAGE once told. */
static int take_option(struct invocation *invocation, int argc, char **argv, int *at) {
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    int index = row_find(invocation->command, name, length);
    if (index < 0) {
        return command_usage(invocation, "there is no option %s", argv[*at]);
    }
    const struct option_row *row = command_option_at(invocation->command, index);
    if (row->value == NULL) {
        if (equals != NULL) {
            return command_usage(invocation, "--%s takes no value", row->name);
        }
        invocation->values[index] = "";
        return 0;
    }
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (value == NULL && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (value == NULL || *value == '\0') {
        return command_usage(invocation, "--%s needs a value: --%s %s", row->name, row->name,
                             row->value);
    }
    invocation->values[index] = value;
    return 0;
}

static int parse(struct invocation *invocation, int argc, char **argv) {
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            int failed = take_option(invocation, argc, argv, &i);
            if (failed != 0) {
                return failed;
            }
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            return command_usage(invocation, "there is no option %s", argv[i]);
        } else if (invocation->word_count == MAX_WORDS) {
            return command_usage(invocation, "too many words");
        } else {
            invocation->words[invocation->word_count++] = argv[i];
        }
    }
    return 0;
}

static int run(const struct command *command, int argc, char **argv) {
    struct invocation invocation = {.command = command};
    int failed = parse(&invocation, argc, argv);
    if (failed != 0) {
        return failed;
    }
    if (option_value(&invocation, "help") != NULL) {
        help_command(command);
        return EXIT_DONE;
    }
    if (invocation.word_count < command->least_words) {
        return command_usage(&invocation, "%s needs %s", command->name, command->words);
    }
    if (invocation.word_count > command->most_words) {
        return command_usage(&invocation, "'%s' is one word too many for %s",
                             invocation.words[command->most_words], command->name);
    }
    return command->run(&invocation);
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
    if (argc < 2) {
        help_all();
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help_all();
        return EXIT_DONE;
    }
    if (argc == 3 && strcmp(argv[1], "documentation") == 0) {
        return print_documentation(argv[2]);
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (int i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return run(commands[i], argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "reelfarm: there is no command '%s'; see `reelfarm --help`\n", argv[1]);
    return EXIT_USAGE;
}
