/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child of a probe: what the source is, as its source document. */
#include "child.h"

#include "common/buf.h"

int child_probe(struct child *child, struct err *err) {
    struct probe_options options = probe_options_default();
    options.max_width = child->spec.max_width;
    options.max_height = child->spec.max_height;
    options.max_frames = child->spec.max_frames;
    options.max_rate = child->spec.max_rate;
    options.deinterlace = child->spec.deinterlace;
    options.long_gop_ms = child->spec.long_gop_ms;
    struct source_document document = {0};
    int failed = encoder_probe(&document, &child->io, &options, child_progress, child, err);
    if (failed == 0) {
        struct buf json = {0};
        struct writer w = writer_of(&json);
        source_document_write(&document, &w, NULL);
        failed = child_send_json(child, PIPE_SOURCE, &json, err);
        buf_finish(&json);
    }
    source_document_finish(&document);
    return failed;
}
