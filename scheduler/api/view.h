/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients see of a title: answers of openapi.json. Each call writes one
 * object; NOT_FOUND of the transaction where there is no such title.
 */
#ifndef SCHEDULER_API_VIEW_H
#define SCHEDULER_API_VIEW_H

#include "common/json.h"
#include "scheduler/farm.h"

enum { TITLES_PAGE_LABELS = 4 };

/* Which titles of a list: at most `limit`, from the newest submission before `before` on; of
 * that state, that tenant and with all of these labels, "" for any. */
struct titles_page {
    int64_t before;
    const char *state;
    const char *tenant;
    char labels[TITLES_PAGE_LABELS][LABEL_MAX + 1];
    int limit;
};

/* GET /v1/titles */
void view_titles(struct tx *tx, const struct titles_page *page, struct writer *w);

/* GET /v1/titles/T, as it is shown to who sees the whole farm; and to a tenant's caller, who is
 * told of no other title ("": one who sees the whole farm). */
void view_title(struct tx *tx, struct farm *farm, const char *title, struct writer *w);
void view_title_to(struct tx *tx, struct farm *farm, const char *title, const char *tenant,
                   struct writer *w);

/* GET /v1/titles/T/plan; NOT_FOUND also before there is one. */
void view_plan(struct tx *tx, struct farm *farm, const char *title, struct writer *w);

/* The field `media` of a title or version: its folder's URL as players read it, null where nobody
 * knows. */
void view_media(const struct farm *farm, const char *output, const char *title, struct writer *w);

struct units_page {
    int64_t after; /* ids above this one */
    int limit;
    bool has_reports;
};

/* GET /v1/titles/T/units. */
void view_units(struct tx *tx, const char *title, const struct units_page *page, struct writer *w);

/* GET /v1/titles/T/identity. Whether it is known; writes nothing otherwise. */
bool view_identity(struct tx *tx, struct farm *farm, const char *title, struct writer *w);

#endif
