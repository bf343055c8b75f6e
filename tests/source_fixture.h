/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources for the suites of encoder/: files made with ffmpeg whose pictures carry their
 * own number, and reading them through the probe and picture_source.
 */
#ifndef TESTS_SOURCE_FIXTURE_H
#define TESTS_SOURCE_FIXTURE_H

#include "common/hash.h"
#include "encoder/encoder.h"
#include "encoder/source.h"

/* A file as a source; may fail on purpose, and counts what is read. */
struct file_source {
    struct source_io io;
    int fd;
    int64_t bytes_read;
    int64_t fail_at; /* reading this offset or past it is ERR_UNAVAILABLE; -1: never */
};

/* False where the file cannot be opened. */
bool file_source_open(struct file_source *source, const char *path);
void file_source_close(struct file_source *source);

/* Runs a shell command in the folder; fails the test where it fails. Its $CLIP is an
 * ffmpeg input of 160x96 pictures which show their number in 10 blocks of 16x16 along
 * the top (lowest bit first): `-f lavfi -i "$CLIP"`, at $RATE pictures a second. $X264 are
 * an encoder's options, $OPEN makes its GOPs open. */
void source_shell(const char *folder, const char *rate, const char *command);

/* Opens <folder>/<name>; fails the test where it can't. */
void source_open(struct file_source *source, const char *folder, const char *name);

/* The source's document, by the default limits; fails the test on any error. */
void source_probe(struct source_document *document, struct file_source *source,
                  enum deinterlace deinterlace);

/* The number that a picture shows, read from every `step`th line from `line` on: those
 * of one field, or all. */
int source_counter(const AVFrame *picture, int line, int step);

/* SHA-256 of all samples of a picture, as hex. */
void source_picture_hash(const AVFrame *picture, char hash[SHA256_TEXT]);

/* What the frames of a title show: numbers, and hashes of the whole pictures. */
struct shown {
    int64_t count;
    int *counters;                     /* owned */
    char (*hashes)[SHA256_TEXT];       /* owned */
    struct picture_source_stats stats; /* sums over the chunks */
    int64_t largest_read;              /* bytes read for one chunk */
};

/* Reads frames [first, end) in chunks of that many; fails the test on any error. At field
 * rate a number is read from the lines of the frame's own field, top first. */
void source_read(struct shown *shown, const struct source_document *document,
                 struct file_source *source, int64_t first, int64_t end, int64_t chunk,
                 enum deinterlace deinterlace);
void shown_finish(struct shown *shown);

/* The folder of real clips: REELFARM_MEDIA, or beside the sources. Returns owned; NULL
 * where it is not there, having printed a SKIP line for `test`. */
char *source_media(const char *test);

#endif
