/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalog without its HTTP: what entries must have, in which order changes count, what lists
 * and searches find, and that no words are syntax. tests/farm/catalog has the daemon.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/entry.h"
#include "catalog/filter.h"
#include "catalog/shelf_parts.h"
#include "catalog/words.h"
#include "catalog_fixture.h"
#include "common/mem.h"
#include "fixture.h"

Suite *catalog_suite(void);

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

enum { NOW_MS = 1700000000 };

static char *folder;
static char *path;
static struct shelf *shelf;
static int64_t now_ms = NOW_MS; /* when titles are told of */

static void open_shelf(void) {
    struct err err = {0};
    ck_assert_msg(shelf_open(&shelf, path, &err) == 0, "%s", err.message);
}

static void set_up(void) {
    now_ms = NOW_MS;
    folder = fixture_folder();
    path = mem_format("%s/catalog.db", folder);
    open_shelf();
}

static void tear_down(void) {
    shelf_close(shelf);
    shelf = NULL;
    mem_free(path);
    fixture_folder_drop(folder);
}

/* ---- entries -------------------------------------------------------------------------- */

static int say(const struct said *said, enum shelf_change *change, int64_t *kept, struct err *err) {
    struct json *body = said_body(said);
    struct entry entry;
    ck_assert_msg(entry_read(&entry, body, said->title, err) == 0, "%s", err->message);
    int failed = shelf_put(shelf, &entry, now_ms, change, kept, err);
    json_tree_destroy(body);
    return failed;
}

/* Says it in a group of its own, and wants it taken. */
static enum shelf_change tell(const struct said *said) {
    enum shelf_change change = SHELF_SAME;
    int64_t kept = 0;
    struct err err = {0};
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    ck_assert_msg(say(said, &change, &kept, &err) == 0, "%s", err.message);
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
    return change;
}

static int withdraw(const char *title, int64_t revision, int64_t *kept) {
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    int failed = shelf_drop(shelf, title, revision, kept, NULL);
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
    return failed;
}

/* Damage to a body, and what is said of it. */
static const struct {
    const char *find, *put, *words;
} refusals[] = {
    {"{\"title\":\"a\"", "{\"title\":\"b\"", "title: must be that of the path"},
    {"\"revision\":7,", "", "revision"},
    {"\"revision\":7", "\"revision\":-7", "revision"},
    {"\"version\":\"81f57e7d9f2a4b41\",\"pub", "\"version\":\"81F57e7d9f2a4b41\",\"pub",
     "version: must be 16 hex digits"},
    {"\"version\":\"81f57e7d9f2a4b41\",\"lad", "\"version\":\"91f57e7d9f2a4b41\",\"lad",
     "document.version: must be that of the entry"},
    {"\"document\":{\"title\":\"a\"", "\"document\":{\"title\":\"b\"",
     "document.title: must be that of the entry"},
    {"\"labels\":[]", "\"labels\":[\"no label\"]", "labels: must be NAME=VALUE"},
    {"\"labels\":[]", "\"labels\":{}", "labels"},
    {"\"tenant\":\"\"", "\"tenant\":\"a b\"", "tenant: must be a tenant's name"},
    {"https://e.example/a/master", "javascript:alert(1)//", "manifests.hls: must be an http"},
    {"https://e.example/a/manifest", "https://e.example/a manifest", "manifests.dash: must be an"},
    {",\"document\":{", ",\"other\":{", "document"},
    {"\"duration_ms\":", "\"other\":", "document.duration_ms"},
    {"\"duration_s\":\"1001/96\"", "\"duration_s\":\"1001/0\"", "document.duration_s"},
    {"\"frames\":250", "\"frames\":0", "document.frames"},
    {"\"languages\":[\"und\"]", "\"languages\":[\"en\",\"en\"]", "document.languages"},
    {"\"languages\":[\"und\"]", "\"languages\":[\"\"]", "document.languages"},
    {"\"renditions\":[{\"id\"", "\"renditions\":[{\"name\"", "renditions[0].id"},
    {"\"width\":640,", "", "renditions[0].width"},
    {"\"kind\":\"audio\"", "\"kind\":\"smell\"", "renditions[2].kind"},
    {"\"channels\":2", "\"channels\":0", "renditions[2].channels"},
    {"\"periods\":[{", "\"periods\":[],\"was\":[{", "timeline.periods"},
    {"\"source\":{\"identity\"", "\"source\":{\"id\"", "source.identity"},
};

START_TEST(an_entry_that_lacks_something_is_refused) {
    struct said said = {
        .title = "a", .revision = 7, .find = refusals[_i].find, .put = refusals[_i].put};
    struct json *body = said_body(&said);
    struct entry entry;
    struct err err = {0};
    ck_assert_int_eq(entry_read(&entry, body, "a", &err), ERR_INVALID);
    ck_assert_msg(strstr(err.message, refusals[_i].words) != NULL, "%s", err.message);
    json_tree_destroy(body);
}
END_TEST

/* A second attempt to tell of a revision may find others. */
START_TEST(time_labels_and_tenant_are_no_content) {
    struct said said = {.title = "a", .revision = 7};
    struct said later = {.title = "a",
                         .revision = 7,
                         .published_at = "2026-01-01T00:00:00Z",
                         .labels = "[\"show=news\"]",
                         .tenant = "acme"};
    struct said other = {.title = "a", .revision = 7, .language = "de"};
    struct json *bodies[] = {said_body(&said), said_body(&later), said_body(&other)};
    struct entry entries[3];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(entry_read(&entries[i], bodies[i], "a", NULL), 0);
    }
    ck_assert_str_eq(entries[0].digest, entries[1].digest);
    ck_assert_str_ne(entries[0].digest, entries[2].digest);
    for (int i = 0; i < 3; i++) {
        json_tree_destroy(bodies[i]);
    }
}
END_TEST

/* ---- order ----------------------------------------------------------------------------- */

/* One after another, of one title: a put, whose content is told by its language, or a
 * withdrawal. */
static const struct {
    const char *content; /* NULL: withdrawn */
    int64_t revision;
    int code;
    int64_t kept; /* after a refusal */
    enum shelf_change change;
} steps[] = {
    {"a", 3, 0, 0, SHELF_ADDED},
    {"a", 3, 0, 0, SHELF_SAME},
    {"b", 3, ERR_CONFLICT, 3, SHELF_SAME},
    {"b", 2, ERR_CONFLICT, 3, SHELF_SAME},
    {NULL, 3, ERR_CONFLICT, 3, SHELF_SAME},
    {NULL, 2, ERR_CONFLICT, 3, SHELF_SAME},
    {"b", 4, 0, 0, SHELF_CHANGED},
    {NULL, 6, 0, 0, SHELF_SAME},
    {NULL, 6, 0, 0, SHELF_SAME},
    {"b", 5, ERR_CONFLICT, 6, SHELF_SAME},
    {"b", 6, ERR_CONFLICT, 6, SHELF_SAME},
    {NULL, 8, 0, 0, SHELF_SAME},
    {"b", 7, ERR_CONFLICT, 8, SHELF_SAME},
    {"a", 9, 0, 0, SHELF_ADDED},
};

static int step_of(int i, const char *title, enum shelf_change *change, int64_t *kept) {
    struct err err = {0};
    struct said said = {
        .title = title, .revision = steps[i].revision, .language = steps[i].content};
    return steps[i].content != NULL ? say(&said, change, kept, &err)
                                    : shelf_drop(shelf, title, steps[i].revision, kept, &err);
}

START_TEST(a_lower_revision_is_late) {
    char tag[SHELF_TAG_TEXT];
    for (int i = 0; i < COUNT(steps); i++) {
        enum shelf_change change = SHELF_SAME;
        int64_t kept = 0;
        struct buf text = {0};
        ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
        ck_assert_msg(step_of(i, "t", &change, &kept) == steps[i].code, "step %d", i);
        ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
        ck_assert_msg(steps[i].code == 0 || kept == steps[i].kept, "step %d: %lld", i,
                      (long long)kept);
        ck_assert_msg(steps[i].code != 0 || change == steps[i].change, "step %d", i);
        bool is_there = shelf_get(shelf, "t", tag, &text, NULL) == 0;
        ck_assert_msg(is_there == (i < 7 || i == COUNT(steps) - 1), "step %d", i);
        buf_finish(&text);
    }
}
END_TEST

enum { CHANGES = 5, ORDERS = 120 };

/* In every order in which five changes may come, the one of the highest revision is left. */
START_TEST(any_order_ends_alike) {
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    for (int order = 0; order < ORDERS; order++) {
        char *title = mem_format("t%d", order);
        int left[CHANGES] = {1, 2, 3, 4, 5};
        char tag[SHELF_TAG_TEXT];
        struct buf text = {0};
        int rest = order;
        bool ends_gone = order % 2 == 1;
        for (int count = CHANGES; count > 0; count--) {
            int64_t kept = 0;
            enum shelf_change change = SHELF_SAME;
            int index = rest % count;
            int revision = left[index];
            rest /= count;
            left[index] = left[count - 1];
            bool drops = ends_gone ? revision % 2 == 1 : revision % 2 == 0;
            struct said said = {.title = title, .revision = revision};
            struct err err = {0};
            int code = drops ? shelf_drop(shelf, title, revision, &kept, &err)
                             : say(&said, &change, &kept, &err);
            ck_assert(code == 0 || (code == ERR_CONFLICT && kept > revision));
        }
        int code = shelf_get(shelf, title, tag, &text, NULL);
        ck_assert_msg(code == (ends_gone ? ERR_NOT_FOUND : 0), "order %d: %d", order, code);
        ck_assert(ends_gone || strncmp(tag, "\"5-", 3) == 0);
        buf_finish(&text);
        mem_free(title);
    }
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
}
END_TEST

START_TEST(a_refused_change_leaves_its_group) {
    enum shelf_change change;
    int64_t kept;
    char tag[SHELF_TAG_TEXT];
    struct buf text = {0};
    struct said first = {.title = "first", .revision = 2};
    struct said late = {.title = "first", .revision = 1};
    struct said second = {.title = "second", .revision = 1};
    struct err err = {0};
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    ck_assert_int_eq(say(&first, &change, &kept, &err), 0);
    ck_assert_int_eq(say(&late, &change, &kept, &err), ERR_CONFLICT);
    ck_assert_int_eq(say(&second, &change, &kept, NULL), 0);
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    ck_assert_int_eq(say(&(struct said){.title = "third", .revision = 1}, &change, &kept, NULL), 0);
    shelf_undo(shelf);
    shelf_close(shelf);
    open_shelf();
    ck_assert_int_eq(shelf_get(shelf, "first", tag, &text, NULL), 0);
    ck_assert_int_eq(shelf_get(shelf, "second", tag, &text, NULL), 0);
    ck_assert_int_eq(shelf_get(shelf, "third", tag, &text, NULL), ERR_NOT_FOUND);
    buf_finish(&text);
}
END_TEST

START_TEST(tags_change_with_what_they_are_of) {
    char before[SHELF_TAG_TEXT], after[SHELF_TAG_TEXT], own[SHELF_TAG_TEXT], later[SHELF_TAG_TEXT];
    struct buf text = {0};
    struct said said = {.title = "a", .revision = 1};
    ck_assert_int_eq(shelf_tag(shelf, before, NULL), 0);
    ck_assert_int_eq(tell(&said), SHELF_ADDED);
    ck_assert_int_eq(shelf_tag(shelf, after, NULL), 0);
    ck_assert_str_ne(before, after);
    ck_assert_int_eq(shelf_get(shelf, "a", own, &text, NULL), 0);
    ck_assert_int_eq(tell(&said), SHELF_SAME);
    ck_assert_int_eq(shelf_tag(shelf, before, NULL), 0);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(tell(&(struct said){.title = "b", .revision = 1}), SHELF_ADDED);
    ck_assert_int_eq(shelf_tag(shelf, after, NULL), 0);
    ck_assert_str_ne(before, after);
    ck_assert_int_eq(shelf_get(shelf, "a", later, &text, NULL), 0);
    ck_assert_str_eq(own, later);
    said.revision = 2;
    ck_assert_int_eq(tell(&said), SHELF_CHANGED);
    ck_assert_int_eq(shelf_get(shelf, "a", later, &text, NULL), 0);
    ck_assert_str_ne(own, later);
    buf_finish(&text);
}
END_TEST

/* ---- lists and searches ------------------------------------------------------------------ */

/* "title title ... >next": what a page holds; owned. */
static char *read_page(struct buf *text) {
    struct json *tree = NULL;
    struct buf out = {0};
    struct err err = {0};
    const char *next = "";
    ck_assert_msg(json_tree_parse(&tree, text->data, text->size, &err) == 0, "%s: %s", err.message,
                  buf_text(text));
    struct reader r = reader_of(tree, "page", &err);
    struct reader list = reader_array(&r, "titles");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *title = "";
        reader_string(&item, "title", &title);
        buf_format(&out, "%s%s", i > 0 ? " " : "", title);
    }
    if (reader_has(&r, "next")) {
        reader_string(&r, "next", &next);
        buf_format(&out, " >%s", next);
    }
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    char *said = mem_string(buf_text(&out));
    json_tree_destroy(tree);
    buf_finish(&out);
    buf_finish(text);
    return said;
}

/* What is asked of titles, as query parameters are; NULL: any. */
struct asked {
    const char *labels, *language, *codec, *tenant, *min_height, *updated_since;
};

static int read_asked(struct filter *out, const struct asked *asked, struct err *err) {
    const struct filter_texts texts = {
        .labels = asked->labels != NULL ? asked->labels : "",
        .language = asked->language != NULL ? asked->language : "",
        .codec = asked->codec != NULL ? asked->codec : "",
        .tenant = asked->tenant != NULL ? asked->tenant : "",
        .min_height = asked->min_height != NULL ? asked->min_height : "",
        .updated_since = asked->updated_since != NULL ? asked->updated_since : ""};
    return filter_read(out, &texts, err);
}

static struct filter filter_of(const struct asked *asked) {
    struct filter filter = {0};
    struct err err = {0};
    ck_assert_msg(read_asked(&filter, asked, &err) == 0, "%s", err.message);
    return filter;
}

/* `words`: "" for none. */
static char *search_those(const struct asked *asked, const char *words, int limit,
                          const char *cursor) {
    struct buf expression = {0};
    struct search search = {.title = words, .limit = limit, .filter = filter_of(asked)};
    struct buf text = {0};
    struct err err = {0};
    ck_assert_msg(words[0] == '\0' || words_expression(words, &expression, &err) == 0, "%s",
                  err.message);
    ck_assert_msg(cursor_read(&search.from, cursor, &err) == 0, "%s", err.message);
    search.expression = buf_text(&expression);
    ck_assert_msg(shelf_search(shelf, &search, &text, &err) == 0, "'%s': %s", words, err.message);
    buf_finish(&expression);
    return read_page(&text);
}

static char *search(const char *words, int limit, const char *cursor) {
    return search_those(&(struct asked){0}, words, limit, cursor);
}

static char *list(const struct asked *asked, const char *after, int limit) {
    struct filter filter = filter_of(asked);
    struct buf text = {0};
    struct err err = {0};
    ck_assert_msg(shelf_list(shelf, &filter, after, limit, &text, &err) == 0, "%s", err.message);
    return read_page(&text);
}

/* As if each filter let few titles through, or none did: both ways find the same. */
static const int64_t fews[] = {SHELF_FEW, 0};

enum { FEWS = COUNT(fews) };

static void fill(void) {
    static const struct said all[] = {
        {.title = "big-buck-bunny", .labels = "[\"show=film\"]", .language = "en"},
        {.title = "big-buck-bunny-2", .labels = "[\"show=film\",\"year=2008\"]", .language = "en"},
        {.title = "sintel", .labels = "[\"show=film\"]", .language = "de", .tenant = "acme"},
        {.title = "news-1",
         .labels = "[\"show=news\",\"about=buck\"]",
         .language = "de",
         .tenant = "bunny"},
        {.title = "news-2", .labels = "[\"show=news\"]", .language = "fr", .tenant = "acme"},
    };
    for (int i = 0; i < COUNT(all); i++) {
        struct said said = all[i];
        said.revision = 1;
        tell(&said);
    }
}

static const struct {
    const char *words;
    const char *found;
} searches[] = {
    {"sintel", "sintel"},
    {"SINTEL", "sintel"},
    {"s\xc3\xad"
     "ntel",
     "sintel"}, /* an accent */
    {"sin", "sintel"},
    {"big buck bunny", "big-buck-bunny big-buck-bunny-2"},
    {"big-buck-bunny", "big-buck-bunny big-buck-bunny-2"}, /* the whole id first */
    {"big-buck-bunny-2", "big-buck-bunny-2"},
    {"bunny big", "big-buck-bunny big-buck-bunny-2"},
    {"buck", "big-buck-bunny big-buck-bunny-2 news-1"}, /* ids before labels */
    {"bunn", "big-buck-bunny big-buck-bunny-2 news-1"}, /* and before tenants */
    {"bun news", ""},                                   /* the last word alone may be only begun */
    {"show=news", "news-2 news-1"},
    {"news de", "news-1"},
    {"2008", "big-buck-bunny-2"},
    {"720p acme", "sintel news-2"},
    {"h264 aac 360p fr", "news-2"},
    {"av1", ""},
    {"big -- bunny", "big-buck-bunny big-buck-bunny-2"}, /* no letter, no word */
};

START_TEST(searches_find_what_has_all_words_the_best_first) {
    fill();
    char *found = search(searches[_i].words, 10, "");
    ck_assert_msg(strcmp(found, searches[_i].found) == 0, "'%s': %s", searches[_i].words, found);
    mem_free(found);
}
END_TEST

/* What has a meaning in FTS5 or SQL has none here: each is words that no title has. */
static const char *const attacks[] = {
    "sintel OR news",
    "sintel NOT news",
    "NEAR(sintel film)",
    "title:sintel",
    "title : sintel",
    "{title labels} : sintel",
    "^sintel zzz",
    "- labels : film zzz",
    "\"sintel zzz",
    "sin\"tel\"\"zzz",
    "\"\"\" zzz",
    "sintel* zzz*",
    "(sintel zzz",
    "sintel) zzz",
    "sintel AND zzz AND",
    "zzz'; DROP TABLE words; --",
    "zzz' OR '1'='1",
    "sintel + zzz",
    "$1 zzz",
    "\xff\xfe zzz",
    "\xc3\x28 zzz",
    "\xe2\x80\x94 zzz",
    "a\"b*c^d:e zzz",
    "zzz \xe2\x80\x94",
};

START_TEST(no_word_is_syntax) {
    fill();
    char *found = search(attacks[_i], 10, "");
    ck_assert_msg(found[0] == '\0', "'%s': %s", attacks[_i], found);
    mem_free(found);
    found = search("sintel", 10, "");
    ck_assert_str_eq(found, "sintel");
    mem_free(found);
}
END_TEST

static const char *const no_words[] = {
    "", " ", "\t\n", "\"", "* - ^ : ( )", "--", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
};

START_TEST(a_search_without_words_is_refused) {
    struct buf expression = {0};
    struct err err = {0};
    char *many = mem_format("%0300d", 1);
    ck_assert_int_eq(words_expression(no_words[_i], &expression, &err), ERR_INVALID);
    buf_clear(&expression);
    ck_assert_int_eq(words_expression(many, &expression, NULL), ERR_INVALID);
    buf_finish(&expression);
    mem_free(many);
}
END_TEST

/* Titles that all have a word, and rank alike: the last one comes first. */
static void fill_alike(int from, int to) {
    for (int i = from; i < to; i++) {
        char *title = mem_format("alike-%c", 'a' + i);
        tell(&(struct said){.title = title, .revision = 1});
        mem_free(title);
    }
}

static void change_nothing(void) {
}

static void add_some(void) {
    fill_alike(6, 9);
}

static void drop_the_last_seen(void) {
    int64_t kept;
    ck_assert_int_eq(withdraw("alike-e", 2, &kept), 0);
}

static void drop_one_seen(void) {
    int64_t kept;
    ck_assert_int_eq(withdraw("alike-f", 2, &kept), 0);
}

static void drop_one_to_come(void) {
    int64_t kept;
    ck_assert_int_eq(withdraw("alike-d", 2, &kept), 0);
}

static void change_one_seen(void) {
    tell(&(struct said){.title = "alike-f", .revision = 2, .language = "de"});
}

/* What happens between a search's first page, "alike-f alike-e", and those after it. */
static const struct {
    void (*happens)(void);
    const char *pages[2];
} meanwhile[] = {
    {change_nothing, {"alike-d alike-c", "alike-b alike-a"}},
    {add_some, {"alike-d alike-c", "alike-b alike-a"}},
    {drop_the_last_seen, {"alike-d alike-c", "alike-b alike-a"}},
    {drop_one_seen, {"alike-d alike-c", "alike-b alike-a"}},
    {drop_one_to_come, {"alike-c alike-b", "alike-a"}},
    {change_one_seen, {"alike-d alike-c", "alike-b alike-a"}},
};

/* Takes the cursor off a page; "" where it was the last one. */
static void take_cursor(char *page, char cursor[WIRE_TITLE_TEXT]) {
    char *next = strstr(page, " >");
    snprintf(cursor, WIRE_TITLE_TEXT, "%s", next != NULL ? next + 2 : "");
    if (next != NULL) {
        *next = '\0';
    }
}

/* By words, by words and a filter, by one that the index knows, and by one that it does not. */
static const struct {
    const char *words;
    struct asked asked;
} turns[] = {
    {"alike", {0}},
    {"alike", {.language = "und"}},
    {"", {.codec = "h264"}},
    {"", {.updated_since = "1970-01-01T00:00:01Z"}},
};

enum { TURNS = 4 };

START_TEST(searches_go_on_where_they_stopped) {
    char cursor[WIRE_TITLE_TEXT];
    const struct asked *asked = &turns[_i / FEWS % TURNS].asked;
    const char *words = turns[_i / FEWS % TURNS].words;
    shelf->few = fews[_i % FEWS];
    fill_alike(0, 6);
    char *page = search_those(asked, words, 2, "");
    take_cursor(page, cursor);
    ck_assert_str_eq(page, "alike-f alike-e");
    mem_free(page);
    meanwhile[_i / FEWS / TURNS].happens();
    for (int i = 0; i < 2; i++) {
        ck_assert_str_ne(cursor, "");
        page = search_those(asked, words, 2, cursor);
        take_cursor(page, cursor);
        ck_assert_msg(strcmp(page, meanwhile[_i / FEWS / TURNS].pages[i]) == 0, "%s", page);
        mem_free(page);
    }
    ck_assert_str_eq(cursor, "");
}
END_TEST

/* Two labels, one of them rare. In the label of all, b and d have the word twice: among many they
 * come first, among few it has no say. */
static void tell_ranked(const char *title, bool is_rare) {
    bool is_twice = strcmp(title, "rank-b") == 0 || strcmp(title, "rank-d") == 0;
    char *labels = mem_format("[\"all=2\",\"%s\",\"z=%s\"]", is_rare ? "rare=1" : "more=1",
                              is_twice ? "all.2" : "any.2");
    tell(&(struct said){.title = title, .revision = 1, .labels = labels});
    mem_free(labels);
}

/* From few to more, to very many, and from many to few. */
static const struct {
    int few_before, few_then;
    const char *comes, *goes; /* between the pages; NULL: none */
    const char *pages[2];
} crossings[] = {
    {4, 4, "rank-e", NULL, {"rank-d rank-c", "rank-b rank-a"}},
    {3, 3, NULL, "rank-d", {"rank-d rank-b", "rank-c rank-a"}},
    {4, 0, NULL, NULL, {"rank-d rank-c", "rank-a"}}, /* ranked anew, and told so */
};

/* A page goes on in the order in which the first one began. */
START_TEST(searches_keep_their_order) {
    static const struct asked rare = {.labels = "all=2,rare=1"};
    char cursor[WIRE_TITLE_TEXT];
    for (char c = 'a'; c <= 'd'; c++) {
        tell_ranked((char[]){'r', 'a', 'n', 'k', '-', c, '\0'}, true);
    }
    tell_ranked("rank-x", false);
    shelf->few = crossings[_i].few_before;
    char *page = search_those(&rare, "rank", 2, "");
    take_cursor(page, cursor);
    ck_assert_str_eq(page, crossings[_i].pages[0]);
    mem_free(page);
    if (crossings[_i].comes != NULL) {
        tell_ranked(crossings[_i].comes, true);
    }
    if (crossings[_i].goes != NULL) {
        int64_t kept;
        ck_assert_int_eq(withdraw(crossings[_i].goes, 2, &kept), 0);
    }
    shelf->few = crossings[_i].few_then;
    page = search_those(&rare, "rank", 2, cursor);
    take_cursor(page, cursor);
    ck_assert_str_eq(page, crossings[_i].pages[1]);
    mem_free(page);
}
END_TEST

static const char *const no_cursors[] = {
    "1",        "1-2",      "1-2-3",    "1-2-3-", "-1-2-3-4", "1-2-3-4-5",
    "1-2-3-4 ", " 1-2-3-4", "+1-2-3-4", "1--3-4", "a-b-c-d",  "1-2-99999999999999999999-4",
};

START_TEST(a_cursor_is_of_the_page_before) {
    struct cursor cursor = {0};
    struct err err = {0};
    ck_assert_int_eq(cursor_read(&cursor, no_cursors[_i], &err), ERR_INVALID);
    ck_assert_int_eq(cursor_read(&cursor, "1-2-999999999999999999-4", NULL), 0);
    ck_assert_int_eq(cursor.last, 999999999999999999);
    ck_assert_int_eq(cursor.order, 4);
}
END_TEST

/* More titles have the word than are ranked: the newest are, and whose id it is. */
START_TEST(an_id_is_found_among_very_many) {
    tell(&(struct said){.title = "news", .revision = 1});
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    for (int i = 0; i < SHELF_CANDIDATES + 5; i++) {
        enum shelf_change change;
        int64_t kept;
        struct err err = {0};
        char *title = mem_format("news-%d", i);
        ck_assert_int_eq(say(&(struct said){.title = title, .revision = 1}, &change, &kept, &err),
                         0);
        mem_free(title);
    }
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
    char *found = search("news", 1, "");
    ck_assert_str_eq(found, "news >1-2006-1-1");
    mem_free(found);
    found = search("news", 10, "2000-2006-8-1"); /* the oldest but one of those that are ranked */
    ck_assert_str_eq(found, "news-5");
    mem_free(found);
}
END_TEST

static const struct {
    struct asked filter;
    const char *pages[3]; /* of two titles */
} lists[] = {
    {{0}, {"big-buck-bunny big-buck-bunny-2 >big-buck-bunny-2", "news-1 news-2 >news-2", "sintel"}},
    {{.labels = "show=film"}, {"big-buck-bunny big-buck-bunny-2 >big-buck-bunny-2", "sintel"}},
    {{.labels = "show=film", .language = "de"}, {"sintel"}},
    {{.language = "de"}, {"news-1 sintel"}},
    {{.tenant = "acme"}, {"news-2 sintel"}},
    {{.labels = "show=news", .language = "fr", .tenant = "acme"}, {"news-2"}},
    {{.labels = "show=news", .tenant = "nobody"}, {""}},
    {{.labels = "year,show=film", .min_height = "720"}, {"big-buck-bunny-2"}},
    {{.labels = "sho"}, {""}},
    {{.min_height = "721"}, {""}},
    {{.updated_since = "2026-01-01T00:00:00Z"}, {""}},
};

START_TEST(lists_are_by_id_and_filtered) {
    char after[WIRE_TITLE_TEXT] = "";
    shelf->few = fews[_i % FEWS];
    fill();
    for (int i = 0; i < 3 && lists[_i / FEWS].pages[i] != NULL; i++) {
        char *page = list(&lists[_i / FEWS].filter, after, 2);
        ck_assert_str_eq(page, lists[_i / FEWS].pages[i]);
        char *next = strchr(page, '>');
        snprintf(after, sizeof(after), "%s", next != NULL ? next + 1 : "");
        mem_free(page);
    }
    ck_assert_str_eq(after, "");
}
END_TEST

/* By words and filters; titles that are told of last come first where there are no words. */
static const struct {
    const char *words;
    struct asked asked;
    const char *found;
} filtered[] = {
    {"", {.labels = "show=film"}, "sintel big-buck-bunny-2 big-buck-bunny"},
    {"", {.labels = "show"}, "news-2 news-1 sintel big-buck-bunny-2 big-buck-bunny"},
    {"", {.labels = "about"}, "news-1"},
    {"", {.labels = "show=film,year"}, "big-buck-bunny-2"},
    {"", {.labels = "show=film,year=2009"}, ""},
    {"", {.labels = "SHOW=film"}, ""}, /* by the byte, though the index folds cases */
    {"", {.labels = "show=fil"}, ""},
    {"", {.labels = "film"}, ""},
    {"", {.labels = "year=2008.show"}, ""}, /* words that stand one behind another there */
    {"", {.labels = "."}, "odd"},           /* no word at all */
    {"", {.labels = "-=_"}, ""},
    {"", {.language = "de"}, "news-1 sintel"},
    {"", {.language = "DE"}, ""},
    {"", {.language = "d"}, ""},
    {"", {.language = "\xe4\xb8\xad"}, "odd"},
    {"", {.language = "\" OR \"de"}, ""},
    {"", {.codec = "h264"}, "odd news-2 news-1 sintel big-buck-bunny-2 big-buck-bunny"},
    {"", {.codec = "aac", .tenant = "acme"}, "news-2 sintel"},
    {"", {.codec = "720p"}, ""}, /* a word of that column */
    {"", {.codec = "av1"}, ""},
    {"", {.tenant = "bunny"}, "news-1"},
    {"", {.min_height = "361", .language = "fr"}, "news-2"},
    {"", {.min_height = "720", .language = "fr"}, "news-2"},
    {"", {.min_height = "721"}, ""},
    {"", {.updated_since = "1970-01-20T16:13:20Z", .language = "fr"}, "news-2"},
    {"", {.updated_since = "1970-01-20T16:13:20.001Z"}, ""},
    {"buck", {.labels = "show=film"}, "big-buck-bunny big-buck-bunny-2"},
    {"buck", {.labels = "show=film,year"}, "big-buck-bunny-2"},
    {"buck", {.language = "de"}, "news-1"},
    {"bun", {.tenant = "bunny", .min_height = "700"}, "news-1"},
    {"news-2", {.language = "de"}, ""}, /* not the title whose id it is, either */
    {"news-2", {.language = "fr"}, "news-2"},
    {"film", {.updated_since = "2026-01-01T00:00:00Z"}, ""},
};

START_TEST(filters_are_exact) {
    shelf->few = fews[_i % FEWS];
    fill();
    tell(&(struct said){
        .title = "odd", .revision = 1, .labels = "[\".=_\"]", .language = "\xe4\xb8\xad"});
    char *found = search_those(&filtered[_i / FEWS].asked, filtered[_i / FEWS].words, 10, "");
    ck_assert_msg(strcmp(found, filtered[_i / FEWS].found) == 0, "%s", found);
    mem_free(found);
}
END_TEST

static const struct {
    struct asked asked;
    const char *name;
} no_filters[] = {
    {{.labels = "a b"}, "label"},
    {{.labels = "a=b=c"}, "label"},
    {{.labels = "=b"}, "label"},
    {{.labels = "a="}, "label"},
    {{.labels = ","}, "label"},
    {{.labels = "a,"}, "label"},
    {{.labels = "a,,b"}, "label"},
    {{.labels = "a,b,c,d,e"}, "label"},
    {{.labels = "show=film' OR 1=1 --"}, "label"},
    {{.language = "0123456789abcdef"}, "language"},
    {{.codec = "0123456789abcdef0123456789abcdef"}, "codec"},
    {{.tenant = "a b"}, "tenant"},
    {{.min_height = "0"}, "min_height"},
    {{.min_height = "-1"}, "min_height"},
    {{.min_height = "65536"}, "min_height"},
    {{.min_height = "720p"}, "min_height"},
    {{.min_height = "99999999999999999999"}, "min_height"},
    {{.updated_since = "yesterday"}, "updated_since"},
    {{.updated_since = "2026-12-01"}, "updated_since"},
};

START_TEST(a_filter_that_is_none_is_named) {
    struct filter filter;
    struct err err = {0};
    ck_assert_int_eq(read_asked(&filter, &no_filters[_i].asked, &err), ERR_INVALID);
    ck_assert_msg(strncmp(err.message, no_filters[_i].name, strlen(no_filters[_i].name)) == 0, "%s",
                  err.message);
}
END_TEST

enum { HEIGHTS = FILTER_HEIGHTS_MAX + 6 };

/* Titles of so many heights that an expression does not name them all, and with words or without
 * the least one counts. */
START_TEST(heights_may_be_very_many) {
    shelf->few = fews[_i];
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    for (int i = 0; i < HEIGHTS; i++) {
        char *title = mem_format("tall-%d", i);
        char *height = mem_format("\"height\":%d", 1000 + i);
        struct err err = {0};
        enum shelf_change change;
        int64_t kept;
        struct said said = {.title = title, .revision = 1, .find = "\"height\":720", .put = height};
        ck_assert_int_eq(say(&said, &change, &kept, &err), 0);
        mem_free(height);
        mem_free(title);
    }
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
    for (int i = 0; i < 2; i++) {
        char *least = mem_format("%d", 1000 + HEIGHTS - 2);
        const struct asked tallest = {.min_height = least};
        const struct asked all = {.min_height = "1000"};
        char *found = search_those(&tallest, i == 0 ? "" : "tall", 10, "");
        ck_assert_str_eq(found, "tall-69 tall-68");
        mem_free(found);
        found = search_those(&all, i == 0 ? "" : "tall", SHELF_PAGE_MAX, "");
        ck_assert_ptr_nonnull(strstr(found, "tall-0"));
        ck_assert_ptr_nonnull(strstr(found, "tall-69"));
        mem_free(found);
        mem_free(least);
    }
}
END_TEST

/* ---- how far a search goes ----------------------------------------------------------------- */

enum { CROWD = 600, ODD_FROM = 20, ODD_TO = 24, WALKS = 4 };

static void tell_crowd(int from, int to, int64_t revision, const char *labels) {
    ck_assert_int_eq(shelf_begin(shelf, NULL), 0);
    for (int i = from; i < to; i++) {
        struct err err = {0};
        enum shelf_change change;
        int64_t kept;
        char *title = mem_format("crowd-%d", i);
        struct said said = {.title = title, .revision = revision, .labels = labels};
        ck_assert_int_eq(say(&said, &change, &kept, &err), 0);
        mem_free(title);
    }
    ck_assert_int_eq(shelf_commit(shelf, NULL), 0);
}

/* Titles of the same words, of which a few are told of anew later on, by a label that is another
 * and that the index of words takes for the one of all. */
static void fill_crowd(void) {
    tell_crowd(0, CROWD, 1, "[\"show=film\"]");
    now_ms = NOW_MS + 1;
    tell_crowd(ODD_FROM, ODD_TO, 2, "[\"Show=Film\"]");
}

/* How many instructions of SQLite's machine a statement has run; -1: the library does not tell.
 * The id is one that is not used here otherwise. */
static int64_t steps_of(enum shelf_sql_id id) {
    int64_t count = 0;
    struct driver *driver = shelf->driver;
    if (driver_start(driver, SHELF_GET, "SELECT nstep FROM sqlite_stmt WHERE sql = $1",
                     VALUES(TEXT(shelf_sql(id))), NULL) != 0) {
        return -1;
    }
    if (driver_step(driver, SHELF_GET, NULL) > 0) {
        count = driver_integer(driver, SHELF_GET, 0);
        driver_reset(driver, SHELF_GET);
    }
    return count;
}

static const struct {
    const char *words;
    struct asked asked;
    enum shelf_sql_id few, many; /* statements */
} walks[] = {
    {"h264", {.updated_since = "1970-01-20T16:13:20.001Z"}, SHELF_SEARCH_FEW, SHELF_SEARCH},
    {"h264", {.labels = "Show=Film"}, SHELF_SEARCH_FEW, SHELF_SEARCH},
    {"crow", {.codec = "h264", .labels = "Show"}, SHELF_SEARCH_FEW, SHELF_SEARCH},
    {"", {.updated_since = "1970-01-20T16:13:20.001Z"}, SHELF_FIND_FEW, SHELF_FIND},
    {"", {.labels = "Show=Film", .codec = "h264"}, SHELF_FIND_FEW, SHELF_FIND_WORDS},
};

/* A filter that lets few through is followed from them: a word that all titles have is not gone
 * through, and what is found is the same. */
START_TEST(few_are_not_looked_for_among_all) {
    static const char wanted[] = "crowd-23 crowd-22 crowd-21 crowd-20";
    fill_crowd();
    char *few = search_those(&walks[_i].asked, walks[_i].words, 10, "");
    shelf->few = 0;
    char *many = search_those(&walks[_i].asked, walks[_i].words, 10, "");
    int64_t short_way = steps_of(walks[_i].few);
    int64_t long_way = steps_of(walks[_i].many);
    ck_assert_str_eq(few, wanted);
    ck_assert_str_eq(many, wanted);
    if (short_way < 0) {
        printf("SKIP few_are_not_looked_for_among_all: SQLite does not count its steps here\n");
    } else {
        ck_assert_int_gt(short_way, 0);
        ck_assert_msg(short_way * WALKS < long_way, "%" PRId64 " of %" PRId64, short_way, long_way);
    }
    mem_free(few);
    mem_free(many);
}
END_TEST

START_TEST(lists_of_few_are_not_looked_for_among_all) {
    static const struct asked late = {.updated_since = "1970-01-20T16:13:20.001Z", .codec = "h264"};
    fill_crowd();
    char *few = list(&late, "crowd-20", 2);
    ck_assert_str_eq(few, "crowd-21 crowd-22 >crowd-22");
    shelf->few = 0;
    char *many = list(&late, "crowd-20", 2);
    ck_assert_str_eq(many, few);
    ck_assert_int_ne(steps_of(SHELF_LIST_FEW), 0);
    ck_assert_int_ne(steps_of(SHELF_LIST_MARKED), 0);
    mem_free(few);
    mem_free(many);
}
END_TEST

START_TEST(what_is_withdrawn_or_replaced_is_found_no_more) {
    static const struct asked film = {.labels = "show=film"};
    static const struct asked acme = {.tenant = "acme"};
    int64_t kept = 0;
    fill();
    ck_assert_int_eq(withdraw("big-buck-bunny", 2, &kept), 0);
    tell(&(struct said){.title = "sintel", .revision = 2, .labels = "[\"show=short\"]"});
    char *found[] = {search("bunny", 10, ""), list(&film, "", 10),
                     list(&acme, "", 10),     search("film", 10, ""),
                     search("short", 10, ""), search_those(&film, "", 10, "")};
    static const char *const wanted[] = {
        "big-buck-bunny-2 news-1", "big-buck-bunny-2", "news-2",
        "big-buck-bunny-2",        "sintel",           "big-buck-bunny-2"};
    for (int i = 0; i < COUNT(found); i++) {
        ck_assert_str_eq(found[i], wanted[i]);
        mem_free(found[i]);
    }
}
END_TEST

START_TEST(a_version_keeps_its_time) {
    char tag[SHELF_TAG_TEXT];
    struct buf text = {0};
    tell(&(struct said){.title = "a", .revision = 1, .published_at = "2026-01-01T00:00:00Z"});
    tell(&(struct said){.title = "a", .revision = 2, .labels = "[\"x=y\"]"});
    ck_assert_int_eq(shelf_get(shelf, "a", tag, &text, NULL), 0);
    ck_assert_ptr_nonnull(strstr(buf_text(&text), "\"published_at\":\"2026-01-01T00:00:00Z\""));
    ck_assert_ptr_nonnull(strstr(buf_text(&text), "\"revision\":2"));
    buf_clear(&text);
    tell(&(struct said){.title = "b", .revision = 1});
    ck_assert_int_eq(shelf_get(shelf, "b", tag, &text, NULL), 0);
    ck_assert_ptr_nonnull(strstr(buf_text(&text), "\"published_at\":\"1970-01-20T16:13:20.000Z\""));
    buf_finish(&text);
}
END_TEST

/* ---- the file ------------------------------------------------------------------------------ */

START_TEST(a_file_of_another_is_refused) {
    struct shelf *other = NULL;
    struct err err = {0};
    ck_assert_int_eq(shelf_open(&other, path, &err), ERR_CONFLICT);
    err_clear(&err);
    ck_assert_int_eq(shelf_open(&other, "postgresql://nowhere/x", &err), ERR_UNSUPPORTED);
    fixture_write(folder, "text", "no database at all, but a text of some length\n", 46);
    char *text = mem_format("%s/text", folder);
    err_clear(&err);
    ck_assert_int_eq(shelf_open(&other, text, &err), ERR_CORRUPT);
    mem_free(text);
}
END_TEST

static void add_entries(TCase *tests) {
    tcase_add_loop_test(tests, an_entry_that_lacks_something_is_refused, 0, COUNT(refusals));
    tcase_add_test(tests, time_labels_and_tenant_are_no_content);
    tcase_add_test(tests, a_lower_revision_is_late);
    tcase_add_test(tests, any_order_ends_alike);
    tcase_add_test(tests, a_refused_change_leaves_its_group);
    tcase_add_test(tests, tags_change_with_what_they_are_of);
    tcase_add_test(tests, a_version_keeps_its_time);
    tcase_add_test(tests, a_file_of_another_is_refused);
}

static void add_finding(TCase *tests) {
    tcase_add_loop_test(tests, searches_find_what_has_all_words_the_best_first, 0, COUNT(searches));
    tcase_add_loop_test(tests, no_word_is_syntax, 0, COUNT(attacks));
    tcase_add_loop_test(tests, a_search_without_words_is_refused, 0, COUNT(no_words));
    tcase_add_loop_test(tests, searches_go_on_where_they_stopped, 0,
                        FEWS * TURNS * COUNT(meanwhile));
    tcase_add_loop_test(tests, searches_keep_their_order, 0, COUNT(crossings));
    tcase_add_loop_test(tests, a_cursor_is_of_the_page_before, 0, COUNT(no_cursors));
    tcase_add_test(tests, an_id_is_found_among_very_many);
    tcase_add_loop_test(tests, lists_are_by_id_and_filtered, 0, FEWS * COUNT(lists));
    tcase_add_loop_test(tests, filters_are_exact, 0, FEWS * COUNT(filtered));
    tcase_add_loop_test(tests, a_filter_that_is_none_is_named, 0, COUNT(no_filters));
    tcase_add_loop_test(tests, heights_may_be_very_many, 0, FEWS);
    tcase_add_loop_test(tests, few_are_not_looked_for_among_all, 0, COUNT(walks));
    tcase_add_test(tests, lists_of_few_are_not_looked_for_among_all);
    tcase_add_test(tests, what_is_withdrawn_or_replaced_is_found_no_more);
}

Suite *catalog_suite(void) {
    Suite *suite = suite_create("catalog");
    TCase *entries = tcase_create("entries");
    TCase *finding = tcase_create("finding");
    tcase_add_checked_fixture(entries, set_up, tear_down);
    tcase_add_checked_fixture(finding, set_up, tear_down);
    tcase_set_timeout(entries, 60);
    tcase_set_timeout(finding, 300); /* 2000 titles under sanitizers, on a busy machine */
    add_entries(entries);
    add_finding(finding);
    suite_add_tcase(suite, entries);
    suite_add_tcase(suite, finding);
    return suite;
}
