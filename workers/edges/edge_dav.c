/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dav: an edge that keeps files and takes them by PUT (nginx's http_dav_module, tried; RFC 4918).
 * nginx knows no If-None-Match there, and a PUT is one step for readers, so an object is simply
 * put again; what is there already is found out by its size, as HEAD says it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/delivery.h"
#include "common/json.h"
#include "common/mem.h"
#include "edge.h"

enum {
    LISTING_BYTES_MAX = 16 << 20,
    DEPTH_MAX = 3, /* of folders below a title's, which is at 0 */
};

/* nginx keeps none of these; servers that do give them to players as they came. */
static int dav_put(struct edge *edge, const struct edge_object *object, struct err *err) {
    char *key = mem_format("title-%s", edge->target->title);
    const char *type = delivery_type(object->path);
    const struct http_header headers[] = {
        {"Content-Type", type != NULL ? type : "application/octet-stream"},
        {"Cache-Control", delivery_caching(object->path)},
        {"Surrogate-Key", key},
        {"xkey", key},
    };
    char *url = edge_url(edge, object->path);
    struct http_request request = edge_request(edge, "PUT", url);
    request.headers = headers;
    request.header_count = sizeof(headers) / sizeof(headers[0]);
    int failed = edge_send_origin(edge, &request, object, err);
    mem_free(url);
    mem_free(key);
    return failed;
}

/* An edge that fetches from the origin what it lacks says of all that it has it. */
static int dav_has(struct edge *edge, const struct edge_object *object, bool *has,
                   struct err *err) {
    struct err why = {0};
    if (edge->target->endpoint->falls_back) {
        *has = false;
        return 0;
    }
    char *url = edge_url(edge, object->path);
    const struct http_request request = edge_request(edge, "HEAD", url);
    int failed = edge_send(edge, &request, &why);
    mem_free(url);
    if (failed == ERR_NOT_FOUND) {
        *has = false;
        return 0;
    }
    if (failed != 0) {
        return err_pass(err, &why);
    }
    const char *length = http_response_header(&edge->response, "Content-Length");
    *has = length != NULL && object->bytes >= 0 && strtoll(length, NULL, 10) == object->bytes;
    return 0;
}

static int dav_remove(struct edge *edge, const char *path, struct err *err) {
    struct err why = {0};
    char *url = edge_url(edge, path);
    const struct http_request request = edge_request(edge, "DELETE", url);
    int failed = edge_send(edge, &request, &why);
    mem_free(url);
    return failed == 0 || failed == ERR_NOT_FOUND ? 0 : err_pass(err, &why);
}

/* Only a server that can't take folders says so: 400 and 409 (nginx, of a Depth or a name that it
 * will not have), 405 and 501. */
static int dav_remove_folder(struct edge *edge, const char *path, struct err *err) {
    struct err why = {0};
    char *folder = path[0] != '\0' ? mem_format("%s/", path) : mem_string("");
    int failed = dav_remove(edge, folder, &why);
    int status = edge->response.status;
    mem_free(folder);
    if (failed == 0) {
        return 0;
    }
    bool cannot = status == 400 || status == 405 || status == 409 || status == 501;
    return err_set(err, cannot ? ERR_UNSUPPORTED : why.code, "%s", why.message);
}

/* ---- Listing -------------------------------------------------------------------------------- */

/* nginx says what a folder holds where it has `autoindex on; autoindex_format json`. */
struct walk {
    struct edge *edge;
    edge_visit *visit;
    void *context;
};

static int folder_read(struct walk *walk, const char *folder, int depth, struct err *err);

/* Takes what the listing of `folder` ("", or with its slash) says. */
static int entries_read(struct walk *walk, const char *folder, int depth, struct reader *list,
                        struct err *err) {
    int failed = 0;
    for (size_t i = 0; failed == 0 && i < reader_count(list) && reader_ok(list); i++) {
        struct reader entry = reader_item(list, i);
        const char *name = "";
        const char *type = "";
        int64_t size = 0;
        reader_string(&entry, "name", &name);
        reader_string(&entry, "type", &type);
        bool is_folder = strcmp(type, "directory") == 0;
        if (!is_folder) {
            reader_int(&entry, "size", 0, INT64_MAX, &size);
        }
        if (!reader_ok(&entry) || name[0] == '\0' || strchr(name, '/') != NULL ||
            strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue; /* no name of anything in there */
        }
        bool is_entered = is_folder && name[0] != '.' && depth < DEPTH_MAX;
        char *path = mem_format("%s%s%s", folder, name, is_entered ? "/" : "");
        if (!is_entered) { /* of folders that are none of ours it is enough that they are there */
            failed = walk->visit(walk->context, path, size, err);
        } else {
            failed = folder_read(walk, path, depth + 1, err);
        }
        mem_free(path);
    }
    return failed;
}

static int folder_read(struct walk *walk, const char *folder, int depth, struct err *err) {
    struct edge *edge = walk->edge;
    struct json *tree = NULL;
    struct err unread = {0};
    char *url = edge_url(edge, folder);
    struct http_request request = edge_request(edge, "GET", url);
    request.max_body = LISTING_BYTES_MAX;
    struct err why = {0};
    int failed = edge_send(edge, &request, &why);
    mem_free(url);
    if (failed == ERR_NOT_FOUND) {
        return 0; /* none was put there yet, or it went since the one above was read */
    }
    if (failed != 0) {
        return err_pass(err, &why);
    }
    const struct buf *body = &edge->response.body;
    failed = json_tree_parse(&tree, body->data, body->size, &unread);
    struct reader list = reader_of(tree, "the listing", &unread);
    failed = failed == 0 ? entries_read(walk, folder, depth, &list, err) : failed;
    if (unread.code != ERR_NONE) {
        failed = err_set(err, ERR_UNSUPPORTED,
                         "endpoint '%s' lists '%s' in no JSON; let it say `autoindex on; "
                         "autoindex_format json;` there, or leave `lists` out",
                         edge->target->endpoint->name, folder);
    }
    json_tree_destroy(tree);
    return failed;
}

static int dav_list(struct edge *edge, edge_visit *visit, void *context, struct err *err) {
    struct walk walk = {edge, visit, context};
    return folder_read(&walk, "", edge->target->title[0] != '\0' ? 0 : -1, err);
}

const struct edge_driver edge_dav = {
    .name = "dav",
    .caps = EDGE_PUTS | EDGE_FOLDERS | EDGE_READS | EDGE_LISTS,
    .put = dav_put,
    .has = dav_has,
    .remove = dav_remove,
    .remove_folder = dav_remove_folder,
    .list = dav_list,
};
