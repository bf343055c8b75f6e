/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm version`: versions of us and of every codec library. */
#include "command.h"
#include "worker_info.h"

static void text_write(const struct json *info, struct buf *out, struct err *err) {
    struct reader r = reader_of(info, "reelfarm-worker --versions", err);
    buf_format(out, "reelfarm %s\n", REELFARM_VERSION);
    struct reader encoders = reader_array(&r, "encoders");
    for (size_t i = 0; i < reader_count(&encoders); i++) {
        struct reader item = reader_item(&encoders, i);
        const char *name = "";
        const char *codec = "";
        const char *library = "";
        reader_string(&item, "name", &name);
        reader_string(&item, "codec", &codec);
        reader_string(&item, "library", &library);
        buf_format(out, "  %-5s by %-5s %s\n", codec, name, library);
    }
    struct reader libraries = reader_array(&r, "libraries");
    for (size_t i = 0; i < reader_count(&libraries); i++) {
        const char *library = "";
        reader_item_string(&libraries, i, &library);
        buf_format(out, "  %s\n", library);
    }
}

static int run(const struct invocation *invocation) {
    struct json *info = NULL;
    struct err err = {0};
    if (worker_info_load(&info, &err) != 0) {
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "reelfarm", REELFARM_VERSION);
        writer_node(&w, "worker", info);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        text_write(info, &text, &err);
    }
    json_tree_destroy(info);
    if (err.code != ERR_NONE) {
        buf_finish(&text);
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    return command_print(&text);
}

const struct command command_version = {
    .name = "version",
    .words = "",
    .summary = "versions of reelfarm and of every codec library",
    .help = "  reelfarm version           for people\n"
            "  reelfarm version --json    with the build lines that renditions are keyed by\n",
    .run = run,
};
