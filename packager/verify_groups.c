/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Renditions of the multivariant playlist and their groups: see verify.h. */
#include <inttypes.h>
#include <string.h>

#include "manifest_number.h"
#include "verify.h"

static const char master_path[] = "master.m3u8";

/* The kinds of renditions; each is named by the attribute of its own name in variants. */
enum { KIND_SOUND, KIND_SUBTITLES, KIND_CAPTIONS, KINDS };

static const struct kind {
    const char *type;
    const char *words;
    enum rule rule;     /* what is told where one is not whole */
    int least_defaults; /* and 1 at most */
} kinds[KINDS] = {
    [KIND_SOUND] = {"AUDIO", "sound", RULE_HLS_GROUP, 1},
    [KIND_SUBTITLES] = {"SUBTITLES", "subtitles", RULE_HLS_SUBTITLES, 0},
    [KIND_CAPTIONS] = {"CLOSED-CAPTIONS", "closed captions", RULE_HLS_CAPTIONS, 0},
};

static bool equals(const char *text, const char *value) {
    return text != NULL && strcmp(text, value) == 0;
}

static bool says(const struct m3u8_item *item, const char *name, const char *value) {
    return equals(m3u8_attribute(item, name), value);
}

static bool in_group_of(const struct kind *kind, const struct m3u8_item *media, const char *group) {
    return says(media, "TYPE", kind->type) && group != NULL && says(media, "GROUP-ID", group);
}

bool verify_in_group(const struct m3u8_item *media, const char *group) {
    return in_group_of(&kinds[KIND_SOUND], media, group);
}

/* ---- Each rendition ---------------------------------------------------------------- */

/* The most of all stretches; 0 where one has no count that is known. */
static int channels_of(const struct verify_playlist *playlist) {
    int most = 0;
    for (size_t s = 0; playlist != NULL && s < playlist->stretch_count; s++) {
        const struct real_track *track = playlist->stretches[s]->track;
        if (!track->readable || track->facts.video || track->codec.channels == 0) {
            return 0;
        }
        most = track->codec.channels > most ? track->codec.channels : most;
    }
    return most;
}

static void check_channels(struct verify *v, const struct m3u8_item *media) {
    int real = channels_of(verify_playlist_at(v, media->uri));
    const char *channels = m3u8_attribute(media, "CHANNELS");
    int64_t declared = 0;
    if (real > 0 && verify_has_attribute(v, media, "CHANNELS") &&
        (!manifest_int(channels, 64, &declared) || declared != real)) {
        verify_found(v, RULE_HLS_CHANNELS, master_path,
                     "line %d declares CHANNELS=\"%.16s\", and the sound has %d", media->line,
                     channels, real);
    }
}

/* Codes of ISO 639-1 and of 639-2, its bibliographic ones too. */
static const struct {
    char two[3], three[4];
} languages[] = {
    {"af", "afr"}, {"ar", "ara"}, {"bg", "bul"}, {"bn", "ben"}, {"ca", "cat"}, {"cs", "ces"},
    {"cs", "cze"}, {"cy", "cym"}, {"cy", "wel"}, {"da", "dan"}, {"de", "deu"}, {"de", "ger"},
    {"el", "ell"}, {"el", "gre"}, {"en", "eng"}, {"es", "spa"}, {"et", "est"}, {"eu", "eus"},
    {"eu", "baq"}, {"fa", "fas"}, {"fa", "per"}, {"fi", "fin"}, {"fr", "fra"}, {"fr", "fre"},
    {"ga", "gle"}, {"gl", "glg"}, {"he", "heb"}, {"iw", "heb"}, {"hi", "hin"}, {"hr", "hrv"},
    {"hu", "hun"}, {"hy", "hye"}, {"hy", "arm"}, {"id", "ind"}, {"in", "ind"}, {"is", "isl"},
    {"is", "ice"}, {"it", "ita"}, {"ja", "jpn"}, {"ka", "kat"}, {"ka", "geo"}, {"ko", "kor"},
    {"lt", "lit"}, {"lv", "lav"}, {"mk", "mkd"}, {"mk", "mac"}, {"ms", "msa"}, {"ms", "may"},
    {"nl", "nld"}, {"nl", "dut"}, {"no", "nor"}, {"nb", "nor"}, {"nn", "nor"}, {"pl", "pol"},
    {"pt", "por"}, {"ro", "ron"}, {"ro", "rum"}, {"ru", "rus"}, {"sk", "slk"}, {"sk", "slo"},
    {"sl", "slv"}, {"sq", "sqi"}, {"sq", "alb"}, {"sr", "srp"}, {"sv", "swe"}, {"ta", "tam"},
    {"te", "tel"}, {"th", "tha"}, {"tr", "tur"}, {"uk", "ukr"}, {"ur", "urd"}, {"vi", "vie"},
    {"zh", "zho"}, {"zh", "chi"},
};

enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]) };

/* Whether the code of that length is another one for the language of `two`. */
static bool names_language(const char *code, size_t length, const char *two) {
    bool names = false;
    for (size_t i = 0; i < LANGUAGES && !names; i++) {
        const char *own = length == 2 ? languages[i].two : languages[i].three;
        names = strcmp(languages[i].two, two) == 0 && strlen(own) == length &&
                memcmp(own, code, length) == 0;
    }
    return names;
}

/* mdhd tells a code of three letters where the tag of a manifest may have two; of those that no
 * table of ours knows, any two fit. */
bool verify_language_fits(const char *declared, const char *real) {
    size_t length = strcspn(declared, "-");
    bool known = false;
    if (strcmp(declared, real) == 0) {
        return true;
    }
    if (strlen(real) != 3 || strcmp(real, "und") == 0) {
        return false;
    }
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (strcmp(languages[i].three, real) == 0) {
            known = true;
            if (names_language(declared, length, languages[i].two)) {
                return true;
            }
        }
    }
    return !known && length == 2;
}

static void check_language(struct verify *v, const struct m3u8_item *media) {
    const struct real_track *track = verify_track_of(v, media);
    const char *declared = m3u8_attribute(media, "LANGUAGE");
    const char *real = track != NULL ? track->facts.language_tag : "und";
    if (track == NULL || (declared == NULL && strcmp(real, "und") == 0)) {
        return;
    }
    if (verify_has_attribute(v, media, "LANGUAGE") && !verify_language_fits(declared, real)) {
        verify_found(v, RULE_AUDIO_LANGUAGE, master_path,
                     "line %d declares LANGUAGE=\"%.40s\", and the track says '%s'", media->line,
                     declared, real);
    }
}

/* Which attribute of a rendition is missing, or has no place; NULL for none. */
static const char *rendition_fault(const struct m3u8_item *media, const struct kind *kind) {
    bool has_uri = media->uri != NULL;
    bool captions = kind == &kinds[KIND_CAPTIONS];
    const char *channel = m3u8_attribute(media, "INSTREAM-ID");
    bool channel_fits = channel != NULL &&
                        (strncmp(channel, "CC", 2) == 0 || strncmp(channel, "SERVICE", 7) == 0);
    bool selected = says(media, "AUTOSELECT", "YES");
    bool refused = !selected && m3u8_attribute(media, "AUTOSELECT") != NULL;
    return m3u8_attribute(media, "GROUP-ID") == NULL   ? "has no GROUP-ID"
           : m3u8_attribute(media, "NAME") == NULL     ? "has no NAME"
           : !captions && !has_uri                     ? "has no URI"
           : captions && has_uri                       ? "has a URI, and is in the pictures"
           : captions && !channel_fits                 ? "has no INSTREAM-ID of CC or SERVICE"
           : !captions && channel != NULL              ? "has INSTREAM-ID"
           : says(media, "DEFAULT", "YES") && refused  ? "has DEFAULT=YES and not AUTOSELECT=YES"
           : says(media, "FORCED", "YES") && !selected ? "has FORCED=YES and not AUTOSELECT=YES"
           : kind != &kinds[KIND_SUBTITLES] && m3u8_attribute(media, "FORCED") != NULL
               ? "has FORCED"
               : NULL;
}

static void check_rendition(struct verify *v, const struct m3u8_item *media) {
    const struct kind *kind = NULL;
    for (int k = 0; k < KINDS; k++) {
        kind = says(media, "TYPE", kinds[k].type) ? &kinds[k] : kind;
    }
    if (kind == NULL) {
        verify_found(v, RULE_HLS_GROUP, master_path,
                     "EXT-X-MEDIA in line %d is neither sound, subtitles nor closed captions",
                     media->line);
        return;
    }
    const char *fault = rendition_fault(media, kind);
    if (fault != NULL) {
        verify_found(v, kind->rule, master_path, "EXT-X-MEDIA in line %d, of %s, %s", media->line,
                     kind->words, fault);
    }
    if (says(media, "DEFAULT", "YES")) {
        verify_has_attribute(v, media, "AUTOSELECT");
    }
    if (kind == &kinds[KIND_SOUND]) {
        check_channels(v, media);
        check_language(v, media);
    }
}

/* ---- Each group -------------------------------------------------------------------- */

/* A rendition of the group with that one's NAME and LANGUAGE. */
static bool group_has(const struct verify *v, const char *group, const struct m3u8_item *like) {
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        const char *language = m3u8_attribute(media, "LANGUAGE");
        const char *wanted = m3u8_attribute(like, "LANGUAGE");
        if (verify_in_group(media, group) &&
            equals(m3u8_attribute(media, "NAME"), m3u8_attribute(like, "NAME")) &&
            (language != NULL ? equals(wanted, language) : wanted == NULL)) {
            return true;
        }
    }
    return false;
}

/* What one group offers, each of the others does: a player keeps its choice where it changes
 * the group (RFC 8216 4.3.4.1.1). */
static void check_alike(struct verify *v, const struct m3u8_item *media) {
    const char *group = m3u8_attribute(media, "GROUP-ID");
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *other = &v->master.media.items[i];
        if (verify_in_group(media, group) && !verify_in_group(other, group) &&
            verify_in_group(other, m3u8_attribute(other, "GROUP-ID")) &&
            m3u8_attribute(other, "NAME") != NULL && !group_has(v, group, other)) {
            verify_found(v, RULE_HLS_GROUP_ALIKE, master_path,
                         "the audio group '%.40s' has no rendition like that of line %d", group,
                         other->line);
            return;
        }
    }
}

/* Players that choose by codec or by channels take the group's first for all of it. */
static void advise_one_codec(struct verify *v, size_t index) {
    const struct m3u8_list *all = &v->master.media;
    const char *group = m3u8_attribute(&all->items[index], "GROUP-ID");
    const struct real_track *first = verify_track_of(v, &all->items[index]);
    for (size_t i = index + 1; i < all->count && first != NULL; i++) {
        const struct real_track *other = verify_track_of(v, &all->items[i]);
        if (verify_in_group(&all->items[i], group) && other != NULL &&
            (strcmp(first->codecs, other->codecs) != 0 ||
             first->codec.channels != other->codec.channels)) {
            verify_found(v, RULE_HLS_GROUP_CODEC, master_path,
                         "lines %d and %d are of one group, the one %s of %d channels, the other "
                         "%s of %d",
                         all->items[index].line, all->items[i].line, first->codecs,
                         first->codec.channels, other->codecs, other->codec.channels);
            return;
        }
    }
}

static bool same_name(const struct m3u8_item *a, const struct m3u8_item *b) {
    const char *name = m3u8_attribute(a, "NAME");
    return name != NULL && says(b, "NAME", name);
}

/* Told at the first rendition of each group. */
static void check_group(struct verify *v, const struct kind *kind, size_t index) {
    const struct m3u8_list *all = &v->master.media;
    const char *group = m3u8_attribute(&all->items[index], "GROUP-ID");
    int defaults = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct m3u8_item *media = &all->items[i];
        if (!in_group_of(kind, media, group)) {
            continue;
        }
        if (i < index) {
            return;
        }
        defaults += says(media, "DEFAULT", "YES");
        for (size_t j = i + 1; j < all->count; j++) {
            if (in_group_of(kind, &all->items[j], group) && same_name(media, &all->items[j])) {
                verify_found(v, kind->rule, master_path,
                             "lines %d and %d have one NAME in one group", media->line,
                             all->items[j].line);
            }
        }
    }
    if (defaults < kind->least_defaults || defaults > 1) {
        verify_found(v, kind->rule, master_path, "the group '%.40s' of %s has %d defaults", group,
                     kind->words, defaults);
    }
    if (kind == &kinds[KIND_SOUND]) {
        check_alike(v, &all->items[index]);
        advise_one_codec(v, index);
    }
}

/* ---- What variants name ------------------------------------------------------------ */

static bool group_is_there(const struct verify *v, const struct kind *kind, const char *group) {
    bool there = false;
    for (size_t i = 0; i < v->master.media.count; i++) {
        there = there || in_group_of(kind, &v->master.media.items[i], group);
    }
    return there;
}

static void check_named(struct verify *v, const struct m3u8_item *variant) {
    for (int k = 0; k < KINDS; k++) {
        const char *group = m3u8_attribute(variant, kinds[k].type);
        bool none = k == KIND_CAPTIONS && equals(group, "NONE");
        if (group != NULL && !none && !group_is_there(v, &kinds[k], group)) {
            verify_found(v, kinds[k].rule, master_path,
                         "line %d names the group '%.40s' of %s, which has no rendition",
                         variant->line, group, kinds[k].words);
        }
    }
}

/* A player that changes the variant would lose its subtitles with it. */
static void advise_reach(struct verify *v) {
    const struct m3u8_list *variants = &v->master.variants;
    const struct m3u8_item *with = NULL;
    for (size_t i = 0; i < variants->count && with == NULL; i++) {
        with = m3u8_attribute(&variants->items[i], "SUBTITLES") != NULL ? &variants->items[i]
                                                                        : NULL;
    }
    for (size_t i = 0; i < variants->count && with != NULL; i++) {
        if (m3u8_attribute(&variants->items[i], "SUBTITLES") == NULL) {
            verify_found(v, RULE_HLS_SUBTITLES_REACH, master_path,
                         "the variant of line %d offers no subtitles, and that of line %d does",
                         variants->items[i].line, with->line);
        }
    }
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        const char *group = m3u8_attribute(media, "GROUP-ID");
        bool named = !in_group_of(&kinds[KIND_SUBTITLES], media, group);
        for (size_t j = 0; j < variants->count && !named; j++) {
            named = says(&variants->items[j], "SUBTITLES", group);
        }
        if (!named) {
            verify_found(v, RULE_HLS_SUBTITLES_REACH, master_path,
                         "no variant offers the subtitles of line %d", media->line);
        }
    }
}

/* What every player decodes, whatever else there is. */
static void advise_stereo(struct verify *v) {
    const struct m3u8_item *many = NULL;
    bool stereo = false;
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        const struct real_track *track = verify_track_of(v, media);
        if (track == NULL || track->facts.video) {
            continue;
        }
        bool few = track->codec.channels <= 2;
        many = few ? many : media;
        stereo = stereo || (few && track->facts.codec->codec == CODEC_AAC);
    }
    if (many != NULL && !stereo) {
        verify_found(v, RULE_HLS_STEREO, master_path,
                     "line %d is of more channels than two, and no sound is AAC in stereo",
                     many->line);
    }
}

/* ---- For those who can't hear or see ----------------------------------------------- */

/* Whether the sound of DASH with the same objects is told to describe the pictures; -1 where
 * DASH has no such. */
static int described_in_dash(const struct verify *v, const struct real_track *track) {
    for (size_t p = 0; p < v->mpd.period_count && track != NULL; p++) {
        const struct dash_period *period = &v->periods[p];
        for (size_t i = 0; i < period->told->representation_count; i++) {
            const struct listing *listing = period->listings[i];
            if (listing != NULL && listing->track == track) {
                return period->told->sets[listing->told->set].described ? 1 : 0;
            }
        }
    }
    return -1;
}

static void advise_characteristics(struct verify *v, const struct m3u8_item *media) {
    const char *all = m3u8_attribute(media, "CHARACTERISTICS");
    bool spoken = all != NULL && strstr(all, "public.accessibility.transcribes-spoken-dialog");
    bool sounds = all != NULL && strstr(all, "public.accessibility.describes-music-and-sound");
    bool pictures = all != NULL && strstr(all, "public.accessibility.describes-video");
    bool is_sound = says(media, "TYPE", "AUDIO");
    int in_dash = is_sound ? described_in_dash(v, verify_track_of(v, media)) : -1;
    const char *fault = spoken != sounds
                            ? "tells of spoken dialog or of music and sound, and not of both"
                        : pictures && !is_sound ? "describes pictures, and is no sound"
                        : in_dash >= 0 && pictures != in_dash
                            ? "and its AdaptationSet do not tell alike whether "
                              "it describes the pictures"
                            : NULL;
    if (fault != NULL) {
        verify_found(v, RULE_HLS_CHARACTERISTICS, master_path, "EXT-X-MEDIA in line %d %s",
                     media->line, fault);
    }
}

/* Variants of several servers are told apart by these two. */
static void advise_steering(struct verify *v) {
    const struct m3u8_list *variants = &v->master.variants;
    for (size_t i = 0; i < variants->count && v->master.steering.count > 0; i++) {
        const struct m3u8_item *variant = &variants->items[i];
        const char *missing = m3u8_attribute(variant, "PATHWAY-ID") == NULL ? "PATHWAY-ID"
                              : m3u8_attribute(variant, "STABLE-VARIANT-ID") == NULL
                                  ? "STABLE-VARIANT-ID"
                                  : NULL;
        if (missing != NULL) {
            verify_found(v, RULE_HLS_STEERING, master_path,
                         "the variant of line %d has no %s, and EXT-X-CONTENT-STEERING is there",
                         variant->line, missing);
        }
    }
}

void verify_groups(struct verify *v) {
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        check_rendition(v, media);
        advise_characteristics(v, media);
        for (int k = 0; k < KINDS; k++) {
            if (in_group_of(&kinds[k], media, m3u8_attribute(media, "GROUP-ID"))) {
                check_group(v, &kinds[k], i);
            }
        }
    }
    for (size_t i = 0; i < v->master.variants.count; i++) {
        check_named(v, &v->master.variants.items[i]);
    }
    advise_reach(v);
    advise_stereo(v);
    advise_steering(v);
}
