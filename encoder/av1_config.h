/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both AV1 encoders share: the configuration record from their sequence header, and a
 * temporal unit as a sample of a file. Private to encoder/.
 */
#ifndef ENCODER_AV1_CONFIG_H
#define ENCODER_AV1_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "encoder/encoder.h"

/*
 * Fills `config` from the sequence header in a sample, which must hold one: the
 * AV1CodecConfigurationRecord (AV1 in ISOBMFF 2.3.3) with that OBU as its configOBUs. What an
 * encoder tells as its headers before its first picture won't do: the flags of coding tools
 * are not settled then. Profile, level and tier are the header's, the rest the spec's; that
 * both agree is the packager's to check. INTERNAL where the header is missing, can't be read
 * or tells a decoder model, which none of ours does.
 */
int av1_config_make(struct coded_config *config, const struct video_spec *spec,
                    const uint8_t *sample, size_t size, struct err *err);

/*
 * Appends a temporal unit's OBUs but for those that have no place in a sample: temporal
 * delimiters, padding and redundant frame headers (AV1 in ISOBMFF 2.4). INTERNAL where its
 * OBUs do not fill it.
 */
int av1_sample_append(struct buf *out, const uint8_t *data, size_t size, struct err *err);

#endif
