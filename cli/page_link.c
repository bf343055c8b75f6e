/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address that signs in: see page_link.h. */
#include "page_link.h"

#include <string.h>

enum { LINK_MS = 10 * 60 * 1000 };

int page_link_write(struct client *client, struct buf *out, struct err *err) {
    struct json *answer = NULL;
    struct buf body = {0};
    struct err why = {0};
    const char *token = "";
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "role", "admin");
    writer_string(&w, "name", "a link to the page");
    writer_int(&w, "expires_in_ms", LINK_MS);
    writer_object_end(&w);
    int failed = client_call(client, "POST", "/v1/tokens", &body, &answer, &why);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &why);
        reader_string(&r, "token", &token);
        failed = why.code;
    }
    if (failed == 0) {
        buf_format(out, "%s/#/enter/%s", client_url(client), token);
    } else if (failed == ERR_FORBIDDEN) {
        buf_format(out, "%s/", client_url(client));
        failed = 0;
    }
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed == 0 ? 0 : err_pass(err, &why);
}
