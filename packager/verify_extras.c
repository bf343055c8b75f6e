/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boxes that ours never write and others do: an index, events, times of production. See
 * verify.h. */
#include <inttypes.h>

#include "verify.h"

/* Where the index of a segment goes astray; NULL for nowhere. */
static const char *index_fault(const struct real_track *track, const struct real_segment *segment,
                               const struct media_facts *facts) {
    const struct segment_index *index = &facts->index;
    int64_t skipped = track->facts.has_edit ? track->facts.edit_media_time : 0;
    bool first_fits = index->earliest == (uint64_t)segment->first_shown ||
                      (int64_t)index->earliest == segment->first_shown - skipped ||
                      index->earliest == (uint64_t)segment->decode_time;
    if (index->timescale != track->facts.timescale || index->track_id != track->facts.track_id) {
        return "is of another track, or of another timescale";
    }
    if (!first_fits) {
        return "begins at another time than its first picture or packet";
    }
    struct bytes entries = index->entries;
    uint64_t at = facts->index_end + index->first_offset;
    size_t chunk = 0;
    for (size_t i = 0; i < index->count; i++) {
        struct segment_index_entry entry = segment_index_next(&entries);
        uint64_t ticks = 0;
        at += entry.size;
        for (; chunk < facts->chunk_count && facts->chunks[chunk].offset < at; chunk++) {
            ticks += facts->chunks[chunk].duration;
        }
        if (entry.is_index || ticks != entry.duration) {
            return "tells of other durations than its fragments have";
        }
    }
    return chunk != facts->chunk_count || at != (uint64_t)segment->bytes
               ? "does not span the fragments behind it"
               : NULL;
}

void verify_segment_extras(struct verify *v, const struct real_track *track,
                           const struct real_segment *segment, const struct media_facts *facts) {
    const char *fault = facts->index_count > 1    ? "is not the only one"
                        : facts->index_count == 1 ? index_fault(track, segment, facts)
                                                  : NULL;
    if (fault != NULL) {
        verify_found(v, RULE_CMAF_INDEX, segment->path, "its sidx %s", fault);
    }
    if (facts->event_fault != NULL) {
        verify_found(v, RULE_CMAF_EVENT, segment->path, "an emsg %s", facts->event_fault);
    }
    if (facts->producer_time) {
        verify_found(v, RULE_CMAF_PRODUCER_TIME, segment->path,
                     "it tells when it was made, by prft, which is of live streams alone");
    }
    bool strict = track->facts.video && brands_have(track->facts.brands, "cmf2");
    if (facts->unsigned_offsets && strict) {
        verify_found(v, RULE_CMAF_BRAND, segment->path,
                     "its init segment lists the brand cmf2, which knows trun of version 1 alone");
    }
    if (facts->leans_on_header && strict) {
        verify_found(v, RULE_CMAF_BRAND, segment->path,
                     "its init segment lists the brand cmf2, by which each fragment tells the "
                     "defaults of its own samples, and one takes them from trex");
    }
}
