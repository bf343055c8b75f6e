/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and random access points of all pictures: see pass.h. */
#include "pass.h"

#include <stdlib.h>

#include "common/mem.h"
#include "timeline.h"

enum { PROGRESS_EVERY = 512 }; /* packets */

static const double longest_time_s = 1e9; /* timestamps beyond 31 years are no timestamps */

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
        .pts = packet->pts,
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
    while (pass->access_count > 1 && pass->accesses[pass->access_count - 1].dts >= stored) {
        pass->access_count--;
    }
}

static bool is_past_end(const struct walk *walk, const AVPacket *packet) {
    return walk->options->ghost && packet->pos >= 0 &&
           (packet->pos > walk->options->io->size ||
            packet->size > walk->options->io->size - packet->pos);
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
    if (!past_end) {
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
    if (item->shown) {
        pass->missing += past_end;
        add_picture(pass, packet->pts);
        if (pass->count == 1 || packet->pts > pass->last_pts) {
            pass->last_pts = packet->pts;
            pass->last_duration = packet->duration > 0 ? packet->duration : 0;
        }
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
    reader_close(walk.reader);
    if (status != 0) {
        pass_finish(&result);
        return status;
    }
    timeline_sort(result.pts, result.count);
    *pass = result;
    return 0;
}

void pass_finish(struct pass *pass) {
    mem_free(pass->pts);
    mem_free(pass->accesses);
    *pass = (struct pass){0};
}
