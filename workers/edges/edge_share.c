/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of the origin that several pushes want: see edge_share.h. */
#include "edge_share.h"

#include <pthread.h>
#include <string.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/mem.h"
#include "takers.h"

enum {
    LOOK_MS = 100,    /* how often a stop is looked for */
    COPIES_MAX = 256, /* in the list, which is gone through */
    SPARES_MAX = 16,
    SPARE_BYTES = 1 << 20, /* of a buffer that is worth keeping: the system's cost more */
    SPARE_STEP = 256 * 1024,
    CHARGED_MS = 4 * SHARE_ASK_MS, /* at most, by one asking: while nobody asks, nobody waits */
};

enum stage { READING, READ, FAILED };

struct share_copy {
    struct share_copy *next; /* a later one */
    struct share *share;     /* NULL: nobody else knows of it */
    struct share_group *group;
    char *path;
    uint64_t hash; /* of it */
    enum stage stage;
    int holders; /* who reads it, waits for it or uses it */
    bool is_listed;
    int64_t counted; /* of the share's bytes, while it is being read */
    struct buf body;
};

struct share_member {
    struct share_group *group;
    uint64_t bit;
    double patience_ms;           /* for which it waits for others still */
    int64_t earned_ms;            /* when that grew last */
    double trust_ms;              /* for which it is waited for still */
    int64_t came_ms;              /* when it last took what another read */
    bool is_held;                 /* it has nothing to take but what it is held back from, */
    int64_t held_ms;              /* as it was told last then, */
    struct share_group *held_for; /* for these of that group; */
    uint64_t held_who;            /* 0: they have left, and that may be gone */
};

/* The pushes of one version. */
struct share_group {
    struct share_group *next;
    struct share *share;
    char *name;
    struct share_member *members[TAKERS_MAX]; /* by their bits; NULL: nobody's */
    int count;
    uint64_t all;         /* their bits */
    uint64_t trusted;     /* of those, who are waited for */
    struct takers takers; /* or that have passed */
    int64_t held_ms;      /* to when waits for some of them have been counted */
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

/* ---- Buffers, under the lock ---------------------------------------------------------------- */

/* What an object of so many bytes takes, and of one more where it is large, by which a reader sees
 * the end; 0 where that is not known. */
static int64_t buffer_bytes(int64_t bytes) {
    return bytes >= SPARE_BYTES ? (bytes / SPARE_STEP + 1) * SPARE_STEP : bytes > 0 ? bytes : 0;
}

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

static int64_t spares_bytes(const struct share *share) {
    int64_t bytes = 0;
    for (size_t i = 0; i < share->spare_count; i++) {
        bytes += (int64_t)share->spares[i].capacity;
    }
    return bytes;
}

/* The smallest buffer that is spare and not too large for so many bytes, else a new one. Small ones
 * are left to who reads. */
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
        buf_reserve_exact(out, (size_t)buffer_bytes(bytes));
        share->bytes += (int64_t)out->capacity;
    }
}

/* ---- Copies, under the lock ---------------------------------------------------------------- */

/* Those that may come for it still. */
static uint64_t awaited_by(const struct share_copy *copy) {
    return copy->group->all & ~takers_of(&copy->group->takers, copy->hash);
}

static struct share_copy *find(const struct share_group *group, const char *path) {
    struct share_copy *copy = group->share->copies;
    while (copy != NULL && (copy->group != group || strcmp(copy->path, path) != 0)) {
        copy = copy->next;
    }
    return copy;
}

static struct share_copy *find_hash(const struct share_group *group, uint64_t hash) {
    struct share_copy *copy = group->share->copies;
    while (copy != NULL && (copy->group != group || copy->hash != hash)) {
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
}

static void copy_free(struct share_copy *copy) {
    if (copy->share != NULL) {
        list_remove(copy);
        spare_add(copy->share, &copy->body);
    }
    buf_finish(&copy->body);
    mem_free(copy->path);
    mem_free(copy);
}

/* Frees it where nobody has it and nobody is to come for it. */
static void settle(struct share_copy *copy) {
    if (copy->holders == 0 && !(copy->is_listed && awaited_by(copy) != 0)) {
        copy_free(copy);
    }
}

static void drop(struct share_copy *copy) {
    copy->holders--;
    settle(copy);
}

static int count_bits(uint64_t bits) {
    int count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* For whom it is kept, of those who are trusted to come; not for `own`, who asks (NULL: nobody). */
static uint64_t kept_for(const struct share_copy *copy, const struct share_member *own) {
    uint64_t others = copy->group->trusted;
    others &= own != NULL && own->group == copy->group ? ~own->bit : UINT64_MAX;
    return awaited_by(copy) & others;
}

/* Of those that may give way the one that is kept for fewest, and the oldest of them; NULL where
 * there is none: one that is in use, or being read, would give no room by that. */
static struct share_copy *find_least(const struct share *share, const struct share_member *own) {
    struct share_copy *least = NULL;
    int least_count = 0;
    for (struct share_copy *copy = share->copies; copy != NULL; copy = copy->next) {
        int count = count_bits(kept_for(copy, own));
        if (copy->stage == READ && copy->holders == 0 && (least == NULL || count < least_count)) {
            least = copy;
            least_count = count;
        }
    }
    return least;
}

static void make_room(struct share *share, const struct share_member *own) {
    struct share_copy *least = NULL;
    spares_drop(share, share->bytes_max);
    while ((share->bytes > share->bytes_max || share->count > COPIES_MAX) &&
           (least = find_least(share, own)) != NULL) {
        copy_free(least);
        spares_drop(share, share->bytes_max);
    }
}

/* What nobody can come for any more. */
static void forget(struct share_group *group) {
    struct share_copy *next = NULL;
    for (struct share_copy *copy = group->share->copies; copy != NULL; copy = next) {
        next = copy->next;
        if (copy->group == group) {
            settle(copy);
        }
    }
}

/* ---- Patience, under the lock --------------------------------------------------------------- */

/* What so much has grown to since then. */
static double grow(double ms, int64_t *since_ms) {
    int64_t now = clock_monotonic_ms();
    double grown = ms + (double)(now - *since_ms) / SHARE_PATIENCE_PART;
    *since_ms = now;
    return grown < SHARE_PATIENCE_MOST_MS ? grown : SHARE_PATIENCE_MOST_MS;
}

static void set_trust(struct share_member *member, double trust_ms) {
    struct share_group *group = member->group;
    member->trust_ms = trust_ms;
    group->trusted = trust_ms > 0 ? group->trusted | member->bit : group->trusted & ~member->bit;
}

/* It came for what another had read. */
static void note_coming(struct share_member *member) {
    set_trust(member, grow(member->trust_ms, &member->came_ms));
}

/* It is held back for these of the group. */
static void note_hold(struct share_member *held, struct share_group *group, uint64_t who) {
    held->is_held = true;
    held->held_ms = clock_monotonic_ms();
    held->held_for = group;
    held->held_who = who;
}

/* Since it was told so it has waited, which cost it patience; and those for whom it did lose trust,
 * if another's wait has not cost them that. */
static void charge_hold(struct share_member *held) {
    struct share_group *group = held->held_for;
    int64_t now = clock_monotonic_ms();
    int64_t past_ms = now - held->held_ms < CHARGED_MS ? now - held->held_ms : CHARGED_MS;
    held->is_held = false;
    held->patience_ms -= (double)past_ms;
    if (held->held_who == 0) {
        return;
    }
    int64_t lost_ms = now - group->held_ms < past_ms ? now - group->held_ms : past_ms;
    group->held_ms = now;
    for (int i = 0; i < TAKERS_MAX; i++) {
        if ((held->held_who >> i & 1) != 0) {
            set_trust(group->members[i], group->members[i]->trust_ms - (double)lost_ms);
        }
    }
}

/* Nobody waits for it any more. */
static void end_holds_for(const struct share_member *member) {
    for (struct share_group *group = member->group->share->groups; group != NULL;
         group = group->next) {
        for (int i = 0; i < TAKERS_MAX; i++) {
            struct share_member *other = group->members[i];
            if (other != NULL && other->held_for == member->group) {
                other->held_who &= ~member->bit;
            }
        }
    }
}

/* ---- Groups --------------------------------------------------------------------------------- */

static struct share_group *group_of(struct share *share, const char *name) {
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
    return group;
}

static void group_free(struct share_group *group) {
    struct share_group **at = &group->share->groups;
    while (*at != group) {
        at = &(*at)->next;
    }
    *at = group->next;
    takers_finish(&group->takers);
    mem_free(group->name);
    mem_free(group);
}

struct share_member *share_join(struct share *share, const char *name) {
    struct share_member *member = NULL;
    int place = 0;
    pthread_mutex_lock(&share->lock);
    struct share_group *group = group_of(share, name);
    while (place < TAKERS_MAX && group->members[place] != NULL) {
        place++;
    }
    if (place < TAKERS_MAX) {
        member = mem_zero(1, sizeof(*member));
        member->group = group;
        member->bit = UINT64_C(1) << place;
        member->patience_ms = SHARE_PATIENCE_MS;
        member->earned_ms = member->came_ms = clock_monotonic_ms();
        group->members[place] = member;
        group->count++;
        group->all |= member->bit;
        set_trust(member, SHARE_PATIENCE_MS);
    }
    pthread_mutex_unlock(&share->lock);
    return member;
}

void share_leave(struct share_member *member) {
    if (member == NULL) {
        return;
    }
    struct share_group *group = member->group;
    struct share *share = group->share;
    pthread_mutex_lock(&share->lock);
    end_holds_for(member);
    set_trust(member, 0);
    group->all &= ~member->bit;
    group->count--;
    for (int i = 0; i < TAKERS_MAX; i++) {
        group->members[i] = group->members[i] == member ? NULL : group->members[i];
    }
    takers_drop(&group->takers, member->bit);
    forget(group);
    if (group->count == 0) {
        group_free(group);
    }
    spares_drop(share, share->groups == NULL ? 0 : share->bytes_max);
    pthread_mutex_unlock(&share->lock);
    mem_free(member);
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
static struct share_copy *take_other(struct share_member *member, const char *path,
                                     const atomic_bool *cancel, bool *stopped) {
    struct share_copy *copy = find(member->group, path);
    while (copy != NULL) {
        copy->holders++;
        *stopped = !wait_until_read(copy, cancel);
        if (copy->stage == READ) {
            note_coming(member);
            return copy;
        }
        drop(copy);
        copy = *stopped ? NULL : find(member->group, path);
    }
    return NULL;
}

static struct share_copy *begin_alone(void) {
    struct share_copy *copy = mem_zero(1, sizeof(*copy));
    copy->holders = 1;
    return copy;
}

/* Under the lock. */
static struct share_copy *begin(const struct share_member *member,
                                const struct share_object *object) {
    struct share_copy *copy = begin_alone();
    copy->share = member->group->share;
    copy->group = member->group;
    copy->path = mem_string(object->path);
    copy->hash = share_hash(object->path);
    spare_take(copy->share, object->bytes, &copy->body);
    copy->counted = (int64_t)copy->body.capacity;
    if (copy->counted == 0) {
        copy->counted = buffer_bytes(object->bytes);
        copy->share->bytes += copy->counted;
    }
    make_room(copy->share, member);
    list_add(copy);
    return copy;
}

/* Under the lock. */
static void end(struct share_copy *copy, bool failed) {
    struct share *share = copy->share;
    copy->stage = failed ? FAILED : READ;
    share->bytes += (int64_t)copy->body.capacity - copy->counted;
    if (failed) {
        list_remove(copy);
    }
    make_room(share, NULL);
    pthread_cond_broadcast(&share->changed);
}

/* Another's copy, or one that is to be read; NULL where the caller is to stop. */
static struct share_copy *find_or_begin(struct share_member *member,
                                        const struct share_object *object,
                                        const atomic_bool *cancel, bool *shared) {
    struct share_group *group = member->group;
    bool stopped = false;
    pthread_mutex_lock(&group->share->lock);
    struct share_copy *copy = take_other(member, object->path, cancel, &stopped);
    *shared = copy != NULL;
    if (copy == NULL && !stopped) {
        copy = begin(member, object);
    }
    if (copy != NULL) {
        takers_add(&group->takers, copy->hash, member->bit);
    }
    pthread_mutex_unlock(&group->share->lock);
    return copy;
}

int share_take(struct share_member *member, const struct share_object *object, share_read *read,
               void *context, const atomic_bool *cancel, struct share_copy **out, bool *shared,
               struct err *err) {
    bool is_shared = false;
    struct share_copy *copy = member != NULL ? find_or_begin(member, object, cancel, &is_shared)
                                             : begin_alone();
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

bool share_is_alone(const struct share_member *member) {
    if (member == NULL) {
        return true;
    }
    pthread_mutex_lock(&member->group->share->lock);
    bool is_alone = member->group->count == 1;
    pthread_mutex_unlock(&member->group->share->lock);
    return is_alone;
}

void share_pass(struct share_member *member, uint64_t hash) {
    if (member == NULL) {
        return;
    }
    struct share_group *group = member->group;
    pthread_mutex_lock(&group->share->lock);
    struct share_copy *copy = find_hash(group, hash);
    takers_add(&group->takers, hash, member->bit);
    if (copy != NULL) {
        settle(copy);
    }
    pthread_mutex_unlock(&group->share->lock);
}

const struct buf *share_body(const struct share_copy *copy) {
    return &copy->body;
}

void share_release(struct share_copy *copy) {
    struct share *share = copy != NULL ? copy->share : NULL;
    if (share != NULL) {
        pthread_mutex_lock(&share->lock);
        drop(copy);
        make_room(share, NULL);
        pthread_mutex_unlock(&share->lock);
    } else if (copy != NULL) {
        copy_free(copy);
    }
}

/* ---- Choosing ------------------------------------------------------------------------------- */

/* FNV-1a; two paths of one hash cost a bad choice and no more. */
uint64_t share_hash(const char *path) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = path; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

struct wishes {
    const struct share_wish *list;
    size_t count;
};

/* Which of them is of the oldest copy at that stage; `count`: none. */
static size_t find_at(const struct share_group *group, const struct wishes *wishes,
                      enum stage stage) {
    for (const struct share_copy *copy = group->share->copies; copy != NULL; copy = copy->next) {
        for (size_t i = 0; copy->group == group && copy->stage == stage && i < wishes->count; i++) {
            if (wishes->list[i].hash == copy->hash) {
                return i;
            }
        }
    }
    return wishes->count;
}

/* The first of which there is no copy. */
static size_t find_new(const struct share_group *group, const struct wishes *wishes) {
    size_t i = 0;
    while (i < wishes->count && find_hash(group, wishes->list[i].hash) != NULL) {
        i++;
    }
    return i;
}

/* Whether so many bytes can be read without loss for anybody who is trusted to come. */
static bool has_room(const struct share_member *member, int64_t bytes) {
    const struct share *share = member->group->share;
    const struct share_copy *least = find_least(share, member);
    bool is_free = least != NULL && kept_for(least, member) == 0;
    int64_t used = share->bytes - spares_bytes(share) + buffer_bytes(bytes);
    return is_free || (used <= share->bytes_max && share->count < COPIES_MAX);
}

/* Whether it is held back for the sake of what would give way. */
static bool is_held_back(struct share_member *member) {
    const struct share_copy *least = find_least(member->group->share, member);
    uint64_t who = least != NULL ? kept_for(least, member) : 0;
    member->patience_ms = grow(member->patience_ms, &member->earned_ms);
    if (who == 0 || member->patience_ms <= 0) {
        return false;
    }
    note_hold(member, least->group, who);
    return true;
}

static size_t choose(struct share_member *member, const struct wishes *wishes) {
    size_t read = find_at(member->group, wishes, READ);
    if (read < wishes->count) {
        return read;
    }
    size_t fresh = find_new(member->group, wishes);
    if (fresh < wishes->count && has_room(member, wishes->list[fresh].bytes)) {
        return fresh;
    }
    size_t reading = find_at(member->group, wishes, READING);
    if (reading < wishes->count) {
        return reading;
    }
    return is_held_back(member) ? wishes->count : fresh;
}

size_t share_choose(struct share_member *member, const struct share_wish *list, size_t count) {
    const struct wishes wishes = {list, count};
    if (member == NULL) {
        return 0;
    }
    struct share_group *group = member->group;
    pthread_mutex_lock(&group->share->lock);
    if (member->is_held) {
        charge_hold(member);
    }
    size_t chosen = group->count > 1 ? choose(member, &wishes) : 0;
    pthread_mutex_unlock(&group->share->lock);
    return chosen;
}
