/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spawning and waiting: see proc.h. Between fork and exec only calls that are safe
 * after a fork of a process with threads are made. */
#include "common/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

enum { PATH_BYTES_MAX = 4096 };

struct proc_options proc_options_default(void) {
    return (struct proc_options){
        .address_space_bytes = PROC_NO_LIMIT,
        .cpu_s = PROC_NO_LIMIT,
        .open_files = PROC_NO_LIMIT,
    };
}

/* ---- In the child ------------------------------------------------------------ */

struct launch {
    const struct proc_options *options;
    pid_t parent;
    int report; /* our end of the pipe that tells of a failure */
};

/* Each step returns 0, or -1 with errno. */

static int bind_to_parent(struct launch *launch) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return -1;
    }
    if (getppid() != launch->parent) { /* it went before the call above could notice */
        errno = ESRCH;
        return -1;
    }
    return launch->options->own_group ? setpgid(0, 0) : 0;
}

/* An exec keeps ignored signals ignored and blocked ones blocked. */
static int reset_signals(struct launch *launch) {
    (void)launch;
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, &action, NULL) != 0 && errno != EINVAL) { /* KILL, STOP, libc's own */
            return -1;
        }
    }
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static void mark_all_for_closing(void) {
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    struct rlimit limit = {.rlim_cur = 65536}; /* a kernel or a sandbox without the call */
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < 1 << 20 && (rlim_t)fd < limit.rlim_cur; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

/* Moves the descriptors to their numbers. All are first copied above every number
 * asked for, so that none is overwritten before it is used; `report` too. */
static int map_fds(struct launch *launch) {
    const struct proc_options *options = launch->options;
    int copies[PROC_FDS_MAX + 3];
    int theirs[PROC_FDS_MAX + 3];
    size_t count = 0;
    int floor = 3;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < options->fd_count; i++) {
        floor = options->fds[i].theirs >= floor ? options->fds[i].theirs + 1 : floor;
    }
    int report = fcntl(launch->report, F_DUPFD_CLOEXEC, floor);
    if (null < 0 || report < 0) {
        return -1;
    }
    launch->report = report;
    for (int fd = 0; fd < 3; fd++, count++) {
        copies[count] = fcntl(null, F_DUPFD_CLOEXEC, floor);
        theirs[count] = fd;
    }
    for (size_t i = 0; i < options->fd_count; i++, count++) {
        copies[count] = fcntl(options->fds[i].ours, F_DUPFD_CLOEXEC, floor);
        theirs[count] = options->fds[i].theirs;
    }
    mark_all_for_closing();
    for (size_t i = 0; i < count; i++) {
        if (copies[i] < 0 || dup2(copies[i], theirs[i]) < 0) { /* the copy stays open over exec */
            return -1;
        }
    }
    return 0;
}

static int drop_nice_capability(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    const uint32_t nice = ~(UINT32_C(1) << CAP_SYS_NICE);
    _Static_assert(CAP_SYS_NICE < 32, "in the first word");
    /* root gets back at exec what the bounding set allows; EPERM: we may not, and so
     * can't have the capability in the bounding set's gift either way */
    if (prctl(PR_CAPBSET_DROP, CAP_SYS_NICE) != 0 && errno != EPERM) {
        return -1;
    }
    if (syscall(SYS_capget, &header, data) != 0) {
        return -1;
    }
    if (((data[0].effective | data[0].permitted | data[0].inheritable) & ~nice) == 0) {
        return 0; /* a unit's filter may refuse capset to those who have nothing to give */
    }
    data[0].effective &= nice;
    data[0].permitted &= nice;
    data[0].inheritable &= nice;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SYS_NICE, 0, 0);
    return (int)syscall(SYS_capset, &header, data);
}

static int confine(struct launch *launch) {
    struct rlimit none = {0, 0};
    if (!launch->options->confined) {
        return 0;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_RTPRIO, &none) != 0) {
        return -1;
    }
    return drop_nice_capability();
}

static int set_limit(int resource, int64_t value) {
    if (value == PROC_NO_LIMIT) {
        return 0;
    }
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) {
        return -1;
    }
    if (limit.rlim_max == RLIM_INFINITY || (rlim_t)value < limit.rlim_max) {
        limit.rlim_max = (rlim_t)value; /* never more than we may have ourselves */
    }
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit);
}

static int set_limits(struct launch *launch) {
    const struct proc_options *options = launch->options;
    bool failed = set_limit(RLIMIT_CPU, options->cpu_s) != 0 ||
                  set_limit(RLIMIT_CORE, options->core_bytes) != 0 ||
                  set_limit(RLIMIT_NOFILE, options->open_files) != 0 ||
                  set_limit(RLIMIT_AS, options->address_space_bytes) != 0;
    return failed ? -1 : 0;
}

static int execute(struct launch *launch) {
    const struct proc_options *options = launch->options;
    char *const *env = options->env != NULL ? (char *const *)options->env : environ;
    return execve(options->program, (char *const *)options->argv, env);
}

static const struct {
    const char *name;
    int (*run)(struct launch *launch);
} steps[] = {
    {"binding its life to ours", bind_to_parent}, {"resetting its signals", reset_signals},
    {"giving it its descriptors", map_fds},       {"dropping its privileges", confine},
    {"setting its limits", set_limits},           {"executing it", execute},
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

/* What the child tells when it can't become the program. */
struct failure {
    int step;
    int errno_value;
};

static _Noreturn void become(struct launch launch) {
    struct failure failure = {0};
    while (failure.step < STEP_COUNT && steps[failure.step].run(&launch) == 0) {
        failure.step++;
    }
    failure.errno_value = errno;
    ssize_t wrote = write(launch.report, &failure, sizeof(failure));
    _exit(wrote == (ssize_t)sizeof(failure) ? 127 : 126);
}

/* ---- In the parent ----------------------------------------------------------- */

static pid_t fork_quietly(const struct proc_options *options, int report) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all); /* no handler of ours may run in the child */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct launch launch = {.options = options, .parent = getpid(), .report = report};
    pid_t pid = fork();
    if (pid == 0) {
        become(launch);
    }
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return pid;
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Whether the child became the program: its end of the pipe closed without a word. */
static bool read_failure(int fd, struct failure *out) {
    ssize_t got = 0;
    do {
        got = read(fd, out, sizeof(*out));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(*out);
}

/* Waits for the child's word and gives its pidfd. */
static int watch(pid_t pid, int fd, const char *program, int *pidfd, struct err *err) {
    struct failure failure;
    if (read_failure(fd, &failure)) {
        reap(pid);
        const char *step = failure.step < STEP_COUNT ? steps[failure.step].name : "it";
        return err_set_errno(err, failure.errno_value, "starting '%s': %s", program, step);
    }
    *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*pidfd < 0) {
        int code = err_set_errno(err, errno, "watching '%s'", program);
        kill(pid, SIGKILL);
        reap(pid);
        return code;
    }
    return 0;
}

int proc_spawn(struct proc *out, const struct proc_options *options, struct err *err) {
    assert(options->fd_count <= PROC_FDS_MAX);
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        return err_set_errno(err, errno, "starting '%s'", options->program);
    }
    int pidfd = -1;
    pid_t pid = fork_quietly(options, pipes[1]);
    int code = pid < 0 ? err_set_errno(err, errno, "starting '%s'", options->program) : 0;
    close(pipes[1]);
    if (code == 0) {
        code = watch(pid, pipes[0], options->program, &pidfd, err);
    }
    close(pipes[0]);
    if (code == 0) {
        *out = (struct proc){.pid = pid, .pidfd = pidfd};
    }
    return code;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void decode(int status, const struct rusage *usage, struct proc_result *out) {
    *out = (struct proc_result){
        .exited = WIFEXITED(status),
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .cpu_s = seconds(usage->ru_utime) + seconds(usage->ru_stime),
        .peak_memory_bytes = (int64_t)usage->ru_maxrss * 1024,
    };
}

static void forget(struct proc *proc) {
    close(proc->pidfd);
    *proc = (struct proc){.pidfd = -1};
}

int proc_wait(struct proc *proc, int timeout_ms, struct proc_result *out, struct err *err) {
    int64_t until = clock_monotonic_ms() + timeout_ms;
    struct pollfd end = {.fd = proc->pidfd, .events = POLLIN};
    int left = timeout_ms;
    while (poll(&end, 1, left) < 0 && errno == EINTR) {
        int64_t rest = until - clock_monotonic_ms();
        left = timeout_ms < 0 ? -1 : rest > 0 ? (int)rest : 0;
    }
    int status = 0;
    struct rusage usage;
    pid_t got = 0;
    do {
        got = wait4(proc->pid, &status, WNOHANG, &usage);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        return err_set(err, ERR_TIMEOUT, "process %ld still runs after %d ms", (long)proc->pid,
                       timeout_ms);
    }
    if (got < 0) { /* somebody else reaped it */
        int code = err_set_errno(err, errno, "waiting for process %ld", (long)proc->pid);
        forget(proc);
        return code;
    }
    decode(status, &usage, out);
    forget(proc);
    return 0;
}

void proc_kill(const struct proc *proc, int signal) {
    if (proc->pid > 0) {
        kill(proc->pid, signal); /* not reaped yet, so the number is still its own */
    }
}

void proc_finish(struct proc *proc) {
    if (proc->pid > 0) {
        proc_kill(proc, SIGKILL);
        reap(proc->pid);
        forget(proc);
    }
}

void proc_result_text(const struct proc_result *result, char *out, size_t size) {
    if (result->exited) {
        snprintf(out, size, "exited with status %d", result->status);
    } else {
        snprintf(out, size, "was killed by signal %d (%s)", result->signal,
                 strsignal(result->signal));
    }
}

uint64_t proc_raise_open_files(uint64_t wanted) {
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        struct rlimit raised = limit;
        raised.rlim_cur = wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
        limit = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised : limit;
    }
    return limit.rlim_cur;
}

int proc_self_folder(char **out, struct err *err) {
    char path[PATH_BYTES_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0) {
        return err_set_errno(err, errno, "finding the running program by /proc/self/exe");
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return err_set(err, ERR_NOT_FOUND, "the running program has no path: '%s'", path);
    }
    slash[slash == path ? 1 : 0] = '\0';
    *out = mem_string(path);
    return 0;
}
