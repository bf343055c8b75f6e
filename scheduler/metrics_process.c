/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process as Prometheus' own clients tell it: memory, CPU, descriptors, start. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "exposition.h"
#include "metrics.h"

/* Fields of /proc/self/stat after the command's name; proc(5). */
struct process_stat {
    double cpu_s;
    double started_s; /* since boot */
    double virtual_bytes;
    double resident_bytes;
};

static bool read_stat(struct process_stat *out) {
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
    if (file != NULL) {
        fclose(file);
    }
    text[size] = '\0';
    const char *after = strrchr(text, ')'); /* a name may hold anything */
    uint64_t user = 0, system = 0, started = 0, bytes = 0, pages = 0;
    if (after == NULL || sscanf(after,
                                ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                                " %*d %*d %*d %*d %*d %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
                                &user, &system, &started, &bytes, &pages) != 5) {
        return false;
    }
    double ticks = (double)sysconf(_SC_CLK_TCK);
    *out = (struct process_stat){
        .cpu_s = (double)(user + system) / ticks,
        .started_s = (double)started / ticks,
        .virtual_bytes = (double)bytes,
        .resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE),
    };
    return true;
}

/* When the machine was booted, in seconds since 1970. */
static double boot_s(void) {
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)(now.tv_sec - up.tv_sec) + 1e-9 * (double)(now.tv_nsec - up.tv_nsec);
}

static int count_descriptors(void) {
    int count = -3; /* ".", ".." and the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

void metrics_write_process(struct buf *out) {
    struct process_stat stat;
    struct rlimit limit;
    if (read_stat(&stat)) {
        exposition_single(out, "process_cpu_seconds_total", EXPOSITION_COUNTER,
                          "User and system CPU time of the process.", stat.cpu_s);
        exposition_single(out, "process_start_time_seconds", EXPOSITION_GAUGE,
                          "When the process was started, since 1970.", boot_s() + stat.started_s);
        exposition_single(out, "process_virtual_memory_bytes", EXPOSITION_GAUGE,
                          "Virtual memory of the process.", stat.virtual_bytes);
        exposition_single(out, "process_resident_memory_bytes", EXPOSITION_GAUGE,
                          "Resident memory of the process.", stat.resident_bytes);
    }
    exposition_single(out, "process_open_fds", EXPOSITION_GAUGE, "Open descriptors.",
                      count_descriptors());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        exposition_single(out, "process_max_fds", EXPOSITION_GAUGE, "Descriptors that may be open.",
                          (double)limit.rlim_cur);
    }
}
