/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls to a scheduler's HTTP API: see client.h. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/http.h"
#include "common/mem.h"
#include "common/trace.h"
#include "common/urls.h"
#include "interrupt.h"

enum {
    CALL_MS = 30000,
    TOKEN_BYTES_MAX = 4096,
    AWAY_MS = 60000, /* of a scheduler that is waited for */
    AGAIN_MS = 200,
    AGAIN_MS_MAX = 2000,
};

static const char default_url[] = "http://127.0.0.1:7430";
static const char default_catalog[] = "http://127.0.0.1:7440";

struct client {
    const char *who; /* is asked: "scheduler", also its command and option */
    struct http_client *http;
    char *list; /* of URLs */
    struct urls urls;
    char *token;               /* NULL: none is shown */
    char *ca_file;             /* NULL: the system's authorities */
    const atomic_bool *cancel; /* NULL: none */
    bool answered;             /* the latest call */
    bool reached;              /* there was ever a connection */
    int call_ms;
};

struct client_options client_options_default(void) {
    return (struct client_options){.url = default_url, .token = "", .call_ms = CALL_MS};
}

int client_create(struct client **out, const struct client_options *options, struct err *err) {
    struct http_client *http = NULL;
    int failed = http_client_create(&http, err);
    if (failed != 0) {
        return failed;
    }
    struct client *client = mem_zero(1, sizeof(*client));
    client->who = "scheduler";
    client->http = http;
    client->list = mem_string(options->url);
    urls_init(&client->urls, options->url);
    client->token = options->token == NULL ? NULL : mem_string(options->token);
    client->ca_file = options->ca_file == NULL ? NULL : mem_string(options->ca_file);
    client->call_ms = options->call_ms;
    *out = client;
    return 0;
}

void client_destroy(struct client *client) {
    if (client != NULL) {
        http_client_destroy(client->http);
        mem_free(client->list);
        urls_finish(&client->urls);
        mem_free(client->token);
        mem_free(client->ca_file);
        mem_free(client);
    }
}

/* The option's value, or else the variable's; NULL for neither. */
static const char *chosen(const struct invocation *invocation, const char *option,
                          const char *variable) {
    const char *value = option_value(invocation, option);
    value = value != NULL ? value : getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* `what`: "a scheduler". */
static int check_urls(const char *list, const char *what, struct err *err) {
    struct urls urls;
    int failed = 0;
    urls_init(&urls, list);
    for (size_t i = 0; i < urls.count && failed == 0; i++) {
        const char *url = urls.items[i];
        const char *host = strstr(url, "://");
        bool known = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
        if (!known || strcspn(host + 3, "/:?#") == 0) {
            failed = err_set(err, ERR_INVALID,
                             "'%.200s' is no address of %s; write http://HOST:PORT or "
                             "https://HOST:PORT",
                             url, what);
        }
    }
    urls_finish(&urls);
    return failed;
}

static bool is_token(const struct buf *text) {
    bool good = text->size > 0;
    for (size_t i = 0; i < text->size; i++) {
        good = good && text->data[i] > ' ' && text->data[i] < 0x7f;
    }
    return good;
}

/* The token of this machine's scheduler is for no other. */
static int read_token(struct buf *out, const char *named, const char *url, struct err *err) {
    struct err why = {0};
    if (named == NULL && !urls_are_loopback(url)) {
        return err_set(err, ERR_INVALID,
                       "the scheduler at %s needs a token; name its file by --token-file", url);
    }
    char *folder = fs_state_folder();
    char *path = named != NULL ? mem_string(named)
                               : mem_format("%s/token", folder != NULL ? folder : ".");
    int failed = fs_read(out, path, TOKEN_BYTES_MAX, &why);
    if (failed != 0) {
        err_set(
            err, why.code,
            "cannot read the scheduler's token: %s; start `reelfarm scheduler` on this machine, "
            "or name the token's file by --token-file",
            why.message);
    }
    while (out->size > 0 && strchr(" \t\r\n", out->data[out->size - 1]) != NULL) {
        out->size--;
    }
    if (failed == 0 && !is_token(out)) {
        failed = err_set(err, ERR_INVALID,
                         "'%.200s' holds no token, which is one word on a line; name another file "
                         "by --token-file",
                         path);
    }
    mem_free(folder);
    mem_free(path);
    return failed;
}

int client_connect(struct client **out, const struct invocation *invocation, struct err *err) {
    const char *url = chosen(invocation, "scheduler", "REELFARM_SCHEDULER");
    struct buf token = {0};
    url = url != NULL ? url : default_url;
    int failed = check_urls(url, "a scheduler", err);
    if (failed == 0) {
        failed =
            read_token(&token, chosen(invocation, "token-file", "REELFARM_TOKEN_FILE"), url, err);
    }
    if (failed == 0) {
        struct client_options options = client_options_default();
        options.url = url;
        options.token = buf_text(&token);
        options.ca_file = chosen(invocation, "ca-file", "REELFARM_CA_FILE");
        failed = client_create(out, &options, err);
    }
    if (failed == 0) {
        (*out)->cancel = interrupt_catch();
    }
    buf_finish(&token);
    return failed;
}

int client_connect_catalog(struct client **out, const struct invocation *invocation,
                           struct err *err) {
    const char *url = chosen(invocation, "catalog", "REELFARM_CATALOG");
    const char *token_file = chosen(invocation, "token-file", "REELFARM_CATALOG_TOKEN_FILE");
    struct buf token = {0};
    url = url != NULL ? url : default_catalog;
    int failed = check_urls(url, "a catalog", err);
    if (failed == 0 && token_file != NULL) {
        failed = read_token(&token, token_file, url, err);
    }
    if (failed == 0) {
        struct client_options options = client_options_default();
        options.url = url;
        options.token = token_file != NULL ? buf_text(&token) : NULL;
        options.ca_file = chosen(invocation, "ca-file", "REELFARM_CA_FILE");
        failed = client_create(out, &options, err);
    }
    if (failed == 0) {
        (*out)->who = "catalog";
        (*out)->cancel = interrupt_catch();
    }
    buf_finish(&token);
    return failed;
}

/* What an error of a call is to its user. */
static int judge(const struct client *client, const struct err *err, struct err *told) {
    bool away = err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT;
    *told = *err;
    if (away && (client == NULL || !client->answered)) {
        err_clear(told);
        const char *who = client != NULL ? client->who : "scheduler";
        err_set(told, err->code,
                "no %s answers at %s: %s; start one by `reelfarm %s`, or name another by --%s", who,
                client != NULL ? client->list : default_url, err->message, who, who);
        return EXIT_UNREACHABLE;
    }
    bool refused = err->code == ERR_CONFLICT || err->code == ERR_FORBIDDEN;
    return refused ? EXIT_REFUSED : err->code == ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

const char *client_url(const struct client *client) {
    return urls_now(&client->urls);
}

int client_fail(const struct client *client, const struct invocation *invocation,
                const struct err *err) {
    struct err told;
    int code = judge(client, err, &told);
    return command_fail(invocation, code, &told);
}

int client_tell(const struct client *client, const struct err *err) {
    struct err told;
    int code = judge(client, err, &told);
    command_tell(&told);
    return code;
}

/* The sentence of an RFC 9457 problem document, or else the bare status. */
static int problem(const struct http_request *request, struct http_response *response,
                   struct err *err) {
    struct json *tree = NULL;
    struct err ignored = {0};
    const char *code = "";
    const char *detail = "";
    if (json_tree_parse(&tree, response->body.data, response->body.size, NULL) == 0) {
        struct reader r = reader_of(tree, "problem document", &ignored);
        reader_string(&r, "code", &code);
        reader_string(&r, "detail", &detail);
    }
    int failed = *detail != '\0' ? err_set(err, err_code_from_name(code), "%s", detail)
                                 : http_check(request, response, err);
    json_tree_destroy(tree);
    return failed;
}

static int read_answer(const struct client *client, const struct http_request *request,
                       const struct http_response *response, struct json **answer,
                       struct err *err) {
    struct json *tree = NULL;
    struct err wrong = {0};
    struct reader r = {0};
    int failed = json_tree_parse(&tree, response->body.data, response->body.size, &wrong);
    if (failed == 0) {
        r = reader_of(tree, "the answer", &wrong); /* an object or array, or dead */
        failed = reader_is_object(&r) ? 0 : ERR_CORRUPT;
    }
    if (failed != 0) {
        json_tree_destroy(tree);
        return err_set(err, ERR_CORRUPT, "%s %s: the answer is not a %s's; check --%s",
                       request->method, request->url, client->who, client->who);
    }
    *answer = tree;
    return 0;
}

/* A request as all are: `url` and `trace` are borrowed for its time. */
static struct http_request request_of(const struct client *client, const char *method,
                                      const char *url, char trace[TRACE_TEXT]) {
    struct http_request request = http_request_default();
    request.method = method;
    request.url = url;
    request.bearer = client->token;
    request.trust.ca_file = client->ca_file;
    request.cancel = client->cancel;
    request.redirects = 0;
    /* of what calls the command, as other tools hand it on */
    request.trace = trace_read(trace, getenv("TRACEPARENT")) ? trace : NULL;
    return request;
}

/* A call of the scheduler that is asked now; whether another one may do better. */
static int call_one(struct client *client, const char *method, const char *path, struct buf *body,
                    struct json **answer, bool *passes, struct err *err) {
    char *url = mem_format("%s%s", urls_now(&client->urls), path);
    char trace[TRACE_TEXT];
    const struct http_header type = {"Content-Type", "application/json"};
    struct http_request request = request_of(client, method, url, trace);
    request.total_ms = client->call_ms;
    if (body != NULL) {
        request.headers = &type;
        request.header_count = 1;
        request.body = body->data;
        request.body_size = body->size;
    }
    struct http_response response = {0};
    int failed = http_send(client->http, &request, &response, err);
    client->answered = failed == 0;
    client->reached = client->reached || response.reached;
    bool is_unheard = failed == ERR_TIMEOUT && (!response.reached || strcmp(method, "GET") == 0);
    *passes = failed == ERR_UNAVAILABLE || is_unheard || (failed == 0 && response.status == 503);
    if (failed == 0 && (response.status < 200 || response.status > 299)) {
        failed = problem(&request, &response, err);
    }
    if (failed == 0 && answer != NULL) {
        failed = read_answer(client, &request, &response, answer, err);
    }
    http_response_finish(&response);
    mem_free(url);
    return failed;
}

int client_call(struct client *client, const char *method, const char *path, struct buf *body,
                struct json **answer, struct err *err) {
    struct err why = {0};
    bool passes = true;
    int failed = call_one(client, method, path, body, answer, &passes, &why);
    for (size_t i = 1; i < client->urls.count && failed != 0 && passes; i++) {
        urls_go_on(&client->urls);
        err_clear(&why);
        failed = call_one(client, method, path, body, answer, &passes, &why);
    }
    if (failed == ERR_TIMEOUT) { /* what may have arrived is not sent twice by this call */
        urls_go_on(&client->urls);
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

int client_call_again(struct client *client, const char *method, const char *path, struct buf *body,
                      struct json **answer, struct err *err) {
    const struct http_retry retry = {.first_ms = AGAIN_MS, .most_ms = AGAIN_MS_MAX};
    int64_t until = clock_monotonic_ms() + AWAY_MS;
    for (int failures = 1;; failures++) {
        struct err why = {0};
        int failed = client_call(client, method, path, body, answer, &why);
        bool again = http_may_retry(failed) && client->reached && clock_monotonic_ms() < until;
        if (again &&
            !clock_sleep_ms(http_retry_pause_ms(&retry, failures, 0, NULL), client->cancel)) {
            failed = err_set(err, ERR_CANCELLED, "stopped as asked; %s", why.message);
            again = false;
        }
        if (!again) {
            return failed == 0 ? 0 : err_set(err, (enum err_code)failed, "%s", why.message);
        }
    }
}

struct fetching {
    int fd;
    int failure; /* errno of a write; 0: none */
};

static bool take_bytes(void *context, const void *bytes, size_t size) {
    struct fetching *fetching = context;
    const char *at = bytes;
    while (size > 0 && fetching->failure == 0) {
        ssize_t wrote = write(fetching->fd, at, size);
        if (wrote < 0) {
            fetching->failure = errno == EINTR ? 0 : errno;
            continue;
        }
        at += wrote;
        size -= (size_t)wrote;
    }
    return fetching->failure == 0;
}

int client_fetch(struct client *client, const char *path, int fd, struct err *err) {
    struct fetching fetching = {.fd = fd};
    char *url = mem_format("%s%s", urls_now(&client->urls), path);
    char trace[TRACE_TEXT];
    struct http_response response = {0};
    struct http_request request = request_of(client, "GET", url, trace);
    struct err why = {0};
    request.take = take_bytes;
    request.take_context = &fetching;
    int failed = http_send(client->http, &request, &response, &why);
    client->answered = response.status != 0;
    if (fetching.failure != 0) {
        failed = err_set_errno(err, fetching.failure, "writing what the scheduler sends");
    } else if (failed != 0) {
        err_pass(err, &why);
    } else if (response.status < 200 || response.status > 299) {
        failed = problem(&request, &response, err);
    }
    http_response_finish(&response);
    mem_free(url);
    return failed;
}

int client_page(struct client *client, const struct invocation *invocation, const char *path,
                const char *list, client_text *write, int64_t *next, struct err *err) {
    struct json *answer = NULL;
    struct buf text = {0};
    struct err wrong = {0};
    int failed = client_call(client, "GET", path, NULL, &answer, err);
    if (failed != 0) {
        return failed;
    }
    struct reader r = reader_of(answer, "the scheduler's answer", &wrong);
    struct reader items = reader_array(&r, list);
    for (size_t i = 0; i < reader_count(&items) && reader_ok(&r); i++) {
        struct reader item = reader_item(&items, i);
        if (!reader_ok(&item)) {
            break; /* it is no object */
        }
        if (wants_json(invocation)) {
            json_tree_write(item.node, &text);
            buf_string(&text, "\n");
        } else {
            write(&item, &text);
        }
    }
    if (reader_has(&r, "next")) {
        reader_int(&r, "next", 0, INT64_MAX, next);
    }
    json_tree_destroy(answer);
    if (wrong.code != ERR_NONE) {
        buf_finish(&text);
        return err_pass(err, &wrong);
    }
    return command_print(&text) == EXIT_DONE
               ? 0
               : err_set(err, ERR_INTERNAL, "the %s could not be written", list);
}

static int show_answer(const struct invocation *invocation, const struct json *answer,
                       client_text *write, struct buf *out, struct err *err) {
    struct buf text = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    write(&r, &text);
    if (err->code == ERR_NONE && wants_json(invocation)) {
        struct writer w = writer_of(out);
        writer_node(&w, NULL, answer);
        buf_string(out, "\n");
    } else if (err->code == ERR_NONE) {
        buf_append(out, text.data, text.size);
    }
    buf_finish(&text);
    return err->code;
}

int client_show(const struct invocation *invocation, const char *path, client_text *write) {
    return client_show_either(invocation, path, write, NULL, NULL);
}

int client_show_either(const struct invocation *invocation, const char *path, client_text *write,
                       const char *other, client_text *write_other) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "GET", path, NULL, &answer, &err);
    }
    if (failed == ERR_NOT_FOUND && other != NULL &&
        client_call(client, "GET", other, NULL, &answer, NULL) == 0) {
        err_clear(&err);
        failed = 0;
        write = write_other;
    }
    if (failed == 0) {
        failed = show_answer(invocation, answer, write, &text, &err);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    return code;
}
