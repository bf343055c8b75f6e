/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the catalog is told of a title, and what it makes of it. Pure: JSON in, an entry with its
 * texts out. Private to catalog/.
 */
#ifndef CATALOG_ENTRY_H
#define CATALOG_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "common/wire.h"

enum {
    ENTRY_LANGUAGES_MAX = 64,
    ENTRY_RENDITIONS_MAX = 256,
    ENTRY_TIME_TEXT = 40,
    ENTRY_LANGUAGE_MAX = 15, /* characters, as in the schema */
    ENTRY_CODEC_MAX = 31,    /* likewise */
};

/* Strings are borrowed from the tree that was read. */
struct entry {
    char title[WIRE_TITLE_TEXT];
    int64_t revision;
    char version[VERSION_TEXT];
    char published_at[ENTRY_TIME_TEXT]; /* "": not told */
    char tenant[TENANT_TEXT];           /* "": none */
    size_t label_count;
    const char *labels[LABELS_MAX];
    size_t language_count; /* of the sound */
    const char *languages[ENTRY_LANGUAGES_MAX];
    const char *hls, *dash; /* URLs */
    const char *ladder;
    int64_t duration_ms;
    int64_t height; /* of the largest rung; 0: no pictures */
    bool hdr;
    size_t rendition_count;
    struct {
        const char *codec;
        int64_t height; /* 0: sound */
    } renditions[ENTRY_RENDITIONS_MAX];
    struct reader document;      /* the title document, as it came */
    char digest[WIRE_HASH_TEXT]; /* of all but its time, labels and tenant */
};

/*
 * Reads the body of a PUT, of which the path said `title`; the document must have what
 * packager/title.schema.json demands. INVALID with a sentence that names the member.
 */
int entry_read(struct entry *out, const struct json *body, const char *title, struct err *err);

/* Characters of a text in UTF-8. */
size_t entry_text_length(const char *text);

/* Appends what GET /titles/T answers, and the line of a list. `published_at` is the entry's, or
 * when the catalog took it in; `updated_at` when it took this revision in. */
void entry_write(const struct entry *entry, const char *published_at, struct buf *out);
void entry_write_summary(const struct entry *entry, const char *published_at,
                         const char *updated_at, struct buf *out);

/* Appends the words by which it is found, by column of the index. */
void entry_label_words(const struct entry *entry, struct buf *out);
void entry_language_words(const struct entry *entry, struct buf *out);
void entry_made_words(const struct entry *entry, struct buf *out); /* codecs, sizes, ladder */

#endif
