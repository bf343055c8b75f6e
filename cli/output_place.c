/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and object storage: see output_place.h. */
#include "output_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/s3_account.h"

enum { NAME_DIGITS = 16 };

bool output_is_remote(const char *out) {
    return strncasecmp(out, "s3://", 5) == 0;
}

static int make_private(const char *folder, const char *out, struct err *err) {
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return err_set_errno(err, errno, "cannot write to %s (choose another --out)", out);
    }
    return 0;
}

static int open_folder(struct output_place *place, const char *out, struct err *err) {
    int failed = fs_make_dirs(out, err);
    if (failed != 0) {
        return err_wrap(err, "cannot write to %s; choose another --out", out);
    }
    char *path = realpath(out, NULL);
    if (path == NULL) {
        return err_set_errno(err, errno, "cannot find %s", out);
    }
    place->out = mem_string(path);
    free(path);
    place->folder = mem_format("%s/.reelfarm", place->out);
    return make_private(place->folder, place->out, err);
}

/* Named after store and URL: the same bucket at another endpoint is another place. */
static int open_remote(struct output_place *place, const char *out, struct err *err) {
    struct s3_account account = {0};
    char hash[SHA256_TEXT];
    size_t length = strlen(out);
    char *above = fs_state_folder();
    if (above == NULL) {
        return err_set(err, ERR_INVALID,
                       "an output in object storage needs a folder here for what is under way; "
                       "set HOME or XDG_STATE_HOME");
    }
    while (length > 0 && out[length - 1] == '/') {
        length--;
    }
    place->out = mem_format("s3%.*s", (int)length - 2, out + 2);
    int failed = s3_account_find(&account, err);
    if (failed == 0) {
        char *text = mem_format("%s\n%s", account.endpoint, place->out);
        sha256_hex_of(text, strlen(text), hash);
        mem_free(text);
        place->folder = mem_format("%s/%.*s", above, NAME_DIGITS, hash);
        failed = fs_make_dirs(above, err);
    }
    if (failed == 0) {
        failed = make_private(place->folder, place->folder, err);
    }
    s3_account_finish(&account);
    mem_free(above);
    return failed;
}

int output_place_open(struct output_place *place, const char *out, struct err *err) {
    return output_is_remote(out) ? open_remote(place, out, err) : open_folder(place, out, err);
}

void output_place_finish(struct output_place *place) {
    mem_free(place->out);
    mem_free(place->folder);
    *place = (struct output_place){0};
}
