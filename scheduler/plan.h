/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of a title: from what the source is, the ladder, and the encoders that
 * workers announce, to renditions, units and their edges. Pure: no I/O, no store,
 * no clock, no knowledge of machines or slots. The same input gives the same plan,
 * in whatever order encoders are announced.
 *
 * Life of a title:
 *   plan_probe_spec        the probe's task, from the ladder alone
 *   plan_create            its source document, ladder and encoders -> plan
 *   (store plan->title as JSON, by title_plan_write, and a row for each unit)
 *   plan_restore           the same units again from the stored title plan
 *   plan_identify          once the source's identity is known: keys, folders, places
 *   plan_task_spec/memory  when a lease is formed: what the child is told
 */
#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "common/media.h"
#include "common/wire.h"
#include "ladders/ladders.h"

/* One row of one worker's announcement. A row that several workers announce is
 * listed once for each of them. */
struct announced_encoder {
    const char *name; /* "x264" */
    enum codec_id codec;
    const char *build_line; /* ARCHITECTURE section 8; the worker puts the segment layout's
                               version into it */
    int64_t tail_frames;    /* frames past a chunk's end that the encoder is shown */
    int64_t slots;          /* of the worker */
    bool idle;              /* which is given no encoding now */
};

enum { PLAN_PLACE_TEXT = 1024 };

/* By this name workers announce that they make posters and storyboards; "images" were those that
 * made posters in one size. */
#define PLAN_IMAGES_ENCODER "posters"

/* One node of the plan: a chunk of one rung, a whole sound track, a poster or a storyboard, or one
 * of the steps after them. */
struct unit_plan {
    enum task_kind kind;  /* VIDEO, AUDIO, IMAGES, PACKAGE or SWAP */
    int rendition;        /* index in title.renditions; -1 for PACKAGE and SWAP */
    int chunk;            /* index in the grid; -1 but for VIDEO */
    double cost_s;        /* expected CPU seconds of a common core: right within a factor of 3 */
    int64_t memory_bytes; /* limit of a child that runs this unit alone */
    const char *place;    /* URL of the rendition's folder (PACKAGE, SWAP: of the title's); ""
                             until the identity is known */
    char key[WIRE_HASH_TEXT]; /* "" until the identity is known; a unit is reused by its key
                                 within its place */
    size_t need_count;        /* units that must be done before this one is ready */
    const uint32_t *needs;    /* their indexes in plan.units */
};

struct plan {
    struct title_plan title; /* arena of everything here */
    const char *output;      /* URL of the folder above the title's, without a slash at its end */
    /* In the order of leasing, ARCHITECTURE section 5: sound, then H.264 by chunk, then
     * further codecs by chunk, then images, then PACKAGE, then SWAP. The index is the order number.
     */
    size_t unit_count;
    struct unit_plan *units;
    size_t dropped_count; /* rungs of the ladder that this source does not get; after
                             plan_restore 0 */
    const struct dropped_rung *dropped;
};

struct plan_options {
    const char *title;    /* its id */
    const char *output;   /* URL or path of the folder above the title's; one slash at its end
                             is dropped */
    const char *identity; /* of the source; "" until known */
    const struct ladder *ladder;
    const struct source_document *source;
    const struct announced_encoder *encoders;
    size_t encoder_count;
};

/*
 * `*out` is owned; all options are copied. One build line is pinned for each
 * encoder: the one that workers of the most slots announce, of equals the greatest
 * text; idle rows count only where no other has the encoder. INVALID or UNSUPPORTED with a sentence
 * where the ladder can't serve the source; UNAVAILABLE where no row announces an
 * encoder that the ladder needs.
 */
int plan_create(struct plan **out, const struct plan_options *options, struct err *err);

/*
 * The plan again from its stored title plan (same units in the same order).
 * Takes `title`'s content: it is zeroed, on failure too.
 */
int plan_restore(struct plan **out, struct title_plan *title, const char *output, struct err *err);

void plan_destroy(struct plan *plan);

/* Fills in the identity and all that follows from it: keys and folders of
 * renditions, keys and places of units. Nothing else changes. Given the identity
 * that the plan has already, it changes nothing. */
void plan_identify(struct plan *plan, const char *identity);

/* The id of a rendition of images. */
const char *plan_image_id(enum image_kind kind);

/* The id of the rendition that lies in a folder below its title's, as the two go together. */
void plan_rendition_of(const char *folder, char id[WIRE_RENDITION_TEXT]);

/* ---- What tasks are told ------------------------------------------------------ */

/* Bounds of what a title may be; from the scheduler's config. */
struct plan_limits {
    int max_width;      /* default 16384 */
    int max_height;     /* default 16384 */
    int64_t max_frames; /* default 20 million */
};

struct plan_limits plan_limits_default(void);

/* The probe of a title of this ladder. `source_size` is -1 where unknown. Nothing
 * in `out` is owned. */
void plan_probe_spec(struct child_spec *out, const struct ladder *ladder, int64_t source_size,
                     const struct plan_limits *limits);

/* Whether a probe is the same for titles of either ladder. */
bool plan_probes_alike(const struct ladder *one, const struct ladder *other);

/* Limit of a probe's child, bytes. */
int64_t plan_probe_memory(void);

/*
 * What the child of a task of these units is told. Of each unit only kind,
 * rendition and chunk are read, so rows of the store serve as well as plan->units:
 * either one AUDIO unit, or 1 to 32 VIDEO units of one chunk and one encoder. Rungs
 * stand in the order of the units and live in `arena`; `out` is the caller's
 * zeroed struct: free what it owns with child_spec_finish. Video gets the slice of
 * the index that its chunk needs: the last access point at or before its first
 * frame, one earlier still, and all up to the end of its tail. INVALID for units
 * that can't be one task or that the title does not have.
 */
int plan_task_spec(struct child_spec *out, struct arena *arena, const struct title_plan *title,
                   const struct unit_plan *units, size_t count, struct err *err);

/* Limit of a child that runs these units as one task, bytes: decoder, scalers and
 * encoders by their pictures, with room to spare. */
int64_t plan_task_memory(const struct title_plan *title, const struct unit_plan *units,
                         size_t count);

/* ---- For people (`reelfarm ladder plan`) -------------------------------------- */

/* The rungs with their settings, dropped rungs with reasons, chunks and units as a
 * JSON object, and as text of a few aligned lines. */
void plan_describe_json(const struct plan *plan, struct writer *w, const char *name);
void plan_describe_text(const struct plan *plan, struct buf *out);

/* Of the former the array "dropped": rungs that the source does not get, with the reasons. */
void plan_describe_dropped(const struct plan *plan, struct writer *w);

#endif
