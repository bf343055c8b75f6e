/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MPD's sheets of thumbnails (DASH-IF IOP 4.3, 6.2.6): by themselves, then against the
 * storyboard that title.json tells of, whose files verify_images.c has looked at. See verify.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

enum { SIDE_MAX = 1000 };

/* "5x5" -> columns, rows; false for what is no such thing. */
static bool read_tile(const char *text, int *columns, int *rows) {
    char *end = NULL;
    long across = strtol(text, &end, 10);
    if (end == text || *end != 'x') {
        return false;
    }
    const char *rest = end + 1;
    long down = strtol(rest, &end, 10);
    if (end == rest || *end != '\0' || across < 1 || across > SIDE_MAX || down < 1 ||
        down > SIDE_MAX) {
        return false;
    }
    *columns = (int)across;
    *rows = (int)down;
    return true;
}

/* The path of sheet `index`; NULL where the reference is none of the title. */
static const char *sheet_path(struct verify *v, const struct mpd_tiles *tiles, size_t index) {
    const char *base = mpd_path;
    for (int i = 0; i < MPD_BASES_MAX && base != NULL; i++) {
        if (tiles->bases[i][0] != '\0') {
            base = verify_resolve(v, base, tiles->bases[i]);
        }
    }
    return base != NULL ? verify_resolve(v, base, tiles->sheets[index]) : NULL;
}

/* Each sheet that players would ask for. */
static void check_sheets(struct verify *v, const struct mpd_tiles *tiles, const char *place) {
    bool told = false;
    int64_t largest = 0;
    for (size_t i = 0; i < tiles->sheet_count; i++) {
        const char *path = sheet_path(v, tiles, i);
        const struct real_image *image = path != NULL ? verify_image_at(v, path) : NULL;
        if (image == NULL || image->width == 0) {
            continue;
        }
        largest = image->bytes > largest ? image->bytes : largest;
        if (!told && (image->width != tiles->width || image->height != tiles->height)) {
            verify_found(
                v, RULE_DASH_TILES, mpd_path,
                "Representation %.60s%s is of sheets of %" PRId64 "x%" PRId64 ", and %s is %dx%d",
                tiles->id, place, tiles->width, tiles->height, path, image->width, image->height);
            told = true;
        }
    }
    double bps = 8 * (double)largest * (double)tiles->timescale / (double)tiles->duration;
    if ((double)tiles->bandwidth < bps) {
        verify_found(v, RULE_DASH_TILES, mpd_path,
                     "Representation %.60s%s declares @bandwidth %" PRId64
                     ", and its largest sheet takes %.0f b/s",
                     tiles->id, place, tiles->bandwidth, bps);
    }
}

/* Against what title.json tells; what each is by itself was told before. */
static void check_agreement(struct verify *v, const struct mpd_tiles *tiles, int columns,
                            int rows) {
    const struct told_storyboard *board = &v->storyboard;
    const struct image_spec *spec = &board->spec;
    struct rational rate = v->timeline.rate;
    if (columns != spec->columns || rows != spec->rows) {
        verify_found(v, RULE_STORYBOARD_AGREE, mpd_path,
                     "a sheet has %dx%d pictures by thumbnail_tile, and %dx%d by title.json",
                     columns, rows, spec->columns, spec->rows);
    }
    int64_t frames = spec->interval_frames * spec->columns * spec->rows;
    struct rational lasts = rational_of(tiles->duration, tiles->timescale);
    if (rate.num > 0 && rational_compare(lasts, rational_of(frames * rate.den, rate.num)) != 0) {
        verify_found(v, RULE_STORYBOARD_AGREE, mpd_path,
                     "a sheet lasts %" PRId64 "/%" PRId64 " s by @duration, and %" PRId64
                     " frames by title.json",
                     tiles->duration, tiles->timescale, frames);
    }
    bool same = tiles->sheet_count == board->sheet_count;
    for (size_t i = 0; i < tiles->sheet_count && same; i++) {
        const char *path = sheet_path(v, tiles, i);
        same = path != NULL && board->sheets[i] != NULL && strcmp(path, board->sheets[i]) == 0;
    }
    if (!same) {
        verify_found(v, RULE_STORYBOARD_AGREE, mpd_path,
                     "@media names %zu sheets in the Period, and title.json tells of %zu, or of "
                     "others",
                     tiles->sheet_count, board->sheet_count);
    }
}

static void check_tiles(struct verify *v, const struct mpd_tiles *tiles, const char *place) {
    int columns = 0, rows = 0;
    const char *fault = NULL;
    if (!read_tile(tiles->tile, &columns, &rows)) {
        fault = "no EssentialProperty thumbnail_tile of COLUMNSxROWS";
    } else if (strcmp(tiles->mime_type, "image/jpeg") != 0) {
        fault = "another @mimeType than image/jpeg";
    } else if (tiles->sheet_count == 0) {
        fault = "no SegmentTemplate with @media and @duration";
    } else if (tiles->width < columns || tiles->height < rows || tiles->width % columns != 0 ||
               tiles->height % rows != 0) {
        fault = "sheets that its pictures do not fill";
    }
    if (fault != NULL) {
        verify_found(v, RULE_DASH_TILES, mpd_path, "Representation %.60s%s has %s", tiles->id,
                     place, fault);
    }
    if (tiles->sheet_count > 0) {
        check_sheets(v, tiles, place);
    }
    if (v->storyboard.told && columns > 0 && tiles->sheet_count > 0) {
        check_agreement(v, tiles, columns, rows);
    }
}

void verify_tiles(struct verify *v) {
    if (!v->has_dash) {
        return;
    }
    bool any = false;
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        const struct dash_period *period = &v->periods[p];
        any = any || period->told->tiles_count > 0;
        for (size_t i = 0; i < period->told->tiles_count; i++) {
            check_tiles(v, &period->told->tiles[i], period->place);
        }
    }
    if (v->document != NULL && v->storyboard.told != any) {
        verify_found(v, RULE_STORYBOARD_AGREE, mpd_path,
                     v->storyboard.told ? "title.json tells of a storyboard, and no AdaptationSet "
                                          "of images is here"
                                        : "it has images, and title.json tells of no storyboard");
    }
}
