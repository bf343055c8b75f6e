/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over what others package: HEVC, Opus, AC-3, E-AC-3, FLAC, common encryption, lists of
 * segments, Periods of other documents. What is right breaks no rule, each damage is told, and what
 * is not read is said.
 */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "foreign_fixture.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_foreign_suite(void);

static struct buf *text_of(const char *path) {
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    ck_assert_ptr_nonnull(bytes);
    return bytes;
}

static void change(const char *path, const char *find, const char *put) {
    ck_assert_msg(text_replace(text_of(path), find, put, true), "%s has no %s", path, find);
}

/* ---- HEVC ------------------------------------------------------------------------ */

static uint8_t *hvcc(void) {
    return box_of(&damaged, PICTURES "init.mp4", "hvcC", 0);
}

static void hevc(void) {
    foreign_pictures(&damaged);
}

static void hevc_level(void) {
    hevc();
    hvcc()[12] = 30;
}

static void hevc_depth(void) {
    hevc();
    hvcc()[17] |= 2;
}

static void hevc_profile(void) {
    hevc();
    hvcc()[1] = 4;
}

static void hevc_promise(void) {
    hevc();
    hvcc()[7] |= 1;
}

static void hevc_version(void) {
    hevc();
    hvcc()[0] = 2;
}

static void hevc_array(void) {
    hevc();
    hvcc()[22]++;
}

static void hevc_in_samples(void) {
    hevc();
    hvcc()[23] &= 0x7f;
}

/* The first NAL unit of the second segment of pictures. */
static uint8_t *first_unit(void) {
    return box_of(&damaged, PICTURES "00002.m4s", "mdat", 0) + 4;
}

static void hevc_no_slice(void) {
    hevc();
    first_unit()[0] = 34 << 1;
}

static void hevc_no_header(void) {
    hevc();
    first_unit()[1] = 0;
}

static void hevc_trailing(void) {
    hevc();
    first_unit()[0] = 1 << 1;
}

static void hevc_codecs(void) {
    hevc();
    change(MPD, "hvc1.1.6.L60.90", "hvc1.1.6.L63.90");
}

static void hevc_colour(void) {
    hevc();
    box_of(&damaged, PICTURES "init.mp4", "nclx", 0)[1] = 6;
}

/* ---- Sound ----------------------------------------------------------------------- */

static uint8_t *sound_box(const char *entry, const char *type) {
    foreign_sound(&damaged, entry);
    foreign_retell(&damaged);
    return box_of(&damaged, SOUND "init.mp4", type, 0);
}

/* The first packet of the second segment. */
static uint8_t *packet(void) {
    return box_of(&damaged, SOUND "00002.m4s", "mdat", 0);
}

static void opus_skip(void) {
    sound_box("Opus", "dOps")[3] = 1;
}

static void opus_version(void) {
    sound_box("Opus", "dOps")[0] = 1;
}

static void opus_channels(void) {
    sound_box("Opus", "dOps")[1] = 1;
}

static void opus_shorter(void) {
    sound_box("Opus", "dOps");
    packet()[0] = 30 << 3;
}

static void opus_none(void) {
    sound_box("Opus", "dOps");
    packet()[0] = 0xff;
}

static void ac3_rate(void) {
    sound_box("ac-3", "dac3")[0] |= 0x40;
}

static void ac3_channels(void) {
    sound_box("ac-3", "dac3")[1] = 0x08;
}

static void ac3_reserved(void) {
    sound_box("ac-3", "dac3")[0] |= 0xc0;
}

static void ac3_frame(void) {
    sound_box("ac-3", "dac3");
    packet()[4] = 0x0a;
}

static void eac3_channels(void) {
    sound_box("ec-3", "dec3")[3] = 0x06;
}

static void eac3_frame(void) {
    sound_box("ec-3", "dec3");
    packet()[3] = 0x7e;
}

static void eac3_blocks(void) {
    sound_box("ec-3", "dec3");
    packet()[4] = 0x24;
}

static void eac3_cut(void) {
    sound_box("ec-3", "dec3")[1] = 1;
}

static void flac_frame(void) {
    sound_box("fLaC", "dfLa");
    packet()[0] = 0;
}

static void flac_record(void) {
    sound_box("fLaC", "dfLa")[4] = 0x81;
}

static void flac_channels(void) {
    sound_box("fLaC", "dfLa")[20] |= 0x0e;
}

/* ---- Encryption ------------------------------------------------------------------ */

static void sealed(void) {
    foreign_seal(&damaged, "cbcs");
    foreign_retell(&damaged);
}

static void sealed_cenc(void) {
    foreign_seal(&damaged, "cenc");
    foreign_retell(&damaged);
}

static void scheme_other(void) {
    sealed();
    memcpy(box_of(&damaged, SOUND "init.mp4", "schm", 0) + 4, "cbc1", 4);
}

static void scheme_pattern(void) {
    sealed_cenc();
    uint8_t *told = box_of(&damaged, SOUND "init.mp4", "tenc", 0);
    told[0] = 1;
    told[5] = 1 << 4 | 9;
}

static void vectors_odd(void) {
    sealed_cenc();
    box_of(&damaged, PICTURES "init.mp4", "tenc", 0)[7] = 7;
}

static void scheme_gone(void) {
    sealed();
    memcpy(box_of(&damaged, SOUND "init.mp4", "schm", 0) - 4, "free", 4);
}

static void senc_count(void) {
    sealed();
    box_of(&damaged, SOUND "00002.m4s", "senc", 0)[7]--;
}

static void senc_bytes(void) {
    sealed();
    box_of(&damaged, SOUND "00002.m4s", "senc", 0)[11]++;
}

static void senc_vectors(void) {
    sealed_cenc();
    box_of(&damaged, SOUND "init.mp4", "tenc", 0)[7] = 16;
}

static void key_of_other_scheme(void) {
    sealed();
    change(PLAYLIST, "METHOD=SAMPLE-AES", "METHOD=SAMPLE-AES-CTR");
}

static void key_gone(void) {
    sealed();
    change(PLAYLIST, "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://1\"\n", "");
}

static void key_nowhere(void) {
    sealed();
    change(PLAYLIST, ",URI=\"skd://1\"", "");
}

static void key_vector(void) {
    sealed();
    change(PLAYLIST, ",URI=\"skd://1\"", ",URI=\"skd://1\",IV=0x1x");
}

static void key_unknown(void) {
    change(PLAYLIST, "#EXT-X-MAP", "#EXT-X-KEY:METHOD=ROT-13,URI=\"skd://1\"\n#EXT-X-MAP");
}

static void key_none(void) {
    change(PLAYLIST, "#EXT-X-MAP", "#EXT-X-KEY:METHOD=NONE,URI=\"skd://1\"\n#EXT-X-MAP");
}

static void key_other(void) {
    sealed();
    change(MPD, "11223344-", "11223345-");
}

static void scheme_untold(void) {
    sealed();
    change(MPD, "value=\"cbcs\"", "value=\"cenc\"");
}

static void protection_untold(void) {
    sealed();
    change(MPD, "urn:mpeg:dash:mp4protection:2011", "urn:uuid:1");
}

/* ---- MPDs ------------------------------------------------------------------------ */

/* In place of the template of pictures a list in each Representation, with `timing` in it. */
static void list_segments(const char *attributes, const char *timing) {
    static const char *const folders[] = {PICTURES, SMALL};
    struct buf *mpd = text_of(MPD);
    struct buf out = {0};
    char *from = strstr(buf_text(mpd), "<SegmentTemplate");
    char *to = strstr(from, "</SegmentTemplate>") + strlen("</SegmentTemplate>");
    buf_append(&out, mpd->data, (size_t)(from - (char *)mpd->data));
    buf_string(&out, to);
    buf_finish(mpd);
    *mpd = out;
    for (size_t i = 0; i < 2; i++) {
        char *find = mem_format("<BaseURL>%s</BaseURL>", folders[i]);
        char *put = mem_format(
            "%s<SegmentList timescale=\"24000\"%s><Initialization sourceURL=\"init.mp4\"/>%s"
            "<SegmentURL media=\"00001.m4s\"/><SegmentURL media=\"00002.m4s\"/>"
            "<SegmentURL media=\"00003.m4s\"/></SegmentList>",
            find, attributes, timing);
        change(MPD, find, put);
        mem_free(find);
        mem_free(put);
    }
}

#define TIMELINE(times) "<SegmentTimeline>" times "</SegmentTimeline>"

static void list_timed(void) {
    list_segments("", TIMELINE("<S t=\"0\" d=\"48048\" r=\"2\"/>"));
}

static void list_nominal(void) {
    list_segments(" duration=\"48048\"", "");
}

static void list_wrong(void) {
    list_segments("", TIMELINE("<S t=\"0\" d=\"48048\"/><S d=\"48000\"/><S t=\"96096\" "
                               "d=\"48048\"/>"));
}

static void list_short(void) {
    list_segments("", TIMELINE("<S t=\"0\" d=\"48048\" r=\"1\"/>"));
}

static void list_untimed(void) {
    list_segments("", "");
}

static void list_drifts(void) {
    list_segments(" duration=\"64800\"", "");
}

/* What a list of the AdaptationSet says holds for the lists in it. */
static void list_inherits(void) {
    list_segments("", "");
    change(MPD, "<Initialization sourceURL=\"init.mp4\"/>", "");
    change(MPD, "<Representation id=\"h264-180p\"",
           "<SegmentList><Initialization sourceURL=\"init.mp4\"/>" TIMELINE(
               "<S t=\"0\" d=\"48048\" r=\"2\"/>") "</SegmentList>"
                                                   "<Representation id=\"h264-180p\"");
}

static void list_headless(void) {
    list_timed();
    change(MPD, "<Initialization sourceURL=\"init.mp4\"/>", "");
}

static void list_elsewhere(void) {
    list_timed();
    change(MPD, "media=\"00002.m4s\"", "media=\"00004.m4s\"");
}

static void layout_of(const char *value) {
    char *put = mem_format("ChannelConfiguration\" value=\"%s\"", value);
    change(MPD, "ChannelConfiguration\" value=\"2\"", put);
    mem_free(put);
}

/* One and one: two languages at once. */
static void layout_two(void) {
    layout_of("8");
}

static void layout_unknown(void) {
    layout_of("0");
}

static void layout_older(void) {
    layout_of("8");
    change(MPD, "mpegB:cicp:ChannelConfiguration", "dash:23003:3:audio_channel_configuration:2011");
}

/* 3 channels in front and 1 behind, as 9 is 2 and 1. */
static void layout_wrong(void) {
    layout_of("9");
}

/* An advertisement behind the film, which another document tells of. */
static void period_elsewhere(void) {
    change(MPD, "  </Period>\n",
           "  </Period>\n  <Period xlink:href=\"https://ads.example/1\" "
           "xlink:actuate=\"onLoad\"/>\n");
    change(MPD, "mediaPresentationDuration=\"PT6*S\"", "mediaPresentationDuration=\"PT15.016S\"");
}

static void streams_of_events(void) {
    change(MPD, "start=\"PT0S\"", "start=\"PT0S\" hint=\"1\"");
    change(MPD, "<AdaptationSet id=\"1\"",
           "<EventStream schemeIdUri=\"urn:scte:scte35:2013:xml\"/><AdaptationSet id=\"1\"");
}

static void stranger_tags(void) {
    change(MASTER, "#EXT-X-MEDIA", "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"x\"\n#EXT-X-MEDIA");
    change(PLAYLIST, "#EXT-X-MAP", "#EXT-X-BITRATE:100\n# A comment.\n#EXT-X-MAP");
}

/* ---- What is not read ------------------------------------------------------------ */

static void codec_unknown(void) {
    memcpy(box_of(&damaged, PICTURES "init.mp4", "avc1", 0) - 4, "vvc1", 4);
}

/* Nothing of it can be read, and its profile is one of its own. */
static void codecs_unknown(void) {
    codec_unknown();
    memcpy(box_of(&damaged, SMALL "init.mp4", "avc1", 0) - 4, "vvc1", 4);
    memcpy(box_of(&damaged, SOUND "init.mp4", "mp4a", 0) - 4, "mp4x", 4);
    change(MPD, "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019",
           "urn:webm:dash:profile:webm-live:2012");
}

static void whole_key(void) {
    change(PLAYLIST, "#EXT-X-MAP",
           "#EXT-X-KEY:METHOD=AES-128,URI=\"key\",IV=0x00112233445566778899aabbccddeeff\n"
           "#EXT-X-MAP");
}

static void whole_segments(void) {
    whole_key();
    for (size_t i = 0; i < text_of(PICTURES "00002.m4s")->size; i++) {
        text_of(PICTURES "00002.m4s")->data[i] ^= 0x5a;
    }
}

static void whole_headless(void) {
    whole_key();
    change(PLAYLIST, "init.mp4", "gone.mp4");
}

/* WebVTT of a list, each file of it a segment. */
static void text_in_list(void) {
    change(MPD, "</Period>",
           "<AdaptationSet id=\"8\" contentType=\"text\" mimeType=\"text/vtt\" lang=\"en\">"
           "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"subtitle\"/>"
           "<Representation id=\"text\" bandwidth=\"500\"><BaseURL>text/</BaseURL>"
           "<SegmentList><SegmentURL media=\"1.vtt\"/></SegmentList></Representation>"
           "</AdaptationSet></Period>");
    title_fixture_add(&damaged, "text/1.vtt", "WEBVTT\n", 7);
}

/* Text of DASH in fragments, under one name for all of them. */
static void text_in_fragments(void) {
    change(MPD, "</Period>",
           "<AdaptationSet id=\"8\" contentType=\"text\" mimeType=\"application/mp4\" "
           "codecs=\"stpp\" lang=\"en\"><Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
           "value=\"subtitle\"/><SegmentTemplate timescale=\"1\" initialization=\"text.mp4\" "
           "media=\"text.mp4\"><SegmentTimeline><S t=\"0\" d=\"2\" r=\"2\"/></SegmentTimeline>"
           "</SegmentTemplate><Representation id=\"text\" bandwidth=\"500\"/></AdaptationSet>"
           "</Period>");
    title_fixture_add(&damaged, "text.mp4", "text", 4);
}

/* ---- The damages ----------------------------------------------------------------- */

#define TITLE  " title-document "
#define CODECS " hls-codecs dash-codecs "
#define SOUNDS " hls-channels dash-audio hls-stereo dash-duration dash-coverage "

const struct damage foreign_damages[] = {
    {"codec-record", TITLE CODECS "codec-level codec-level-rate ", hevc_level, NULL, NULL, NULL,
     false},
    {"codec-record", TITLE, hevc_depth, NULL, NULL, NULL, false},
    {"codec-record", TITLE CODECS, hevc_profile, NULL, NULL, NULL, false},
    {"codec-record", TITLE CODECS, hevc_promise, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE, hevc_version, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE, hevc_array, NULL, NULL, NULL, false},
    {"codec-parameter-sets", TITLE, hevc_in_samples, NULL, NULL, NULL, false},
    {"codec-sample", TITLE, hevc_no_slice, NULL, NULL, NULL, false},
    {"codec-sample", TITLE, hevc_no_header, NULL, NULL, NULL, false},
    {"video-key",
     TITLE "cmaf-sample-flags video-gop video-boundaries video-order hls-iframe-list "
           "hls-iframe-range hls-extinf hls-extinf-sum video-key-distance "
           "hls-bandwidth hls-average-bandwidth dash-buffer",
     hevc_trailing, NULL, NULL, NULL, false},
    {"dash-codecs", TITLE, hevc_codecs, NULL, NULL, NULL, false},
    {"video-colour", TITLE, hevc_colour, NULL, NULL, NULL, false},
    {"cmaf-edit-list", TITLE SOUNDS, opus_skip, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE SOUNDS, opus_version, NULL, NULL, NULL, false},
    {"audio-config", TITLE SOUNDS, opus_channels, NULL, NULL, NULL, false},
    {"cmaf-sample-duration", TITLE SOUNDS, opus_shorter, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, opus_none, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS "audio-config ", ac3_rate, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, ac3_channels, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE SOUNDS, ac3_reserved, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, ac3_frame, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, eac3_channels, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, eac3_frame, NULL, NULL, NULL, false},
    {"cmaf-sample-duration", TITLE SOUNDS, eac3_blocks, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE SOUNDS, eac3_cut, NULL, NULL, NULL, false},
    {"codec-sample", TITLE SOUNDS, flac_frame, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE SOUNDS, flac_record, NULL, NULL, NULL, false},
    {"audio-config", TITLE SOUNDS, flac_channels, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE "dash-key ", scheme_other, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE, scheme_pattern, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE, vectors_odd, NULL, NULL, NULL, false},
    {"cmaf-init", TITLE SOUNDS, scheme_gone, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE, senc_count, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE, senc_bytes, NULL, NULL, NULL, false},
    {"cmaf-protection", TITLE, senc_vectors, NULL, NULL, NULL, false},
    {"hls-key", TITLE, key_of_other_scheme, NULL, NULL, NULL, false},
    {"hls-key", TITLE, key_gone, NULL, NULL, NULL, false},
    {"hls-key", TITLE, key_nowhere, NULL, NULL, NULL, false},
    {"hls-key", TITLE, key_vector, NULL, NULL, NULL, false},
    {"hls-key", "", key_unknown, NULL, NULL, NULL, false},
    {"hls-key", "", key_none, NULL, NULL, NULL, false},
    {"dash-key", TITLE, key_other, NULL, NULL, NULL, false},
    {"dash-key", TITLE, scheme_untold, NULL, NULL, NULL, false},
    {"dash-key", TITLE "dash-protection ", protection_untold, NULL, NULL, NULL, false},
    {"dash-timeline", " dash-gap ", list_wrong, NULL, NULL, NULL, false},
    {"dash-syntax", "", list_short, NULL, NULL, NULL, false},
    {"dash-addressing", " hls-dash-agree ", list_untimed, NULL, NULL, NULL, false},
    {"dash-addressing", " hls-dash-agree ", list_headless, NULL, NULL, NULL, false},
    {"dash-audio", "", layout_wrong, NULL, NULL, NULL, false},
    {"object-missing", TITLE "hls-dash-agree ", whole_headless, NULL, NULL, NULL, false},
    {"unchecked-text", " text-agree ", text_in_list, NULL, NULL, NULL, false},
    {"dash-drift", "", list_drifts, NULL, NULL, NULL, false},
    {"object-missing", " hls-dash-agree title-document cmaf-decode-time dash-timeline ",
     list_elsewhere, NULL, NULL, NULL, false},
    {"unchecked-period", "", period_elsewhere, NULL, NULL, NULL, false},
    {"unchecked-manifest", "", streams_of_events, NULL, NULL, NULL, false},
    {"unchecked-manifest", "", stranger_tags, NULL, NULL, NULL, false},
    {"unchecked-codec", TITLE, codec_unknown, NULL, NULL, NULL, false},
    {"unchecked-codec", TITLE "dash-coverage ", codecs_unknown, NULL, NULL, NULL, false},
    {"unchecked-encryption", TITLE, sealed, NULL, NULL, NULL, false},
    {"unchecked-encryption", TITLE, whole_segments, NULL, NULL, NULL, false},
    {"unchecked-text", " text-agree ", text_in_fragments, NULL, NULL, NULL, false},
};

const size_t foreign_damage_count = sizeof(foreign_damages) / sizeof(foreign_damages[0]);

START_TEST(test_damage) {
    damage_check(&foreign_damages[_i], _i);
}
END_TEST

/* ---- What is right --------------------------------------------------------------- */

static void opus(void) {
    sound_box("Opus", "dOps");
}

static void ac3(void) {
    sound_box("ac-3", "dac3");
    change(MPD, "urn:mpeg:mpegB:cicp:ChannelConfiguration\" value=\"2\"",
           "tag:dolby.com,2014:dash:audio_channel_configuration:2011\" value=\"A000\"");
}

static void eac3(void) {
    sound_box("ec-3", "dec3");
}

/* Objects, which make no channels. */
static void eac3_objects(void) {
    static const uint8_t box[] = {0,    0,    0,    15,   'd', 'e', 'c', '3',
                                  0x02, 0x00, 0x20, 0x04, 0,   1,   16};
    eac3();
    box_replace(&damaged, SOUND "init.mp4", "dec3", box, sizeof(box));
    change(MASTER, "CHANNELS=\"2\"", "CHANNELS=\"16/JOC\"");
}

static void flac(void) {
    sound_box("fLaC", "dfLa");
}

/* Codecs strings as others write them, and channels by MPEG's older list. */
static void written_otherwise(void) {
    hevc();
    change(MPD, "hvc1.1.6.L60.90", "hvc1.1.6.L60.90.0.00");
    change(MPD, "mpegB:cicp:ChannelConfiguration", "dash:23003:3:audio_channel_configuration:2011");
}

static void written_large(void) {
    change(MASTER, "avc1.64001e", "avc1.64001E");
}

static const struct {
    const char *name;
    void (*change)(void);
    int64_t unchecked;
} rights[] = {
    {"HEVC", hevc, 0},
    {"Opus", opus, 0},
    {"AC-3", ac3, 0},
    {"E-AC-3", eac3, 0},
    {"E-AC-3 of objects", eac3_objects, 0},
    {"FLAC", flac, 0},
    {"codecs written otherwise", written_otherwise, 0},
    {"codecs in large letters", written_large, 0},
    {"cbcs", sealed, 3},
    {"cenc", sealed_cenc, 3},
    {"a list with times", list_timed, 0},
    {"a list of one duration", list_nominal, 0},
    {"a list that inherits", list_inherits, 0},
    {"a layout of two channels", layout_two, 0},
    {"a layout that no table knows", layout_unknown, 0},
    {"a layout of the older list", layout_older, 0},
    {"a Period elsewhere", period_elsewhere, 1},
};

START_TEST(test_right) {
    struct verdict verdict;
    rights[_i].change();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    char *rest = NULL;
    char *words = mem_string((const char *)verdict.rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(rule_in(" version-name version-copy title-document hls-stereo ", word) ||
                          strncmp(word, "unchecked-", 10) == 0,
                      "%s:\n%s", rights[_i].name, verdict_lines(&verdict));
    }
    mem_free(words);
    ck_assert_msg(verdict.summary.unchecked == rights[_i].unchecked, "%s:\n%s", rights[_i].name,
                  verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* A template without a number names one object, which is fetched once. */
START_TEST(test_one_name) {
    struct verdict verdict;
    struct verdict before;
    ck_assert_int_eq(verdict_of(&before, &damaged), 0);
    text_in_fragments();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.objects, before.summary.objects + 2);
    ck_assert_ptr_nonnull(strstr(verdict_lines(&verdict),
                                 "unchecked unchecked-text " MPD ": not checked: the text of"));
    verdict_finish(&verdict);
    verdict_finish(&before);
}
END_TEST

Suite *verify_foreign_suite(void) {
    Suite *suite = suite_create("verify_foreign");
    TCase *titles = tcase_create("titles of others");
    tcase_set_timeout(titles, 120);
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_loop_test(titles, test_damage, 0, (int)foreign_damage_count);
    tcase_add_loop_test(titles, test_right, 0, sizeof(rights) / sizeof(rights[0]));
    tcase_add_test(titles, test_one_name);
    suite_add_tcase(suite, titles);
    return suite;
}
