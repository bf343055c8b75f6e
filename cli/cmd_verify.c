/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm verify`: titles read as a player would, every broken rule told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/blob.h"
#include "common/delivery.h"
#include "common/mem.h"
#include "packager/packager.h"

/* The packager's own bound on a segment, and one on texts, which a server may give compressed
 * and small. */
enum { OBJECT_BYTES_MAX = 1 << 30, TEXT_BYTES_MAX = 64 << 20 };

static const char *const top_names[] = {"master.m3u8", "manifest.mpd"};

/* Titles below the root: their folders with a slash at the end, "" for the root itself. */
struct titles {
    struct blob *blob;
    size_t count;
    char **prefixes; /* owned */
};

struct report {
    const struct invocation *invocation;
    struct titles titles;
    const char *prefix; /* of the title that is read now */
    struct buf out;
    struct writer json;
    struct verify_summary sum;
};

/* ---- Finding titles -------------------------------------------------------------- */

/* The folder or address of what is given; owned. The name of a manifest at its end is
 * left out, the query of a URL stays. */
static char *root_of(const char *given) {
    bool is_url = strstr(given, "://") != NULL;
    size_t path = is_url ? strcspn(given, "?#") : strlen(given);
    for (size_t i = 0; i < sizeof(top_names) / sizeof(top_names[0]); i++) {
        size_t length = strlen(top_names[i]);
        size_t before = path > length ? path - length : 0;
        if (path >= length && strncmp(given + before, top_names[i], length) == 0 &&
            (before == 0 || given[before - 1] == '/')) {
            const char *folder = before == 0 ? "." : "";
            return mem_format("%s%.*s%s", folder, (int)before, given, given + path);
        }
    }
    return mem_string(given);
}

static void add_title(struct titles *titles, const char *prefix, size_t length) {
    if (titles->count > 0 && strlen(titles->prefixes[titles->count - 1]) == length &&
        strncmp(titles->prefixes[titles->count - 1], prefix, length) == 0) {
        return; /* it has both manifests, which a listing gives one after the other */
    }
    titles->prefixes = mem_resize(titles->prefixes, titles->count + 1, sizeof(*titles->prefixes));
    titles->prefixes[titles->count++] = mem_format("%.*s", (int)length, prefix);
}

/* Keeps the folders right below the root that hold a manifest. */
static int visit_object(void *context, const char *key, int64_t size, struct err *err) {
    const char *slash = strchr(key, '/');
    (void)size;
    (void)err;
    for (size_t i = 0; i < sizeof(top_names) / sizeof(top_names[0]) && slash != NULL; i++) {
        if (strcmp(slash + 1, top_names[i]) == 0) {
            add_title(context, key, (size_t)(slash + 1 - key));
        }
    }
    return 0;
}

/* The root is a title itself, or a folder of titles: over http only the first, since
 * nothing lists what lies there. */
static int find_titles(struct titles *titles, struct err *err) {
    struct err why = {0};
    int64_t size = 0;
    for (size_t i = 0; i < sizeof(top_names) / sizeof(top_names[0]); i++) {
        err_clear(&why);
        int failed = blob_stat(titles->blob, top_names[i], &size, &why);
        if (failed == 0) {
            add_title(titles, "", 0);
            return 0;
        }
        if (failed != ERR_NOT_FOUND) {
            return err_pass(err, &why);
        }
    }
    return blob_is_writable(titles->blob) ? blob_list(titles->blob, "", visit_object, titles, err)
                                          : 0;
}

/* ---- Telling --------------------------------------------------------------------- */

static bool is_segment(const char *path) {
    const char *type = delivery_type(path);
    return type != NULL && strcmp(type, "video/mp4") == 0;
}

static int fetch(void *context, const char *path, struct buf *out, struct served *served,
                 struct err *err) {
    const struct report *report = context;
    const struct blob *blob = report->titles.blob;
    char *key = mem_format("%s%s", report->prefix, path);
    size_t most = is_segment(path) ? OBJECT_BYTES_MAX : TEXT_BYTES_MAX;
    int failed = blob_get(report->titles.blob, key, most, out, err);
    served->type = blob_got_header(blob, "Content-Type");
    if (!blob_is_writable(blob)) { /* an object store is not what players meet */
        served->encoding = blob_got_header(blob, "Content-Encoding");
        served->caching = blob_got_header(blob, "Cache-Control");
        served->sharing = blob_got_header(blob, "Access-Control-Allow-Origin");
    }
    mem_free(key);
    return failed;
}

static const char *weight_name(enum finding_weight weight) {
    static const char *const names[] = {
        [FINDING_MUST] = "must", [FINDING_ADVICE] = "advice", [FINDING_UNCHECKED] = "unchecked"};
    return names[weight];
}

static void tell_finding(void *context, const struct finding *finding) {
    struct report *report = context;
    if (!wants_json(report->invocation)) {
        buf_format(&report->out, "%s  %s  %s%s: %s\n", weight_name(finding->weight), finding->rule,
                   report->prefix, finding->path, finding->message);
        return;
    }
    writer_object(&report->json, NULL);
    writer_string(&report->json, "weight", weight_name(finding->weight));
    writer_string(&report->json, "rule", finding->rule);
    writer_string(&report->json, "path", finding->path);
    writer_string(&report->json, "message", finding->message);
    writer_object_end(&report->json);
}

static void summary_json(struct writer *w, const struct verify_summary *summary) {
    writer_int(w, "objects", summary->objects);
    writer_int(w, "segments", summary->segments);
    writer_int(w, "musts", summary->musts);
    writer_int(w, "advice", summary->advice);
    writer_int(w, "unchecked", summary->unchecked);
    writer_int(w, "waived", summary->waived);
}

/* Reads one title and tells what is found; its figures are added to the sum. */
static int verify_one(struct report *report, const char *prefix, struct err *err) {
    struct verify_summary summary;
    report->prefix = prefix;
    if (wants_json(report->invocation)) {
        char *path = mem_format("%.*s", prefix[0] != '\0' ? (int)strlen(prefix) - 1 : 1,
                                prefix[0] != '\0' ? prefix : ".");
        writer_object(&report->json, NULL);
        writer_string(&report->json, "path", path);
        mem_free(path);
        writer_array(&report->json, "findings");
    }
    int failed = verify_title(fetch, report, tell_finding, report, &summary, err);
    if (wants_json(report->invocation)) {
        writer_array_end(&report->json);
        summary_json(&report->json, &summary);
        writer_object_end(&report->json);
    }
    report->sum.objects += summary.objects;
    report->sum.segments += summary.segments;
    report->sum.musts += summary.musts;
    report->sum.advice += summary.advice;
    report->sum.unchecked += summary.unchecked;
    report->sum.waived += summary.waived;
    return failed;
}

static const char *plural(int64_t count) {
    return count == 1 ? "" : "s";
}

static void tell_sum(struct report *report) {
    const struct verify_summary *sum = &report->sum;
    int64_t titles = (int64_t)report->titles.count;
    buf_format(&report->out,
               "%" PRId64 " title%s, %" PRId64 " object%s, %" PRId64 " segment%s: %" PRId64
               " must%s broken, %" PRId64 " piece%s of advice",
               titles, plural(titles), sum->objects, plural(sum->objects), sum->segments,
               plural(sum->segments), sum->musts, plural(sum->musts), sum->advice,
               plural(sum->advice));
    if (sum->unchecked > 0) {
        buf_format(&report->out, ", %" PRId64 " thing%s not checked", sum->unchecked,
                   plural(sum->unchecked));
    }
    if (sum->waived > 0) {
        buf_format(&report->out, ", %" PRId64 " waived by the ladder", sum->waived);
    }
    buf_string(&report->out, "\n");
}

static int verify_all(struct report *report, struct err *err) {
    bool json = wants_json(report->invocation);
    int failed = 0;
    if (json) {
        writer_object(&report->json, NULL);
        writer_array(&report->json, "titles");
    }
    for (size_t i = 0; i < report->titles.count && failed == 0; i++) {
        failed = verify_one(report, report->titles.prefixes[i], err);
    }
    if (json) {
        writer_array_end(&report->json);
        summary_json(&report->json, &report->sum);
        writer_object_end(&report->json);
        buf_string(&report->out, "\n");
    } else {
        tell_sum(report);
    }
    return failed;
}

static int verify_root(struct report *report, struct err *err) {
    struct err why = {0};
    int failed = find_titles(&report->titles, &why);
    if (failed == 0 && report->titles.count == 0) {
        return err_set(err, ERR_NOT_FOUND,
                       "%s holds no title: give the folder that `reelfarm encode` wrote to, or the "
                       "address of a master.m3u8",
                       blob_name(report->titles.blob));
    }
    if (failed == 0) {
        failed = verify_all(report, &why);
    }
    return failed == 0 ? 0 : blob_cannot_read("the stream", &why, err);
}

/* ---- The rules ------------------------------------------------------------------- */

static int run_rules(const struct invocation *invocation) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    const struct verify_rule *rule = NULL;
    bool json = wants_json(invocation);
    if (json) {
        writer_array(&w, NULL);
    }
    for (size_t i = 0; (rule = verify_rule_at(i)) != NULL; i++) {
        if (!json) {
            buf_format(&text, "%-9s  %-22s  %s (%s)\n", weight_name(rule->weight), rule->id,
                       rule->meaning, rule->source);
            continue;
        }
        writer_object(&w, NULL);
        writer_string(&w, "rule", rule->id);
        writer_string(&w, "weight", weight_name(rule->weight));
        writer_string(&w, "meaning", rule->meaning);
        writer_string(&w, "source", rule->source);
        writer_object_end(&w);
    }
    if (json) {
        writer_array_end(&w);
        buf_string(&text, "\n");
    }
    return command_print(&text);
}

static int run(const struct invocation *invocation) {
    struct report report = {.invocation = invocation};
    struct blob_options blob_options = blob_options_default();
    struct err err = {0};
    blob_options.origin = "https://player.invalid"; /* of nobody: any page's would do */
    if (option_value(invocation, "rules") != NULL) {
        return run_rules(invocation);
    }
    if (invocation->word_count == 0) {
        return command_usage(invocation, "verify needs a folder or an address");
    }
    char *root = root_of(invocation->words[0]);
    report.json = writer_of(&report.out);
    int failed = blob_open(&report.titles.blob, root, &blob_options, &err);
    if (failed == 0) {
        failed = verify_root(&report, &err);
    }
    int code = EXIT_FAILED;
    if (failed != 0) {
        command_fail(invocation, EXIT_FAILED, &err);
        buf_finish(&report.out);
    } else {
        int printed = command_print(&report.out);
        code = report.sum.musts > 0 ? EXIT_FAILED : printed;
    }
    for (size_t i = 0; i < report.titles.count; i++) {
        mem_free(report.titles.prefixes[i]);
    }
    mem_free(report.titles.prefixes);
    blob_close(report.titles.blob);
    mem_free(root);
    return code;
}

static const struct option_row options[] = {
    {"rules", NULL, "list the rules instead: weight, id, what it asks and who asks for it"},
    {NULL, NULL, NULL},
};

const struct command command_verify = {
    .name = "verify",
    .words = "DIR|URL",
    .least_words = 0,
    .most_words = 1,
    .summary = "check that a stream is what it says, from real bytes",
    .help =
        "Reads titles as a player would, from master.m3u8 and manifest.mpd to every segment, and\n"
        "prints one line for each rule that is broken. `must` rules are those of decodability,\n"
        "timing, counts, and declared against measured; advice never fails, and what the title's\n"
        "ladder waives by name (codec-neighbour of the ladder av1) is only counted. What others\n"
        "packaged is read too: HEVC, Opus, AC-3, FLAC, subtitles, ranges of one file, PQ and HLG;\n"
        "what is there and not read, as encrypted samples, is said: `unchecked`.\n\n"
        "  reelfarm verify streams                 every title below streams/\n"
        "  reelfarm verify streams/movie           one title\n"
        "  reelfarm verify https://media.example/movie/master.m3u8\n"
        "  reelfarm verify --rules                 what is looked at, and why\n\n"
        "It exits with 0 where no must is broken, else with 1.\n",
    .options = options,
    .run = run,
};
