/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of sources, kept for all tasks of a worker: see headers.h. */
#include "headers.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "common/condition.h"
#include "common/mem.h"

enum {
    LOOK_MS = 50,          /* how often who waits for another looks for a stop */
    PIECE_BYTES = 1 << 20, /* at most, of one fetch */
    ALLOCATION_BYTES = 32, /* what one takes beside its bytes */
};

struct piece {
    int64_t offset;
    size_t size;
    uint8_t *data;   /* owned; NULL: not fetched yet; does not change any more */
    bool is_fetched; /* by some slot, now */
    bool has_failed; /* it is for each task to read by itself, and to say why not */
};

struct header {
    struct header *next; /* used longer ago */
    struct headers *headers;
    char *identity; /* owned, as is what follows */
    struct byte_range *ranges;
    size_t range_count;
    struct piece *pieces; /* rising and apart, as the ranges */
    size_t count;
    int64_t bytes; /* of all pieces, fetched or not, and of what tells of them */
    int users;
};

struct headers {
    pthread_mutex_t lock; /* of all headers */
    pthread_cond_t changed;
    struct header *first;
    int64_t bytes;
    int64_t bytes_max;
};

struct headers *headers_create(int64_t bytes_max) {
    struct headers *headers = mem_zero(1, sizeof(*headers));
    headers->bytes_max = bytes_max;
    pthread_mutex_init(&headers->lock, NULL);
    condition_init(&headers->changed);
    return headers;
}

static void header_free(struct header *header) {
    for (size_t i = 0; i < header->count; i++) {
        mem_free(header->pieces[i].data);
    }
    mem_free(header->identity);
    mem_free(header->ranges);
    mem_free(header->pieces);
    mem_free(header);
}

void headers_destroy(struct headers *headers) {
    if (headers == NULL) {
        return;
    }
    while (headers->first != NULL) {
        struct header *next = headers->first->next;
        header_free(headers->first);
        headers->first = next;
    }
    pthread_mutex_destroy(&headers->lock);
    pthread_cond_destroy(&headers->changed);
    mem_free(headers);
}

/* ---- Which are kept ------------------------------------------------------------------------ */

static size_t piece_count(const struct source_document *document) {
    size_t count = 0;
    for (size_t i = 0; i < document->header_count; i++) {
        count += (size_t)((document->header[i].size + PIECE_BYTES - 1) / PIECE_BYTES);
    }
    return count;
}

static struct header *header_of(struct headers *headers, const char *identity,
                                const struct source_document *document) {
    struct header *header = mem_zero(1, sizeof(*header));
    header->headers = headers;
    header->identity = mem_string(identity);
    header->range_count = document->header_count;
    header->ranges = mem_resize(NULL, document->header_count, sizeof(*header->ranges));
    memcpy(header->ranges, document->header, document->header_count * sizeof(*header->ranges));
    header->pieces = mem_zero(piece_count(document), sizeof(*header->pieces));
    for (size_t i = 0; i < document->header_count; i++) {
        const struct byte_range *range = &document->header[i];
        for (int64_t at = 0; at < range->size; at += PIECE_BYTES) {
            int64_t left = range->size - at;
            header->pieces[header->count++] = (struct piece){
                .offset = range->offset + at,
                .size = (size_t)(left < PIECE_BYTES ? left : PIECE_BYTES),
            };
        }
        header->bytes += range->size;
    }
    header->bytes += (int64_t)(header->count * (sizeof(*header->pieces) + ALLOCATION_BYTES) +
                               header->range_count * sizeof(*header->ranges));
    return header;
}

/* A probe that ran again may have found another header. */
static bool is_of(const struct header *header, const char *identity,
                  const struct source_document *document) {
    return strcmp(header->identity, identity) == 0 &&
           header->range_count == document->header_count &&
           memcmp(header->ranges, document->header,
                  header->range_count * sizeof(*header->ranges)) == 0;
}

/* Takes it out of the list; NULL where it is not there. */
static struct header *unlink_known(struct headers *headers, const char *identity,
                                   const struct source_document *document) {
    for (struct header **at = &headers->first; *at != NULL; at = &(*at)->next) {
        if (is_of(*at, identity, document)) {
            struct header *header = *at;
            *at = header->next;
            return header;
        }
    }
    return NULL;
}

/* Forgets the one that was used longest ago, of those that nobody uses; false without any. */
static bool forget_one(struct headers *headers) {
    struct header **idle = NULL;
    for (struct header **at = &headers->first; *at != NULL; at = &(*at)->next) {
        idle = (*at)->users == 0 ? at : idle;
    }
    if (idle == NULL) {
        return false;
    }
    struct header *header = *idle;
    *idle = header->next;
    headers->bytes -= header->bytes;
    header_free(header);
    return true;
}

/* The header, in no list; NULL where there is no room. */
static struct header *find_or_make(struct headers *headers, const char *identity,
                                   const struct source_document *document) {
    struct header *header = unlink_known(headers, identity, document);
    if (header != NULL) {
        return header;
    }
    header = header_of(headers, identity, document);
    while (headers->bytes + header->bytes > headers->bytes_max) {
        if (!forget_one(headers)) {
            header_free(header);
            return NULL;
        }
    }
    headers->bytes += header->bytes;
    return header;
}

/* What failed may be there by now. */
static void try_again(struct header *header) {
    for (size_t i = 0; i < header->count; i++) {
        header->pieces[i].has_failed = false;
    }
}

struct header *headers_take(struct headers *headers, const char *identity,
                            const struct source_document *document, int64_t size) {
    size_t count = document->header_count;
    if (headers == NULL || identity[0] == '\0' || count == 0 ||
        document->header[count - 1].offset + document->header[count - 1].size > size) {
        return NULL;
    }
    pthread_mutex_lock(&headers->lock);
    struct header *header = find_or_make(headers, identity, document);
    if (header != NULL) {
        try_again(header);
        header->users++;
        header->next = headers->first;
        headers->first = header;
    }
    pthread_mutex_unlock(&headers->lock);
    return header;
}

void header_give(struct header *header) {
    if (header != NULL) {
        struct headers *headers = header->headers;
        pthread_mutex_lock(&headers->lock);
        header->users--;
        pthread_mutex_unlock(&headers->lock);
    }
}

/* ---- Reading ------------------------------------------------------------------------------- */

static struct piece *find(struct header *header, int64_t offset) {
    size_t low = 0;
    size_t high = header->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct piece *piece = &header->pieces[middle];
        if (offset < piece->offset) {
            high = middle;
        } else if (offset >= piece->offset + (int64_t)piece->size) {
            low = middle + 1;
        } else {
            return piece;
        }
    }
    return NULL;
}

/* Under the lock: a piece that nobody has or fetches: this one, else the nearest before it, as
 * an MXF is gone through, else any. NULL: none. */
static struct piece *next_to_fetch(struct header *header, struct piece *wanted) {
    size_t at = (size_t)(wanted - header->pieces);
    for (size_t i = 0; i < header->count; i++) {
        struct piece *piece = &header->pieces[(at + header->count - i) % header->count];
        if (piece->data == NULL && !piece->is_fetched && !piece->has_failed) {
            return piece;
        }
    }
    return NULL;
}

/* Fetches a piece that is marked as this slot's. */
static int fetch_piece(struct headers *headers, struct piece *piece, header_fetch *fetch,
                       void *context, struct err *err) {
    uint8_t *data = mem_resize(NULL, piece->size, 1);
    int failed = fetch(context, piece->offset, data, piece->size, err);
    if (failed != 0) {
        mem_free(data);
        data = NULL;
    }
    pthread_mutex_lock(&headers->lock);
    piece->data = data;
    piece->is_fetched = false;
    piece->has_failed = failed != 0 && failed != ERR_CANCELLED;
    pthread_cond_broadcast(&headers->changed);
    pthread_mutex_unlock(&headers->lock);
    return failed;
}

/* Until the piece is here: 1; 0 where another slot failed to fetch it. While another slot fetches
 * it this one fetches what both will want next: slots that begin a title together share the round
 * trips. */
static int have(struct header *header, struct piece *wanted, header_fetch *fetch, void *context,
                const atomic_bool *cancel, struct err *err) {
    struct headers *headers = header->headers;
    for (;;) {
        struct err why = {0};
        if (cancel != NULL && atomic_load(cancel)) {
            return err_set(err, ERR_CANCELLED, "the task was stopped");
        }
        pthread_mutex_lock(&headers->lock);
        bool is_here = wanted->data != NULL;
        bool is_over = is_here || wanted->has_failed;
        struct piece *piece = is_over ? NULL : next_to_fetch(header, wanted);
        if (piece != NULL) {
            piece->is_fetched = true;
        } else if (!is_over) {
            condition_wait_ms(&headers->changed, &headers->lock, LOOK_MS);
        }
        pthread_mutex_unlock(&headers->lock);
        if (is_over) {
            return is_here ? 1 : 0;
        }
        int failed = piece != NULL ? fetch_piece(headers, piece, fetch, context, &why) : 0;
        if (failed != 0 && piece == wanted) {
            return err_pass(err, &why);
        }
    }
}

int64_t header_read(struct header *header, int64_t offset, void *out, size_t size,
                    header_fetch *fetch, void *context, const atomic_bool *cancel,
                    struct err *err) {
    struct piece *piece = header != NULL ? find(header, offset) : NULL;
    if (piece == NULL || size == 0) {
        return 0;
    }
    int is_here = have(header, piece, fetch, context, cancel, err);
    if (is_here != 1) {
        return is_here;
    }
    size_t inside = (size_t)(offset - piece->offset);
    size_t got = piece->size - inside < size ? piece->size - inside : size;
    memcpy(out, piece->data + inside, got);
    return (int64_t)got;
}
