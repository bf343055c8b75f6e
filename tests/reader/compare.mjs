// SPDX-License-Identifier: GPL-2.0-or-later
// Every published file of a title as others read it, beside what our readers read; and that
// no field of ours is left out: each is changed once, and a comparison must notice.
// Usage: compare.mjs OUR-READING TITLE SCRATCH [whole]      prints TAP
import fs from 'node:fs';
import path from 'node:path';
import { compareInit, compareMedia, readBoxes } from './boxes.mjs';
import { compareMpd, comparePlaylist, readMpd, readPlaylist } from './manifests.mjs';
import { compareMaster, compareMpdProbe, compareRendition, probeManifest,
    probeRendition } from './probe.mjs';
import { Comparison, ourReading } from './readers.mjs';

const [, , program, title, scratch, form] = process.argv;
const passedOver = new Set();
let failed = 0;

function tap(good, name, lines = []) {
    console.log(`${good ? 'ok' : 'not ok'} - ${name}`);
    failed += good ? 0 : 1;
    lines.slice(0, 20).forEach((line) => console.log(`    ${line}`));
}

function renditions() {
    return ['video', 'audio'].flatMap((kind) => fs.readdirSync(path.join(title, kind)).sort()
        .map((name) => path.join(title, kind, name)));
}

function inFolder(folder) {
    const files = fs.readdirSync(folder).sort();
    return ['init.mp4', ...files.filter((name) => name.endsWith('.m4s'))]
        .map((name) => path.join(folder, name));
}

function manifests() {
    return fs.readdirSync(title, { recursive: true }).sort()
        .filter((name) => /\.(m3u8|mpd)$/.test(name)).map((name) => path.join(title, name));
}

// A reader's failure is a difference too.
function attempt(work) {
    const cmp = new Comparison();
    try {
        work(cmp);
    } catch (error) {
        cmp.differences.push(String(error.message));
    }
    cmp.passedOver.forEach((what) => passedOver.add(what));
    return cmp;
}

// Changes each leaf of a reading for a moment, and names those whose change nobody notices.
function unnoticed(reading, compare, at = reading, where = '') {
    const found = [];
    for (const key of Object.keys(at)) {
        const value = at[key];
        if (value !== null && typeof value === 'object') {
            found.push(...unnoticed(reading, compare, value, `${where}.${key}`));
            continue;
        }
        if (where === '' && (key === 'path' || key === 'kind')) {
            continue;
        }
        at[key] = { number: value + 1, string: `${value}x`, boolean: !value }[typeof value] ?? 'x';
        let seen;
        try {
            seen = compare().differences.length > 0;
        } catch {
            seen = true;
        }
        at[key] = value;
        if (!seen) {
            found.push(`${where}.${key}`.replace(/\.\d+/g, '[]'));
        }
    }
    return found;
}

function tapUnnoticed(name, readings, compare) {
    const found = new Set(readings.flatMap((reading) => unnoticed(reading, compare)));
    tap(found.size === 0, `${name}: each field of ours is compared`, [...found]);
}

function checkRendition(folder) {
    const files = inFolder(folder);
    const name = path.basename(folder).replace(/-[0-9a-f]{10}$/, '');
    const readings = files.map((file) => ours[file]);
    const [init, ...segments] = readings;
    const boxes = files.map(readBoxes);
    const said = probeRendition(files, scratch);
    const told = document.renditions.find((r) => r.folder === path.relative(title, folder));
    const bitrate = told.spec.bitrate_bps; // of sound alone
    const sizes = files.map((file) => fs.statSync(file).size);
    let untold;
    const byBoxes = (cmp) => {
        compareInit(cmp, init, boxes[0], bitrate);
        segments.forEach((s, i) => compareMedia(cmp, s, boxes[i + 1], boxes[0]));
    };
    const byProbe = (cmp) => {
        untold = compareRendition(cmp, init, segments, sizes, said);
    };
    const boxed = attempt(byBoxes);
    tap(boxed.differences.length === 0, `${name}: mp4box.js reads ${files.length} files as we do`,
        boxed.differences);
    const probed = attempt(byProbe);
    tap(probed.differences.length === 0, `${name}: ffprobe reads ${said.packets.length} packets ` +
        `as we do (${untold} without a duration)`, probed.differences);
    if (form === 'whole') {
        const shortest = segments.at(-1);
        const last = boxes.at(-1);
        tapUnnoticed(name, [init, shortest], () => attempt((cmp) => {
            compareInit(cmp, init, boxes[0], bitrate);
            compareMedia(cmp, shortest, last, boxes[0]);
            byProbe(cmp);
        }));
    }
}

function checkManifest(file) {
    const name = path.relative(title, file);
    const reading = ours[file];
    const isMpd = file.endsWith('.mpd');
    const theirs = isMpd ? readMpd(file) : readPlaylist(file);
    const readers = isMpd ? 'mpd-parser and xmldom read' : 'm3u8-parser reads';
    const compare = () =>
        attempt((cmp) => (isMpd ? compareMpd : comparePlaylist)(cmp, reading, theirs));
    const cmp = compare();
    tap(cmp.differences.length === 0, `${name}: ${readers} it as we do`, cmp.differences);
    if (form === 'whole') {
        tapUnnoticed(name, [reading], compare);
    }
    if (['master.m3u8', 'manifest.mpd'].includes(name)) {
        const probed = attempt((by) =>
            (isMpd ? compareMpdProbe : compareMaster)(by, reading, probeManifest(file)));
        tap(probed.differences.length === 0, `${name}: ffprobe reads it as we do`,
            probed.differences);
    }
}

const document = JSON.parse(fs.readFileSync(path.join(title, 'title.json')));
const folders = renditions();
const texts = manifests();
const ours = ourReading(program, [...folders.flatMap(inFolder), ...texts]);
folders.forEach(checkRendition);
texts.forEach(checkManifest);
console.log(`# not read by our readers: ${[...passedOver].sort().join(', ')}`);
process.exitCode = failed === 0 ? 0 : 1;
