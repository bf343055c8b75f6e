/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading sources that are damaged, away, or too large; and reading no more than is
 * needed of those that are whole. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *source_reading_suite(void);

static char *clips; /* the folder of those that all tests of a case share */

static void drop_clips(void) {
    fixture_folder_drop(clips);
}

/* ---- Damage ---------------------------------------------------------------- */

START_TEST(a_file_cut_short_says_what_is_missing) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_shell(folder, "24",
                 "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -movflags +faststart all.mp4\n"
                 "head -c $(($(stat -c %s all.mp4) / 2)) all.mp4 >cut.mp4");
    source_open(&source, folder, "cut.mp4");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.timeline.frames, 120);
    ck_assert_int_gt(document.missing, 30);
    ck_assert_int_lt(document.missing, 90);
    ck_assert_int_eq(document.defect_count, 1);
    ck_assert_ptr_nonnull(strstr(document.defects[0], "ends early"));
    source_read(&shown, &document, &source, 0, 120, 24, DEINTERLACE_FRAME);
    int64_t present = 120 - document.missing;
    for (int64_t frame = 0; frame < 120; frame++) {
        /* The last pictures that are there may lack those they refer to. */
        if (frame < present - 3) {
            ck_assert_int_eq(shown.counters[frame], frame);
        } else if (frame > present + 3) {
            ck_assert_str_eq(shown.hashes[frame], shown.hashes[frame - 1]);
        }
    }
    ck_assert_int_ge(shown.stats.repaired, document.missing);
    ck_assert_int_le(shown.stats.repaired, document.missing + 3);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* Bytes of the middle are overwritten, at more than one place, as a decoder may take those of
 * one for good: the pictures there come out, and are counted. */
START_TEST(what_a_decoder_conceals_is_counted) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_shell(folder, "24",
                 "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 48 $X264 -movflags +faststart hit.mp4\n"
                 "for percent in 40 45 50 55 60; do\n"
                 "printf UUUUUUUUUUUU | dd of=hit.mp4 conv=notrunc bs=1 "
                 "seek=$(($(stat -c %s hit.mp4) * percent / 100)) status=none\ndone");
    source_open(&source, folder, "hit.mp4");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    source_read(&shown, &document, &source, 0, 48, 48, DEINTERLACE_FRAME);
    ck_assert_int_ge(shown.stats.concealed, 1);
    ck_assert_int_le(shown.stats.concealed + shown.stats.repaired, 24);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

enum { DAMAGED = 8 }; /* files */

/* Reads all that can be read; whatever comes is fine, but a sentence with each error. */
static void exercise(const struct source_io *io) {
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct err err = {0};
    int status = encoder_probe(&document, io, &options, NULL, NULL, &err);
    if (status != 0) {
        ck_assert_int_eq(status, err.code);
        ck_assert_uint_gt(strlen(err.message), 10);
        return;
    }
    ck_assert_int_gt(document.timeline.frames, 0);
    ck_assert_uint_gt(document.access_count, 0);
    int64_t end = document.timeline.frames < 60 ? document.timeline.frames : 60;
    struct picture_source *pictures = NULL;
    const struct picture_source_options chunk = {&document, io, 0, end, DEINTERLACE_FRAME};
    status = picture_source_open(&pictures, &chunk, &err);
    const AVFrame *picture = NULL;
    bool same = false;
    while (status >= 0 && (status = picture_source_next(pictures, &picture, &same, &err)) == 1) {
        ck_assert_int_gt(picture->width, 0);
    }
    ck_assert(status == 0 || strlen(err.message) > 10);
    picture_source_close(pictures);
    struct sound_source *sound = NULL;
    err_clear(&err);
    if (document.audio_count > 0 && sound_source_open(&sound, &document, 0, io, &err) == 0) {
        struct rational start;
        const AVFrame *samples = NULL;
        while (sound_source_next(sound, &samples, &start, &err) == 1) {
            ck_assert_int_gt(samples->nb_samples, 0);
        }
        sound_source_close(sound);
    }
    source_document_finish(&document);
}

static int64_t read_memory(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    const struct buf *buf = context;
    (void)err;
    int64_t left = (int64_t)buf->size - offset;
    size_t got = left <= 0 ? 0 : (size_t)left < size ? (size_t)left : size;
    memcpy(data, buf->data + (got > 0 ? offset : 0), got);
    return (int64_t)got;
}

static void make_to_damage(void) {
    clips = fixture_folder();
    source_shell(clips, "25",
                 "for f in a.mp4 a.mkv a.ts a.flv; do ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i "
                 "sine=d=1 -frames:v 30 -s 64x48 $X264 -c:a aac $f; done\n"
                 "ffmpeg -i a.mp4 -c copy -movflags frag_keyframe+empty_moov f.mp4\n"
                 "ffmpeg -i a.mp4 -vf setfield=tff -c:a copy $X264 -flags +ilme+ildct i.mp4\n"
                 "for f in a.avi a.mpg; do ffmpeg -i a.mp4 -c:v mpeg2video -c:a mp2 $f; done");
}

/* Bytes are overwritten and the end is cut at places that a fixed sequence names. */
START_TEST(damage_gives_a_picture_or_a_sentence) {
    static const char *const files[DAMAGED] = {"a.mp4", "f.mp4", "a.mkv", "a.ts",
                                               "a.flv", "a.avi", "a.mpg", "i.mp4"};
    enum { TURNS = 16 };
    unsigned state = 1 + (unsigned)_i;
    char *path = mem_format("%s/%s", clips, files[_i]);
    FILE *file = fopen(path, "rb");
    struct buf whole = {0};
    uint8_t block[4096];
    size_t got;
    ck_assert_ptr_nonnull(file);
    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        buf_append(&whole, block, got);
    }
    fclose(file);
    for (int turn = 0; turn < TURNS; turn++) {
        struct buf bad = {0};
        buf_append(&bad, whole.data, whole.size);
        int flips = 1 << turn % 7;
        for (int i = 0; i < flips; i++) {
            state = state * 1103515245u + 12345u;
            size_t at = (state >> 8) % bad.size;
            /* Half of them where headers are. */
            at = turn % 2 == 0 ? at % 2048 % bad.size : at;
            state = state * 1103515245u + 12345u;
            bad.data[at] = (uint8_t)(state >> 16);
        }
        if (turn % 4 == 3) {
            bad.size = bad.size * (size_t)(turn + 1) / (TURNS + 1);
        }
        const struct source_io io = {read_memory, (int64_t)bad.size, &bad};
        exercise(&io);
        buf_finish(&bad);
    }
    buf_finish(&whole);
    mem_free(path);
}
END_TEST

/* One picture's stamp is three hours off: it is shown where its neighbours say. */
START_TEST(a_stamp_far_off_is_not_believed) {
    enum { PACKET = 188, PES_PTS = 13 };
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 $X264 a.ts");
    char *path = mem_format("%s/a.ts", folder);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    int pictures = 0;
    uint8_t packet[PACKET];
    for (long at = 0; fread(packet, 1, PACKET, file) == PACKET; at += PACKET) {
        /* ISO/IEC 13818-1 2.4.3: a unit start of the picture stream, PTS and DTS given. */
        int payload = (packet[3] & 0x20) != 0 ? 5 + packet[4] : 4;
        bool starts = (packet[1] & 0x40) != 0 && payload + PES_PTS < PACKET &&
                      memcmp(packet + payload, "\0\0\1\xe0", 4) == 0;
        if (starts && (packet[payload + 7] & 0xc0) == 0xc0 && ++pictures == 20) {
            packet[payload + 9] ^= 0x02; /* bit 30 of the PTS */
            fseek(file, at, SEEK_SET);
            fwrite(packet, 1, PACKET, file);
            fseek(file, at + PACKET, SEEK_SET);
        }
    }
    fclose(file);
    ck_assert_int_gt(pictures, 20);
    source_open(&source, folder, "a.ts");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.timeline.frames, 60);
    source_read(&shown, &document, &source, 0, 60, 60, DEINTERLACE_FRAME);
    for (int64_t frame = 0; frame < 60; frame++) {
        ck_assert_int_eq(shown.counters[frame], frame);
    }
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    mem_free(path);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Reading --------------------------------------------------------------- */

static void make_large(void) {
    clips = fixture_folder();
    source_shell(
        clips, "25",
        "ffmpeg -f lavfi -i \"$CLIP,noise=c0s=40:allf=t\" -frames:v 480 $X264 -b:v 4M a.mp4\n"
        "ffmpeg -i a.mp4 -c copy -movflags frag_keyframe+empty_moov f.mp4\n"
        "for f in a.mkv a.ts a.flv; do ffmpeg -i a.mp4 -c copy $f; done");
}

START_TEST(a_chunk_reads_its_own_bytes) {
    static const char *const files[] = {"a.mp4", "f.mp4", "a.mkv", "a.ts", "a.flv"};
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_open(&source, clips, files[_i]);
    source_probe(&document, &source, DEINTERLACE_FRAME);
    int64_t probed = source.bytes_read;
    if (_i == 0) {
        ck_assert_msg(probed < source.io.size / 4, "the probe of an MP4 read %lld of %lld bytes",
                      (long long)probed, (long long)source.io.size);
    } else {
        /* And at most 5 MB to find out what the streams are. */
        ck_assert_msg(probed < source.io.size * 5 / 4 + 5000000,
                      "the probe read %lld of %lld bytes", (long long)probed,
                      (long long)source.io.size);
    }
    source_read(&shown, &document, &source, 240, 288, 48, DEINTERLACE_FRAME);
    /* A tenth of the title, a run-in of at most one GOP, and buffers at the start, for the
     * header, at the access point and at the end. */
    int64_t most = source.io.size * (48 + 24 + 4) / 480 + 6 * 65536;
    ck_assert_msg(shown.largest_read < most, "48 of 480 frames of %s read %lld of %lld bytes",
                  files[_i], (long long)shown.largest_read, (long long)source.io.size);
    ck_assert_int_le(shown.stats.decoded, 48 + 24 + 4);
    ck_assert_int_eq(shown.counters[0], 240);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
}
END_TEST

enum { OPENED_BYTES = 256 * 1024 }; /* that a worker gets by opening a source */

/* A source whose header is at hand, as a worker keeps it: the end of a range ends a read. */
struct at_hand {
    struct source_io whole;
    const struct source_document *document;
    int64_t from; /* reads of other places than these */
    int64_t to;
    int elsewhere;
};

static int64_t read_at_hand(void *context, int64_t offset, void *data, size_t size,
                            struct err *err) {
    struct at_hand *source = context;
    for (size_t i = 0; i < source->document->header_count; i++) {
        const struct byte_range *range = &source->document->header[i];
        int64_t left = range->offset + range->size - offset;
        if (offset >= range->offset && left > 0) {
            size = (size_t)left < size ? (size_t)left : size;
            return source->whole.read(source->whole.context, offset, data, size, err);
        }
    }
    bool asked = offset >= OPENED_BYTES && offset < source->whole.size;
    source->elsewhere += asked && (offset < source->from || offset >= source->to);
    return source->whole.read(source->whole.context, offset, data, size, err);
}

/* An MXF has a piece of its index every 250 pictures. */
START_TEST(what_opening_reads_is_known) {
    static const struct {
        const char *file;
        const char *options;
        int64_t frames;
        size_t pieces; /* of its header, at least */
    } files[] = {{"last.mov", "$X264", 240, 2}, {"a.mxf", "-c:v mpeg2video -g 24 -bf 2", 780, 4}};
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    int64_t frames = files[_i].frames;
    char *command =
        mem_format("ffmpeg -f lavfi -i \"$CLIP,noise=c0s=40:allf=t\" -frames:v %lld %s -b:v 4M %s",
                   (long long)frames, files[_i].options, files[_i].file);
    source_shell(folder, "25", command);
    source_open(&source, folder, files[_i].file);
    source_probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_uint_ge(document.header_count, files[_i].pieces);
    int64_t bytes = 0;
    for (size_t i = 0; i < document.header_count; i++) {
        bytes += document.header[i].size;
    }
    ck_assert_msg(bytes < 65536, "the header of %s is said to have %lld bytes", files[_i].file,
                  (long long)bytes);
    struct at_hand at_hand = {.whole = source.io,
                              .document = &document,
                              .from = source.io.size * 2 / 5,
                              .to = source.io.size * 4 / 5};
    source.io.read = read_at_hand;
    source.io.context = &at_hand;
    source_read(&shown, &document, &source, frames / 2, frames / 2 + 48, 48, DEINTERLACE_FRAME);
    for (int64_t frame = 0; frame < 48; frame++) {
        ck_assert_int_eq(shown.counters[frame], frames / 2 + frame);
    }
    ck_assert_int_eq(at_hand.elsewhere, 0);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    mem_free(command);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(a_failing_read_is_no_end) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct file_source source;
    source_shell(
        folder, "25",
        "ffmpeg -f lavfi -i \"$CLIP,noise=c0s=40:allf=t\" -f lavfi -i sine=d=5 -frames:v 120 "
        "$X264 -b:v 4M -c:a aac a.ts");
    source_open(&source, folder, "a.ts");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    source.fail_at = source.io.size / 2;
    struct err err = {0};
    struct source_document other = {0};
    ck_assert_int_eq(encoder_probe(&other, &source.io, &options, NULL, NULL, &err),
                     ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "the storage is away");
    ck_assert_ptr_null(other.container);
    err_clear(&err);
    struct picture_source *pictures = NULL;
    const struct picture_source_options chunk = {&document, &source.io, 0, 120, DEINTERLACE_FRAME};
    int status = picture_source_open(&pictures, &chunk, &err);
    const AVFrame *picture = NULL;
    bool same = false;
    while (status >= 0 && (status = picture_source_next(pictures, &picture, &same, &err)) == 1) {
    }
    ck_assert_int_eq(status, ERR_UNAVAILABLE);
    picture_source_close(pictures);
    err_clear(&err);
    struct sound_source *sound = NULL;
    ck_assert_int_eq(sound_source_open(&sound, &document, 0, &source.io, &err), 0);
    const AVFrame *samples = NULL;
    struct rational start;
    while ((status = sound_source_next(sound, &samples, &start, &err)) == 1) {
    }
    ck_assert_int_eq(status, ERR_UNAVAILABLE);
    sound_source_close(sound);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

static int stop_at_once(void *context, int64_t done, int64_t total) {
    int64_t *seen = context;
    ck_assert_int_le(done, total);
    *seen = done;
    return 1;
}

START_TEST(a_probe_can_be_cancelled) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct file_source source;
    struct err err = {0};
    int64_t seen = -1;
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 1100 $X264 a.ts");
    source_open(&source, folder, "a.ts");
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, stop_at_once, &seen, &err),
                     ERR_CANCELLED);
    ck_assert_int_ge(seen, 0);
    ck_assert_ptr_null(document.container);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(bounds_are_kept) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct err err = {0};
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 100 $X264 a.mp4");
    source_open(&source, folder, "a.mp4");
    struct probe_options options = probe_options_default();
    options.max_frames = 99;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err),
                     ERR_UNSUPPORTED);
    err_clear(&err);
    options.max_frames = 100;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err), 0);
    source_document_finish(&document);
    options.max_height = 95;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err),
                     ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "160x96"));
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

Suite *source_reading_suite(void) {
    Suite *suite = suite_create("source_reading");
    TCase *reading = tcase_create("reading");
    tcase_set_timeout(reading, 180);
    tcase_add_test(reading, a_file_cut_short_says_what_is_missing);
    tcase_add_test(reading, what_a_decoder_conceals_is_counted);
    tcase_add_test(reading, a_stamp_far_off_is_not_believed);
    tcase_add_loop_test(reading, what_opening_reads_is_known, 0, 2);
    tcase_add_test(reading, a_failing_read_is_no_end);
    tcase_add_test(reading, a_probe_can_be_cancelled);
    tcase_add_test(reading, bounds_are_kept);
    suite_add_tcase(suite, reading);
    TCase *damage = tcase_create("damage");
    tcase_set_timeout(damage, 180);
    tcase_add_unchecked_fixture(damage, make_to_damage, drop_clips);
    tcase_add_loop_test(damage, damage_gives_a_picture_or_a_sentence, 0, DAMAGED);
    suite_add_tcase(suite, damage);
    TCase *chunks = tcase_create("chunks");
    tcase_set_timeout(chunks, 180);
    tcase_add_unchecked_fixture(chunks, make_large, drop_clips);
    tcase_add_loop_test(chunks, a_chunk_reads_its_own_bytes, 0, 5);
    suite_add_tcase(suite, chunks);
    return suite;
}
