/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks to fetch and which to forget: see block_cache.h. */
#include "block_cache.h"

#include <string.h>

#include "common/mem.h"

enum { PAST_SURE = 4 }; /* of so many blocks read past what is sure, one more is fetched */

struct slot {
    int64_t index; /* of the block; -1 while empty */
    uint8_t *data; /* owned */
    uint64_t used; /* tick of the last use */
};

/* A place where the file is read in order. */
struct stream {
    int64_t next;  /* block after the last one fetched for it */
    int64_t ahead; /* blocks of its last fetch */
    int pieces;    /* fetched for it, one after the other; 2: or more */
    uint64_t used;
};

struct block_cache {
    int64_t size;
    int64_t count; /* blocks of the file */
    block_fetch *fetch;
    void *context;
    int64_t most; /* blocks of a piece */
    int64_t sure; /* the first block that may not be wanted */
    uint64_t tick;
    struct slot slots[BLOCKS_KEPT];
    struct stream streams[BLOCK_STREAMS];
};

struct block_cache *block_cache_create(int64_t size, block_fetch *fetch, void *context) {
    struct block_cache *cache = mem_zero(1, sizeof(*cache));
    cache->size = size;
    cache->count = (size + BLOCK_BYTES - 1) / BLOCK_BYTES;
    cache->fetch = fetch;
    cache->context = context;
    cache->most = BLOCK_AHEAD_MAX;
    cache->sure = cache->count;
    for (int i = 0; i < BLOCKS_KEPT; i++) {
        cache->slots[i].index = -1;
    }
    for (int i = 0; i < BLOCK_STREAMS; i++) {
        cache->streams[i].next = -1;
    }
    return cache;
}

void block_cache_destroy(struct block_cache *cache) {
    if (cache != NULL) {
        for (int i = 0; i < BLOCKS_KEPT; i++) {
            mem_free(cache->slots[i].data);
        }
        mem_free(cache);
    }
}

static size_t block_size(const struct block_cache *cache, int64_t index) {
    int64_t left = cache->size - index * BLOCK_BYTES;
    return left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
}

/* Headers and indexes (moov, mfra, Cues) lie in the first block or the last two, and
 * are come back to: they stay. */
static bool is_pinned(const struct block_cache *cache, int64_t index) {
    return index == 0 || index >= cache->count - 2;
}

static struct slot *find(struct block_cache *cache, int64_t index) {
    for (int i = 0; i < BLOCKS_KEPT; i++) {
        if (cache->slots[i].index == index) {
            cache->slots[i].used = ++cache->tick;
            return &cache->slots[i];
        }
    }
    return NULL;
}

static struct slot *oldest_slot(struct block_cache *cache) {
    struct slot *oldest = NULL;
    for (int i = 0; i < BLOCKS_KEPT; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->index >= 0 && is_pinned(cache, slot->index)) {
            continue;
        }
        if (oldest == NULL || slot->used < oldest->used) {
            oldest = slot;
        }
    }
    return oldest; /* at most three are pinned, so there is one */
}

static void store(struct block_cache *cache, int64_t index, const uint8_t *data) {
    struct slot *slot = find(cache, index);
    if (slot == NULL) {
        slot = oldest_slot(cache);
    }
    if (slot->data == NULL) {
        slot->data = mem_resize(NULL, BLOCK_BYTES, 1);
    }
    memcpy(slot->data, data, block_size(cache, index));
    slot->index = index;
    slot->used = ++cache->tick;
}

void block_cache_seed(struct block_cache *cache, const uint8_t *data, size_t size) {
    for (int64_t index = 0; index < cache->count; index++) {
        size_t from = (size_t)index * BLOCK_BYTES;
        if (from + block_size(cache, index) > size) {
            return;
        }
        store(cache, index, data + from);
    }
}

/* Blocks of the piece that follows the stream's last one. */
static int64_t piece_after(const struct block_cache *cache, const struct stream *stream) {
    int64_t left = cache->sure - stream->next;
    int64_t reach = left > 0 ? left : 1 - left / PAST_SURE;
    int64_t most = reach < cache->most ? reach : cache->most;
    return 2 * stream->ahead < most ? 2 * stream->ahead : most;
}

/* The stream that goes on at this block, its piece doubled; or the one unused for
 * the longest time, begun anew. */
static struct stream *pick_stream(struct block_cache *cache, int64_t index) {
    struct stream *oldest = &cache->streams[0];
    for (int i = 0; i < BLOCK_STREAMS; i++) {
        struct stream *stream = &cache->streams[i];
        if (stream->next == index) {
            stream->ahead = piece_after(cache, stream);
            stream->pieces = 2;
            return stream;
        }
        if (stream->used < oldest->used) {
            oldest = stream;
        }
    }
    oldest->ahead = 1;
    oldest->pieces = 1;
    return oldest;
}

/* Bytes from this block on of which no block is here, `count` blocks at most. */
static size_t missing(struct block_cache *cache, int64_t index, int64_t count) {
    int64_t end = index + 1;
    while (end < index + count && end < cache->count && find(cache, end) == NULL) {
        end++;
    }
    int64_t to = end < cache->count ? end * BLOCK_BYTES : cache->size;
    return (size_t)(to - index * BLOCK_BYTES);
}

/* Stores a piece, from which the stream goes on. */
static void keep(struct block_cache *cache, struct stream *stream, int64_t index,
                 const uint8_t *data, size_t size) {
    int64_t end = index;
    for (size_t at = 0; at < size; at += BLOCK_BYTES) {
        store(cache, end++, data + at);
    }
    while (end < cache->count && find(cache, end) != NULL) {
        end++; /* the reader will come past what is here without asking */
    }
    stream->next = end;
    stream->used = ++cache->tick;
}

/* Fetches the block and as many after it as its stream has earned, or as the reader
 * asks for at once; but none that is here. */
static int load(struct block_cache *cache, int64_t index, int64_t wanted, struct err *err) {
    struct stream *stream = pick_stream(cache, index);
    int64_t count = wanted > stream->ahead ? wanted : stream->ahead;
    count = count < BLOCK_AHEAD_MAX ? count : BLOCK_AHEAD_MAX;
    size_t size = missing(cache, index, count);
    const uint8_t *data = NULL;
    int code = cache->fetch(cache->context, index * BLOCK_BYTES, size, &data, err);
    if (code != 0) {
        return code;
    }
    keep(cache, stream, index, data, size);
    return 0;
}

void block_cache_limit(struct block_cache *cache, int64_t blocks, int64_t sure) {
    cache->most = blocks < 1 ? 1 : blocks < BLOCK_AHEAD_MAX ? blocks : BLOCK_AHEAD_MAX;
    cache->sure = sure < cache->size ? (sure + BLOCK_BYTES - 1) / BLOCK_BYTES : cache->count;
}

bool block_cache_foresee(struct block_cache *cache, int64_t offset, int64_t *from, size_t *size) {
    int64_t at = offset > 0 ? (offset - 1) / BLOCK_BYTES : 0;
    for (int i = 0; i < BLOCK_STREAMS; i++) {
        const struct stream *stream = &cache->streams[i];
        if (stream->pieces > 1 && at < stream->next &&
            at >= stream->next - (stream->ahead + 1) / 2 && stream->next < cache->count &&
            find(cache, stream->next) == NULL) {
            *from = stream->next * BLOCK_BYTES;
            *size = missing(cache, stream->next, piece_after(cache, stream));
            return true;
        }
    }
    return false;
}

void block_cache_put(struct block_cache *cache, int64_t from, const uint8_t *data, size_t size) {
    int64_t index = from / BLOCK_BYTES;
    keep(cache, pick_stream(cache, index), index, data, size);
}

bool block_cache_has(struct block_cache *cache, int64_t offset, size_t size) {
    for (int64_t at = offset / BLOCK_BYTES; at * BLOCK_BYTES < offset + (int64_t)size; at++) {
        if (find(cache, at) == NULL) {
            return false;
        }
    }
    return true;
}

int block_cache_read(struct block_cache *cache, int64_t offset, void *out, size_t size,
                     struct err *err) {
    uint8_t *to = out;
    while (size > 0) {
        int64_t index = offset / BLOCK_BYTES;
        const struct slot *slot = find(cache, index);
        if (slot == NULL) {
            int64_t last = (offset + (int64_t)size - 1) / BLOCK_BYTES;
            int code = load(cache, index, last - index + 1, err);
            if (code != 0) {
                return code;
            }
            slot = find(cache, index);
        }
        size_t skip = (size_t)(offset % BLOCK_BYTES);
        size_t here = block_size(cache, index) - skip;
        here = here < size ? here : size;
        memcpy(to, slot->data + skip, here);
        to += here;
        offset += (int64_t)here;
        size -= here;
    }
    return 0;
}
