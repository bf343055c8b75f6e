/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards: their objects, and what is told of them. Private to packager/. */
#ifndef PACKAGER_IMAGES_H
#define PACKAGER_IMAGES_H

#include "packager/packager.h"

/* CORRUPT where a report is not of all objects of the spec. */
int images_check(const struct image_spec *spec, const struct unit_report *report, struct err *err);

/* Width and height of a JPEG file, by its frame header, from 1 to 65535; CORRUPT for what is none,
 * or is cut. */
int jpeg_size(const uint8_t *data, size_t size, int *width, int *height, struct err *err);

/* The same of an AVIF file, by its brand and its `ispe`. */
int avif_size(const uint8_t *data, size_t size, int *width, int *height, struct err *err);

/* Whether an AVIF file tells the colours of its picture itself. */
bool avif_tells_colour(const uint8_t *data, size_t size);

/* Members of title.json's entry of one rendition of images, in the object that is open. */
void images_write(const struct rendition_plan *rendition, const struct unit_report *report,
                  struct writer *w);

#endif
