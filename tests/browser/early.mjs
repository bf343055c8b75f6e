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
const IDLE_LOOKS = 8; // at which nothing has gone on, and no busy machine is the reason
const CLOCKS_MS = 500; // that the page's and ours may be apart
const title = new URL('.', url);
const script = fileURLToPath(new URL('node_modules/hls.js/dist/hls.min.js', import.meta.url));

// Runs in the page. Keeps what it says of its lists: when each was asked for, its segments, and
// whether it was still live.
function start(video, manifest) {
  const hls = new window.Hls();
  const { test } = window;
  Object.assign(test, {
    hls, lists: [], errors: [], loads: 0, fetched: 0,
  });
  hls.on(window.Hls.Events.ERROR, (event, { details, fatal }) => {
    const { INTERNAL_ABORTED, BUFFER_STALLED_ERROR } = window.Hls.ErrorDetails;
    if (fatal || ![INTERNAL_ABORTED, BUFFER_STALLED_ERROR].includes(details)) {
      test.errors.push(details); // but that it changed its mind, or waits for what is not made
    }
  });
  hls.on(window.Hls.Events.MANIFEST_LOADING, () => { test.loads += 1; });
  hls.on(window.Hls.Events.FRAG_LOADED, () => { test.fetched += 1; });
  hls.on(window.Hls.Events.LEVEL_LOADED, (event, { details, stats }) => {
    test.lists.push({
      url: details.url,
      asked: performance.timeOrigin + stats.loading.start,
      segments: details.fragments.length,
      live: details.live,
    });
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

// What a media playlist lists now.
async function listed(playlist) {
  const text = await (await fetch(playlist, { cache: 'no-store' })).text();
  const lengths = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
  return {
    segments: lengths.length,
    seconds: lengths.reduce((sum, length) => sum + length, 0),
    known: Date.now(),
    target: Number(/#EXT-X-TARGETDURATION:(\d+)/.exec(text)[1]),
  };
}

const state = ({ page }) => video(page, (element) => {
  const { lists, fetched, happened } = window.test;
  const ends = Array.from({ length: element.buffered.length }, (_, i) => element.buffered.end(i));
  return {
    time: element.currentTime,
    waits: element.readyState < 3,
    ended: happened.ended,
    ahead: Math.max(0, ...ends) - element.currentTime,
    decoded: element.getVideoPlaybackQuality().totalVideoFrames,
    heard: lists.at(-1).segments,
    fetched,
  };
});

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
    return hls.levels[hls.loadLevel].url[0];
  }, SPEED);
  it.samples = [];
  it.playlist = playlist;
  for (let now = {}; !now.ended;) {
    const list = await listed(playlist);
    now = { ...list, ...await state(it), at: Date.now() / 1000 };
    it.samples.push(now);
    it.target = list.target;
    expect(Date.now() - it.began < END_MS, `it stands at ${now.time} s, and ${now.seconds} s are listed`);
    await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
  }
}

const goesOn = (now, before) => ['time', 'ahead', 'decoded', 'heard', 'fetched']
  .some((what) => now[what] !== before[what]);

// The looks at a player that waited though more was encoded, and for so long did nothing about it.
function idleLooks(samples, notice, target) {
  let first = 0;
  return samples.filter((now, i) => {
    const waits = now.waits && !now.ended && now.seconds > now.time + target;
    if (!waits || i === 0 || goesOn(now, samples[i - 1])) {
      first = i;
    }
    return i - first >= IDLE_LOOKS && now.at - samples[first].at > notice;
  });
}

// It may wait for what is not encoded, and no longer than until it has heard of it: it asks for
// the list once in a target duration. Then it fetches a segment and decodes it, for which a busy
// machine may take any time; but something goes on.
function waitsForEncodingAlone({ samples, target }) {
  const idle = idleLooks(samples, target + 2, target);
  const waiting = samples.filter(({ waits, ended }) => waits && !ended);
  const [first, last] = [samples[0], samples.at(-1)];
  const encoding = samples.filter(({ seconds }) => seconds < last.seconds);
  const took = (encoding.at(-1)?.at ?? first.at) - first.at;
  const speed = took > 0 ? ((encoding.at(-1).seconds - first.seconds) / took).toFixed(2) : '-';
  console.log(`# while it played at ${SPEED} times the rate, ${first.seconds.toFixed(1)} of ${last.seconds.toFixed(1)} s being listed, `
    + `${speed} s of title were encoded a second; it waited in ${waiting.length} of ${samples.length} looks`);
  expect(idle.length === 0, `it waited though more was encoded, and did nothing: ${JSON.stringify(idle.slice(0, 4))}`);
}

// A list has all that was listed before the player asked for it.
async function hearsAtOnce({ page, playlist, samples }) {
  const lists = (await page.evaluate(() => window.test.lists)).filter(({ url: at }) => at === playlist);
  const compared = lists.map((list) => ({
    ...list, before: samples.findLast(({ known }) => known + CLOCKS_MS <= list.asked),
  })).filter(({ before }) => before);
  const old = compared.filter(({ segments, before }) => segments < before.segments);
  console.log(`# ${compared.length} of its lists were compared with those seen before`);
  expect(old.length === 0, `it got an old list: ${JSON.stringify(old.slice(0, 2))}`);
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
  expect(lists.every(({ url: at, segments }, i) => ( // each: one is written after another
    segments >= (lists.findLast((each, j) => j < i && each.url === at)?.segments ?? 0)
  )), counts.join(' '));
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
    'hears of all that was listed before it asked': () => hearsAtOnce(it),
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
