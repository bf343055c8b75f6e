/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor: the proofs' way to pretend that it is an old one, and its clock. */
#include "cpu.h"

#include <libavutil/cpu.h>
#include <sys/resource.h>
#include <time.h>

#include "encoder/encoder.h"

static bool is_baseline;

void cpu_use_common(void) {
    av_force_cpu_flags(av_get_cpu_flags() &
                       (AV_CPU_FLAG_MMX | AV_CPU_FLAG_MMXEXT | AV_CPU_FLAG_SSE | AV_CPU_FLAG_SSE2 |
                        AV_CPU_FLAG_CMOV));
}

void encoder_use_baseline_cpu(void) {
    is_baseline = true;
    cpu_use_common();
}

bool cpu_is_baseline(void) {
    return is_baseline;
}

double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Linux advances CLOCK_PROCESS_CPUTIME_ID by whole scheduler ticks where RLIMIT_CPU is
 * set; this stays exact. */
double cpu_seconds_of_others(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6 - cpu_seconds();
}
