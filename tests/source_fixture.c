/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources made with ffmpeg, and reading them: see source_fixture.h. */
#include "source_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "fixture.h"

enum { BLOCK = 16 };

static const char clip[] =
    "CLIP=\"testsrc2=s=160x96:r=$RATE,geq=lum='if(lt(Y,16),16+219*mod(floor(N/pow(2,floor(X/16)))"
    ",2),lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)',format=yuv420p\"\n"
    "X264='-c:v libx264 -threads 1 -preset veryfast -g 24 -bf 2'\n"
    "OPEN='-x264-params open-gop=1:scenecut=0'\n"
    "ffmpeg() { command ffmpeg -v error -nostdin -y \"$@\"; }\n";

/* ---- Bytes ----------------------------------------------------------------- */

static int64_t read_file(void *context, int64_t offset, void *data, size_t size, struct err *err) {
    struct file_source *source = context;
    if (source->fail_at >= 0 && offset + (int64_t)size > source->fail_at) {
        return err_set(err, ERR_UNAVAILABLE, "the storage is away");
    }
    ssize_t got = pread(source->fd, data, size, offset);
    source->bytes_read += got > 0 ? got : 0;
    return got < 0 ? err_set_errno(err, 5, "cannot read") : got;
}

bool file_source_open(struct file_source *source, const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        return false;
    }
    *source = (struct file_source){.fd = fd, .fail_at = -1};
    source->io = (struct source_io){read_file, status.st_size, source};
    return true;
}

void file_source_close(struct file_source *source) {
    close(source->fd);
}

/* ---- Making ---------------------------------------------------------------- */

void source_shell(const char *folder, const char *rate, const char *command) {
    fixture_shell(folder, "RATE=%s\n%s%s\n", rate, clip, command);
}

void source_open(struct file_source *source, const char *folder, const char *name) {
    char *path = mem_format("%s/%s", folder, name);
    ck_assert_msg(file_source_open(source, path), "%s", path);
    mem_free(path);
}

void source_probe(struct source_document *document, struct file_source *source,
                  enum deinterlace deinterlace) {
    struct probe_options options = probe_options_default();
    struct err err = {0};
    options.deinterlace = deinterlace;
    int status = encoder_probe(document, &source->io, &options, NULL, NULL, &err);
    ck_assert_msg(status == 0, "%s", err.message);
}

/* ---- Pictures -------------------------------------------------------------- */

int source_counter(const AVFrame *picture, int line, int step) {
    int counter = 0;
    for (int bit = 0; bit < picture->width / BLOCK; bit++) {
        long sum = 0;
        long count = 0;
        for (int y = 4 + line; y < 12; y += step) {
            for (int x = 4; x < 12; x++, count++) {
                sum += picture->data[0][y * picture->linesize[0] + bit * BLOCK + x];
            }
        }
        counter |= (sum / count > 128) << bit;
    }
    return counter;
}

/* For the 8-bit 4:2:0 and 4:2:2 formats that the tests make. */
void source_picture_hash(const AVFrame *picture, char hash[SHA256_TEXT]) {
    struct sha256 sha;
    uint8_t out[SHA256_BYTES];
    sha256_init(&sha);
    for (int plane = 0; plane < 3; plane++) {
        int width = plane == 0 ? picture->width : (picture->width + 1) / 2;
        int height = plane == 0 ? picture->height : (picture->height + 1) / 2;
        for (int y = 0; y < height; y++) {
            sha256_add(&sha, picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane],
                       (size_t)width);
        }
    }
    sha256_end(&sha, out);
    for (int i = 0; i < SHA256_BYTES; i++) {
        snprintf(hash + 2 * i, 3, "%02x", out[i]);
    }
}

static void read_chunk(struct shown *shown, const struct source_document *document,
                       struct file_source *source, int64_t first, int64_t end,
                       enum deinterlace deinterlace) {
    struct err err = {0};
    struct picture_source *pictures = NULL;
    const struct picture_source_options options = {document, &source->io, first, end, deinterlace};
    int64_t before = source->bytes_read;
    int status = picture_source_open(&pictures, &options, &err);
    ck_assert_msg(status == 0, "frames [%lld, %lld): %s", (long long)first, (long long)end,
                  err.message);
    for (int64_t frame = first; frame < end; frame++) {
        const AVFrame *picture = NULL;
        bool same = false;
        status = picture_source_next(pictures, &picture, &same, &err);
        ck_assert_msg(status == 1, "frame %lld: %s", (long long)frame, err.message);
        bool fields = deinterlace == DEINTERLACE_FIELD;
        shown->counters[shown->count] =
            source_counter(picture, fields ? (int)(frame % 2) : 0, fields ? 2 : 1);
        source_picture_hash(picture, shown->hashes[shown->count]);
        if (same) {
            ck_assert_msg(frame > first, "the first frame cannot be the same as one before");
            ck_assert_str_eq(shown->hashes[shown->count], shown->hashes[shown->count - 1]);
        }
        shown->count++;
    }
    const AVFrame *none = NULL;
    bool same = false;
    ck_assert_int_eq(picture_source_next(pictures, &none, &same, &err), 0);
    struct picture_source_stats stats = picture_source_stats(pictures);
    shown->stats.decoded += stats.decoded;
    shown->stats.repaired += stats.repaired;
    shown->stats.concealed += stats.concealed;
    shown->stats.packets += stats.packets;
    picture_source_close(pictures);
    int64_t took = source->bytes_read - before;
    shown->largest_read = took > shown->largest_read ? took : shown->largest_read;
}

void source_read(struct shown *shown, const struct source_document *document,
                 struct file_source *source, int64_t first, int64_t end, int64_t chunk,
                 enum deinterlace deinterlace) {
    *shown = (struct shown){0};
    shown->counters = mem_zero((size_t)(end - first), sizeof(*shown->counters));
    shown->hashes = mem_zero((size_t)(end - first), sizeof(*shown->hashes));
    for (int64_t at = first; at < end; at += chunk) {
        read_chunk(shown, document, source, at, at + chunk < end ? at + chunk : end, deinterlace);
    }
}

void shown_finish(struct shown *shown) {
    mem_free(shown->counters);
    mem_free(shown->hashes);
    *shown = (struct shown){0};
}

char *source_media(const char *test) {
    const char *named = getenv("REELFARM_MEDIA");
    char *folder = named != NULL ? mem_string(named)
                                 : mem_format("%s/../shared/media", REELFARM_SOURCE_DIR);
    if (access(folder, R_OK | X_OK) == 0) {
        return folder;
    }
    printf("SKIP %s: no real clips in %s (REELFARM_MEDIA)\n", test, folder);
    mem_free(folder);
    return NULL;
}
