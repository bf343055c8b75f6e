/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DASH: what AdaptationSets declare against facts and against each other. See verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

/* ---- Each set -------------------------------------------------------------- */

static const char *set_fault(const struct dash_period *period, int index) {
    const struct mpd_set *set = &period->told->sets[index];
    const struct mpd_representation *before = NULL;
    const struct real_track *track = NULL;
    const char *fault = set->aligned && set->starts_with_sap
                            ? NULL
                            : "does not say segmentAlignment=\"true\" and startWithSAP=\"1\"";
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct mpd_representation *from = &period->told->representations[i];
        const struct listing *listing = period->listings[i];
        if (from->set != index) {
            continue;
        }
        if (before != NULL &&
            (from->indexed != before->indexed || from->nominal != before->nominal)) {
            fault = "has Representations of different addressing";
        }
        before = from;
        if (listing == NULL || !listing->track->readable) {
            continue;
        }
        const char *kind = listing->track->facts.video ? "video" : "audio";
        if (set->content_type[0] != '\0' && strcmp(set->content_type, kind) != 0) {
            fault = "has another @contentType than its tracks";
        }
        if (track != NULL && track->facts.codec != listing->track->facts.codec) {
            fault = "has Representations of different codecs";
        }
        track = listing->track;
    }
    return before == NULL ? "has no Representation" : fault;
}

/* What players choose and switch by; NULL where all is there. */
static const char *set_lack(const struct dash_period *period, int index) {
    const struct mpd_representation *before = NULL;
    const char *lack = NULL;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct mpd_representation *from = &period->told->representations[i];
        const struct listing *listing = period->listings[i];
        if (from->set != index) {
            continue;
        }
        if (before != NULL && from->bandwidth < before->bandwidth) {
            lack = "has Representations of falling @bandwidth";
        }
        before = from;
        if (listing != NULL && listing->track->readable && !listing->track->facts.video &&
            period->told->sets[index].language[0] == '\0') {
            lack = "is of sound and has no @lang";
        }
    }
    return lack;
}

/* @par is the display aspect of all the set's pictures, within a pixel's rounding. */
static bool aspect_fits(const struct dash_period *period, int index) {
    int64_t wide = 0;
    int64_t high = 0;
    char after = '\0';
    const char *aspect = period->told->sets[index].aspect;
    bool fits = aspect[0] == '\0' ||
                (sscanf(aspect, "%9" SCNd64 ":%9" SCNd64 "%c", &wide, &high, &after) == 2 &&
                 wide > 0 && high > 0);
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct listing *listing = period->listings[i];
        if (period->told->representations[i].set == index && listing != NULL &&
            listing->track->readable) {
            const struct codec_facts *codec = &listing->track->codec;
            fits = fits && llabs(wide * codec->height - high * codec->width) <= wide + high;
        }
    }
    return fits;
}

static void check_sets(struct verify *v, const struct dash_period *period) {
    for (int i = 0; i < (int)period->told->set_count; i++) {
        const char *fault = set_fault(period, i);
        const char *lack = set_lack(period, i);
        if (lack != NULL) {
            verify_found(v, RULE_DASH_OPTIONAL, mpd_path, "AdaptationSet %.40s%s %s",
                         period->told->sets[i].id, period->place, lack);
        }
        if (fault == NULL && !aspect_fits(period, i)) {
            fault = "has a @par that is not the aspect of its pictures";
        }
        if (fault != NULL) {
            verify_found(v, RULE_DASH_SET, mpd_path, "AdaptationSet %.40s%s %s",
                         period->told->sets[i].id, period->place, fault);
        }
    }
}

/* Players choose a sound by its role where none is asked for, and take one without for main
 * (ISO/IEC 23009-1 5.8.5.5; DASH-IF IOP 3.9.2.2). */
static void check_roles(struct verify *v, const struct dash_period *period) {
    size_t sounds = 0;
    size_t mains = 0;
    const struct mpd_set *without = NULL;
    for (int i = 0; i < (int)period->told->set_count; i++) {
        const struct mpd_set *set = &period->told->sets[i];
        if (strcmp(set->content_type, "audio") != 0) {
            continue;
        }
        sounds++;
        mains += strcmp(set->role, "main") == 0 || set->role[0] == '\0';
        without = set->role[0] == '\0' ? set : without;
    }
    if (sounds > 1 && without != NULL) {
        verify_found(v, RULE_DASH_OPTIONAL, mpd_path,
                     "AdaptationSet %.40s%s is one of %zu of sound and has no Role", without->id,
                     period->place, sounds);
    }
    if (sounds > 0 && mains == 0) {
        verify_found(v, RULE_DASH_ROLE, mpd_path, "none of %zu AdaptationSets of sound%s is main",
                     sounds, period->place);
    }
}

/* ---- Sets that name others ------------------------------------------------------- */

/* The set whose @id is the `length` letters at `id`; -1 for none. */
static int set_named(const struct dash_period *period, const char *id, size_t length) {
    for (size_t i = 0; i < period->told->set_count; i++) {
        const char *own = period->told->sets[i].id;
        if (strlen(own) == length && memcmp(own, id, length) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The next id of a list from `*at` on, which moves behind it; 0 letters at the list's end. */
static size_t next_id(const char **at, const char **id, const char *separators) {
    *id = *at + strspn(*at, separators);
    size_t length = strcspn(*id, separators);
    *at = *id + length;
    return length;
}

static bool has_pictures(const struct dash_period *period, int index) {
    bool pictures = strcmp(period->told->sets[index].content_type, "video") == 0;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct mpd_representation *from = &period->told->representations[i];
        pictures = pictures || (from->set == index && strncmp(from->mime_type, "video/", 6) == 0);
    }
    return pictures;
}

/* Ids of sets to switch to stand between commas (ISO/IEC 23009-1 5.3.3.5). */
static bool names_set(const struct dash_period *period, int index, int other) {
    const char *at = period->told->sets[index].switches_with;
    const char *id;
    for (size_t length; (length = next_id(&at, &id, ", ")) > 0;) {
        if (set_named(period, id, length) == other) {
            return true;
        }
    }
    return false;
}

static void check_switching(struct verify *v, const struct dash_period *period, int index) {
    const struct mpd_set *set = &period->told->sets[index];
    const char *at = set->switches_with;
    const char *id;
    for (size_t length; (length = next_id(&at, &id, ", ")) > 0;) {
        int other = set_named(period, id, length);
        const char *fault = other < 0        ? "which is not there"
                            : other == index ? "which it is itself"
                            : has_pictures(period, other) != has_pictures(period, index)
                                ? "which is of another kind of media"
                                : NULL;
        if (fault != NULL) {
            verify_found(v, RULE_DASH_SWITCHING, mpd_path,
                         "AdaptationSet %.40s%s names AdaptationSet %.*s for switching, %s",
                         set->id, period->place, (int)(length < 40 ? length : 40), id, fault);
        }
    }
    for (int other = 0; other < (int)period->told->set_count; other++) {
        bool trick = set->trick_of[0] != '\0' || period->told->sets[other].trick_of[0] != '\0';
        bool pictures = has_pictures(period, index) && has_pictures(period, other) && !trick;
        bool named = names_set(period, other, index);
        if (other != index && (pictures || named) && !names_set(period, index, other)) {
            verify_found(v, named ? RULE_DASH_SWITCHING : RULE_DASH_OPTIONAL, mpd_path,
                         "AdaptationSet %.40s%s does not name AdaptationSet %.40s for switching",
                         set->id, period->place, period->told->sets[other].id);
        }
    }
}

/* Ids of main sets stand between blanks (DASH-IF IOP 3.2.9). */
static void check_trick_mode(struct verify *v, const struct dash_period *period, int index) {
    const struct mpd_set *set = &period->told->sets[index];
    const char *at = set->trick_of;
    const char *id;
    for (size_t length; (length = next_id(&at, &id, " ")) > 0;) {
        int main = set_named(period, id, length);
        if (main < 0 || main == index || period->told->sets[main].trick_of[0] != '\0') {
            verify_found(v, RULE_DASH_TRICK_MODE, mpd_path,
                         "AdaptationSet %.40s%s is the trick mode of AdaptationSet %.*s, %s",
                         set->id, period->place, (int)(length < 40 ? length : 40), id,
                         main < 0 ? "which is not there" : "which is no main one");
        }
    }
}

/* What players that skip, rather than play, want to be told. */
static void advise_trick_rate(struct verify *v, const struct dash_period *period, int index) {
    const struct mpd_set *set = &period->told->sets[index];
    bool told = true;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        told = told && (period->told->representations[i].set != index ||
                        period->told->representations[i].trick_rate);
    }
    if (set->trick_of[0] != '\0' && (!told || !set->trick_essential)) {
        verify_found(v, RULE_DASH_TRICK_RATE, mpd_path, "AdaptationSet %.40s%s is a trick mode, %s",
                     set->id, period->place,
                     told ? "and says so by no EssentialProperty"
                          : "and has no @maxPlayoutRate, or no @codingDependency of false");
    }
}

static void check_protection(struct verify *v, const struct dash_period *period, int index) {
    const struct mpd_set *set = &period->told->sets[index];
    if (set->protection[0] != '\0') {
        verify_found(v, RULE_DASH_PROTECTION, mpd_path,
                     "ContentProtection of AdaptationSet %.40s%s %s", set->id, period->place,
                     set->protection);
    }
}

void verify_dash_sets(struct verify *v, const struct dash_period *period) {
    check_sets(v, period);
    check_roles(v, period);
    for (int i = 0; i < (int)period->told->set_count; i++) {
        check_switching(v, period, i);
        check_trick_mode(v, period, i);
        advise_trick_rate(v, period, i);
        check_protection(v, period, i);
    }
}
