/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebVTT files line by line: see webvtt.h. */
#include "webvtt.h"

#include <inttypes.h>
#include <string.h>

#include "manifest_number.h"

enum {
    MAP_TICKS_MAX_BITS = 33, /* of a presentation time of MPEG-2 systems */
    MAP_TICKS_A_MS = 90,
};

static const char map_name[] = "X-TIMESTAMP-MAP=";

/* A line without its end; not a string. */
struct line {
    const char *at;
    size_t size;
};

struct webvtt_reading {
    struct webvtt *out;
    const char *at;
    const char *end;
    int number; /* of the line that was read last */
    struct err *err;
};

static int fail(const struct webvtt_reading *r, const char *why) {
    return err_set(r->err, ERR_CORRUPT, "line %d: %s", r->number, why);
}

/* False at the end of the file. A line ends with CR, LF or both (WebVTT 4.1). */
static bool next_line(struct webvtt_reading *r, struct line *out) {
    if (r->at == r->end) {
        return false;
    }
    const char *stop = r->at;
    while (stop < r->end && *stop != '\n' && *stop != '\r') {
        stop++;
    }
    *out = (struct line){r->at, (size_t)(stop - r->at)};
    bool pair = r->end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n';
    r->at = stop < r->end ? stop + (pair ? 2 : 1) : r->end;
    r->number++;
    return true;
}

static bool begins(struct line line, const char *text) {
    size_t length = strlen(text);
    return line.size >= length && memcmp(line.at, text, length) == 0;
}

/* Whether the line is that word, or goes on behind it with a blank. */
static bool is_word(struct line line, const char *word) {
    size_t length = strlen(word);
    return begins(line, word) &&
           (line.size == length || line.at[length] == ' ' || line.at[length] == '\t');
}

static const char *find_arrow(struct line line) {
    return memmem(line.at, line.size, "-->", 3);
}

static void skip(struct line *line, size_t size) {
    line->at += size;
    line->size -= size;
}

/* False where there are none. */
static bool skip_blanks(struct line *line) {
    size_t count = 0;
    while (count < line->size && (line->at[count] == ' ' || line->at[count] == '\t')) {
        count++;
    }
    skip(line, count);
    return count > 0;
}

/* ---- Times ----------------------------------------------------------------------- */

/* Digits at the line's head, at least `least` and at most `most` of them. */
static bool read_digits(struct line *line, size_t least, size_t most, int64_t *out) {
    size_t count = 0;
    *out = 0;
    while (count < line->size && count < most && line->at[count] >= '0' && line->at[count] <= '9') {
        *out = 10 * *out + (line->at[count] - '0');
        count++;
    }
    skip(line, count);
    return count >= least;
}

static bool read_mark(struct line *line, char mark) {
    bool there = line->size > 0 && line->at[0] == mark;
    skip(line, there ? 1 : 0);
    return there;
}

/* "01:02:03.004", or without hours. */
static bool read_time(struct line *line, int64_t *ms) {
    int64_t parts[3] = {0};
    int64_t thousandths;
    struct line rest = *line;
    if (!read_digits(&rest, 2, 8, &parts[1]) || !read_mark(&rest, ':') ||
        !read_digits(&rest, 2, 2, &parts[2])) {
        return false;
    }
    if (read_mark(&rest, ':')) {
        parts[0] = parts[1];
        parts[1] = parts[2];
        if (!read_digits(&rest, 2, 2, &parts[2])) {
            return false;
        }
    }
    if (!read_mark(&rest, '.') || !read_digits(&rest, 3, 3, &thousandths) || parts[1] > 59 ||
        parts[2] > 59) {
        return false;
    }
    *ms = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + thousandths;
    *line = rest;
    return *ms <= MANIFEST_SECONDS_MAX * (int64_t)1000;
}

/* ---- The file's head ------------------------------------------------------------- */

/* "MPEGTS:900000,LOCAL:00:00:00.000", in either order. */
static int read_map(struct webvtt_reading *r, struct line line) {
    int64_t ticks = -1;
    int64_t local_ms = -1;
    if (r->out->has_map) {
        return fail(r, "X-TIMESTAMP-MAP stands twice");
    }
    skip(&line, strlen(map_name));
    for (int i = 0; i < 2; i++) {
        bool good = false;
        if (begins(line, "MPEGTS:")) {
            skip(&line, strlen("MPEGTS:"));
            good = ticks < 0 && read_digits(&line, 1, 10, &ticks);
        } else if (begins(line, "LOCAL:")) {
            skip(&line, strlen("LOCAL:"));
            good = local_ms < 0 && read_time(&line, &local_ms);
        }
        if (!good || (i == 0 ? !read_mark(&line, ',') : line.size > 0)) {
            return fail(r, "X-TIMESTAMP-MAP is not MPEGTS:ticks,LOCAL:time");
        }
    }
    if (ticks >> MAP_TICKS_MAX_BITS != 0) {
        return fail(r, "MPEGTS of X-TIMESTAMP-MAP has more than 33 bits");
    }
    r->out->has_map = true;
    r->out->shift_ms = ticks / MAP_TICKS_A_MS - local_ms;
    return 0;
}

static int read_head(struct webvtt_reading *r) {
    struct line line = {0};
    next_line(r, &line); /* it has one */
    if (begins(line, "\xef\xbb\xbf")) {
        skip(&line, 3);
    }
    if (!is_word(line, "WEBVTT")) {
        return fail(r, "it does not begin with WEBVTT");
    }
    while (next_line(r, &line) && line.size > 0) {
        if (find_arrow(line) != NULL) {
            return fail(r, "a cue stands in the head of the file");
        }
        int failed = begins(line, map_name) ? read_map(r, line) : 0;
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

/* ---- Blocks ---------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* "00:01.000 --> 00:02.000 align:start" */
static int read_timing(struct webvtt_reading *r, struct line line) {
    struct webvtt *out = r->out;
    int64_t start = 0;
    int64_t end = 0;
    bool good = read_time(&line, &start) && skip_blanks(&line) && begins(line, "-->");
    skip(&line, good ? 3 : 0);
    good = good && skip_blanks(&line) && read_time(&line, &end);
    if (!good || (line.size > 0 && line.at[0] != ' ' && line.at[0] != '\t')) {
        return fail(r, "a cue's times are not START --> END");
    }
    if (end <= start) {
        return fail(r, "a cue ends before it starts");
    }
    if (out->cue_count > 0 && start < out->last_start_ms) {
        return fail(r, "a cue starts before the one above it");
    }
    bool first = out->cue_count++ == 0;
    out->first_start_ms = first ? start : out->first_start_ms;
    out->last_start_ms = start;
    out->first_end_ms = first ? end : least(out->first_end_ms, end);
    out->last_end_ms = first ? end : greatest(out->last_end_ms, end);
    return 0;
}

/* The rest of a block, up to an empty line. */
static int skip_block(struct webvtt_reading *r) {
    struct line line;
    while (next_line(r, &line) && line.size > 0) {
        if (find_arrow(line) != NULL) {
            return fail(r, "no empty line stands before a cue");
        }
    }
    return 0;
}

/* A cue, of which a name may stand above its times; or a note, a style or a region. */
static int read_block(struct webvtt_reading *r, struct line line) {
    if (find_arrow(line) == NULL &&
        (is_word(line, "NOTE") || is_word(line, "STYLE") || is_word(line, "REGION"))) {
        return skip_block(r);
    }
    if (find_arrow(line) == NULL && (!next_line(r, &line) || find_arrow(line) == NULL)) {
        return fail(r, "a block is neither a cue nor a note, a style or a region");
    }
    int failed = read_timing(r, line);
    return failed == 0 ? skip_block(r) : failed;
}

int webvtt_read(struct webvtt *out, const void *data, size_t size, struct err *err) {
    struct webvtt facts = {0};
    const char *text = data;
    struct line line;
    if (size == 0 || memchr(text, '\0', size) != NULL) {
        return err_set(err, ERR_CORRUPT, "it is empty, or holds a byte of 0");
    }
    struct webvtt_reading r = {&facts, text, text + size, 0, err};
    int failed = read_head(&r);
    while (failed == 0 && next_line(&r, &line)) {
        failed = line.size > 0 ? read_block(&r, line) : 0;
    }
    if (failed == 0) {
        *out = facts;
    }
    return failed;
}
