/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coded samples in, CMAF segments out; reports in, HLS, DASH and the title
 * document out. Pure: no file, no network, no clock. The rules are those of
 * STANDARDS sections 1 to 3 and 8; the layout is ARCHITECTURE section 8.
 *
 *   segment_writer      packets -> init and media segments + reports   (task child)
 *   segment_check       one segment against what it must be            (worker, before it is put)
 *   presentation        the model that manifests are functions of
 *   presentation_check  the gate for manifests                         (package task)
 *   hls_*, dash_*, title_document_write
 *   early_*             playlists of a title that is still being encoded (early task)
 *   verify              all of it again from real bytes                (people)
 */
#ifndef PACKAGER_PACKAGER_H
#define PACKAGER_PACKAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/grid.h"
#include "common/media.h"
#include "common/wire.h"

/* Raised by hand whenever the bytes of a segment change for the same samples:
 * part of every rendition's key. */
enum { PACKAGER_LAYOUT_VERSION = 1 };

/* ---- Writing segments ---------------------------------------------------- */

/* One track, for its init segment and its timing. Exactly one of the specs is set. */
struct track_config {
    const struct video_spec *video; /* borrowed; NULL for sound */
    const struct audio_spec *audio; /* borrowed; NULL for pictures */
    uint8_t record[512];            /* payload of avcC, av1C; AudioSpecificConfig for AAC */
    size_t record_size;
    int reorder_frames; /* video: D of ARCHITECTURE section 8 */
    int priming;        /* audio: samples before presentation time 0 */
    int64_t duration;   /* audio: samples of the title after priming, for the edit list */
};

/* Appends ftyp + moov: CMAF track header. No clock reading, no encoder name. */
int init_segment_write(const struct track_config *track, struct buf *out, struct err *err);

/* RFC 6381 codecs string of the track ("avc1.64001f", "mp4a.40.2") into `out`. */
int track_codecs_string(const struct track_config *track, char *out, size_t size, struct err *err);

struct sample {
    const uint8_t *data; /* borrowed during the call */
    size_t size;
    int64_t frame; /* video: picture number in the title, presentation order */
    bool key;      /* IDR */
    bool disposable;
    int64_t duration; /* audio: samples */
};

/* Called with each whole segment, in order. `data` is borrowed during the call. */
typedef int (*segment_fn)(void *context, const struct segment_report *report, const uint8_t *data,
                          size_t size, struct err *err);

struct segment_writer;

/*
 * Writes the video segments of one chunk of one rendition. Samples arrive in
 * decode order; a segment is emitted as soon as its last sample is in. A fragment
 * is one GOP as two chunks (moof+mdat): the IDR alone, then the rest; GOP g of
 * the title has sequence numbers 2g+1 and 2g+2; dts = (first + i) x rate.den.
 * `chunk` and `track` are borrowed for the writer's life.
 */
int segment_writer_create_video(struct segment_writer **out, const struct track_config *track,
                                const struct chunk_grid *chunk, segment_fn emit, void *context,
                                struct err *err);

/*
 * Writes all segments of a sound track. Segment k ends at the first packet border
 * at or after video boundary k, computed from the origin (STANDARDS section 8).
 * `grid` is borrowed for the writer's life.
 */
int segment_writer_create_audio(struct segment_writer **out, const struct track_config *track,
                                const struct grid *grid, segment_fn emit, void *context,
                                struct err *err);

int segment_writer_sample(struct segment_writer *writer, const struct sample *sample,
                          struct err *err);

/* After the last sample: emits what is left and fails with INTERNAL where samples
 * are missing, too many, or GOPs do not begin with an IDR. */
int segment_writer_end(struct segment_writer *writer, struct err *err);
void segment_writer_destroy(struct segment_writer *writer);

/* ---- Checking segments --------------------------------------------------- */

/* Parses an init segment and compares it with the track; CORRUPT with a sentence
 * that names the box or field. */
int init_segment_check(const uint8_t *data, size_t size, const struct track_config *track,
                       struct err *err);

/*
 * Parses one media segment (boxes, sizes, counts, times, flags, IDR by NAL type,
 * fragment offsets) and compares it with its report and with what the spec says
 * it must be. `chunk` is NULL for sound.
 */
int segment_check(const uint8_t *data, size_t size, const struct track_config *track,
                  const struct chunk_grid *chunk, const struct segment_report *report,
                  struct err *err);

/* ---- Images ---------------------------------------------------------------- */

/* WebVTT in the form that players know of thumbnails: which part of which sheet is shown when. */
void thumbnails_write(const struct image_spec *spec, const struct timeline *timeline,
                      struct buf *out);

/* Whether these bytes are object `number` (rendition_object_name) of such images: a whole picture
 * of the right size by its header, or the right text. CORRUPT with a sentence. */
int image_object_check(const struct image_spec *spec, const struct timeline *timeline,
                       int64_t number, const uint8_t *data, size_t size, struct err *err);

/* ---- The presentation model ---------------------------------------------- */

/* One segment as manifests see it; times in ticks of the track's timescale, after
 * the edit list (presentation time). */
struct presented_segment {
    int64_t start;
    int64_t duration;
    int64_t bytes;
    int gop_count;                      /* video; 0 for sound */
    const struct fragment_report *gops; /* borrowed */
    const int64_t *gop_ticks;           /* duration of each */
};

struct presented_track {
    const char *id;     /* "h264-720p", "audio-und-aac-2": also the media playlist's file name */
    const char *folder; /* "video/h264-720p-0123456789": below the title */
    bool video;
    enum codec_id codec;
    const char *codecs; /* RFC 6381 */
    int64_t timescale;
    int64_t presentation_offset; /* media time of presentation time 0: D x den, or priming */
    int width, height;           /* video */
    struct rational rate;
    struct colour colour;
    int sample_rate, channels; /* audio */
    const char *language;
    int64_t init_bytes;
    size_t segment_count;
    struct presented_segment *segments;
    int64_t peak_bps;        /* measured, containers included: the largest rate over any run of */
    int64_t average_bps;     /* consecutive segments of 0.5 to 1.5 target durations; over all */
    int64_t iframe_peak_bps; /* the same of the I-frame byte ranges; 0 for sound */
    int64_t iframe_average_bps;
};

/* Sheets of small pictures; the times are of its first sheet, all are as long. */
struct presented_storyboard {
    const char *id;
    const char *folder;
    int width, height; /* of a sheet */
    int columns, rows;
    int64_t timescale;
    int64_t duration; /* ticks */
    int64_t bps;      /* of the largest sheet */
};

struct period {
    size_t track_count;
    struct presented_track *tracks; /* video before audio; video by codec, then rising peak_bps */
};

/* The model; everything in it lives in `arena` or is borrowed from reports. */
struct presentation {
    struct arena arena;
    const char *title;
    char version[17];                   /* "" until named */
    int64_t duration_num, duration_den; /* seconds: frames x den / num */
    int64_t target_duration_s;          /* EXT-X-TARGETDURATION of every playlist */
    int64_t min_buffer_ms; /* by leaky bucket at each track's peak_bps, from any GOP on */
    size_t period_count;
    struct period *periods;
    bool has_storyboard;
    struct presented_storyboard storyboard;
};

void presentation_finish(struct presentation *presentation);

/*
 * Builds the model from the plan document and the accepted reports of its
 * renditions; `reports[i]` belongs to plan->renditions[i] and must outlive the
 * model. The gate for manifests: CORRUPT names rendition and segment for a gap, an
 * overlap, two codec configurations in one track, a wrong count, unequal
 * boundaries across variants, an audio end more than one frame off.
 */
int presentation_build(struct presentation *out, const struct title_plan *plan,
                       const struct rendition_report *reports, struct err *err);

/* ---- Manifests: pure functions of the model ------------------------------- */

/* Text is appended to `out`. The two top documents name others relative to the
 * title's folder, media playlists relative to their version's folder below it. */
void hls_multivariant_write(const struct presentation *p, struct buf *out);
void hls_media_write(const struct presentation *p, const struct presented_track *track,
                     struct buf *out);
void hls_iframes_write(const struct presentation *p, const struct presented_track *track,
                       struct buf *out);
void dash_write(const struct presentation *p, struct buf *out);

/* The title document (title.json): what the title is, its renditions, versions of
 * what made it, source facts, what was assumed, repaired and left out. */
void title_document_write(const struct presentation *p, const struct title_plan *plan,
                          const struct rendition_report *reports, struct buf *out);

/* Names the version: the head (16 hex digits) of the hash of all media playlists
 * and of the top documents written with an empty version. Sets p->version. */
void presentation_name_version(struct presentation *p, const struct title_plan *plan,
                               const struct rendition_report *reports);

/* ---- Early playlists -------------------------------------------------------- */

/* Whether the rendition is watched while the title is encoded: H.264 and AAC. */
bool early_has(const struct rendition_plan *rendition);

/*
 * The model of the first `chunks` chunks of the early renditions: `reports[i]` of each of them
 * has at least their segments (sound: all of them), and must outlive the model; those of others
 * are not looked at. Rates are the most that the rungs' caps allow (of a rung without a cap:
 * twice what is there), averages unknown, and the target duration is that of the whole title.
 * CORRUPT as presentation_build.
 */
int early_build(struct presentation *out, const struct title_plan *plan,
                const struct rendition_report *reports, size_t chunks, struct err *err);

/* The multivariant playlist, relative to the title's folder; the media playlists lie in
 * `folder`, two below it ("early/17"). */
void early_multivariant_write(const struct presentation *p, const char *folder, struct buf *out);

/* `ended`: it lists all of the title. */
void early_media_write(const struct presentation *p, const struct presented_track *track,
                       bool ended, struct buf *out);

/* ---- Verify ---------------------------------------------------------------- */

/* What a server said of an object, borrowed: "" where it did not, NULL where none was asked. */
struct served {
    const char *type;     /* Content-Type */
    const char *encoding; /* Content-Encoding */
    const char *caching;  /* Cache-Control */
    const char *sharing;  /* Access-Control-Allow-Origin, where it was asked for by an Origin */
};

/* Gives the object's bytes; `path` is relative to the title's folder. `served` is zeroed before,
 * is filled in where there is no such object too, and what it borrows lives until the next call. */
typedef int (*fetch_fn)(void *context, const char *path, struct buf *out, struct served *served,
                        struct err *err);

/* A must that is broken, advice, or something that is there and was not looked into. */
enum finding_weight { FINDING_ADVICE, FINDING_MUST, FINDING_UNCHECKED };

/* One rule that titles are held to: a row of the table in verify_rules.c. */
struct verify_rule {
    enum finding_weight weight;
    const char *id;      /* "hls-targetduration": stable */
    const char *source;  /* the document that asks for it: "RFC 8216 4.3.3.1" */
    const char *meaning; /* one line */
};

/* The rules in the order of the table; NULL past the last. */
const struct verify_rule *verify_rule_at(size_t index);

/* The rule of that id; NULL for none. */
const struct verify_rule *verify_rule_find(const char *id);

/* 0 where a title may waive it; INVALID with a sentence that lists names of advice near `id`. */
int verify_check_waivable(const char *id, struct err *err);

struct finding {
    enum finding_weight weight;
    const char *rule;    /* id of the rule that is broken */
    const char *path;    /* the object it is about */
    const char *message; /* one sentence; of what is unchecked, "not checked: ..." */
};

typedef void (*finding_fn)(void *context, const struct finding *finding);

struct verify_summary {
    int64_t objects;
    int64_t segments;
    int64_t musts; /* breaches of each weight, those not told one by one included */
    int64_t advice;
    int64_t unchecked; /* things that are there and that verify does not read */
    int64_t waived;    /* breaches of advice that title.json waives: not told, not in `advice` */
};

/*
 * Reads a title as a player would, from master.m3u8 and manifest.mpd to every
 * segment, and tells each breach of the rules, and what it does not check; of many
 * breaches of one rule the first few, and then how many more. Decodes nothing and trusts nothing
 * that it reads. Texts are printable ASCII. Negative only where it could not look at all (no
 * manifest); findings are no error. `summary` is filled either way.
 */
int verify_title(fetch_fn fetch, void *context, finding_fn found, void *found_context,
                 struct verify_summary *summary, struct err *err);

#endif
