/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm doctor`: looks at what this machine and its farm need, and says what to mend. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "as_daemon.h"
#include "client.h"
#include "command.h"
#include "common/blob.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"
#include "interrupt.h"
#include "output_place.h"
#include "scheduler/scheduler.h"
#include "worker_info.h"
#include "workers/workers.h"

enum { SKEW_MS_MAX = 5000, MEMORY_MIB_EACH = 1024 /* of a chunk at 720p with SVT-AV1 */ };

enum finding { FINDING_GOOD, FINDING_WARNING, FINDING_BAD };

static const char *const finding_names[] = {"good", "warning", "bad"};

/* A visit: what was found so far goes on as text or JSON. */
struct visit {
    const struct invocation *invocation;
    struct client *client; /* NULL until there is one */
    bool answers;          /* the scheduler */
    struct buf text;
    struct writer json;
    int code;
};

static void find(struct visit *visit, enum finding finding, const char *what,
                 const char *sentence) {
    if (wants_json(visit->invocation)) {
        writer_object(&visit->json, NULL);
        writer_string(&visit->json, "check", what);
        writer_string(&visit->json, "finding", finding_names[finding]);
        writer_string(&visit->json, "sentence", sentence);
        writer_object_end(&visit->json);
    } else {
        buf_format(&visit->text, "%-8s %-10s ", finding_names[finding], what);
        buf_plain(&visit->text, sentence);
        buf_string(&visit->text, "\n");
    }
    if (finding == FINDING_BAD) {
        visit->code = EXIT_FAILED;
    }
}

static void find_error(struct visit *visit, enum finding finding, const char *what,
                       const struct err *err) {
    find(visit, finding, what, err->message);
}

/* ---- this machine ------------------------------------------------------------ */

static void check_encoders(struct visit *visit) {
    struct announced_encoder encoders[WORKER_ENCODERS];
    struct json *info = NULL;
    struct buf names = {0};
    struct err err = {0};
    size_t count = 0;
    int failed = worker_info_load(&info, &err);
    if (failed == 0) {
        failed = worker_info_encoders(info, encoders, &count, &err);
    }
    for (size_t i = 0; failed == 0 && i < count; i++) {
        buf_format(&names, "%s%s", i > 0 ? ", " : "", encoders[i].name);
    }
    if (failed == 0) {
        find(visit, FINDING_GOOD, "encoders", buf_text(&names));
    } else {
        find_error(visit, FINDING_BAD, "encoders", &err);
    }
    buf_finish(&names);
    json_tree_destroy(info);
}

static void check_sandbox(struct visit *visit) {
    struct err err = {0};
    int abi = 0;
    if (worker_sandbox_try("full", &abi, &err) == 0) {
        char *sentence = mem_format(
            "decoders of foreign bytes run behind Landlock (version %d) and seccomp", abi);
        find(visit, FINDING_GOOD, "sandbox", sentence);
        mem_free(sentence);
    } else {
        find_error(visit, FINDING_BAD, "sandbox", &err);
    }
}

static void check_machine(struct visit *visit) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t mib = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 20;
    bool is_small = mib < processors * MEMORY_MIB_EACH;
    char *sentence = mem_format(
        "%ld processors, %" PRId64 " MiB of memory%s", processors, mib,
        is_small ? "; that is less than 1 GiB each, so that a worker will run fewer tasks at a time"
                 : "");
    find(visit, is_small ? FINDING_WARNING : FINDING_GOOD, "machine", sentence);
    mem_free(sentence);
}

/* ---- its daemons ------------------------------------------------------------- */

/* A secret of a daemon that lies in a file; nothing where there is none. */
static void check_secret(struct visit *visit, const char *what, const char *file) {
    struct stat info;
    if (file == NULL || stat(file, &info) != 0 || (info.st_mode & 077) == 0) {
        return;
    }
    char *sentence = mem_format("others may read %s %s; run `chmod 600` on it", what, file);
    find(visit, FINDING_WARNING, "secrets", sentence);
    mem_free(sentence);
}

/* What its unit is to give it. */
static void check_unit(struct visit *visit, const struct as_daemon *as) {
    const struct daemon_facts *facts = as->facts;
    if (as->is_unit && facts->token != NULL && !may_be_there(facts->token)) {
        char *sentence = mem_format("the %s's unit can't begin without %s; copy the scheduler's "
                                    "token there",
                                    facts->name, facts->token);
        find(visit, FINDING_BAD, "token", sentence);
        mem_free(sentence);
    }
    if (as->odd_line > 0) {
        char *sentence = mem_format("line %d of %s is no NAME=VALUE, and is passed over",
                                    as->odd_line, as->variables);
        find(visit, FINDING_WARNING, "variables", sentence);
        mem_free(sentence);
    }
    check_secret(visit, "the scheduler's token", as->is_unit ? facts->token : NULL);
    check_secret(visit, "the variables, which may be keys,", as->variables);
}

/* ", as user U, with the variables of F": how this was told. */
static char *manner(const struct as_daemon *as) {
    bool names_user = as->is_unit || as->is_other;
    return mem_format("%s%s%s%s", names_user ? ", as user " : "", names_user ? as->user : "",
                      as->variables != NULL ? ", with the variables of " : "",
                      as->variables != NULL ? as->variables : "");
}

static int check_options(const struct as_daemon *as, struct err *err) {
    return as->facts == &worker_facts
               ? worker_options_check(as->config, as->is_unit ? as->facts->token : NULL, err)
               : scheduler_options_check(as->config, err);
}

/* Whether the daemon can begin by its file of options, where there is one. */
static void check_config(struct visit *visit, struct as_daemon *as) {
    struct err err = {0};
    const char *name = as->facts->name;
    char *how = manner(as);
    char *sentence = NULL;
    if (as->config == NULL) {
        mem_free(how);
        return;
    }
    if (as->blind != NULL) {
        sentence = mem_format("whether the %s can begin by %s can't be told from here, since %s; "
                              "have root run this",
                              name, as->config, as->blind);
        find(visit, FINDING_WARNING, "config", sentence);
    } else {
        int failed = as_daemon_enter(as, &err);
        if (failed == 0) {
            failed = check_options(as, &err);
            as_daemon_leave(as);
        }
        sentence = mem_format("the %s can begin by %s%s", name, as->config, how);
        if (failed == 0) {
            find(visit, FINDING_GOOD, "config", sentence);
        } else {
            err_wrap(&err, "the %s can't begin by %s%s", name, as->config, how);
            find_error(visit, FINDING_BAD, "config", &err);
        }
    }
    mem_free(sentence);
    mem_free(how);
}

static void check_daemons(struct visit *visit, struct as_daemon *scheduler,
                          struct as_daemon *worker) {
    check_unit(visit, worker);
    check_config(visit, scheduler);
    check_config(visit, worker);
}

/* ---- the farm ---------------------------------------------------------------- */

static struct json *ask(struct visit *visit, const char *path, struct err *err) {
    struct json *answer = NULL;
    return client_call(visit->client, "GET", path, NULL, &answer, err) == 0 ? answer : NULL;
}

/* A farm is nobody's duty: one that was not named may be away. */
static void check_scheduler(struct visit *visit) {
    const struct invocation *invocation = visit->invocation;
    bool is_named = option_value(invocation, "scheduler") != NULL ||
                    getenv("REELFARM_SCHEDULER") != NULL;
    struct err err = {0};
    struct json *answer = NULL;
    if (client_connect(&visit->client, invocation, &err) == 0) {
        answer = ask(visit, "/readyz", &err);
    }
    visit->answers = answer != NULL;
    if (answer != NULL) {
        find(visit, FINDING_GOOD, "scheduler", "it answers, and its store takes writes");
    } else if (is_named) {
        find_error(visit, FINDING_BAD, "scheduler", &err);
    } else {
        find(visit, FINDING_WARNING, "scheduler",
             "none of this user answers on this machine, which `encode` does not need; name a "
             "farm's by --scheduler");
    }
    json_tree_destroy(answer);
}

static void check_clock(struct visit *visit, int64_t scheduler_ms, int64_t before_ms,
                        int64_t after_ms) {
    int64_t ahead_ms = before_ms - scheduler_ms; /* at least, where it is above 0 */
    int64_t behind_ms = scheduler_ms - after_ms;
    int64_t skew_ms = ahead_ms > behind_ms ? ahead_ms : behind_ms;
    char *sentence =
        skew_ms > SKEW_MS_MAX
            ? mem_format("it is %" PRId64 " s %s the scheduler's; let both machines follow a time "
                         "server, since tokens, certificates and object stores go by it",
                         skew_ms / 1000, ahead_ms > behind_ms ? "ahead of" : "behind")
            : mem_string("it agrees with the scheduler's");
    find(visit, skew_ms > SKEW_MS_MAX ? FINDING_WARNING : FINDING_GOOD, "clock", sentence);
    mem_free(sentence);
}

static void check_token(struct visit *visit) {
    struct err err = {0};
    const char *role = "";
    const char *tenant = "";
    int64_t now = 0;
    int64_t before_ms = clock_wall_ms();
    struct json *answer = ask(visit, "/v1/caller", &err);
    int64_t after_ms = clock_wall_ms();
    if (answer != NULL) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        reader_string(&r, "role", &role);
        reader_string(&r, "tenant", &tenant);
        reader_int(&r, "now", 0, INT64_MAX, &now);
    }
    if (err.code == ERR_NONE) {
        char *sentence = mem_format("it is good, of role %s%s%s", role,
                                    tenant[0] != '\0' ? " for tenant " : "", tenant);
        find(visit, FINDING_GOOD, "token", sentence);
        check_clock(visit, now, before_ms, after_ms);
        mem_free(sentence);
    } else {
        find_error(visit, FINDING_BAD, "token", &err);
    }
    json_tree_destroy(answer);
}

static void check_workers(struct visit *visit) {
    struct err err = {0};
    struct json *answer = ask(visit, "/v1/workers", &err);
    if (err.code == ERR_FORBIDDEN) {
        return; /* it is not this token's to know */
    }
    size_t count = 0;
    if (answer != NULL) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        struct reader list = reader_array(&r, "workers");
        count = reader_count(&list);
    }
    if (err.code != ERR_NONE) {
        find_error(visit, FINDING_BAD, "workers", &err);
    } else if (count == 0) {
        find(visit, FINDING_WARNING, "workers",
             "there are none, so that titles wait; start one by `reelfarm worker`");
    } else {
        char *sentence = mem_format("%zu", count);
        find(visit, FINDING_GOOD, "workers", sentence);
        mem_free(sentence);
    }
    json_tree_destroy(answer);
}

/* ---- storage ----------------------------------------------------------------- */

/* A folder that is not there would be made, whether or not its name is meant. */
static int find_folder(const char *place, bool is_folder, struct err *err) {
    return is_folder && access(place, F_OK) != 0 && errno == ENOENT
               ? err_set(err, ERR_NOT_FOUND, "it is not there; make it, or mend its name")
               : 0;
}

/* Writes a small object there, reads it back and removes it. */
static int try_place(const char *place, struct err *err) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    struct buf read = {0};
    char id[ID_TEXT];
    id_make(id);
    char *key = mem_format("reelfarm-doctor-%s", id);
    options.cancel = interrupt_catch();
    options.attempts = 2;
    int failed = blob_open(&blob, place, &options, err);
    if (failed == 0) {
        failed = blob_put(blob, key, id, ID_TEXT - 1, BLOB_CREATE, err);
    }
    if (failed == 0) {
        failed = blob_get(blob, key, ID_TEXT, &read, err);
        bool is_same = failed == 0 && strcmp(buf_text(&read), id) == 0;
        if (failed == 0 && !is_same) {
            failed = err_set(err, ERR_CORRUPT, "what was written there is not what is read back");
        }
        int removed = blob_remove(blob, key, failed == 0 ? err : NULL);
        failed = failed != 0 ? failed : removed;
    }
    blob_close(blob);
    buf_finish(&read);
    mem_free(key);
    return failed;
}

/* As the worker there is here sees it, where that can be done. */
static void check_place(struct visit *visit, struct as_daemon *worker, const char *word) {
    bool is_folder = strstr(word, "://") == NULL;
    char *place = is_folder ? fs_whole_path(word) : mem_string(word);
    char *how = worker->blind == NULL ? manner(worker) : mem_string(", by this user");
    struct err err = {0};
    int failed = worker->blind == NULL ? as_daemon_enter(worker, &err) : 0;
    if (failed == 0) {
        failed = find_folder(place, is_folder, &err);
        failed = failed != 0 ? failed : try_place(place, &err);
        if (worker->blind == NULL) {
            as_daemon_leave(worker);
        }
    }
    struct buf more = {0};
    if (worker->blind != NULL) {
        buf_format(&more, "; whether the worker can can't be told from here, since %s",
                   worker->blind);
    } else if (worker->is_unit && is_folder) {
        buf_format(&more, "; its unit lets it where ReadWritePaths= names it, which is not looked "
                          "at");
    }
    if (failed == 0) {
        char *sentence =
            mem_format("%s can be written, read and cleared%s%s", word, how, buf_text(&more));
        find(visit, FINDING_GOOD, "storage", sentence);
        mem_free(sentence);
    } else {
        char *sentence = mem_format("%s%s: %s%s", word, how, err.message, buf_text(&more));
        find(visit, worker->blind != NULL ? FINDING_WARNING : FINDING_BAD, "storage", sentence);
        mem_free(sentence);
    }
    buf_finish(&more);
    mem_free(how);
    mem_free(place);
}

/* ---- the command ------------------------------------------------------------- */

static int look(const struct invocation *invocation, struct as_daemon *scheduler,
                struct as_daemon *worker) {
    struct visit visit = {.invocation = invocation, .code = EXIT_DONE};
    visit.json = writer_of(&visit.text);
    if (wants_json(invocation)) {
        writer_object(&visit.json, NULL);
        writer_array(&visit.json, "checks");
    }
    check_encoders(&visit);
    check_sandbox(&visit);
    check_machine(&visit);
    check_daemons(&visit, scheduler, worker);
    check_scheduler(&visit);
    if (visit.answers) {
        check_token(&visit);
        check_workers(&visit);
    }
    for (int i = 0; i < invocation->word_count; i++) {
        check_place(&visit, worker, invocation->words[i]);
    }
    if (wants_json(invocation)) {
        writer_array_end(&visit.json);
        writer_bool(&visit.json, "well", visit.code == EXIT_DONE);
        writer_object_end(&visit.json);
        buf_string(&visit.text, "\n");
    }
    client_destroy(visit.client);
    int printed = command_print(&visit.text);
    return visit.code != EXIT_DONE ? visit.code : printed;
}

static int run(const struct invocation *invocation) {
    const char *user = option_value(invocation, "daemon-user");
    const struct daemon_names scheduler_names = {option_value(invocation, "scheduler-config"), NULL,
                                                 user};
    const struct daemon_names worker_names = {option_value(invocation, "worker-config"),
                                              option_value(invocation, "worker-env"), user};
    struct as_daemon scheduler = {0}, worker = {0};
    struct err err = {0};
    int failed = as_daemon_init(&scheduler, &scheduler_facts, &scheduler_names, &err);
    if (failed == 0) {
        failed = as_daemon_init(&worker, &worker_facts, &worker_names, &err);
    }
    int code = failed == 0 ? look(invocation, &scheduler, &worker)
                           : command_fail(invocation, EXIT_FAILED, &err);
    as_daemon_finish(&worker);
    as_daemon_finish(&scheduler);
    return code;
}

static const struct option_row options[] = {
    {"scheduler-config", "FILE", "the scheduler's options; default /etc/reelfarm/scheduler.yaml"},
    {"worker-config", "FILE", "the worker's options; default /etc/reelfarm/worker.yaml"},
    {"worker-env", "FILE", "its variables, such as keys of stores; default that of its unit"},
    {"daemon-user", "USER", "whom the daemons run as; default as their units, else this user"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .words = "[PLACE...]",
    .most_words = MAX_WORDS,
    .summary = "look at what this machine and its farm need, and say what to mend",
    .help =
        "Looks at the encoders, the sandbox for decoders, processors and memory; at the daemons'\n"
        "files of options, where they are there, with the tokens, certificates, endpoints and\n"
        "secrets that these name; at the scheduler, its store, the token, the clock and the\n"
        "workers; and at each PLACE, a folder or s3:// address for outputs, where it writes,\n"
        "reads and removes a small object.\n\n"
        "  reelfarm doctor\n"
        "  reelfarm doctor --worker-config worker.yaml\n"
        "  sudo reelfarm doctor s3://streams/films       as the units' user, with its keys\n"
        "  sudo reelfarm doctor --daemon-user media --worker-env keys.env /srv/films\n\n"
        "What lies in /etc/reelfarm is looked at as the daemons of systemd's units see it: as\n"
        "user reelfarm, by the variables of worker.env. Others' rights can be tried by root "
        "alone;\n"
        "to anybody else it says what can't be told. Files that are named are looked at as this\n"
        "user, without variables REELFARM_... of this shell.\n\n"
        "Ends with 1 where something is bad, and 0 where all is good or a warning.\n",
    .options = options,
    .run = run,
};
