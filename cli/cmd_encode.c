/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm encode`: one title from source to stream, by a farm that lives as long
 * as the command. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/blob.h"
#include "common/clock.h"
#include "common/mem.h"
#include "encode_display.h"
#include "interrupt.h"
#include "ladder_file.h"
#include "private_farm.h"
#include "sandbox_option.h"
#include "title_name.h"
#include "title_watch.h"

enum { MOST_WORKERS = 256 };

struct encode {
    const struct invocation *invocation;
    const char *out;
    int workers;
    const char *sandbox;
    char title[WIRE_TITLE_TEXT];
    char *source; /* absolute path or URL; NULL: only clean */
    struct ladder ladder;
    struct private_farm *farm;
    struct title_status status;
    int64_t started_ms;
};

/* One worker for each processor that this process may use. */
static int default_workers(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > MOST_WORKERS ? MOST_WORKERS : count;
}

/* Finds out early, and without a trace in --out, that a path can't be a source. */
static int resolve_source(struct encode *encode, const char *source, struct err *err) {
    if (source_is_url(source)) {
        encode->source = mem_string(source);
        return 0;
    }
    struct blob_options options = blob_options_default();
    struct blob_source *opened = NULL;
    int failed = blob_source_open(&opened, source, &options, err);
    blob_source_close(opened);
    if (failed != 0) {
        return failed;
    }
    char *path = realpath(source, NULL); /* none of a file:// URL */
    encode->source = mem_string(path != NULL ? path : source);
    free(path);
    return place_name_check(encode->source, err);
}

/* What is wrong with the words is a usage error (2); what they name, a failure (1). */
static int read_usage(struct encode *encode) {
    const struct invocation *invocation = encode->invocation;
    struct err err = {0};
    encode->out = option_value(invocation, "out");
    if (encode->out == NULL) {
        return command_usage(invocation,
                             "encode needs --out, the folder or s3:// address for the stream");
    }
    if (option_int(invocation, "workers", 1, MOST_WORKERS, default_workers(), &encode->workers,
                   &err) != 0) {
        return command_usage(invocation, "%s", err.message);
    }
    const char *title = option_value(invocation, "title");
    if (title != NULL && !title_id_valid(title)) {
        return command_usage(invocation,
                             "--title '%s' must be 1 to 128 of a-z 0-9 . _ - and begin with a "
                             "letter or digit",
                             title);
    }
    bool clean = option_value(invocation, "clean") != NULL;
    if (invocation->word_count == 0 && !clean) {
        return command_usage(invocation, "encode needs a SOURCE");
    }
    if (title != NULL) {
        snprintf(encode->title, sizeof(encode->title), "%s", title);
    } else if (invocation->word_count > 0) {
        title_name_of(invocation->words[0], encode->title);
    }
    return invocation->word_count > 0 ? sandbox_option(invocation, &encode->sandbox) : EXIT_DONE;
}

static int submit(struct encode *encode, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "title", encode->title);
    writer_string(&w, "source", encode->source);
    writer_string(&w, "output", private_farm_out(encode->farm));
    ladder_write(&encode->ladder, &w, "ladder");
    writer_bool(&w, "force", option_value(encode->invocation, "force") != NULL);
    writer_bool(&w, "early", option_value(encode->invocation, "early") != NULL);
    writer_object_end(&w);
    int failed =
        client_call(private_farm_client(encode->farm), "POST", "/v1/titles", &body, NULL, err);
    buf_finish(&body);
    return failed;
}

static int tend(void *context, struct err *err) {
    return private_farm_tend(context, err);
}

static int run_farm(struct encode *encode, struct err *err) {
    struct private_farm_options options = {
        .out = encode->out, .workers = encode->workers, .sandbox = encode->sandbox};
    interrupt_catch();
    int failed = private_farm_start(&encode->farm, &options, err);
    if (failed == 0) {
        failed = submit(encode, err);
    }
    if (failed != 0) {
        return failed;
    }
    const struct title_watch watch = {
        .client = private_farm_client(encode->farm),
        .title = encode->title,
        .json = wants_json(encode->invocation),
        .workers = encode->workers,
        .tend = tend,
        .context = encode->farm,
    };
    struct err why = {0};
    failed = title_watch(&watch, &encode->status, &why);
    if (failed == ERR_CANCELLED) {
        return err_set(err, failed,
                       "stopped; run the same command again to go on where it stopped");
    }
    return failed == 0 ? 0 : err_set(err, why.code, "%s", why.message);
}

static int tell_end(struct encode *encode, const char *out) {
    struct err err = {0};
    double wall_s = (double)(clock_monotonic_ms() - encode->started_ms) / 1000.0;
    if (encode->status.state != TITLE_DONE) {
        err_set(&err, encode->status.state == TITLE_CANCELLED ? ERR_CANCELLED : ERR_CORRUPT, "%s",
                encode->status.error);
        return command_fail(encode->invocation, EXIT_FAILED, &err);
    }
    struct buf text = {0};
    if (encode_summary_write(&encode->status, out, wall_s, wants_json(encode->invocation), &text,
                             &err) != 0) {
        buf_finish(&text);
        return command_fail(encode->invocation, EXIT_FAILED, &err);
    }
    return command_print(&text);
}

/* For --json alone: people take silence for success. */
static int tell_cleaned(const struct encode *encode) {
    if (!wants_json(encode->invocation)) {
        return EXIT_DONE;
    }
    struct buf text = {0};
    struct writer w = writer_of(&text);
    char *path = realpath(encode->out, NULL); /* none of a URL */
    writer_object(&w, NULL);
    writer_string(&w, "event", "cleaned");
    writer_string(&w, "out", path != NULL ? path : encode->out);
    writer_object_end(&w);
    buf_string(&text, "\n");
    free(path);
    return command_print(&text);
}

static int run(const struct invocation *invocation) {
    struct encode encode = {.invocation = invocation, .started_ms = clock_monotonic_ms()};
    struct err err = {0};
    int code = read_usage(&encode);
    if (code != EXIT_DONE) {
        return code;
    }
    const char *ladder = option_value(invocation, "ladder");
    int failed = ladder_file_load(&encode.ladder, ladder != NULL ? ladder : LADDER_DEFAULT, &err);
    if (failed == 0 && invocation->word_count > 0) {
        failed = resolve_source(&encode, invocation->words[0], &err);
    }
    if (failed == 0 && option_value(invocation, "clean") != NULL) {
        failed = private_farm_clean(encode.out, &err);
        code = failed == 0 ? tell_cleaned(&encode) : code;
    }
    if (failed == 0 && encode.source != NULL) {
        failed = run_farm(&encode, &err);
    }
    char *out = encode.farm != NULL ? mem_string(private_farm_out(encode.farm)) : NULL;
    private_farm_stop(encode.farm);
    if (failed == ERR_CANCELLED) {
        code = command_fail(invocation, EXIT_INTERRUPTED, &err);
    } else if (failed != 0) {
        code = command_fail(invocation, failed == ERR_CONFLICT ? EXIT_REFUSED : EXIT_FAILED, &err);
    } else if (encode.source != NULL) {
        code = tell_end(&encode, out);
    }
    mem_free(out);
    mem_free(encode.source);
    return code;
}

static const struct option_row options[] = {
    {"out", "DIR|s3://BUCKET/PREFIX", "what gets the stream, as DIR/TITLE"},
    {"title", "ID", "the title's id (default: made from the source's name)"},
    {"ladder", "NAME|FILE",
     "which renditions to make (default standard; see `reelfarm ladder list`)"},
    {"workers", "N", "worker processes (default: one for each processor)"},
    SANDBOX_OPTION,
    {"early", NULL, "let it be watched while it is encoded, by DIR/TITLE/early.m3u8"},
    {"force", NULL, "make everything anew, even what is there unchanged"},
    {"clean", NULL, "first drop the private store and all that no finished version names"},
    {NULL, NULL, NULL},
};

const struct command command_encode = {
    .name = "encode",
    .words = "SOURCE",
    .least_words = 0,
    .most_words = 1,
    .summary = "make a stream of one title: HLS and DASH over one set of CMAF segments",
    .help =
        "SOURCE is a path, or an http(s) or s3:// URL, which is read by ranges. DIR/TITLE gets\n"
        "master.m3u8 (HLS), manifest.mpd (DASH), title.json and the segments they name.\n\n"
        "  reelfarm encode movie.mp4 --out streams\n"
        "  reelfarm encode https://media.example/movie.mkv --out streams --title movie\n"
        "  reelfarm encode movie.mp4 --out streams --ladder mine.yaml --json\n"
        "  reelfarm encode s3://masters/movie.mxf --out s3://streams/films\n"
        "  reelfarm encode movie.mp4 --out streams --early\n\n"
        "With --early, DIR/TITLE/early.m3u8 is there a few seconds after the start: an HLS "
        "playlist\n"
        "of what is encoded so far, H.264 and AAC, that grows until it is all of the title. The\n"
        "three documents come at the end, as ever, and with the same bytes.\n\n"
        "Stopped by Ctrl-C or killed, the same command goes on where it stopped. Run again over a\n"
        "finished title, it makes only what changed: another ladder, another source.\n"
        "DIR/.reelfarm holds what it needs for that (of an output in S3, a folder below\n"
        "~/.local/state/reelfarm); `--clean` without a SOURCE removes it, and what no version\n"
        "names: see to it that no other machine encodes into the same S3 prefix meanwhile.\n\n"
        "S3 stores and their credentials are found as AWS's tools find them: AWS_ACCESS_KEY_ID,\n"
        "AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_PROFILE and ~/.aws, or the\n"
        "instance's role.\n",
    .options = options,
    .run = run,
};
