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
