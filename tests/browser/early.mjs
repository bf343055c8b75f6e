// SPDX-License-Identifier: GPL-2.0-or-later
// Submits a title and watches it by hls.js in Chromium while it is encoded, from its first
// playlist on to its end, and prints one TAP line for each thing that must be so.
//   node early.mjs CHROMIUM URL LIMIT_S SUBMIT [ARGUMENT...]
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { checkAll, exit, expect, launch, open, showsPicture } from './page.mjs';

const [chromium, url, limitText, command, ...submission] = process.argv.slice(2);
const limit = Number(limitText);
const END_MS = 1800000; // however slow the machine is
const SPEED = 4; // so that it catches up with the encoding, and waits
const LOOK_MS = 250;
const title = new URL('.', url);
const script = fileURLToPath(new URL('node_modules/hls.js/dist/hls.min.js', import.meta.url));

// Runs in the page. Keeps what it says of its lists: the last segment of each, and whether it
// was still live.
function start(video, manifest) {
  const hls = new window.Hls();
  const { test } = window;
  Object.assign(test, { hls, lists: [], errors: [], loads: 0 });
  hls.on(window.Hls.Events.ERROR, (event, { details, fatal }) => {
    const { INTERNAL_ABORTED, BUFFER_STALLED_ERROR } = window.Hls.ErrorDetails;
    if (fatal || ![INTERNAL_ABORTED, BUFFER_STALLED_ERROR].includes(details)) {
      test.errors.push(details); // but that it changed its mind, or waits for what is not made
    }
  });
  hls.on(window.Hls.Events.MANIFEST_LOADING, () => { test.loads += 1; });
  hls.on(window.Hls.Events.LEVEL_LOADED, (event, { details }) => {
    test.lists.push({ segments: details.fragments.length, live: details.live });
  });
  hls.loadSource(manifest);
  hls.attachMedia(video);
}

// The browser may take its time for one answer, but not as long as an encoding does.
async function waitFor(page, test, word) {
  const began = Date.now();
  while (!await page.evaluate(test, word)) {
    expect(Date.now() - began < END_MS, `it never was so: ${test}`);
    await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
  }
}

const video = (page, run) => page.evaluate(`(${run})(document.getElementById('video'))`);

async function isThere() {
  const answer = await fetch(url, { method: 'HEAD' });
  return answer.ok;
}

// The page is ready before: what is measured is the farm.
async function submit(it) {
  it.began = Date.now();
  const { status, stderr } = spawnSync(command, submission, { encoding: 'utf8' });
  expect(status === 0, stderr);
  while (!await isThere()) {
    expect(Date.now() - it.began < END_MS, 'no playlist came');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  it.listed = (Date.now() - it.began) / 1000;
}

async function showFirst(it) {
  const { page } = it;
  await page.evaluate(`(${start})(document.getElementById('video'), '${url}')`);
  await showsPicture(page);
  it.shown = (Date.now() - it.began) / 1000;
  const { time, live } = await page.evaluate(() => ({
    time: document.getElementById('video').currentTime,
    live: window.test.lists.at(-1).live,
  }));
  expect(time < 0.5, `it begins at ${time} s`);
  expect(live, 'the encoding had ended already: nothing is proved');
  console.log(`# its first playlist after ${it.listed} s, its first picture after ${it.shown} s`);
}

// While it plays; the second rung is that which the player did not choose.
async function switchRung({ page }) {
  const wanted = await page.evaluate(() => {
    const { hls } = window.test;
    const other = hls.levels.findIndex((level, i) => i !== hls.loadLevel && level.height > 0);
    hls.nextLevel = other;
    document.getElementById('video').play();
    return hls.levels[other].height;
  });
  await waitFor(page, (lines) => document.getElementById('video').videoHeight === lines, wanted);
}

// Seconds of title that a media playlist lists now.
async function listed(playlist) {
  const text = await (await fetch(playlist, { cache: 'no-store' })).text();
  return {
    seconds: [...text.matchAll(/#EXTINF:([\d.]+)/g)].reduce((sum, [, length]) => sum + Number(length), 0),
    target: Number(/#EXT-X-TARGETDURATION:(\d+)/.exec(text)[1]),
  };
}

const state = ({ page }) => video(page, (element) => ({
  time: element.currentTime, waits: element.readyState < 3, ended: window.test.happened.ended,
}));

// Notes on the way how much of the title is encoded, where the playhead is, and whether it waits.
async function playToEnd(it) {
  const { page } = it;
  const playlist = await page.evaluate((speed) => {
    const element = document.getElementById('video');
    const { hls } = window.test;
    window.test.note('ended');
    window.test.note('seeking');
    element.playbackRate = speed;
    element.play();
    return hls.levels.find(({ height }) => height > 0).url[0];
  }, SPEED);
  it.samples = [];
  for (let now = {}; !now.ended;) {
    const { seconds, target } = await listed(playlist);
    now = await state(it);
    it.samples.push({ ...now, at: Date.now() / 1000, seconds });
    it.target = target;
    expect(Date.now() - it.began < END_MS, `it stands at ${now.time} s, and ${seconds} s are listed`);
    await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
  }
}

// It may wait for what is not encoded, and no longer than until it has heard of it: it asks for
// the list once in a target duration, and fetches a segment then.
function waitsForEncodingAlone({ samples, target }) {
  const notice = target + 2;
  const waiting = samples.filter(({ waits, ended }) => waits && !ended);
  const needless = waiting.filter(({ at, time }) => {
    const before = samples.findLast((each) => each.at <= at - notice);
    return before && before.seconds > time + target;
  });
  const [first, last] = [samples[0], samples.at(-1)];
  const encoding = samples.filter(({ seconds }) => seconds < last.seconds);
  const took = (encoding.at(-1)?.at ?? first.at) - first.at;
  const speed = took > 0 ? ((encoding.at(-1).seconds - first.seconds) / took).toFixed(2) : '-';
  console.log(`# while it played at ${SPEED} times the rate, ${first.seconds.toFixed(1)} of ${last.seconds.toFixed(1)} s being listed, `
    + `${speed} s of title were encoded a second; it waited in ${waiting.length} of ${samples.length} looks`);
  expect(needless.length === 0, `it waited though more was encoded: ${JSON.stringify(needless.slice(0, 4))}`);
}

async function duration() {
  const document = await (await fetch(new URL('title.json', title))).json();
  const [above, below = 1] = String(document.duration_s).split('/').map(Number);
  return above / below;
}

// What a player may drop behind the playhead is dropped from the start on.
async function isWhole({ page }) {
  const { ranges, length } = await video(page, (element) => ({
    ranges: Array.from({ length: element.buffered.length },
      (_, i) => [element.buffered.start(i), element.buffered.end(i)]),
    length: element.duration,
  }));
  const whole = await duration();
  expect(ranges.length === 1, JSON.stringify(ranges));
  expect(Math.abs(ranges[0][1] - whole) < 0.1 && Math.abs(length - whole) < 0.1,
    `${JSON.stringify(ranges)} of ${length} s, and the title lasts ${whole} s`);
}

async function hasGrown({ page }) {
  const { lists, loads, sought } = await page.evaluate(() => ({
    lists: window.test.lists, loads: window.test.loads, sought: window.test.happened.seeking,
  }));
  const counts = lists.map(({ segments }) => segments);
  console.log(`# lists of ${[...new Set(counts)].join(', ')} segments`);
  expect(loads === 1, `it was loaded ${loads} times`);
  expect(counts.every((count, i) => i === 0 || count >= counts[i - 1]), counts.join(' '));
  expect(new Set(counts).size >= 3, `only lists of ${counts.join(' ')} segments were seen`);
  expect(!lists.at(-1).live, 'its last list does not end');
  expect(!sought, 'it had to seek');
}

const browser = await launch(chromium);
try {
  const { page, troubles } = await open(browser);
  const it = { page };
  await page.setBypassCSP(true);
  await page.goto(new URL('/?title=none', url).href); // the player page, for its address alone
  await page.waitForFunction(() => document.getElementById('message').textContent !== '');
  await page.setContent('<!doctype html><link rel="icon" href="data:,"><video id="video"></video>');
  await page.addScriptTag({ path: script });
  await checkAll('hls.js, early', {
    'has a playlist': () => submit(it),
    'shows a picture while the rest is encoded': () => showFirst(it),
    [`shows it within ${limit} s of the submission`]: () => (
      expect(it.shown <= limit, `it was shown after ${it.shown} s`)),
    'goes to another rung': () => switchRung(it),
    'plays on to the end': () => playToEnd(it),
    'waits for the encoding alone': () => waitsForEncodingAlone(it),
    'has lists that grew, and one load': () => hasGrown(it),
    'has all of it in one buffered range': () => isWhole(it),
    'complains of nothing': async () => {
      const errors = await page.evaluate(() => window.test.errors);
      expect(troubles.length === 0 && errors.length === 0, [...troubles, ...errors].join('; '));
    },
  });
} finally {
  await browser.close();
}
exit();
