/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task child as a process: see box.h. */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pipe.h"

enum {
    CPU_GRACE_S = 5, /* after SIGXCPU the kernel kills */
};

/* Encoders walk through hundreds of megabytes over and over: huge pages spare them misses of the
 * TLB, and a child the faults of small ones. Only a heap that takes what is large too, and grows
 * by much at a time, has room for them. */
#define HUGE_PAGES                                                                                 \
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.top_pad=16777216"

/* x86 code paths that glibc picks by CPU; other machines ignore the names. */
static const char *const masked_environment[] = {
    "GLIBC_TUNABLES=" HUGE_PAGES
    ":glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-BMI1,-BMI2,-ERMS,-SSE4_2",
    NULL,
};
static const char *const usual_environment[] = {"GLIBC_TUNABLES=" HUGE_PAGES, NULL};

/* Sanitizers reserve terabytes that they never touch. */
#ifdef REELFARM_SANITIZED
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 0 };
#else
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 1 };
#endif

static void close_fd(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* What the child inherits; all are closed here once it runs. */
struct legacy {
    int pipe;
    int errors;
    int window;
};

static int make_pipes(struct box *box, struct legacy *legacy, struct err *err) {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return err_set_errno(err, errno, "cannot make a task pipe");
    }
    box->pipe = ends[0];
    legacy->pipe = ends[1];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_set_errno(err, errno, "cannot make a task pipe");
    }
    box->errors = ends[0];
    legacy->errors = ends[1];
    if (fcntl(box->pipe, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(box->errors, F_SETFL, O_NONBLOCK) != 0) {
        return err_set_errno(err, errno, "cannot make a task pipe");
    }
    return 0;
}

/* Sealed after it is mapped here, so that the child can only read it. */
static int make_window(struct box *box, struct legacy *legacy, struct err *err) {
    static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    legacy->window = memfd_create("reelfarm-window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (legacy->window < 0 || ftruncate(legacy->window, PIPE_READ_BYTES) != 0) {
        return err_set_errno(err, errno, "cannot make a window for a task child");
    }
    void *memory =
        mmap(NULL, PIPE_READ_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, legacy->window, 0);
    if (memory == MAP_FAILED || fcntl(legacy->window, F_ADD_SEALS, seals) != 0) {
        return err_set_errno(err, errno, "cannot make a window for a task child");
    }
    box->window = memory;
    return 0;
}

static int spawn(struct box *box, const struct box_options *options, const struct legacy *legacy,
                 struct err *err) {
    const char *argv[] = {"reelfarm-worker", "--task", sandbox_level_names[options->sandbox],
                          options->mask_cpu ? "--mask-cpu" : NULL, NULL};
    struct proc_fd fds[] = {
        {legacy->pipe, PIPE_FD}, {legacy->window, PIPE_WINDOW_FD}, {legacy->errors, STDERR_FILENO}};
    struct proc_options spawn = proc_options_default();
    spawn.program = options->program;
    spawn.argv = argv;
    spawn.env = options->mask_cpu ? masked_environment : usual_environment;
    spawn.fds = fds;
    spawn.fd_count = sizeof(fds) / sizeof(fds[0]);
    spawn.own_group = true;
    spawn.confined = true;
    return proc_spawn(&box->proc, &spawn, err);
}

int box_open(struct box *out, const struct box_options *options, struct err *err) {
    struct box box = BOX_CLOSED;
    struct legacy legacy = {-1, -1, -1};
    int failed = make_pipes(&box, &legacy, err);
    if (failed == 0) {
        failed = make_window(&box, &legacy, err);
    }
    if (failed == 0) {
        failed = spawn(&box, options, &legacy, err);
    }
    close_fd(&legacy.pipe);
    close_fd(&legacy.errors);
    close_fd(&legacy.window);
    if (failed == 0) {
        *out = box;
    } else {
        box_close(&box);
    }
    return failed;
}

static int limit(const struct box *box, __rlimit_resource_t resource, int64_t soft, int64_t hard,
                 struct err *err) {
    struct rlimit bound = {(rlim_t)soft, (rlim_t)hard};
    if (soft > 0 && prlimit(box->proc.pid, resource, &bound, NULL) != 0) {
        return err_set_errno(err, errno, "cannot limit a task child");
    }
    return 0;
}

int box_limit(const struct box *box, int64_t memory_bytes, int64_t cpu_s, struct err *err) {
    int failed = 0;
    if (ADDRESS_SPACE_CAN_BE_LIMITED) {
        failed = limit(box, RLIMIT_AS, memory_bytes, memory_bytes, err);
    }
    return failed != 0 ? failed : limit(box, RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S, err);
}

void box_hang_up(struct box *box) {
    close_fd(&box->pipe);
}

void box_kill(const struct box *box) {
    if (box->proc.pid > 0) {
        proc_kill(&box->proc, SIGKILL);
    }
}

bool box_wait(struct box *box, int timeout_ms, struct proc_result *result) {
    return box->proc.pid > 0 && proc_wait(&box->proc, timeout_ms, result, NULL) == 0;
}

void box_close(struct box *box) {
    proc_finish(&box->proc);
    close_fd(&box->pipe);
    close_fd(&box->errors);
    if (box->window != NULL) {
        munmap(box->window, PIPE_READ_BYTES);
        box->window = NULL;
    }
}
