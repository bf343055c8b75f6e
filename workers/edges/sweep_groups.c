/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at an edge, by what stands or falls together: see sweep_groups.h. */
#include "sweep_groups.h"

#include <stdio.h>
#include <string.h>

#include "common/delivery.h"

static const char *const stable_names[] = {"master.m3u8", "manifest.mpd", "title.json"};
static const char *const folder_kinds[] = {"video", "audio", "text", "images"};

static bool is_one_of(const char *const *names, size_t count, const char *text, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(names_, text_, length_)                                                          \
    is_one_of(names_, sizeof(names_) / sizeof((names_)[0]), text_, length_)

static bool is_version(const char *text, size_t length) {
    char name[VERSION_TEXT];
    if (length >= sizeof(name)) {
        return false;
    }
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    return delivery_is_immutable(name);
}

bool sweep_group_of(const char *path, char group[WIRE_FOLDER_TEXT]) {
    const char *first = strchr(path, '/');
    const char *second = first == NULL ? NULL : strchr(first + 1, '/');
    size_t length = 0;
    if (delivery_type(path) == NULL || path[0] == '.' || strstr(path, "/.") != NULL) {
        return false;
    }
    if (first == NULL && IS_ONE_OF(stable_names, path, strlen(path))) {
        length = strlen(path);
    } else if (first == NULL && is_version(path, strcspn(path, "."))) {
        length = strcspn(path, ".");
    } else if (first != NULL && second == NULL && is_version(path, (size_t)(first - path))) {
        length = (size_t)(first - path);
    } else if (second != NULL && strchr(second + 1, '/') == NULL &&
               IS_ONE_OF(folder_kinds, path, (size_t)(first - path)) &&
               !is_version(first + 1, (size_t)(second - first - 1)) &&
               delivery_is_immutable(first + 1)) {
        length = (size_t)(second - path);
    }
    if (length == 0 || length >= WIRE_FOLDER_TEXT) {
        return false;
    }
    snprintf(group, WIRE_FOLDER_TEXT, "%.*s", (int)length, path);
    return true;
}

const char *sweep_title_of(const char *path, char title[WIRE_TITLE_TEXT]) {
    size_t length = strcspn(path, "/");
    if (path[length] == '\0' || length >= WIRE_TITLE_TEXT) {
        return NULL;
    }
    snprintf(title, WIRE_TITLE_TEXT, "%.*s", (int)length, path);
    return title_id_valid(title) ? path + length + 1 : NULL;
}

int sweep_rank(const char *group) {
    if (strchr(group, '/') != NULL) {
        return 2;
    }
    return strchr(group, '.') != NULL ? 0 : 1;
}

bool sweep_groups_add(struct sweep_groups *groups, const char *title, const char *group,
                      int64_t bytes) {
    struct sweep_group *found = NULL;
    for (size_t i = groups->count; i > groups->first && found == NULL; i--) {
        struct sweep_group *one = &groups->list[i - 1];
        found = strcmp(one->path, group) == 0 && strcmp(one->title, title) == 0 ? one : NULL;
    }
    if (found == NULL && groups->count == SWEEP_PAGE_MAX) {
        return false;
    }
    if (found == NULL) {
        found = &groups->list[groups->count++];
        *found = (struct sweep_group){.objects = 0};
        snprintf(found->title, sizeof(found->title), "%s", title);
        snprintf(found->path, sizeof(found->path), "%s", group);
    }
    found->objects++;
    found->bytes += bytes > 0 ? bytes : 0;
    return true;
}

void sweep_groups_close(struct sweep_groups *groups) {
    bool ours = false;
    for (size_t i = groups->first; i < groups->count; i++) {
        ours = ours || sweep_rank(groups->list[i].path) > 0;
    }
    groups->count = ours ? groups->count : groups->first;
    groups->first = groups->count;
}
