/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the paths that manifests list to facts: tracks by init segment, their
 * segments read once each, then the order and the rates of each listing. See verify.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "manifest_number.h"
#include "measure.h"
#include "verify.h"

int64_t real_end(const struct real_track *track, const struct real_segment *segment) {
    int64_t skipped = track->facts.has_edit ? track->facts.edit_media_time : 0;
    return segment->first_shown + segment->duration - skipped;
}

int64_t real_start(const struct real_track *track, const struct real_segment *segment) {
    int64_t start = real_end(track, segment) - segment->duration;
    return start > 0 ? start : 0;
}

struct rational real_rate(const struct real_track *track) {
    return rational_of(track->facts.timescale, track->frame_ticks);
}

int64_t real_frame_ns(const struct real_track *track) {
    return track->frame_ticks > 0
               ? ticks_scale(track->frame_ticks, 1000000000, track->facts.timescale, ROUND_UP)
               : 0;
}

/* ---- Tracks ---------------------------------------------------------------------- */

/* One entry of a listing. */
struct reference {
    const char *init;
    const char *path;
    struct listing *listing;
    size_t index; /* in it */
};

static int compare_references(const void *left, const void *right) {
    const struct reference *a = left;
    const struct reference *b = right;
    int order = strcmp(a->init, b->init);
    return order != 0 ? order : strcmp(a->path, b->path);
}

static bool new_track(const struct reference *references, size_t i) {
    return i == 0 || strcmp(references[i].init, references[i - 1].init) != 0;
}

static bool new_segment(const struct reference *references, size_t i) {
    return new_track(references, i) || strcmp(references[i].path, references[i - 1].path) != 0;
}

/* Makes tracks and segments of sorted references, and points the listings to them. */
static void make_tracks(struct verify *v, const struct reference *references, size_t count) {
    size_t tracks = 0;
    size_t segments = 0;
    for (size_t i = 0; i < count; i++) {
        tracks += new_track(references, i) ? 1 : 0;
        segments += new_segment(references, i) ? 1 : 0;
    }
    v->tracks = arena_zero(&v->arena, tracks, sizeof(*v->tracks));
    struct real_segment *next = arena_zero(&v->arena, segments, sizeof(*next));
    struct real_track *track = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct reference *reference = &references[i];
        if (new_track(references, i)) {
            track = &v->tracks[v->track_count++];
            track->init = reference->init;
            track->segments = next;
        }
        if (new_segment(references, i)) {
            next->path = reference->path;
            next++;
            track->segment_count++;
        }
        reference->listing->track = track;
        track->sealed = track->sealed || reference->listing->sealed;
        reference->listing->segments[reference->index] = next - 1;
    }
}

static void gather_tracks(struct verify *v) {
    struct reference *references = mem_zero(v->listed, sizeof(*references));
    size_t count = 0;
    for (size_t l = 0; l < v->listing_count; l++) {
        struct listing *listing = v->listings[l];
        for (size_t i = 0; i < listing->count; i++) {
            references[count++] = (struct reference){listing->init, listing->paths[i], listing, i};
        }
    }
    qsort(references, count, sizeof(*references), compare_references);
    make_tracks(v, references, count);
    mem_free(references);
}

/* ---- Init segments --------------------------------------------------------------- */

static void check_brand(struct verify *v, const struct real_track *track) {
    const char *const brands[] = {"cmfc", "iso6", track->facts.codec->brand};
    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        if (brands[i] != NULL && !brands_have(track->facts.brands, brands[i])) {
            verify_found(v, RULE_CMAF_BRAND, track->init, "ftyp does not list the brand %s",
                         brands[i]);
        }
    }
    if (track->facts.video && track->facts.has_edit && brands_have(track->facts.brands, "cmf2")) {
        verify_found(v, RULE_CMAF_BRAND, track->init,
                     "ftyp lists the brand cmf2, which knows no edit list, and there is one");
    }
}

static void check_header_times(struct verify *v, const struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    if (facts->movie_duration != 0 || facts->track_duration != 0 || facts->media_duration != 0) {
        verify_found(v, RULE_CMAF_DURATION, track->init,
                     "mvhd, tkhd or mdhd tells a duration, and its samples are in fragments");
    }
    if (facts->clock) {
        verify_found(v, RULE_CMAF_CLOCK, track->init, "it holds a creation or modification time");
    }
}

/* tkhd tells the width that is shown: of pixels that are not square another one (ISO/IEC 14496-12
 * 12.1.4.3). */
static bool shown_size_fits(const struct init_facts *facts, const struct codec_facts *codec) {
    int64_t shown = codec->width;
    if (!facts->signal.square_pixels && facts->aspect_high > 0) {
        shown = shown * facts->aspect_wide / facts->aspect_high;
        return facts->width == codec->width || llabs(facts->width - shown) <= 1;
    }
    return facts->width == shown;
}

static void check_picture_boxes(struct verify *v, const struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    if (!facts->video) {
        return;
    }
    if (!facts->has_colour || !facts->has_aspect) {
        verify_found(v, RULE_CMAF_PICTURE_BOXES, track->init, "its sample entry has no %s",
                     facts->has_colour ? "pasp" : "colr");
    }
    const struct codec_facts *codec = &track->codec;
    if (!shown_size_fits(facts, codec) || facts->height != codec->height ||
        facts->entry_width != codec->width || facts->entry_height != codec->height) {
        verify_found(v, RULE_CMAF_PICTURE_SIZE, track->init,
                     "tkhd says %dx%d, the sample entry %dx%d, and the parameter sets %dx%d",
                     facts->width, facts->height, facts->entry_width, facts->entry_height,
                     codec->width, codec->height);
    }
    const struct picture_signal *told = &facts->signal;
    const struct picture_signal *coded = &codec->signal;
    if (facts->has_colour && !picture_signal_same_colours(told, coded)) {
        verify_found(v, RULE_VIDEO_COLOUR, track->init,
                     "colr says %d/%d/%d %s range, and the parameter sets %d/%d/%d %s range",
                     told->primaries, told->transfer, told->matrix,
                     told->full_range ? "full" : "limited", coded->primaries, coded->transfer,
                     coded->matrix, coded->full_range ? "full" : "limited");
    }
    if (!codec->plain) {
        verify_found(v, RULE_VIDEO_PROFILE, track->init,
                     "its codec %s is more than many players decode", track->codecs);
    }
}

static void check_record(struct verify *v, const struct real_track *track) {
    if (track->codec.fault != NULL) {
        verify_found(v, RULE_CODEC_RECORD, track->init, "its %s %s",
                     track->facts.codec->configuration_box, track->codec.fault);
    }
    if (track->codec.sets_elsewhere) {
        verify_found(v, RULE_CODEC_PARAMETER_SETS, track->init,
                     "its sample entry is %s, and its parameter sets may stand in samples: players "
                     "of Apple want hvc1 and all of them in hvcC",
                     track->facts.codec->sample_entry);
    }
}

static void check_sequence(struct verify *v, const struct real_track *track) {
    if (track->codec.still) {
        verify_found(v, RULE_CODEC_STILL, track->init,
                     "its sequence header says that there is one picture alone");
    }
    if (track->codec.timing) {
        verify_found(v, RULE_CODEC_TIMING, track->init,
                     "its sequence header tells times of its own, which players pass over");
    }
}

static void check_sound_config(struct verify *v, const struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    const struct codec_facts *codec = &track->codec;
    bool channels_fit = facts->channels == codec->channels || codec->channels == 0 ||
                        facts->codec->any_channels;
    bool rate_fits = facts->sample_rate == codec->sample_rate || codec->sample_rate > UINT16_MAX;
    if (!facts->video &&
        (!channels_fit || !rate_fits || facts->timescale != (uint32_t)codec->sample_rate)) {
        verify_found(v, RULE_AUDIO_CONFIG, track->init,
                     "its configuration says %d Hz and %d channels, its sample entry %d Hz and %d, "
                     "and its timescale is %" PRIu32,
                     codec->sample_rate, codec->channels, facts->sample_rate, facts->channels,
                     facts->timescale);
    }
}

/* EBML's own id, with which files of WebM begin. */
static bool is_webm(const struct buf *bytes) {
    static const uint8_t head[] = {0x1a, 0x45, 0xdf, 0xa3};
    return bytes->size >= sizeof(head) && memcmp(bytes->data, head, sizeof(head)) == 0;
}

/* Reads the init segment; false where the track can't be judged. */
static bool read_init(struct verify *v, struct real_track *track) {
    struct err err = {0};
    if (track->sealed) { /* as whole segments are, its header may be: that it is there, is all */
        verify_look_for(v, track->init[0] != '\0' ? track->init : NULL);
        return false;
    }
    if (track->init[0] == '\0' || verify_fetch(v, track->init, &track->bytes) != 0) {
        return false;
    }
    struct init_facts *facts = &track->facts;
    int failed = is_webm(&track->bytes)
                     ? err_set(&err, ERR_UNSUPPORTED, "it is WebM")
                     : init_segment_read(facts, track->bytes.data, track->bytes.size, &err);
    if (failed == 0) {
        failed = codec_facts_read(&track->codec, facts, (struct rational){0, 1}, &err);
    }
    if (failed == 0) {
        failed = facts->codec->codecs_string(facts->record, facts->record_size, track->codecs,
                                             sizeof(track->codecs), &err);
    }
    if (failed == ERR_UNSUPPORTED) {
        verify_found(v, RULE_UNCHECKED_CODEC, track->init,
                     "not checked: its track and what manifests say of it: %s", err.message);
        return false;
    }
    if (failed != 0) {
        verify_found(v, RULE_CMAF_INIT, track->init, "%s", err.message);
        return false;
    }
    if (facts->has_edit && facts->edit_media_time > (int64_t)facts->timescale * 3600) {
        verify_found(v, RULE_CMAF_EDIT_LIST, track->init, "its edit list skips more than an hour");
        return false;
    }
    return true;
}

static void check_init(struct verify *v, const struct real_track *track) {
    check_brand(v, track);
    check_header_times(v, track);
    check_picture_boxes(v, track);
    check_record(v, track);
    check_sequence(v, track);
    if (track->facts.video) {
        verify_hdr_track(v, track);
    }
    check_sound_config(v, track);
    verify_protected_track(v, track);
}

/* Frames that are decoded and not shown count for the level too: each segment, which can be
 * where a player begins, keeps to its rate of them. */
static void check_decoded(struct verify *v, const struct real_track *track,
                          const struct codec_facts *codec) {
    struct rational most = {codec->level_decoded, (int64_t)codec->width * codec->height};
    for (size_t i = 0; i < track->segment_count && codec->level_decoded > 0; i++) {
        const struct real_segment *segment = &track->segments[i];
        struct rational rate = {segment->frames * track->facts.timescale, segment->duration};
        bool known = segment->readable && segment->duration > 0;
        if (known && rational_compare(rate, most) > 0) {
            verify_found(v, RULE_CODEC_LEVEL, segment->path,
                         "the level in %s does not allow to decode %dx%d at %.3f pictures a "
                         "second, hidden ones included",
                         track->codecs, codec->width, codec->height, rational_value(rate));
            return;
        }
    }
}

/* What mehd tells, a tick more or less, is no more than all samples last, and no less than is shown
 * of them: all pictures, since their edit list skips what reordering left empty. */
static void check_fragment_duration(struct verify *v, const struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    int64_t most = MANIFEST_SECONDS_MAX * (int64_t)facts->timescale;
    int64_t ticks = 0;
    bool known = facts->has_fragment_duration && facts->movie_timescale > 0;
    for (size_t i = 0; i < track->segment_count && known; i++) {
        ticks += track->segments[i].duration;
        known = track->segments[i].readable && ticks <= most;
    }
    if (!known) {
        return;
    }
    int64_t all = ticks_scale(ticks, facts->movie_timescale, facts->timescale, ROUND_NEAR);
    int64_t skipped = facts->has_edit && !facts->video ? facts->edit_media_time : 0;
    int64_t shown =
        ticks_scale(ticks - skipped, facts->movie_timescale, facts->timescale, ROUND_NEAR);
    if (facts->has_edit && facts->edit_duration > 0 && facts->edit_duration < (uint64_t)all) {
        shown = (int64_t)facts->edit_duration;
    }
    int64_t told = facts->fragment_duration <= INT64_MAX / 2 ? (int64_t)facts->fragment_duration
                                                             : INT64_MAX / 2;
    if (told < shown - 1 || told > all + 1) {
        verify_found(v, RULE_CMAF_DURATION, track->init,
                     "mehd tells of %" PRId64 " ticks, and its fragments last %" PRId64, told, all);
    }
}

/* What only samples and configuration together tell. */
static void check_track(struct verify *v, struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    struct codec_facts codec;
    if (!facts->video || track->frame_ticks == 0) {
        return;
    }
    if (codec_facts_read(&codec, facts, real_rate(track), NULL) != 0) {
        return;
    }
    if (!codec.level_holds) {
        verify_found(v, RULE_CODEC_LEVEL, track->init,
                     "the level in %s does not allow %dx%d at %.3f pictures a second",
                     track->codecs, codec.width, codec.height, rational_value(real_rate(track)));
    } else {
        check_decoded(v, track, &codec);
    }
    int64_t skipped = facts->has_edit ? facts->edit_media_time : 0;
    int frames = track->codec.reorder_frames;
    if (frames >= 0 && skipped != frames * track->frame_ticks) {
        verify_found(v, RULE_CMAF_EDIT_LIST, track->init,
                     "the edit list skips %" PRId64
                     " ticks, and the parameter sets tell of reordering by %d frames of %" PRId64,
                     skipped, frames, track->frame_ticks);
    }
}

/* ---- Listings -------------------------------------------------------------------- */

/* Whether each segment begins where the one before it ended, in time and sequence. */
static bool check_continuity(struct verify *v, const struct listing *listing) {
    int64_t end = 0;
    uint32_t sequence = 0;
    /* What the one before ended with: a Period, and a stretch behind another one, may begin
     * anywhere in a track. */
    bool known = listing->period == NULL && listing->stretch == 0;
    bool gapless = true;
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        if (!segment->readable) {
            known = false;
            gapless = false;
            continue;
        }
        if (known && segment->decode_time != end) {
            gapless = false;
            verify_found(v, RULE_CMAF_DECODE_TIME, segment->path,
                         "its first tfdt is %" PRId64 " and must be %" PRId64
                         " as segment %zu of %s",
                         segment->decode_time, end, listing->first + i + 1,
                         listing->period != NULL ? listing->label : listing->manifest);
        }
        if (known && i > 0 && segment->first_sequence <= sequence) {
            verify_found(v, RULE_CMAF_SEQUENCE, segment->path,
                         "its first sequence number is %" PRIu32 ", and the one before it %" PRIu32,
                         segment->first_sequence, sequence);
        }
        end = segment->decode_time + segment->duration;
        sequence = segment->last_sequence;
        known = true;
    }
    return gapless;
}

static size_t count_gops(const struct listing *listing) {
    size_t count = 0;
    for (size_t i = 0; i < listing->count; i++) {
        count += listing->segments[i]->gop_count;
    }
    return count;
}

bool verify_has_gops(struct verify *v, const struct listing *listing) {
    size_t count = count_gops(listing);
    if (count > VERIFY_GOPS_MAX - v->gops) {
        verify_found(v, RULE_TITLE_BOUNDS, listing->manifest,
                     "the segments of %s hold %zu GOPs, each as often as it is listed, and all "
                     "lists together may have %d",
                     listing->label, count, VERIFY_GOPS_MAX);
        return false;
    }
    v->gops += count;
    return true;
}

/* The pieces that rates are measured of, in ticks of that timescale. */
static size_t fill_pieces(const struct listing *listing, enum pieces kind, int64_t timescale,
                          struct measured_piece *out) {
    int64_t own = listing->track->facts.timescale;
    size_t count = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        if (kind == PIECES_SEGMENTS) {
            int64_t ticks = real_end(listing->track, segment) - real_start(listing->track, segment);
            out[count].bytes = segment->bytes;
            out[count++].ticks = ticks_scale(ticks, timescale, own, ROUND_NEAR);
            continue;
        }
        for (size_t g = 0; g < segment->gop_count; g++) {
            out[count].bytes = (int64_t)segment->gops[g].key_size;
            out[count++].ticks = ticks_scale(segment->gops[g].ticks, timescale, own, ROUND_NEAR);
        }
    }
    return count;
}

/* Whether sums fit their types and no window of time holds so many pieces that
 * measuring would take for ever. */
static bool can_measure(const struct measured_piece *pieces, size_t count, int64_t window,
                        int64_t timescale) {
    enum { WINDOW_PIECES_MAX = 1024 };
    int64_t all = 0;
    int64_t ticks = 0;
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].ticks <= 0) {
            return false;
        }
        all += pieces[i].ticks;
        if (all / timescale > MANIFEST_SECONDS_MAX) {
            return false;
        }
        ticks += pieces[i].ticks;
        while (ticks > window) {
            ticks -= pieces[first++].ticks;
        }
        if (i + 1 - first > WINDOW_PIECES_MAX) {
            return false;
        }
    }
    return all > timescale / 1000;
}

/* Their one timescale, or nanoseconds. */
static int64_t timescale_of(const struct listing *const *parts, size_t part_count) {
    int64_t timescale = parts[0]->track->facts.timescale;
    for (size_t p = 1; p < part_count; p++) {
        bool same = timescale == parts[p]->track->facts.timescale;
        timescale = same ? timescale : 1000000000;
    }
    return timescale;
}

bool verify_rates(const struct verify *v, const struct listing *const *parts, size_t part_count,
                  enum pieces kind, int64_t *peak_bps, int64_t *average_bps) {
    size_t most = 0;
    for (size_t p = 0; p < part_count; p++) {
        most += kind == PIECES_KEYS ? count_gops(parts[p]) : parts[p]->count;
    }
    struct measured_piece *pieces = mem_zero(most, sizeof(*pieces));
    int64_t timescale = timescale_of(parts, part_count);
    size_t count = 0;
    for (size_t p = 0; p < part_count; p++) {
        count += fill_pieces(parts[p], kind, timescale, pieces + count);
    }
    int64_t target = v->target_s * timescale;
    bool can = can_measure(pieces, count, 3 * target / 2, timescale);
    if (can) {
        *peak_bps = measure_peak_bps(pieces, count, target, timescale);
        *average_bps = measure_average_bps(pieces, count, timescale);
    }
    mem_free(pieces);
    return can;
}

static void measure_listing(struct verify *v, struct listing *listing) {
    const struct listing *part = listing;
    int64_t peak_bps, average_bps; /* of key pictures, which I-frame playlists may declare */
    bool can =
        verify_rates(v, &part, 1, PIECES_SEGMENTS, &listing->peak_bps, &listing->average_bps);
    if (can && listing->track->facts.video) {
        can = verify_rates(v, &part, 1, PIECES_KEYS, &peak_bps, &average_bps);
    }
    if (!can) {
        verify_found(v, RULE_TITLE_BOUNDS, listing->manifest,
                     "the times of %s are too short or too long to measure rates with",
                     listing->label);
    }
    listing->whole = can;
}

static const struct listing *find_same(const struct verify *v, size_t index) {
    const struct listing *listing = v->listings[index];
    for (size_t l = 0; l < index; l++) {
        const struct listing *other = v->listings[l];
        if (!other->iframes && other->track == listing->track && other->count == listing->count &&
            memcmp(other->segments, listing->segments,
                   listing->count * sizeof(*listing->segments)) == 0) {
            return other;
        }
    }
    return NULL;
}

/* The longest segment that any gapless listing has, rounded to seconds. */
static int64_t longest_second(const struct verify *v) {
    int64_t longest = 1;
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        for (size_t i = 0; i < listing->count && listing->whole; i++) {
            int64_t start = real_start(listing->track, listing->segments[i]);
            int64_t ticks = real_end(listing->track, listing->segments[i]) - start;
            int64_t seconds = ticks_scale(ticks, 1, listing->track->facts.timescale, ROUND_NEAR);
            longest = seconds > longest ? seconds : longest;
        }
    }
    return longest;
}

static void judge_listings(struct verify *v) {
    for (size_t l = 0; l < v->listing_count; l++) {
        struct listing *listing = v->listings[l];
        if (!listing->iframes && listing->track->readable && verify_has_gops(v, listing)) {
            listing->same = find_same(v, l);
            listing->whole = listing->same != NULL ? listing->same->whole
                                                   : check_continuity(v, listing);
        }
    }
    v->target_s = longest_second(v);
    for (size_t l = 0; l < v->listing_count; l++) {
        struct listing *listing = v->listings[l];
        if (listing->whole && listing->same == NULL) {
            measure_listing(v, listing);
        } else if (listing->same != NULL) {
            const struct listing *same = listing->same;
            listing->whole = same->whole;
            listing->peak_bps = same->peak_bps;
            listing->average_bps = same->average_bps;
        }
        if (v->reference == NULL && listing->whole && listing->track->facts.video) {
            v->reference = listing;
        }
    }
}

/* ---- The whole ------------------------------------------------------------------- */

void verify_tracks(struct verify *v) {
    gather_tracks(v);
    for (size_t t = 0; t < v->track_count; t++) {
        struct real_track *track = &v->tracks[t];
        track->readable = read_init(v, track);
        if (track->readable) {
            check_init(v, track);
        }
        for (size_t s = 0; s < track->segment_count; s++) {
            verify_segment(v, track, &track->segments[s]);
        }
        check_track(v, track);
        check_fragment_duration(v, track);
    }
    judge_listings(v);
    verify_dash_places(v);
    verify_stretches_join(v);
    verify_side_by_side(v);
}
