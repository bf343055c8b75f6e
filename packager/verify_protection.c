/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is encrypted: what boxes and manifests say of it. Nothing is decrypted; what stays unread
 * is said. See verify.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

/* ---- Tracks and segments --------------------------------------------------------- */

void verify_protected_track(struct verify *v, const struct real_track *track) {
    const struct protection_facts *facts = &track->facts.protection;
    const char *fault = facts->there ? protection_fault(facts) : NULL;
    if (fault != NULL) {
        verify_found(v, RULE_CMAF_PROTECTION, track->init, "its encryption %s", fault);
    }
    if (facts->there) {
        verify_found(v, RULE_UNCHECKED_ENCRYPTION, track->init,
                     "not checked: its samples, which are encrypted by %s: which of them are key "
                     "pictures is taken from their flags; nor the data of key systems",
                     facts->scheme);
    }
}

void verify_protected_segment(struct verify *v, const struct real_track *track, const char *path,
                              const struct media_facts *facts, const uint8_t *data) {
    const struct protection_facts *protection = &track->facts.protection;
    const char *fault = NULL;
    for (size_t c = 0; c < facts->chunk_count && protection->there && fault == NULL; c++) {
        const struct chunk_facts *chunk = &facts->chunks[c];
        fault = protection_fragment_fault(protection, data + chunk->offset, chunk->header_size,
                                          &facts->samples[chunk->first_sample],
                                          chunk->sample_count);
        if (fault != NULL) {
            verify_found(v, RULE_CMAF_PROTECTION, path, "the fragment at byte %zu %s",
                         chunk->offset, fault);
        }
    }
}

/* ---- HLS ------------------------------------------------------------------------- */

static bool says(const struct m3u8_item *item, const char *name, const char *value) {
    const char *text = m3u8_attribute(item, name);
    return text != NULL && strcmp(text, value) == 0;
}

bool verify_is_sealed(const struct m3u8 *text) {
    bool sealed = false;
    for (size_t i = 0; i < text->keys.count; i++) {
        sealed = sealed || says(&text->keys.items[i], "METHOD", "AES-128");
    }
    return sealed;
}

/* 128 bits: "0x" and as many as 32 digits. */
static bool is_vector(const char *text) {
    size_t digits = strncasecmp(text, "0x", 2) == 0 ? strlen(text + 2) : 0;
    return digits >= 1 && digits <= 32 && strspn(text + 2, "0123456789abcdefABCDEF") == digits;
}

static const char *key_fault(const struct m3u8_item *key) {
    static const char *const methods[] = {"NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"};
    const char *vector = m3u8_attribute(key, "IV");
    bool known = false;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        known = known || says(key, "METHOD", methods[i]);
    }
    if (says(key, "METHOD", "NONE")) {
        return key->attribute_count > 1 ? "is of METHOD=NONE, and has other attributes" : NULL;
    }
    return !known                                 ? "has no METHOD that is known"
           : key->uri == NULL                     ? "has no URI"
           : vector != NULL && !is_vector(vector) ? "has an IV that is no number of 128 bits"
                                                  : NULL;
}

/* Samples of fMP4 that are encrypted by cbcs are SAMPLE-AES, those by cenc SAMPLE-AES-CTR. */
static bool names_scheme(const struct m3u8 *text, const char *method) {
    bool names = false;
    for (size_t i = 0; i < text->keys.count; i++) {
        names = names || says(&text->keys.items[i], "METHOD", method);
    }
    return names;
}

void verify_playlist_keys(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    for (size_t i = 0; i < text->keys.count; i++) {
        const char *fault = key_fault(&text->keys.items[i]);
        if (fault != NULL) {
            verify_found(v, RULE_HLS_KEY, playlist->path, "EXT-X-KEY in line %d %s",
                         text->keys.items[i].line, fault);
        }
    }
    if (playlist->stretch_count > 0 && playlist->main->sealed) {
        verify_found(v, RULE_UNCHECKED_ENCRYPTION, playlist->path,
                     "not checked: its segments, which are encrypted as a whole by AES-128");
    }
    bool told = false;
    for (size_t s = 0; s < playlist->stretch_count && !told; s++) {
        const struct real_track *track = playlist->stretches[s]->track;
        const char *scheme = track->facts.protection.scheme;
        const char *method = scheme[0] == 'c' && scheme[1] == 'b' ? "SAMPLE-AES" : "SAMPLE-AES-CTR";
        told = track->readable && track->facts.protection.there && !names_scheme(text, method);
        if (told) {
            verify_found(v, RULE_HLS_KEY, playlist->path,
                         "its segments are encrypted by %s, and no EXT-X-KEY has METHOD=%s", scheme,
                         method);
        }
    }
}

/* ---- DASH ------------------------------------------------------------------------ */

static int next_digit(const char **at, size_t *left) {
    while (*left > 0 && **at == '-') {
        (*at)++;
        (*left)--;
    }
    if (*left == 0 || !isxdigit((unsigned char)**at)) {
        return -1;
    }
    char digit = *(*at)++;
    (*left)--;
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* Whether a UUID of `length` letters is the key's. */
static bool is_key(const char *text, size_t length, const uint8_t key_id[KEY_ID_BYTES]) {
    bool same = true;
    for (int i = 0; i < KEY_ID_BYTES && same; i++) {
        int high = next_digit(&text, &length);
        int low = next_digit(&text, &length);
        same = high >= 0 && low >= 0 && (high << 4 | low) == key_id[i];
    }
    return same && length == 0;
}

/* default_KID is a list with blanks between. */
static bool lists_key(const char *list, const uint8_t key_id[KEY_ID_BYTES]) {
    for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
        size_t length = strcspn(list, " ");
        if (is_key(list, length, key_id)) {
            return true;
        }
        list += length;
    }
    return false;
}

void verify_representation_keys(struct verify *v, const struct mpd_representation *from,
                                const struct listing *listing) {
    const struct protection_facts *facts = &listing->track->facts.protection;
    if (!facts->there) {
        return; /* what is said to be protected may yet begin in the clear */
    }
    const char *fault =
        from->protection_scheme == NULL ? "is encrypted, and no ContentProtection says so"
        : from->protection_scheme[0] != '\0' && strcmp(from->protection_scheme, facts->scheme) != 0
            ? "is encrypted by another scheme than the @value of its "
              "ContentProtection"
        : from->default_key[0] != '\0' && !lists_key(from->default_key, facts->key_id)
            ? "has a default_KID that is not the key of its tenc"
            : NULL;
    if (fault != NULL) {
        verify_found(v, RULE_DASH_KEY, mpd_path, "%s %s", listing->label, fault);
    }
}
