/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line needs of the encode node without being one: its executable, a
 * probe in a boxed child with no scheduler, and the removal of what no version names.
 *
 * The worker itself is the executable:
 *   reelfarm-worker --scheduler URL --token-file FILE [--name NAME] [--slots N] ...
 *                       the daemon; SIGTERM drains it, SIGINT stops it at once
 *   reelfarm-worker --versions    JSON {encoders:[{name, codec, library, build_line,
 *                       tail_frames}], libraries:["libavformat 59.27.100", ...]}
 *   reelfarm-worker --task        the task child; not for people
 */
#ifndef WORKERS_WORKERS_H
#define WORKERS_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/media.h"
#include "common/wire.h"

/* The path of the reelfarm-worker executable: beside the running one, else where it is
 * installed. Returns owned. NOT_FOUND with a sentence that names both places. */
int worker_program(char **out, struct err *err);

/*
 * Whether what decodes foreign bytes can be walled in here as `level` asks: "full" (Landlock
 * and seccomp), "no-landlock" (seccomp alone), "none". It is truly tried, in a thread that
 * ends. `*landlock_abi` is the version of Landlock that would be in force, 0 for none; may be
 * NULL. INVALID for another level; UNSUPPORTED with a sentence that names the wall that is
 * missing and the option to go on without.
 */
int worker_sandbox_try(const char *level, int *landlock_abi, struct err *err);

struct worker_probe {
    const char *source;            /* path or URL; borrowed */
    const struct child_spec *spec; /* of plan_probe_spec; its source_size is not looked at */
    int64_t memory_bytes;          /* of plan_probe_memory */
    const char *sandbox;           /* a level of the above; borrowed */
    const atomic_bool *cancel;     /* may be NULL */
};

/*
 * Finds out what a source is, as a probe task would, but with no scheduler and no hash
 * of the source. `document` is the caller's zeroed struct, owned by it; untouched on
 * failure. The sentence names the source: "cannot read movie.mp4: it has no video
 * stream; ...". The child dies with the calling thread.
 */
int worker_probe(struct source_document *document, const struct worker_probe *probe,
                 struct err *err);

/*
 * Removes from a title's folder what no kept version names: folders of renditions,
 * version documents without their version; then the folder
 * itself where nothing is left. `output` is the URL or path of the folder above the
 * title's. Never to be called while the title is being made. Errors name the
 * folder. `*removed` counts objects; may be NULL.
 */
int worker_remove_unnamed(const char *output, const char *title, int64_t *removed,
                          const atomic_bool *cancel, struct err *err);

#endif
