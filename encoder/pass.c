/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and random access points of all pictures: see pass.h. */
#include "pass.h"

#include <stdlib.h>

#include "common/mem.h"
#include "timeline.h"

enum { PROGRESS_EVERY = 512 }; /* packets */

static const double longest_frame_s = 0.15; /* what stays for longer is no frame of a film */
static const double longest_time_s = 1e9;   /* timestamps beyond 31 years are no timestamps */

/* A picture that is shown. */
struct showing {
    int64_t pts;
    int64_t duration;
    bool past_end; /* of the source */
};

struct walk {
    struct pass *pass;
    struct reader *reader;
    const struct reader_options *options;
    enum reach reach;
    int64_t last_position; /* of the newest candidate */
    int64_t latest;        /* stored time of all packets so far */
    size_t before_access;  /* shown pictures read before the first candidate */
    bool recovering;       /* intra refresh is followed to where it has renewed everything */
    struct access_candidate recovery;
    int references;                /* pictures to come before that */
    struct access_candidate first; /* packet of all */
    bool has_first;
    bool counted_any;
    size_t edit_accesses; /* candidates of the edits before the present one */
    bool has_before;      /* a picture is on screen where the present edit begins: */
    struct showing before;
    int64_t before_uncut; /* its own time, the latest of those before */
};

static void add_picture(struct pass *pass, int64_t pts) {
    if (pass->count == pass->capacity) {
        pass->capacity = pass->capacity == 0 ? 4096 : 2 * pass->capacity;
        pass->pts = mem_resize(pass->pts, pass->capacity, sizeof(*pass->pts));
    }
    pass->pts[pass->count++] = pts;
}

static void add_access(struct pass *pass, const struct access_candidate *candidate) {
    if (pass->access_count == pass->access_capacity) {
        pass->access_capacity = pass->access_capacity == 0 ? 256 : 2 * pass->access_capacity;
        pass->accesses = mem_resize(pass->accesses, pass->access_capacity, sizeof(*pass->accesses));
    }
    pass->accesses[pass->access_count++] = *candidate;
}

static struct access_candidate candidate_of(const struct walk *walk,
                                            const struct reader_item *item) {
    const AVPacket *packet = item->packet;
    struct access_candidate candidate = {
        .pts = item->uncut,
        .dts = item->stored != AV_NOPTS_VALUE ? item->stored : packet->pts,
        .position = item->place,
        .exact_pts = packet->pts,
        .data = packet->pos,
        .data_size = packet->size,
    };
    if (walk->reach == REACH_TABLES) {
        const struct fragment_trail *trail = walk->options->trail;
        candidate.position = trail != NULL ? fragment_trail_before(trail, item->place) : -1;
    }
    return candidate;
}

/* Whether a seek finds that very packet again: where bytes are sought, it must have a
 * place, and be the first key picture there or have a time of its own. Where times are,
 * it must come after all of those before. */
static bool can_be_found(const struct walk *walk, const struct reader_item *item,
                         const struct access_candidate *candidate) {
    switch (walk->reach) {
    case REACH_BYTE:
        return candidate->position >= 0 && item->stored_time;
    case REACH_RAW:
        return candidate->position > walk->last_position;
    case REACH_TABLES:
        return candidate->dts > walk->latest;
    default:
        return true;
    }
}

/* Takes the picture as a random access point if it is one. Encoders promise exact
 * pictures after an intra refresh and do not keep to it (x264 tried: pictures differ until
 * the next IDR), so it only serves where the source begins with it: then all chunks start
 * there and see the same. */
static void consider_access(struct walk *walk, const struct reader_item *item) {
    struct pass *pass = walk->pass;
    struct access_candidate candidate = candidate_of(walk, item);
    if (!walk->has_first) {
        walk->first = candidate;
        walk->first.exact_pts = INT64_MIN;
        walk->has_first = true;
    }
    if (item->look.access == ACCESS_NONE || !can_be_found(walk, item, &candidate)) {
        return;
    }
    if (item->look.access == ACCESS_RECOVERY) {
        if (pass->access_count == 0 && !walk->recovering) {
            walk->recovering = true;
            walk->recovery = candidate;
            walk->references = item->look.recovery;
            reader_look_at_all(walk->reader, true);
        }
        return;
    }
    if (pass->access_count == 0) {
        walk->before_access = pass->count;
    }
    if (item->look.access == ACCESS_CLOSED && pass->access_count == 0) {
        candidate.exact_pts = INT64_MIN;
    }
    walk->last_position = candidate.position;
    walk->recovering = false;
    add_access(pass, &candidate);
}

/* Follows an intra refresh: the first reference picture after as many others is exact,
 * and all that are shown after it. */
static void count_recovery(struct walk *walk, const struct reader_item *item) {
    if (!item->look.reference || walk->references-- > 0) {
        return;
    }
    walk->recovery.exact_pts = item->packet->pts;
    walk->before_access = walk->pass->count;
    walk->last_position = walk->recovery.position;
    walk->recovering = false;
    add_access(walk->pass, &walk->recovery);
    reader_look_at_all(walk->reader, false);
}

/* Time goes back in an MP4 where an edit begins before the one before it has ended, of
 * which the last pictures are not shown: no seek tells those from the edit's own. */
static void forget_ambiguous(struct walk *walk, int64_t stored) {
    struct pass *pass = walk->pass;
    if (walk->reach != REACH_TABLES || stored == AV_NOPTS_VALUE) {
        return;
    }
    size_t kept = walk->edit_accesses > 1 ? walk->edit_accesses : 1;
    while (pass->access_count > kept && pass->accesses[pass->access_count - 1].dts >= stored) {
        pass->access_count--;
    }
}

static bool is_past_end(const struct walk *walk, const AVPacket *packet) {
    return walk->options->ghost && packet->pos >= 0 &&
           (packet->pos > walk->options->io->size ||
            packet->size > walk->options->io->size - packet->pos);
}

static void show(struct pass *pass, const struct showing *picture) {
    add_picture(pass, picture->pts);
    pass->missing += picture->past_end;
    if (pass->count == 1 || picture->pts > pass->last_pts) {
        pass->last_pts = picture->pts;
        pass->last_duration = picture->duration > 0 ? picture->duration : 0;
    }
}

/* Of the pictures that begin before their edit only the last is on screen in it. */
static void show_before(struct walk *walk) {
    if (walk->has_before) {
        show(walk->pass, &walk->before);
    }
    walk->has_before = false;
}

static void begin_edit(struct walk *walk) {
    show_before(walk);
    walk->edit_accesses = walk->pass->access_count;
    walk->latest = INT64_MIN;
}

static int take_picture(struct walk *walk, const struct reader_item *item, struct err *err) {
    struct pass *pass = walk->pass;
    const AVPacket *packet = item->packet;
    double seconds = (double)packet->pts * av_q2d(reader_stream(walk->reader)->time_base);
    if (!(seconds < longest_time_s && seconds > -longest_time_s)) {
        return err_set(err, ERR_CORRUPT,
                       "a picture of it has an absurd timestamp (%.0f s); write it anew with a "
                       "tool that repairs timestamps",
                       seconds);
    }
    bool past_end = is_past_end(walk, packet);
    forget_ambiguous(walk, item->stored);
    if (!past_end && item->cut != CUT_AFTER) {
        consider_access(walk, item);
    }
    if (item->stored != AV_NOPTS_VALUE && item->stored > walk->latest) {
        walk->latest = item->stored;
    }
    if (walk->recovering) {
        count_recovery(walk, item);
    }
    if (!walk->counted_any || packet->pts < pass->first_pts) {
        pass->first_pts = packet->pts;
    }
    walk->counted_any = true;
    const struct showing picture = {packet->pts, packet->duration, past_end};
    if (item->shown && item->cut != CUT_BEFORE) {
        show(pass, &picture);
    } else if (item->shown && (!walk->has_before || item->uncut > walk->before_uncut)) {
        walk->before = picture;
        walk->before_uncut = item->uncut;
        walk->has_before = true;
    }
    return 0;
}

static int walk_packets(struct walk *walk, const struct pass_limits *limits, struct err *err) {
    struct pass *pass = walk->pass;
    int64_t packets = 0;
    for (;;) {
        struct reader_item item;
        int status = reader_next(walk->reader, &item, err);
        if (status <= 0) {
            return status;
        }
        if (item.restarts) {
            begin_edit(walk);
        }
        pass->bytes += item.packet->size;
        pass->damaged += (item.packet->flags & AV_PKT_FLAG_CORRUPT) != 0 && !walk->options->ghost;
        status = item.picture ? take_picture(walk, &item, err) : 0;
        packets++;
        if (status == 0 && packets > 4 * limits->max_pictures) {
            status = err_set(err, ERR_UNSUPPORTED,
                             "it has more than %lld pictures; cut it into parts",
                             (long long)limits->max_pictures);
        }
        if (status == 0 && packets % PROGRESS_EVERY == 0 && limits->progress != NULL &&
            limits->progress(limits->context, item.packet->pos > 0 ? item.packet->pos : 0,
                             walk->options->io->size) != 0) {
            status = err_set(err, ERR_CANCELLED, "the probe was cancelled");
        }
        if (status != 0) {
            return status;
        }
    }
}

/* Drops the pictures that no decoder can make: those before the first random access
 * point, and those shown before its first exact one. */
static void drop_undecodable(struct walk *walk) {
    struct pass *pass = walk->pass;
    int64_t exact = pass->accesses[0].exact_pts;
    size_t kept = 0;
    for (size_t i = walk->before_access; i < pass->count; i++) {
        if (pass->pts[i] >= exact) {
            pass->pts[kept++] = pass->pts[i];
        }
    }
    pass->undecodable = (int64_t)(pass->count - kept);
    pass->count = kept;
}

/* ---- Edits ------------------------------------------------------------------ */

static int64_t begin_of(const struct edit_list *edits, size_t index) {
    return edits->edits[index].start + edits->edits[index].shift;
}

/* The first picture keeps its own time where that is less than a frame before the first
 * edit: so its followers stay where they are, beside their sound. One that was on screen
 * for long is shown from the edit on. */
static void cut_first(struct pass *pass, const struct edit_list *edits, int64_t longest) {
    int64_t begin = begin_of(edits, 0);
    bool alone = pass->count == 1;
    if (pass->pts[0] < begin && (alone || pass->pts[1] - pass->pts[0] > longest)) {
        pass->pts[0] = begin;
    }
}

/* Whether an edit but the first begins then; asked for rising times. */
static bool is_border(const struct edit_list *edits, size_t *edit, int64_t pts) {
    while (*edit < edits->count && begin_of(edits, *edit) < pts) {
        (*edit)++;
    }
    return *edit > 0 && *edit < edits->count && begin_of(edits, *edit) == pts;
}

/* Leaves out the pictures that a border between edits cuts to less than half their time:
 * they say nothing of the rate, and their neighbours have a better claim to the frame. */
static void drop_slivers(struct pass *pass, const struct edit_list *edits, int64_t longest) {
    const int64_t *pts = pass->pts;
    size_t edit = 1;
    size_t kept = 0;
    int64_t before = 0; /* the stay of the picture before */
    bool begins = false;
    for (size_t i = 0; i < pass->count; i++) {
        bool has_next = i + 1 < pass->count;
        bool ends = has_next && is_border(edits, &edit, pts[i + 1]);
        int64_t stay = has_next ? pts[i + 1] - pts[i] : INT64_MAX;
        int64_t after = i + 2 < pass->count ? pts[i + 2] - pts[i + 1] : 0;
        bool sliver = stay < longest &&
                      ((begins && stay < after / 2) || (ends && stay < before / 2));
        before = stay;
        begins = ends;
        if (!sliver) {
            pass->pts[kept++] = pts[i];
        }
    }
    pass->count = kept;
}

static void apply_edits(struct walk *walk) {
    const struct edit_list *edits = reader_edits(walk->reader);
    if (edits->count > 0) {
        double tick_s = av_q2d(reader_stream(walk->reader)->time_base);
        int64_t longest = (int64_t)(longest_frame_s / tick_s);
        cut_first(walk->pass, edits, longest);
        drop_slivers(walk->pass, edits, longest);
        walk->pass->cuts = (int64_t)edits->count - 1;
    }
}

int pass_run(struct pass *pass, const struct reader_options *options,
             const struct pass_limits *limits, struct err *err) {
    struct pass result = {0};
    struct walk walk = {
        .pass = &result,
        .options = options,
        .reach = container_of_name(options->container)->reach,
        .last_position = -1,
        .latest = INT64_MIN,
    };
    int status = reader_open(&walk.reader, options, err);
    if (status == 0) {
        status = walk_packets(&walk, limits, err);
        show_before(&walk);
    }
    result.joins = status == 0 ? reader_joins(walk.reader) : 0;
    if (status == 0 && result.access_count > 0) {
        result.has_access = true;
        drop_undecodable(&walk);
    } else if (status == 0 && walk.has_first) {
        add_access(&result, &walk.first);
    }
    if (status == 0 && result.count == 0) {
        status = err_set(err, ERR_CORRUPT,
                         "its video stream has no pictures; upload it again from the original");
    }
    if (status == 0) {
        timeline_sort(result.pts, result.count);
        apply_edits(&walk);
    }
    reader_close(walk.reader);
    if (status != 0) {
        pass_finish(&result);
        return status;
    }
    *pass = result;
    return 0;
}

void pass_finish(struct pass *pass) {
    mem_free(pass->pts);
    mem_free(pass->accesses);
    *pass = (struct pass){0};
}
