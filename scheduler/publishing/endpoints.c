/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of endpoints, and what each holds: see endpoints.h. */
#include "endpoints.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "common/yaml.h"
#include "hook_events.h"

enum {
    URL_MAX = 8192,
    PUSHES_MAX = 64,
    CONNECTIONS_MAX = 256,
    HEIGHT_MAX = 65535,
    VERIFY_MAX = 1000000,
    ATTEMPTS_MAX = 1000,
    MAX_AGE_S_MAX = 30 * 24 * 60 * 60,
    TIMEOUT_S_MAX = 120,
    SOURCE_MAX = 512,
    MINUTE_MS = 60000,
};

static const int64_t bandwidth_max = INT64_C(1) << 50;

static const char *const drivers[] = {"dav", "pull", "s3", "catalog", "webhook", NULL};
enum { DRIVER_DAV, DRIVER_PULL, DRIVER_S3, DRIVER_CATALOG, DRIVER_WEBHOOK };

static const char *const fills[] = {
    [FILL_ALWAYS] = "always", [FILL_ON_DEMAND] = "on-demand", [FILL_NEVER] = "never"};

/* ---- the file -------------------------------------------------------------------- */

/* A fill rule's text; false where it is none. */
static bool parse_fill(const char *text, struct endpoint *out) {
    static const char score[] = "score >=";
    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        if (fills[i] != NULL && strcmp(text, fills[i]) == 0) {
            out->fill = (enum fill)i;
            return true;
        }
    }
    char *end = NULL;
    if (strncmp(text, score, sizeof(score) - 1) != 0) {
        return false;
    }
    out->fill = FILL_SCORE;
    out->score = strtod(text + sizeof(score) - 1, &end);
    return end != text + sizeof(score) - 1 && *end == '\0' && isfinite(out->score) &&
           out->score >= 0;
}

/* "22:30" at `*at`, which is moved past it. */
static bool parse_time(const char **at, int64_t *out) {
    const char *t = *at;
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9') {
            return false;
        }
    }
    int64_t hours = (t[0] - '0') * 10 + t[1] - '0', minutes = (t[3] - '0') * 10 + t[4] - '0';
    *at += 5;
    *out = (hours * 60 + minutes) * MINUTE_MS;
    return minutes < 60 && *out <= DAY_MS;
}

static bool parse_window(const char *text, struct endpoint *out) {
    out->has_window = parse_time(&text, &out->opens_ms) && *text++ == '-' &&
                      parse_time(&text, &out->closes_ms) && *text == '\0' &&
                      out->opens_ms != out->closes_ms && out->opens_ms < DAY_MS;
    return out->has_window;
}

static const char *text_member(struct reader *r, struct arena *arena, const char *name) {
    const char *text = "";
    if (reader_has(r, name)) {
        reader_string(r, name, &text);
    }
    return arena_string(arena, text);
}

static int number_member(struct reader *r, const char *name, int64_t min, int64_t max,
                         int64_t standard) {
    int64_t value = standard;
    if (reader_has(r, name)) {
        reader_int(r, name, min, max, &value);
    }
    return (int)value;
}

/* Whether somebody wrote a user or a password into the URL. */
static bool has_secret(const char *url) {
    const char *host = strstr(url, "://");
    return host != NULL && strcspn(host + 3, "@") < strcspn(host + 3, "/");
}

/* Whether a path may be written behind it: what came behind a '?' or '#' would be no path, so that
 * to take away one object would take away the place itself; without a host, a title's id is one. */
static bool has_room_for_path(const char *url) {
    bool is_plain = strpbrk(url, " \"<>\\#") == NULL;
    const char *host = strstr(url, "://");
    for (const char *at = url; *at != '\0'; at++) {
        is_plain = is_plain && (unsigned char)*at > 0x20 && *at != 0x7f;
    }
    return is_plain && host != NULL && strcspn(host + 3, "/:?") > 0 &&
           (strncmp(url, "s3://", 5) == 0 || strchr(url, '?') == NULL);
}

static void check_url(struct reader *r, const char *name, const char *url, bool is_needed) {
    size_t size = strlen(url);
    bool known = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0 ||
                 strncmp(url, "s3://", 5) == 0;
    if (!reader_ok(r) || (size == 0 && !is_needed)) {
        return;
    }
    if (!known || size > URL_MAX) {
        reader_fail(r, name, "must be a URL that begins with http://, https:// or s3://");
    } else if (!has_room_for_path(url)) {
        reader_fail(r, name, "must have a host, and no '?' or '#': titles lie below it");
    } else if (has_secret(url)) {
        reader_fail(r, name,
                    "must hold no user or password; workers have those in their file of secrets");
    }
}

/* Without the slash at its end. */
static const char *read_url(struct reader *r, struct arena *arena, const char *name,
                            bool is_needed) {
    const char *read = text_member(r, arena, name);
    check_url(r, name, read, is_needed);
    size_t size = strlen(read);
    while (size > 0 && read[size - 1] == '/') {
        size--;
    }
    return arena_format(arena, "%.*s", (int)size, read);
}

/* Which titles it is for, whatever it does with them. */
static void read_filters(struct reader *r, struct arena *arena, struct endpoint *out) {
    out->label = text_member(r, arena, "label");
    out->tenant = text_member(r, arena, "tenant");
    if (reader_ok(r) && out->label[0] != '\0' && !title_label_valid(out->label)) {
        reader_fail(r, "label", "must be NAME=VALUE of letters, digits, '.', '_' and '-'");
    }
    if (reader_ok(r) && out->tenant[0] != '\0' && !tenant_name_valid(out->tenant)) {
        reader_fail(r, "tenant", "must be at most 64 letters, digits, '.', '_' and '-'");
    }
}

static void read_rules(struct reader *r, struct arena *arena, struct endpoint *out) {
    const char *fill = reader_has(r, "fill") ? text_member(r, arena, "fill") : fills[FILL_ALWAYS];
    read_filters(r, arena, out);
    if (reader_ok(r) && !parse_fill(fill, out)) {
        reader_fail(r, "fill", "is '%.40s'; write always, on-demand, never, or score >= NUMBER",
                    fill);
    }
    out->rules = arena_format(arena, "%s %.17g %s %s", fill, out->score, out->label, out->tenant);
}

/* An edge that lacks rungs that its manifests list would answer 404, unless it fetches them. */
static void read_height(struct reader *r, int driver, struct endpoint *out) {
    out->push.falls_back = driver == DRIVER_PULL;
    out->push.max_height = number_member(r, "max_height", 0, HEIGHT_MAX, 0);
    if (reader_has(r, "falls_back")) {
        reader_bool(r, "falls_back", &out->push.falls_back);
    }
    out->tells_falls_back = driver == DRIVER_DAV && out->push.falls_back &&
                            out->push.max_height == 0;
    if (reader_ok(r) && out->push.max_height > 0 &&
        (!out->push.falls_back || driver == DRIVER_CATALOG)) {
        reader_fail(r, "max_height",
                    "is for edges that fetch from the origin what they lack: those of driver pull, "
                    "or with `falls_back: true`");
    }
}

/* A bucket can always be listed; a DAV edge where its server is told to (nginx: autoindex). */
static void read_lists(struct reader *r, int driver, struct endpoint *out) {
    out->lists = driver == DRIVER_S3;
    if (reader_has(r, "lists")) {
        reader_bool(r, "lists", &out->lists);
    }
    if (reader_ok(r) && out->lists && driver != DRIVER_S3 && driver != DRIVER_DAV) {
        reader_fail(r, "lists", "is for edges that keep files: those of driver dav or s3");
    }
}

static void read_pace(struct reader *r, struct arena *arena, struct endpoint *out) {
    const char *window = text_member(r, arena, "window");
    if (reader_has(r, "bandwidth_bps")) {
        reader_int(r, "bandwidth_bps", 1, bandwidth_max, &out->push.bandwidth_bps);
    }
    /* a cap is shared by all that may run: one push at a time has all of it */
    int pushes = out->push.bandwidth_bps > 0 ? 1 : ENDPOINT_PUSHES;
    out->pushes = number_member(r, "pushes", 1, PUSHES_MAX, pushes);
    out->push.connections =
        number_member(r, "connections", 1, CONNECTIONS_MAX, ENDPOINT_CONNECTIONS);
    if (reader_ok(r) && window[0] != '\0' && !parse_window(window, out)) {
        reader_fail(r, "window", "is '%.40s'; write two times of the day, UTC, as 22:00-06:00",
                    window);
    }
}

/* A webhook's URL is called as it stands, its query too. */
static const char *read_hook_url(struct reader *r, struct arena *arena) {
    const char *url = text_member(r, arena, "url");
    const char *host = strstr(url, "://");
    bool known = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    bool is_plain = strpbrk(url, " \"<>\\#") == NULL && strlen(url) <= URL_MAX;
    for (const char *at = url; *at != '\0'; at++) {
        is_plain = is_plain && (unsigned char)*at > 0x20 && *at != 0x7f;
    }
    if (!reader_ok(r)) {
        return url;
    }
    if (!known || !is_plain || strcspn(host + 3, "/:?") == 0) {
        reader_fail(r, "url",
                    "of a webhook must be one that begins with http:// or https://, with "
                    "a host and without '#'");
    } else if (has_secret(url)) {
        reader_fail(r, "url",
                    "must hold no user or password; workers have those in their file of secrets");
    }
    return url;
}

static int64_t read_events(struct reader *r) {
    int64_t events = 0;
    if (!reader_has(r, "events")) {
        return hook_events_default();
    }
    struct reader list = reader_array(r, "events");
    for (size_t i = 0; i < reader_count(&list) && reader_ok(r); i++) {
        const char *name = "";
        reader_item_string(&list, i, &name);
        int64_t bit = hook_event_parse(name);
        if (reader_ok(r) && bit == 0) {
            struct buf known = {0};
            for (size_t j = 0; hook_event_at(j) != NULL; j++) {
                buf_format(&known, "%s%s", j == 0 ? "" : ", ", hook_event_at(j));
            }
            reader_fail(r, "events", "has '%.40s', which is none of %s", name, buf_text(&known));
            buf_finish(&known);
        }
        events |= bit;
    }
    if (reader_ok(r) && events == 0) {
        reader_fail(r, "events", "must list at least one; leave it out for all of titles");
    }
    return events;
}

static void read_hook(struct reader *r, struct arena *arena, struct endpoint *out) {
    struct hook_rules *hook = &out->hook;
    out->is_hook = true;
    out->fill = FILL_NEVER;
    out->push.url = read_hook_url(r, arena);
    out->push.serves = "";
    out->push.connections = 1;
    read_filters(r, arena, out);
    out->pushes = number_member(r, "pushes", 1, PUSHES_MAX, ENDPOINT_PUSHES);
    hook->events = read_events(r);
    hook->source = reader_has(r, "source") ? text_member(r, arena, "source") : HOOK_SOURCE;
    hook->origin = text_member(r, arena, "handshake");
    if (reader_ok(r) && hook->origin[0] != '\0' && !hook_origin_valid(hook->origin)) {
        reader_fail(r, "handshake",
                    "must be a DNS name by which this farm asks for leave, as "
                    "farm.example.com");
    }
    if (reader_has(r, "batch")) {
        reader_bool(r, "batch", &hook->batch);
    }
    hook->attempts = number_member(r, "attempts", 1, ATTEMPTS_MAX, HOOK_ATTEMPTS);
    hook->max_age_ms = INT64_C(1000) *
                       number_member(r, "max_age_s", 1, MAX_AGE_S_MAX, HOOK_MAX_AGE_S);
    hook->timeout_ms = 1000 * number_member(r, "timeout_s", 1, TIMEOUT_S_MAX, HOOK_TIMEOUT_S);
    size_t size = strlen(hook->source);
    if (reader_ok(r) &&
        (size == 0 || size > SOURCE_MAX || strcspn(hook->source, " \"<>\\^`{|}\t\r\n") != size)) {
        reader_fail(r, "source", "must be a URI, by which receivers tell farms apart");
    }
    char place[SHA256_TEXT]; /* of the URL, which may have a key in it */
    sha256_hex_of(out->push.url, strlen(out->push.url), place);
    out->rules = arena_format(arena, "webhook %s %s %s %s", out->label, out->tenant, hook->origin,
                              hook->origin[0] != '\0' ? place : "");
}

static void read_store(struct reader *r, struct arena *arena, int driver, struct endpoint *out) {
    out->is_catalog = driver == DRIVER_CATALOG;
    out->push.url = read_url(r, arena, "url", true);
    out->push.serves = read_url(r, arena, "serves", false);
    if (reader_ok(r) && out->is_catalog && out->push.serves[0] == '\0') {
        reader_fail(r, "serves", "must say where players find the titles that a catalog lists");
    }
    read_lists(r, driver, out);
    read_rules(r, arena, out);
    read_height(r, driver, out);
    out->fetches = driver == DRIVER_PULL || out->push.falls_back;
    read_pace(r, arena, out);
    out->push.verify_segments =
        number_member(r, "verify_segments", 0, VERIFY_MAX, ENDPOINT_VERIFY_SEGMENTS);
}

static const char *place_of(struct arena *arena, const struct push_endpoint *push) {
    const char *serves = push->serves[0] != '\0' ? push->serves : push->url;
    const char *text = arena_format(arena, "%s\n%s\n%s", push->driver, push->url, serves);
    char hash[SHA256_TEXT];
    sha256_hex_of(text, strlen(text), hash);
    return arena_string(arena, hash);
}

static void read_endpoint(struct reader *r, struct arena *arena, struct endpoint *out) {
    static const char *const stores[] = {
        "name",   "driver",          "url",        "serves", "fill",        "label",
        "tenant", "max_height",      "falls_back", "pushes", "connections", "bandwidth_bps",
        "window", "verify_segments", "lists",      NULL};
    static const char *const hooks[] = {"name",      "driver",    "url",       "events", "label",
                                        "tenant",    "pushes",    "source",    "batch",  "attempts",
                                        "max_age_s", "timeout_s", "handshake", NULL};
    int driver = DRIVER_DAV;
    const char *name = text_member(r, arena, "name");
    if (reader_ok(r) && !endpoint_name_valid(name)) {
        reader_fail(r, "name", "must be 1 to %d of a-z, 0-9, '.', '_' and '-'", ENDPOINT_TEXT - 1);
    }
    snprintf(out->push.name, sizeof(out->push.name), "%s", name);
    reader_choice(r, "driver", drivers, &driver);
    reader_only(r, driver == DRIVER_WEBHOOK ? hooks : stores);
    out->push.driver = drivers[driver];
    if (driver == DRIVER_WEBHOOK) {
        read_hook(r, arena, out);
    } else {
        read_store(r, arena, driver, out);
    }
    out->place = place_of(arena, &out->push);
}

static void read_list(struct reader *r, struct endpoints *out) {
    static const char *const members[] = {"endpoints", NULL};
    reader_only(r, members);
    struct reader list = reader_array(r, "endpoints");
    size_t count = reader_count(&list);
    if (reader_ok(r) && count > ENDPOINTS_MAX) {
        reader_fail(r, "endpoints", "lists more than %d", ENDPOINTS_MAX);
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct reader item = reader_item(&list, i);
        struct endpoint endpoint = {.label = ""};
        read_endpoint(&item, &out->arena, &endpoint);
        if (reader_ok(r) && endpoints_find(out, endpoint.push.name) != NULL) {
            reader_fail(&item, "name", "is there twice: '%s'", endpoint.push.name);
        }
        out->list[out->count++] = endpoint;
    }
}

/* Takes the tree. */
static int read_tree(struct endpoints *out, struct json *tree, const char *where, struct err *err) {
    struct err failure = {0};
    struct reader r = yaml_reader(tree, where, &failure);
    read_list(&r, out);
    json_tree_destroy(tree);
    return err_pass(err, &failure);
}

int endpoints_parse(struct endpoints *out, const void *text, size_t size, const char *where,
                    struct err *err) {
    struct json *tree = NULL;
    *out = (struct endpoints){.count = 0};
    int failed = yaml_tree_parse(&tree, text, size, where, err);
    return failed != 0 ? failed : read_tree(out, tree, where, err);
}

int endpoints_load(struct endpoints *out, const char *path, struct err *err) {
    struct json *tree = NULL;
    *out = (struct endpoints){.count = 0};
    if (path == NULL) {
        return 0;
    }
    int failed = yaml_tree_load(&tree, path, err);
    return failed != 0 ? failed : read_tree(out, tree, path, err);
}

void endpoints_finish(struct endpoints *endpoints) {
    arena_finish(&endpoints->arena);
    endpoints->count = 0;
}

bool endpoint_same_place(const char *one, const char *other) {
    size_t length = strlen(one), others = strlen(other);
    while (length > 0 && one[length - 1] == '/') {
        length--;
    }
    while (others > 0 && other[others - 1] == '/') {
        others--;
    }
    return length == others && strncmp(one, other, length) == 0;
}

const struct endpoint *endpoints_find(const struct endpoints *endpoints, const char *name) {
    for (size_t i = 0; i < endpoints->count; i++) {
        if (strcmp(endpoints->list[i].push.name, name) == 0) {
            return &endpoints->list[i];
        }
    }
    return NULL;
}

/* ---- what it holds, and when ------------------------------------------------------ */

static bool has_label(const struct wanting *wanting, const char *label) {
    bool found = label[0] == '\0';
    for (size_t i = 0; i < wanting->label_count; i++) {
        found = found || strcmp(wanting->labels[i], label) == 0;
    }
    return found;
}

bool endpoint_wants(const struct endpoint *endpoint, const struct wanting *wanting) {
    bool passes = has_label(wanting, endpoint->label) &&
                  (endpoint->tenant[0] == '\0' || strcmp(endpoint->tenant, wanting->tenant) == 0);
    bool fills_it = endpoint->fill == FILL_ALWAYS ||
                    (endpoint->fill == FILL_SCORE && wanting->score >= endpoint->score);
    return passes && fills_it;
}

void endpoint_fill_text(const struct endpoint *endpoint, char *out, size_t size) {
    if (endpoint->fill == FILL_SCORE) {
        snprintf(out, size, "score >= %g", endpoint->score);
    } else {
        snprintf(out, size, "%s", fills[endpoint->fill]);
    }
}

bool endpoint_window_open(const struct endpoint *endpoint, int64_t now) {
    int64_t of_day = now % DAY_MS;
    if (!endpoint->has_window) {
        return true;
    }
    return endpoint->opens_ms < endpoint->closes_ms
               ? of_day >= endpoint->opens_ms && of_day < endpoint->closes_ms
               : of_day >= endpoint->opens_ms || of_day < endpoint->closes_ms;
}

int64_t endpoint_window_turns(const struct endpoint *endpoint, int64_t now) {
    if (!endpoint->has_window) {
        return 0;
    }
    int64_t next = endpoint_window_open(endpoint, now) ? endpoint->closes_ms : endpoint->opens_ms;
    int64_t in_ms = (next - now % DAY_MS + DAY_MS) % DAY_MS;
    return now + (in_ms == 0 ? DAY_MS : in_ms);
}
