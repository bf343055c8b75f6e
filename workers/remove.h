/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a title's folder is to go, and its removal. */
#ifndef WORKERS_REMOVE_H
#define WORKERS_REMOVE_H

#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"
#include "common/wire.h"

/*
 * Kept are the versions that have their JSON, once the title was published (title.json is
 * there): their documents, playlists and the folders of renditions they name. All else that
 * reelfarm makes goes, what lists before what is listed; files that it does not make stay, as
 * does a folder that holds nothing of a form that is reelfarm's alone.
 * CORRUPT where it can't be told what a kept version names: nothing is removed then.
 * Of early playlists go those of `early`, or all where it is NULL. `*removed` counts objects.
 */
int remove_unnamed(struct blob *output, const char *title, const struct early_task *early,
                   int64_t *removed, struct err *err);

/* Those early playlists alone. */
int remove_early(struct blob *output, const char *title, const struct early_task *early,
                 int64_t *removed, struct err *err);

/* All that reelfarm makes there, what is published first; else as remove_unnamed. */
int remove_everything(struct blob *output, const char *title, int64_t *removed, struct err *err);

/* What a removal of versions takes. Borrowed. */
struct dropped_versions {
    const char *const *versions; /* their names */
    size_t version_count;
    const char *const *folders; /* of renditions that no other version names, below the title's */
    size_t folder_count;
};

/* The documents of these versions, then those folders but for one that a version which is kept
 * names all the same; nothing else. CORRUPT as remove_unnamed. */
int remove_versions(struct blob *output, const char *title, const struct dropped_versions *dropped,
                    int64_t *removed, struct err *err);

#endif
