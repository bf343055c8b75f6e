/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `--wait` until a title is published, or many are: how long it is waited, and what is told in the
 * end, by a scheduler that answers what it is told. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/batch_wait.h"
#include "cli/publication_text.h"
#include "cli/publication_wait.h"
#include "common/http_server.h"
#include "common/mem.h"

Suite *publication_wait_suite(void);

enum { ANSWERS_MAX = 4, TITLES_MAX = 3, SAID_BYTES = 4000 };

/* A publication, as the view of a title tells of it. */
#define AT_A(catalog, endpoint, state, pending)                                                    \
    "{\"listed\":true," AT_MEMBERS(catalog, endpoint, state, pending)
#define AT_MEMBERS(catalog, endpoint, state, pending)                                              \
    "\"endpoint\":\"" endpoint "\",\"state\":\"" state "\",\"held\":\"\",\"wanted\":\"\","         \
    "\"catalog\":" catalog ",\"error\":\"\",\"done\":0,\"total\":0,\"pending\":" pending "}"
#define AT(endpoint, state, pending) AT_A("false", endpoint, state, pending)
#define AT_CAT(state, pending)       AT_A("true", "cat", state, pending)
/* A catalog that the scheduler's file has no more. */
#define UNLISTED(endpoint, state) "{\"listed\":false," AT_MEMBERS("true", endpoint, state, "false")

/* A title's answer. */
#define TITLE(published, rolls_back, publications)                                                 \
    "{\"title\":\"t\",\"version\":\"v2\",\"published\":" published ",\"rolling_back\":" rolls_back \
    ",\"publications\":[" publications "]}"
#define HELD TITLE("true", "false", AT("e1", "held", "false"))

static struct http_server *server;
static struct client *client;
/* To those who ask for t, u, v: in order; the last before NULL again and again. Without any there
 * is no such title. */
static const char *const *answers[TITLES_MAX];
static atomic_int asked[TITLES_MAX];
static bool breaks;    /* Ctrl-C is pressed when somebody asks */
static bool asks_left; /* of a title that was removed */
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
    int title = 0;
    (void)context;
    ck_assert_int_eq(strncmp(exchange->path, "/v1/titles/", 11), 0);
    title = exchange->path[11] - 't';
    ck_assert(title >= 0 && title < TITLES_MAX);
    ck_assert_str_eq(exchange->path + 12, asks_left ? "/publications" : "");
    int at = atomic_fetch_add(&asked[title], 1);
    if (breaks) {
        kill(getpid(), SIGINT);
    }
    if (answers[title] == NULL) {
        const struct err gone = {.code = ERR_NOT_FOUND, .message = "there is no such title"};
        http_answer_problem(exchange, 404, &gone);
        return;
    }
    while (at > 0 && answers[title][at] == NULL) {
        at--;
    }
    buf_string(&text, answers[title][at]);
    http_answer(exchange, 200, "application/json", &text);
}

static void set_up(void) {
    struct http_server_options options = http_server_options_default();
    struct client_options own = client_options_default();
    options.handle = handle;
    options.authorise = authorise;
    err = (struct err){0};
    breaks = asks_left = false;
    for (int i = 0; i < TITLES_MAX; i++) {
        answers[i] = NULL;
        atomic_store(&asked[i], 0);
    }
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

/* What a command does that waits. */
typedef int waiting(const struct invocation *invocation, const char *version);

static int wait_for_one(const struct invocation *invocation, const char *version) {
    return publication_wait(client, invocation, "t", version);
}

static int wait_for_all(const struct invocation *invocation, const char *version) {
    static const char *const titles[TITLES_MAX] = {"t", "u", "v"};
    (void)version;
    return batch_wait(client, invocation, titles, TITLES_MAX);
}

/* The exit code; what is printed is in `said`. */
static int run(waiting *wait_for, const char *version, bool json) {
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
    int code = wait_for(&invocation, version);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    ssize_t got = pread(file, said, sizeof(said) - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    close(file);
    close(kept);
    return code;
}

static int wait_for(const char *version, bool json) {
    return run(wait_for_one, version, json);
}

/* ---- one title ------------------------------------------------------------------------------ */

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
    /* which is no lie of an edge that players get it from still, */
    {{TITLE("false", "false", AT("e1", "fetches", "false") "," AT("e2", "gone", "false"))},
     1,
     "t: all is done, but some give on from the output what was taken from them:\n"
     "  at e1: fetches from the output, which has the title still: `reelfarm remove` it"},
    /* nor what the scheduler's file lists no more, */
    {{TITLE("true", "false",
            AT("e1", "held", "false") "," UNLISTED("cat", "waiting") "," UNLISTED("e2", "held"))},
     1,
     "t: all endpoints are as they are to be\n  at e1: held\n"
     "  at cat: waiting; the scheduler's file lists that endpoint no more: `reelfarm endpoints "
     "forget cat` if it is no more\n"},
    /* but a rollback, whose pushes come only after it; */
    {{TITLE("true", "true", AT("e1", "held", "false")), HELD}, 2, "t: all endpoints are as"},
    /* and without endpoints, or from a scheduler that knows of none, there is nothing to say. */
    {{TITLE("false", "false", "")}, 1, NULL},
    {{"{\"title\":\"t\",\"version\":\"v2\"}"}, 1, NULL},
};

START_TEST(what_is_on_its_way_is_waited_for) {
    answers[0] = waits[_i].answers;
    ck_assert_int_eq(wait_for(NULL, false), EXIT_DONE);
    ck_assert_int_eq(asked[0], waits[_i].asked);
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
    answers[0] = list;
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
    answers[0] = list;
    ck_assert_int_eq(wait_for("v1", false), EXIT_FAILED);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(wait_for("v2", false), EXIT_DONE);
}
END_TEST

/* ---- one that was removed ------------------------------------------------------------------- */

#define LEFT(state, publications)                                                                  \
    "{\"title\":\"t\",\"state\":\"" state "\",\"publications\":[" publications "]}"
#define AWAY LEFT("removed", AT("e1", "gone", "false") "," AT("e2", "withdrawing", "false"))
#define GOES LEFT("removed", AT("e1", "withdrawing", "true"))

static const struct {
    const char *answers[ANSWERS_MAX];
    bool waits;
    int asked;
    bool left;
} removals[] = {
    /* Who can't be reached is told of and not waited for, */
    {{AWAY}, true, 1, true},
    {{AWAY}, false, 1, true},
    /* who is about to be rid of it is, where that was asked for, */
    {{GOES, GOES, AWAY}, true, 3, true},
    {{GOES, NULL}, false, 1, true},
    /* also to its end, of which the scheduler says in the end that there is no such title. */
    {{GOES, LEFT("removed", AT("e1", "gone", "false"))}, true, 2, false},
    {{NULL}, true, 1, false},
    /* One that was submitted again is another. */
    {{LEFT("running", AT("e1", "waiting", "true"))}, true, 1, false},
};

START_TEST(endpoints_that_still_hold_it_are_told_of) {
    struct json *answer = NULL;
    asks_left = true;
    answers[0] = removals[_i].answers[0] == NULL ? NULL : removals[_i].answers;
    ck_assert_msg(publications_left(client, "t", removals[_i].waits, &answer, &err) == 0, "%s",
                  err.message);
    ck_assert_int_eq(asked[0], removals[_i].asked);
    ck_assert_int_eq(answer != NULL, removals[_i].left);
    json_tree_destroy(answer);
}
END_TEST

/* Those that wait, and are tried again at 3 s: endpoint, own error, for what, since, until, why. */
static const char *const behind[][6] = {
    {"e4", "", "breaker", "1000", "2000", "it answers 502"},
    {"e5", "it answers 500", "breaker", "1000", "2000", "it answers 502"},
    {"e6", "", "trial", "1000", "null", "it answers 500"},
    {"e7", "", "window", "null", "2000", ""},
    {"e8", "", "worker", "null", "null", "no worker is there"},
    {"e9", "", "others", "null", "null", ""},
    {"e10", "it answers 500", "pause", "null", "3000", ""},
    {"e11", "", "turn", "null", "null", ""},
    {"e12", "the origin keeps it no more", "pause", "null", "4000", ""},
    {"e13", "", "sweep", "null", "4000", ""},
    {"e14", "", "worker", "1000", "4000", "no worker is there"}, /* by a newer scheduler */
};

static void write_waiting(struct buf *out) {
    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        const char *const *one = behind[i];
        buf_format(out,
                   ",{\"endpoint\":\"%s\",\"state\":\"waiting\",\"held\":\"\",\"wanted\":\"v2\","
                   "\"error\":\"%s\",\"done\":0,\"total\":0,\"retry_at\":3000,\"waits\":{"
                   "\"for\":\"%s\",\"since\":%s,\"until\":%s,\"reason\":\"%s\"}}",
                   one[0], one[1], one[2], one[3], one[4], one[5]);
    }
}

/* Each with what people would ask next. */
START_TEST(how_it_stands_at_each_is_told) {
    static const char text[] =
        "{\"publications\":["
        "{\"endpoint\":\"e1\",\"state\":\"held\",\"held\":\"v2\",\"wanted\":\"v2\","
        "\"error\":\"\",\"done\":7,\"total\":7,\"retry_at\":null},"
        "{\"endpoint\":\"e2\",\"state\":\"running\",\"held\":\"v1\",\"wanted\":\"v2\","
        "\"error\":\"\",\"done\":3,\"total\":7,\"retry_at\":null},"
        "{\"endpoint\":\"e3\",\"state\":\"withdrawing\",\"held\":\"v1\",\"wanted\":\"\","
        "\"error\":\"it answers 500\",\"done\":0,\"total\":0,\"retry_at\":1000}";
    struct json *tree = NULL;
    struct buf out = {0}, all = {0};
    buf_string(&all, text);
    write_waiting(&all);
    buf_string(&all, "]}");
    ck_assert_int_eq(json_tree_parse(&tree, buf_text(&all), all.size, &err), 0);
    struct reader r = reader_of(tree, "it", &err);
    publications_text(&r, &out);
    ck_assert_str_eq(buf_text(&out),
                     "  at e1: held\n"
                     "  at e2: running, 3/7 objects, has version v1\n"
                     "  at e3: withdrawing, has version v1; it failed so: it answers 500; tried "
                     "again after 1970-01-01T00:00:01.000Z\n"
                     "  at e4: waiting; that endpoint is broken off since "
                     "1970-01-01T00:00:01.000Z, and tried again after 1970-01-01T00:00:02.000Z; "
                     "what failed there last: it answers 502\n"
                     "  at e5: waiting; it failed so: it answers 500; that endpoint is broken off "
                     "since 1970-01-01T00:00:01.000Z, and tried again after "
                     "1970-01-01T00:00:02.000Z\n"
                     "  at e6: waiting; that endpoint is on trial, a push at a time, broken off "
                     "since 1970-01-01T00:00:01.000Z; what failed there last: it answers 500\n"
                     "  at e7: waiting; its window is shut until 1970-01-01T00:00:02.000Z\n"
                     "  at e8: waiting; it waits for a worker: no worker is there\n"
                     "  at e9: waiting; edges come first\n"
                     "  at e10: waiting; it failed so: it answers 500; tried again after "
                     "1970-01-01T00:00:03.000Z\n"
                     "  at e11: waiting; tried again after 1970-01-01T00:00:03.000Z\n"
                     "  at e12: waiting; it failed so: the origin keeps it no more; tried again "
                     "after 1970-01-01T00:00:04.000Z\n"
                     "  at e13: waiting; what lies there in vain is taken away first, and it goes "
                     "on after 1970-01-01T00:00:04.000Z\n"
                     "  at e14: waiting; it waits for a worker: no worker is there\n");
    buf_finish(&all);
    buf_finish(&out);
    json_tree_destroy(tree);
}
END_TEST

/* ---- many titles ---------------------------------------------------------------------------- */

/* A title as its view tells of it, encoded to a half. */
#define IS(title, state, error, rest)                                                              \
    "{\"title\":\"" title "\",\"state\":\"" state "\",\"class\":\"\",\"error\":\"" error           \
    "\",\"version\":\"v2\",\"frames\":100,\"seconds\":4,\"encoded_frames\":50,"                    \
    "\"encoded_total\":100,\"frames_repaired\":0,\"frames_concealed\":0,\"workers_busy\":1,"       \
    "\"stats\":{\"failures\":0,\"losses\":0},\"renditions\":[]," rest "}"
#define PLACES(published, rolls_back, publications)                                                \
    "\"published\":" published ",\"rolling_back\":" rolls_back ",\"publications\":[" publications  \
    "]"
#define NOWHERE     PLACES("false", "false", "")
#define RUNS(title) IS(title, "running", "", NOWHERE)
#define DONE(title) IS(title, "done", "", PLACES("true", "false", AT("e1", "held", "false")))

static const struct {
    const char *answers[TITLES_MAX][ANSWERS_MAX];
    int asked[TITLES_MAX];
    int code;
    const char *said;
} batches[] = {
    /* each is waited for, told in the order of the list; its words are plain. */
    {{{RUNS("t"), RUNS("t"), DONE("t")}, {DONE("u")}, {RUNS("v"), DONE("v")}},
     {3, 1, 2},
     EXIT_DONE,
     "t: done, version v2, published\nu: done, version v2, published\n"
     "v: done, version v2, published\n3 titles: 3 done, 0 failed; 3 published\n"},
    /* so is what is on its way to an edge, or back to another version. */
    {{{IS("t", "done", "", PLACES("false", "false", AT("e1", "running", "true"))), DONE("t")},
      {IS("u", "done", "", PLACES("true", "true", AT("e1", "held", "false"))), DONE("u")},
      {IS("v", "done", "", PLACES("true", "false", ""))}},
     {2, 2, 1},
     EXIT_DONE,
     "t: done, version v2, published\nu: done, version v2, published\nv: done, version v2\n"
     "3 titles: 3 done, 0 failed; 3 published\n"},
    /* What was taken away from all is not published; */
    {{{DONE("t")},
      {IS("u", "done", "", PLACES("false", "false", AT("e1", "gone", "false")))},
      {DONE("v")}},
     {1, 1, 1},
     EXIT_DONE,
     "t: done, version v2, published\nu: done, version v2\nv: done, version v2, published\n"
     "3 titles: 3 done, 0 failed; 2 published\n"},
    /* an edge that is behind for now is not waited for, and is no failure. */
    {{{IS("t", "done", "",
          PLACES("true", "false", AT("e1", "waiting", "false") "," AT_CAT("held", "false")))},
      {DONE("u")},
      {DONE("v")}},
     {1, 1, 1},
     EXIT_DONE,
     "t: done, version v2; 1 of 2 endpoints are behind\nu: done, version v2, published\n"
     "v: done, version v2, published\n"
     "3 titles: 3 done, 0 failed; 3 published, 1 not yet at each edge\n"},
    /* nor is a catalog that the scheduler's file lists no more. */
    {{{IS("t", "done", "",
          PLACES("true", "false", AT("e1", "held", "false") "," UNLISTED("cat", "waiting")))},
      {DONE("u")},
      {DONE("v")}},
     {1, 1, 1},
     EXIT_DONE,
     "t: done, version v2, published\nu: done, version v2, published\n"
     "v: done, version v2, published\n3 titles: 3 done, 0 failed; 3 published\n"},
    /* A catalog that does not know one is, */
    {{{DONE("t")},
      {IS("u", "done", "", PLACES("false", "false", AT_CAT("waiting", "false")))},
      {IS("v", "done", "",
          PLACES("false", "false", AT("e1", "waiting", "false") "," AT_CAT("waiting", "false")))}},
     {1, 1, 1},
     EXIT_FAILED,
     "t: done, version v2, published\n"
     "u: done, version v2; 1 of 1 endpoints are behind, so it is not published\n"
     "v: done, version v2; 2 of 2 endpoints are behind, so it is not published\n3 titles: 3 done, "
     "0 failed; 1 published, 2 not yet in each catalog, 1 not yet at each edge\n"},
    /* and so is one that failed, was cancelled or taken away: the rest is waited for. */
    {{{IS("t", "running", "", NOWHERE), IS("t", "failed", "it is no film\\u001b[31m", NOWHERE)},
      {IS("u", "cancelled", "", NOWHERE)},
      {RUNS("v"), DONE("v")}},
     {2, 1, 2},
     EXIT_FAILED,
     "t: failed: it is no film [31m\nu: cancelled\nv: done, version v2, published\n"
     "3 titles: 1 done, 2 failed; 1 published\n"},
    {{{DONE("t")}, {NULL}, {IS("v", "failing", "it breaks", NOWHERE), DONE("v")}},
     {1, 1, 2},
     EXIT_FAILED,
     "t: done, version v2, published\nu: removing: it was removed\n"
     "v: done, version v2, published\n3 titles: 2 done, 1 failed; 2 published\n"},
};

static void answer_batch(int index) {
    for (int i = 0; i < TITLES_MAX; i++) {
        answers[i] = batches[index].answers[i][0] == NULL ? NULL : batches[index].answers[i];
    }
}

START_TEST(all_of_a_batch_are_waited_for) {
    answer_batch(_i);
    int code = run(wait_for_all, NULL, false);
    ck_assert_str_eq(said, batches[_i].said);
    ck_assert_int_eq(code, batches[_i].code);
    for (int i = 0; i < TITLES_MAX; i++) {
        ck_assert_int_eq(asked[i], batches[_i].asked[i]);
    }
}
END_TEST

/* The first look that finds one waiting is told at once, and each end. */
START_TEST(programs_are_told_of_a_batch) {
    static const char *const own[TITLES_MAX][ANSWERS_MAX] = {
        {RUNS("t"), DONE("t")},
        {IS("u", "failed", "it is no film", NOWHERE)},
        {IS("v", "done", "", PLACES("false", "false", AT_CAT("waiting", "false")))}};
    for (int i = 0; i < TITLES_MAX; i++) {
        answers[i] = own[i];
    }
    ck_assert_int_eq(run(wait_for_all, NULL, true), EXIT_FAILED);
    ck_assert_str_eq(
        said,
        "{\"event\":\"waiting\",\"titles\":3,\"ended\":0,\"failed\":0,\"published\":0,"
        "\"unpublished\":0,\"behind\":0}\n"
        "{\"event\":\"ended\",\"title\":\"t\",\"state\":\"done\",\"error\":\"\","
        "\"version\":\"v2\",\"published\":true,\"behind\":0}\n"
        "{\"event\":\"ended\",\"title\":\"u\",\"state\":\"failed\",\"error\":\"it is no film\","
        "\"version\":\"v2\",\"published\":false,\"behind\":0}\n"
        "{\"event\":\"ended\",\"title\":\"v\",\"state\":\"done\",\"error\":\"\","
        "\"version\":\"v2\",\"published\":false,\"behind\":1}\n"
        "{\"event\":\"ended-all\",\"titles\":3,\"ended\":3,\"failed\":1,\"published\":1,"
        "\"unpublished\":1,\"behind\":0}\n");
}
END_TEST

/* What can't be understood ends it, without sums that would not be true. */
START_TEST(a_scheduler_that_talks_nonsense_ends_it) {
    static const char *const nonsense[] = {"{\"title\":\"u\",\"state\":\"asleep\"}", NULL};
    static const char *const done[] = {DONE("t"), NULL};
    answers[0] = answers[2] = done;
    answers[1] = nonsense;
    int code = run(wait_for_all, NULL, false);
    ck_assert(code != EXIT_DONE && code != EXIT_INTERRUPTED);
    ck_assert_str_eq(said, "t: done, version v2, published\n");
    ck_assert_int_eq(asked[2], 0);
}
END_TEST

/* The last test: its process has been interrupted. */
START_TEST(who_waits_may_be_interrupted) {
    static const char *const runs[] = {RUNS("t"), NULL};
    answers[0] = runs;
    breaks = true;
    ck_assert_int_eq(run(wait_for_all, NULL, false), EXIT_INTERRUPTED);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(asked[0], 1);
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
    tcase_add_loop_test(tests, endpoints_that_still_hold_it_are_told_of, 0,
                        sizeof(removals) / sizeof(removals[0]));
    tcase_add_test(tests, how_it_stands_at_each_is_told);
    tcase_add_loop_test(tests, all_of_a_batch_are_waited_for, 0,
                        sizeof(batches) / sizeof(batches[0]));
    tcase_add_test(tests, programs_are_told_of_a_batch);
    tcase_add_test(tests, a_scheduler_that_talks_nonsense_ends_it);
    tcase_add_test(tests, who_waits_may_be_interrupted);
    suite_add_tcase(suite, tests);
    return suite;
}
