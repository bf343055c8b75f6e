/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A farm for one command: see private_farm.h. */
#include "private_farm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/wire.h"
#include "output_place.h"
#include "scheduler/scheduler.h"
#include "workers/workers.h"

enum {
    HEARTBEAT_MS = 1000, /* the display lives on it */
    STOP_MS = 3000,      /* for a worker to end its child; then it is killed */
    MOST_DEATHS = 20,    /* of workers in one run, before it is called broken */
};

struct private_worker {
    char name[32];
    struct proc proc;
};

struct private_farm {
    struct output_place place;
    char *token_path;
    char *program;
    int log; /* where workers write */
    struct fs_lock lock;
    struct scheduler *scheduler;
    struct client *client;
    const char *sandbox; /* borrowed */
    int worker_count;
    struct private_worker *workers;
    int deaths;
};

static int place_open(struct private_farm *farm, const char *out, struct err *err) {
    int failed = output_place_open(&farm->place, out, err);
    if (failed != 0) {
        return failed;
    }
    char *path = mem_format("%s/lock", farm->place.folder);
    failed = fs_lock_take(&farm->lock, path, err);
    mem_free(path);
    if (failed == ERR_CONFLICT) {
        return err_wrap(err, "another reelfarm works in %s; wait for it or choose another --out",
                        farm->place.out);
    }
    return failed;
}

/* Of every title there, what none of its versions names. */
static int remove_unnamed(struct private_farm *farm, struct err *err) {
    struct output_titles titles = {0};
    int failed = output_titles_find(&titles, &farm->place, err);
    for (size_t i = 0; i < titles.count && failed == 0; i++) {
        failed = worker_remove_unnamed(farm->place.out, titles.names[i], NULL, NULL, err);
    }
    output_titles_finish(&titles);
    return failed;
}

static int scheduler_open(struct private_farm *farm, struct err *err) {
    char *store = mem_format("%s/store.db", farm->place.folder);
    struct scheduler_options options = scheduler_options_default();
    options.store_path = store;
    options.private_mode = true;
    options.heartbeat_ms = HEARTBEAT_MS;
    int failed = scheduler_start(&farm->scheduler, &options, err);
    mem_free(store);
    if (failed != 0) {
        return failed;
    }
    const char *token = scheduler_token(farm->scheduler);
    farm->token_path = mem_format("%s/token", farm->place.folder);
    failed = fs_replace(farm->token_path, token, strlen(token), 0600, err);
    if (failed == 0) {
        struct client_options client = client_options_default();
        client.url = scheduler_url(farm->scheduler);
        client.token = token;
        failed = client_create(&farm->client, &client, err);
    }
    return failed;
}

static int worker_start(struct private_farm *farm, struct private_worker *worker, struct err *err) {
    const char *const argv[] = {"reelfarm-worker",
                                "--scheduler",
                                scheduler_url(farm->scheduler),
                                "--token-file",
                                farm->token_path,
                                "--name",
                                worker->name,
                                "--slots",
                                "1",
                                "--sandbox",
                                farm->sandbox,
                                "--private-sources", /* the user names them */
                                NULL};
    struct proc_fd log = {farm->log, STDERR_FILENO};
    struct proc_options options = proc_options_default();
    options.program = farm->program;
    options.argv = argv;
    options.fds = &log;
    options.fd_count = 1;
    options.own_group = true; /* a Ctrl-C at the terminal is ours to handle */
    return proc_spawn(&worker->proc, &options, err);
}

static int workers_start(struct private_farm *farm, int count, struct err *err) {
    char *path = mem_format("%s/workers.log", farm->place.folder);
    farm->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int failed = farm->log < 0 ? err_set_errno(err, errno, "cannot write %s", path) : 0;
    mem_free(path);
    if (failed == 0) {
        failed = worker_program(&farm->program, err);
    }
    farm->workers = mem_zero((size_t)count, sizeof(*farm->workers));
    for (; failed == 0 && farm->worker_count < count; farm->worker_count++) {
        struct private_worker *worker = &farm->workers[farm->worker_count];
        snprintf(worker->name, sizeof(worker->name), "worker-%d", farm->worker_count + 1);
        failed = worker_start(farm, worker, err);
    }
    return failed;
}

int private_farm_start(struct private_farm **out, const struct private_farm_options *options,
                       struct err *err) {
    struct private_farm *farm = mem_zero(1, sizeof(*farm));
    farm->log = -1;
    farm->lock.fd = -1;
    farm->sandbox = options->sandbox;
    proc_raise_open_files(UINT64_MAX); /* the scheduler's connections are ours here */
    int failed = place_open(farm, options->out, err);
    if (failed == 0) {
        failed = scheduler_open(farm, err);
    }
    if (failed == 0) {
        failed = workers_start(farm, options->workers, err);
    }
    if (failed != 0) {
        private_farm_stop(farm);
        return failed;
    }
    *out = farm;
    return 0;
}

int private_farm_clean(const char *out, struct err *err) {
    if (!output_is_remote(out) && access(out, F_OK) != 0) {
        return err_set_errno(err, errno, "cannot clean %s; name a folder that was encoded to", out);
    }
    struct private_farm *farm = mem_zero(1, sizeof(*farm));
    farm->log = -1;
    farm->lock.fd = -1;
    int failed = place_open(farm, out, err);
    if (failed == 0) {
        failed = remove_unnamed(farm, err);
    }
    if (failed == 0) {
        failed =
            fs_remove_tree(farm->place.folder, err); /* with the lock's file, held until the end */
    }
    private_farm_stop(farm);
    return failed;
}

const char *private_farm_out(const struct private_farm *farm) {
    return farm->place.out;
}

struct client *private_farm_client(struct private_farm *farm) {
    return farm->client;
}

int private_farm_tend(struct private_farm *farm, struct err *err) {
    int lost = scheduler_loss(farm->scheduler, err);
    if (lost != 0) {
        return lost;
    }
    if (scheduler_is_full(farm->scheduler)) {
        return err_set(err, ERR_NO_SPACE,
                       "the disk of %s is full; free some space and run the same command again to "
                       "go on where it stopped",
                       farm->place.folder);
    }
    for (int i = 0; i < farm->worker_count; i++) {
        struct private_worker *worker = &farm->workers[i];
        struct proc_result result = {0};
        if (proc_wait(&worker->proc, 0, &result, NULL) != 0) {
            continue;
        }
        char how[64];
        proc_result_text(&result, how, sizeof(how));
        if (++farm->deaths > MOST_DEATHS) {
            return err_set(err, ERR_INTERNAL, "workers keep dying: %s %s; %s/workers.log says more",
                           worker->name, how, farm->place.folder);
        }
        int failed = scheduler_worker_died(farm->scheduler, worker->name, err);
        if (failed == 0) {
            failed = worker_start(farm, worker, err);
        }
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

static void workers_stop(struct private_farm *farm) {
    for (int i = 0; i < farm->worker_count; i++) {
        proc_kill(&farm->workers[i].proc, SIGINT);
    }
    int64_t until = clock_monotonic_ms() + STOP_MS;
    for (int i = 0; i < farm->worker_count; i++) {
        int64_t left = until - clock_monotonic_ms();
        struct proc_result result = {0};
        proc_wait(&farm->workers[i].proc, left > 0 ? (int)left : 0, &result, NULL);
        proc_finish(&farm->workers[i].proc);
    }
}

void private_farm_stop(struct private_farm *farm) {
    if (farm == NULL) {
        return;
    }
    workers_stop(farm);
    client_destroy(farm->client);
    scheduler_stop(farm->scheduler);
    if (farm->token_path != NULL) {
        unlink(farm->token_path);
    }
    if (farm->log >= 0) {
        close(farm->log);
    }
    fs_lock_release(&farm->lock);
    output_place_finish(&farm->place);
    mem_free(farm->token_path);
    mem_free(farm->program);
    mem_free(farm->workers);
    mem_free(farm);
}
