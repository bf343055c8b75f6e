/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A title document, held against what packager/title.schema.json demands of each member that it
 * knows, those that may be left out too. Pure. Private to catalog/.
 */
#ifndef CATALOG_DOCUMENT_H
#define CATALOG_DOCUMENT_H

#include "entry.h"

/*
 * Reads the member "document" of an entry, whose title and version are in `entry` already, and puts
 * there what the catalog finds it by. Fails the reader with a sentence that names the member.
 */
void document_read(struct entry *entry, struct reader *r);

/* Fails the reader for its member `name`, which `what` says of what it must be, unless it is good:
 * such as tests of a pattern would be, where a reader has none. */
void document_demand(struct reader *r, const char *name, bool is_good, const char *what);

#endif
