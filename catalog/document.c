/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each member as packager/title.schema.json has it: see document.h. */
#include "document.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Characters of texts, as in the schema. */
enum {
    TEXT_MAX = 255, /* of names and codec strings */
    IDENTITY_MAX = 16384,
};

static const int64_t size_max = INT64_C(1) << 56;

/* ---- values ------------------------------------------------------------------------- */

void document_demand(struct reader *r, const char *name, bool is_good, const char *what) {
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
    document_demand(r, name, is_fraction(text), "must be NUMERATOR/DENOMINATOR");
}

static const char *read_text(struct reader *r, const char *name, size_t most) {
    const char *text = "";
    reader_string(r, name, &text);
    document_demand(r, name, entry_text_length(text) <= most, "is too long");
    return text;
}

/* A text of 1 to `size` - 1 letters, digits and those of `others`. */
static void read_name(struct reader *r, const char *name, const char *others, size_t size) {
    const char *text = read_text(r, name, size - 1);
    bool is_good = text[0] != '\0';
    for (const char *at = text; *at != '\0'; at++) {
        is_good = is_good && (isalnum((unsigned char)*at) || strchr(others, *at) != NULL);
    }
    document_demand(r, name, is_good, "must be letters, digits and such as -._ alone");
}

static int64_t read_count(struct reader *r, const char *name, int64_t least) {
    int64_t value = 0;
    reader_int(r, name, least, size_max, &value);
    return value;
}

static bool is_language(const char *text) {
    return text[0] != '\0' && entry_text_length(text) <= ENTRY_LANGUAGE_MAX;
}

static void read_strings(struct reader *r, const char *name) {
    struct reader list = reader_array(r, name);
    const char *text = "";
    for (size_t i = 0; i < reader_count(&list) && reader_ok(r); i++) {
        reader_item_string(&list, i, &text);
    }
}

static void read_language(struct reader *r, const char *name) {
    const char *text = "";
    reader_string(r, name, &text);
    document_demand(r, name, is_language(text), "must be a language's tag");
}

/* ---- members that may be left out ------------------------------------------------------ */

/* A member by its name, where it is there. */
struct member {
    const char *name;
    void (*check)(struct reader *r, const char *name);
};

/* null is no absence: the schema takes none. */
static bool is_there(const struct reader *r, const char *name) {
    const char *found = NULL;
    for (size_t i = 0; (found = reader_name(r, i)) != NULL; i++) {
        if (strcmp(found, name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_members(struct reader *r, const struct member *members) {
    for (const struct member *member = members; member->name != NULL; member++) {
        if (reader_ok(r) && is_there(r, member->name)) {
            member->check(r, member->name);
        }
    }
}

static void check_string(struct reader *r, const char *name) {
    const char *text = "";
    reader_string(r, name, &text);
}

static void check_count(struct reader *r, const char *name) {
    read_count(r, name, 0);
}

static void check_size(struct reader *r, const char *name) {
    read_count(r, name, 1);
}

static void check_flag(struct reader *r, const char *name) {
    bool flag = false;
    reader_bool(r, name, &flag);
}

static void check_hash(struct reader *r, const char *name) {
    const char *text = "";
    reader_string(r, name, &text);
    document_demand(r, name, strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64,
                    "must be 64 hex digits");
}

static void check_settings(struct reader *r, const char *name) {
    reader_object(r, name);
}

static void check_loudness(struct reader *r, const char *name) {
    struct reader loudness = reader_object(r, name);
    double value = 0;
    reader_number(&loudness, "integrated_lufs", -70, HUGE_VAL, &value);
    reader_number(&loudness, "range_lu", 0, HUGE_VAL, &value);
    reader_number(&loudness, "true_peak_dbtp", -150, HUGE_VAL, &value);
}

static void check_file(struct reader *file) {
    static const char *const types[] = {"image/avif", "image/jpeg", "text/vtt", NULL};
    static const struct member optional[] = {
        {"width", check_size}, {"height", check_size}, {NULL, NULL}};
    int type = 0;
    check_string(file, "path");
    reader_choice(file, "type", types, &type);
    read_count(file, "bytes", 0);
    check_hash(file, "sha256");
    check_members(file, optional);
}

static void check_image(struct reader *image) {
    static const char *const kinds[] = {"poster", "storyboard", NULL};
    static const struct member optional[] = {
        {"count", check_size}, {"columns", check_size},      {"rows", check_size},
        {"key", check_string}, {"build_line", check_string}, {"interval_frames", check_size},
        {NULL, NULL},
    };
    int kind = 0;
    check_string(image, "id");
    reader_choice(image, "kind", kinds, &kind);
    read_name(image, "folder", "._/-", WIRE_FOLDER_TEXT);
    read_count(image, "width", 1);
    read_count(image, "height", 1);
    read_count(image, "segments", 0);
    struct reader files = reader_array(image, "objects");
    document_demand(image, "objects", reader_count(&files) >= 1, "must be at least one");
    for (size_t i = 0; i < reader_count(&files) && reader_ok(&files); i++) {
        struct reader file = reader_item(&files, i);
        check_file(&file);
    }
    check_members(image, optional);
}

static void check_images(struct reader *r, const char *name) {
    struct reader list = reader_array(r, name);
    for (size_t i = 0; i < reader_count(&list) && reader_ok(&list); i++) {
        struct reader image = reader_item(&list, i);
        check_image(&image);
    }
}

static void check_missing(struct reader *r, const char *name) {
    struct reader list = reader_array(r, name);
    document_demand(r, name, reader_count(&list) >= 1, "must be at least one");
    for (size_t i = 0; i < reader_count(&list) && reader_ok(&list); i++) {
        struct reader missing = reader_item(&list, i);
        check_string(&missing, "id");
        check_string(&missing, "class");
    }
}

/* ---- the document ------------------------------------------------------------------------ */

static void read_rendition(struct entry *entry, struct reader *r, size_t index) {
    static const char *const kinds[] = {"video", "audio", NULL};
    /* of either kind, those that it need not have too */
    static const struct member optional[] = {
        {"width", check_size},        {"height", check_size},
        {"rate", read_fraction},      {"hdr", check_flag},
        {"language", read_language},  {"channels", check_size},
        {"sample_rate", check_size},  {"key", check_string},
        {"build_line", check_string}, {"frames_repaired", check_count},
        {"checksum", check_hash},     {"loudness", check_loudness},
        {"spec", check_settings},     {NULL, NULL},
    };
    int kind = 0;
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
        read_language(r, "language");
        read_count(r, "channels", 1);
        read_count(r, "sample_rate", 1);
    }
    check_members(r, optional);
}

static void read_renditions(struct entry *entry, struct reader *document) {
    struct reader list = reader_array(document, "renditions");
    size_t count = reader_count(&list);
    document_demand(document, "renditions", count >= 1 && count <= ENTRY_RENDITIONS_MAX,
                    "must be 1 to 256 renditions");
    for (size_t i = 0; i < count && reader_ok(document); i++) {
        struct reader item = reader_item(&list, i);
        read_rendition(entry, &item, i);
        entry->rendition_count++;
    }
}

static void read_timeline(struct reader *document) {
    struct reader timeline = reader_object(document, "timeline");
    read_count(&timeline, "gop_frames", 1);
    read_count(&timeline, "segment_frames", 1);
    read_count(&timeline, "segments", 1);
    struct reader periods = reader_array(&timeline, "periods");
    document_demand(&timeline, "periods", reader_count(&periods) >= 1, "must be at least one");
    for (size_t i = 0; i < reader_count(&periods) && reader_ok(&periods); i++) {
        struct reader period = reader_item(&periods, i);
        read_fraction(&period, "start_s");
        read_fraction(&period, "duration_s");
        read_strings(&period, "renditions");
    }
}

static void read_source(struct reader *document) {
    static const char *const counts[] = {"bytes", "width", "height"};
    static const struct member optional[] = {
        {"colour_assumed", check_flag},  {"variable_rate", check_flag},
        {"missing_frames", check_count}, {"defects", read_strings},
        {"left_out", read_strings},      {NULL, NULL},
    };
    struct reader source = reader_object(document, "source");
    read_text(&source, "identity", IDENTITY_MAX);
    read_text(&source, "container", TEXT_MAX);
    read_text(&source, "codec", TEXT_MAX);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        read_count(&source, counts[i], 0);
    }
    check_members(&source, optional);
}

static void read_languages(struct entry *entry, struct reader *document) {
    struct reader list = reader_array(document, "languages");
    size_t count = reader_count(&list);
    document_demand(document, "languages", count <= ENTRY_LANGUAGES_MAX, "must be at most 64");
    for (size_t i = 0; i < count && reader_ok(document); i++) {
        const char *language = "";
        reader_item_string(&list, i, &language);
        document_demand(document, "languages", is_language(language), "must be languages' tags");
        for (size_t j = 0; j < entry->language_count; j++) {
            document_demand(document, "languages", strcmp(entry->languages[j], language) != 0,
                            "must be different ones");
        }
        entry->languages[entry->language_count++] = language;
    }
}

void document_read(struct entry *entry, struct reader *r) {
    static const struct member optional[] = {
        {"loudness", check_loudness},
        {"images", check_images},
        {"missing", check_missing},
        {NULL, NULL},
    };
    static const struct member of_version[] = {
        {"version_hls", check_string}, {"version_dash", check_string}, {NULL, NULL}};
    const char *title = "";
    const char *version = "";
    struct reader document = reader_object(r, "document");
    entry->document = document;
    reader_string(&document, "title", &title);
    document_demand(&document, "title", strcmp(title, entry->title) == 0,
                    "must be that of the entry");
    reader_string(&document, "version", &version);
    document_demand(&document, "version", strcmp(version, entry->version) == 0,
                    "must be that of the entry");
    entry->ladder = read_text(&document, "ladder", TEXT_MAX);
    read_fraction(&document, "rate");
    read_count(&document, "frames", 1);
    read_fraction(&document, "duration_s");
    entry->duration_ms = read_count(&document, "duration_ms", 0);
    struct reader manifests = reader_object(&document, "manifests");
    read_text(&manifests, "hls", TEXT_MAX);
    read_text(&manifests, "dash", TEXT_MAX);
    check_members(&manifests, of_version);
    read_languages(entry, &document);
    read_timeline(&document);
    read_count(&document, "frames_repaired", 0);
    read_count(&document, "frames_concealed", 0);
    read_source(&document);
    read_strings(&document, "waived");
    read_renditions(entry, &document);
    check_members(&document, optional);
}
