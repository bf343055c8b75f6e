/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What readers of a catalog ask, on a true shelf with some titles: words, filters and cursors of
 * any bytes are answered or refused with a sentence, never by an error of the database. Also the
 * header by which publishers sign. The first byte says which, and whether few titles are few. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/shelf_parts.h"
#include "catalog/words.h"
#include "common/fs.h"
#include "common/mem.h"
#include "common/signature.h"
#include "harness.h"

enum { TITLES = 30, PAGE = 7, FILTERS = 6, TEXTS = FILTERS + 2 };

static struct shelf *shelf;
static char folder[] = "/tmp/fuzz_search.XXXXXX";

static void demand(bool holds) {
    if (!holds) {
        abort();
    }
}

static void leave(void) {
    shelf_close(shelf);
    fs_remove_tree(folder, NULL);
}

static void add_title(int number) {
    static const char *const labels[] = {"show=film", "show=news", "year=2008"};
    static const char *const languages[] = {"en", "de", "pt-BR"};
    enum shelf_change change;
    int64_t kept;
    struct entry entry = {
        .revision = 1, .hls = "", .dash = "", .ladder = "standard", .height = 720};
    struct json *document = NULL;
    demand(json_tree_parse(&document, "{}", 2, NULL) == 0);
    entry.document.node = document;
    snprintf(entry.title, sizeof(entry.title), "a-title-%d", number);
    entry.labels[entry.label_count++] = labels[number % 3];
    entry.languages[entry.language_count++] = languages[number % 3];
    demand(shelf_put(shelf, &entry, 1700000000, &change, &kept, NULL) == 0);
    json_tree_destroy(document);
}

static void begin(void) {
    demand(mkdtemp(folder) != NULL);
    char *path = mem_format("%s/catalog.db", folder);
    demand(shelf_open(&shelf, path, NULL) == 0 && shelf_begin(shelf, NULL) == 0);
    for (int i = 0; i < TITLES; i++) {
        add_title(i);
    }
    demand(shelf_commit(shelf, NULL) == 0);
    mem_free(path);
    atexit(leave);
}

/* A page is JSON, of at most so many titles. */
static void judge_page(struct buf *page) {
    struct json *tree = NULL;
    struct err err = {0};
    demand(json_tree_parse(&tree, page->data, page->size, NULL) == 0);
    struct reader r = reader_of(tree, "page", &err);
    struct reader list = reader_array(&r, "titles");
    demand(reader_ok(&r) && reader_count(&list) <= PAGE);
    json_tree_destroy(tree);
    buf_finish(page);
}

static bool read_filter(struct filter *out, char *const texts[FILTERS]) {
    const struct filter_texts asked = {.labels = texts[0],
                                       .language = texts[1],
                                       .tenant = texts[2],
                                       .codec = texts[3],
                                       .min_height = texts[4],
                                       .updated_since = texts[5]};
    return filter_read(out, &asked, NULL) == 0;
}

static void ask_words(char *const texts[TEXTS]) {
    struct buf expression = {0};
    struct buf page = {0};
    struct search search = {.title = texts[0], .limit = PAGE};
    if (words_expression(texts[0], &expression, NULL) == 0 &&
        cursor_read(&search.from, texts[1], NULL) == 0 && read_filter(&search.filter, texts + 2)) {
        search.expression = buf_text(&expression);
        demand(shelf_search(shelf, &search, &page, NULL) == 0);
        judge_page(&page);
    }
    buf_finish(&expression);
}

/* Titles by a filter alone. */
static void ask_filter(char *const texts[TEXTS]) {
    struct buf page = {0};
    struct search search = {.expression = "", .title = "", .limit = PAGE};
    if (cursor_read(&search.from, texts[0], NULL) == 0 && read_filter(&search.filter, texts + 1)) {
        demand(shelf_search(shelf, &search, &page, NULL) == 0);
        judge_page(&page);
    }
}

static void ask_list(char *const texts[TEXTS]) {
    struct filter filter;
    struct buf page = {0};
    if (read_filter(&filter, texts + 1)) {
        demand(shelf_list(shelf, &filter, texts[0], PAGE, &page, NULL) == 0);
        judge_page(&page);
    }
}

/* What is read is written as it came, but for leading zeros. */
static void ask_cursor(char *const texts[TEXTS]) {
    struct cursor cursor, again;
    struct buf text = {0};
    if (cursor_read(&cursor, texts[0], NULL) == 0) {
        cursor_write(&cursor, &text);
        demand(cursor_read(&again, buf_text(&text), NULL) == 0);
        demand(cursor.taken == again.taken && cursor.bound == again.bound &&
               cursor.last == again.last && cursor.order == again.order);
    }
    buf_finish(&text);
}

static void check_signature(char *const texts[TEXTS]) {
    static const char body[] = "body";
    struct signature_request request = {
        .method = "PUT", .target = "/titles/a", .body = body, .body_size = sizeof(body) - 1};
    demand(signature_check(&request, texts[0], "0123456789abcdef", 16, 1700000000, NULL) != 0);
}

static void (*const asks[])(char *const texts[TEXTS]) = {ask_words, ask_list, ask_cursor,
                                                         check_signature, ask_filter};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *texts[TEXTS];
    if (shelf == NULL) {
        begin();
    }
    if (size == 0) {
        return 0;
    }
    const char *at = (const char *)data + 1;
    size_t left = size - 1;
    for (int i = 0; i < TEXTS; i++) {
        size_t length = strnlen(at, left);
        texts[i] = mem_format("%.*s", (int)length, length > 0 ? at : "");
        at += length < left ? length + 1 : length;
        left -= length < left ? length + 1 : length;
    }
    shelf->few = (data[0] & 0x80) != 0 ? 0 : SHELF_FEW;
    asks[data[0] % (sizeof(asks) / sizeof(asks[0]))](texts);
    for (int i = 0; i < TEXTS; i++) {
        mem_free(texts[i]);
    }
    return 0;
}
