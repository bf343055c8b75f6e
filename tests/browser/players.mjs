// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title of clip.sh, made in H.264 and AV1, in Chromium by hls.js, shaka-player
// and dash.js, each held to either codec, and by the browser's own HLS, and prints one
// TAP line for each thing that must be so.
//   node players.mjs CHROMIUM URL TITLE FRAMES RATE
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  checkAll, exit, expect, expectEachDecoded, expectPicture, expectWhole, launch, open, playToEnd,
  ratio, seek, showsPicture,
} from './page.mjs';

const [chromium, url, title, framesText, rateText] = process.argv.slice(2);
const frames = Number(framesText);
const rate = ratio(rateText);
const SEED = 20240229; // of the places that are sought
const SEEKS = 3;
const codecs = { h264: 'avc1', av1: 'av01' }; // in paths, in CODECS
const at = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));

// `start` and `choose` run in the page. `start` gives the video to a player that is held
// to a codec, and returns once it knows the heights of that codec's rungs, which it leaves
// in test.heights; `choose` takes the rung of a height, and drops what is buffered of
// others. All buffer the whole title, so that its gaps can be seen.
const players = {
  'hls.js': {
    script: at('hls.js/dist/hls.min.js'),
    manifest: 'master.m3u8',
    start: (video, manifest, codec) => new Promise((resolve, reject) => {
      const hls = new window.Hls({
        videoPreference: { videoCodec: codec },
      });
      window.test.player = hls;
      hls.on(window.Hls.Events.ERROR, (event, { details, fatal }) => {
        const { INTERNAL_ABORTED, BUFFER_STALLED_ERROR } = window.Hls.ErrorDetails;
        // It changed its mind; or the playhead was late, which is the machine's doing where all
        // is buffered and decoded, as it must be.
        if (fatal || ![INTERNAL_ABORTED, BUFFER_STALLED_ERROR].includes(details)) {
          console.error(`hls.js: ${details}`);
        }
        if (fatal) {
          reject(new Error(details));
        }
      });
      hls.on(window.Hls.Events.MANIFEST_PARSED, () => {
        window.test.levels = hls.levels.filter(({ videoCodec }) => videoCodec.startsWith(codec));
        window.test.heights = window.test.levels.map(({ height }) => height);
        resolve();
      });
      hls.loadSource(manifest);
      hls.attachMedia(video);
    }),
    choose: (wanted) => {
      const { player, levels } = window.test;
      player.currentLevel = player.levels.indexOf(levels.find(({ height }) => height === wanted));
    },
  },
  'shaka-player': {
    script: at('shaka-player/dist/shaka-player.compiled.js'),
    manifest: 'manifest.mpd',
    start: async (video, manifest, codec) => {
      window.shaka.polyfill.installAll();
      const player = new window.shaka.Player();
      window.test.player = player;
      player.addEventListener('error', ({ detail }) => console.error(`shaka: ${detail.message}`));
      await player.attach(video);
      player.configure({ preferredVideo: [{ codec }], streaming: { bufferingGoal: 60 } });
      await player.load(manifest);
      window.test.tracks = player.getVariantTracks()
        .filter(({ videoCodec }) => videoCodec.startsWith(codec));
      window.test.heights = window.test.tracks.map(({ height }) => height);
    },
    choose: (wanted) => {
      const { player, tracks } = window.test;
      player.configure({ abr: { enabled: false } });
      player.selectVariantTrack(tracks.find(({ height }) => height === wanted), true);
    },
  },
  'dash.js': {
    script: at('dashjs/dist/modern/umd/dash.all.min.js'),
    manifest: 'manifest.mpd',
    start: (video, manifest, codec) => new Promise((resolve, reject) => {
      const player = window.dashjs.MediaPlayer().create();
      window.test.player = player;
      player.updateSettings({
        streaming: {
          seekDurationBackoff: 0, // else its own end, see below, is half a second early
          buffer: { bufferTimeDefault: 60, bufferTimeAtTopQuality: 60, bufferToKeep: 60 },
        },
      });
      player.registerCustomCapabilitiesFilter(({ mimeType, codecs: its }) => (
        !mimeType.startsWith('video/') || its.startsWith(codec)));
      player.on(window.dashjs.MediaPlayer.events.ERROR, ({ error }) => {
        console.error(`dash.js: ${error.message}`);
        reject(new Error(error.message));
      });
      // Sound may outlast the pictures, which the Period lasts, by part of an AAC frame.
      // Where a timer of dash.js finds the playhead there, it ends the title itself: it
      // seeks to the Period's end and pauses, and the video's own `ended` never comes.
      player.on(window.dashjs.MediaPlayer.events.PLAYBACK_ENDED, () => {
        window.test.happened.ended = true;
      });
      player.on(window.dashjs.MediaPlayer.events.STREAM_INITIALIZED, () => {
        window.test.representations = player.getRepresentationsByType('video');
        window.test.heights = window.test.representations.map(({ height }) => height);
        resolve();
      });
      player.initialize(video, manifest, false);
    }),
    choose: (wanted) => {
      const { player, representations } = window.test;
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
      const { id } = representations.find(({ height }) => height === wanted);
      player.setRepresentationForTypeById('video', id, true);
    },
  },
  browser: {
    manifest: 'master.m3u8',
    start: (video, manifest) => { video.src = manifest; },
  },
};

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

const start = (page, player, codec) => page.evaluate(
  `(${player.start})(document.getElementById('video'), '${url}media/${title}/${player.manifest}',
    '${codecs[codec]}')`,
);

const height = (page) => page.evaluate(() => document.getElementById('video').videoHeight);

// While it plays: a paused video goes on showing the picture of the rung before.
async function switchRung(page, player, pick) {
  const heights = await page.evaluate(() => window.test.heights);
  expect(new Set(heights).size >= 2, `the player offers rungs of ${heights} lines, not two`);
  const wanted = pick(...heights);
  await seek(page, anyPicture(frames / 2), rate);
  await page.evaluate(() => document.getElementById('video').play());
  await page.evaluate(player.choose, wanted);
  await page.waitForFunction(
    (lines) => document.getElementById('video').videoHeight === lines, {}, wanted,
  ).catch(() => {});
  await page.evaluate(() => document.getElementById('video').pause());
  await seek(page, anyPicture(frames), rate);
  const shown = await height(page);
  expect(shown === wanted, `${shown} lines are on screen, not ${wanted}`);
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

const switching = ({ page, player, fetched, codec }) => ({
  'goes down to the lowest rung': () => switchRung(page, player, Math.min),
  'goes up to the highest rung': () => switchRung(page, player, Math.max),
  'goes down again': () => switchRung(page, player, Math.min),
  'fetches segments of that codec alone': () => expectFetched(fetched, codec),
});

const complaining = ({ troubles }) => ({
  'complains of nothing': () => expect(troubles.length === 0, troubles.join('; ')),
});

async function checkPlayer(browser, name, codec) {
  const player = players[name];
  const it = { player, codec, ...await openPlayer(browser, player) };
  await checkAll(codec ? `${name}, ${codec}` : name, {
    ...playing(it), ...seeking(it), ...(codec ? switching(it) : {}), ...complaining(it),
  });
  console.log(`# ${name} fetched ${[...new Set(it.fetched)].join(', ')}`);
  await it.page.browserContext().close();
}

console.log(`# seed ${SEED}`);
const browser = await launch(chromium);
try {
  for (const name of Object.keys(players)) {
    for (const codec of players[name].choose ? Object.keys(codecs) : [undefined]) {
      await checkPlayer(browser, name, codec);
    }
  }
} finally {
  await browser.close();
}
exit();
