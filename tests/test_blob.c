/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources in files and behind a real nginx: pinned reading, sources that change while they are
 * read, servers without ranges, and that lie. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"

Suite *blob_suite(void);

enum { MIB = 1024 * 1024, SIZE = 3 * MIB + 17 };

static char *folder;
static char *path; /* of "f" in it */
static struct blob_options options;
static struct blob_source *source;
static struct blob *blob;
static struct err err;
static unsigned char *data;

static void setup(void) {
    folder = fixture_folder();
    path = mem_format("%s/f", folder);
    options = blob_options_default();
    options.attempts = 3;
    options.stall_s = 2;
    source = NULL;
    blob = NULL;
    err = (struct err){0};
    data = fixture_bytes(SIZE);
}

static void teardown(void) {
    blob_source_close(source);
    blob_close(blob);
    mem_free(data);
    mem_free(path);
    fixture_folder_drop(folder);
}

static int read_all(void *out, int64_t offset, size_t size, size_t *got) {
    return blob_read_at(source, offset, out, size, got, &err);
}

static void check_source(size_t size) {
    unsigned char *out = mem_resize(NULL, SIZE + 100, 1);
    size_t got = 0;
    ck_assert_int_eq(blob_source_facts(source)->size, (int64_t)size);
    ck_assert_msg(read_all(out, 0, SIZE + 100, &got) == 0, "%s", err.message);
    ck_assert_uint_eq(got, size);
    ck_assert_int_eq(memcmp(out, data, size), 0);
    ck_assert_int_eq(read_all(out, (int64_t)size, 5, &got), 0);
    ck_assert_uint_eq(got, 0);
    if (size > 10) {
        ck_assert_int_eq(read_all(out, (int64_t)size - 3, 5, &got), 0);
        ck_assert_uint_eq(got, 3);
        ck_assert_int_eq(memcmp(out, data + size - 3, 3), 0);
    }
    ck_assert_int_eq(read_all(out, -1, 5, &got), ERR_INVALID);
    err_clear(&err);
    ck_assert_int_eq(read_all(out, INT64_MAX, 5, &got), 0);
    ck_assert_uint_eq(got, 0);
    mem_free(out);
}

/* ---- Sources that are files ---------------------------------------------------------- */

START_TEST(a_file_is_read_by_path_and_by_url) {
    static const char *const forms[] = {"%s/a b%%.mp4", "file://%s/a%%20b%%25.mp4",
                                        "FILE://localhost%s/a%%20b%%25.mp4"};
    char *url = mem_format(forms[_i], folder);
    fixture_write(folder, "a b%.mp4", data, SIZE);
    ck_assert_msg(blob_source_open(&source, url, &options, &err) == 0, "%s", err.message);
    check_source(SIZE);
    ck_assert_str_eq(blob_source_facts(source)->identity, "");
    ck_assert_int_ge(blob_source_fd(source), 0);
    ck_assert_int_ge(blob_source_traffic(source).bytes, SIZE);
    mem_free(url);
}
END_TEST

static const struct {
    const char *url;
    enum err_code code;
    const char *message;
} unopened[] = {
    {"", ERR_INVALID, "neither a path nor a URL"},
    {"/nowhere/f.mp4", ERR_NOT_FOUND,
     "'/nowhere/f.mp4': No such file or directory; check its name"},
    {"/tmp", ERR_INVALID, "is a folder"},
    {"/dev/null", ERR_INVALID, "not a regular file"},
    {"file://elsewhere/f", ERR_INVALID, "write file:///path"},
    {"file:///a%zz", ERR_INVALID, "wrong % escape"},
    {"file:///a%00b", ERR_INVALID, "wrong % escape"},
    {"ftp://h/f", ERR_UNSUPPORTED, "'ftp' is not known"},
    {"s3x://h/f", ERR_UNSUPPORTED, "'s3x' is not known"},
    {"http://127.0.0.1:99999/f", ERR_INVALID,
     "cannot read the source: GET http://127.0.0.1:99999/f"},
};

START_TEST(what_cannot_be_read_is_named) {
    ck_assert_int_eq(blob_source_open(&source, unopened[_i].url, &options, &err),
                     unopened[_i].code);
    ck_assert_msg(strstr(err.message, unopened[_i].message) != NULL, "%s", err.message);
    ck_assert_ptr_null(source);
}
END_TEST

START_TEST(a_pipe_does_not_hold_us) {
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(blob_source_open(&source, path, &options, &err), ERR_INVALID);
}
END_TEST

enum change { GROWS, SHRINKS, REWRITTEN };

START_TEST(a_file_that_changes_is_noticed) {
    char out[10];
    size_t got = 0;
    fixture_write(folder, "f", data, SIZE);
    ck_assert_int_eq(blob_source_open(&source, path, &options, &err), 0);
    ck_assert_int_eq(read_all(out, 0, 10, &got), 0);
    clock_sleep_ms(20, NULL); /* file times have the kernel's tick */
    int fd = open(path, O_WRONLY | O_CLOEXEC | (_i == GROWS ? O_APPEND : 0));
    ck_assert_int_eq(_i == SHRINKS ? ftruncate(fd, 5) : write(fd, "x", 1) - 1, 0);
    close(fd);
    ck_assert_int_eq(read_all(out, _i == SHRINKS ? 20 : 0, 10, &got), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "changed while it was read") != NULL, "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.message, path));
}
END_TEST

START_TEST(a_file_that_is_replaced_is_another) {
    struct blob_source *second = NULL;
    fixture_write(folder, "f", data, SIZE);
    ck_assert_int_eq(blob_source_open(&source, path, &options, &err), 0);
    struct blob_facts facts = *blob_source_facts(source);
    fixture_write(folder, "f", data, SIZE);
    check_source(SIZE); /* what is open stays whole */
    ck_assert_int_eq(blob_source_open(&second, path, &options, &err), 0);
    ck_assert_int_eq(blob_source_expect(source, facts.size, facts.pin, &err), 0);
    ck_assert_int_eq(blob_source_expect(second, facts.size, facts.pin, &err), ERR_CORRUPT);
    blob_source_close(second);
}
END_TEST

/* ---- Sources behind nginx --------------------------------------------------------------- */

static struct fixture_web web;

/* Puts the data there as /f and opens it at `prefix`. */
static bool open_on_web(const char *test, const char *lines, const char *prefix, size_t size) {
    if (!fixture_web_start(&web, test, lines)) {
        return false;
    }
    fixture_write(web.folder, "www/f", data, size);
    char *url = mem_format("%s%s/f?key=s3cret", web.url, prefix);
    int code = blob_source_open(&source, url, &options, &err);
    ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
    ck_assert_int_eq(code, err.code);
    mem_free(url);
    return true;
}

START_TEST(a_web_object_is_read_by_ranges) {
    if (!open_on_web("a_web_object_is_read_by_ranges", "", "", SIZE)) {
        return;
    }
    ck_assert_msg(source != NULL, "%s", err.message);
    ck_assert(strncmp(blob_source_facts(source)->pin, "etag:\"", 6) == 0);
    ck_assert(strncmp(blob_source_facts(source)->identity, "etag:", 5) == 0);
    ck_assert_int_eq(blob_source_fd(source), -1);
    ck_assert_ptr_null(strstr(blob_source_name(source), "s3cret"));
    check_source(SIZE);
    check_source(SIZE);
    ck_assert_int_eq(blob_source_traffic(source).requests, fixture_web_requests(&web));
    ck_assert_int_eq(blob_source_traffic(source).bytes, SIZE); /* nothing twice */
    fixture_web_stop(&web);
}
END_TEST

START_TEST(small_and_empty_web_objects_are_read) {
    static const size_t sizes[] = {0, 1, 256 * 1024, 256 * 1024 + 1};
    if (!open_on_web("small_and_empty_web_objects_are_read", "", "", sizes[_i])) {
        return;
    }
    ck_assert_msg(source != NULL, "%s", err.message);
    check_source(sizes[_i]);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(a_redirect_is_followed) {
    if (!open_on_web("a_redirect_is_followed", "location /moved/ { return 302 /f; }", "/moved",
                     SIZE)) {
        return;
    }
    ck_assert_msg(source != NULL, "%s", err.message);
    check_source(SIZE);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(a_server_without_ranges_is_refused_at_once) {
    if (!open_on_web("a_server_without_ranges_is_refused_at_once", "max_ranges 0;", "", SIZE)) {
        return;
    }
    ck_assert_int_eq(err.code, ERR_UNSUPPORTED);
    ck_assert_msg(strstr(err.message, "doesn't answer byte ranges") != NULL, "%s", err.message);
    ck_assert_int_eq(fixture_web_requests(&web), 1);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(a_web_object_that_is_not_there_is_named) {
    if (!open_on_web("a_web_object_that_is_not_there_is_named", "", "/no", SIZE)) {
        return;
    }
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "/no/f: the server answered 404"));
    ck_assert_int_eq(fixture_web_requests(&web), 1); /* which does not pass by itself */
    fixture_web_stop(&web);
}
END_TEST

/* With a strong ETag the server refuses; with Last-Modified alone the answer shows it; with
 * neither, the size. */
static const struct {
    const char *lines;
    bool resized;
    const char *pin;
} replacements[] = {
    {"", false, "etag:\""},
    {"", true, "etag:\""},
    {"etag off;", false, "modified:"},
    {"etag off; if_modified_since off;", true, "modified:"},
};

START_TEST(a_web_object_that_is_replaced_is_noticed) {
    char out[10];
    size_t got = 0;
    if (!open_on_web("a_web_object_that_is_replaced_is_noticed", replacements[_i].lines, "",
                     SIZE)) {
        return;
    }
    ck_assert_msg(source != NULL, "%s", err.message);
    const char *pin = blob_source_facts(source)->pin;
    ck_assert_msg(strncmp(pin, replacements[_i].pin, strlen(replacements[_i].pin)) == 0, "%s", pin);
    ck_assert_int_eq(read_all(out, 0, 10, &got), 0);
    clock_sleep_ms(1100, NULL); /* HTTP times are in seconds */
    data[MIB] ^= 1;
    fixture_write(web.folder, "www/f", data, replacements[_i].resized ? 2 * MIB : SIZE);
    ck_assert_int_eq(read_all(out, MIB, 10, &got), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "changed while it was read") != NULL, "%s", err.message);
    ck_assert_int_eq(read_all(out, 0, 10, &got), 0); /* what was read before is still it */
    fixture_web_stop(&web);
}
END_TEST

START_TEST(a_web_object_that_goes_away_is_named) {
    char out[10];
    size_t got = 0;
    if (!open_on_web("a_web_object_that_goes_away_is_named", "", "", SIZE)) {
        return;
    }
    char *file = mem_format("%s/www/f", web.folder);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(read_all(out, MIB, 10, &got), ERR_NOT_FOUND);
    mem_free(file);
    fixture_web_stop(&web);
}
END_TEST

/* Whether the server's log has so many lines, before long. */
static bool has_answered(int lines) {
    char *log = mem_format("%s/access.log", web.folder);
    int seen = 0;
    for (int i = 0; i < 200 && seen < lines; i++) {
        struct buf text = {0};
        clock_sleep_ms(i > 0 ? 25 : 0, NULL);
        ck_assert_int_eq(fs_read(&text, log, MIB, NULL), 0);
        seen = 0;
        for (size_t at = 0; at < text.size; at++) {
            seen += text.data[at] == '\n';
        }
        buf_finish(&text);
    }
    mem_free(log);
    return seen >= lines;
}

START_TEST(what_will_be_wanted_is_there_before_it_is_asked_for) {
    enum { BLOCK = 256 * 1024 };
    unsigned char *out = mem_resize(NULL, SIZE, 1);
    size_t got = 0;
    if (!open_on_web("what_will_be_wanted_is_there_before_it_is_asked_for", "", "", SIZE)) {
        mem_free(out);
        return;
    }
    for (int i = 0; i < 4; i++) { /* one block is fetched at opening, then one, then two */
        ck_assert_int_eq(read_all(out, (int64_t)i * BLOCK, BLOCK, &got), 0);
    }
    ck_assert(has_answered(4)); /* nobody has asked for more than three answers held */
    ck_assert_int_eq(blob_source_traffic(source).requests, 3); /* not taken yet */
    ck_assert_int_eq(read_all(out, 4 * BLOCK, 2 * BLOCK, &got), 0);
    ck_assert_int_eq(memcmp(out, data + 4 * BLOCK, 2 * BLOCK), 0);
    ck_assert_int_eq(blob_source_traffic(source).requests, 4);
    mem_free(out);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(what_lies_apart_is_read_alone) {
    unsigned char out[100];
    size_t got = 0;
    if (!open_on_web("what_lies_apart_is_read_alone", "", "", SIZE)) {
        return;
    }
    int64_t bytes = blob_source_traffic(source).bytes;
    for (int turn = 0; turn < 2; turn++) { /* it is not kept */
        ck_assert_int_eq(blob_read_alone(source, 2 * MIB + 5, out, 100, &err), 0);
        ck_assert_int_eq(memcmp(out, data + 2 * MIB + 5, 100), 0);
        ck_assert_int_eq(blob_source_traffic(source).requests, 2 + turn);
        ck_assert_int_eq(blob_source_traffic(source).bytes, bytes + 100 * (turn + 1));
    }
    ck_assert_int_eq(blob_read_alone(source, 7, out, 100, &err), 0); /* of the first block */
    ck_assert_int_eq(memcmp(out, data + 7, 100), 0);
    ck_assert_int_eq(read_all(out, 2 * MIB, 10, &got), 0);
    ck_assert_int_eq(blob_read_alone(source, 2 * MIB + 5, out, 100, &err), 0);
    ck_assert_int_eq(blob_source_traffic(source).requests, 4);
    ck_assert_int_eq(blob_read_alone(source, SIZE - 99, out, 100, &err), ERR_INVALID);
    err_clear(&err);
    clock_sleep_ms(1100, NULL); /* HTTP times are in seconds */
    data[MIB] ^= 1;
    fixture_write(web.folder, "www/f", data, SIZE);
    ck_assert_int_eq(blob_read_alone(source, MIB, out, 100, &err), ERR_CORRUPT);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(who_means_to_read_little_reads_little_ahead) {
    unsigned char byte;
    size_t got = 0;
    if (!open_on_web("who_means_to_read_little_reads_little_ahead", "", "", SIZE)) {
        return;
    }
    blob_source_means(source, 2 * MIB, 2 * MIB + MIB / 2);
    for (int64_t at = 0; at < 2 * MIB; at += 1000) {
        ck_assert_int_eq(read_all(&byte, at, 1, &got), 0);
    }
    ck_assert_int_le(blob_source_traffic(source).bytes, 2 * MIB + 2 * MIB / 8);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(a_slow_server_is_waited_for) {
    /* 3 MiB at 2 MiB/s after the first 512 KiB: slower than the pieces, faster than a stall */
    if (!open_on_web("a_slow_server_is_waited_for", "limit_rate 2m; limit_rate_after 512k;", "",
                     SIZE)) {
        return;
    }
    check_source(SIZE);
    fixture_web_stop(&web);
}
END_TEST

/* ---- Servers that misbehave ---------------------------------------------------------------- */

static struct fixture_stub stub;

/* The first 256 KiB of a 1 MiB object, as a decent server sends them. */
static char *first_block(void) {
    struct buf text = {0};
    buf_string(&text, "HTTP/1.1 206 Partial Content\r\nContent-Length: 262144\r\nETag: \"one\"\r\n"
                      "Content-Range: bytes 0-262143/1048576\r\n\r\n");
    for (int i = 0; i < 262144; i++) {
        buf_u8(&text, 'a');
    }
    char *copy = mem_string(buf_text(&text));
    buf_finish(&text);
    return copy;
}

#define PIECE(range, etag, body)                                                                   \
    "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nETag: " etag                             \
    "\r\nContent-Range: bytes " range "\r\n\r\n" body

static const struct {
    struct fixture_answer answers[3]; /* after the first block; the last again and again */
    int code;
    const char *message;
    int taken; /* requests in all */
} lies[] = {
    {{{PIECE("0-3/1048576", "\"one\"", "aaaa"), 0}}, ERR_CORRUPT, "not asked for; download", 2},
    {{{PIECE("262144-262147/1048575", "\"one\"", "aaaa"), 0}}, ERR_CORRUPT, "changed", 2},
    {{{PIECE("262144-262147/1048576", "\"two\"", "aaaa"), 0}}, ERR_CORRUPT, "changed", 2},
    {{{PIECE("262144-262147/*", "\"one\"", "aaaa"), 0}}, ERR_CORRUPT, "not asked for", 2},
    {{{PIECE("262144-262140/1048576", "\"one\"", "aaaa"), 0}}, ERR_CORRUPT, "not asked for", 2},
    {{{PIECE("262144-262200/1048576", "\"one\"", "aaaa"), 0}}, ERR_CORRUPT, "gave 4 bytes for", 2},
    {{{"HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n\r\naaaa", 0}},
     ERR_CORRUPT,
     "not asked for",
     2},
    {{{"HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n", 0}}, ERR_CORRUPT, "changed", 2},
    {{{"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n", 0}}, ERR_CORRUPT, "changed", 2},
    {{{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\naaaa", 0}}, ERR_UNSUPPORTED, "ranges", 2},
    {{{"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 0}},
     ERR_INVALID,
     "403, it forbids this; check",
     2},
    {{{"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 0}},
     ERR_UNAVAILABLE,
     "503, it is overloaded or down; check",
     4},
    {{{NULL, 0}}, ERR_UNAVAILABLE, "Empty reply", 4},
    {{{NULL, 60000}}, ERR_TIMEOUT, "too slow", 3},
    {{{PIECE("262144-524287/1048576", "\"one\"", "aa"), 60000}}, ERR_CORRUPT, "not asked for", 3},
};

START_TEST(no_lie_of_a_server_is_taken_for_bytes) {
    struct fixture_answer answers[4] = {{first_block(), 0}};
    char out[10];
    size_t got = 0;
    memcpy(&answers[1], lies[_i].answers, sizeof(lies[_i].answers));
    options.stall_s = 1;
    fixture_stub_start(&stub, answers, 2);
    ck_assert_int_eq(blob_source_open(&source, stub.url, &options, &err), 0);
    int code = read_all(out, 262144, 4, &got);
    ck_assert_msg(code == lies[_i].code, "%d: %s", code, err.message);
    ck_assert_msg(strstr(err.message, lies[_i].message) != NULL, "%s", err.message);
    ck_assert_int_eq(stub.taken, lies[_i].taken);
    fixture_stub_stop(&stub);
    mem_free((void *)answers[0].text);
}
END_TEST

/* A few bytes before each stall don't make it less of one. */
START_TEST(a_server_that_drips_is_given_up) {
    const struct fixture_answer answers[] = {
        {first_block(), 0},
        {PIECE("262144-524287/1048576", "\"one\"", "aa"), 60000},
        {PIECE("262146-524287/1048576", "\"one\"", "aa"), 60000},
    };
    char out[10];
    size_t got = 0;
    options.stall_s = 1;
    fixture_stub_start(&stub, answers, 3);
    ck_assert_int_eq(blob_source_open(&source, stub.url, &options, &err), 0);
    ck_assert_int_eq(read_all(out, 262144, 4, &got), ERR_TIMEOUT);
    ck_assert_int_eq(stub.taken, 3);
    fixture_stub_stop(&stub);
    mem_free((void *)answers[0].text);
}
END_TEST

START_TEST(a_broken_off_answer_is_gone_on_with) {
    struct buf head = {0};
    buf_string(&head, "HTTP/1.1 206 Partial Content\r\nContent-Length: 262144\r\nETag: \"one\"\r\n"
                      "Content-Range: bytes 0-262143/262152\r\n\r\n");
    for (int i = 0; i < 262144; i++) {
        buf_u8(&head, 'a');
    }
    const struct fixture_answer answers[] = {
        {buf_text(&head), 0},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 8\r\nETag: \"one\"\r\n"
         "Content-Range: bytes 262144-262151/262152\r\n\r\nbcd",
         0},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: \"one\"\r\n"
         "Content-Range: bytes 262147-262151/262152\r\n\r\nefghi",
         0},
    };
    char out[9] = "";
    size_t got = 0;
    fixture_stub_start(&stub, answers, 3);
    ck_assert_int_eq(blob_source_open(&source, stub.url, &options, &err), 0);
    ck_assert_msg(read_all(out, 262144, 8, &got) == 0, "%s", err.message);
    ck_assert_str_eq(out, "bcdefghi");
    ck_assert_ptr_nonnull(strstr(stub.requests[1], "\r\nRange: bytes=262144-262151\r\n"));
    ck_assert_ptr_nonnull(strstr(stub.requests[2], "\r\nRange: bytes=262147-262151\r\n"));
    ck_assert_ptr_nonnull(strstr(stub.requests[2], "\r\nIf-Match: \"one\"\r\n"));
    fixture_stub_stop(&stub);
    buf_finish(&head);
}
END_TEST

START_TEST(without_a_validator_there_is_no_identity) {
    const struct fixture_answer answer = {"HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n"
                                          "Content-Range: bytes 0-3/4\r\n\r\nabcd",
                                          0};
    char out[4];
    size_t got = 0;
    fixture_stub_start(&stub, &answer, 1);
    ck_assert_int_eq(blob_source_open(&source, stub.url, &options, &err), 0);
    ck_assert_str_eq(blob_source_facts(source)->identity, "");
    ck_assert_str_eq(blob_source_facts(source)->pin, "");
    ck_assert_int_eq(read_all(out, 0, 4, &got), 0);
    ck_assert_int_eq(memcmp(out, "abcd", 4), 0);
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(opening_is_tried_again_and_can_be_stopped) {
    const struct fixture_answer answers[] = {
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 0},
        {NULL, 0},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nETag: W/\"weak\"\r\n"
         "Content-Range: bytes 0-3/4\r\n\r\nabcd",
         0}};
    atomic_bool cancel = true;
    struct blob_source *second = NULL;
    fixture_stub_start(&stub, answers, 3);
    ck_assert_msg(blob_source_open(&source, stub.url, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(stub.taken, 3);
    options.cancel = &cancel;
    ck_assert_int_eq(blob_source_open(&second, stub.url, &options, &err), ERR_CANCELLED);
    fixture_stub_stop(&stub);
}
END_TEST

Suite *blob_suite(void) {
    Suite *suite = suite_create("blob");
    TCase *tcase = tcase_create("blob");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_file_is_read_by_path_and_by_url, 0, 3);
    tcase_add_loop_test(tcase, what_cannot_be_read_is_named, 0,
                        sizeof(unopened) / sizeof(unopened[0]));
    tcase_add_test(tcase, a_pipe_does_not_hold_us);
    tcase_add_loop_test(tcase, a_file_that_changes_is_noticed, 0, REWRITTEN + 1);
    tcase_add_test(tcase, a_file_that_is_replaced_is_another);
    tcase_add_test(tcase, a_web_object_is_read_by_ranges);
    tcase_add_loop_test(tcase, small_and_empty_web_objects_are_read, 0, 4);
    tcase_add_test(tcase, a_redirect_is_followed);
    tcase_add_test(tcase, a_server_without_ranges_is_refused_at_once);
    tcase_add_test(tcase, a_web_object_that_is_not_there_is_named);
    tcase_add_loop_test(tcase, a_web_object_that_is_replaced_is_noticed, 0,
                        sizeof(replacements) / sizeof(replacements[0]));
    tcase_add_test(tcase, a_web_object_that_goes_away_is_named);
    tcase_add_test(tcase, what_will_be_wanted_is_there_before_it_is_asked_for);
    tcase_add_test(tcase, what_lies_apart_is_read_alone);
    tcase_add_test(tcase, who_means_to_read_little_reads_little_ahead);
    tcase_add_test(tcase, a_slow_server_is_waited_for);
    tcase_add_loop_test(tcase, no_lie_of_a_server_is_taken_for_bytes, 0,
                        sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(tcase, a_server_that_drips_is_given_up);
    tcase_add_test(tcase, a_broken_off_answer_is_gone_on_with);
    tcase_add_test(tcase, without_a_validator_there_is_no_identity);
    tcase_add_test(tcase, opening_is_tried_again_and_can_be_stopped);
    suite_add_tcase(suite, tcase);
    return suite;
}
