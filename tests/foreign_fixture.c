/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others package: see foreign_fixture.h. */
#include "foreign_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "verify_fixture.h"

enum { SEGMENTS = 3, FRAMES = 144, SAMPLE_RATE = 48000, PRIMING = 1024 };

/* ---- Pictures -------------------------------------------------------------------- */

/* hvcC payloads as x265 and ffmpeg make them of 320x180 and 160x90 in BT.709 at level 2. */
static const struct {
    const char *folder, *hex;
} records[] = {
    {PICTURES, "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300"
               "90000003000003003c959009a10001002c42010101600000030090000003000003003ca00a080b9f"
               "796564924caf016a0202020800001f480002ee0040a2000100074401c172b42240"},
    {SMALL, "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300"
            "90000003000003003c959009a10001002b42010101600000030090000003000003003ca0142061f2"
            "6595924932bc05a80808082000007d20000bb801a2000100074401c172b42240"},
};

static void unhex(struct buf *out, const char *hex) {
    for (; hex[0] != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        buf_u8(out, (uint8_t)strtoul(pair, NULL, 16));
    }
}

/* Each NAL unit of a sample of H.264 gets the header of such a one of H.265. */
static void relabel(uint8_t *at, size_t size) {
    enum { TRAIL_N = 0, TRAIL_R = 1, IDR = 19, SEI = 39 };
    for (uint8_t *end = at + size; at < end; at += 4 + get_u32(at)) {
        int type = at[4] & 0x1f;
        int own = type == 5 ? IDR : type == 6 ? SEI : (at[4] & 0x60) != 0 ? TRAIL_R : TRAIL_N;
        at[4] = (uint8_t)(own << 1);
        at[5] = 1;
    }
}

static void relabel_segment(struct title_fixture *title, const char *path) {
    static const struct sample_defaults defaults = {1, 1001, 0, 0};
    struct buf *bytes = title_fixture_bytes(title, path);
    struct media_facts facts = {0};
    ck_assert_int_eq(media_segment_read(&facts, bytes->data, bytes->size, &defaults, NULL), 0);
    for (size_t c = 0; c < facts.chunk_count; c++) {
        const struct chunk_facts *chunk = &facts.chunks[c];
        uint8_t *at = bytes->data + (chunk->payload - bytes->data);
        for (size_t i = 0; i < chunk->sample_count; i++) {
            size_t size = facts.samples[chunk->first_sample + i].size;
            relabel(at, size);
            at += size;
        }
    }
    media_facts_finish(&facts);
}

static void replace_all(struct title_fixture *title, const char *find, const char *put) {
    ck_assert(text_replace(title_fixture_bytes(title, MASTER), find, put, true));
    ck_assert(text_replace(title_fixture_bytes(title, MPD), find, put, true));
}

void foreign_pictures(struct title_fixture *title) {
    for (size_t r = 0; r < sizeof(records) / sizeof(records[0]); r++) {
        char *init = mem_format("%sinit.mp4", records[r].folder);
        struct buf box = {0};
        size_t mark = mp4_open(&box, "hvcC");
        unhex(&box, records[r].hex);
        mp4_close(&box, mark);
        box_replace(title, init, "avcC", box.data, box.size);
        memcpy(box_of(title, init, "avc1", 0) - 4, "hvc1", 4);
        buf_finish(&box);
        mem_free(init);
        for (int i = 1; i <= SEGMENTS; i++) {
            char *path = mem_format("%s%05d.m4s", records[r].folder, i);
            relabel_segment(title, path);
            mem_free(path);
        }
    }
    replace_all(title, "avc1.*", "hvc1.1.6.L60.90");
    title_fixture_bytes(title, "title.json")->size = 0;
}

/* ---- Sound ----------------------------------------------------------------------- */

static const struct sound {
    const char *entry, *box, *codecs;
    uint32_t ticks; /* of a packet */
    uint32_t size;
    const char *record, *head; /* of each packet: hexadecimal digits */
} sounds[] = {
    {"Opus", "dOps", "opus", 960, 160,
     "0002"
     "0400"
     "0000bb80"
     "0000"
     "00",
     "fc"},
    {"ac-3", "dac3", "ac-3", 1536, 256, "101080", "0b77000008404000"},
    {"ec-3", "dec3", "ec-3", 1536, 256, "0200200400", "0b77007f34800000"},
    {"fLaC", "dfLa", "fLaC", 1152, 300,
     "00000000"
     "80000022"
     "04800480"
     "000000000000"
     "0bb802f0"
     "00000000"
     "00000000000000000000000000000000",
     "fff8c9180000"},
};

static const struct sound *sound_of(const char *entry) {
    size_t i = 0;
    while (strcmp(sounds[i].entry, entry) != 0) {
        ck_assert_uint_lt(++i, sizeof(sounds) / sizeof(sounds[0]));
    }
    return &sounds[i];
}

static void sound_init(struct title_fixture *title, const struct sound *sound) {
    struct buf entry = {0};
    size_t mark = mp4_open(&entry, sound->entry);
    buf_zero(&entry, 6);
    buf_u16(&entry, 1);
    buf_zero(&entry, 8);
    buf_u16(&entry, 2);
    buf_u16(&entry, 16);
    buf_u32(&entry, 0);
    buf_u32(&entry, (uint32_t)SAMPLE_RATE << 16);
    size_t box = mp4_open(&entry, sound->box);
    unhex(&entry, sound->record);
    mp4_close(&entry, box);
    mp4_close(&entry, mark);
    box_replace(title, SOUND "init.mp4", "mp4a", entry.data, entry.size);
    put_u32(box_of(title, SOUND "init.mp4", "trex", 0) + 12, sound->ticks);
    buf_finish(&entry);
}

/* Packets before the end of a segment: the first border at or after the pictures'. */
static int64_t packets_before(const struct sound *sound, int segment) {
    int64_t shown = (int64_t)segment * (FRAMES / SEGMENTS) * 1001 * (SAMPLE_RATE / 24000);
    return segment == 0 ? 0 : (shown + PRIMING + sound->ticks - 1) / sound->ticks;
}

static void sound_segment(struct title_fixture *title, const struct sound *sound, int segment) {
    int64_t first = packets_before(sound, segment);
    size_t count = (size_t)(packets_before(sound, segment + 1) - first);
    struct run_sample *samples = mem_zero(count, sizeof(*samples));
    struct buf head = {0};
    char *path = mem_format(SOUND "%05d.m4s", segment + 1);
    struct buf *bytes = title_fixture_bytes(title, path);
    unhex(&head, sound->head);
    for (size_t i = 0; i < count; i++) {
        samples[i].size = sound->size;
    }
    bytes->size = 0;
    segment_type_write(bytes);
    fragment_header_write(&(struct fragment){.sequence = (uint32_t)segment + 1,
                                             .decode_time = first * sound->ticks,
                                             .samples = samples,
                                             .count = count},
                          bytes);
    for (size_t i = 0; i < count; i++) {
        buf_append(bytes, head.data, head.size);
        buf_zero(bytes, sound->size - head.size);
    }
    buf_finish(&head);
    mem_free(samples);
    mem_free(path);
}

/* The times of all segments, in the playlist and in the MPD. */
static void sound_times(struct title_fixture *title, const struct sound *sound) {
    struct buf timeline = {0};
    struct buf playlist = {0};
    struct buf *mpd = title_fixture_bytes(title, MPD);
    struct buf *text = title_fixture_bytes(title, "$V/audio-und-aac-2.m3u8");
    char *lines = strstr(buf_text(text), "#EXTINF");
    buf_append(&playlist, text->data, (size_t)(lines - (char *)text->data));
    for (int i = 0; i < SEGMENTS; i++) {
        int64_t first = packets_before(sound, i) * sound->ticks;
        int64_t end = packets_before(sound, i + 1) * sound->ticks;
        int64_t shown = end - first - (i == 0 ? PRIMING : 0);
        buf_format(&timeline, "<S t=\"%" PRId64 "\" d=\"%" PRId64 "\"/>", first, end - first);
        buf_format(&playlist, "#EXTINF:%.6f,\n../" SOUND "%05d.m4s\n", (double)shown / SAMPLE_RATE,
                   i + 1);
    }
    buf_string(&playlist, "#EXT-X-ENDLIST\n");
    char *set = strstr(buf_text(mpd), "contentType=\"audio\"");
    char *from = strstr(set, "<SegmentTimeline>") + strlen("<SegmentTimeline>");
    char *to = strstr(from, "</SegmentTimeline>");
    struct buf out = {0};
    buf_append(&out, mpd->data, (size_t)(from - (char *)mpd->data));
    buf_append(&out, timeline.data, timeline.size);
    buf_string(&out, to);
    buf_finish(mpd);
    buf_finish(text);
    buf_finish(&timeline);
    *mpd = out;
    *text = playlist;
    ck_assert(text_replace(mpd, "timescale=\"48000\"",
                           "timescale=\"48000\" presentationTimeOffset=\"1024\"", false));
}

/* The Period and the MPD end with the sound. */
static void sound_end(struct title_fixture *title, const struct sound *sound) {
    int64_t end = packets_before(sound, SEGMENTS) * sound->ticks - PRIMING;
    char *lasts = mem_format("uration=\"PT%.6fS\"", (double)end / SAMPLE_RATE);
    ck_assert(text_replace(title_fixture_bytes(title, MPD), "uration=\"PT6*S\"", lasts, true));
    ck_assert(text_replace(title_fixture_bytes(title, MPD), "minBufferTime=\"PT*S\"",
                           "minBufferTime=\"PT3S\"", false)); /* packets are longer than AAC's */
    mem_free(lasts);
}

void foreign_sound(struct title_fixture *title, const char *entry) {
    const struct sound *sound = sound_of(entry);
    sound_init(title, sound);
    for (int i = 0; i < SEGMENTS; i++) {
        sound_segment(title, sound, i);
    }
    sound_times(title, sound);
    sound_end(title, sound);
    replace_all(title, "mp4a.40.2", sound->codecs);
    title_fixture_bytes(title, "title.json")->size = 0;
}

/* ---- Encryption ------------------------------------------------------------------ */

static void write_scheme(struct buf *out, const char *original, const char *scheme) {
    bool constant = strcmp(scheme, "cbcs") == 0;
    size_t outer = mp4_open(out, "sinf");
    size_t box = mp4_open(out, "frma");
    buf_append(out, original, 4);
    mp4_close(out, box);
    box = mp4_full_open(out, "schm", 0, 0);
    buf_append(out, scheme, 4);
    buf_u32(out, 0x10000);
    mp4_close(out, box);
    size_t inner = mp4_open(out, "schi");
    box = mp4_full_open(out, "tenc", constant ? 1 : 0, 0);
    buf_u8(out, 0);
    buf_u8(out, constant ? 1 << 4 | 9 : 0);
    buf_u8(out, 1);
    buf_u8(out, constant ? 0 : 8);
    for (int i = 1; i <= KEY_ID_BYTES; i++) {
        buf_u8(out, (uint8_t)(17 * (i % 16)));
    }
    if (constant) {
        buf_u8(out, 16);
        buf_zero(out, 16);
    }
    mp4_close(out, box);
    mp4_close(out, inner);
    mp4_close(out, outer);
}

static void seal_init(struct title_fixture *title, const char *path, const char *original,
                      const char *before, const char *scheme) {
    struct buf box = {0};
    bool video = strcmp(original, "avc1") == 0;
    write_scheme(&box, original, scheme);
    memcpy(box_of(title, path, original, 0) - 4, video ? "encv" : "enca", 4);
    box_insert(title, path, box_of(title, path, before, 0) - 8, box.data, box.size);
    buf_finish(&box);
}

/* All of each sample is encrypted but its first two bytes. */
static void seal_sound(struct title_fixture *title, const char *path, const char *scheme) {
    struct buf box = {0};
    size_t mark = mp4_full_open(&box, "senc", 0, 2);
    const uint8_t *run = box_of(title, path, "trun", 0);
    uint32_t count = get_u32(run + 4);
    buf_u32(&box, count);
    for (uint32_t i = 0; i < count; i++) {
        buf_zero(&box, strcmp(scheme, "cbcs") == 0 ? 0 : 8);
        buf_u16(&box, 1);
        buf_u16(&box, 2);
        buf_u32(&box, get_u32(run + 12 + 4 * i) - 2);
    }
    mp4_close(&box, mark);
    box_insert(title, path, run - 8, box.data, box.size);
    uint8_t *offset = box_of(title, path, "trun", 0) + 8;
    put_u32(offset, get_u32(offset) + (uint32_t)box.size);
    buf_finish(&box);
}

void foreign_seal(struct title_fixture *title, const char *scheme) {
    static const char *const playlists[] = {PLAYLIST, SMALLEST, IFRAMES, "$V/h264-90p-iframes.m3u8",
                                            "$V/audio-und-aac-2.m3u8"};
    bool constant = strcmp(scheme, "cbcs") == 0;
    seal_init(title, PICTURES "init.mp4", "avc1", "pasp", scheme);
    seal_init(title, SMALL "init.mp4", "avc1", "pasp", scheme);
    seal_init(title, SOUND "init.mp4", "mp4a", "esds", scheme);
    for (int i = 1; i <= SEGMENTS; i++) {
        char *path = mem_format(SOUND "%05d.m4s", i);
        seal_sound(title, path, scheme);
        mem_free(path);
    }
    char *key = mem_format("#EXT-X-KEY:METHOD=%s,URI=\"skd://1\"\n#EXT-X-MAP",
                           constant ? "SAMPLE-AES" : "SAMPLE-AES-CTR");
    for (size_t i = 0; i < sizeof(playlists) / sizeof(playlists[0]); i++) {
        ck_assert(text_replace(title_fixture_bytes(title, playlists[i]), "#EXT-X-MAP", key, false));
    }
    char *told = mem_format("<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" "
                            "value=\"%s\" cenc:default_KID=\"11223344-5566-7788-99AA-"
                            "bbccddeeff00\"/><Role schemeIdUri",
                            scheme);
    ck_assert(text_replace(title_fixture_bytes(title, MPD), "<Role schemeIdUri", told, true));
    mem_free(key);
    mem_free(told);
    title_fixture_bytes(title, "title.json")->size = 0;
}

/* ---- Rates ----------------------------------------------------------------------- */

static void retell(struct title_fixture *title, const char *path, const char *name,
                   const char *after, int64_t old, int64_t real) {
    char *find = mem_format("%s%" PRId64 "%s", name, old, after);
    char *put = mem_format("%s%" PRId64 "%s", name, real, after);
    text_replace(title_fixture_bytes(title, path), find, put, true);
    mem_free(find);
    mem_free(put);
}

void foreign_retell(struct title_fixture *title) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, title), 0);
    char *rest = NULL;
    char *lines = mem_string(verdict_lines(&verdict));
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int64_t told = 0, real = 0, average = 0;
        const char *peak = strstr(line, " BANDWIDTH=");
        const char *mean = strstr(line, " AVERAGE-BANDWIDTH=");
        const char *dash = strstr(line, "@bandwidth ");
        if (peak != NULL && sscanf(peak, " BANDWIDTH=%" SCNd64 ", and %" SCNd64, &told, &real)) {
            retell(title, MASTER, ":BANDWIDTH=", ",", told, real);
        } else if (mean != NULL &&
                   sscanf(mean, " AVERAGE-BANDWIDTH=%" SCNd64 ", and %" SCNd64, &told, &real)) {
            retell(title, MASTER, "AVERAGE-BANDWIDTH=", ",", told, real);
        } else if (dash != NULL &&
                   sscanf(dash,
                          "@bandwidth %" SCNd64 ", and %" SCNd64 " b/s on average and %" SCNd64,
                          &told, &average, &real) == 3) {
            retell(title, MPD, " bandwidth=\"", "\"", told, real);
        }
    }
    mem_free(lines);
    verdict_finish(&verdict);
}
