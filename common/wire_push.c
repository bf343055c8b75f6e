/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a push is told and answers. See wire.h. */
#include <string.h>

#include "common/wire.h"
#include "wire_fields.h"

enum {
    URL_MAX = 8192,
    DRIVER_MAX = 32,
    CONNECTIONS_MAX = 256,
    HEIGHT_MAX = 65535,
    OLD_VERSIONS_MAX = 64,
    OLD_FOLDERS_MAX = 16384,
    KEPT_VERSIONS_MAX = 1024,
    RENDITIONS_MAX = 256,
};

static const int64_t count_max = INT64_C(1) << 56;

bool endpoint_name_valid(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strlen(name);
    return size > 0 && size < ENDPOINT_TEXT && name[0] != '.' && strspn(name, allowed) == size;
}

static void falls_back_write(const void *from, struct writer *w, const char *name) {
    writer_bool(w, name, ((const struct push_endpoint *)from)->falls_back);
}

/* Where it is not said, by an older scheduler, it is by a height. */
static void falls_back_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct push_endpoint *endpoint = to;
    (void)arena;
    endpoint->falls_back = endpoint->max_height > 0;
    if (reader_has(r, name)) {
        reader_bool(r, name, &endpoint->falls_back);
    }
}

static const struct field endpoint_fields[] = {
    NAME(struct push_endpoint, name, 1),
    STRING(struct push_endpoint, driver, DRIVER_MAX),
    STRING(struct push_endpoint, url, URL_MAX),
    STRING(struct push_endpoint, serves, URL_MAX),
    NUMBER(struct push_endpoint, connections, 1, CONNECTIONS_MAX),
    NUMBER(struct push_endpoint, bandwidth_bps, 0, count_max),
    NUMBER(struct push_endpoint, max_height, 0, HEIGHT_MAX),
    OTHER("falls_back", falls_back_write, falls_back_read),
    NUMBER(struct push_endpoint, verify_segments, 0, INT32_MAX),
    END,
};

static const struct field version_fields[] = {
    NAME(struct push_old_version, version, 1),
    STRINGS(struct push_old_version, renditions, rendition_count, RENDITIONS_MAX),
    END,
};

static const struct field folder_fields[] = {
    PATH(struct push_old_folder, folder),
    NUMBER(struct push_old_folder, segments, 0, GRID_FRAMES_MAX),
    END,
};

static const struct field listing_fields[] = {
    NAME(struct push_listing, tenant, 0),
    STRINGS(struct push_listing, labels, label_count, LABELS_MAX),
    END,
};

static const struct field sweep_fields[] = {
    LIST(struct push_sweep, versions, version_count, KEPT_VERSIONS_MAX, version_fields),
    LIST(struct push_sweep, folders, folder_count, OLD_FOLDERS_MAX, folder_fields),
    END,
};

static const struct field push_fields[] = {
    OBJECT(struct push, endpoint, endpoint_fields),
    OPTIONAL(struct push, listing, has_listing, listing_fields),
    NUMBER(struct push, revision, 0, INT64_MAX),
    NUMBER(struct push, skip, 0, INT64_MAX),
    LIST(struct push, old_versions, old_version_count, OLD_VERSIONS_MAX, version_fields),
    LIST(struct push, old_folders, old_folder_count, OLD_FOLDERS_MAX, folder_fields),
    OPTIONAL(struct push, sweep, has_sweep, sweep_fields),
    END,
};

/* Each becomes a part of a URL below which things are deleted. */
static bool old_names_valid(const struct push *push) {
    bool valid = true;
    for (size_t i = 0; i < push->old_folder_count; i++) {
        valid = valid && push->old_folders[i].folder[0] != '\0';
    }
    for (size_t i = 0; i < push->old_version_count; i++) {
        for (size_t j = 0; j < push->old_versions[i].rendition_count; j++) {
            const char *rendition = push->old_versions[i].renditions[j];
            valid = valid && rendition[0] != '\0' && name_valid(rendition);
        }
    }
    return valid;
}

void push_write(const struct push *push, struct writer *w, const char *name) {
    object_write(push_fields, push, w, name);
}

void push_read(struct push *out, struct arena *arena, struct reader *r) {
    *out = (struct push){0};
    fields_read(push_fields, out, arena, r);
    if (reader_ok(r) && !old_names_valid(out)) {
        reader_fail(r, "old_versions", "and old_folders must be names");
    }
}

/* ---- Sweeps -------------------------------------------------------------------------------- */

static const struct field group_fields[] = {
    NAME(struct sweep_group, title, 1),
    PATH(struct sweep_group, path),
    NUMBER(struct sweep_group, objects, 0, INT64_MAX),
    NUMBER(struct sweep_group, bytes, 0, INT64_MAX),
    END,
};

static const struct field sweep_task_fields[] = {
    OBJECT(struct sweep_task, endpoint, endpoint_fields),
    FLAG(struct sweep_task, removes),
    LIST(struct sweep_task, groups, group_count, SWEEP_GROUPS_MAX, group_fields),
    END,
};

static const struct field page_fields[] = {
    LIST(struct sweep_page, groups, group_count, SWEEP_PAGE_MAX, group_fields),
    END,
};

/* Each names what may be deleted. */
static void groups_check(const struct sweep_group *groups, size_t count, struct reader *r) {
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        if (!title_id_valid(groups[i].title) || groups[i].path[0] == '\0') {
            reader_fail(r, "groups", "must each have a title's id and a path");
        }
    }
}

void sweep_task_write(const struct sweep_task *sweep, struct writer *w, const char *name) {
    object_write(sweep_task_fields, sweep, w, name);
}

void sweep_task_read(struct sweep_task *out, struct arena *arena, struct reader *r) {
    *out = (struct sweep_task){.removes = false};
    fields_read(sweep_task_fields, out, arena, r);
    groups_check(out->groups, out->group_count, r);
}

void sweep_page_write(const struct sweep_page *page, struct writer *w, const char *name) {
    object_write(page_fields, page, w, name);
}

void sweep_page_read(struct sweep_page *out, struct arena *arena, struct reader *r) {
    *out = (struct sweep_page){0};
    fields_read(page_fields, out, arena, r);
    groups_check(out->groups, out->group_count, r);
}

/* ---- Reports ------------------------------------------------------------------------------- */

/* Workers say these two since 0023. */
static void cost_write(const void *from, struct writer *w, const char *name) {
    writer_number(w, name, ((const struct push_report *)from)->cost_ms);
}

static void cost_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    if (reader_has(r, name)) {
        reader_number(r, name, 0, INT32_MAX, &((struct push_report *)to)->cost_ms);
    }
}

static void fetches_write(const void *from, struct writer *w, const char *name) {
    writer_bool(w, name, ((const struct push_report *)from)->fetches);
}

static void fetches_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    if (reader_has(r, name)) {
        reader_bool(r, name, &((struct push_report *)to)->fetches);
    }
}

static const struct field report_fields[] = {
    NUMBER(struct push_report, objects, 0, INT64_MAX),
    NUMBER(struct push_report, bytes, 0, INT64_MAX),
    NUMBER(struct push_report, request_ms, 0, INT32_MAX),
    OTHER("cost_ms", cost_write, cost_read),
    OTHER("fetches", fetches_write, fetches_read),
    NUMBER(struct push_report, refused, 0, INT64_MAX),
    END,
};

void push_report_write(const struct push_report *report, struct writer *w, const char *name) {
    object_write(report_fields, report, w, name);
}

void push_report_read(struct push_report *out, struct reader *r) {
    *out = (struct push_report){0};
    fields_read(report_fields, out, NULL, r);
}
