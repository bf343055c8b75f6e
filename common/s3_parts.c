/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Begin, parts, and complete or abort: see s3_parts.h. */
#include "s3_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/xml.h"

enum {
    BEGIN_MS = 30000,
    ABORT_MS = 10000,
    ABORT_ATTEMPTS = 2,
    PAGES_MAX = 100, /* of uploads left behind: a store that lists one again must not hold us */
};

struct upload {
    struct s3_client *client;
    const char *key;
    const struct http_request *template;
    const struct http_retry *retry;
    bool only_new;
    struct http_response response;
    char *id;
    struct buf parts; /* of the list that completes it */
};

static struct http_request request_of(const struct upload *upload, const char *method) {
    struct http_request request = *upload->template;
    request.method = method;
    request.body = NULL;
    request.body_size = 0;
    request.headers = NULL;
    request.header_count = 0;
    return request;
}

static int begin(struct upload *upload, struct err *err) {
    static const struct sigv4_pair query[] = {{"uploads", ""}};
    const struct s3_call call = {.key = upload->key, .query = query, .query_count = 1};
    struct http_request request = request_of(upload, "POST");
    struct arena arena = {0};
    struct xml_node *root = NULL;
    request.headers = upload->template->headers;
    request.header_count = upload->template->header_count;
    request.cancel = NULL; /* an upload whose name is not heard can't be taken back */
    request.total_ms = BEGIN_MS;
    int failed =
        s3_send_retrying(upload->client, &call, &request, upload->retry, &upload->response, err);
    if (failed == 0) {
        const struct buf *body = &upload->response.body;
        failed = xml_read(&root, &arena, body->data, body->size, err);
    }
    const struct xml_node *id = failed == 0 ? xml_child(root, "UploadId") : NULL;
    if (failed == 0 && id == NULL) {
        failed = err_set(err, ERR_CORRUPT, "the store began an upload of '%s' and doesn't name it",
                         upload->key);
    }
    upload->id = id != NULL ? mem_string(id->text) : NULL;
    arena_finish(&arena);
    return failed;
}

static int put_part(struct upload *upload, int number, const uint8_t *data, size_t size,
                    struct err *err) {
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    const struct sigv4_pair query[] = {{"partNumber", text}, {"uploadId", upload->id}};
    const struct s3_call call = {.key = upload->key, .query = query, .query_count = 2};
    struct http_request request = request_of(upload, "PUT");
    request.body = data;
    request.body_size = size;
    int failed =
        s3_send_retrying(upload->client, &call, &request, upload->retry, &upload->response, err);
    if (failed != 0) {
        return failed;
    }
    const char *etag = http_response_header(&upload->response, "ETag");
    if (etag == NULL || strpbrk(etag, "<>&") != NULL) {
        return err_set(err, ERR_CORRUPT, "the store took part %d of '%s' and gave no ETag for it",
                       number, upload->key);
    }
    buf_format(&upload->parts, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number,
               etag);
    return 0;
}

/* Whether the object is stored: stores answer 200 before they are done, keep the connection up by
 * blanks, and end with what came of it. */
static int check_completed(struct upload *upload, struct err *err) {
    struct buf *body = &upload->response.body;
    struct arena arena = {0};
    struct xml_node *root = NULL;
    const char *text = buf_text(body);
    size_t blanks = strspn(text, " \t\r\n");
    bool is_read = xml_read(&root, &arena, text + blanks, body->size - blanks, NULL) == 0;
    bool is_stored = is_read && strcmp(root->name, "CompleteMultipartUploadResult") == 0;
    const struct xml_node *code = is_read ? xml_child(root, "Code") : NULL;
    if (!is_stored) {
        err_set(err, ERR_UNAVAILABLE,
                "POST '%s': the store answered 200 and then %.60s, so it is not known to be stored",
                upload->key, code != NULL ? code->text : "no result");
    }
    arena_finish(&arena);
    return is_stored ? 0 : ERR_UNAVAILABLE;
}

static int complete(struct upload *upload, struct err *err) {
    const struct sigv4_pair query[] = {{"uploadId", upload->id}};
    const struct s3_call call = {.key = upload->key, .query = query, .query_count = 1};
    static const struct http_header only_new = {"If-None-Match", "*"};
    struct http_request request = request_of(upload, "POST");
    struct buf body = {0};
    request.headers = &only_new;
    request.header_count = upload->only_new ? 1 : 0;
    buf_format(&body, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>",
               buf_text(&upload->parts));
    request.body = body.data;
    request.body_size = body.size;
    int failed =
        s3_send_retrying(upload->client, &call, &request, upload->retry, &upload->response, err);
    buf_finish(&body);
    return failed != 0 ? failed : check_completed(upload, err);
}

static void abort_upload(struct upload *upload) {
    const struct sigv4_pair query[] = {{"uploadId", upload->id}};
    const struct s3_call call = {.key = upload->key, .query = query, .query_count = 1};
    struct http_request request = request_of(upload, "DELETE");
    struct http_retry retry = *upload->retry;
    request.cancel = NULL; /* who stops the task wants nothing left of it, and soon */
    request.total_ms = ABORT_MS;
    retry.attempts = ABORT_ATTEMPTS;
    s3_send_retrying(upload->client, &call, &request, &retry, &upload->response, NULL);
}

int s3_parts_put(struct s3_client *client, const char *key, const struct http_request *template,
                 const struct http_retry *retry, const void *data, size_t size, bool only_new,
                 struct err *err) {
    struct upload upload = {
        .client = client, .key = key, .template = template, .retry = retry, .only_new = only_new};
    const uint8_t *at = data;
    struct err why = {0};
    int failed = begin(&upload, &why);
    for (int number = 1; failed == 0 && size > 0; number++) {
        size_t here = size < S3_PART_BYTES ? size : S3_PART_BYTES;
        failed = put_part(&upload, number, at, here, &why);
        at += here;
        size -= here;
    }
    if (failed == 0) {
        failed = complete(&upload, &why);
    }
    if (failed != 0 && upload.id != NULL) {
        abort_upload(&upload);
    }
    if (failed != 0) { /* what was begun and is gone was taken back by another: begin anew */
        bool is_taken = failed == ERR_NOT_FOUND && upload.id != NULL;
        failed = err_set(err, is_taken ? ERR_UNAVAILABLE : why.code, "%s", why.message);
    }
    http_response_finish(&upload.response);
    buf_finish(&upload.parts);
    mem_free(upload.id);
    return failed;
}

/* ---- What others left ------------------------------------------------------------- */

/* Whether the upload is one that was asked for: a store may not know the parameter. */
static bool is_below(const struct xml_node *entry, const char *prefix) {
    const struct xml_node *key = xml_child(entry, "Key");
    return key == NULL || strncmp(key->text, prefix, strlen(prefix)) == 0;
}

static int abandon_one(struct s3_client *client, const struct xml_node *entry,
                       const struct http_request *template, const struct http_retry *retry,
                       struct http_response *response, struct err *err) {
    const struct xml_node *key = xml_child(entry, "Key");
    const struct xml_node *id = xml_child(entry, "UploadId");
    struct err why = {0};
    if (key == NULL || id == NULL) {
        return err_set(err, ERR_CORRUPT, "the store lists an upload without a key or a name");
    }
    const struct sigv4_pair query[] = {{"uploadId", id->text}};
    const struct s3_call call = {.key = key->text, .query = query, .query_count = 1};
    struct http_request request = *template;
    request.method = "DELETE";
    int failed = s3_send_retrying(client, &call, &request, retry, response, &why);
    bool gone = failed == 0 || response->status == 404;
    return gone ? 0 : err_pass(err, &why);
}

/* One page, from the first that is still there. `*more` says whether to look again. */
static int abandon_page(struct s3_client *client, const char *prefix,
                        const struct http_request *template, const struct http_retry *retry,
                        bool *more, struct err *err) {
    const struct sigv4_pair query[] = {{"prefix", prefix}, {"uploads", ""}};
    const struct s3_call call = {.key = "", .query = query, .query_count = 2};
    struct http_request request = *template;
    struct http_response list = {0};
    struct http_response response = {0};
    struct arena arena = {0};
    struct xml_node *root = NULL;
    request.method = "GET";
    int failed = s3_send_retrying(client, &call, &request, retry, &list, err);
    if (failed == 0) {
        failed = xml_read(&root, &arena, list.body.data, list.body.size, err);
    }
    if (failed == 0) {
        const struct xml_node *cut = xml_child(root, "IsTruncated");
        const struct xml_node *entry = xml_child(root, "Upload");
        *more = cut != NULL && strcmp(cut->text, "true") == 0 && entry != NULL;
        for (; entry != NULL && failed == 0; entry = xml_again(entry)) {
            if (!is_below(entry, prefix)) {
                continue;
            }
            failed = abandon_one(client, entry, template, retry, &response, err);
        }
    }
    arena_finish(&arena);
    http_response_finish(&list);
    http_response_finish(&response);
    return failed;
}

int s3_parts_abandon(struct s3_client *client, const char *prefix,
                     const struct http_request *template, const struct http_retry *retry,
                     struct err *err) {
    bool more = true;
    int failed = 0;
    for (int page = 0; page < PAGES_MAX && more && failed == 0; page++) {
        failed = abandon_page(client, prefix, template, retry, &more, err);
    }
    return failed;
}
