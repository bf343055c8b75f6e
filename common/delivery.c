/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By ending and by the names of folders: see delivery.h. */
#include "common/delivery.h"

#include <string.h>

enum { KEY_DIGITS = 10, VERSION_DIGITS = 16 };

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".m3u8", "application/vnd.apple.mpegurl"},
    {".mpd", "application/dash+xml"},
    {".json", "application/json"},
    {".mp4", "video/mp4"},
    {".m4s", "video/mp4"},
    {".jpg", "image/jpeg"},
    {".avif", "image/avif"},
    {".vtt", "text/vtt"},
};

const char *delivery_type(const char *path) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t ending = strlen(types[i].ending);
        if (length > ending && strcmp(path + length - ending, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return NULL;
}

static bool all_hex(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (!digit) {
            return false;
        }
    }
    return true;
}

static bool is_version(const char *name, size_t length) {
    return length == VERSION_DIGITS && all_hex(name, length);
}

/* "h264-720p-0123456789": the folder of a rendition. */
static bool is_keyed(const char *name, size_t length) {
    return length > KEY_DIGITS && name[length - KEY_DIGITS - 1] == '-' &&
           all_hex(name + length - KEY_DIGITS, KEY_DIGITS);
}

bool delivery_is_immutable(const char *path) {
    const char *at = path;
    const char *slash = NULL;
    while ((slash = strchr(at, '/')) != NULL) {
        size_t length = (size_t)(slash - at);
        if (is_version(at, length) || is_keyed(at, length)) {
            return true;
        }
        at = slash + 1;
    }
    return is_version(at, strcspn(at, ".")); /* <version>.m3u8 and the like */
}

const char *delivery_caching(const char *path) {
    return delivery_is_immutable(path) ? "public, max-age=31536000, immutable" : "no-cache";
}
