/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over a title of H.264 and AV1: the whole one breaks no rule, and what can be wrong
 * with AV1 alone is told. All that the codecs share is damaged in test_verify.c.
 */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "packager/packager.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_av1_suite(void);

/* The folder of the AV1 rendition. */
#define MODERN "video/av1-180p-9876543210/"

/* ---- Damage ----------------------------------------------------------------------- */

/* av1C: four bytes, then the sequence header OBU with two bytes of header. */
static uint8_t *record(void) {
    return box_of(&damaged, MODERN "init.mp4", "av1C", 0);
}

static void record_level(void) {
    record()[1] ^= 1;
}

static void record_depth(void) {
    record()[2] ^= 0x40;
}

static void record_version(void) {
    record()[0] = 0x82;
}

static void record_two_headers(void) {
    record()[4] = 0x1a; /* a frame header */
}

/* The width that the sequence header tells, in the record alone. */
static void header_size(void) {
    record()[4 + 2 + 5] ^= 0x01;
}

static void brand_gone(void) {
    memcpy(box_of(&damaged, MODERN "init.mp4", "cmfc", 0), "avc1", 4);
}

static void colour_other(void) {
    box_of(&damaged, MODERN "init.mp4", "nclx", 0)[1] = 9;
}

static uint8_t *sample(int chunk) {
    return box_of(&damaged, MODERN "00002.m4s", "mdat", chunk);
}

/* The sequence header of a key picture is not av1C's. */
static void header_in_sample_other(void) {
    sample(0)[3] ^= 0x10;
}

/* What is no OBU of a sample stands where the sequence header was. */
static void delimiter_in_sample(void) {
    sample(0)[0] = 0x12;
}

static void tile_list_in_sample(void) {
    sample(0)[0] = 8 << 3 | 2;
}

static void padding_in_sample(void) {
    sample(0)[0] = 15 << 3 | 2;
}

static void no_size_in_obu(void) {
    sample(0)[0] &= (uint8_t)~2;
}

static void size_past_end(void) {
    sample(0)[1] = 0x7f;
}

/* The first frame of a key picture becomes an inter frame: its type is bits 1 and 2. */
static void key_gone(void) {
    uint8_t *at = sample(0);
    at += 2 + at[1];            /* behind the sequence header */
    at += at[2] > 0x7f ? 4 : 2; /* and the header of a frame of two or three bytes' size */
    while ((at[-1] & 0x80) != 0) {
        at++;
    }
    at[0] |= 0x20;
}

/* Sets bits of a byte in all sequence headers: those of av1C and of the key pictures. */
static void set_in_headers(int byte, uint8_t bits) {
    static const char *const paths[] = {MODERN "00001.m4s", MODERN "00002.m4s", MODERN "00003.m4s"};
    const int key_chunks[] = {0, 2};
    record()[4 + 2 + byte] |= bits;
    for (size_t s = 0; s < sizeof(paths) / sizeof(paths[0]); s++) {
        for (size_t k = 0; k < sizeof(key_chunks) / sizeof(key_chunks[0]); k++) {
            box_of(&damaged, paths[s], "mdat", key_chunks[k])[2 + byte] |= bits;
        }
    }
}

/* Another level in av1C and in all sequence headers: 24 bits behind the header's start. */
static void level_spare(void) {
    record()[1] |= 1;
    set_in_headers(3, 1 << 3);
}

/* still_picture, behind the profile. */
static void still(void) {
    set_in_headers(0, 1 << 4);
}

static int bit_at(const uint8_t *data, size_t at) {
    return data[at / 8] >> (7 - at % 8) & 1;
}

/* timing_info of equal, unknown lengths in the sequence header of av1C, its 66 bits put in
 * behind the flag that tells of it. */
static void times_told(void) {
    enum { FLAG_AT = 5, TIMING_BITS = 66, MORE = 9 };
    uint8_t old[64];
    uint8_t new[64 + MORE] = {0};
    size_t size = record()[5];
    ck_assert_uint_le(size, sizeof(old));
    memcpy(old, record() + 6, size);
    for (size_t i = 0; i < 8 * size; i++) {
        size_t to = i > FLAG_AT ? i + TIMING_BITS : i;
        new[to / 8] |= (uint8_t)(bit_at(old, i) << (7 - to % 8));
    }
    new[0] |= 1 << (7 - FLAG_AT);
    box_insert(&damaged, MODERN "init.mp4", record() + 6, new, MORE);
    memcpy(record() + 6, new, size + MORE);
    record()[5] = (uint8_t)(size + MORE);
}

/* An inter frame that is alone in its sample. */
struct lone_frame {
    uint8_t *head;  /* the byte that begins with show_existing_frame and frame_type */
    uint8_t *flags; /* that the trun tells */
};

static struct lone_frame find_lone_frame(void) {
    uint8_t *run = box_of(&damaged, MODERN "00002.m4s", "trun", 1);
    uint8_t *at = sample(1);
    uint32_t count = get_u32(run + 4);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *entry = run + 12 + (size_t)8 * i;
        size_t head = (at[1] & 0x80) != 0 ? 3 : 2; /* and less than 16 KiB */
        size_t size = (at[1] & 0x7fU) | (head == 3 ? (size_t)at[2] << 7 : 0);
        if (at[0] == (6 << 3 | 2) && head + size == get_u32(entry)) {
            return (struct lone_frame){at + head, entry + 4};
        }
        at += get_u32(entry);
    }
    ck_abort_msg("no sample holds one frame alone");
}

static void inter_frame_alone(void) {
    put_u32(find_lone_frame().flags, 0x02010000);
}

/* Two neighbours change places by their composition offsets, as those of H.264 may. */
static void offsets_swapped(void) {
    struct sample_defaults defaults = {.track_id = 1, .duration = 1001};
    struct media_facts facts;
    struct buf copy = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, MODERN "00002.m4s");
    buf_append(&copy, bytes->data, bytes->size);
    ck_assert_int_eq(media_segment_read(&facts, copy.data, copy.size, &defaults, NULL), 0);
    struct run_sample *pair = &facts.samples[facts.chunks[1].first_sample];
    pair[0].offset = 1001;
    pair[1].offset = -1001;
    buf_clear(bytes);
    segment_type_write(bytes);
    for (size_t c = 0; c < facts.chunk_count; c++) {
        const struct chunk_facts *chunk = &facts.chunks[c];
        struct fragment fragment = {
            .flags = true,
            .offsets = c == 1,
            .sequence = chunk->sequence,
            .decode_time = (int64_t)chunk->decode_time,
            .samples = facts.samples + chunk->first_sample,
            .count = chunk->sample_count,
        };
        fragment_header_write(&fragment, bytes);
        buf_append(bytes, chunk->payload, chunk->payload_size);
    }
    media_facts_finish(&facts);
    buf_finish(&copy);
}

/* In the place of the first frame behind a key picture as many hidden ones as there is room
 * for, each an inter frame of one byte, and then one that is shown or hidden as that was. */
static void hidden_frames(void) {
    enum { FRAME = 6 << 3 | 2, HIDDEN = 0x20, HIDDEN_SIZE = 3, REST_MIN = 3 };
    uint8_t *at = sample(1);
    size_t left = at[1] & 0x7f;
    size_t head = 2;
    if ((at[1] & 0x80) != 0) {
        left |= (size_t)at[2] << 7;
        head = 3;
    }
    uint8_t first = at[head];
    ck_assert_int_eq(at[0], FRAME);
    left += head;
    while (left > REST_MIN + 100 + HIDDEN_SIZE) {
        memcpy(at, (const uint8_t[]){FRAME, 1, HIDDEN}, HIDDEN_SIZE);
        at += HIDDEN_SIZE;
        left -= HIDDEN_SIZE;
    }
    at[0] = FRAME;
    at[1] = (uint8_t)(left - 2);
    at[2] = first;
}

/* Makes a set of pictures the trick mode of others. */
#define TRICK_PLACE "<SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:ColourPrimaries"
#define TRICK_MODE(ids)                                                                            \
    "<EssentialProperty schemeIdUri=\"http://dashif.org/guidelines/trickmode\" "                   \
    "value=\"" ids "\"/>"

static const struct damage damages[] = {
    {"cmaf-init", " title-document ", record_level, NULL, NULL, NULL, false},
    {"cmaf-init", " title-document ", record_depth, NULL, NULL, NULL, false},
    {"cmaf-init", " title-document ", record_version, NULL, NULL, NULL, false},
    {"cmaf-init", " title-document ", record_two_headers, NULL, NULL, NULL, false},
    {"cmaf-picture-size", " codec-sample hls-resolution dash-size dash-set title-document ",
     header_size, NULL, NULL, NULL, false},
    {"cmaf-brand", "", brand_gone, NULL, NULL, NULL, false},
    {"video-colour", "", colour_other, NULL, NULL, NULL, false},
    {"codec-sample", " title-document ", header_in_sample_other, NULL, NULL, NULL, false},
    {"codec-sample", " title-document ", delimiter_in_sample, NULL, NULL, NULL, false},
    {"codec-sample", " title-document ", tile_list_in_sample, NULL, NULL, NULL, false},
    {"codec-spare",
     " video-key video-order hls-iframe-range hls-iframe-list cmaf-sample-flags hls-bandwidth "
     "hls-average-bandwidth title-document ",
     padding_in_sample, NULL, NULL, NULL, false},
    {"codec-sample", " title-document ", no_size_in_obu, NULL, NULL, NULL, false},
    {"codec-sample", " title-document ", size_past_end, NULL, NULL, NULL, false},
    {"video-key",
     " hls-iframe-range hls-iframe-list cmaf-sample-flags "
     "hls-average-bandwidth title-document ",
     key_gone, NULL, NULL, NULL, false},
    {"hls-codecs", "", NULL, MASTER, "\"av01.0.00M.08,", "\"av01.0.05M.08,", false},
    {"hls-codecs", "", NULL, MASTER, "\"av01.0.00M.08,", "\"av01.0.00M.10,", false},
    {"dash-codecs", "", NULL, MPD, "codecs=\"av01.0.00M.08\"", "codecs=\"av01.0.00M.10\"", false},
    {"dash-set", " dash-role ", NULL, MPD,
     "</AdaptationSet>\n    <AdaptationSet id=\"2\" contentType=\"video\" ",
     "</AdaptationSet>\n    <AdaptationSet id=\"2\" contentType=\"audio\" ", false},
    {"dash-switching", "", NULL, MPD, "adaptation-set-switching:2016\" value=\"2\"",
     "adaptation-set-switching:2016\" value=\"2,9\"", false},
    {"dash-switching", "", NULL, MPD, "adaptation-set-switching:2016\" value=\"2\"",
     "adaptation-set-switching:2016\" value=\"1,2\"", false},
    {"dash-switching", "", NULL, MPD, "adaptation-set-switching:2016\" value=\"2\"",
     "adaptation-set-switching:2016\" value=\"2,3\"", false},
    {"dash-switching", "", NULL, MPD, "adaptation-set-switching:2016\" value=\"1\"",
     "other:2016\" value=\"1\"", false},
    {"dash-optional", "", NULL, MPD, "adaptation-set-switching:2016\"", "other:2016\"", true},
    {"dash-syntax", "", NULL, MPD, "adaptation-set-switching:2016\" value=\"1\"",
     "adaptation-set-switching:2016\" value=\"\"", false},
    {"dash-trick-mode", " dash-trick-rate ", NULL, MPD, TRICK_PLACE, TRICK_MODE("9") TRICK_PLACE,
     false},
    {"dash-trick-mode", " dash-trick-rate ", NULL, MPD, TRICK_PLACE, TRICK_MODE("1 3") TRICK_PLACE,
     false},
    {"dash-trick-rate", "", NULL, MPD, TRICK_PLACE, TRICK_MODE("2") TRICK_PLACE, false},
    {"codec-level", "", hidden_frames, NULL, NULL, NULL, false},
    {"codec-still", "", still, NULL, NULL, NULL, false},
    {"codec-timing", " codec-sample title-document ", times_told, NULL, NULL, NULL, false},
    {"cmaf-sample-flags", "", inter_frame_alone, NULL, NULL, NULL, false},
    {"video-order",
     " hls-iframe-range title-document hls-bandwidth hls-average-bandwidth dash-bandwidth ",
     offsets_swapped, NULL, NULL, NULL, false},
    {"codec-level-spare", " hls-codecs dash-codecs title-document ", level_spare, NULL, NULL, NULL,
     false},
};

enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };

/* av1C need not hold the sequence header: its pictures' sizes and colours are the sample entry's
 * then, which must tell them. */
START_TEST(test_no_header) {
    struct verdict verdict;
    record()[4] = 5 << 3 | 2; /* metadata */
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    verdict_finish(&verdict);
    box_of(&damaged, MODERN "init.mp4", "colr", 0)[-1] = 'x';
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict_tells(&verdict, "cmaf-picture-boxes"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

START_TEST(test_whole) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &whole), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    ck_assert_int_eq(verdict.summary.musts + verdict.summary.advice, 0);
    ck_assert_int_eq(verdict.summary.segments, 12);
    verdict_finish(&verdict);
}
END_TEST

START_TEST(test_damage) {
    damage_check(&damages[_i], _i);
}
END_TEST

/* The title breaks no must, and draws that advice. */
static void check_advice(const struct title_fixture_options *options, const char *rule) {
    struct title_fixture title;
    struct verdict verdict;
    title_fixture_make(&title, options);
    ck_assert_int_eq(verdict_of(&verdict, &title), 0);
    ck_assert_int_eq(verdict.summary.musts, 0);
    ck_assert_msg(verdict_tells(&verdict, rule), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    title_fixture_finish(&title);
}

/* An intra-only frame is no place to begin at, and needs no other: both may be told. */
START_TEST(test_intra_only) {
    struct verdict verdict;
    struct lone_frame frame = find_lone_frame();
    *frame.head = (uint8_t)((*frame.head & ~0x60) | 0x40);
    for (int told = 0; told < 2; told++) {
        put_u32(frame.flags, told ? 0x02010000 : 0x01010000);
        ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
        ck_assert_str_eq(verdict_lines(&verdict), "");
        verdict_finish(&verdict);
    }
}
END_TEST

/* Of a title of AV1 alone, what it lacks is told as advice. */
START_TEST(test_alone) {
    struct title_fixture_options options = title_fixture_options_av1();
    options.rungs[0] = options.rungs[2];
    options.rung_count = 1;
    check_advice(&options, "codec-neighbour");
}
END_TEST

/* Noise needs more bits than its size's level has; that blocks nothing, since no player counts
 * them. */
START_TEST(test_level_rate) {
    struct title_fixture_options options = title_fixture_options_av1();
    options.pictures = "testsrc2=size=%dx%d:rate=24000/1001,noise=alls=90:allf=t";
    options.rungs[2].crf = 10;
    check_advice(&options, "codec-level-rate");
}
END_TEST

/* Pictures of AV1 in other colours than those of H.264. */
START_TEST(test_other_colour) {
    struct title_fixture_options options = title_fixture_options_av1();
    options.rungs[2].colour = 6;
    check_advice(&options, "video-one-colour");
}
END_TEST

/* A trick mode of a set that is there breaks no rule but the version's. */
START_TEST(test_trick_mode) {
    struct verdict verdict;
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    ck_assert(text_replace(mpd, TRICK_PLACE, TRICK_MODE("2") TRICK_PLACE, false) &&
              text_replace(mpd, "AdaptationSet id=\"1\"",
                           "AdaptationSet id=\"1\" maxPlayoutRate=\"8\" "
                           "codingDependency=\"false\"",
                           false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "dash-trick-mode") &&
                      !verdict_tells(&verdict, "dash-trick-rate") &&
                      !verdict_tells(&verdict, "dash-switching"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Both codecs are in both manifests, each in its own AdaptationSet that names the other. */
START_TEST(test_manifests) {
    const char *mpd = buf_text(title_fixture_bytes(&damaged, MPD));
    const char *master = buf_text(title_fixture_bytes(&damaged, MASTER));
    ck_assert_ptr_nonnull(strstr(mpd, "adaptation-set-switching:2016\" value=\"2\""));
    ck_assert_ptr_nonnull(strstr(mpd, "adaptation-set-switching:2016\" value=\"1\""));
    ck_assert_ptr_nonnull(strstr(mpd, "codecs=\"av01.0.00M.08\""));
    ck_assert_ptr_nonnull(strstr(master, "CODECS=\"av01.0.00M.08,mp4a.40.2\""));
    ck_assert_ptr_nonnull(strstr(master, "av1-180p-iframes.m3u8"));
    const char *first = strstr(master, "#EXT-X-STREAM-INF:");
    ck_assert_ptr_nonnull(first);
    const char *codecs = strstr(first, "CODECS=\"");
    ck_assert_int_eq(strncmp(codecs, "CODECS=\"avc1", 12), 0); /* what all players know is first */
    /* no edit list and no composition offsets: AV1 in ISOBMFF 2.4 */
    struct buf *init = title_fixture_bytes(&damaged, MODERN "init.mp4");
    ck_assert_ptr_null(memmem(init->data, init->size, "elst", 4));
    uint8_t *run = box_of(&damaged, MODERN "00001.m4s", "trun", 1);
    ck_assert_int_eq(get_u32(run), 0x01000601);
}
END_TEST

Suite *verify_av1_suite(void) {
    Suite *suite = suite_create("verify_av1");
    TCase *titles = tcase_create("titles of two codecs");
    tcase_set_timeout(titles, 600);
    tcase_add_unchecked_fixture(titles, whole_make_av1, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_test(titles, test_whole);
    tcase_add_loop_test(titles, test_damage, 0, DAMAGES);
    tcase_add_test(titles, test_no_header);
    tcase_add_test(titles, test_intra_only);
    tcase_add_test(titles, test_alone);
    tcase_add_test(titles, test_level_rate);
    tcase_add_test(titles, test_other_colour);
    tcase_add_test(titles, test_trick_mode);
    tcase_add_test(titles, test_manifests);
    suite_add_tcase(suite, titles);
    return suite;
}
