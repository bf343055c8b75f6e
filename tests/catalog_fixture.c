/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See catalog_fixture.h. */
#include "catalog_fixture.h"

#include <check.h>

#include "common/fs.h"
#include "common/mem.h"
#include "verify_fixture.h"

enum { TEXT_MAX = 64 << 10 };

static const char *or_else(const char *text, const char *otherwise) {
    return text != NULL ? text : otherwise;
}

struct json *said_body(const struct said *said) {
    struct buf text = {0};
    struct buf own = {0};
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_msg(fs_read(&own, REELFARM_SOURCE_DIR "/tests/golden/title.json", TEXT_MAX, &err) ==
                      0,
                  "%s", err.message);
    char *language = mem_format("\"languages\":[\"%s\"]", or_else(said->language, "und"));
    char *title = mem_format("{\"title\":\"%s\"", said->title);
    ck_assert(text_replace(&own, "{\"title\":\"a-title\"", title, false));
    ck_assert(text_replace(&own, "\"languages\":[\"und\"]", language, false));
    buf_format(&text,
               "{\"title\":\"%s\",\"revision\":%lld,\"version\":\"81f57e7d9f2a4b41\","
               "\"published_at\":\"%s\",\"tenant\":\"%s\",\"labels\":%s,"
               "\"manifests\":{\"hls\":\"https://e.example/%s/master.m3u8\","
               "\"dash\":\"https://e.example/%s/manifest.mpd\"},\"document\":%s}",
               said->title, (long long)said->revision, or_else(said->published_at, ""),
               or_else(said->tenant, ""), or_else(said->labels, "[]"), said->title, said->title,
               buf_text(&own));
    if (said->find != NULL) {
        ck_assert_msg(text_replace(&text, said->find, said->put, false), "no %s", said->find);
    }
    ck_assert_msg(json_tree_parse(&tree, text.data, text.size, &err) == 0, "%s", err.message);
    mem_free(language);
    mem_free(title);
    buf_finish(&own);
    buf_finish(&text);
    return tree;
}
