/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From decoded frames to a rung's planes: known values of colours, every way of turning,
 * odd sizes, every pixel format there is, and the same bytes on a lesser processor. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "encoder/picture.h"
#include "encoder/upright.h"

Suite *picture_suite(void);

/* What the tables say of a colour. */
struct coding {
    int primaries, transfer, matrix;
    bool full_range;
    int chroma_location;
};

static struct colour colour_of(struct coding coding) {
    return (struct colour){.primaries = coding.primaries,
                           .transfer = coding.transfer,
                           .matrix = coding.matrix,
                           .full_range = coding.full_range,
                           .chroma_location = coding.chroma_location};
}

static const struct coding bt709 = {1, 1, 1, false, -1};

static AVFrame *make_frame(int format, int width, int height) {
    AVFrame *frame = av_frame_alloc();
    frame->format = format;
    frame->width = width;
    frame->height = height;
    ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
    return frame;
}

/* Sets one 8- or 16-bit sample of a plane. */
static void put(AVFrame *frame, int plane, int x, int y, int bytes, int value) {
    uint8_t *at = frame->data[plane] + y * frame->linesize[plane] + x * bytes;
    at[0] = (uint8_t)value;
    if (bytes == 2) {
        at[1] = (uint8_t)(value >> 8);
    }
}

static int get(const struct image *image, const struct image_format *format, int plane, int x,
               int y) {
    const uint8_t *row = image->plane[plane] + y * image->stride[plane];
    return format->bit_depth > 8 ? row[2 * x] | row[2 * x + 1] << 8 : row[x];
}

/* What a rung makes of a frame. */
struct made {
    struct upright *upright;
    struct picture *picture;
    struct image_format format;
    struct image image;
};

static struct video_spec spec_of(int width, int height, enum chroma chroma, int depth,
                                 struct coding coding) {
    return (struct video_spec){.width = width,
                               .height = height,
                               .chroma = chroma,
                               .bit_depth = depth,
                               .colour = colour_of(coding)};
}

static void make(struct made *made, const AVFrame *frame, const struct video_facts *facts,
                 const struct video_spec *spec) {
    struct err err = {0};
    const struct image_format *from = NULL;
    *made = (struct made){.upright = upright_create(facts), .format = image_format_of_spec(spec)};
    int rc = upright_convert(made->upright, frame, false, &from, &made->image, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    if (!image_format_equal(from, &made->format)) {
        rc = picture_create(&made->picture, from, &made->format, &err);
        ck_assert_msg(rc == 0, "%s", err.message);
        rc = picture_convert(made->picture, &made->image, &made->image, &err);
        ck_assert_msg(rc == 0, "%s", err.message);
    }
}

static void made_finish(struct made *made) {
    picture_destroy(made->picture);
    upright_destroy(made->upright);
}

static void hash_made(const struct made *made, char text[SHA256_TEXT]) {
    struct sha256 sha;
    uint8_t out[SHA256_BYTES];
    sha256_init(&sha);
    for (int i = 0; i < (made->format.chroma == CHROMA_400 ? 1 : 3); i++) {
        for (int y = 0; y < image_rows(&made->format, i); y++) {
            sha256_add(&sha, made->image.plane[i] + y * made->image.stride[i],
                       image_row_bytes(&made->format, i));
        }
    }
    sha256_end(&sha, out);
    for (int i = 0; i < SHA256_BYTES; i++) {
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    }
}

/* ---- Colours ---------------------------------------------------------------- */

/* Flat pictures: the values that ITU-R BT.601 and BT.709 give for them, off by `slack` at
 * most. Values are Y, Cb, Cr or G, B, R. */
static const struct {
    const char *what;
    int format;
    struct coding from;
    int in[3];
    struct coding to;
    int depth;
    int out[3];
    int slack;
} flats[] = {
    {"kept",
     AV_PIX_FMT_YUV420P,
     {1, 1, 1, false, -1},
     {17, 99, 201},
     {1, 1, 1, false, -1},
     8,
     {17, 99, 201},
     0},
    {"full to limited, white",
     AV_PIX_FMT_YUVJ420P,
     {1, 1, 1, true, -1},
     {255, 128, 128},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 128},
     0},
    {"full to limited, black",
     AV_PIX_FMT_YUVJ420P,
     {1, 1, 1, true, -1},
     {0, 0, 255},
     {1, 1, 1, false, -1},
     8,
     {16, 16, 240},
     0},
    {"full to limited, grey",
     AV_PIX_FMT_YUV420P,
     {1, 1, 1, true, -1},
     {128, 64, 192},
     {1, 1, 1, false, -1},
     8,
     {126, 72, 184},
     0},
    {"a yuvj format is full whatever the container says",
     AV_PIX_FMT_YUVJ420P,
     {1, 1, 1, false, -1},
     {255, 128, 128},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 128},
     0},
    {"10 bits",
     AV_PIX_FMT_YUV420P10,
     {1, 1, 1, false, -1},
     {940, 512, 64},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 16},
     0},
    {"10 bits are rounded",
     AV_PIX_FMT_YUV420P10,
     {1, 1, 1, false, -1},
     {402, 401, 511},
     {1, 1, 1, false, -1},
     8,
     {100, 100, 128},
     1},
    {"10 bits kept",
     AV_PIX_FMT_YUV420P10,
     {1, 1, 1, false, -1},
     {402, 401, 511},
     {1, 1, 1, false, -1},
     10,
     {402, 401, 511},
     0},
    {"12 bits full",
     AV_PIX_FMT_YUV420P12,
     {1, 1, 1, true, -1},
     {4095, 2048, 2048},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 128},
     0},
    {"RGB white",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {255, 255, 255},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 128},
     0},
    {"RGB yellow",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {255, 0, 255},
     {1, 1, 1, false, -1},
     8,
     {219, 16, 138},
     0},
    {"RGB cyan",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {255, 255, 0},
     {1, 1, 1, false, -1},
     8,
     {188, 154, 16},
     0},
    {"RGB green",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {255, 0, 0},
     {1, 1, 1, false, -1},
     8,
     {173, 42, 26},
     0},
    {"RGB magenta",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {0, 255, 255},
     {1, 1, 1, false, -1},
     8,
     {78, 214, 230},
     0},
    {"RGB red",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {0, 0, 255},
     {1, 1, 1, false, -1},
     8,
     {63, 102, 240},
     0},
    {"RGB blue",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {0, 255, 0},
     {1, 1, 1, false, -1},
     8,
     {32, 240, 118},
     0},
    {"RGB red in BT.601",
     AV_PIX_FMT_GBRP,
     {6, 6, 0, true, -1},
     {0, 0, 255},
     {6, 6, 6, false, -1},
     8,
     {81, 90, 240},
     0},
    {"RGB kept",
     AV_PIX_FMT_GBRP,
     {1, 1, 0, true, -1},
     {3, 77, 201},
     {1, 1, 0, true, -1},
     8,
     {3, 77, 201},
     0},
    {"BT.601 green as BT.709",
     AV_PIX_FMT_YUV420P,
     {1, 1, 6, false, -1},
     {145, 54, 34},
     {1, 1, 1, false, -1},
     8,
     {173, 42, 26},
     1},
    {"BT.470BG is SMPTE 170M",
     AV_PIX_FMT_YUV420P,
     {6, 6, 5, false, -1},
     {145, 54, 34},
     {6, 6, 6, false, -1},
     8,
     {145, 54, 34},
     0},
    {"unknown is taken as it is",
     AV_PIX_FMT_YUV420P,
     {2, 2, 2, false, -1},
     {145, 54, 34},
     {1, 1, 1, false, -1},
     8,
     {145, 54, 34},
     0},
    {"grey",
     AV_PIX_FMT_GRAY8,
     {1, 1, 1, false, -1},
     {77, 0, 0},
     {1, 1, 1, false, -1},
     8,
     {77, 128, 128},
     0},
    {"grey, full",
     AV_PIX_FMT_GRAY8,
     {1, 1, 1, true, -1},
     {255, 0, 0},
     {1, 1, 1, false, -1},
     8,
     {235, 128, 128},
     0},
};

static bool is_16_bit(int format) {
    return format == AV_PIX_FMT_YUV420P10 || format == AV_PIX_FMT_YUV420P12;
}

static void fill_flat(AVFrame *frame, const int values[3]) {
    int bytes = is_16_bit(frame->format) ? 2 : 1;
    bool whole = frame->format == AV_PIX_FMT_GBRP;
    for (int plane = 0; plane < 3 && frame->data[plane] != NULL; plane++) {
        int shift = plane > 0 && !whole;
        for (int y = 0; y < frame->height >> shift; y++) {
            for (int x = 0; x < frame->width >> shift; x++) {
                put(frame, plane, x, y, bytes, values[plane]);
            }
        }
    }
}

START_TEST(flat_pictures_have_known_values) {
    bool rgb = flats[_i].to.matrix == 0;
    for (int scaled = 0; scaled < 2; scaled++) {
        AVFrame *frame = make_frame(flats[_i].format, 64, 48);
        const struct video_facts facts = {.colour = colour_of(flats[_i].from)};
        struct video_spec spec = spec_of(scaled ? 40 : 64, scaled ? 30 : 48,
                                         rgb ? CHROMA_444 : CHROMA_420, flats[_i].depth,
                                         flats[_i].to);
        fill_flat(frame, flats[_i].in);
        struct made made;
        make(&made, frame, &facts, &spec);
        for (int plane = 0; plane < 3; plane++) {
            for (int at = 0; at < 15; at++) {
                int value = get(&made.image, &made.format, plane, at, at);
                ck_assert_msg(abs(value - flats[_i].out[plane]) <= flats[_i].slack,
                              "%s: plane %d at %d is %d, not %d", flats[_i].what, plane, at, value,
                              flats[_i].out[plane]);
            }
        }
        made_finish(&made);
        av_frame_free(&frame);
    }
}
END_TEST

START_TEST(impossible_colours_are_refused) {
    struct err err = {0};
    struct picture *picture = NULL;
    struct video_spec spec = spec_of(64, 48, CHROMA_420, 8, bt709);
    struct image_format from = image_format_of_spec(&spec);
    from.colour.matrix = 200;
    struct image_format to = image_format_of_spec(&spec);
    ck_assert_int_eq(picture_create(&picture, &from, &to, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_null(picture);
    ck_assert_ptr_nonnull(strstr(err.message, "zimg"));
}
END_TEST

/* ---- Turning ---------------------------------------------------------------- */

enum { WIDE = 64, HIGH = 32 };

/* A picture of four corners: 1 2 over 3 4, times 40, in all planes. */
static AVFrame *corners(int format, bool halved_x, bool halved_y) {
    AVFrame *frame = make_frame(format, WIDE, HIGH);
    for (int plane = 0; plane < 3; plane++) {
        int width = plane > 0 && halved_x ? WIDE / 2 : WIDE;
        int height = plane > 0 && halved_y ? HIGH / 2 : HIGH;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int corner = 1 + (x >= width / 2) + 2 * (y >= height / 2);
                put(frame, plane, x, y, 1, corner * 40 + plane);
            }
        }
    }
    return frame;
}

static const struct {
    int rotation;
    bool mirrored;
    int corner[4]; /* that end up left and right at the top, left and right at the bottom */
} turns[] = {
    {0, false, {1, 2, 3, 4}},   {90, false, {3, 1, 4, 2}}, {180, false, {4, 3, 2, 1}},
    {270, false, {2, 4, 1, 3}}, {0, true, {2, 1, 4, 3}},   {90, true, {4, 2, 3, 1}},
    {180, true, {3, 4, 1, 2}},  {270, true, {1, 3, 2, 4}},
};

static const struct {
    int format;
    enum chroma chroma;
    bool halved_x;
    bool halved_y;
} layouts[] = {
    {AV_PIX_FMT_YUV420P, CHROMA_420, true, true},
    {AV_PIX_FMT_YUV422P, CHROMA_422, true, false},
    {AV_PIX_FMT_YUV444P, CHROMA_444, false, false},
    {AV_PIX_FMT_YUV440P, CHROMA_420, false, true},
};

START_TEST(pictures_are_turned_upright) {
    bool quarter = turns[_i].rotation % 180 != 0;
    const struct video_facts facts = {
        .colour = colour_of(bt709), .rotation = turns[_i].rotation, .mirrored = turns[_i].mirrored};
    for (size_t l = 0; l < sizeof(layouts) / sizeof(layouts[0]); l++) {
        AVFrame *frame = corners(layouts[l].format, layouts[l].halved_x, layouts[l].halved_y);
        struct video_spec spec =
            spec_of(quarter ? HIGH : WIDE, quarter ? WIDE : HIGH, layouts[l].chroma, 8, bt709);
        struct made made;
        make(&made, frame, &facts, &spec);
        for (int plane = 0; plane < 3; plane++) {
            int rows = image_rows(&made.format, plane);
            int columns = (int)image_row_bytes(&made.format, plane);
            for (int c = 0; c < 4; c++) {
                int x = c % 2 == 0 ? columns / 4 : columns * 3 / 4;
                int y = c / 2 == 0 ? rows / 4 : rows * 3 / 4;
                int value = get(&made.image, &made.format, plane, x, y);
                ck_assert_msg(abs(value - (turns[_i].corner[c] * 40 + plane)) <= 1,
                              "%d%s, layout %zu, plane %d, corner %d is %d", turns[_i].rotation,
                              turns[_i].mirrored ? " mirrored" : "", l, plane, c, value);
            }
        }
        made_finish(&made);
        av_frame_free(&frame);
    }
}
END_TEST

/* Chroma that rises evenly along the picture's long side stays where it is: a sample
 * moved by half a chroma sample would be off by 3. */
START_TEST(turning_keeps_chroma_on_its_luma) {
    enum { SLOPE = 3, FIRST = 30 };
    bool quarter = turns[_i].rotation % 180 != 0;
    for (int location = 0; location < 6; location++) {
        AVFrame *frame = make_frame(AV_PIX_FMT_YUV420P, WIDE, WIDE);
        struct colour colour = colour_of(bt709);
        colour.chroma_location = location;
        const struct video_facts facts = {
            .colour = colour, .rotation = turns[_i].rotation, .mirrored = turns[_i].mirrored};
        bool centred = location % 2 == 1;
        double down = location < 2 ? 0.5 : location < 4 ? 0 : 1;
        memset(frame->data[0], 16, (size_t)frame->linesize[0] * WIDE);
        for (int y = 0; y < WIDE / 2; y++) {
            for (int x = 0; x < WIDE / 2; x++) {
                put(frame, 1, x, y, 1, (int)(FIRST + SLOPE * (2 * x + (centred ? 0.5 : 0)) + 0.5));
                put(frame, 2, x, y, 1, (int)(FIRST + SLOPE * (2 * y + down) + 0.5));
            }
        }
        struct video_spec spec = spec_of(WIDE, WIDE, CHROMA_420, 8, bt709);
        struct made made;
        make(&made, frame, &facts, &spec);
        for (int at = 8; at < WIDE / 2 - 8; at++) {
            /* where on the source output sample (at, 20) lies: left of its luma, halfway down */
            double x = 2 * at;
            double y = 2 * 20 + 0.5;
            double across = turns[_i].rotation == 0     ? x
                            : turns[_i].rotation == 180 ? WIDE - 1 - x
                            : turns[_i].rotation == 90  ? y
                                                        : WIDE - 1 - y;
            double along = turns[_i].rotation == 0     ? y
                           : turns[_i].rotation == 180 ? WIDE - 1 - y
                           : turns[_i].rotation == 90  ? WIDE - 1 - x
                                                       : x;
            across = turns[_i].mirrored ? WIDE - 1 - across : across;
            double cb = FIRST + SLOPE * across;
            double cr = FIRST + SLOPE * along;
            int found_cb = get(&made.image, &made.format, 1, at, 20);
            int found_cr = get(&made.image, &made.format, 2, at, 20);
            ck_assert_msg(found_cb > cb - 1.6 && found_cb < cb + 1.6 && found_cr > cr - 1.6 &&
                              found_cr < cr + 1.6,
                          "location %d, %d%s, sample %d: %d %d, not %.1f %.1f", location,
                          turns[_i].rotation, turns[_i].mirrored ? " mirrored" : "", at, found_cb,
                          found_cr, cb, cr);
        }
        ck_assert_int_eq(quarter || made.format.width == WIDE, 1);
        made_finish(&made);
        av_frame_free(&frame);
    }
}
END_TEST

/* ---- Sizes ------------------------------------------------------------------ */

/* An odd last column or row has no place in 4:2:0: it goes, and nothing is resampled. */
START_TEST(odd_sizes_lose_a_column_not_their_sharpness) {
    AVFrame *frame = make_frame(AV_PIX_FMT_YUV420P, 33, 19);
    for (int y = 0; y < 19; y++) {
        for (int x = 0; x < 33; x++) {
            put(frame, 0, x, y, 1, (x * 7 + y * 31) % 220 + 16);
            put(frame, 1, x / 2, y / 2, 1, x / 2 * 5 + 16);
            put(frame, 2, x / 2, y / 2, 1, y / 2 * 9 + 16);
        }
    }
    const struct video_facts facts = {.colour = colour_of(bt709)};
    struct video_spec spec = spec_of(32, 18, CHROMA_420, 8, bt709);
    struct made made;
    make(&made, frame, &facts, &spec);
    for (int y = 0; y < 18; y++) {
        for (int x = 0; x < 32; x++) {
            ck_assert_int_eq(get(&made.image, &made.format, 0, x, y), (x * 7 + y * 31) % 220 + 16);
            ck_assert_int_eq(get(&made.image, &made.format, 1, x / 2, y / 2), x / 2 * 5 + 16);
        }
    }
    made_finish(&made);
    av_frame_free(&frame);
}
END_TEST

/* A decoder that crops gives planes that no vector instruction may read. */
START_TEST(misaligned_planes_are_moved) {
    AVFrame *frame = make_frame(AV_PIX_FMT_YUV420P, 96, 64);
    for (int plane = 0; plane < 3; plane++) {
        for (int y = 0; y < (plane > 0 ? 32 : 64); y++) {
            for (int x = 0; x < (plane > 0 ? 48 : 96); x++) {
                put(frame, plane, x, y, 1, x + 20);
            }
        }
    }
    for (int plane = 0; plane < 3; plane++) {
        frame->data[plane] += plane > 0 ? 3 : 6;
    }
    frame->width = 80;
    const struct video_facts facts = {.colour = colour_of(bt709)};
    struct video_spec spec = spec_of(40, 32, CHROMA_420, 8, bt709);
    struct made made;
    make(&made, frame, &facts, &spec);
    ck_assert_int_le(abs(get(&made.image, &made.format, 0, 10, 16) - (26 + 20)), 1);
    made_finish(&made);
    av_frame_free(&frame);
}
END_TEST

START_TEST(scaling_keeps_edges_in_place) {
    AVFrame *frame = make_frame(AV_PIX_FMT_YUV420P, 640, 360);
    for (int y = 0; y < 360; y++) {
        for (int x = 0; x < 640; x++) {
            put(frame, 0, x, y, 1, x < 400 ? 16 : 235);
        }
    }
    memset(frame->data[1], 128, (size_t)frame->linesize[1] * 180);
    memset(frame->data[2], 128, (size_t)frame->linesize[2] * 180);
    const struct video_facts facts = {.colour = colour_of(bt709)};
    struct video_spec spec =
        spec_of(320, 240, CHROMA_420, 8, bt709); /* square pixels of 2:3 ones */
    struct made made;
    make(&made, frame, &facts, &spec);
    for (int y = 0; y < 240; y += 20) {
        ck_assert_int_le(get(&made.image, &made.format, 0, 196, y), 18);
        ck_assert_int_ge(get(&made.image, &made.format, 0, 203, y), 233);
    }
    made_finish(&made);
    av_frame_free(&frame);
}
END_TEST

START_TEST(size_and_format_may_change_on_the_way) {
    static const struct {
        int format, width, height;
    } steps[] = {{AV_PIX_FMT_YUV420P, 64, 48},
                 {AV_PIX_FMT_YUV444P, 64, 48},
                 {AV_PIX_FMT_YUV444P, 32, 96},
                 {AV_PIX_FMT_NV12, 64, 48},
                 {AV_PIX_FMT_YUV420P, 64, 48}};
    const struct video_facts facts = {.colour = colour_of(bt709), .rotation = 90};
    struct upright *upright = upright_create(&facts);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct err err = {0};
        AVFrame *frame = make_frame(steps[i].format, steps[i].width, steps[i].height);
        memset(frame->buf[0]->data, 100, frame->buf[0]->size);
        const struct image_format *format = NULL;
        struct image image;
        ck_assert_int_eq(upright_convert(upright, frame, false, &format, &image, &err), 0);
        ck_assert_int_eq(format->width, steps[i].height);
        ck_assert_int_eq(format->height, steps[i].width);
        ck_assert_int_eq(get(&image, format, 0, 5, 5), 100);
        av_frame_free(&frame);
    }
    upright_destroy(upright);
}
END_TEST

/* ---- Pixel formats ------------------------------------------------------------ */

/* One pixel value, as bytes of its layout, and what comes of it. */
static const struct {
    int format;
    int count;
    uint8_t bytes[8]; /* repeated through each row */
    enum chroma chroma;
    int depth;
    int out[3]; /* Y, Cb, Cr or G, B, R */
} packed[] = {
    {AV_PIX_FMT_RGB24, 3, {10, 20, 30}, CHROMA_444, 8, {20, 30, 10}},
    {AV_PIX_FMT_BGRA, 4, {10, 20, 30, 77}, CHROMA_444, 8, {20, 10, 30}},
    {AV_PIX_FMT_ARGB, 4, {77, 10, 20, 30}, CHROMA_444, 8, {20, 30, 10}},
    {AV_PIX_FMT_RGB565LE, 2, {0x1f, 0xf8}, CHROMA_444, 8, {0, 255, 255}},
    {AV_PIX_FMT_RGB48LE,
     6,
     {0x34, 0x12, 0x78, 0x56, 0xbc, 0x9a},
     CHROMA_444,
     16,
     {0x5678, 0x9abc, 0x1234}},
    {AV_PIX_FMT_YUYV422, 4, {50, 60, 50, 70}, CHROMA_422, 8, {50, 60, 70}},
    {AV_PIX_FMT_UYVY422, 4, {60, 50, 70, 50}, CHROMA_422, 8, {50, 60, 70}},
    {AV_PIX_FMT_YA8, 2, {50, 99}, CHROMA_400, 8, {50, 0, 0}},
    {AV_PIX_FMT_GRAY10BE, 2, {0x02, 0x5a}, CHROMA_400, 10, {0x25a, 0, 0}},
};

START_TEST(packed_formats_are_unpacked) {
    AVFrame *frame = make_frame(packed[_i].format, 32, 16);
    for (int y = 0; y < 16; y++) {
        for (int x = 0; x < frame->linesize[0]; x++) {
            frame->data[0][y * frame->linesize[0] + x] = packed[_i].bytes[x % packed[_i].count];
        }
    }
    struct err err = {0};
    const struct video_facts facts = {.colour = colour_of(bt709)};
    struct upright *upright = upright_create(&facts);
    const struct image_format *format = NULL;
    struct image image;
    ck_assert_int_eq(upright_convert(upright, frame, false, &format, &image, &err), 0);
    ck_assert_int_eq(format->chroma, packed[_i].chroma);
    ck_assert_int_eq(format->bit_depth, packed[_i].depth);
    for (int plane = 0; plane < (packed[_i].chroma == CHROMA_400 ? 1 : 3); plane++) {
        for (int y = 0; y < 16; y += 5) {
            ck_assert_int_eq(get(&image, format, plane, 15, y), packed[_i].out[plane]);
        }
    }
    upright_destroy(upright);
    av_frame_free(&frame);
}
END_TEST

START_TEST(palettes_are_looked_up) {
    AVFrame *frame = make_frame(AV_PIX_FMT_PAL8, 32, 16);
    memset(frame->data[0], 7, (size_t)frame->linesize[0] * 16);
    memset(frame->data[1], 0, 1024);
    const uint32_t colour = 0xff102030u; /* A, R, G, B */
    memcpy(frame->data[1] + 4 * 7, &colour, sizeof(colour));
    struct err err = {0};
    const struct video_facts facts = {.colour = colour_of(bt709)};
    struct upright *upright = upright_create(&facts);
    const struct image_format *format = NULL;
    struct image image;
    ck_assert_int_eq(upright_convert(upright, frame, false, &format, &image, &err), 0);
    ck_assert(format->rgb && format->colour.full_range);
    ck_assert_int_eq(get(&image, format, 0, 31, 15), 0x20);
    ck_assert_int_eq(get(&image, format, 1, 31, 15), 0x30);
    ck_assert_int_eq(get(&image, format, 2, 31, 15), 0x10);
    upright_destroy(upright);
    av_frame_free(&frame);
}
END_TEST

/* Every pixel format of libavutil, turned and not, becomes a picture or a sentence. */
START_TEST(no_pixel_format_does_harm) {
    int made_count = 0;
    for (int format = 0; format < AV_PIX_FMT_NB; format++) {
        AVFrame *frame = av_frame_alloc();
        frame->format = format;
        frame->width = 37;
        frame->height = 23;
        if (av_frame_get_buffer(frame, 0) < 0) {
            av_frame_free(&frame);
            continue; /* lives on an accelerator */
        }
        for (int plane = 0; plane < 4 && frame->buf[plane] != NULL; plane++) {
            for (size_t i = 0; i < (size_t)frame->buf[plane]->size; i++) {
                frame->buf[plane]->data[i] = (uint8_t)(i * 7);
            }
        }
        for (int rotation = 0; rotation < 360; rotation += 90) {
            struct err err = {0};
            const struct video_facts facts = {.colour = colour_of(bt709), .rotation = rotation};
            struct upright *upright = upright_create(&facts);
            struct picture *picture = NULL;
            const struct image_format *from = NULL;
            struct image image;
            struct video_spec spec = spec_of(24, 16, CHROMA_420, 8, bt709);
            struct image_format to = image_format_of_spec(&spec);
            int rc = upright_convert(upright, frame, false, &from, &image, &err);
            if (rc == 0) {
                rc = picture_create(&picture, from, &to, &err);
                ck_assert_msg(rc == 0, "format %d: %s", format, err.message);
                ck_assert_int_eq(picture_convert(picture, &image, &image, &err), 0);
                made_count++;
            } else {
                ck_assert_int_eq(rc, ERR_UNSUPPORTED);
            }
            picture_destroy(picture);
            upright_destroy(upright);
        }
        av_frame_free(&frame);
    }
    ck_assert_int_gt(made_count, 4 * 100);
}
END_TEST

/* ---- Processors --------------------------------------------------------------- */

/* Large, since float kernels differ in one sample of a hundred thousand. */
static const struct {
    int format;
    struct coding from;
    int width, height;
    struct coding to;
    enum chroma chroma;
    int depth;
} conversions[] = {
    {AV_PIX_FMT_YUV420P, {1, 1, 1, false, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P, {1, 1, 1, false, 1}, 1920, 1082, {1, 1, 1, false, 0}, CHROMA_420, 8},
    {AV_PIX_FMT_YUVJ420P, {1, 1, 1, true, -1}, 1280, 720, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P, {1, 1, 1, true, -1}, 1200, 676, {1, 1, 1, true, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV422P10, {1, 1, 1, false, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P10, {1, 1, 1, true, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P12, {1, 1, 1, true, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P12, {1, 1, 1, false, -1}, 1200, 676, {1, 1, 1, true, -1}, CHROMA_420, 10},
    {AV_PIX_FMT_YUV420P, {6, 6, 6, false, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_YUV420P, {9, 14, 9, false, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_GBRP, {1, 1, 0, true, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
    {AV_PIX_FMT_GRAY8, {1, 1, 1, true, -1}, 1200, 676, {1, 1, 1, false, -1}, CHROMA_420, 8},
};

static void convert_noise(int i, char hash[SHA256_TEXT]) {
    AVFrame *frame = make_frame(conversions[i].format, 1280, 720);
    unsigned seed = 1;
    unsigned top = conversions[i].format == AV_PIX_FMT_YUV420P12 ? 4096 : 1024;
    bool wide = is_16_bit(conversions[i].format) || conversions[i].format == AV_PIX_FMT_YUV422P10;
    for (int plane = 0; plane < 3 && frame->buf[plane] != NULL; plane++) {
        uint8_t *data = frame->buf[plane]->data;
        for (size_t k = 0; k + 1 < (size_t)frame->buf[plane]->size; k += 2) {
            seed = seed * 1103515245u + 12345u;
            unsigned value = seed >> 8;
            data[k] = (uint8_t)value;
            data[k + 1] = (uint8_t)(wide ? value % top >> 8 : value >> 8);
        }
    }
    const struct video_facts facts = {.colour = colour_of(conversions[i].from)};
    struct video_spec spec = spec_of(conversions[i].width, conversions[i].height,
                                     conversions[i].chroma, conversions[i].depth,
                                     conversions[i].to);
    struct made made;
    make(&made, frame, &facts, &spec);
    hash_made(&made, hash);
    made_finish(&made);
    av_frame_free(&frame);
}

START_TEST(bytes_do_not_hang_on_the_processor) {
    char here[SHA256_TEXT];
    char baseline[SHA256_TEXT];
    convert_noise(_i, here);
    encoder_use_baseline_cpu();
    convert_noise(_i, baseline);
    ck_assert_str_eq(here, baseline);
}
END_TEST

/* The integer kernels are used where they are said to be exact: every value of every
 * depth, both ranges, comes out the same. */
START_TEST(every_value_is_converted_the_same) {
    for (int processor = 0; processor < 2; processor++) {
        static uint8_t kept[2][9][2][65536][2];
        for (int depth = 8; depth <= 16; depth++) {
            for (int full = 0; full < (depth <= 10 ? 2 : 1); full++) {
                struct video_spec spec = spec_of(256, 256, CHROMA_444, depth, bt709);
                struct image_format from = image_format_of_spec(&spec);
                from.colour.full_range = full;
                spec.bit_depth = 8;
                struct image_format to = image_format_of_spec(&spec);
                static _Alignas(64) uint16_t words[65536];
                static _Alignas(64) uint8_t bytes[65536];
                for (int i = 0; i < 65536; i++) {
                    words[i] = (uint16_t)(i & ((1 << depth) - 1));
                    bytes[i] = (uint8_t)i;
                }
                const void *samples = depth > 8 ? (const void *)words : bytes;
                ptrdiff_t stride = depth > 8 ? 512 : 256;
                const struct image image = {{samples, samples, samples}, {stride, stride, stride}};
                struct image out = image;
                struct err err = {0};
                struct picture *picture = NULL;
                if (!image_format_equal(&from, &to)) {
                    ck_assert_int_eq(picture_create(&picture, &from, &to, &err), 0);
                    ck_assert_int_eq(picture_convert(picture, &image, &out, &err), 0);
                }
                for (int i = 0; i < 65536; i++) {
                    kept[processor][depth - 8][full][i][0] =
                        out.plane[0][i / 256 * out.stride[0] + i % 256];
                    kept[processor][depth - 8][full][i][1] =
                        out.plane[1][i / 256 * out.stride[1] + i % 256];
                }
                if (processor == 1) {
                    ck_assert_msg(memcmp(kept[0][depth - 8][full], kept[1][depth - 8][full],
                                         sizeof(kept[0][0][0])) == 0,
                                  "depth %d, range %d", depth, full);
                }
                picture_destroy(picture);
            }
        }
        encoder_use_baseline_cpu();
    }
}
END_TEST

Suite *picture_suite(void) {
    Suite *suite = suite_create("picture");
    TCase *colours = tcase_create("colours");
    tcase_add_loop_test(colours, flat_pictures_have_known_values, 0,
                        sizeof(flats) / sizeof(flats[0]));
    tcase_add_test(colours, impossible_colours_are_refused);
    suite_add_tcase(suite, colours);
    TCase *turning = tcase_create("turning");
    tcase_add_loop_test(turning, pictures_are_turned_upright, 0, sizeof(turns) / sizeof(turns[0]));
    tcase_add_loop_test(turning, turning_keeps_chroma_on_its_luma, 0,
                        sizeof(turns) / sizeof(turns[0]));
    suite_add_tcase(suite, turning);
    TCase *sizes = tcase_create("sizes");
    tcase_add_test(sizes, odd_sizes_lose_a_column_not_their_sharpness);
    tcase_add_test(sizes, misaligned_planes_are_moved);
    tcase_add_test(sizes, scaling_keeps_edges_in_place);
    tcase_add_test(sizes, size_and_format_may_change_on_the_way);
    suite_add_tcase(suite, sizes);
    TCase *formats = tcase_create("formats");
    tcase_add_loop_test(formats, packed_formats_are_unpacked, 0,
                        sizeof(packed) / sizeof(packed[0]));
    tcase_add_test(formats, palettes_are_looked_up);
    tcase_add_test(formats, no_pixel_format_does_harm);
    suite_add_tcase(suite, formats);
    TCase *processors = tcase_create("processors");
    tcase_add_loop_test(processors, bytes_do_not_hang_on_the_processor, 0,
                        sizeof(conversions) / sizeof(conversions[0]));
    tcase_add_test(processors, every_value_is_converted_the_same);
    suite_add_tcase(suite, processors);
    return suite;
}
