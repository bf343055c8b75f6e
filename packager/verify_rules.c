/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that titles are held to. "must": decodability, timing, counts, declared
 * equal to measured. "advice": spacing and peaks of rungs, habits of players. "unchecked": what
 * verify does not read, which it says rather than pass it over.
 */
#include <string.h>

#include "verify.h"

#define MUST   FINDING_MUST
#define ADVICE FINDING_ADVICE
#define UNREAD FINDING_UNCHECKED

static const struct verify_rule rules[RULE_COUNT] = {
    [RULE_OBJECT_MISSING] =
        {MUST, "object-missing", "RFC 8216 6.2.1",
         "every object that is listed, or that all titles of ours have, is there"},
    [RULE_OBJECT_REFERENCE] = {MUST, "object-reference", "RFC 3986 5.2",
                               "references are relative and stay within the title"},
    [RULE_TITLE_BOUNDS] = {MUST, "title-bounds", "reelfarm",
                           "the title is not larger than what verify reads"},
    [RULE_HLS_SYNTAX] = {MUST, "hls-syntax", "RFC 8216 4", "playlists can be read"},
    [RULE_HLS_VERSION] = {MUST, "hls-version", "RFC 8216 7",
                          "EXT-X-VERSION is at least 6 where EXT-X-MAP is used"},
    [RULE_HLS_INDEPENDENT] = {ADVICE, "hls-independent", "RFC 8216 4.3.5.1",
                              "EXT-X-INDEPENDENT-SEGMENTS stands in the multivariant playlist, or "
                              "in all others"},
    [RULE_HLS_VOD] = {ADVICE, "hls-vod", "RFC 8216 4.3.3.5", "EXT-X-PLAYLIST-TYPE is VOD"},
    [RULE_HLS_ENDLIST] = {MUST, "hls-endlist", "RFC 8216 4.3.3.4",
                          "media playlists end with EXT-X-ENDLIST"},
    [RULE_HLS_MAP] = {MUST, "hls-map", "RFC 8216 4.3.2.5",
                      "an EXT-X-MAP with a URI stands before the first segment; early playlists, "
                      "and all of titles with a title.json, have no other"},
    [RULE_HLS_KEY] = {MUST, "hls-key", "RFC 8216 4.3.2.4; RFC 8216bis 4.4.4.4",
                      "EXT-X-KEY is whole, and its METHOD is that of the segments' scheme"},
    [RULE_HLS_SEQUENCE] = {MUST, "hls-sequence", "RFC 8216 6.2.4",
                           "media and discontinuity sequence numbers are equal in all playlists, "
                           "and so is the count of EXT-X-DISCONTINUITY"},
    [RULE_HLS_DISCONTINUITY] = {MUST, "hls-discontinuity", "RFC 8216 4.3.2.3",
                                "EXT-X-DISCONTINUITY stands where the kind or id of the track, or "
                                "the run of its times, changes, and not where nothing does"},
    [RULE_HLS_TARGETDURATION] = {MUST, "hls-targetduration", "RFC 8216 4.3.3.1",
                                 "each EXTINF, rounded, is at most EXT-X-TARGETDURATION"},
    [RULE_HLS_TARGET_EQUAL] = {MUST, "hls-target-equal", "RFC 8216 6.2.4",
                               "EXT-X-TARGETDURATION is equal in all media playlists but those of "
                               "I-frames"},
    [RULE_HLS_EXTINF] = {MUST, "hls-extinf", "RFC 8216 4.3.2.1",
                         "each EXTINF is the real duration of its segment"},
    [RULE_HLS_EXTINF_SUM] = {MUST, "hls-extinf-sum", "RFC 8216 4.3.2.1",
                             "EXTINFs added up stay with the real times"},
    [RULE_HLS_BANDWIDTH] = {MUST, "hls-bandwidth", "RFC 8216 4.3.4.2; Apple HLS 1.26",
                            "BANDWIDTH is not below the measured peak and within 10 % of it"},
    [RULE_HLS_AVERAGE_BANDWIDTH] = {MUST, "hls-average-bandwidth",
                                    "RFC 8216 4.3.4.2; Apple HLS 1.27",
                                    "AVERAGE-BANDWIDTH is within 10 % of the measured average"},
    [RULE_HLS_CODECS] = {MUST, "hls-codecs", "RFC 8216 4.3.4.2; RFC 6381",
                         "CODECS names the codecs of all renditions and no other"},
    [RULE_HLS_RESOLUTION] = {MUST, "hls-resolution", "RFC 8216 4.3.4.2",
                             "RESOLUTION is the size that the parameter sets tell"},
    [RULE_HLS_FRAME_RATE] = {MUST, "hls-frame-rate", "RFC 8216 4.3.4.2",
                             "FRAME-RATE is the real rate, rounded to 3 decimals"},
    [RULE_HLS_VIDEO_RANGE] = {MUST, "hls-video-range", "RFC 8216bis 4.4.6.2",
                              "VIDEO-RANGE follows from the transfer characteristics, and is "
                              "told where any is not of SDR"},
    [RULE_HLS_GROUP] = {MUST, "hls-group", "RFC 8216 4.3.4.1",
                        "groups of renditions are complete and have one default"},
    [RULE_HLS_SUBTITLES] = {MUST, "hls-subtitles", "RFC 8216 4.3.4.1; Apple HLS",
                            "subtitles have GROUP-ID, NAME and URI, forced ones AUTOSELECT, and "
                            "variants name groups that are there"},
    [RULE_HLS_CAPTIONS] = {MUST, "hls-captions", "RFC 8216 4.3.4.1, 4.3.4.2",
                           "closed captions have INSTREAM-ID and no URI, and variants name groups "
                           "that are there"},
    [RULE_HLS_CHANNELS] = {MUST, "hls-channels", "RFC 8216 4.3.4.1",
                           "CHANNELS is the real count of channels"},
    [RULE_HLS_IFRAME_ATTRIBUTES] = {MUST, "hls-iframe-attributes", "RFC 8216 4.3.4.3",
                                    "EXT-X-I-FRAME-STREAM-INF has its own attributes alone"},
    [RULE_HLS_IFRAME_RANGE] = {MUST, "hls-iframe-range", "RFC 8216 4.3.3.6",
                               "an I-frame's range is a moof and what follows up to the end of one "
                               "key picture"},
    [RULE_HLS_IFRAME_LIST] = {MUST, "hls-iframe-list", "RFC 8216 4.3.3.6",
                              "I-frame playlists list every key picture, in order"},
    [RULE_HLS_DATERANGE] = {MUST, "hls-daterange", "RFC 8216 4.3.2.7",
                            "EXT-X-DATERANGE is whole and has a clock to refer to"},
    [RULE_HLS_PARTS] = {MUST, "hls-parts",
                        "RFC 8216bis 4.4.3.7, 4.4.3.8, 4.4.4.9, 4.4.5.3, 4.4.5.4",
                        "parts of segments are within PART-TARGET, PART-HOLD-BACK is at least two "
                        "of those, and hints and reports name what they are of"},
    [RULE_TEXT_SYNTAX] = {MUST, "text-syntax", "WebVTT 4; RFC 8216 3.5",
                          "files of subtitles can be read"},
    [RULE_TEXT_TIME] = {MUST, "text-time", "RFC 8216 3.5; DASH-IF Timing Model",
                        "cues are shown in the time of the segment, or of the Period, that they "
                        "are in"},
    [RULE_TEXT_COVERAGE] = {MUST, "text-coverage", "RFC 8216 6.2.4",
                            "segments of subtitles cover the pictures' time, silent or not"},
    [RULE_EARLY_EVENT] = {MUST, "early-event", "RFC 8216 4.3.3.5, 6.2.1",
                          "early media playlists are EVENT playlists from the title's start on"},
    [RULE_EARLY_HEAD] = {MUST, "early-head", "RFC 8216 6.2.1",
                         "early playlists list the head of what the version's list, alike"},
    [RULE_EARLY_END] = {MUST, "early-end", "RFC 8216 4.3.3.4",
                        "early playlists end with EXT-X-ENDLIST, all of them, when they list all"},
    [RULE_EARLY_VARIANT] = {MUST, "early-variant", "RFC 8216 4.3.4.2",
                            "early variants declare what the version's variants of the same media "
                            "do"},
    [RULE_DASH_SYNTAX] = {MUST, "dash-syntax", "ISO/IEC 23009-1 5.2", "the MPD can be read"},
    [RULE_DASH_STATIC] = {MUST, "dash-static", "ISO/IEC 23009-1 5.3.1.2", "MPD@type is static"},
    [RULE_DASH_PROFILE] =
        {MUST, "dash-profile", "ISO/IEC 23009-1 8; ISO/IEC 23000-19",
         "MPD@profiles lists isoff-live:2011 or isoff-on-demand:2011, whose "
         "addressing it has, and cmaf:2019 where all tracks say that they are; with "
         "SegmentList only the last"},
    [RULE_DASH_PERIOD] = {MUST, "dash-period", "ISO/IEC 23009-1 5.3.2",
                          "the first Period starts at 0, each other where the one before it ends, "
                          "and all have an end and an AdaptationSet"},
    [RULE_DASH_ID] = {MUST, "dash-id", "DASH-IF IOP 3.2.4",
                      "Periods, AdaptationSets and Representations have ids of their own"},
    [RULE_DASH_ADDRESSING] = {MUST, "dash-addressing", "DASH-IF Timing Model",
                              "segments are named by SegmentTemplate or SegmentList, or lie in a "
                              "file with an index, without S@n, @eptDelta and "
                              "@presentationDuration"},
    [RULE_DASH_INDEX] = {MUST, "dash-index", "ISO/IEC 23009-1 5.3.9.2; DASH-IF Timing Model",
                         "@indexRange is one sidx and Initialization@range the header, and the "
                         "index spans the file"},
    [RULE_DASH_DRIFT] = {MUST, "dash-drift", "ISO/IEC 23009-1 5.3.9.5.3, 7.2.1",
                         "by @duration no segment begins half of one from where it is said to"},
    [RULE_DASH_TIMESCALE] = {MUST, "dash-timescale", "DASH-IF Timing Model",
                             "@timescale is the track's own"},
    [RULE_DASH_TIMELINE] = {MUST, "dash-timeline", "DASH-IF Timing Model",
                            "S@t and S@d are the real times in ticks, and @presentationTimeOffset "
                            "puts the tracks of a Period where they are in sync"},
    [RULE_DASH_GAP] = {MUST, "dash-gap", "ISO/IEC 23009-1 5.3.9.6",
                       "the timeline has no gap and no overlap"},
    [RULE_DASH_COVERAGE] = {MUST, "dash-coverage", "DASH-IF Timing Model",
                            "segments cover the Period to within a frame, and no more"},
    [RULE_DASH_DURATION] = {MUST, "dash-duration", "ISO/IEC 23009-1 5.3.1.2",
                            "declared durations are that of the longest track"},
    [RULE_DASH_BANDWIDTH] = {MUST, "dash-bandwidth", "ISO/IEC 23009-1 5.3.5.2",
                             "@bandwidth lies between the measured average and 1.1 x the peak"},
    [RULE_DASH_BUFFER] = {MUST, "dash-buffer", "ISO/IEC 23009-1 5.3.5.2",
                          "after @minBufferTime at @bandwidth no playback runs dry"},
    [RULE_DASH_CODECS] = {MUST, "dash-codecs", "ISO/IEC 23009-1 5.3.7; RFC 6381",
                          "@codecs and @mimeType are the track's own"},
    [RULE_DASH_SIZE] = {MUST, "dash-size", "ISO/IEC 23009-1 5.3.7",
                        "@width and @height are what the parameter sets tell, and @sar what pasp "
                        "does"},
    [RULE_DASH_FRAME_RATE] = {MUST, "dash-frame-rate", "ISO/IEC 23009-1 5.3.7",
                              "@frameRate is the real rate"},
    [RULE_DASH_COLOUR] = {MUST, "dash-colour", "ISO/IEC 23091-2; DASH-IF IOP",
                          "CICP properties are those of the track"},
    [RULE_DASH_COLOUR_ESSENTIAL] = {MUST, "dash-colour-essential", "DASH-IF IOP",
                                    "the transfer of PQ is an EssentialProperty"},
    [RULE_DASH_AUDIO] = {MUST, "dash-audio", "ISO/IEC 23009-1 5.3.7",
                         "@audioSamplingRate and AudioChannelConfiguration are the track's own"},
    [RULE_DASH_SET] = {MUST, "dash-set", "ISO/IEC 23009-1 5.3.3; DASH-IF IOP",
                       "an AdaptationSet is one switching set: aligned, of one codec and aspect"},
    [RULE_DASH_SWITCHING] = {MUST, "dash-switching", "ISO/IEC 23009-1 5.3.3.5",
                             "AdaptationSets name others of their kind for switching, which do the "
                             "same"},
    [RULE_DASH_TRICK_MODE] = {MUST, "dash-trick-mode", "DASH-IF IOP 3.2.9",
                              "a trick mode is one of AdaptationSets that are there"},
    [RULE_DASH_ROLE] = {MUST, "dash-role", "ISO/IEC 23009-1 5.8.5.5",
                        "one AdaptationSet of sound at least is main, as those without a Role "
                        "are"},
    [RULE_DASH_TEXT] = {MUST, "dash-text", "DASH-IF Timing Model; ISO/IEC 23009-1 5.8.5.5",
                        "AdaptationSets of text have @lang and a Role; a file that stands alone "
                        "has no @presentationTimeOffset"},
    [RULE_DASH_PROTECTION] = {MUST, "dash-protection", "DASH-IF IOP 7.7",
                              "of all ContentProtection one is mp4protection:2011 with its "
                              "default_KID"},
    [RULE_DASH_KEY] = {MUST, "dash-key", "ISO/IEC 23009-1 5.8.5.2; ISO/IEC 23001-7 11.2",
                       "@value and default_KID of mp4protection:2011 are those of the track"},
    [RULE_DASH_TILES] = {MUST, "dash-tiles", "DASH-IF IOP 4.3 6.2.6",
                         "AdaptationSets of images are JPEG sheets of the declared size, rate and "
                         "count of thumbnails"},
    [RULE_CMAF_INIT] = {MUST, "cmaf-init", "ISO/IEC 23000-19 7.3.1",
                        "init segments are CMAF headers of one track"},
    [RULE_CMAF_BRAND] = {MUST, "cmaf-brand", "ISO/IEC 23000-19 7.2; AV1 in ISOBMFF 2.1",
                         "init segments have the brands cmfc and iso6, those of AV1 av01, and "
                         "cmf2 only of pictures without an edit list whose fragments tell their "
                         "own defaults"},
    [RULE_CMAF_DURATION] = {MUST, "cmaf-duration", "ISO/IEC 23000-19 7.5",
                            "mvhd, tkhd and mdhd tell a duration of 0, and mehd, where it is "
                            "there, the track's"},
    [RULE_CMAF_PICTURE_BOXES] = {MUST, "cmaf-picture-boxes", "ISO/IEC 23000-19 9.2.2",
                                 "video sample entries have colr and pasp"},
    [RULE_CMAF_PICTURE_SIZE] = {MUST, "cmaf-picture-size",
                                "ISO/IEC 14496-15 5.3.4; AV1 in ISOBMFF 2.2",
                                "tkhd, sample entry and parameter sets tell one size"},
    [RULE_CMAF_EDIT_LIST] = {MUST, "cmaf-edit-list", "ISO/IEC 23000-19 7.5.13",
                             "the edit list skips exactly reordering or priming, as dOps tells "
                             "it of Opus"},
    [RULE_CMAF_SEGMENT] = {MUST, "cmaf-segment", "ISO/IEC 23000-19 7.3.2",
                           "media segments are whole fragments of their track"},
    [RULE_CMAF_DECODE_TIME] = {MUST, "cmaf-decode-time", "ISO/IEC 14496-12 8.8.12",
                               "each tfdt is the end of what came before, the first one 0"},
    [RULE_CMAF_SEQUENCE] = {MUST, "cmaf-sequence", "ISO/IEC 14496-12 8.8.5",
                            "sequence numbers of fragments rise"},
    [RULE_CMAF_SAMPLE_DURATION] = {MUST, "cmaf-sample-duration", "reelfarm",
                                   "all samples of a track have one duration, which is that of "
                                   "what their bytes decode to"},
    [RULE_CMAF_SAMPLE_FLAGS] = {MUST, "cmaf-sample-flags", "ISO/IEC 14496-12 8.8.3.1",
                                "sample flags say what the samples are"},
    [RULE_CMAF_INDEX] = {MUST, "cmaf-index", "ISO/IEC 14496-12 8.16.3",
                         "a segment's sidx tells the times and sizes of what is behind it"},
    [RULE_CMAF_EVENT] = {MUST, "cmaf-event", "ISO/IEC 23000-19 7.4.5",
                         "emsg is of version 1 and stands before a moof"},
    [RULE_CMAF_PROTECTION] = {MUST, "cmaf-protection", "ISO/IEC 23001-7 7.2, 8.2, 9, 10",
                              "encrypted tracks are of cenc or cbcs, and senc tells of all bytes "
                              "of each sample"},
    [RULE_CODEC_SAMPLE] = {MUST, "codec-sample",
                           "ISO/IEC 14496-15 5.3, 8.3; 14496-3 4.4.2; AV1 in ISOBMFF 2.4; "
                           "TS 102 366 F.2; RFC 6716 3",
                           "the bytes of each sample can be one of its codec, and of its record"},
    [RULE_CODEC_RECORD] = {MUST, "codec-record", "ISO/IEC 14496-15 8.3.3.1.3",
                           "hvcC asks for no less than its SPS, and tells the same format"},
    [RULE_CODEC_LEVEL] = {MUST, "codec-level", "ISO/IEC 14496-10 A.3; 23008-2 A.4; AV1 A.3",
                          "the level allows the pictures' size and rate, and how many a decoder "
                          "keeps"},
    [RULE_CODEC_STILL] = {MUST, "codec-still", "AV1 6.4.1",
                          "AV1's sequence header is not that of a still picture"},
    [RULE_VIDEO_KEY] = {MUST, "video-key", "RFC 8216 4.3.5.1; ISO/IEC 23000-19 7.3.2.3",
                        "every segment begins with a key picture"},
    [RULE_VIDEO_GOP] = {ADVICE, "video-gop", "reelfarm; ISO/IEC 23000-19 7.3.2.3",
                        "each key picture is the first of a fragment, which players can begin "
                        "with"},
    [RULE_VIDEO_ORDER] = {MUST, "video-order", "ISO/IEC 14496-12 8.6.1.3",
                          "GOPs are closed and show each of their frames once, those of AV1 in "
                          "the order of its samples"},
    [RULE_VIDEO_COLOUR] = {MUST, "video-colour", "ISO/IEC 14496-12 12.1.5",
                           "colr and the parameter sets tell the same colours"},
    [RULE_HDR_SIGNAL] = {MUST, "hdr-signal", "reelfarm; Apple HLS",
                         "PQ and HLG are of BT.2020 colours in 10 bits, and H.264 is neither"},
    [RULE_HDR_METADATA] = {MUST, "hdr-metadata", "AV1 in ISOBMFF 2.2; ISO/IEC 14496-12 12.1.5",
                           "mdcv and clli are what the stream's own metadata say, and no SmDm is "
                           "there"},
    [RULE_VIDEO_BOUNDARIES] = {MUST, "video-boundaries", "RFC 8216 6.2.4",
                               "segments and GOPs have equal boundaries in all variants"},
    [RULE_AUDIO_CONFIG] = {MUST, "audio-config", "ISO/IEC 14496-14 5.6",
                           "sample entry, timescale and configuration tell the same sound"},
    [RULE_AUDIO_BOUNDARY] = {ADVICE, "audio-boundary", "reelfarm",
                             "sound's segments end at the first packet at or after the picture's"},
    [RULE_AUDIO_LENGTH] = {MUST, "audio-length", "ISO/IEC 23000-19 7.3.6",
                           "sound ends within one packet of the picture"},
    [RULE_AUDIO_LANGUAGE] = {MUST, "audio-language", "RFC 8216 4.3.4.1; ISO/IEC 14496-12 8.4",
                             "LANGUAGE and @lang are the language that the track tells"},
    [RULE_HLS_DASH_AGREE] = {MUST, "hls-dash-agree", "ISO/IEC 23000-19 6",
                             "HLS and DASH list the same objects"},
    [RULE_TITLE_DOCUMENT] = {MUST, "title-document", "reelfarm", "title.json tells what is there"},
    [RULE_RUNG_CAP] = {MUST, "rung-cap", "reelfarm; ISO/IEC 14496-10 C.1",
                       "a rung of H.264, all its chunks joined, needs no larger buffer at the "
                       "rate of its cap than title.json tells of it; each segment alone where "
                       "vbv_init_percent is above 50"},
    [RULE_IMAGE_FILE] = {MUST, "image-file", "ITU-T T.81; ISO/IEC 23000-22",
                         "posters and sheets are whole JPEG or AVIF pictures"},
    [RULE_STORYBOARD_CUES] = {MUST, "storyboard-cues", "WebVTT 3; Media Fragments 4.2.2",
                              "thumbnails.vtt lists each picture of the storyboard, its time and "
                              "its place on its sheet"},
    [RULE_STORYBOARD_AGREE] = {MUST, "storyboard-agree", "reelfarm",
                               "the MPD's tiles are the sheets, grid and times of title.json's "
                               "storyboard"},
    [RULE_VERSION_COPY] = {MUST, "version-copy", "reelfarm",
                           "the stable names are copies of the version's documents"},
    [RULE_VERSION_NAME] = {MUST, "version-name", "reelfarm",
                           "the version's name is the hash of what it is made of"},
    [RULE_HTTP_TYPE] = {ADVICE, "http-type", "RFC 8216 4; ISO/IEC 23009-1 annex C; RFC 4337",
                        "a server gives objects under the media types that players know"},
    [RULE_HTTP_GZIP] = {ADVICE, "http-gzip", "Apple HLS 10.1",
                        "a server gives long playlists and MPDs compressed"},
    [RULE_HTTP_ERROR] = {ADVICE, "http-error", "RFC 9111 4.2.2, 5.2.2.5",
                         "what is not there is answered by an error that no cache keeps"},
    [RULE_HTTP_SHARING] = {ADVICE, "http-sharing", "Fetch 3.3.3",
                           "a server lets players on pages of other sites read what it gives"},
    [RULE_EARLY_START] = {ADVICE, "early-start", "RFC 8216 4.3.5.2",
                          "EXT-X-START:TIME-OFFSET=0 begins early playback at the title's start"},
    [RULE_EARLY_TOGETHER] = {ADVICE, "early-together", "RFC 8216 6.2.4",
                             "early playlists list equally many segments"},
    [RULE_EARLY_BANDWIDTH] = {ADVICE, "early-bandwidth", "RFC 8216 4.3.4.2",
                              "BANDWIDTH of an early variant is not below that of the version's"},
    [RULE_HLS_OPTIONAL] = {ADVICE, "hls-optional", "RFC 8216 4.3.4.1, 4.3.4.2",
                           "attributes that may be left out and that players choose by are there: "
                           "AVERAGE-BANDWIDTH, CODECS, RESOLUTION, FRAME-RATE, CHANNELS, "
                           "LANGUAGE, AUTOSELECT"},
    [RULE_HLS_MAP_UNUSED] = {ADVICE, "hls-map-unused", "RFC 8216 4.3.2.5",
                             "behind each EXT-X-MAP stand segments that it is of"},
    [RULE_HLS_CODING_CHANGE] = {ADVICE, "hls-coding-change", "RFC 8216 4.3.2.3",
                                "EXT-X-DISCONTINUITY stands where the codec configuration or the "
                                "timescale changes"},
    [RULE_HLS_CLOSED_CAPTIONS] = {ADVICE, "hls-closed-captions", "RFC 8216 4.3.4.2",
                                  "CLOSED-CAPTIONS=NONE says that there are none"},
    [RULE_HLS_IFRAME_MISSING] = {ADVICE, "hls-iframe-missing", "Apple HLS 6.1",
                                 "every variant's pictures have an I-frame playlist"},
    [RULE_HLS_GROUP_ALIKE] = {ADVICE, "hls-group-alike", "RFC 8216 4.3.4.1.1",
                              "groups of sound offer the same NAMEs and LANGUAGEs"},
    [RULE_HLS_GROUP_CODEC] = {ADVICE, "hls-group-codec", "RFC 8216 4.3.4.1.1",
                              "a group of sound is of one codec and count of channels"},
    [RULE_HLS_STEREO] = {ADVICE, "hls-stereo", "Apple HLS 2",
                         "sound of more channels stands beside AAC in stereo"},
    [RULE_HLS_SUBTITLES_REACH] = {ADVICE, "hls-subtitles-reach", "RFC 8216 4.3.4.2",
                                  "every variant offers subtitles where one does, and every group "
                                  "of them is offered"},
    [RULE_HLS_CHARACTERISTICS] = {ADVICE, "hls-characteristics", "RFC 8216 4.3.4.1",
                                  "CHARACTERISTICS for those who can't hear are both, those for "
                                  "who can't see are of sound, and DASH tells so too"},
    [RULE_HLS_STEERING] = {ADVICE, "hls-steering", "RFC 8216bis 4.4.6.2, 4.4.6.6",
                           "with content steering variants have PATHWAY-ID and STABLE-VARIANT-ID"},
    [RULE_HLS_SPLICE] = {ADVICE, "hls-splice", "reelfarm",
                         "EXT-X-DATERANGE with SCTE35-OUT begins where a segment does"},
    [RULE_HLS_PART_HOLD_BACK] = {ADVICE, "hls-part-hold-back", "RFC 8216bis 4.4.3.8",
                                 "PART-HOLD-BACK is at least three PART-TARGETs"},
    [RULE_HLS_LOW_LATENCY] = {ADVICE, "hls-low-latency",
                              "RFC 8216bis 4.4.3.8, 4.4.4.9, 4.4.5.3, 4.4.5.4",
                              "the first part of a segment says INDEPENDENT=YES, and playlists "
                              "with parts that have not ended CAN-BLOCK-RELOAD=YES, which part is "
                              "next, and how far the others are"},
    [RULE_TEXT_STRAY] = {ADVICE, "text-stray", "reelfarm",
                         "a segment of subtitles has no cue that is shown before or after it"},
    [RULE_TEXT_AGREE] = {ADVICE, "text-agree", "reelfarm",
                         "HLS and DASH offer subtitles of the same languages"},
    [RULE_DASH_OPTIONAL] = {ADVICE, "dash-optional", "ISO/IEC 23009-1 5.3.3, 5.8; DASH-IF IOP",
                            "what may be left out and players go by is there: colours, channels "
                            "and rate of sound, @lang, Roles of several sounds, sets to switch "
                            "to, Representations by rising @bandwidth"},
    [RULE_DASH_TRICK_RATE] = {ADVICE, "dash-trick-rate", "DASH-IF IOP 3.2.9",
                              "a trick mode is an EssentialProperty, with @maxPlayoutRate and "
                              "@codingDependency of false"},
    [RULE_HLS_FIRST_VARIANT] = {ADVICE, "hls-first-variant", "Apple HLS 2.28",
                                "the first variant is that of its codec nearest to 2 Mb/s"},
    [RULE_CODEC_NEIGHBOUR] = {ADVICE, "codec-neighbour", "Apple HLS 1.2",
                              "variants of AV1 stand behind ones of H.264"},
    [RULE_RUNG_SPACING] = {ADVICE, "rung-spacing", "Apple HLS 1.25",
                           "rungs of one codec above 145 kb/s are at least 1.3 x apart in "
                           "average rate"},
    [RULE_RUNG_GAP] = {ADVICE, "rung-gap", "Apple HLS 1.25",
                       "rungs of one codec above 145 kb/s are at most 2.5 x apart in average "
                       "rate"},
    [RULE_RUNG_PEAK] = {ADVICE, "rung-peak", "Apple HLS 1.28",
                        "a rung's peak is at most 2 x its average"},
    [RULE_VIDEO_PROFILE] = {ADVICE, "video-profile", "Apple HLS 1.3 to 1.17",
                            "H.264 is 8-bit 4:2:0, progressive, at most High at level 4.2; HEVC "
                            "is of Main or Main 10, AV1 of the main profile"},
    [RULE_VIDEO_RATE] = {ADVICE, "video-rate", "Apple HLS 1.3 to 1.17",
                         "there are at most 60 pictures a second"},
    [RULE_VIDEO_KEY_DISTANCE] = {ADVICE, "video-key-distance", "Apple HLS 1.9",
                                 "key pictures are about 2 s apart"},
    [RULE_VIDEO_ONE_COLOUR] = {ADVICE, "video-one-colour", "Apple HLS 1.3 to 1.17",
                               "pictures of one VIDEO-RANGE have one colour space"},
    [RULE_VIDEO_COLOUR_TOLD] = {ADVICE, "video-colour-told", "reelfarm; Apple HLS",
                                "parameter sets tell primaries, transfer and matrix, none of them "
                                "unknown"},
    [RULE_HDR_RANGE] = {ADVICE, "hdr-range", "reelfarm; Apple HLS",
                        "PQ and HLG are of limited range, and not of ICtCp"},
    [RULE_HDR_ALONE] = {ADVICE, "hdr-alone", "Apple HLS 1",
                        "variants of PQ or HLG stand beside ones of SDR"},
    [RULE_HDR_METADATA_MISSING] = {ADVICE, "hdr-metadata-missing", "SMPTE ST 2086; CTA-861.3",
                                   "PQ comes with mdcv and clli"},
    [RULE_SEGMENT_LENGTH] = {ADVICE, "segment-length", "Apple HLS 7.5",
                             "segments last at most 6 s"},
    [RULE_CODEC_LEVEL_RATE] = {ADVICE, "codec-level-rate", "ISO/IEC 14496-10 A.3; AV1 A.3",
                               "the peak is at most what the level, and AV1's tier, allow"},
    [RULE_CODEC_LEVEL_SPARE] = {ADVICE, "codec-level-spare", "Apple HLS 1.3 to 1.17",
                                "the level is not higher than size, rate and peak need; of H.264 "
                                "none up to 3.0 is"},
    [RULE_CODEC_TIMING] = {ADVICE, "codec-timing", "AV1 in ISOBMFF 2.4",
                           "AV1's sequence header tells no times, which the container does"},
    [RULE_CODEC_SPARE] = {ADVICE, "codec-spare", "ISO/IEC 14496-15 5.2; AV1 in ISOBMFF 2.4",
                          "samples hold no filler, padding, redundant headers, or delimiters of "
                          "AV1"},
    [RULE_CODEC_PARAMETER_SETS] = {ADVICE, "codec-parameter-sets",
                                   "Apple HLS 1.3 to 1.17; ISO/IEC 14496-15 8.4.1",
                                   "HEVC is of hvc1, whose hvcC has all parameter sets"},
    [RULE_CMAF_SEGMENT_TYPE] = {ADVICE, "cmaf-segment-type", "ISO/IEC 23000-19 7.3.3.1",
                                "segments begin with styp of the brands msdh and cmfs"},
    [RULE_CMAF_CLOCK] = {ADVICE, "cmaf-clock", "reelfarm",
                         "init segments hold no time of day, so that equal input gives equal "
                         "bytes"},
    [RULE_CMAF_PRODUCER_TIME] = {ADVICE, "cmaf-producer-time", "ISO/IEC 14496-12 8.16.5",
                                 "prft is of live streams alone"},
    [RULE_IMAGE_COLOUR] = {ADVICE, "image-colour", "ISO/IEC 23000-22 7.3.6.4",
                           "AVIF pictures tell their colours by a colr of their own"},
    [RULE_IMAGE_MISSING] = {ADVICE, "image-missing", "reelfarm",
                            "the title has the posters and storyboards that its ladder asks for"},
    [RULE_UNCHECKED_CODEC] = {UNREAD, "unchecked-codec", "reelfarm",
                              "tracks of a codec, or of a form of one, that verify has no reader "
                              "for"},
    [RULE_UNCHECKED_ENCRYPTION] = {UNREAD, "unchecked-encryption", "reelfarm",
                                   "what is encrypted, and the data of key systems"},
    [RULE_UNCHECKED_TEXT] = {UNREAD, "unchecked-text", "reelfarm",
                             "text in fragments and TTML, whose objects are only looked for"},
    [RULE_UNCHECKED_PERIOD] =
        {UNREAD, "unchecked-period", "reelfarm",
         "Periods that lie in other documents, or that verify has no reader for"},
    [RULE_UNCHECKED_MANIFEST] = {UNREAD, "unchecked-manifest", "reelfarm",
                                 "tags of playlists and elements of MPDs that no rule is of, and "
                                 "playlists whose maps change elsewhere than the pictures'"},
};

const struct verify_rule *verify_rule_at(size_t index) {
    return index < RULE_COUNT ? &rules[index] : NULL;
}

const struct verify_rule *verify_rule_find(const char *id) {
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (strcmp(rules[i].id, id) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* ---- what a ladder may waive ------------------------------------------------------- */

enum { NAME_BYTES = 40, SLIPS_MAX = 3 /* letters that are wrong in a name that was meant */ };

static int least(int a, int b) {
    return a < b ? a : b;
}

/* How many letters are to be changed, put in or left out to make one of the other; both are
 * shorter than NAME_BYTES. */
static int distance(const char *from, const char *to) {
    int row[NAME_BYTES];
    int length = (int)strlen(to);
    for (int j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (int i = 0; from[i] != '\0'; i++) {
        int before = row[0];
        row[0] = i + 1;
        for (int j = 0; j < length; j++) {
            int changed = before + (from[i] != to[j]);
            before = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[length];
}

static bool is_near(const char *id, const char *rule) {
    return strlen(id) < NAME_BYTES && strlen(rule) < NAME_BYTES && distance(id, rule) <= SLIPS_MAX;
}

int verify_check_waivable(const char *id, struct err *err) {
    const struct verify_rule *rule = verify_rule_find(id);
    if (rule != NULL && rule->weight == FINDING_ADVICE) {
        return 0;
    }
    struct buf near = {0};
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (rules[i].weight == FINDING_ADVICE && is_near(id, rules[i].id)) {
            buf_format(&near, "%s%s", near.size == 0 ? " (is it " : " or ", rules[i].id);
        }
    }
    int failed = err_set(
        err, ERR_INVALID, "'%.40s' %s%s%s; `reelfarm verify --rules` lists all that there is", id,
        rule != NULL && rule->weight == FINDING_MUST ? "is a must, and no advice" : "is no advice",
        buf_text(&near), near.size == 0 ? "" : "?)");
    buf_finish(&near);
    return failed;
}
