/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the Check suites named as arguments, or all of them. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites_chosen.def"
#undef SUITE

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(name) {#name, name##_suite},
#include "suites_chosen.def"
#undef SUITE
    {NULL, NULL},
};

/* What tests are linked with in the place of Check's (--wrap), which writes a record of each
 * assertion that holds to a file, so that it can tell where a test was that dies. In a loop over a
 * million pictures that is most of the work: the last few places are not told again. */
void __wrap__mark_point(const char *file, int line);
void __real__mark_point(const char *file, int line);

void __wrap__mark_point(const char *file, int line) {
    enum { PLACES = 8 };
    static _Thread_local struct {
        const char *file;
        int line;
    } told[PLACES];
    static _Thread_local unsigned count;
    for (int i = 0; i < PLACES; i++) {
        if (told[i].line == line && told[i].file == file) {
            return;
        }
    }
    told[count % PLACES].file = file;
    told[count % PLACES].line = line;
    count++;
    __real__mark_point(file, line);
}

static bool is_wanted(const char *name, int count, char **names) {
    for (int i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return count == 0;
}

static bool is_known(const char *name) {
    for (size_t i = 0; suites[i].name != NULL; i++) {
        if (strcmp(name, suites[i].name) == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!is_known(argv[i])) {
            fprintf(stderr, "tests: no suite is called '%s'; tests/suites.def lists them\n",
                    argv[i]);
            return 2;
        }
    }
    setenv("CK_DEFAULT_TIMEOUT", "60", 0); /* sanitizers on a busy machine: Check's 4 s are few */
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; suites[i].name != NULL; i++) {
        if (is_wanted(suites[i].name, argc - 1, argv + 1)) {
            srunner_add_suite(runner, suites[i].make());
        }
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
