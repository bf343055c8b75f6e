/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One media segment: its boxes, its samples' own bytes, its GOPs. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "manifest_number.h"
#include "verify.h"

/* ISO/IEC 14496-12 8.8.3.1. */
enum {
    FLAG_NON_SYNC = 0x00010000,
    DEPENDS_SHIFT = 24, /* 0: not known, 1: on others, 2: on none */
    NEEDED_SHIFT = 22,  /* 2: by none */
    FIELD_MASK = 3,
};

struct segment_reading {
    struct verify *v;
    struct real_track *track;
    struct real_segment *segment;
    struct media_facts facts;
    bool *key; /* of each sample, by its bytes */
};

static void check_type(const struct segment_reading *r) {
    if (!r->facts.has_type || !brands_have(r->facts.brands, "msdh") ||
        !brands_have(r->facts.brands, "cmfs")) {
        verify_found(r->v, RULE_CMAF_SEGMENT_TYPE, r->segment->path,
                     "it does not begin with styp of the brands msdh and cmfs");
    }
}

static bool flags_fit(uint32_t flags, const struct sample_look *look) {
    uint32_t depends = flags >> DEPENDS_SHIFT & FIELD_MASK;
    uint32_t needed = flags >> NEEDED_SHIFT & FIELD_MASK;
    bool non_sync = (flags & FLAG_NON_SYNC) != 0;
    bool depends_fits = depends == 0 || depends == (look->key ? 2 : 1) ||
                        (depends == 2 && look->intra);
    return non_sync == !look->key && depends_fits && (needed != 2 || look->disposable);
}

/* What the flags of a sample say, where its bytes are encrypted. */
static struct sample_look look_of_flags(uint32_t flags) {
    return (struct sample_look){
        .key = (flags & FLAG_NON_SYNC) == 0,
        .disposable = (flags >> NEEDED_SHIFT & FIELD_MASK) == 2,
        .intra = true,
    };
}

/* A packet of sound lasts what it decodes to, but for the last one of a stream that may end within
 * one. */
static bool lasts(const struct segment_reading *r, size_t index, const struct sample_look *look) {
    uint32_t told = r->facts.samples[index].duration;
    bool is_last = index + 1 == r->facts.sample_count && r->track->facts.codec->ends_short;
    uint32_t real = (uint32_t)look->samples;
    bool known = look->samples > 0 &&
                 r->track->facts.timescale == (uint32_t)r->track->codec.sample_rate;
    return !known || told == real || (is_last && told < real);
}

/* Looks into each sample; false where one is none of the codec. */
static bool read_samples(struct segment_reading *r) {
    bool flags_told = false;
    bool spare_told = false;
    bool duration_told = false;
    bool sealed = r->track->facts.protection.there;
    for (size_t c = 0; c < r->facts.chunk_count; c++) {
        const struct chunk_facts *chunk = &r->facts.chunks[c];
        const uint8_t *at = chunk->payload;
        for (size_t i = 0; i < chunk->sample_count; i++) {
            const struct run_sample *sample = &r->facts.samples[chunk->first_sample + i];
            struct sample_look look;
            struct err err = {0};
            const struct init_facts *init = &r->track->facts;
            if (sealed) {
                look = look_of_flags(sample->flags);
            } else if (init->codec->sample_read(init->record, init->record_size, at, sample->size,
                                                &look, &err) != 0) {
                verify_found(r->v, RULE_CODEC_SAMPLE, r->segment->path,
                             "sample %zu of the fragment at byte %zu: %s", i + 1, chunk->offset,
                             err.message);
                return false;
            }
            if (c == 0 && i == 0 && init->video && !sealed) {
                verify_hdr_sample(r->v, r->track, r->segment->path, at, sample->size);
            }
            r->key[chunk->first_sample + i] = look.key;
            if (!duration_told && !lasts(r, chunk->first_sample + i, &look)) {
                verify_found(r->v, RULE_CMAF_SAMPLE_DURATION, r->segment->path,
                             "sample %zu of the fragment at byte %zu lasts %" PRIu32
                             " ticks and decodes to %d",
                             i + 1, chunk->offset, sample->duration, look.samples);
                duration_told = true;
            }
            r->segment->frames += look.frames;
            if (look.spare && !spare_told) {
                verify_found(r->v, RULE_CODEC_SPARE, r->segment->path,
                             "sample %zu of the fragment at byte %zu holds filler, padding or a "
                             "delimiter, which are of no use in a file",
                             i + 1, chunk->offset);
                spare_told = true;
            }
            if (!flags_told && !flags_fit(sample->flags, &look)) {
                verify_found(r->v, RULE_CMAF_SAMPLE_FLAGS, r->segment->path,
                             "sample %zu of the fragment at byte %zu is %s and its flags are "
                             "0x%08" PRIx32,
                             i + 1, chunk->offset,
                             look.key          ? "a key picture or sound"
                             : look.disposable ? "a picture that no other needs"
                                               : "a picture that others need",
                             sample->flags);
                flags_told = true;
            }
            at += sample->size;
        }
    }
    return true;
}

/* ---- Time ------------------------------------------------------------------------ */

/* False where pictures last no time at all. */
static bool check_sample_durations(const struct segment_reading *r) {
    struct real_track *track = r->track;
    int64_t wanted = track->facts.codec->packet_samples;
    if (wanted == 0) {
        wanted = track->frame_ticks > 0 ? track->frame_ticks : r->facts.samples[0].duration;
    }
    track->frame_ticks = wanted;
    for (size_t i = 0; i < r->facts.sample_count; i++) {
        bool is_last = i + 1 == r->facts.sample_count && track->facts.codec->ends_short;
        if ((r->facts.samples[i].duration != wanted &&
             !(is_last && r->facts.samples[i].duration < wanted)) ||
            wanted == 0) {
            verify_found(r->v, RULE_CMAF_SAMPLE_DURATION, r->segment->path,
                         "sample %zu lasts %" PRIu32 " ticks and the track's samples %" PRId64,
                         i + 1, r->facts.samples[i].duration, wanted);
            break;
        }
    }
    return wanted > 0;
}

/* Times and sequence numbers within the segment; false where times are absurd. */
static bool read_times(struct segment_reading *r) {
    struct real_segment *segment = r->segment;
    int64_t most = MANIFEST_SECONDS_MAX * (int64_t)r->track->facts.timescale;
    const struct chunk_facts *chunks = r->facts.chunks;
    bool decode_told = false;
    bool sequence_told = false;
    for (size_t c = 0; c < r->facts.chunk_count; c++) {
        if (chunks[c].decode_time > (uint64_t)most || chunks[c].duration > (uint64_t)most ||
            segment->duration + (int64_t)chunks[c].duration > most) {
            verify_found(r->v, RULE_CMAF_DECODE_TIME, segment->path,
                         "the fragment at byte %zu is decoded at tick %" PRIu64
                         ", and a title of more than %d s is not read",
                         chunks[c].offset, chunks[c].decode_time, MANIFEST_SECONDS_MAX);
            return false;
        }
        segment->duration += (int64_t)chunks[c].duration;
        uint64_t end = c > 0 ? chunks[c - 1].decode_time + chunks[c - 1].duration : 0;
        if (c > 0 && chunks[c].decode_time != end && !decode_told) {
            verify_found(r->v, RULE_CMAF_DECODE_TIME, segment->path,
                         "the fragment at byte %zu has tfdt %" PRIu64
                         ", and the one before it ends at %" PRIu64,
                         chunks[c].offset, chunks[c].decode_time, end);
            decode_told = true;
        }
        if (c > 0 && chunks[c].sequence <= chunks[c - 1].sequence && !sequence_told) {
            verify_found(r->v, RULE_CMAF_SEQUENCE, segment->path,
                         "the fragment at byte %zu has sequence number %" PRIu32
                         ", and the one before it %" PRIu32,
                         chunks[c].offset, chunks[c].sequence, chunks[c - 1].sequence);
            sequence_told = true;
        }
    }
    segment->decode_time = (int64_t)chunks[0].decode_time;
    segment->first_shown = segment->decode_time;
    segment->first_sequence = chunks[0].sequence;
    segment->last_sequence = chunks[r->facts.chunk_count - 1].sequence;
    return true;
}

/* ---- GOPs ------------------------------------------------------------------------ */

static size_t count_gops(const struct segment_reading *r) {
    size_t count = 1;
    for (size_t i = 1; i < r->facts.sample_count; i++) {
        count += r->key[i];
    }
    return count;
}

static void keep_sizes(struct segment_reading *r) {
    struct real_segment *segment = r->segment;
    segment->sample_count = r->facts.sample_count;
    segment->sizes = arena_zero(&r->v->arena, segment->sample_count, sizeof(*segment->sizes));
    for (size_t i = 0; i < segment->sample_count; i++) {
        segment->sizes[i] = r->facts.samples[i].size;
    }
}

/* A GOP begins at each key picture, and at the segment's first whatever that is. */
static void read_gops(struct segment_reading *r) {
    struct real_segment *segment = r->segment;
    segment->gops = arena_zero(&r->v->arena, count_gops(r), sizeof(*segment->gops));
    bool inside = false;
    int64_t ticks = 0;
    for (size_t c = 0; c < r->facts.chunk_count; c++) {
        const struct chunk_facts *chunk = &r->facts.chunks[c];
        size_t at = chunk->offset;
        for (size_t i = 0; i < chunk->sample_count; i++) {
            const struct run_sample *sample = &r->facts.samples[chunk->first_sample + i];
            size_t size = sample->size + (i == 0 ? chunk->header_size : 0);
            bool key = r->key[chunk->first_sample + i];
            if (key || segment->gop_count == 0) {
                segment->gops[segment->gop_count++] = (struct real_gop){
                    .offset = at, .key_size = key && i == 0 ? size : 0, .start = ticks};
            }
            struct real_gop *gop = &segment->gops[segment->gop_count - 1];
            inside = inside || (key && i > 0);
            gop->size += size;
            gop->ticks += sample->duration;
            ticks += sample->duration;
            at += size;
        }
    }
    if (inside) {
        verify_found(r->v, RULE_VIDEO_GOP, segment->path,
                     "a key picture is not the first of its fragment");
    }
    if (!r->key[0]) {
        verify_found(r->v, RULE_VIDEO_KEY, segment->path, "its first picture is no key picture");
    }
}

/*
 * From the key picture at sample `first` the `count` pictures of a GOP are shown at
 * `count` different frames, the key picture at the first of them; offsets count from
 * the key picture's own, and are all 0 where the codec reorders by itself.
 */
static bool order_fits(const struct segment_reading *r, size_t first, size_t count, bool *shown) {
    const struct run_sample *samples = &r->facts.samples[first];
    int64_t step = r->track->frame_ticks;
    for (size_t i = 0; i < count; i++) {
        shown[i] = false;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t ticks = (int64_t)samples[i].offset - samples[0].offset;
        int64_t frame = (int64_t)i + ticks / step;
        bool allowed = r->track->facts.codec->reorders || samples[i].offset == 0;
        if (!allowed || ticks % step != 0 || frame < 0 || frame >= (int64_t)count || shown[frame]) {
            return false;
        }
        shown[frame] = true;
    }
    return true;
}

/* False where what is decoded first is shown at an absurd time. */
static bool check_order(struct segment_reading *r) {
    bool *shown = mem_zero(r->facts.sample_count, sizeof(*shown));
    int64_t wanted = r->track->facts.has_edit ? r->track->facts.edit_media_time : 0;
    bool edit_told = false;
    bool order_told = false;
    for (size_t first = 0; first < r->facts.sample_count;) {
        size_t end = first + 1;
        while (end < r->facts.sample_count && !r->key[end]) {
            end++;
        }
        int64_t offset = r->facts.samples[first].offset;
        if (r->key[first] && offset != wanted && !edit_told) {
            verify_found(r->v, RULE_CMAF_EDIT_LIST, r->segment->path,
                         "key picture %zu of the segment is shown %" PRId64
                         " ticks after it is decoded, and the edit list skips %" PRId64,
                         first + 1, offset, wanted);
            edit_told = true;
        }
        if (!order_told && !order_fits(r, first, end - first, shown)) {
            verify_found(r->v, RULE_VIDEO_ORDER, r->segment->path,
                         "the composition offsets of the GOP of pictures %zu to %zu do not show "
                         "each of its frames once",
                         first + 1, end);
            order_told = true;
        }
        first = end;
    }
    r->segment->first_shown = r->segment->decode_time + r->facts.samples[0].offset;
    mem_free(shown);
    int64_t most = MANIFEST_SECONDS_MAX * (int64_t)r->track->facts.timescale;
    bool good = llabs(r->segment->first_shown) <= most;
    if (!good) {
        verify_found(r->v, RULE_CMAF_DECODE_TIME, r->segment->path,
                     "its first picture is shown at tick %" PRId64
                     ", and a title of more than %d s is not read",
                     r->segment->first_shown, MANIFEST_SECONDS_MAX);
    }
    return good;
}

void verify_segment(struct verify *v, struct real_track *track, struct real_segment *segment) {
    struct segment_reading r = {.v = v, .track = track, .segment = segment};
    struct buf bytes = {0};
    struct err err = {0};
    if (segment->path[0] == '\0' || verify_fetch(v, segment->path, &bytes) != 0) {
        buf_finish(&bytes);
        return;
    }
    v->summary->segments++;
    segment->bytes = (int64_t)bytes.size;
    sha256_hex_of(bytes.data, bytes.size, segment->sha256);
    if (track->readable &&
        media_segment_read(&r.facts, bytes.data, bytes.size, &track->facts.defaults, &err) != 0) {
        verify_found(v, RULE_CMAF_SEGMENT, segment->path, "%s", err.message);
    }
    if (r.facts.sample_count > 0) {
        r.key = mem_zero(r.facts.sample_count, sizeof(*r.key));
        check_type(&r);
        bool good = read_samples(&r) && read_times(&r) && check_sample_durations(&r);
        if (good && track->facts.video) {
            read_gops(&r);
            good = check_order(&r);
            if (good && v->document != NULL) {
                keep_sizes(&r);
            }
        }
        if (good) {
            verify_segment_extras(v, track, segment, &r.facts);
            verify_protected_segment(v, track, segment->path, &r.facts, bytes.data);
        }
        segment->readable = good;
        mem_free(r.key);
    }
    media_facts_finish(&r.facts);
    buf_finish(&bytes);
}
