/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that publishers sign, put on a true shelf and then undone: what was taken can be read
 * again as the same entry, is listed, and has words by which it is found. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/shelf.h"
#include "common/fs.h"
#include "common/mem.h"
#include "harness.h"

static struct shelf *shelf;
static char folder[] = "/tmp/fuzz_entry.XXXXXX";

static void demand(bool holds) {
    if (!holds) {
        abort();
    }
}

static void leave(void) {
    shelf_close(shelf);
    fs_remove_tree(folder, NULL);
}

static void begin(void) {
    demand(mkdtemp(folder) != NULL);
    char *path = mem_format("%s/catalog.db", folder);
    demand(shelf_open(&shelf, path, NULL) == 0);
    mem_free(path);
    atexit(leave);
}

/* What the catalog answers of it is what it may be told of it. */
static void read_again(const struct entry *entry) {
    struct buf text = {0};
    struct json *tree = NULL;
    struct entry again;
    entry_write(entry, entry->published_at, &text);
    demand(json_tree_parse(&tree, text.data, text.size, NULL) == 0);
    demand(entry_read(&again, tree, entry->title, NULL) == 0);
    demand(strcmp(again.digest, entry->digest) == 0 && again.revision == entry->revision &&
           again.label_count == entry->label_count && again.height == entry->height);
    json_tree_destroy(tree);
    buf_finish(&text);
}

static void take_in(const struct entry *entry) {
    enum shelf_change change = SHELF_SAME;
    int64_t kept = 0;
    char tag[SHELF_TAG_TEXT];
    struct buf text = {0};
    struct json *tree = NULL;
    const struct filter all = {0};
    demand(shelf_begin(shelf, NULL) == 0);
    demand(shelf_put(shelf, entry, 1700000000, &change, &kept, NULL) == 0);
    demand(change == SHELF_ADDED);
    demand(shelf_put(shelf, entry, 1700000000, &change, &kept, NULL) == 0 && change == SHELF_SAME);
    demand(shelf_get(shelf, entry->title, tag, &text, NULL) == 0);
    buf_clear(&text);
    demand(shelf_list(shelf, &all, "", 10, &text, NULL) == 0);
    demand(json_tree_parse(&tree, text.data, text.size, NULL) == 0);
    shelf_undo(shelf);
    json_tree_destroy(tree);
    buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct entry entry;
    struct json *body = NULL;
    if (shelf == NULL) {
        begin();
    }
    if (json_tree_parse(&body, data, size, NULL) == 0) {
        const char *title = "a-title";
        if (entry_read(&entry, body, title, NULL) == 0) {
            read_again(&entry);
            take_in(&entry);
        }
    }
    json_tree_destroy(body);
    return 0;
}
