/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would be made of titles: see dry_run.h. */
#include "dry_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli_probe.h"
#include "common/blob.h"
#include "common/mem.h"
#include "sandbox_option.h"

enum { WAIT_MS = 20000 }; /* that one call waits for the end of a worker's probe */

/* What can be seen of the source from here. */
struct sight {
    struct blob_source *source; /* NULL: it can't be opened */
    struct source_document document;
    bool probed;
    struct json *told; /* owned; what a worker of the farm has found, as GET /v1/probes/ID has it */
};

/* The members of `told` that the scheduler wants back. */
static void write_told(const struct json *told, struct writer *w, struct err *err) {
    int64_t size = 0;
    const char *pin = "", *identity = "";
    struct reader r = reader_of(told, "the scheduler's answer", err);
    reader_int(&r, "size", -1, INT64_MAX, &size);
    reader_string(&r, "pin", &pin);
    reader_string(&r, "identity", &identity);
    struct reader document = reader_object(&r, "document");
    if (reader_ok(&r)) {
        writer_int(w, "size", size);
        writer_string(w, "pin", pin);
        writer_string(w, "identity", identity);
        writer_node(w, "document", document.node);
    }
}

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
    if (sight->told != NULL) {
        write_told(sight->told, &w, err);
    }
    writer_object_end(&w);
    int failed = (int)err->code;
    if (failed == 0) {
        failed = client_call(run->client, "POST", "/v1/plans", &body, answer, err);
    }
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

/* Asks a worker of the farm to look at it; `*id` is owned. */
static int farm_probe_begin(const struct dry_run *run, const char *source, char **id,
                            struct err *err) {
    struct buf body = {0};
    struct json *answer = NULL;
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "source", source);
    ladder_write(run->ladder, &w, "ladder");
    writer_object_end(&w);
    int failed = client_call(run->client, "POST", "/v1/probes", &body, &answer, err);
    if (failed == 0) {
        const char *text = "";
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        reader_string(&r, "probe", &text);
        *id = mem_string(text);
        failed = (int)err->code;
    }
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

/* Waits for its end; what was found goes to `*told`, owned. */
static int farm_probe(const struct dry_run *run, const char *title, const char *source,
                      struct json **told, struct err *err) {
    char *id = NULL;
    int failed = farm_probe_begin(run, source, &id, err);
    char *path = failed == 0 ? mem_format("/v1/probes/%s?wait_ms=%d", id, WAIT_MS) : NULL;
    const char *state = "", *error = "";
    bool is_said = false;
    while (failed == 0 && strcmp(state, "done") != 0) {
        json_tree_destroy(*told);
        *told = NULL;
        failed = client_call(run->client, "GET", path, NULL, told, err);
        if (failed == 0) {
            struct reader r = reader_of(*told, "the scheduler's answer", err);
            reader_string(&r, "state", &state);
            reader_string(&r, "error", &error);
            failed = (int)err->code;
        }
        if (failed == 0 && strcmp(state, "failed") == 0) {
            failed = err_set(err, ERR_CORRUPT, "the title would fail: %s", error);
        } else if (failed == 0 && strcmp(state, "waiting") == 0 && !is_said) {
            fprintf(stderr, "%s waits for a worker with a free slot to look at its source\n",
                    title);
            is_said = true;
        }
    }
    mem_free(path);
    mem_free(id);
    return failed;
}

/* Probes what the farm does not know, here where it can be read here, else there, and asks again.
 */
static int probe_and_ask(const struct dry_run *run, const char *title, const char *source,
                         struct sight *sight, struct json **answer, struct err *err) {
    const char *level = NULL;
    int failed = 0;
    if (sight->source == NULL) {
        failed = farm_probe(run, title, source, &sight->told, err);
    } else if (sandbox_option(run->invocation, &level) != EXIT_DONE) {
        failed = err_set(err, ERR_UNSUPPORTED, "the source can't be probed here without walls");
    } else {
        failed = cli_probe(&sight->document, source, run->ladder, level, err);
        sight->probed = failed == 0;
    }
    if (failed == 0) {
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
    blob_source_open(&sight.source, source, &options, NULL);
    int failed = ask(run, title, source, &sight, &answer, &err);
    if (failed == 0 && is_unknown(answer)) {
        failed = probe_and_ask(run, title, source, &sight, &answer, &err);
    }
    int code = failed == 0 ? tell(run, title, answer)
                           : client_fail(run->client, run->invocation, &err);
    json_tree_destroy(answer);
    blob_source_close(sight.source);
    json_tree_destroy(sight.told);
    source_document_finish(&sight.document);
    return code;
}
