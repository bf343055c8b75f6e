/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * title.json: what the title is and what it is made of, for people, for the
 * catalog, and for those that must know which folders a kept version names.
 * title.schema.json says the same as a JSON Schema.
 */
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "images.h"
#include "packager/packager.h"

static const struct rendition_plan *rendition_of(const struct title_plan *plan,
                                                 const struct presented_track *track,
                                                 size_t *index) {
    for (size_t i = 0; i < plan->rendition_count; i++) {
        if (plan->renditions[i].id == track->id) {
            *index = i;
            return &plan->renditions[i];
        }
    }
    return NULL;
}

static int64_t track_bytes(const struct presented_track *track) {
    int64_t bytes = track->init_bytes;
    for (size_t s = 0; s < track->segment_count; s++) {
        bytes += track->segments[s].bytes;
    }
    return bytes;
}

/* So that who holds the objects can check them all by one line: the hash of the lines
 * "SHA-256 in hex, newline" of init.mp4 and of each segment, in order. */
static void checksum_write(const struct unit_report *report, struct writer *w) {
    struct buf sums = {0};
    char hex[SHA256_TEXT];
    bool known = report->init_sha256[0] != '\0';
    buf_format(&sums, "%s\n", report->init_sha256);
    for (size_t s = 0; s < report->segment_count; s++) {
        known = known && report->segments[s].sha256[0] != '\0';
        buf_format(&sums, "%s\n", report->segments[s].sha256);
    }
    if (known) {
        sha256_hex_of(sums.data, sums.size, hex);
        writer_string(w, "checksum", hex);
    }
    buf_finish(&sums);
}

static void kind_write(const struct presented_track *track, struct writer *w) {
    if (track->video) {
        writer_int(w, "width", track->width);
        writer_int(w, "height", track->height);
        rational_write(w, "rate", track->rate);
        writer_bool(w, "hdr", colour_is_hdr(&track->colour));
    } else {
        writer_string(w, "language", track->language);
        writer_int(w, "channels", track->channels);
        writer_int(w, "sample_rate", track->sample_rate);
    }
}

static void track_write(const struct presented_track *track, const struct title_plan *plan,
                        const struct rendition_report *reports, struct writer *w) {
    size_t index = 0;
    const struct rendition_plan *rendition = rendition_of(plan, track, &index);
    writer_object(w, NULL);
    writer_string(w, "id", track->id);
    writer_string(w, "kind", track->video ? "video" : "audio");
    writer_string(w, "folder", track->folder);
    writer_string(w, "codec", codec_name(track->codec));
    writer_string(w, "codecs", track->codecs);
    kind_write(track, w);
    writer_int(w, "peak_bps", track->peak_bps);
    writer_int(w, "average_bps", track->average_bps);
    writer_int(w, "segments", (int64_t)track->segment_count);
    writer_int(w, "bytes", track_bytes(track));
    if (rendition != NULL) {
        writer_string(w, "key", rendition->key);
        writer_string(w, "build_line", rendition->build_line);
        writer_int(w, "frames_repaired", reports[index].frames_repaired);
        checksum_write(&reports[index].joined, w);
        if (reports[index].joined.has_loudness) {
            loudness_write(&reports[index].joined.loudness, w, "loudness");
        }
        if (rendition->is_video) {
            video_spec_write(&rendition->video, w, "spec");
        } else {
            audio_spec_write(&rendition->audio, w, "spec");
        }
    }
    writer_object_end(w);
}

static void source_write(const struct title_plan *plan, struct writer *w) {
    const struct source_document *source = &plan->source;
    writer_object(w, "source");
    writer_string(w, "identity", plan->identity);
    writer_string(w, "container", source->container);
    writer_int(w, "bytes", source->size);
    writer_string(w, "codec", source->video.codec);
    writer_int(w, "width", source->video.width);
    writer_int(w, "height", source->video.height);
    writer_bool(w, "colour_assumed", source->video.colour_assumed);
    writer_bool(w, "variable_rate", source->video.variable_rate);
    writer_int(w, "missing_frames", source->missing);
    writer_strings(w, "defects", source->defects, source->defect_count);
    writer_strings(w, "left_out", source->left_out, source->left_out_count);
    writer_object_end(w);
}

/* Relative to the title's folder: the names that stay, and those of this version. */
static void manifests_write(const struct presentation *p, struct writer *w) {
    char name[sizeof(p->version) + sizeof(".m3u8")];
    writer_object(w, "manifests");
    writer_string(w, "hls", "master.m3u8");
    writer_string(w, "dash", "manifest.mpd");
    snprintf(name, sizeof(name), "%s.m3u8", p->version);
    writer_string(w, "version_hls", name);
    snprintf(name, sizeof(name), "%s.mpd", p->version);
    writer_string(w, "version_dash", name);
    writer_object_end(w);
}

static bool was_before(const struct presented_track *tracks, size_t index) {
    for (size_t t = 0; t < index; t++) {
        if (!tracks[t].video && strcmp(tracks[t].language, tracks[index].language) == 0) {
            return true;
        }
    }
    return false;
}

/* Of the sound, each once. */
static void languages_write(const struct presentation *p, struct writer *w) {
    const struct period *period = &p->periods[0];
    writer_array(w, "languages");
    for (size_t t = 0; t < period->track_count; t++) {
        if (!period->tracks[t].video && !was_before(period->tracks, t)) {
            writer_string(w, NULL, period->tracks[t].language);
        }
    }
    writer_array_end(w);
}

/* Of the first sound, which players choose. */
static void loudness_of_title_write(const struct presentation *p, const struct title_plan *plan,
                                    const struct rendition_report *reports, struct writer *w) {
    const struct period *period = &p->periods[0];
    size_t index = 0;
    size_t first = 0;
    while (first < period->track_count && period->tracks[first].video) {
        first++;
    }
    if (first < period->track_count && rendition_of(plan, &period->tracks[first], &index) != NULL &&
        reports[index].joined.has_loudness) {
        loudness_write(&reports[index].joined.loudness, w, "loudness");
    }
}

static void timeline_write(const struct presentation *p, const struct title_plan *plan,
                           struct writer *w) {
    writer_object(w, "timeline");
    writer_int(w, "gop_frames", grid_longest_gop(plan->grid));
    writer_int(w, "segment_frames", grid_longest_segment(plan->grid));
    writer_int(w, "segments", (int64_t)plan->grid->segment_count);
    writer_array(w, "periods");
    for (size_t i = 0; i < p->period_count; i++) {
        writer_object(w, NULL);
        rational_write(w, "start_s", rational_of(0, 1));
        rational_write(w, "duration_s", rational_of(p->duration_num, p->duration_den));
        writer_array(w, "renditions");
        for (size_t t = 0; t < p->periods[i].track_count; t++) {
            writer_string(w, NULL, p->periods[i].tracks[t].id);
        }
        writer_array_end(w);
        writer_object_end(w);
    }
    writer_array_end(w);
    writer_object_end(w);
}

static void images_of_title_write(const struct title_plan *plan,
                                  const struct rendition_report *reports, struct writer *w) {
    bool any = false;
    for (size_t i = 0; i < plan->rendition_count; i++) {
        if (!plan->renditions[i].is_image) {
            continue;
        }
        if (!any) {
            writer_array(w, "images");
        }
        any = true;
        writer_object(w, NULL);
        images_write(&plan->renditions[i], &reports[i].joined, w);
        writer_object_end(w);
    }
    if (any) {
        writer_array_end(w);
    }
}

/* Why, as a class alone: sentences are for the operator, who asks the scheduler. */
static void missing_write(const struct title_plan *plan, struct writer *w) {
    if (plan->missing_count == 0) {
        return;
    }
    writer_array(w, "missing");
    for (size_t i = 0; i < plan->missing_count; i++) {
        writer_object(w, NULL);
        writer_string(w, "id", plan->missing[i].id);
        writer_string(w, "class", plan->missing[i].class);
        writer_object_end(w);
    }
    writer_array_end(w);
}

void title_document_write(const struct presentation *p, const struct title_plan *plan,
                          const struct rendition_report *reports, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "title", p->title);
    writer_string(&w, "version", p->version);
    writer_string(&w, "ladder", plan->ladder);
    rational_write(&w, "rate", plan->source.timeline.rate);
    writer_int(&w, "frames", plan->source.timeline.frames);
    rational_write(&w, "duration_s", rational_of(p->duration_num, p->duration_den));
    writer_int(&w, "duration_ms", ticks_scale(p->duration_num, 1000, p->duration_den, ROUND_NEAR));
    manifests_write(p, &w);
    languages_write(p, &w);
    loudness_of_title_write(p, plan, reports, &w);
    timeline_write(p, plan, &w);
    writer_int(&w, "frames_repaired", plan->frames_repaired);
    writer_int(&w, "frames_concealed", plan->frames_concealed);
    source_write(plan, &w);
    writer_strings(&w, "waived", plan->waived, plan->waived_count);
    writer_array(&w, "renditions");
    for (size_t i = 0; i < p->period_count; i++) {
        for (size_t t = 0; t < p->periods[i].track_count; t++) {
            track_write(&p->periods[i].tracks[t], plan, reports, &w);
        }
    }
    writer_array_end(&w);
    images_of_title_write(plan, reports, &w);
    missing_write(plan, &w);
    writer_object_end(&w);
    buf_string(out, "\n");
}
