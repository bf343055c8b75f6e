/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large objects in parts ("Uploading and copying objects using multipart upload" of the
 * Amazon S3 User Guide): nothing is to be seen before the last step, and what fails is
 * taken back. Private to common/.
 */
#ifndef COMMON_S3_PARTS_H
#define COMMON_S3_PARTS_H

#include "s3.h"

enum { S3_PART_BYTES = 16 << 20 };

/* Puts the object, replacing what is there: with `only_new`, which stores keep to that know of it,
 * CONFLICT instead. `template` gives headers, limits and cancel; its body is not looked at. An
 * upload that fails is aborted. */
int s3_parts_put(struct s3_client *client, const char *key, const struct http_request *template,
                 const struct http_retry *retry, const void *data, size_t size, bool only_new,
                 struct err *err);

/* Takes back all uploads of keys that begin with `prefix`, which who began them did not end: an
 * upload whose sender was killed costs its space for ever, and no listing shows it. `template`
 * gives limits and cancel. */
int s3_parts_abandon(struct s3_client *client, const char *prefix,
                     const struct http_request *template, const struct http_retry *retry,
                     struct err *err);

#endif
