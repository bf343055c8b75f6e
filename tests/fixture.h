/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several suites need: scratch folders, a real web server, a server that answers
 * what it is told. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/proc.h"

/* Makes an empty folder; returns owned. */
char *fixture_folder(void);

/* Removes a folder of fixture_folder with all that it holds, and frees its name. */
void fixture_folder_drop(char *folder);

/* Runs lines of the shell in a folder, and fails the test where one of them fails. */
void fixture_shell(const char *folder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An empty store for schedulers: a file in the folder, or, where REELFARM_TEST_STORE is the URL
 * of a PostgreSQL database (see farm/postgres.sh), a schema of its own there. Returns owned. */
char *fixture_store(const char *folder);

/* Writes a file below a folder, making the folders between; fails the test if it can't. */
void fixture_write(const char *folder, const char *name, const void *data, size_t size);

/* Forgets what the environment says of object stores, and lets HOME, where files may say it, be
 * this folder. */
void fixture_store_unknown(const char *folder);

/* Bytes that differ from place to place; returns owned. */
unsigned char *fixture_bytes(size_t size);

/* nginx on a free loopback port, serving <folder>/www. */
struct fixture_web {
    struct proc proc;
    int port;
    char *folder; /* owned; www lies in it */
    char url[64]; /* "http://127.0.0.1:PORT" */
};

/* Starts it with more lines for its server block. False, having printed a SKIP line for
 * `test`, where there is no nginx. */
bool fixture_web_start(struct fixture_web *web, const char *test, const char *server_lines);

void fixture_web_stop(struct fixture_web *web);

/* Lines of its access log: requests answered so far. Ends the server, which writes a line only
 * after its answer. */
int fixture_web_requests(struct fixture_web *web);

enum { FIXTURE_ANSWERS_MAX = 16, FIXTURE_REQUEST_BYTES = 8192 };

/* One answer of the stub: it takes a connection, reads a request, sends the text, waits,
 * and closes. */
struct fixture_answer {
    const char *text; /* borrowed; NULL: sends nothing */
    int wait_ms;      /* before it closes, or until the client has gone */
};

/* A server on loopback that gives its answers in order, the last one again and again. */
struct fixture_stub {
    const struct fixture_answer *answers;
    int answer_count;
    int port;
    char url[64];
    int listener;
    pthread_t thread;
    _Atomic bool stopping;
    _Atomic int taken;                                         /* requests so far */
    char requests[FIXTURE_ANSWERS_MAX][FIXTURE_REQUEST_BYTES]; /* heads and bodies */
};

void fixture_stub_start(struct fixture_stub *stub, const struct fixture_answer *answers, int count);
void fixture_stub_stop(struct fixture_stub *stub);

/* Keeps what goes to stderr, up to 256 KiB, until the next fixture_log_end, which returns it,
 * borrowed until the next. Not in two threads at once. */
void fixture_log_begin(void);
const char *fixture_log_end(void);

/* A loopback port that nobody listens on just now. */
int fixture_free_port(void);

#endif
