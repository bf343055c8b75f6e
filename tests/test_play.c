/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `reelfarm play` serves and what it does not: rules by table, then a real server. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/media_file.h"
#include "cli/play_server.h"
#include "common/buf.h"
#include "common/delivery.h"
#include "common/mem.h"
#include "common/web.h"
#include "fixture.h"

Suite *play_suite(void);

/* ---- Rules ------------------------------------------------------------------------- */

static const struct {
    const char *path;
    const char *type;
    bool immutable;
    bool valid;
} paths[] = {
    {"master.m3u8", "application/vnd.apple.mpegurl", false, true},
    {"manifest.mpd", "application/dash+xml", false, true},
    {"title.json", "application/json", false, true},
    {"7196c0770fb48e63.m3u8", "application/vnd.apple.mpegurl", true, true},
    {"7196c0770fb48e63.mpd", "application/dash+xml", true, true},
    {"7196c0770fb48e63.json", "application/json", true, true},
    {"7196c0770fb48e6.json", "application/json", false, true},
    {"7196c0770fb48e63/h264-720p-iframes.m3u8", "application/vnd.apple.mpegurl", true, true},
    {"7196C0770FB48E63/h264-720p.m3u8", "application/vnd.apple.mpegurl", false, true},
    {"video/h264-720p-0123456789/init.mp4", "video/mp4", true, true},
    {"video/h264-720p-0123456789/00001.m4s", "video/mp4", true, true},
    {"audio/audio-0123456789/00001.m4s", "video/mp4", true, true},
    {"video/0123456789/00001.m4s", "video/mp4", false, true},
    {"video/h264-720p-012345678g/00001.m4s", "video/mp4", false, true},
    {"a-0123456789.m3u8", "application/vnd.apple.mpegurl", false, true},
    {"notes.txt", NULL, false, true},
    {"m3u8", NULL, false, true},
    {".m3u8", NULL, false, false},
    {"MASTER.M3U8", NULL, false, true},
    {"store.db", NULL, false, true},
    {"", NULL, false, false},
    {"/", NULL, false, false},
    {"/etc/title.json", "application/json", false, false},
    {"a//title.json", "application/json", false, false},
    {"a/", NULL, false, false},
    {"a/early.m3u8", "application/vnd.apple.mpegurl", false, true},
    {"a/early/17/h264-720p.m3u8", "application/vnd.apple.mpegurl", false, true},
    {"..", NULL, false, false},
    {"../title.json", "application/json", false, false},
    {"a/../title.json", "application/json", false, false},
    {"a/./title.json", "application/json", false, false},
    {"a/..", NULL, false, false},
    {"a/.reelfarm/title.json", "application/json", false, false},
    {".reelfarm-draft-1/x.m4s", "video/mp4", false, false},
    {"a..b/x..m4s", "video/mp4", false, true},
};

START_TEST(test_path) {
    const char *type = delivery_type(paths[_i].path);
    if (paths[_i].type == NULL) {
        ck_assert_ptr_null(type);
    } else {
        ck_assert_str_eq(type, paths[_i].type);
    }
    ck_assert_int_eq(delivery_is_immutable(paths[_i].path), paths[_i].immutable);
    ck_assert_int_eq(media_path_valid(paths[_i].path), paths[_i].valid);
}
END_TEST

static const struct {
    const char *text;
    int64_t size;
    enum media_range range;
    int64_t first, length;
} ranges[] = {
    {NULL, 100, MEDIA_WHOLE, 0, 0},
    {"bytes=0-99", 100, MEDIA_PART, 0, 100},
    {"bytes=0-0", 100, MEDIA_PART, 0, 1},
    {"bytes=99-99", 100, MEDIA_PART, 99, 1},
    {"bytes=10-", 100, MEDIA_PART, 10, 90},
    {"bytes=10-1000", 100, MEDIA_PART, 10, 90},
    {"bytes=-1", 100, MEDIA_PART, 99, 1},
    {"bytes=-100", 100, MEDIA_PART, 0, 100},
    {"bytes=-101", 100, MEDIA_PART, 0, 100},
    {"Bytes=5-6", 100, MEDIA_PART, 5, 2},
    {"bytes=007-008", 100, MEDIA_PART, 7, 2},
    {"bytes=50-99999999999999999999999999", 100, MEDIA_PART, 50, 50},
    {"bytes=-99999999999999999999999999", 100, MEDIA_PART, 0, 100},
    {"bytes=100-", 100, MEDIA_BEYOND, 0, 0},
    {"bytes=100-200", 100, MEDIA_BEYOND, 0, 0},
    {"bytes=99999999999999999999999999-", 100, MEDIA_BEYOND, 0, 0},
    {"bytes=-0", 100, MEDIA_BEYOND, 0, 0},
    {"bytes=0-", 0, MEDIA_BEYOND, 0, 0},
    {"bytes=-5", 0, MEDIA_BEYOND, 0, 0},
    {"bytes=9-5", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=-", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=0-1,5-6", 100, MEDIA_WHOLE, 0, 0},
    {"bytes= 0-1", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=0-1 ", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=--5", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=+1-5", 100, MEDIA_WHOLE, 0, 0},
    {"bytes=0x1-5", 100, MEDIA_WHOLE, 0, 0},
    {"bytes", 100, MEDIA_WHOLE, 0, 0},
    {"seconds=0-1", 100, MEDIA_WHOLE, 0, 0},
    {"", 100, MEDIA_WHOLE, 0, 0},
};

START_TEST(test_range) {
    int64_t first = 0;
    int64_t length = 0;
    ck_assert_int_eq(media_range_parse(ranges[_i].text, ranges[_i].size, &first, &length),
                     ranges[_i].range);
    ck_assert_int_eq(first, ranges[_i].first);
    ck_assert_int_eq(length, ranges[_i].length);
}
END_TEST

static const struct {
    const char *list;
    bool listed;
} lists[] = {
    {NULL, false},
    {"", false},
    {"\"a-1\"", true},
    {"W/\"a-1\"", true},
    {"*", true},
    {"\"x\", \"a-1\"", true},
    {"\"x\",\"a-1\"", true},
    {"\"x\" , W/\"a-1\" ", true},
    {"\"a-12\"", false},
    {"\"a-\"", false},
    {"a-1", false},
    {"w/\"a-1\"", false},
    {",,,", false},
    {"W/", false},
};

START_TEST(test_etag) {
    ck_assert_int_eq(web_etag_listed(lists[_i].list, "\"a-1\""), lists[_i].listed);
}
END_TEST

/* ---- A server ------------------------------------------------------------------------ */

enum { SEGMENT_BYTES = 300000 };
static const char secret[] = "not for you";
static const char segment[] = "video/h264-240p-0123456789/00001.m4s";

static char *folder;
static unsigned char *bytes;
static struct play_server *server;

static void make_title(const char *title) {
    static const struct {
        const char *name;
        const char *text;
    } files[] = {
        {"master.m3u8", "#EXTM3U\n"}, {"title.json", "{}\n"},     {"empty.json", ""},
        {"notes.txt", "mine\n"},      {".hidden/x.json", "{}\n"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *name = mem_format("%s/%s", title, files[i].name);
        fixture_write(folder, name, files[i].text, strlen(files[i].text));
        mem_free(name);
    }
    char *name = mem_format("%s/%s", title, segment);
    fixture_write(folder, name, bytes, SEGMENT_BYTES);
    mem_free(name);
}

static void make_link(const char *to, const char *name) {
    char *path = mem_format("%s/%s", folder, name);
    ck_assert_int_eq(symlink(to, path), 0);
    mem_free(path);
}

/* out/ with two titles, one that is not finished, and what must not be served. */
static void start_server(void) {
    struct err err = {0};
    folder = fixture_folder();
    bytes = fixture_bytes(SEGMENT_BYTES);
    fixture_write(folder, "secret.json", secret, strlen(secret));
    make_title("out/zebra");
    make_title("out/ape");
    make_title("out/.reelfarm");
    make_title("out/Upper");
    fixture_write(folder, "out/unfinished/title.json", "{}\n", 3);
    fixture_write(folder, "out/plain.json", "{}\n", 3);
    make_link("../../secret.json", "out/ape/link.json");
    make_link("../..", "out/ape/up");
    make_link("title.json", "out/ape/inside.json");
    make_link("../out/ape", "out/alias");
    char *pipe_name = mem_format("%s/out/ape/pipe.json", folder);
    ck_assert_int_eq(mkfifo(pipe_name, 0600), 0);
    mem_free(pipe_name);
    char *out = mem_format("%s/out", folder);
    ck_assert_msg(play_server_start(&server, out, 0, &err) == 0, "%s", err.message);
    mem_free(out);
}

static void stop_server(void) {
    play_server_stop(server);
    server = NULL;
    mem_free(bytes);
    fixture_folder_drop(folder);
}

static int port_of(const struct play_server *of) {
    return (int)strtol(strrchr(play_server_url(of), ':') + 1, NULL, 10);
}

/* Sends the request as it is written and takes all that comes back. */
static void ask(struct buf *answer, int port, const char *method, const char *path,
                const char *headers) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct buf request = {0};
    char piece[16384];
    ssize_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    buf_format(&request, "%s %s HTTP/1.1\r\nHost: x\r\n%sConnection: close\r\n\r\n", method, path,
               headers);
    ck_assert_int_eq(send(fd, request.data, request.size, MSG_NOSIGNAL), (ssize_t)request.size);
    buf_clear(answer);
    while ((got = recv(fd, piece, sizeof(piece), 0)) > 0) {
        buf_append(answer, piece, (size_t)got);
    }
    close(fd);
    buf_finish(&request);
}

static int status_of(struct buf *answer) {
    const char *text = buf_text(answer);
    ck_assert_msg(strncmp(text, "HTTP/1.1 ", 9) == 0, "no answer: %s", text);
    return (int)strtol(text + 9, NULL, 10);
}

/* Where the body begins. */
static size_t body_at(struct buf *answer) {
    const char *text = buf_text(answer);
    const char *end = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return (size_t)(end - text) + 4;
}

static void copy_header(struct buf *answer, const char *name, char *out, size_t size) {
    const char *text = buf_text(answer);
    char *start = mem_format("\r\n%s: ", name);
    const char *at = strstr(text, start);
    ck_assert_msg(at != NULL, "no %s in %.*s", name, (int)body_at(answer), text);
    at += strlen(start);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
    mem_free(start);
}

#define SEGMENT "/media/ape/video/h264-240p-0123456789/00001.m4s"
#define FOREVER "Cache-Control: public, max-age=31536000, immutable\r\n"
#define SHORT   "Cache-Control: no-cache\r\n"
#define NEVER   "Cache-Control: no-store\r\n"
#define ANYONE  "Access-Control-Allow-Origin: *\r\n"
#define PROBLEM "Content-Type: application/problem+json\r\n"

static const struct {
    const char *method;
    const char *path;
    const char *headers;
    int status;
    const char *with[4]; /* header lines of the answer */
} cases[] = {
    {"GET", "/", "", 200, {"Content-Type: text/html; charset=utf-8\r\n", SHORT}},
    {"GET", "/?title=ape&player=hlsjs", "", 200, {SHORT}},
    {"GET", "/player.js", "", 200, {"Content-Type: text/javascript; charset=utf-8\r\n", SHORT}},
    {"GET", "/player.css", "", 200, {"Content-Type: text/css; charset=utf-8\r\n", SHORT}},
    {"GET", "/titles.json", "", 200, {"Content-Type: application/json\r\n", NEVER}},
    {"HEAD", "/titles.json", "", 200, {"Content-Type: application/json\r\n"}},
    {"GET",
     "/media/ape/master.m3u8",
     "",
     200,
     {"Content-Type: application/vnd.apple.mpegurl\r\n", "Content-Length: 8\r\n", SHORT, ANYONE}},
    {"GET", "/media/ape/master.m3u8?x=1", "", 200, {SHORT}},
    {"GET", "/media/ape/empty.json", "", 200, {"Content-Length: 0\r\n", SHORT}},
    {"GET", "/media/ape/empty.json", "Range: bytes=0-\r\n", 416, {"Content-Range: bytes */0\r\n"}},
    {"GET",
     SEGMENT,
     "",
     200,
     {"Content-Type: video/mp4\r\n", "Content-Length: 300000\r\n", FOREVER,
      "Accept-Ranges: bytes\r\n"}},
    {"HEAD",
     SEGMENT,
     "",
     200,
     {"Content-Type: video/mp4\r\n", "Content-Length: 300000\r\n", FOREVER, "ETag: \""}},
    {"HEAD", SEGMENT, "Range: bytes=0-9\r\n", 200, {"Content-Length: 300000\r\n"}},
    {"GET",
     SEGMENT,
     "Range: bytes=100-299\r\n",
     206,
     {"Content-Range: bytes 100-299/300000\r\n", "Content-Length: 200\r\n", FOREVER, ANYONE}},
    {"GET",
     SEGMENT,
     "Range: bytes=300000-\r\n",
     416,
     {"Content-Range: bytes */300000\r\n", "Content-Length: 0\r\n", NEVER, ANYONE}},
    {"GET", SEGMENT, "Range: bytes=0-1,8-9\r\n", 200, {"Content-Length: 300000\r\n"}},
    {"GET", SEGMENT, "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n", 200, {FOREVER}},
    {"GET",
     SEGMENT,
     "If-None-Match: *\r\n",
     304,
     {FOREVER, "ETag: \"", "Content-Length: 300000\r\n"}},
    {"GET", SEGMENT, "If-None-Match: *\r\nRange: bytes=0-9\r\n", 304, {FOREVER}},
    {"GET", SEGMENT, "If-None-Match: \"other\"\r\n", 200, {FOREVER}},
    /* What is not served. */
    {"GET", "/nothing", "", 404, {PROBLEM, NEVER}},
    {"GET", "/media/", "", 404, {PROBLEM, NEVER}},
    {"GET", "/media/ape", "", 404, {NEVER}},
    {"GET", "/media/ape/", "", 404, {NEVER}},
    {"GET", "/media/ape/video/", "", 404, {NEVER}},
    {"GET", "/media/ape/nothing.m4s", "", 404, {PROBLEM, NEVER}},
    {"GET", "/media/ape/notes.txt", "", 404, {NEVER}},
    {"GET", "/media/plain.json", "", 404, {NEVER}},
    {"GET", "/media/unfinished/title.json", "", 404, {NEVER}},
    {"GET", "/media/Upper/title.json", "", 404, {NEVER}},
    {"GET", "/media/.reelfarm/title.json", "", 404, {NEVER}},
    {"GET", "/media/ape/.hidden/x.json", "", 404, {NEVER}},
    {"GET", "/media/ape/../zebra/title.json", "", 404, {NEVER}},
    {"GET", "/media/../../secret.json", "", 404, {NEVER}},
    {"GET", "/media/ape/../../../secret.json", "", 404, {NEVER}},
    {"GET", "/media/ape//title.json", "", 404, {NEVER}},
    {"GET", "/media//ape/title.json", "", 404, {NEVER}},
    {"GET", "/media/ape/link.json", "", 404, {NEVER}},
    {"GET", "/media/ape/up/secret.json", "", 404, {NEVER}},
    {"GET", "/media/ape/inside.json", "", 404, {NEVER}},
    {"GET", "/media/alias/title.json", "", 404, {NEVER}},
    {"GET", "/media/ape/pipe.json", "", 404, {NEVER}},
    {"GET", "/media/ape/title.json/x.json", "", 404, {NEVER}},
    {"GET", "/media/ape/%2e%2e/%2e%2e/secret.json", "", 400, {NEVER}},
    {"POST",
     "/media/ape/title.json",
     "Content-Length: 0\r\n",
     405,
     {"Allow: GET, HEAD\r\n", NEVER}},
    {"DELETE", "/", "", 405, {"Allow: GET, HEAD\r\n"}},
    {"POST", "/", "Content-Length: 5\r\n", 413, {NEVER}},
};

/* All cases on one server: its folder takes longer to make than they do. */
START_TEST(test_answers) {
    struct buf answer = {0};
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        ask(&answer, port_of(server), cases[c].method, cases[c].path, cases[c].headers);
        const char *text = buf_text(&answer);
        size_t at = body_at(&answer);
        ck_assert_msg(status_of(&answer) == cases[c].status, "%s %s, %s: %.*s", cases[c].method,
                      cases[c].path, cases[c].headers, (int)at, text);
        for (int i = 0; i < 4 && cases[c].with[i] != NULL; i++) {
            ck_assert_msg(strstr(text, cases[c].with[i]) != NULL, "%s %s, %s: no '%s' in %.*s",
                          cases[c].method, cases[c].path, cases[c].headers, cases[c].with[i],
                          (int)at, text);
        }
        if (strcmp(cases[c].method, "HEAD") == 0 || cases[c].status == 304) {
            ck_assert_uint_eq(answer.size, at);
        }
        ck_assert_ptr_null(strstr(text + at, secret));
    }
    buf_finish(&answer);
}
END_TEST

START_TEST(test_bytes) {
    static const struct {
        const char *headers;
        size_t first, length;
    } parts[] = {
        {"", 0, SEGMENT_BYTES},
        {"Range: bytes=0-0\r\n", 0, 1},
        {"Range: bytes=65535-200000\r\n", 65535, 134466},
        {"Range: bytes=-1000\r\n", SEGMENT_BYTES - 1000, 1000},
        {"Range: bytes=1-\r\n", 1, SEGMENT_BYTES - 1},
    };
    struct buf answer = {0};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        ask(&answer, port_of(server), "GET", SEGMENT, parts[i].headers);
        size_t at = body_at(&answer);
        ck_assert_uint_eq(answer.size - at, parts[i].length);
        ck_assert_int_eq(memcmp(answer.data + at, bytes + parts[i].first, parts[i].length), 0);
    }
    buf_finish(&answer);
}
END_TEST

/* A stable name is asked for again each time, and its bytes are sent when they changed. */
START_TEST(test_changed) {
    struct buf answer = {0};
    char etag[MEDIA_ETAG_TEXT];
    char again[128];
    ask(&answer, port_of(server), "GET", "/media/ape/master.m3u8", "");
    copy_header(&answer, "ETag", etag, sizeof(etag));
    snprintf(again, sizeof(again), "If-None-Match: %s\r\n", etag);
    ask(&answer, port_of(server), "GET", "/media/ape/master.m3u8", again);
    ck_assert_int_eq(status_of(&answer), 304);
    fixture_write(folder, "out/ape/master.m3u8", "#EXTM3V\n", 8);
    ask(&answer, port_of(server), "GET", "/media/ape/master.m3u8", again);
    ck_assert_int_eq(status_of(&answer), 200);
    ck_assert_str_eq(buf_text(&answer) + body_at(&answer), "#EXTM3V\n");
    snprintf(again, sizeof(again), "If-Range: %s\r\nRange: bytes=0-1\r\n", etag);
    ask(&answer, port_of(server), "GET", "/media/ape/master.m3u8", again);
    ck_assert_int_eq(status_of(&answer), 200);
    copy_header(&answer, "ETag", etag, sizeof(etag));
    snprintf(again, sizeof(again), "If-Range: %s\r\nRange: bytes=0-1\r\n", etag);
    ask(&answer, port_of(server), "GET", "/media/ape/master.m3u8", again);
    ck_assert_int_eq(status_of(&answer), 206);
    buf_finish(&answer);
}
END_TEST

START_TEST(test_titles) {
    struct buf answer = {0};
    ck_assert_uint_eq(play_server_titles(server), 2);
    ask(&answer, port_of(server), "GET", "/titles.json", "");
    const char *body = buf_text(&answer) + body_at(&answer);
    ck_assert_msg(strstr(body, "{\"titles\":[\"ape\",\"zebra\"],\"hls_js\":") == body, "%s", body);
    fixture_write(folder, "out/unfinished/master.m3u8", "#EXTM3U\n", 8);
    ask(&answer, port_of(server), "GET", "/titles.json", "");
    body = buf_text(&answer) + body_at(&answer);
    ck_assert_msg(strstr(body, "[\"ape\",\"unfinished\",\"zebra\"]") != NULL, "%s", body);
    buf_finish(&answer);
}
END_TEST

/* One title's own folder, whose name need not be a title's. */
START_TEST(test_single) {
    static const struct {
        const char *name;
        const char *title;
    } singles[] = {
        {"out/ape", "ape"},
        {"out/ape/", "ape"},
        {"out/Upper", "upper"},
        {"out/alias", "ape"},
    };
    struct buf answer = {0};
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        struct play_server *single = NULL;
        struct err err = {0};
        char *path = mem_format("%s/%s", folder, singles[i].name);
        char *listed = mem_format("[\"%s\"]", singles[i].title);
        char *name = mem_format("/media/%s/title.json", singles[i].title);
        ck_assert_msg(play_server_start(&single, path, 0, &err) == 0, "%s", err.message);
        ck_assert_uint_eq(play_server_titles(single), 1);
        ask(&answer, port_of(single), "GET", "/titles.json", "");
        ck_assert_ptr_nonnull(strstr(buf_text(&answer), listed));
        ask(&answer, port_of(single), "GET", name, "");
        ck_assert_int_eq(status_of(&answer), 200);
        ask(&answer, port_of(single), "GET", "/media/zebra/title.json", "");
        ck_assert_int_eq(status_of(&answer), 404);
        play_server_stop(single);
        mem_free(name);
        mem_free(listed);
        mem_free(path);
    }
    buf_finish(&answer);
}
END_TEST

START_TEST(test_refusals) {
    struct play_server *other = NULL;
    struct err err = {0};
    char *path = mem_format("%s/nowhere", folder);
    ck_assert_int_eq(play_server_start(&other, path, 0, &err), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "nowhere"));
    mem_free(path);
    err_clear(&err);
    path = mem_format("%s/secret.json", folder);
    ck_assert_int_ne(play_server_start(&other, path, 0, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "folder"));
    err_clear(&err);
    ck_assert_int_eq(play_server_start(&other, folder, port_of(server), &err), ERR_UNAVAILABLE);
    ck_assert_ptr_null(other);
    mem_free(path);
}
END_TEST

#define LOOP(test, table)                                                                          \
    tcase_add_loop_test(rules, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *play_suite(void) {
    Suite *suite = suite_create("play");
    TCase *rules = tcase_create("rules");
    LOOP(test_path, paths);
    LOOP(test_range, ranges);
    LOOP(test_etag, lists);
    suite_add_tcase(suite, rules);
    TCase *served = tcase_create("served");
    tcase_add_checked_fixture(served, start_server, stop_server);
    tcase_add_test(served, test_answers);
    tcase_add_test(served, test_bytes);
    tcase_add_test(served, test_changed);
    tcase_add_test(served, test_titles);
    tcase_add_test(served, test_single);
    tcase_add_test(served, test_refusals);
    suite_add_tcase(suite, served);
    return suite;
}
