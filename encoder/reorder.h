/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Presentation times for pictures whose container stores none, pure: pictures arrive
 * in decode order, and get their times in display order. One that has a decode time
 * gets, as the k-th shown, the k-th decode time; one without any time is a frame later
 * than the one shown before it.
 */
#ifndef ENCODER_REORDER_H
#define ENCODER_REORDER_H

#include <stdbool.h>
#include <stdint.h>

enum { REORDER_KEPT = 128 };

enum reorder_kind {
    REORDER_IN_ORDER, /* shown as decoded */
    REORDER_AFTER,    /* I and P of MPEG-1, -2, -4, VC-1: shown after the B that follow */
    REORDER_BETWEEN,  /* their B: shown as it comes */
    REORDER_BY_COUNT, /* H.264, HEVC: by picture order count */
};

struct reorder_place {
    enum reorder_kind kind;
    int64_t count; /* REORDER_BY_COUNT */
    bool restarts; /* counts begin anew with this picture */
};

struct reorder_ticket {
    int64_t number;
};

struct reorder_picture {
    int64_t number;
    int64_t key; /* rises in display order */
    bool by_dts;
    bool timed;
    int64_t pts;
    double time; /* as pts, with its fraction */
};

struct reorder {
    double gap;                                    /* ticks from one picture to the next */
    struct reorder_picture pictures[REORDER_KEPT]; /* the newest, in decode order */
    int count;
    int64_t pool[REORDER_KEPT]; /* decode times not given yet, rising */
    int pool_count;
    int64_t next_number;
    int64_t epoch;
    int64_t anchors; /* pictures of REORDER_AFTER in this epoch */
    enum reorder_kind last_kind;
    bool ended;
};

struct reorder reorder_of(double gap);

/* An unknown pts or dts; libavutil's own value for it. */
#define REORDER_NO_TIME INT64_MIN

/* Tells of the next picture in decode order. */
struct reorder_ticket reorder_push(struct reorder *reorder, struct reorder_place place, int64_t pts,
                                   int64_t dts);

/* No more pictures come. */
void reorder_end(struct reorder *reorder);

/* The picture's time, once it is sure: false until enough pictures have been pushed.
 * To be asked in decode order. */
bool reorder_time(struct reorder *reorder, struct reorder_ticket ticket, int64_t *pts);

#endif
