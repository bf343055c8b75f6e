// SPDX-License-Identifier: GPL-2.0-or-later
// The other readers, from tests/browser's packages, and what the comparisons share.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../browser/package.json', import.meta.url));
export const mp4box = require('mp4box');
export const m3u8 = require('m3u8-parser');
export const mpd = require('mpd-parser');
export const { DOMParser } = createRequire(require.resolve('mpd-parser'))('@xmldom/xmldom');

// What ours passes over, and a comparison therefore has nothing to set beside it.
export const PASSED_OVER = Symbol('passed over by our readers');

// same(what, theirs, ours) notes a difference; passedOver collects what ours does not read.
export class Comparison {
    differences = [];
    passedOver = new Set();

    same(what, theirs, ours) {
        if (ours === PASSED_OVER) {
            this.passedOver.add(what.replace(/\[\d+\]/g, ''));
        } else if (JSON.stringify(theirs) !== JSON.stringify(ours)) {
            this.differences.push(`${what}: they read ${JSON.stringify(theirs)}, ` +
                `we ${JSON.stringify(ours)}`.slice(0, 400));
        }
    }

    // Every key of theirs must have a row in `wanted`, or is a difference itself.
    all(what, theirs, wanted) {
        for (const key of Object.keys(theirs)) {
            if (key in wanted) {
                this.same(`${what}.${key}`, theirs[key], wanted[key]);
            } else {
                this.differences.push(`${what}.${key}: nothing of ours is set beside it`);
            }
        }
        for (const key of Object.keys(wanted)) {
            if (!(key in theirs)) {
                this.same(`${what}.${key}`, undefined, wanted[key]);
            }
        }
    }
}

export function run(program, args) {
    const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (done.status !== 0) {
        throw new Error(`${program}: ${done.stderr}`);
    }
    return done.stdout;
}

export function ourReading(program, files) {
    const lines = run(program, files).trimEnd().split('\n');
    const readings = lines.map((line) => JSON.parse(line));
    return Object.fromEntries(readings.map((reading) => [reading.path, reading]));
}

export const text = (path) => fs.readFileSync(path, 'utf8');
export const bytes = (path) => fs.readFileSync(path);
