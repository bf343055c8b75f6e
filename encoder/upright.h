/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a decoded frame, in whatever layout its decoder uses, to an upright image of
 * aligned planes. Done once a picture for all rungs. Private to encoder/.
 */
#ifndef ENCODER_UPRIGHT_H
#define ENCODER_UPRIGHT_H

#include <libavutil/frame.h>

#include "picture.h"

struct upright;

/* `facts` is borrowed. Never fails; free with upright_destroy. */
struct upright *upright_create(const struct video_facts *facts);
void upright_destroy(struct upright *upright); /* takes NULL */

/*
 * Turns and mirrors as the facts say and unpacks what is not planar; a last column or
 * row without a whole chroma sample is left out, since no encoder takes it. Planes that
 * need none of it are those of the frame itself. `same` says that it shows what the frame before
 * showed. `*format` and `*image` are borrowed until the next call or until the frame is gone.
 * UNSUPPORTED for a pixel format that has no colours as integers.
 */
int upright_convert(struct upright *upright, const AVFrame *frame, bool same,
                    const struct image_format **format, struct image *image, struct err *err);

#endif
