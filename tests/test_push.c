/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pushes without a farm: the order of objects, what is read back, how much at a time, what
 * endpoints know a worker by, whose fault an edge's answer is. tests/edges has the real ones. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "fixture.h"
#include "workers/edges/edge.h"
#include "workers/edges/edge_flow.h"
#include "workers/edges/edge_orphans.h"
#include "workers/edges/edge_pool.h"
#include "workers/edges/push_order.h"
#include "workers/edges/sweep_groups.h"

Suite *push_suite(void);

#define VERSION "0123456789abcdef"
#define VIDEO   "video/h264-720p-aaaaaaaaaa"
#define SMALL   "video/h264-180p-bbbbbbbbbb"
#define AUDIO   "audio/und-aac-2-cccccccccc"

#define RENDITION(id, kind, folder, segments, height)                                              \
    "{\"id\":\"" id "\",\"kind\":\"" kind "\",\"folder\":\"" folder "\",\"segments\":" segments    \
    ",\"spec\":{\"height\":" height "}}"
#define DOCUMENT(version, renditions)                                                              \
    "{\"title\":\"t\",\"version\":\"" version "\",\"renditions\":[" renditions "]}"
#define WHOLE                                                                                      \
    DOCUMENT(VERSION, RENDITION("h264-720p", "video", VIDEO, "3", "720") "," RENDITION(            \
                          "h264-180p", "video", SMALL, "3",                                        \
                          "180") "," RENDITION("audio-und-aac-2", "audio", AUDIO, "2", "0"))

/* With a poster and two sheets. */
#define POSTER "images/poster-dddddddddd"
#define BOARD  "images/storyboard-eeeeeeeeee"
#define PICTURED                                                                                   \
    "{\"title\":\"t\",\"version\":\"" VERSION "\",\"renditions\":[" RENDITION(                     \
        "h264-180p", "video", SMALL, "3", "180") "],\"images\":["                                  \
                                                 "{\"folder\":\"" POSTER "\",\"segments\":1},"     \
                                                 "{\"folder\":\"" BOARD "\",\"segments\":2}]}"

static char *folder;
static struct err err;
static struct push_version version;

static void setup(void) {
    folder = fixture_folder();
    err = (struct err){0};
}

static void teardown(void) {
    push_version_finish(&version);
    fixture_folder_drop(folder);
}

static int read_version(const char *text, int max_height) {
    return push_version_read(&version, VERSION, text, strlen(text), max_height, &err);
}

/* ---- Order ------------------------------------------------------------------------------ */

static void list(struct buf *out, enum push_rank rank) {
    char path[PUSH_PATH_TEXT];
    char from[PUSH_PATH_TEXT];
    for (size_t i = 0; push_document(&version, rank, i, path, from); i++) {
        buf_format(out, strcmp(path, from) == 0 ? "%s\n" : "%s=%s\n", path, from);
    }
}

START_TEST(what_lists_comes_after_what_is_listed) {
    struct buf out = {0};
    ck_assert_int_eq(read_version(WHOLE, 0), 0);
    ck_assert_int_eq(version.objects, 11);
    for (int rank = 0; rank < PUSH_RANKS; rank++) {
        list(&out, (enum push_rank)rank);
    }
    ck_assert_str_eq(buf_text(&out), VERSION
                     "/h264-720p.m3u8\n" VERSION "/h264-720p-iframes.m3u8\n" VERSION
                     "/h264-180p.m3u8\n" VERSION "/h264-180p-iframes.m3u8\n" VERSION
                     "/audio-und-aac-2.m3u8\n" VERSION ".m3u8\n" VERSION ".mpd\n" VERSION ".json\n"
                     "master.m3u8=" VERSION ".m3u8\nmanifest.mpd=" VERSION
                     ".mpd\ntitle.json=" VERSION ".json\n");
    buf_finish(&out);
}
END_TEST

START_TEST(tall_rungs_are_left_out_with_their_playlists) {
    struct buf out = {0};
    ck_assert_int_eq(read_version(WHOLE, 360), 0);
    ck_assert(version.renditions[0].left_out);
    ck_assert(!version.renditions[1].left_out && !version.renditions[2].left_out);
    ck_assert_int_eq(version.objects, 11); /* of the scheduler's list */
    list(&out, PUSH_PLAYLISTS);
    ck_assert_ptr_null(strstr(buf_text(&out), "720p"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "180p"));
    buf_finish(&out);
}
END_TEST

START_TEST(images_go_with_media_and_no_playlist_lists_them) {
    static const struct {
        const char *path;
        size_t rendition;
        int64_t number;
    } objects[] = {
        {POSTER "/poster.avif", 1, 0},
        {POSTER "/poster.jpg", 1, 1},
        {BOARD "/thumbnails.vtt", 2, 0},
        {BOARD "/00002.jpg", 2, 2},
    };
    struct buf out = {0};
    ck_assert_int_eq(read_version(PICTURED, 100), 0);
    ck_assert_int_eq(version.objects, 4 + 2 + 3);
    list(&out, PUSH_PLAYLISTS);
    ck_assert_str_eq(buf_text(&out), "");
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        size_t rendition = 99;
        int64_t number = -1;
        ck_assert(push_place(&version, objects[i].path, &rendition, &number));
        ck_assert(rendition == objects[i].rendition && number == objects[i].number);
        ck_assert(!version.renditions[rendition].left_out);
    }
    size_t rendition = 0;
    int64_t number = 0;
    ck_assert(!push_place(&version, BOARD "/poster.jpg", &rendition, &number));
    ck_assert(push_names_folder(&version, BOARD));
    const struct push_old_folder gone = {.folder = BOARD, .segments = 2};
    char path[PUSH_PATH_TEXT];
    for (int64_t i = 0; push_old_object(&gone, i, path); i++) {
        buf_format(&out, "%s ", path);
    }
    ck_assert_str_eq(buf_text(&out),
                     BOARD "/00001.jpg " BOARD "/00002.jpg " BOARD "/thumbnails.vtt ");
    buf_finish(&out);
}
END_TEST

static const struct {
    const char *path;
    int rendition; /* -1: of none */
    int64_t number;
} places[] = {
    {VIDEO "/00001.m4s", 0, 1},
    {SMALL "/00003.m4s", 1, 3},
    {AUDIO "/init.mp4", 2, 0},
    {VIDEO "/100000.m4s", 0, 100000},
    {VIDEO "/00000.m4s", -1, 0},
    {VIDEO "/1.m4s", -1, 0},
    {VIDEO "/00001.m4s.0000000012", -1, 0},
    {VIDEO "/../00001.m4s", -1, 0},
    {VIDEO "x/00001.m4s", -1, 0},
    {VIDEO, -1, 0},
    {"video/h264-720p-dddddddddd/00001.m4s", -1, 0},
    {"master.m3u8", -1, 0},
    {"", -1, 0},
};

START_TEST(an_object_has_its_place) {
    size_t rendition = 99;
    int64_t number = -1;
    ck_assert_int_eq(read_version(WHOLE, 0), 0);
    bool found = push_place(&version, places[_i].path, &rendition, &number);
    ck_assert_int_eq(found, places[_i].rendition >= 0);
    ck_assert(!found || ((int)rendition == places[_i].rendition && number == places[_i].number));
}
END_TEST

/* Each would be a part of a URL, or of a path below which things are deleted. */
static const char *const tricky[] = {
    DOCUMENT(VERSION, RENDITION("../x", "video", VIDEO, "3", "720")),
    DOCUMENT(VERSION, RENDITION("a/b", "video", VIDEO, "3", "720")),
    DOCUMENT(VERSION, RENDITION("a?b", "video", VIDEO, "3", "720")),
    DOCUMENT(VERSION, RENDITION("", "video", VIDEO, "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "video", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "../video", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "video/..", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "video/a/b", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "/video/a", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", "video/a%2e", "3", "720")),
    DOCUMENT(VERSION, RENDITION("x", "video", VIDEO, "-1", "720")),
    DOCUMENT(VERSION, ""),
    DOCUMENT("fedcba9876543210", RENDITION("x", "video", VIDEO, "3", "720")),
    "{}",
    "",
    "[",
};

START_TEST(names_that_are_none_are_refused) {
    ck_assert_int_eq(read_version(tricky[_i], 360), ERR_CORRUPT);
    ck_assert_str_ne(err.message, "");
}
END_TEST

START_TEST(an_old_version_goes_from_its_documents_down) {
    const char *ids[] = {"a", "b"};
    const struct push_old_version old = {
        .version = VERSION, .rendition_count = 2, .renditions = ids};
    const struct push_old_folder gone = {.folder = VIDEO, .segments = 2};
    char path[PUSH_PATH_TEXT];
    struct buf out = {0};
    for (size_t i = 0; push_old_document(&old, PUSH_DOCUMENTS, i, path); i++) {
        buf_format(&out, "%s ", path);
    }
    for (size_t i = 0; push_old_document(&old, PUSH_PLAYLISTS, i, path); i++) {
        buf_format(&out, "%s ", path);
    }
    for (int64_t i = 0; push_old_object(&gone, i, path); i++) {
        buf_format(&out, "%s ", path);
    }
    ck_assert_str_eq(buf_text(&out),
                     VERSION ".m3u8 " VERSION ".mpd " VERSION ".json " VERSION "/a.m3u8 " VERSION
                             "/a-iframes.m3u8 " VERSION "/b.m3u8 " VERSION "/b-iframes.m3u8 " VIDEO
                             "/00001.m4s " VIDEO "/00002.m4s " VIDEO "/init.mp4 ");
    buf_finish(&out);
}
END_TEST

static const struct {
    const char *path;
    bool is_orphan;
} lying[] = {
    {"master.m3u8", false},
    {VERSION ".json", false},
    {VERSION "/h264-720p.m3u8", false},
    {VIDEO "/00001.m4s", false},
    {"fedcba9876543210.mpd", false},
    {"fedcba9876543210/x.m3u8", false},
    {"video/h264-360p-eeeeeeeeee/init.mp4", false},
    {"0000000000000000.mpd", true},
    {"0000000000000000/h264-720p.m3u8", true},
    {"video/h264-360p-ffffffffff/00001.m4s", true},
    {"video/h264-720p-aaaaaaaaab/init.mp4", true},
    {"video/h264-720p-aaaaaaaaab/notes.txt", false}, /* of another tool */
    {"video/h264-720p-aaaaaaaaab/.00001.m4s", false},
    {"poster.jpg", false},
    {"notes/fedcba.json", false},
    {"", false},
};

START_TEST(what_no_version_names_is_an_orphan) {
    struct push_old_version kept = {.version = "fedcba9876543210"};
    struct push_old_folder folder_kept = {.folder = "video/h264-360p-eeeeeeeeee", .segments = 2};
    const struct push_sweep sweep = {1, &kept, 1, &folder_kept};
    ck_assert_int_eq(read_version(WHOLE, 0), 0);
    ck_assert_int_eq(push_is_orphan(&version, &sweep, lying[_i].path), lying[_i].is_orphan);
}
END_TEST

/* Paths below a title's folder, the group that they are of, and how early that goes; NULL: they are
 * another tool's. */
static const struct {
    const char *path;
    const char *group;
    int rank;
} sorted[] = {
    {"master.m3u8", "master.m3u8", 0},
    {"title.json", "title.json", 0},
    {VERSION ".json", VERSION, 1},
    {VERSION "/h264-720p.m3u8", VERSION, 1},
    {VIDEO "/00001.m4s", VIDEO, 2},
    {POSTER "/00001.jpg", POSTER, 2},
    {"notes.json", NULL, 0},
    {VERSION ".txt", NULL, 0},
    {VERSION "/a/h264-720p.m3u8", NULL, 0},
    {VIDEO "/notes.txt", NULL, 0},
    {VIDEO "/a/00001.m4s", NULL, 0},
    {VIDEO "/.00001.m4s", NULL, 0},
    {"books/h264-720p-aaaaaaaaaa/00001.m4s", NULL, 0},
    {"h264-720p-aaaaaaaaaa/00001.m4s", NULL, 0},
    {"video/" VERSION "/00001.m4s", NULL, 0},
    {"", NULL, 0},
};

START_TEST(what_lies_at_an_edge_falls_into_groups) {
    char group[WIRE_FOLDER_TEXT];
    bool ours = sweep_group_of(sorted[_i].path, group);
    ck_assert_int_eq(ours, sorted[_i].group != NULL);
    if (ours) {
        ck_assert_str_eq(group, sorted[_i].group);
        ck_assert_int_eq(sweep_rank(group), sorted[_i].rank);
    }
}
END_TEST

/* Also a page that is full, and a folder that has nothing of ours but a name. */
START_TEST(groups_are_counted_title_by_title) {
    struct sweep_groups *groups = mem_zero(1, sizeof(*groups));
    char title[WIRE_TITLE_TEXT], path[WIRE_FOLDER_TEXT];
    ck_assert_str_eq(sweep_title_of("film/" VIDEO "/init.mp4", title), VIDEO "/init.mp4");
    ck_assert_str_eq(title, "film");
    ck_assert_ptr_null(sweep_title_of("film", title));
    ck_assert_ptr_null(sweep_title_of("My Film/title.json", title));
    ck_assert(sweep_groups_add(groups, "a", VERSION, 3) &&
              sweep_groups_add(groups, "a", "title.json", 1) &&
              sweep_groups_add(groups, "a", VERSION, 4));
    sweep_groups_close(groups);
    ck_assert(sweep_groups_add(groups, "b", "title.json", 1));
    sweep_groups_close(groups);
    ck_assert_uint_eq(groups->count, 2);
    ck_assert_int_eq(groups->list[0].objects, 2);
    ck_assert_int_eq(groups->list[0].bytes, 7);
    for (int i = 2; i < SWEEP_PAGE_MAX; i++) {
        snprintf(path, sizeof(path), "video/h264-720p-%010d", i);
        ck_assert(sweep_groups_add(groups, "c", path, 1));
    }
    ck_assert(sweep_groups_add(groups, "c", path, 1));
    ck_assert(!sweep_groups_add(groups, "c", VERSION, 1));
    mem_free(groups);
}
END_TEST

START_TEST(samples_are_as_many_as_wanted_and_spread) {
    for (int64_t segments = 1; segments < 60; segments++) {
        for (int64_t wanted = 0; wanted < 12; wanted++) {
            int64_t count = 0;
            int64_t last = 0;
            for (int64_t n = 1; n <= segments; n++) {
                if (push_sampled(n, segments, wanted)) {
                    ck_assert_int_le(n - last, segments / wanted + 1);
                    last = n;
                    count++;
                }
            }
            ck_assert_int_eq(count, wanted < segments ? wanted : segments);
            ck_assert(wanted == 0 || last == segments);
        }
    }
    ck_assert(push_sampled(0, 10, 0)); /* init.mp4 */
}
END_TEST

/* ---- How much at a time ----------------------------------------------------------------- */

static void note_many(struct flow_limit *limit, int count, int64_t busy_ms) {
    for (int i = 0; i < count; i++) {
        flow_limit_note(limit, 0, 1, busy_ms, false);
    }
}

START_TEST(connections_grow_while_answers_come_in_time) {
    struct flow_limit limit;
    flow_limit_init(&limit, 16);
    ck_assert_int_eq(flow_limit_now(&limit), FLOW_FIRST);
    note_many(&limit, 500, 10);
    ck_assert_int_eq(flow_limit_now(&limit), 16);
    note_many(&limit, 40, 200); /* as an endpoint that has more than it can do */
    ck_assert_int_lt(flow_limit_now(&limit), 8);
    ck_assert_int_ge(flow_limit_now(&limit), 2);
    note_many(&limit, 2000, 200); /* it is slower for good */
    ck_assert_int_eq(flow_limit_now(&limit), 16);
}
END_TEST

/* A request is one of it, and each 256 KiB as much. */
START_TEST(what_is_brought_has_its_cost) {
    ck_assert_double_eq(flow_cost(0, 4, 10), 2.5);
    ck_assert_double_eq(flow_cost(1 << 20, 4, 80), 10);
    ck_assert_double_eq(flow_cost(1 << 20, 0, 80), 0);
}
END_TEST

START_TEST(failures_halve_the_connections_once_a_round) {
    struct flow_limit limit;
    flow_limit_init(&limit, 16);
    note_many(&limit, 500, 10);
    flow_limit_note(&limit, 0, 1, 10, true);
    ck_assert_int_eq(flow_limit_now(&limit), 8);
    for (int i = 0; i < 7; i++) { /* of those that were on their way */
        flow_limit_note(&limit, 0, 1, 10, true);
    }
    ck_assert_int_eq(flow_limit_now(&limit), 8);
    for (int i = 0; i < 100; i++) {
        flow_limit_note(&limit, 0, 1, 10, true);
    }
    ck_assert_int_eq(flow_limit_now(&limit), 1);
    flow_limit_init(&limit, 1);
    note_many(&limit, 100, 10);
    ck_assert_int_eq(flow_limit_now(&limit), 1);
}
END_TEST

START_TEST(a_line_has_no_more_than_its_bytes) {
    struct flow_line line = {.bytes_s = 1000};
    ck_assert_int_eq(flow_line_take(&line, 5000, 2000), 0);
    ck_assert_int_eq(flow_line_take(&line, 5000, 500), 2000);
    ck_assert_int_eq(flow_line_take(&line, 7000, 500), 500);
    ck_assert_int_eq(flow_line_take(&line, 9000, 500), 0); /* what was not used is not kept */
    ck_assert_int_eq(flow_line_take(&line, 9000, 500), 500);
    line = (struct flow_line){0};
    ck_assert_int_eq(flow_line_take(&line, 9000, INT64_MAX / 4), 0);
    ck_assert_int_eq(flow_line_take(&line, 9000, 1), 0);
}
END_TEST

/* ---- The pool --------------------------------------------------------------------------- */

enum { OBJECTS = 600 };

static _Atomic int64_t done;
static atomic_int acted[OBJECTS];
static atomic_bool cancel;
static struct edge_secret no_secret;
static struct pool_memory memory = {.bytes = 1000};

static struct push_endpoint endpoint_of(const char *driver, const char *url) {
    struct push_endpoint endpoint = {
        .name = "paris", .driver = driver, .url = url, .serves = "", .connections = 8};
    return endpoint;
}

static struct edge_target target_of(const struct push_endpoint *endpoint) {
    return (struct edge_target){.endpoint = endpoint,
                                .secret = &no_secret,
                                .origin = folder,
                                .title = "t",
                                .trace = "",
                                .cancel = &cancel,
                                .stall_s = 1};
}

/* The first of each ten takes longest, so that others are done before it. */
static int act(void *context, struct edge *edge, const struct edge_object *object,
               struct err *problem) {
    int number = (int)strtol(object->path, NULL, 10);
    (void)edge;
    if (context != NULL && number == *(int *)context) {
        return err_set(problem, ERR_UNAVAILABLE, "number %d", number);
    }
    if (number % 10 == 0) {
        clock_sleep_ms(1, NULL);
    }
    atomic_fetch_add(&acted[number], 1);
    ck_assert_int_le(atomic_load(&done), number); /* none counts before those in front of it */
    return 0;
}

static int add_all(struct pool *pool) {
    int failed = 0;
    for (int i = 0; i < OBJECTS && failed == 0; i++) {
        char *path = mem_format("%d", i);
        const struct edge_object object = {.path = path, .sha256 = "", .bytes = 100};
        failed = pool_add(pool, &object, NULL);
        mem_free(path);
    }
    return failed;
}

static struct pool *pool_of(struct push_endpoint *endpoint) {
    *endpoint = endpoint_of("dav", "http://127.0.0.1:1");
    const struct pool_options options = {
        .target = target_of(endpoint), .cancel = &cancel, .memory = &memory};
    atomic_store(&done, 0);
    memset(acted, 0, sizeof(acted));
    return pool_create(&options);
}

START_TEST(a_pool_does_each_object_once_and_counts_from_the_head) {
    struct push_endpoint endpoint;
    struct pool *pool = pool_of(&endpoint);
    pool_begin(pool, act, NULL, &done);
    ck_assert_int_eq(add_all(pool), 0);
    ck_assert_int_eq(pool_wait(pool, &err), 0);
    ck_assert_int_eq(atomic_load(&done), OBJECTS);
    for (int i = 0; i < OBJECTS; i++) {
        ck_assert_int_eq(atomic_load(&acted[i]), 1);
    }
    pool_destroy(pool);
}
END_TEST

enum { PACED = 12, PACED_BYTES = 2000, PACED_BYTES_S = 100000 };

static _Atomic int64_t began_ms[PACED];

static int note_begin(void *context, struct edge *edge, const struct edge_object *object,
                      struct err *problem) {
    (void)context;
    (void)edge;
    (void)problem;
    atomic_store(&began_ms[strtol(object->path, NULL, 10)], clock_monotonic_ms());
    return 0;
}

/* Whatever the driver does with an object, none begins before those in front of it may have gone
 * through: eight connections, and no call of any of them knows of a limit. */
START_TEST(a_pool_keeps_to_its_endpoint_s_bandwidth) {
    static const char *const names[] = {"dav", "pull"};
    struct push_endpoint endpoint = endpoint_of(names[_i], "http://127.0.0.1:1");
    endpoint.bandwidth_bps = INT64_C(8) * PACED_BYTES_S;
    const struct pool_options options = {
        .target = target_of(&endpoint), .cancel = &cancel, .memory = &memory};
    struct pool *pool = pool_create(&options);
    memory.bytes = INT64_C(10) * PACED * PACED_BYTES;
    int64_t from_ms = clock_monotonic_ms();
    pool_begin(pool, note_begin, NULL, NULL);
    for (int i = 0; i < PACED; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%d", i);
        const struct edge_object object = {.path = path, .sha256 = "", .bytes = PACED_BYTES};
        ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    }
    ck_assert_int_eq(pool_wait(pool, &err), 0);
    for (int i = 0; i < PACED; i++) {
        int64_t least_ms = INT64_C(1000) * i * PACED_BYTES / PACED_BYTES_S;
        ck_assert_int_ge(atomic_load(&began_ms[i]) - from_ms, least_ms);
    }
    pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_stops_at_its_first_failure) {
    struct push_endpoint endpoint;
    struct pool *pool = pool_of(&endpoint);
    int bad = 300;
    pool_begin(pool, act, &bad, &done);
    int added = add_all(pool);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "number 300");
    ck_assert(added == 0 || added == ERR_UNAVAILABLE);
    ck_assert_int_eq(atomic_load(&done), 300);
    ck_assert_int_eq(atomic_load(&acted[OBJECTS - 1]), 0);
    pool_destroy(pool);
}
END_TEST

/* ---- Memory that pools share ----------------------------------------------------------------- */

enum { HEAVY = 250, POOLS = 2 }; /* bytes of an object: four of them are all that there is */

static atomic_int at_work;
static atomic_int most_at_work;
static atomic_bool all_go;

/* Stays until it is told to go, so that as many are here as may. */
static int act_heavily(void *context, struct edge *edge, const struct edge_object *object,
                       struct err *problem) {
    (void)context;
    (void)edge;
    (void)object;
    (void)problem;
    int now = atomic_fetch_add(&at_work, 1) + 1;
    int most = atomic_load(&most_at_work);
    while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now)) {
    }
    while (!atomic_load(&all_go)) {
        clock_sleep_ms(1, NULL);
    }
    atomic_fetch_sub(&at_work, 1);
    return 0;
}

static void begin_heavily(struct pool *pool, int64_t bytes) {
    const struct edge_object object = {.path = "x", .sha256 = "", .bytes = bytes};
    pool_begin(pool, act_heavily, NULL, NULL);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    }
}

/* So many are at work, and no more come. */
static void expect_at_work(int count) {
    while (atomic_load(&at_work) < count) {
        clock_sleep_ms(1, NULL);
    }
    clock_sleep_ms(50, NULL);
    ck_assert_int_eq(atomic_load(&most_at_work), count);
}

START_TEST(pools_share_their_memory_in_equal_parts) {
    struct push_endpoint endpoints[POOLS];
    struct pool *pools[POOLS];
    atomic_store(&at_work, 0);
    atomic_store(&most_at_work, 0);
    atomic_store(&all_go, false);
    for (int i = 0; i < POOLS; i++) {
        pools[i] = pool_of(&endpoints[i]);
    }
    begin_heavily(pools[0], HEAVY);
    expect_at_work(2); /* its half of what there is, though nobody uses the other */
    begin_heavily(pools[1], 100 * HEAVY);
    expect_at_work(3); /* one object of any size goes in any case */
    atomic_store(&all_go, true);
    for (int i = 0; i < POOLS; i++) {
        ck_assert_int_eq(pool_wait(pools[i], &err), 0);
        pool_destroy(pools[i]);
    }
    struct pool *alone = pool_of(&endpoints[0]);
    atomic_store(&all_go, false);
    begin_heavily(alone, HEAVY);
    expect_at_work(4);
    atomic_store(&all_go, true);
    ck_assert_int_eq(pool_wait(alone, &err), 0);
    pool_destroy(alone);
}
END_TEST

static int act_for_ever(void *context, struct edge *edge, const struct edge_object *object,
                        struct err *problem) {
    (void)context;
    (void)object;
    while (!atomic_load(edge->target->cancel)) {
        clock_sleep_ms(10, edge->target->cancel);
    }
    return err_set(problem, ERR_CANCELLED, "stopped");
}

START_TEST(a_pool_ends_when_its_time_is_over) {
    struct push_endpoint endpoint = endpoint_of("dav", "http://127.0.0.1:1");
    const struct pool_options options = {.target = target_of(&endpoint),
                                         .cancel = &cancel,
                                         .until_ms = clock_monotonic_ms() + 50,
                                         .memory = &memory};
    const struct edge_object object = {.path = "x", .sha256 = "", .bytes = 1};
    struct pool *pool = pool_create(&options);
    pool_begin(pool, act_for_ever, NULL, NULL);
    ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_TIMEOUT);
    ck_assert_int_eq(pool_failure(pool), FAILURE_TIMEOUT);
    pool_destroy(pool);
}
END_TEST

/* ---- A lease that has run out ------------------------------------------------------------ */

static _Atomic int64_t ours_until;

static int act_and_lose(void *context, struct edge *edge, const struct edge_object *object,
                        struct err *problem) {
    long number = strtol(object->path, NULL, 10);
    if (number == 100) {
        atomic_store(&ours_until, 1);
    }
    while (number > 100 && atomic_load(&ours_until) != 1) { /* however slow that one is */
        clock_sleep_ms(1, NULL);
    }
    return act(context, edge, object, problem);
}

/* Whoever was stopped, and wakes when another has the push, begins with no object more. */
START_TEST(a_pool_ends_with_its_lease) {
    struct push_endpoint endpoint = endpoint_of("dav", "http://127.0.0.1:1");
    struct pool_options options = {
        .target = target_of(&endpoint), .cancel = &cancel, .memory = &memory};
    options.target.until_ms = &ours_until;
    atomic_store(&ours_until, INT64_MAX);
    atomic_store(&done, 0);
    memset(acted, 0, sizeof(acted));
    struct pool *pool = pool_create(&options);
    pool_begin(pool, act_and_lose, NULL, &done);
    add_all(pool);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_CANCELLED);
    ck_assert_int_eq(atomic_load(&acted[99]), 1);
    for (int i = 100 + 2 * endpoint.connections; i < OBJECTS; i++) {
        ck_assert_int_eq(atomic_load(&acted[i]), 0);
    }
    pool_destroy(pool);
}
END_TEST

/* Nor does it send what it was about to send, for the first time or once more. */
START_TEST(an_edge_is_sent_nothing_after_its_lease) {
    struct fixture_answer answer = {"HTTP/1.1 201 So\r\nContent-Length: 0\r\n\r\n", 0};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    fixture_write(folder, "t/" VIDEO "/00001.m4s", "media", 5);
    fixture_stub_start(&stub, &answer, 1);
    struct push_endpoint endpoint = endpoint_of("dav", stub.url);
    struct edge_target target = target_of(&endpoint);
    const struct edge_object object = {.path = VIDEO "/00001.m4s", .sha256 = "", .bytes = 5};
    target.until_ms = &ours_until;
    atomic_store(&ours_until, clock_monotonic_ms() - 1);
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge_bring(edge, &object, &err), ERR_CANCELLED);
    ck_assert_int_eq(edge->traffic.requests, 0);
    edge_close(edge);
    fixture_stub_stop(&stub);
}
END_TEST

/* ---- Edges ------------------------------------------------------------------------------ */

#define ANSWER(status) "HTTP/1.1 " status " So\r\nContent-Length: 0\r\n\r\n"

static const struct {
    const char *answer;
    int code;
    enum failure_class failure;
    const char *words;
} answers[] = {
    {ANSWER("201"), 0, FAILURE_ENDPOINT, ""},
    {ANSWER("204"), 0, FAILURE_ENDPOINT, ""},
    {ANSWER("400"), ERR_INVALID, FAILURE_ENDPOINT, "400"},
    {ANSWER("401"), ERR_INVALID, FAILURE_REFUSED, "endpoint_secrets"},
    {ANSWER("403"), ERR_INVALID, FAILURE_REFUSED, "endpoint_secrets"},
    {ANSWER("405"), ERR_INVALID, FAILURE_REFUSED, "PUT and DELETE"},
    {ANSWER("409"), ERR_CONFLICT, FAILURE_REFUSED, "folders"},
    {ANSWER("413"), ERR_INVALID, FAILURE_REFUSED, "larger"},
    {ANSWER("500"), ERR_UNAVAILABLE, FAILURE_ENDPOINT, "log"},
    {ANSWER("503"), ERR_UNAVAILABLE, FAILURE_ENDPOINT, "503"},
    {ANSWER("507"), ERR_NO_SPACE, FAILURE_REFUSED, "make room"},
    {"HTTP/1.1 201", ERR_UNAVAILABLE, FAILURE_ENDPOINT, "paris"},
};

START_TEST(an_answer_has_its_class_and_sentence) {
    struct fixture_answer answer = {answers[_i].answer, 0};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    fixture_write(folder, "t/" VIDEO "/00001.m4s", "media", 5);
    fixture_stub_start(&stub, &answer, 1);
    struct push_endpoint endpoint = endpoint_of("dav", stub.url);
    const struct edge_target target = target_of(&endpoint);
    const struct edge_object object = {.path = VIDEO "/00001.m4s", .sha256 = "", .bytes = 5};
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge_bring(edge, &object, &err), answers[_i].code);
    ck_assert_msg(answers[_i].code == 0 || (edge->failure == answers[_i].failure &&
                                            strstr(err.message, "endpoint 'paris'") != NULL &&
                                            strstr(err.message, answers[_i].words) != NULL),
                  "%s", err.message);
    edge_close(edge);
    fixture_stub_stop(&stub);
}
END_TEST

static const struct {
    const char *driver;
    struct edge_secret secret;
} known_by[] = {
    {"dav", {.bearer = "s3cret"}},
    {"dav", {.user = "push", .password = "s3cret"}},
    {"pull", {.bearer = "s3cret"}},
    {"pull", {.refresh_header = "X-Refresh-Token", .refresh_value = "s3cret"}},
};

START_TEST(a_redirect_takes_no_secret_elsewhere) {
    const struct edge_object object = {.path = "master.m3u8", .sha256 = "", .bytes = 5};
    const struct fixture_answer elsewhere_answer = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmedia", 0};
    struct fixture_stub stub;
    struct fixture_stub elsewhere;
    struct edge *edge = NULL;
    bool has = true;
    fixture_stub_start(&elsewhere, &elsewhere_answer, 1);
    char *text = mem_format("HTTP/1.1 302 Found\r\nLocation: http://localhost:%d/x\r\n"
                            "Content-Length: 0\r\n\r\n",
                            elsewhere.port);
    const struct fixture_answer answer = {text, 0};
    fixture_stub_start(&stub, &answer, 1);
    struct push_endpoint endpoint = endpoint_of(known_by[_i].driver, stub.url);
    struct edge_target target = target_of(&endpoint);
    target.secret = &known_by[_i].secret;
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    int failed = edge->driver->has != NULL ? edge->driver->has(edge, &object, &has, &err)
                                           : edge_bring(edge, &object, &err);
    ck_assert_int_eq(failed, ERR_INVALID);
    ck_assert_int_eq(edge->failure, FAILURE_REFUSED);
    ck_assert_msg(strstr(err.message, "redirects") != NULL, "%s", err.message);
    ck_assert_int_eq(elsewhere.taken, 0);
    err_clear(&err);
    ck_assert_int_eq(edge_verify(edge, &object, &err), 0); /* as players do, without a secret */
    ck_assert_int_eq(elsewhere.taken, 1);
    ck_assert_ptr_null(strstr(elsewhere.requests[0], "s3cret"));
    edge_close(edge);
    fixture_stub_stop(&stub);
    fixture_stub_stop(&elsewhere);
    mem_free(text);
}
END_TEST

/* Said without end, where five bytes are known to be the whole. */
START_TEST(an_answer_without_end_is_cut_and_the_edge_s_fault) {
    static const char *const drivers[] = {"dav", "pull"};
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n";
    const struct edge_object object = {.path = VIDEO "/00001.m4s", .sha256 = "", .bytes = 5};
    struct buf text = {0};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    buf_string(&text, head);
    while (text.size < 3 << 20) {
        buf_string(&text, "endless ");
    }
    struct fixture_answer answer = {buf_text(&text), 20000};
    fixture_stub_start(&stub, &answer, 1);
    fixture_write(folder, "t/" VIDEO "/00001.m4s", "media", 5);
    struct push_endpoint endpoint = endpoint_of(drivers[_i], stub.url);
    const struct edge_target target = target_of(&endpoint);
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge_bring(edge, &object, &err), ERR_CORRUPT);
    ck_assert_int_eq(edge->failure, FAILURE_ENDPOINT);
    ck_assert_msg(strstr(err.message, "larger") != NULL, "%s", err.message);
    err_clear(&err);
    ck_assert_int_eq(edge_verify(edge, &object, &err), ERR_CORRUPT);
    ck_assert_int_eq(edge->failure, FAILURE_ENDPOINT);
    ck_assert_int_lt(edge->response.body.size, 2 << 20);
    edge_close(edge);
    fixture_stub_stop(&stub);
    buf_finish(&text);
}
END_TEST

START_TEST(an_origin_that_lacks_an_object_is_not_the_edge_s_fault) {
    const char *const sizes[] = {NULL, "medi"};
    struct edge *edge = NULL;
    struct push_endpoint endpoint = endpoint_of("dav", "http://127.0.0.1:1");
    const struct edge_target target = target_of(&endpoint);
    const struct edge_object object = {.path = "x.m4s", .sha256 = "", .bytes = 5};
    if (sizes[_i] != NULL) {
        fixture_write(folder, "t/x.m4s", sizes[_i], strlen(sizes[_i]));
    }
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge_bring(edge, &object, &err), _i == 0 ? ERR_NOT_FOUND : ERR_CORRUPT);
    ck_assert_int_eq(edge->failure, FAILURE_IO);
    edge_close(edge);
}
END_TEST

START_TEST(a_driver_that_is_not_known_is_refused) {
    struct edge *edge = NULL;
    struct push_endpoint endpoint = endpoint_of("ftp", "ftp://127.0.0.1");
    const struct edge_target target = target_of(&endpoint);
    ck_assert_int_eq(edge_open(&edge, &target, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "'ftp'"));
}
END_TEST

/* ---- Buckets ---------------------------------------------------------------------------- */

static const struct {
    const char *url;
    const char *origin;
    struct edge_secret secret;
    int code;
} roots[] = {
    {"s3://films/edge", "s3://films/edge", {0}, ERR_INVALID},
    {"s3://films/edge", "s3://films/edge/", {0}, ERR_INVALID},
    {"s3://films", "s3://films", {0}, ERR_INVALID},
    {"s3://films",
     "s3://films",
     {.access_key = "B", .secret_key = "b", .endpoint_url = "http://one.example"},
     ERR_INVALID}, /* as somebody else, but there */
    {"s3://films",
     "s3://films",
     {.access_key = "B", .secret_key = "b", .endpoint_url = "http://other.example"},
     0},
    {"s3://films/edge", "s3://films", {0}, 0},
    {"s3://films/edge", "s3://films/edges", {0}, 0},
    {"s3://films", "/srv/films", {0}, 0},
    {"s3://films", "", {0}, 0}, /* of a title that is forgotten */
};

START_TEST(a_bucket_that_is_the_output_is_no_edge) {
    struct edge *edge = NULL;
    struct push_endpoint endpoint = endpoint_of("s3", (char *)roots[_i].url);
    struct edge_target target = target_of(&endpoint);
    fixture_store_unknown(folder);
    setenv("AWS_ENDPOINT_URL", "http://one.example", 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "a", 1);
    target.origin = roots[_i].origin;
    target.secret = &roots[_i].secret;
    ck_assert_int_eq(edge_open(&edge, &target, &err), roots[_i].code);
    ck_assert(roots[_i].code == 0 || strstr(err.message, "is the output itself") != NULL);
    edge_close(edge);
}
END_TEST

/* ---- Orphans ---------------------------------------------------------------------------- */

/* A server that answers each listing of a title's folder in turn. */
static void serve_listings(struct fixture_stub *stub, struct fixture_answer *listings,
                           const char *const *bodies, size_t count) {
    for (size_t i = 0; i < count; i++) {
        listings[i].text = mem_format("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                                      strlen(bodies[i]), bodies[i]);
    }
    fixture_stub_start(stub, listings, (int)count);
}

static void find_orphans(const char *driver, const char *url, struct edge_orphans *orphans) {
    static const struct push_sweep nothing_else;
    struct push_endpoint endpoint = endpoint_of(driver, url);
    const struct edge_target target = target_of(&endpoint);
    struct edge *edge = NULL;
    ck_assert_int_eq(read_version(WHOLE, 0), 0);
    orphans->version = &version;
    orphans->sweep = &nothing_else;
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    edge_orphans_find(orphans, edge);
    edge_close(edge);
}

/* A store that lists more than it was asked for, as those do that take a prefix for a hint: what is
 * of another title, and what is shorter than the folder's name. */
START_TEST(orphans_are_of_the_title_s_own_folder) {
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
    static const char *const listing =
        "<ListBucketResult><IsTruncated>false</IsTruncated>" ENTRY("u/0123456789abcdef.mpd")
            ENTRY("x") ENTRY("t/0000000000000000.mpd") ENTRY("t.x/0000000000000000.mpd")
                ENTRY("t/" VERSION ".mpd") "</ListBucketResult>";
    struct edge_orphans *orphans = mem_zero(1, sizeof(*orphans));
    struct fixture_answer listings[1] = {{0}};
    struct fixture_stub stub;
    serve_listings(&stub, listings, &listing, 1);
    fixture_store_unknown(folder);
    setenv("AWS_ENDPOINT_URL", stub.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "a", 1);
    find_orphans("s3", "s3://films", orphans);
    ck_assert_uint_eq(orphans->count, 1);
    ck_assert_str_eq(orphans->paths[0], "0000000000000000.mpd");
    edge_orphans_finish(orphans);
    fixture_stub_stop(&stub);
    mem_free(orphans);
    mem_free((char *)listings[0].text);
}
END_TEST

/* Nothing goes while it is being listed: what was found before the listing broke off is known, and
 * nothing was asked of the edge but listings. */
START_TEST(orphans_are_listed_and_nothing_else) {
    static const char *const bodies[] = {
        "[{\"name\":\"0000000000000000.mpd\",\"type\":\"file\",\"size\":1},"
        "{\"name\":\"" VERSION ".mpd\",\"type\":\"file\",\"size\":1},"
        "{\"name\":\"../u\",\"type\":\"directory\"},"
        "{\"name\":\"video\",\"type\":\"directory\"}]",
        "[{\"name\":\"h264-999p-ffffffffff\",\"type\":\"directory\"}]",
        "no listing",
    };
    enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };
    struct edge_orphans *orphans = mem_zero(1, sizeof(*orphans));
    struct fixture_answer listings[BODIES] = {{0}};
    struct fixture_stub stub;
    serve_listings(&stub, listings, bodies, BODIES);
    find_orphans("dav", stub.url, orphans);
    ck_assert_uint_eq(orphans->count, 1);
    ck_assert_str_eq(orphans->paths[0], "0000000000000000.mpd");
    fixture_stub_stop(&stub);
    ck_assert_int_eq(stub.taken, BODIES);
    for (int i = 0; i < BODIES; i++) {
        ck_assert_int_eq(strncmp(stub.requests[i], "GET /t/", 7), 0);
        mem_free((char *)listings[i].text);
    }
    edge_orphans_finish(orphans);
    mem_free(orphans);
}
END_TEST

/* What is removed is listed again and again. */
START_TEST(a_listing_that_never_ends_ends_a_push) {
    struct buf text = {0};
    struct buf body = {0};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    buf_string(&body, "<ListBucketResult><IsTruncated>false</IsTruncated>");
    for (int i = 0; i < 1001; i++) {
        buf_format(&body, "<Contents><Key>t/%05d.m4s</Key><Size>1</Size></Contents>", i);
    }
    buf_string(&body, "</ListBucketResult>");
    buf_format(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", body.size,
               buf_text(&body));
    const struct fixture_answer answer = {buf_text(&text), 0};
    fixture_stub_start(&stub, &answer, 1);
    fixture_store_unknown(folder);
    setenv("AWS_ENDPOINT_URL", stub.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "a", 1);
    struct push_endpoint endpoint = endpoint_of("s3", "s3://films");
    const struct edge_target target = target_of(&endpoint);
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge->driver->remove_folder(edge, "", &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "no end") != NULL, "%s", err.message);
    edge_close(edge);
    fixture_stub_stop(&stub);
    buf_finish(&text);
    buf_finish(&body);
}
END_TEST

/* A cache that takes no PURGE, whose origin has the object no more. */
static const struct {
    const char *looked; /* what it answers to one who asks as players do */
    bool leaves;
    int code;
} memories[] = {
    {ANSWER("200"), true, ERR_UNSUPPORTED},
    {ANSWER("404"), true, 0},
    {ANSWER("200"), false, 0},
};

START_TEST(a_cache_that_can_t_forget_is_told_of) {
    const struct fixture_answer replies[] = {
        {ANSWER("405"), 0}, {ANSWER("404"), 0}, {memories[_i].looked, 0}};
    const struct edge_secret secret = {.refresh_header = "X-Refresh", .refresh_value = "s3cret"};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    fixture_stub_start(&stub, replies, 3);
    struct push_endpoint endpoint = endpoint_of("pull", stub.url);
    struct edge_target target = target_of(&endpoint);
    target.secret = &secret;
    target.leaves = memories[_i].leaves;
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge->driver->remove(edge, "master.m3u8", &err), memories[_i].code);
    ck_assert(memories[_i].code == 0 ||
              (edge->failure == FAILURE_REFUSED && strstr(err.message, "takes no PURGE") != NULL));
    edge_close(edge);
    fixture_stub_stop(&stub);
}
END_TEST

/* ---- Secrets ---------------------------------------------------------------------------- */

static int load(const char *text, mode_t mode, const char *name, struct edge_secret *out) {
    char *path = mem_format("%s/secrets.yaml", folder);
    fixture_write(folder, "secrets.yaml", text, strlen(text));
    ck_assert_int_eq(chmod(path, mode), 0);
    int failed = edge_secret_load(out, path, name, &err);
    mem_free(path);
    return failed;
}

START_TEST(a_secret_is_its_endpoint_s) {
    struct edge_secret secret = {0};
    ck_assert_int_eq(load("paris: {user: push, password: 's3 cret'}\n"
                          "london: {bearer: token}\n",
                          0600, "paris", &secret),
                     0);
    ck_assert_str_eq(secret.user, "push");
    ck_assert_str_eq(secret.password, "s3 cret");
    ck_assert_ptr_null(secret.bearer);
    edge_secret_finish(&secret);
    ck_assert_ptr_null(secret.user);
    ck_assert_int_eq(load("paris: {bearer: x}\n", 0600, "rome", &secret), 0);
    ck_assert_ptr_null(secret.bearer);
    ck_assert_int_eq(edge_secret_load(&secret, NULL, "paris", &err), 0);
}
END_TEST

static const struct {
    const char *text;
    mode_t mode;
    const char *words;
} slips[] = {
    {"paris: {bearer: s3cret}\n", 0640, "chmod 600"},
    {"paris: {bearer: s3cret}\n", 0604, "chmod 600"},
    {"paris: {user: s3cret}\n", 0600, "password, which is missing"},
    {"paris: {password: s3cret}\n", 0600, "user, which is missing"},
    {"paris: {purge_header: 'X: s3cret', purge_value: a}\n", 0600, "header's name"},
    {"paris: {bearer: \"s3cret\\nX-Evil: 1\"}\n", 0600, "one line"},
    {"paris: {bearer: ''}\n", 0600, "one line"},
    {"paris: {token: s3cret}\n", 0600, "token"},
    {"paris: s3cret\n", 0600, "paris"},
    {"../paris: {bearer: s3cret}\n", 0600, "no name"},
    {"paris: {bearer: s3cret\n", 0600, "secrets.yaml"},
    {"paris: {access_key: s3cret}\n", 0600, "secret_key, which is missing"},
    {"paris: {endpoint_url: 'http://s3cret'}\n", 0600, "profile or access_key"},
    {"paris: {region: s3cret}\n", 0600, "profile or access_key"},
    {"paris: {profile: a, access_key: b, secret_key: s3cret}\n", 0600, "two accounts"},
};

START_TEST(a_slip_in_the_file_of_secrets_is_told_without_them) {
    struct edge_secret secret = {0};
    ck_assert_int_eq(load(slips[_i].text, slips[_i].mode, "paris", &secret), ERR_INVALID);
    ck_assert_msg(strstr(err.message, slips[_i].words) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
    ck_assert_ptr_null(secret.bearer);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(*(table)))

Suite *push_suite(void) {
    Suite *suite = suite_create("push");
    TCase *tcase = tcase_create("push");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 300); /* thousands of requests, under sanitizers too */
    tcase_add_test(tcase, what_lists_comes_after_what_is_listed);
    tcase_add_test(tcase, tall_rungs_are_left_out_with_their_playlists);
    tcase_add_test(tcase, images_go_with_media_and_no_playlist_lists_them);
    LOOP(tcase, an_object_has_its_place, places);
    LOOP(tcase, names_that_are_none_are_refused, tricky);
    tcase_add_test(tcase, an_old_version_goes_from_its_documents_down);
    LOOP(tcase, what_no_version_names_is_an_orphan, lying);
    LOOP(tcase, what_lies_at_an_edge_falls_into_groups, sorted);
    tcase_add_test(tcase, groups_are_counted_title_by_title);
    tcase_add_test(tcase, samples_are_as_many_as_wanted_and_spread);
    tcase_add_test(tcase, connections_grow_while_answers_come_in_time);
    tcase_add_test(tcase, failures_halve_the_connections_once_a_round);
    tcase_add_test(tcase, what_is_brought_has_its_cost);
    tcase_add_test(tcase, a_line_has_no_more_than_its_bytes);
    tcase_add_test(tcase, a_pool_does_each_object_once_and_counts_from_the_head);
    tcase_add_loop_test(tcase, a_pool_keeps_to_its_endpoint_s_bandwidth, 0, 2);
    tcase_add_test(tcase, a_pool_stops_at_its_first_failure);
    tcase_add_test(tcase, pools_share_their_memory_in_equal_parts);
    tcase_add_test(tcase, a_pool_ends_when_its_time_is_over);
    tcase_add_test(tcase, a_pool_ends_with_its_lease);
    tcase_add_test(tcase, an_edge_is_sent_nothing_after_its_lease);
    LOOP(tcase, an_answer_has_its_class_and_sentence, answers);
    LOOP(tcase, a_redirect_takes_no_secret_elsewhere, known_by);
    tcase_add_loop_test(tcase, an_answer_without_end_is_cut_and_the_edge_s_fault, 0, 2);
    tcase_add_loop_test(tcase, an_origin_that_lacks_an_object_is_not_the_edge_s_fault, 0, 2);
    tcase_add_test(tcase, a_driver_that_is_not_known_is_refused);
    LOOP(tcase, a_bucket_that_is_the_output_is_no_edge, roots);
    tcase_add_test(tcase, orphans_are_of_the_title_s_own_folder);
    tcase_add_test(tcase, orphans_are_listed_and_nothing_else);
    tcase_add_test(tcase, a_listing_that_never_ends_ends_a_push);
    LOOP(tcase, a_cache_that_can_t_forget_is_told_of, memories);
    tcase_add_test(tcase, a_secret_is_its_endpoint_s);
    LOOP(tcase, a_slip_in_the_file_of_secrets_is_told_without_them, slips);
    suite_add_tcase(suite, tcase);
    return suite;
}
