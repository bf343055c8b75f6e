/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random structs of wire.h, by rand(): every member is set to some legal value. Structs are
 * zeroed first by the caller, so that plain ones may be compared byte by byte.
 */
#ifndef TESTS_WIRE_FIXTURE_H
#define TESTS_WIRE_FIXTURE_H

#include <stdint.h>

#include "common/wire.h"

int64_t any(int64_t min, int64_t max);
void any_hash(char out[WIRE_HASH_TEXT]);

void any_source(struct source_document *document);
void any_video_spec(struct video_spec *spec);
void any_audio_spec(struct audio_spec *spec);
void any_child_spec(struct child_spec *spec, enum task_kind kind, struct arena *arena);
void any_task(struct task *task);
void any_stats(struct task_stats *stats);
void any_task_report(struct task_report *report);
void any_title_plan(struct title_plan *plan);

#endif
