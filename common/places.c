/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules over the names of sources and outputs: see places.h. */
#include "common/places.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\r\n,";

/* Bytes of a '.' as it may be written in a path, 0 where there is none. */
static size_t dot_at(const char *at) {
    return at[0] == '.' ? 1 : strncasecmp(at, "%2e", 3) == 0 ? 3 : 0;
}

/* Whether a part of the name is "..", however it is written. */
static bool climbs(const char *place) {
    for (const char *at = place; *at != '\0'; at++) {
        bool begins = at == place || at[-1] == '/' || at[-1] == '\\' ||
                      (at - place >= 3 && strncasecmp(at - 3, "%2f", 3) == 0);
        size_t first = begins ? dot_at(at) : 0;
        size_t second = first > 0 ? dot_at(at + first) : 0;
        const char *end = at + first + second;
        if (second > 0 && (strchr("/\\?#", *end) != NULL || strncasecmp(end, "%2f", 3) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_within(const char *place, const char *outer, size_t length) {
    while (length > 1 && outer[length - 1] == '/') {
        length--;
    }
    return strncmp(place, outer, length) == 0 &&
           (place[length] == '/' || place[length] == '\0' || outer[length - 1] == '/');
}

int places_check(const char *allowed, const char *what, const char *place, struct err *err) {
    const char *at = allowed == NULL ? "" : allowed + strspn(allowed, blanks);
    if (*at == '\0') {
        return 0;
    }
    while (*at != '\0') {
        size_t length = strcspn(at, blanks);
        if (is_within(place, at, length) && !climbs(place)) {
            return 0;
        }
        at += length;
        at += strspn(at, blanks);
    }
    return err_set(err, ERR_FORBIDDEN,
                   "this farm's %ss are within %s alone, and the %s given is not; ask who runs it",
                   what, allowed, what);
}
