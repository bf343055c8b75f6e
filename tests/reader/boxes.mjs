// SPDX-License-Identifier: GPL-2.0-or-later
// Init and media segments as mp4box.js reads them, beside our reading: the tree of boxes, and
// every field of each. A box or a field without a row here is a difference.
import { bytes, mp4box } from './readers.mjs';

mp4box.Log.setLogLevel(mp4box.Log.error);
const UNITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
const DPI_72 = 0x480000;
// Of mp4box.js itself: places, children and what it counts up.
const OWN = new Set(['size', 'start', 'hdr_size', 'box_name', 'boxes', 'subBoxNames', 'type',
    'original_size', 'samples', 'samples_duration', 'samples_size', 'sample_groups_info']);
const NON_SYNC = 0x10000;
const AAC_FRAME_BITS = 6144; // of a channel
const AAC_FRAME_SAMPLES = 1024;
const IS_DEPENDED_ON = 22; // the bit where sample_is_depended_on begins

export function readBoxes(path) {
    const data = bytes(path);
    const copy = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    copy.fileStart = 0;
    const file = mp4box.createFile();
    file.onError = (module, message) => {
        throw new Error(`mp4box.js: ${path}: ${message ?? module}`);
    };
    file.appendBuffer(copy);
    file.flush();
    return file.boxes;
}

const isBox = (value) => value?.box_name !== undefined;
const children = (box) => box.boxes ?? (box.entries ?? []).filter(isBox);

function* walk(boxes, depth = 0) {
    for (const box of boxes) {
        yield { box, depth };
        yield* walk(children(box), depth + 1);
    }
}

const find = (boxes, type) => [...walk(boxes)].map(({ box }) => box).find((b) => b.type === type);

// Typed arrays, however deep, as plain ones.
const plain = (value) => JSON.parse(JSON.stringify(value, (key, inner) =>
    (ArrayBuffer.isView(inner) ? Array.from(inner) : inner)));

// A box's own fields.
function fields(box) {
    const own = {};
    for (const [key, value] of Object.entries(box)) {
        const boxes = isBox(value) || (Array.isArray(value) && value.some(isBox));
        const none = Array.isArray(value) && ['psshs', 'sgpds', 'sbgps'].includes(key);
        if (!OWN.has(key) && !boxes && !(none && value.length === 0)) {
            own[key] = plain(value);
        }
    }
    return own;
}

const octets = (hex) => hex.match(/../g).map((pair) => parseInt(pair, 16));
const u16 = (value) => [value >> 8, value & 255];
const u32 = (value) => [...u16(value >>> 16), ...u16(value & 0xffff)];
const full = (flags = 0, version = 0) => ({ flags, version });
const time = (o) => (o.clock ? 'a clock' : 0);
const times = (o) => ({ creation_time: time(o), modification_time: time(o) });
const language = (o) =>
    [...o.language].reduce((sum, c) => (sum << 5) | (c.charCodeAt(0) - 0x60), 0);

// avcC as bytes, from what mp4box.js took it apart into.
function avcBytes(box) {
    const units = (list) => list.flatMap(({ data }) => [...u16(data.length), ...data]);
    return [box.configurationVersion, box.AVCProfileIndication, box.profile_compatibility,
        box.AVCLevelIndication, 0xfc | box.lengthSizeMinusOne, 0xe0 | box.nb_SPS_nalus,
        ...units(box.SPS), box.nb_PPS_nalus, ...units(box.PPS), ...(box.ext ?? [])];
}

const visual = (o) => ({ data_reference_index: 1, width: o.entry_width, height: o.entry_height,
    horizresolution: DPI_72, vertresolution: DPI_72, frame_count: 1, compressorname: '',
    depth: 24 });

const entryRows = {
    avc1: visual,
    av01: visual,
    mp4a: (o) => ({ data_reference_index: 1, version: 0, channel_count: o.channels, samplesize: 16,
        samplerate: o.sample_rate }),
    // Its parameter sets are compared as bytes of the whole record.
    avcC: (o, box) => ({ configurationVersion: 1, AVCProfileIndication: o.codec.profile,
        profile_compatibility: o.codec.compatibility, AVCLevelIndication: o.codec.level,
        lengthSizeMinusOne: 3, nb_SPS_nalus: 1, SPS: plain(box.SPS), nb_PPS_nalus: 1,
        PPS: plain(box.PPS), ext: plain(box.ext ?? []) }),
    av1C: (o) => ({ data: octets(o.record), version: 1, seq_profile: o.codec.profile,
        seq_level_idx_0: o.codec.level, seq_tier_0: o.codec.tier,
        high_bitdepth: Number(o.codec.bit_depth > 8), twelve_bit: Number(o.codec.bit_depth > 10),
        monochrome: Number(o.codec.chroma === 0), chroma_subsampling_x: Number(o.codec.chroma < 3),
        chroma_subsampling_y: Number(o.codec.chroma < 2),
        chroma_sample_position: o.codec.chroma_position, reserved_1: 0,
        initial_presentation_delay_present: 0, reserved_2: 0,
        configOBUs: octets(o.record).slice(4) }),
    // What the descriptors hold is compared by compareEsds.
    esds: (o, box) => ({ ...full(), data: plain(box.data), esd: plain(box.esd) }),
    colr: (o) => ({ data: [...Buffer.from('nclx'), ...u16(o.primaries), ...u16(o.transfer),
        ...u16(o.matrix), o.full_range ? 0x80 : 0], colour_type: o.has_colour ? 'nclx' : '',
        colour_primaries: o.primaries, transfer_characteristics: o.transfer,
        matrix_coefficients: o.matrix, full_range_flag: Number(o.full_range) }),
    pasp: (o) => ({ data: [...u32(o.aspect_wide), ...u32(o.aspect_high)],
        hSpacing: o.aspect_wide, vSpacing: o.aspect_high }),
};

const noFields = () => ({});
const initRows = {
    ...entryRows,
    ftyp: (o) => ({ major_brand: o.major_brand, minor_version: 0, compatible_brands: o.brands }),
    moov: noFields, trak: noFields, edts: noFields, mdia: noFields, minf: noFields, dinf: noFields,
    stbl: noFields, mvex: noFields,
    mvhd: (o) => ({ ...full(), ...times(o), timescale: o.movie_timescale,
        duration: o.movie_duration, rate: 0x10000, volume: 1, matrix: UNITY, next_track_id: 2 }),
    tkhd: (o) => ({ ...full(7), ...times(o), layer: 0, alternate_group: 0, track_id: o.track_id,
        duration: o.track_duration, volume: o.video ? 0 : 1, matrix: UNITY, width: o.width << 16,
        height: o.height << 16 }),
    elst: (o) => ({ ...full(), entries: o.has_edit ? [{ segment_duration: o.edit_duration,
        media_time: o.edit_media_time, media_rate_integer: 1, media_rate_fraction: 0 }] : [] }),
    mdhd: (o) => ({ ...full(), ...times(o), timescale: o.timescale, duration: o.media_duration,
        language: language(o), languageString: o.language }),
    elng: (o) => ({ ...full(), extended_language: `${o.language_tag}\0` }),
    hdlr: (o) => ({ ...full(), handler: o.video ? 'vide' : 'soun', name: '' }),
    vmhd: () => ({ ...full(1), graphicsmode: 0, opcolor: [0, 0, 0] }),
    smhd: () => ({ ...full(), balance: 0 }),
    dref: () => full(),
    'url ': () => full(1),
    stsd: () => full(),
    stts: () => ({ ...full(), sample_counts: [], sample_deltas: [] }),
    stsc: () => ({ ...full(), first_chunk: [], samples_per_chunk: [],
        sample_description_index: [] }),
    stsz: () => ({ ...full(), sample_sizes: [], sample_size: 0, sample_count: 0 }),
    stco: () => ({ ...full(), chunk_offsets: [] }),
    trex: (o) => ({ ...full(), track_id: o.default_track_id, default_sample_description_index: 1,
        default_sample_duration: o.default_duration, default_sample_size: o.default_size,
        default_sample_flags: o.default_flags }),
};

function compareTree(cmp, ours, boxes) {
    cmp.same('boxes', [...walk(boxes)].map(({ box, depth }) =>
        ({ type: box.type, start: box.start, size: box.size, depth })), ours.boxes);
}

// The descriptors of 14496-1 7.2.6. Our reader takes the AudioSpecificConfig alone; the rest
// follows from it (the most that a packet may have: 14496-3 4.5.3.1) and from title.json.
function compareEsds(cmp, ours, esd, bitrate) {
    const [config, layer] = esd.descs;
    const [specific] = config.descs;
    const { channels, sample_rate: rate } = ours.codec;
    cmp.all('esds.esd', { ...esd, descs: undefined }, { tag: 3, size: esd.size, ES_ID: 0, flags: 0,
        dependsOn_ES_ID: 0, URL: '', OCR_ES_ID: 0, descs: undefined });
    cmp.all('esds.DecoderConfig', { ...config, descs: undefined }, { tag: 4, size: config.size,
        oti: 0x40, streamType: 5, upStream: false, bufferSize: AAC_FRAME_BITS * channels / 8,
        maxBitrate: Math.floor(AAC_FRAME_BITS * channels * rate / AAC_FRAME_SAMPLES),
        avgBitrate: bitrate, descs: undefined });
    cmp.all('esds.DecoderSpecificInfo', plain(specific),
        { tag: 5, size: ours.record.length / 2, descs: [], data: octets(ours.record) });
    cmp.all('esds.SLConfig', plain(layer), { tag: 6, size: 1, descs: [], data: [2] });
    cmp.same('esds: descriptors', [esd.descs.length, config.descs.length], [2, 1]);
}

// `bitrate` is what title.json tells of sound.
export function compareInit(cmp, ours, boxes, bitrate) {
    compareTree(cmp, ours, boxes);
    for (const { box } of walk(boxes)) {
        const row = initRows[box.type];
        if (row === undefined) {
            cmp.differences.push(`box ${box.type}: unknown to us`);
            continue;
        }
        cmp.all(box.type, fields(box), row(ours, box));
    }
    const entry = find(boxes, 'stsd').entries[0];
    cmp.same('sample entry', entry.type, ours.sample_entry);
    cmp.same('edit list', find(boxes, 'elst') !== undefined, ours.has_edit);
    if (find(boxes, 'elng') === undefined) {
        cmp.same('language', find(boxes, 'mdhd').languageString, ours.language_tag);
    }
    if (ours.video) {
        cmp.same('colr', entry.colr !== undefined, ours.has_colour);
        cmp.same('pasp', entry.pasp !== undefined, ours.has_aspect);
    }
    if (entry.avcC !== undefined) {
        cmp.same('avcC', avcBytes(entry.avcC), octets(ours.record));
    }
    if (entry.esds !== undefined) {
        compareEsds(cmp, ours, entry.esds.esd, bitrate);
    }
    // mp4box.js leaves out what follows the bit depth of AV1.
    const said = entry.getCodec();
    const length = entry.type === 'av01' ? said.length : undefined;
    cmp.same('codecs', said, ours.codecs.slice(0, length));
}

// The samples of a run, by trun, tfhd and trex (14496-12 8.8.8).
function samplesOf(run, header, trex) {
    const own = (bit, name) => (header.flags & bit ? header[name] : trex[name]);
    const usual = {
        duration: own(0x8, 'default_sample_duration'),
        size: own(0x10, 'default_sample_size'),
        flags: own(0x20, 'default_sample_flags'),
    };
    return Array.from({ length: run.sample_count }, (_, i) => {
        const first = i === 0 && run.flags & 0x4;
        const flags = run.flags & 0x400 ? run.sample_flags[i]
            : first ? run.first_sample_flags : usual.flags;
        return {
            size: run.flags & 0x200 ? run.sample_size[i] : usual.size,
            duration: run.flags & 0x100 ? run.sample_duration[i] : usual.duration,
            offset: run.flags & 0x800 ? run.sample_composition_time_offset[i] : 0,
            flags,
            key: (flags & NON_SYNC) === 0,
            disposable: (flags >> IS_DEPENDED_ON & 3) === 2,
        };
    });
}

// Rows of a chunk: `c` is ours, `run` its trun as they read it.
const chunkRows = {
    moof: noFields, traf: noFields,
    mfhd: (c) => ({ ...full(), sequence_number: c.sequence }),
    tfhd: () => ({ ...full(0x20000), track_id: 1, base_data_offset: 0,
        default_sample_description_index: 0, default_sample_duration: 0, default_sample_size: 0,
        default_sample_flags: 0 }),
    tfdt: (c) => ({ ...full(0, 1), baseMediaDecodeTime: c.decode_time }),
    trun: (c, run) => ({ ...full(run.flags, 1), sample_count: c.samples.length,
        data_offset: c.header_size, first_sample_flags: 0,
        sample_duration: run.flags & 0x100 ? c.samples.map((s) => s.duration) : [],
        sample_size: c.samples.map((s) => s.size),
        sample_flags: run.flags & 0x400 ? c.samples.map((s) => s.flags) : [],
        sample_composition_time_offset: run.flags & 0x800 ? c.samples.map((s) => s.offset) : [] }),
};

function compareChunk(cmp, where, ours, moof, mdat, trex) {
    for (const { box } of walk([moof])) {
        const row = chunkRows[box.type];
        if (row === undefined) {
            cmp.differences.push(`${where}: box ${box.type}: unknown to us`);
            continue;
        }
        cmp.all(`${where}.${box.type}`, fields(box), row(ours, box));
    }
    const run = find([moof], 'trun');
    const samples = samplesOf(run, find([moof], 'tfhd'), trex);
    cmp.same(`${where}.samples`, samples, ours.samples);
    cmp.same(`${where}.duration`, samples.reduce((sum, s) => sum + s.duration, 0), ours.duration);
    cmp.same(`${where}.offset`, moof.start, ours.offset);
    cmp.same(`${where}.header_size`, moof.size + mdat.hdr_size, ours.header_size);
    cmp.same(`${where}.size`, moof.size + mdat.size, ours.size);
    cmp.same(`${where}.payload_size`, mdat.size - mdat.hdr_size, ours.payload_size);
}

export function compareMedia(cmp, ours, boxes, initBoxes) {
    const trex = find(initBoxes, 'trex');
    compareTree(cmp, ours, boxes);
    const [styp, ...rest] = boxes[0].type === 'styp' ? boxes : [undefined, ...boxes];
    cmp.same('styp', styp !== undefined, ours.has_type);
    if (styp !== undefined) {
        cmp.all('styp', fields(styp), { major_brand: 'msdh', minor_version: 0,
            compatible_brands: ours.brands });
    }
    cmp.same('chunks', rest.map((box) => box.type), ours.chunks.flatMap(() => ['moof', 'mdat']));
    for (let i = 0; i < Math.min(ours.chunks.length, rest.length / 2); i++) {
        compareChunk(cmp, `chunk[${i}]`, ours.chunks[i], rest[2 * i], rest[2 * i + 1], trex);
    }
}
