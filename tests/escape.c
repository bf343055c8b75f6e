/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out of the sandbox: see escape.h. Should one be open, no harm is done: signals are 0,
 * files are read, numbers are wrong. */
#include "escape.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workers/pipe.h"

/* Arguments that are known at run time alone. */
enum { OWN = INT16_MAX - 2, PARENT, PAGE };

struct attempt {
    const char *name;
    long call;
    intptr_t arguments[6];
};

#define AT(memory) ((intptr_t)(memory))

static char word[64];
static char file[] = "/etc/passwd";
static char program[] = "/bin/true";
static struct sched_param highest = {.sched_priority = 1};
static struct rlimit limit = {64, 64};
static struct iovec own_part = {word, sizeof(word)};
static char *no_words[] = {NULL};
static uint64_t zeroes[16];

static const struct attempt deadly[] = {
    {"execve", SYS_execve, {AT(program), AT(no_words), AT(no_words)}},
    {"execveat", SYS_execveat, {AT_FDCWD, AT(program), AT(no_words), AT(no_words), 0}},
    {"execveat of a descriptor", SYS_execveat, {PIPE_FD, AT(word), 0, 0, AT_EMPTY_PATH}},
    {"clone of a process", SYS_clone, {SIGCHLD}},
    {"clone without its own thread group", SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES}},
    {"clone into a namespace", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
    {"ptrace of the worker", SYS_ptrace, {PTRACE_SEIZE, PARENT}},
    {"ptrace by the worker", SYS_ptrace, {PTRACE_TRACEME}},
    {"process_vm_readv", SYS_process_vm_readv, {PARENT, AT(&own_part), 1, AT(&own_part), 1}},
    {"process_vm_writev", SYS_process_vm_writev, {PARENT, AT(&own_part), 0, AT(&own_part), 0}},
    {"pidfd_open", SYS_pidfd_open, {PARENT}},
    {"pidfd_getfd", SYS_pidfd_getfd, {PIPE_FD}},
    {"kcmp", SYS_kcmp, {OWN, PARENT}},
    {"bpf", SYS_bpf, {0, AT(zeroes), sizeof(zeroes)}},
    {"perf_event_open", SYS_perf_event_open, {AT(zeroes), 0, -1, -1}},
    {"userfaultfd", SYS_userfaultfd, {1}},
    {"io_uring_setup", SYS_io_uring_setup, {1, AT(zeroes)}},
    {"io_uring_enter", SYS_io_uring_enter, {PIPE_FD}},
    {"keyctl", SYS_keyctl, {0, -3}},
    {"add_key", SYS_add_key, {AT(word), AT(word), 0, 0, -3}},
    {"request_key", SYS_request_key, {AT(word), AT(word), 0, -3}},
    {"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, AT(zeroes), O_RDONLY}},
    {"unshare", SYS_unshare, {CLONE_NEWUSER}},
    {"unshare of nothing", SYS_unshare, {0}},
    {"setns", SYS_setns, {PIPE_FD, 0}},
    {"mount", SYS_mount, {AT(word), AT(word), AT(word)}},
    {"umount2", SYS_umount2, {AT(word)}},
    {"pivot_root", SYS_pivot_root, {AT(word), AT(word)}},
    {"chroot", SYS_chroot, {AT(word)}},
    {"open_tree", SYS_open_tree, {AT_FDCWD, AT(word)}},
    {"fsopen", SYS_fsopen, {AT(word)}},
    {"setuid", SYS_setuid, {0}},
    {"setgroups", SYS_setgroups, {0, 0}},
    {"capset", SYS_capset, {0, 0}},
    {"finit_module", SYS_finit_module, {PIPE_FD, AT(word)}},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, 0}},
    {"reboot", SYS_reboot, {0}},
    {"swapon", SYS_swapon, {AT(word)}},
    {"clock_settime", SYS_clock_settime, {-1}},
#ifdef __x86_64__
    {"fork", SYS_fork, {0}},
    {"ioperm", SYS_ioperm, {0}},
    {"modify_ldt", SYS_modify_ldt, {0, AT(word), sizeof(word)}},
#endif
};

static const struct attempt refused[] = {
    {"openat", SYS_openat, {AT_FDCWD, AT(file), O_RDONLY}},
    {"openat of a folder", SYS_openat, {AT_FDCWD, AT("/"), O_RDONLY | O_DIRECTORY}},
    {"openat of a path", SYS_openat, {AT_FDCWD, AT("/"), O_PATH}},
    {"openat of its own memory", SYS_openat, {AT_FDCWD, AT("/proc/self/mem"), O_RDWR}},
    {"openat2", SYS_openat2, {AT_FDCWD, AT(file), AT(zeroes), 24}},
    {"newfstatat", SYS_newfstatat, {AT_FDCWD, AT(file), AT(zeroes)}},
    {"statx", SYS_statx, {AT_FDCWD, AT(file), 0, 0, AT(zeroes)}},
    {"faccessat", SYS_faccessat, {AT_FDCWD, AT(file), R_OK}},
    {"readlinkat", SYS_readlinkat, {AT_FDCWD, AT("/proc/self/exe"), AT(word), sizeof(word)}},
    {"unlinkat", SYS_unlinkat, {AT_FDCWD, AT(word)}},
    {"mkdirat", SYS_mkdirat, {AT_FDCWD, AT(word)}},
    {"renameat2", SYS_renameat2, {AT_FDCWD, AT(word), AT_FDCWD, AT(word)}},
    {"chdir", SYS_chdir, {AT("/")}},
    {"memfd_create", SYS_memfd_create, {AT(word)}},
    {"dup", SYS_dup, {PIPE_FD}},
    {"fcntl that names an owner", SYS_fcntl, {PIPE_FD, F_SETOWN, PARENT}},
    {"ioctl", SYS_ioctl, {PIPE_FD, 0x541b, AT(zeroes)}},
    {"pipe2", SYS_pipe2, {AT(zeroes)}},
    {"eventfd2", SYS_eventfd2, {0, 0}},
    {"inotify_init1", SYS_inotify_init1, {0}},
    {"a socket of TCP", SYS_socket, {AF_INET, SOCK_STREAM}},
    {"a socket of UDP", SYS_socket, {AF_INET6, SOCK_DGRAM}},
    {"a local socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
    {"a netlink socket", SYS_socket, {AF_NETLINK, SOCK_RAW}},
    {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, AT(zeroes)}},
    {"connect", SYS_connect, {PIPE_FD, AT(zeroes), 2}},
    {"listen", SYS_listen, {PIPE_FD, 1}},
    {"sendto", SYS_sendto, {PIPE_FD, AT(word), 0, 0, 0, 0}},
    {"shmget", SYS_shmget, {0, 4096, 0600}},
    {"mq_open", SYS_mq_open, {AT("reelfarm"), O_RDONLY}},
    {"kill of the worker", SYS_kill, {PARENT, 0}},
    {"kill of itself", SYS_kill, {OWN, 0}},
    {"kill of everybody", SYS_kill, {-1, 0}},
    {"tkill of the worker", SYS_tkill, {PARENT, 0}},
    {"tgkill of the worker", SYS_tgkill, {PARENT, PARENT, 0}},
    {"tgkill with a higher half", SYS_tgkill, {INT64_C(1) << 32, PARENT, 0}},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {PARENT, 0, AT(zeroes)}},
    {"real-time scheduling", SYS_sched_setscheduler, {0, SCHED_FIFO, AT(&highest)}},
    {"batch scheduling", SYS_sched_setscheduler, {0, SCHED_BATCH, AT(zeroes)}},
    {"sched_setattr", SYS_sched_setattr, {0, AT(zeroes), 0}},
    {"sched_setaffinity of the worker", SYS_sched_setaffinity, {PARENT, 8, AT(word)}},
    {"setpriority", SYS_setpriority, {PRIO_PROCESS, PARENT, 19}},
    {"a limit of its own", SYS_prlimit64, {0, RLIMIT_NOFILE, AT(&limit), 0}},
    {"a limit of the worker", SYS_prlimit64, {PARENT, RLIMIT_NOFILE, AT(&limit), 0}},
    {"setrlimit", SYS_setrlimit, {RLIMIT_CORE, AT(&limit)}},
    {"the end of seccomp", SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_DISABLED}},
    {"another seccomp filter", SYS_seccomp, {SECCOMP_SET_MODE_STRICT}},
    {"prctl that ends another way", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
    {"prctl that traces", SYS_prctl, {PR_SET_PTRACER, -1}},
    {"personality", SYS_personality, {0xffffffff}},
    {"memory to execute",
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"memory made executable", SYS_mprotect, {PAGE, 4096, PROT_READ | PROT_EXEC}},
    {"pkey_mprotect", SYS_pkey_mprotect, {PAGE, 4096, PROT_READ | PROT_EXEC, -1}},
    {"clone3", SYS_clone3, {AT(zeroes), 64}},
    {"setpgid", SYS_setpgid, {0, 0}},
    {"a call that no kernel has", 9999, {0}},
#ifdef __x86_64__
    {"open", SYS_open, {AT(file), O_RDONLY}},
    {"stat", SYS_stat, {AT(file), AT(zeroes)}},
    {"readlink", SYS_readlink, {AT("/proc/self/exe"), AT(word), sizeof(word)}},
    {"open by its x32 number", 0x40000000 | SYS_open, {AT(file), O_RDONLY}},
    {"time by its x32 number", 0x40000000 | SYS_time, {0}},
#endif
};

static pid_t parent;

void escape_prepare(void) {
    parent = getppid();
}

static long make(const struct attempt *attempt) {
    static _Alignas(4096) char page[4096];
    intptr_t a[6];
    for (int i = 0; i < 6; i++) {
        a[i] = attempt->arguments[i];
        a[i] = a[i] == OWN ? getpid() : a[i] == PARENT ? parent : a[i] == PAGE ? AT(page) : a[i];
    }
    return syscall(attempt->call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int escape_deadly_count(void) {
    return (int)(sizeof(deadly) / sizeof(deadly[0]));
}

const char *escape_deadly_name(int index) {
    return deadly[index].name;
}

void escape_deadly_try(int index) {
    make(&deadly[index]);
}

/* With the sandbox's errors; those of the kernel would say that the call got through. */
const char *escape_refused_try(void) {
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        errno = 0;
        if (make(&refused[i]) != -1 || (errno != EACCES && errno != EPERM && errno != ENOSYS)) {
            return refused[i].name;
        }
    }
    return NULL;
}

void escape_foreign_try(void) {
#ifdef __x86_64__
    long number = 20; /* getpid of i386 */
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "cc");
#else
    raise(SIGSYS);
#endif
}
