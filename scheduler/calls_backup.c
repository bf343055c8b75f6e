/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about the store's backup. */
#include <string.h>

#include "backup.h"
#include "call.h"
#include "common/log.h"
#include "common/mem.h"

enum { NAME_BYTES_MAX = 128 };

void call_show_backup(struct tx *tx, struct call *call) {
    const struct backup *backup = tx_backup(tx);
    struct writer *w = &call->writer;
    writer_object(w, NULL);
    writer_string(w, "state", backup_state_name(backup->state));
    writer_string(w, "path", backup->path != NULL ? backup->path : "");
    writer_int(w, "pages", backup->pages);
    writer_int(w, "pages_done", backup->pages_done);
    writer_string(w, "error", backup->err.message);
    writer_object_end(w);
}

/* The name is a plain one: a path would let callers write where the scheduler may. */
void call_begin_backup(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *name = "";
    reader_string(&r, "name", &name);
    call_check_word(&r, "name", name);
    call_check_length(&r, "name", name, NAME_BYTES_MAX);
    if (reader_ok(&r) && name[0] == '.') {
        reader_fail(&r, "name", "begins with a '.'");
    }
    if (reader_ok(&r)) {
        char *path = mem_format("%s/%s", call->routes->backups, name);
        tx_backup_begin(tx, path);
        mem_free(path);
    }
    if (tx_ok(tx)) {
        log_info("backup begun", "path=\"%s\" by=%s", tx_backup(tx)->path, call->caller.token);
        call->status = 202;
        call_show_backup(tx, call);
    }
}
