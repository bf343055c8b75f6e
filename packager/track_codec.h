/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between codecs in a CMAF track: one row a codec. To add one, write
 * codec_<name>.c with its row and list the row in track_codec.c. Also the timing
 * of a track, which all writers and checks share. Private to packager/.
 */
#ifndef PACKAGER_TRACK_CODEC_H
#define PACKAGER_TRACK_CODEC_H

#include "mp4_box.h"
#include "packager/packager.h"

/* What the bytes of a sample say of it. */
struct sample_look {
    bool key;
    bool disposable;
    bool intra;   /* AV1: no key, and no other is needed for it */
    int frames;   /* AV1: to be decoded, those not shown too */
    int samples;  /* sound: that it decodes to, at the rate of its timescale; 0 where not known */
    bool foreign; /* it holds, or leaves out, what ours never do, and may */
    bool spare;   /* it holds what is of no use in a file */
};

struct track_codec {
    enum codec_id codec; /* CODEC_NONE of those that are read and never written: they have neither
                            track_check nor configuration_write */
    bool video;
    const char *sample_entry;      /* "avc1" */
    const char *configuration_box; /* in the sample entry: "avcC" */
    const char *brand;             /* that ftyp must list besides, "av01"; NULL for none */
    int packet_samples;            /* sound: samples in each packet; 0 where it's the stream's */
    bool primes;                   /* sound: an edit list must skip its beginning */
    bool ends_short;               /* sound: the last packet may last less than the others */
    bool any_channels;             /* sound: the count in the sample entry means nothing */
    bool reorders;                 /* packets may stand in another order than they are shown in */

    /* Whether record, spec and timing agree: INVALID with a sentence. */
    int (*track_check)(const struct track_config *track, struct err *err);

    /* Appends the configuration box. */
    void (*configuration_write)(const struct track_config *track, struct buf *out);

    /* Finds the record in the body of a configuration box; borrowed. */
    int (*configuration_read)(const struct mp4_box *box, const uint8_t **record,
                              size_t *record_size, struct err *err);

    /* RFC 6381 codecs string of a record. */
    int (*codecs_string)(const uint8_t *record, size_t record_size, char *out, size_t size,
                         struct err *err);

    /* CORRUPT where the bytes can be no sample of a track with that record. */
    int (*sample_read)(const uint8_t *record, size_t record_size, const uint8_t *data, size_t size,
                       struct sample_look *look, struct err *err);
};

extern const struct track_codec track_codec_h264;
extern const struct track_codec track_codec_av1;
extern const struct track_codec track_codec_aac;
extern const struct track_codec track_codec_hvc1;
extern const struct track_codec track_codec_hev1;
extern const struct track_codec track_codec_opus;
extern const struct track_codec track_codec_ac3;
extern const struct track_codec track_codec_eac3;
extern const struct track_codec track_codec_flac;

/* The row of a codec that is written, or of any sample entry; UNSUPPORTED where there is none. */
int track_codec_find(const struct track_codec **out, enum codec_id codec, struct err *err);
int track_codec_find_entry(const struct track_codec **out, const char *sample_entry,
                           struct err *err);

/* The timing of a track, in ticks. */
struct track_layout {
    const struct track_codec *codec;
    bool video;
    uint32_t timescale;       /* rate.num, or the sample rate */
    uint32_t sample_duration; /* rate.den, or the samples of a packet */
    int64_t media_time;       /* media time of presentation time 0: D x den, or priming */
    int64_t edit_duration;    /* of the edit list: 0 (all) for pictures, the title's for sound */
    uint32_t default_flags;   /* of samples, in trex */
};

/* Checks the whole track and fills `out`. */
int track_layout_of(struct track_layout *out, const struct track_config *track, struct err *err);

/*
 * Packets of sound in all segments before segment `segment` (from 0; the count of
 * segments gives all packets): the first packet border at or after the video
 * boundary, computed from the origin (STANDARDS section 8).
 */
int64_t sound_packets_before(const struct track_layout *layout, const struct grid *grid,
                             size_t segment);

#endif
