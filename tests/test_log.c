/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines: one an event, whole, with nothing in them that forges another. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "fixture.h"

Suite *log_suite(void);

static void check_matches(const char *text, const char *pattern) {
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "'%s' is not like '%s'", text, pattern);
    regfree(&regex);
}

#define TIME "^ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

START_TEST(a_line_has_time_level_message_and_pairs) {
    fixture_log_begin();
    errno = ERANGE;
    log_warn("lease lost", "worker=%s n=%d", "w1", 3);
    int after = errno;
    check_matches(fixture_log_end(), TIME "level=warn msg=\"lease lost\" worker=w1 n=3\n$");
    ck_assert_int_eq(after, ERANGE);
}
END_TEST

START_TEST(context_comes_before_pairs_until_it_is_removed) {
    fixture_log_begin();
    log_process("worker=w1");
    log_context("title=night task=7");
    log_error("no", "why=because");
    log_context(NULL);
    log_error("no", "why=because");
    log_process(NULL);
    log_error("no", "");
    check_matches(fixture_log_end(),
                  TIME "level=error msg=\"no\" worker=w1 title=night task=7 why=because\n"
                       "ts=[^ ]* level=error msg=\"no\" worker=w1 why=because\n"
                       "ts=[^ ]* level=error msg=\"no\"\n$");
}
END_TEST

START_TEST(lines_under_the_level_are_dropped) {
    fixture_log_begin();
    log_info("quiet", "");
    log_level_set(LOG_DEBUG);
    log_debug("spoken", "");
    log_level_set(LOG_ERROR);
    log_warn("quiet", "");
    check_matches(fixture_log_end(), TIME "level=debug msg=\"spoken\"\n$");
}
END_TEST

START_TEST(nothing_forges_a_line_or_steers_a_terminal) {
    fixture_log_begin();
    log_warn("a \"b\" \\ \n\x1b[2J", "file=%s", "x\nlevel=error msg=\"forged\"\r\x7f");
    const char *text = fixture_log_end();
    ck_assert_ptr_nonnull(strstr(text, "msg=\"a \\\"b\\\" \\\\ \\n\\x1b[2J\""));
    ck_assert_ptr_nonnull(strstr(text, "file=x\\nlevel=error"));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert(strpbrk(text, "\r\x1b\x7f") == NULL);
}
END_TEST

START_TEST(a_long_line_is_cut_and_ended) {
    char *text = mem_resize(NULL, 20000, 1);
    memset(text, '\n', 19999); /* each becomes two */
    text[19999] = '\0';
    fixture_log_begin();
    log_warn(text, "x=%s", text);
    log_warn("next", "");
    const char *out = fixture_log_end();
    const char *end = strchr(out, '\n');
    ck_assert(end - out < 4096);
    ck_assert_ptr_nonnull(strstr(end, "msg=\"next\""));
    mem_free(text);
}
END_TEST

static void *chatter(void *context) {
    log_context(context);
    for (int i = 0; i < 200; i++) {
        log_warn("tick", "i=%d", i);
    }
    return NULL;
}

START_TEST(lines_of_threads_stay_whole_with_their_own_context) {
    static char *const contexts[] = {"t=aaaa", "t=bbbb", "t=cccc"};
    pthread_t threads[3];
    int lines = 0;
    fixture_log_begin();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, chatter, contexts[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    char *text = mem_string(fixture_log_end());
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        check_matches(line, TIME "level=warn msg=\"tick\" t=(aaaa|bbbb|cccc) i=[0-9]+$");
        lines++;
    }
    ck_assert_int_eq(lines, 600);
    mem_free(text);
}
END_TEST

Suite *log_suite(void) {
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_add_test(tcase, a_line_has_time_level_message_and_pairs);
    tcase_add_test(tcase, context_comes_before_pairs_until_it_is_removed);
    tcase_add_test(tcase, lines_under_the_level_are_dropped);
    tcase_add_test(tcase, nothing_forges_a_line_or_steers_a_terminal);
    tcase_add_test(tcase, a_long_line_is_cut_and_ended);
    tcase_add_test(tcase, lines_of_threads_stay_whole_with_their_own_context);
    suite_add_tcase(suite, tcase);
    return suite;
}
