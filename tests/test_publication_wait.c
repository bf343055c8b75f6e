/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `--wait` until a title is published: how long it is waited, and what is told in the end, by a
 * scheduler that answers what it is told. */
#include <check.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/publication_wait.h"
#include "common/http_server.h"
#include "common/mem.h"

Suite *publication_wait_suite(void);

enum { ANSWERS_MAX = 4, SAID_BYTES = 4000 };

/* A publication, as the view of a title tells of it. */
#define AT(endpoint, state, pending)                                                               \
    "{\"endpoint\":\"" endpoint "\",\"state\":\"" state "\",\"held\":\"\",\"wanted\":\"\","        \
    "\"catalog\":false,\"error\":\"\",\"done\":0,\"total\":0,\"pending\":" pending "}"
#define TITLE(published, rolls_back, publications)                                                 \
    "{\"title\":\"t\",\"version\":\"v2\",\"published\":" published ",\"rolling_back\":" rolls_back \
    ",\"publications\":[" publications "]}"
#define HELD TITLE("true", "false", AT("e1", "held", "false"))

static struct http_server *server;
static struct client *client;
static const char *const *answers; /* in order; the last before NULL again and again */
static atomic_int asked;
static struct err err;
static char said[SAID_BYTES]; /* to stdout */

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    (void)context;
    (void)token;
    caller[0] = '\0';
    return true;
}

static void handle(void *context, struct exchange *exchange) {
    struct buf text = {0};
    int at = atomic_fetch_add(&asked, 1);
    (void)context;
    ck_assert_str_eq(exchange->path, "/v1/titles/t");
    while (at > 0 && answers[at] == NULL) {
        at--;
    }
    buf_string(&text, answers[at]);
    http_answer(exchange, 200, "application/json", &text);
}

static void set_up(void) {
    struct http_server_options options = http_server_options_default();
    struct client_options own = client_options_default();
    options.handle = handle;
    options.authorise = authorise;
    err = (struct err){0};
    asked = 0;
    ck_assert_msg(http_server_start(&server, &options, &err) == 0, "%s", err.message);
    char *url = mem_format("http://127.0.0.1:%d", http_server_port(server));
    own.url = url;
    ck_assert_msg(client_create(&client, &own, &err) == 0, "%s", err.message);
    mem_free(url);
}

static void tear_down(void) {
    client_destroy(client);
    http_server_stop(server);
}

/* The exit code; what is printed is in `said`. */
static int wait_for(const char *version, bool json) {
    static const struct option_row none[] = {{NULL, NULL, NULL}};
    static const struct command command = {.name = "publish", .options = none};
    struct invocation invocation = {.command = &command};
    const struct option_row *row;
    for (int i = 0; (row = command_option_at(&command, i)) != NULL; i++) {
        invocation.values[i] = json && strcmp(row->name, "json") == 0 ? "" : NULL;
    }
    fflush(stdout);
    int kept = dup(STDOUT_FILENO), file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    ck_assert(kept >= 0 && file >= 0);
    dup2(file, STDOUT_FILENO);
    int code = publication_wait(client, &invocation, "t", version);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    ssize_t got = pread(file, said, sizeof(said) - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    close(file);
    close(kept);
    return code;
}

static const struct {
    const char *answers[ANSWERS_MAX];
    int asked;
    const char *words; /* NULL: nothing is printed */
} waits[] = {
    /* what is pending is waited for, wherever it stands in the list, */
    {{TITLE("false", "false", AT("e1", "held", "false") "," AT("cat", "waiting", "true")),
      TITLE("false", "false", AT("e1", "running", "true") "," AT("cat", "waiting", "true")),
      TITLE("true", "false", AT("e1", "held", "false") "," AT("cat", "held", "false"))},
     3,
     "t: all endpoints are as they are to be\n  at e1: held\n  at cat: held\n"},
    /* what has failed for now is not, and is named, */
    {{TITLE("false", "false", AT("e1", "held", "false") "," AT("e2", "waiting", "false"))},
     1,
     "t: these endpoints are behind, and are caught up when they can be:\n"},
    /* nor what was taken away, */
    {{TITLE("false", "false", AT("e1", "gone", "false"))}, 1, "t: all endpoints are as"},
    /* but a rollback, whose pushes come only after it; */
    {{TITLE("true", "true", AT("e1", "held", "false")), HELD}, 2, "t: all endpoints are as"},
    /* and without endpoints, or from a scheduler that knows of none, there is nothing to say. */
    {{TITLE("false", "false", "")}, 1, NULL},
    {{"{\"title\":\"t\",\"version\":\"v2\"}"}, 1, NULL},
};

START_TEST(what_is_on_its_way_is_waited_for) {
    answers = waits[_i].answers;
    ck_assert_int_eq(wait_for(NULL, false), EXIT_DONE);
    ck_assert_int_eq(asked, waits[_i].asked);
    if (waits[_i].words == NULL) {
        ck_assert_str_eq(said, "");
    } else {
        ck_assert_msg(strncmp(said, waits[_i].words, strlen(waits[_i].words)) == 0, "%s", said);
    }
}
END_TEST

/* Each line is a document, and the last one has it all. */
START_TEST(programs_are_told_the_end) {
    static const char *const list[] = {
        TITLE("false", "false", AT("e1", "waiting", "true") "," AT("e2", "waiting", "true")),
        TITLE("true", "false", AT("e1", "held", "false") "," AT("e2", "waiting", "false")), NULL};
    answers = list;
    ck_assert_int_eq(wait_for(NULL, true), EXIT_DONE);
    const char *first = "{\"event\":\"publishing\",\"title\":\"t\",\"endpoints\":2,\"behind\":2}\n";
    const char *last = "{\"event\":\"published\",\"title\":\"t\",\"version\":\"v2\","
                       "\"published\":true,\"behind\":1,\"publications\":[";
    ck_assert_msg(strncmp(said, first, strlen(first)) == 0, "%s", said);
    ck_assert_msg(strncmp(said + strlen(first), last, strlen(last)) == 0, "%s", said);
    ck_assert_ptr_null(strchr(strchr(said + strlen(first), '\n') + 1, '\n'));
}
END_TEST

START_TEST(a_rollback_that_did_not_come_about_is_a_failure) {
    static const char *const list[] = {HELD, NULL};
    answers = list;
    ck_assert_int_eq(wait_for("v1", false), EXIT_FAILED);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(wait_for("v2", false), EXIT_DONE);
}
END_TEST

Suite *publication_wait_suite(void) {
    Suite *suite = suite_create("publication_wait");
    TCase *tests = tcase_create("publication_wait");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, what_is_on_its_way_is_waited_for, 0,
                        sizeof(waits) / sizeof(waits[0]));
    tcase_add_test(tests, programs_are_told_the_end);
    tcase_add_test(tests, a_rollback_that_did_not_come_about_is_a_failure);
    suite_add_tcase(suite, tests);
    return suite;
}
