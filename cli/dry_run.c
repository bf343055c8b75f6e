/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would be made of titles: see dry_run.h. */
#include "dry_run.h"

#include <inttypes.h>
#include <string.h>

#include "cli_probe.h"
#include "common/blob.h"
#include "common/mem.h"
#include "sandbox_option.h"

/* What can be seen of the source from here. */
struct sight {
    struct blob_source *source; /* NULL: it can't be opened */
    struct err why;
    struct source_document document;
    bool probed;
};

static int ask(const struct dry_run *run, const char *title, const char *source,
               const struct sight *sight, struct json **answer, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "title", title);
    writer_string(&w, "source", source);
    writer_string(&w, "output", run->out);
    ladder_write(run->ladder, &w, "ladder");
    writer_bool(&w, "force", option_value(run->invocation, "force") != NULL);
    if (sight->source != NULL) {
        const struct blob_facts *facts = blob_source_facts(sight->source);
        writer_int(&w, "size", facts->size);
        writer_string(&w, "pin", facts->pin);
        writer_string(&w, "identity", facts->identity);
    }
    if (sight->probed) {
        source_document_write(&sight->document, &w, "document");
    }
    writer_object_end(&w);
    int failed = client_call(run->client, "POST", "/v1/plans", &body, answer, err);
    buf_finish(&body);
    return failed;
}

static bool is_unknown(const struct json *answer) {
    const char *from = "";
    struct err ignored = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", &ignored);
    reader_string(&r, "source", &from);
    return strcmp(from, "unknown") == 0;
}

/* Probes what the farm does not know, and asks again. */
static int probe_and_ask(const struct dry_run *run, const char *title, const char *source,
                         struct sight *sight, struct json **answer, struct err *err) {
    const char *level = NULL;
    if (sight->source == NULL) {
        return err_set(err, sight->why.code,
                       "the farm has not read the source of %s as this ladder asks, and from here "
                       "nobody can: %s",
                       title, sight->why.message);
    }
    if (sandbox_option(run->invocation, &level) != EXIT_DONE) {
        return err_set(err, ERR_UNSUPPORTED, "the source can't be probed here without walls");
    }
    int failed = cli_probe(&sight->document, source, run->ladder, level, err);
    if (failed == 0) {
        sight->probed = true;
        json_tree_destroy(*answer);
        *answer = NULL;
        failed = ask(run, title, source, sight, answer, err);
    }
    return failed;
}

/* ---- for people -------------------------------------------------------------- */

struct figures {
    int64_t encoded, reused;
    double encoded_s, table_s;
};

static void figures_read(struct figures *out, struct reader *r) {
    reader_int(r, "encoded", 0, INT64_MAX, &out->encoded);
    reader_int(r, "reused", 0, INT64_MAX, &out->reused);
    reader_number(r, "encoded_s", 0, 1e15, &out->encoded_s);
    reader_number(r, "table_s", 0, 1e15, &out->table_s);
}

/* Where the core-seconds come from. */
static const char *basis(const struct figures *figures) {
    return figures->table_s <= 0                    ? "by the farm's reports"
           : figures->table_s >= figures->encoded_s ? "by a first guess"
                                                    : "partly by a first guess";
}

static void rendition_text(struct reader *item, struct buf *out) {
    const char *id = "";
    struct figures figures = {0};
    reader_string(item, "id", &id);
    figures_read(&figures, item);
    buf_string(out, "  ");
    buf_plain(out, id);
    buf_format(out, "%*s", (int)(strlen(id) < 20 ? 20 - strlen(id) : 1), "");
    if (figures.encoded == 0) {
        buf_string(out, "reused\n");
    } else {
        buf_format(out, "%" PRId64 " of %" PRId64 " pieces encoded, about %.3g core-seconds %s\n",
                   figures.encoded, figures.encoded + figures.reused, figures.encoded_s,
                   basis(&figures));
    }
}

static void answer_text(struct reader *r, const char *title, struct buf *out) {
    struct figures figures = {0};
    bool runs = false, checked = false, exact = false;
    reader_bool(r, "runs", &runs);
    reader_bool(r, "checked", &checked);
    reader_bool(r, "exact", &exact);
    figures_read(&figures, r);
    buf_format(out, "%s: %s%" PRId64 " pieces to encode", title,
               runs ? "runs already, as submitted before; " : "", figures.encoded);
    if (figures.encoded > 0) {
        buf_format(out, ", about %.3g core-seconds %s", figures.encoded_s, basis(&figures));
    }
    buf_format(out, "; %" PRId64 " reused\n", figures.reused);
    struct reader list = reader_array(r, "renditions");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        rendition_text(&item, out);
    }
    list = reader_array(r, "dropped");
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *name = "", *reason = "";
        struct reader item = reader_item(&list, i);
        reader_string(&item, "name", &name);
        reader_string(&item, "reason", &reason);
        buf_format(out, "  %-20s left out: %s\n", name, reason);
    }
    if (!exact) {
        buf_string(out, "  some may be reused: that is known when the source's bytes were read\n");
    }
    if (!checked) {
        buf_string(out, "  if the source is as the farm last read it, which can't be seen here\n");
    }
}

static int tell(const struct dry_run *run, const char *title, const struct json *answer) {
    struct buf text = {0};
    struct err err = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", &err);
    answer_text(&r, title, &text);
    if (err.code != ERR_NONE) {
        buf_finish(&text);
        return client_fail(run->client, run->invocation, &err);
    }
    if (wants_json(run->invocation)) {
        buf_clear(&text);
        json_tree_write(answer, &text);
        buf_string(&text, "\n");
    }
    return command_print(&text);
}

int dry_run_title(const struct dry_run *run, const char *title, const char *source) {
    struct blob_options options = blob_options_default();
    struct sight sight = {.source = NULL};
    struct json *answer = NULL;
    struct err err = {0};
    blob_source_open(&sight.source, source, &options, &sight.why);
    int failed = ask(run, title, source, &sight, &answer, &err);
    if (failed == 0 && is_unknown(answer)) {
        failed = probe_and_ask(run, title, source, &sight, &answer, &err);
    }
    int code = failed == 0 ? tell(run, title, answer)
                           : client_fail(run->client, run->invocation, &err);
    json_tree_destroy(answer);
    blob_source_close(sight.source);
    source_document_finish(&sight.document);
    return code;
}
