/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of options, four sources, and what each says when it is wrong. */
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"

Suite *config_suite(void);

struct settings {
    bool verbose;
    int64_t lease_ms;
    double share;
    const char *listen;
    const char *token;
    int level;
};

static const char *const levels[] = {"low", "middle", "high", NULL};

static const struct config_option options[] = {
    {.name = "verbose",
     .type = CONFIG_BOOL,
     .offset = offsetof(struct settings, verbose),
     .standard = "true",
     .help = "say more"},
    {.name = "lease_ms",
     .type = CONFIG_INT,
     .offset = offsetof(struct settings, lease_ms),
     .standard = "30000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "how long a session may be silent"},
    {.name = "share",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct settings, share),
     .help = "a part of the whole"},
    {.name = "listen",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, listen),
     .standard = "127.0.0.1",
     .max = 20,
     .help = "where to listen"},
    {.name = "token",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, token),
     .secret = true,
     .help = "what to show at the door"},
    {.name = "level",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct settings, level),
     .standard = "middle",
     .choices = levels,
     .help = "how much"},
};

enum { COUNT = sizeof(options) / sizeof(options[0]) };

static struct settings settings;
static struct config config;
static struct err err;
static char *folder;
static char *path;

static void setup(void) {
    settings = (struct settings){0};
    config = (struct config){0};
    err = (struct err){0};
    folder = fixture_folder();
    path = mem_format("%s/c.yaml", folder);
}

static void teardown(void) {
    config_finish(&config);
    mem_free(path);
    fixture_folder_drop(folder);
}

/* Loads from a file's text, one variable and up to three arguments; NULL for none. */
static int load(const char *file, const char *variable, const char *const *arguments) {
    char *environment[] = {(char *)variable, NULL};
    struct config_input input = {.file = path, .environment = environment};
    char *argv[8];
    while (arguments != NULL && arguments[input.argc] != NULL) {
        argv[input.argc] = (char *)arguments[input.argc];
        input.argc++;
    }
    input.argv = argv;
    if (file != NULL) {
        fixture_write(folder, "c.yaml", file, strlen(file));
    }
    return config_load(&config, options, COUNT, &settings, &input, &err);
}

#define ARGUMENTS(...)                                                                             \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

START_TEST(defaults_are_those_of_the_table) {
    ck_assert_msg(load(NULL, NULL, NULL) == 0, "%s", err.message);
    ck_assert(settings.verbose && settings.lease_ms == 30000 && settings.share == 0);
    ck_assert_str_eq(settings.listen, "127.0.0.1");
    ck_assert_ptr_null(settings.token);
    ck_assert_int_eq(settings.level, 1);
    ck_assert_str_eq(config_source(&config, "lease_ms"), "default");
    ck_assert_str_eq(config_source(&config, "token"), "default");
}
END_TEST

START_TEST(later_sources_win_and_are_remembered) {
    ck_assert_msg(load("# x\nlease_ms: 500\nshare: 0.25\nlevel: low\nlisten: 8080\n",
                       "REELFARM_LEASE_MS=600", ARGUMENTS("--lease-ms=700", "--no-verbose")) == 0,
                  "%s", err.message);
    ck_assert_int_eq(settings.lease_ms, 700);
    ck_assert(settings.share == 0.25 && settings.level == 0 && !settings.verbose);
    ck_assert_str_eq(settings.listen, "8080");
    ck_assert_str_eq(config_source(&config, "lease_ms"), "--lease-ms");
    ck_assert_str_eq(config_source(&config, "verbose"), "--no-verbose");
    char *source = mem_format("%s:4", path);
    ck_assert_str_eq(config_source(&config, "level"), source);
    mem_free(source);
}
END_TEST

START_TEST(the_environment_beats_the_file) {
    ck_assert_int_eq(load("lease-ms: 500\n", "REELFARM_LEASE_MS=600", NULL), 0);
    ck_assert_int_eq(settings.lease_ms, 600);
    ck_assert_str_eq(config_source(&config, "lease_ms"), "REELFARM_LEASE_MS");
}
END_TEST

START_TEST(flags_and_operands_mix_until_two_dashes) {
    ck_assert_int_eq(
        load(NULL, NULL, ARGUMENTS("film.mp4", "--level", "high", "-", "--", "--verbose")), 0);
    ck_assert_uint_eq(config.operand_count, 3);
    ck_assert_str_eq(config.operands[0], "film.mp4");
    ck_assert_str_eq(config.operands[1], "-");
    ck_assert_str_eq(config.operands[2], "--verbose");
    ck_assert_int_eq(settings.level, 2);
    ck_assert(!config.wants_help);
}
END_TEST

START_TEST(help_is_noticed) {
    ck_assert_int_eq(load(NULL, NULL, ARGUMENTS("--help")), 0);
    ck_assert(config.wants_help);
}
END_TEST

START_TEST(another_file_can_be_named) {
    fixture_write(folder, "other.yaml", "level: high\n", 12);
    char *flag = mem_format("--config=%s/other.yaml", folder);
    char *variable = mem_format("REELFARM_CONFIG=%s/other.yaml", folder);
    ck_assert_msg(load("level: low\n", NULL, ARGUMENTS(flag)) == 0, "%s", err.message);
    ck_assert_int_eq(settings.level, 2);
    config_finish(&config);
    ck_assert_int_eq(load("level: low\n", variable, NULL), 0);
    ck_assert_int_eq(settings.level, 2);
    mem_free(variable);
    mem_free(flag);
}
END_TEST

static const struct {
    const char *file;
    const char *variable;
    const char *arguments[4];
    const char *message; /* %s stands for the file's path */
} wrong[] = {
    {.file = "lease_ms: soon\n",
     .message = "%s:1: lease_ms must be a whole number from 100 to 600000 ms, not 'soon'"},
    {.file = "\nlease_ms: 99\n",
     .message = "%s:2: lease_ms must be a whole number from 100 to 600000 ms, not '99'"},
    {.file = "lease_ms: 100.5\n", .message = "%s:1: lease_ms must be a whole number"},
    {.file = "lease: 100\n", .message = "%s:1: 'lease' is not an option; see --help"},
    {.file = "level: [low]\n", .message = "%s:1: level must be one value"},
    {.file = "- a\n", .message = "%s: must be lines of 'name: value'"},
    {.file = "level: [low\n", .message = "%s:2: did not find"},
    {.variable = "REELFARM_VERBOSE=perhaps",
     .message = "REELFARM_VERBOSE: verbose must be true or false, not 'perhaps'"},
    {.variable = "REELFARM_LEVEL=top",
     .message = "REELFARM_LEVEL: level must be one of low, middle, high, not 'top'"},
    {.variable = "REELFARM_SHARE=nan", .message = "REELFARM_SHARE: share must be a number"},
    {.variable = "REELFARM_LEASE_MS=", .message = "REELFARM_LEASE_MS: lease_ms must be"},
    {.variable = "REELFARM_CONFIG=/nowhere/c.yaml", .message = "opening '/nowhere/c.yaml'"},
    {.arguments = {"--lease-ms"}, .message = "the flag '--lease-ms' needs a value"},
    {.arguments = {"--lease-ms", "1e9"}, .message = "--lease-ms: lease_ms must be a whole number"},
    {.arguments = {"--lease-ms", "500x"}, .message = "--lease-ms: lease_ms must be"},
    {.arguments = {"--leas-ms=500"}, .message = "the flag '--leas-ms=500' is not known"},
    {.arguments = {"--no-level"}, .message = "the flag '--no-level' is not known"},
    {.arguments = {"--no-verbose=true"}, .message = "the flag '--no-verbose=true' takes no value"},
    {.arguments = {"--listen", "a-name-that-is-much-too-long"},
     .message = "--listen: listen must have from 0 to 20 bytes, not 28"},
    {.arguments = {"--config"}, .message = "the flag '--config' needs a value"},
};

START_TEST(what_is_wrong_is_named_with_its_source) {
    ck_assert_int_ne(load(wrong[_i].file, wrong[_i].variable, wrong[_i].arguments), 0);
    const char *rest = wrong[_i].message;
    const char *found = err.message;
    if (strncmp(rest, "%s", 2) == 0) {
        ck_assert_msg(strncmp(found, path, strlen(path)) == 0, "%s", found);
        rest += 2;
        found += strlen(path);
    }
    ck_assert_msg(strncmp(found, rest, strlen(rest)) == 0, "%s", err.message);
}
END_TEST

START_TEST(what_the_environment_holds_besides_is_nothing_to_us) {
    ck_assert_int_eq(load(NULL, "REELFARM_MEDIA=/x", NULL), 0);
    config_finish(&config);
    ck_assert_int_eq(load(NULL, "REELFARM_LEASE_MSX=1", NULL), 0);
}
END_TEST

/* Daemons beside each other may have options of one name. */
START_TEST(a_prefix_of_its_own_tells_whose_the_environment_is) {
    char *environment[] = {"REELFARM_LEASE_MS=600", "OTHER_LEASE_MS=700", NULL};
    struct config_input input = {.environment = environment, .prefix = "OTHER_"};
    ck_assert_int_eq(config_load(&config, options, COUNT, &settings, &input, &err), 0);
    ck_assert_int_eq(settings.lease_ms, 700);
    ck_assert_str_eq(config_source(&config, "lease_ms"), "OTHER_LEASE_MS");
}
END_TEST

START_TEST(help_follows_from_the_table) {
    struct buf out = {0};
    config_help(options, COUNT, &out);
    ck_assert_str_eq(
        buf_text(&out),
        "  --verbose                   say more\n"
        "  --lease-ms N                how long a session may be silent (ms; 100 to 600000;\n"
        "                              default 30000)\n"
        "  --share N                   a part of the whole\n"
        "  --listen TEXT               where to listen (default 127.0.0.1)\n"
        "  --token TEXT                what to show at the door\n"
        "  --level WORD                how much (low, middle, high; default middle)\n");
    buf_finish(&out);
}
END_TEST

START_TEST(a_flag_asks_for_a_show) {
    struct buf shown = {0};
    ck_assert_int_eq(load(NULL, NULL, ARGUMENTS("--lease-ms=500")), 0);
    ck_assert_int_eq(config.show, CONFIG_RUN);
    config_finish(&config);
    ck_assert_int_eq(load(NULL, NULL, ARGUMENTS("--show-config", "--lease-ms=500")), 0);
    ck_assert_int_eq(config.show, CONFIG_SHOW_TABLE);
    config_show(&config, &shown);
    ck_assert_ptr_nonnull(strstr(buf_text(&shown), "500 ms  (--lease-ms)\n"));
    buf_clear(&shown);
    config_finish(&config);
    ck_assert_int_eq(load(NULL, NULL, ARGUMENTS("--show-config-json")), 0);
    ck_assert_int_eq(config.show, CONFIG_SHOW_JSON);
    config_show(&config, &shown);
    ck_assert_int_eq(buf_text(&shown)[0], '{');
    buf_finish(&shown);
}
END_TEST

START_TEST(values_are_shown_without_secrets) {
    struct buf table = {0};
    struct buf json = {0};
    struct json *root = NULL;
    ck_assert_int_eq(load(NULL, "REELFARM_TOKEN=s3cret", ARGUMENTS("--share=0.5")), 0);
    ck_assert_str_eq(settings.token, "s3cret");
    config_table(&config, &table);
    config_json(&config, &json);
    ck_assert_ptr_null(strstr(buf_text(&table), "s3cret"));
    ck_assert_ptr_null(strstr(buf_text(&json), "s3cret"));
    ck_assert_ptr_nonnull(strstr(buf_text(&table), "lease_ms"));
    ck_assert_ptr_nonnull(strstr(buf_text(&table), "30000 ms  (default)\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&table), "(REELFARM_TOKEN)\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&table), "may be silent (ms; 100 to 600000; default "));
    ck_assert_ptr_nonnull(strstr(buf_text(&json), "\"min\":100,\"max\":600000,\"choices\":[]"));
    ck_assert_ptr_nonnull(strstr(buf_text(&json), "[\"low\",\"middle\",\"high\"]"));
    ck_assert_int_eq(json_tree_parse(&root, json.data, json.size, &err), 0);
    struct reader r = reader_of(root, "config", &err);
    struct reader share = reader_object(&r, "share");
    struct reader level = reader_object(&r, "level");
    double number = 0;
    const char *source = NULL;
    const char *value = NULL;
    reader_number(&share, "value", 0, 1, &number);
    reader_string(&share, "source", &source);
    reader_string(&level, "value", &value);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert(number == 0.5);
    ck_assert_str_eq(source, "--share");
    ck_assert_str_eq(value, "middle");
    json_tree_destroy(root);
    buf_finish(&json);
    buf_finish(&table);
}
END_TEST

Suite *config_suite(void) {
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, defaults_are_those_of_the_table);
    tcase_add_test(tcase, later_sources_win_and_are_remembered);
    tcase_add_test(tcase, the_environment_beats_the_file);
    tcase_add_test(tcase, flags_and_operands_mix_until_two_dashes);
    tcase_add_test(tcase, help_is_noticed);
    tcase_add_test(tcase, another_file_can_be_named);
    tcase_add_loop_test(tcase, what_is_wrong_is_named_with_its_source, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, what_the_environment_holds_besides_is_nothing_to_us);
    tcase_add_test(tcase, a_prefix_of_its_own_tells_whose_the_environment_is);
    tcase_add_test(tcase, help_follows_from_the_table);
    tcase_add_test(tcase, a_flag_asks_for_a_show);
    tcase_add_test(tcase, values_are_shown_without_secrets);
    suite_add_tcase(suite, tcase);
    return suite;
}
