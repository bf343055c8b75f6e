/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and object storage: see output_place.h. */
#include "output_place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/blob.h"
#include "common/fs.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/s3.h"
#include "common/s3_account.h"
#include "common/wire.h"
#include "title_name.h"

enum { NAME_DIGITS = 16 };

bool output_is_remote(const char *out) {
    return strncasecmp(out, "s3://", 5) == 0;
}

/* "s3://bucket/prefix", however it was written. */
static int resolve_remote(char **resolved, const char *out, struct err *err) {
    const char *key = NULL;
    char *bucket = NULL;
    int failed = s3_split(out, &bucket, &key, err);
    if (failed == 0) {
        size_t length = strlen(key);
        while (length > 0 && key[length - 1] == '/') {
            length--;
        }
        *resolved = mem_format("s3://%s%s%.*s", bucket, length > 0 ? "/" : "", (int)length, key);
    }
    mem_free(bucket);
    return failed;
}

int output_resolve(char **resolved, const char *out, struct err *err) {
    if (output_is_remote(out)) {
        return resolve_remote(resolved, out, err);
    }
    if (isalpha((unsigned char)out[0]) && strstr(out, "://") != NULL) {
        return err_set(err, ERR_INVALID,
                       "streams can't be written to '%.200s'; name a folder or s3://BUCKET/PREFIX",
                       out);
    }
    char *whole = fs_whole_path(out);
    int failed = place_name_check(whole, err);
    if (failed == 0) {
        *resolved = whole;
    } else {
        mem_free(whole);
    }
    return failed;
}

static int make_private(const char *folder, const char *out, struct err *err) {
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return err_set_errno(err, errno, "cannot write to %s (choose another --out)", out);
    }
    return 0;
}

static int open_folder(struct output_place *place, const char *out, struct err *err) {
    char *whole = NULL;
    int failed = output_resolve(&whole, out, err);
    mem_free(whole);
    if (failed != 0) {
        return failed;
    }
    failed = fs_make_dirs(out, err);
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

/* Whether there are credentials: before any work. */
static int check_remote(const char *out, struct err *err) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    int failed = blob_open(&blob, out, &options, err);
    blob_close(blob);
    return failed;
}

/* Named after store and URL: the same bucket at another endpoint is another place. */
static int open_remote(struct output_place *place, const char *out, struct err *err) {
    struct s3_account account = {0};
    char hash[SHA256_TEXT];
    char *above = fs_state_folder();
    if (above == NULL) {
        return err_set(err, ERR_INVALID,
                       "an output in object storage needs a folder here for what is under way; "
                       "set HOME or XDG_STATE_HOME");
    }
    int failed = resolve_remote(&place->out, out, err);
    if (failed == 0) {
        failed = check_remote(place->out, err);
    }
    if (failed != 0) {
        mem_free(above);
        return failed;
    }
    failed = s3_account_find(&account, NULL, err);
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

/* ---- Titles --------------------------------------------------------------------- */

void output_titles_add(struct output_titles *titles, const char *name) {
    bool again = titles->count > 0 && strcmp(titles->names[titles->count - 1], name) == 0;
    if (!again && title_id_valid(name)) {
        titles->names = mem_resize(titles->names, titles->count + 1, sizeof(*titles->names));
        titles->names[titles->count++] = mem_string(name);
    }
}

/* A listing gives the objects of a title one after the other. */
static int take_object(void *context, const char *key, int64_t size, struct err *err) {
    char name[WIRE_TITLE_TEXT];
    size_t length = strcspn(key, "/");
    (void)size;
    (void)err;
    if (key[length] == '/' && length < sizeof(name)) {
        memcpy(name, key, length);
        name[length] = '\0';
        output_titles_add(context, name);
    }
    return 0;
}

int output_titles_list(struct output_titles *titles, struct blob *blob, struct err *err) {
    return blob_list(blob, "", take_object, titles, err);
}

static int list_remote(struct output_titles *titles, const char *out, struct err *err) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    int failed = blob_open(&blob, out, &options, err);
    if (failed == 0) {
        failed = output_titles_list(titles, blob, err);
    }
    blob_close(blob);
    return failed;
}

/* What lies below other folders is none of ours, and may not be ours to read. */
static int list_folder(struct output_titles *titles, const char *out, struct err *err) {
    struct dirent *entry = NULL;
    DIR *folder = opendir(out);
    if (folder == NULL) {
        return err_set_errno(err, errno, "cannot list %s", out);
    }
    while ((entry = readdir(folder)) != NULL) {
        struct stat found;
        if (fstatat(dirfd(folder), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(found.st_mode)) {
            output_titles_add(titles, entry->d_name);
        }
    }
    closedir(folder);
    return 0;
}

int output_titles_find(struct output_titles *titles, const struct output_place *place,
                       struct err *err) {
    return output_is_remote(place->out) ? list_remote(titles, place->out, err)
                                        : list_folder(titles, place->out, err);
}

void output_titles_finish(struct output_titles *titles) {
    for (size_t i = 0; i < titles->count; i++) {
        mem_free(titles->names[i]);
    }
    mem_free(titles->names);
}
