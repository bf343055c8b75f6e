/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a server gives the objects of a title. See verify.h. */
#include <string.h>
#include <strings.h>

#include "verify.h"

/* Bytes of a text that are worth compressing: a dozen packets. */
enum { GZIP_FROM = 16 * 1024 };

enum { TYPES_MAX = 4 };

static const struct kind {
    const char *ending;
    bool text;
    bool is_played; /* by players, not read by others alone */
    const char *types[TYPES_MAX];
} kinds[] = {
    {".m3u8", true, true, {"application/vnd.apple.mpegurl", "audio/mpegurl"}},
    {".mpd", true, true, {"application/dash+xml"}},
    {".mp4", false, true, {"video/mp4", "audio/mp4"}},
    {".m4s", false, true, {"video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment"}},
    {".json", false, false, {"application/json"}},
    {".jpg", false, true, {"image/jpeg"}},
    {".avif", false, false, {"image/avif"}},
    {".vtt", false, true, {"text/vtt"}},
};

static const struct kind *kind_of(const char *path) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t ending = strlen(kinds[i].ending);
        if (length > ending && strcmp(path + length - ending, kinds[i].ending) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* Whether the header's value, without its parameters, is one of the types. */
static bool type_fits(const struct kind *kind, const char *value) {
    size_t length = strcspn(value, "; \t");
    for (int i = 0; i < TYPES_MAX && kind->types[i] != NULL; i++) {
        if (strlen(kind->types[i]) == length && strncasecmp(kind->types[i], value, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_compressed(const char *encoding) {
    static const char *const names[] = {"gzip", "x-gzip", "deflate", "br", "zstd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && encoding != NULL; i++) {
        if (strcasecmp(encoding, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Players of a page fetch manifests and segments by scripts, which read of another site only what
 * it shares. */
static void judge_sharing(struct verify *v, const char *path, const struct served *served) {
    if (served->sharing != NULL && served->sharing[0] == '\0') {
        verify_found(v, RULE_HTTP_SHARING, path,
                     "the server does not share it with pages of other sites, whose players can't "
                     "play it then; it should send Access-Control-Allow-Origin");
    }
}

void verify_served(struct verify *v, const char *path, const struct served *served, size_t bytes) {
    const struct kind *kind = kind_of(path);
    if (kind != NULL && kind->is_played) {
        judge_sharing(v, path, served);
    }
    if (served->type == NULL || kind == NULL) {
        return;
    }
    if (!type_fits(kind, served->type)) {
        verify_found(v, RULE_HTTP_TYPE, path, "the server calls it '%.60s', and players know %s",
                     served->type, kind->types[0]);
    }
    if (kind->text && served->encoding != NULL && bytes >= GZIP_FROM &&
        !is_compressed(served->encoding)) {
        verify_found(v, RULE_HTTP_GZIP, path,
                     "the server gives its %zu bytes uncompressed, though gzip was asked for",
                     bytes);
    }
}

/* A cache may keep a 404 as it likes (RFC 9111 4.2.2), and an object that was asked for a moment
 * before it came would stay missing for the players behind it. */
void verify_served_error(struct verify *v) {
    static const char nowhere[] = "not-there.m3u8";
    struct buf body = {0};
    struct served served = {0};
    struct err err = {0};
    int failed = v->fetch(v->fetch_context, nowhere, &body, &served, &err);
    buf_finish(&body);
    if (served.caching == NULL || failed == ERR_UNAVAILABLE || failed == ERR_TIMEOUT) {
        return;
    }
    if (failed == 0) {
        verify_found(v, RULE_HTTP_ERROR, nowhere,
                     "there is no such object, yet the server gives one");
    } else if (strcasestr(served.caching, "no-store") == NULL) {
        verify_found(v, RULE_HTTP_ERROR, nowhere,
                     "the server's error for it may be kept by caches; it should say "
                     "Cache-Control: no-store");
    }
}
