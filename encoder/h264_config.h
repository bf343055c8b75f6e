/* SPDX-License-Identifier: GPL-2.0-or-later */
/* H.264's configuration record from its parameter sets. Private to encoder/. */
#ifndef ENCODER_H264_CONFIG_H
#define ENCODER_H264_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "encoder/encoder.h"

/*
 * Fills `config` from one SPS and one PPS, each a NAL unit with its header byte and
 * emulation prevention: the AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1,
 * 4-byte lengths) and the SPS's max_num_reorder_frames. CORRUPT where the SPS can't be
 * read or has no bitstream restriction (ITU-T H.264 E.2.1), or where they do not fit.
 */
int h264_config_make(struct coded_config *config, const uint8_t *sps, size_t sps_size,
                     const uint8_t *pps, size_t pps_size, struct err *err);

#endif
