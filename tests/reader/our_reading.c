/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our own readers make of published files, as one line of JSON a file: every box with
 * its place, and every fact of init segments, media segments, playlists and MPDs. tests/reader
 * compares it with what others read. A media segment belongs to the init segment before it.
 * Usage: our-reading FILE...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "packager/aac.h"
#include "packager/av1.h"
#include "packager/avc.h"
#include "packager/cmaf_reader.h"
#include "packager/m3u8.h"
#include "packager/mpd.h"

enum { FILE_BYTES_MAX = 1 << 28, VISUAL_ENTRY_FIELDS = 78, SOUND_ENTRY_FIELDS = 28 };

static struct buf init_bytes; /* of the init segment that came last; `init` borrows them */
static struct init_facts init;

/* ---- Boxes ------------------------------------------------------------------------ */

/* Bytes of the box's own fields before its children; -1 where it has none. */
static int fields_before_children(const struct mp4_box *box) {
    static const char *const plain[] = {"moov", "trak", "edts", "mdia", "minf",
                                        "dinf", "stbl", "mvex", "moof", "traf"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (mp4_is(box, plain[i])) {
            return 0;
        }
    }
    if (mp4_is(box, "stsd") || mp4_is(box, "dref")) {
        return 8;
    }
    const struct track_codec *codec;
    if (track_codec_find_entry(&codec, box->type, NULL) == 0) {
        return codec_is_video(codec->codec) ? VISUAL_ENTRY_FIELDS : SOUND_ENTRY_FIELDS;
    }
    return -1;
}

static int boxes_write(struct writer *w, const uint8_t *data, struct bytes in, int depth,
                       struct err *err) {
    while (bytes_left(&in) > 0) {
        struct mp4_box box;
        int failed = mp4_next(&in, &box, err);
        if (failed != 0) {
            return failed;
        }
        writer_object(w, NULL);
        writer_string(w, "type", box.type);
        writer_int(w, "start", box.start - data);
        writer_int(w, "size", (int64_t)box.size);
        writer_int(w, "depth", depth);
        writer_object_end(w);
        int fields = fields_before_children(&box);
        if (fields >= 0) {
            bytes_take(&box.body, (size_t)fields);
            failed = boxes_write(w, data, box.body, depth + 1, err);
        }
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

static int tree_write(struct writer *w, const struct buf *bytes, struct err *err) {
    writer_array(w, "boxes");
    int failed = boxes_write(w, bytes->data, bytes_of(bytes->data, bytes->size), 0, err);
    writer_array_end(w);
    return failed;
}

static void brands_write(struct writer *w, struct bytes brands) {
    writer_array(w, "brands");
    while (bytes_left(&brands) >= 4) {
        char text[5] = {0};
        memcpy(text, bytes_take(&brands, 4), 4);
        writer_string(w, NULL, text);
    }
    writer_array_end(w);
}

/* ---- Init segments ---------------------------------------------------------------- */

static int h264_write(struct writer *w, struct err *err) {
    struct avc_record record;
    int failed = avc_record_read(&record, init.record, init.record_size, err);
    if (failed == 0) {
        writer_int(w, "profile", record.profile);
        writer_int(w, "compatibility", record.compatibility);
        writer_int(w, "level", record.level);
        writer_int(w, "chroma", (int)record.sps.chroma);
        writer_int(w, "bit_depth", record.sps.bit_depth);
        writer_int(w, "chroma_bit_depth", record.sps.chroma_bit_depth);
        writer_int(w, "width", record.sps.width);
        writer_int(w, "height", record.sps.height);
        writer_bool(w, "frames_only", record.sps.frames_only);
        writer_bool(w, "square_pixels", record.sps.signal.square_pixels);
        writer_int(w, "primaries", record.sps.signal.primaries);
        writer_int(w, "transfer", record.sps.signal.transfer);
        writer_int(w, "matrix", record.sps.signal.matrix);
        writer_bool(w, "full_range", record.sps.signal.full_range);
        writer_int(w, "chroma_location", record.sps.chroma_location);
        writer_int(w, "reorder_frames", record.sps.reorder_frames);
    }
    return failed;
}

static int av1_write(struct writer *w, struct err *err) {
    struct av1_record record;
    int failed = av1_record_read(&record, init.record, init.record_size, err);
    if (failed == 0) {
        writer_int(w, "profile", record.sequence.profile);
        writer_int(w, "level", record.sequence.level);
        writer_int(w, "tier", record.sequence.tier);
        writer_int(w, "chroma", (int)record.sequence.chroma);
        writer_int(w, "bit_depth", record.sequence.bit_depth);
        writer_int(w, "chroma_position", record.sequence.chroma_position);
        writer_int(w, "width", record.sequence.width);
        writer_int(w, "height", record.sequence.height);
        writer_int(w, "primaries", record.sequence.signal.primaries);
        writer_int(w, "transfer", record.sequence.signal.transfer);
        writer_int(w, "matrix", record.sequence.signal.matrix);
        writer_bool(w, "full_range", record.sequence.signal.full_range);
        writer_bool(w, "still", record.sequence.still);
        writer_bool(w, "timing", record.sequence.timing);
    }
    return failed;
}

static int aac_write(struct writer *w, struct err *err) {
    struct aac_config config;
    int failed = aac_config_read(&config, init.record, init.record_size, err);
    if (failed == 0) {
        writer_int(w, "object_type", config.object_type);
        writer_int(w, "sample_rate", config.sample_rate);
        writer_int(w, "channels", config.channels);
    }
    return failed;
}

static const struct {
    enum codec_id codec;
    int (*write)(struct writer *w, struct err *err);
} records[] = {{CODEC_H264, h264_write}, {CODEC_AV1, av1_write}, {CODEC_AAC, aac_write}};

static int record_write(struct writer *w, struct err *err) {
    struct buf hex = {0};
    char codecs[64] = "";
    for (size_t i = 0; i < init.record_size; i++) {
        buf_format(&hex, "%02x", init.record[i]);
    }
    writer_string(w, "record", buf_text(&hex));
    buf_finish(&hex);
    int failed =
        init.codec->codecs_string(init.record, init.record_size, codecs, sizeof(codecs), err);
    writer_string(w, "codecs", codecs);
    writer_object(w, "codec");
    for (size_t i = 0; failed == 0 && i < sizeof(records) / sizeof(records[0]); i++) {
        if (records[i].codec == init.codec->codec) {
            failed = records[i].write(w, err);
        }
    }
    writer_object_end(w);
    return failed;
}

static void track_write(struct writer *w) {
    writer_bool(w, "clock", init.clock);
    writer_int(w, "movie_timescale", init.movie_timescale);
    writer_int(w, "movie_duration", (int64_t)init.movie_duration);
    writer_int(w, "track_duration", (int64_t)init.track_duration);
    writer_int(w, "media_duration", (int64_t)init.media_duration);
    writer_int(w, "track_id", init.track_id);
    writer_bool(w, "video", init.video);
    writer_int(w, "timescale", init.timescale);
    writer_string(w, "language", init.language);
    writer_string(w, "language_tag", init.language_tag);
    writer_bool(w, "has_edit", init.has_edit);
    if (init.has_edit) {
        writer_int(w, "edit_duration", (int64_t)init.edit_duration);
        writer_int(w, "edit_media_time", init.edit_media_time);
    }
    writer_int(w, "default_track_id", init.defaults.track_id);
    writer_int(w, "default_duration", init.defaults.duration);
    writer_int(w, "default_size", init.defaults.size);
    writer_int(w, "default_flags", init.defaults.flags);
    writer_int(w, "width", init.width);
    writer_int(w, "height", init.height);
}

static void sample_entry_write(struct writer *w) {
    writer_string(w, "sample_entry", init.codec->sample_entry);
    if (!init.video) {
        writer_int(w, "channels", init.channels);
        writer_int(w, "sample_rate", init.sample_rate);
        return;
    }
    writer_int(w, "entry_width", init.entry_width);
    writer_int(w, "entry_height", init.entry_height);
    writer_bool(w, "has_colour", init.has_colour);
    writer_int(w, "primaries", init.signal.primaries);
    writer_int(w, "transfer", init.signal.transfer);
    writer_int(w, "matrix", init.signal.matrix);
    writer_bool(w, "full_range", init.signal.full_range);
    writer_bool(w, "has_aspect", init.has_aspect);
    writer_int(w, "aspect_wide", init.aspect_wide);
    writer_int(w, "aspect_high", init.aspect_high);
}

static int init_write(struct writer *w, const struct buf *bytes, struct err *err) {
    buf_clear(&init_bytes);
    buf_append(&init_bytes, bytes->data, bytes->size);
    int failed = init_segment_read(&init, init_bytes.data, init_bytes.size, err);
    if (failed == 0) {
        failed = tree_write(w, bytes, err);
    }
    if (failed == 0) {
        writer_string(w, "major_brand", init.major_brand);
        brands_write(w, init.brands);
        track_write(w);
        sample_entry_write(w);
        failed = record_write(w, err);
    }
    return failed;
}

/* ---- Media segments --------------------------------------------------------------- */

static int samples_write(struct writer *w, const struct media_facts *facts,
                         const struct chunk_facts *chunk, struct err *err) {
    const uint8_t *data = chunk->payload;
    int failed = 0;
    writer_array(w, "samples");
    for (size_t i = 0; failed == 0 && i < chunk->sample_count; i++) {
        const struct run_sample *sample = &facts->samples[chunk->first_sample + i];
        struct sample_look look = {0};
        failed =
            init.codec->sample_read(init.record, init.record_size, data, sample->size, &look, err);
        writer_object(w, NULL);
        writer_int(w, "size", sample->size);
        writer_int(w, "duration", sample->duration);
        writer_int(w, "offset", sample->offset);
        writer_int(w, "flags", sample->flags);
        writer_bool(w, "key", look.key);
        writer_bool(w, "disposable", look.disposable);
        writer_object_end(w);
        data += sample->size;
    }
    writer_array_end(w);
    return failed;
}

static int media_write(struct writer *w, const struct buf *bytes, struct err *err) {
    struct media_facts facts = {0};
    int failed = media_segment_read(&facts, bytes->data, bytes->size, &init.defaults, err);
    if (failed == 0) {
        failed = tree_write(w, bytes, err);
        writer_bool(w, "has_type", facts.has_type);
        brands_write(w, facts.brands);
        writer_array(w, "chunks");
    }
    for (size_t i = 0; failed == 0 && i < facts.chunk_count; i++) {
        const struct chunk_facts *chunk = &facts.chunks[i];
        writer_object(w, NULL);
        writer_int(w, "offset", (int64_t)chunk->offset);
        writer_int(w, "header_size", (int64_t)chunk->header_size);
        writer_int(w, "size", (int64_t)chunk->size);
        writer_int(w, "sequence", chunk->sequence);
        writer_int(w, "decode_time", (int64_t)chunk->decode_time);
        writer_int(w, "duration", (int64_t)chunk->duration);
        writer_int(w, "payload_size", (int64_t)chunk->payload_size);
        failed = samples_write(w, &facts, chunk, err);
        writer_object_end(w);
    }
    if (failed == 0) {
        writer_array_end(w);
    }
    media_facts_finish(&facts);
    return failed;
}

/* ---- Playlists -------------------------------------------------------------------- */

static void list_write(struct writer *w, const char *name, const struct m3u8_list *list) {
    writer_array(w, name);
    for (size_t i = 0; i < list->count; i++) {
        const struct m3u8_item *item = &list->items[i];
        writer_object(w, NULL);
        writer_int(w, "line", item->line);
        writer_string(w, "uri", item->uri);
        writer_array(w, "attributes");
        for (size_t a = 0; a < item->attribute_count; a++) {
            writer_object(w, NULL);
            writer_string(w, "name", item->attributes[a].name);
            writer_string(w, "value", item->attributes[a].value);
            writer_bool(w, "quoted", item->attributes[a].quoted);
            writer_object_end(w);
        }
        writer_array_end(w);
        writer_object_end(w);
    }
    writer_array_end(w);
}

static void playlist_segments_write(struct writer *w, const struct m3u8 *playlist) {
    writer_array(w, "segments");
    for (size_t i = 0; i < playlist->segment_count; i++) {
        const struct m3u8_segment *segment = &playlist->segments[i];
        writer_object(w, NULL);
        writer_string(w, "uri", segment->uri);
        writer_int(w, "nanoseconds", segment->nanoseconds);
        writer_int(w, "decimals", segment->decimals);
        writer_bool(w, "discontinuity", segment->discontinuity);
        writer_bool(w, "has_range", segment->has_range);
        if (segment->has_range) {
            writer_int(w, "range_size", segment->range_size);
            writer_int(w, "range_offset", segment->range_offset);
        }
        writer_object_end(w);
    }
    writer_array_end(w);
}

static void attribute_write(struct writer *w, const char *name, const char *value) {
    writer_object(w, NULL);
    writer_string(w, "name", name);
    writer_string(w, "value", value);
    writer_bool(w, "quoted", true);
    writer_object_end(w);
}

static void maps_write(struct writer *w, const struct m3u8 *playlist) {
    writer_array(w, "maps");
    for (size_t i = 0; i < playlist->map_count; i++) {
        const struct m3u8_map *map = &playlist->maps[i];
        writer_object(w, NULL);
        writer_int(w, "line", map->line);
        writer_string(w, "uri", map->uri);
        writer_array(w, "attributes");
        attribute_write(w, "URI", map->uri);
        if (map->has_range) {
            char range[64];
            snprintf(range, sizeof(range), "%" PRId64 "@%" PRId64, map->range_size,
                     map->range_offset);
            attribute_write(w, "BYTERANGE", range);
        }
        writer_array_end(w);
        writer_object_end(w);
    }
    writer_array_end(w);
}

static int playlist_write(struct writer *w, const struct buf *bytes, struct err *err) {
    struct m3u8 playlist;
    int failed = m3u8_read(&playlist, bytes->data, bytes->size, err);
    if (failed != 0) {
        return failed;
    }
    writer_bool(w, "multivariant", playlist.multivariant);
    writer_int(w, "version", playlist.version);
    writer_bool(w, "independent", playlist.independent);
    list_write(w, "variants", &playlist.variants);
    list_write(w, "iframe_variants", &playlist.iframe_variants);
    list_write(w, "media", &playlist.media);
    maps_write(w, &playlist);
    writer_int(w, "target_s", playlist.target_s);
    writer_int(w, "media_sequence", playlist.media_sequence);
    writer_int(w, "discontinuity_sequence", playlist.discontinuity_sequence);
    writer_string(w, "type", playlist.type);
    writer_bool(w, "iframes_only", playlist.iframes_only);
    writer_bool(w, "ended", playlist.ended);
    writer_bool(w, "map_first", playlist.segment_count > 0 && playlist.segments[0].map > 0);
    playlist_segments_write(w, &playlist);
    m3u8_finish(&playlist);
    return 0;
}

/* ---- MPDs ------------------------------------------------------------------------- */

static void representation_write(struct writer *w, const struct mpd_representation *r) {
    char rate[64];
    snprintf(rate, sizeof(rate), "%" PRId64 "/%" PRId64, r->frame_rate.num, r->frame_rate.den);
    writer_object(w, NULL);
    writer_string(w, "id", r->id);
    writer_int(w, "set", r->set);
    writer_int(w, "bandwidth", r->bandwidth);
    writer_string(w, "mime_type", r->mime_type);
    writer_string(w, "codecs", r->codecs);
    writer_int(w, "width", r->width);
    writer_int(w, "height", r->height);
    writer_string(w, "frame_rate", rate);
    writer_string(w, "sample_aspect", r->sample_aspect);
    writer_int(w, "sampling_rate", r->sampling_rate);
    writer_int(w, "channels", r->channels);
    writer_int(w, "primaries", r->primaries);
    writer_int(w, "transfer", r->transfer);
    writer_int(w, "matrix", r->matrix);
    writer_strings(w, "bases", r->bases, MPD_BASES_MAX);
    writer_bool(w, "timeline", r->timeline);
    writer_int(w, "timescale", r->timescale);
    writer_int(w, "presentation_offset", r->presentation_offset);
    writer_string(w, "initialization", r->initialization);
    writer_array(w, "segments");
    for (size_t i = 0; i < r->segment_count; i++) {
        writer_object(w, NULL);
        writer_string(w, "reference", r->segments[i].reference);
        writer_int(w, "time", r->segments[i].time);
        writer_int(w, "duration", r->segments[i].duration);
        writer_object_end(w);
    }
    writer_array_end(w);
    writer_object_end(w);
}

static void tiles_write(struct writer *w, const struct mpd_tiles *tiles) {
    writer_object(w, NULL);
    writer_string(w, "set_id", tiles->set_id);
    writer_string(w, "id", tiles->id);
    writer_string(w, "mime_type", tiles->mime_type);
    writer_string(w, "tile", tiles->tile);
    writer_int(w, "width", tiles->width);
    writer_int(w, "height", tiles->height);
    writer_int(w, "bandwidth", tiles->bandwidth);
    writer_strings(w, "bases", tiles->bases, MPD_BASES_MAX);
    writer_int(w, "timescale", tiles->timescale);
    writer_int(w, "duration", tiles->duration);
    writer_strings(w, "sheets", tiles->sheets, tiles->sheet_count);
    writer_object_end(w);
}

/* Ours have one. */
static void period_write(struct writer *w, const struct mpd_period *period) {
    writer_string(w, "period_id", period->id);
    writer_int(w, "period_start_ns", period->start_ns);
    writer_int(w, "period_duration_ns", period->duration_ns);
    writer_array(w, "sets");
    for (size_t i = 0; i < period->set_count; i++) {
        writer_object(w, NULL);
        writer_string(w, "id", period->sets[i].id);
        writer_string(w, "content_type", period->sets[i].content_type);
        writer_string(w, "language", period->sets[i].language);
        writer_string(w, "aspect", period->sets[i].aspect);
        writer_string(w, "switches_with", period->sets[i].switches_with);
        writer_string(w, "trick_of", period->sets[i].trick_of);
        writer_string(w, "role", period->sets[i].role);
        writer_bool(w, "aligned", period->sets[i].aligned);
        writer_bool(w, "starts_with_sap", period->sets[i].starts_with_sap);
        writer_object_end(w);
    }
    writer_array_end(w);
    writer_array(w, "representations");
    for (size_t i = 0; i < period->representation_count; i++) {
        representation_write(w, &period->representations[i]);
    }
    writer_array_end(w);
    writer_array(w, "tiles");
    for (size_t i = 0; i < period->tiles_count; i++) {
        tiles_write(w, &period->tiles[i]);
    }
    writer_array_end(w);
}

static int mpd_write(struct writer *w, const struct buf *bytes, struct err *err) {
    struct mpd mpd;
    int failed = mpd_read(&mpd, bytes->data, bytes->size, err);
    if (failed != 0) {
        return failed;
    }
    writer_string(w, "type", mpd.type);
    writer_string(w, "profiles", mpd.profiles);
    writer_int(w, "duration_ns", mpd.duration_ns);
    writer_int(w, "min_buffer_ns", mpd.min_buffer_ns);
    writer_int(w, "period_count", (int64_t)mpd.period_count);
    period_write(w, &mpd.periods[0]);
    mpd_finish(&mpd);
    return 0;
}

/* ---- Files ------------------------------------------------------------------------ */

static const struct {
    const char *ending, *kind;
    int (*write)(struct writer *w, const struct buf *bytes, struct err *err);
} kinds[] = {
    {"init.mp4", "init", init_write},
    {".m4s", "media", media_write},
    {".m3u8", "playlist", playlist_write},
    {".mpd", "mpd", mpd_write},
};

static int file_write(const char *path, struct buf *out, struct err *err) {
    struct writer w = writer_of(out);
    struct buf bytes = {0};
    int failed = fs_read(&bytes, path, FILE_BYTES_MAX, err);
    size_t kind = 0;
    while (failed == 0 && kind < sizeof(kinds) / sizeof(kinds[0])) {
        size_t length = strlen(kinds[kind].ending);
        if (strlen(path) >= length &&
            strcmp(path + strlen(path) - length, kinds[kind].ending) == 0) {
            break;
        }
        kind++;
    }
    if (failed == 0 && kind == sizeof(kinds) / sizeof(kinds[0])) {
        failed = err_set(err, ERR_UNSUPPORTED, "a file of no known name");
    }
    if (failed == 0) {
        writer_object(&w, NULL);
        writer_string(&w, "path", path);
        writer_string(&w, "kind", kinds[kind].kind);
        failed = kinds[kind].write(&w, &bytes, err);
        writer_object_end(&w);
        buf_string(out, "\n");
    }
    buf_finish(&bytes);
    return failed;
}

int main(int argc, char **argv) {
    struct buf out = {0};
    int failed = 0;
    for (int i = 1; failed == 0 && i < argc; i++) {
        struct err err = {0};
        buf_clear(&out);
        failed = file_write(argv[i], &out, &err);
        if (failed == 0) {
            fputs(buf_text(&out), stdout);
        } else {
            fprintf(stderr, "our-reading: %s: %s\n", argv[i], err.message);
        }
    }
    buf_finish(&out);
    buf_finish(&init_bytes);
    return failed != 0;
}
