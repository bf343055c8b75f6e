/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm up`: scheduler, worker and player page on this machine, until Ctrl-C. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"
#include "common/proc.h"
#include "interrupt.h"
#include "page_link.h"
#include "play_server.h"
#include "sandbox_option.h"
#include "workers/workers.h"

enum { PAGE_PORT = 8080, START_MS = 10000, STOP_MS = 5000, LOOK_MS = 200 };

static const char default_out[] = "streams";

struct up {
    const struct invocation *invocation;
    char *out; /* absolute */
    const char *sandbox;
    struct proc scheduler;
    struct proc worker;
    struct play_server *page;
    struct buf link; /* to the scheduler's page */
};

/* Starts a daemon whose warnings go where ours do. */
static int spawn(struct proc *proc, const char *program, const char *const *words,
                 struct err *err) {
    const struct proc_fd errors = {STDERR_FILENO, STDERR_FILENO};
    struct proc_options options = proc_options_default();
    options.program = program;
    options.argv = words;
    options.fds = &errors;
    options.fd_count = 1;
    options.own_group = true; /* a Ctrl-C at the terminal is ours to handle */
    return proc_spawn(proc, &options, err);
}

/* Its page plays what ours does. The rule ends at a blank, which a folder's name may have. */
static int start_scheduler(struct up *up, struct err *err) {
    char *rule = mem_format("%s=%smedia", up->out, play_server_url(up->page));
    bool is_sound = strpbrk(up->out, " \t\n,") == NULL;
    const char *const words[] = {"reelfarm",         "scheduler",          "--log-level", "warn",
                                 "--public-outputs", is_sound ? rule : "", NULL};
    char *folder = NULL;
    int failed = proc_self_folder(&folder, err);
    if (failed == 0) {
        char *program = mem_format("%s/reelfarm", folder);
        failed = spawn(&up->scheduler, program, words, err);
        mem_free(program);
    }
    mem_free(folder);
    mem_free(rule);
    return failed;
}

static int start_worker(struct up *up, struct err *err) {
    const char *const words[] = {"reelfarm-worker", "--private-sources", "--log-level", "warn",
                                 "--sandbox",       up->sandbox,         NULL};
    char *program = NULL;
    int failed = worker_program(&program, err);
    if (failed == 0) {
        failed = spawn(&up->worker, program, words, err);
    }
    mem_free(program);
    return failed;
}

/* One of ours that should run and does not: its own words came before. */
static int check_alive(struct proc *proc, const char *name, struct err *err) {
    struct proc_result result = {0};
    char how[64];
    if (proc->pid == 0 || proc_wait(proc, 0, &result, NULL) != 0) {
        return 0;
    }
    proc_result_text(&result, how, sizeof(how));
    return err_set(err, ERR_INTERNAL, "the %s %s; what it said above tells why", name, how);
}

/* Until our scheduler answers. */
static int wait_for_scheduler(struct up *up, const atomic_bool *stop, struct err *err) {
    int64_t until = clock_monotonic_ms() + START_MS;
    struct err why = {0};
    for (;;) {
        struct client *client = NULL;
        struct json *answer = NULL;
        err_clear(&why);
        int failed = client_connect(&client, up->invocation, &why);
        if (failed == 0) {
            failed = client_call(client, "GET", "/v1/workers", NULL, &answer, &why);
        }
        json_tree_destroy(answer);
        client_destroy(client);
        int ended = check_alive(&up->scheduler, "scheduler", err);
        if (ended != 0 || failed == 0) {
            return ended;
        }
        if (clock_monotonic_ms() > until) {
            return err_set(err, why.code, "%s", why.message);
        }
        if (!clock_sleep_ms(LOOK_MS, stop)) {
            return err_set(err, ERR_CANCELLED, "stopped as asked");
        }
    }
}

/* At the usual port unless another is asked for; at any where the usual is taken. */
static int start_page(struct up *up, int port, struct err *err) {
    struct err why = {0};
    int failed = play_server_start(&up->page, up->out, port, &why);
    if (failed == ERR_UNAVAILABLE && option_value(up->invocation, "port") == NULL) {
        return play_server_start(&up->page, up->out, 0, err);
    }
    return failed == 0 ? 0 : err_set(err, why.code, "%s", why.message);
}

static int announce(const struct up *up) {
    const char *page = play_server_url(up->page);
    const char *farm = (const char *)up->link.data;
    struct buf text = {0};
    if (wants_json(up->invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "farm", farm);
        writer_string(&w, "page", page);
        writer_string(&w, "out", up->out);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(
            &text,
            "%s\n  shows the farm: good once, for ten minutes; `reelfarm page` gives another\n"
            "%s\n  plays what is below %s\n\n"
            "Ctrl-C ends the farm. Now, in another terminal:\n"
            "  reelfarm submit movie.mp4 --out %s --wait\n",
            farm, page, up->out, up->out);
    }
    return command_print(&text);
}

static int make_link(struct up *up, struct err *err) {
    struct client *client = NULL;
    int failed = client_connect(&client, up->invocation, err);
    if (failed == 0) {
        failed = page_link_write(client, &up->link, err);
        buf_text(&up->link);
    }
    client_destroy(client);
    return failed;
}

static int start(struct up *up, const atomic_bool *stop, int port, struct err *err) {
    int failed = fs_make_dirs(up->out, err);
    if (failed != 0) {
        err_wrap(err, "--out names the folder of titles");
    }
    if (failed == 0) {
        failed = start_page(up, port, err);
    }
    if (failed == 0) {
        failed = start_scheduler(up, err);
    }
    if (failed == 0) {
        failed = wait_for_scheduler(up, stop, err);
    }
    if (failed == 0) {
        failed = start_worker(up, err);
    }
    return failed == 0 ? make_link(up, err) : failed;
}

static int serve(struct up *up, const atomic_bool *stop, struct err *err) {
    int failed = 0;
    while (failed == 0 && clock_sleep_ms(LOOK_MS, stop)) {
        failed = check_alive(&up->scheduler, "scheduler", err);
        if (failed == 0) {
            failed = check_alive(&up->worker, "worker", err);
        }
    }
    return failed;
}

/* The worker first, so that it hands back what it runs. */
static void end(struct proc *proc, int number) {
    struct proc_result result = {0};
    if (proc->pid != 0) {
        proc_kill(proc, number);
        proc_wait(proc, STOP_MS, &result, NULL);
    }
    proc_finish(proc);
}

static int run(const struct invocation *invocation) {
    const char *out = option_value(invocation, "out");
    const atomic_bool *stop = interrupt_catch();
    struct up up = {.invocation = invocation};
    struct err err = {0};
    int port = 0;
    if (option_int(invocation, "port", 1, 65535, PAGE_PORT, &port, &err) != 0) {
        return command_usage(invocation, "%s", err.message);
    }
    int code = sandbox_option(invocation, &up.sandbox);
    if (code != EXIT_DONE) {
        return code;
    }
    proc_raise_open_files(UINT64_MAX); /* for the page's connections, and the daemons' */
    up.out = fs_whole_path(out != NULL ? out : default_out);
    int failed = start(&up, stop, port, &err);
    code = failed == 0 ? announce(&up) : EXIT_FAILED;
    if (failed == 0 && code == EXIT_DONE) {
        failed = serve(&up, stop, &err);
    }
    play_server_stop(up.page);
    end(&up.worker, SIGINT);
    end(&up.scheduler, SIGTERM);
    mem_free(up.out);
    buf_finish(&up.link);
    if (failed != 0) {
        return command_fail(invocation, failed == ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED,
                            &err);
    }
    return code;
}

static const struct option_row options[] = {
    {"out", "DIR", "the folder whose titles the page plays (default streams, here)"},
    {"port", "N", "the page's port (default 8080, or any free one where it is taken)"},
    SANDBOX_OPTION,
    {NULL, NULL, NULL},
};

const struct command command_up = {
    .name = "up",
    .words = "",
    .summary = "a farm on this machine: scheduler, worker and pages, until Ctrl-C",
    .help = "What the farm was given stays when it ends, and goes on when it is up again.\n\n"
            "  reelfarm up\n"
            "  reelfarm submit movie.mp4 --out streams --wait      in another terminal\n\n"
            "`reelfarm worker` on this machine adds workers, `reelfarm list` and the rest show\n"
            "how it goes. For several machines: `reelfarm scheduler --help`.\n",
    .options = options,
    .run = run,
};
