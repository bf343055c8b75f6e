/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is signed, and addresses as people write them: fields with a NUL behind each. Whatever
 * they hold, a request line has none of its own bytes that could end it or begin another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http.h"
#include "common/mem.h"
#include "common/places.h"
#include "common/s3.h"
#include "common/sigv4.h"
#include "harness.h"

enum { FIELDS = 16, TEXT = 512, EXPIRY_S = 60 };

static const struct sigv4_credentials credentials = {
    .access_key = "AKIDEXAMPLE", .secret_key = "secret", .session_token = NULL};

static void must(bool holds, const char *what, const char *text) {
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, text);
        abort();
    }
}

static bool is_one_line(const char *text) {
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static void sign(char *fields[FIELDS], size_t count) {
    struct sigv4_pair pairs[4];
    struct buf target = {0}, first = {0}, second = {0}, signed_url = {0};
    size_t pair_count = 0;
    for (size_t i = 4; i + 1 < count && pair_count < 4; i += 2) {
        pairs[pair_count++] = (struct sigv4_pair){fields[i], fields[i + 1]};
    }
    struct sigv4_request request = {.method = "GET",
                                    .host = fields[0],
                                    .path = fields[1],
                                    .query = pairs,
                                    .query_count = pair_count,
                                    .payload = SIGV4_UNSIGNED,
                                    .region = fields[2],
                                    .service = "s3",
                                    .time_s = 1369353600};
    sigv4_target(&request, &target);
    must(is_one_line(buf_text(&target)), "a target", buf_text(&target));
    sigv4_sign(&request, &credentials, &first);
    struct sigv4_pair turned[4];
    for (size_t i = 0; i < pair_count; i++) {
        turned[i] = pairs[pair_count - 1 - i];
    }
    request.query = turned;
    sigv4_sign(&request, &credentials, &second);
    must(strcmp(buf_text(&first), buf_text(&second)) == 0, "depends on the order", fields[1]);
    must(strstr(buf_text(&first), "secret") == NULL || strstr(fields[2], "secret") != NULL, "tells",
         buf_text(&first));
    sigv4_presign(&request, &credentials, EXPIRY_S, &signed_url);
    must(is_one_line(buf_text(&signed_url)), "a signed URL", buf_text(&signed_url));
    buf_finish(&target);
    buf_finish(&first);
    buf_finish(&second);
    buf_finish(&signed_url);
}

static void look_at(const char *url, const char *rules) {
    char *bucket = NULL, shown[TEXT];
    const char *key = NULL;
    if (strstr(url, "://") != NULL && s3_split(url, &bucket, &key, NULL) == 0) {
        must(key >= url && key <= url + strlen(url), "a key beside its URL", url);
        must(bucket[0] != '\0' && strchr(bucket, '/') == NULL, "no bucket", bucket);
        mem_free(bucket);
    }
    http_public_url(url, shown, sizeof(shown));
    must(strlen(shown) <= strlen(url) && strchr(shown, '?') == NULL, "shown", shown);
    if (places_check(rules, "source", url, NULL) == 0 &&
        places_check("s3://b", "x", url, NULL) == 0) {
        must(strncmp(url, "s3://b", 6) == 0 && (url[6] == '\0' || url[6] == '/'), "let in", url);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = mem_zero(size + 1, 1);
    char *fields[FIELDS];
    size_t count = 0;
    memcpy(text, data, size);
    for (char *at = text; at < text + size && count < FIELDS; at += strlen(at) + 1) {
        fields[count++] = at;
    }
    if (count >= 4 && fields[1][0] == '/') {
        sign(fields, count);
    }
    if (count >= 4) {
        look_at(fields[3], fields[0]);
    }
    mem_free(text);
    return 0;
}
