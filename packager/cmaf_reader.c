/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Init segments of CMAF as facts: see cmaf_reader.h. */
#include "cmaf_reader.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"

bool brands_have(struct bytes brands, const char *brand) {
    while (bytes_left(&brands) >= 4) {
        if (memcmp(bytes_take(&brands, 4), brand, 4) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- Init segment ------------------------------------------------------------ */

int cmaf_type_read(struct mp4_box *box, char major[5], struct bytes *brands, struct err *err) {
    const uint8_t *name = bytes_take(&box->body, 4);
    bytes_u32(&box->body);
    size_t size = bytes_left(&box->body);
    const uint8_t *list = bytes_take(&box->body, size);
    if (box->body.short_read || size % 4 != 0) {
        return err_set(err, ERR_CORRUPT, "box %s holds no list of brands", box->type);
    }
    for (int i = 0; major != NULL && i < 4; i++) {
        major[i] = name[i] >= 0x20 && name[i] < 0x7f ? (char)name[i] : '?';
    }
    *brands = bytes_of(list, size);
    return 0;
}

/* Version 1 has times and durations of 64 bits. */
static uint64_t time_u32_or_u64(struct mp4_box *box, uint8_t version) {
    return version == 1 ? bytes_u64(&box->body) : bytes_u32(&box->body);
}

static int movie_header_read(struct init_facts *out, const struct mp4_box *movie, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(movie, "mvhd", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->movie_timescale = bytes_u32(&box.body);
    out->movie_duration = time_u32_or_u64(&box, version);
    bytes_take(&box.body, 80);
    return mp4_done(&box, err);
}

static int track_header_read(struct init_facts *out, const struct mp4_box *track, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(track, "tkhd", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->track_id = bytes_u32(&box.body);
    bytes_u32(&box.body);
    out->track_duration = time_u32_or_u64(&box, version);
    bytes_take(&box.body, 52);
    out->width = (int)(bytes_u32(&box.body) >> 16);
    out->height = (int)(bytes_u32(&box.body) >> 16);
    return mp4_done(&box, err);
}

static int edit_list_read(struct init_facts *out, const struct mp4_box *track, struct err *err) {
    struct mp4_box edits;
    struct mp4_box box;
    int failed = mp4_child_maybe(track, "edts", &edits, &out->has_edit, err);
    if (failed != 0 || !out->has_edit) {
        return failed;
    }
    failed = mp4_child(&edits, "elst", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    uint32_t count = bytes_u32(&box.body);
    out->edit_duration = time_u32_or_u64(&box, version);
    out->edit_media_time = version == 1 ? (int64_t)bytes_u64(&box.body)
                                        : (int32_t)bytes_u32(&box.body);
    uint32_t rate = bytes_u32(&box.body);
    if (count != 1 || rate != 0x10000 || out->edit_media_time < 0) {
        return err_set(err, ERR_CORRUPT, "box elst is more than one edit that skips media");
    }
    return mp4_done(&box, err);
}

static int media_header_read(struct init_facts *out, const struct mp4_box *media, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(media, "mdhd", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->clock |= time_u32_or_u64(&box, version) != 0;
    out->timescale = bytes_u32(&box.body);
    out->media_duration = time_u32_or_u64(&box, version);
    uint16_t language = bytes_u16(&box.body);
    bytes_u16(&box.body);
    for (int i = 0; i < 3; i++) {
        out->language[i] = (char)((language >> (10 - 5 * i) & 31) + 0x60);
    }
    if (out->timescale == 0) {
        return err_set(err, ERR_CORRUPT, "box mdhd has a timescale of 0");
    }
    return mp4_done(&box, err);
}

/* elng, where it is there, overrules the code of mdhd (ISO/IEC 14496-12 8.4.6): a tag of
 * BCP 47. */
static int extended_language_read(struct init_facts *out, const struct mp4_box *media,
                                  struct err *err) {
    struct mp4_box box;
    bool found;
    memcpy(out->language_tag, out->language, sizeof(out->language));
    int failed = mp4_child_maybe(media, "elng", &box, &found, err);
    if (failed != 0 || !found) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t size = bytes_left(&box.body);
    const char *text = (const char *)bytes_take(&box.body, size);
    bool ends = text != NULL && size > 1 && size <= sizeof(out->language_tag) &&
                text[size - 1] == '\0';
    if (!ends || strspn(text, letters) != size - 1) {
        return err_set(err, ERR_CORRUPT, "box elng holds no language tag");
    }
    memcpy(out->language_tag, text, size);
    return mp4_done(&box, err);
}

static int handler_read(struct init_facts *out, const struct mp4_box *media, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(media, "hdlr", &box, err);
    if (failed != 0) {
        return failed;
    }
    bytes_take(&box.body, 8);
    const uint8_t *type = bytes_take(&box.body, 4);
    if (type == NULL || (memcmp(type, "vide", 4) != 0 && memcmp(type, "soun", 4) != 0)) {
        return err_set(err, ERR_CORRUPT, "box hdlr is neither of pictures nor of sound");
    }
    out->video = memcmp(type, "vide", 4) == 0;
    return 0;
}

/* Reads the fields of a sample entry and leaves its child boxes in `entry`. */
static int entry_fields_read(struct init_facts *out, struct mp4_box *entry, struct err *err) {
    bytes_take(&entry->body, 8);
    if (out->video) {
        bytes_take(&entry->body, 16);
        out->entry_width = bytes_u16(&entry->body);
        out->entry_height = bytes_u16(&entry->body);
        bytes_take(&entry->body, 50);
    } else {
        bytes_take(&entry->body, 8);
        out->channels = bytes_u16(&entry->body);
        bytes_take(&entry->body, 6);
        out->sample_rate = (int)(bytes_u32(&entry->body) >> 16);
    }
    if (entry->body.short_read) {
        return err_set(err, ERR_CORRUPT, "sample entry %s is too short", entry->type);
    }
    entry->body = bytes_of(entry->body.data + entry->body.at, bytes_left(&entry->body));
    return 0;
}

static int sample_entry_read(struct init_facts *out, struct mp4_box *entry, struct err *err) {
    bool sealed = mp4_is(entry, "encv") || mp4_is(entry, "enca");
    int failed = entry_fields_read(out, entry, err);
    if (failed == 0 && sealed) {
        failed = protection_read(&out->protection, entry, err);
    }
    const char *type = sealed ? out->protection.original : entry->type;
    if (failed == 0) {
        failed = track_codec_find_entry(&out->codec, type, err);
    }
    if (failed == 0 && out->codec->video != out->video) {
        failed = err_set(err, ERR_CORRUPT, "box hdlr and sample entry %s disagree", type);
    }
    struct mp4_box configuration;
    if (failed == 0) {
        failed = mp4_child(entry, out->codec->configuration_box, &configuration, err);
    }
    if (failed == 0) {
        failed =
            out->codec->configuration_read(&configuration, &out->record, &out->record_size, err);
    }
    return failed == 0 && out->video ? picture_boxes_read(out, entry, err) : failed;
}

/* The tables must be empty: their entry counts are 0 (stsz has a size before it). */
static int tables_check(const struct mp4_box *table, struct err *err) {
    static const char *const types[] = {"stts", "stsc", "stco", "stsz"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct mp4_box box;
        int failed = mp4_child(table, types[i], &box, err);
        if (failed != 0) {
            return failed;
        }
        bytes_u32(&box.body);
        uint32_t entries = bytes_u32(&box.body);
        if (mp4_is(&box, "stsz")) {
            entries |= bytes_u32(&box.body);
        }
        if (entries != 0) {
            return err_set(err, ERR_CORRUPT, "box %s of an init segment is not empty", types[i]);
        }
        failed = mp4_done(&box, err);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

static int sample_table_read(struct init_facts *out, const struct mp4_box *media, struct err *err) {
    struct mp4_box information;
    struct mp4_box table;
    struct mp4_box description;
    struct mp4_box entry;
    int failed = mp4_child(media, "minf", &information, err);
    if (failed == 0) {
        failed = mp4_child(&information, "stbl", &table, err);
    }
    if (failed == 0) {
        failed = tables_check(&table, err);
    }
    if (failed == 0) {
        failed = mp4_child(&table, "stsd", &description, err);
    }
    if (failed != 0) {
        return failed;
    }
    bytes_u32(&description.body);
    uint32_t count = bytes_u32(&description.body);
    failed = mp4_next(&description.body, &entry, err);
    if (failed != 0 || count != 1) {
        return err_set(err, ERR_CORRUPT, "box stsd does not hold one sample entry");
    }
    failed = mp4_done(&description, err);
    return failed == 0 ? sample_entry_read(out, &entry, err) : failed;
}

static int track_read(struct init_facts *out, const struct mp4_box *movie, struct err *err) {
    struct mp4_box track;
    struct mp4_box media;
    int failed = mp4_child(movie, "trak", &track, err);
    if (failed == 0) {
        failed = track_header_read(out, &track, err);
    }
    if (failed == 0) {
        failed = edit_list_read(out, &track, err);
    }
    if (failed == 0) {
        failed = mp4_child(&track, "mdia", &media, err);
    }
    if (failed == 0) {
        failed = media_header_read(out, &media, err);
    }
    if (failed == 0) {
        failed = extended_language_read(out, &media, err);
    }
    if (failed == 0) {
        failed = handler_read(out, &media, err);
    }
    return failed == 0 ? sample_table_read(out, &media, err) : failed;
}

static int extends_header_read(struct init_facts *out, const struct mp4_box *extends,
                               struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(extends, "mehd", &box, &out->has_fragment_duration, err);
    if (failed != 0 || !out->has_fragment_duration) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    out->fragment_duration = time_u32_or_u64(&box, version);
    return mp4_done(&box, err);
}

static int track_extends_read(struct init_facts *out, const struct mp4_box *movie,
                              struct err *err) {
    struct mp4_box extends;
    struct mp4_box box;
    int failed = mp4_child(movie, "mvex", &extends, err);
    if (failed == 0) {
        failed = extends_header_read(out, &extends, err);
    }
    if (failed == 0) {
        failed = mp4_child(&extends, "trex", &box, err);
    }
    if (failed != 0) {
        return failed;
    }
    bytes_u32(&box.body);
    out->defaults.track_id = bytes_u32(&box.body);
    bytes_u32(&box.body);
    out->defaults.duration = bytes_u32(&box.body);
    out->defaults.size = bytes_u32(&box.body);
    out->defaults.flags = bytes_u32(&box.body);
    if (out->defaults.track_id != out->track_id) {
        return err_set(err, ERR_CORRUPT, "box trex belongs to no track");
    }
    return mp4_done(&box, err);
}

int init_segment_read(struct init_facts *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct init_facts facts = {0};
    struct mp4_box type;
    struct mp4_box movie;
    int failed = mp4_next(&in, &type, err);
    if (failed == 0) {
        failed = mp4_next(&in, &movie, err);
    }
    if (failed == 0 && (!mp4_is(&type, "ftyp") || !mp4_is(&movie, "moov") || bytes_left(&in) > 0)) {
        failed = err_set(err, ERR_CORRUPT, "an init segment is not ftyp and moov alone");
    }
    if (failed == 0) {
        failed = cmaf_type_read(&type, facts.major_brand, &facts.brands, err);
    }
    if (failed == 0) {
        failed = movie_header_read(&facts, &movie, err);
    }
    if (failed == 0) {
        failed = track_read(&facts, &movie, err);
    }
    if (failed == 0) {
        failed = track_extends_read(&facts, &movie, err);
    }
    if (failed == 0) {
        *out = facts;
    }
    return failed;
}
