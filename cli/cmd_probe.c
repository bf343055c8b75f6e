/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm probe SOURCE`: what it is. */
#include <inttypes.h>

#include "cli_probe.h"
#include "command.h"
#include "common/wire.h"
#include "interrupt.h"
#include "ladder_file.h"
#include "sandbox_option.h"
#include "scheduler/scheduler.h"
#include "workers/workers.h"

int cli_probe(struct source_document *document, const char *source, const struct ladder *ladder,
              const char *sandbox, struct err *err) {
    struct plan_limits limits = plan_limits_default();
    struct child_spec spec = {0};
    plan_probe_spec(&spec, ladder, -1, &limits);
    struct worker_probe probe = {
        .source = source,
        .spec = &spec,
        .memory_bytes = plan_probe_memory(),
        .sandbox = sandbox,
        .cancel = interrupt_catch(),
    };
    return worker_probe(document, &probe, err);
}

static void rate_write(const struct source_document *document, struct buf *out) {
    struct rational rate = document->timeline.rate;
    buf_format(out, "%.3f fps", rational_value(rate));
    if (rate.den != 1) {
        buf_format(out, " (%" PRId64 "/%" PRId64 ")", rate.num, rate.den);
    }
    if (document->video.variable_rate) {
        buf_format(out, ", from a variable rate of %.3f on average",
                   rational_value(document->video.source_rate));
    }
}

static void video_write(const struct source_document *document, struct buf *out) {
    static const char *const scans[] = {"progressive", "interlaced, top field first",
                                        "interlaced, bottom field first"};
    const struct video_facts *video = &document->video;
    buf_format(out, "  video     %s %dx%d", video->codec, video->coded_width, video->coded_height);
    if (video->width != video->coded_width || video->height != video->coded_height) {
        buf_format(out, ", shown as %dx%d", video->width, video->height);
    }
    if (video->rotation != 0) {
        buf_format(out, ", turned by %d degrees", video->rotation);
    }
    if (video->mirrored) {
        buf_string(out, ", mirrored");
    }
    buf_format(out, "\n  pixels    %s, %d bit, %s\n  rate      ", video->pixel_format,
               video->bit_depth, scans[video->scan]);
    rate_write(document, out);
    buf_format(out, "\n  colour    primaries %d, transfer %d, matrix %d, %s range%s\n",
               video->colour.primaries, video->colour.transfer, video->colour.matrix,
               video->colour.full_range ? "full" : "limited",
               video->colour_assumed ? " (partly assumed: the source does not say)" : "");
}

static void document_text(const struct source_document *document, const char *source,
                          struct buf *out) {
    const struct timeline *timeline = &document->timeline;
    double seconds = (double)timeline->frames / rational_value(timeline->rate);
    buf_format(out, "%s\n  container %s, %" PRId64 " bytes\n", source, document->container,
               document->size);
    buf_format(out, "  timeline  %" PRId64 " frames, %.3f s, starts at %.3f s of the source\n",
               timeline->frames, seconds, rational_value(timeline->start));
    video_write(document, out);
    for (size_t i = 0; i < document->audio_count; i++) {
        const struct audio_facts *audio = &document->audio[i];
        buf_format(out, "  audio     %s, %d Hz, %s, language %s%s\n", audio->codec,
                   audio->sample_rate, audio->layout, audio->language,
                   i == 0 ? "" : " (not encoded: one track for now)");
    }
    for (size_t i = 0; i < document->left_out_count; i++) {
        buf_format(out, "  left out  %s\n", document->left_out[i]);
    }
    for (size_t i = 0; i < document->defect_count; i++) {
        buf_format(out, "  defect    %s\n", document->defects[i]);
    }
}

static int run(const struct invocation *invocation) {
    struct ladder ladder;
    struct source_document document = {0};
    struct err err = {0};
    const char *source = invocation->words[0];
    const char *sandbox = NULL;
    int code = sandbox_option(invocation, &sandbox);
    if (code != EXIT_DONE) {
        return code;
    }
    if (ladder_load(&ladder, LADDER_DEFAULT, &err) != 0 ||
        cli_probe(&document, source, &ladder, sandbox, &err) != 0) {
        return command_fail(invocation, err.code == ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED,
                            &err);
    }
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        source_document_write(&document, &w, NULL);
        buf_string(&text, "\n");
    } else {
        document_text(&document, source, &text);
    }
    source_document_finish(&document);
    return command_print(&text);
}

static const struct option_row options[] = {
    SANDBOX_OPTION,
    {NULL, NULL, NULL},
};

const struct command command_probe = {
    .name = "probe",
    .words = "SOURCE",
    .least_words = 1,
    .most_words = 1,
    .summary = "what a source is: streams, exact frame count, rate, colour, defects",
    .help = "SOURCE is a path, or an http(s) or s3:// URL, which is read by ranges. The decoder\n"
            "runs in a child process that can open no file and no socket.\n\n"
            "  reelfarm probe movie.mp4\n"
            "  reelfarm probe s3://masters/movie.mxf      with credentials as `encode` finds them\n"
            "  reelfarm probe https://media.example/movie.mkv --json\n",
    .options = options,
    .run = run,
};
