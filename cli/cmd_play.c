/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm play`: titles and the player page, served on loopback. */
#include <stdio.h>
#include <time.h>

#include "command.h"
#include "common/buf.h"
#include "common/proc.h"
#include "interrupt.h"
#include "play_server.h"

enum { USUAL_PORT = 8080, LOOK_MS = 200 };

/* At the usual port unless another is asked for; at any where the usual is taken. */
static int start(struct play_server **out, const struct invocation *invocation, int port,
                 struct err *err) {
    const char *place = invocation->words[0];
    int result = play_server_start(out, place, port, err);
    if (result == ERR_UNAVAILABLE && option_value(invocation, "port") == NULL) {
        err_clear(err);
        result = play_server_start(out, place, 0, err);
    }
    return result;
}

static int announce(const struct invocation *invocation, const struct play_server *server) {
    struct buf text = {0};
    size_t titles = play_server_titles(server);
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "url", play_server_url(server));
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%s  plays %s (%zu title%s); Ctrl-C ends it\n", play_server_url(server),
                   invocation->words[0], titles, titles == 1 ? "" : "s");
    }
    return command_print(&text);
}

/* The browser may outlive us: it is told to nobody's signals but its own. */
static void open_browser(struct proc *browser, const char *url, struct err *err) {
    const char *const words[] = {"env", "xdg-open", url, NULL};
    struct proc_options options = proc_options_default();
    options.program = "/usr/bin/env"; /* searches PATH */
    options.argv = words;
    options.own_group = true;
    proc_spawn(browser, &options, err);
}

/* Until Ctrl-C. Tells once where no browser could be opened. */
static void serve(struct proc *browser, struct err *err) {
    const atomic_bool *stop = interrupt_catch();
    while (!atomic_load(stop)) {
        struct proc_result result = {0};
        if (browser->pid == 0) {
            nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        } else if (proc_wait(browser, LOOK_MS, &result, NULL) == 0 &&
                   (!result.exited || result.status != 0)) {
            err_set(err, ERR_UNAVAILABLE, "xdg-open found no browser");
        }
        if (err->code != ERR_NONE) {
            fprintf(stderr, "reelfarm: %s; open the address above yourself\n", err->message);
            err_clear(err);
        }
    }
}

static int run(const struct invocation *invocation) {
    struct play_server *server = NULL;
    struct proc browser = {0};
    struct err err = {0};
    int port = 0;
    if (option_int(invocation, "port", 1, 65535, USUAL_PORT, &port, &err) != 0) {
        return command_usage(invocation, "%s", err.message);
    }
    if (start(&server, invocation, port, &err) != 0) {
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    int code = announce(invocation, server);
    if (code == EXIT_DONE) {
        if (option_value(invocation, "open") != NULL) {
            open_browser(&browser, play_server_url(server), &err);
        }
        serve(&browser, &err);
    }
    play_server_stop(server);
    return code;
}

static const struct option_row options[] = {
    {"port", "N", "listen on this port (default 8080, or any free one where it is taken)"},
    {"open", NULL, "open the page in the browser (xdg-open)"},
    {NULL, NULL, NULL},
};

const struct command command_play = {
    .name = "play",
    .words = "DIR|s3://BUCKET/PREFIX",
    .least_words = 1,
    .most_words = 1,
    .summary = "watch titles in a browser",
    .help = "Serves titles of a folder, or of a bucket that your credentials read, with a small\n"
            "player page, to this machine alone, until Ctrl-C.\n\n"
            "  reelfarm play streams               every title below streams/\n"
            "  reelfarm play streams/movie --open  one title, in the browser at once\n"
            "  reelfarm play s3://streams/films    what a farm has published there\n"
            "  reelfarm play streams --port 9000   at http://127.0.0.1:9000/\n\n"
            "The streams can be read by other players too:\n"
            "  mpv http://127.0.0.1:8080/media/movie/master.m3u8\n",
    .options = options,
    .run = run,
};
