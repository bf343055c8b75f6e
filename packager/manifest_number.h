/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as manifests write them, read strictly and with bounds. Private to packager/. */
#ifndef PACKAGER_MANIFEST_NUMBER_H
#define PACKAGER_MANIFEST_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/media.h"

/* The longest time that a manifest may tell of: 115 days, so that sums in any
 * timescale of 32 bits stay far below 63 bits. */
enum { MANIFEST_SECONDS_MAX = 10000000 };

/* A whole number of digits alone, within [0, max]; false otherwise. */
bool manifest_int(const char *text, int64_t max, int64_t *out);

/* "4.004" or "4": seconds as nanoseconds and the count of digits after the point;
 * digits past the ninth are cut off. False where it is none or too long. */
bool manifest_seconds(const char *text, int64_t *nanoseconds, int *decimals);

/* ISO 8601 as XML Schema has it, days to seconds alone: "P1DT2H", "PT4.004S". */
bool manifest_duration(const char *text, int64_t *nanoseconds);

/* ISO 8601 as HLS has it, in milliseconds since 1970: "2026-11-30T15:00:00.250Z" or with a zone
 * of "+01:00"; false where it is none, has no zone, or is of no year from 1970 to 9999. */
bool manifest_date(const char *text, int64_t *ms);

/* "24000/1001" or "25". False where it is no fraction above 0. */
bool manifest_fraction(const char *text, struct rational *out);

#endif
