/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole title breaks no rule; each way of damaging it is told under the id of the
 * rule that it breaks, and every rule of the table has such damage; bytes changed at
 * random never do worse than findings.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "packager/packager.h"
#include "title_fixture.h"

Suite *verify_suite(void);

#define PICTURES "video/h264-180p-0123456789/"
#define SMALL    "video/h264-90p-abcdef0123/"
#define SOUND    "audio/und-aac-2-1122334455/"

static struct title_fixture whole;   /* made once */
static struct title_fixture damaged; /* a copy for each test */

static void make_whole(void) {
    struct title_fixture_options options = title_fixture_options_default();
    title_fixture_make(&whole, &options);
}

static void drop_whole(void) {
    title_fixture_finish(&whole);
}

static void make_copy(void) {
    title_fixture_copy(&damaged, &whole);
}

static void drop_copy(void) {
    title_fixture_finish(&damaged);
}

/* ---- What verify says ------------------------------------------------------------ */

struct told {
    struct buf text;  /* a line a finding */
    struct buf rules; /* " id id id " */
};

static void take_finding(void *context, const struct finding *finding) {
    struct told *told = context;
    bool must = finding->weight == FINDING_MUST;
    buf_format(&told->text, "%s %s %s: %s\n", must ? "must" : "advice", finding->rule,
               finding->path, finding->message);
    buf_format(&told->rules, " %s ", finding->rule);
}

static void told_finish(struct told *told) {
    buf_finish(&told->text);
    buf_finish(&told->rules);
}

static int verify(struct title_fixture *title, struct told *told, struct verify_summary *summary) {
    struct err err = {0};
    *told = (struct told){0};
    int failed = verify_title(title_fixture_fetch, title, take_finding, told, summary, &err);
    ck_assert_int_eq(failed, err.code);
    buf_text(&told->text);
    buf_text(&told->rules);
    return failed;
}

/* Whether " id " stands in a list of ids. */
static bool lists(const char *list, const char *rule) {
    char padded[64];
    snprintf(padded, sizeof(padded), " %s ", rule);
    return strstr(list, padded) != NULL;
}

/* ---- Damage to texts ------------------------------------------------------------- */

/* Length of what `pattern` matches at `text`; '*' stands for letters, digits and dots. */
static size_t match(const char *text, const char *pattern) {
    const char *at = text;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            at += strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz.");
        } else if (*at++ != *pattern) {
            return 0;
        }
    }
    return (size_t)(at - text);
}

/* Puts `put` in the place of the first match, or of all. False where nothing matches. */
static bool replace(struct buf *bytes, const char *find, const char *put, bool all) {
    struct buf out = {0};
    bool found = false;
    for (const char *at = buf_text(bytes); *at != '\0';) {
        size_t length = found && !all ? 0 : match(at, find);
        if (length > 0) {
            buf_string(&out, put);
            at += length;
            found = true;
        } else {
            buf_append(&out, at++, 1);
        }
    }
    buf_finish(bytes);
    *bytes = out;
    return found;
}

/* ---- Damage to boxes ------------------------------------------------------------- */

/* What follows the four letters of the nth box of that type, from 0. */
static uint8_t *box_of(const char *path, const char *type, int nth) {
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    uint8_t *at = bytes->data;
    for (int i = 0; i <= nth; i++) {
        at = memmem(at, bytes->size - (size_t)(at - bytes->data), type, 4);
        ck_assert_msg(at != NULL, "%s has no box %s %d", path, type, nth);
        at += 4;
    }
    return at;
}

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

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
    box_of(PICTURES "init.mp4", "cmfc", 0)[-1] = 'x';
}

static void header_duration(void) {
    put_u32(box_of(PICTURES "init.mp4", "mvhd", 0) + 16, 144144);
}

static void header_clock(void) {
    put_u32(box_of(PICTURES "init.mp4", "mvhd", 0) + 4, 0xe0000000);
}

static void aspect_gone(void) {
    box_of(PICTURES "init.mp4", "pasp", 0)[-1] = 'x';
}

static void header_width(void) {
    put_u32(box_of(PICTURES "init.mp4", "tkhd", 0) + 76, 322 << 16);
}

static void colour_other(void) {
    box_of(PICTURES "init.mp4", "nclx", 0)[1] = 9;
}

static void edit_skips_more(void) {
    put_u32(box_of(PICTURES "init.mp4", "elst", 0) + 12, 3003);
}

static void sound_edit_short(void) {
    put_u32(box_of(SOUND "init.mp4", "elst", 0) + 8, 200000);
}

static void sound_edit_none(void) {
    memcpy(box_of(SOUND "init.mp4", "edts", 0) - 4, "free", 4);
}

static void sound_entry_mono(void) {
    box_of(SOUND "init.mp4", "mp4a", 0)[17] = 1;
}

static void sound_packet_short(void) {
    put_u32(box_of(SOUND "init.mp4", "trex", 0) + 12, 1023);
}

/* Level 1 in avcC and its SPS, for pictures of 240 macroblocks. */
static void level_low(void) {
    uint8_t *record = box_of(PICTURES "init.mp4", "avcC", 0);
    record[3] = 10;
    record[8 + 3] = 10;
}

static void segment_cut(void) {
    title_fixture_bytes(&damaged, PICTURES "00002.m4s")->size -= 100;
}

static void segment_no_track(void) {
    put_u32(box_of(PICTURES "00002.m4s", "tfhd", 0) + 4, 7);
}

static void segments_swapped(void) {
    struct buf *two = title_fixture_bytes(&damaged, PICTURES "00002.m4s");
    struct buf *three = title_fixture_bytes(&damaged, PICTURES "00003.m4s");
    struct buf kept = *two;
    *two = *three;
    *three = kept;
}

static void decode_time_late(void) {
    box_of(PICTURES "00002.m4s", "tfdt", 0)[11] += 1;
}

static void decode_time_absurd(void) {
    box_of(PICTURES "00002.m4s", "tfdt", 0)[5] = 0x10;
}

static void decode_time_inside(void) {
    box_of(PICTURES "00002.m4s", "tfdt", 1)[11] += 1;
}

static void sequence_back(void) {
    put_u32(box_of(PICTURES "00002.m4s", "mfhd", 0) + 4, 1);
}

static void segment_type_other(void) {
    memcpy(box_of(PICTURES "00002.m4s", "cmfs", 0) - 4, "xxxx", 4);
}

static void key_flags_wrong(void) {
    put_u32(box_of(PICTURES "00002.m4s", "trun", 0) + 16, 0x01010000);
}

static void sample_cut(void) {
    put_u32(box_of(PICTURES "00002.m4s", "mdat", 0), 0x00ffffff);
}

/* Sets the type of all slices of the first sample of the nth chunk. */
static void slices_become(const char *path, int nth, int from, int to) {
    uint8_t *at = box_of(path, "mdat", nth);
    const uint8_t *end = at + get_u32(box_of(path, "trun", nth) + 12);
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

/* Two pictures of a GOP are shown at one time. */
static void order_twice(void) {
    uint8_t *run = box_of(PICTURES "00002.m4s", "trun", 1) + 12;
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
    struct fragment fragment = {false, sequence, first * 1024, samples, count};
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

#define PLAYLIST "$V/h264-180p.m3u8"
#define SMALLEST "$V/h264-90p.m3u8"
#define IFRAMES  "$V/h264-180p-iframes.m3u8"
#define MASTER   "master.m3u8"
#define MPD      "manifest.mpd"

/* What follows where a track is not whole any more. */
#define BROKEN_TRACK " title-document "

/*
 * Either a function or a replacement in a text. Besides `rule` only the rules in `also`
 * may be told, and the version's name and copies, which every changed text breaks.
 */
static const struct damage {
    const char *rule;
    const char *also;
    void (*change)(void);
    const char *path, *find, *put;
    bool all;
} damages[] = {
    {"object-missing", BROKEN_TRACK, remove_segment, NULL, NULL, NULL, false},
    {"object-missing", "", remove_document, NULL, NULL, NULL, false},
    {"object-missing", "", remove_master, NULL, NULL, NULL, false},
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
    {"hls-independent", "", NULL, PLAYLIST, "#EXT-X-INDEPENDENT-SEGMENTS\n", "", false},
    {"hls-independent", "", NULL, MASTER, "#EXT-X-INDEPENDENT-SEGMENTS\n", "", false},
    {"hls-vod", "", NULL, PLAYLIST, "TYPE:VOD", "TYPE:EVENT", false},
    {"hls-endlist", "", NULL, PLAYLIST, "#EXT-X-ENDLIST\n", "", false},
    {"hls-map", " hls-dash-agree ", NULL, PLAYLIST, "#EXT-X-MAP", "#EXT-X-MAPS", false},
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
    {"hls-iframe-range", "", NULL, IFRAMES, "BYTERANGE:*@", "BYTERANGE:100@", false},
    {"hls-iframe-range", "", NULL, IFRAMES, "@24", "@28", false},
    {"hls-iframe-list", " hls-extinf-sum ", NULL, IFRAMES,
     "#EXTINF:1.001000,\n#EXT-X-BYTERANGE:*@24\n../" PICTURES "00002.m4s\n", "", false},
    {"hls-iframe-list", "", NULL, IFRAMES, "#EXT-X-I-FRAMES-ONLY\n", "", false},
    {"dash-syntax", "", NULL, MPD, "<MPD", "<!DOCTYPE MPD [<!ENTITY a \"b\">]><MPD", false},
    {"dash-syntax", "", NULL, MPD, "d=\"48048\"", "d=\"abc\"", false},
    {"dash-static", "", NULL, MPD, "type=\"static\"", "type=\"dynamic\"", false},
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
    {"dash-duration", "", NULL, MPD, "mediaPresentationDuration=\"PT6.006S\"",
     "mediaPresentationDuration=\"PT6.007S\"", false},
    {"dash-bandwidth", "", NULL, MPD, " bandwidth=\"*\"", " bandwidth=\"100\"", false},
    {"dash-buffer", "", NULL, MPD, "minBufferTime=\"PT*S\"", "minBufferTime=\"PT0.01S\"", false},
    {"dash-codecs", "", NULL, MPD, "codecs=\"avc1.*\"", "codecs=\"avc1.42c00d\"", false},
    {"dash-size", "", NULL, MPD, " width=\"320\"", " width=\"322\"", false},
    {"dash-frame-rate", "", NULL, MPD, " frameRate=\"24000/1001\"", " frameRate=\"24\"", false},
    {"dash-colour", "", NULL, MPD, "TransferCharacteristics\" value=\"1\"",
     "TransferCharacteristics\" value=\"16\"", false},
    {"dash-colour", "", NULL, MPD, "cicp:ColourPrimaries", "cicp:Colours", false},
    {"dash-audio", "", NULL, MPD, "audioSamplingRate=\"48000\"", "audioSamplingRate=\"44100\"",
     false},
    {"dash-set", "", NULL, MPD, "segmentAlignment=\"true\"", "segmentAlignment=\"false\"", false},
    {"dash-set", "", NULL, MPD, "par=\"16:9\"", "par=\"4:3\"", false},
    {"cmaf-init", BROKEN_TRACK, init_cut, NULL, NULL, NULL, false},
    {"hls-resolution", " dash-size title-document hls-codecs dash-codecs ", init_foreign, NULL,
     NULL, NULL, false},
    {"cmaf-brand", "", brand_other, NULL, NULL, NULL, false},
    {"cmaf-duration", "", header_duration, NULL, NULL, NULL, false},
    {"cmaf-picture-boxes", "", aspect_gone, NULL, NULL, NULL, false},
    {"cmaf-picture-size", "", header_width, NULL, NULL, NULL, false},
    {"cmaf-edit-list", "", sound_edit_short, NULL, NULL, NULL, false},
    {"cmaf-edit-list",
     " audio-boundary audio-length hls-extinf hls-extinf-sum dash-timeline title-document ",
     sound_edit_none, NULL, NULL, NULL, false},
    {"cmaf-edit-list",
     " video-boundaries audio-boundary audio-length hls-extinf hls-extinf-sum dash-timeline "
     "dash-duration title-document hls-bandwidth hls-average-bandwidth dash-bandwidth ",
     edit_skips_more, NULL, NULL, NULL, false},
    {"cmaf-segment", BROKEN_TRACK, segment_cut, NULL, NULL, NULL, false},
    {"cmaf-segment", BROKEN_TRACK, segment_no_track, NULL, NULL, NULL, false},
    {"cmaf-decode-time",
     " title-document cmaf-sequence hls-extinf-sum dash-timeline hls-iframe-range ",
     segments_swapped, NULL, NULL, NULL, false},
    {"cmaf-decode-time", " title-document dash-timeline ", decode_time_late, NULL, NULL, NULL,
     false},
    {"cmaf-decode-time", BROKEN_TRACK, decode_time_absurd, NULL, NULL, NULL, false},
    {"cmaf-decode-time", "", decode_time_inside, NULL, NULL, NULL, false},
    {"cmaf-sequence", "", sequence_back, NULL, NULL, NULL, false},
    {"cmaf-sample-duration",
     " cmaf-decode-time title-document dash-timeline hls-extinf hls-extinf-sum ",
     sound_packet_short, NULL, NULL, NULL, false},
    {"cmaf-sample-flags", "", key_flags_wrong, NULL, NULL, NULL, false},
    {"codec-sample", BROKEN_TRACK, sample_cut, NULL, NULL, NULL, false},
    {"codec-level", " hls-codecs dash-codecs title-document ", level_low, NULL, NULL, NULL, false},
    {"video-key",
     " cmaf-sample-flags hls-iframe-range video-order hls-bandwidth hls-average-bandwidth ",
     key_gone, NULL, NULL, NULL, false},
    {"video-gop",
     " cmaf-sample-flags cmaf-edit-list video-order hls-iframe-list hls-extinf hls-extinf-sum "
     "hls-bandwidth hls-average-bandwidth ",
     key_inside, NULL, NULL, NULL, false},
    {"video-order", "", order_twice, NULL, NULL, NULL, false},
    {"video-colour", "", colour_other, NULL, NULL, NULL, false},
    {"video-boundaries",
     " hls-dash-agree hls-iframe-list title-document hls-bandwidth "
     "hls-average-bandwidth ",
     NULL, SMALLEST, "#EXTINF:2.002000,\n../" SMALL "00003.m4s\n", "", false},
    {"audio-config", "", sound_entry_mono, NULL, NULL, NULL, false},
    {"audio-boundary", " hls-extinf hls-extinf-sum dash-timeline dash-buffer title-document ",
     sound_border_late, NULL, NULL, NULL, false},
    {"audio-length", " hls-extinf hls-extinf-sum dash-timeline title-document ", sound_short, NULL,
     NULL, NULL, false},
    {"hls-dash-agree", " title-document ", NULL, MPD,
     "      <Representation id=\"h264-90p\" bandwidth=\"*\" codecs=\"*\" width=\"160\""
     " height=\"90\" frameRate=\"24000/1001\" sar=\"1:1\">\n        <BaseURL>" SMALL "</BaseURL>\n"
     "      </Representation>\n",
     "", false},
    {"title-document", "", NULL, "title.json", "\"frames\":144", "\"frames\":143", false},
    {"title-document", "", NULL, "title.json", "\"bytes\":*,\"key", "\"bytes\":7,\"key", false},
    {"title-document", "", NULL, "title.json", "\"renditions\":", "\"other\":", false},
    {"version-copy", "", NULL, "$V.mpd", "<MPD", "<MPD ", false},
    {"version-name", "", NULL, "$V/h264-90p.m3u8", "#EXTINF", "#EXT-X-OTHER\n#EXTINF", false},
    {"hls-closed-captions", "", NULL, MASTER, ",CLOSED-CAPTIONS=NONE", "", false},
    {"hls-iframe-missing", "", NULL, MASTER, "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-OTHER", false},
    {"hls-first-variant", "", swap_variants, NULL, NULL, NULL, false},
    {"cmaf-segment-type", "", segment_type_other, NULL, NULL, NULL, false},
    {"cmaf-clock", "", header_clock, NULL, NULL, NULL, false},
};

/* Rules that the odd title of test_advice breaks. */
static const char odd_rules[] = " rung-spacing rung-peak video-profile ";

enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };

START_TEST(test_whole) {
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&whole, &told, &summary), 0);
    ck_assert_str_eq((const char *)told.text.data, "");
    ck_assert_int_eq(summary.musts + summary.advice, 0);
    ck_assert_int_eq(summary.segments, 9);
    ck_assert_int_eq(summary.objects, (int64_t)whole.count);
    told_finish(&told);
}
END_TEST

START_TEST(test_damage) {
    const struct damage *damage = &damages[_i];
    if (damage->change != NULL) {
        damage->change();
    } else {
        struct buf *bytes = title_fixture_bytes(&damaged, damage->path);
        ck_assert_msg(bytes != NULL && replace(bytes, damage->find, damage->put, damage->all),
                      "%s has no %s", damage->path, damage->find);
    }
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&damaged, &told, &summary), 0);
    ck_assert_msg(lists((const char *)told.rules.data, damage->rule), "%d: %s is not told:\n%s", _i,
                  damage->rule, (const char *)told.text.data);
    char *rest = NULL;
    char *words = mem_string((const char *)told.rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(strcmp(word, damage->rule) == 0 || lists(damage->also, word) ||
                          lists(" version-name version-copy ", word),
                      "%d: %s breaks %s too:\n%s", _i, damage->rule, word,
                      (const char *)told.text.data);
    }
    mem_free(words);
    told_finish(&told);
}
END_TEST

/* The table is whole: each rule has an id of its own, a source, and damage above. */
START_TEST(test_rules) {
    const struct verify_rule *rule;
    for (size_t i = 0; (rule = verify_rule_at(i)) != NULL; i++) {
        ck_assert_msg(rule->id != NULL && rule->source != NULL && rule->meaning != NULL,
                      "row %zu is not whole", i);
        bool damaged_by = lists(odd_rules, rule->id);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(verify_rule_at(j)->id, rule->id);
        }
        for (size_t d = 0; d < DAMAGES; d++) {
            damaged_by = damaged_by || strcmp(damages[d].rule, rule->id) == 0;
        }
        ck_assert_msg(damaged_by, "no damage breaks %s", rule->id);
    }
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
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&odd, &told, &summary), 0);
    ck_assert_msg(summary.musts == 0 && summary.advice > 0, "%s", (const char *)told.text.data);
    const char *rules[] = {"rung-spacing", "rung-peak", "video-profile"};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        ck_assert_msg(lists((const char *)told.rules.data, rules[i]), "%s is not told:\n%s",
                      rules[i], (const char *)told.text.data);
    }
    told_finish(&told);
    title_fixture_finish(&odd);
}
END_TEST

START_TEST(test_nothing_there) {
    static struct title_fixture nothing;
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&nothing, &told, &summary), ERR_NOT_FOUND);
    ck_assert_uint_eq(told.text.size, 0);
    told_finish(&told);
}
END_TEST

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
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&damaged, &told, &summary), 0);
    ck_assert_int_ge(summary.musts, 1000);
    ck_assert_ptr_nonnull(
        strstr((const char *)told.text.data, "must hls-iframe-range .: 992 more breaches"));
    told_finish(&told);
}
END_TEST

/* Texts of a title may hold what a terminal would obey. */
START_TEST(test_printable) {
    struct buf *bytes = title_fixture_bytes(&damaged, MASTER);
    ck_assert(replace(bytes, "VIDEO-RANGE=SDR", "VIDEO-RANGE=\"\x1b[31m\xc3\xa9\"", true) ||
              bytes->size > 0);
    ck_assert(replace(title_fixture_bytes(&damaged, MPD), "id=\"h264-90p\"",
                      "id=\"\xc2\x9b&#27;\x7f\"", false));
    struct told told;
    struct verify_summary summary;
    ck_assert_int_eq(verify(&damaged, &told, &summary), 0);
    for (size_t i = 0; i < told.text.size; i++) {
        uint8_t c = told.text.data[i];
        ck_assert_msg(c == '\n' || (c >= 0x20 && c < 0x7f), "byte 0x%02x is told", c);
    }
    told_finish(&told);
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
    replace(title_fixture_bytes(&damaged, MPD), "d=\"48048\" r=\"2\"", "d=\"1\" r=\"60000\"",
            false);
}

/* One segment of very many key pictures, each shown for one tick. */
static void tiny_fragments(void) {
    static const uint8_t key[] = {0, 0, 0, 2, 0x65, 0x88};
    struct buf *bytes = title_fixture_bytes(&damaged, PICTURES "00001.m4s");
    put_u32(box_of(PICTURES "init.mp4", "trex", 0) + 12, 1);
    put_u32(box_of(PICTURES "init.mp4", "elst", 0) + 12, 0);
    buf_clear(bytes);
    segment_type_write(bytes);
    for (uint32_t i = 0; i < 100000; i++) {
        struct run_sample sample = {.size = sizeof(key), .flags = SAMPLE_FLAGS_SYNC};
        struct fragment fragment = {true, i + 1, i, &sample, 1};
        fragment_header_write(&fragment, bytes);
        buf_append(bytes, key, sizeof(key));
    }
    replace(title_fixture_bytes(&damaged, PLAYLIST),
            "#EXTINF:2.002000,\n../" PICTURES "00002.m4s\n", "", false);
    replace(title_fixture_bytes(&damaged, PLAYLIST),
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
    struct told told;
    struct verify_summary summary;
    int64_t began = clock_monotonic_ms();
    ck_assert_int_eq(verify(&damaged, &told, &summary), 0);
    ck_assert_int_lt(clock_monotonic_ms() - began, FLOOD_MS);
    ck_assert_msg(lists((const char *)told.rules.data, floods[_i].rule), "%s is not told:\n%s",
                  floods[_i].rule, (const char *)told.text.data);
    told_finish(&told);
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
        struct told told;
        struct verify_summary summary;
        int failed = verify(&copy, &told, &summary);
        ck_assert_msg(failed == 0 || failed == ERR_NOT_FOUND, "seed %d, round %d: %d", _i, i,
                      failed);
        told_finish(&told);
        title_fixture_finish(&copy);
    }
}
END_TEST

Suite *verify_suite(void) {
    Suite *suite = suite_create("verify");
    TCase *titles = tcase_create("titles");
    tcase_add_unchecked_fixture(titles, make_whole, drop_whole);
    tcase_add_checked_fixture(titles, make_copy, drop_copy);
    tcase_set_timeout(titles, 120);
    tcase_add_test(titles, test_whole);
    tcase_add_loop_test(titles, test_damage, 0, DAMAGES);
    tcase_add_test(titles, test_rules);
    tcase_add_test(titles, test_advice);
    tcase_add_test(titles, test_nothing_there);
    tcase_add_test(titles, test_many);
    tcase_add_test(titles, test_printable);
    tcase_add_loop_test(titles, test_floods, 0, sizeof(floods) / sizeof(floods[0]));
    tcase_add_loop_test(titles, test_mutations, 0, 10);
    suite_add_tcase(suite, titles);
    return suite;
}
