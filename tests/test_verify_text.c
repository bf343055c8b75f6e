/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over a title with subtitles, and with all else that playlists and MPDs of others have
 * and ours do not: whole it breaks no rule but those of its name, and each damage is told.
 */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_text_suite(void);

#define WORDS  "text/en/"
#define LISTED "text/en.m3u8"
#define ALONE  "text/en.vtt"

/* ---- The title ------------------------------------------------------------------- */

static const char rendition[] =
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=NO,"
    "AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,"
    "public.accessibility.describes-music-and-sound\",URI=\"" LISTED "\"\n"
    "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"In them\",INSTREAM-ID=\"CC1\"\n"
    "#EXT-X-STREAM-INF:";

static const char set[] =
    "<AdaptationSet id=\"8\" contentType=\"text\" mimeType=\"text/vtt\" lang=\"en\">\n"
    "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"subtitle\"/>\n"
    "<Representation id=\"text-en\" bandwidth=\"500\"><BaseURL>" ALONE "</BaseURL>"
    "</Representation>\n</AdaptationSet>\n</Period>";

static const char playlist[] =
    "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2.002000,\nen/1.vtt\n#EXTINF:2.002000,\nen/2.vtt\n"
    "#EXTINF:2.002000,\nen/silent.vtt\n#EXT-X-ENDLIST\n";

#define MAP "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n"

static const struct {
    const char *path, *text;
} files[] = {
    {LISTED, playlist},
    {WORDS "1.vtt", "WEBVTT\n" MAP "1\n00:00:00.500 --> 00:00:01.500 line:0\nOne.\n\n"
                    "00:00:01.500 --> 00:00:03.000\nOver the border.\n"},
    {WORDS "2.vtt", "WEBVTT\n" MAP "00:00:01.500 --> 00:00:03.000\nOver the border.\n"},
    {WORDS "silent.vtt", "WEBVTT\n" MAP},
    {ALONE, "WEBVTT\n\nNOTE All of it.\n\n00:00:00.500 --> 00:00:01.500\nOne.\n\n"
            "00:00:01.500 --> 00:00:03.000\nOver the border.\n"},
};

static void make(void) {
    whole_make();
    struct buf *master = title_fixture_bytes(&whole, MASTER);
    ck_assert(text_replace(master, "#EXT-X-STREAM-INF:", rendition, false) &&
              text_replace(master, "CLOSED-CAPTIONS=NONE",
                           "CLOSED-CAPTIONS=\"cc\",SUBTITLES=\"text\"", true) &&
              text_replace(master, "mp4a.40.2\"", "mp4a.40.2,wvtt\"", true) &&
              text_replace(title_fixture_bytes(&whole, MPD), "</Period>", set, false));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        title_fixture_add(&whole, files[i].path, files[i].text, strlen(files[i].text));
    }
}

/* ---- Damage ---------------------------------------------------------------------- */

/* The first bytes of the sound's configuration and the count in its sample entry. */
static void sound_of_six(const char *path) {
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    uint8_t *config = memmem(bytes->data, bytes->size, "\x11\x90", 2);
    ck_assert_ptr_nonnull(config);
    config[1] = 0xb0;
    box_of(&damaged, path, "mp4a", 0)[17] = 6;
}

static void sound_of_six_alone(void) {
    sound_of_six(SOUND "init.mp4");
}

/* Another sound of the group, of six channels, over segments of its own. */
static void group_of_two(void) {
    static const char *const names[] = {"init.mp4", "00001.m4s", "00002.m4s", "00003.m4s"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = mem_format(SOUND "%s", names[i]);
        char *other = mem_format("audio/other/%s", names[i]);
        const struct buf *bytes = title_fixture_bytes(&damaged, path);
        title_fixture_add(&damaged, other, bytes->data, bytes->size);
        mem_free(path);
        mem_free(other);
    }
    sound_of_six("audio/other/init.mp4");
    struct buf text = {0};
    const struct buf *own = title_fixture_bytes(&damaged, "$V/audio-und-aac-2.m3u8");
    ck_assert_ptr_nonnull(own);
    buf_append(&text, own->data, own->size);
    ck_assert(text_replace(&text, SOUND, "audio/other/", true));
    ck_assert(text_replace(&text, "../", "", true));
    title_fixture_add(&damaged, "other.m3u8", text.data, text.size);
    buf_finish(&text);
    ck_assert(text_replace(title_fixture_bytes(&damaged, MASTER), "#EXT-X-MEDIA:TYPE=SUB",
                           "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-2\",NAME=\"Other\",DEFAULT=NO,"
                           "AUTOSELECT=YES,CHANNELS=\"6\",URI=\"other.m3u8\"\n"
                           "#EXT-X-MEDIA:TYPE=SUB",
                           false));
}

/* Pictures by @duration, of so many ticks. */
static void by_duration(const char *ticks) {
    char *put = mem_format(" duration=\"%s\"/>", ticks);
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD),
                           ">\n        <SegmentTimeline>\n          <S t=\"0\" d=\"48048\" "
                           "r=\"2\"/>\n        </SegmentTimeline>\n      </SegmentTemplate>",
                           put, false));
    mem_free(put);
}

static void duration_drifts(void) {
    by_duration("64800");
}

static void duration_short(void) {
    by_duration("24024");
}

#define EACH "#EXTINF:2.002000,\n../" PICTURES "00002.m4s"
#define CLOCK(range)                                                                               \
    range "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T10:00:00.000+01:00\n#EXTINF:2.002000,\n"            \
          "../" PICTURES "00001.m4s"
#define FIRST "#EXTINF:2.002000,\n../" PICTURES "00001.m4s"

#define PARTS                                                                                      \
    "#EXT-X-PART-INF:PART-TARGET=1\n"                                                              \
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3\n"

/* A live stream that tells of no part to come. */
static void goes_on(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PLAYLIST);
    ck_assert(text_replace(bytes, EACH,
                           PARTS "#EXT-X-PART:DURATION=1,INDEPENDENT=YES,URI=\"x\"\n" EACH,
                           false) &&
              text_replace(bytes, "#EXT-X-ENDLIST\n", "", false));
}

const struct damage text_damages[] = {
    {"hls-subtitles", "", NULL, MASTER, "SUBTITLES=\"text\"", "SUBTITLES=\"other\"", false},
    {"hls-subtitles", "", NULL, MASTER, "NAME=\"English\",", "", false},
    {"hls-subtitles", "", NULL, MASTER, "AUTOSELECT=YES,FORCED=NO", "AUTOSELECT=NO,FORCED=YES",
     false},
    {"hls-subtitles", " hls-subtitles-reach ", NULL, MASTER, "GROUP-ID=\"text\",", "", false},
    {"hls-captions", "", NULL, MASTER, "CLOSED-CAPTIONS=\"cc\"", "CLOSED-CAPTIONS=\"dd\"", false},
    {"hls-captions", "", NULL, MASTER, "INSTREAM-ID=\"CC1\"", "INSTREAM-ID=\"1\"", false},
    {"hls-group", " hls-captions ", NULL, MASTER, "TYPE=CLOSED-CAPTIONS", "TYPE=OTHER", false},
    {"hls-subtitles-reach", " hls-codecs ", NULL, MASTER, ",SUBTITLES=\"text\"", "", false},
    {"hls-codecs", "", NULL, MASTER, "mp4a.40.2,wvtt", "mp4a.40.2,wvxx", false},
    {"hls-characteristics", "", NULL, MASTER, ",public.accessibility.describes-music-and-sound", "",
     false},
    {"hls-characteristics", "", NULL, MASTER, "NAME=\"Main\"",
     "NAME=\"Main\",CHARACTERISTICS=\"public.accessibility.describes-video\"", false},
    {"hls-characteristics", "", NULL, MPD, "value=\"2\"/>\n      <Role",
     "value=\"2\"/>\n<Accessibility schemeIdUri=\"urn:tva:metadata:cs:AudioPurposeCS:2007\" "
     "value=\"1\"/>\n      <Role",
     false},
    {"hls-steering", "", NULL, MASTER, "#EXT-X-MEDIA:TYPE=AUDIO",
     "#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\",PATHWAY-ID=\"a\"\n#EXT-X-MEDIA:TYPE=AUDIO", false},
    {"hls-group-codec", " hls-dash-agree title-document ", group_of_two, NULL, NULL, NULL, false},
    {"hls-stereo", " hls-channels dash-audio title-document codec-sample ", sound_of_six_alone,
     NULL, NULL, NULL, false},
    {"hls-endlist", "", NULL, LISTED, "#EXT-X-ENDLIST\n", "", false},
    {"hls-targetduration", "", NULL, LISTED, "DURATION:2", "DURATION:1", false},
    {"object-missing", "", NULL, LISTED, "en/2.vtt", "en/4.vtt", false},
    {"object-reference", "", NULL, LISTED, "en/2.vtt", "../../2.vtt", false},
    {"text-syntax", "", NULL, WORDS "2.vtt", "WEBVTT", "WEBVT", false},
    {"text-syntax", "", NULL, WORDS "2.vtt", "00:00:03.000", "00:00:01.000", false},
    {"text-syntax", "", NULL, ALONE, "\n00:00:01.500", "\n00:00:00.000", false},
    {"text-time", "", NULL, WORDS "2.vtt", "MPEGTS:0", "MPEGTS:900000", false},
    {"text-stray", "", NULL, WORDS "1.vtt", "00:00:01.500 --> 00:00:03",
     "00:00:02.500 --> 00:00:03", false},
    {"text-time", "", NULL, LISTED, "en/silent.vtt", "en/2.vtt", false},
    {"text-time", "", NULL, ALONE, "00:00:01.500 --> 00:00:03", "00:00:11.500 --> 00:00:13", false},
    {"text-time", "", NULL, ALONE, "WEBVTT\n",
     "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9000,LOCAL:00:00.000\n", false},
    {"text-coverage", "", NULL, LISTED, "#EXTINF:2.002000,\nen/silent.vtt\n", "", false},
    {"text-coverage", " hls-targetduration ", NULL, LISTED, "2.002000,\nen/silent",
     "20.02,\nen/silent", false},
    {"text-agree", "", NULL, MPD, "lang=\"en\"", "lang=\"de\"", false},
    {"dash-text", " text-agree ", NULL, MPD, " lang=\"en\"", "", false},
    {"dash-text", "", NULL, MPD, "value=\"subtitle\"", "value=\"main\"", false},
    {"dash-text", "", NULL, MPD, "mimeType=\"text/vtt\"", "mimeType=\"text/plain\"", false},
    {"dash-text", "", NULL, MPD, "<BaseURL>" ALONE "</BaseURL>",
     "<BaseURL>" ALONE "</BaseURL><SegmentTemplate presentationTimeOffset=\"7\"/>", false},
    {"dash-id", "", NULL, MPD, "id=\"8\"", "id=\"1\"", false},
    {"object-missing", "", NULL, MPD, ">" ALONE, ">text/de.vtt", false},
    {"dash-protection", "", NULL, MPD, "<Role schemeIdUri",
     "<ContentProtection schemeIdUri=\"urn:uuid:1\"/><Role schemeIdUri", false},
    {"dash-protection", "", NULL, MPD, "<Role schemeIdUri",
     "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" value=\"cbcs\"/>"
     "<Role schemeIdUri",
     false},
    {"dash-drift", "", duration_drifts, NULL, NULL, NULL, false},
    {"object-missing", " hls-dash-agree dash-drift title-document ", duration_short, NULL, NULL,
     NULL, false},
    {"hls-daterange", "", NULL, PLAYLIST, EACH,
     "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T10:00:00Z\"\n" EACH, false},
    {"hls-daterange", "", NULL, PLAYLIST, FIRST,
     CLOCK("#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-13-01T10:00:00Z\"\n"), false},
    {"hls-daterange", "", NULL, PLAYLIST, FIRST,
     CLOCK("#EXT-X-DATERANGE:START-DATE=\"2026-01-01T10:00:00Z\"\n"), false},
    {"hls-splice", "", NULL, PLAYLIST, FIRST,
     CLOCK("#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T09:00:03Z\",SCTE35-OUT=0xFC00\n"),
     false},
    {"hls-daterange", "", NULL, PLAYLIST, FIRST,
     CLOCK("#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T09:00:00Z\",SCTE35-IN=FC00\n"),
     false},
    {"hls-daterange", "", NULL, PLAYLIST, FIRST,
     CLOCK("#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T09:00:00Z\",END-ON-NEXT=YES\n"),
     false},
    {"hls-syntax", " hls-dash-agree ", NULL, PLAYLIST, FIRST,
     "#EXT-X-PROGRAM-DATE-TIME:yesterday\n" FIRST, false},
    {"hls-parts", "", NULL, PLAYLIST, EACH,
     "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=1,INDEPENDENT=YES,URI=\"x\"\n" EACH,
     false},
    {"hls-parts", "", NULL, PLAYLIST, EACH,
     "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1.9\n"
     "#EXT-X-PART:DURATION=1,INDEPENDENT=YES,URI=\"x\"\n" EACH,
     false},
    {"hls-part-hold-back", "", NULL, PLAYLIST, EACH,
     "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=2\n"
     "#EXT-X-PART:DURATION=1,INDEPENDENT=YES,URI=\"x\"\n" EACH,
     false},
    {"hls-parts", "", NULL, PLAYLIST, EACH,
     "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n"
     "#EXT-X-PART:DURATION=1.5,INDEPENDENT=YES,URI=\"x\"\n" EACH,
     false},
    {"hls-low-latency", "", NULL, PLAYLIST, EACH, PARTS "#EXT-X-PART:DURATION=1,URI=\"x\"\n" EACH,
     false},
    {"hls-low-latency", " hls-endlist ", goes_on, NULL, NULL, NULL, false},
    {"hls-parts", "", NULL, PLAYLIST, "#EXT-X-ENDLIST",
     "#EXT-X-PRELOAD-HINT:TYPE=PART\n#EXT-X-ENDLIST", false},
    {"hls-parts", "", NULL, PLAYLIST, "#EXT-X-ENDLIST",
     "#EXT-X-PRELOAD-HINT:TYPE=ALL,URI=\"x\"\n#EXT-X-ENDLIST", false},
    {"hls-parts", "", NULL, PLAYLIST, "#EXT-X-ENDLIST",
     "#EXT-X-RENDITION-REPORT:LAST-MSN=1\n#EXT-X-ENDLIST", false},
};

const size_t text_damage_count = sizeof(text_damages) / sizeof(text_damages[0]);

/* Only what stands in title.json knows nothing of all this. */
static void check_named_alone(const char *fault) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict.summary.advice == 0 && verdict.summary.musts <= 4, "%s:\n%s", fault,
                  verdict_lines(&verdict));
    char *rest = NULL;
    char *words = mem_string((const char *)verdict.rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(rule_in(" version-name version-copy unchecked-manifest ", word), "%s:\n%s",
                      fault, verdict_lines(&verdict));
    }
    mem_free(words);
    verdict_finish(&verdict);
}

START_TEST(test_whole) {
    check_named_alone("the whole title");
}
END_TEST

START_TEST(test_damage) {
    damage_check(&text_damages[_i], _i);
}
END_TEST

/* What others write, and rightly. */
START_TEST(test_foreign) {
    by_duration("48048");
    ck_assert(
        text_replace(title_fixture_bytes(&damaged, PLAYLIST), FIRST,
                     CLOCK("#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T09:00:02.002Z\","
                           "DURATION=2.002,SCTE35-OUT=0xFC002F\n"
                           "#EXT-X-PART-INF:PART-TARGET=1.001\n"
                           "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.003\n"
                           "#EXT-X-PART:DURATION=1.001,INDEPENDENT=YES,URI=\"x\"\n"),
                     false));
    check_named_alone("dates, parts and @duration");
}
END_TEST

/* Dates of the last year that is read, EXTINFs of one digit, key systems before what they share. */
START_TEST(test_odd) {
    ck_assert(
        text_replace(title_fixture_bytes(&damaged, PLAYLIST), FIRST,
                     "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"9999-12-31T23:00:02.002Z\","
                     "SCTE35-OUT=0xFC002F\n#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:00:00Z\n" FIRST,
                     false) &&
        text_replace(title_fixture_bytes(&damaged, LISTED), "2.002000,\nen/2", "2.0,\nen/2",
                     false) &&
        text_replace(title_fixture_bytes(&damaged, LISTED), "2.002000,\nen/s", "1.9,\nen/s",
                     false) &&
        text_replace(title_fixture_bytes(&damaged, MPD), "<Role schemeIdUri",
                     "<ContentProtection schemeIdUri=\"urn:uuid:1\"/>"
                     "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" "
                     "value=\"cbcs\" keys:default_KID=\"34e5db32-8625-47cd-ba06-68fca0655a72\"/>"
                     "<Role schemeIdUri",
                     false));
    check_named_alone("odd, and right");
}
END_TEST

/* By @duration there are as many segments as begin in the Period, whose end is missing. */
START_TEST(test_no_end) {
    struct verdict verdict;
    by_duration("48048");
    ck_assert(
        text_replace(title_fixture_bytes(&damaged, MPD), " duration=\"PT", " hint=\"PT", false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "dash-period") && /* it lasts as long as the whole */
                      !verdict_tells(&verdict, "hls-dash-agree"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD),
                           " mediaPresentationDuration=", " hint=", false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict_tells(&verdict, "dash-period") &&
                      !verdict_tells(&verdict, "dash-addressing"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

Suite *verify_text_suite(void) {
    Suite *suite = suite_create("verify_text");
    TCase *titles = tcase_create("titles with subtitles");
    tcase_set_timeout(titles, 120);
    tcase_add_unchecked_fixture(titles, make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_test(titles, test_whole);
    tcase_add_loop_test(titles, test_damage, 0, (int)text_damage_count);
    tcase_add_test(titles, test_foreign);
    tcase_add_test(titles, test_odd);
    tcase_add_test(titles, test_no_end);
    suite_add_tcase(suite, titles);
    return suite;
}
