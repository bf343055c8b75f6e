/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scratch folders, nginx and a stub server for suites: see fixture.h. */
#include "fixture.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"

enum {
    START_MS = 10 * 1000,
    SHELL_MS = 600 * 1000, /* on a machine with much else on it too */
};

static const char *const nginx_paths[] = {"/usr/sbin/nginx", "/usr/bin/nginx", NULL};

/* ---- Folders ------------------------------------------------------------------- */

char *fixture_folder(void) {
    const char *base = getenv("TMPDIR");
    char *name = mem_format("%s/reelfarm-test-XXXXXX", base != NULL ? base : "/tmp");
    ck_assert_msg(mkdtemp(name) != NULL, "no scratch folder %s", name);
    return name;
}

void fixture_folder_drop(char *folder) {
    struct err err = {0};
    ck_assert_msg(fs_remove_tree(folder, &err) == 0, "%s", err.message);
    mem_free(folder);
}

void fixture_shell(const char *folder, const char *format, ...) {
    char lines[8192];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(lines, sizeof(lines), format, args);
    va_end(args);
    ck_assert_int_lt(size, (int)sizeof(lines));
    char *script = mem_format("set -e\ncd '%s'\n%s", folder, lines);
    struct proc_options options = proc_options_default();
    const struct proc_fd error = {2, 2};
    options.program = "/bin/sh";
    options.argv = (const char *const[]){"sh", "-c", script, NULL};
    options.fds = &error;
    options.fd_count = 1;
    struct proc proc = {0};
    struct proc_result result = {0};
    struct err err = {0};
    int failed = proc_spawn(&proc, &options, &err);
    if (failed == 0) {
        failed = proc_wait(&proc, SHELL_MS, &result, &err);
    }
    proc_finish(&proc);
    ck_assert_msg(failed == 0 && result.exited && result.status == 0, "%s: %s", lines, err.message);
    mem_free(script);
}

char *fixture_store(const char *folder) {
    static int number;
    const char *url = getenv("REELFARM_TEST_STORE");
    if (url == NULL) {
        return mem_format("%s/store.db", folder);
    }
    char *schema = mem_format("t_%d_%d", (int)getpid(), number++);
    char *sql = mem_format("CREATE SCHEMA %s", schema);
    struct proc psql = {0};
    struct proc_result result = {0};
    struct err err = {0};
    struct proc_options options = proc_options_default();
    options.program = "/usr/bin/psql";
    options.argv = (const char *const[]){"psql", "-X", "-c", sql, url, NULL};
    ck_assert_msg(proc_spawn(&psql, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(proc_wait(&psql, -1, &result, &err), 0);
    ck_assert_msg(result.exited && result.status == 0, "psql can't do '%s'", sql);
    char *path = mem_format("%s?options=-csearch_path%%3D%s", url, schema);
    mem_free(sql);
    mem_free(schema);
    return path;
}

void fixture_write(const char *folder, const char *name, const void *data, size_t size) {
    struct err err = {0};
    char *path = mem_format("%s/%s", folder, name);
    char *above = mem_format("%.*s", (int)(strrchr(path, '/') - path), path);
    int code = fs_make_dirs(above, &err);
    if (code == 0) {
        code = fs_replace(path, data, size, 0644, &err);
    }
    ck_assert_msg(code == 0, "%s", err.message);
    mem_free(above);
    mem_free(path);
}

void fixture_store_unknown(const char *folder) {
    static const char *const variables[] = {
        "AWS_PROFILE",        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",    "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",   "AWS_REGION",
        "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",  "AWS_SECRET_ACCESS_KEY",
        "REELFARM_S3_STYLE",  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    };
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
    setenv("HOME", folder, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

unsigned char *fixture_bytes(size_t size) {
    unsigned char *bytes = mem_resize(NULL, size, 1);
    unsigned state = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1103515245u + 12345u;
        bytes[i] = (unsigned char)(state >> 16);
    }
    return bytes;
}

/* ---- Ports --------------------------------------------------------------------- */

static int listen_somewhere(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int fixture_free_port(void) {
    int port = 0;
    close(listen_somewhere(&port));
    return port;
}

/* ---- Stderr -------------------------------------------------------------------- */

static char logged[256 * 1024];
static int log_file;
static int real_stderr;

void fixture_log_begin(void) {
    log_file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    real_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(log_file, 0);
    dup2(log_file, STDERR_FILENO);
}

const char *fixture_log_end(void) {
    dup2(real_stderr, STDERR_FILENO);
    ssize_t got = pread(log_file, logged, sizeof(logged) - 1, 0);
    ck_assert_int_ge(got, 0);
    logged[got] = '\0';
    close(log_file);
    close(real_stderr);
    return logged;
}

static bool answers(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return there;
}

/* ---- nginx --------------------------------------------------------------------- */

static const char *find_nginx(void) {
    for (int i = 0; nginx_paths[i] != NULL; i++) {
        if (access(nginx_paths[i], X_OK) == 0) {
            return nginx_paths[i];
        }
    }
    return NULL;
}

static void write_nginx_file(struct fixture_web *web, const char *server_lines) {
    static const char *const temporaries[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    struct buf text = {0};
    buf_format(&text, "daemon off;\nmaster_process off;\npid %s/pid;\nerror_log %s/error.log;\n",
               web->folder, web->folder);
    buf_format(&text, "events {}\nhttp {\naccess_log %s/access.log;\n", web->folder);
    for (size_t i = 0; i < sizeof(temporaries) / sizeof(temporaries[0]); i++) {
        buf_format(&text, "%s_temp_path %s/temporary;\n", temporaries[i], web->folder);
    }
    buf_format(&text, "server {\nlisten 127.0.0.1:%d;\nroot %s/www;\n%s\n}\n}\n", web->port,
               web->folder, server_lines);
    fixture_write(web->folder, "nginx.conf", text.data, text.size);
    buf_finish(&text);
}

bool fixture_web_start(struct fixture_web *web, const char *test, const char *server_lines) {
    const char *program = find_nginx();
    if (program == NULL) {
        printf("SKIP %s: no nginx here (Debian package nginx-core)\n", test);
        return false;
    }
    *web = (struct fixture_web){.port = fixture_free_port(), .folder = fixture_folder()};
    snprintf(web->url, sizeof(web->url), "http://127.0.0.1:%d", web->port);
    fixture_write(web->folder, "www/empty", "", 0);
    write_nginx_file(web, server_lines);
    char *conf = mem_format("%s/nginx.conf", web->folder);
    char *log = mem_format("%s/error.log", web->folder);
    const char *argv[] = {program, "-e", log, "-c", conf, "-p", web->folder, NULL};
    struct proc_options options = proc_options_default();
    struct err err = {0};
    options.program = program;
    options.argv = argv;
    ck_assert_msg(proc_spawn(&web->proc, &options, &err) == 0, "%s", err.message);
    int64_t until = clock_monotonic_ms() + START_MS;
    while (!answers(web->port)) {
        ck_assert_msg(clock_monotonic_ms() < until, "nginx does not start; see %s", log);
        clock_sleep_ms(10, NULL);
    }
    mem_free(log);
    mem_free(conf);
    return true;
}

void fixture_web_stop(struct fixture_web *web) {
    proc_finish(&web->proc);
    fixture_folder_drop(web->folder);
}

int fixture_web_requests(struct fixture_web *web) {
    struct buf log = {0};
    struct proc_result result = {0};
    proc_kill(&web->proc, SIGQUIT);
    ck_assert_int_eq(proc_wait(&web->proc, START_MS, &result, NULL), 0);
    int lines = 0;
    char *path = mem_format("%s/access.log", web->folder);
    if (fs_read(&log, path, 1 << 20, NULL) == 0) {
        for (size_t i = 0; i < log.size; i++) {
            lines += log.data[i] == '\n';
        }
    }
    buf_finish(&log);
    mem_free(path);
    return lines;
}

/* ---- The stub ------------------------------------------------------------------- */

/* Reads a head, and the body that its Content-Length tells of; keeps what fits. */
static void read_request(int fd, char *out, size_t size) {
    static char rest[1 << 16];
    size_t used = 0;
    size_t taken = 0;
    for (;;) {
        bool fits = used < size - 1;
        ssize_t got = recv(fd, fits ? out + used : rest, fits ? size - 1 - used : sizeof(rest), 0);
        if (got <= 0) {
            return;
        }
        used += fits ? (size_t)got : 0;
        taken += (size_t)got;
        out[used] = '\0';
        const char *end = strstr(out, "\r\n\r\n");
        const char *length = strcasestr(out, "\r\nContent-Length:");
        size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
        if (end != NULL && taken >= (size_t)(end + 4 - out) + body) {
            return;
        }
    }
}

static void wait_for_close(struct fixture_stub *stub, int fd, int wait_ms) {
    int64_t until = clock_monotonic_ms() + wait_ms;
    char byte;
    while (!stub->stopping && clock_monotonic_ms() < until) {
        struct pollfd end = {.fd = fd, .events = POLLIN};
        if (poll(&end, 1, 20) > 0 && recv(fd, &byte, 1, 0) <= 0) {
            return;
        }
    }
}

static void *serve(void *context) {
    struct fixture_stub *stub = context;
    while (!stub->stopping) {
        struct pollfd ready = {.fd = stub->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0) {
            continue;
        }
        int fd = accept4(stub->listener, NULL, NULL, SOCK_CLOEXEC);
        int index = stub->taken;
        int slot = index < FIXTURE_ANSWERS_MAX ? index : FIXTURE_ANSWERS_MAX - 1;
        read_request(fd, stub->requests[slot], sizeof(stub->requests[slot]));
        stub->taken++;
        const struct fixture_answer *answer =
            &stub->answers[index < stub->answer_count ? index : stub->answer_count - 1];
        if (answer->text != NULL) {
            send(fd, answer->text, strlen(answer->text), MSG_NOSIGNAL);
        }
        wait_for_close(stub, fd, answer->wait_ms);
        close(fd);
    }
    return NULL;
}

void fixture_stub_start(struct fixture_stub *stub, const struct fixture_answer *answer_list,
                        int count) {
    memset(stub, 0, sizeof(*stub));
    stub->answers = answer_list;
    stub->answer_count = count;
    stub->listener = listen_somewhere(&stub->port);
    snprintf(stub->url, sizeof(stub->url), "http://127.0.0.1:%d", stub->port);
    ck_assert_int_eq(pthread_create(&stub->thread, NULL, serve, stub), 0);
}

void fixture_stub_stop(struct fixture_stub *stub) {
    stub->stopping = true;
    pthread_join(stub->thread, NULL);
    close(stub->listener);
}
