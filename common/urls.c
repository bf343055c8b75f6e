/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that are tried in turn: see urls.h. */
#include "urls.h"

#include <string.h>

#include "http.h"
#include "mem.h"

static void add(struct urls *urls, const char *text, size_t length) {
    while (length > 0 && (text[length - 1] == '/' || text[length - 1] == ' ')) {
        length--;
    }
    urls->items = mem_resize(urls->items, urls->count + 1, sizeof(*urls->items));
    urls->items[urls->count++] = mem_format("%.*s", (int)length, text);
}

void urls_init(struct urls *urls, const char *list) {
    *urls = (struct urls){0};
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, ", ");
        size_t length = strcspn(at, ",");
        if (length > 0) {
            add(urls, at, length);
        }
        at += length;
    }
    if (urls->count == 0) {
        add(urls, "", 0);
    }
}

void urls_finish(struct urls *urls) {
    for (size_t i = 0; i < urls->count; i++) {
        mem_free(urls->items[i]);
    }
    mem_free(urls->items);
    *urls = (struct urls){0};
}

const char *urls_now(const struct urls *urls) {
    return urls->items[urls->at];
}

void urls_go_on(struct urls *urls) {
    urls->at = (urls->at + 1) % urls->count;
}

bool urls_are_loopback(const char *list) {
    struct urls urls;
    bool all = true;
    urls_init(&urls, list);
    for (size_t i = 0; i < urls.count; i++) {
        all = all && http_is_loopback(urls.items[i]);
    }
    urls_finish(&urls);
    return all;
}
