/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames between worker and child: who sends in a byte, then what arrives. */
#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "workers/pipe.h"

enum { ARRIVES_MAX = 64 << 10 }; /* fits in a socket */

static void receive_all(int fd, enum pipe_side from) {
    struct pipe_inbox inbox = {.from = from};
    while (pipe_inbox_fill(&inbox, fd, NULL) == 1) {
        pipe_inbox_next(&inbox);
    }
    pipe_inbox_finish(&inbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ends[2];
    if (size == 0 || size > ARRIVES_MAX) {
        return 0;
    }
    int failed = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    assert(failed == 0);
    ssize_t written = write(ends[1], data + 1, size - 1);
    assert(written == (ssize_t)size - 1);
    close(ends[1]);
    receive_all(ends[0], (data[0] & 1) != 0 ? PIPE_CHILD : PIPE_WORKER);
    close(ends[0]);
    return 0;
}
