/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles that lie: floods cost verify no more than their bytes, what it tells is fit
 * for a terminal, and bytes changed at random never do worse than findings.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "packager/fragment.h"
#include "packager/measure.h"
#include "verify_fixture.h"

Suite *verify_lies_suite(void);

/* ---- Texts ----------------------------------------------------------------------- */

/* Many breaches of one rule are counted, and not all told. */
START_TEST(test_many) {
    struct buf *bytes = title_fixture_bytes(&damaged, IFRAMES);
    struct buf text = {0};
    buf_string(&text, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
                      "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n"
                      "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n"
                      "#EXT-X-MAP:URI=\"../" PICTURES "init.mp4\"\n");
    for (int i = 0; i < 1000; i++) {
        buf_string(&text, "#EXTINF:1.001,\n#EXT-X-BYTERANGE:5@5\n../" PICTURES "00001.m4s\n");
    }
    buf_string(&text, "#EXT-X-ENDLIST\n");
    buf_finish(bytes);
    *bytes = text;
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_ge(verdict.summary.musts, 1000);
    ck_assert_ptr_nonnull(
        strstr(verdict_lines(&verdict), "must hls-iframe-range .: 992 more breaches"));
    verdict_finish(&verdict);
}
END_TEST

/* Texts of a title may hold what a terminal would obey. */
START_TEST(test_printable) {
    ck_assert(text_replace(title_fixture_bytes(&damaged, MASTER), "VIDEO-RANGE=SDR",
                           "VIDEO-RANGE=\"\x7f\xc3\xa9\"", true));
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD), "id=\"h264-90p\" bandwidth=\"*\"",
                           "id=\"&#155;&#127;\" bandwidth=\"5\"", false));
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    for (size_t i = 0; i < verdict.lines.size; i++) {
        uint8_t c = verdict.lines.data[i];
        ck_assert_msg(c == '\n' || (c >= 0x20 && c < 0x7f), "byte 0x%02x is told", c);
    }
    ck_assert_ptr_nonnull(strstr(verdict_lines(&verdict), "VIDEO-RANGE=???,"));
    ck_assert_ptr_nonnull(strstr(verdict_lines(&verdict), "Representation ??? declares"));
    verdict_finish(&verdict);
}
END_TEST

/* ---- Times ----------------------------------------------------------------------- */

/* A segment of pictures of a clock that ticks once a second; the first one of the last segment is
 * shown when no other number fits. */
static void shown_never(const char *folder) {
    char *init = mem_format("%sinit.mp4", folder);
    char *last = mem_format("%s00003.m4s", folder);
    put_u32(box_of(&damaged, init, "mdhd", 0) + 12, 1);
    put_u32(box_of(&damaged, last, "trun", 0) + 20, INT32_MAX);
    mem_free(init);
    mem_free(last);
}

/* Beside sound of the finest clock: the end of the pictures in its ticks fits no type. */
START_TEST(test_shown_never) {
    static const char *const others[] = {"#EXTINF:2*,\n../" SOUND "00002.m4s\n",
                                         "#EXTINF:2*,\n../" SOUND "00003.m4s\n"};
    shown_never(PICTURES);
    shown_never(SMALL);
    put_u32(box_of(&damaged, SOUND "init.mp4", "mdhd", 0) + 12, UINT32_MAX);
    put_u32(box_of(&damaged, SOUND "init.mp4", "trex", 0) + 12, UINT32_MAX / 2);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        text_replace(title_fixture_bytes(&damaged, "$V/audio-und-aac-2.m3u8"), others[i], "",
                     false);
    }
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(strstr(verdict_lines(&verdict),
                         "must cmaf-decode-time " PICTURES "00003.m4s: its first picture is shown "
                         "at tick 2147") != NULL,
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Many bytes in the least of times, beside others: no rate of them alone is asked for. */
START_TEST(test_rate_of_a_tick) {
    const struct measured_piece pieces[] = {{1 << 29, 1}, {1 << 29, UINT32_MAX - 1}};
    ck_assert_int_eq(measure_peak_bps(pieces, 2, UINT32_MAX, UINT32_MAX), INT64_C(8) << 30);
}
END_TEST

/* ---- Floods ---------------------------------------------------------------------- */

/* Far more than linear work needs under sanitizers, far less than quadratic work. */
enum { FLOOD_MS = 30 * 1000 };

static void many_variants(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, MASTER);
    for (int i = 0; i < 240; i++) {
        buf_string(bytes, "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a\",AUDIO=\"aac-2\"\n");
        buf_format(bytes, "%s/h264-180p.m3u8\n", damaged.version);
    }
}

static void too_many_variants(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, MASTER);
    for (int i = 0; i < 100000; i++) {
        buf_format(bytes, "#EXT-X-STREAM-INF:BANDWIDTH=1\n%s/h264-180p.m3u8\n", damaged.version);
    }
}

static void many_missing(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PLAYLIST);
    for (int i = 0; i < 100000; i++) {
        buf_format(bytes, "#EXTINF:1,\n../" PICTURES "a%06d.m4s\n", (i * 7919) % 100000);
    }
}

static void one_again_and_again(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PLAYLIST);
    for (int i = 0; i < 200000; i++) {
        buf_string(bytes, "#EXTINF:1,\n../" PICTURES "00003.m4s\n");
    }
}

static void long_timeline(void) {
    text_replace(title_fixture_bytes(&damaged, MPD), "d=\"48048\" r=\"2\"", "d=\"1\" r=\"60000\"",
                 false);
}

/* One segment of very many key pictures, each shown for one tick. */
static void tiny_fragments(void) {
    static const uint8_t key[] = {0, 0, 0, 2, 0x65, 0x88};
    struct buf *bytes = title_fixture_bytes(&damaged, PICTURES "00001.m4s");
    put_u32(box_of(&damaged, PICTURES "init.mp4", "trex", 0) + 12, 1);
    put_u32(box_of(&damaged, PICTURES "init.mp4", "elst", 0) + 12, 0);
    buf_clear(bytes);
    segment_type_write(bytes);
    for (uint32_t i = 0; i < 100000; i++) {
        struct run_sample sample = {.size = sizeof(key), .flags = SAMPLE_FLAGS_SYNC};
        struct fragment fragment = {true, true, i + 1, i, &sample, 1};
        fragment_header_write(&fragment, bytes);
        buf_append(bytes, key, sizeof(key));
    }
    text_replace(title_fixture_bytes(&damaged, PLAYLIST),
                 "#EXTINF:2.002000,\n../" PICTURES "00002.m4s\n", "", false);
    text_replace(title_fixture_bytes(&damaged, PLAYLIST),
                 "#EXTINF:2.002000,\n../" PICTURES "00003.m4s\n", "", false);
}

static const struct {
    void (*make)(void);
    const char *rule; /* that must be told */
} floods[] = {
    {many_variants, "hls-codecs"},    {too_many_variants, "hls-syntax"},
    {many_missing, "object-missing"}, {one_again_and_again, "cmaf-decode-time"},
    {long_timeline, "dash-timeline"}, {tiny_fragments, "title-bounds"},
};

START_TEST(test_floods) {
    floods[_i].make();
    struct verdict verdict;
    int64_t began = clock_monotonic_ms();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_lt(clock_monotonic_ms() - began, FLOOD_MS);
    ck_assert_msg(verdict_tells(&verdict, floods[_i].rule), "%s is not told:\n%s", floods[_i].rule,
                  verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* ---- Bytes that lie -------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t draw(uint32_t bound) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % bound;
}

/* Changes one object in one of the ways in which bytes go wrong or are made to. */
static void mutate(struct title_fixture *title) {
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, '"', '<', '&', '\n', ','};
    struct buf *bytes = &title->objects[draw((uint32_t)title->count)].bytes;
    if (bytes->size == 0) {
        return; /* all of it was cut away before */
    }
    size_t at = draw((uint32_t)bytes->size);
    switch (draw(6)) {
    case 0:
        bytes->data[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        bytes->data[at] = values[draw(sizeof(values))];
        break;
    case 2: /* a number somewhere becomes huge */
        for (size_t i = at; i < at + 4 && i < bytes->size; i++) {
            bytes->data[i] = bytes->data[i] >= '0' && bytes->data[i] <= '9' ? '9' : 0xff;
        }
        break;
    case 3:
        bytes->size = at;
        break;
    case 4: { /* a part is lost */
        size_t lost = draw(64) + 1;
        lost = lost < bytes->size - at ? lost : bytes->size - at;
        memmove(bytes->data + at, bytes->data + at + lost, bytes->size - at - lost);
        bytes->size -= lost;
        break;
    }
    default: { /* a part comes twice */
        size_t more = draw(64) + 1;
        more = more < bytes->size - at ? more : bytes->size - at;
        buf_reserve(bytes, more);
        memmove(bytes->data + at + more, bytes->data + at, bytes->size - at);
        bytes->size += more;
        break;
    }
    }
}

START_TEST(test_mutations) {
    random_state = (uint64_t)_i + 1;
    for (int i = 0; i < 150; i++) {
        struct title_fixture copy;
        title_fixture_copy(&copy, &whole);
        for (uint32_t changes = draw(3) + 1; changes > 0; changes--) {
            mutate(&copy);
        }
        struct verdict verdict;
        int failed = verdict_of(&verdict, &copy);
        ck_assert_msg(failed == 0 || failed == ERR_NOT_FOUND, "seed %d, round %d: %d", _i, i,
                      failed);
        verdict_finish(&verdict);
        title_fixture_finish(&copy);
    }
}
END_TEST

Suite *verify_lies_suite(void) {
    Suite *suite = suite_create("verify_lies");
    TCase *titles = tcase_create("titles");
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_set_timeout(titles, 120);
    tcase_add_test(titles, test_many);
    tcase_add_test(titles, test_printable);
    tcase_add_test(titles, test_shown_never);
    tcase_add_test(titles, test_rate_of_a_tick);
    tcase_add_loop_test(titles, test_floods, 0, sizeof(floods) / sizeof(floods[0]));
    tcase_add_loop_test(titles, test_mutations, 0, 10);
    suite_add_tcase(suite, titles);
    return suite;
}
