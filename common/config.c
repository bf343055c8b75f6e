/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values from file, environment and flags by one table: see config.h. How they are
 * shown is in config_show.c. */
#include "common/config.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/yaml.h"
#include "json_tree.h"

#define INT_BOUND 9007199254740992.0 /* 2^53: bounds are doubles */

static const char standard_prefix[] = "REELFARM_";

static double low_of(const struct config_option *option) {
    bool any = option->min == 0 && option->max == 0;
    return any ? -INT_BOUND : option->min;
}

static double high_of(const struct config_option *option) {
    bool any = option->min == 0 && option->max == 0;
    return any ? INT_BOUND : option->max;
}

static void *field_of(const struct config *config, const struct config_option *option) {
    return (char *)config->target + option->offset;
}

static const struct config_option *find_option(const struct config *config, const char *name,
                                               size_t length) {
    for (size_t i = 0; i < config->count; i++) {
        const char *known = config->options[i].name;
        bool same = strlen(known) == length;
        for (size_t k = 0; same && k < length; k++) {
            same = known[k] == (name[k] == '-' ? '_' : name[k]);
        }
        if (same) {
            return &config->options[i];
        }
    }
    return NULL;
}

static void set_source(struct config *config, const struct config_option *option,
                       const char *source) {
    config->sources[option - config->options] = arena_string(&config->arena, source);
}

/* ---- Values as text: defaults, environment, flags ------------------------------- */

static int parse_bool(bool *out, const struct config_option *option, const char *source,
                      const char *text, struct err *err) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, text) == 0) {
            *out = words[i].value;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "%s: %s must be true or false, not '%.60s'", source,
                   option->name, text);
}

static int parse_number(double *out, const struct config_option *option, const char *source,
                        const char *text, struct err *err) {
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    bool whole = option->type == CONFIG_INT;
    bool wrong = end == text || *end != '\0' || !isfinite(value) ||
                 (whole && value != floor(value));
    if (wrong || value < low_of(option) || value > high_of(option)) {
        return err_set(err, ERR_INVALID, "%s: %s must be a %s from %.15g to %.15g%s%s, not '%.60s'",
                       source, option->name, whole ? "whole number" : "number", low_of(option),
                       high_of(option), option->unit != NULL ? " " : "",
                       option->unit != NULL ? option->unit : "", text);
    }
    *out = value;
    return 0;
}

static int check_text(const struct config_option *option, const char *source, const char *text,
                      struct err *err) {
    size_t length = strlen(text);
    if (option->max > 0 && ((double)length < option->min || (double)length > option->max)) {
        return err_set(err, ERR_INVALID, "%s: %s must have from %.15g to %.15g bytes, not %zu",
                       source, option->name, option->min, option->max, length);
    }
    return 0;
}

static int parse_choice(int *out, const struct config_option *option, const char *source,
                        const char *text, struct err *err) {
    struct buf all = {0};
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *out = i;
            buf_finish(&all);
            return 0;
        }
        buf_format(&all, "%s%s", i > 0 ? ", " : "", option->choices[i]);
    }
    int code = err_set(err, ERR_INVALID, "%s: %s must be one of %s, not '%.60s'", source,
                       option->name, buf_text(&all), text);
    buf_finish(&all);
    return code;
}

static int set_text(struct config *config, const struct config_option *option, const char *source,
                    const char *text, struct err *err) {
    void *field = field_of(config, option);
    double number = 0;
    int code = 0;
    switch (option->type) {
    case CONFIG_BOOL:
        code = parse_bool(field, option, source, text, err);
        break;
    case CONFIG_INT:
        code = parse_number(&number, option, source, text, err);
        if (code == 0) {
            *(int64_t *)field = (int64_t)number;
        }
        break;
    case CONFIG_NUMBER:
        code = parse_number(field, option, source, text, err);
        break;
    case CONFIG_TEXT:
        code = check_text(option, source, text, err);
        if (code == 0) {
            *(const char **)field = arena_string(&config->arena, text);
        }
        break;
    case CONFIG_CHOICE:
        code = parse_choice(field, option, source, text, err);
        break;
    }
    if (code == 0) {
        set_source(config, option, source);
    }
    return code;
}

/* A wrong default is a defect of the table, so it stops the program at once. */
static void set_defaults(struct config *config) {
    for (size_t i = 0; i < config->count; i++) {
        const struct config_option *option = &config->options[i];
        if (option->standard != NULL) {
            int code = set_text(config, option, "default", option->standard, NULL);
            assert(code == 0);
            (void)code;
        }
        set_source(config, option, "default");
    }
}

/* ---- The file --------------------------------------------------------------------- */

/* A scalar of the file as one would write it elsewhere; false for lists and objects. */
static bool text_of(const struct json *node, struct buf *out) {
    buf_clear(out);
    switch (node->type) {
    case NODE_STRING:
        buf_string(out, node->text);
        return true;
    case NODE_BOOL:
    case NODE_INT:
    case NODE_REAL:
        json_tree_write(node, out);
        return true;
    default:
        return false;
    }
}

static int read_member(struct config *config, const struct json *member, const char *path,
                       struct err *err) {
    const struct config_option *option = find_option(config, member->name, strlen(member->name));
    if (option == NULL) {
        return err_set(err, ERR_INVALID, "%s:%u: '%.60s' is not an option; see --help", path,
                       member->line, member->name);
    }
    if (member->type == NODE_NULL) {
        return 0;
    }
    struct buf text = {0};
    char *source = mem_format("%s:%u", path, member->line);
    int code = text_of(member, &text)
                   ? set_text(config, option, source, buf_text(&text), err)
                   : err_set(err, ERR_INVALID, "%s: %s must be one value", source, option->name);
    mem_free(source);
    buf_finish(&text);
    return code;
}

static int read_file(struct config *config, const char *path, struct err *err) {
    struct json *root = NULL;
    int code = yaml_tree_load(&root, path, err);
    if (code == 0 && root->type != NODE_OBJECT) {
        code = err_set(err, ERR_INVALID, "%s: must be lines of 'name: value'", path);
    }
    for (size_t i = 0; code == 0 && i < root->count; i++) {
        code = read_member(config, &root->items[i], path, err);
    }
    json_tree_destroy(root);
    return code;
}

/* ---- The environment ---------------------------------------------------------------- */

static const char *environment_value(char *const *environment, const char *name) {
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
            return *environment + length + 1;
        }
    }
    return NULL;
}

static const char *prefix_of(const struct config_input *input) {
    return input->prefix != NULL ? input->prefix : standard_prefix;
}

static int read_environment(struct config *config, const struct config_input *input,
                            struct err *err) {
    int code = 0;
    for (size_t i = 0; code == 0 && i < config->count; i++) {
        char *name = mem_format("%s%s", prefix_of(input), config->options[i].name);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        }
        const char *value = environment_value(input->environment, name);
        if (value != NULL) {
            code = set_text(config, &config->options[i], name, value, err);
        }
        mem_free(name);
    }
    return code;
}

/* ---- Flags ---------------------------------------------------------------------------- */

/* One argument taken apart: --name, --name=value, --no-name. */
struct flag {
    const char *text;  /* as it was given */
    const char *name;  /* after the dashes */
    size_t length;     /* of the name */
    const char *value; /* after '='; NULL: none */
};

static struct flag take_apart(const char *argument) {
    struct flag flag = {.text = argument, .name = argument + 2};
    flag.length = strcspn(flag.name, "=");
    if (flag.name[flag.length] == '=') {
        flag.value = flag.name + flag.length + 1;
    }
    return flag;
}

static bool is_flag(const char *argument) {
    return argument[0] == '-' && argument[1] == '-' && argument[2] != '\0';
}

static bool flag_is(const struct flag *flag, const char *name) {
    return flag->length == strlen(name) && strncmp(flag->name, name, flag->length) == 0;
}

static const struct config_option *option_of(const struct config *config, const struct flag *flag,
                                             bool *negated) {
    const struct config_option *option = find_option(config, flag->name, flag->length);
    *negated = false;
    if (option == NULL && flag->length > 3 && strncmp(flag->name, "no-", 3) == 0) {
        option = find_option(config, flag->name + 3, flag->length - 3);
        *negated = option != NULL && option->type == CONFIG_BOOL;
        return *negated ? option : NULL;
    }
    return option;
}

/* Reads the flag at `*at`, and the argument after it where that is its value. */
static int read_flag(struct config *config, int argc, char **argv, int *at, struct err *err) {
    struct flag flag = take_apart(argv[*at]);
    bool negated = false;
    const struct config_option *option = option_of(config, &flag, &negated);
    if (flag_is(&flag, "help")) {
        config->wants_help = true;
        return 0;
    }
    if (flag_is(&flag, "show-config") || flag_is(&flag, "show-config-json")) {
        config->show = flag_is(&flag, "show-config") ? CONFIG_SHOW_TABLE : CONFIG_SHOW_JSON;
        return 0;
    }
    if (option == NULL && !flag_is(&flag, "config")) {
        return err_set(err, ERR_INVALID, "the flag '%.80s' is not known; see --help", flag.text);
    }
    bool is_switch = option != NULL && option->type == CONFIG_BOOL;
    const char *value = flag.value;
    if (value == NULL && is_switch) {
        value = negated ? "false" : "true";
    } else if (negated) {
        return err_set(err, ERR_INVALID, "the flag '%.80s' takes no value", flag.text);
    } else if (value == NULL) {
        if (*at + 1 >= argc) {
            return err_set(err, ERR_INVALID, "the flag '%.80s' needs a value", flag.text);
        }
        value = argv[++*at];
    }
    if (option == NULL) {
        return 0; /* --config was read before all others */
    }
    char *source = mem_format("%.*s", (int)(flag.name + flag.length - flag.text), flag.text);
    int code = set_text(config, option, source, value, err);
    mem_free(source);
    return code;
}

static int read_arguments(struct config *config, int argc, char **argv, struct err *err) {
    bool flags_over = false;
    config->operands = arena_zero(&config->arena, (size_t)argc + 1, sizeof(*config->operands));
    for (int i = 0; i < argc; i++) {
        if (!flags_over && strcmp(argv[i], "--") == 0) {
            flags_over = true;
        } else if (!flags_over && strcmp(argv[i], "-h") == 0) {
            config->wants_help = true;
        } else if (flags_over || !is_flag(argv[i])) {
            config->operands[config->operand_count++] = argv[i];
        } else {
            int code = read_flag(config, argc, argv, &i, err);
            if (code != 0) {
                return code;
            }
        }
    }
    return 0;
}

/* The file that --config or the environment names; NULL where none does. */
static const char *named_file(const struct config_input *input) {
    for (int i = 0; i < input->argc && strcmp(input->argv[i], "--") != 0; i++) {
        if (is_flag(input->argv[i])) {
            struct flag flag = take_apart(input->argv[i]);
            const char *next = i + 1 < input->argc ? input->argv[i + 1] : NULL;
            if (flag_is(&flag, "config")) {
                return flag.value != NULL ? flag.value : next;
            }
        }
    }
    char name[64];
    snprintf(name, sizeof(name), "%sCONFIG", prefix_of(input));
    return environment_value(input->environment, name);
}

/* ---- All of it -------------------------------------------------------------------------- */

int config_load(struct config *out, const struct config_option *options, size_t count, void *target,
                const struct config_input *input, struct err *err) {
    *out = (struct config){.options = options, .count = count, .target = target};
    out->sources = arena_zero(&out->arena, count, sizeof(*out->sources));
    set_defaults(out);
    int code = 0;
    const char *file = named_file(input);
    if (file == NULL && input->file != NULL && access(input->file, F_OK) == 0) {
        file = input->file;
    }
    if (file != NULL) {
        code = read_file(out, file, err);
    }
    if (code == 0) {
        code = read_environment(out, input, err);
    }
    if (code == 0) {
        code = read_arguments(out, input->argc, input->argv, err);
    }
    return code;
}

void config_finish(struct config *config) {
    arena_finish(&config->arena);
    *config = (struct config){0};
}

const char *config_source(const struct config *config, const char *name) {
    const struct config_option *option = find_option(config, name, strlen(name));
    assert(option != NULL);
    return config->sources[option - config->options];
}
