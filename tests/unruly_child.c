/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task child that misbehaves as it is told, for the broker's tests: see unruly_child.h. */
#include "unruly_child.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "escape.h"
#include "workers/pipe.h"
#include "workers/sandbox.h"

static void send_text(enum pipe_type type, const char *text) {
    struct pipe_part part = {text, strlen(text)};
    pipe_send(PIPE_FD, type, &part, 1, NULL);
}

static void send_fail(enum err_code code, const char *message) {
    struct err err = {.code = code};
    struct buf text = {0};
    snprintf(err.message, sizeof(err.message), "%s", message);
    pipe_error_write(&err, &text);
    struct pipe_part part = {text.data, text.size};
    pipe_send(PIPE_FD, PIPE_FAIL, &part, 1, NULL);
    _exit(1);
}

static void send_header(uint32_t size, int type) {
    uint8_t header[PIPE_HEADER];
    pipe_put_u32(header, size);
    header[4] = (uint8_t)type;
    struct buf bytes = {0};
    buf_append(&bytes, header, sizeof(header));
    if (write(PIPE_FD, bytes.data, bytes.size) != (ssize_t)bytes.size) {
        _exit(9);
    }
    buf_finish(&bytes);
}

static void ask(uint64_t offset, uint32_t size) {
    uint8_t question[12];
    pipe_put_u64(question, offset);
    pipe_put_u32(question + 8, size);
    struct pipe_part part = {question, sizeof(question)};
    pipe_send(PIPE_FD, PIPE_READ, &part, 1, NULL);
}

static size_t answer(void) {
    static const uint8_t *window;
    uint8_t number[4];
    if (window == NULL) {
        window = mmap(NULL, PIPE_READ_BYTES, PROT_READ, MAP_SHARED, PIPE_WINDOW_FD, 0);
    }
    if (pipe_receive(PIPE_FD, PIPE_DATA, number, sizeof(number), NULL) != 4) {
        _exit(9);
    }
    size_t size = pipe_get_u32(number);
    for (size_t i = 0; i < size; i++) {
        if (window[i] != 's') {
            _exit(9);
        }
    }
    return size;
}

static void tell(uint64_t done, uint64_t total) {
    uint8_t numbers[16];
    pipe_put_u64(numbers, done);
    pipe_put_u64(numbers + 8, total);
    struct pipe_part part = {numbers, sizeof(numbers)};
    pipe_send(PIPE_FD, PIPE_PROGRESS, &part, 1, NULL);
}

static void send_piece(enum pipe_type type, uint32_t rung, const char *head, uint32_t head_size) {
    uint8_t numbers[16] = {0};
    size_t size = type == PIPE_INIT ? 16 : 8;
    pipe_put_u32(numbers, rung);
    pipe_put_u32(numbers + size - 4, head_size);
    struct pipe_part parts[] = {{numbers, size}, {head, strlen(head)}, {"the bytes of it", 15}};
    pipe_send(PIPE_FD, type, parts, 3, NULL);
}

static const char report[] = "{\"number\":1,\"bytes\":15,\"samples\":2,\"decode_time\":0,"
                             "\"duration\":2,\"sha256\":\"\",\"gops\":[]}";

static void behave(void) {
    uint64_t offset = 0;
    size_t got = 1;
    while (got > 0) {
        ask(offset, PIPE_READ_BYTES);
        got = answer();
        offset += got;
    }
    tell(1, 2);
    send_piece(PIPE_INIT, 0, "record", 6);
    send_piece(PIPE_SEGMENT, 0, report, (uint32_t)strlen(report));
    tell(2, 2);
    send_text(PIPE_DONE, "{\"frames_decoded\":12,\"frames_repaired\":1,"
                         "\"frames_concealed\":3,\"source_bytes\":99,\"cpu_s\":99,"
                         "\"decode_cpu_s\":0.5,\"scale_cpu_s\":0.25,"
                         "\"encode_cpu_s\":0.125,\"wall_s\":99,\"peak_memory\":99}");
    _exit(0);
}

static void chatter(void) {
    for (int i = 0; i < 16384; i++) {
        fprintf(stderr, "line %d of much talk, all of it about nothing at all\n", i);
    }
    behave();
}

static void *spin(void *context) {
    volatile uint64_t *count = context;
    for (;;) {
        (*count)++;
    }
    return NULL;
}

static void spin_all(void) {
    static uint64_t counts[4];
    pthread_t thread;
    for (int i = 1; i < 4; i++) {
        pthread_create(&thread, NULL, spin, &counts[i]);
    }
    spin(&counts[0]);
}

static void look_round(void) {
    struct rlimit cores;
    struct rlimit priority;
    getrlimit(RLIMIT_CORE, &cores);
    getrlimit(RLIMIT_RTPRIO, &priority);
    for (int fd = PIPE_WINDOW_FD + 1; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            send_fail(ERR_UNSUPPORTED, "a descriptor too many");
        }
    }
    if (mmap(NULL, PIPE_READ_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, PIPE_WINDOW_FD, 0) !=
        MAP_FAILED) {
        send_fail(ERR_UNSUPPORTED, "a window that it can write");
    }
    if (environ[0] != NULL && strncmp(environ[0], "GLIBC_TUNABLES=", 15) != 0) {
        send_fail(ERR_UNSUPPORTED, environ[0]);
    }
    if (cores.rlim_max != 0 || priority.rlim_max != 0) {
        send_fail(ERR_UNSUPPORTED, "limits too wide");
    }
    behave();
}

/* ---- Inside the sandbox -------------------------------------------------------------- */

enum { INSIDE_THREADS = 8, INSIDE_BYTES = 300 << 20 };

static void go_inside(void) {
    struct err err = {0};
    escape_prepare();
    if (sandbox_child(SANDBOX_FULL, &err) != 0) {
        send_fail(err.code, err.message);
    }
}

static void try_refused(void) {
    const char *open = escape_refused_try();
    send_fail(open == NULL ? ERR_CORRUPT : ERR_UNSUPPORTED, open == NULL ? "all refused" : open);
}

static void *count_up(void *context) {
    uint8_t *memory = mem_try(INSIDE_BYTES / INSIDE_THREADS);
    if (memory != NULL) {
        memset(memory, 1, INSIDE_BYTES / INSIDE_THREADS);
        mem_free(memory);
        atomic_fetch_add((atomic_int *)context, 1);
    }
    return NULL;
}

static void work_inside(void) {
    atomic_int done = 0;
    pthread_t threads[INSIDE_THREADS];
    int started = 0;
    while (started < INSIDE_THREADS &&
           pthread_create(&threads[started], NULL, count_up, &done) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    uint8_t *memory = mem_try(INSIDE_BYTES);
    usleep(1000);
    fprintf(stderr, "words are heard\n");
    bool works = atomic_load(&done) == INSIDE_THREADS && memory != NULL;
    send_fail(works ? ERR_CORRUPT : ERR_UNSUPPORTED, works ? "all works" : "it can't work");
}

/* A FAIL unsupported of what did not end the process. */
static void try_deadly(int index) {
    char out[80];
    if (index < escape_deadly_count()) {
        escape_deadly_try(index);
        snprintf(out, sizeof(out), "%s let it out", escape_deadly_name(index));
        send_fail(ERR_UNSUPPORTED, out);
    }
}

/* ---- What it is told ------------------------------------------------------------------ */

static void crash(void) {
    signal(SIGSEGV, SIG_DFL); /* a sanitizer has its own idea of it */
    raise(SIGSEGV);
}

static void be_killed(void) {
    raise(SIGKILL);
}

static void leave(void) {
    _exit(0);
}

static void leave_badly(void) {
    _exit(3);
}

static void hang(void) {
    pause();
}

static void hang_halfway(void) {
    send_header(12, PIPE_READ);
}

static void dawdle(void) {
    for (uint64_t done = 0;; done++) {
        tell(done, 0);
        usleep(10000);
    }
}

static void send_garbage(void) {
    for (int i = 0; i < 1000; i++) {
        send_header(UINT32_C(2654435761) * (uint32_t)i, i * 7);
    }
}

static void send_giant(void) {
    send_header(UINT32_MAX, PIPE_SEGMENT);
}

static void send_spec(void) {
    send_text(PIPE_SPEC, "{}");
}

static void send_source(void) {
    send_text(PIPE_SOURCE, "{}");
}

static void never_listen(void) {
    for (int i = 0; i < 1000; i++) {
        ask(0, 1);
    }
}

static void ask_beyond(void) {
    ask(UINT64_MAX, 1);
}

static void hang_up(void) {
    close(PIPE_FD);
}

static const struct {
    enum unruly how;
    void (*act)(void);
} acts[] = {
    {UNRULY_NOT, behave},
    {UNRULY_CHATTERS, chatter},
    {UNRULY_CRASHES, crash},
    {UNRULY_KILLED, be_killed},
    {UNRULY_EXITS, leave},
    {UNRULY_EXITS_BADLY, leave_badly},
    {UNRULY_HANGS, hang},
    {UNRULY_HANGS_HALFWAY, hang_halfway},
    {UNRULY_DAWDLES, dawdle},
    {UNRULY_SPINS, spin_all},
    {UNRULY_GARBAGE, send_garbage},
    {UNRULY_GIANT, send_giant},
    {UNRULY_OTHER_SIDE, send_spec},
    {UNRULY_PROBES, send_source},
    {UNRULY_NEVER_LISTENS, never_listen},
    {UNRULY_ASKS_BEYOND, ask_beyond},
    {UNRULY_HANGS_UP, hang_up},
    {UNRULY_LOOKS_ROUND, look_round},
    {UNRULY_TRIES_REFUSED, try_refused},
    {UNRULY_WORKS_INSIDE, work_inside},
    {UNRULY_ABORTS_INSIDE, abort},
    {UNRULY_IS_FOREIGN, escape_foreign_try},
};

static const struct {
    enum unruly how;
    enum pipe_type type;
    uint32_t rung;
    const char *head;
    uint32_t head_size; /* that is told */
} pieces[] = {
    {UNRULY_NO_RUNG, PIPE_SEGMENT, 1, report, sizeof(report) - 1},
    {UNRULY_NO_REPORT, PIPE_SEGMENT, 0, "{\"number\":", 10},
    {UNRULY_LONG_REPORT, PIPE_SEGMENT, 0, "{}", UINT32_MAX},
    {UNRULY_LONG_RECORD, PIPE_INIT, 0, "record", 100},
};

static const struct {
    enum unruly how;
    enum err_code code;
    const char *message;
} failures[] = {
    {UNRULY_SAYS_MEMORY, ERR_INTERNAL, "out of memory for a picture"},
    {UNRULY_SAYS_BAD, ERR_CORRUPT, "it has no video stream"},
    {UNRULY_SAYS_CANNOT, ERR_UNSUPPORTED, "it is encrypted"},
    {UNRULY_SAYS_REFUSED, ERR_INVALID, "SVT-AV1 has no preset '14'"},
    {UNRULY_SAYS_DEFECT, ERR_INTERNAL, "two\nlines\033[31m"},
};

static void misbehave(enum unruly how) {
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (acts[i].how == how) {
            acts[i].act();
        }
    }
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        if (pieces[i].how == how) {
            send_piece(pieces[i].type, pieces[i].rung, pieces[i].head, pieces[i].head_size);
        }
    }
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (failures[i].how == how) {
            send_fail(failures[i].code, failures[i].message);
        }
    }
    if (how >= UNRULY_TRIES_DEADLY) {
        try_deadly((int)how - UNRULY_TRIES_DEADLY);
    }
    for (;;) { /* what it did let it live */
        pause();
    }
}

static int64_t spec_receive(void) {
    struct pipe_inbox inbox = {.from = PIPE_WORKER};
    struct err err = {0};
    struct json *tree = NULL;
    int64_t number = 0;
    while (pipe_inbox_fill(&inbox, PIPE_FD, NULL) == 0) {
    }
    if (inbox.type != PIPE_SPEC || json_tree_parse(&tree, inbox.payload, inbox.size, &err) != 0) {
        return 0;
    }
    struct reader r = reader_of(tree, "spec", &err);
    reader_int(&r, "source_size", 0, INT64_MAX, &number);
    json_tree_destroy(tree);
    pipe_inbox_finish(&inbox);
    return number;
}

int main(void) {
    int64_t how = spec_receive();
    if (how == 0) {
        return 9;
    }
    if (how >= UNRULY_TRIES_REFUSED) {
        go_inside();
    }
    misbehave((enum unruly)how);
}
