/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers under verify: numbers, references, XML, playlists and MPDs, what they
 * take and what they refuse, and that floods cost no more than their bytes.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/xml.h"
#include "packager/m3u8.h"
#include "packager/manifest_number.h"
#include "packager/mpd.h"
#include "packager/title_path.h"

Suite *manifest_reader_suite(void);

/* Far more than a linear reader needs under sanitizers, far less than a quadratic one. */
enum { FLOOD_MS = 20 * 1000 };

/* ---- Numbers --------------------------------------------------------------------- */

static const struct {
    const char *text;
    int64_t nanoseconds; /* -1: refused */
} seconds[] = {
    {"4", 4000000000},
    {"4.004", 4004000000},
    {"0.000000001", 1},
    {"0.0000000019", 1},
    {"10000000", 10000000000000000},
    {"10000001", -1},
    {"", -1},
    {"4.", -1},
    {".5", -1},
    {"-1", -1},
    {"+1", -1},
    {" 1", -1},
    {"1e3", -1},
    {"99999999999999999999", -1},
};

START_TEST(test_seconds) {
    int64_t nanoseconds = -1;
    int decimals = -1;
    bool taken = manifest_seconds(seconds[_i].text, &nanoseconds, &decimals);
    ck_assert_int_eq(taken, seconds[_i].nanoseconds >= 0);
    ck_assert_int_eq(nanoseconds, seconds[_i].nanoseconds);
}
END_TEST

static const struct {
    const char *text;
    int64_t nanoseconds;
} durations[] = {
    {"PT6.006S", 6006000000},
    {"PT0S", 0},
    {"P1DT2H3M4.5S", 93784500000000},
    {"PT90M", 5400000000000},
    {"P1D", 86400000000000},
    {"PT10000000S", 10000000000000000},
    {"PT10000001S", -1},
    {"P116D", -1},
    {"PT9999999H", -1},
    {"P1Y", -1},
    {"P1M", -1},
    {"PT", -1},
    {"P", -1},
    {"P1DT", -1},
    {"PT1S2M", -1},
    {"PT1.5H", -1},
    {"PT1", -1},
    {"1S", -1},
    {"PT1H1D", -1},
    {"PTT1S", -1},
};

START_TEST(test_durations) {
    int64_t nanoseconds = -1;
    bool taken = manifest_duration(durations[_i].text, &nanoseconds);
    ck_assert_int_eq(taken, durations[_i].nanoseconds >= 0);
    ck_assert_int_eq(nanoseconds, durations[_i].nanoseconds);
}
END_TEST

static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
} dates[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.250+00:00", 250},
    {"2000-03-01T00:00:00Z", 951868800000},
    {"2000-02-29T23:59:59.999Z", 951868799999},
    {"2026-11-30T16:00:00+01:00", 1796050800000},
    {"2026-11-30T13:30:00-0130", 1796050800000},
    {"9999-12-31T23:59:59Z", 253402300799000},
    {"2026-02-29T00:00:00Z", -1},
    {"1900-02-28T00:00:00Z", -1},
    {"2026-13-01T00:00:00Z", -1},
    {"2026-00-01T00:00:00Z", -1},
    {"2026-01-00T00:00:00Z", -1},
    {"2026-01-32T00:00:00Z", -1},
    {"2026-01-01T24:00:00Z", -1},
    {"2026-01-01T00:60:00Z", -1},
    {"2026-01-01T00:00:61Z", -1},
    {"2026-01-01T00:00:00", -1},
    {"2026-01-01T00:00Z", -1},
    {"2026-1-1T00:00:00Z", -1},
    {"2026-01-01 00:00:00Z", -1},
    {"2026-01-01T00:00:00+24:00", -1},
    {"2026-01-01T00:00:00Zx", -1},
    {"", -1},
};

START_TEST(test_dates) {
    int64_t ms = -1;
    bool taken = manifest_date(dates[_i].text, &ms);
    ck_assert_int_eq(taken, dates[_i].ms >= 0);
    ck_assert_int_eq(ms, dates[_i].ms);
}
END_TEST

START_TEST(test_whole_numbers) {
    int64_t value = 7;
    struct rational fraction;
    ck_assert(manifest_int("9223372036854775807", INT64_MAX, &value) && value == INT64_MAX);
    ck_assert(!manifest_int("9223372036854775808", INT64_MAX, &value));
    ck_assert(!manifest_int("11", 10, &value));
    ck_assert(!manifest_int("1", 0, &value));
    ck_assert(!manifest_int("0x1", 10, &value));
    ck_assert(manifest_fraction("48000/2002", &fraction));
    ck_assert(fraction.num == 24000 && fraction.den == 1001);
    ck_assert(manifest_fraction("25", &fraction) && fraction.num == 25 && fraction.den == 1);
    ck_assert(!manifest_fraction("0/1", &fraction));
    ck_assert(!manifest_fraction("1/0", &fraction));
    ck_assert(!manifest_fraction("1/2/3", &fraction));
}
END_TEST

/* ---- References ------------------------------------------------------------------ */

static const struct {
    const char *base, *reference;
    const char *path; /* NULL: refused */
} references[] = {
    {"master.m3u8", "v/a.m3u8", "v/a.m3u8"},
    {"v/a.m3u8", "../video/x/00001.m4s", "video/x/00001.m4s"},
    {"v/a.m3u8", "b", "v/b"},
    {"v/a.m3u8", "./b/./c", "v/b/c"},
    {"v/a.m3u8", "b/../c", "v/c"},
    {"manifest.mpd", "video/x/", "video/x/"},
    {"video/x/", "init.mp4", "video/x/init.mp4"},
    {"a/b/c", "../..", ""},
    {"v/a.m3u8", "../../x", NULL},
    {"master.m3u8", "..", NULL},
    {"master.m3u8", "/etc/passwd", NULL},
    {"master.m3u8", "//host/x", NULL},
    {"master.m3u8", "a//b", NULL},
    {"master.m3u8", "http://host/x", NULL},
    {"master.m3u8", "file:x", NULL},
    {"master.m3u8", "a?b", NULL},
    {"master.m3u8", "a#b", NULL},
    {"master.m3u8", "%2e%2e/x", NULL},
    {"master.m3u8", "a\\b", NULL},
    {"master.m3u8", "a b", NULL},
    {"master.m3u8", "", NULL},
};

START_TEST(test_references) {
    char path[TITLE_PATH_TEXT] = "untouched";
    int failed = title_path_resolve(path, references[_i].base, references[_i].reference, NULL);
    ck_assert_int_eq(failed, references[_i].path != NULL ? 0 : ERR_INVALID);
    ck_assert_str_eq(path, references[_i].path != NULL ? references[_i].path : "untouched");
}
END_TEST

START_TEST(test_reference_long) {
    char reference[2 * TITLE_PATH_TEXT];
    char path[TITLE_PATH_TEXT];
    for (size_t size = 0; size < sizeof(reference); size++) {
        memset(reference, 'a', size);
        reference[size] = '\0';
        int failed = title_path_resolve(path, "v/w", reference, NULL);
        ck_assert(failed == ERR_INVALID || strlen(path) == size + 2);
        ck_assert(size == 0 || size > TITLE_PATH_TEXT - 5 || failed == 0);
    }
}
END_TEST

/* ---- XML ------------------------------------------------------------------------- */

static int read_xml(const char *text, struct arena *arena, struct xml_node **root) {
    return xml_read(root, arena, text, strlen(text), NULL);
}

START_TEST(test_xml) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    ck_assert_int_eq(
        read_xml("<?xml version=\"1.0\"?>\n<!-- a -->\n<A x = '1&lt;\"' y=\"&#65;&#x20ac;\">\n"
                 "  <b/><!-- <c/> --><c> text &amp; more </c>\n  <b k=\"2\"></b>\n</A>\n",
                 &arena, &root),
        0);
    ck_assert_str_eq(root->name, "A");
    ck_assert_str_eq(xml_attribute(root, "x"), "1<\"");
    ck_assert_str_eq(xml_attribute(root, "y"), "A\xe2\x82\xac");
    ck_assert_ptr_null(xml_attribute(root, "z"));
    ck_assert_str_eq(xml_child(root, "c")->text, "text & more");
    ck_assert_ptr_null(xml_child(root, "d"));
    const struct xml_node *again = xml_again(xml_child(root, "b"));
    ck_assert_str_eq(xml_attribute(again, "k"), "2");
    ck_assert_ptr_null(xml_again(again));
    arena_finish(&arena);
}
END_TEST

static const char *const bad_xml[] = {
    "",
    " ",
    "text",
    "<a>",
    "<a",
    "<",
    "</a>",
    "<a></b>",
    "<a/><b/>",
    "<a/>text",
    "<a>text<b/></a>",
    "<a><b/>text</a>",
    "<a x></a>",
    "<a x=1/>",
    "<a x=\"1/>",
    "<a x=\"<\"/>",
    "<a x=\"1\"y=\"2\"/>",
    "<a x=\"1\" x=\"2\"/>",
    "<a>&b;</a>",
    "<a>&</a>",
    "<a>&#0;</a>",
    "<a>&#27;</a>",
    "<a>&#xd800;</a>",
    "<a>&#x110000;</a>",
    "<a>&#99999999;</a>",
    "<a>&#;</a>",
    "<a><![CDATA[x]]></a>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
    "<a><?php ?></a>",
    "<a><!-- </a>",
    "<a \x01/>",
    "<1/>",
    "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></"
    "a>"
    "</a></a></a></a></a></a>",
};

START_TEST(test_bad_xml) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    ck_assert_int_eq(read_xml(bad_xml[_i], &arena, &root), ERR_CORRUPT);
    ck_assert_ptr_null(root);
    arena_finish(&arena);
}
END_TEST

/* ---- Playlists ------------------------------------------------------------------- */

START_TEST(test_playlist) {
    static const char text[] =
        "#EXTM3U\r\n#EXT-X-VERSION:7\r\n# a remark\r\n\r\n#EXT-X-TARGETDURATION:4\n"
        "#EXT-X-MAP:URI=\"a,b.mp4\",BYTERANGE=\"1@2\"\n#EXT-X-NEW:what=ever\n"
        "#EXTINF:4.004,a title\n#EXT-X-BYTERANGE:100@24\none\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-BYTERANGE:50\n#EXTINF:2,\none";
    struct m3u8 playlist;
    ck_assert_int_eq(m3u8_read(&playlist, text, sizeof(text) - 1, NULL), 0);
    ck_assert_int_eq(playlist.version, 7);
    ck_assert_int_eq(playlist.target_s, 4);
    ck_assert_uint_eq(playlist.map_count, 1);
    ck_assert_str_eq(playlist.maps[0].uri, "a,b.mp4");
    ck_assert_int_eq(playlist.maps[0].range_size, 1);
    ck_assert_int_eq(playlist.maps[0].range_offset, 2);
    ck_assert(playlist.maps[0].has_range && !playlist.ended && !playlist.multivariant);
    ck_assert_uint_eq(playlist.segment_count, 2);
    const struct m3u8_segment *segments = playlist.segments;
    ck_assert_int_eq(segments[0].nanoseconds, 4004000000);
    ck_assert_int_eq(segments[0].decimals, 3);
    ck_assert_int_eq(segments[0].range_offset, 24);
    ck_assert(!segments[0].discontinuity && segments[1].discontinuity);
    ck_assert_int_eq(segments[1].range_offset, 124);
    m3u8_finish(&playlist);
}
END_TEST

/* Each is that of the segments behind it, also where it stands below their EXTINF. */
START_TEST(test_maps) {
    static const char text[] =
        "#EXTM3U\n#EXTINF:1,\nnone\n#EXT-X-MAP:URI=\"a\"\n#EXTINF:1,\none\n#EXTINF:1,\ntwo\n"
        "#EXT-X-MAP:URI=\"b\",BYTERANGE=\"7\"\n#EXTINF:1,\n#EXT-X-MAP:BYTERANGE=\"5@6\"\n"
        "three\n#EXT-X-MAP:URI=\"c\"\n";
    static const size_t of_segments[] = {0, 1, 1, 3};
    struct m3u8 playlist;
    ck_assert_int_eq(m3u8_read(&playlist, text, sizeof(text) - 1, NULL), 0);
    ck_assert_uint_eq(playlist.segment_count, 4);
    for (size_t i = 0; i < playlist.segment_count; i++) {
        ck_assert_uint_eq(playlist.segments[i].map, of_segments[i]);
    }
    ck_assert_uint_eq(playlist.map_count, 4);
    ck_assert(!playlist.maps[0].has_range && playlist.maps[1].has_range);
    ck_assert_int_eq(playlist.maps[1].range_size, 7);
    ck_assert_int_eq(playlist.maps[1].range_offset, 0);
    ck_assert_ptr_null(playlist.maps[2].uri);
    ck_assert_int_eq(playlist.maps[2].range_offset, 6);
    ck_assert_int_eq(playlist.maps[2].line, 11);
    m3u8_finish(&playlist);
}
END_TEST

#define HEAD "#EXTM3U\n"

static const char *const bad_playlists[] = {
    "",
    "\n",
    "#EXTM3UX\n",
    " #EXTM3U\n",
    HEAD "segment\n",
    HEAD "#EXTINF:1,\n",
    HEAD "#EXTINF:1,\n#EXTINF:1,\na\n",
    HEAD "#EXTINF:-1,\na\n",
    HEAD "#EXTINF:\na\n",
    HEAD "#EXTINF:9999999,\na\n#EXTINF:9999999,\nb\n",
    HEAD "#EXT-X-VERSION:7\n#EXT-X-VERSION:7\n",
    HEAD "#EXT-X-TARGETDURATION:x\n",
    HEAD "#EXT-X-BYTERANGE:5\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-BYTERANGE:5@x\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-BYTERANGE:0@5\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"5@x\"\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-MAP:URI=\"a\"\n#EXT-X-MAP:URI=\"b\",BYTERANGE=\"0@1\"\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-01-01\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART-INF:PART-TARGET=1\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-BYTERANGE:5@1\n#EXT-X-BYTERANGE:5@1\n#EXTINF:1,\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n",
    HEAD "#EXT-X-STREAM-INF:\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1,\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1, A=2\na\n",
    HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\na\n",
    HEAD "#EXT-X-STREAM-INF:A=\"b\na\n",
    HEAD "#EXT-X-STREAM-INF:A=\"b\"c\na\n",
    HEAD "#EXT-X-STREAM-INF:a=1\na\n",
    HEAD "#EXT-X-STREAM-INF:A=1\na\n#EXTINF:1,\nb\n",
    HEAD "#EXT-X-STREAM-INF:A=1\na\n#EXT-X-TARGETDURATION:4\n",
    HEAD "#EXT\x01\n",
    HEAD "a\rb\n",
};

START_TEST(test_bad_playlists) {
    struct m3u8 playlist = {.version = 99};
    struct err err = {0};
    const char *text = bad_playlists[_i];
    ck_assert_int_eq(m3u8_read(&playlist, text, strlen(text), &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "line "));
    ck_assert_int_eq(playlist.version, 99);
}
END_TEST

/* ---- MPDs ------------------------------------------------------------------------ */

#define MPD_OPEN                                                                                   \
    "<MPD type=\"static\" profiles=\"p\" mediaPresentationDuration=\"PT6S\" "                      \
    "minBufferTime=\"PT2S\">"                                                                      \
    "<BaseURL>a/</BaseURL><Period id=\"1\" start=\"PT0S\" duration=\"PT6S\">"
#define MPD_CLOSE "</Period></MPD>"
#define TEMPLATE_OPEN                                                                              \
    "<AdaptationSet id=\"1\" codecs=\"c\" mimeType=\"video/mp4\" width=\"16\">"                    \
    "<SegmentTemplate timescale=\"10\" initialization=\"$RepresentationID$/i\" "                   \
    "media=\"$RepresentationID$-$Number%03d$-$Time$-$Bandwidth$$$\"><SegmentTimeline>"
#define TEMPLATE_CLOSE "</SegmentTimeline></SegmentTemplate>"

START_TEST(test_mpd) {
    static const char text[] = MPD_OPEN TEMPLATE_OPEN
        "<S t=\"5\" d=\"20\" r=\"1\"/><S d=\"7\"/>" TEMPLATE_CLOSE
        "<SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "ColourPrimaries\" value=\"9\"/>"
        "<Representation id=\"x\" bandwidth=\"100\" height=\"8\" "
        "frameRate=\"30000/1001\"><BaseURL>b/</BaseURL></Representation>"
        "<Representation id=\"y\" bandwidth=\"200\" width=\"32\">"
        "<SegmentTemplate startNumber=\"0\"/></Representation>"
        "</AdaptationSet>" MPD_CLOSE;
    struct mpd mpd;
    struct err err = {0};
    ck_assert_msg(mpd_read(&mpd, text, sizeof(text) - 1, &err) == 0, "%s", err.message);
    ck_assert_int_eq(mpd.duration_ns, 6000000000);
    ck_assert_uint_eq(mpd.period_count, 1);
    const struct mpd_period *period = &mpd.periods[0];
    ck_assert_uint_eq(period->representation_count, 2);
    const struct mpd_representation *x = &period->representations[0];
    ck_assert_str_eq(x->bases[0], "a/");
    ck_assert_str_eq(x->bases[3], "b/");
    ck_assert_str_eq(x->codecs, "c");
    ck_assert_int_eq(x->width, 16);
    ck_assert_int_eq(x->height, 8);
    ck_assert_int_eq(x->primaries, 9);
    ck_assert_int_eq(x->transfer, -1);
    ck_assert_str_eq(x->initialization, "x/i");
    ck_assert_uint_eq(x->segment_count, 3);
    ck_assert_str_eq(x->segments[0].reference, "x-001-5-100$");
    ck_assert_str_eq(x->segments[2].reference, "x-003-45-100$");
    ck_assert_int_eq(x->segments[2].duration, 7);
    const struct mpd_representation *y = &period->representations[1];
    ck_assert_int_eq(y->width, 32);
    ck_assert_str_eq(y->segments[0].reference, "y-000-5-200$");
    mpd_finish(&mpd);
}
END_TEST

/* When Periods of an MPD of nine seconds begin and how long they last, in milliseconds; -1 where
 * nothing tells. */
static const struct {
    const char *periods;
    int64_t start_ms[2], duration_ms[2];
} timed_mpds[] = {
    {"<Period start='PT0S' duration='PT4S'/><Period start='PT4S' duration='PT5S'/>",
     {0, 4000},
     {4000, 5000}},
    {"<Period/><Period start='PT4.5S'/>", {0, 4500}, {4500, 4500}},
    {"<Period duration='PT4S'/><Period/>", {0, 4000}, {4000, 5000}},
    {"<Period duration='PT3S'/><Period start='PT4S'/>", {0, 4000}, {3000, 5000}},
    {"<Period start='PT5S' duration='PT1S'/><Period duration='PT2S'/>", {5000, 6000}, {1000, 2000}},
    {"<Period/><Period/>", {0, -1}, {-1, -1}},
    {"<Period start='PT5S'/><Period start='PT4S'/>", {5000, 4000}, {-1, 5000}},
    {"<Period/><Period start='PT10S'/>", {0, 10000}, {10000, -1}},
    {"<Period duration='PT2S'/><Period xlink:href='a' duration='PT2S'/><Period/>",
     {0, 4000},
     {2000, 5000}},
};

START_TEST(test_period_times) {
    char *text =
        mem_format("<MPD mediaPresentationDuration='PT9S'>%s</MPD>", timed_mpds[_i].periods);
    struct mpd mpd;
    struct err err = {0};
    ck_assert_msg(mpd_read(&mpd, text, strlen(text), &err) == 0, "%s", err.message);
    ck_assert_uint_eq(mpd.period_count, 2);
    for (size_t p = 0; p < 2; p++) {
        int64_t start_ms = timed_mpds[_i].start_ms[p];
        int64_t duration_ms = timed_mpds[_i].duration_ms[p];
        ck_assert_msg(mpd.periods[p].start_ns == (start_ms < 0 ? -1 : start_ms * 1000000) &&
                          mpd.periods[p].duration_ns ==
                              (duration_ms < 0 ? -1 : duration_ms * 1000000),
                      "%s: Period %zu starts at %lld and lasts %lld", timed_mpds[_i].periods,
                      mpd.periods[p].number, (long long)mpd.periods[p].start_ns,
                      (long long)mpd.periods[p].duration_ns);
    }
    ck_assert_uint_eq(mpd.elsewhere_count, _i == 8 ? 1 : 0);
    mpd_finish(&mpd);
    mem_free(text);
}
END_TEST

/* What stands in a Period is that one's own; only the MPD's BaseURL is of both. */
START_TEST(test_two_periods) {
    static const char text[] = MPD_OPEN TEMPLATE_OPEN
        "<S t=\"5\" d=\"20\"/>" TEMPLATE_CLOSE
        "<Representation id=\"x\"/></AdaptationSet></Period><Period id=\"2\" duration=\"PT4S\">"
        "<BaseURL>b/</BaseURL><SegmentTemplate media=\"$Number$\" duration=\"2\"/>"
        "<AdaptationSet id=\"7\"><Representation id=\"y\"/></AdaptationSet>"
        "<AdaptationSet contentType=\"text\"><Representation id=\"z\"/></AdaptationSet>" MPD_CLOSE;
    struct mpd mpd;
    struct err err = {0};
    ck_assert_msg(mpd_read(&mpd, text, sizeof(text) - 1, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(mpd.period_count, 2);
    const struct mpd_period *first = &mpd.periods[0];
    const struct mpd_period *second = &mpd.periods[1];
    ck_assert(first->set_count == 1 && first->representation_count == 1 && first->text_count == 0);
    ck_assert(second->set_count == 1 && second->representation_count == 1);
    ck_assert_uint_eq(second->text_count, 1);
    ck_assert_str_eq(second->id, "2");
    const struct mpd_representation *y = &second->representations[0];
    ck_assert_int_eq(y->set, 0);
    ck_assert_str_eq(y->bases[0], "a/");
    ck_assert_str_eq(y->bases[1], "b/");
    ck_assert_str_eq(first->representations[0].bases[1], "");
    ck_assert_uint_eq(y->segment_count, 2); /* that begin in four seconds */
    ck_assert_str_eq(y->initialization, "");
    mpd_finish(&mpd);
}
END_TEST

/* An S that does not say how often lasts until the next one, or until the Period ends. */
START_TEST(test_open_repeats) {
    static const char text[] = MPD_OPEN TEMPLATE_OPEN
        "<S t=\"5\" d=\"20\" r=\"-1\"/><S t=\"45\" d=\"10\" r=\"-1\"/>" TEMPLATE_CLOSE
        "<Representation id=\"x\"/><Representation id=\"y\">"
        "<SegmentTemplate presentationTimeOffset=\"10\"/></Representation>"
        "</AdaptationSet>" MPD_CLOSE;
    static const int64_t times[] = {5, 25, 45, 55, 65};
    struct mpd mpd;
    struct err err = {0};
    ck_assert_msg(mpd_read(&mpd, text, sizeof(text) - 1, &err) == 0, "%s", err.message);
    for (size_t i = 0; i < 2; i++) {
        const struct mpd_representation *own = &mpd.periods[0].representations[i];
        ck_assert_uint_eq(own->segment_count, 4 + i);
        for (size_t s = 0; s < own->segment_count; s++) {
            ck_assert_int_eq(own->segments[s].time, times[s]);
        }
    }
    mpd_finish(&mpd);
}
END_TEST

#define PERIOD(timeline)                                                                           \
    "<Period>" TEMPLATE_OPEN timeline TEMPLATE_CLOSE "<Representation/></AdaptationSet></Period>"

/* What is not read of one Period costs no other one. */
START_TEST(test_unread_periods) {
    static const char text[] = "<MPD>" PERIOD("<S d=\"1\" r=\"-1\"/>") PERIOD("<S d=\"1\"/>")
        PERIOD("<S d=\"1\" r=\"4000000000\"/>") PERIOD("<S t=\"17000000000\" d=\"1\"/>") "</MPD>";
    struct mpd mpd;
    struct err err = {0};
    ck_assert_msg(mpd_read(&mpd, text, sizeof(text) - 1, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(mpd.period_count, 1);
    ck_assert_uint_eq(mpd.periods[0].number, 2);
    ck_assert_uint_eq(mpd.periods[0].representations[0].segment_count, 1);
    ck_assert_uint_eq(mpd_passed_over(&mpd), 3);
    static const size_t numbers[] = {1, 3, 4};
    for (size_t i = 0; i < mpd.unread_count; i++) {
        ck_assert_uint_eq(mpd.unread[i].number, numbers[i]);
        ck_assert_int_eq(mpd.unread[i].past_bound, i > 0);
        ck_assert_str_ne(mpd.unread[i].why, "");
    }
    mpd_finish(&mpd);
}
END_TEST

static const struct {
    const char *text;
    int code;
} bad_mpds[] = {
    {"<mpd/>", ERR_CORRUPT},
    {"<MPD/>", ERR_CORRUPT},
    {"<MPD mediaPresentationDuration=\"6\"><Period/></MPD>", ERR_CORRUPT},
    {MPD_OPEN TEMPLATE_OPEN "<S d=\"x\"/>" TEMPLATE_CLOSE
                            "<Representation id=\"x\"/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN TEMPLATE_OPEN "<S t=\"0\"/>" TEMPLATE_CLOSE
                            "<Representation id=\"x\"/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN TEMPLATE_OPEN "<S d=\"1\" r=\"-1\"/><S d=\"1\"/>" TEMPLATE_CLOSE
                            "<Representation id=\"x\"/></AdaptationSet>" MPD_CLOSE,
     ERR_UNSUPPORTED},
    {MPD_OPEN TEMPLATE_OPEN "<S d=\"1\" r=\"4000000000\"/>" TEMPLATE_CLOSE
                            "<Representation id=\"x\"/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN TEMPLATE_OPEN "<S d=\"1\" t=\"4000000000000000\"/>" TEMPLATE_CLOSE
                            "<Representation id=\"x\"/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {"<MPD>" PERIOD("<S d=\"1\" r=\"-1\"/>") PERIOD("<S t=\"17000000000\" d=\"1\"/>") "</MPD>",
     ERR_UNSUPPORTED},
    {"<MPD>" PERIOD("<S d=\"1\"/>") PERIOD("<S d=\"x\"/>") "</MPD>", ERR_CORRUPT},
    {MPD_OPEN
     "<AdaptationSet><SegmentTemplate timescale=\"0\"/><Representation/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN "<AdaptationSet><SegmentTemplate initialization=\"$Nothing$\"/><Representation/>"
              "</AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN "<AdaptationSet><SegmentTemplate initialization=\"$Number%99999d$\"/>"
              "<Representation/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN "<AdaptationSet><SegmentTemplate initialization=\"$Number\"/><Representation/>"
              "</AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
    {MPD_OPEN "<AdaptationSet><Representation frameRate=\"1/0\"/></AdaptationSet>" MPD_CLOSE,
     ERR_CORRUPT},
};

START_TEST(test_bad_mpds) {
    struct mpd mpd = {.period_count = 99};
    const char *text = bad_mpds[_i].text;
    ck_assert_int_eq(mpd_read(&mpd, text, strlen(text), NULL), bad_mpds[_i].code);
    ck_assert_uint_eq(mpd.period_count, 99);
}
END_TEST

/* ---- Floods ---------------------------------------------------------------------- */

/* `count` times `part` between head and tail. */
static struct buf flood_of(const char *head, const char *part, int count, const char *tail) {
    struct buf text = {0};
    buf_string(&text, head);
    for (int i = 0; i < count; i++) {
        buf_string(&text, part);
    }
    buf_string(&text, tail);
    return text;
}

static const struct {
    bool is_mpd;
    const char *head, *part;
    int count;
    const char *tail;
} floods[] = {
    {false, HEAD, "#EXTINF:1,\na\n", 1000000, ""},
    {false, HEAD, "#", 10000000, ""},
    {false, HEAD, "#EXT-X-MEDIA:A=\"b\"\n", 500000, ""},
    {false, HEAD, "#EXT-X-MAP:URI=\"a\"\n#EXTINF:1,\na\n", 400000, ""},
    {false, HEAD "#EXT-X-MEDIA:A=1", ",B=2", 2000000, "\n"},
    {false, HEAD "#EXT-X-MEDIA:A=\"", "b", 10000000, "\n"},
    {true, "<MPD>", "<a>", 1000000, ""},
    {true, "<MPD>", "<a/>", 1000000, "</MPD>"},
    {true, "<MPD ", "a=\"\" ", 1000000, "/>"},
    {true, "<MPD a=\"", "&amp;", 1000000, "\"/>"},
    {true, "<MPD a=\"", "&", 1000000, "\"/>"},
    {true, "", "<!-- -->", 1000000, "<MPD/>"},
    {true, "<MPD>", "<!--", 1000000, ""},
    {true, MPD_OPEN TEMPLATE_OPEN, "<S d=\"1\"/>", 300000,
     TEMPLATE_CLOSE "<Representation/><Representation/></AdaptationSet>" MPD_CLOSE},
    {true, MPD_OPEN, "<AdaptationSet/>", 300000, MPD_CLOSE},
    {true, "<MPD>", "<Period/>", 300000, "</MPD>"},
    {true, "<MPD>", "<Period><AdaptationSet><Representation/></AdaptationSet></Period>", 257,
     "</MPD>"},
    {true, "<MPD>", PERIOD("<S d=\"1\" r=\"200000\"/>"), 256, "</MPD>"},
    {true, "<MPD><Period duration=\"PT1S\">" TEMPLATE_OPEN, "<S t=\"90\" d=\"1\" r=\"-1\"/>",
     300000, TEMPLATE_CLOSE "<Representation/><Representation/></AdaptationSet></Period></MPD>"},
    {true, MPD_OPEN "<AdaptationSet>", "<Representation/>", 300000, "</AdaptationSet>" MPD_CLOSE},
};

START_TEST(test_floods) {
    struct buf text = flood_of(floods[_i].head, floods[_i].part, floods[_i].count, floods[_i].tail);
    int64_t began = clock_monotonic_ms();
    if (floods[_i].is_mpd) {
        struct mpd mpd = {0};
        mpd_read(&mpd, text.data, text.size, NULL);
        mpd_finish(&mpd);
    } else {
        struct m3u8 playlist = {0};
        m3u8_read(&playlist, text.data, text.size, NULL);
        m3u8_finish(&playlist);
    }
    ck_assert_int_lt(clock_monotonic_ms() - began, FLOOD_MS);
    buf_finish(&text);
}
END_TEST

/* No prefix of a good document does harm. */
START_TEST(test_prefixes) {
    static const char mpd_text[] = MPD_OPEN TEMPLATE_OPEN
        "<S t=\"5\" d=\"20\" r=\"1\"/>" TEMPLATE_CLOSE
        "<Representation id=\"&lt;x\" bandwidth=\"1\"/></AdaptationSet>" MPD_CLOSE;
    static const char playlist_text[] = HEAD
        "#EXT-X-MAP:URI=\"a\",B=C\n#EXTINF:1.5,\n#EXT-X-BYTERANGE:1@2\na\n#EXT-X-ENDLIST\n";
    for (size_t size = 0; size < sizeof(mpd_text) - 1; size++) {
        struct mpd mpd;
        ck_assert_int_eq(mpd_read(&mpd, mpd_text, size, NULL), ERR_CORRUPT);
    }
    for (size_t size = 0; size < sizeof(playlist_text); size++) {
        struct m3u8 playlist = {0};
        m3u8_read(&playlist, playlist_text, size, NULL);
        m3u8_finish(&playlist);
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *manifest_reader_suite(void) {
    Suite *suite = suite_create("manifest_reader");
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, test_seconds, 0, COUNT(seconds));
    tcase_add_loop_test(values, test_durations, 0, COUNT(durations));
    tcase_add_loop_test(values, test_dates, 0, COUNT(dates));
    tcase_add_test(values, test_whole_numbers);
    tcase_add_loop_test(values, test_references, 0, COUNT(references));
    tcase_add_test(values, test_reference_long);
    suite_add_tcase(suite, values);
    TCase *texts = tcase_create("texts");
    tcase_set_timeout(texts, 60);
    tcase_add_test(texts, test_xml);
    tcase_add_loop_test(texts, test_bad_xml, 0, COUNT(bad_xml));
    tcase_add_test(texts, test_playlist);
    tcase_add_test(texts, test_maps);
    tcase_add_loop_test(texts, test_bad_playlists, 0, COUNT(bad_playlists));
    tcase_add_test(texts, test_mpd);
    tcase_add_loop_test(texts, test_period_times, 0, COUNT(timed_mpds));
    tcase_add_test(texts, test_two_periods);
    tcase_add_test(texts, test_open_repeats);
    tcase_add_test(texts, test_unread_periods);
    tcase_add_loop_test(texts, test_bad_mpds, 0, COUNT(bad_mpds));
    tcase_add_loop_test(texts, test_floods, 0, COUNT(floods));
    tcase_add_test(texts, test_prefixes);
    suite_add_tcase(suite, texts);
    return suite;
}
