/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roots below which objects lie: what is put, got, listed and removed, and what is no key. */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"
#include "fixture.h"

Suite *blob_root_suite(void);

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

static struct fixture_web web;

static void open_root(const char *below) {
    char *root = mem_format("%s%s", folder, below);
    ck_assert_msg(blob_open(&blob, root, &options, &err) == 0, "%s", err.message);
    mem_free(root);
}

static int collect(void *context, const char *key, int64_t size, struct err *visit_err) {
    (void)visit_err;
    buf_format(context, "%s=%lld ", key, (long long)size);
    return 0;
}

START_TEST(objects_are_put_got_listed_and_removed) {
    struct buf out = {0};
    int64_t size = 0;
    open_root("/not/yet//");
    ck_assert(blob_is_writable(blob));
    ck_assert_int_eq(blob_list(blob, "", collect, &out, &err), 0);
    ck_assert_int_eq(blob_put(blob, "t/video/1/00001.m4s", "one", 3, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "t/video/1/00002.m4s", "two2", 4, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "t/master.m3u8", "m", 1, BLOB_REPLACE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "t/video/1/00001.m4s", "x", 1, BLOB_CREATE, &err),
                     ERR_CONFLICT);
    err_clear(&err);
    ck_assert_int_eq(blob_put(blob, "t/master.m3u8", "mm", 2, BLOB_REPLACE, &err), 0);
    ck_assert_int_eq(blob_list(blob, "", collect, &out, &err), 0);
    ck_assert_str_eq(buf_text(&out),
                     "t/master.m3u8=2 t/video/1/00001.m4s=3 t/video/1/00002.m4s=4 ");
    buf_clear(&out);
    ck_assert_int_eq(blob_list(blob, "t/video/1/00002", collect, &out, &err), 0);
    ck_assert_int_eq(blob_list(blob, "t/video/", collect, &out, &err), 0);
    ck_assert_int_eq(blob_list(blob, "nothing/there/", collect, &out, &err), 0);
    ck_assert_str_eq(buf_text(&out), "t/video/1/00002.m4s=4 t/video/1/00001.m4s=3 "
                                     "t/video/1/00002.m4s=4 ");
    buf_clear(&out);
    ck_assert_int_eq(blob_get(blob, "t/video/1/00001.m4s", 3, &out, &err), 0);
    ck_assert_str_eq(buf_text(&out), "one");
    ck_assert_int_eq(blob_get(blob, "t/video/1/00001.m4s", 2, &out, NULL), ERR_INVALID);
    ck_assert_int_eq(blob_get(blob, "t/video/1/00009.m4s", 9, &out, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(blob_stat(blob, "t/video/1/00002.m4s", &size, &err), 0);
    ck_assert_int_eq(size, 4);
    ck_assert_int_eq(blob_stat(blob, "t/video", &size, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(blob_stat(blob, "t/none", &size, NULL), ERR_NOT_FOUND);
    buf_finish(&out);
}
END_TEST

/* Whose time is over, or who was told to stop though the clock says otherwise: the time may be that
 * of another lease by then. Reading goes on. */
START_TEST(nothing_is_changed_when_its_time_is_over) {
    _Atomic int64_t until = INT64_MAX;
    atomic_bool cancel = false;
    struct buf got = {0};
    options.until_ms = &until;
    options.cancel = &cancel;
    open_root("");
    ck_assert_int_eq(blob_put(blob, "a", data, 1, BLOB_REPLACE, &err), 0);
    if (_i == 0) {
        until = clock_monotonic_ms();
    } else {
        cancel = true;
    }
    ck_assert_int_eq(blob_put(blob, "a", data, 2, BLOB_REPLACE, &err), ERR_CANCELLED);
    ck_assert_int_eq(blob_remove(blob, "a", &err), ERR_CANCELLED);
    ck_assert_int_eq(blob_get(blob, "a", 10, &got, &err), 0);
    ck_assert_uint_eq(got.size, 1);
    buf_finish(&got);
}
END_TEST

START_TEST(removing_takes_empty_folders_along_but_not_the_root) {
    char *root = mem_format("%s/root", folder);
    char *title = mem_format("%s/root/t", folder);
    open_root("/root");
    ck_assert_int_eq(blob_put(blob, "t/video/1/a", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "t/video/2/b", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_remove(blob, "t/video/1/a", &err), 0);
    ck_assert_int_eq(blob_remove(blob, "t/video/1/a", &err), 0);
    ck_assert_int_eq(access(title, F_OK), 0);
    ck_assert_int_eq(blob_remove(blob, "t/video/2/b", &err), 0);
    ck_assert_int_eq(access(title, F_OK), -1);
    ck_assert_int_eq(access(root, F_OK), 0);
    mem_free(title);
    mem_free(root);
}
END_TEST

START_TEST(hidden_names_are_not_objects) {
    struct buf out = {0};
    fixture_write(folder, ".reelfarm/store.db", "x", 1);
    fixture_write(folder, "t/.reelfarm-draft-0", "x", 1);
    fixture_write(folder, "t/a", "x", 1);
    open_root("");
    ck_assert_int_eq(blob_list(blob, "", collect, &out, &err), 0);
    ck_assert_str_eq(buf_text(&out), "t/a=1 ");
    buf_finish(&out);
}
END_TEST

static const char *const wrong_keys[] = {
    "",      "/etc/passwd", "../x", "a/../x", "a/./x",     "a//b", "a/",
    ".hide", "a/.b",        "a\nb", "a\x7f",  "a/b\x01/c", "..",   NULL,
};

START_TEST(a_key_stays_below_its_root) {
    char longer[BLOB_KEY_BYTES_MAX + 2];
    struct buf out = {0};
    int64_t size = 0;
    const char *key = wrong_keys[_i];
    if (key == NULL) {
        for (size_t i = 0; i < sizeof(longer); i++) {
            longer[i] = i % 100 == 99 ? '/' : 'k';
        }
        longer[sizeof(longer) - 1] = '\0';
        key = longer;
    }
    open_root("/root");
    ck_assert_int_eq(blob_put(blob, key, "x", 1, BLOB_REPLACE, &err), ERR_INVALID);
    ck_assert_int_eq(blob_get(blob, key, 10, &out, NULL), ERR_INVALID);
    ck_assert_int_eq(blob_stat(blob, key, &size, NULL), ERR_INVALID);
    ck_assert_int_eq(blob_remove(blob, key, NULL), ERR_INVALID);
    ck_assert_uint_eq(out.size, 0);
    char *root = mem_format("%s/root", folder);
    ck_assert_int_eq(access(root, F_OK), -1); /* nothing was made */
    mem_free(root);
}
END_TEST

START_TEST(a_wrong_prefix_is_refused) {
    struct buf out = {0};
    open_root("");
    ck_assert_int_eq(blob_list(blob, "../", collect, &out, NULL), ERR_INVALID);
    ck_assert_int_eq(blob_list(blob, "/", collect, &out, NULL), ERR_INVALID);
    ck_assert_int_eq(blob_list(blob, "a//", collect, &out, NULL), ERR_INVALID);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_named) {
    fixture_write(folder, "t", "a file where a folder is wanted", 5);
    open_root("");
    ck_assert_int_ne(blob_put(blob, "t/a", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_msg(strstr(err.message, folder) != NULL, "%s", err.message);
}
END_TEST

static void put_for_ever(void) {
    open_root("");
    for (int i = 0;; i++) {
        char *key = mem_format("t/%d/%d", i % 3, i);
        if (blob_put(blob, key, data, SIZE, BLOB_CREATE, NULL) != 0) {
            _exit(1);
        }
        mem_free(key);
    }
}

static int check_whole(void *context, const char *key, int64_t size, struct err *visit_err) {
    (void)key;
    (void)visit_err;
    ck_assert_int_eq(size, SIZE);
    ++*(int *)context;
    return 0;
}

START_TEST(a_killed_put_leaves_nothing_to_see) {
    int whole = 0;
    for (int round = 0; round < 10; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            put_for_ever();
        }
        clock_sleep_ms(5 + (int64_t)id_number(30), NULL);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        struct blob *root = NULL;
        ck_assert_int_eq(blob_open(&root, folder, &options, &err), 0);
        ck_assert_int_eq(blob_list(root, "", check_whole, &whole, &err), 0);
        blob_close(root);
        char *tree = mem_format("%s/t", folder);
        ck_assert_int_eq(fs_remove_tree(tree, NULL), 0);
        mem_free(tree);
    }
    ck_assert_int_gt(whole, 0);
}
END_TEST

static const char longer[] = "#EXTM3U\n####################################################";

START_TEST(a_web_root_is_read_only) {
    struct buf out = {0};
    int64_t size = 0;
    const char *lines = "types { application/vnd.apple.mpegurl m3u8; }\n"
                        "gzip on; gzip_min_length 10; gzip_types application/vnd.apple.mpegurl;";
    if (!fixture_web_start(&web, "a_web_root_is_read_only", lines)) {
        return;
    }
    fixture_write(web.folder, "www/t/a b#.m3u8", "hello", 5);
    fixture_write(web.folder, "www/t/long.m3u8", longer, strlen(longer));
    char *root = mem_format("%s/t/?sig=s3cret", web.url);
    ck_assert_int_eq(blob_open(&blob, root, &options, &err), 0);
    ck_assert(!blob_is_writable(blob));
    ck_assert_msg(blob_get(blob, "a b#.m3u8", 5, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), "hello");
    ck_assert_str_eq(blob_got_header(blob, "Content-Type"), "application/vnd.apple.mpegurl");
    ck_assert_str_eq(blob_got_header(blob, "Content-Encoding"), "");
    ck_assert_int_eq(blob_get(blob, "a b#.m3u8", 4, &out, &err), ERR_INVALID);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
    err_clear(&err);
    /* compressed on the way, and counted as it is: 60 bytes that need 30 */
    buf_clear(&out);
    ck_assert_int_eq(blob_get(blob, "long.m3u8", 59, &out, &err), ERR_INVALID);
    err_clear(&err);
    ck_assert_msg(blob_get(blob, "long.m3u8", 60, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), longer);
    ck_assert_str_eq(blob_got_header(blob, "Content-Encoding"), "gzip");
    ck_assert_int_eq(blob_stat(blob, "a b#.m3u8", &size, &err), 0);
    ck_assert_int_eq(size, 5);
    ck_assert_int_eq(blob_get(blob, "b", 5, &out, &err), ERR_NOT_FOUND);
    err_clear(&err);
    ck_assert_int_eq(blob_stat(blob, "b", &size, &err), ERR_NOT_FOUND);
    err_clear(&err);
    ck_assert_int_eq(blob_put(blob, "b", "x", 1, BLOB_CREATE, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "can only be read"));
    ck_assert_int_eq(blob_remove(blob, "b", NULL), ERR_UNSUPPORTED);
    ck_assert_int_eq(blob_list(blob, "", collect, &out, NULL), ERR_UNSUPPORTED);
    buf_finish(&out);
    mem_free(root);
    fixture_web_stop(&web);
}
END_TEST

Suite *blob_root_suite(void) {
    Suite *suite = suite_create("blob_root");
    TCase *tcase = tcase_create("root");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, objects_are_put_got_listed_and_removed);
    tcase_add_loop_test(tcase, nothing_is_changed_when_its_time_is_over, 0, 2);
    tcase_add_test(tcase, removing_takes_empty_folders_along_but_not_the_root);
    tcase_add_test(tcase, hidden_names_are_not_objects);
    tcase_add_loop_test(tcase, a_key_stays_below_its_root, 0,
                        sizeof(wrong_keys) / sizeof(wrong_keys[0]));
    tcase_add_test(tcase, a_wrong_prefix_is_refused);
    tcase_add_test(tcase, a_place_that_cannot_be_written_is_named);
    tcase_add_test(tcase, a_killed_put_leaves_nothing_to_see);
    tcase_add_test(tcase, a_web_root_is_read_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
