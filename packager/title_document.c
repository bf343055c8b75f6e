/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * title.json: what the title is and what it is made of, for people, for the
 * catalog, and for those that must know which folders a kept version names.
 */
#include "common/json.h"
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
    writer_int(w, "peak_bps", track->peak_bps);
    writer_int(w, "average_bps", track->average_bps);
    writer_int(w, "segments", (int64_t)track->segment_count);
    writer_int(w, "bytes", track_bytes(track));
    if (rendition != NULL) {
        writer_string(w, "key", rendition->key);
        writer_string(w, "build_line", rendition->build_line);
        writer_int(w, "frames_repaired", reports[index].frames_repaired);
        if (rendition->is_video) {
            video_spec_write(&rendition->video, w, "spec");
        } else {
            audio_spec_write(&rendition->audio, w, "spec");
        }
    }
    writer_object_end(w);
}

static void strings_write(struct writer *w, const char *name, const char *const *list,
                          size_t count) {
    writer_array(w, name);
    for (size_t i = 0; i < count; i++) {
        writer_string(w, NULL, list[i]);
    }
    writer_array_end(w);
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
    strings_write(w, "defects", source->defects, source->defect_count);
    strings_write(w, "left_out", source->left_out, source->left_out_count);
    writer_object_end(w);
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
    writer_int(&w, "frames_repaired", plan->frames_repaired);
    writer_int(&w, "frames_concealed", plan->frames_concealed);
    source_write(plan, &w);
    strings_write(&w, "waived", plan->waived, plan->waived_count);
    writer_array(&w, "renditions");
    for (size_t i = 0; i < p->period_count; i++) {
        for (size_t t = 0; t < p->periods[i].track_count; t++) {
            track_write(&p->periods[i].tracks[t], plan, reports, &w);
        }
    }
    writer_array_end(&w);
    writer_object_end(&w);
    buf_string(out, "\n");
}
