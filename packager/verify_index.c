/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Representations that lie in one file, whose index tells of their segments. See verify.h. */
#include <string.h>

#include "manifest_number.h"
#include "segment_index.h"
#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

/* ---- Boxes ----------------------------------------------------------------------- */

/* How often a box stands in the file, outside of others. */
static size_t count_boxes(const struct buf *file, const char *type) {
    struct bytes in = bytes_of(file->data, file->size);
    struct mp4_box box;
    size_t count = 0;
    while (bytes_left(&in) > 0 && mp4_next(&in, &box, NULL) == 0) {
        count += mp4_is(&box, type);
    }
    return count;
}

/* Whether only boxes that no player needs follow there. */
static bool is_end(const struct buf *file, uint64_t at) {
    static const char *const idle[] = {"mfra", "free", "skip"};
    struct mp4_box box;
    if (at > file->size) {
        return false;
    }
    struct bytes in = bytes_of(file->data + at, file->size - (size_t)at);
    bool can = true;
    while (can && bytes_left(&in) > 0) {
        can = mp4_next(&in, &box, NULL) == 0;
        bool known = false;
        for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]) && can; i++) {
            known = known || mp4_is(&box, idle[i]);
        }
        can = can && known;
    }
    return can;
}

/* ---- What a file's index tells ---------------------------------------------------- */

/* A file and what the index in it tells, read once however many Periods have parts of it. */
struct indexed_file {
    struct indexed_file *next; /* that was read before it */
    const char *path;
    const char *label; /* of the Representation that it was first read of */
    struct mpd_range range;
    bool readable; /* all below is known */
    bool told;     /* a fault of its index was */
    uint32_t timescale;
    int64_t at;       /* where its first segment begins */
    int64_t earliest; /* ticks */
    int64_t end;
    size_t count;
    struct segment_index_entry *entries;
};

/* The sidx that the range holds, and nothing else. */
static int read_index(struct segment_index *out, const struct mpd_range *range,
                      const struct buf *file, struct err *err) {
    struct mp4_box box;
    if (!range->told || (uint64_t)range->last >= file->size) {
        return err_set(err, ERR_CORRUPT, "has no @indexRange within its file of %zu bytes",
                       file->size);
    }
    struct bytes in = bytes_of(file->data + range->first, (size_t)(range->last - range->first + 1));
    if (mp4_next(&in, &box, NULL) != 0 || !mp4_is(&box, "sidx") || bytes_left(&in) > 0) {
        return err_set(err, ERR_CORRUPT, "has an @indexRange that is not one sidx");
    }
    return segment_index_read(out, &box, err);
}

/* Keeps the entries, each of bytes that follow; false where they are none. */
static bool keep_entries(struct verify *v, struct indexed_file *out,
                         const struct segment_index *index) {
    struct bytes entries = index->entries;
    if (index->first_offset > INT32_MAX || index->earliest > INT64_MAX / 4) {
        return false;
    }
    out->timescale = index->timescale;
    out->at = out->range.last + 1 + (int64_t)index->first_offset;
    out->earliest = out->end = (int64_t)index->earliest;
    out->entries = arena_zero(&v->arena, index->count, sizeof(*out->entries));
    for (; out->count < index->count; out->count++) {
        struct segment_index_entry entry = segment_index_next(&entries);
        out->entries[out->count] = entry;
        out->end += entry.duration;
        if (entry.is_index || entry.size == 0) {
            return false;
        }
    }
    return true;
}

/* What is wrong with the index as a whole; NULL for nothing. */
static const char *index_fault(const struct indexed_file *of, const struct buf *file) {
    uint64_t at = (uint64_t)of->at;
    for (size_t i = 0; i < of->count; i++) {
        if (!of->entries[i].starts_at_key) {
            return "has a sidx that does not say that all subsegments start with a key picture";
        }
        at += of->entries[i].size;
    }
    return !is_end(file, at)                ? "has a sidx that does not span its file"
           : count_boxes(file, "sidx") != 1 ? "has a file with more than one sidx"
                                            : NULL;
}

/* One fault is told of a file. */
static void tell_fault(struct verify *v, struct indexed_file *of, const char *label,
                       const char *fault) {
    if (fault != NULL && !of->told) {
        verify_found(v, RULE_DASH_INDEX, mpd_path, "%s %s", label, fault);
        of->told = true;
    }
}

/* Entries are bounded together, since Periods need not show any of those of their files. */
static void read_file(struct verify *v, struct indexed_file *out) {
    struct segment_index index;
    struct err err = {0};
    if (verify_hold(v, out->path) != 0) {
        return;
    }
    int failed = read_index(&index, &out->range, &v->held, &err);
    if (failed == 0 && index.count > VERIFY_LISTED_MAX - v->indexed) {
        verify_found(v, RULE_TITLE_BOUNDS, mpd_path,
                     "all indexes together have more than %d entries", VERIFY_LISTED_MAX);
        return;
    }
    if (failed == 0 && !keep_entries(v, out, &index)) {
        failed = err_set(&err, ERR_UNSUPPORTED,
                         "has a sidx of other indexes, of no bytes or of a time without end, which "
                         "is not read");
    }
    v->indexed += out->count;
    tell_fault(v, out, out->label, failed == 0 ? index_fault(out, &v->held) : err.message);
    out->readable = failed == 0;
}

/* The file of a Representation, read where none before had it. */
static struct indexed_file *file_of(struct verify *v, const struct mpd_representation *from,
                                    const char *path, const char *label) {
    struct indexed_file *file = v->indexed_files;
    while (file != NULL && strcmp(file->path, path) != 0) {
        file = file->next;
    }
    if (file == NULL) {
        file = arena_zero(&v->arena, 1, sizeof(*file));
        file->next = v->indexed_files;
        file->path = path;
        file->label = label;
        file->range = from->index;
        v->indexed_files = file;
        read_file(v, file);
    }
    return file;
}

/* ---- What a Representation shows of it -------------------------------------------- */

/* Whether all of it is of a time that a manifest may tell of, in the Representation's ticks. */
static bool can_list(const struct indexed_file *file, int64_t timescale) {
    return file->end <= MANIFEST_SECONDS_MAX * timescale;
}

static bool same_range(const struct mpd_range *a, const struct mpd_range *b) {
    return a->told == b->told && a->first == b->first && a->last == b->last;
}

/* Whether the Period shows what lies there, in ticks of the media: Periods may cut a file. */
static bool is_shown(const struct dash_period *period, const struct mpd_representation *from,
                     int64_t time, int64_t duration) {
    int64_t lasts_ns = period->told->duration_ns;
    int64_t start = time - from->presentation_offset;
    int64_t start_ns = ticks_scale(start, 1000000000, from->timescale, ROUND_NEAR);
    int64_t end_ns = ticks_scale(start + duration, 1000000000, from->timescale, ROUND_NEAR);
    return period->place[0] == '\0' || lasts_ns <= 0 ||
           (end_ns > PERIOD_ROUNDING_NS && start_ns < lasts_ns - PERIOD_ROUNDING_NS);
}

/* Goes through the segments of the index that the Period shows; their count. Where there is a
 * listing, with room for as many, it takes their addresses and `from` their times. */
static size_t list_entries(struct verify *v, const struct dash_period *period,
                           struct mpd_representation *from, const struct indexed_file *file,
                           struct listing *listing) {
    int64_t at = file->at;
    int64_t time = file->earliest;
    size_t count = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct segment_index_entry *entry = &file->entries[i];
        bool shown = is_shown(period, from, time, entry->duration);
        if (shown && listing != NULL) {
            listing->paths[count] = verify_range(v, file->path, at, entry->size);
            from->segments[count] =
                (struct mpd_segment){.reference = "", .time = time, .duration = entry->duration};
        }
        count += shown;
        at += entry->size;
        time += entry->duration;
    }
    return count;
}

/* What is wrong with a Representation of a file whose index is read; NULL for nothing. */
static const char *representation_fault(const struct indexed_file *file,
                                        const struct mpd_representation *from) {
    return file->timescale != from->timescale ? "has another @timescale than its sidx"
           : !from->header.told               ? "has no Initialization@range"
                                              : NULL;
}

struct listing *verify_index_list(struct verify *v, const struct dash_period *period,
                                  struct mpd_representation *from, const char *path,
                                  const char *label) {
    struct indexed_file *file = file_of(v, from, path, label);
    if (!same_range(&file->range, &from->index)) {
        verify_found(v, RULE_DASH_INDEX, mpd_path, "%s has another @indexRange than %s of its file",
                     label, file->label);
        return NULL;
    }
    if (file->readable && !can_list(file, from->timescale)) {
        tell_fault(v, file, label, "has a sidx of a time without end, which is not read");
        return NULL;
    }
    if (!file->readable) {
        return NULL;
    }
    tell_fault(v, file, label, representation_fault(file, from));
    size_t count = list_entries(v, period, from, file, NULL);
    struct listing *listing = verify_list(v, mpd_path, label, count);
    if (listing == NULL) {
        return NULL;
    }
    int64_t header = from->header.told ? from->header.first : 0;
    int64_t header_end = from->header.told ? from->header.last + 1 : from->index.first;
    listing->init = header_end > header ? verify_range(v, path, header, header_end - header) : "";
    from->segments = arena_zero(&v->arena, count, sizeof(*from->segments));
    from->segment_count = count;
    list_entries(v, period, from, file, listing);
    return listing;
}
