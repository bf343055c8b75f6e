/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets share. A target is one file, fuzz_<target>.c, with the function below; the
 * bytes that it gets lie in memory of just their size. A crash, a leak, an assert and an input
 * that takes seconds are defects of the parser.
 */
#ifndef TESTS_FUZZ_HARNESS_H
#define TESTS_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

/* libFuzzer calls it again and again; it returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a struct, and where the reader met no error writes it to `again`; frees it either way. */
typedef void fuzz_read(struct reader *r, struct writer *again);

/* Parses the bytes as JSON and has the struct read. What was taken must then be written as
 * something that is taken too and written the same again. */
void fuzz_json(const uint8_t *data, size_t size, fuzz_read *read);

#endif
