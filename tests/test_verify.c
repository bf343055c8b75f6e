/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole title breaks no rule; each way of damaging it is told under the id of the
 * rule that it breaks, and every rule of the table has such damage.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"
#include "packager/cmaf_reader.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_suite(void);

/* ---- Damage to boxes ------------------------------------------------------------- */

static void remove_object(const char *path) {
    for (size_t i = 0; i < damaged.count; i++) {
        if (strcmp(damaged.objects[i].path, path) == 0) {
            buf_finish(&damaged.objects[i].bytes);
            damaged.objects[i].path[0] = '\0';
            return;
        }
    }
    ck_abort_msg("no object %s", path);
}

static void remove_segment(void) {
    remove_object(PICTURES "00002.m4s");
}

static void remove_document(void) {
    remove_object("title.json");
}

static void remove_master(void) {
    remove_object("master.m3u8");
}

static void init_cut(void) {
    title_fixture_bytes(&damaged, PICTURES "init.mp4")->size -= 20;
}

static void init_foreign(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PICTURES "init.mp4");
    const struct buf *other = title_fixture_bytes(&damaged, SMALL "init.mp4");
    buf_clear(bytes);
    buf_append(bytes, other->data, other->size);
}

static void brand_other(void) {
    box_of(&damaged, PICTURES "init.mp4", "cmfc", 0)[-1] = 'x';
}

static void brand_base(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PICTURES "init.mp4");
    for (size_t i = 0; i < 32; i++) {
        if (memcmp(bytes->data + i, "iso6", 4) == 0) {
            bytes->data[i] = 'x';
        }
    }
}

static void brand_of_no_edits(void) {
    const uint8_t *place = box_of(&damaged, PICTURES "init.mp4", "cmfc", 0) - 4;
    box_insert(&damaged, PICTURES "init.mp4", place, "cmf2", 4);
}

/* mehd, in ticks of 1/24000 s. */
static void fragments_last(uint32_t ticks) {
    uint8_t mehd[16] = {0, 0, 0, sizeof(mehd), 'm', 'e', 'h', 'd'};
    put_u32(mehd + 12, ticks);
    const uint8_t *place = box_of(&damaged, PICTURES "init.mp4", "trex", 0) - 8;
    box_insert(&damaged, PICTURES "init.mp4", place, mehd, sizeof(mehd));
}

static void fragments_last_longer(void) {
    fragments_last(144 * 1001 + 24000);
}

static void fragments_last_nothing(void) {
    fragments_last(0);
}

static void header_duration(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "mvhd", 0) + 16, 144144);
}

static void header_clock(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "mvhd", 0) + 4, 0xe0000000);
}

static void sound_language(void) {
    box_of(&damaged, SOUND "init.mp4", "mdhd", 0)[20] ^= 0x04; /* "und" becomes "tnd" */
}

/* The ticks of the pictures' clock in a second: all that was timed by it is wrong then. */
static void clock_fast(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "mdhd", 0) + 12, 96000);
}

static void clock_slow(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "mdhd", 0) + 12, 6000);
}

static void aspect_gone(void) {
    box_of(&damaged, PICTURES "init.mp4", "pasp", 0)[-1] = 'x';
}

static void header_width(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "tkhd", 0) + 76, 322 << 16);
}

static void colour_other(void) {
    box_of(&damaged, PICTURES "init.mp4", "nclx", 0)[1] = 9;
}

static void edit_skips_more(void) {
    put_u32(box_of(&damaged, PICTURES "init.mp4", "elst", 0) + 12, 3003);
}

static void sound_edit_short(void) {
    put_u32(box_of(&damaged, SOUND "init.mp4", "elst", 0) + 8, 200000);
}

static void sound_edit_none(void) {
    memcpy(box_of(&damaged, SOUND "init.mp4", "edts", 0) - 4, "free", 4);
}

static void sound_entry_mono(void) {
    box_of(&damaged, SOUND "init.mp4", "mp4a", 0)[17] = 1;
}

static void sound_packet_short(void) {
    put_u32(box_of(&damaged, SOUND "init.mp4", "trex", 0) + 12, 1023);
}

/* In avcC and in its SPS, whose first byte is its header. */
static void set_level(struct title_fixture *title, uint8_t level) {
    uint8_t *record = box_of(title, PICTURES "init.mp4", "avcC", 0);
    record[3] = level;
    record[8 + 3] = level;
}

/* Level 1, for pictures of 240 macroblocks. */
static void level_low(void) {
    set_level(&damaged, 10);
}

/* Level 4.0, and 3.0 would do. */
static void level_spare(void) {
    set_level(&damaged, 40);
}

/* In which composition offsets have no sign: cmf2 knows none such. */
static void run_unsigned(void) {
    brand_of_no_edits();
    box_of(&damaged, PICTURES "00002.m4s", "trun", 1)[0] = 0;
}

/* And no version that is known. */
static void run_strange(void) {
    box_of(&damaged, PICTURES "00002.m4s", "trun", 1)[0] = 2;
}

static void segment_cut(void) {
    title_fixture_bytes(&damaged, PICTURES "00002.m4s")->size -= 100;
}

static void segment_no_track(void) {
    put_u32(box_of(&damaged, PICTURES "00002.m4s", "tfhd", 0) + 4, 7);
}

static void segments_swapped(void) {
    struct buf *two = title_fixture_bytes(&damaged, PICTURES "00002.m4s");
    struct buf *three = title_fixture_bytes(&damaged, PICTURES "00003.m4s");
    struct buf kept = *two;
    *two = *three;
    *three = kept;
}

static void decode_time_late(void) {
    box_of(&damaged, PICTURES "00002.m4s", "tfdt", 0)[11] += 1;
}

static void decode_time_absurd(void) {
    box_of(&damaged, PICTURES "00002.m4s", "tfdt", 0)[5] = 0x10;
}

static void decode_time_inside(void) {
    box_of(&damaged, PICTURES "00002.m4s", "tfdt", 1)[11] += 1;
}

static void sequence_back(void) {
    put_u32(box_of(&damaged, PICTURES "00002.m4s", "mfhd", 0) + 4, 1);
}

static void segment_type_other(void) {
    memcpy(box_of(&damaged, PICTURES "00002.m4s", "cmfs", 0) - 4, "xxxx", 4);
}

static void key_flags_wrong(void) {
    put_u32(box_of(&damaged, PICTURES "00002.m4s", "trun", 0) + 16, 0x01010000);
}

static void sample_cut(void) {
    put_u32(box_of(&damaged, PICTURES "00002.m4s", "mdat", 0), 0x00ffffff);
}

/* Sets the type of all slices of the first sample of the nth chunk. */
static void slices_become(const char *path, int nth, int from, int to) {
    uint8_t *at = box_of(&damaged, path, "mdat", nth);
    const uint8_t *end = at + get_u32(box_of(&damaged, path, "trun", nth) + 12);
    for (; at < end; at += 4 + get_u32(at)) {
        if ((at[4] & 0x1f) == from) {
            at[4] = (uint8_t)((at[4] & 0xe0) | to);
        }
    }
}

static void key_gone(void) {
    slices_become(PICTURES "00002.m4s", 0, 5, 1);
}

static void key_inside(void) {
    slices_become(PICTURES "00002.m4s", 1, 1, 5);
}

/* Puts bytes in before or behind the first sample of the last fragment, as a part of it. */
static void sample_grows(bool before, const char *bytes, size_t size) {
    uint8_t *run = box_of(&damaged, PICTURES "00002.m4s", "trun", 3);
    uint32_t old = get_u32(run + 12);
    put_u32(run + 12, old + (uint32_t)size);
    const uint8_t *at = box_of(&damaged, PICTURES "00002.m4s", "mdat", 3);
    box_insert(&damaged, PICTURES "00002.m4s", before ? at : at + old, bytes, size);
}

static void filler_in_sample(void) {
    sample_grows(false, "\0\0\0\2\x0c\x80", 6);
}

static void parameters_in_sample(void) {
    sample_grows(true, "\0\0\0\2\x68\x80", 6);
}

/* Writes the fragments of a segment of pictures anew, `each` of them as one. */
static void merge_fragments(size_t each) {
    struct sample_defaults defaults = {.track_id = 1, .duration = 1001};
    struct media_facts facts;
    struct buf copy = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, PICTURES "00002.m4s");
    buf_append(&copy, bytes->data, bytes->size);
    ck_assert_int_eq(media_segment_read(&facts, copy.data, copy.size, &defaults, NULL), 0);
    buf_clear(bytes);
    segment_type_write(bytes);
    for (size_t c = 0; c < facts.chunk_count; c += each) {
        const struct chunk_facts *chunk = &facts.chunks[c];
        struct fragment fragment = {true,
                                    true,
                                    chunk->sequence,
                                    (int64_t)chunk->decode_time,
                                    facts.samples + chunk->first_sample,
                                    0};
        for (size_t i = 0; i < each; i++) {
            fragment.count += chunk[i].sample_count;
        }
        fragment_header_write(&fragment, bytes);
        for (size_t i = 0; i < each; i++) {
            buf_append(bytes, chunk[i].payload, chunk[i].payload_size);
        }
    }
    media_facts_finish(&facts);
    buf_finish(&copy);
}

static void one_fragment(void) {
    merge_fragments(4);
}

/* Two pictures of a GOP are shown at one time. */
static void order_twice(void) {
    uint8_t *run = box_of(&damaged, PICTURES "00002.m4s", "trun", 1) + 12;
    put_u32(run + 12 + 8, get_u32(run + 8) - 1001);
}

/* Writes packets [first, end) of two segments of sound, read with `facts`, as one. */
static void write_sound(const char *path, uint32_t sequence, int64_t first, int64_t end,
                        const struct media_facts facts[2]) {
    struct buf out = {0};
    struct buf payload = {0};
    struct run_sample samples[1024];
    size_t count = 0;
    int64_t packet = (int64_t)facts[0].chunks[0].decode_time / 1024;
    for (int f = 0; f < 2; f++) {
        const uint8_t *at = facts[f].chunks[0].payload;
        for (size_t i = 0; i < facts[f].sample_count; i++, packet++) {
            if (packet >= first && packet < end) {
                samples[count++] = facts[f].samples[i];
                buf_append(&payload, at, facts[f].samples[i].size);
            }
            at += facts[f].samples[i].size;
        }
    }
    struct fragment fragment = {false, false, sequence, first * 1024, samples, count};
    segment_type_write(&out);
    fragment_header_write(&fragment, &out);
    buf_append(&out, payload.data, payload.size);
    buf_finish(&payload);
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    buf_finish(bytes);
    *bytes = out;
}

/* Moves the border of segments 2 and 3 of the sound and its end by some packets. */
static void resize_sound(int border, int end) {
    static const char *const paths[] = {SOUND "00002.m4s", SOUND "00003.m4s"};
    struct sample_defaults defaults = {.track_id = 1, .duration = 1024, .flags = 0x02000000};
    struct media_facts facts[2];
    struct buf copies[2] = {0};
    for (int i = 0; i < 2; i++) {
        const struct buf *bytes = title_fixture_bytes(&damaged, paths[i]);
        buf_append(&copies[i], bytes->data, bytes->size);
        ck_assert_int_eq(
            media_segment_read(&facts[i], copies[i].data, copies[i].size, &defaults, NULL), 0);
    }
    int64_t first = (int64_t)facts[0].chunks[0].decode_time / 1024;
    int64_t middle = first + (int64_t)facts[0].sample_count;
    int64_t last = middle + (int64_t)facts[1].sample_count;
    write_sound(paths[0], 2, first, middle + border, facts);
    write_sound(paths[1], 3, middle + border, last + end, facts);
    for (int i = 0; i < 2; i++) {
        media_facts_finish(&facts[i]);
        buf_finish(&copies[i]);
    }
}

static void sound_border_late(void) {
    resize_sound(2, 0);
}

static void sound_short(void) {
    resize_sound(0, -3);
}

/* ---- The damages ----------------------------------------------------------------- */

/* What follows where the pictures' clock is another. */
#define OTHER_CLOCK                                                                                \
    " video-boundaries audio-boundary audio-length cmaf-edit-list hls-extinf hls-extinf-sum "      \
    "hls-targetduration hls-frame-rate hls-bandwidth hls-average-bandwidth hls-first-variant "     \
    "dash-timescale dash-duration dash-coverage dash-frame-rate dash-bandwidth rung-spacing "      \
    "codec-level title-document video-key-distance segment-length video-rate "

/* What follows where a track is not whole any more. */
#define BROKEN_TRACK " title-document "

/* And where a segment has more or fewer bytes, or other fragments. */
#define OTHER_SIZE                                                                                 \
    " title-document hls-iframe-range hls-bandwidth hls-average-bandwidth dash-bandwidth "         \
    "dash-buffer "

static const struct damage damages[] = {
    {"object-missing", BROKEN_TRACK, remove_segment, NULL, NULL, NULL, false},
    {"object-missing", "", remove_document, NULL, NULL, NULL, false},
    {"object-missing", "", remove_master, NULL, NULL, NULL, false},
    {"cmaf-init", BROKEN_TRACK, init_cut, NULL, NULL, NULL, false},
    {"hls-resolution", " dash-size title-document hls-codecs dash-codecs ", init_foreign, NULL,
     NULL, NULL, false},
    {"cmaf-brand", "", brand_other, NULL, NULL, NULL, false},
    {"cmaf-brand", "", brand_base, NULL, NULL, NULL, false},
    {"cmaf-brand", " title-document ", brand_of_no_edits, NULL, NULL, NULL, false},
    {"cmaf-duration", "", header_duration, NULL, NULL, NULL, false},
    {"cmaf-duration", " title-document ", fragments_last_longer, NULL, NULL, NULL, false},
    {"cmaf-duration", " title-document ", fragments_last_nothing, NULL, NULL, NULL, false},
    {"cmaf-picture-boxes", "", aspect_gone, NULL, NULL, NULL, false},
    {"cmaf-picture-size", "", header_width, NULL, NULL, NULL, false},
    {"cmaf-edit-list", "", sound_edit_short, NULL, NULL, NULL, false},
    {"cmaf-edit-list",
     " audio-boundary audio-length hls-extinf hls-extinf-sum dash-timeline dash-duration "
     "title-document ",
     sound_edit_none, NULL, NULL, NULL, false},
    {"cmaf-edit-list",
     " video-boundaries audio-boundary audio-length hls-extinf hls-extinf-sum dash-timeline "
     "dash-duration title-document hls-bandwidth hls-average-bandwidth dash-bandwidth ",
     edit_skips_more, NULL, NULL, NULL, false},
    {"cmaf-segment", BROKEN_TRACK, segment_cut, NULL, NULL, NULL, false},
    {"cmaf-segment", BROKEN_TRACK, segment_no_track, NULL, NULL, NULL, false},
    {"cmaf-segment", BROKEN_TRACK, run_strange, NULL, NULL, NULL, false},
    {"cmaf-brand", " title-document ", run_unsigned, NULL, NULL, NULL, false},
    {"cmaf-decode-time",
     " title-document cmaf-sequence hls-extinf-sum dash-timeline hls-iframe-range ",
     segments_swapped, NULL, NULL, NULL, false},
    {"cmaf-decode-time", " title-document dash-timeline ", decode_time_late, NULL, NULL, NULL,
     false},
    {"cmaf-decode-time", BROKEN_TRACK, decode_time_absurd, NULL, NULL, NULL, false},
    {"cmaf-decode-time", "", decode_time_inside, NULL, NULL, NULL, false},
    {"cmaf-sequence", "", sequence_back, NULL, NULL, NULL, false},
    {"cmaf-sample-duration",
     " cmaf-decode-time title-document dash-timeline dash-duration hls-extinf hls-extinf-sum ",
     sound_packet_short, NULL, NULL, NULL, false},
    {"cmaf-sample-flags", "", key_flags_wrong, NULL, NULL, NULL, false},
    {"codec-sample", BROKEN_TRACK, sample_cut, NULL, NULL, NULL, false},
    {"codec-level", " hls-codecs dash-codecs title-document ", level_low, NULL, NULL, NULL, false},
    {"codec-level-spare", " hls-codecs dash-codecs title-document ", level_spare, NULL, NULL, NULL,
     false},
    {"video-key",
     " cmaf-sample-flags hls-iframe-range video-order hls-bandwidth hls-average-bandwidth ",
     key_gone, NULL, NULL, NULL, false},
    {"video-gop", OTHER_SIZE, one_fragment, NULL, NULL, NULL, false},
    {"codec-spare", OTHER_SIZE, filler_in_sample, NULL, NULL, NULL, false},
    {"codec-sample", BROKEN_TRACK, parameters_in_sample, NULL, NULL, NULL, false},
    {"video-order", "", order_twice, NULL, NULL, NULL, false},
    {"video-colour", "", colour_other, NULL, NULL, NULL, false},
    {"video-boundaries",
     " cmaf-sample-flags cmaf-edit-list video-order hls-iframe-list hls-extinf "
     "hls-extinf-sum hls-bandwidth hls-average-bandwidth ",
     key_inside, NULL, NULL, NULL, false},
    {"audio-config", "", sound_entry_mono, NULL, NULL, NULL, false},
    {"audio-boundary", " hls-extinf hls-extinf-sum dash-timeline dash-buffer title-document ",
     sound_border_late, NULL, NULL, NULL, false},
    {"audio-length", " hls-extinf hls-extinf-sum dash-timeline dash-duration title-document ",
     sound_short, NULL, NULL, NULL, false},
    {"cmaf-segment-type", "", segment_type_other, NULL, NULL, NULL, false},
    {"cmaf-clock", "", header_clock, NULL, NULL, NULL, false},
    {"audio-language", " hls-optional ", sound_language, NULL, NULL, NULL, false},
    {"video-rate", OTHER_CLOCK, clock_fast, NULL, NULL, NULL, false},
    {"video-key-distance", OTHER_CLOCK, clock_slow, NULL, NULL, NULL, false},
    {"segment-length", OTHER_CLOCK, clock_slow, NULL, NULL, NULL, false},
};

/* Rules that the odd title of test_advice breaks, and those of test_verify_av1.c and of
 * test_verify_hdr.c; besides those of the lists below. */
static const char odd_rules[] =
    " rung-spacing rung-gap rung-peak video-profile codec-neighbour dash-switching "
    "dash-trick-mode codec-level-rate codec-still codec-timing video-one-colour dash-trick-rate "
    "dash-colour-essential video-colour-told hdr-signal hdr-range hdr-metadata "
    "hdr-metadata-missing "
    "hdr-alone ";

enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };

START_TEST(test_whole) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &whole), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    ck_assert_int_eq(verdict.summary.musts + verdict.summary.advice, 0);
    ck_assert_int_eq(verdict.summary.segments, 9);
    ck_assert_int_eq(verdict.summary.objects, (int64_t)whole.count);
    verdict_finish(&verdict);
}
END_TEST

START_TEST(test_damage) {
    damage_check(&damages[_i], _i);
}
END_TEST

/* The table is whole: each rule has an id of its own, a source, and damage above. */
START_TEST(test_rules) {
    static const size_t own_count = DAMAGES;
    const struct {
        const struct damage *damages;
        const size_t *count;
    } lists[] = {
        {damages, &own_count},
        {manifest_damages, &manifest_damage_count},
        {early_damages, &early_damage_count},
        {map_damages, &map_damage_count},
        {image_damages, &image_damage_count},
        {text_damages, &text_damage_count},
        {index_damages, &index_damage_count},
        {box_damages, &box_damage_count},
        {foreign_damages, &foreign_damage_count},
    };
    const struct verify_rule *rule;
    for (size_t i = 0; (rule = verify_rule_at(i)) != NULL; i++) {
        ck_assert_msg(rule->id != NULL && rule->source != NULL && rule->meaning != NULL,
                      "row %zu is not whole", i);
        bool damaged_by = rule_in(odd_rules, rule->id);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(verify_rule_at(j)->id, rule->id);
        }
        for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
            for (size_t d = 0; d < *lists[l].count; d++) {
                damaged_by = damaged_by || strcmp(lists[l].damages[d].rule, rule->id) == 0;
            }
        }
        ck_assert_msg(damaged_by, "no damage breaks %s", rule->id);
    }
}
END_TEST

/* What is legal, and none of our writing: a GOP in one fragment, a trun without signs, delimiters.
 */
static void gops_in_one(void) {
    merge_fragments(2);
}

static void run_of_no_sign(void) {
    box_of(&damaged, PICTURES "00002.m4s", "trun", 1)[0] = 0;
}

static void delimiter_in_sample(void) {
    sample_grows(true, "\0\0\0\2\x09\x30", 6);
}

static void (*const habits[])(void) = {gops_in_one, run_of_no_sign, delimiter_in_sample};

START_TEST(test_habits) {
    struct verdict verdict;
    habits[_i]();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    char *rest = NULL;
    for (char *word = strtok_r((char *)verdict.rules.data, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(rule_in(OTHER_SIZE, word), "%s", verdict_lines(&verdict));
    }
    verdict_finish(&verdict);
}
END_TEST

/* Of others one manifest alone is enough, and they have no title.json. */
START_TEST(test_of_others) {
    struct verdict verdict;
    remove_document();
    remove_object("manifest.mpd");
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.musts,
                     2); /* the folder of its playlists tells that it's ours */
    verdict_finish(&verdict);
    damaged_folders_of_others();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.musts, 2);
    verdict_finish(&verdict);
    for (size_t i = 0; i < damaged.count; i++) {
        char *path = damaged.objects[i].path;
        if (strncmp(path, damaged.version, strlen(damaged.version)) == 0) {
            path[0] = 'x';
        }
    }
    ck_assert(damaged.version[0] != 'x');
    char *other = mem_format("x%s/", damaged.version + 1);
    char *old = mem_format("%s/", damaged.version);
    ck_assert(text_replace(title_fixture_bytes(&damaged, MASTER), old, other, true));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    verdict_finish(&verdict);
    mem_free(other);
    mem_free(old);
}
END_TEST

/* A mehd that tells the truth is none of our writing, and no fault. */
START_TEST(test_fragment_duration) {
    struct verdict verdict;
    fragments_last(144 * 1001);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "cmaf-duration"), "%s", verdict_lines(&verdict));
    ck_assert_int_eq(verdict.summary.musts, 1); /* the file is longer than title.json tells */
    verdict_finish(&verdict);
}
END_TEST

/* Rungs of one set, the smaller of another shape than the set says. */
START_TEST(test_aspect) {
    struct title_fixture squeezed;
    struct title_fixture_options options = title_fixture_options_default();
    options.rungs[1].width = 120;
    title_fixture_make(&squeezed, &options);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &squeezed), 0);
    ck_assert_msg(verdict_tells(&verdict, "dash-set"), "%s", verdict_lines(&verdict));
    ck_assert_int_eq(verdict.summary.musts, 1);
    verdict_finish(&verdict);
    title_fixture_finish(&squeezed);
}
END_TEST

/* Full chroma, a burst of noise, rungs of nearly one rate: odd, and nothing to block. */
START_TEST(test_advice) {
    struct title_fixture odd;
    struct title_fixture_options options = title_fixture_options_default();
    options.pictures = "testsrc2=size=%dx%d:rate=24000/1001,noise=alls=90:allf=t:"
                       "enable='between(t,4,5.5)'";
    options.rungs[0].pixel_format = "yuv444p";
    options.rungs[0].crf = 40;
    options.rungs[1].crf = 20;
    title_fixture_make(&odd, &options);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &odd), 0);
    ck_assert_msg(verdict.summary.musts == 0 && verdict.summary.advice > 0, "%s",
                  verdict_lines(&verdict));
    const char *rules[] = {"rung-spacing", "rung-peak", "video-profile"};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        ck_assert_msg(verdict_tells(&verdict, rules[i]), "%s is not told:\n%s", rules[i],
                      verdict_lines(&verdict));
    }
    verdict_finish(&verdict);
    title_fixture_finish(&odd);
}
END_TEST

/* Rungs far apart leave a player of a rate between them with the lower one; and many bits are
 * more than a low level has. */
START_TEST(test_gap) {
    struct title_fixture apart;
    struct title_fixture_options options = title_fixture_options_default();
    options.pictures = "testsrc2=size=%dx%d:rate=24000/1001,noise=alls=40:allf=t";
    options.rungs[0].crf = 24;
    options.rungs[1].crf = 30;
    title_fixture_make(&apart, &options);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &apart), 0);
    ck_assert_int_eq(verdict.summary.musts, 0);
    ck_assert_msg(verdict_tells(&verdict, "rung-gap"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    set_level(&apart, 12); /* of 480 kb/s, and right for the size and the rate of pictures */
    ck_assert_int_eq(verdict_of(&verdict, &apart), 0);
    ck_assert_msg(verdict_tells(&verdict, "codec-level-rate") &&
                      !verdict_tells(&verdict, "codec-level"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    title_fixture_finish(&apart);
}
END_TEST

/* Rungs of a still picture are all of one small rate, which is no fault of theirs. */
START_TEST(test_still) {
    struct title_fixture still;
    struct title_fixture_options options = title_fixture_options_default();
    options.pictures = "color=gray:size=%dx%d:rate=24000/1001";
    title_fixture_make(&still, &options);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &still), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    verdict_finish(&verdict);
    title_fixture_finish(&still);
}
END_TEST

START_TEST(test_nothing_there) {
    static struct title_fixture nothing;
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &nothing), ERR_NOT_FOUND);
    ck_assert_uint_eq(verdict.lines.size, 0);
    verdict_finish(&verdict);
}
END_TEST

/* ---- The command ----------------------------------------------------------------- */

static void write_title(const char *folder, const char *name, const struct title_fixture *title) {
    for (size_t i = 0; i < title->count; i++) {
        char *path = mem_format("%s/%s", name, title->objects[i].path);
        fixture_write(folder, path, title->objects[i].bytes.data, title->objects[i].bytes.size);
        mem_free(path);
    }
}

/* Runs `reelfarm verify` with up to two words; what it prints comes into `out`. */
static int run_verify(const char *folder, const char *first, const char *second, struct buf *out) {
    char *words[] = {"reelfarm", "verify", (char *)first, (char *)second, NULL};
    int count = first == NULL ? 2 : second == NULL ? 3 : 4;
    char *path = mem_format("%s/printed", folder);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert(kept >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    int code = cli_main(count, words);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(file);
    buf_clear(out);
    ck_assert_int_eq(fs_read(out, path, 1 << 20, NULL), 0);
    buf_text(out);
    mem_free(path);
    return code;
}

/* A title behind nginx: its texts come compressed, with media types and for pages of any site, and
 * nothing is found; without those, advice. */
START_TEST(test_server) {
    static const struct {
        const char *lines;
        const char *wanted;
    } servers[] = {
        {"types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd;\n"
         "video/mp4 mp4 m4s; application/json json; }\n"
         "gzip on; gzip_min_length 1; gzip_types application/vnd.apple.mpegurl;\n"
         "add_header Cache-Control no-store always;\n"
         "add_header Access-Control-Allow-Origin $http_origin;", /* where there is one */
         "1 title, 23 objects, 9 segments: 0 musts broken, 0 pieces of advice\n"},
        {"", "0 musts broken, 45 pieces of advice\n"},
    };
    struct fixture_web web;
    struct buf printed = {0};
    if (!fixture_web_start(&web, "test_server", servers[_i].lines)) {
        return;
    }
    write_title(web.folder, "www/one", &whole);
    char *url = mem_format("%s/one/master.m3u8", web.url);
    ck_assert_int_eq(run_verify(web.folder, url, NULL, &printed), 0);
    const char *said = (const char *)printed.data;
    ck_assert_msg(strstr(said, servers[_i].wanted) != NULL, "%s", said);
    ck_assert(_i == 0 || strstr(said, "advice  http-type  master.m3u8: ") != NULL);
    ck_assert(_i == 0 || strstr(said, "advice  http-sharing  master.m3u8: ") != NULL);
    mem_free(url);
    buf_finish(&printed);
    fixture_web_stop(&web);
}
END_TEST

START_TEST(test_command) {
    char *folder = fixture_folder();
    char *one = mem_format("%s/out/one", folder);
    char *out = mem_format("%s/out", folder);
    char *manifest = mem_format("%s/out/two/manifest.mpd", folder);
    struct buf printed = {0};
    ck_assert_int_eq(run_verify(folder, NULL, NULL, &printed), 2);
    ck_assert_int_eq(run_verify(folder, folder, NULL, &printed), 1);
    write_title(folder, "out/one", &whole);
    ck_assert_int_eq(run_verify(folder, one, NULL, &printed), 0);
    ck_assert_str_eq((const char *)printed.data,
                     "1 title, 23 objects, 9 segments: 0 musts broken, 0 pieces of advice\n");
    segment_cut();
    write_title(folder, "out/two", &damaged);
    ck_assert_int_eq(run_verify(folder, out, NULL, &printed), 1);
    ck_assert_ptr_nonnull(
        strstr((const char *)printed.data, "must  cmaf-segment  two/" PICTURES "00002.m4s: "));
    ck_assert_ptr_nonnull(strstr((const char *)printed.data, "\n2 titles, 46 objects, "));
    ck_assert_int_eq(run_verify(folder, manifest, "--json", &printed), 1);
    struct json *tree = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&tree, printed.data, printed.size, &err) == 0, "%s", err.message);
    struct reader root = reader_of(tree, "verify", &err);
    int64_t musts = 0;
    reader_int(&root, "musts", 1, 100, &musts);
    struct reader titles = reader_array(&root, "titles");
    struct reader title = reader_item(&titles, 0);
    struct reader findings = reader_array(&title, "findings");
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    ck_assert_int_eq((int64_t)reader_count(&findings), musts);
    json_tree_destroy(tree);
    ck_assert_int_eq(run_verify(folder, "--rules", NULL, &printed), 0);
    ck_assert_ptr_nonnull(strstr((const char *)printed.data, "hls-targetduration"));
    buf_finish(&printed);
    mem_free(one);
    mem_free(out);
    mem_free(manifest);
    fixture_folder_drop(folder);
}
END_TEST

Suite *verify_suite(void) {
    Suite *suite = suite_create("verify");
    TCase *titles = tcase_create("titles");
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_set_timeout(titles, 120);
    tcase_add_test(titles, test_whole);
    tcase_add_loop_test(titles, test_damage, 0, DAMAGES);
    tcase_add_test(titles, test_rules);
    tcase_add_loop_test(titles, test_habits, 0, (int)(sizeof(habits) / sizeof(habits[0])));
    tcase_add_test(titles, test_of_others);
    tcase_add_test(titles, test_fragment_duration);
    tcase_add_test(titles, test_aspect);
    tcase_add_test(titles, test_advice);
    tcase_add_test(titles, test_gap);
    tcase_add_test(titles, test_still);
    tcase_add_test(titles, test_nothing_there);
    tcase_add_test(titles, test_command);
    tcase_add_loop_test(titles, test_server, 0, 2);
    suite_add_tcase(suite, titles);
    return suite;
}
