/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers by the thousand that encode nothing, over HTTP on loopback: one line of JSON out.
 *   bench-load PORT TOKEN fill LADDER.json TITLES FRAMES    submits titles and plans them
 *   bench-load PORT TOKEN pairs SECONDS WORKERS             leases and completes video tasks
 *   bench-load PORT TOKEN wake LADDER.json WORKERS ROUNDS PID
 *                                                           workers wait, titles come one by one
 *   bench-load peer STORE SECONDS GROUP                     the pairs' statements by themselves
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/mem.h"
#include "load_peer.h"
#include "tests/scheduler_fixture.h"

enum { AT_ONCE = 100, EVENTS = 256, WAIT_MS = 20000, LADDER_BYTES_MAX = 1 << 16 };

static int port;
static const char *token;
static int poll_fd;
static char *complete_body; /* of a video task of one unit */

/* ---- connections -------------------------------------------------------------------- */

/* A worker with one call at a time. */
struct worker {
    int fd;
    struct buf out, in;
    size_t sent;
    int64_t began_ns; /* of the call */
    char session[64];
    long long fence; /* of its task; 0: none */
    bool is_leasing;
    bool busy; /* a call is under way */
};

/* Ends the program: what it measures is not there. */
static void stop(const char *why, const struct worker *worker) {
    fprintf(stderr, "bench-load: %s: %s\n%.*s\n", why, strerror(errno),
            worker == NULL ? 0 : (int)worker->in.size,
            worker == NULL ? "" : (const char *)worker->in.data);
    exit(1);
}

static void connect_worker(struct worker *worker) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *worker = (struct worker){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (worker->fd < 0 || connect(worker->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        stop("connecting", NULL);
    }
    setsockopt(worker->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    fcntl(worker->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = worker}};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, worker->fd, &event) != 0) {
        stop("epoll", NULL);
    }
}

static void post(struct worker *worker, const char *path, const char *body) {
    buf_clear(&worker->out);
    buf_clear(&worker->in);
    buf_format(&worker->out,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               path, token, strlen(body), body);
    worker->busy = true;
    worker->began_ns = clock_monotonic_ns();
    for (size_t at = 0; at < worker->out.size;) {
        ssize_t sent = send(worker->fd, worker->out.data + at, worker->out.size - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            stop("sending", worker);
        }
        at += sent > 0 ? (size_t)sent : 0;
    }
}

/* The answer's body once it is whole; else NULL. Not 200 or 201 ends the program. */
static const char *take_answer(struct worker *worker) {
    for (;;) {
        buf_reserve(&worker->in, 1 << 14);
        ssize_t got = recv(worker->fd, worker->in.data + worker->in.size, (1 << 14) - 1, 0);
        if (got < 0 && errno == EAGAIN) {
            break;
        }
        if (got <= 0) {
            stop("the scheduler hung up", worker);
        }
        worker->in.size += (size_t)got;
    }
    const char *text = buf_text(&worker->in);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    if (end == NULL || length == NULL ||
        worker->in.size < (size_t)(end + 4 - text) + strtoul(length + 18, NULL, 10)) {
        return NULL;
    }
    if (strncmp(text, "HTTP/1.1 20", 11) != 0) {
        stop("refused", worker);
    }
    worker->busy = false;
    return end + 4;
}

/* The worker whose answer is the next to come, which goes to `*body`; NULL after `wait_ms`. */
static struct worker *next_answer(const char **body, int wait_ms) {
    static struct epoll_event events[EVENTS];
    static int count, at;
    for (;;) {
        while (at < count) {
            struct worker *worker = events[at++].data.ptr;
            *body = take_answer(worker);
            if (*body != NULL) {
                return worker;
            }
        }
        count = epoll_wait(poll_fd, events, EVENTS, wait_ms);
        at = 0;
        if (count <= 0) {
            return NULL;
        }
    }
}

/* One call of one worker while no other has any. The body is borrowed until its next. */
static const char *call(struct worker *worker, const char *path, const char *body) {
    const char *answer = NULL;
    post(worker, path, body);
    while (next_answer(&answer, -1) != worker) {
    }
    return answer;
}

static void post_join(struct worker *worker, int number) {
    char *body = mem_format("{\"worker\":\"w%d\",\"host\":\"h%d\",\"pid\":1,\"slots\":1,"
                            "\"memory_bytes\":8589934592,\"encoders\":["
                            "{\"name\":\"x264\",\"codec\":\"h264\",\"build_line\":\"%s\","
                            "\"tail_frames\":40},{\"name\":\"aac\",\"codec\":\"aac\","
                            "\"build_line\":\"%s\",\"tail_frames\":0}]}",
                            number, number, FIXTURE_BUILD, FIXTURE_SOUND);
    post(worker, "/v1/sessions", body);
    mem_free(body);
}

static void take_session(struct worker *worker, const char *answer) {
    if (sscanf(answer, "{\"session\":\"%63[^\"]\"", worker->session) != 1) {
        stop("no session", worker);
    }
}

/* Workers that are registered, so many at a time as a careful server lets in. */
static struct worker *join_all(int count) {
    struct worker *workers = mem_zero((size_t)count, sizeof(*workers));
    for (int first = 0; first < count; first += AT_ONCE) {
        int end = first + AT_ONCE < count ? first + AT_ONCE : count;
        const char *answer = NULL;
        for (int i = first; i < end; i++) {
            connect_worker(&workers[i]);
            post_join(&workers[i], i);
        }
        for (int i = first; i < end; i++) {
            struct worker *worker = next_answer(&answer, -1);
            take_session(worker, answer);
        }
    }
    return workers;
}

static void post_lease(struct worker *worker, const char *kind, int wait_ms) {
    char *body = mem_format("{\"session\":\"%s\",\"slots\":1,\"memory_bytes\":8589934592,"
                            "\"kinds\":[\"%s\"],\"wait_ms\":%d}",
                            worker->session, kind, wait_ms);
    worker->is_leasing = true;
    post(worker, "/v1/leases", body);
    mem_free(body);
}

static long long take_fence(const char *answer) {
    const char *fence = strstr(answer, "\"fence\":");
    return fence == NULL ? 0 : strtoll(fence + 8, NULL, 10);
}

static void post_complete(struct worker *worker, const char *body) {
    char *path = mem_format("/v1/leases/%lld/complete", worker->fence);
    worker->is_leasing = false;
    post(worker, path, body);
    mem_free(path);
}

/* ---- figures ------------------------------------------------------------------------ */

struct times {
    double *ms;
    size_t count;
    size_t capacity;
};

static void add_time(struct times *times, int64_t since_ns) {
    if (times->count == times->capacity) {
        times->capacity = times->capacity == 0 ? 1024 : 2 * times->capacity;
        times->ms = mem_resize(times->ms, times->capacity, sizeof(*times->ms));
    }
    times->ms[times->count++] = 1e-6 * (double)(clock_monotonic_ns() - since_ns);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which so many of a hundred are. */
static double part_of(struct times *times, double percent) {
    if (times->count == 0) {
        return 0;
    }
    qsort(times->ms, times->count, sizeof(*times->ms), by_value);
    return times->ms[(size_t)(percent / 100 * (double)(times->count - 1) + 0.5)];
}

/* Resident bytes of a process. */
static int64_t resident(const char *pid) {
    char *path = mem_format("/proc/%s/statm", pid);
    FILE *file = fopen(path, "r");
    long long pages = 0;
    if (file == NULL || fscanf(file, "%*s %lld", &pages) != 1) {
        stop("reading statm", NULL);
    }
    fclose(file);
    mem_free(path);
    return pages * sysconf(_SC_PAGESIZE);
}

/* ---- what is measured ------------------------------------------------------------------ */

static char *report_text(const struct task_report *report) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    task_report_write(report, &w, NULL);
    char *copy = mem_string(buf_text(&text));
    buf_finish(&text);
    return copy;
}

static char *read_ladder(const char *path) {
    struct buf text = {0};
    struct err err = {0};
    if (fs_read(&text, path, LADDER_BYTES_MAX, &err) != 0) {
        fprintf(stderr, "bench-load: %s\n", err.message);
        exit(1);
    }
    char *copy = mem_string(buf_text(&text));
    buf_finish(&text);
    return copy;
}

static void submit(struct worker *worker, const char *name, int number, const char *ladder) {
    char *body =
        mem_format("{\"title\":\"%s%d\",\"source\":\"/media/%s%d.mov\",\"output\":\"/out\","
                   "\"ladder\":%s,\"force\":false}",
                   name, number, name, number, ladder);
    call(worker, "/v1/titles", body);
    mem_free(body);
}

static void fill(const char *ladder_path, int titles, int64_t frames) {
    struct worker *worker = join_all(1);
    char *ladder = read_ladder(ladder_path);
    int64_t began = clock_monotonic_ms();
    const char *answer = NULL;
    for (int i = 0; i < titles; i++) {
        struct task_report report = {0};
        char identity[32];
        snprintf(identity, sizeof(identity), "sha256:%d", i);
        submit(worker, "full-", i, ladder);
        post_lease(worker, "probe", 0);
        while (next_answer(&answer, -1) != worker) {
        }
        worker->fence = take_fence(answer);
        fixture_probe_report(&report, frames, "pin", identity);
        char *body = report_text(&report);
        post_complete(worker, body);
        while (next_answer(&answer, -1) != worker) {
        }
        mem_free(body);
        task_report_finish(&report);
    }
    mem_free(ladder);
    printf("{\"ms\": %" PRId64 "}\n", clock_monotonic_ms() - began);
}

/* The report of one unit of four segments of two GOPs. */
static void make_report(struct task_report *report) {
    enum { SEGMENTS = 4, FRAGMENTS = 2 };
    struct task_unit one = {.rendition = "h264-360p"};
    struct task task = {.kind = TASK_VIDEO, .unit_count = 1, .units = &one};
    fixture_report(report, &task, 0);
    struct unit_report *unit = &report->units[0];
    struct segment_report first = unit->segments[0];
    unit->segment_count = SEGMENTS;
    unit->segments = arena_zero(&report->arena, SEGMENTS, sizeof(*unit->segments));
    for (int i = 0; i < SEGMENTS; i++) {
        unit->segments[i] = first;
        unit->segments[i].number = i + 1;
        unit->segments[i].decode_time = 96 * i;
        unit->segments[i].fragment_count = FRAGMENTS;
        unit->segments[i].fragments =
            arena_zero(&report->arena, FRAGMENTS, sizeof(struct fragment_report));
        for (uint32_t j = 0; j < FRAGMENTS; j++) {
            unit->segments[i].fragments[j] =
                (struct fragment_report){.offset = 500 * j, .size = 500, .idr_size = 200};
        }
    }
}

/* What a worker sends of it. */
static char *unit_complete(void) {
    struct task_report report = {0};
    make_report(&report);
    char *text = report_text(&report);
    task_report_finish(&report);
    return text;
}

/* The peer with what the store keeps of it. */
static int peer(const char *store, double seconds, int group) {
    struct task_report report = {0};
    struct buf text = {0};
    struct writer w = writer_of(&text);
    make_report(&report);
    unit_report_write(&report.units[0], &w, NULL);
    int result = load_peer(store, seconds, group, buf_text(&text));
    buf_finish(&text);
    task_report_finish(&report);
    return result;
}

static void pairs(double seconds, int count) {
    struct times leases = {0}, completes = {0};
    struct worker *workers = join_all(count);
    complete_body = unit_complete();
    int64_t began = clock_monotonic_ns();
    int64_t end = began + (int64_t)(seconds * 1e9);
    int working = count;
    size_t starved = 0;
    for (int i = 0; i < count; i++) {
        post_lease(&workers[i], "video", 0);
    }
    while (working > 0) {
        const char *answer = NULL;
        struct worker *worker = next_answer(&answer, -1);
        add_time(worker->is_leasing ? &leases : &completes, worker->began_ns);
        if (worker->is_leasing) {
            worker->fence = take_fence(answer);
            starved += worker->fence == 0 ? 1 : 0;
        }
        if (worker->is_leasing && worker->fence != 0) {
            post_complete(worker, complete_body);
        } else if (clock_monotonic_ns() < end && starved == 0) {
            post_lease(worker, "video", 0);
        } else {
            working--;
        }
    }
    double took = 1e-9 * (double)(clock_monotonic_ns() - began);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"pairs_per_s\": %.1f, \"pairs\": %zu, \"starved\": %zu, \"lease_p50_ms\": %.2f, "
           "\"lease_p99_ms\": %.2f, \"complete_p99_ms\": %.2f, \"own_cpu_s\": %.2f, "
           "\"seconds\": %.2f}\n",
           (double)completes.count / took, completes.count, starved, part_of(&leases, 50),
           part_of(&leases, 99), part_of(&completes, 99),
           (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec +
               (double)used.ru_stime.tv_sec + 1e-6 * (double)used.ru_stime.tv_usec,
           took);
}

/* All wait; each title that comes wakes one. */
static void wake(const char *ladder_path, int count, int rounds, const char *pid) {
    struct times times = {0};
    char *ladder = read_ladder(ladder_path);
    int64_t before = resident(pid);
    struct worker *workers = join_all(count + 1);
    struct worker *submitter = &workers[count];
    const char *answer = NULL;
    for (int i = 0; i < count; i++) {
        post_lease(&workers[i], "probe", WAIT_MS);
    }
    while (next_answer(&answer, 1000) != NULL) { /* they all wait by then */
    }
    int64_t each = (resident(pid) - before) / count;
    for (int i = 0; i < rounds; i++) {
        char *body = mem_format("{\"title\":\"wake-%d-%d\",\"source\":\"/media/w.mov\",\"output\":"
                                "\"/out\",\"ladder\":%s,\"force\":false}",
                                (int)getpid(), i, ladder);
        int64_t began = clock_monotonic_ns();
        post(submitter, "/v1/titles", body);
        bool woken = false;
        while (!woken || submitter->busy) {
            struct worker *worker = next_answer(&answer, -1);
            if (worker != submitter && take_fence(answer) != 0) {
                add_time(&times, began);
                woken = true;
            } else if (worker != submitter) {
                post_lease(worker, "probe", WAIT_MS);
            }
        }
        mem_free(body);
    }
    printf("{\"wake_p50_ms\": %.2f, \"wake_p99_ms\": %.2f, \"bytes_each\": %" PRId64 "}\n",
           part_of(&times, 50), part_of(&times, 99), each);
    mem_free(ladder);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "peer") == 0) {
        return peer(argv[2], strtod(argv[3], NULL), (int)strtol(argv[4], NULL, 10));
    }
    if (argc < 6) {
        return 2;
    }
    port = (int)strtol(argv[1], NULL, 10);
    token = argv[2];
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (argc == 7 && strcmp(argv[3], "fill") == 0) {
        fill(argv[4], (int)strtol(argv[5], NULL, 10), strtoll(argv[6], NULL, 10));
    } else if (argc == 6 && strcmp(argv[3], "pairs") == 0) {
        pairs(strtod(argv[4], NULL), (int)strtol(argv[5], NULL, 10));
    } else if (argc == 8 && strcmp(argv[3], "wake") == 0) {
        wake(argv[4], (int)strtol(argv[5], NULL, 10), (int)strtol(argv[6], NULL, 10), argv[7]);
    } else {
        return 2;
    }
    return 0;
}
