/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task child gives up before it reads its first byte: see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipe.h"

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

static int drop_capabilities(struct err *err) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capset, &header, none) != 0) {
        return err_set_errno(err, errno, "a task child can't give up its privileges");
    }
    return 0;
}

int sandbox_child(struct err *err) {
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_IGN);
    }
    if (close_range(PIPE_FD + 1, ~0U, 0) != 0) {
        return err_set_errno(err, errno, "a task child can't close inherited descriptors");
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};
        if (setrlimit(limits[i].resource, &limit) != 0) {
            return err_set_errno(err, errno, "a task child can't limit its %s", limits[i].name);
        }
    }
    return drop_capabilities(err);
}
