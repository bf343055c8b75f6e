/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page at /: see page.h. */
#include "page.h"

#include <string.h>

#include "common/web.h"
#include "scheduler/publishing/public_outputs.h"

extern const struct web_file page_files[]; /* made of web/ by the build */

bool page_answer(struct exchange *exchange, const char *policy, int *status) {
    const struct web_file *file = NULL;
    if (strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0) {
        file = web_file_find(page_files, exchange->path);
        file = file != NULL ? file : web_file_find(web_players, exchange->path);
    }
    if (file != NULL) {
        *status = web_file_answer(exchange, file, policy);
    }
    return file != NULL;
}

/* blob: is how a player hands the <video> what it has fetched. */
void page_policy(const char *public_outputs, struct buf *out) {
    struct buf origins = {0};
    public_outputs_origins(public_outputs, &origins);
    const char *media = buf_text(&origins);
    buf_format(out,
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
               "connect-src 'self'%s; media-src 'self' blob:%s; base-uri 'none'; "
               "form-action 'none'; frame-ancestors 'none'; "
               "require-trusted-types-for 'script'; trusted-types 'none'",
               media, media);
    buf_finish(&origins);
}
