// SPDX-License-Identifier: GPL-2.0-or-later
// Renditions and manifests as ffprobe reads them, beside our reading.
import fs from 'node:fs';
import path from 'node:path';
import { bytes, run } from './readers.mjs';

// ffmpeg's names of code points of ITU-T H.273.
const PRIMARIES = { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020: 9 };
const TRANSFER = { bt709: 1, smpte170m: 6, 'bt2020-10': 14, smpte2084: 16, 'arib-std-b67': 18 };
const MATRIX = { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020nc: 9 };
const LOCATIONS = ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom']; // of H.264, from 0
const POSITIONS = [undefined, 'left', 'topleft']; // of AV1
const PROFILES = { 66: 'Constrained Baseline', 77: 'Main', 100: 'High' };
const AV1_PROFILES = ['Main', 'High', 'Professional'];
const NAMES = { avc1: 'h264', av01: 'av1', mp4a: 'aac' };
const CHROMA = ['gray', 'yuv420p', 'yuv422p', 'yuv444p'];

// ffprobe of a rendition's files, joined as a player joins them.
export function probeRendition(files, scratch) {
    const joined = path.join(scratch, 'joined.mp4');
    fs.writeFileSync(joined, Buffer.concat(files.map(bytes)));
    const said = JSON.parse(run('ffprobe', ['-v', 'error', '-of', 'json', '-show_streams',
        '-show_packets', joined]));
    return { stream: said.streams[0], streams: said.streams.length, packets: said.packets };
}

export function probeManifest(file) {
    return JSON.parse(run('ffprobe', ['-v', 'error', '-of', 'json', '-show_programs',
        '-show_streams', '-allowed_extensions', 'ALL', file]));
}

function colour(cmp, stream, ours, facts) {
    cmp.same(`${facts}: colour`, [PRIMARIES[stream.color_primaries],
        TRANSFER[stream.color_transfer], MATRIX[stream.color_space], stream.color_range === 'pc'],
    [ours.primaries, ours.transfer, ours.matrix, ours.full_range]);
}

const pixels = (codec) =>
    CHROMA[codec.chroma] + (codec.bit_depth > 8 ? `${codec.bit_depth}le` : '');

function compareH264(cmp, stream, codec) {
    cmp.same('h264', [PROFILES[codec.profile], codec.level, codec.reorder_frames,
        codec.chroma_bit_depth, codec.chroma_location, codec.frames_only, codec.square_pixels],
    [stream.profile, stream.level, stream.has_b_frames, Number(stream.bits_per_raw_sample),
        LOCATIONS.indexOf(stream.chroma_location), stream.field_order === 'progressive',
        stream.sample_aspect_ratio === '1:1']);
    cmp.same('avc1 of NAL units with lengths', stream.nal_length_size, '4');
}

// The codecs string by what ffprobe says ("AV1 in ISOBMFF", section 5); of 4:2:0.
function av1Codecs(stream) {
    const two = (value) => String(value).padStart(2, '0');
    const deep = /p(\d+)le$/.exec(stream.pix_fmt)?.[1] ?? 8;
    const position = Math.max(0, POSITIONS.indexOf(stream.chroma_location));
    const rest = ['0', `11${position}`, two(PRIMARIES[stream.color_primaries]),
        two(TRANSFER[stream.color_transfer]), two(MATRIX[stream.color_space]),
        stream.color_range === 'pc' ? '1' : '0'].join('.');
    const head = `av01.${AV1_PROFILES.indexOf(stream.profile)}.${two(stream.level)}M.${two(deep)}`;
    return rest === '0.110.01.01.01.0' ? head : `${head}.${rest}`;
}

function compareAv1(cmp, stream, init, packets) {
    const { codec } = init;
    cmp.same('codecs', av1Codecs(stream), init.codecs);
    cmp.same('av1', [stream.profile, stream.level, stream.has_b_frames, stream.chroma_location],
        [AV1_PROFILES[codec.profile], codec.level, 0,
            POSITIONS[codec.chroma_position]]);
    cmp.same('av1: still, timing', [packets === 1, false], [codec.still, codec.timing]);
    // The tier is the container's alone; ffprobe shows none.
    cmp.same('av1: tier', 0, codec.tier);
}

function comparePictures(cmp, stream, init, packets) {
    const { codec } = init;
    cmp.same('width', [stream.width, stream.width, stream.width],
        [init.width, init.entry_width, codec.width]);
    cmp.same('height', [stream.height, stream.height, stream.height],
        [init.height, init.entry_height, codec.height]);
    colour(cmp, stream, init, 'colr');
    colour(cmp, stream, codec, 'record');
    cmp.same('pix_fmt', stream.pix_fmt, pixels(codec));
    cmp.same('pasp', stream.sample_aspect_ratio, `${init.aspect_wide}:${init.aspect_high}`);
    const [num, den] = stream.r_frame_rate.split('/').map(Number);
    cmp.same('frame rate', num * init.default_duration, den * init.timescale);
    if (init.sample_entry === 'avc1') {
        compareH264(cmp, stream, codec);
    } else {
        compareAv1(cmp, stream, init, packets);
    }
}

function compareSound(cmp, stream, init) {
    const { codec } = init;
    cmp.same('channels', [stream.channels, stream.channels], [init.channels, codec.channels]);
    cmp.same('sample_rate', [stream.sample_rate, stream.sample_rate],
        [String(init.sample_rate), String(codec.sample_rate)]);
    cmp.same('aac', stream.profile, { 2: 'LC', 5: 'HE-AAC', 29: 'HE-AACv2' }[codec.object_type]);
}

function compareStream(cmp, stream, init, ticks, packets) {
    cmp.all('stream', { codec_name: stream.codec_name, codec_tag: stream.codec_tag_string,
        type: stream.codec_type, time_base: stream.time_base, id: stream.id,
        language: stream.tags.language, extradata: stream.extradata_size,
        duration: stream.duration_ts },
    { codec_name: NAMES[init.sample_entry], codec_tag: init.sample_entry,
        type: init.video ? 'video' : 'audio', time_base: `1/${init.timescale}`,
        id: `0x${init.track_id.toString(16)}`, language: init.language,
        extradata: init.record.length / 2, duration: ticks });
    if (init.video) {
        comparePictures(cmp, stream, init, packets);
    } else {
        compareSound(cmp, stream, init);
    }
}

// Our samples as packets of the joined file, whose files have these sizes.
function packetsOf(init, segments, sizes) {
    const skipped = init.has_edit ? init.edit_media_time : 0;
    const packets = [];
    let start = sizes[0];
    segments.forEach((segment, s) => {
        for (const chunk of segment.chunks) {
            let dts = chunk.decode_time - skipped;
            let pos = start + chunk.offset + chunk.header_size;
            for (const sample of chunk.samples) {
                packets.push({ pts: dts + sample.offset, dts, duration: sample.duration,
                    size: String(sample.size), pos: String(pos), flags: sample.key ? 'K_' : '__' });
                dts += sample.duration;
                pos += sample.size;
            }
        }
        start += sizes[s + 1];
    });
    return packets;
}

// ffprobe leaves the durations of some packets out; `untold` counts them.
export function compareRendition(cmp, init, segments, sizes, { stream, streams, packets }) {
    const ours = packetsOf(init, segments, sizes);
    let untold = 0;
    cmp.same('streams', streams, 1);
    cmp.same('packets', packets.length, ours.length);
    packets.slice(0, ours.length).forEach((packet, i) => {
        untold += packet.duration === undefined ? 1 : 0;
        const theirs = Object.fromEntries(Object.keys(ours[i]).map((key) => [key, packet[key]]));
        cmp.same(`packet[${i}]`, { ...theirs, duration: packet.duration ?? ours[i].duration },
            ours[i]);
    });
    const ticks = ours.reduce((sum, packet) => sum + packet.duration, 0);
    compareStream(cmp, stream, init, ticks, packets.length);
    return untold;
}

// variant_bitrate of ffmpeg's programs is BANDWIDTH, in the order of the variants.
export function compareMaster(cmp, ours, said) {
    const rates = said.programs.map((program) => program.tags.variant_bitrate);
    cmp.same('variants', rates, ours.variants.map((variant) =>
        variant.attributes.find((a) => a.name === 'BANDWIDTH').value));
    const value = (variant, name) => variant.attributes.find((a) => a.name === name)?.value;
    said.programs.forEach((program, i) => {
        const picture = program.streams.find((stream) => stream.codec_type === 'video');
        cmp.same(`variant[${i}]: RESOLUTION`, `${picture.width}x${picture.height}`,
            value(ours.variants[i], 'RESOLUTION'));
        cmp.same(`variant[${i}]: CODECS`, program.streams.map((s) => s.codec_tag_string).sort(),
            value(ours.variants[i], 'CODECS').split(',').map((codec) => codec.slice(0, 4)).sort());
    });
}

export function compareMpdProbe(cmp, ours, said) {
    cmp.same('MPD: streams', said.streams.map((stream) => [stream.tags.id,
        stream.tags.variant_bitrate, stream.codec_tag_string, stream.width ?? 0,
        stream.height ?? 0, stream.r_frame_rate, Number(stream.sample_rate ?? 0),
        stream.channels ?? 0]),
    ours.representations.map((r) => [r.id, String(r.bandwidth), r.codecs.slice(0, 4), r.width,
        r.height, r.frame_rate.replace(/^0\/1$/, '0/0'), r.sampling_rate, r.channels]));
}
