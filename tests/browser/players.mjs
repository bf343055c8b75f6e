// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title of clip.sh, made in H.264 and AV1, in Chromium by hls.js, shaka-player
// and dash.js, each held to either codec and each going from one to the other, and by the
// browser's own HLS, and prints one TAP line for each thing that must be so.
//   node players.mjs CHROMIUM URL TITLE FRAMES RATE
import process from 'node:process';
import { players } from './libraries.mjs';
import {
  checkAll, exit, expect, expectEachDecoded, expectPicture, expectWhole, launch, open, outlast,
  playToEnd, playsUntil, ratio, seek, showsPicture,
} from './page.mjs';

const [chromium, url, title, framesText, rateText] = process.argv.slice(2);
const frames = Number(framesText);
const rate = ratio(rateText);
const SEED = 20240229; // of the places that are sought
const SEEKS = 3;
const codecs = { h264: 'avc1', av1: 'av01' }; // in paths, in CODECS

// Marsaglia's xorshift32: the same pictures in every run.
let random = SEED;

function anyPicture(below) {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return (random >>> 0) % Math.floor(below);
}

// The page of a player, of the stream's own origin. Requests are noted by what they are
// for: 'video/av1-...', as the paths of media segments begin.
async function openPlayer(browser, player) {
  const { page, troubles } = await open(browser);
  const fetched = [];
  page.on('request', (request) => {
    fetched.push(...(/video\/[^/]+(?=\/\d+\.m4s$)/.exec(request.url()) ?? []));
  });
  await page.setBypassCSP(true);
  await page.goto(`${url}?title=none`); // the player page, for its address alone
  await page.waitForFunction(() => document.getElementById('message').textContent !== '');
  await page.setContent('<!doctype html><link rel="icon" href="data:,"><video id="video"></video>');
  if (player.script) {
    await page.addScriptTag({ path: player.script });
  }
  return { page, troubles, fetched };
}

const start = (page, player, codec, held = true) => page.evaluate(
  `(${player.start})(document.getElementById('video'), '${url}media/${title}/${player.manifest}',
    '${codecs[codec]}', ${held})`,
);

const height = (page) => page.evaluate(() => document.getElementById('video').videoHeight);

async function switchRung(page, player, pick) {
  const heights = await page.evaluate(() => window.test.heights);
  expect(new Set(heights).size >= 2, `the player offers rungs of ${heights} lines, not two`);
  const wanted = pick(...heights);
  await seek(page, anyPicture(frames / 2), rate);
  const played = await playsUntil(page, wanted, `(${player.choose})(${wanted})`);
  expect(played === wanted, `${played} lines are on screen in mid-play, not ${wanted}`);
  // Not to the last pictures: of fewer than four Chromium shows none until it is told that no more
  // follow, and dash.js does not always tell that again once it has replaced what was buffered.
  await seek(page, anyPicture(frames - rate), rate);
  const shown = await height(page);
  expect(shown === wanted, `${shown} lines are on screen, not ${wanted}`);
}

// The heights of a codec's rungs; pictures of a storyboard name none.
const rungs = (page, codec) => page.evaluate(async (manifest, begins) => {
  const mpd = new DOMParser().parseFromString(await (await fetch(manifest)).text(), 'text/xml');
  return [...mpd.querySelectorAll('Representation[codecs]')]
    .filter((each) => each.getAttribute('codecs').startsWith(begins))
    .map((each) => Number(each.getAttribute('height')));
}, `${url}media/${title}/manifest.mpd`, codecs[codec]);

// The first pictures of the segments but the first.
const joins = (page) => page.evaluate(async (manifest) => {
  const mpd = new DOMParser().parseFromString(await (await fetch(manifest)).text(), 'text/xml');
  const template = mpd.querySelector('AdaptationSet[contentType=video] SegmentTemplate');
  const rate = mpd.querySelector('Representation[frameRate]').getAttribute('frameRate');
  const frame = Number(template.getAttribute('timescale')) / Number(rate.split('/')[0])
    * Number(rate.split('/')[1] ?? 1);
  const starts = [0];
  template.querySelectorAll('S').forEach((each) => {
    for (let left = Number(each.getAttribute('r') ?? 0); left >= 0; left--) {
      starts.push(starts.at(-1) + Number(each.getAttribute('d')) / frame);
    }
  });
  return starts.slice(1, -1);
}, `${url}media/${title}/manifest.mpd`);

// Whether one buffered range reaches from the playhead to the end; waits for it.
async function bufferedToEnd(page) {
  const reaches = (end) => {
    const { buffered, currentTime } = document.getElementById('video');
    return Array.from({ length: buffered.length }, (_, i) => i)
      .some((i) => buffered.start(i) <= currentTime && buffered.end(i) >= end);
  };
  await outlast(page, reaches, (frames - 1) / rate).catch(() => {});
  return page.evaluate(reaches, (frames - 1) / rate);
}

// While it plays, between H.264's lowest rung and AV1's highest: shaka-player offers no rung that
// another of the same height undercuts in rate. Each crossing begins where the one before was
// seen, so that nothing of the codec that it goes to has been buffered ahead; and with all of the
// other codec buffered, which hls.js drops only where it sees what comes after the playhead.
async function crossTo(it, codec, wanted) {
  const { page, player, fetched } = it;
  await seek(page, it.picture ?? Math.floor(rate), rate);
  expect(await bufferedToEnd(page), 'it does not buffer to the end');
  fetched.length = 0;
  const shown = await playsUntil(page, wanted, `(${player.cross})(${wanted}, '${codecs[codec]}')`);
  it.picture = await page.evaluate(
    (speed) => Math.floor(document.getElementById('video').currentTime * speed), rate,
  );
  expect(shown === wanted, `${shown} lines are on screen, not ${wanted}`);
  expectFetched(fetched, codec);
}

// From the playhead on: behind it players drop what they like, and take a picture just before
// what they have for the first that they have. Both sides of each place where one codec may
// give way to the other, and one buffered range to the end.
async function expectJoined(page) {
  const now = await page.evaluate(() => document.getElementById('video').currentTime);
  expect(await bufferedToEnd(page), `there is a gap after ${now} s`);
  const left = (await joins(page)).filter((picture) => picture / rate > now + 1 / rate);
  expect(left.length > 0, `it was so late, at ${now} s, that no segment begins after it`);
  for (const first of left) {
    await seek(page, first - 1, rate);
    await seek(page, first, rate);
  }
}

function expectFetched(fetched, codec) {
  const folders = [...new Set(fetched)];
  const others = folders.filter((folder) => !folder.startsWith(`video/${codec}-`));
  expect(folders.length > others.length, `no segment of ${codec} was fetched, but ${folders}`);
  expect(others.length === 0, `${others} were fetched too`);
}

const playing = ({ page, player, codec }) => ({
  'shows a picture': async () => {
    await start(page, player, codec);
    await showsPicture(page);
  },
  'starts with the first picture': () => expectPicture(page, 0),
  'plays from start to end': () => playToEnd(page, frames),
  'decodes each picture once': () => expectEachDecoded(page, frames),
  'has the whole title in one buffered range': () => expectWhole(page, frames, rate),
});

const seeking = ({ page }) => Object.fromEntries(Array.from({ length: SEEKS }, () => anyPicture(frames))
  .map((number) => [`seeks to picture ${number}`, () => seek(page, number, rate)]));

const fetching = ({ player, fetched }) => ({
  'fetches segments of that codec alone': () => expectFetched(fetched, player.fetches),
});

const switching = ({ page, player, fetched, codec }) => ({
  'goes down to the lowest rung': () => switchRung(page, player, Math.min),
  'goes up to the highest rung': () => switchRung(page, player, Math.max),
  'goes down again': () => switchRung(page, player, Math.min),
  'fetches segments of that codec alone': () => expectFetched(fetched, codec),
});

const crossing = (it) => ({
  'plays H.264': async () => {
    await start(it.page, it.player, 'h264', false);
    await showsPicture(it.page);
    await crossTo(it, 'h264', Math.min(...await rungs(it.page, 'h264')));
  },
  'goes to AV1 in mid-play': async () => (
    crossTo(it, 'av1', Math.max(...await rungs(it.page, 'av1')))),
  'has no gap where AV1 begins': () => expectJoined(it.page),
  'goes back to H.264 in mid-play': async () => (
    crossTo(it, 'h264', Math.min(...await rungs(it.page, 'h264')))),
  'has no gap where H.264 begins': () => expectJoined(it.page),
});

const complaining = ({ troubles }) => ({
  'complains of nothing': () => expect(troubles.length === 0, troubles.join('; ')),
});

async function checkPlayer(browser, name, codec) {
  const player = players[name];
  const it = { player, codec, ...await openPlayer(browser, player) };
  await checkAll(codec ? `${name}, ${codec}` : name, {
    ...playing(it),
    ...seeking(it),
    ...(codec ? switching(it) : {}),
    ...(player.fetches ? fetching(it) : {}),
    ...complaining(it),
  });
  console.log(`# ${name} fetched ${[...new Set(it.fetched)].join(', ')}`);
  await it.page.browserContext().close();
}

async function checkCrossing(browser, name) {
  const player = players[name];
  if (!player.cross) {
    console.log(`SKIP ${name}: goes from one codec to the other: it chooses by itself`);
    return;
  }
  const it = { player, ...await openPlayer(browser, player) };
  await checkAll(`${name}, both codecs`, { ...crossing(it), ...complaining(it) });
  await it.page.browserContext().close();
}

console.log(`# seed ${SEED}`);
const browser = await launch(chromium);
try {
  for (const name of Object.keys(players)) {
    for (const codec of players[name].choose ? Object.keys(codecs) : [undefined]) {
      await checkPlayer(browser, name, codec);
    }
    await checkCrossing(browser, name);
  }
} finally {
  await browser.close();
}
exit();
