// SPDX-License-Identifier: GPL-2.0-or-later
// Playlists as m3u8-parser reads them and MPDs as mpd-parser and xmldom do, beside our
// reading: every tag, element and attribute. One without a row here is a difference.
import { DOMParser, m3u8, mpd, text } from './readers.mjs';

const ADDRESS = 'http://title.invalid/'; // that the title's folder stands for

// ---- HLS --------------------------------------------------------------------------

// Values that stand in quotes (RFC 8216 4.2 and 4.3); all others do not.
const QUOTED = new Set(['URI', 'CODECS', 'AUDIO', 'GROUP-ID', 'NAME', 'LANGUAGE', 'CHANNELS']);

export function readPlaylist(path) {
    const source = text(path);
    const tags = [];
    const lines = new m3u8.LineStream();
    const parse = new m3u8.ParseStream();
    lines.pipe(parse);
    parse.on('data', (event) => tags.push(event));
    lines.push(`${source}\n`);
    const parser = new m3u8.Parser();
    parser.push(source);
    parser.end();
    return { source, tags, manifest: parser.manifest };
}

function plain(name, value) {
    if (name === 'RESOLUTION') {
        return `${value.width}x${value.height}`;
    }
    return name === 'FRAME-RATE' ? value.toFixed(3) : String(value);
}

function compareAttributes(cmp, what, tag, item) {
    const ours = Object.fromEntries(item.attributes.map((a) => [a.name, a.value]));
    const theirs = Object.fromEntries(Object.entries(tag.attributes ?? {})
        .map(([name, value]) => [name, plain(name, value)]));
    if (Object.keys(theirs).length === 0 && tag.uri !== undefined) {
        theirs.URI = tag.uri; // EXT-X-MAP
    }
    cmp.all(what, theirs, ours);
    for (const { name, quoted } of item.attributes) {
        cmp.same(`${what}.${name}: quoted`, QUOTED.has(name), quoted);
    }
    cmp.same(`${what}: count`, Object.keys(theirs).length, item.attributes.length);
}

// Rows of tags by what m3u8-parser calls them: `at` holds which item of each list is next.
const tagRows = {
    m3u: () => {},
    version: (cmp, tag, o) => cmp.same('version', tag.version, o.version),
    'independent-segments': (cmp, tag, o) => cmp.same('independent', true, o.independent),
    targetduration: (cmp, tag, o) => cmp.same('target_s', tag.duration, o.target_s),
    'media-sequence': (cmp, tag, o) => cmp.same('media_sequence', tag.number, o.media_sequence),
    'playlist-type': (cmp, tag, o) => cmp.same('type', tag.playlistType, o.type),
    'i-frames-only': (cmp, tag, o) => cmp.same('iframes_only', true, o.iframes_only),
    endlist: (cmp, tag, o) => cmp.same('ended', true, o.ended),
    map: (cmp, tag, o, at) => compareAttributes(cmp, 'map', tag, o.maps[at.maps++]),
    media: (cmp, tag, o, at) => compareAttributes(cmp, 'media', tag, o.media[at.media++]),
    'stream-inf': (cmp, tag, o, at) =>
        compareAttributes(cmp, 'variant', tag, o.variants[at.variants++]),
    'i-frame-playlist': (cmp, tag, o, at) =>
        compareAttributes(cmp, 'iframe_variant', tag, o.iframe_variants[at.iframe_variants++]),
    inf: (cmp, tag, o, at) => {
        const segment = o.segments[at.durations++];
        cmp.same('segment.nanoseconds', Math.round(tag.duration * 1e9), segment.nanoseconds);
        cmp.same('segment: title', tag.title ?? '', '');
    },
    byterange: (cmp, tag, o, at) => {
        const segment = o.segments[at.durations - 1];
        cmp.all('segment.range', { length: tag.length, offset: tag.offset },
            { length: segment.range_size, offset: segment.range_offset });
        at.ranges++;
    },
};

function compareTags(cmp, ours, theirs) {
    const at = { maps: 0, media: 0, variants: 0, iframe_variants: 0, durations: 0, ranges: 0 };
    const uris = [];
    for (const event of theirs.tags) {
        if (event.type === 'uri') {
            uris.push(event.uri);
        } else if (event.type !== 'tag' || tagRows[event.tagType] === undefined) {
            cmp.differences.push(`${event.data ?? event.text}: unknown to us`);
        } else {
            tagRows[event.tagType](cmp, event, ours, at);
        }
    }
    const list = ours.multivariant ? ours.variants : ours.segments;
    cmp.same('URIs', uris, list.map((item) => item.uri));
    cmp.same('counts', at, { maps: ours.maps.length, media: ours.media.length,
        variants: ours.variants.length, iframe_variants: ours.iframe_variants.length,
        durations: ours.segments.length, ranges: ours.segments.filter((s) => s.has_range).length });
}

// Places and digits, which m3u8-parser does not tell, from the text itself.
function compareText(cmp, ours, source) {
    const lines = source.split('\n');
    const numbers = (start) => lines.flatMap((line, i) => (line.startsWith(start) ? [i + 1] : []));
    const places = { maps: '#EXT-X-MAP:', media: '#EXT-X-MEDIA:', variants: '#EXT-X-STREAM-INF:',
        iframe_variants: '#EXT-X-I-FRAME-STREAM-INF:' };
    for (const [list, start] of Object.entries(places)) {
        cmp.same(`${list}: lines`, numbers(start), ours[list].map((item) => item.line));
    }
    cmp.same('segments: decimals', [...source.matchAll(/^#EXTINF:\d+\.?(\d*),/gm)]
        .map((match) => match[1].length), ours.segments.map((s) => s.decimals));
    const first = (start) => numbers(start)[0] ?? Infinity;
    cmp.same('map_first', first('#EXT-X-MAP:') < first('#EXTINF:'), ours.map_first);
}

function compareMultivariant(cmp, ours, manifest) {
    cmp.same('variants: URIs', manifest.playlists.map((p) => p.uri),
        ours.variants.map((v) => v.uri));
    cmp.same('iframe variants: URIs', manifest.iFramePlaylists.map((p) => p.uri),
        ours.iframe_variants.map((v) => v.uri));
    cmp.same('media: URIs', Object.values(manifest.mediaGroups.AUDIO)
        .flatMap((group) => Object.values(group).map((m) => m.uri)), ours.media.map((m) => m.uri));
}

function compareMediaPlaylist(cmp, ours, manifest) {
    cmp.all('playlist', { version: manifest.version, independent: manifest.independentSegments,
        target_s: manifest.targetDuration, media_sequence: manifest.mediaSequence,
        discontinuity_sequence: manifest.discontinuitySequence, type: manifest.playlistType,
        iframes_only: manifest.iFramesOnly ?? false, ended: manifest.endList ?? false },
    { version: ours.version, independent: ours.independent, target_s: ours.target_s,
        media_sequence: ours.media_sequence, discontinuity_sequence: ours.discontinuity_sequence,
        type: ours.type, iframes_only: ours.iframes_only, ended: ours.ended });
    const range = (s) =>
        (s.has_range ? { length: s.range_size, offset: s.range_offset } : undefined);
    manifest.segments.forEach((segment, i) => cmp.all(`segment[${i}]`, segment, {
        duration: ours.segments[i]?.nanoseconds / 1e9, uri: ours.segments[i]?.uri,
        timeline: ours.segments.slice(0, i + 1).filter((s) => s.discontinuity).length,
        map: { uri: ours.maps[0].uri }, byterange: range(ours.segments[i] ?? {}) }));
    cmp.same('segments', manifest.segments.length, ours.segments.length);
}

export function comparePlaylist(cmp, ours, theirs) {
    compareTags(cmp, ours, theirs);
    compareText(cmp, ours, theirs.source);
    cmp.same('multivariant', theirs.manifest.playlists !== undefined, ours.multivariant);
    if (theirs.manifest.playlists !== undefined) {
        cmp.all('multivariant', { version: theirs.manifest.version,
            independent: theirs.manifest.independentSegments },
        { version: ours.version, independent: ours.independent });
        cmp.same('multivariant: of a media playlist', [-1, 0, 0, '', false, false, false],
            [ours.target_s, ours.media_sequence, ours.discontinuity_sequence, ours.type,
                ours.iframes_only, ours.ended, ours.map_first]);
        compareMultivariant(cmp, ours, theirs.manifest);
    } else {
        compareMediaPlaylist(cmp, ours, theirs.manifest);
    }
}

// ---- DASH -------------------------------------------------------------------------

export function readMpd(path) {
    const source = text(path);
    const root = new DOMParser().parseFromString(source, 'text/xml').documentElement;
    return { root, manifest: mpd.parse(source, { manifestUri: `${ADDRESS}manifest.mpd` }) };
}

const attributes = (node) =>
    Object.fromEntries(Array.from(node.attributes).map((a) => [a.name, a.value]));
const elements = (node, name) => Array.from(node.childNodes)
    .filter((child) => child.nodeType === 1 && (name === undefined || child.nodeName === name));

// A time as XML Schema has it, of hours, minutes and seconds, in nanoseconds.
function nanoseconds(duration) {
    const [, hours, minutes, seconds] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(duration);
    return Math.round(((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1e9);
}

const timed = (own, names) => Object.fromEntries(Object.entries(own)
    .map(([name, value]) => [name, names.includes(name) ? nanoseconds(value) : value]));
const number = (text_) => (text_ === undefined ? 0 : Number(text_));
const rate = (text_) => (text_ === undefined ? '0/1' : text_.includes('/') ? text_ : `${text_}/1`);
const written = (value) => (value === 0 ? undefined : String(value));
const fraction = (value) => (value === '0/1' ? undefined : value.replace(/\/1$/, ''));

// AdaptationSet@... by ours, and what its Representations say together.
function setRow(set, own) {
    const largest = (key) => written(Math.max(...own.map((r) => r[key])));
    const video = set.content_type === 'video';
    return { id: set.id, contentType: set.content_type, mimeType: own[0].mime_type,
        segmentAlignment: String(set.aligned), startWithSAP: set.starts_with_sap ? '1' : '0',
        par: set.aspect || undefined, lang: set.language || undefined,
        maxWidth: largest('width'), maxHeight: largest('height'),
        maxFrameRate: video ? fraction(own[0].frame_rate) : undefined };
}

/* Properties that name other sets, and what ours calls their values. */
const NAMING = { 'urn:mpeg:dash:adaptation-set-switching:2016': 'switches_with',
    'http://dashif.org/guidelines/trickmode': 'trick_of' };

function compareDescriptors(cmp, what, set, node, own) {
    const schemes = { ColourPrimaries: 'primaries', TransferCharacteristics: 'transfer',
        MatrixCoefficients: 'matrix', ChannelConfiguration: 'channels' };
    const seen = new Set();
    for (const child of [...elements(node, 'SupplementalProperty'),
        ...elements(node, 'EssentialProperty'), ...elements(node, 'AudioChannelConfiguration')]) {
        const { schemeIdUri, value, ...others } = attributes(child);
        const name = schemeIdUri.replace('urn:mpeg:mpegB:cicp:', '');
        cmp.same(`${what}.${name}: attributes`, others, {});
        seen.add(schemes[name] ?? NAMING[schemeIdUri]);
        if (NAMING[schemeIdUri] !== undefined) {
            cmp.same(`${what}: ${schemeIdUri}`, value, set[NAMING[schemeIdUri]]);
        } else if (schemes[name] === undefined) {
            cmp.differences.push(`${what}: ${schemeIdUri}: unknown to us`);
        } else {
            own.forEach((r) => cmp.same(`${what}.${name}`, Number(value), r[schemes[name]]));
        }
    }
    const none = { primaries: -1, transfer: -1, matrix: -1, channels: 0 };
    for (const [key, value] of Object.entries(none).filter(([key_]) => !seen.has(key_))) {
        own.forEach((r) => cmp.same(`${what}: no ${key}`, value, r[key]));
    }
    for (const [uri, key] of Object.entries(NAMING).filter(([, key_]) => !seen.has(key_))) {
        cmp.same(`${what}: no ${uri}`, '', set[key]);
    }
    for (const role of elements(node, 'Role')) {
        cmp.all(`${what}.Role`, attributes(role),
            { schemeIdUri: 'urn:mpeg:dash:role:2011', value: set.role });
    }
    cmp.same(`${what}: Roles`, elements(node, 'Role').length, set.role === '' ? 0 : 1);
}

function compareTemplate(cmp, what, node, own) {
    const [template] = elements(node, 'SegmentTemplate');
    const [timeline] = elements(template, 'SegmentTimeline');
    const own_ = attributes(template);
    const segments = [];
    let time = 0;
    for (const entry of elements(timeline, 'S')) {
        const { t, d, r, ...others } = attributes(entry);
        cmp.same(`${what}.S: attributes`, others, {});
        time = t === undefined ? time : Number(t);
        for (let i = 0; i <= number(r); i++, time += Number(d)) {
            const name = String(segments.length + number(own_.startNumber)).padStart(5, '0');
            segments.push({ reference: own_.media.replace('$Number%05d$', name), time,
                duration: Number(d) });
        }
    }
    cmp.same(`${what}.SegmentTimeline: attributes`, attributes(timeline), {});
    for (const r of own) {
        cmp.all(`${what}.SegmentTemplate`, own_, { timescale: String(r.timescale),
            initialization: r.initialization, startNumber: '1', media: '$Number%05d$.m4s',
            presentationTimeOffset: written(r.presentation_offset) });
        cmp.same(`${what}.segments`, segments, r.segments);
        cmp.same(`${what}.timeline`, true, r.timeline);
    }
}

function compareRepresentation(cmp, node, ours) {
    const own = attributes(node);
    cmp.all(`Representation ${ours.id}`, own, { id: ours.id, bandwidth: String(ours.bandwidth),
        codecs: ours.codecs, width: written(ours.width), height: written(ours.height),
        frameRate: fraction(ours.frame_rate), sar: ours.sample_aspect || undefined,
        audioSamplingRate: written(ours.sampling_rate) });
    cmp.same(`Representation ${ours.id}: rate`, rate(own.frameRate), ours.frame_rate);
    cmp.same(`Representation ${ours.id}: elements`, elements(node).map((e) => e.nodeName),
        ['BaseURL']);
    cmp.same(`Representation ${ours.id}: bases`,
        ['', '', '', elements(node, 'BaseURL')[0].textContent], ours.bases);
}

function compareSet(cmp, node, index, ours) {
    const set = ours.sets[index];
    const own = ours.representations.filter((r) => r.set === index);
    const what = `AdaptationSet ${index + 1}`;
    const known = ['SupplementalProperty', 'EssentialProperty', 'AudioChannelConfiguration', 'Role',
        'SegmentTemplate', 'Representation'];
    for (const child of elements(node).filter((c) => !known.includes(c.nodeName))) {
        cmp.differences.push(`${what}: element ${child.nodeName}: unknown to us`);
    }
    const nodes = elements(node, 'Representation');
    cmp.same(`${what}: Representations`, nodes.length, own.length);
    if (own.length === 0 || nodes.length !== own.length) {
        return;
    }
    cmp.all(what, attributes(node), setRow(set, own));
    own.forEach((r) => cmp.same(`${what}.mimeType`, node.getAttribute('mimeType'), r.mime_type));
    compareDescriptors(cmp, what, set, node, own);
    compareTemplate(cmp, what, node, own);
    nodes.forEach((child, i) => compareRepresentation(cmp, child, own[i]));
}

// Sheets of thumbnails: one Representation, each sheet of it the next number.
function compareTiles(cmp, node, ours) {
    const what = `AdaptationSet ${ours.set_id} of images`;
    const [template, representation, ...more] = elements(node);
    const sheets = ours.sheets.map((_, i) => `${String(i + 1).padStart(5, '0')}.jpg`);
    cmp.same(`${what}: elements`, [template.nodeName, representation.nodeName, more.length],
        ['SegmentTemplate', 'Representation', 0]);
    cmp.all(what, attributes(node),
        { id: ours.set_id, contentType: 'image', mimeType: ours.mime_type });
    cmp.all(`${what}.SegmentTemplate`, attributes(template), { timescale: String(ours.timescale),
        startNumber: '1', duration: String(ours.duration), media: '$Number%05d$.jpg' });
    cmp.all(`${what}.Representation`, attributes(representation), { id: ours.id,
        bandwidth: String(ours.bandwidth), width: written(ours.width),
        height: written(ours.height) });
    const [base, property, ...others] = elements(representation);
    cmp.same(`${what}: bases`, ['', '', '', base.textContent], ours.bases);
    cmp.all(`${what}.${property.nodeName}`, attributes(property),
        { schemeIdUri: 'http://dashif.org/guidelines/thumbnail_tile', value: ours.tile });
    cmp.same(`${what}: elements of its Representation`, [base.nodeName, property.nodeName,
        others.length], ['BaseURL', 'EssentialProperty', 0]);
    cmp.same(`${what}: sheets`, sheets, ours.sheets);
}

// What mpd-parser makes of it: a playlist a Representation, as a player would use it.
function compareAsPlayer(cmp, ours, manifest) {
    const sounds = Object.values(manifest.mediaGroups.AUDIO.audio ?? {});
    const playlists = [...manifest.playlists, ...sounds.flatMap((sound) => sound.playlists)];
    cmp.same('mpd-parser: playlists', playlists.map((p) => p.attributes.NAME).sort(),
        ours.representations.map((r) => r.id).sort());
    for (const playlist of playlists) {
        const r = ours.representations.find((r_) => r_.id === playlist.attributes.NAME);
        if (r === undefined) {
            continue;
        }
        const what = `mpd-parser: ${r.id}`;
        const base = `${ADDRESS}${r.bases.join('')}`;
        const [num, den] = r.frame_rate.split('/');
        cmp.same(`${what}: attributes`, [playlist.attributes.BANDWIDTH, playlist.attributes.CODECS,
            playlist.attributes.RESOLUTION ?? { width: 0, height: 0 },
            playlist.attributes['FRAME-RATE'] ?? 0],
        [r.bandwidth, r.codecs, { width: r.width, height: r.height }, num / den]);
        cmp.same(`${what}: segments`, playlist.segments.map((s) =>
            [s.resolvedUri, s.map.resolvedUri, s.duration.toFixed(9),
                s.presentationTime.toFixed(6)]),
        r.segments.map((s) => [base + s.reference, base + r.initialization,
            (s.duration / r.timescale).toFixed(9), (s.time / r.timescale).toFixed(6)]));
    }
    cmp.same('mpd-parser: duration', Math.round(manifest.duration * 1e9), ours.duration_ns);
}

export function compareMpd(cmp, ours, { root, manifest }) {
    const [period, ...more] = elements(root, 'Period');
    cmp.same('elements', elements(root).map((e) => e.nodeName), ['Period']);
    cmp.same('period_count', 1 + more.length, ours.period_count);
    cmp.all('MPD', timed(attributes(root), ['mediaPresentationDuration', 'minBufferTime']), {
        xmlns: 'urn:mpeg:dash:schema:mpd:2011', type: ours.type, profiles: ours.profiles,
        mediaPresentationDuration: ours.duration_ns, minBufferTime: ours.min_buffer_ns });
    cmp.all('Period', timed(attributes(period), ['start', 'duration']), { id: ours.period_id,
        start: ours.period_start_ns, duration: ours.period_duration_ns });
    const isImages = (set) => set.getAttribute('contentType') === 'image';
    const sets = elements(period).filter((set) => !isImages(set));
    const images = elements(period).filter(isImages);
    cmp.same('Period: elements', elements(period).map((e) => e.nodeName),
        [...ours.sets, ...ours.tiles].map(() => 'AdaptationSet'));
    sets.slice(0, ours.sets.length).forEach((node, i) => compareSet(cmp, node, i, ours));
    cmp.same('sets of images', images.length, ours.tiles.length);
    images.slice(0, ours.tiles.length).forEach((node, i) => compareTiles(cmp, node, ours.tiles[i]));
    // Each sheet begins in the Period, and none in its last 50 ms, which may be sound alone.
    ours.tiles.forEach((tiles) => cmp.same('sheets', Math.ceil(
        (ours.period_duration_ns / 1e9 - 0.05) * tiles.timescale / tiles.duration),
    tiles.sheets.length));
    cmp.same('representations', sets.flatMap((set) => elements(set, 'Representation')).length,
        ours.representations.length);
    compareAsPlayer(cmp, ours, manifest);
}
