/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Language tags of containers as BCP 47. */
#ifndef ENCODER_LANGUAGE_H
#define ENCODER_LANGUAGE_H

#include "common/media.h"

/* "eng" is "en", "pt-BR" stays, what is no tag is "und". */
void language_tag(char out[MAX_LANGUAGE], const char *text);

#endif
