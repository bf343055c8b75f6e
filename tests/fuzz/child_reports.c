/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into fuzz-worker: what a task child and its sanitizers say goes whole into the FIFO
 * `child-said` of the current folder, where there is one. (The worker keeps the tail alone, and
 * the child itself can neither open a file nor write to one.)
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *__ubsan_default_options(void);

const char *__ubsan_default_options(void) {
    return "print_stacktrace=1";
}

__attribute__((constructor)) static void speak(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "--task") == 0) {
        int fd = open("child-said", O_WRONLY | O_NONBLOCK);
        if (fd >= 0) {
            dup2(fd, STDERR_FILENO);
            close(fd);
        }
    }
}
