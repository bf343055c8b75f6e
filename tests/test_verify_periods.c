/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over titles of two Periods: one title that is cut after its second segment, each Period
 * with its part of the same tracks; and two titles one after the other, with tracks of their own.
 * Whole ones break no rule, and each damage is told with the Period in which it is.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_periods_suite(void);

struct edit {
    const char *find, *put;
};

/* PICTURES, as damaged_folders_of_others has it. */
#define FOREIGN "video/h264-180p_0123456789/"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void edit(struct buf *text, const struct edit *edits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(text_replace(text, edits[i].find, edits[i].put, true), "no %s in:\n%s",
                      edits[i].find, buf_text(text));
    }
}

/* In place of the MPD's one Period two copies of it, edited. */
static void split(const struct edit *first, size_t first_count, const struct edit *second,
                  size_t second_count) {
    static const char end[] = "</Period>";
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    const char *text = buf_text(mpd);
    const char *from = strstr(text, "<Period");
    const char *to = strstr(text, end) + strlen(end);
    struct buf periods[2] = {{0}};
    struct buf out = {0};
    buf_append(&out, text, (size_t)(from - text));
    for (int i = 0; i < 2; i++) {
        buf_append(&periods[i], from, (size_t)(to - from));
        edit(&periods[i], i == 0 ? first : second, i == 0 ? first_count : second_count);
        buf_append(&out, periods[i].data, periods[i].size);
        buf_finish(&periods[i]);
    }
    buf_string(&out, to);
    buf_finish(mpd);
    *mpd = out;
}

/* Of the MPD what stands before, and from, its second Period on. */
static void edit_second(const char *find, const char *put) {
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    const char *text = buf_text(mpd);
    const char *from = strstr(strstr(text, "<Period") + 1, "<Period");
    struct buf second = {0};
    struct buf out = {0};
    buf_append(&out, text, (size_t)(from - text));
    buf_string(&second, from);
    edit(&second, &(struct edit){find, put}, 1);
    buf_append(&out, second.data, second.size);
    buf_finish(&second);
    buf_finish(mpd);
    *mpd = out;
}

/* ---- One title, cut -------------------------------------------------------------- */

/* After 4.004 s. Sound ends 8 ms later, in a packet that the first Period plays. */
static const struct edit cut_first[] = {
    {"duration=\"PT6*S\"", "duration=\"PT4.004S\""},
    {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"0\" d=\"48048\" r=\"1\"/>"},
    {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"0\" d=\"96256\" r=\"1\"/>"},
};

#define SECOND_STARTS                                                                              \
    {                                                                                              \
        "id=\"1\" start=\"PT0S\" duration=\"PT6*S\"",                                              \
            "id=\"2\" start=\"PT4.004S\" duration=\"PT2.013S\""                                    \
    }

static const struct edit cut_second[] = {
    SECOND_STARTS,
    {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"96096\" d=\"48048\"/>"},
    {"timescale=\"24000\" startNumber=\"1\"",
     "timescale=\"24000\" presentationTimeOffset=\"96096\" startNumber=\"3\""},
    {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"192512\" d=\"96256\"/>"},
    {"timescale=\"48000\" startNumber=\"1\"",
     "timescale=\"48000\" presentationTimeOffset=\"192192\" startNumber=\"3\""},
};

static void cut(void) {
    split(cut_first, COUNT(cut_first), cut_second, COUNT(cut_second));
}

/* Times of the media before the edit list, as its offset then is too. */
static void cut_unedited(void) {
    cut();
    edit_second("<S t=\"96096\"", "<S t=\"98098\"");
    edit_second("presentationTimeOffset=\"96096\"", "presentationTimeOffset=\"98098\"");
    edit_second("<S t=\"192512\"", "<S t=\"193536\"");
    edit_second("presentationTimeOffset=\"192192\"", "presentationTimeOffset=\"193216\"");
}

/* The segment of sound that is over the border stands on both sides of it. */
static void cut_over(void) {
    cut();
    edit_second("<S t=\"192512\" d=\"96256\"/>", "<S t=\"96256\" d=\"96256\" r=\"1\"/>");
    edit_second("presentationTimeOffset=\"192192\" startNumber=\"3\"",
                "presentationTimeOffset=\"192192\" startNumber=\"2\"");
}

/* By @duration, as many segments as begin in each Period. */
static void cut_nominal(void) {
    static const struct edit first[] = {
        {"duration=\"PT6*S\"", "duration=\"PT4.004S\""},
        {"timescale=\"24000\"", "timescale=\"24000\" duration=\"48048\""},
        {"timescale=\"48000\"", "timescale=\"48000\" duration=\"96256\""},
        {"<SegmentTimeline>", ""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", ""},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", ""},
        {"</SegmentTimeline>", ""},
    };
    static const struct edit second[] = {
        SECOND_STARTS,
        {"timescale=\"24000\" startNumber=\"1\"",
         "timescale=\"24000\" duration=\"48048\" presentationTimeOffset=\"96096\" "
         "startNumber=\"3\""},
        {"timescale=\"48000\" startNumber=\"1\"",
         "timescale=\"48000\" duration=\"96256\" presentationTimeOffset=\"192192\" "
         "startNumber=\"3\""},
        {"<SegmentTimeline>", ""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", ""},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", ""},
        {"</SegmentTimeline>", ""},
    };
    split(first, COUNT(first), second, COUNT(second));
}

/* The next one's @start ends the first, and the MPD the second. */
static void cut_untold(void) {
    cut();
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    edit(mpd, &(struct edit){" start=\"PT0S\" duration=\"PT4.004S\"", ""}, 1);
    edit(mpd, &(struct edit){" duration=\"PT2.013S\"", ""}, 1);
}

static void cut_in_order(void) {
    cut();
    edit_second(" start=\"PT4.004S\"", "");
}

/* After 3.003 s, inside of the second segments, which both Periods list. */
static void cut_inside(void) {
    static const struct edit first[] = {
        {"duration=\"PT6*S\"", "duration=\"PT3.003S\""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"0\" d=\"48048\" r=\"1\"/>"},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"0\" d=\"96256\" r=\"1\"/>"},
    };
    static const struct edit second[] = {
        {"id=\"1\" start=\"PT0S\" duration=\"PT6*S\"",
         "id=\"2\" start=\"PT3.003S\" duration=\"PT3.014S\""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"48048\" d=\"48048\" r=\"1\"/>"},
        {"timescale=\"24000\" startNumber=\"1\"",
         "timescale=\"24000\" presentationTimeOffset=\"72072\" startNumber=\"2\""},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"96256\" d=\"96256\" r=\"1\"/>"},
        {"timescale=\"48000\" startNumber=\"1\"",
         "timescale=\"48000\" presentationTimeOffset=\"144144\" startNumber=\"2\""},
    };
    split(first, COUNT(first), second, COUNT(second));
}

/* How many segments there are the ends of the Periods tell. */
static void cut_open(void) {
    static const struct edit open[] = {
        {"d=\"48048\" r=\"1\"", "d=\"48048\" r=\"-1\""},
        {"d=\"96256\" r=\"1\"", "d=\"96256\" r=\"-1\""},
        {"<S t=\"96096\" d=\"48048\"/>", "<S t=\"96096\" d=\"48048\" r=\"-1\"/>"},
    };
    cut();
    edit(title_fixture_bytes(&damaged, MPD), open, COUNT(open));
}

/* ---- Beside Periods that are not at hand ------------------------------------------- */

#define ELSEWHERE "<Period xlink:href=\"https://ads.example/1\"/>"

static void elsewhere_behind(void) {
    cut();
    edit(title_fixture_bytes(&damaged, MPD), &(struct edit){"</MPD>", ELSEWHERE "</MPD>"}, 1);
}

static void elsewhere_before(void) {
    cut();
    edit_second("<Period id=\"2\" start=\"PT4.004S\"", ELSEWHERE "<Period id=\"2\"");
}

static void elsewhere_between(void) {
    cut();
    edit_second(
        "<Period id=\"2\"",
        "<Period xlink:href=\"https://ads.example/1\" duration=\"PT10S\"/><Period id=\"2\"");
    edit(title_fixture_bytes(&damaged, MPD),
         &(struct edit){"mediaPresentationDuration=\"PT6*S\"",
                        "mediaPresentationDuration=\"PT16.017S\""},
         1);
}

/* ---- Two titles ------------------------------------------------------------------ */

/* The objects once more, in a folder of their own; DASH alone, as others make it. */
static void two_titles(void) {
    static const struct edit second[] = {
        {"id=\"1\" start=\"PT0S\"", "id=\"2\" start=\"PT6.017S\""},
        {"<BaseURL>video/", "<BaseURL>second/video/"},
        {"<BaseURL>audio/", "<BaseURL>second/audio/"},
    };
    damaged_folders_of_others();
    for (size_t i = damaged.count; i-- > 0;) {
        struct title_fixture_object *object = &damaged.objects[i];
        if (strcmp(object->path, MASTER) == 0 || strcmp(object->path, "title.json") == 0) {
            object->path[0] = '_';
        } else if (strstr(object->path, ".m4s") != NULL || strstr(object->path, ".mp4") != NULL) {
            char *path = mem_format("second/%s", object->path);
            title_fixture_add(&damaged, path, object->bytes.data, object->bytes.size);
            mem_free(path);
        }
    }
    split(NULL, 0, second, COUNT(second));
    edit(title_fixture_bytes(&damaged, MPD),
         &(struct edit){"mediaPresentationDuration=\"PT6*S\"",
                        "mediaPresentationDuration=\"PT12.034S\""},
         1);
}

/* ---- What is right --------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*make)(void);
} rights[] = {
    {"a title that is cut", cut},
    {"times before edit lists", cut_unedited},
    {"a segment over the border", cut_over},
    {"by @duration", cut_nominal},
    {"Periods without ends", cut_untold},
    {"a Period without a start", cut_in_order},
    {"a border inside of segments", cut_inside},
    {"timelines without counts", cut_open},
    {"two titles", two_titles},
};

/* Fails the test where a rule is told that is none of those, or of the version's name. */
static void check_only(const struct verdict *verdict, const char *name, const char *allowed) {
    char *rest = NULL;
    char *words = mem_string((const char *)verdict->rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(rule_in(allowed, word) || rule_in(" version-name version-copy ", word),
                      "%s breaks %s:\n%s", name, word, verdict_lines(verdict));
    }
    mem_free(words);
}

START_TEST(test_right) {
    struct verdict verdict;
    rights[_i].make();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    check_only(&verdict, rights[_i].name, "");
    ck_assert_int_eq(verdict.summary.unchecked, 0);
    ck_assert_int_eq(verdict.summary.segments, rights[_i].make == two_titles ? 18 : 9);
    verdict_finish(&verdict);
}
END_TEST

/* ---- Damage ---------------------------------------------------------------------- */

/* Nothing behind the first Period of the cut title. */
static void no_second(void) {
    cut();
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    const char *text = buf_text(mpd);
    const char *from = strchr(strstr(strstr(text, "<Period") + 1, "<Period"), '>') + 1;
    mpd->size = (size_t)(from - text);
    buf_string(mpd, "</Period></MPD>\n");
}

/* In the second Period of a title; `said` is told with the rule. */
static const struct {
    void (*make)(void);
    const char *rule, *also;
    struct edit second;
    const char *said;
} damages[] = {
    {cut,
     "dash-period",
     " dash-duration ",
     {"start=\"PT4.004S\"", "start=\"PT4.504S\""},
     "Period 2 starts at 4.504000 s, and the one before it ends at 4.004000 s"},
    {cut,
     "dash-period",
     " dash-duration ",
     {"start=\"PT4.004S\"", "start=\"PT3.504S\""},
     "Period 2 starts at 3.504000 s, and the one before it ends at 4.004000 s"},
    {cut_untold,
     "dash-duration",
     " dash-coverage ",
     {"start=\"PT4.004S\"", "start=\"PT4.604S\""},
     "the duration of Period 1 is 4.604000 s, and 4.010667 s are there"},
    {cut,
     "dash-duration",
     " dash-coverage ",
     {"duration=\"PT2.013S\"", "duration=\"PT2.513S\""},
     "the duration of Period 2 is 2.513000 s, and 2.012000 s are there"},
    {cut,
     "dash-period",
     " dash-duration ",
     {"duration=\"PT2.013S\"", "duration=\"PT0S\""},
     "Period 2 lasts no time"},
    {no_second,
     "dash-period",
     " hls-dash-agree ",
     {"duration=\"PT2.013S\"", "duration=\"PT2.0129S\""},
     "Period 2 has no AdaptationSet"},
    {cut,
     "dash-id",
     "",
     {"Period id=\"2\"", "Period id=\"1\""},
     "two Periods have one id of Period 2"},
    {cut,
     "dash-id",
     "",
     {"AdaptationSet id=\"2\"", "AdaptationSet id=\"1\""},
     "two AdaptationSets have one id of Period 2"},
    {cut,
     "dash-coverage",
     " dash-duration audio-length ",
     {"Offset=\"96096\"", "Offset=\"84096\""},
     "Representation h264-90p of Period 2 covers 0.500000 to 2.502000 s of 2.013000 s"},
    {cut,
     "dash-timeline",
     " dash-duration audio-length ",
     {"Offset=\"192192\"", "Offset=\"193216\""},
     "by @presentationTimeOffset Representation audio-und-aac-2 of Period 2 begins 0.021333 s"},
    {cut,
     "dash-timeline",
     "",
     {"t=\"192512\"", "t=\"192513\""},
     "segment 1 of Representation audio-und-aac-2 of Period 2 is listed at tick 192513"},
    {cut,
     "dash-timeline",
     " dash-coverage ",
     {"<S t=\"96096\"", "<S t=\"0\""},
     "segment 1 of Representation h264-90p of Period 2 is listed at tick"},
    {cut_nominal,
     "dash-drift",
     " dash-duration audio-length ",
     {"Offset=\"96096\"", "Offset=\"48048\""},
     "segment 1 of Representation h264-90p of Period 2 is said to begin at 2.002 s"},
    {two_titles,
     "dash-gap",
     " dash-timeline ",
     {"<S t=\"0\" d=\"48048\" r=\"2\"/>",
      "<S t=\"0\" d=\"48048\" r=\"1\"/><S t=\"96097\" d=\"48047\"/>"},
     "segment 3 of Representation h264-90p of Period 2 starts at tick 96097"},
    {two_titles,
     "dash-coverage",
     " dash-duration audio-length audio-boundary ",
     {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"0\" d=\"96256\" r=\"1\"/>"},
     "Representation audio-und-aac-2 of Period 2 covers 0.000000 to 4.010667 s of 6.017000 s"},
    {cut,
     "dash-codecs",
     "",
     {"codecs=\"avc1.*\"", "codecs=\"avc1.42c00d\""},
     "Representation h264-90p of Period 2 declares 'avc1.42c00d'"},
    {cut,
     "dash-bandwidth",
     "",
     {" bandwidth=\"*\"", " bandwidth=\"100\""},
     "Representation h264-90p of Period 2 declares @bandwidth 100"},
    {cut,
     "dash-set",
     "",
     {"startWithSAP=\"1\"", "startWithSAP=\"2\""},
     "AdaptationSet 1 of Period 2 does not say"},
    {cut,
     "dash-role",
     "",
     {"contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\" "
      "lang=\"und\">",
      "contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\" "
      "lang=\"und\"><Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"dub\"/>"},
     "none of 1 AdaptationSets of sound of Period 2 is main"},
    {cut,
     "hls-dash-agree",
     " dash-timeline audio-length ",
     {"Offset=\"96096\" startNumber=\"3\"", "Offset=\"96096\" startNumber=\"1\""},
     "Representation h264-90p of Period 2 lists objects that HLS does not list so"},
    {elsewhere_behind,
     "dash-duration",
     " dash-coverage unchecked-period ",
     {"duration=\"PT2.013S\"", "duration=\"PT2.513S\""},
     "the duration of Period 2 is 2.513000 s, and 2.012000 s are there"},
    {elsewhere_between,
     "unchecked-period",
     "",
     {"start=\"PT4.004S\"", "start=\"PT14.004S\""},
     "not checked: 1 Periods of other documents"},
    {elsewhere_before,
     "unchecked-period",
     "",
     {" duration=\"PT2.013S\"", ""},
     "not checked: 1 Periods of other documents"},
    {cut,
     "unchecked-period",
     "",
     {"<S t=\"96096\" d=\"48048\"/>", "<S t=\"96096\" d=\"48048\" r=\"-1\"/><S d=\"48048\"/>"},
     "not checked: Period 2, nor whether HLS lists what all of them do: S@r is below 0"},
    {cut,
     "title-bounds",
     "",
     {"<S t=\"96096\" d=\"48048\"/>", "<S t=\"96096\" d=\"48048\" r=\"900000\"/>"},
     "not checked: Period 2, nor whether HLS lists what all of them do: S@r tells of too many"},
    {cut_inside,
     "dash-coverage",
     " audio-boundary audio-length ",
     {"presentationTimeOffset=\"72072\"", "presentationTimeOffset=\"96096\""},
     "Representation h264-90p of Period 2 covers -2.002000 to 2.002000 s of 3.014000 s"},
    {cut,
     "dash-text",
     " text-agree object-missing ",
     {"</Period>",
      "<AdaptationSet id=\"8\" contentType=\"text\" mimeType=\"text/vtt\"><Representation id=\"t\" "
      "bandwidth=\"500\"><BaseURL>t.vtt</BaseURL></Representation></AdaptationSet></Period>"},
     "Representation t of Period 2 has no @lang"},
};

START_TEST(test_damage) {
    struct verdict verdict;
    damages[_i].make();
    edit_second(damages[_i].second.find, damages[_i].second.put);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    char *said = mem_format("%s " MPD ": %s", damages[_i].rule, damages[_i].said);
    ck_assert_msg(strstr(verdict_lines(&verdict), said) != NULL, "%d: not told: %s\n%s", _i, said,
                  verdict_lines(&verdict));
    mem_free(said);
    char *allowed = mem_format(" %s %s", damages[_i].rule, damages[_i].also);
    check_only(&verdict, damages[_i].said, allowed);
    mem_free(allowed);
    verdict_finish(&verdict);
}
END_TEST

/* ---- One Period ------------------------------------------------------------------ */

/* The title without its first 1.001 s, or without its first two segments, which it lists: what HLS
 * shows too, and what nobody shows. */
static const struct {
    const char *video_offset, *sound_offset, *duration;
    const char *said;
} starts[] = {
    {"24024", "48048", "PT5.016S",
     "by @presentationTimeOffset the Period begins 1.001000 s after Representation h264-90p does"},
    {"96096", "192192", "PT2.013S",
     "Representation h264-90p covers -4.004000 to 2.002000 s of 2.013000 s"},
};

START_TEST(test_late_start) {
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    char *video =
        mem_format("timescale=\"24000\" presentationTimeOffset=\"%s\"", starts[_i].video_offset);
    char *sound =
        mem_format("timescale=\"48000\" presentationTimeOffset=\"%s\"", starts[_i].sound_offset);
    char *period = mem_format("start=\"PT0S\" duration=\"%s\"", starts[_i].duration);
    char *whole_lasts = mem_format("mediaPresentationDuration=\"%s\"", starts[_i].duration);
    const struct edit edits[] = {{"timescale=\"24000\"", video},
                                 {"timescale=\"48000\"", sound},
                                 {"start=\"PT0S\" duration=\"PT6*S\"", period},
                                 {"mediaPresentationDuration=\"PT6*S\"", whole_lasts}};
    edit(mpd, edits, COUNT(edits));
    mem_free(video);
    mem_free(sound);
    mem_free(period);
    mem_free(whole_lasts);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(strstr(verdict_lines(&verdict), starts[_i].said) != NULL, "%s",
                  verdict_lines(&verdict));
    check_only(&verdict, starts[_i].said, " dash-coverage storyboard-agree ");
    verdict_finish(&verdict);
}
END_TEST

/* Of two Representations of one track that which lists less does not agree with HLS. */
START_TEST(test_longest) {
    static const char open[] = "<Representation id=\"h264-180p\"";
    static const char less[] =
        "<Representation id=\"short\" bandwidth=\"900000\"><BaseURL>" PICTURES "</BaseURL>"
        "<SegmentTemplate><SegmentTimeline><S t=\"0\" d=\"48048\" r=\"1\"/></SegmentTimeline>"
        "</SegmentTemplate></Representation><Representation id=\"h264-180p\"";
    struct verdict verdict;
    edit(title_fixture_bytes(&damaged, MPD), &(struct edit){open, less}, 1);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    const char *told = strstr(verdict_lines(&verdict), "must hls-dash-agree ");
    ck_assert_msg(told != NULL && strstr(told, "Representation short lists objects") != NULL, "%s",
                  verdict_lines(&verdict));
    ck_assert_msg(strstr(told + 1, "must hls-dash-agree ") == NULL, "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* ---- Parts and wholes ------------------------------------------------------------ */

/* The one fault of a Period that does not start at 0 is told, and nothing of the next one. */
START_TEST(test_first_start) {
    struct verdict verdict;
    cut();
    edit(title_fixture_bytes(&damaged, MPD),
         &(struct edit){"start=\"PT0S\" duration=\"PT4.004S\"",
                        "start=\"PT1S\" duration=\"PT4.004S\""},
         1);
    edit_second("start=\"PT4.004S\"", "start=\"PT5.004S\"");
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    const char *told = strstr(verdict_lines(&verdict), "must dash-period ");
    ck_assert_msg(told != NULL && strstr(told, "Period 1 does not start at 0") != NULL, "%s",
                  verdict_lines(&verdict));
    ck_assert_msg(strstr(told + 1, "must dash-period ") == NULL, "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Where no playlist of pictures can be read, a Period's part of them is no measure of subtitles,
 * nor of the key pictures that a playlist lists. */
START_TEST(test_part_is_no_whole) {
    static const char subtitles[] =
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:1\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:6.006000,\nen.vtt\n#EXT-X-ENDLIST\n";
    static const char words[] = "WEBVTT\n\n00:00.500 --> 00:01.500\nOne.\n";
    struct verdict verdict;
    cut();
    title_fixture_add(&damaged, "en.m3u8", subtitles, strlen(subtitles));
    title_fixture_add(&damaged, "en.vtt", words, strlen(words));
    edit(title_fixture_bytes(&damaged, MASTER),
         &(struct edit){"#EXT-X-MEDIA:TYPE=AUDIO",
                        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"English\","
                        "LANGUAGE=\"en\",URI=\"en.m3u8\"\n#EXT-X-MEDIA:TYPE=AUDIO"},
         1);
    edit(title_fixture_bytes(&damaged, PLAYLIST), &(struct edit){"#EXT-X-MAP", "#EXT-X-MAPS"}, 1);
    edit(title_fixture_bytes(&damaged, SMALLEST), &(struct edit){"#EXT-X-MAP", "#EXT-X-MAPS"}, 1);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert(verdict_tells(&verdict, "hls-map"));
    ck_assert_msg(!verdict_tells(&verdict, "text-coverage") &&
                      !verdict_tells(&verdict, "hls-iframe-list") &&
                      !verdict_tells(&verdict, "hls-bandwidth"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Nor of what the multivariant playlist declares of these. */
START_TEST(test_part_measures_no_rates) {
    static const struct edit unread = {"#EXT-X-MAP", "#EXT-X-MAPS"};
    static const struct edit low = {"I-FRAME-STREAM-INF:BANDWIDTH=*",
                                    "I-FRAME-STREAM-INF:BANDWIDTH=9"};
    struct verdict verdict;
    cut();
    edit(title_fixture_bytes(&damaged, MASTER), &low, 1);
    edit(title_fixture_bytes(&damaged, PLAYLIST), &unread, 1);
    edit(title_fixture_bytes(&damaged, SMALLEST), &unread, 1);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert(verdict_tells(&verdict, "hls-map"));
    ck_assert_msg(!verdict_tells(&verdict, "hls-bandwidth"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* A level that the first Period needs is not too high for the second, which has a quiet part. */
START_TEST(test_level_of_all) {
    enum { MORE = 8 << 20 };
    static const uint8_t brands[MORE];
    struct verdict verdict;
    cut();
    damaged_folders_of_others();
    for (size_t i = 0; i < damaged.count; i++) {
        char *path = damaged.objects[i].path;
        if (strcmp(path, MASTER) == 0 || strcmp(path, "title.json") == 0) {
            path[0] = '_';
        }
    }
    uint8_t *record = box_of(&damaged, FOREIGN "init.mp4", "avcC", 0);
    record[3] = record[8 + 3] = 40;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict_tells(&verdict, "codec-level-spare"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    box_insert(&damaged, FOREIGN "00001.m4s", box_of(&damaged, FOREIGN "00001.m4s", "styp", 0) + 8,
               brands, MORE);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "codec-level-spare"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

Suite *verify_periods_suite(void) {
    Suite *suite = suite_create("verify_periods");
    TCase *titles = tcase_create("two Periods");
    tcase_set_timeout(titles, 120);
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_loop_test(titles, test_right, 0, COUNT(rights));
    tcase_add_loop_test(titles, test_damage, 0, COUNT(damages));
    tcase_add_loop_test(titles, test_late_start, 0, COUNT(starts));
    tcase_add_test(titles, test_longest);
    tcase_add_test(titles, test_first_start);
    tcase_add_test(titles, test_part_is_no_whole);
    tcase_add_test(titles, test_part_measures_no_rates);
    tcase_add_test(titles, test_level_of_all);
    suite_add_tcase(suite, titles);
    return suite;
}
