/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What endpoints know this worker by: see edge_secrets.h. */
#include "edge_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/secret_file.h"
#include "common/wire.h"
#include "common/yaml.h"

enum { TEXT_MAX = 4096, READ_BYTES = 16 * 1024, FILE_BYTES_MAX = 1 << 20 };

static const struct {
    const char *name;
    size_t offset;
    const char *with; /* goes with this one; NULL: stands alone */
} fields[] = {
    {"user", offsetof(struct edge_secret, user), "password"},
    {"password", offsetof(struct edge_secret, password), "user"},
    {"bearer", offsetof(struct edge_secret, bearer), NULL},
    {"refresh_header", offsetof(struct edge_secret, refresh_header), "refresh_value"},
    {"refresh_value", offsetof(struct edge_secret, refresh_value), "refresh_header"},
    {"purge_header", offsetof(struct edge_secret, purge_header), "purge_value"},
    {"purge_value", offsetof(struct edge_secret, purge_value), "purge_header"},
    {"hmac", offsetof(struct edge_secret, hmac), NULL},
    {"profile", offsetof(struct edge_secret, profile), NULL},
    {"access_key", offsetof(struct edge_secret, access_key), "secret_key"},
    {"secret_key", offsetof(struct edge_secret, secret_key), "access_key"},
    {"region", offsetof(struct edge_secret, region), NULL},
    {"endpoint_url", offsetof(struct edge_secret, endpoint_url), NULL},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static char **field_of(struct edge_secret *secret, size_t field) {
    return (char **)((char *)secret + fields[field].offset);
}

void edge_secret_finish(struct edge_secret *secret) {
    for (size_t i = 0; i < FIELDS; i++) {
        char **value = field_of(secret, i);
        if (*value != NULL) {
            explicit_bzero(*value, strlen(*value));
            mem_free(*value);
        }
        *value = NULL;
    }
}

/* Who has the file may publish: nobody else may read it, or have put it there. */
static int check_private(int fd, const char *path, struct err *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return err_set_errno(err, errno, "cannot look at the file of endpoint_secrets '%s'", path);
    }
    if (!S_ISREG(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != 0)) {
        return err_set(err, ERR_INVALID,
                       "the file of endpoint_secrets '%s' is no file of this user; name another",
                       path);
    }
    return (info.st_mode & 077) == 0
               ? 0
               : err_set(err, ERR_INVALID,
                         "others may read the file of endpoint_secrets '%s'; run `chmod 600` on it "
                         "and change what stands in it",
                         path);
}

/* What was looked at is what is read: both by one descriptor. */
static int text_read(struct buf *out, const char *path, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : 1;
    int failed = fd < 0 ? 0 : check_private(fd, path, err);
    while (failed == 0 && got > 0 && out->size <= FILE_BYTES_MAX) {
        buf_reserve(out, READ_BYTES);
        got = read(fd, out->data + out->size, READ_BYTES);
        out->size += got > 0 ? (size_t)got : 0;
    }
    if (failed == 0 && got < 0) {
        failed = err_set_errno(err, errno, "cannot read the file of endpoint_secrets '%s'", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return failed;
}

/* A line's end would begin another header. */
static bool is_plain(const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) <= TEXT_MAX;
}

static bool is_token(const char *name) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return strspn(name, allowed) == strlen(name);
}

/* Where a bucket lies goes with who may write there: the worker's own account is of its own store.
 */
static void check_account(const struct edge_secret *secret, struct reader *r) {
    bool says_who = secret->profile != NULL || secret->access_key != NULL;
    if (reader_ok(r) && secret->profile != NULL && secret->access_key != NULL) {
        reader_fail(r, "profile", "and access_key are two accounts; write one");
    } else if (reader_ok(r) && !says_who && secret->region != NULL) {
        reader_fail(r, "region", "goes with a profile or access_key, which is missing");
    } else if (reader_ok(r) && !says_who && secret->endpoint_url != NULL) {
        reader_fail(r, "endpoint_url", "goes with a profile or access_key, which is missing");
    }
}

static void secret_read(struct edge_secret *out, struct reader *r) {
    const char *names[FIELDS + 1] = {NULL};
    for (size_t i = 0; i < FIELDS; i++) {
        const char *name = fields[i].name;
        const char *text = NULL;
        names[i] = name;
        if (!reader_has(r, name)) {
            continue;
        }
        reader_string(r, name, &text);
        if (reader_ok(r) && !is_plain(text)) {
            reader_fail(r, name, "must be a text of one line");
        } else if (reader_ok(r) && strstr(name, "_header") != NULL && !is_token(text)) {
            reader_fail(r, name, "must be a header's name");
        } else if (reader_ok(r) && fields[i].with != NULL && !reader_has(r, fields[i].with)) {
            reader_fail(r, name, "goes with %s, which is missing", fields[i].with);
        }
        if (reader_ok(r)) {
            *field_of(out, i) = mem_string(text);
        }
    }
    reader_only(r, names);
    check_account(out, r);
}

/* All endpoints' rows are looked at, so that a slip shows before its endpoint is due. */
static void secrets_read(struct edge_secret *out, struct reader *r, const char *endpoint) {
    const char *name = NULL;
    for (size_t i = 0; (name = reader_name(r, i)) != NULL && reader_ok(r); i++) {
        struct edge_secret secret = {0};
        struct reader row = reader_object(r, name);
        if (!endpoint_name_valid(name)) {
            reader_fail(r, name, "is no name of an endpoint");
        }
        secret_read(&secret, &row);
        if (reader_ok(r) && strcmp(name, endpoint) == 0) {
            *out = secret;
        } else {
            edge_secret_finish(&secret);
        }
    }
}

int edge_secret_load(struct edge_secret *out, const char *path, const char *endpoint,
                     struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    struct edge_secret found = {0};
    struct buf text = {0};
    if (path == NULL) {
        return 0;
    }
    int failed = text_read(&text, path, err);
    if (failed == 0) {
        failed = yaml_tree_parse(&tree, text.data, text.size, path, err);
    }
    if (failed == 0) {
        struct reader r = yaml_reader(tree, path, &unread);
        secrets_read(&found, &r, endpoint);
        failed = err_pass(err, &unread);
    }
    if (failed == 0) {
        *out = found;
    } else {
        edge_secret_finish(&found);
    }
    json_tree_destroy(tree);
    secret_forget(&text);
    return failed;
}
