/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's pure parts: names, figures and drawings, usage, documentation. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/documentation.h"
#include "cli/farm_view.h"
#include "cli/status.h"
#include "cli/title_name.h"
#include "cli/title_order.h"
#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"

Suite *cli_suite(void);

static const struct {
    const char *source;
    const char *title;
} names[] = {
    {"movie.mp4", "movie"},
    {"/films/Big Buck (1080p).mp4", "big-buck-1080p"},
    {"file+with+data&streams=works?.mp4", "file-with-data-streams-works"},
    {"https://media.example/a/b/Movie.final.mkv?token=secret#t", "movie.final"},
    {"https://media.example/", "media"},
    {"_-._.mp4", "title"},
    {"\xc3\xa9t\xc3\xa9.mov", "t"},
    {"dir/.hidden", "hidden"},
    {"noend", "noend"},
    {"", "title"},
};

START_TEST(test_title_name) {
    char title[WIRE_TITLE_TEXT];
    title_name_of(names[_i].source, title);
    ck_assert_str_eq(title, names[_i].title);
    ck_assert(title_id_valid(title));
}
END_TEST

START_TEST(test_title_name_long) {
    char source[400];
    memset(source, 'a', sizeof(source) - 1);
    source[sizeof(source) - 1] = '\0';
    char title[WIRE_TITLE_TEXT];
    title_name_of(source, title);
    ck_assert_uint_eq(strlen(title), 128);
    ck_assert(title_id_valid(title));
}
END_TEST

static const struct {
    const char *place;
    bool is_told;
} places[] = {
    {"/films/\xc3\xa9t\xc3\xa9 (1080p).mov", true},
    {"s3://b/\xe6\x98\xa0\xe7\x94\xbb/\xf0\x9f\x8e\xac", true},
    {"", true},
    {"/films/\xe9t\xe9.mov", false},
    {"/films/\xc3", false},
    {"/films/\xed\xa0\x80", false}, /* half of a surrogate pair */
    {"/films/\xc0\xaf", false},
};

START_TEST(test_names_that_can_be_told) {
    struct err err = {0};
    ck_assert_int_eq(place_name_check(places[_i].place, &err),
                     places[_i].is_told ? 0 : ERR_INVALID);
}
END_TEST

/* ---- Deadlines -------------------------------------------------------------------- */

static const struct {
    const char *text;
    int64_t ms; /* -1: it is none */
} deadlines[] = {
    {"+90m", 1000 + 90 * 60000},
    {"+12h", 1000 + 12 * 3600000},
    {"+2d", 1000 + 2 * 86400000},
    {"2026-12-01T18:00:00Z", 1796148000000},
    {"2026-12-01T18:00:00.25Z", 1796148000250},
    {"2026-12-01T19:30:00+01:30", 1796148000000},
    {"2026-12-01T13:00:00-05:00", 1796148000000},
    {"+", -1},
    {"+0h", -1},
    {"+-1h", -1},
    {"+5", -1},
    {"+5hh", -1},
    {"90m", -1},
    {"2026-12-01", -1},
    {"2026-12-01T18:00:00", -1},
    {"2026-12-01T18:00:00.Z", -1},
    {"2026-12-01T18:00:00+1:30", -1},
    {"2026-12-01T18:00:00+24:00", -1},
    {"2026-06-31T18:00:00Z", -1},
    {"2026-12-01T25:00:00Z", -1},
};

START_TEST(test_deadline) {
    int64_t ms = -1;
    struct err err = {0};
    int result = title_deadline_parse(deadlines[_i].text, 1000, &ms, &err);
    ck_assert_int_eq(result, deadlines[_i].ms < 0 ? ERR_INVALID : 0);
    ck_assert_int_eq(ms, deadlines[_i].ms);
    ck_assert(result == 0 || strstr(err.message, deadlines[_i].text) != NULL);
}
END_TEST

/* ---- Progress --------------------------------------------------------------------- */

static struct title_status running(void) {
    struct title_status status = {
        .title = "a-title-with-quite-a-long-name",
        .state = TITLE_RUNNING,
        .frames = 1000,
        .seconds = 40,
        .encoded_frames = 0,
        .encoded_total = 3000,
        .workers_busy = 2,
        .rendition_count = 3,
        .renditions =
            {
                {.id = "h264-720p", .video = true, .frames = 1000, .frames_done = 500},
                {.id = "h264-360p",
                 .video = true,
                 .frames = 1000,
                 .frames_done = 1000,
                 .reused = true},
                {.id = "audio-und-aac-2", .units = 1, .units_done = 1},
            },
    };
    return status;
}

/* Frames made before the display began count as done, never as speed. */
START_TEST(test_speed) {
    struct title_status status = running();
    struct progress_clock clock = {0};
    struct buf text = {0};
    status.encoded_frames = 1000;
    progress_line(&status, &clock, 1000, 2, &text);
    buf_clear(&text);
    status.encoded_frames = 2500;
    progress_line(&status, &clock, 11000, 2, &text);
    ck_assert_str_eq(buf_text(&text), "a-title-with-quite-a-long-name: 83 %, 833/1000 frames  50.0 "
                                      "fps  2.00x  ETA 0:03  workers 2/2\n");
    buf_finish(&text);
}
END_TEST

/* What was tried again is told wherever a title's progress is, and nothing where nothing was. */
START_TEST(test_retries) {
    static const char answer[] =
        "{\"title\":\"t\",\"state\":\"running\",\"class\":\"\",\"error\":\"\",\"version\":\"\","
        "\"frames\":1000,\"seconds\":40,\"encoded_frames\":%d,\"encoded_total\":1000,"
        "\"frames_repaired\":0,\"frames_concealed\":0,\"workers_busy\":1,\"renditions\":[],"
        "\"stats\":{\"failures\":%d,\"losses\":%d}}";
    static const struct {
        int made, failures, losses;
        const char *line;
    } cases[] = {
        {0, 0, 0, "t: 0 %, 0/1000 frames  0.0 fps  0.00x  ETA -:--  workers 1/2\n"},
        {0, 2, 1, "t: 0 %, 0/1000 frames  0.0 fps  0.00x  ETA -:--  retries 3  workers 1/2\n"},
        {1000, 0, 1, "t: writing manifests  retries 1\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct farm_row row = {.status = {.title = ""}};
        struct farm_view view = {.rows = &row, .count = 1, .slots = 2, .workers = 1};
        struct buf text = {0};
        struct json *tree = NULL;
        struct err err = {0};
        buf_format(&text, answer, cases[i].made, cases[i].failures, cases[i].losses);
        ck_assert_int_eq(json_tree_parse(&tree, text.data, text.size, &err), 0);
        struct reader r = reader_of(tree, "answer", &err);
        title_status_read(&row.status, &r);
        ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
        json_tree_destroy(tree);
        buf_clear(&text);
        progress_line(&row.status, &row.clock, 1000, 2, &text);
        ck_assert_str_eq(buf_text(&text), cases[i].line);
        const char *shown = strstr(cases[i].line, "  retries ");
        buf_clear(&text);
        ck_assert_int_eq(progress_draw(&row.status, &row.clock, 1000, 2, 100, &text), 1);
        ck_assert_int_eq(strstr(buf_text(&text), "  retries ") != NULL, shown != NULL);
        buf_clear(&text);
        ck_assert_int_eq(farm_view_draw(&view, 1000, 0, &text), 2);
        ck_assert_int_eq(strstr(buf_text(&text), "; retries ") != NULL, shown != NULL);
        buf_finish(&text);
    }
}
END_TEST

/* Cells of a line: UTF-8 continuation bytes take none. */
static int cells(const char *line, size_t length) {
    int count = 0;
    for (size_t i = 0; i < length; i++) {
        count += ((unsigned char)line[i] & 0xc0) != 0x80;
    }
    return count;
}

START_TEST(test_drawing_fits) {
    struct title_status status = running();
    for (int columns = 20; columns < 200; columns++) {
        for (int64_t done = 0; done <= 3000; done += 375) {
            struct progress_clock clock = {.started_ms = 1, .first_frames = 0};
            struct buf text = {0};
            status.encoded_frames = done;
            int lines = progress_draw(&status, &clock, 60000, 2, columns, &text);
            ck_assert_int_eq(lines, 4);
            const char *line = buf_text(&text);
            for (int i = 0; i < lines; i++) {
                const char *end = strchr(line, '\n');
                ck_assert_ptr_nonnull(end);
                int wide = cells(line, (size_t)(end - line));
                ck_assert_msg(wide <= columns || columns < 30, "%d cells in %d columns: %.*s", wide,
                              columns, (int)(end - line), line);
                line = end + 1;
            }
            ck_assert_str_eq(line, "");
            buf_finish(&text);
        }
    }
}
END_TEST

START_TEST(test_json_line) {
    struct title_status status = running();
    struct progress_clock clock = {0};
    struct buf text = {0};
    status.retries = 4;
    progress_json(&status, &clock, 1000, 2, &text);
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&tree, text.data, text.size, &err) == 0, "%s", err.message);
    struct reader r = reader_of(tree, "line", &err);
    const char *event = "";
    int64_t retries = 0;
    reader_string(&r, "event", &event);
    ck_assert_str_eq(event, "progress");
    reader_int(&r, "retries", 0, INT64_MAX, &retries);
    ck_assert_int_eq(retries, 4);
    json_tree_destroy(tree);
    buf_finish(&text);
}
END_TEST

/* ---- Usage ---------------------------------------------------------------------------- */

static const struct {
    const char *argv[8];
    int code;
} usages[] = {
    {{"reelfarm"}, EXIT_USAGE},
    {{"reelfarm", "--help"}, EXIT_DONE},
    {{"reelfarm", "encode", "--help"}, EXIT_DONE},
    {{"reelfarm", "dance"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4"}, EXIT_USAGE},
    {{"reelfarm", "encode", "--out", "d"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out="}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out", "d", "--sideways"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out", "d", "--force=yes"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out", "d", "--workers", "0"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out", "d", "--workers", "2x"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "--out", "d", "--title", "Not/A/Title"}, EXIT_USAGE},
    {{"reelfarm", "encode", "x.mp4", "y.mp4", "--out", "d"}, EXIT_USAGE},
    {{"reelfarm", "encode", "/no/such/file.mp4", "--out", "/no/such/folder"}, EXIT_FAILED},
    {{"reelfarm", "encode", "/", "--out", "/no/such/folder"}, EXIT_FAILED},
    {{"reelfarm", "ladder", "climb"}, EXIT_USAGE},
    {{"reelfarm", "ladder", "show"}, EXIT_USAGE},
    {{"reelfarm", "ladder", "list"}, EXIT_DONE},
    {{"reelfarm", "ladder", "list", "--json"}, EXIT_DONE},
    {{"reelfarm", "ladder", "show", "no-such-ladder"}, EXIT_FAILED},
    {{"reelfarm", "probe"}, EXIT_USAGE},
    {{"reelfarm", "probe", "--sandbox", "fool", "x.mp4"}, EXIT_USAGE},
    {{"reelfarm", "endpoints", "dance"}, EXIT_USAGE},
    {{"reelfarm", "endpoints", "forget"}, EXIT_USAGE},
    {{"reelfarm", "endpoints", "forget", "a/b"}, EXIT_USAGE},
    {{"reelfarm", "endpoints", "forget", "e", "f"}, EXIT_USAGE},
    {{"reelfarm", "endpoints", "forget", "e", "--remove"}, EXIT_USAGE},
    {{"reelfarm", "unpublish", "t", "--edge", "e", "--endpoint", "e"}, EXIT_USAGE},
    {{"reelfarm", "help"}, EXIT_DONE},
    {{"reelfarm", "--help", "encode"}, EXIT_DONE},
    {{"reelfarm", "dance", "--help"}, EXIT_USAGE},
    {{"reelfarm", "-h"}, EXIT_DONE},
    {{"reelfarm", "encode", "-h"}, EXIT_DONE},
    {{"reelfarm", "scheduler", "-h"}, EXIT_DONE},
    {{"reelfarm", "help", "encode"}, EXIT_DONE},
    {{"reelfarm", "help", "scheduler"}, EXIT_DONE},
    {{"reelfarm", "help", "dance"}, EXIT_USAGE},
    {{"reelfarm", "encode", "-v"}, EXIT_USAGE},
};

/* Runs a command line with its output going to these files. */
static int run_into(const char *const argv[8], const char *out, const char *error) {
    int argc = 0;
    while (argc < 8 && argv[argc] != NULL) {
        argc++;
    }
    ck_assert_ptr_nonnull(freopen(out, "w", stdout));
    ck_assert_ptr_nonnull(freopen(error, "w", stderr));
    int code = cli_main(argc, (char **)argv);
    fflush(stderr); /* no longer unbuffered */
    return code;
}

START_TEST(test_usage) {
    ck_assert_int_eq(run_into(usages[_i].argv, "/dev/null", "/dev/null"), usages[_i].code);
    ck_assert_int_ne(access("/no/such/folder", F_OK), 0);
}
END_TEST

/* What was told there; owned by `text`. */
static const char *told(struct buf *text, const char *path) {
    struct err err = {0};
    ck_assert_msg(fs_read(text, path, 1 << 20, &err) == 0, "%s", err.message);
    return buf_text(text);
}

static const struct {
    const char *argv[8];
    const char *meant; /* is asked about; NULL: nothing is */
} slips[] = {
    {{"reelfarm", "lst"}, "is `list` meant?"},
    {{"reelfarm", "stauts"}, "is `status` meant?"},
    {{"reelfarm", "enc"}, "is `encode` meant?"},
    {{"reelfarm", "ladders"}, "is `ladder` meant?"},
    {{"reelfarm", "dance"}, NULL},
    {{"reelfarm", "e"}, NULL},
    {{"reelfarm", ""}, NULL},
    {{"reelfarm", "a-word-that-is-longer-than-any-of-ours"}, NULL},
    {{"reelfarm", "list", "--lable", "a=b"}, "--lable (is --label meant?); see"},
    {{"reelfarm", "list", "--stat=done"}, "--stat (is --state meant?); see"},
    {{"reelfarm", "list", "--sideways"}, NULL},
};

START_TEST(test_slips_are_asked_about) {
    char *folder = fixture_folder();
    struct buf text = {0};
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(run_into(slips[_i].argv, "out", "err"), EXIT_USAGE);
    const char *said = told(&text, "err");
    const char *wanted = slips[_i].meant != NULL ? slips[_i].meant : "meant";
    ck_assert_msg((strstr(said, wanted) != NULL) == (slips[_i].meant != NULL), "%s", said);
    buf_finish(&text);
    fixture_folder_drop(folder);
}
END_TEST

/* No line of help is longer than what is meant to be, but where a word is. */
START_TEST(test_help_fits) {
    char *folder = fixture_folder();
    const struct command *command = NULL;
    ck_assert_int_eq(chdir(folder), 0);
    for (int i = 0; (command = command_at(i)) != NULL; i++) {
        const char *argv[8] = {"reelfarm", command->name, "--help"};
        struct buf text = {0};
        if (command == &command_worker) {
            continue; /* another program */
        }
        ck_assert_int_eq(run_into(argv, "out", "err"), EXIT_DONE);
        for (const char *line = told(&text, "out"); *line != '\0';) {
            size_t length = strcspn(line, "\n");
            ck_assert_msg(length <= 96, "%s: %.*s", command->name, (int)length, line);
            line += length + (line[length] == '\n' ? 1 : 0);
        }
        buf_finish(&text);
    }
    fixture_folder_drop(folder);
}
END_TEST

static const struct {
    const char *argv[8];
    int code;
    const char *field; /* of the one document on stdout; NULL: it is for people */
} documents[] = {
    {{"reelfarm", "encode", "--bogus", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "--json", "--bogus"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "-x", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "--force=yes", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "--json", "--out"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "encode", "x.mp4", "--out", "--json"}, EXIT_FAILED, NULL},
    {{"reelfarm", "encode", "--bogus", "--", "--json"}, EXIT_USAGE, NULL},
    {{"reelfarm", "dance", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "--json"}, EXIT_USAGE, "error"},
    {{"reelfarm", "--help", "--json"}, EXIT_DONE, "help"},
    {{"reelfarm", "play", "--help", "--json"}, EXIT_DONE, "help"},
    {{"reelfarm", "play", "/no/such/folder", "--json"}, EXIT_FAILED, "error"},
    {{"reelfarm", "encode", "--clean", "--out", ".", "--json"}, EXIT_DONE, "event"},
};

/* With --json there is one document, however wrong the rest is; else there is none. */
START_TEST(test_json_always) {
    char *folder = fixture_folder();
    struct buf text = {0};
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(run_into(documents[_i].argv, "out", "err"), documents[_i].code);
    told(&text, "out");
    if (documents[_i].field == NULL) {
        ck_assert_uint_eq(text.size, 0);
    } else {
        ck_assert_msg(json_tree_parse(&tree, text.data, text.size, &err) == 0, "%s", err.message);
        ck_assert_msg(strstr(buf_text(&text), documents[_i].field) != NULL, "%s", buf_text(&text));
        ck_assert_ptr_eq(strchr(buf_text(&text), '\n'), buf_text(&text) + text.size - 1);
    }
    json_tree_destroy(tree);
    buf_finish(&text);
    fixture_folder_drop(folder);
}
END_TEST

static const char *const lost[][8] = {
    {"reelfarm"},
    {"reelfarm", "--help"},
    {"reelfarm", "encode", "--help"},
    {"reelfarm", "ladder", "list"},
    {"reelfarm", "verify", "--rules", "--json"},
    {"reelfarm", "documentation", "man"},
};

START_TEST(test_lost_output_is_told) {
    char *folder = fixture_folder();
    char *path = mem_format("%s/err", folder);
    struct buf text = {0};
    ck_assert_int_eq(run_into(lost[_i], "/dev/full", path), EXIT_FAILED);
    ck_assert_str_eq(told(&text, path), "reelfarm: cannot write to standard output: No space left "
                                        "on device; check where it goes\n");
    buf_finish(&text);
    mem_free(path);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Documentation --------------------------------------------------------------------- */

START_TEST(test_documentation_names_all) {
    struct buf manual = {0};
    struct buf completion = {0};
    manual_write(&manual);
    completion_write(&completion);
    const struct command *command = NULL;
    for (int i = 0; (command = command_at(i)) != NULL; i++) {
        ck_assert_ptr_nonnull(strstr(buf_text(&manual), command->name));
        ck_assert_ptr_nonnull(strstr(buf_text(&completion), command->name));
        const struct option_row *row = NULL;
        for (int o = 0; (row = command_option_at(command, o)) != NULL; o++) {
            char typed[64];
            snprintf(typed, sizeof(typed), "--%s", row->name);
            ck_assert_ptr_nonnull(strstr(buf_text(&completion), typed));
            ck_assert_int_lt(o, MAX_OPTIONS); /* an invocation keeps a value of each */
        }
    }
    buf_finish(&manual);
    buf_finish(&completion);
}
END_TEST

static const struct {
    const char *words; /* typed so far, as bash has them in COMP_WORDS */
    const char *offered;
} completions[] = {
    {"enc", "encode\n"},
    {"encode my", "my movie.mp4\nmy streams\n"},
    {"encode --fo", "--force\n"},
    {"endpoints fo", "forget\n"},
    {"encode x.mp4 --out ''", "my streams\n"},
    {"encode x.mp4 --ladder my", "my movie.mp4\nmy streams\n"},
    {"ladder s", "show\n"},
};

/* Names with spaces stay whole; after --out there are folders alone. */
START_TEST(test_completion) {
    char *folder = fixture_folder();
    char *command = mem_format("cd '%s' && compopt() { :; } && . ./completion && "
                               "COMP_WORDS=(reelfarm %s) && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) "
                               "&& _reelfarm && printf '%%s\\n' \"${COMPREPLY[@]}\" | sort",
                               folder, completions[_i].words);
    struct buf script = {0};
    char offered[200] = "";
    completion_write(&script);
    fixture_write(folder, "completion", script.data, script.size);
    fixture_write(folder, "my movie.mp4", "", 0);
    fixture_write(folder, "my streams/a", "", 0);
    ck_assert_int_eq(setenv("SCRIPT", command, 1), 0);
    FILE *bash = popen("exec bash -c \"$SCRIPT\"", "r");
    ck_assert_ptr_nonnull(bash);
    ck_assert_uint_lt(fread(offered, 1, sizeof(offered) - 1, bash), sizeof(offered) - 1);
    ck_assert_int_eq(pclose(bash), 0);
    ck_assert_str_eq(offered, completions[_i].offered);
    buf_finish(&script);
    mem_free(command);
    fixture_folder_drop(folder);
}
END_TEST

#define FOUND(title, duration)                                                                     \
    "HTTP/1.1 200 OK\r\n\r\n{\"titles\":[{\"title\":\"" title "\",\"duration_ms\":" duration       \
    ",\"height\":720,\"manifests\":{\"hls\":\"http://x/"                                           \
    "\\u001b[1m\"},\"codecs\":[],\"languages\":[],"                                                \
    "\"labels\":[]}],\"next\":null}"

static const struct {
    struct fixture_answer answer;
    int code;
    const char *printed;
} catalogs[] = {
    {{FOUND("one", "61000"), 0}, EXIT_DONE, "one                               0:01:01  720p\n"},
    {{FOUND("a\\u001b]0;b\\u0007", "1"), 0},
     EXIT_DONE,
     "a ]0;b                            0:00:00"},
    {{FOUND("one", "9223372036854775807"), 0}, EXIT_FAILED, ""},
};

/* Whatever a catalog says, the terminal is told nothing by it. */
START_TEST(test_search_of_a_hostile_catalog) {
    struct fixture_stub stub;
    struct buf text = {0};
    char *folder = fixture_folder();
    char *out = mem_format("%s/out", folder);
    fixture_stub_start(&stub, &catalogs[_i].answer, 1);
    const char *const argv[8] = {"reelfarm", "search", "x", "--catalog", stub.url};
    ck_assert_int_eq(run_into(argv, out, "/dev/null"), catalogs[_i].code);
    fflush(stdout);
    const char *printed = told(&text, out);
    ck_assert_msg(strncmp(printed, catalogs[_i].printed, strlen(catalogs[_i].printed)) == 0, "%s",
                  printed);
    ck_assert_ptr_null(strchr(printed, '\033'));
    fixture_stub_stop(&stub);
    buf_finish(&text);
    mem_free(out);
    fixture_folder_drop(folder);
}
END_TEST

/* What is a list may be given in parts; of what is none, the last counts. */
START_TEST(test_lists_in_parts) {
    static const struct fixture_answer none = {
        "HTTP/1.1 200 OK\r\n\r\n{\"titles\":[],\"next\":null}", 0};
    static const char asked[] = "GET /search?limit=20&label=a%3Db%2Cc%2Cd%3De%2Cf&language=en ";
    struct fixture_stub stub;
    fixture_stub_start(&stub, &none, 1);
    char *catalog = mem_format("--catalog=%s", stub.url);
    const char *const argv[8] = {"reelfarm", "search", "--label=a=b", "--label",
                                 "c,d=e",    catalog,  "--label=f",   "--language=en"};
    ck_assert_int_eq(run_into(argv, "/dev/null", "/dev/null"), EXIT_DONE);
    ck_assert_msg(strncmp(stub.requests[0], asked, strlen(asked)) == 0, "%s", stub.requests[0]);
    fixture_stub_stop(&stub);
    mem_free(catalog);
}
END_TEST

Suite *cli_suite(void) {
    Suite *suite = suite_create("cli");
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, test_title_name, 0, sizeof(names) / sizeof(names[0]));
    tcase_add_test(pure, test_title_name_long);
    tcase_add_loop_test(pure, test_names_that_can_be_told, 0, sizeof(places) / sizeof(places[0]));
    tcase_add_loop_test(pure, test_deadline, 0, sizeof(deadlines) / sizeof(deadlines[0]));
    tcase_add_test(pure, test_speed);
    tcase_add_test(pure, test_drawing_fits);
    tcase_add_test(pure, test_retries);
    tcase_add_test(pure, test_json_line);
    tcase_add_loop_test(pure, test_usage, 0, sizeof(usages) / sizeof(usages[0]));
    tcase_add_loop_test(pure, test_slips_are_asked_about, 0, sizeof(slips) / sizeof(slips[0]));
    tcase_add_test(pure, test_help_fits);
    tcase_add_loop_test(pure, test_json_always, 0, sizeof(documents) / sizeof(documents[0]));
    tcase_add_loop_test(pure, test_lost_output_is_told, 0, sizeof(lost) / sizeof(lost[0]));
    tcase_add_loop_test(pure, test_search_of_a_hostile_catalog, 0,
                        sizeof(catalogs) / sizeof(catalogs[0]));
    tcase_add_test(pure, test_lists_in_parts);
    tcase_add_test(pure, test_documentation_names_all);
    tcase_add_loop_test(pure, test_completion, 0, sizeof(completions) / sizeof(completions[0]));
    suite_add_tcase(suite, pure);
    return suite;
}
