/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that are compiled into the program: see web.h. */
#include "web.h"

#include <string.h>

static const char for_ever[] = "public, max-age=31536000, immutable";

const struct web_file *web_file_find(const struct web_file *files, const char *path) {
    for (; files->path != NULL; files++) {
        if (strcmp(files->path, path) == 0) {
            return files;
        }
    }
    return NULL;
}

bool web_etag_listed(const char *list, const char *etag) {
    if (list == NULL) {
        return false;
    }
    size_t length = strlen(etag);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t word = strcspn(at, " \t,");
        size_t weak = strncmp(at, "W/", 2) == 0 ? 2 : 0;
        if ((word == 1 && *at == '*') ||
            (word == weak + length && strncmp(at + weak, etag, length) == 0)) {
            return true;
        }
        at += word;
    }
    return false;
}

int web_file_answer(struct exchange *exchange, const struct web_file *file, const char *policy) {
    bool unchanged = web_etag_listed(exchange_header(exchange, "If-None-Match"), file->etag);
    struct buf body = {0};
    struct http_reply reply = {
        .status = unchanged ? 304 : 200,
        .type = unchanged ? NULL : file->type,
        .cache_control = file->for_ever ? for_ever : "no-cache",
        .headers = {{"ETag", file->etag},
                    {"X-Content-Type-Options", "nosniff"},
                    {"Referrer-Policy", "no-referrer"},
                    {"Cross-Origin-Opener-Policy", "same-origin"},
                    {policy != NULL ? "Content-Security-Policy" : NULL, policy}},
    };
    if (!unchanged) {
        buf_append(&body, file->data, file->size);
    }
    http_answer_reply(exchange, &reply, &body);
    return reply.status;
}
