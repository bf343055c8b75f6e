/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm backup`: has the scheduler copy its store while it works. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"
#include "interrupt.h"

enum { POLL_MS = 200 };

/* "store-20261121T070629Z.db" */
static char *name_of_now(void) {
    char time[CLOCK_TEXT];
    char digits[CLOCK_TEXT];
    size_t count = 0;
    clock_text(clock_wall_ms(), time);
    for (const char *at = time; *at != '\0' && *at != '.'; at++) {
        if (*at != '-' && *at != ':') {
            digits[count++] = *at;
        }
    }
    return mem_format("store-%.*sZ.db", (int)count, digits);
}

static int begin(struct client *client, const char *name, struct json **answer, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "name", name);
    writer_object_end(&w);
    int failed = client_call(client, "POST", "/v1/backup", &body, answer, err);
    buf_finish(&body);
    return failed;
}

/* What an answer says; the texts are the answer's. */
struct backup {
    const char *state;
    const char *path;
    const char *error;
    int64_t pages;
    int64_t pages_done;
};

static int read_answer(const struct json *answer, struct backup *out, struct err *err) {
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    reader_string(&r, "state", &out->state);
    reader_string(&r, "path", &out->path);
    reader_string(&r, "error", &out->error);
    reader_int(&r, "pages", 0, INT64_MAX, &out->pages);
    reader_int(&r, "pages_done", 0, INT64_MAX, &out->pages_done);
    return err->code;
}

static void show_progress(const struct backup *backup, bool ends) {
    if (isatty(STDERR_FILENO) && backup->pages > 0) {
        fprintf(stderr, "\rcopied %3d %%%s",
                (int)(100 * (double)backup->pages_done / (double)backup->pages), ends ? "\n" : "");
    }
}

/* Until it is made. `*answer` is the last one, owned. */
static int follow(struct client *client, struct json **answer, struct backup *backup,
                  struct err *err) {
    int failed = read_answer(*answer, backup, err);
    while (failed == 0 && strcmp(backup->state, "running") == 0) {
        show_progress(backup, false);
        if (!clock_sleep_ms(POLL_MS, interrupt_catch())) {
            return err_set(err, ERR_CANCELLED, "interrupted; the scheduler goes on with it");
        }
        struct json *next = NULL;
        failed = client_call(client, "GET", "/v1/backup", NULL, &next, err);
        if (failed == 0) {
            json_tree_destroy(*answer);
            *answer = next;
            failed = read_answer(next, backup, err);
        }
    }
    if (failed == 0) {
        show_progress(backup, true);
    }
    return failed != 0 || strcmp(backup->state, "done") == 0
               ? failed
               : err_set(err, ERR_UNAVAILABLE, "the backup to %s failed: %s", backup->path,
                         backup->error);
}

/* ---- to this machine ------------------------------------------------------------------ */

struct download {
    struct client *client;
    char path[sizeof("/v1/backups/download-.db") + ID_TEXT]; /* of the copy, in the API */
};

static int fetch(void *context, int fd, struct err *err) {
    const struct download *download = context;
    return client_fetch(download->client, download->path, fd, err);
}

/* Fetches the copy of this name into a new file; the scheduler does not keep it. */
static int download(struct client *client, const char *name, const char *file, struct err *err) {
    struct download download = {.client = client};
    struct err why = {0};
    snprintf(download.path, sizeof(download.path), "/v1/backups/%s", name);
    int failed = fs_create_by(file, fetch, &download, 0600, err);
    if (client_call(client, "DELETE", download.path, NULL, NULL, &why) != 0) {
        err_wrap(&why, "the scheduler still has its copy, %s", name);
        command_tell(&why);
    }
    return failed;
}

static char *name_of_download(void) {
    char id[ID_TEXT];
    id_make(id);
    return mem_format("download-%s.db", id);
}

/* Takes the copy's name; `file`: where it is fetched to, or NULL. */
static int make(const struct invocation *invocation, char *name, const char *file) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct backup backup = {.state = ""};
    struct buf text = {0};
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = begin(client, name, &answer, &err);
    }
    if (failed == 0) {
        failed = follow(client, &answer, &backup, &err);
    }
    if (failed == 0 && file != NULL) {
        failed = download(client, name, file, &err);
        backup.path = file;
    }
    if (failed == 0 && wants_json(invocation) && file != NULL) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "path", file);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else if (failed == 0 && wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_node(&w, NULL, answer);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        buf_format(&text, "%s\n", backup.path);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    mem_free(name);
    return code;
}

static int make_here(const struct invocation *invocation, const char *file) {
    if (access(file, F_OK) == 0) {
        return command_usage(invocation, "%.200s is there already; choose another name", file);
    }
    return make(invocation, name_of_download(), file);
}

static int run(const struct invocation *invocation) {
    const char *file = option_value(invocation, "download");
    if (file != NULL && invocation->word_count > 0) {
        return command_usage(invocation, "NAME is a copy's that stays with the scheduler, and "
                                         "--download keeps none there");
    }
    if (file == NULL) {
        return make(invocation,
                    invocation->word_count > 0 ? mem_string(invocation->words[0]) : name_of_now(),
                    NULL);
    }
    return make_here(invocation, file);
}

static int run_to_file(const struct invocation *invocation) {
    return make_here(invocation, invocation->words[0]);
}

static const struct option_row options[] = {
    {"download", "FILE", "fetch the copy into this new file, which you alone may read"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_backup = {
    .name = "backup",
    .words = "[NAME]",
    .most_words = 1,
    .summary = "copy the scheduler's store to a file while it works",
    .help =
        "The scheduler writes the copy on its own machine, into its folder of backups (see\n"
        "`reelfarm config scheduler`), and its path is printed. It holds all titles, plans,\n"
        "results and tokens' hashes as they are when the copy ends.\n\n"
        "  reelfarm backup\n"
        "  reelfarm backup before-the-update.db\n"
        "  reelfarm backup --download /mnt/backups/monday.db      on this machine instead\n"
        "  reelfarm scheduler backup /mnt/backups/monday.db       the same\n\n"
        "Where its disk has no room for the copy and a quarter more, it says so and makes none.\n"
        "To go back to one: stop the scheduler, put the copy in the place of its store, remove\n"
        "the -wal and -shm files beside that, start it again, and revoke again what tokens were\n"
        "revoked since. Workers may run on: what they made since is taken or made anew.\n",
    .options = options,
    .run = run,
};

static const struct option_row connection_options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_scheduler_backup = {
    .name = "scheduler backup",
    .words = "FILE",
    .least_words = 1,
    .most_words = 1,
    .summary = "copy the scheduler's store to a new file on this machine while it works",
    .help =
        "Is `reelfarm backup --download FILE`; see `reelfarm backup --help`, also for how to go\n"
        "back to a copy.\n\n"
        "  reelfarm scheduler backup /mnt/backups/monday.db\n",
    .options = connection_options,
    .run = run_to_file,
};
