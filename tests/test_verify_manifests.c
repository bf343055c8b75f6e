/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over playlists, MPDs and title documents that say what is not so: each way of
 * damaging one is told under the id of the rule that it breaks.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "packager/verify.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_manifests_suite(void);

static void empty_playlist(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, "$V/h264-90p.m3u8");
    char *first = strstr(buf_text(bytes), "#EXTINF");
    bytes->size = (size_t)((uint8_t *)first - bytes->data);
    buf_string(bytes, "#EXT-X-ENDLIST\n");
}

static void swap_variants(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, "master.m3u8");
    struct buf out = {0};
    char *text = mem_string(buf_text(bytes));
    char *first = strstr(text, "#EXT-X-STREAM-INF");
    char *second = strstr(first + 1, "#EXT-X-STREAM-INF");
    char *after = strstr(second, "#EXT-X-I-FRAME-STREAM-INF");
    buf_append(&out, text, (size_t)(first - text));
    buf_append(&out, second, (size_t)(after - second));
    buf_append(&out, first, (size_t)(second - first));
    buf_string(&out, after);
    mem_free(text);
    buf_finish(bytes);
    *bytes = out;
}

/* A second group of sound, with another NAME over the same objects. */
static void group_unlike(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, MASTER);
    char *line = strstr(buf_text(bytes), "#EXT-X-MEDIA");
    size_t before = (size_t)(line - (char *)bytes->data);
    size_t length = strcspn(line, "\n") + 1;
    struct buf other = {0};
    buf_append(&other, line, length);
    ck_assert(text_replace(&other, "\"aac-2\"", "\"aac-2-other\"", false) &&
              text_replace(&other, "\"Main\"", "\"Comment\"", false));
    struct buf out = {0};
    buf_append(&out, bytes->data, before + length);
    buf_append(&out, other.data, other.size);
    buf_append(&out, bytes->data + before + length, bytes->size - before - length);
    buf_finish(&other);
    buf_finish(bytes);
    *bytes = out;
}

/* As a server that knows no media types gives it. */
static void served_as_text(void) {
    damaged.served = (struct served){.type = "text/plain; charset=utf-8", .encoding = "gzip"};
}

/* As one that knows them, but does not compress; no other object is long enough to ask for it. */
static void served_long(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, PLAYLIST);
    char *end = strstr(buf_text(bytes), "#EXT-X-ENDLIST");
    bytes->size = (size_t)((uint8_t *)end - bytes->data);
    for (int i = 0; i < 1000; i++) {
        buf_string(bytes, "# what players skip\n");
    }
    buf_string(bytes, "#EXT-X-ENDLIST\n");
    damaged.served = (struct served){.type = "Application/VND.apple.mpegurl", .encoding = ""};
}

/* As one whose errors caches may keep. */
static void served_kept(void) {
    damaged.served = (struct served){.caching = "max-age=60"};
}

/* As one that keeps it from pages of other sites. */
static void served_apart(void) {
    damaged.served = (struct served){.sharing = ""};
}

static void independent_nowhere(void) {
    for (size_t i = 0; i < damaged.count; i++) {
        if (strstr(damaged.objects[i].path, ".m3u8") != NULL) {
            text_replace(&damaged.objects[i].bytes, "#EXT-X-INDEPENDENT-SEGMENTS\n", "", false);
        }
    }
}

const struct damage manifest_damages[] = {
    {"http-sharing", "", served_apart, NULL, NULL, NULL, false},
    {"http-error", "", served_kept, NULL, NULL, NULL, false},
    {"http-type", "", served_as_text, NULL, NULL, NULL, false},
    {"http-gzip", " http-type ", served_long, NULL, NULL, NULL, false},
    {"object-missing", " hls-dash-agree title-document ", NULL, PLAYLIST, "00003.m4s", "00033.m4s",
     false},
    {"object-reference", " hls-dash-agree ", NULL, PLAYLIST, "00003.m4s", "00003.m4s?x", false},
    {"object-reference", " hls-dash-agree ", NULL, PLAYLIST, "\n../video", "\n../../../video",
     false},
    {"object-reference", " hls-dash-agree hls-iframe-missing ", NULL, MASTER, "\n*/h264-90p.m3u8",
     "\nhttp://elsewhere/h264-90p.m3u8", false},
    {"title-bounds", " hls-dash-agree hls-extinf-sum ", empty_playlist, NULL, NULL, NULL, false},
    {"hls-syntax", " hls-dash-agree ", NULL, PLAYLIST, "#EXTM3U", "#EXTM4U", false},
    {"hls-syntax", "", NULL, MASTER, "RESOLUTION=", "RESOLUTION", false},
    {"hls-version", "", NULL, PLAYLIST, "VERSION:7", "VERSION:5", false},
    {"hls-independent", "", independent_nowhere, NULL, NULL, NULL, false},
    {"hls-vod", "", NULL, PLAYLIST, "TYPE:VOD", "TYPE:EVENT", false},
    {"hls-endlist", "", NULL, PLAYLIST, "#EXT-X-ENDLIST\n", "", false},
    {"hls-map", "", NULL, PLAYLIST, "#EXT-X-MAP", "#EXT-X-MAPS", false},
    {"hls-sequence", "", NULL, PLAYLIST, "MEDIA-SEQUENCE:1", "MEDIA-SEQUENCE:2", false},
    {"hls-discontinuity", "", NULL, PLAYLIST, "#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF", false},
    {"hls-targetduration", " hls-target-equal ", NULL, PLAYLIST, "TARGETDURATION:2",
     "TARGETDURATION:1", false},
    {"hls-targetduration", " hls-target-equal ", NULL, PLAYLIST, "#EXT-X-TARGETDURATION:2\n", "",
     false},
    {"hls-target-equal", "", NULL, PLAYLIST, "TARGETDURATION:2", "TARGETDURATION:9", false},
    {"hls-extinf", " hls-extinf-sum ", NULL, PLAYLIST, "2.002000", "2.202000", false},
    {"hls-extinf", " hls-extinf-sum ", NULL, IFRAMES, "1.001000", "1.201000", false},
    {"hls-extinf", " hls-extinf-sum ", NULL, PLAYLIST, "2.002000", "2", true},
    {"hls-extinf-sum", "", NULL, PLAYLIST, "2.002000", "2.003", true},
    {"hls-bandwidth", "", NULL, MASTER, "INF:BANDWIDTH=*", "INF:BANDWIDTH=50000", false},
    {"hls-bandwidth", "", NULL, MASTER, "INF:BANDWIDTH=*", "INF:BANDWIDTH=90000000", false},
    {"hls-bandwidth", "", NULL, MASTER, "I-FRAME-STREAM-INF:BANDWIDTH=*",
     "I-FRAME-STREAM-INF:BANDWIDTH=9", false},
    {"hls-average-bandwidth", "", NULL, MASTER, ",AVERAGE-BANDWIDTH=*", ",AVERAGE-BANDWIDTH=9",
     false},
    {"hls-optional", "", NULL, MASTER, ",AVERAGE-BANDWIDTH=*", "", false},
    {"hls-optional", "", NULL, MASTER, ",RESOLUTION=320x180", "", false},
    {"hls-optional", "", NULL, MASTER, ",FRAME-RATE=23.976", "", false},
    {"hls-optional", "", NULL, MASTER, ",CHANNELS=\"2\"", "", false},
    {"hls-optional", "", NULL, MASTER, ",AUTOSELECT=YES", "", false},
    {"hls-optional", "", NULL, MASTER, "CODECS=", "CODEX=", false},
    {"hls-codecs", "", NULL, MASTER, "\"avc1.*,", "\"avc1.42c00d,", false},
    {"hls-codecs", "", NULL, MASTER, ",mp4a.40.2", "", false},
    {"hls-codecs", "", NULL, MASTER, ",mp4a.40.2", ",mp4a.40.2,ec-3", false},
    {"hls-resolution", "", NULL, MASTER, "RESOLUTION=320x180", "RESOLUTION=320x184", false},
    {"hls-frame-rate", "", NULL, MASTER, "FRAME-RATE=23.976", "FRAME-RATE=24.000", false},
    {"hls-video-range", "", NULL, MASTER, "VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ", false},
    {"hls-group", "", NULL, MASTER, "DEFAULT=YES", "DEFAULT=NO", false},
    {"hls-group", "", NULL, MASTER, "AUTOSELECT=YES", "AUTOSELECT=NO", false},
    {"hls-group", " hls-codecs hls-bandwidth hls-average-bandwidth ", NULL, MASTER,
     "AUDIO=\"aac-2\"", "AUDIO=\"aac-6\"", false},
    {"hls-channels", "", NULL, MASTER, "CHANNELS=\"2\"", "CHANNELS=\"6\"", false},
    {"hls-iframe-attributes", "", NULL, MASTER,
     "I-FRAME-STREAM-INF:", "I-FRAME-STREAM-INF:FRAME-RATE=23.976,", false},
    {"hls-iframe-attributes", " hls-iframe-missing ", NULL, MASTER, "URI=\"*/h264-180p-iframes",
     "X-URI=\"x/h264-180p-iframes", false},
    {"hls-iframe-range", "", NULL, IFRAMES, "BYTERANGE:*@", "BYTERANGE:100@", false},
    {"hls-iframe-range", "", NULL, IFRAMES, "@24", "@28", false},
    {"hls-iframe-list", " hls-extinf-sum ", NULL, IFRAMES,
     "#EXTINF:1.001000,\n#EXT-X-BYTERANGE:*@24\n../" PICTURES "00002.m4s\n", "", false},
    {"hls-iframe-list", "", NULL, IFRAMES, "#EXT-X-I-FRAMES-ONLY\n", "", false},
    {"dash-syntax", "", NULL, MPD, "<MPD", "<!DOCTYPE MPD [<!ENTITY a \"b\">]><MPD", false},
    {"dash-syntax", "", NULL, MPD, "d=\"48048\"", "d=\"abc\"", false},
    {"dash-static", "", NULL, MPD, "type=\"static\"", "type=\"dynamic\"", false},
    {"dash-profile", "", NULL, MPD, "profile:isoff-live:2011", "profile:full:2011", false},
    {"dash-profile", "", NULL, MPD, ",urn:mpeg:dash:profile:cmaf:2019", "", false},
    {"dash-profile", "", NULL, MPD, "profile:cmaf:2019", "profile:cmaf:2019x", false},
    {"dash-period", "", NULL, MPD, "start=\"PT0S\"", "start=\"PT1S\"", false},
    {"dash-id", "", NULL, MPD, "AdaptationSet id=\"2\"", "AdaptationSet id=\"1\"", false},
    {"dash-addressing", " hls-dash-agree ", NULL, MPD, "SegmentTimeline", "Timeline", true},
    {"dash-timescale", " dash-coverage ", NULL, MPD, "timescale=\"24000\"", "timescale=\"24001\"",
     false},
    {"dash-timeline", "", NULL, MPD, "<S t=\"0\" d=\"48048\" r=\"2\"/>",
     "<S t=\"0\" d=\"48048\"/><S d=\"48047\"/><S d=\"48049\"/>", false},
    {"dash-gap", " dash-timeline ", NULL, MPD, "<S t=\"0\" d=\"48048\" r=\"2\"/>",
     "<S t=\"0\" d=\"48048\" r=\"1\"/><S t=\"96097\" d=\"48047\"/>", false},
    {"dash-coverage", " hls-dash-agree video-boundaries ", NULL, MPD, "d=\"48048\" r=\"2\"",
     "d=\"48048\" r=\"1\"", false},
    {"dash-duration", "", NULL, MPD, "mediaPresentationDuration=\"PT6.017S\"",
     "mediaPresentationDuration=\"PT6.019S\"", false},
    {"dash-coverage", " dash-duration ", NULL, MPD, "duration=\"PT6.017S\"", /* the pictures end */
     "duration=\"PT6.006S\"", false},
    {"dash-coverage", " dash-duration ", NULL, MPD, " duration=\"PT6.017S\"",
     " duration=\"PT6.05S\"", false},
    {"dash-bandwidth", "", NULL, MPD, " bandwidth=\"*\"", " bandwidth=\"100\"", false},
    {"dash-buffer", "", NULL, MPD, "minBufferTime=\"PT*S\"", "minBufferTime=\"PT0.01S\"", false},
    {"dash-codecs", "", NULL, MPD, "codecs=\"avc1.*\"", "codecs=\"avc1.42c00d\"", false},
    {"dash-size", "", NULL, MPD, " width=\"320\"", " width=\"322\"", false},
    {"dash-frame-rate", "", NULL, MPD, " frameRate=\"24000/1001\"", " frameRate=\"24\"", false},
    {"dash-colour", "", NULL, MPD, "TransferCharacteristics\" value=\"1\"",
     "TransferCharacteristics\" value=\"16\"", false},
    {"dash-optional", "", NULL, MPD, "cicp:ColourPrimaries", "cicp:Colours", false},
    {"dash-optional", "", NULL, MPD, " frameRate=\"24000/1001\"", "", false},
    {"dash-optional", "", NULL, MPD, " width=\"320\"", "", false},
    {"dash-optional", "", NULL, MPD, " audioSamplingRate=\"48000\"", "", false},
    {"dash-optional", "", NULL, MPD, "cicp:ChannelConfiguration", "cicp:Channels", false},
    {"dash-optional", "", NULL, MPD, " lang=\"und\"", "", false},
    {"dash-audio", "", NULL, MPD, "urn:mpeg:mpegB:cicp:ChannelConfiguration\" value=\"2\"",
     "urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"6\"", false},
    {"dash-audio", "", NULL, MPD, "audioSamplingRate=\"48000\"", "audioSamplingRate=\"44100\"",
     false},
    {"dash-set", "", NULL, MPD, "segmentAlignment=\"true\"", "segmentAlignment=\"false\"", false},
    {"dash-set", "", NULL, MPD, "startWithSAP=\"1\"", "startWithSAP=\"2\"", false},
    {"dash-set", "", NULL, MPD, "par=\"16:9\"", "par=\"4:3\"", false},
    {"dash-set", "", NULL, MPD, "par=\"16:9\"", "par=\"0:0\"", false},
    {"video-boundaries",
     " hls-dash-agree hls-iframe-list title-document hls-bandwidth "
     "hls-average-bandwidth ",
     NULL, SMALLEST, "#EXTINF:2.002000,\n../" SMALL "00003.m4s\n", "", false},
    {"hls-dash-agree", " title-document ", NULL, MPD,
     "      <Representation id=\"h264-90p\" bandwidth=\"*\" codecs=\"*\" width=\"160\""
     " height=\"90\" frameRate=\"24000/1001\" sar=\"1:1\">\n        <BaseURL>" SMALL "</BaseURL>\n"
     "      </Representation>\n",
     "", false},
    {"title-document", "", NULL, "title.json", "\"frames\":144", "\"frames\":143", false},
    {"title-document", "", NULL, "title.json", "\"bytes\":*,\"key", "\"bytes\":7,\"key", false},
    {"title-document", "", NULL, "title.json", ",\"renditions\":[{", ",\"other\":[{", false},
    {"title-document", "", NULL, "title.json", "\"frames_repaired\":0,\"spec\"",
     "\"frames_repaired\":0,\"checksum\":\"00ff\",\"spec\"", false},
    {"title-document", "", NULL, "title.json", "\"waived\":[]", "\"waived\":[\"hls-map\"]", false},
    {"title-document", "", NULL, "title.json", "\"waived\":[]", "\"waived\":{}", false},
    {"rung-cap", "", NULL, "title.json", "\"maxrate_bps\":0,\"bufsize_bits\":0",
     "\"maxrate_bps\":20000,\"bufsize_bits\":20000", false},
    {"version-copy", "", NULL, "$V.mpd", "<MPD", "<MPD ", false},
    {"version-name", "", NULL, "$V/h264-90p.m3u8", "#EXTINF", "#EXT-X-OTHER\n#EXTINF", false},
    {"hls-closed-captions", "", NULL, MASTER, ",CLOSED-CAPTIONS=NONE", "", false},
    {"hls-iframe-missing", "", NULL, MASTER, "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-OTHER", false},
    {"hls-first-variant", "", swap_variants, NULL, NULL, NULL, false},
    {"hls-group-alike", "", group_unlike, NULL, NULL, NULL, false},
    {"audio-language", "", NULL, MASTER, "NAME=\"Main\"", "NAME=\"Main\",LANGUAGE=\"en\"", false},
    {"audio-language", "", NULL, MPD, "lang=\"und\"", "lang=\"en\"", false},
    {"dash-role", "", NULL, MPD,
     "value=\"2\"/>\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"",
     "value=\"2\"/>\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"alternate\"",
     false},
    {"dash-addressing", "", NULL, MPD, "<S t=\"0\"", "<S n=\"1\" t=\"0\"", false},
    {"dash-addressing", "", NULL, MPD, "<SegmentTemplate ", "<SegmentTemplate eptDelta=\"-2002\" ",
     false},
};

const size_t manifest_damage_count = sizeof(manifest_damages) / sizeof(manifest_damages[0]);

START_TEST(test_damage) {
    damage_check(&manifest_damages[_i], _i);
}
END_TEST

/* Advice that title.json waives is counted, and not told; nor does it cover up a must. */
START_TEST(test_waived) {
    struct verdict verdict;
    ck_assert(text_replace(title_fixture_bytes(&damaged, "title.json"), "\"waived\":[]",
                           "\"waived\":[\"rung-peak\",\"http-type\",\"hls-closed-captions\"]",
                           false));
    ck_assert(
        text_replace(title_fixture_bytes(&damaged, MASTER), ",CLOSED-CAPTIONS=NONE", "", true));
    ck_assert(text_replace(title_fixture_bytes(&damaged, PLAYLIST), "#EXT-X-ENDLIST\n", "", false));
    damaged.served = (struct served){.type = "text/plain", .encoding = ""};
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.advice, 0);
    ck_assert_int_eq(verdict.summary.waived, 2 + (int64_t)damaged.count);
    ck_assert_msg(!verdict_tells(&verdict, "hls-closed-captions"), "%s", verdict_lines(&verdict));
    ck_assert_msg(verdict_tells(&verdict, "hls-endlist"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* What others leave out, or say in another way that is as good. */
START_TEST(test_habits) {
    static const struct {
        const char *path, *find, *put;
        bool all;
    } habits[] = {
        {PLAYLIST, "#EXT-X-INDEPENDENT-SEGMENTS\n", "", false},
        {MASTER, "#EXT-X-INDEPENDENT-SEGMENTS\n", "", false},
        {MASTER, ",VIDEO-RANGE=SDR", "", true},
        {IFRAMES, "TARGETDURATION:2", "TARGETDURATION:1", false},
        {MPD, "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>", "", false},
        {MPD, "urn:mpeg:mpegB:cicp:ChannelConfiguration",
         "urn:mpeg:dash:23003:3:audio_channel_configuration:2011", false},
        {MPD, "start=\"PT0S\" duration=\"PT6.017S\"", "start=\"PT0S\"", false},
    };
    struct verdict verdict;
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        struct title_fixture copy;
        title_fixture_copy(&copy, &whole);
        ck_assert_msg(text_replace(title_fixture_bytes(&copy, habits[i].path), habits[i].find,
                                   habits[i].put, habits[i].all),
                      "%s has no %s", habits[i].path, habits[i].find);
        ck_assert_int_eq(verdict_of(&verdict, &copy), 0);
        char *rest = NULL;
        for (char *word = strtok_r((char *)verdict.rules.data, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest)) {
            ck_assert_msg(rule_in(" version-name version-copy ", word), "%s:\n%s", habits[i].find,
                          verdict_lines(&verdict));
        }
        verdict_finish(&verdict);
        title_fixture_finish(&copy);
    }
}
END_TEST

/* A buffer that chunks which begin with more than half of it full may need together is none that
 * title.json must tell; what one segment alone needs is. */
START_TEST(test_cap_of_chunks) {
    static const struct {
        int init_percent;
        bool all; /* the buffer that all of it needs, else a tenth of it, at a rate of nearly 0 */
        bool told;
    } cases[] = {{50, true, true}, {51, true, false}, {90, true, false}, {90, false, true}};
    struct verdict verdict;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct title_fixture copy;
        title_fixture_copy(&copy, &whole);
        struct buf *document = title_fixture_bytes(&copy, "title.json");
        long long bytes = 0;
        for (int s = 1; s <= 3; s++) {
            char path[64];
            snprintf(path, sizeof(path), SMALL "0000%d.m4s", s);
            bytes += (long long)title_fixture_bytes(&copy, path)->size;
        }
        /* boxes are less than a twentieth of it */
        long long bits = bytes * 8 * (cases[i].all ? 19 : 2) / 20;
        char *cap = mem_format("\"maxrate_bps\":1,\"bufsize_bits\":%lld,\"vbv_init_percent\":%d",
                               bits, cases[i].init_percent);
        ck_assert(text_replace(
            document, "\"maxrate_bps\":0,\"bufsize_bits\":0,\"vbv_init_percent\":*", cap, true));
        ck_assert_int_eq(verdict_of(&verdict, &copy), 0);
        bool told = strstr(verdict_lines(&verdict), "rendition h264-90p needs") != NULL;
        ck_assert_msg(told == cases[i].told, "case %zu:\n%s", i, verdict_lines(&verdict));
        verdict_finish(&verdict);
        title_fixture_finish(&copy);
        mem_free(cap);
    }
}
END_TEST

/* Pictures of which the first alone lasts as long as a title may. */
START_TEST(test_cap_of_ages) {
    enum { FRAMES = 1000 };
    struct verify_summary summary = {0};
    struct verify v = {.summary = &summary};
    uint32_t *sizes = mem_zero(FRAMES, sizeof(*sizes));
    static const struct track_codec h264 = {.codec = CODEC_H264};
    struct real_track track = {
        .init = "", .frame_ticks = 10000000, .facts = {.codec = &h264, .timescale = 1}};
    struct real_segment segment = {.path = "", .sample_count = FRAMES, .sizes = sizes};
    const struct real_segment *segments[] = {&segment};
    struct listing listing = {.init = "", .count = 1, .track = &track, .segments = segments};
    struct told_cap cap = {.maxrate_bps = INT32_MAX, .bufsize_bits = INT32_MAX};
    verify_cap(&v, "ages", &listing, &cap);
    ck_assert_int_eq(summary.musts, 0);
    mem_free(sizes);
}
END_TEST

/* A master playlist that a server can't give now is missed, whoever published it. */
static int fetch_busy(void *context, const char *path, struct buf *out, struct served *served,
                      struct err *err) {
    int code = *(int *)context;
    if (strcmp(path, MASTER) == 0) {
        return err_set(err, code, "not now");
    }
    return title_fixture_fetch(&damaged, path, out, served, err);
}

static void take_missing(void *context, const struct finding *finding) {
    (void)context;
    ck_assert(finding->weight != FINDING_MUST || strcmp(finding->rule, "object-missing") == 0);
}

START_TEST(test_unavailable) {
    static const struct {
        int code;
        bool ours;
        int64_t musts;
    } cases[] = {{ERR_NOT_FOUND, true, 2},   {ERR_UNAVAILABLE, true, 2},
                 {ERR_NOT_FOUND, false, 0},  {ERR_INVALID, false, 0},
                 {ERR_TIMEOUT, false, 1},    {ERR_UNAVAILABLE, false, 1},
                 {ERR_UNSUPPORTED, false, 1}};
    for (size_t i = 0; i < damaged.count; i++) {
        if (strcmp(damaged.objects[i].path, "title.json") == 0) {
            damaged.objects[i].path[0] = 'x';
        }
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verify_summary summary;
        struct err err = {0};
        int code = cases[i].code;
        if (!cases[i].ours && cases[i - 1].ours) {
            damaged_folders_of_others();
        }
        ck_assert_int_eq(verify_title(fetch_busy, &code, take_missing, NULL, &summary, &err), 0);
        ck_assert_msg(summary.musts == cases[i].musts, "case %zu: %lld", i,
                      (long long)summary.musts);
    }
}
END_TEST

START_TEST(test_languages) {
    static const struct {
        const char *declared, *real;
        bool fits;
    } cases[] = {
        {"en", "eng", true},      {"en-US", "eng", true}, {"de", "eng", false},
        {"xx", "eng", false},     {"fr", "fra", true},    {"fr", "fre", true},
        {"fre", "fra", true},     {"de", "ger", true},    {"nb", "nor", true},
        {"no", "nor", true},      {"en", "und", false},   {"yy", "qqq", true},
        {"zh-Hans", "chi", true}, {"cmn", "qqq", false},  {"eng", "eng", true},
        {"en", "en-US", false},   {"e", "eng", false},    {"", "eng", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(verify_language_fits(cases[i].declared, cases[i].real) == cases[i].fits,
                      "'%s' and '%s'", cases[i].declared, cases[i].real);
    }
}
END_TEST

Suite *verify_manifests_suite(void) {
    Suite *suite = suite_create("verify_manifests");
    TCase *titles = tcase_create("titles");
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_set_timeout(titles, 120);
    tcase_add_loop_test(titles, test_damage, 0, (int)manifest_damage_count);
    tcase_add_test(titles, test_waived);
    tcase_add_test(titles, test_habits);
    tcase_add_test(titles, test_cap_of_chunks);
    tcase_add_test(titles, test_cap_of_ages);
    tcase_add_test(titles, test_unavailable);
    tcase_add_test(titles, test_languages);
    suite_add_tcase(suite, titles);
    return suite;
}
