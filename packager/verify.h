/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of verify share. The way: manifests are read into listings (which
 * objects, in which order); every listed object is read once and reduced to facts;
 * then what manifests declare is compared with the facts. Private to packager/.
 *
 *   verify.c           the way as a whole, findings, fetching
 *   verify_rules.c     the table of rules
 *   verify_objects.c   objects by their addresses
 *   verify_tracks.c    init segments; segments in the order of a listing; what they measure
 *   verify_beside.c    tracks beside each other: boundaries, ends, advice
 *   verify_segments.c  one media segment
 *   verify_served.c    how a server gives objects
 *   verify_extras.c    boxes of segments that only others write
 *   verify_codec.c     what configuration records say
 *   verify_hdr.c       pictures of high dynamic range
 *   verify_hls.c       the multivariant playlist against facts
 *   verify_groups.c    its groups of renditions
 *   verify_variants.c  its variants beside each other
 *   verify_playlists.c media playlists against facts
 *   verify_stretches.c what of them lies under one EXT-X-MAP and in one timeline
 *   verify_dates.c     tags of media playlists that only others write
 *   verify_text.c      subtitles of HLS
 *   verify_early.c     early playlists against those of the version
 *   verify_dash.c      the MPD and its Representations against facts
 *   verify_sets.c      AdaptationSets
 *   verify_periods.c   Periods one after the other, and all of them beside HLS
 *   verify_index.c     Representations in one file with an index
 *   verify_dash_text.c subtitles of DASH
 *   verify_document.c  title.json and the version's own copies
 *   verify_cap.c       the caps that it tells of
 *   verify_images.c    posters and storyboards that it tells of
 *   verify_protection.c what is encrypted, and what is told of that
 *   verify_tiles.c     the MPD's sheets of thumbnails, against those too
 *   verify_unchecked.c what no rule reads
 *
 * To add a rule: a row in verify_rules.c with its enum rule here, and one call of
 * verify_found where it can be broken. tests/test_verify*.c want damage for each row.
 */
#ifndef PACKAGER_VERIFY_H
#define PACKAGER_VERIFY_H

#include "cmaf_reader.h"
#include "common/hash.h"
#include "m3u8.h"
#include "mpd.h"
#include "packager/packager.h"

enum rule {
    RULE_OBJECT_MISSING,
    RULE_OBJECT_REFERENCE,
    RULE_TITLE_BOUNDS,
    RULE_HLS_SYNTAX,
    RULE_HLS_VERSION,
    RULE_HLS_INDEPENDENT,
    RULE_HLS_VOD,
    RULE_HLS_ENDLIST,
    RULE_HLS_MAP,
    RULE_HLS_KEY,
    RULE_HLS_SEQUENCE,
    RULE_HLS_DISCONTINUITY,
    RULE_HLS_TARGETDURATION,
    RULE_HLS_TARGET_EQUAL,
    RULE_HLS_EXTINF,
    RULE_HLS_EXTINF_SUM,
    RULE_HLS_BANDWIDTH,
    RULE_HLS_AVERAGE_BANDWIDTH,
    RULE_HLS_CODECS,
    RULE_HLS_RESOLUTION,
    RULE_HLS_FRAME_RATE,
    RULE_HLS_VIDEO_RANGE,
    RULE_HLS_GROUP,
    RULE_HLS_SUBTITLES,
    RULE_HLS_CAPTIONS,
    RULE_HLS_CHANNELS,
    RULE_HLS_IFRAME_ATTRIBUTES,
    RULE_HLS_IFRAME_RANGE,
    RULE_HLS_IFRAME_LIST,
    RULE_HLS_DATERANGE,
    RULE_HLS_PARTS,
    RULE_TEXT_SYNTAX,
    RULE_TEXT_TIME,
    RULE_TEXT_COVERAGE,
    RULE_EARLY_EVENT,
    RULE_EARLY_HEAD,
    RULE_EARLY_END,
    RULE_EARLY_VARIANT,
    RULE_DASH_SYNTAX,
    RULE_DASH_STATIC,
    RULE_DASH_PROFILE,
    RULE_DASH_PERIOD,
    RULE_DASH_ID,
    RULE_DASH_ADDRESSING,
    RULE_DASH_INDEX,
    RULE_DASH_DRIFT,
    RULE_DASH_TIMESCALE,
    RULE_DASH_TIMELINE,
    RULE_DASH_GAP,
    RULE_DASH_COVERAGE,
    RULE_DASH_DURATION,
    RULE_DASH_BANDWIDTH,
    RULE_DASH_BUFFER,
    RULE_DASH_CODECS,
    RULE_DASH_SIZE,
    RULE_DASH_FRAME_RATE,
    RULE_DASH_COLOUR,
    RULE_DASH_COLOUR_ESSENTIAL,
    RULE_DASH_AUDIO,
    RULE_DASH_SET,
    RULE_DASH_SWITCHING,
    RULE_DASH_TRICK_MODE,
    RULE_DASH_ROLE,
    RULE_DASH_TEXT,
    RULE_DASH_PROTECTION,
    RULE_DASH_KEY,
    RULE_DASH_TILES,
    RULE_CMAF_INIT,
    RULE_CMAF_BRAND,
    RULE_CMAF_DURATION,
    RULE_CMAF_PICTURE_BOXES,
    RULE_CMAF_PICTURE_SIZE,
    RULE_CMAF_EDIT_LIST,
    RULE_CMAF_SEGMENT,
    RULE_CMAF_DECODE_TIME,
    RULE_CMAF_SEQUENCE,
    RULE_CMAF_SAMPLE_DURATION,
    RULE_CMAF_SAMPLE_FLAGS,
    RULE_CMAF_INDEX,
    RULE_CMAF_EVENT,
    RULE_CMAF_PROTECTION,
    RULE_CODEC_SAMPLE,
    RULE_CODEC_RECORD,
    RULE_CODEC_LEVEL,
    RULE_CODEC_STILL,
    RULE_VIDEO_KEY,
    RULE_VIDEO_GOP,
    RULE_VIDEO_ORDER,
    RULE_VIDEO_COLOUR,
    RULE_HDR_SIGNAL,
    RULE_HDR_METADATA,
    RULE_VIDEO_BOUNDARIES,
    RULE_AUDIO_CONFIG,
    RULE_AUDIO_BOUNDARY,
    RULE_AUDIO_LENGTH,
    RULE_AUDIO_LANGUAGE,
    RULE_HLS_DASH_AGREE,
    RULE_TITLE_DOCUMENT,
    RULE_RUNG_CAP,
    RULE_IMAGE_FILE,
    RULE_STORYBOARD_CUES,
    RULE_STORYBOARD_AGREE,
    RULE_VERSION_COPY,
    RULE_VERSION_NAME,
    RULE_HTTP_TYPE,
    RULE_HTTP_GZIP,
    RULE_HTTP_ERROR,
    RULE_HTTP_SHARING,
    RULE_EARLY_START,
    RULE_EARLY_TOGETHER,
    RULE_EARLY_BANDWIDTH,
    RULE_HLS_OPTIONAL,
    RULE_HLS_MAP_UNUSED,
    RULE_HLS_CODING_CHANGE,
    RULE_HLS_CLOSED_CAPTIONS,
    RULE_HLS_IFRAME_MISSING,
    RULE_HLS_GROUP_ALIKE,
    RULE_HLS_GROUP_CODEC,
    RULE_HLS_STEREO,
    RULE_HLS_SUBTITLES_REACH,
    RULE_HLS_CHARACTERISTICS,
    RULE_HLS_STEERING,
    RULE_HLS_SPLICE,
    RULE_HLS_PART_HOLD_BACK,
    RULE_HLS_LOW_LATENCY,
    RULE_TEXT_STRAY,
    RULE_TEXT_AGREE,
    RULE_DASH_OPTIONAL,
    RULE_DASH_TRICK_RATE,
    RULE_HLS_FIRST_VARIANT,
    RULE_CODEC_NEIGHBOUR,
    RULE_RUNG_SPACING,
    RULE_RUNG_GAP,
    RULE_RUNG_PEAK,
    RULE_VIDEO_PROFILE,
    RULE_VIDEO_RATE,
    RULE_VIDEO_KEY_DISTANCE,
    RULE_VIDEO_ONE_COLOUR,
    RULE_VIDEO_COLOUR_TOLD,
    RULE_HDR_RANGE,
    RULE_HDR_ALONE,
    RULE_HDR_METADATA_MISSING,
    RULE_SEGMENT_LENGTH,
    RULE_CODEC_LEVEL_RATE,
    RULE_CODEC_LEVEL_SPARE,
    RULE_CODEC_TIMING,
    RULE_CODEC_SPARE,
    RULE_CODEC_PARAMETER_SETS,
    RULE_CMAF_SEGMENT_TYPE,
    RULE_CMAF_CLOCK,
    RULE_CMAF_PRODUCER_TIME,
    RULE_IMAGE_COLOUR,
    RULE_IMAGE_MISSING,
    RULE_UNCHECKED_CODEC,
    RULE_UNCHECKED_ENCRYPTION,
    RULE_UNCHECKED_TEXT,
    RULE_UNCHECKED_PERIOD,
    RULE_UNCHECKED_MANIFEST,
    RULE_COUNT
};

/* Times of an MPD and real ones may differ by the microsecond to which they are rounded; and a
 * Period may end up to a millisecond after its longest track, so that no player takes the end of
 * the one for being past the other. */
enum { ROUNDING_NS = 1000, PERIOD_ROUNDING_NS = 1000 * 1000 + ROUNDING_NS };

/* Transfer characteristics of high dynamic range, by ITU-T H.273. */
enum { TRANSFER_PQ = 16, TRANSFER_HLG = 18 };

/* ---- Facts ----------------------------------------------------------------------- */

/* What a configuration record says. */
struct codec_facts {
    int width, height; /* pictures */
    struct picture_signal signal;
    int reorder_frames;      /* -1 where it is not said */
    bool level_holds;        /* at the rate that was asked with */
    int64_t level_decoded;   /* samples of luma that it allows to decode a second; 0 not judged */
    int64_t level_bps;       /* the most that the level allows; 0 where it is none that is known */
    int64_t level_below_bps; /* the same of the lower ones that hold too; 0 where none does */
    bool still;              /* AV1: one picture alone */
    bool timing;             /* AV1: it tells times, which are the container's to tell */
    int bit_depth;           /* of pictures */
    bool plain;              /* what every player decodes: see RULE_VIDEO_PROFILE */
    int sample_rate;         /* sound */
    int channels;            /* 0 where it is not known */
    int priming;             /* samples that its record asks to skip; -1 where it says nothing */
    bool sets_elsewhere;     /* HEVC: parameter sets may stand in samples */
    const char *fault;       /* in what the record contradicts its stream; NULL for nothing */
};

/* Reads the record of an init segment; `rate` is that of the pictures, {0, 1} where
 * it is not known. */
int codec_facts_read(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                     struct err *err);

/* One GOP of a segment. */
struct real_gop {
    size_t offset; /* bytes from the segment's start */
    size_t size;
    size_t key_size; /* up to the end of its key picture; 0 where no chunk begins with that */
    int64_t start;   /* ticks from the segment's start */
    int64_t ticks;
};

struct real_segment {
    const char *path;
    bool readable; /* all below is known */
    int64_t bytes;
    char sha256[SHA256_TEXT];
    int64_t decode_time; /* ticks */
    int64_t duration;
    int64_t first_shown; /* composition time of the first picture or packet */
    int64_t frames;      /* AV1: to be decoded, those not shown too */
    uint32_t first_sequence, last_sequence;
    size_t gop_count; /* pictures */
    struct real_gop *gops;
    size_t sample_count; /* pictures of titles with a title.json */
    uint32_t *sizes;     /* of each, bytes */
};

/* A picture to look at. */
struct real_image {
    const char *path;
    bool there;
    int64_t bytes;
    char sha256[SHA256_TEXT];
    int width; /* 0 where it is no whole picture */
    int height;
};

/* What title.json tells of a rung's cap; 0 for none. */
struct told_cap {
    int64_t maxrate_bps;
    int64_t bufsize_bits;
    int64_t init_percent; /* of the buffer that is full where a chunk begins */
};

/* What title.json tells of its storyboard. */
struct told_storyboard {
    bool told;
    struct image_spec spec;
    size_t sheet_count;
    const char **sheets; /* paths; NULL where one is none */
};

/* An address is a path below the title's folder; behind it stands "#bytes=0-799" where a manifest
 * names so many bytes of that object. All that is listed has one. */

/* An init segment and all segments that any listing has under it. */
struct real_track {
    const char *init; /* its path; "" where a playlist has none */
    bool readable;    /* `facts` and `codec` are known */
    bool sealed;      /* encrypted as a whole: bytes that tell nothing */
    struct buf bytes; /* of the init segment, which `facts` borrows */
    struct init_facts facts;
    struct codec_facts codec;
    char codecs[64];     /* RFC 6381 */
    int64_t frame_ticks; /* of each sample; 0 until one was read */
    size_t segment_count;
    struct real_segment *segments; /* by rising path */
};

/* Presentation times of a segment, in ticks after the edit list. */
int64_t real_start(const struct real_track *track, const struct real_segment *segment);
int64_t real_end(const struct real_track *track, const struct real_segment *segment);

/* Pictures a second; {0, 1} where not known. */
struct rational real_rate(const struct real_track *track);

/* How long a frame or packet lasts, rounded up; 0 where not known. */
int64_t real_frame_ns(const struct real_track *track);

/* What ends last of all that is listed in a Period and can be read; zero where nothing is. */
struct ending {
    int64_t at_ns;    /* in the Period; no later than its end, where another one is behind it */
    int64_t frame_ns; /* of its last frame or packet */
};

/* A Period of the MPD, and the listings of its Representations. */
struct dash_period {
    struct mpd_period *told;
    const char *place;         /* in sentences: " of Period 2"; "" where there is but one */
    bool last;                 /* no other comes behind it, in this document or another */
    struct listing **listings; /* of told->representations; NULL for none */
    struct ending ending;      /* set once objects are read */
};

/* Which objects one stretch of a media playlist, or one Representation, names, in its order. A
 * stretch is what of a playlist lies under one EXT-X-MAP and in one timeline: mostly all of it. */
struct listing {
    const char *manifest; /* path, for findings */
    const char *label;    /* in sentences: "this playlist", "Representation h264-720p" */
    const struct mpd_representation *told; /* NULL of a playlist */
    const struct dash_period *period; /* that it is a part of; NULL: HLS, or of the whole title */
    size_t stretch, stretches; /* which it is of those of its playlist; 0 and 1 of all else */
    size_t first;              /* entry of its playlist; 0 of all else */
    bool sealed;               /* its segments are encrypted as a whole */
    bool iframes;              /* paths may repeat, and their order is not that of time */
    const char *init;
    size_t count;
    const char **paths;
    struct real_track *track;             /* set once objects are read */
    const struct real_segment **segments; /* of each path */
    int64_t origin; /* tick of the track, after the edit list, at which its Period or stretch
                       begins; 0 of the first one of a playlist */
    const struct listing *same; /* an earlier one of the same objects */
    bool agrees;                /* of a Representation: HLS lists its objects so too */
    bool whole;                 /* all is readable and gapless, and measured: */
    int64_t peak_bps, average_bps;
};

/* ---- The whole ------------------------------------------------------------------- */

enum {
    VERIFY_PLAYLISTS_MAX = 256,
    VERIFY_LISTED_MAX = 1 << 20, /* entries of all listings */
    VERIFY_GOPS_MAX = 4 << 20,   /* of all entries of all listings */
    VERIFY_CUTS_MAX = 4096,      /* of all playlists into stretches */
    VERIFY_TEXT_MAX = 64 << 20,  /* bytes of all playlists and files of text */
    VERIFY_TOLD_MAX = 8,         /* findings of one rule that are told one by one */
};

struct verify_playlist {
    const char *path;
    bool is_text; /* of subtitles, which have no listing */
    bool iframes; /* as the multivariant playlist says */
    bool readable;
    struct buf bytes;
    struct m3u8 text;
    size_t discontinuities;        /* between its segments */
    size_t stretch_count;          /* 0 where it lists nothing that could be read */
    struct listing **stretches;    /* entries of one lie behind those of the one before */
    bool *changes;                 /* at the nth of them, from 1 on, something changes here or in
                                      a playlist with as many */
    const struct listing *main;    /* the longest of them, set once objects are read; and: */
    bool measured;                 /* all that it lists is whole, or what its I-frames are of */
    int64_t peak_bps, average_bps; /* of I-frames those of the key pictures' chunks */
};

struct verify {
    fetch_fn fetch;
    void *fetch_context;
    finding_fn found;
    void *found_context;
    struct verify_summary *summary;
    int64_t broken[RULE_COUNT];
    bool waived[RULE_COUNT]; /* advice that title.json waives */
    struct arena arena;

    struct buf master_bytes; /* empty where it is not there */
    bool has_hls;            /* `master` is read */
    struct m3u8 master;
    size_t playlist_count;
    struct verify_playlist *playlists; /* of the media, each once */
    size_t text_bytes;                 /* of playlists and of files of text */

    const char *held_path; /* of the object whose bytes are asked for piece by piece */
    struct buf held;
    size_t held_taken; /* bytes of it that were asked for so far */
    int held_failed;   /* why it could not be read, or no more of it; 0 where it was */

    struct buf mpd_bytes;
    bool has_dash;
    struct mpd mpd;
    struct dash_period *periods; /* of mpd.periods */

    struct buf document_bytes; /* title.json */
    struct json *document;     /* owned; NULL where it can't be read */
    struct timeline timeline;  /* that it tells; frames 0 where it does not */
    struct told_storyboard storyboard;
    size_t image_count;
    struct real_image *images;
    struct err no_document; /* why it could not be fetched; and the tops: */
    struct err no_master, no_mpd;

    struct indexed_file *indexed_files; /* of Representations; see verify_index.c */
    size_t indexed;                     /* entries of their indexes */

    size_t listing_count;
    size_t listing_room;
    struct listing **listings; /* HLS before DASH */
    size_t listed;             /* their entries */
    size_t gops;               /* of these, and of those again that I-frames are measured by */
    size_t cuts;               /* of playlists into stretches */
    size_t track_count;
    struct real_track *tracks;
    const struct listing *reference; /* the first whole listing of pictures; NULL for none */
    int64_t target_s;                /* the longest segment, in whole seconds */
};

/* Tells a breach of the rule at `path`. */
void verify_found(struct verify *v, enum rule rule, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Appends the object of that path or address to `out`; a failure is told as
 * RULE_OBJECT_MISSING, or as RULE_TITLE_BOUNDS once for bytes of an object that were asked for
 * too often. */
int verify_fetch(struct verify *v, const char *address, struct buf *out);

/* Reads the object into v->held, where it stays until another, or bytes of another, are asked
 * for. */
int verify_hold(struct verify *v, const char *path);

/* The address of so many bytes, > 0, of the object at `path`; lives in the arena. */
const char *verify_range(struct verify *v, const char *path, int64_t offset, int64_t size);

/* Whether it is the address of bytes of that object. */
bool verify_is_range_of(const char *address, const char *path);

/* Judges how a server gave the object of so many bytes. */
void verify_served(struct verify *v, const char *path, const struct served *served, size_t bytes);

/* Judges how a server answers for what is not there: asks for such an object. */
void verify_served_error(struct verify *v);

/* Resolves a reference of the object at `base`; NULL where it is none, which is told. */
const char *verify_resolve(struct verify *v, const char *base, const char *reference);

/* Takes `count` entries of all that may be listed; false where that is none or too many, which is
 * told. */
bool verify_has_room(struct verify *v, const char *manifest, const char *label, size_t count);

/* A listing of `count` paths that the caller fills in; NULL where that is too many,
 * which is told. */
struct listing *verify_list(struct verify *v, const char *manifest, const char *label,
                            size_t count);

/* Leaves a listing its first `count` entries, and makes another one of the rest. */
struct listing *verify_cut(struct verify *v, struct listing *listing, size_t count);

/* Reads every listed object and judges it; then fills in the listings. */
void verify_tracks(struct verify *v);

/* Takes the GOPs of a listing's entries of all that may be looked at: a segment may be listed over
 * and over. False where that is too many, which is told. */
bool verify_has_gops(struct verify *v, const struct listing *listing);

/* The rates of whole listings one behind the other; false where they can't be measured. */
enum pieces { PIECES_SEGMENTS, PIECES_KEYS };
bool verify_rates(const struct verify *v, const struct listing *const *parts, size_t part_count,
                  enum pieces kind, int64_t *peak_bps, int64_t *average_bps);

/* Whether two listings are of one Period, or of one stretch of playlists that are cut alike; and
 * whether one is of the whole title. */
bool verify_same_place(const struct listing *a, const struct listing *b);
bool verify_is_of_all(const struct listing *listing);

/* Once listings are filled in: their boundaries against those of the first whole one of
 * pictures, and advice. */
void verify_side_by_side(struct verify *v);

/* Reads one media segment of the track into `segment`. */
void verify_segment(struct verify *v, struct real_track *track, struct real_segment *segment);

/* Reads the playlists from `master_bytes` on, then judges them; nothing where those
 * are empty. */
void verify_hls_read(struct verify *v);
void verify_hls(struct verify *v);

/* Advice about variants beside each other. */
void verify_variants(struct verify *v);

/* The playlist of an item where its rates are measured; else NULL. */
const struct verify_playlist *verify_measured(const struct verify *v, const struct m3u8_item *item);

/* The track of an item's playlist, of several that of the longest stretch, where it is readable;
 * else NULL. */
const struct real_track *verify_track_of(const struct verify *v, const struct m3u8_item *item);

/* The media playlists of the items that were not read before; all of them judged; the
 * one at a URI of master.m3u8 (NULL where it was not read); tags that both kinds have. */
void verify_playlists_read(struct verify *v, const struct m3u8_list *list, bool iframes);
void verify_playlists(struct verify *v);
const struct verify_playlist *verify_playlist_at(const struct verify *v, const char *uri);
void verify_playlist_version(struct verify *v, const char *path, const struct m3u8 *text,
                             int64_t least_version);

/* Makes the listings of a media playlist, but for its segments' addresses; false where there are
 * none, which is told. */
bool verify_stretches_list(struct verify *v, struct verify_playlist *playlist);

/* Whether EXT-X-DISCONTINUITY stands before that stretch. */
bool verify_is_marked(const struct verify_playlist *playlist, size_t stretch);

/* The stretch of that playlist in the place of the listing; NULL for none. */
const struct listing *verify_beside(const struct verify_playlist *playlist,
                                    const struct listing *listing);

/* The whole listing whose key pictures one of I-frames lists; NULL for none. */
const struct listing *verify_media_of(const struct verify *v, const struct listing *iframes);

/* Once listings are judged: where stretches begin, and what each playlist is as a whole. */
void verify_stretches_join(struct verify *v);

/* What changes from one stretch to the next, and whether EXT-X-DISCONTINUITY says so. */
void verify_stretches(struct verify *v);

/* Whether two playlists, which may be NULL, are of the same tracks. */
bool verify_same_tracks(const struct verify_playlist *a, const struct verify_playlist *b);

/* The first whole playlist of pictures; NULL for none. */
const struct verify_playlist *verify_pictures(const struct verify *v);

/* Whether a tag of master.m3u8 has an attribute that may be left out; where not, that is told. */
bool verify_has_attribute(struct verify *v, const struct m3u8_item *item, const char *name);

/* Whether a manifest's language may be what the track tells, by elng or mdhd. */
bool verify_language_fits(const char *declared, const char *real);

/* early.m3u8 and what it names, where it is there; after all the rest is read. */
void verify_early(struct verify *v);

/* Each EXTINF against EXT-X-TARGETDURATION. */
void verify_playlist_target(struct verify *v, const char *path, const struct m3u8 *text);

/* EXT-X-DATERANGE, and parts of segments: what only foreign playlists have. */
void verify_playlist_extras(struct verify *v, const struct verify_playlist *playlist);

/* EXT-X-MEDIA, its groups, and the groups that variants name. */
void verify_groups(struct verify *v);
bool verify_in_group(const struct m3u8_item *media, const char *group); /* a sound of that group */

/* Files of text, of HLS and of DASH. */
void verify_texts(struct verify *v);
void verify_dash_texts(struct verify *v); /* a part of that */

/* Reads such a file; false where it can't be, which is told. */
struct webvtt;
bool verify_text_read(struct verify *v, const char *path, struct webvtt *out);

/* Of pictures of high dynamic range: what an init segment says of them; the first sample of a
 * segment beside it; all variants. */
void verify_hdr_track(struct verify *v, const struct real_track *track);
void verify_hdr_sample(struct verify *v, const struct real_track *track, const char *path,
                       const uint8_t *data, size_t size);
void verify_hdr_variants(struct verify *v);

/* Boxes of a segment that ours never have: sidx, emsg, prft. */
void verify_segment_extras(struct verify *v, const struct real_track *track,
                           const struct real_segment *segment, const struct media_facts *facts);

/* Lists the segments that the index in a Representation's file tells of, as far as the Period shows
 * them; NULL where it can't be read, which is told once of a file. */
struct listing *verify_index_list(struct verify *v, const struct dash_period *period,
                                  struct mpd_representation *from, const char *path,
                                  const char *label);

/* The same with the MPD. */
void verify_dash_read(struct verify *v);
void verify_dash(struct verify *v);

/* Once objects are read: where each Period lies in its tracks, and where it ends. */
void verify_dash_places(struct verify *v);

/* Parts of that: AdaptationSets; Periods one after the other; all of them and HLS, which list the
 * same objects. */
void verify_dash_sets(struct verify *v, const struct dash_period *period);
void verify_periods(struct verify *v);
void verify_agreement(struct verify *v);

/* title.json: before all else what it waives; then all of it, the version's copies and name. */
void verify_document_read(struct verify *v);
void verify_document(struct verify *v);
void verify_images(struct verify *v, struct reader *root); /* a part of that */

/* A whole stream of pictures against the cap of its rung. */
void verify_cap(struct verify *v, const char *id, const struct listing *listing,
                const struct told_cap *cap);

/* The picture of a path, read the first time; NULL where there are too many, which is told. `path`
 * lives in the arena. */
const struct real_image *verify_image_at(struct verify *v, const char *path);

/* Whether two codecs strings (RFC 6381) of `length` and of all letters name the same. */
bool verify_same_codec(const char *a, size_t length, const char *b);

/* Of what is encrypted: an init segment; one segment at `data`; playlists; Representations. */
void verify_protected_track(struct verify *v, const struct real_track *track);
void verify_protected_segment(struct verify *v, const struct real_track *track, const char *path,
                              const struct media_facts *facts, const uint8_t *data);
void verify_playlist_keys(struct verify *v, const struct verify_playlist *playlist);
void verify_representation_keys(struct verify *v, const struct mpd_representation *from,
                                const struct listing *listing);

/* Whether EXT-X-KEY says that whole segments are encrypted. */
bool verify_is_sealed(const struct m3u8 *text);

/* Fetches an object whose bytes are not read; nothing where `path` is NULL. */
void verify_look_for(struct verify *v, const char *path);

/* Says what is there and was not read. */
void verify_unchecked(struct verify *v);

/* The MPD's sheets of thumbnails, after title.json. */
void verify_tiles(struct verify *v);

#endif
