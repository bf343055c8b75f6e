// SPDX-License-Identifier: GPL-2.0-or-later
// What a source is: a worker has a look at it before a title is submitted, and what it found.
import { call, get, sentence } from './api.js';
import { h } from './dom.js';
import {
  bitrate, bytes, clock, fixed, plural, ratio,
} from './format.js';

const WAIT_MS = 15000; // of one call

// What a worker finds in a source, as POST /v1/plans takes it; onState('waiting' | 'running')
// tells how far it is. Throws where it can't be read.
export async function look(source, ladder, signal, onState) {
  let { probe, state, error, ...found } = await call('POST', '/v1/probes', { source, ladder }, { signal });
  while (state === 'waiting' || state === 'running') {
    onState(state);
    ({ state, error, ...found } = await get(`/v1/probes/${probe}?wait_ms=${state === 'waiting' ? 1000 : WAIT_MS}`, { signal }));
  }
  if (state === 'failed') {
    throw new Error(sentence(error));
  }
  const { size, pin, identity, document } = found;
  return {
    size, pin, identity, document,
  };
}

const scans = { progressive: '', top: ', interlaced (top field first)', bottom: ', interlaced (bottom field first)' };

function picture({ video, timeline }) {
  const {
    codec, coded_width: codedWidth, coded_height: codedHeight, width, height, bit_depth: depth, chroma, scan, rotation, bit_rate: rate,
  } = video;
  const shown = width !== codedWidth || height !== codedHeight ? `, shown as ${width}×${height}` : '';
  return `${codec} ${codedWidth}×${codedHeight}${shown}${rotation ? `, turned by ${rotation}°` : ''}, ${fixed(ratio(timeline.rate), 3)} fps${scans[scan] ?? ''}, ${depth} bit ${chroma}${rate > 0 ? `, ${bitrate(rate)}` : ''}`;
}

const sound = ({
  codec, sample_rate: rate, layout, language,
}) => `${codec}, ${layout}, ${fixed(rate / 1000, 1)} kHz${language && language !== 'und' ? `, ${language}` : ''}`;

// All of it as a list of facts, warnings last.
export function sourceFacts(document) {
  const {
    container, size, timeline, video, audio, left_out: leftOut, defects, missing,
  } = document;
  const seconds = timeline.frames / ratio(timeline.rate);
  const facts = [
    ['container', `${container}, ${bytes(size)}`],
    ['length', `${clock(seconds)} (${fixed(seconds, 2)} s), ${plural(timeline.frames, 'frame')}`],
    ...(video ? [['video', picture(document)]] : []),
    ...audio.map((track, i) => [i === 0 ? 'audio' : `audio ${i + 1}`, `${sound(track)}${i > 0 ? ' (not encoded: one track for now)' : ''}`]),
    ...(audio.length === 0 ? [['audio', 'none']] : []),
  ];
  const warnings = [
    ...defects, ...leftOut.map((text) => `Left out: ${text}`),
    ...(missing > 0 ? [`${plural(missing, 'frame has', 'frames have')} no picture of their own; the one before is shown again.`] : []),
    ...(video?.variable_rate ? [`Its rate varies, ${fixed(ratio(video.source_rate), 3)} fps on average.`] : []),
    ...(video?.colour_assumed ? ['Its colours are partly assumed: the source does not say.'] : []),
  ];
  return [
    h('dl', { class: 'source-facts' }, facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    warnings.length > 0 && h('ul', { class: 'warnings' }, warnings.map((text) => h('li', {}, text))),
  ];
}
