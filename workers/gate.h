/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate for media: what a child made of one unit is compared with what the task
 * asked for, before any of it is put. The worker trusts no number of the child's: it
 * parses each segment and counts bytes and hashes itself.
 */
#ifndef WORKERS_GATE_H
#define WORKERS_GATE_H

#include "broker.h"
#include "common/wire.h"
#include "packager/packager.h"

struct gate {
    struct track_config track;       /* specs borrowed from the task */
    const struct chunk_grid *chunk;  /* borrowed; NULL for sound */
    const struct child_spec *images; /* borrowed; NULL where it is not of images */
    int64_t first;                   /* number of the first segment */
    size_t expected;                 /* segments */
    bool has_init;
    struct unit_report *unit; /* borrowed; its lists live in `arena` */
    struct arena *arena;      /* borrowed */
};

/* The gate of unit `unit` of a VIDEO, AUDIO or IMAGES task; its report is filled as pieces pass. */
void gate_init(struct gate *gate, const struct child_spec *spec, int unit,
               struct unit_report *report, struct arena *arena);

/* Lets one piece pass: notes it in the report and names the object (as init.mp4,
 * 00001.m4s) in `name`. CORRUPT with a sentence where it breaks a rule. */
enum { GATE_NAME = WIRE_OBJECT_TEXT };
int gate_pass(struct gate *gate, const struct made *made, char name[GATE_NAME], struct err *err);

/* CORRUPT where pieces are missing. */
int gate_end(const struct gate *gate, struct err *err);

#endif
