/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine as its daemons see it: whose rights and variables `doctor` goes by, what it says it
 * can't tell; and a worker's program that hangs. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/as_daemon.h"
#include "cli/worker_info.h"
#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"

Suite *as_daemon_suite(void);

static char *folder;
static char user[64]; /* who runs the tests */
static char config[256];
static char variables[256];
static struct daemon_facts facts;
static struct as_daemon as;
static struct err err;

static void open_folder(void) {
    const struct passwd *self = getpwuid(geteuid());
    folder = fixture_folder();
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_ptr_nonnull(self);
    snprintf(user, sizeof(user), "%s", self->pw_name);
    snprintf(config, sizeof(config), "%s/worker.yaml", folder);
    snprintf(variables, sizeof(variables), "%s/worker.env", folder);
    fixture_write(folder, "worker.yaml", "", 0);
    fixture_write(folder, "worker.env", "KEY=\"a b\"\n", strlen("KEY=\"a b\"\n"));
    facts = (struct daemon_facts){.name = "worker",
                                  .user = user,
                                  .config = config,
                                  .variables = variables,
                                  .state = "/var/lib/reelfarm"};
    setenv("REELFARM_PORT", "1", 1);
    setenv("OWN", "mine", 1);
    unsetenv("STATE_DIRECTORY");
    err = (struct err){0};
}

static void close_folder(void) {
    as_daemon_finish(&as);
    fixture_folder_drop(folder);
}

static int look(const struct daemon_names *names) {
    return as_daemon_init(&as, &facts, names, &err);
}

/* ---- variables ------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *list; /* joined by | */
    int odd;          /* the first line that says nothing */
} texts[] = {
    {"", "A=0", 0},
    {"B=1\nC=2", "A=0|B=1|C=2", 0},
    {"# A=9\n ; B=1\n\n  C = 2 \t\r\n", "A=0|C=2", 0},
    {"A=1\nA=2\n", "A=2", 0},
    {"AB=1\nA=1\nABC=1\nB=2\nAB=3", "A=1|ABC=1|B=2|AB=3", 0},
    {"B='x y'\nC=\" \"\nD='\nE=\"x'\nF=''", "A=0|B=x y|C= |D='|E=\"x'|F=", 0},
    {"B=a=b#c\n", "A=0|B=a=b#c", 0},
    {"B=1\nexport C=2\nD=3\nE", "A=0|B=1|D=3", 2},
    {"B=1\n\nC\n", "A=0|B=1", 3},
    {"=1", "A=0", 1},
    {"1A=1", "A=0", 1},
};

START_TEST(variables_are_read_as_systemd_does) {
    struct arena arena = {0};
    struct buf joined = {0};
    char **list = NULL;
    char *first = mem_string("A=0"), *text = mem_string(texts[_i].text);
    ck_assert_int_eq(variables_read(&list, &arena, first), 0);
    ck_assert_int_eq(variables_read(&list, &arena, text), texts[_i].odd);
    for (size_t i = 0; list[i] != NULL; i++) {
        buf_format(&joined, "%s%s", i > 0 ? "|" : "", list[i]);
    }
    ck_assert_str_eq(buf_text(&joined), texts[_i].list);
    buf_finish(&joined);
    mem_free(text);
    mem_free(first);
    arena_finish(&arena);
}
END_TEST

/* As many as a file can have, half of them said again. */
START_TEST(variables_may_be_very_many) {
    enum { MANY = 6000 };
    struct arena arena = {0};
    struct buf text = {0};
    char **list = NULL;
    for (int i = 0; i < MANY; i++) {
        buf_format(&text, "V%x=%d\n", (unsigned)(i % (MANY / 2)), i);
    }
    ck_assert_int_eq(variables_read(&list, &arena, (char *)buf_text(&text)), 0);
    for (int i = 0; i < MANY / 2; i++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "V%x=%d", (unsigned)i, i + MANY / 2);
        ck_assert_str_eq(list[i], wanted);
    }
    ck_assert_ptr_null(list[MANY / 2]);
    buf_finish(&text);
    arena_finish(&arena);
}
END_TEST

/* ---- who it is --------------------------------------------------------------------- */

static void ck_variable(const char *name, const char *value) {
    const char *found = getenv(name);
    ck_assert_msg((found == NULL) == (value == NULL) &&
                      (value == NULL || strcmp(found, value) == 0),
                  "%s=%s", name, found != NULL ? found : "");
}

static void ck_folder_is(const char *path) {
    char here[4096];
    ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
    ck_assert_str_eq(here, path);
}

/* What is known of the units is what they say. */
START_TEST(facts_are_those_of_the_units) {
    const struct {
        const char *unit;
        const char *line;
        const char *value;
    } lines[] = {
        {"workers/deploy/reelfarm-worker", "\nUser=", worker_facts.user},
        {"workers/deploy/reelfarm-worker", "\nEnvironmentFile=-", worker_facts.variables},
        {"workers/deploy/reelfarm-worker", "\nLoadCredential=token:", worker_facts.token},
        {"scheduler/deploy/reelfarm-scheduler", "\nUser=", scheduler_facts.user},
        {"scheduler/deploy/reelfarm-scheduler",
         "\nStateDirectory=", scheduler_facts.state + strlen("/var/lib/")},
    };
    struct buf text = {0};
    char *path = mem_format("%s/%s.service.in", REELFARM_SOURCE_DIR, lines[_i].unit);
    char *line = mem_format("%s%s\n", lines[_i].line, lines[_i].value);
    ck_assert_int_eq(fs_read(&text, path, 1 << 16, &err), 0);
    ck_assert_msg(strstr(buf_text(&text), line) != NULL, "%s has no%s", path, line);
    mem_free(line);
    mem_free(path);
    buf_finish(&text);
}
END_TEST

START_TEST(a_unit_has_what_it_is_given) {
    char here[4096];
    ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
    ck_assert_int_eq(look(&(struct daemon_names){0}), 0);
    ck_assert(as.is_unit && !as.is_other && as.blind == NULL);
    ck_assert_str_eq(as.config, config);
    ck_assert_int_eq(as_daemon_enter(&as, &err), 0);
    ck_variable("KEY", "a b");
    ck_variable("USER", user);
    ck_variable("STATE_DIRECTORY", "/var/lib/reelfarm");
    ck_variable("REELFARM_PORT", NULL);
    ck_variable("OWN", NULL);
    ck_folder_is("/");
    as_daemon_leave(&as);
    ck_variable("KEY", NULL);
    ck_variable("REELFARM_PORT", "1");
    ck_folder_is(here);
}
END_TEST

/* Where there are no units, or files of others are named. */
START_TEST(one_of_this_user_has_its_environment) {
    char here[4096];
    ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
    struct daemon_names names = {.config = _i == 0 ? "mine.yaml" : NULL};
    if (_i == 1) {
        facts.user = "no such user";
    }
    ck_assert_int_eq(look(&names), 0);
    ck_assert(!as.is_unit && !as.is_other && as.blind == NULL);
    ck_assert_str_eq(as.config, _i == 0 ? "mine.yaml" : config);
    ck_assert_int_eq(as_daemon_enter(&as, &err), 0);
    ck_variable("OWN", "mine");
    ck_variable("KEY", NULL);
    ck_variable("STATE_DIRECTORY", NULL);
    ck_variable("REELFARM_PORT", NULL); /* is for what this shell begins */
    ck_folder_is(here);
    as_daemon_leave(&as);
    ck_variable("REELFARM_PORT", "1");
}
END_TEST

START_TEST(no_file_is_none) {
    facts.config = facts.variables = "/none/of/it";
    ck_assert_int_eq(look(&(struct daemon_names){0}), 0);
    ck_assert(!as.is_unit && as.config == NULL && as.variables == NULL);
}
END_TEST

static bool is_root(const char *test) {
    bool root = geteuid() == 0 && getpwnam("nobody") != NULL;
    if (!root) {
        printf("SKIP %s: not run by root\n", test);
    }
    return root;
}

/* A folder that others may not look into is no sign that nothing is there. */
START_TEST(what_may_not_be_seen_may_be_there) {
    if (!is_root("what_may_not_be_seen_may_be_there")) {
        return;
    }
    ck_assert(!may_be_there("/none/of/it") && may_be_there(config));
    uid_t nobody = getpwnam("nobody")->pw_uid;
    ck_assert_int_eq(chmod(folder, 0700), 0);
    ck_assert_int_eq(setresuid(nobody, nobody, 0), 0);
    facts.user = "nobody";
    int failed = look(&(struct daemon_names){0});
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
    ck_assert_int_eq(failed, 0);
    ck_assert(as.is_unit && as.blind != NULL);
}
END_TEST

START_TEST(what_was_named_is_there) {
    static const struct {
        struct daemon_names names;
        enum err_code code;
        const char *sentence;
    } cases[] = {{{.user = "no such user"}, ERR_INVALID, "no such user"},
                 {{.variables = "/none/of/it"}, ERR_NOT_FOUND, "/none/of/it"}};
    ck_assert_int_eq(look(&cases[_i].names), cases[_i].code);
    ck_assert_msg(strstr(err.message, cases[_i].sentence) != NULL, "%s", err.message);
}
END_TEST

static bool can_read(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* Root sees what another user would, keys of root's included, and is root again after it. */
START_TEST(root_has_the_rights_of_another) {
    struct daemon_names names = {.user = "nobody", .variables = variables};
    if (!is_root("root_has_the_rights_of_another")) {
        return;
    }
    ck_assert_int_eq(chmod(variables, 0600), 0);
    ck_assert_int_eq(look(&names), 0);
    ck_assert(as.is_other && !as.is_unit && as.blind == NULL);
    ck_assert_int_eq(as_daemon_enter(&as, &err), 0);
    ck_variable("KEY", "a b");
    ck_variable("OWN", NULL);
    ck_assert(can_read(config) && !can_read(variables));
    ck_assert(access(variables, R_OK) != 0); /* which goes by the real one */
    ck_assert_uint_eq(getegid(), getpwnam("nobody")->pw_gid);
    ck_assert_uint_eq(getuid(), getpwnam("nobody")->pw_uid);
    as_daemon_leave(&as);
    ck_assert(can_read(variables));
    ck_assert_uint_eq(getuid(), 0);
    ck_assert_uint_eq(geteuid(), 0);
    ck_assert_uint_eq(getegid(), 0);
}
END_TEST

/* Others say what they can't tell: of another user's, and of what root alone reads. */
START_TEST(who_is_not_root_is_blind) {
    struct daemon_names names = {.user = _i == 0 ? "root" : NULL};
    if (!is_root("who_is_not_root_is_blind")) {
        return;
    }
    uid_t nobody = getpwnam("nobody")->pw_uid;
    facts.user = "nobody";
    ck_assert_int_eq(chmod(variables, 0600), 0);
    ck_assert_int_eq(setresuid(nobody, nobody, 0), 0);
    int failed = look(&names);
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
    ck_assert_int_eq(failed, 0);
    ck_assert_ptr_nonnull(as.blind);
    ck_assert_str_eq(as.user, _i == 0 ? "root" : "nobody");
    ck_assert_msg(strstr(as.blind, _i == 0 ? "user root" : "worker.env is not for this user") !=
                      NULL,
                  "%s", as.blind);
}
END_TEST

/* ---- a worker's program -------------------------------------------------------------- */

static int ask(const char *script, int limit_ms, struct buf *said) {
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct worker_run run = {"/bin/sh", argv, STDOUT_FILENO, limit_ms};
    struct proc_result result = {0};
    return worker_run(&run, said, &result, &err);
}

START_TEST(a_worker_that_hangs_is_not_waited_for) {
    static const char *const scripts[] = {"exec sleep 1000", "echo x; exec sleep 1000",
                                          "exec >&-; exec sleep 1000"};
    struct buf said = {0};
    ck_assert_int_eq(ask("echo x", 60000, &said), 0);
    ck_assert_str_eq(buf_text(&said), "x\n");
    ck_assert_int_eq(ask(scripts[_i], 200, &said), ERR_TIMEOUT);
    ck_assert_msg(strstr(err.message, "`/bin/sh -c ") == err.message, "%s", err.message);
    ck_assert_msg(strstr(err.message, "sleep 1000` did not end within") != NULL, "%s", err.message);
    buf_finish(&said);
}
END_TEST

Suite *as_daemon_suite(void) {
    Suite *suite = suite_create("as_daemon");
    TCase *tcase = tcase_create("as_daemon");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_add_test(tcase, variables_may_be_very_many);
    tcase_add_loop_test(tcase, variables_are_read_as_systemd_does, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_loop_test(tcase, facts_are_those_of_the_units, 0, 5);
    tcase_add_test(tcase, a_unit_has_what_it_is_given);
    tcase_add_loop_test(tcase, one_of_this_user_has_its_environment, 0, 2);
    tcase_add_test(tcase, no_file_is_none);
    tcase_add_test(tcase, what_may_not_be_seen_may_be_there);
    tcase_add_loop_test(tcase, what_was_named_is_there, 0, 2);
    tcase_add_test(tcase, root_has_the_rights_of_another);
    tcase_add_loop_test(tcase, who_is_not_root_is_blind, 0, 2);
    tcase_add_loop_test(tcase, a_worker_that_hangs_is_not_waited_for, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
