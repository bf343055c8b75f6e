/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server of `reelfarm play`: see play_server.h. */
#include "play_server.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/delivery.h"
#include "common/http_server.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/web.h"
#include "common/wire.h"
#include "media_place.h"
#include "readers.h"

static const char host[] = "127.0.0.1";
static const char titles_path[] = "/titles.json";
static const char media[] = "/media/";
extern const struct web_file player_files[]; /* made of player/ by the build */

enum { IDLE_MS = 300000 }; /* a paused player keeps its connection */

struct play_server {
    struct http_server *http;
    struct media_place *place; /* owned; NULL where readers have theirs */
    struct readers *readers;   /* owned; NULL for a folder, which is read at once */
    size_t titles;             /* at the start */
    char *url;                 /* owned */
};

size_t play_server_titles(const struct play_server *server) {
    return server->titles;
}

/* ---- Answers --------------------------------------------------------------------- */

/* A store that fails is not our failure: 502 (RFC 9110 15.6.3). */
static void answer_failure(struct exchange *exchange, const struct err *err) {
    bool remote = err_is_transient(err->code) || err->code == ERR_FORBIDDEN;
    http_answer_problem(exchange, remote ? 502 : 500, err);
}

static void answer_titles(struct media_place *place, struct exchange *exchange) {
    struct output_titles titles = {0};
    struct buf body = {0};
    struct err err = {0};
    if (media_place_titles(place, &titles, &err) == 0) {
        struct writer w = writer_of(&body);
        writer_object(&w, NULL);
        writer_array(&w, "titles");
        for (size_t i = 0; i < titles.count; i++) {
            writer_string(&w, NULL, titles.names[i]);
        }
        writer_array_end(&w);
        writer_bool(&w, "hls_js", web_file_find(web_players, WEB_HLS_JS) != NULL);
        writer_object_end(&w);
        http_answer(exchange, 200, "application/json", &body);
    } else {
        answer_failure(exchange, &err);
    }
    output_titles_finish(&titles);
}

static void answer_missing(struct exchange *exchange) {
    struct err err = {0};
    err_set(&err, ERR_NOT_FOUND, "there is no %s here", exchange->path);
    http_answer_problem(exchange, 404, &err);
}

/* The Range header, where it counts: RFC 9110 13.1.5, 13.2.2 and 14.2. */
static const char *range_header(const struct exchange *exchange, const struct media_file *file,
                                bool unchanged) {
    const char *only_if = exchange_header(exchange, "If-Range");
    bool counts = !unchanged && strcmp(exchange->method, "GET") == 0 &&
                  (only_if == NULL || strcmp(only_if, file->etag) == 0);
    return counts ? exchange_header(exchange, "Range") : NULL;
}

/* `first` and `length` of what was got; takes its descriptor or bytes. */
static void send_part(struct exchange *exchange, const struct http_reply *reply,
                      struct media_object *object, int64_t first, int64_t length) {
    if (object->file.fd >= 0) {
        http_answer_file(exchange, reply, object->file.fd, first, length);
        return;
    }
    struct buf part = {0};
    if (reply->status != 304) {
        buf_append(&part, object->bytes.data + first, (size_t)length);
    }
    http_answer_reply(exchange, reply, &part);
}

/* Sends what was got, or says that the asker has it; takes its descriptor or bytes. */
static void send_object(struct exchange *exchange, const char *path, struct media_object *object) {
    const struct media_file *file = &object->file;
    char content_range[96];
    int64_t first = 0;
    int64_t length = file->size;
    bool unchanged = web_etag_listed(exchange_header(exchange, "If-None-Match"), file->etag);
    struct http_reply reply = {
        .status = unchanged ? 304 : 200,
        .type = delivery_type(path),
        .cache_control = delivery_caching(path),
        .headers = {{"Access-Control-Allow-Origin", "*"},
                    {"Accept-Ranges", "bytes"},
                    {"ETag", file->etag}},
    };
    enum media_range range =
        media_range_parse(range_header(exchange, file, unchanged), file->size, &first, &length);
    if (range != MEDIA_WHOLE) {
        reply.headers[3].name = "Content-Range";
        reply.headers[3].value = content_range;
    }
    if (range == MEDIA_BEYOND) {
        snprintf(content_range, sizeof(content_range), "bytes */%" PRId64, file->size);
        reply.status = 416;
        reply.type = NULL;
        reply.cache_control = NULL;
        length = 0;
    }
    if (range == MEDIA_PART) {
        snprintf(content_range, sizeof(content_range), "bytes %" PRId64 "-%" PRId64 "/%" PRId64,
                 first, first + length - 1, file->size);
        reply.status = 206;
    }
    send_part(exchange, &reply, object, first, length);
}

/* `path` is what follows "/media/". */
static void answer_media(struct media_place *place, struct exchange *exchange, const char *path) {
    char title[WIRE_TITLE_TEXT];
    struct media_object object = {0};
    struct err err = {0};
    size_t length = strcspn(path, "/");
    if (length >= sizeof(title) || path[length] == '\0') {
        answer_missing(exchange);
        return;
    }
    memcpy(title, path, length);
    title[length] = '\0';
    const char *below = path + length + 1;
    int failed = delivery_type(below) == NULL ? ERR_NOT_FOUND
                                              : media_place_get(place, title, below, &object, &err);
    if (failed == 0) {
        send_object(exchange, below, &object);
    } else if (failed == ERR_NOT_FOUND) {
        answer_missing(exchange);
    } else {
        answer_failure(exchange, &err);
    }
    buf_finish(&object.bytes);
}

/* What lies in the place; on the server's thread or a reader's. */
static void answer_from(void *context, struct media_place *place, struct exchange *exchange) {
    (void)context;
    if (strcmp(exchange->path, titles_path) == 0) {
        answer_titles(place, exchange);
    } else {
        answer_media(place, exchange, exchange->path + sizeof(media) - 1);
    }
}

static const struct web_file *find_file(const char *path) {
    const struct web_file *file = web_file_find(player_files, path);
    return file != NULL ? file : web_file_find(web_players, path);
}

static void handle(void *context, struct exchange *exchange) {
    struct play_server *server = context;
    const struct web_file *file = find_file(exchange->path);
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
        struct err err = {0};
        err_set(&err, ERR_INVALID, "%s is only read from: GET and HEAD", exchange->path);
        exchange->allow = "GET, HEAD";
        http_answer_problem(exchange, 405, &err);
    } else if (file != NULL) {
        web_file_answer(exchange, file, NULL);
    } else if (strcmp(exchange->path, titles_path) != 0 &&
               strncmp(exchange->path, media, sizeof(media) - 1) != 0) {
        answer_missing(exchange);
    } else if (server->readers != NULL) {
        readers_give(server->readers, exchange);
    } else {
        answer_from(NULL, server->place, exchange);
    }
}

/* ---- Start and stop ---------------------------------------------------------------- */

/* Counts the titles; of a store, that is also how its errors are told at once. */
static int open_place(struct play_server *server, const char *place, struct err *err) {
    struct output_titles titles = {0};
    int failed = media_place_open(&server->place, place, NULL, err);
    if (failed == 0) {
        failed = media_place_titles(server->place, &titles, err);
        server->titles = titles.count;
    }
    output_titles_finish(&titles);
    if (failed == 0 && output_is_remote(place)) {
        media_place_close(server->place);
        server->place = NULL;
        failed = readers_start(&server->readers, place, answer_from, NULL, err);
    }
    return failed;
}

int play_server_start(struct play_server **out, const char *place, int port, struct err *err) {
    struct play_server *server = mem_zero(1, sizeof(*server));
    struct http_server_options options = http_server_options_default();
    options.host = host;
    options.port = port;
    options.max_body = 0;
    options.idle_ms = IDLE_MS;
    options.handle = handle;
    options.context = server;
    int result = open_place(server, place, err);
    if (result == 0) {
        result = http_server_start(&server->http, &options, err);
    }
    if (result != 0) {
        play_server_stop(server);
        return result;
    }
    server->url = mem_format("http://%s:%d/", host, http_server_port(server->http));
    *out = server;
    return 0;
}

const char *play_server_url(const struct play_server *server) {
    return server->url;
}

void play_server_stop(struct play_server *server) {
    if (server == NULL) {
        return;
    }
    if (server->readers != NULL) {
        readers_cancel(server->readers);
    }
    http_server_stop(server->http);
    readers_stop(server->readers);
    media_place_close(server->place);
    mem_free(server->url);
    mem_free(server);
}
