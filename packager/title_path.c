/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of objects below a title's folder: see title_path.h. */
#include "title_path.h"

#include <stdbool.h>
#include <string.h>

/* What RFC 3986 lets stand unescaped in a path, but for the colon of schemes. */
static const char path_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-._~!$&'()*+,;=@/";

/* Takes the last part off a path that is empty or ends with a slash. */
static size_t parent_of(const char *path, size_t used) {
    used--;
    while (used > 0 && path[used - 1] != '/') {
        used--;
    }
    return used;
}

int title_path_resolve(char out[TITLE_PATH_TEXT], const char *base, const char *reference,
                       struct err *err) {
    char path[TITLE_PATH_TEXT];
    const char *slash = strrchr(base, '/');
    size_t used = slash != NULL ? (size_t)(slash - base) + 1 : 0;
    bool good = reference[0] != '\0' && reference[strspn(reference, path_letters)] == '\0' &&
                used < sizeof(path);
    memcpy(path, base, good ? used : 0);
    while (good && *reference != '\0') {
        size_t length = strcspn(reference, "/");
        bool folder = reference[length] == '/';
        if (length == 2 && memcmp(reference, "..", 2) == 0) {
            good = used > 0;
            used = good ? parent_of(path, used) : 0;
        } else if (length != 1 || reference[0] != '.') {
            good = length > 0 && length + 2 <= sizeof(path) - used;
            memcpy(path + used, reference, good ? length : 0);
            used += good ? length : 0;
            if (good && folder) {
                path[used++] = '/';
            }
        }
        reference += length + (folder ? 1 : 0);
    }
    if (!good) {
        return err_set(err, ERR_INVALID,
                       "a reference is no relative path that stays below the title's folder");
    }
    path[used] = '\0';
    memcpy(out, path, used + 1);
    return 0;
}
