/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a title's folder no kept version names, and its removal. */
#ifndef WORKERS_REMOVE_H
#define WORKERS_REMOVE_H

#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"

/*
 * Kept are the versions that have their JSON, once the title was published (title.json is
 * there): their documents, playlists and the folders of renditions they name. All else that
 * reelfarm makes goes, what lists before what is listed; files that it does not make stay, as
 * does a folder that holds nothing of a form that is reelfarm's alone.
 * CORRUPT where it can't be told what a kept version names: nothing is removed then.
 * `*removed` counts objects.
 */
int remove_unnamed(struct blob *output, const char *title, int64_t *removed, struct err *err);

#endif
