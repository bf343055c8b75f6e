/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The YAML files of this folder, compiled in by CMakeLists.txt. Private to ladders/. */
#ifndef LADDERS_BUILTIN_H
#define LADDERS_BUILTIN_H

#include <stddef.h>

struct ladder_builtin {
    const char *name;
    const char *text;
};

extern const struct ladder_builtin ladder_builtins[];
extern const size_t ladder_builtin_count;
extern const char ladder_builtin_list[]; /* "h264, fast, lossless" */

#endif
