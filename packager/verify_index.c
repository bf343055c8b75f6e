/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Representations that lie in one file, whose index tells of their segments. See verify.h. */
#include <inttypes.h>

#include "manifest_number.h"
#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

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

/* The sidx that the range holds, and nothing else. */
static int read_index(struct segment_index *out, const struct mpd_representation *from,
                      const struct buf *file, struct err *err) {
    const struct mpd_range *range = &from->index;
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

/* What is wrong with the index as a whole; NULL for nothing. */
static const char *index_fault(const struct segment_index *index,
                               const struct mpd_representation *from, const struct buf *file) {
    struct bytes entries = index->entries;
    uint64_t at = (uint64_t)from->index.last + 1 + index->first_offset;
    for (size_t i = 0; i < index->count; i++) {
        struct segment_index_entry entry = segment_index_next(&entries);
        if (!entry.starts_at_key) {
            return "has a sidx that does not say that all subsegments start with a key picture";
        }
        at += entry.size;
    }
    return !is_end(file, at)                     ? "has a sidx that does not span its file"
           : count_boxes(file, "sidx") != 1      ? "has a file with more than one sidx"
           : index->timescale != from->timescale ? "has another @timescale than its sidx"
           : !from->header.told                  ? "has no Initialization@range"
                                                 : NULL;
}

/* Whether each entry is of bytes that follow, and all of a time that a manifest may tell of. */
static bool can_list(const struct segment_index *index, int64_t timescale) {
    struct bytes entries = index->entries;
    int64_t most = MANIFEST_SECONDS_MAX * timescale;
    bool can = index->first_offset <= INT32_MAX && index->earliest <= (uint64_t)most;
    int64_t time = can ? (int64_t)index->earliest : 0;
    for (size_t i = 0; i < index->count && can; i++) {
        struct segment_index_entry entry = segment_index_next(&entries);
        time += entry.duration;
        can = !entry.is_index && entry.size > 0 && time <= most;
    }
    return can;
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
                           struct mpd_representation *from, const struct segment_index *index,
                           const char *file, struct listing *listing) {
    struct bytes entries = index->entries;
    int64_t at = from->index.last + 1 + (int64_t)index->first_offset;
    int64_t time = (int64_t)index->earliest;
    size_t count = 0;
    for (size_t i = 0; i < index->count; i++) {
        struct segment_index_entry entry = segment_index_next(&entries);
        bool shown = is_shown(period, from, time, entry.duration);
        if (shown && listing != NULL) {
            listing->paths[count] = verify_range(v, file, at, entry.size);
            from->segments[count] =
                (struct mpd_segment){.reference = "", .time = time, .duration = entry.duration};
        }
        count += shown;
        at += entry.size;
        time += entry.duration;
    }
    return count;
}

struct listing *verify_index_list(struct verify *v, const struct dash_period *period,
                                  struct mpd_representation *from, const char *file,
                                  const char *label) {
    struct segment_index index;
    struct err err = {0};
    if (verify_hold(v, file) != 0) {
        return NULL;
    }
    int failed = read_index(&index, from, &v->held, &err);
    if (failed == 0 && !can_list(&index, from->timescale)) {
        failed = err_set(&err, ERR_UNSUPPORTED,
                         "has a sidx of other indexes, of no bytes or of a time without end, which "
                         "is not read");
    }
    const char *fault = failed == 0 ? index_fault(&index, from, &v->held) : err.message;
    if (fault != NULL) {
        verify_found(v, RULE_DASH_INDEX, mpd_path, "%s %s", label, fault);
    }
    size_t count = failed == 0 ? list_entries(v, period, from, &index, file, NULL) : 0;
    struct listing *listing = failed == 0 ? verify_list(v, mpd_path, label, count) : NULL;
    if (listing == NULL) {
        return NULL;
    }
    int64_t header = from->header.told ? from->header.first : 0;
    int64_t header_end = from->header.told ? from->header.last + 1 : from->index.first;
    listing->init = header_end > header ? verify_range(v, file, header, header_end - header) : "";
    from->segments = arena_zero(&v->arena, count, sizeof(*from->segments));
    from->segment_count = count;
    list_entries(v, period, from, &index, file, listing);
    return listing;
}
