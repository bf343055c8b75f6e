/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of this machine's processor the codecs may use. Private to encoder/. */
#ifndef ENCODER_CPU_H
#define ENCODER_CPU_H

#include <stdbool.h>

/* Whether encoder_use_baseline_cpu was called in this process. */
bool cpu_is_baseline(void);

/* From now on libav* uses in this process what every processor of its architecture has. */
void cpu_use_common(void);

/* CPU seconds that this thread has used so far. */
double cpu_seconds(void);

/* CPU seconds that the other threads of this process have used so far: codecs that work in
 * threads of their own are measured by it. */
double cpu_seconds_of_others(void);

#endif
