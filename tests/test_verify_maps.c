/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over playlists of several EXT-X-MAP, as others write them: titles one after the other, a
 * title with another one in its midst, and what comes of it where one of them is wrong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_maps_suite(void);

/* PICTURES, SMALL and SOUND, as damaged_folders_of_others has them. */
#define FOREIGN       "video/h264-180p_0123456789/"
#define FOREIGN_SMALL "video/h264-90p_abcdef0123/"
#define FOREIGN_SOUND "audio/und-aac-2_1122334455/"

#define LARGE      "hls/h264-180p.m3u8"
#define LARGE_KEYS "hls/h264-180p-iframes.m3u8"
#define LOWER      "hls/h264-90p.m3u8"
#define LOWER_KEYS "hls/h264-90p-iframes.m3u8"
#define HEARD      "hls/audio-und-aac-2.m3u8"
#define WORDS      "hls/text.m3u8"

/* Three entries of text. */
#define SAID                                                                                       \
    "#EXTINF:2.002000,\none.vtt\n#EXTINF:2.002000,\ntwo.vtt\n#EXTINF:2.002000,\nthree.vtt\n"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const playlists[] = {LARGE, LARGE_KEYS, LOWER, LOWER_KEYS, HEARD};

/* ---- Titles of several maps ------------------------------------------------------ */

/* Some segments of a title, from 1 on, and what stands before them. */
struct piece {
    bool marked;       /* by EXT-X-DISCONTINUITY */
    bool mapped;       /* by EXT-X-MAP */
    const char *title; /* "", "second/" */
    long first, last;
};

static void edit(const char *path, const char *find, const char *put, bool all) {
    struct buf *text = title_fixture_bytes(&damaged, path);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(text_replace(text, find, put, all), "no %s in:\n%s", find, buf_text(text));
}

/* Only what stands from the nth match of `from` on, from 0. */
static void edit_from(const char *path, const char *from, int nth, const char *find,
                      const char *put) {
    struct buf *text = title_fixture_bytes(&damaged, path);
    char *at = strstr(buf_text(text), from);
    for (int i = 0; i < nth && at != NULL; i++) {
        at = strstr(at + 1, from);
    }
    ck_assert_ptr_nonnull(at);
    struct buf rest = {0};
    buf_string(&rest, at);
    ck_assert_msg(text_replace(&rest, find, put, false), "no %s in:\n%s", find, at);
    text->size = (size_t)(at - (char *)text->data);
    buf_append(text, rest.data, rest.size);
    buf_finish(&rest);
}

/* What a whole playlist says of the piece's segments. */
static void add_piece(struct buf *out, const char *text, const struct piece *piece) {
    struct buf entry = {0};
    char *copy = mem_string(text);
    char *rest = NULL;
    buf_string(out, piece->marked ? "#EXT-X-DISCONTINUITY\n" : "");
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *path = strstr(line, "../");
        if (strncmp(line, "#EXT-X-MAP", 10) == 0 && piece->mapped) {
            buf_format(out, "#EXT-X-MAP:URI=\"../%s%s\n", piece->title, path + 3);
        } else if (strncmp(line, "#EXTINF", 7) == 0 || strncmp(line, "#EXT-X-BYTERANGE", 16) == 0) {
            buf_format(&entry, "%s\n", line);
        } else if (line[0] != '#') {
            long number = strtol(strrchr(line, '/') + 1, NULL, 10);
            if (number >= piece->first && number <= piece->last) {
                buf_format(out, "%s../%s%s\n", buf_text(&entry), piece->title, path + 3);
            }
            buf_clear(&entry);
        }
    }
    mem_free(copy);
    buf_finish(&entry);
}

static void lay(const char *path, const struct piece *pieces, size_t count) {
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    struct buf out = {0};
    ck_assert_ptr_nonnull(bytes);
    const char *text = buf_text(bytes);
    buf_append(&out, text, (size_t)(strstr(text, "#EXT-X-MAP") - text));
    for (size_t i = 0; i < count; i++) {
        add_piece(&out, text, &pieces[i]);
    }
    buf_string(&out, "#EXT-X-ENDLIST\n");
    buf_finish(bytes);
    *bytes = out;
}

static void lay_all(const struct piece *pieces, size_t count) {
    for (size_t i = 0; i < COUNT(playlists); i++) {
        lay(playlists[i], pieces, count);
    }
}

/* As others have it: no title.json, no folder of a version. And its objects once more, in a folder
 * of their own. */
static void of_others(void) {
    damaged_folders_of_others();
    for (size_t i = damaged.count; i-- > 0;) {
        char *path = damaged.objects[i].path;
        bool is_text = strstr(path, ".m3u8") != NULL && strstr(path, "master") == NULL;
        if (is_text) {
            char *moved = mem_format("hls%s", strchr(path, '/'));
            snprintf(path, sizeof(damaged.objects[i].path), "%s", moved);
            mem_free(moved);
        } else if (strncmp(path, damaged.version, 16) == 0 || strcmp(path, "title.json") == 0) {
            path[0] = '_';
        } else if (strstr(path, ".m4s") != NULL || strstr(path, ".mp4") != NULL) {
            char *second = mem_format("second/%s", path);
            title_fixture_add(&damaged, second, damaged.objects[i].bytes.data,
                              damaged.objects[i].bytes.size);
            mem_free(second);
        }
    }
    edit(MASTER, damaged.version, "hls", true);
}

static const char rendition[] =
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=NO,"
    "AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,"
    "public.accessibility.describes-music-and-sound\",URI=\"" WORDS "\"\n#EXT-X-STREAM-INF:";

/* Subtitles of these entries, each of which may name one.vtt to four.vtt: what is said in the
 * second, fourth, sixth and eighth second. */
static void add_text(const char *entries) {
    static const char *const names[] = {"hls/one.vtt", "hls/two.vtt", "hls/three.vtt",
                                        "hls/four.vtt"};
    edit(MASTER, "#EXT-X-STREAM-INF:", rendition, false);
    edit(MASTER, "CLOSED-CAPTIONS=NONE", "CLOSED-CAPTIONS=NONE,SUBTITLES=\"text\"", true);
    char *list = mem_format("#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n"
                            "#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n%s"
                            "#EXT-X-ENDLIST\n",
                            entries);
    title_fixture_add(&damaged, WORDS, list, strlen(list));
    mem_free(list);
    for (int i = 0; i < (int)COUNT(names); i++) {
        char *text = mem_format("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n"
                                "00:00:0%d.500 --> 00:00:0%d.900\nSaid.\n",
                                2 * i + 1, 2 * i + 1);
        title_fixture_add(&damaged, names[i], text, strlen(text));
        mem_free(text);
    }
}

static void drop(const char *path) {
    for (size_t i = 0; i < damaged.count; i++) {
        if (strcmp(damaged.objects[i].path, path) == 0) {
            damaged.objects[i].path[0] = '_';
            return;
        }
    }
    ck_abort_msg("no object %s", path);
}

/* ---- Their MPDs ------------------------------------------------------------------ */

struct change {
    const char *find, *put;
};

struct changes {
    const struct change *changes;
    size_t count;
};

/* In place of the MPD's one Period as many copies of it, each with its changes. */
static void write_periods(const struct changes *periods, size_t count, const char *duration) {
    static const char end[] = "</Period>";
    edit(MPD, "mediaPresentationDuration=\"PT6*S\"", duration, false);
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    const char *text = buf_text(mpd);
    const char *from = strstr(text, "<Period");
    const char *to = strstr(text, end) + strlen(end);
    struct buf out = {0};
    buf_append(&out, text, (size_t)(from - text));
    for (size_t p = 0; p < count; p++) {
        struct buf period = {0};
        buf_append(&period, from, (size_t)(to - from));
        for (size_t i = 0; i < periods[p].count; i++) {
            const struct change *change = &periods[p].changes[i];
            ck_assert_msg(text_replace(&period, change->find, change->put, true), "no %s in:\n%s",
                          change->find, buf_text(&period));
        }
        buf_append(&out, period.data, period.size);
        buf_finish(&period);
    }
    buf_string(&out, to);
    buf_finish(mpd);
    *mpd = out;
}

#define OF_SECOND                                                                                  \
    {"<BaseURL>video/", "<BaseURL>second/video/"}, {                                               \
        "<BaseURL>audio/", "<BaseURL>second/audio/"                                                \
    }

/* ---- What is right --------------------------------------------------------------- */

static const struct piece two_pieces[] = {{false, true, "", 1, 3}, {true, true, "second/", 1, 3}};

/* Two titles, each with its own times. */
static void two_titles(void) {
    static const struct change second[] = {
        {"id=\"1\" start=\"PT0S\"", "id=\"2\" start=\"PT6.017S\""}, OF_SECOND};
    static const struct changes periods[] = {{NULL, 0}, {second, COUNT(second)}};
    of_others();
    lay_all(two_pieces, COUNT(two_pieces));
    write_periods(periods, COUNT(periods), "mediaPresentationDuration=\"PT12.034S\"");
}

static const struct piece midst_pieces[] = {
    {false, true, "", 1, 2}, {true, true, "second/", 1, 3}, {true, true, "", 3, 3}};

/* Another title after the second segment, and then the rest of the first, whose times go on where
 * they were left. */
static void title_in_midst(void) {
    static const struct change first[] = {
        {"duration=\"PT6*S\"", "duration=\"PT4.004S\""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"0\" d=\"48048\" r=\"1\"/>"},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"0\" d=\"96256\" r=\"1\"/>"}};
    static const struct change second[] = {
        {"id=\"1\" start=\"PT0S\"", "id=\"2\" start=\"PT4.004S\""}, OF_SECOND};
    static const struct change third[] = {
        {"id=\"1\" start=\"PT0S\" duration=\"PT6*S\"",
         "id=\"3\" start=\"PT10.021S\" duration=\"PT2.013S\""},
        {"<S t=\"0\" d=\"48048\" r=\"2\"/>", "<S t=\"96096\" d=\"48048\"/>"},
        {"timescale=\"24000\" startNumber=\"1\"",
         "timescale=\"24000\" presentationTimeOffset=\"96096\" startNumber=\"3\""},
        {"<S t=\"0\" d=\"96256\" r=\"2\"/>", "<S t=\"192512\" d=\"96256\"/>"},
        {"timescale=\"48000\" startNumber=\"1\"",
         "timescale=\"48000\" presentationTimeOffset=\"192192\" startNumber=\"3\""}};
    static const struct changes periods[] = {
        {first, COUNT(first)}, {second, COUNT(second)}, {third, COUNT(third)}};
    of_others();
    lay_all(midst_pieces, COUNT(midst_pieces));
    write_periods(periods, COUNT(periods), "mediaPresentationDuration=\"PT12.034S\"");
}

/* The map once more, as some write it before each segment: it is the same one, and the playlist
 * agrees with the one Period. */
static void map_again(void) {
    static const struct piece pieces[] = {
        {false, true, "", 1, 1}, {false, true, "", 2, 2}, {false, true, "", 3, 3}};
    of_others();
    lay_all(pieces, COUNT(pieces));
}

/* The title twice: its times begin anew. */
static void loop(void) {
    static const struct piece pieces[] = {{false, true, "", 1, 3}, {true, false, "", 1, 3}};
    static const struct change second[] = {
        {"id=\"1\" start=\"PT0S\"", "id=\"2\" start=\"PT6.017S\""}};
    static const struct changes periods[] = {{NULL, 0}, {second, COUNT(second)}};
    of_others();
    lay_all(pieces, COUNT(pieces));
    write_periods(periods, COUNT(periods), "mediaPresentationDuration=\"PT12.034S\"");
}

static const struct piece going_on[] = {{false, true, "", 1, 2}, {false, true, "second/", 3, 3}};

/* Another init segment of the same bytes, from the third segment on, where times go on. */
static void other_file(void) {
    of_others();
    drop(MPD);
    lay_all(going_on, COUNT(going_on));
}

/* The init segments as ranges, written alike twice. */
static void ranged(void) {
    static const struct piece pieces[] = {{false, true, "", 1, 1}, {false, true, "", 2, 3}};
    of_others();
    drop(MPD);
    lay_all(pieces, COUNT(pieces));
    for (size_t i = 0; i < COUNT(playlists); i++) {
        const char *folder = i < 2 ? FOREIGN : i < 4 ? FOREIGN_SMALL : FOREIGN_SOUND;
        char *path = mem_format("%sinit.mp4", folder);
        char *put =
            mem_format("init.mp4\",BYTERANGE=\"%zu@0\"", title_fixture_bytes(&damaged, path)->size);
        edit(playlists[i], "init.mp4\"", put, true);
        mem_free(path);
        mem_free(put);
    }
}

/* The second title in one size for both variants. */
static void one_size(void) {
    static const char mark[] = "#EXT-X-DISCONTINUITY";
    two_titles();
    drop(MPD);
    edit(LARGE, "second/" FOREIGN, "second/" FOREIGN_SMALL, true);
    struct buf *keys = title_fixture_bytes(&damaged, LARGE_KEYS);
    keys->size = (size_t)(strstr(buf_text(keys), mark) - (char *)keys->data);
    buf_string(keys, strstr(buf_text(title_fixture_bytes(&damaged, LOWER_KEYS)), mark));
}

/* The map of the pictures changes once more than that of the sound, whose discontinuity is theirs
 * too: there theirs does. */
static void map_of_pictures(void) {
    static const struct piece pictures[] = {
        {false, true, "", 1, 1}, {false, true, "second/", 2, 2}, {true, true, "", 3, 3}};
    static const struct piece sound[] = {{false, true, "", 1, 2}, {true, false, "", 3, 3}};
    of_others();
    drop(MPD);
    for (size_t i = 0; i < COUNT(playlists); i++) {
        bool heard = strcmp(playlists[i], HEARD) == 0;
        lay(playlists[i], heard ? sound : pictures, heard ? COUNT(sound) : COUNT(pictures));
    }
}

/* Subtitles of two titles, the first of which goes on in another file: their times begin anew with
 * those of the second. */
static void text_of_two(void) {
    static const struct piece pieces[] = {
        {false, true, "", 1, 2}, {false, true, "second/", 3, 3}, {true, true, "", 1, 3}};
    of_others();
    drop(MPD);
    lay_all(pieces, COUNT(pieces));
    add_text(SAID "#EXT-X-DISCONTINUITY\n" SAID);
}

/* The second title's pictures may be decoded at a higher level than CODECS names. */
static void another_level(void) {
    two_titles();
    drop(MPD);
    uint8_t *record = box_of(&damaged, "second/" FOREIGN "init.mp4", "avcC", 0);
    record[3] = 31;
    record[8 + 3] = 31; /* that of its parameter set */
}

static const struct {
    const char *name;
    void (*make)(void);
    int64_t segments;
    const char *allowed; /* what may be told */
} rights[] = {
    {"two titles", two_titles, 18, ""},
    {"a title in the midst", title_in_midst, 18, ""},
    {"a map again", map_again, 9, ""},
    {"a title twice", loop, 9, ""},
    {"another file", other_file, 9, ""},
    {"ranges", ranged, 9, ""},
    {"one size", one_size, 15, " hls-average-bandwidth rung-spacing "},
    {"another level", another_level, 18, " codec-level-spare "},
    {"a map of the pictures", map_of_pictures, 9, " unchecked-manifest "},
    {"text of two", text_of_two, 15, ""},
};

START_TEST(test_right) {
    struct verdict verdict;
    rights[_i].make();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    char *rest = NULL;
    char *words = mem_string((const char *)verdict.rules.data);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(rule_in(rights[_i].allowed, word), "%s breaks %s:\n%s", rights[_i].name, word,
                      verdict_lines(&verdict));
    }
    mem_free(words);
    ck_assert_int_eq(verdict.summary.segments, rights[_i].segments);
    verdict_finish(&verdict);
}
END_TEST

/* ---- Damage ---------------------------------------------------------------------- */

static void second_init_missing(void) {
    two_titles();
    drop("second/" FOREIGN "init.mp4");
}

/* That of the sound. */
static void second_init_wrong(void) {
    two_titles();
    struct buf *bytes = title_fixture_bytes(&damaged, "second/" FOREIGN "init.mp4");
    const struct buf *other = title_fixture_bytes(&damaged, FOREIGN_SOUND "init.mp4");
    buf_clear(bytes);
    buf_append(bytes, other->data, other->size);
}

static void second_map_nameless(void) {
    two_titles();
    edit_from(LARGE, "#EXT-X-MAP", 1, "MAP:URI", "MAP:URL");
}

/* What stands before the first map has none. */
static void first_map_missing(void) {
    two_titles();
    edit(LARGE, "#EXT-X-MAP", "#EXT-X-MAPS", false);
}

static void map_of_nothing(void) {
    two_titles();
    edit(LARGE, "#EXT-X-ENDLIST", "#EXT-X-MAP:URI=\"../none.mp4\"\n#EXT-X-ENDLIST", false);
}

static void map_of_nothing_between(void) {
    two_titles();
    edit(LARGE, "#EXT-X-DISCONTINUITY", "#EXT-X-MAP:URI=\"../none.mp4\"\n#EXT-X-DISCONTINUITY",
         false);
}

/* Times begin anew, and nothing says so. */
static void unmarked(void) {
    two_titles();
    for (size_t i = 0; i < COUNT(playlists); i++) {
        edit(playlists[i], "#EXT-X-DISCONTINUITY\n", "", true);
    }
}

static void marked_alone(void) {
    two_titles();
    edit(HEARD, "#EXT-X-DISCONTINUITY\n", "", true);
}

/* Where the same map and the same times go on. */
static void marked_idly(void) {
    static const struct piece pieces[] = {{false, true, "", 1, 2}, {true, true, "", 3, 3}};
    of_others();
    drop(MPD);
    lay_all(pieces, COUNT(pieces));
}

/* From its third segment on the upper variant is of the lower one's tracks. */
static void coding_changes(void) {
    other_file();
    edit(LARGE, "second/" FOREIGN, FOREIGN_SMALL, true);
}

static void kind_changes(void) {
    other_file();
    edit(LARGE, "second/" FOREIGN, FOREIGN_SOUND, true);
}

static void clock_changes(void) {
    two_titles();
    put_u32(box_of(&damaged, "second/" FOREIGN "init.mp4", "mdhd", 0) + 12, 23999);
}

static void second_longer(void) {
    two_titles();
    edit_from(LARGE, "#EXT-X-DISCONTINUITY", 0, "#EXTINF:2.002000", "#EXTINF:2.003000");
}

static void second_drifts(void) {
    two_titles();
    for (int i = 1; i <= 3; i++) {
        edit_from(LARGE, "#EXT-X-DISCONTINUITY", 0, "#EXTINF:2.002000", "#EXTINF:2.0025");
    }
}

static void second_keys_fewer(void) {
    two_titles();
    edit_from(LARGE_KEYS, "#EXT-X-DISCONTINUITY", 0,
              "#EXTINF:1.001000,\n#EXT-X-BYTERANGE:*@*\n../second/" FOREIGN "00001.m4s\n", "");
}

/* The sound of the first title is cut elsewhere: that of the whole ends with the pictures. */
static void first_fewer(void) {
    two_titles();
    drop(MPD);
    for (size_t i = 0; i < 4; i++) {
        const char *folder = i < 2 ? FOREIGN : FOREIGN_SMALL;
        char *last = mem_format("#EXTINF:2.002000,\n../%s00003.m4s\n", folder);
        char *key = mem_format("#EXTINF:1.001000,\n#EXT-X-BYTERANGE:*@*\n../%s00003.m4s\n", folder);
        edit(playlists[i], i % 2 == 0 ? last : key, "", true);
        mem_free(last);
        mem_free(key);
    }
}

static void second_fewer(void) {
    two_titles();
    edit(LARGE, "#EXTINF:2.002000,\n../second/" FOREIGN "00003.m4s\n", "", false);
}

static void second_period_fewer(void) {
    two_titles();
    edit_from(MPD, "<Period", 1, "<S t=\"0\" d=\"48048\" r=\"2\"/>",
              "<S t=\"0\" d=\"48048\" r=\"1\"/>");
}

/* Of the pictures alone: the sound can't be laid beside them. */
static void other_file_of_pictures(void) {
    of_others();
    drop(MPD);
    for (size_t i = 0; i < COUNT(playlists); i++) {
        if (strcmp(playlists[i], HEARD) != 0) {
            lay(playlists[i], going_on, COUNT(going_on));
        }
    }
}

/* That of the second title goes on behind the times of the first. */
static void text_goes_on(void) {
    text_of_two();
    edit_from(WORDS, "#EXT-X-DISCONTINUITY", 0, "one.vtt", "four.vtt");
}

/* Ours have one map, which changes for nobody. */
static void of_ours(void) {
    static const struct piece pieces[] = {{false, true, "", 1, 1}, {false, true, "", 2, 3}};
    lay(PLAYLIST, pieces, COUNT(pieces));
}

/* The playlist's entries are one, so many times. */
static void repeat(const char *path, const char *entry, int times) {
    struct buf text = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    const char *old = buf_text(bytes);
    buf_append(&text, old, (size_t)(strstr(old, "#EXTINF") - old));
    for (int i = 0; i < times; i++) {
        buf_string(&text, entry);
    }
    buf_string(&text, "#EXT-X-ENDLIST\n");
    buf_finish(bytes);
    *bytes = text;
}

static void too_many(void) {
    of_others();
    drop(MPD);
    repeat(LARGE, "#EXT-X-DISCONTINUITY\n#EXTINF:2.002000,\n../" FOREIGN "00001.m4s\n", 5000);
}

/* One segment of 64 GOPs, over and over. */
static void too_many_gops(void) {
    enum { COPIES = 32, ENTRIES = (4 << 20) / 64 + 1 };
    struct buf segment = {0};
    of_others();
    drop(MPD);
    const struct buf *one = title_fixture_bytes(&damaged, FOREIGN "00001.m4s");
    size_t head = (size_t)(box_of(&damaged, FOREIGN "00001.m4s", "moof", 0) - 8 - one->data);
    buf_append(&segment, one->data, head);
    for (int i = 0; i < COPIES; i++) {
        buf_append(&segment, one->data + head, one->size - head);
    }
    title_fixture_add(&damaged, "hls/1", segment.data, segment.size);
    buf_finish(&segment);
    repeat(LARGE, "#EXTINF:2,\n1\n", ENTRIES);
}

/* A thousand stretches that begin after 114 days, beside as many that begin at 0: one of these is
 * not there. What all of them last is no more than 2002 s. */
static void late(void) {
    enum { TIMES = 1000, LATE_S = 9900000 };
    of_others();
    drop(MPD);
    for (int i = 0; i < 4; i++) {
        uint8_t *tfdt = box_of(&damaged, "second/" FOREIGN_SMALL "00001.m4s", "tfdt", i);
        uint64_t ticks = (uint64_t)get_u32(tfdt + 8) + (uint64_t)LATE_S * 24000;
        put_u32(tfdt + 4, (uint32_t)(ticks >> 32));
        put_u32(tfdt + 8, (uint32_t)ticks);
    }
    repeat(LARGE, "#EXT-X-DISCONTINUITY\n#EXTINF:2.002000,\n../" FOREIGN "00001.m4s\n", TIMES);
    repeat(LOWER, "#EXT-X-DISCONTINUITY\n#EXTINF:2.002000,\n../second/" FOREIGN_SMALL "00001.m4s\n",
           TIMES);
    edit(LOWER, "second/", "", false);
    edit(LARGE, "00001.m4s\n#EXT-X-ENDLIST", "00009.m4s\n#EXT-X-ENDLIST", false);
    add_text(SAID);
}

const struct damage map_damages[] = {
    {"object-missing", " hls-iframe-missing ", second_init_missing, NULL, NULL, NULL, false},
    {"cmaf-sample-flags",
     " cmaf-decode-time hls-extinf hls-extinf-sum hls-iframe-range hls-codecs dash-codecs "
     "dash-timescale dash-optional dash-set ",
     second_init_wrong, NULL, NULL, NULL, false},
    {"hls-map", " hls-iframe-missing ", second_map_nameless, NULL, NULL, NULL, false},
    {"hls-map", " hls-iframe-missing ", first_map_missing, NULL, NULL, NULL, false},
    {"hls-map-unused", "", map_of_nothing, NULL, NULL, NULL, false},
    {"hls-map-unused", "", map_of_nothing_between, NULL, NULL, NULL, false},
    {"hls-discontinuity", "", unmarked, NULL, NULL, NULL, false},
    {"hls-sequence", " hls-discontinuity ", marked_alone, NULL, NULL, NULL, false},
    {"hls-discontinuity", "", marked_idly, NULL, NULL, NULL, false},
    {"hls-coding-change", " hls-average-bandwidth hls-iframe-missing ", coding_changes, NULL, NULL,
     NULL, false},
    {"hls-discontinuity", " hls-extinf hls-extinf-sum hls-average-bandwidth hls-iframe-missing ",
     kind_changes, NULL, NULL, NULL, false},
    {"hls-extinf", " video-boundaries dash-timescale dash-frame-rate ", clock_changes, NULL, NULL,
     NULL, false},
    {"hls-extinf", "", second_longer, NULL, NULL, NULL, false},
    {"hls-extinf-sum", " hls-extinf ", second_drifts, NULL, NULL, NULL, false},
    {"hls-iframe-list", "", second_keys_fewer, NULL, NULL, NULL, false},
    {"audio-boundary", " hls-bandwidth hls-average-bandwidth ", first_fewer, NULL, NULL, NULL,
     false},
    {"video-boundaries", " audio-boundary audio-length hls-iframe-list hls-dash-agree ",
     second_fewer, NULL, NULL, NULL, false},
    {"hls-dash-agree", " audio-boundary audio-length dash-coverage ", second_period_fewer, NULL,
     NULL, NULL, false},
    {"unchecked-manifest", "", other_file_of_pictures, NULL, NULL, NULL, false},
    {"text-time", "", text_goes_on, NULL, NULL, NULL, false},
    {"hls-map", "", of_ours, NULL, NULL, NULL, false},
    {"title-bounds", " hls-sequence ", too_many, NULL, NULL, NULL, false},
    {"title-bounds", " cmaf-decode-time cmaf-sequence hls-extinf hls-extinf-sum ", too_many_gops,
     NULL, NULL, NULL, false},
    {"text-coverage",
     " object-missing hls-sequence hls-discontinuity video-boundaries hls-bandwidth "
     "hls-average-bandwidth hls-iframe-missing ",
     late, NULL, NULL, NULL, false},
};
const size_t map_damage_count = sizeof(map_damages) / sizeof(map_damages[0]);

START_TEST(test_damage) {
    damage_check(&map_damages[_i], _i);
}
END_TEST

Suite *verify_maps_suite(void) {
    Suite *suite = suite_create("verify_maps");
    TCase *titles = tcase_create("several maps");
    tcase_set_timeout(titles, 120);
    tcase_add_unchecked_fixture(titles, whole_make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_loop_test(titles, test_right, 0, COUNT(rights));
    tcase_add_loop_test(titles, test_damage, 0, (int)map_damage_count);
    suite_add_tcase(suite, titles);
    return suite;
}
