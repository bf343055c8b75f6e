/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Init and media segments of CMAF as facts: what the bytes say, checked for
 * structure alone, so that the gate (segment_check) and verify can compare them
 * with what they must be. Bytes may lie: every size is bounded by its container,
 * time and memory are linear in the input. Private to packager/.
 */
#ifndef PACKAGER_CMAF_READER_H
#define PACKAGER_CMAF_READER_H

#include "fragment.h"
#include "picture_signal.h"
#include "protection.h"
#include "segment_index.h"
#include "track_codec.h"

enum { LANGUAGE_TAG_TEXT = 36 }; /* what RFC 5646 section 4.4.1 asks to have room for */

/* Defaults of samples, from trex. */
struct sample_defaults {
    uint32_t track_id;
    uint32_t duration;
    uint32_t size;
    uint32_t flags;
};

struct init_facts {
    char major_brand[5];
    struct bytes brands; /* compatible brands, four bytes each; borrowed */
    bool clock;          /* a creation or modification time is not 0 */
    uint32_t movie_timescale;
    uint64_t movie_duration; /* all three are 0 in a fragmented file of ours */
    uint64_t track_duration;
    uint64_t media_duration;
    uint32_t track_id;
    bool video; /* by its handler */
    uint32_t timescale;
    char language[4];                     /* of mdhd */
    char language_tag[LANGUAGE_TAG_TEXT]; /* of elng; that of mdhd where there is none */
    bool has_edit;                        /* one edit of rate 1 */
    uint64_t edit_duration;               /* ticks of the movie; 0: all */
    int64_t edit_media_time;              /* ticks of the track */
    struct protection_facts protection;
    const struct track_codec *codec; /* of what is encrypted too */
    const uint8_t *record;           /* payload of avcC, AudioSpecificConfig; borrowed */
    size_t record_size;
    int width, height; /* of tkhd, whole pixels */
    int entry_width, entry_height;
    bool has_colour;              /* colr nclx */
    struct picture_signal signal; /* of it and of pasp; silent where they are not there */
    bool has_aspect;              /* pasp */
    uint32_t aspect_wide, aspect_high;
    int channels, sample_rate; /* of the audio sample entry */
    struct sample_defaults defaults;
    bool has_mastering;     /* mdcv: */
    uint16_t mastering[8];  /* x and y of green, blue, red and white, in 0.00002 */
    uint32_t luminance[2];  /* the greatest and the least, in 0.0001 cd/m2 */
    bool has_light;         /* clli: */
    uint16_t light[2];      /* of the brightest sample, and of the brightest picture, in cd/m2 */
    bool foreign_mastering; /* SmDm or CoLL, which are other containers' */
    bool has_fragment_duration; /* mehd */
    uint64_t fragment_duration; /* ticks of the movie */
};

/* Whether a list of brands holds one. */
bool brands_have(struct bytes brands, const char *brand);

/* The major brand, where `major` is no NULL, and the compatible ones of ftyp or styp: a part of
 * what follows. */
int cmaf_type_read(struct mp4_box *box, char major[5], struct bytes *brands, struct err *err);

/* Of a sample entry of pictures, its child boxes colr, pasp, mdcv and clli: a part of what
 * follows. */
int picture_boxes_read(struct init_facts *out, const struct mp4_box *entry, struct err *err);

/* Reads ftyp + moov with one track; all pointers borrow `data`. CORRUPT with a
 * sentence that names the box, UNSUPPORTED for a codec of no row. */
int init_segment_read(struct init_facts *out, const uint8_t *data, size_t size, struct err *err);

/* One chunk in CMAF's sense: moof and mdat. */
struct chunk_facts {
    size_t offset;      /* of the moof in the segment */
    size_t header_size; /* bytes up to the payload: moof and the header of mdat */
    size_t size;        /* bytes of moof and mdat */
    uint32_t sequence;
    uint64_t decode_time;   /* tfdt */
    uint64_t duration;      /* sum of sample durations */
    size_t first_sample;    /* index in media_facts.samples */
    size_t sample_count;    /* > 0 */
    const uint8_t *payload; /* of mdat: the samples, one after the other; borrowed */
    size_t payload_size;    /* the sum of their sizes */
};

struct media_facts {
    bool has_type;              /* it begins with styp */
    struct bytes brands;        /* of styp, compatible; borrowed */
    const char *extra;          /* the first box that ours never have, "sidx"; NULL for none */
    size_t index_count;         /* sidx */
    struct segment_index index; /* the first of them */
    size_t index_end;           /* bytes from the segment's start to the end of that box */
    const char *event_fault;    /* what is wrong with an emsg; NULL for nothing */
    bool producer_time;         /* prft */
    bool leans_on_header;       /* a fragment takes defaults of its samples from trex */
    bool unsigned_offsets;      /* a trun is of version 0 */
    size_t chunk_count;
    struct chunk_facts *chunks; /* owned */
    size_t sample_count;
    struct run_sample *samples; /* owned; of all chunks */
    size_t chunk_room;          /* allocated */
    size_t sample_room;
};

/*
 * Reads a media segment: an optional styp, then pairs of moof and mdat, before which sidx, emsg
 * and prft may stand, and nothing else. Each moof has one traf of the defaults' track with one tfhd
 * (default-base-is-moof), a tfdt of version 1 and a trun; the trun, or tfhd, gives the size of
 * each sample and its data are exactly those of the mdat that follows. `out` is the caller's,
 * freed by media_facts_finish; untouched on failure.
 */
int media_segment_read(struct media_facts *out, const uint8_t *data, size_t size,
                       const struct sample_defaults *defaults, struct err *err);
void media_facts_finish(struct media_facts *facts);

#endif
