/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task child gives up before it reads its first byte: see sandbox.h. */
#include "sandbox.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipe.h"

/* ---- The promise ---------------------------------------------------------------------- */

static const struct {
    int resource;
    rlim_t most;
    const char *name;
} limits[] = {
    {RLIMIT_CORE, 0, "core files"},           {RLIMIT_NOFILE, PIPE_FD + 1, "open files"},
    {RLIMIT_FSIZE, 0, "written files"},       {RLIMIT_MEMLOCK, 0, "locked memory"},
    {RLIMIT_RTPRIO, 0, "real-time priority"}, /* SVT-AV1 asks for the highest where it may */
};

/* The worker alone decides when a child ends: a terminal or a service manager sends these to
 * every process of a group, and a draining worker lets its children finish. */
static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

/*
 * Every system call by its answer. There is one role, since a child is started ahead of its
 * task: it is inside before it knows whether it will probe, encode or do sound.
 *
 *   ALLOW    what decoding and encoding need, as strace showed it of every kind of task, and
 *            what newer C libraries need for the same
 *   REFUSE   what libraries try and have another way for, answered with the error that they
 *            look for. All that has no row is answered ENOSYS: as by a kernel without the
 *            call, for which each C library, also a coming one, has a way on
 *   KILL     what no codec does, so that whoever asks is an attacker: the task fails as a
 *            crash, and its unit is poison after three
 */
#define ALLOW         SECCOMP_RET_ALLOW
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define KILL          SECCOMP_RET_KILL_PROCESS
#define CALLS(...)                                                                                 \
    .calls = (const int[]){__VA_ARGS__}, .count = sizeof((const int[]){__VA_ARGS__}) / sizeof(int)

static const struct {
    uint32_t answer;
    const int *calls;
    size_t count;
} table[] = {
    /* locks of threads, and time where the vDSO can't tell it */
    {ALLOW, CALLS(SYS_futex, SYS_sched_yield, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
                  SYS_nanosleep, SYS_clock_nanosleep, SYS_restart_syscall)},
    /* the pipe to the worker, and words on stderr */
    {ALLOW, CALLS(SYS_recvfrom, SYS_sendmsg, SYS_write, SYS_writev)},
    /* memory; mmap and mprotect stand below */
    {ALLOW, CALLS(SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise)},
    /* a thread's birth and death; clone stands below */
    {ALLOW, CALLS(SYS_set_robust_list, SYS_rseq, SYS_exit, SYS_exit_group)},
    /* its own signals; tgkill stands below */
    {ALLOW, CALLS(SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_sigaltstack)},
    /* who it is, and what the machine is like: numbers alone */
    {ALLOW, CALLS(SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
                  SYS_getrusage, SYS_getrandom, SYS_getcpu, SYS_sysinfo, SYS_sched_getaffinity,
                  SYS_sched_get_priority_max, SYS_sched_get_priority_min)},

    /* glibc takes clone where it is not there, whose flags can be looked at */
    {REFUSE(ENOSYS), CALLS(SYS_clone3)},
    /* SVT-AV1 asks for both, and goes on without */
    {REFUSE(EPERM), CALLS(SYS_sched_setscheduler, SYS_sched_setaffinity, SYS_sched_setattr,
                          SYS_sched_setparam, SYS_setpriority, SYS_ioprio_set)},
    /* files: libraries look for settings and for /dev/urandom */
    {REFUSE(EACCES), CALLS(SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_faccessat,
                           SYS_faccessat2, SYS_readlinkat, SYS_memfd_create)},
    /* the network, and signals to others */
    {REFUSE(EACCES), CALLS(SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
                           SYS_accept, SYS_accept4, SYS_sendto)},
    {REFUSE(EPERM), CALLS(SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo)},

    /* other programs */
    {KILL, CALLS(SYS_execve, SYS_execveat)},
    /* other processes */
    {KILL, CALLS(SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_open,
                 SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_process_madvise)},
    /* wide doors into the kernel, by which sandboxes were left */
    {KILL,
     CALLS(SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
           SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_open_by_handle_at)},
    /* namespaces, mounts and roots */
    {KILL, CALLS(SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
                 SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
                 SYS_mount_setattr)},
    /* users */
    {KILL, CALLS(SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
                 SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset)},
    /* the machine */
    {KILL, CALLS(SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot,
                 SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_acct)},
#ifdef __x86_64__
    /* the old names of some of these, which other architectures lack */
    {ALLOW, CALLS(SYS_time)},
    {REFUSE(EACCES), CALLS(SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink)},
    {KILL, CALLS(SYS_fork, SYS_vfork, SYS_iopl, SYS_ioperm, SYS_modify_ldt)},
#endif
};

/* What pthread_create asks of clone, in glibc from 2.2 on. */
#define THREAD_FLAGS                                                                               \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* Calls that are allowed where (argument & mask) == value, and answered otherwise elsewhere. */
static const struct condition {
    int call;
    int argument;
    uint64_t mask;
    uint64_t value;
    uint32_t otherwise;
} conditions[] = {
    {SYS_clone, 0, UINT64_MAX, THREAD_FLAGS, KILL}, /* a thread, not a process */
    {SYS_mmap, 2, PROT_EXEC, 0, REFUSE(EACCES)},    /* no new machine code */
    {SYS_mprotect, 2, PROT_EXEC, 0, REFUSE(EACCES)},
    {SYS_prctl, 0, UINT64_MAX, PR_SET_NAME, REFUSE(EPERM)}, /* codecs name their threads */
    {SYS_prlimit64, 2, UINT64_MAX, 0, REFUSE(EPERM)},       /* asks for a limit, sets none */
};

/* abort(), raise() and pthread_cancel() signal the own process: it is known when the filter is
 * made. */
static struct condition own_signals(void) {
    return (struct condition){SYS_tgkill, 0, UINT64_MAX, (uint64_t)getpid(), REFUSE(EPERM)};
}

/* What each version of Landlock can refuse, beyond those before it; all of it is. The newest
 * header does not come with Debian 12, so that these are numbers: linux/landlock.h. */
static const struct {
    int abi;
    uint64_t files;
    uint64_t tcp;
    uint64_t scope;
} landlock_rights[] = {
    {1, 0x1fff, 0, 0}, /* execute, write, read, list, remove and make of each kind */
    {2, 0x2000, 0, 0}, /* link or rename into another folder */
    {3, 0x4000, 0, 0}, /* truncate */
    {4, 0, 0x3, 0},    /* bind, connect */
    {5, 0x8000, 0, 0}, /* ioctl of a device */
    {6, 0, 0, 0x3},    /* abstract sockets, signals */
};

/* ---- Landlock --------------------------------------------------------------------------- */

static int no_landlock(int errno_value, struct err *err) {
    return err_set(
        err, ERR_UNSUPPORTED,
        "there is no Landlock here (%s), which keeps what decodes a source away from files; "
        "use a kernel that has it (Linux 5.13 or later, started with it in lsm=) and a "
        "container that allows it, or go on without by --sandbox no-landlock, where "
        "seccomp alone does it",
        strerror(errno_value));
}

static int landlock_close(int *abi, struct err *err) {
    struct {
        uint64_t files;
        uint64_t tcp;
        uint64_t scope;
    } handled = {0}; /* as the kernel has it; an older one wants what it does not know to be 0 */
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0) {
        return no_landlock(errno, err);
    }
    for (size_t i = 0; i < sizeof(landlock_rights) / sizeof(landlock_rights[0]); i++) {
        if (landlock_rights[i].abi <= version) {
            handled.files |= landlock_rights[i].files;
            handled.tcp |= landlock_rights[i].tcp;
            handled.scope |= landlock_rights[i].scope;
        }
    }
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    long closed = rules < 0 ? -1 : syscall(SYS_landlock_restrict_self, rules, 0);
    int why = errno;
    if (rules >= 0) {
        close(rules);
    }
    if (closed != 0) {
        return no_landlock(why, err);
    }
    *abi = (int)version;
    return 0;
}

/* ---- seccomp ---------------------------------------------------------------------------- */

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the sandbox's tables are those of x86_64 and aarch64"
#endif

enum { FILTER_LINES = 512, CONDITION_LINES = 8 };

/* Written by hand and not with libseccomp: it is three shapes of lines, and the process that
 * has to be the smallest gets no library more. */
struct filter {
    struct sock_filter lines[FILTER_LINES];
    unsigned short count;
};

static void line(struct filter *filter, struct sock_filter instruction) {
    assert(filter->count < FILTER_LINES);
    filter->lines[filter->count++] = instruction;
}

static void load(struct filter *filter, size_t offset) {
    line(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Goes on with the next line where what was loaded is `value`, else skips so many. */
static void expect(struct filter *filter, uint32_t value, uint8_t otherwise) {
    line(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise));
}

static void keep_bits(struct filter *filter, uint32_t mask) {
    line(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

static void answer(struct filter *filter, uint32_t value) {
    line(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* An argument is looked at in halves; both architectures have the lower one first. */
static void add_condition(struct filter *filter, const struct condition *condition) {
    size_t low = offsetof(struct seccomp_data, args) + 8 * (size_t)condition->argument;
    expect(filter, (uint32_t)condition->call, 8);
    load(filter, low);
    keep_bits(filter, (uint32_t)condition->mask);
    expect(filter, (uint32_t)condition->value, 4);
    load(filter, low + 4);
    keep_bits(filter, (uint32_t)(condition->mask >> 32));
    expect(filter, (uint32_t)(condition->value >> 32), 1);
    answer(filter, ALLOW);
    answer(filter, condition->otherwise);
}

/* A number means another call in a program of another architecture (i386 in x86_64). */
static void add_architecture(struct filter *filter) {
    load(filter, offsetof(struct seccomp_data, arch));
    line(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    answer(filter, KILL);
}

static void filter_make(struct filter *filter) {
    const struct condition own = own_signals();
    add_architecture(filter);
    load(filter, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        for (size_t k = 0; k < table[i].count; k++) {
            expect(filter, (uint32_t)table[i].calls[k], 1);
            answer(filter, table[i].answer);
        }
    }
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        add_condition(filter, &conditions[i]);
    }
    add_condition(filter, &own);
    answer(filter, REFUSE(ENOSYS));
}

static int seccomp_close(struct err *err) {
    struct filter filter = {.count = 0};
    filter_make(&filter);
    struct sock_fprog program = {filter.count, filter.lines};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "there are no seccomp filters here (%s), which keep what decodes a source away "
            "from files, network and other programs; use a kernel that has them and a "
            "container that allows them, or go on without by --sandbox none, for "
            "sources that you trust",
            strerror(errno));
    }
    return 0;
}

/* ---- The walls, round this thread and what it starts ------------------------------------ */

static int close_files(enum sandbox_level level, int *landlock_abi, struct err *err) {
    *landlock_abi = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) { /* both walls ask for it */
        return err_set_errno(err, errno, "a task child can't give up new privileges");
    }
    return level == SANDBOX_FULL ? landlock_close(landlock_abi, err) : 0;
}

static int close_calls(enum sandbox_level level, struct err *err) {
    return level != SANDBOX_NONE ? seccomp_close(err) : 0;
}

struct trial {
    enum sandbox_level level;
    int landlock_abi;
    struct err err;
};

static void *try_run(void *context) {
    struct trial *trial = context;
    if (close_files(trial->level, &trial->landlock_abi, &trial->err) == 0) {
        close_calls(trial->level, &trial->err);
    }
    return NULL;
}

int sandbox_try(enum sandbox_level level, int *landlock_abi, struct err *err) {
    struct trial trial = {.level = level};
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, try_run, &trial);
    if (failed != 0) {
        return err_set_errno(err, failed, "cannot start a thread to try the sandbox");
    }
    pthread_join(thread, NULL);
    if (trial.err.code != ERR_NONE) {
        return err_pass(err, &trial.err);
    }
    if (landlock_abi != NULL) {
        *landlock_abi = trial.landlock_abi;
    }
    return 0;
}

/* ---- The child -------------------------------------------------------------------------- */

static int drop_capabilities(struct err *err) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, own) == 0 && memcmp(own, none, sizeof(none)) == 0) {
        return 0; /* a unit's filter may refuse capset to those who have nothing to give */
    }
    if (syscall(SYS_capset, &header, none) != 0) {
        return err_set_errno(err, errno, "a task child can't give up its privileges");
    }
    return 0;
}

static int lower_limits(struct err *err) {
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};
        if (setrlimit(limits[i].resource, &limit) != 0) {
            return err_set_errno(err, errno, "a task child can't limit its %s", limits[i].name);
        }
    }
    return 0;
}

int sandbox_child(enum sandbox_level level, struct err *err) {
    int landlock_abi = 0;
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_IGN);
    }
    if (close_range(PIPE_FD + 1, ~0U, 0) != 0) {
        return err_set_errno(err, errno, "a task child can't close inherited descriptors");
    }
    int failed = drop_capabilities(err);
    if (failed == 0) {
        failed = close_files(level, &landlock_abi, err); /* takes a descriptor for a moment */
    }
    if (failed == 0) {
        failed = lower_limits(err);
    }
    return failed == 0 ? close_calls(level, err) : failed;
}
