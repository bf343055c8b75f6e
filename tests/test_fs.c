/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that appear whole or not at all: on a full disk, killed in the middle, on file
 * systems that lack what we like best; walks, removal, locks. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/id.h"
#include "common/mem.h"
#include "fixture.h"

Suite *fs_suite(void);

static char *folder;
static char *path; /* of "f" in it */

static void setup(void) {
    folder = fixture_folder();
    path = mem_format("%s/f", folder);
}

static void teardown(void) {
    mem_free(path);
    fixture_folder_drop(folder);
}

static void check_content(const char *expected) {
    struct buf text = {0};
    struct err err = {0};
    ck_assert_msg(fs_read(&text, path, 1000, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&text), expected);
    buf_finish(&text);
}

static int count_entry(void *context, const struct fs_entry *entry, struct err *err) {
    (void)entry;
    (void)err;
    ++*(int *)context;
    return 0;
}

static int count_entries(const char *root) {
    int count = 0;
    ck_assert_int_eq(fs_walk(root, count_entry, &count, NULL), 0);
    return count;
}

/* ---- File systems that lack something: the kernel's filter answers for them -------- */

enum lack { LACKS_NOTHING, LACKS_TMPFILE, LACKS_LINKS, LACKS_NOREPLACE, LACK_COUNT };

/* From now on `number` fails with `error`, where argument `index` holds all `bits`. */
static void deny(long number, int index, unsigned bits, int error) {
    const size_t argument = offsetof(struct seccomp_data, args) + (size_t)index * sizeof(uint64_t);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)argument),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void live_without(enum lack lack) {
    if (lack >= LACKS_TMPFILE) { /* NFS */
        deny(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
    }
    if (lack >= LACKS_LINKS) { /* exFAT */
        deny(SYS_linkat, 0, 0, EPERM);
    }
    if (lack >= LACKS_NOREPLACE) { /* some FUSE */
        deny(SYS_renameat2, 4, RENAME_NOREPLACE, EINVAL);
    }
}

/* ---- Writing ----------------------------------------------------------------------- */

START_TEST(create_makes_once_and_replace_again) {
    struct err err = {0};
    live_without((enum lack)_i);
    ck_assert_msg(fs_create(path, "one", 3, 0600, &err) == 0, "%s", err.message);
    check_content("one");
    ck_assert_int_eq(fs_create(path, "two", 3, 0600, &err), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    check_content("one");
    ck_assert_int_eq(fs_replace(path, "three", 5, 0600, NULL), 0);
    check_content("three");
    ck_assert_int_eq(count_entries(folder), 1); /* no draft is left */
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(replace_makes_what_is_not_there_and_empty_is_a_content) {
    ck_assert_int_eq(fs_replace(path, NULL, 0, 0644, NULL), 0);
    check_content("");
    ck_assert_int_eq(fs_create(path, NULL, 0, 0644, NULL), ERR_CONFLICT);
}
END_TEST

struct race {
    int won;
    const char *text;
};

static void *race(void *context) {
    struct race *racer = context;
    racer->won = fs_create(path, racer->text, strlen(racer->text), 0644, NULL);
    return NULL;
}

/* Writes more than a pipe holds, and fails where it is told to. */
static int fill(void *context, int fd, struct err *err) {
    static char piece[1 << 16];
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(write(fd, piece, sizeof(piece)), (ssize_t)sizeof(piece));
    }
    return context == NULL ? 0 : err_set(err, ERR_TIMEOUT, "the rest did not come");
}

START_TEST(what_is_written_piece_by_piece_is_there_whole_or_not) {
    struct err err = {0};
    struct stat info;
    live_without((enum lack)_i);
    ck_assert_int_eq(fs_create_by(path, fill, path, 0600, &err), ERR_TIMEOUT);
    ck_assert_str_eq(err.message, "the rest did not come");
    ck_assert_int_eq(count_entries(folder), 0);
    err_clear(&err);
    ck_assert_msg(fs_create_by(path, fill, NULL, 0600, &err) == 0, "%s", err.message);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, 4 << 16);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(fs_create_by(path, fill, NULL, 0600, &err), ERR_CONFLICT);
    ck_assert_int_eq(count_entries(folder), 1); /* no draft is left */
}
END_TEST

START_TEST(one_of_many_creates_wins) {
    struct race racers[8];
    pthread_t threads[8];
    char texts[8][2] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    int winner = -1;
    live_without((enum lack)_i);
    for (int i = 0; i < 8; i++) {
        racers[i] = (struct race){.text = texts[i]};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(racers[i].won == 0 || racers[i].won == ERR_CONFLICT);
        if (racers[i].won == 0) {
            ck_assert_int_eq(winner, -1);
            winner = i;
        }
    }
    ck_assert_int_ge(winner, 0);
    check_content(texts[winner]);
    ck_assert_int_eq(count_entries(folder), 1);
}
END_TEST

START_TEST(no_folder_and_no_permission_are_told_apart) {
    struct err err = {0};
    char *deep = mem_format("%s/no/f", folder);
    ck_assert_int_eq(fs_create(deep, "x", 1, 0644, &err), ERR_NOT_FOUND);
    mem_free(deep);
    err_clear(&err);
    ck_assert_int_eq(fs_create("/proc/f", "x", 1, 0644, &err), ERR_NOT_FOUND);
    err_clear(&err);
    if (geteuid() == 0) {
        ck_assert_int_eq(setegid(65534) + seteuid(65534), 0);
    }
    ck_assert_int_eq(fs_replace("/etc/reelfarm-test", "x", 1, 0644, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, strerror(EACCES)));
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0) + setegid(0), 0);
    }
}
END_TEST

START_TEST(a_full_disk_leaves_nothing) {
    enum { SIZE = 3 * 1024 * 1024 };
    struct err err = {0};
    if (mount("reelfarm-test", folder, "tmpfs", 0, "size=2m") != 0) {
        printf("SKIP a_full_disk_leaves_nothing: a small tmpfs can't be mounted (%s)\n",
               strerror(errno));
        return;
    }
    live_without((enum lack)_i);
    unsigned char *data = fixture_bytes(SIZE);
    ck_assert_int_eq(fs_create(path, "old", 3, 0644, NULL), 0);
    ck_assert_int_eq(fs_replace(path, data, SIZE, 0644, &err), ERR_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    check_content("old");
    ck_assert_int_eq(count_entries(folder), 1);
    int64_t before = 0;
    ck_assert_int_eq(fs_free_bytes(folder, &before, NULL), 0);
    ck_assert_int_gt(before, 1024 * 1024); /* and its blocks are free again */
    ck_assert_int_eq(fs_replace(path, data, 1024 * 1024, 0644, NULL), 0);
    mem_free(data);
    ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
}
END_TEST

/* ---- Killed in the middle ----------------------------------------------------------- */

enum { KILL_ROUNDS = 12, KILL_SIZE = 2 * 1024 * 1024 };

static void write_for_ever(const unsigned char *data) {
    for (int i = 0;; i++) {
        char *name = mem_format("%s/%d", folder, i);
        int code = i % 2 == 0 ? fs_create(name, data, KILL_SIZE, 0644, NULL)
                              : fs_replace(path, data, KILL_SIZE, 0644, NULL);
        mem_free(name);
        if (code != 0) {
            _exit(1);
        }
    }
}

struct survey {
    const unsigned char *data;
    int whole;
    int drafts;
};

static int survey_entry(void *context, const struct fs_entry *entry, struct err *err) {
    struct survey *survey = context;
    (void)err;
    if (fs_is_draft(entry->path)) {
        survey->drafts++;
        return 0;
    }
    struct buf text = {0};
    char *name = mem_format("%s/%s", folder, entry->path);
    ck_assert_int_eq(fs_read(&text, name, KILL_SIZE, NULL), 0);
    ck_assert_uint_eq(text.size, KILL_SIZE);
    ck_assert_int_eq(memcmp(text.data, survey->data, KILL_SIZE), 0);
    survey->whole++;
    buf_finish(&text);
    mem_free(name);
    return 0;
}

START_TEST(a_kill_leaves_whole_files_only) {
    struct survey survey = {.data = fixture_bytes(KILL_SIZE)};
    live_without(_i == 0 ? LACKS_NOTHING : LACKS_TMPFILE);
    for (int round = 0; round < KILL_ROUNDS; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            write_for_ever(survey.data);
        }
        clock_sleep_ms(5 + (int64_t)id_number(40), NULL);
        kill(pid, SIGKILL);
        int status = 0;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status)); /* it was still at it */
        ck_assert_int_eq(fs_walk(folder, survey_entry, &survey, NULL), 0);
        ck_assert_int_eq(fs_remove_tree(folder, NULL), 0);
        ck_assert_int_eq(fs_make_dirs(folder, NULL), 0);
    }
    ck_assert_int_gt(survey.whole, 0);
    if (_i == 0) {
        ck_assert_int_le(survey.drafts, KILL_ROUNDS / 4); /* between link and rename alone */
    }
    mem_free((void *)survey.data);
}
END_TEST

/* ---- Reading ------------------------------------------------------------------------ */

START_TEST(a_file_is_read_piece_by_piece) {
    int fd = -1;
    int64_t size = 0;
    char piece[4] = "";
    struct err err = {0};
    ck_assert_int_eq(fs_create(path, "abcdef", 6, 0644, NULL), 0);
    ck_assert_int_eq(fs_open(&fd, &size, path, NULL), 0);
    ck_assert_int_eq(size, 6);
    ck_assert_int_eq(fs_read_at(fd, 3, piece, 3, NULL), 0);
    ck_assert_str_eq(piece, "def");
    ck_assert_int_eq(truncate(path, 5), 0);
    ck_assert_int_eq(fs_read_at(fd, 3, piece, 3, &err), ERR_CORRUPT);
    ck_assert_str_eq(err.message, "it ends at byte 5");
    close(fd);
    ck_assert_int_eq(fs_open(&fd, &size, folder, NULL), ERR_INVALID);
    ck_assert_int_eq(fs_open(&fd, &size, "/nowhere", NULL), ERR_NOT_FOUND);
}
END_TEST

START_TEST(reading_is_bounded_and_appends) {
    struct buf text = {0};
    struct err err = {0};
    buf_string(&text, "a");
    ck_assert_int_eq(fs_create(path, "bcd", 3, 0644, NULL), 0);
    ck_assert_int_eq(fs_read(&text, path, 3, NULL), 0);
    ck_assert_str_eq(buf_text(&text), "abcd");
    ck_assert_int_eq(fs_read(&text, path, 2, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "at most 2 bytes"));
    ck_assert_str_eq(buf_text(&text), "abcd");
    err_clear(&err);
    ck_assert_int_eq(fs_read(&text, folder, 10, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "not a regular file"));
    ck_assert_int_eq(fs_read(&text, "/dev/zero", 10, NULL), ERR_INVALID);
    ck_assert_int_eq(fs_read(&text, "/nowhere", 10, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(fs_remove_tree(path, NULL), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(fs_read(&text, path, 10, NULL), ERR_INVALID); /* and does not hang */
    buf_finish(&text);
}
END_TEST

/* ---- Trees -------------------------------------------------------------------------- */

static int note_entry(void *context, const struct fs_entry *entry, struct err *err) {
    static const char marks[] = {[FS_FILE] = 'f', [FS_FOLDER] = 'd', [FS_OTHER] = 'o'};
    (void)err;
    buf_format(context, "%c:%s:%d ", marks[entry->kind], entry->path,
               entry->kind == FS_FILE ? (int)entry->size : 0);
    return 0;
}

static int stop_at_second(void *context, const struct fs_entry *entry, struct err *err) {
    int *count = context;
    return ++*count == 2 ? err_set(err, ERR_CANCELLED, "at %s", entry->path) : 0;
}

START_TEST(a_walk_goes_in_order_and_follows_no_link) {
    struct buf seen = {0};
    struct err err = {0};
    int count = 0;
    fixture_write(folder, "b/z", "12", 2);
    fixture_write(folder, "b/.hidden", "", 0);
    fixture_write(folder, "a-file", "123", 3);
    fixture_write(folder, "c/d/e", "1", 1);
    char *link = mem_format("%s/loop", folder);
    ck_assert_int_eq(symlink("..", link), 0);
    ck_assert_int_eq(fs_walk(folder, note_entry, &seen, &err), 0);
    ck_assert_str_eq(buf_text(&seen), "f:a-file:3 d:b:0 f:b/.hidden:0 f:b/z:2 d:c:0 d:c/d:0 "
                                      "f:c/d/e:1 o:loop:0 ");
    ck_assert_int_eq(fs_walk(folder, stop_at_second, &count, &err), ERR_CANCELLED);
    ck_assert_str_eq(err.message, "at b");
    ck_assert_int_eq(fs_walk("/nowhere", note_entry, &seen, NULL), ERR_NOT_FOUND);
    mem_free(link);
    buf_finish(&seen);
}
END_TEST

START_TEST(removal_takes_all_and_follows_no_link) {
    char *outside = fixture_folder();
    fixture_write(outside, "precious", "x", 1);
    char *tree = mem_format("%s/tree", folder);
    char *link = mem_format("%s/tree/link", folder);
    fixture_write(folder, "tree/a/b/c", "x", 1);
    fixture_write(folder, "tree/d", "x", 1);
    ck_assert_int_eq(symlink(outside, link), 0);
    ck_assert_int_eq(fs_remove_tree(tree, NULL), 0);
    ck_assert_int_eq(access(tree, F_OK), -1);
    ck_assert_int_eq(count_entries(outside), 1);
    ck_assert_int_eq(symlink(outside, tree), 0);
    ck_assert_int_eq(fs_remove_tree(tree, NULL), 0); /* the link itself */
    ck_assert_int_eq(count_entries(outside), 1);
    ck_assert_int_eq(fs_remove_tree(tree, NULL), 0); /* nothing there */
    mem_free(link);
    mem_free(tree);
    fixture_folder_drop(outside);
}
END_TEST

START_TEST(folders_are_made_with_those_above) {
    struct err err = {0};
    char *deep = mem_format("%s//a/b/./c/", folder);
    ck_assert_msg(fs_make_dirs(deep, &err) == 0, "%s", err.message);
    ck_assert_int_eq(fs_make_dirs(deep, &err), 0);
    ck_assert_int_eq(access(deep, F_OK), 0);
    ck_assert_int_eq(fs_make_dirs("/", NULL), 0);
    ck_assert_int_eq(fs_create(path, "x", 1, 0644, NULL), 0);
    char *through = mem_format("%s/f/g", folder);
    ck_assert_int_eq(fs_make_dirs(through, &err), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, through));
    ck_assert_int_eq(fs_make_dirs(path, NULL), ERR_NOT_FOUND);
    ck_assert_int_ne(fs_make_dirs("", NULL), 0);
    mem_free(through);
    mem_free(deep);
}
END_TEST

static const struct {
    const char *path;
    const char *whole;
} wholes[] = {
    {"/", "/"},           {"//", "/"},
    {"/a/b", "/a/b"},     {"/a//b/", "/a/b"},
    {"/a/./b/.", "/a/b"}, {"/a/../b", "/b"},
    {"/..", "/"},         {"/../../a", "/a"},
    {"/a/..", "/"},       {"/a/b/../..", "/"},
    {"/...", "/..."},     {"/a/.b/..c", "/a/.b/..c"},
    {"a", "HERE/a"},      {"./a/../b", "HERE/b"},
    {".", "HERE"},        {"", "HERE"},
};

START_TEST(a_path_is_made_whole_by_its_words) {
    char *here = get_current_dir_name();
    char *wanted = strncmp(wholes[_i].whole, "HERE", 4) == 0
                       ? mem_format("%s%s", here, wholes[_i].whole + 4)
                       : mem_string(wholes[_i].whole);
    char *whole = fs_whole_path(wholes[_i].path);
    ck_assert_str_eq(whole, wanted);
    mem_free(whole);
    mem_free(wanted);
    free(here);
}
END_TEST

static const struct {
    const char *values[3]; /* of STATE_DIRECTORY, XDG_STATE_HOME, HOME */
    const char *folder;
} states[] = {
    {{"/var/lib/r:/other", "/x", "/h"}, "/var/lib/r"},
    {{NULL, "/x", "/h"}, "/x/reelfarm"},
    {{"", "relative", "/h"}, "/h/.local/state/reelfarm"},
    {{NULL, NULL, ""}, NULL},
};

START_TEST(a_users_state_is_where_the_system_says) {
    static const char *const names[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"};
    for (int i = 0; i < 3; i++) {
        const char *value = states[_i].values[i];
        if (value != NULL) {
            setenv(names[i], value, 1);
        } else {
            unsetenv(names[i]);
        }
    }
    char *state = fs_state_folder();
    if (states[_i].folder == NULL) {
        ck_assert_ptr_null(state);
    } else {
        ck_assert_str_eq(state, states[_i].folder);
    }
    mem_free(state);
}
END_TEST

/* ---- Locks --------------------------------------------------------------------------- */

START_TEST(a_lock_names_its_holder_and_ends_with_it) {
    struct fs_lock lock = {-1};
    struct err err = {0};
    int ready[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct fs_lock theirs;
        byte = fs_lock_take(&theirs, path, NULL) == 0 ? 'y' : 'n';
        ssize_t wrote = write(ready[1], &byte, 1);
        pause();
        _exit((int)wrote);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    ck_assert_int_eq(fs_lock_take(&lock, path, &err), ERR_CONFLICT);
    char *process = mem_format("process %ld", (long)pid);
    ck_assert_msg(strstr(err.message, process) != NULL, "%s", err.message);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    err_clear(&err);
    ck_assert_msg(fs_lock_take(&lock, path, &err) == 0, "%s", err.message);
    struct fs_lock second = {-1};
    ck_assert_int_eq(fs_lock_take(&second, path, NULL), ERR_CONFLICT); /* in one process too */
    fs_lock_release(&lock);
    fs_lock_release(&lock);
    ck_assert_int_eq(fs_lock_take(&second, path, NULL), 0);
    fs_lock_release(&second);
    mem_free(process);
}
END_TEST

Suite *fs_suite(void) {
    Suite *suite = suite_create("fs");
    TCase *tcase = tcase_create("fs");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, create_makes_once_and_replace_again, 0, LACK_COUNT);
    tcase_add_loop_test(tcase, what_is_written_piece_by_piece_is_there_whole_or_not, 0, LACK_COUNT);
    tcase_add_test(tcase, a_file_is_read_piece_by_piece);
    tcase_add_test(tcase, replace_makes_what_is_not_there_and_empty_is_a_content);
    tcase_add_loop_test(tcase, one_of_many_creates_wins, 0, LACKS_NOREPLACE);
    tcase_add_test(tcase, no_folder_and_no_permission_are_told_apart);
    tcase_add_loop_test(tcase, a_full_disk_leaves_nothing, 0, LACK_COUNT);
    tcase_add_loop_test(tcase, a_kill_leaves_whole_files_only, 0, 2);
    tcase_add_test(tcase, reading_is_bounded_and_appends);
    tcase_add_test(tcase, a_walk_goes_in_order_and_follows_no_link);
    tcase_add_test(tcase, removal_takes_all_and_follows_no_link);
    tcase_add_test(tcase, folders_are_made_with_those_above);
    tcase_add_loop_test(tcase, a_path_is_made_whole_by_its_words, 0,
                        sizeof(wholes) / sizeof(wholes[0]));
    tcase_add_loop_test(tcase, a_users_state_is_where_the_system_says, 0,
                        sizeof(states) / sizeof(states[0]));
    tcase_add_test(tcase, a_lock_names_its_holder_and_ends_with_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
