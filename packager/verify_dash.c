/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DASH: the MPD into listings, then what it declares against facts. See verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

/* ---- Reading --------------------------------------------------------------------- */

/* The path of a Representation's base; NULL where a BaseURL is no path of the title. */
static const char *read_base(struct verify *v, const struct mpd_representation *from) {
    const char *base = mpd_path;
    for (int i = 0; i < MPD_BASES_MAX && base != NULL; i++) {
        if (from->bases[i][0] != '\0') {
            base = verify_resolve(v, base, from->bases[i]);
        }
    }
    return base;
}

/* The address of what a reference and a range of bytes name; NULL where it is none, which is
 * told. In a list no reference stands for the BaseURL itself. */
static const char *address_of(struct verify *v, const struct mpd_representation *from,
                              const char *base, const char *reference,
                              const struct mpd_range *range) {
    bool is_base = from->listed && reference[0] == '\0';
    const char *path = is_base ? base : verify_resolve(v, base, reference);
    return path != NULL && range->told
               ? verify_range(v, path, range->first, range->last - range->first + 1)
               : path;
}

/* The addresses of the segments of a template or of a list. */
static void list_segments(struct verify *v, const struct mpd_representation *from, const char *base,
                          struct listing *listing) {
    bool has_header = from->initialization[0] != '\0' || from->header.told || !from->listed;
    if (!has_header) {
        verify_found(v, RULE_DASH_ADDRESSING, mpd_path, "%s has no Initialization", listing->label);
    }
    const char *init = has_header ? address_of(v, from, base, from->initialization, &from->header)
                                  : NULL;
    listing->init = init != NULL ? init : "";
    for (size_t i = 0; i < from->segment_count; i++) {
        const struct mpd_segment *segment = &from->segments[i];
        const char *path = address_of(v, from, base, segment->reference, &segment->range);
        listing->paths[i] = path != NULL ? path : "";
    }
}

/* NULL where it can't be listed. */
static struct listing *list_representation(struct verify *v, const struct dash_period *period,
                                           struct mpd_representation *from) {
    char *label = arena_format(&v->arena, "Representation %.60s%s", from->id, period->place);
    if (from->odd_addressing[0] != '\0') {
        verify_found(v, RULE_DASH_ADDRESSING, mpd_path,
                     "%s is addressed with %s, which players of its profile need not know", label,
                     from->odd_addressing);
    }
    if (from->by_duration && !from->indexed && period->told->duration_ns <= 0) {
        return NULL; /* as many as begin in a Period without an end, which is told as
                        RULE_DASH_PERIOD */
    }
    if (from->timeline + from->nominal + from->indexed != 1) {
        verify_found(v, RULE_DASH_ADDRESSING, mpd_path,
                     "%s has not one of SegmentTimeline, @duration with segments' names, and "
                     "SegmentBase",
                     label);
        return NULL;
    }
    const char *base = read_base(v, from);
    if (base == NULL || from->indexed) {
        return base != NULL ? verify_index_list(v, period, from, base, label) : NULL;
    }
    struct listing *listing = verify_list(v, mpd_path, label, from->segment_count);
    if (listing != NULL) {
        list_segments(v, from, base, listing);
    }
    return listing;
}

static void list_period(struct verify *v, struct dash_period *period) {
    size_t count = period->told->representation_count;
    period->listings = arena_zero(&v->arena, count, sizeof(*period->listings));
    for (size_t i = 0; i < count; i++) {
        struct mpd_representation *from = &period->told->representations[i];
        struct listing *listing = list_representation(v, period, from);
        if (listing != NULL) {
            listing->told = from;
            listing->period = period->place[0] != '\0' ? period : NULL;
        }
        period->listings[i] = listing;
    }
}

void verify_dash_read(struct verify *v) {
    struct err err = {0};
    if (v->mpd_bytes.data == NULL) {
        return;
    }
    if (mpd_read(&v->mpd, v->mpd_bytes.data, v->mpd_bytes.size, &err) != 0) {
        verify_found(v, RULE_DASH_SYNTAX, mpd_path, "%s", err.message);
        return;
    }
    v->has_dash = true;
    v->periods = arena_zero(&v->arena, v->mpd.period_count, sizeof(*v->periods));
    size_t count = v->mpd.period_count + mpd_passed_over(&v->mpd);
    for (size_t i = 0; i < v->mpd.period_count; i++) {
        struct dash_period *period = &v->periods[i];
        period->told = &v->mpd.periods[i];
        period->last = period->told->number == count;
        period->place =
            count == 1 ? "" : arena_format(&v->arena, " of Period %zu", period->told->number);
        list_period(v, period);
    }
}

/* ---- MPD and Period -------------------------------------------------------------- */

/* Whether a list with commas between holds the name. */
static bool list_has(const char *list, const char *name) {
    size_t length = strlen(name);
    for (list += strspn(list, ", "); *list != '\0'; list += strspn(list, ", ")) {
        size_t next = strcspn(list, ", ");
        if (next == length && memcmp(list, name, length) == 0) {
            return true;
        }
        list += next;
    }
    return false;
}

static bool any_readable(const struct verify *v) {
    bool any = false;
    for (size_t t = 0; t < v->track_count; t++) {
        any = any || v->tracks[t].readable;
    }
    return any;
}

/* Whether all tracks that can be read say that they are of CMAF. */
static bool all_of_cmaf(const struct verify *v) {
    for (size_t t = 0; t < v->track_count; t++) {
        if (v->tracks[t].readable && !brands_have(v->tracks[t].facts.brands, "cmfc")) {
            return false;
        }
    }
    return true;
}

/* One of the two that are for static titles, by how its segments are addressed; and CMAF's. Of
 * tracks that can't be read, as those of WebM, nobody knows which. */
static void check_profiles(struct verify *v) {
    if (!any_readable(v)) {
        return;
    }
    const char *wanted[] = {"urn:mpeg:dash:profile:isoff-live:2011",
                            "urn:mpeg:dash:profile:cmaf:2019"};
    bool listed = false;
    bool indexed = false;
    bool named = false;
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        const struct mpd_period *period = &v->mpd.periods[p];
        for (size_t i = 0; i < period->representation_count; i++) {
            const struct mpd_representation *from = &period->representations[i];
            listed = listed || from->listed;
            indexed = indexed || from->indexed;
            named = named || (!from->listed && !from->indexed);
        }
    }
    if (indexed) {
        wanted[0] = "urn:mpeg:dash:profile:isoff-on-demand:2011";
    }
    bool neither = listed || (indexed && named); /* knows lists, nor segments of both kinds */
    for (size_t i = neither ? 1 : 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (!list_has(v->mpd.profiles, wanted[i]) && (i == 0 || all_of_cmaf(v))) {
            verify_found(v, RULE_DASH_PROFILE, mpd_path, "@profiles '%.120s' does not list %s",
                         v->mpd.profiles, wanted[i]);
        }
    }
}

static void check_root(struct verify *v) {
    if (strcmp(v->mpd.type, "static") != 0) {
        verify_found(v, RULE_DASH_STATIC, mpd_path, "@type is '%.16s'", v->mpd.type);
    }
    check_profiles(v);
}

static void check_ids(struct verify *v, const struct dash_period *period) {
    const struct mpd_period *told = period->told;
    const char *fault = told->id[0] == '\0' ? "the Period has no id" : NULL;
    for (size_t i = 0; &v->mpd.periods[i] != told; i++) {
        fault = strcmp(told->id, v->mpd.periods[i].id) == 0 ? "two Periods have one id" : fault;
    }
    for (size_t i = 0; i < told->set_count; i++) {
        fault = told->sets[i].id[0] == '\0' ? "an AdaptationSet has no id" : fault;
        for (size_t j = 0; j < i; j++) {
            bool same = strcmp(told->sets[i].id, told->sets[j].id) == 0;
            fault = same ? "two AdaptationSets have one id" : fault;
        }
    }
    for (size_t i = 0; i < told->representation_count; i++) {
        fault = told->representations[i].id[0] == '\0' ? "a Representation has no id" : fault;
        for (size_t j = 0; j < i; j++) {
            bool same = strcmp(told->representations[i].id, told->representations[j].id) == 0;
            fault = same ? "two Representations have one id" : fault;
        }
    }
    for (size_t i = 0; i < told->tiles_count; i++) {
        const struct mpd_tiles *tiles = &told->tiles[i];
        bool none = tiles->id[0] == '\0' || tiles->set_id[0] == '\0';
        fault = none ? "an AdaptationSet of images, or a Representation in it, has no id" : fault;
        for (size_t j = 0; j < told->set_count; j++) {
            bool same = strcmp(tiles->set_id, told->sets[j].id) == 0;
            fault = same ? "two AdaptationSets have one id" : fault;
        }
    }
    for (size_t i = 0; i < told->text_count; i++) {
        const struct mpd_text *text = &told->texts[i];
        bool none = text->own.id[0] == '\0' || text->set_id[0] == '\0';
        fault = none ? "an AdaptationSet of text, or a Representation in it, has no id" : fault;
        for (size_t j = 0; j < told->set_count; j++) {
            bool same = strcmp(text->set_id, told->sets[j].id) == 0;
            fault = same ? "two AdaptationSets have one id" : fault;
        }
    }
    if (fault != NULL) {
        verify_found(v, RULE_DASH_ID, mpd_path, "%s%s", fault, period->place);
    }
}

/* ---- Timelines ------------------------------------------------------------------- */

/* Times of the media that are rounded to one @duration: each within half of it of the real one. */
static void check_drift(struct verify *v, const struct mpd_representation *from,
                        const struct listing *listing) {
    const struct real_track *track = listing->track;
    for (size_t i = 0; i < listing->count; i++) {
        const struct mpd_segment *segment = &from->segments[i];
        if (!listing->segments[i]->readable) {
            continue;
        }
        int64_t start = real_start(track, listing->segments[i]);
        int64_t start_ns = ticks_scale(start, 1000000000, track->facts.timescale, ROUND_NEAR);
        int64_t told_ns = ticks_scale(segment->time, 1000000000, from->timescale, ROUND_NEAR);
        int64_t half_ns =
            ticks_scale(segment->duration, 1000000000 / 2, from->timescale, ROUND_NEAR);
        if (llabs(start_ns - told_ns) > half_ns) {
            verify_found(v, RULE_DASH_DRIFT, mpd_path,
                         "segment %zu of %s is said to begin at %.3f s, and begins at %.3f s, more "
                         "than half a segment off",
                         i + 1, listing->label, (double)told_ns / 1e9, (double)start_ns / 1e9);
            return;
        }
    }
}

static void check_timeline(struct verify *v, const struct mpd_representation *from,
                           const struct listing *listing) {
    const struct real_track *track = listing->track;
    if (from->timescale != (int64_t)track->facts.timescale) {
        verify_found(v, RULE_DASH_TIMESCALE, mpd_path,
                     "%s has @timescale %" PRId64 ", and its track %" PRIu32, listing->label,
                     from->timescale, track->facts.timescale);
        return;
    }
    bool told = false;
    int64_t shift = listing->origin - from->presentation_offset;
    for (size_t i = 0; i < listing->count; i++) {
        const struct mpd_segment *segment = &from->segments[i];
        if (i > 0 && segment->time != segment[-1].time + segment[-1].duration) {
            verify_found(v, RULE_DASH_GAP, mpd_path,
                         "segment %zu of %s starts at tick %" PRId64 ", and the one before ends at "
                         "%" PRId64,
                         i + 1, listing->label, segment->time,
                         segment[-1].time + segment[-1].duration);
        }
        if (!listing->segments[i]->readable || told) {
            continue;
        }
        int64_t start = real_start(track, listing->segments[i]);
        int64_t duration = real_end(track, listing->segments[i]) - start;
        int64_t time = segment->time + shift;
        int64_t before = time < 0 ? -time : 0; /* what is not shown: priming */
        if (time + before != start || segment->duration - before != duration) {
            verify_found(v, RULE_DASH_TIMELINE, mpd_path,
                         "segment %zu of %s is listed at tick %" PRId64 " for %" PRId64
                         ", and lies at %" PRId64 " for %" PRId64,
                         i + 1, listing->label, time, segment->duration, start, duration);
            told = true;
        }
    }
}

/* What ends last ends with the Period; all else less than a frame or packet of it before. Where
 * another Period comes before, less than a frame of its own may be missing. Segments that are over
 * a border, which players cut there, are listed where a part of them is shown; but nothing is over
 * the end of the whole. */
static void check_coverage(struct verify *v, const struct dash_period *period,
                           const struct mpd_representation *from, const struct listing *listing) {
    const struct mpd_segment *last = &from->segments[from->segment_count - 1];
    int64_t lasts_ns = period->told->duration_ns;
    if (lasts_ns <= 0 || from->nominal) {
        return; /* told as RULE_DASH_PERIOD; of as many segments as begin in the Period */
    }
    int64_t start = from->segments[0].time - from->presentation_offset;
    int64_t end = last->time + last->duration - from->presentation_offset;
    int64_t start_ns = ticks_scale(start, 1000000000, from->timescale, ROUND_NEAR);
    int64_t end_ns = ticks_scale(end, 1000000000, from->timescale, ROUND_NEAR);
    int64_t first_ns =
        ticks_scale(start + from->segments[0].duration, 1000000000, from->timescale, ROUND_NEAR);
    int64_t last_ns = ticks_scale(last->time - from->presentation_offset, 1000000000,
                                  from->timescale, ROUND_NEAR);
    int64_t late_ns = period->told->number == 1 ? 0 : real_frame_ns(listing->track);
    bool over = period->last ? end_ns > lasts_ns + ROUNDING_NS : last_ns >= lasts_ns;
    if (start_ns > late_ns || first_ns <= 0 || over ||
        end_ns < lasts_ns - PERIOD_ROUNDING_NS - period->ending.frame_ns) {
        verify_found(v, RULE_DASH_COVERAGE, mpd_path, "%s covers %.6f to %.6f s of %.6f s",
                     listing->label, (double)start / (double)from->timescale,
                     (double)end / (double)from->timescale, (double)lasts_ns / 1e9);
    }
}

/* HLS shows tracks from their first picture or packet on: so does a Period that is alone. */
static void check_origin(struct verify *v, const struct dash_period *period,
                         const struct listing *listing) {
    const struct real_track *track = listing->track;
    const struct real_segment *first = listing->segments[0];
    if (!v->has_hls || period->place[0] != '\0' || !first->readable || listing->origin == 0) {
        return;
    }
    int64_t hidden = listing->origin - real_start(track, first);
    if (llabs(hidden) > track->frame_ticks) {
        verify_found(v, RULE_DASH_COVERAGE, mpd_path,
                     "by @presentationTimeOffset the Period begins %.6f s %s %s does, and HLS has "
                     "all of it",
                     (double)llabs(hidden) / track->facts.timescale,
                     hidden > 0 ? "after" : "before", listing->label);
    }
}

/* ---- Rates ----------------------------------------------------------------------- */

/* The least buffer in ticks at that rate: GOP by GOP for pictures (every SAP may be
 * the start), segment by segment for sound. */
static int64_t needed_buffer(const struct listing *listing, int64_t bps) {
    size_t most = listing->count;
    size_t count = 0;
    for (size_t i = 0; i < listing->count; i++) {
        most += listing->segments[i]->gop_count;
    }
    struct measured_piece *pieces = mem_zero(most, sizeof(*pieces));
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        for (size_t g = 0; g < segment->gop_count; g++) {
            pieces[count].bytes = (int64_t)segment->gops[g].size;
            pieces[count++].ticks = segment->gops[g].ticks;
        }
        if (segment->gop_count == 0) {
            pieces[count].bytes = segment->bytes;
            pieces[count++].ticks = real_end(listing->track, segment) -
                                    real_start(listing->track, segment);
        }
    }
    int64_t ticks =
        measure_buffer_ticks(pieces, count, bps, (int64_t)listing->track->facts.timescale);
    mem_free(pieces);
    return ticks;
}

/* The highest rate that is measured of a track: in each Period that shows a part of it a
 * Representation may declare that of the whole. */
static int64_t peak_of(const struct verify *v, const struct listing *listing) {
    int64_t peak = listing->peak_bps;
    for (size_t l = 0; l < v->listing_count && listing->period != NULL; l++) {
        const struct listing *other = v->listings[l];
        if (other->whole && other->track == listing->track && other->peak_bps > peak) {
            peak = other->peak_bps;
        }
    }
    return peak;
}

static void check_rates(struct verify *v, const struct mpd_representation *from,
                        const struct listing *listing) {
    int64_t bps = from->bandwidth;
    int64_t peak_bps = peak_of(v, listing);
    if (bps < listing->average_bps || bps / 11 > peak_bps / 10) {
        verify_found(v, RULE_DASH_BANDWIDTH, mpd_path,
                     "%s declares @bandwidth %" PRId64 ", and %" PRId64 " b/s on average and "
                     "%" PRId64 " at the peak are measured",
                     listing->label, bps, listing->average_bps, peak_bps);
        return;
    }
    int64_t needed_ns = ticks_scale(needed_buffer(listing, bps), 1000000000,
                                    listing->track->facts.timescale, ROUND_UP);
    if (needed_ns > v->mpd.min_buffer_ns) {
        verify_found(v, RULE_DASH_BUFFER, mpd_path,
                     "%s needs a buffer of %.3f s at its @bandwidth, and @minBufferTime is %.3f s",
                     listing->label, (double)needed_ns / 1e9,
                     (double)(v->mpd.min_buffer_ns > 0 ? v->mpd.min_buffer_ns : 0) / 1e9);
    }
}

/* ---- What a Representation is ---------------------------------------------------- */

static void advise_missing(struct verify *v, const struct listing *listing, const char *what) {
    verify_found(v, RULE_DASH_OPTIONAL, mpd_path, "%s has no %s", listing->label, what);
}

/* What is told must be so; what is not need be of high dynamic range alone, which players would
 * take for what they know. */
static void check_colour(struct verify *v, const struct mpd_representation *from,
                         const struct listing *listing) {
    const struct picture_signal *real = &listing->track->codec.signal;
    bool high = real->transfer == TRANSFER_PQ || real->transfer == TRANSFER_HLG;
    const struct {
        int64_t declared;
        int real;
    } properties[] = {{from->primaries, real->primaries},
                      {from->transfer, real->transfer},
                      {from->matrix, real->matrix}};
    bool fits = true;
    bool missing = false;
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        bool told = properties[i].declared >= 0;
        fits = fits && (told ? properties[i].declared == properties[i].real : !high);
        missing = missing || (!told && properties[i].real != COLOUR_UNKNOWN);
    }
    if (!fits) {
        verify_found(v, RULE_DASH_COLOUR, mpd_path,
                     "the CICP properties of %s are %" PRId64 "/%" PRId64 "/%" PRId64
                     " (-1: missing), and the parameter sets say %d/%d/%d",
                     listing->label, from->primaries, from->transfer, from->matrix, real->primaries,
                     real->transfer, real->matrix);
    } else if (missing) {
        advise_missing(v, listing, "CICP properties of all its colours");
    }
}

/* Whether @sar is that of pasp, without which pixels are square. */
static bool aspect_fits(const struct mpd_representation *from, const struct init_facts *facts) {
    int64_t wide = 1;
    int64_t high = 1;
    char after = '\0';
    if (from->sample_aspect[0] == '\0') {
        return true;
    }
    return sscanf(from->sample_aspect, "%9" SCNd64 ":%9" SCNd64 "%c", &wide, &high, &after) == 2 &&
           wide * (facts->has_aspect ? facts->aspect_high : 1) ==
               high * (facts->has_aspect ? facts->aspect_wide : 1);
}

static void check_picture(struct verify *v, const struct mpd_representation *from,
                          const struct listing *listing) {
    const struct codec_facts *codec = &listing->track->codec;
    struct rational rate = real_rate(listing->track);
    bool sized = from->width > 0 && from->height > 0;
    if (!sized) {
        advise_missing(v, listing, "@width and @height");
    }
    if ((sized && (from->width != codec->width || from->height != codec->height)) ||
        !aspect_fits(from, &listing->track->facts)) {
        verify_found(v, RULE_DASH_SIZE, mpd_path,
                     "%s declares %" PRId64 "x%" PRId64
                     " of @sar '%.20s', and the pictures are %dx%d "
                     "of pixels of another size or shape",
                     listing->label, from->width, from->height, from->sample_aspect, codec->width,
                     codec->height);
    }
    if (from->frame_rate.num == 0) {
        advise_missing(v, listing, "@frameRate");
    } else if (listing->track->frame_ticks > 0 && rational_compare(from->frame_rate, rate) != 0) {
        verify_found(
            v, RULE_DASH_FRAME_RATE, mpd_path,
            "%s declares @frameRate %" PRId64 "/%" PRId64 ", and it is %" PRId64 "/%" PRId64,
            listing->label, from->frame_rate.num, from->frame_rate.den, rate.num, rate.den);
    }
    check_colour(v, from, listing);
    if (codec->signal.transfer == TRANSFER_PQ && from->transfer == TRANSFER_PQ &&
        !from->essential_transfer) {
        verify_found(v, RULE_DASH_COLOUR_ESSENTIAL, mpd_path,
                     "TransferCharacteristics of %s, which is PQ, is no EssentialProperty: players "
                     "that do not know it would show it all the same",
                     listing->label);
    }
}

static void check_sound(struct verify *v, const struct mpd_representation *from,
                        const struct listing *listing) {
    const struct codec_facts *codec = &listing->track->codec;
    bool rate_fits = from->sampling_rate == 0 || from->sampling_rate == codec->sample_rate;
    bool channels_fit = from->channels <= 0 || codec->channels == 0 ||
                        from->channels == codec->channels;
    if (from->sampling_rate == 0 || from->channels == 0) {
        advise_missing(v, listing, "@audioSamplingRate or AudioChannelConfiguration");
    }
    if (!rate_fits || !channels_fit) {
        verify_found(v, RULE_DASH_AUDIO, mpd_path,
                     "%s declares %" PRId64 " Hz and %" PRId64 " channels, and the sound has %d Hz "
                     "and %d",
                     listing->label, from->sampling_rate, from->channels > 0 ? from->channels : 0,
                     codec->sample_rate, codec->channels);
    }
}

static void check_language(struct verify *v, const struct mpd_set *set,
                           const struct listing *listing) {
    const char *declared = set->language;
    const char *real = listing->track->facts.language_tag;
    if (declared[0] != '\0' && !verify_language_fits(declared, real)) {
        verify_found(v, RULE_AUDIO_LANGUAGE, mpd_path,
                     "%s is of @lang '%.40s', and the track says '%s'", listing->label, declared,
                     real);
    }
}

static void check_representation(struct verify *v, const struct dash_period *period,
                                 const struct listing *listing) {
    const struct mpd_representation *from = listing->told;
    const struct real_track *track = listing->track;
    check_coverage(v, period, from, listing);
    if (!track->readable) {
        return;
    }
    const char *mime_type = track->facts.video ? "video/mp4" : "audio/mp4";
    if (!verify_same_codec(from->codecs, strlen(from->codecs), track->codecs) ||
        strcmp(from->mime_type, mime_type) != 0) {
        verify_found(v, RULE_DASH_CODECS, mpd_path,
                     "%s declares '%.40s' of '%.40s', and the track is '%s' of '%s'",
                     listing->label, from->codecs, from->mime_type, track->codecs, mime_type);
    }
    if (from->nominal) {
        check_drift(v, from, listing);
    } else {
        check_timeline(v, from, listing);
        check_origin(v, period, listing);
    }
    if (track->facts.video) {
        check_picture(v, from, listing);
    } else {
        check_sound(v, from, listing);
        check_language(v, &period->told->sets[from->set], listing);
    }
    verify_representation_keys(v, from, listing);
    if (listing->whole) {
        check_rates(v, from, listing);
    }
}

void verify_dash(struct verify *v) {
    if (!v->has_dash) {
        return;
    }
    check_root(v);
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        const struct dash_period *period = &v->periods[p];
        check_ids(v, period);
        for (size_t i = 0; i < period->told->representation_count; i++) {
            if (period->listings[i] != NULL) {
                check_representation(v, period, period->listings[i]);
            }
        }
        verify_dash_sets(v, period);
    }
    verify_periods(v);
    if (v->has_hls) {
        verify_agreement(v);
    }
}
