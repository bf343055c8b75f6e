/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's entry: read and written. See entry.h. */
#include "entry.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "document.h"

enum { URL_MAX = 8192 };

/* ---- reading ------------------------------------------------------------------------ */

size_t entry_text_length(const char *text) {
    size_t length = 0;
    for (; *text != '\0'; text++) {
        length += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return length;
}

static bool is_version(const char *text) {
    return strlen(text) == VERSION_TEXT - 1 && strspn(text, "0123456789abcdef") == VERSION_TEXT - 1;
}

static bool is_url(const char *url) {
    size_t size = strlen(url);
    bool is_plain = size <= URL_MAX;
    for (size_t i = 0; i < size && is_plain; i++) {
        is_plain = (unsigned char)url[i] > ' ' && (unsigned char)url[i] < 0x7f;
    }
    return is_plain &&
           (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0);
}

static void read_labels(struct entry *entry, struct reader *r) {
    if (!reader_has(r, "labels")) {
        return;
    }
    struct reader list = reader_array(r, "labels");
    size_t count = reader_count(&list);
    document_demand(r, "labels", count <= LABELS_MAX, "must be at most 16");
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        const char *label = "";
        reader_item_string(&list, i, &label);
        document_demand(r, "labels", title_label_valid(label), "must be NAME=VALUE");
        entry->labels[entry->label_count++] = label;
    }
}

static void read_manifests(struct entry *entry, struct reader *r) {
    struct reader manifests = reader_object(r, "manifests");
    reader_string(&manifests, "hls", &entry->hls);
    document_demand(&manifests, "hls", is_url(entry->hls), "must be an http or https URL");
    reader_string(&manifests, "dash", &entry->dash);
    document_demand(&manifests, "dash", is_url(entry->dash), "must be an http or https URL");
}

/* Equal for what a publisher may say twice of one revision: labels and tenant may have changed in
 * between. */
static void make_digest(struct entry *entry) {
    struct buf text = {0};
    struct entry told = *entry;
    told.label_count = 0;
    told.tenant[0] = '\0';
    entry_write(&told, "", &text);
    sha256_hex_of(text.data, text.size, entry->digest);
    buf_finish(&text);
}

int entry_read(struct entry *out, const struct json *body, const char *title, struct err *err) {
    struct err wrong = {0};
    struct reader r = reader_of(body, "the entry", &wrong);
    *out = (struct entry){.hls = "", .dash = "", .ladder = ""};
    reader_text(&r, "title", out->title, sizeof(out->title));
    document_demand(&r, "title", strcmp(out->title, title) == 0, "must be that of the path");
    reader_int(&r, "revision", 0, INT64_MAX, &out->revision);
    reader_text(&r, "version", out->version, sizeof(out->version));
    document_demand(&r, "version", is_version(out->version), "must be 16 hex digits");
    if (reader_has(&r, "published_at")) {
        reader_text(&r, "published_at", out->published_at, sizeof(out->published_at));
    }
    if (reader_has(&r, "tenant")) {
        reader_text(&r, "tenant", out->tenant, sizeof(out->tenant));
        document_demand(&r, "tenant", out->tenant[0] == '\0' || tenant_name_valid(out->tenant),
                        "must be a tenant's name");
    }
    read_labels(out, &r);
    read_manifests(out, &r);
    document_read(out, &r);
    if (wrong.code != ERR_NONE) {
        return err_set(err, ERR_INVALID, "%s", wrong.message);
    }
    make_digest(out);
    return 0;
}

/* ---- writing ------------------------------------------------------------------------ */

static void strings_write(struct writer *w, const char *name, const char *const *list,
                          size_t count) {
    writer_array(w, name);
    for (size_t i = 0; i < count; i++) {
        writer_string(w, NULL, list[i]);
    }
    writer_array_end(w);
}

static void head_write(const struct entry *entry, const char *published_at, struct writer *w) {
    writer_string(w, "title", entry->title);
    writer_int(w, "revision", entry->revision);
    writer_string(w, "version", entry->version);
    writer_string(w, "published_at", published_at);
    writer_string(w, "tenant", entry->tenant);
    strings_write(w, "labels", entry->labels, entry->label_count);
    writer_object(w, "manifests");
    writer_string(w, "hls", entry->hls);
    writer_string(w, "dash", entry->dash);
    writer_object_end(w);
}

void entry_write(const struct entry *entry, const char *published_at, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    head_write(entry, published_at, &w);
    writer_node(&w, "document", entry->document.node);
    writer_object_end(&w);
}

static bool has_codec_before(const struct entry *entry, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(entry->renditions[i].codec, entry->renditions[index].codec) == 0) {
            return true;
        }
    }
    return false;
}

void entry_write_summary(const struct entry *entry, const char *published_at,
                         const char *updated_at, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    head_write(entry, published_at, &w);
    writer_string(&w, "updated_at", updated_at);
    writer_int(&w, "duration_ms", entry->duration_ms);
    writer_int(&w, "height", entry->height);
    writer_bool(&w, "hdr", entry->hdr);
    strings_write(&w, "languages", entry->languages, entry->language_count);
    writer_array(&w, "codecs");
    for (size_t i = 0; i < entry->rendition_count; i++) {
        if (!has_codec_before(entry, i)) {
            writer_string(&w, NULL, entry->renditions[i].codec);
        }
    }
    writer_array_end(&w);
    writer_object_end(&w);
}

static void add_word(struct buf *out, const char *word) {
    buf_string(out, out->size > 0 ? " " : "");
    buf_string(out, word);
}

void entry_label_words(const struct entry *entry, struct buf *out) {
    for (size_t i = 0; i < entry->label_count; i++) {
        add_word(out, entry->labels[i]);
    }
}

void entry_language_words(const struct entry *entry, struct buf *out) {
    for (size_t i = 0; i < entry->language_count; i++) {
        add_word(out, entry->languages[i]);
    }
}

void entry_made_words(const struct entry *entry, struct buf *out) {
    add_word(out, entry->ladder);
    add_word(out, entry->hdr ? "hdr" : "sdr");
    for (size_t i = 0; i < entry->rendition_count; i++) {
        if (!has_codec_before(entry, i)) {
            add_word(out, entry->renditions[i].codec);
        }
        if (entry->renditions[i].height > 0) {
            buf_format(out, " %" PRId64 "p", entry->renditions[i].height);
        }
    }
}
