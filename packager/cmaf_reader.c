/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments of CMAF as facts: see cmaf_reader.h. */
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

static int type_read(struct mp4_box *box, char major[5], struct bytes *brands, struct err *err) {
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

static int colour_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "colr", &box, &out->has_colour, err);
    if (failed != 0 || !out->has_colour) {
        return failed;
    }
    const uint8_t *kind = bytes_take(&box.body, 4);
    out->primaries = bytes_u16(&box.body);
    out->transfer = bytes_u16(&box.body);
    out->matrix = bytes_u16(&box.body);
    out->full_range = (bytes_u8(&box.body) & 0x80) != 0;
    if (kind == NULL || memcmp(kind, "nclx", 4) != 0) {
        return err_set(err, ERR_CORRUPT, "box colr is not of kind nclx");
    }
    return mp4_done(&box, err);
}

static int aspect_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "pasp", &box, &out->has_aspect, err);
    if (failed != 0 || !out->has_aspect) {
        return failed;
    }
    out->aspect_wide = bytes_u32(&box.body);
    out->aspect_high = bytes_u32(&box.body);
    return mp4_done(&box, err);
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
    int failed = track_codec_find_entry(&out->codec, entry->type, err);
    if (failed == 0 && codec_is_video(out->codec->codec) != out->video) {
        failed = err_set(err, ERR_CORRUPT, "box hdlr and sample entry %s disagree", entry->type);
    }
    if (failed == 0) {
        failed = entry_fields_read(out, entry, err);
    }
    struct mp4_box configuration;
    if (failed == 0) {
        failed = mp4_child(entry, out->codec->configuration_box, &configuration, err);
    }
    if (failed == 0) {
        failed =
            out->codec->configuration_read(&configuration, &out->record, &out->record_size, err);
    }
    if (failed == 0 && out->video) {
        failed = colour_read(out, entry, err);
    }
    if (failed == 0 && out->video) {
        failed = aspect_read(out, entry, err);
    }
    return failed;
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
        failed = type_read(&type, facts.major_brand, &facts.brands, err);
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

/* ---- Media segment ----------------------------------------------------------- */

enum {
    TFHD_BASE_OFFSET = 0x000001,
    TFHD_DESCRIPTION = 0x000002,
    TFHD_DURATION = 0x000008,
    TFHD_SIZE = 0x000010,
    TFHD_FLAGS = 0x000020,
    TFHD_EMPTY = 0x010000,
    TFHD_BASE_IS_MOOF = 0x020000,
    TRUN_DATA_OFFSET = 0x001,
    TRUN_FIRST_FLAGS = 0x004,
    TRUN_DURATIONS = 0x100,
    TRUN_SIZES = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_OFFSETS = 0x800,
};

static int fragment_header_read(struct sample_defaults *defaults, const struct mp4_box *traf,
                                struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(traf, "tfhd", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    uint32_t track_id = bytes_u32(&box.body);
    if ((flags & TFHD_BASE_IS_MOOF) == 0 || (flags & (TFHD_BASE_OFFSET | TFHD_EMPTY)) != 0) {
        return err_set(err, ERR_CORRUPT, "box tfhd does not count offsets from its moof");
    }
    if (track_id != defaults->track_id) {
        return err_set(err, ERR_CORRUPT, "box tfhd is of track %" PRIu32 " and not %" PRIu32,
                       track_id, defaults->track_id);
    }
    if ((flags & TFHD_DESCRIPTION) != 0 && bytes_u32(&box.body) != 1) {
        return err_set(err, ERR_CORRUPT, "box tfhd names a sample description that is not there");
    }
    if ((flags & TFHD_DURATION) != 0) {
        defaults->duration = bytes_u32(&box.body);
    }
    if ((flags & TFHD_SIZE) != 0) {
        defaults->size = bytes_u32(&box.body);
    }
    if ((flags & TFHD_FLAGS) != 0) {
        defaults->flags = bytes_u32(&box.body);
    }
    return mp4_done(&box, err);
}

static int decode_time_read(struct chunk_facts *chunk, const struct mp4_box *traf,
                            struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(traf, "tfdt", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    if (version != 1) {
        return err_set(err, ERR_CORRUPT, "box tfdt is not of version 1");
    }
    chunk->decode_time = bytes_u64(&box.body);
    if (chunk->decode_time > INT64_MAX / 2) {
        return err_set(err, ERR_CORRUPT, "box tfdt is out of range");
    }
    return mp4_done(&box, err);
}

/* Room for `extra` more items, doubled as it grows: many small chunks stay linear. */
static void *grown(void *items, size_t *room, size_t count, size_t extra, size_t size) {
    if (count + extra <= *room) {
        return items;
    }
    *room = 2 * *room > count + extra ? 2 * *room : count + extra;
    return mem_resize(items, *room, size);
}

static void samples_read(struct media_facts *out, struct chunk_facts *chunk, struct mp4_box *box,
                         uint32_t flags, const struct sample_defaults *defaults,
                         uint32_t first_flags) {
    out->samples = grown(out->samples, &out->sample_room, out->sample_count, chunk->sample_count,
                         sizeof(*out->samples));
    for (size_t i = 0; i < chunk->sample_count; i++) {
        struct run_sample sample = {.duration = defaults->duration, .flags = defaults->flags};
        if ((flags & TRUN_DURATIONS) != 0) {
            sample.duration = bytes_u32(&box->body);
        }
        sample.size = bytes_u32(&box->body);
        if ((flags & TRUN_FLAGS) != 0) {
            sample.flags = bytes_u32(&box->body);
        } else if (i == 0 && (flags & TRUN_FIRST_FLAGS) != 0) {
            sample.flags = first_flags;
        }
        if ((flags & TRUN_OFFSETS) != 0) {
            sample.offset = (int32_t)bytes_u32(&box->body);
        }
        chunk->duration += sample.duration;
        chunk->payload_size += sample.size; /* as the trun says; compared with mdat later */
        out->samples[out->sample_count++] = sample;
    }
}

static int run_read(struct media_facts *out, struct chunk_facts *chunk, const struct mp4_box *traf,
                    const struct sample_defaults *defaults, uint32_t *data_offset,
                    struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(traf, "trun", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    uint32_t count = bytes_u32(&box.body);
    if (version != 1) { /* of version 0 composition offsets would have no sign */
        return err_set(err, ERR_CORRUPT, "box trun is not of version 1");
    }
    if ((flags & TRUN_DATA_OFFSET) == 0 || (flags & TRUN_SIZES) == 0) {
        return err_set(err, ERR_CORRUPT, "box trun lacks its data offset or its samples' sizes");
    }
    *data_offset = bytes_u32(&box.body);
    uint32_t first_flags = (flags & TRUN_FIRST_FLAGS) != 0 ? bytes_u32(&box.body) : 0;
    static const uint32_t fields[] = {TRUN_DURATIONS, TRUN_SIZES, TRUN_FLAGS, TRUN_OFFSETS};
    size_t entry = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        entry += (flags & fields[i]) != 0 ? 4 : 0;
    }
    /* Before anything is allocated: a count is believed only with the bytes to match. */
    if (box.body.short_read || count == 0 || count > bytes_left(&box.body) / entry) {
        return err_set(err, ERR_CORRUPT, "box trun tells of %" PRIu32 " samples in %zu bytes",
                       count, bytes_left(&box.body));
    }
    chunk->sample_count = count;
    chunk->first_sample = out->sample_count;
    samples_read(out, chunk, &box, flags, defaults, first_flags);
    return mp4_done(&box, err);
}

static int moof_read(struct media_facts *out, struct chunk_facts *chunk, const struct mp4_box *moof,
                     const struct sample_defaults *defaults, uint32_t *data_offset,
                     struct err *err) {
    struct sample_defaults own = *defaults;
    struct mp4_box header;
    struct mp4_box traf;
    int failed = mp4_child(moof, "mfhd", &header, err);
    if (failed != 0) {
        return failed;
    }
    bytes_u32(&header.body);
    chunk->sequence = bytes_u32(&header.body);
    failed = mp4_done(&header, err);
    if (failed == 0) {
        failed = mp4_child(moof, "traf", &traf, err);
    }
    if (failed == 0) {
        failed = fragment_header_read(&own, &traf, err);
    }
    if (failed == 0) {
        failed = decode_time_read(chunk, &traf, err);
    }
    return failed == 0 ? run_read(out, chunk, &traf, &own, data_offset, err) : failed;
}

/* Reads the moof in `moof` and the mdat after it. */
static int chunk_read(struct media_facts *out, const uint8_t *data, struct bytes *in,
                      const struct mp4_box *moof, const struct sample_defaults *defaults,
                      struct err *err) {
    struct chunk_facts chunk = {.offset = (size_t)(moof->start - data)};
    struct mp4_box mdat;
    uint32_t data_offset = 0;
    int failed = moof_read(out, &chunk, moof, defaults, &data_offset, err);
    if (failed == 0) {
        failed = mp4_next(in, &mdat, err);
    }
    if (failed != 0) {
        return failed;
    }
    if (!mp4_is(&mdat, "mdat")) {
        return err_set(err, ERR_CORRUPT, "box %s stands where mdat belongs", mdat.type);
    }
    chunk.payload = mdat.body.data;
    chunk.header_size = (size_t)(chunk.payload - moof->start);
    chunk.size = moof->size + mdat.size;
    if (data_offset != chunk.header_size || chunk.payload_size != mdat.body.size) {
        return err_set(err, ERR_CORRUPT,
                       "the samples of trun (%zu bytes at offset %" PRIu32
                       ") are not those of mdat (%zu bytes at %zu)",
                       chunk.payload_size, data_offset, mdat.body.size, chunk.header_size);
    }
    out->chunks = grown(out->chunks, &out->chunk_room, out->chunk_count, 1, sizeof(*out->chunks));
    out->chunks[out->chunk_count++] = chunk;
    return 0;
}

int media_segment_read(struct media_facts *out, const uint8_t *data, size_t size,
                       const struct sample_defaults *defaults, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct media_facts facts = {0};
    struct mp4_box box;
    int failed = 0;
    while (failed == 0 && bytes_left(&in) > 0) {
        failed = mp4_next(&in, &box, err);
        if (failed != 0) {
            break;
        }
        if (mp4_is(&box, "styp") && box.start == data) {
            facts.has_type = true;
            failed = type_read(&box, NULL, &facts.brands, err);
        } else if (mp4_is(&box, "moof")) {
            failed = chunk_read(&facts, data, &in, &box, defaults, err);
        } else {
            failed = err_set(err, ERR_CORRUPT, "box %s has no place at byte %zu of a segment",
                             box.type, (size_t)(box.start - data));
        }
    }
    if (failed == 0 && facts.chunk_count == 0) {
        failed = err_set(err, ERR_CORRUPT, "a segment holds no fragment");
    }
    if (failed != 0) {
        media_facts_finish(&facts);
        return failed;
    }
    *out = facts;
    return 0;
}

void media_facts_finish(struct media_facts *facts) {
    mem_free(facts->chunks);
    mem_free(facts->samples);
    *facts = (struct media_facts){0};
}
