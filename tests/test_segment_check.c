/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate of media against every kind of lie, in reports and in bytes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "segment_fixture.h"

Suite *segment_check_suite(void);

static const size_t report_fields[] = {
    offsetof(struct segment_report, number),   offsetof(struct segment_report, bytes),
    offsetof(struct segment_report, samples),  offsetof(struct segment_report, decode_time),
    offsetof(struct segment_report, duration),
};

START_TEST(test_report_lies) {
    bool is_video = _i == 0;
    ck_assert_int_eq(is_video ? write_video(NULL) : write_audio(all_packets(), NULL), 0);
    static const int64_t values[] = {0, -1, INT64_MAX, INT64_MIN, UINT32_MAX, 1};
    for (size_t f = 0; f < sizeof(report_fields) / sizeof(report_fields[0]); f++) {
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            struct take lying = takes[1];
            int64_t *field = (int64_t *)((char *)&lying.report + report_fields[f]);
            *field = v == 5 ? *field + 1 : values[v];
            struct err err = {0};
            ck_assert_msg(check_take(&lying, is_video, &err) == ERR_CORRUPT, "field %zu value %zu",
                          f, v);
            ck_assert_ptr_nonnull(strstr(err.message, "segment "));
        }
    }
    struct take lying = takes[1];
    lying.report.fragments = lying.fragments;
    lying.report.fragment_count++;
    ck_assert_int_eq(check_take(&lying, is_video, NULL), ERR_CORRUPT);
    for (int part = 0; is_video && part < 6; part++) {
        lying = takes[1];
        lying.report.fragments = lying.fragments;
        uint32_t *numbers = (uint32_t *)&lying.fragments[part / 3];
        numbers[part % 3]++;
        ck_assert_int_eq(check_take(&lying, true, NULL), ERR_CORRUPT);
    }
    /* Another segment's bytes under this number. */
    lying = takes[2];
    lying.report.number = 2;
    lying.report.fragments = lying.fragments;
    ck_assert_int_eq(check_take(&lying, is_video, NULL), ERR_CORRUPT);
}
END_TEST

/* Whether byte `at` of a segment is the encoder's own choice: no gate can know what a
 * coded picture should be, nor where a packet of sound ends. NAL unit lengths and
 * headers are not. */
static bool is_payload(const struct media_facts *facts, bool is_video, size_t at) {
    for (size_t c = 0; c < facts->chunk_count; c++) {
        const struct chunk_facts *chunk_facts = &facts->chunks[c];
        size_t start = chunk_facts->offset + chunk_facts->header_size;
        if (!is_video && at < start - 8 && at >= start - 8 - 4 * chunk_facts->sample_count) {
            return true; /* sizes, which must add up to the mdat */
        }
        for (size_t s = 0; s < chunk_facts->sample_count; s++) {
            size_t size = facts->samples[chunk_facts->first_sample + s].size;
            if (at >= start && at < start + size) {
                return is_video ? at >= start + 5 : at != start;
            }
            start += size;
        }
    }
    return false;
}

static bool same_but_payload(const struct media_facts *facts, bool is_video, const struct buf *good,
                             const uint8_t *data) {
    for (size_t i = 0; i < good->size; i++) {
        bool harmless = false;
        if (is_video && i > 0) { /* other values of nal_ref_idc that say the same */
            harmless = (good->data[i] == 0x65 || good->data[i] == 0x41) &&
                       (good->data[i] & 0x9f) == (data[i] & 0x9f) && (data[i] & 0x60) != 0;
        }
        if (data[i] != good->data[i] && !is_payload(facts, is_video, i) && !harmless &&
            !(!is_video && good->data[i] == 0x21)) {
            return false;
        }
    }
    return true;
}

static struct media_facts gate_setup(bool is_video) {
    struct media_facts facts;
    struct sample_defaults defaults = {.track_id = 1, .duration = is_video ? 1001 : 1024};
    ck_assert_int_eq(is_video ? write_video(NULL) : write_audio(all_packets(), NULL), 0);
    ck_assert_int_eq(check_take(&takes[1], is_video, NULL), 0);
    ck_assert_int_eq(
        media_segment_read(&facts, takes[1].bytes.data, takes[1].bytes.size, &defaults, NULL), 0);
    return facts;
}

START_TEST(test_cut) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    for (size_t cut = 0; cut < take->bytes.size; cut++) {
        uint8_t *copy = mem_try(cut + 1); /* so that ASan sees a byte too far */
        memcpy(copy, take->bytes.data, cut);
        struct segment_report report = take->report;
        report.bytes = (int64_t)cut;
        struct err err = {0};
        int failed = segment_check(copy, cut, is_video ? &video_track : &audio_track,
                                   is_video ? &chunk : NULL, &report, &err);
        ck_assert_msg(failed == ERR_CORRUPT && err.message[0] != '\0', "cut at %zu", cut);
        mem_free(copy);
    }
    struct segment_report none = take->report;
    none.bytes = 0;
    ck_assert_int_eq(segment_check(NULL, 0, is_video ? &video_track : &audio_track,
                                   is_video ? &chunk : NULL, &none, NULL),
                     ERR_CORRUPT);
    struct init_facts init;
    ck_assert_int_eq(init_segment_read(&init, NULL, 0, NULL), ERR_CORRUPT);
    buf_u8(&take->bytes, 0);
    take->report.bytes++;
    ck_assert_int_eq(check_take(take, is_video, NULL), ERR_CORRUPT);
    media_facts_finish(&facts);
}
END_TEST

START_TEST(test_every_bit) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    for (size_t bit = 0; bit < take->bytes.size * 8; bit++) {
        size_t at = bit / 8;
        uint8_t good = take->bytes.data[at];
        take->bytes.data[at] ^= (uint8_t)(1 << bit % 8);
        int failed = check_take(take, is_video, NULL);
        bool size = !is_video && at < facts.chunks[0].offset + facts.chunks[0].header_size;
        if (size || !is_payload(&facts, is_video, at)) {
            bool same_kind = is_video && (good == 0x65 || good == 0x41) &&
                             (take->bytes.data[at] & 0x60) != 0 && (bit % 8 == 5 || bit % 8 == 6);
            bool raw = !is_video && good == 0x21;
            ck_assert_msg(failed == ERR_CORRUPT || same_kind || raw, "bit %zu of byte %zu", bit % 8,
                          at);
        }
        take->bytes.data[at] = good;
    }
    media_facts_finish(&facts);
}
END_TEST

/* Seeded noise: bytes set, runs copied, words of tempting values. */
static void mutate(uint8_t *data, size_t size) {
    static const uint32_t words[] = {0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8};
    for (int i = rand() % 4; i >= 0; i--) {
        size_t at = (size_t)rand() % size;
        if (rand() % 3 == 0 && at + 4 <= size) {
            uint32_t word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
            for (int b = 0; b < 4; b++) {
                data[at + (size_t)b] = (uint8_t)(word >> (24 - 8 * b));
            }
        } else if (rand() % 3 == 0) {
            size_t from = (size_t)rand() % size;
            size_t most = size - (at > from ? at : from);
            memmove(data + at, data + from, (size_t)rand() % 24 % most);
        } else {
            data[at] = (uint8_t)rand();
        }
    }
}

START_TEST(test_noise) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    size_t size = take->bytes.size;
    struct buf good = {0};
    buf_append(&good, take->bytes.data, size);
    int passed = 0;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        mutate(take->bytes.data, size);
        if (check_take(take, is_video, NULL) == 0) {
            passed++;
            ck_assert_msg(same_but_payload(&facts, is_video, &good, take->bytes.data), "round %d",
                          round);
        }
        memcpy(take->bytes.data, good.data, size);
    }
    ck_assert_int_gt(passed, 0); /* noise in coded pictures alone */
    buf_finish(&good);
    media_facts_finish(&facts);
}
END_TEST

/* The composition offsets of two pictures swapped, their order doubled, or off the
 * frame grid: structure and sums are right, and the GOP is not. */
START_TEST(test_order_lies) {
    struct media_facts facts = gate_setup(true);
    struct take *take = &takes[1];
    const struct chunk_facts *rest = &facts.chunks[1];
    uint8_t *run = take->bytes.data + rest->offset + rest->header_size - 8 -
                   12 * rest->sample_count; /* the entries end where mdat begins */
    uint8_t first[4];
    memcpy(first, run + 8, 4);
    struct err err = {0};
    memcpy(run + 8, run + 12 + 8, 4);
    ck_assert_int_eq(check_take(take, true, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "composition offset") != NULL, "%s", err.message);
    memcpy(run + 8, first, 4);
    run[11] ^= 1; /* one tick off */
    err_clear(&err);
    ck_assert_int_eq(check_take(take, true, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "composition offset") != NULL, "%s", err.message);
    run[11] ^= 1;
    run[8] |= 0x80; /* far below 0 */
    ck_assert_int_eq(check_take(take, true, NULL), ERR_CORRUPT);
    run[8] ^= 0x80;
    ck_assert_int_eq(check_take(take, true, NULL), 0);
    media_facts_finish(&facts);
}
END_TEST

/* A sum that a box tree can't hold, many small fragments, many small boxes: all in
 * time and memory that are linear in the input. */
START_TEST(test_large_lies) {
    struct sample_defaults defaults = {.track_id = 1, .duration = 1};
    struct media_facts facts;
    struct run_sample one = {.size = 1};
    struct buf bytes = {0};
    enum { MANY = 100000 };
    for (uint32_t i = 0; i < MANY; i++) {
        struct fragment fragment = {.sequence = i, .samples = &one, .count = 1};
        fragment_header_write(&fragment, &bytes);
        buf_u8(&bytes, 0);
    }
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, NULL), 0);
    ck_assert_uint_eq(facts.chunk_count, MANY);
    ck_assert_uint_eq(facts.sample_count, MANY);
    media_facts_finish(&facts);

    buf_clear(&bytes);
    size_t moof = mp4_open(&bytes, "moof");
    for (uint32_t i = 0; i < MANY; i++) {
        mp4_close(&bytes, mp4_open(&bytes, "free"));
    }
    mp4_close(&bytes, moof);
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, NULL),
                     ERR_CORRUPT);

    buf_clear(&bytes);
    struct fragment fragment = {.samples = &one, .count = 1};
    fragment_header_write(&fragment, &bytes);
    buf_u8(&bytes, 0);
    buf_put_u32(&bytes, bytes.size - 9 - 12, UINT32_MAX); /* sample_count of trun */
    struct err err = {0};
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, &err),
                     ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box trun tells of 4294967295 samples in 4 bytes");
    buf_finish(&bytes);
}
END_TEST

/* Samples without an entry each, whose size the header tells: a count of four bytes for all. */
START_TEST(test_run_without_entries) {
    enum { MOST = 1 << 22 };
    struct sample_defaults defaults = {.track_id = 1, .duration = 1, .size = 1};
    for (uint32_t count = MOST; count <= MOST + 1; count++) {
        struct media_facts facts;
        struct buf bytes = {0};
        size_t moof = mp4_open(&bytes, "moof");
        size_t box = mp4_full_open(&bytes, "mfhd", 0, 0);
        buf_u32(&bytes, 1);
        mp4_close(&bytes, box);
        size_t traf = mp4_open(&bytes, "traf");
        box = mp4_full_open(&bytes, "tfhd", 0, 0x020000);
        buf_u32(&bytes, 1);
        mp4_close(&bytes, box);
        box = mp4_full_open(&bytes, "tfdt", 1, 0);
        buf_u64(&bytes, 0);
        mp4_close(&bytes, box);
        box = mp4_full_open(&bytes, "trun", 1, 1);
        buf_u32(&bytes, count);
        buf_u32(&bytes, (uint32_t)(bytes.size - moof + 4 + 8));
        mp4_close(&bytes, box);
        mp4_close(&bytes, traf);
        mp4_close(&bytes, moof);
        box = mp4_open(&bytes, "mdat");
        buf_zero(&bytes, count);
        mp4_close(&bytes, box);
        int wanted = count == MOST ? 0 : ERR_CORRUPT;
        ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, NULL),
                         wanted);
        if (wanted == 0) {
            media_facts_finish(&facts);
        }
        buf_finish(&bytes);
    }
}
END_TEST

/* A sample of the take, not its first, with room for so many bytes. */
static uint8_t *roomy_sample(const struct take *take, size_t room, size_t *size) {
    struct media_facts facts;
    struct sample_defaults defaults = {.track_id = 1, .duration = 1001};
    uint8_t *found = NULL;
    ck_assert_int_eq(
        media_segment_read(&facts, take->bytes.data, take->bytes.size, &defaults, NULL), 0);
    for (size_t c = 0; c < facts.chunk_count; c++) {
        size_t at = facts.chunks[c].offset + facts.chunks[c].header_size;
        for (size_t s = 0; s < facts.chunks[c].sample_count; s++) {
            *size = facts.samples[facts.chunks[c].first_sample + s].size;
            if (s > 0 && *size >= room) {
                found = take->bytes.data + at;
            }
            at += *size;
            if (found != NULL) {
                media_facts_finish(&facts);
                return found;
            }
        }
    }
    ck_abort_msg("no sample is of %zu bytes", room);
}

/* Legal in files of others, and none of ours: what the gate passes is what our encoders make. The
 * first of each codec is legal for both. */
START_TEST(test_samples_of_others) {
    static const struct {
        const char *what;
        uint8_t units[12]; /* behind, or before, what is left of the sample */
        size_t size;
        bool av1, before, good;
    } cases[] = {
        {"SEI", {0, 0, 0, 1, 6}, 5, false, true, true},
        {"a delimiter", {0, 0, 0, 2, 9, 0xf0}, 6, false, true, false},
        {"filler", {0, 0, 0, 1, 12}, 5, false, false, false},
        {"the end of the sequence", {0, 0, 0, 1, 10}, 5, false, false, false},
        {"metadata", {0x2a, 2, 1, 0}, 4, true, true, true},
        {"a temporal delimiter", {0x12, 0}, 2, true, true, false},
        {"padding", {0x7a, 1, 0x80}, 3, true, false, false},
        {"an OBU without size", {0}, 0, true, false, false},
    };
    if (cases[_i].av1) {
        be_av1();
    }
    ck_assert_int_eq(write_video(NULL), 0);
    ck_assert_int_eq(check_take(&takes[1], true, NULL), 0);
    size_t size = 0;
    uint8_t *sample = roomy_sample(&takes[1], 11, &size);
    size_t extra = cases[_i].size;
    uint8_t *own = sample + (cases[_i].before ? extra : 0);
    uint8_t kind = sample[4];
    if (cases[_i].av1) {
        own[0] = extra > 0 ? 0x32 : 0x30;
        own[1] = extra > 0 ? (uint8_t)(size - extra - 2) : 0x30;
        own[2] = 0x30;
    } else {
        memcpy(own, (uint8_t[]){0, 0, 0, (uint8_t)(size - extra - 4), kind}, 5);
    }
    memcpy(cases[_i].before ? sample : sample + size - extra, cases[_i].units, extra);
    struct err err = {0};
    int failed = check_take(&takes[1], true, &err);
    ck_assert_msg(failed == (cases[_i].good ? 0 : ERR_CORRUPT), "%s: %s", cases[_i].what,
                  err.message);
    ck_assert_msg(cases[_i].good || strstr(err.message, "more than its picture") != NULL, "%s: %s",
                  cases[_i].what, err.message);
}
END_TEST

/* Configurations that others may have: the gate of ours takes them neither with segments nor for
 * an init segment. */
START_TEST(test_records_of_others) {
    static const uint8_t extension[] = {1, 0, 2, 0x6d, 0x80};
    struct buf init = {0};
    size_t size = video_track.record_size;
    uint8_t *record = video_track.record;
    size_t sps_size = 2 + record[7];
    if (_i == 4) {
        be_av1();
    }
    ck_assert_int_eq(write_video(NULL), 0);
    ck_assert_int_eq(init_segment_write(&video_track, &init, NULL), 0);
    switch (_i) {
    case 0: /* lengths of 2 bytes */
        record[4] = 0xfd;
        break;
    case 1: /* two SPSs */
        record[5]++;
        memmove(record + 6 + sps_size, record + 6, size - 6);
        video_track.record_size += sps_size;
        break;
    case 2: /* a level above the SPS's */
        record[3] = 31;
        break;
    case 3: /* an SPS extension */
        memcpy(record + size - 1, extension, sizeof(extension));
        video_track.record_size += sizeof(extension) - 1;
        break;
    default: /* av1C without a sequence header */
        video_track.record_size = 4;
    }
    struct err err = {0};
    ck_assert_int_eq(check_take(&takes[1], true, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "its record"));
    ck_assert_int_eq(init_segment_write(&video_track, &init, NULL), ERR_INVALID);
    buf_finish(&init);
}
END_TEST

Suite *segment_check_suite(void) {
    Suite *suite = suite_create("segment_check");
    TCase *tests = tcase_create("segment check");
    tcase_add_checked_fixture(tests, segment_setup, segment_teardown);
    tcase_add_loop_test(tests, test_report_lies, 0, 2);
    tcase_add_loop_test(tests, test_cut, 0, 2);
    tcase_add_loop_test(tests, test_every_bit, 0, 2);
    tcase_add_loop_test(tests, test_noise, 0, 2);
    tcase_add_test(tests, test_order_lies);
    tcase_add_test(tests, test_large_lies);
    tcase_add_test(tests, test_run_without_entries);
    tcase_add_loop_test(tests, test_samples_of_others, 0, 8);
    tcase_add_loop_test(tests, test_records_of_others, 0, 5);
    suite_add_tcase(suite, tests);
    return suite;
}
