/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's option table: see options.h. */
#include "options.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/urls.h"
#include "sandbox.h"
#include "workers/edges/edge_secrets.h"

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

#define FIELD(member) offsetof(struct daemon_options, member)

static const struct config_option table[] = {
    {.name = "scheduler",
     .type = CONFIG_TEXT,
     .offset = FIELD(scheduler),
     .min = 1,
     .standard = "http://127.0.0.1:7430",
     .max = 2048,
     .help = "URL of the scheduler; URL,URL of several that share a store"},
    {.name = "token_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(token_file),
     .min = 1,
     .max = 4096,
     .help = "file of the token; default: of this machine's scheduler"},
    {.name = "ca_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(ca_file),
     .min = 1,
     .max = 4096,
     .help = "PEM file of who vouches for the scheduler; default: the system's"},
    {.name = "certificate",
     .type = CONFIG_TEXT,
     .offset = FIELD(certificate),
     .min = 1,
     .max = 4096,
     .help = "PEM file of this worker's own, where the scheduler asks for one"},
    {.name = "key_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(key_file),
     .min = 1,
     .max = 4096,
     .help = "PEM file of that certificate's key"},
    {.name = "name",
     .type = CONFIG_TEXT,
     .offset = FIELD(name),
     .min = 1,
     .max = 127,
     .help = "what people call this worker; default: host and process id"},
    {.name = "slots",
     .type = CONFIG_INT,
     .offset = FIELD(slots),
     .standard = "0",
     .min = 0,
     .max = 256,
     .help = "tasks at a time, an encoder with threads being as many; 0: one for each processor"},
    {.name = "pushes",
     .type = CONFIG_INT,
     .offset = FIELD(pushes),
     .standard = "4",
     .min = 0,
     .max = 64,
     .help = "pushes at a time beside the slots, and one more for each endpoint; 0: none at all"},
    {.name = "store_connections",
     .type = CONFIG_INT,
     .offset = FIELD(store_connections),
     .standard = "64",
     .min = 1,
     .max = 4096,
     .help = "connections to one object store, or server of sources, at a time"},
    {.name = "endpoint_secrets",
     .type = CONFIG_TEXT,
     .offset = FIELD(endpoint_secrets),
     .min = 1,
     .max = 4096,
     .help = "YAML file (0600) of what edges and catalogs know this worker by"},
    {.name = "memory",
     .type = CONFIG_INT,
     .offset = FIELD(memory_bytes),
     .standard = "0",
     .min = 0,
     .max = 1e15,
     .unit = "bytes",
     .help = "what tasks may take together; 0: nine tenths of the machine's"},
    {.name = "grace_s",
     .type = CONFIG_INT,
     .offset = FIELD(grace_s),
     .standard = "30",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "time that running tasks get after SIGTERM"},
    {.name = "stall_s",
     .type = CONFIG_INT,
     .offset = FIELD(stall_s),
     .standard = "120",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "longest time a task may show no progress"},
    {.name = "keep_s",
     .type = CONFIG_INT,
     .offset = FIELD(keep_s),
     .standard = "600",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "how long tasks and their results outlive their lease while the scheduler is away"},
    {.name = "private_sources",
     .type = CONFIG_BOOL,
     .offset = FIELD(private_sources),
     .standard = "false",
     .help = "read http sources at private addresses too, and by way of a proxy"},
    {.name = "sandbox",
     .type = CONFIG_CHOICE,
     .offset = FIELD(sandbox),
     .standard = "full",
     .choices = sandbox_level_names,
     .help = "what walls in decoders of foreign bytes: Landlock and seccomp, seccomp, or neither"},
    {.name = "log_level",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_level),
     .standard = "info",
     .choices = levels,
     .help = "lines under this level are not written"},
    {.name = "mask_cpu",
     .type = CONFIG_BOOL,
     .offset = FIELD(mask_cpu),
     .standard = "false",
     .help = "for tests: use no CPU feature beyond the architecture's base"},
};

enum { OPTIONS = sizeof(table) / sizeof(table[0]), SLOTS_MAX = 256 };

/* Those that this process may use. */
static int64_t processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* Where a scheduler of this user on this machine keeps its own. */
static int find_token(struct daemon_options *options, struct config *config, struct err *err) {
    if (!urls_are_loopback(options->scheduler)) {
        return err_set(err, ERR_INVALID,
                       "the scheduler at %s needs a token; name its file by --token-file",
                       options->scheduler);
    }
    char *folder = fs_state_folder();
    if (folder == NULL) {
        return err_set(err, ERR_INVALID,
                       "there is no home to find a token in; name its file by "
                       "--token-file");
    }
    options->token_file = arena_format(&config->arena, "%s/token", folder);
    mem_free(folder);
    return 0;
}

/* A file that can't be read would look like a scheduler that is away. */
static int check_files(const struct daemon_options *options, struct err *err) {
    const char *const paths[] = {options->ca_file, options->certificate, options->key_file};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (paths[i] != NULL && access(paths[i], R_OK) != 0) {
            return err_set_errno(err, errno, "cannot read the TLS file '%s'", paths[i]);
        }
    }
    return 0;
}

int options_load(struct daemon_options *options, struct config *config, int argc, char **argv,
                 struct err *err) {
    struct config_input input = {
        .file = "/etc/reelfarm/worker.yaml", .environment = environ, .argc = argc, .argv = argv};
    int failed = config_load(config, table, OPTIONS, options, &input, err);
    if (failed != 0 || config->wants_help) {
        return failed;
    }
    if (config->operand_count > 0) {
        return err_set(err, ERR_INVALID, "'%s' is no option; see reelfarm-worker --help",
                       config->operands[0]);
    }
    if ((options->certificate == NULL) != (options->key_file == NULL)) {
        return err_set(err, ERR_INVALID,
                       "certificate and key_file go together; one of them is missing");
    }
    failed = check_files(options, err);
    if (failed == 0) { /* a slip shows now, not with the first push */
        struct edge_secret none = {0};
        failed = edge_secret_load(&none, options->endpoint_secrets, "", err);
    }
    if (failed != 0) {
        return failed;
    }
    options->cores = processors();
    if (options->slots == 0) {
        options->slots = options->cores < SLOTS_MAX ? options->cores : SLOTS_MAX;
    }
    return options->token_file != NULL ? 0 : find_token(options, config, err);
}

void options_help(struct buf *out) {
    buf_string(
        out, "an encode node of a farm\n\nUsage: reelfarm worker [options]\n\n"
             "  reelfarm worker                 for the scheduler on this machine\n"
             "  reelfarm worker --scheduler http://10.0.0.5:7430 --token-file token\n"
             "  reelfarm worker --versions      what it encodes with, as JSON\n\n"
             "SIGTERM lets running tasks end first; SIGINT stops at once. S3 stores and their\n"
             "credentials are found as AWS's tools find them (see `reelfarm encode --help`).\n"
             "Options are read from --config FILE (default /etc/reelfarm/worker.yaml, where it\n"
             "is there), as `slots: 4`; then from variables as REELFARM_SLOTS; then from flags.\n\n"
             "Options:\n");
    config_help(table, OPTIONS, out);
}
