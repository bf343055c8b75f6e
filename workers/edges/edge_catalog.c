/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalog: is told of a title by one signed request, PUT URL/titles/T of its document and where
 * players find it (endpoint.serves), or DELETE URL/titles/T?revision=N. What is sent follows from
 * the revision alone, so that it may be sent again; when it was published is for the catalog to
 * say. The protocol is that of catalog/openapi.json, which other catalogs may speak too.
 */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signature.h"
#include "edge.h"

static int catalog_open(struct edge *edge, struct err *err) {
    const struct push_endpoint *endpoint = edge->target->endpoint;
    const char *secret = edge->target->secret->hmac;
    if (endpoint->serves[0] == '\0' || strcmp(endpoint->serves, endpoint->url) == 0) {
        return err_set(err, ERR_INVALID,
                       "endpoint '%s': `serves` must say where players find the titles that this "
                       "catalog lists",
                       endpoint->name);
    }
    if (secret == NULL || strlen(secret) < SIGNATURE_SECRET_MIN) {
        return err_set(err, ERR_INVALID,
                       "endpoint '%s': endpoint_secrets must have its catalog's secret, as `hmac`, "
                       "of at least %d bytes",
                       endpoint->name, (int)SIGNATURE_SECRET_MIN);
    }
    return 0;
}

static void write_served(const struct edge *edge, struct writer *w, const char *name,
                         const char *path) {
    char *url = edge_served_url(edge, path);
    writer_string(w, name, url);
    mem_free(url);
}

static void write_entry(const struct edge *edge, const struct edge_title *title, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "title", edge->target->title);
    writer_int(&w, "revision", title->revision);
    writer_string(&w, "version", title->version);
    if (title->listing != NULL) {
        writer_string(&w, "tenant", title->listing->tenant);
        writer_strings(&w, "labels", title->listing->labels, title->listing->label_count);
    }
    writer_object(&w, "manifests");
    write_served(edge, &w, "hls", "master.m3u8");
    write_served(edge, &w, "dash", "manifest.mpd");
    writer_object_end(&w);
    writer_raw(&w, "document", title->document, title->document_size);
    writer_object_end(&w);
}

/* What a refusal says of itself, where it does (RFC 9457): a sentence in `out`, and the revision
 * that is kept, -1 where it has none. */
static void read_problem(const struct edge *edge, struct buf *out, int64_t *revision) {
    const struct buf *body = &edge->response.body;
    struct json *tree = NULL;
    struct err ignored = {0};
    const char *detail = "";
    *revision = -1;
    if (json_tree_parse(&tree, body->data, body->size, NULL) == 0) {
        struct reader r = reader_of(tree, "problem document", &ignored);
        reader_string(&r, "detail", &detail);
        if (reader_has(&r, "revision")) {
            reader_int(&r, "revision", 0, INT64_MAX, revision);
        }
    }
    buf_plain(out, detail);
    json_tree_destroy(tree);
}

/* 0 where the failure is none: what was wanted is there, or is not wanted any more. */
static int judge(struct edge *edge, const struct edge_title *title, int code, const struct err *why,
                 struct err *err) {
    struct buf detail = {0};
    int64_t revision = -1;
    int status = edge->response.status;
    read_problem(edge, &detail, &revision);
    bool is_late = status == 409 && revision > title->revision;
    bool is_gone = title->version[0] == '\0' && (status == 404 || status == 410);
    if (is_late || is_gone) {
        buf_finish(&detail);
        return 0;
    }
    bool refuses = status >= 400 && status <= 499 && status != 408 && status != 429;
    if (refuses) {
        edge->failure = FAILURE_REFUSED;
    }
    if (refuses && detail.size > 0) {
        err_set(err, (enum err_code)code, "endpoint '%s' refuses: %s", edge->target->endpoint->name,
                buf_text(&detail));
    } else {
        err_set(err, (enum err_code)code, "%s", why->message);
    }
    buf_finish(&detail);
    return code;
}

static char *make_url(const struct edge *edge, const struct edge_title *title) {
    const char *root = edge->target->endpoint->url;
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/') {
        length--;
    }
    char *url = mem_format("%.*s/titles/%s", (int)length, root, edge->target->title);
    if (title->version[0] != '\0') {
        return url;
    }
    char *dropped = mem_format("%s?revision=%" PRId64, url, title->revision);
    mem_free(url);
    return dropped;
}

/* Path and query of a URL, which begin with the first '/' after its host. */
static const char *target_of(const char *url) {
    const char *host = strstr(url, "://");
    const char *path = strchr(host != NULL ? host + 3 : url, '/');
    return path != NULL ? path : "/";
}

/* Signs it as of now, and sends it. */
static int send_signed(struct edge *edge, const struct http_request *what, struct err *err) {
    const char *secret = edge->target->secret->hmac;
    char signature[SIGNATURE_TEXT];
    struct http_request request = *what;
    const struct signature_request is_signed = {request.method, target_of(request.url),
                                                request.body, request.body_size};
    signature_make(&is_signed, secret, strlen(secret), clock_wall_ms() / 1000, signature);
    const struct http_header headers[] = {{SIGNATURE_HEADER, signature},
                                          {"Content-Type", "application/json"}};
    request.headers = headers;
    request.header_count = request.body_size > 0 ? 2 : 1;
    return edge_send(edge, &request, err);
}

static int catalog_tell(struct edge *edge, const struct edge_title *title, struct err *err) {
    bool published = title->version[0] != '\0';
    struct buf body = {0};
    struct err why = {0};
    char *url = make_url(edge, title);
    struct http_request request = edge_request(edge, published ? "PUT" : "DELETE", url);
    if (published) {
        write_entry(edge, title, &body);
        request.body = body.data;
        request.body_size = body.size;
    }
    int failed = send_signed(edge, &request, &why);
    if (failed != 0 && edge->response.status == 401) {
        /* No secret is wrong for a byte that changed on the way, or for hours that a proxy took. */
        err_clear(&why);
        failed = send_signed(edge, &request, &why);
    }
    if (failed == ERR_CANCELLED) { /* the answer at hand is an earlier one's */
        err_set(err, failed, "%s", why.message);
    } else if (failed != 0) {
        failed = judge(edge, title, failed, &why, err);
    }
    buf_finish(&body);
    mem_free(url);
    return failed;
}

const struct edge_driver edge_catalog = {
    .name = "catalog",
    .caps = EDGE_DOCUMENT,
    .open = catalog_open,
    .tell = catalog_tell,
};
