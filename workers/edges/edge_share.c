/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of the origin that several pushes want: see edge_share.h. */
#include "edge_share.h"

#include <pthread.h>
#include <string.h>

#include "common/condition.h"
#include "common/mem.h"

enum {
    LOOK_MS = 100,    /* how often a stop is looked for */
    COPIES_MAX = 256, /* in the list, which is gone through */
    SPARES_MAX = 16,
    SPARE_BYTES = 1 << 20, /* of a buffer that is worth keeping: the system's cost more */
    SPARE_STEP = 256 * 1024,
};

enum stage { READING, READ, FAILED };

struct share_copy {
    struct share_copy *next; /* a later one */
    struct share *share;     /* NULL: nobody else knows of it */
    struct share_group *group;
    char *path;
    uint64_t hash; /* of it */
    enum stage stage;
    int holders; /* who reads it, waits for it or uses it; and the list */
    int awaited; /* members that may come for it still */
    bool is_listed;
    size_t counted; /* bytes of the body, of the share's */
    struct buf body;
};

struct share_group {
    struct share_group *next;
    struct share *share;
    char *name;
    int members;
};

struct share {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* some copy was read, or failed */
    struct share_group *groups;
    struct share_copy *copies; /* oldest first */
    size_t count;
    struct buf spares[SPARES_MAX]; /* large ones that were in use, for the next */
    size_t spare_count;
    int64_t bytes; /* of all that are being read, listed, in use, or spare */
    int64_t bytes_max;
};

struct share *share_create(int64_t bytes_max) {
    struct share *share = mem_zero(1, sizeof(*share));
    share->bytes_max = bytes_max;
    pthread_mutex_init(&share->lock, NULL);
    condition_init(&share->changed);
    return share;
}

void share_destroy(struct share *share) {
    if (share != NULL) {
        pthread_mutex_destroy(&share->lock);
        pthread_cond_destroy(&share->changed);
        mem_free(share);
    }
}

/* ---- Copies, under the lock ---------------------------------------------------------------- */

/* Takes back a buffer, whose bytes stay counted where it is kept. */
static void spare_add(struct share *share, struct buf *body) {
    bool is_kept = body->capacity >= SPARE_BYTES && share->spare_count < SPARES_MAX &&
                   share->bytes <= share->bytes_max;
    if (is_kept) {
        buf_clear(body);
        buf_swap(&share->spares[share->spare_count++], body);
    } else {
        share->bytes -= (int64_t)body->capacity;
        buf_finish(body);
    }
}

/* Frees the newest, until there is room. */
static void spares_drop(struct share *share, int64_t bytes_max) {
    while (share->spare_count > 0 && share->bytes > bytes_max) {
        struct buf *spare = &share->spares[--share->spare_count];
        share->bytes -= (int64_t)spare->capacity;
        buf_finish(spare);
    }
}

/* A buffer for so many bytes, and for one more, by which a reader sees the end: the smallest that
 * is spare and not too large for it, else a new one. Small ones are left to who reads. */
static void spare_take(struct share *share, int64_t bytes, struct buf *out) {
    size_t best = share->spare_count;
    for (size_t i = 0; i < share->spare_count; i++) {
        int64_t capacity = (int64_t)share->spares[i].capacity;
        if (capacity > bytes && capacity / 2 <= bytes &&
            (best == share->spare_count || capacity < (int64_t)share->spares[best].capacity)) {
            best = i;
        }
    }
    if (best < share->spare_count) {
        buf_swap(out, &share->spares[best]);
        buf_swap(&share->spares[best], &share->spares[--share->spare_count]);
    } else if (bytes >= SPARE_BYTES) {
        buf_reserve_exact(out, ((size_t)bytes / SPARE_STEP + 1) * SPARE_STEP);
        share->bytes += (int64_t)out->capacity;
    }
}

static void drop(struct share_copy *copy) {
    if (--copy->holders == 0) {
        if (copy->share != NULL) {
            spare_add(copy->share, &copy->body);
        }
        buf_finish(&copy->body);
        mem_free(copy->path);
        mem_free(copy);
    }
}

static struct share_copy *find(const struct share_group *group, const char *path) {
    struct share_copy *copy = group->share->copies;
    while (copy != NULL && (copy->group != group || strcmp(copy->path, path) != 0)) {
        copy = copy->next;
    }
    return copy;
}

static void list_add(struct share_copy *copy) {
    struct share_copy **end = &copy->share->copies;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = copy;
    copy->is_listed = true;
    copy->share->count++;
    copy->holders++;
}

static void list_remove(struct share_copy *copy) {
    struct share_copy **at = &copy->share->copies;
    if (!copy->is_listed) {
        return;
    }
    while (*at != copy) {
        at = &(*at)->next;
    }
    *at = copy->next;
    copy->is_listed = false;
    copy->share->count--;
    drop(copy);
}

/* Older ones give way; one that is in use, or being read, would give no room by that. */
static void make_room(struct share *share) {
    struct share_copy *next = NULL;
    spares_drop(share, share->bytes_max);
    for (struct share_copy *copy = share->copies;
         copy != NULL && (share->bytes > share->bytes_max || share->count > COPIES_MAX);
         copy = next) {
        next = copy->next;
        if (copy->stage == READ && copy->holders == 1) {
            list_remove(copy);
            spares_drop(share, share->bytes_max);
        }
    }
}

/* What nobody can come for any more. */
static void forget(struct share_group *group) {
    struct share_copy *next = NULL;
    for (struct share_copy *copy = group->share->copies; copy != NULL; copy = next) {
        next = copy->next;
        if (copy->group == group) {
            list_remove(copy);
        }
    }
}

/* ---- Groups --------------------------------------------------------------------------------- */

struct share_group *share_join(struct share *share, const char *name) {
    pthread_mutex_lock(&share->lock);
    struct share_group *group = share->groups;
    while (group != NULL && strcmp(group->name, name) != 0) {
        group = group->next;
    }
    if (group == NULL) {
        group = mem_zero(1, sizeof(*group));
        group->share = share;
        group->name = mem_string(name);
        group->next = share->groups;
        share->groups = group;
    }
    group->members++;
    pthread_mutex_unlock(&share->lock);
    return group;
}

void share_leave(struct share_group *group) {
    if (group == NULL) {
        return;
    }
    struct share *share = group->share;
    pthread_mutex_lock(&share->lock);
    group->members--;
    if (group->members <= 1) {
        forget(group);
    }
    if (group->members == 0) {
        struct share_group **at = &share->groups;
        while (*at != group) {
            at = &(*at)->next;
        }
        *at = group->next;
        mem_free(group->name);
        mem_free(group);
    }
    spares_drop(share, share->groups == NULL ? 0 : share->bytes_max);
    pthread_mutex_unlock(&share->lock);
}

/* ---- Taking --------------------------------------------------------------------------------- */

/* Under the lock. Whether it has ended; false where the caller is to stop. */
static bool wait_until_read(const struct share_copy *copy, const atomic_bool *cancel) {
    struct share *share = copy->share;
    while (copy->stage == READING && !(cancel != NULL && atomic_load(cancel))) {
        condition_wait_ms(&share->changed, &share->lock, LOOK_MS);
    }
    return copy->stage != READING;
}

/* Under the lock: one that another read; NULL: the caller is to read, or `*stopped`. */
static struct share_copy *take_other(const struct share_group *group, const char *path,
                                     const atomic_bool *cancel, bool *stopped) {
    struct share_copy *copy = find(group, path);
    while (copy != NULL) {
        copy->holders++;
        *stopped = !wait_until_read(copy, cancel);
        if (copy->stage == READ) {
            if (--copy->awaited <= 0) {
                list_remove(copy);
            }
            return copy;
        }
        drop(copy);
        copy = *stopped ? NULL : find(group, path);
    }
    return NULL;
}

/* A push that is alone has nobody to keep it for. */
static struct share_copy *begin(struct share_group *group, const char *path, int64_t bytes) {
    struct share_copy *copy = mem_zero(1, sizeof(*copy));
    copy->holders = 1;
    if (group != NULL) {
        copy->share = group->share;
        copy->group = group;
        spare_take(copy->share, bytes, &copy->body);
        copy->counted = copy->body.capacity;
        make_room(copy->share);
    }
    if (group != NULL && group->members > 1) {
        copy->path = mem_string(path);
        copy->hash = share_hash(path);
        list_add(copy);
    }
    return copy;
}

/* Under the lock. */
static void end(struct share_copy *copy, bool failed) {
    struct share *share = copy->share;
    copy->stage = failed ? FAILED : READ;
    share->bytes += (int64_t)copy->body.capacity - (int64_t)copy->counted;
    copy->counted = copy->body.capacity;
    copy->awaited = copy->group->members - 1;
    if (failed || copy->awaited == 0) {
        list_remove(copy);
    }
    make_room(share);
    pthread_cond_broadcast(&share->changed);
}

/* Another's copy, or one that is to be read; NULL where the caller is to stop. */
static struct share_copy *find_or_begin(struct share_group *group, const char *path, int64_t bytes,
                                        const atomic_bool *cancel, bool *shared) {
    bool stopped = false;
    pthread_mutex_lock(&group->share->lock);
    struct share_copy *copy = take_other(group, path, cancel, &stopped);
    *shared = copy != NULL;
    if (copy == NULL && !stopped) {
        copy = begin(group, path, bytes);
    }
    pthread_mutex_unlock(&group->share->lock);
    return copy;
}

int share_take(struct share_group *group, const struct share_object *object, share_read *read,
               void *context, const atomic_bool *cancel, struct share_copy **out, bool *shared,
               struct err *err) {
    bool is_shared = false;
    struct share_copy *copy =
        group != NULL ? find_or_begin(group, object->path, object->bytes, cancel, &is_shared)
                      : begin(NULL, object->path, object->bytes);
    if (copy == NULL) {
        return err_set(err, ERR_CANCELLED, "stopped as asked");
    }
    int failed = is_shared ? 0 : read(context, &copy->body, err);
    if (!is_shared && copy->share != NULL) {
        pthread_mutex_lock(&copy->share->lock);
        end(copy, failed != 0);
        pthread_mutex_unlock(&copy->share->lock);
    }
    if (failed != 0) {
        share_release(copy);
        return failed;
    }
    *out = copy;
    *shared = is_shared;
    return 0;
}

/* FNV-1a; two paths of one hash cost a bad choice and no more. */
uint64_t share_hash(const char *path) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = path; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static const struct share_copy *find_hash(const struct share_group *group, uint64_t hash) {
    const struct share_copy *copy = group->share->copies;
    while (copy != NULL && (copy->hash != hash || copy->group != group)) {
        copy = copy->next;
    }
    return copy;
}

size_t share_choose(struct share_group *group, const uint64_t *hashes, size_t count) {
    size_t free = count; /* the first that nobody reads */
    size_t chosen = count;
    if (group == NULL) {
        return 0;
    }
    pthread_mutex_lock(&group->share->lock);
    if (group->members > 1) {
        for (size_t i = 0; i < count && chosen == count; i++) {
            const struct share_copy *copy = find_hash(group, hashes[i]);
            chosen = copy != NULL && copy->stage == READ ? i : count;
            free = copy == NULL && free == count ? i : free;
        }
    }
    pthread_mutex_unlock(&group->share->lock);
    return chosen < count ? chosen : free < count ? free : 0;
}

const struct buf *share_body(const struct share_copy *copy) {
    return &copy->body;
}

void share_release(struct share_copy *copy) {
    struct share *share = copy != NULL ? copy->share : NULL;
    if (share != NULL) {
        pthread_mutex_lock(&share->lock);
        drop(copy);
        make_room(share);
        pthread_mutex_unlock(&share->lock);
    } else if (copy != NULL) {
        drop(copy);
    }
}
