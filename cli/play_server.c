/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server of `reelfarm play`: see play_server.h. */
#include "play_server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/delivery.h"
#include "common/http_server.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/wire.h"
#include "media_file.h"
#include "player_files.h"
#include "title_name.h"

static const char host[] = "127.0.0.1";
static const char master[] = "master.m3u8";
static const char media[] = "/media/";
static const char hls_js[] = "/hls.min.mjs";

enum { IDLE_MS = 300000 }; /* a paused player keeps its connection */

struct play_server {
    struct http_server *http;
    int root;     /* descriptor of the folder */
    char *single; /* owned: the title whose own folder it is; NULL: titles lie below it */
    char *url;    /* owned */
};

/* ---- Titles ---------------------------------------------------------------------- */

static bool is_there(int root, const char *path) {
    struct media_file file;
    if (media_file_open(&file, root, path, NULL) != 0) {
        return false;
    }
    close(file.fd);
    return true;
}

static bool has_title(const struct play_server *server, const char *title) {
    if (server->single != NULL) {
        return strcmp(title, server->single) == 0;
    }
    char path[WIRE_TITLE_TEXT + sizeof(master)];
    if (!title_id_valid(title)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/%s", title, master);
    return is_there(server->root, path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The titles in the order of their names, into the writer's array (NULL: only counts). */
static size_t write_titles(const struct play_server *server, struct writer *w) {
    if (server->single != NULL) {
        if (w != NULL) {
            writer_string(w, NULL, server->single);
        }
        return 1;
    }
    int fd = openat(server->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    char **names = NULL;
    size_t count = 0;
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (has_title(server, entry->d_name)) {
            names = mem_resize(names, count + 1, sizeof(*names));
            names[count++] = mem_string(entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (count > 0) {
        qsort(names, count, sizeof(*names), by_name);
    }
    for (size_t i = 0; i < count; i++) {
        if (w != NULL) {
            writer_string(w, NULL, names[i]);
        }
        mem_free(names[i]);
    }
    mem_free(names);
    return count;
}

size_t play_server_titles(const struct play_server *server) {
    return write_titles(server, NULL);
}

/* ---- Answers --------------------------------------------------------------------- */

static const struct player_file *player_file_find(const char *path) {
    for (const struct player_file *file = player_files; file->path != NULL; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}

static void answer_player_file(struct exchange *exchange, const struct player_file *file) {
    struct buf body = {0};
    buf_append(&body, file->data, file->size);
    const struct http_reply reply = {
        .status = 200, .type = file->type, .cache_control = "no-cache"};
    http_answer_reply(exchange, &reply, &body);
}

static void answer_titles(const struct play_server *server, struct exchange *exchange) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_array(&w, "titles");
    write_titles(server, &w);
    writer_array_end(&w);
    writer_bool(&w, "hls_js", player_file_find(hls_js) != NULL);
    writer_object_end(&w);
    http_answer(exchange, 200, "application/json", &body);
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

/* Sends the file, or says that the asker has it; takes the descriptor. */
static void send_file(struct exchange *exchange, const char *path, const struct media_file *file) {
    char content_range[96];
    int64_t first = 0;
    int64_t length = file->size;
    bool unchanged = media_etag_listed(exchange_header(exchange, "If-None-Match"), file->etag);
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
        close(file->fd);
        http_answer_reply(exchange, &reply, NULL);
        return;
    }
    if (range == MEDIA_PART) {
        snprintf(content_range, sizeof(content_range), "bytes %" PRId64 "-%" PRId64 "/%" PRId64,
                 first, first + length - 1, file->size);
        reply.status = 206;
    }
    http_answer_file(exchange, &reply, file->fd, first, length);
}

/* `path` is what follows "/media/". */
static void answer_media(const struct play_server *server, struct exchange *exchange,
                         const char *path) {
    char title[WIRE_TITLE_TEXT];
    struct media_file file;
    struct err err = {0};
    size_t length = strcspn(path, "/");
    if (length >= sizeof(title) || path[length] == '\0') {
        answer_missing(exchange);
        return;
    }
    memcpy(title, path, length);
    title[length] = '\0';
    const char *below = path + length + 1;
    if (delivery_type(below) == NULL || !media_path_valid(below) || !has_title(server, title)) {
        answer_missing(exchange);
        return;
    }
    const char *from_root = server->single != NULL ? below : path;
    int result = media_file_open(&file, server->root, from_root, &err);
    if (result == 0) {
        send_file(exchange, below, &file);
    } else if (result == ERR_NOT_FOUND) {
        answer_missing(exchange);
    } else {
        http_answer_problem(exchange, 500, &err);
    }
}

static void handle(void *context, struct exchange *exchange) {
    const struct play_server *server = context;
    const struct player_file *file = player_file_find(exchange->path);
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
        struct err err = {0};
        err_set(&err, ERR_INVALID, "%s is only read from: GET and HEAD", exchange->path);
        exchange->allow = "GET, HEAD";
        http_answer_problem(exchange, 405, &err);
    } else if (file != NULL) {
        answer_player_file(exchange, file);
    } else if (strcmp(exchange->path, "/titles.json") == 0) {
        answer_titles(server, exchange);
    } else if (strncmp(exchange->path, media, sizeof(media) - 1) == 0) {
        answer_media(server, exchange, exchange->path + sizeof(media) - 1);
    } else {
        answer_missing(exchange);
    }
}

/* ---- Start and stop ---------------------------------------------------------------- */

/* Opens the folder, and finds whether it is one title's own. */
static int open_folder(struct play_server *server, const char *folder, struct err *err) {
    server->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (server->root < 0) {
        return err_set_errno(err, errno, "cannot play %s, which must be a folder of titles",
                             folder);
    }
    if (is_there(server->root, master)) {
        char *whole = realpath(folder, NULL);
        const char *slash = whole != NULL ? strrchr(whole, '/') : NULL;
        const char *name = slash != NULL ? slash + 1 : folder;
        char title[WIRE_TITLE_TEXT];
        title_name_of(name, title);
        server->single = mem_string(title_id_valid(name) ? name : title);
        mem_free(whole);
    }
    return 0;
}

int play_server_start(struct play_server **out, const char *folder, int port, struct err *err) {
    struct play_server *server = mem_zero(1, sizeof(*server));
    struct http_server_options options = http_server_options_default();
    options.host = host;
    options.port = port;
    options.max_body = 0;
    options.idle_ms = IDLE_MS;
    options.handle = handle;
    options.context = server;
    int result = open_folder(server, folder, err);
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
    http_server_stop(server->http);
    if (server->root >= 0) {
        close(server->root);
    }
    mem_free(server->single);
    mem_free(server->url);
    mem_free(server);
}
