/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of options a daemon or command, from which its file, environment,
 * flags, help text and JSON all follow. Later sources win:
 *
 *     default  <  YAML file  <  environment REELFARM_LEASE_MS  <  flag --lease-ms 500
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

enum config_type {
    CONFIG_BOOL,   /* field: bool; flags --name and --no-name */
    CONFIG_INT,    /* field: int64_t */
    CONFIG_NUMBER, /* field: double */
    CONFIG_TEXT, /* field: const char *, lives as long as the struct config; min and max count bytes
                  */
    CONFIG_CHOICE, /* field: int, the index in `choices` */
};

/* A row of the table. */
struct config_option {
    const char *name; /* lower-case words with underscores: "lease_ms" */
    enum config_type type;
    size_t offset;        /* of the field in the caller's struct */
    const char *standard; /* the default as one would write it; NULL: TEXT is NULL, else zero */
    double min, max;      /* both 0: any */
    const char *unit;     /* "ms", "bytes"; NULL: none */
    const char *const *choices; /* of a CHOICE, ended by NULL */
    bool secret;                /* the value is never printed */
    const char *help;           /* a phrase for people */
};

/* What a daemon does with its options. */
enum config_show {
    CONFIG_RUN,        /* works by them */
    CONFIG_SHOW_TABLE, /* --show-config: shows them to people, and ends */
    CONFIG_SHOW_JSON,  /* --show-config-json */
};

struct config {
    const struct config_option *options; /* borrowed */
    size_t count;
    void *target;          /* the caller's struct; borrowed */
    const char **sources;  /* by option: "default", "FILE:3", "REELFARM_LEASE_MS", "--lease-ms" */
    const char **operands; /* arguments that are no flags, in order; borrowed from argv */
    size_t operand_count;
    bool wants_help; /* --help was among the flags */
    enum config_show show;
    struct arena arena;
};

/* Where values come from; any may be NULL or 0. */
struct config_input {
    const char *file;         /* read where it is there; --config and REELFARM_CONFIG name another,
                                 which then must be there */
    char *const *environment; /* ended by NULL */
    const char *prefix;       /* of names there; default (NULL): "REELFARM_" */
    int argc;                 /* flags and operands, without the program's and command's names */
    char **argv;
};

/*
 * Fills `target` from all sources. INVALID names the source (file and line, variable
 * or flag), the option, and what is allowed; a name that the table lacks is one
 * too, except in the environment. After a failure config_finish is still due.
 */
int config_load(struct config *out, const struct config_option *options, size_t count, void *target,
                const struct config_input *input, struct err *err);

/* Frees texts and lists; takes a zeroed one. */
void config_finish(struct config *config);

/* Where the value of an option came from; borrowed. The name must be in the table. */
const char *config_source(const struct config *config, const char *name);

/* Appends one line an option for --help: flag, help, unit, range, default. */
void config_help(const struct config_option *options, size_t count, struct buf *out);

/* Appends a table for people, two lines an option: name, value, source; help, unit, bounds,
 * default. */
void config_table(const struct config *config, struct buf *out);

/* Appends a JSON object: name -> {value, source, unit, default, min, max, choices, help}; bounds
 * are null where there are none. */
void config_json(const struct config *config, struct buf *out);

/* Appends what `config.show`, which is not CONFIG_RUN, asks for, with its last newline. */
void config_show(const struct config *config, struct buf *out);

/* Where help or the options are asked for and not work: prints them, the former as `help` appends
 * it. False where that is not so; `*told`: whether all of it was written. */
bool config_tell(const struct config *config, void (*help)(struct buf *out), bool *told);

#endif
