/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm ladder`: list, show and check ladders; plan what a source would get. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "ladder_file.h"
#include "sandbox_option.h"
#include "source_plan.h"

static void rung_write(const struct ladder_video_rung *rung, struct buf *out) {
    char size[16];
    snprintf(size, sizeof(size), rung->height > 0 ? "%dp" : "source", rung->height);
    buf_format(out, "  %-5s %-7s %-5s %-9s", codec_name(rung->codec), size, rung->encoder,
               rung->preset);
    if (rung->lossless) {
        buf_string(out, " lossless");
    } else {
        buf_format(out, " crf %.1f", rung->crf_hundredths / 100.0);
    }
    if (rung->bit_depth > 8) {
        buf_format(out, ", %d bits", rung->bit_depth);
    }
    if (rung->maxrate_bps > 0) {
        buf_format(out, ", at most %" PRId64 " kb/s over %.1f s", rung->maxrate_bps / 1000,
                   (double)rung->bufsize_bits / (double)rung->maxrate_bps);
    }
    buf_string(out, "\n");
}

static void summary_write(const struct ladder *ladder, struct buf *out) {
    buf_format(out, "%s: %s\n", ladder->name, ladder->description);
    buf_format(out, "  GOP %.1f s, segment %d GOPs, chunk up to %.0f s\n", ladder->gop_ms / 1000.0,
               ladder->segment_gops, ladder->chunk_ms / 1000.0);
    for (int i = 0; i < ladder->waive_count; i++) {
        buf_format(out, "%s%s%s", i == 0 ? "  waives " : ", ", ladder->waive[i],
                   i + 1 == ladder->waive_count ? "\n" : "");
    }
    for (int i = 0; i < ladder->video_count; i++) {
        rung_write(&ladder->video[i], out);
    }
    for (int i = 0; i < ladder->audio_count; i++) {
        buf_format(out, "  %-5s up to %d channels, %" PRId64 " kb/s\n",
                   codec_name(ladder->audio[i].codec), ladder->audio[i].channels,
                   ladder->audio[i].bitrate_bps / 1000);
    }
}

static int run_list(const struct invocation *invocation) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    bool json = wants_json(invocation);
    struct err err = {0};
    if (json) {
        writer_array(&w, NULL);
    }
    const char *name = NULL;
    for (size_t i = 0; (name = ladder_builtin_at(i)) != NULL; i++) {
        struct ladder ladder;
        if (ladder_file_load(&ladder, name, &err) != 0) {
            buf_finish(&text);
            return command_fail(invocation, EXIT_FAILED, &err);
        }
        if (json) {
            ladder_write(&ladder, &w, NULL);
        } else {
            summary_write(&ladder, &text);
        }
    }
    if (json) {
        writer_array_end(&w);
        buf_string(&text, "\n");
    }
    return command_print(&text);
}

/* The YAML text as it is, so that it can be saved, changed and used. */
static int run_show(const struct invocation *invocation) {
    const char *name = invocation->words[1];
    struct ladder ladder;
    struct err err = {0};
    if (ladder_file_load(&ladder, name, &err) != 0) {
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    struct buf text = {0};
    const char *yaml = ladder_builtin_text(name);
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        ladder_write(&ladder, &w, NULL);
        buf_string(&text, "\n");
    } else if (yaml != NULL) {
        buf_string(&text, yaml);
    } else {
        summary_write(&ladder, &text);
    }
    return command_print(&text);
}

static int run_check(const struct invocation *invocation) {
    struct ladder ladder;
    struct err err = {0};
    if (ladder_file_load(&ladder, invocation->words[1], &err) != 0) {
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        ladder_write(&ladder, &w, NULL);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%s is a good ladder.\n", invocation->words[1]);
        summary_write(&ladder, &text);
    }
    return command_print(&text);
}

static const struct {
    const char *name;
    int words; /* with the action itself */
    const char *usage;
    int (*run)(const struct invocation *invocation);
} actions[] = {
    {"list", 1, "ladder list", run_list},
    {"show", 2, "ladder show NAME", run_show},
    {"check", 2, "ladder check FILE", run_check},
    {"plan", 2, "ladder plan SOURCE", source_plan_run},
};

static int run(const struct invocation *invocation) {
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, invocation->words[0]) != 0) {
            continue;
        }
        if (invocation->word_count != actions[i].words) {
            return command_usage(invocation, "usage: reelfarm %s", actions[i].usage);
        }
        return actions[i].run(invocation);
    }
    return command_usage(invocation, "there is no `ladder %s`: it is list, show, check or plan",
                         invocation->words[0]);
}

static const struct option_row options[] = {
    {"ladder", "NAME|FILE", "plan: the ladder to plan with (default standard)"},
    SANDBOX_OPTION,
    {NULL, NULL, NULL},
};

const struct command command_ladder = {
    .name = "ladder",
    .words = "list | show NAME | check FILE | plan SOURCE",
    .least_words = 1,
    .most_words = 2,
    .summary = "list, show and check ladders; plan what a source would get",
    .help =
        "A ladder says which renditions a title gets: their sizes, codecs and qualities.\n\n"
        "  reelfarm ladder list                     the built-in ladders\n"
        "  reelfarm ladder show av1 > mine.yaml     start a ladder of your own from one of them\n"
        "  reelfarm ladder check mine.yaml          is it right? names file, line and field if "
        "not\n"
        "  reelfarm ladder plan movie.mp4           the rungs, chunks and tasks that movie.mp4 "
        "would\n"
        "                                           get, and why each dropped rung was dropped\n",
    .options = options,
    .run = run,
};
