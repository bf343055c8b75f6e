/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's entry: read, held against its schema's demands, written. See entry.h. */
#include "entry.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"

/* Characters of texts, as in the schema. */
enum {
    URL_MAX = 8192,
    TEXT_MAX = 255, /* of names and codec strings */
    IDENTITY_MAX = 16384,
};

static const int64_t size_max = INT64_C(1) << 56;

/* ---- reading ------------------------------------------------------------------------ */

/* Such as tests of a pattern would be, where a reader has none. */
static void demand(struct reader *r, const char *name, bool is_good, const char *what) {
    if (reader_ok(r) && !is_good) {
        reader_fail(r, name, "%s", what);
    }
}

static bool is_fraction(const char *text) {
    size_t above = strspn(text, "0123456789");
    const char *below = text + above + 1;
    return above > 0 && text[above] == '/' && below[0] >= '1' && below[0] <= '9' &&
           below[strspn(below, "0123456789")] == '\0';
}

static void read_fraction(struct reader *r, const char *name) {
    const char *text = "";
    reader_string(r, name, &text);
    demand(r, name, is_fraction(text), "must be NUMERATOR/DENOMINATOR");
}

size_t entry_text_length(const char *text) {
    size_t length = 0;
    for (; *text != '\0'; text++) {
        length += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return length;
}

static const char *read_text(struct reader *r, const char *name, size_t most) {
    const char *text = "";
    reader_string(r, name, &text);
    demand(r, name, entry_text_length(text) <= most, "is too long");
    return text;
}

/* A text of 1 to `size` - 1 letters, digits and those of `others`. */
static void read_name(struct reader *r, const char *name, const char *others, size_t size) {
    const char *text = read_text(r, name, size - 1);
    bool is_good = text[0] != '\0';
    for (const char *at = text; *at != '\0'; at++) {
        is_good = is_good && (isalnum((unsigned char)*at) || strchr(others, *at) != NULL);
    }
    demand(r, name, is_good, "must be letters, digits and such as -._ alone");
}

static int64_t read_count(struct reader *r, const char *name, int64_t least) {
    int64_t value = 0;
    reader_int(r, name, least, size_max, &value);
    return value;
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

static bool is_language(const char *text) {
    return text[0] != '\0' && entry_text_length(text) <= ENTRY_LANGUAGE_MAX;
}

static void read_rendition(struct entry *entry, struct reader *r, size_t index) {
    static const char *const kinds[] = {"video", "audio", NULL};
    int kind = 0;
    const char *language = "";
    read_name(r, "id", "._-", WIRE_RENDITION_TEXT);
    reader_choice(r, "kind", kinds, &kind);
    read_name(r, "folder", "._/-", WIRE_FOLDER_TEXT);
    entry->renditions[index].codec = read_text(r, "codec", ENTRY_CODEC_MAX);
    read_text(r, "codecs", TEXT_MAX);
    read_count(r, "peak_bps", 0);
    read_count(r, "average_bps", 0);
    read_count(r, "segments", 1);
    read_count(r, "bytes", 0);
    if (kind == 0) {
        bool hdr = false;
        read_count(r, "width", 1);
        int64_t height = read_count(r, "height", 1);
        read_fraction(r, "rate");
        reader_bool(r, "hdr", &hdr);
        entry->renditions[index].height = height;
        entry->height = height > entry->height ? height : entry->height;
        entry->hdr = entry->hdr || hdr;
    } else {
        reader_string(r, "language", &language);
        demand(r, "language", is_language(language), "must be a language's tag");
        read_count(r, "channels", 1);
        read_count(r, "sample_rate", 1);
    }
}

static void read_renditions(struct entry *entry, struct reader *document) {
    struct reader list = reader_array(document, "renditions");
    size_t count = reader_count(&list);
    demand(document, "renditions", count >= 1 && count <= ENTRY_RENDITIONS_MAX,
           "must be 1 to 256 renditions");
    for (size_t i = 0; i < count && reader_ok(document); i++) {
        struct reader item = reader_item(&list, i);
        read_rendition(entry, &item, i);
        entry->rendition_count++;
    }
}

static void read_strings(struct reader *r, const char *name) {
    struct reader list = reader_array(r, name);
    const char *text = "";
    for (size_t i = 0; i < reader_count(&list) && reader_ok(r); i++) {
        reader_item_string(&list, i, &text);
    }
}

static void read_timeline(struct reader *document) {
    struct reader timeline = reader_object(document, "timeline");
    read_count(&timeline, "gop_frames", 1);
    read_count(&timeline, "segment_frames", 1);
    read_count(&timeline, "segments", 1);
    struct reader periods = reader_array(&timeline, "periods");
    demand(&timeline, "periods", reader_count(&periods) >= 1, "must be at least one");
    for (size_t i = 0; i < reader_count(&periods) && reader_ok(&periods); i++) {
        struct reader period = reader_item(&periods, i);
        read_fraction(&period, "start_s");
        read_fraction(&period, "duration_s");
        read_strings(&period, "renditions");
    }
}

static void read_source(struct reader *document) {
    static const char *const counts[] = {"bytes", "width", "height"};
    struct reader source = reader_object(document, "source");
    read_text(&source, "identity", IDENTITY_MAX);
    read_text(&source, "container", TEXT_MAX);
    read_text(&source, "codec", TEXT_MAX);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        read_count(&source, counts[i], 0);
    }
}

static void read_languages(struct entry *entry, struct reader *document) {
    struct reader list = reader_array(document, "languages");
    size_t count = reader_count(&list);
    demand(document, "languages", count <= ENTRY_LANGUAGES_MAX, "must be at most 64");
    for (size_t i = 0; i < count && reader_ok(document); i++) {
        const char *language = "";
        reader_item_string(&list, i, &language);
        demand(document, "languages", is_language(language), "must be languages' tags");
        for (size_t j = 0; j < entry->language_count; j++) {
            demand(document, "languages", strcmp(entry->languages[j], language) != 0,
                   "must be different ones");
        }
        entry->languages[entry->language_count++] = language;
    }
}

static void read_document(struct entry *entry, struct reader *r) {
    const char *title = "";
    const char *version = "";
    struct reader document = reader_object(r, "document");
    entry->document = document;
    reader_string(&document, "title", &title);
    demand(&document, "title", strcmp(title, entry->title) == 0, "must be that of the entry");
    reader_string(&document, "version", &version);
    demand(&document, "version", strcmp(version, entry->version) == 0, "must be that of the entry");
    entry->ladder = read_text(&document, "ladder", TEXT_MAX);
    read_fraction(&document, "rate");
    read_count(&document, "frames", 1);
    read_fraction(&document, "duration_s");
    entry->duration_ms = read_count(&document, "duration_ms", 0);
    struct reader manifests = reader_object(&document, "manifests");
    read_text(&manifests, "hls", TEXT_MAX);
    read_text(&manifests, "dash", TEXT_MAX);
    read_languages(entry, &document);
    read_timeline(&document);
    read_count(&document, "frames_repaired", 0);
    read_count(&document, "frames_concealed", 0);
    read_source(&document);
    read_strings(&document, "waived");
    read_renditions(entry, &document);
}

static void read_labels(struct entry *entry, struct reader *r) {
    if (!reader_has(r, "labels")) {
        return;
    }
    struct reader list = reader_array(r, "labels");
    size_t count = reader_count(&list);
    demand(r, "labels", count <= LABELS_MAX, "must be at most 16");
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        const char *label = "";
        reader_item_string(&list, i, &label);
        demand(r, "labels", title_label_valid(label), "must be NAME=VALUE");
        entry->labels[entry->label_count++] = label;
    }
}

static void read_manifests(struct entry *entry, struct reader *r) {
    struct reader manifests = reader_object(r, "manifests");
    reader_string(&manifests, "hls", &entry->hls);
    demand(&manifests, "hls", is_url(entry->hls), "must be an http or https URL");
    reader_string(&manifests, "dash", &entry->dash);
    demand(&manifests, "dash", is_url(entry->dash), "must be an http or https URL");
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
    demand(&r, "title", strcmp(out->title, title) == 0, "must be that of the path");
    reader_int(&r, "revision", 0, INT64_MAX, &out->revision);
    reader_text(&r, "version", out->version, sizeof(out->version));
    demand(&r, "version", is_version(out->version), "must be 16 hex digits");
    if (reader_has(&r, "published_at")) {
        reader_text(&r, "published_at", out->published_at, sizeof(out->published_at));
    }
    if (reader_has(&r, "tenant")) {
        reader_text(&r, "tenant", out->tenant, sizeof(out->tenant));
        demand(&r, "tenant", out->tenant[0] == '\0' || tenant_name_valid(out->tenant),
               "must be a tenant's name");
    }
    read_labels(out, &r);
    read_manifests(out, &r);
    read_document(out, &r);
    if (wrong.code != ERR_NONE) {
        return err_set(err, ERR_INVALID, "%s", wrong.message);
    }
    make_digest(out);
    return 0;
}

/* ---- writing ------------------------------------------------------------------------ */

static void head_write(const struct entry *entry, const char *published_at, struct writer *w) {
    writer_string(w, "title", entry->title);
    writer_int(w, "revision", entry->revision);
    writer_string(w, "version", entry->version);
    writer_string(w, "published_at", published_at);
    writer_string(w, "tenant", entry->tenant);
    writer_strings(w, "labels", entry->labels, entry->label_count);
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
    writer_strings(&w, "languages", entry->languages, entry->language_count);
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
