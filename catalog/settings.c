/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalog's option table: see settings.h. */
#include "settings.h"

#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "common/fs.h"

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

#define FIELD(member) offsetof(struct catalog_settings, member)

static const struct config_option table[] = {
    {.name = "store",
     .type = CONFIG_TEXT,
     .offset = FIELD(store),
     .min = 1,
     .max = 4096,
     .help = "SQLite file (default: ~/.local/state/reelfarm/catalog.db)"},
    {.name = "secret_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(secret_file),
     .min = 1,
     .max = 4096,
     .help = "what publishers sign with, made if missing; default: `catalog.secret` by the store"},
    {.name = "token_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(token_file),
     .min = 1,
     .max = 4096,
     .help = "the token that readers need, made if missing; default: everybody may read"},
    {.name = "listen",
     .type = CONFIG_TEXT,
     .offset = FIELD(listen),
     .standard = "127.0.0.1",
     .min = 2,
     .max = 64,
     .help = "numeric address to listen on"},
    {.name = "port",
     .type = CONFIG_INT,
     .offset = FIELD(port),
     .standard = CATALOG_PORT,
     .min = 0,
     .max = 65535,
     .help = "port to listen on; 0: any free one"},
    {.name = "tls_certificate",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_certificate),
     .min = 1,
     .max = 4096,
     .help = "PEM file of its certificate and what that is signed by: speak HTTPS alone"},
    {.name = "tls_key",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_key),
     .min = 1,
     .max = 4096,
     .help = "PEM file of that certificate's key"},
    {.name = "allow_origin",
     .type = CONFIG_TEXT,
     .offset = FIELD(allow_origin),
     .min = 1,
     .max = 256,
     .help = "pages of that origin may read, as https://www.example.org; *: all pages"},
    {.name = "connections",
     .type = CONFIG_INT,
     .offset = FIELD(connections),
     .standard = "1024",
     .min = 16,
     .max = 100000,
     .help = "open at a time, some 33 kB each"},
    {.name = "connections_per_address",
     .type = CONFIG_INT,
     .offset = FIELD(connections_per_address),
     .standard = "256",
     .min = 4,
     .max = 100000,
     .help = "of them, of one address (in IPv6: of one /64); one more ends the oldest"},
    {.name = "request_ms",
     .type = CONFIG_INT,
     .offset = FIELD(request_ms),
     .standard = "10000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "a request's head may take so long, and then its body"},
    {.name = "log_level",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_level),
     .standard = "info",
     .choices = levels,
     .help = "lines under this level are not written"},
};

enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

/* Fills in the paths that follow from others. */
static int find_paths(struct catalog_settings *settings, struct config *config, struct err *err) {
    if (settings->store == NULL) {
        char *folder = fs_state_folder();
        if (folder == NULL) {
            return err_set(err, ERR_INVALID,
                           "there is no home to keep the store in; name a file by --store");
        }
        settings->store = arena_format(&config->arena, "%s/catalog.db", folder);
        mem_free(folder);
    }
    if (settings->secret_file == NULL) {
        const char *slash = strrchr(settings->store, '/');
        int length = slash == NULL ? 0 : (int)(slash + 1 - settings->store);
        settings->secret_file =
            arena_format(&config->arena, "%.*scatalog.secret", length, settings->store);
    }
    return 0;
}

int catalog_settings_load(struct catalog_settings *settings, struct config *config, int argc,
                          char **argv, struct err *err) {
    struct config_input input = {
        .file = "/etc/reelfarm/catalog.yaml",
        .environment = environ,
        .prefix = "REELFARM_CATALOG_", /* a scheduler beside it has options of the same names */
        .argc = argc,
        .argv = argv,
    };
    int failed = config_load(config, table, OPTIONS, settings, &input, err);
    if (failed != 0 || config->wants_help) {
        return failed;
    }
    if (config->operand_count > 0) {
        return err_set(err, ERR_INVALID, "'%s' is no option; see `reelfarm catalog --help`",
                       config->operands[0]);
    }
    if ((settings->tls_certificate == NULL) != (settings->tls_key == NULL)) {
        return err_set(err, ERR_INVALID, "tls_certificate and tls_key go together");
    }
    return find_paths(settings, config, err);
}

void catalog_settings_help(struct buf *out) {
    buf_string(
        out,
        "a catalog of what was published, to be read and searched\n\n"
        "Usage: reelfarm catalog [options]\n\n"
        "Keeps the documents of published titles in a store, and answers lists, titles and\n"
        "searches over HTTP: /titles, /titles/TITLE, /search?q=WORDS; /openapi.json tells all.\n"
        "The farm's endpoint of driver `catalog` keeps it up to date.\n\n"
        "  reelfarm catalog                              on this machine alone\n"
        "  reelfarm catalog --listen 10.0.0.5            for a network\n"
        "  reelfarm catalog --token-file readers.token   for readers who have that token\n"
        "  reelfarm search big buck                      asks it\n\n"
        "Publishers sign what they tell it with its secret, which the farm's workers need as\n"
        "`hmac` of the endpoint. Options are read from --config FILE (default\n"
        "/etc/reelfarm/catalog.yaml, where it is there), as `port: 7440`; then from variables\n"
        "as REELFARM_CATALOG_PORT; then from flags.\n\nOptions:\n");
    config_help(table, OPTIONS, out);
}
