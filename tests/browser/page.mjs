// SPDX-License-Identifier: GPL-2.0-or-later
// What play.mjs and players.mjs share: a browser, what to do with the <video id="video">
// of a page that shows a title of clip.sh, and one TAP line for each thing that must be so.
import process from 'node:process';
import puppeteer from 'puppeteer-core';

const SPEEDS = [4, 1, 0.25]; // at which the end is played, until a busy machine paints it
const LATE = 6; // pictures that it may leave unpainted there all the same
const TAIL_S = 1; // of the title, which is played at the lower speeds
const BACKS = 3; // from the end, for a switch that a busy machine has not come to by then
const LIMIT_MS = 30000; // in which something must go on; most things take a tenth of a second
const PAINT_MS = 3000; // which a picture takes to be painted after its time
const LIMITS = 10; // after which it is too long, whatever goes on

export function expect(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

// "24000/1001" as a number.
export const ratio = (text) => text.split('/').map(Number).reduce((above, below) => above / below);

export const launch = (chromium) => puppeteer.launch({
  executablePath: chromium,
  timeout: 4 * LIMIT_MS,
  protocolTimeout: 4 * LIMIT_MS,
  args: ['--autoplay-policy=no-user-gesture-required', '--mute-audio', '--disable-dev-shm-usage',
    ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
});

// What the page's own code needs, put into every page.
function prepare() {
  window.test = {
    // The number that the picture on screen carries; -1 where it cannot be read.
    picture() {
      const canvas = new OffscreenCanvas(240, 120);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(document.getElementById('video'), 0, 0, 240, 120);
      let number = 0;
      for (let bit = 0; bit < 12; bit++) {
        const [, green] = context.getImageData(bit * 20 + 10, 10, 1, 1).data;
        if (green > 80 && green < 176) {
          return -1;
        }
        number += green > 128 ? 1 << bit : 0;
      }
      return number;
    },
    happened: {},
    note(name) {
      this.happened[name] = false;
      document.getElementById('video').addEventListener(name, () => { this.happened[name] = true; });
    },
  };
}

// Everything that goes wrong behind the page's back, as sentences.
function watch(page) {
  const troubles = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) {
      troubles.push(`console: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => troubles.push(`page: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) {
      troubles.push(`${response.status()} for ${response.url()}`);
    }
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') { // a player that changes its mind
      troubles.push(`${why} for ${request.url()}`);
    }
  });
  return troubles;
}

// An empty page with a profile of its own, as players remember how fast the last title
// came, and the list that its troubles will be in. The page's context is to be closed.
export async function open(browser) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const troubles = watch(page);
  await page.evaluateOnNewDocument(prepare);
  return { page, troubles };
}

// Where the video stands, for a message, and to see whether anything goes on.
const stands = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  const {
    currentTime, readyState, paused, seeking, buffered,
  } = video;
  const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
  const decoded = video.getVideoPlaybackQuality().totalVideoFrames;
  return JSON.stringify({
    currentTime, readyState, paused, seeking, end, decoded,
  });
});

// Waits for `test` as long as anything goes on with the video: how long it takes is the machine's
// affair, but it does not stand still.
export async function outlast(page, test, ...given) {
  for (let tries = 1, before; ; tries++) {
    try {
      return await page.waitForFunction(test, {}, ...given);
    } catch (error) {
      const now = error.name === 'TimeoutError' ? await stands(page) : before;
      if (now === before || tries === LIMITS) {
        throw error;
      }
      before = now;
    }
  }
}

export const showsPicture = (page) => outlast(
  page,
  () => document.getElementById('video').readyState >= 2,
);

// Waits until that picture is on screen: its painting may come after the event that
// announces it.
export async function expectPicture(page, number) {
  await outlast(page, (wanted) => window.test.picture() === wanted, number).catch(() => {});
  const last = await page.evaluate(() => window.test.picture());
  expect(last === number, `picture ${last} is on screen, not ${number}`);
}

async function happens(page, name) {
  try {
    await outlast(page, (event) => window.test.happened[event], name);
  } catch (error) {
    error.message = `${name} did not happen: ${error.message}; ${await stands(page)}`;
    throw error;
  }
}

export async function seek(page, number, rate) {
  await page.evaluate((seconds) => {
    window.test.note('seeked');
    document.getElementById('video').currentTime = seconds;
  }, (number + 0.5) / rate);
  await happens(page, 'seeked');
  await expectPicture(page, number);
}

async function playOn(page, speed, tail) {
  await page.evaluate((rate, seconds) => {
    const video = document.getElementById('video');
    window.test.note('ended');
    if (seconds) {
      video.currentTime = video.duration - seconds;
    }
    video.playbackRate = rate;
    video.play();
  }, speed, tail);
  await happens(page, 'ended');
}

// From where it stands to the end, at the highest speed. Where the machine painted none of the
// last pictures, it plays these again, slower.
export async function playToEnd(page, frames) {
  const [speed, ...slower] = SPEEDS;
  const first = frames - 1 - LATE;
  const isPainted = () => page.waitForFunction(
    (number) => window.test.picture() >= number,
    { timeout: PAINT_MS },
    first,
  ).then(() => true, () => false);
  await page.evaluate(() => { window.test.note('seeking'); });
  await playOn(page, speed);
  await page.waitForFunction((all) => (
    document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames >= all
  ), {}, frames).catch(() => {}); // which the browser counts late
  await page.evaluate(() => {
    const { totalVideoFrames } = document.getElementById('video').getVideoPlaybackQuality();
    window.test.played = { decoded: totalVideoFrames, sought: window.test.happened.seeking };
  });
  let painted = await isPainted();
  for (let i = 0; !painted && i < slower.length; i++) {
    console.log(`# picture ${await page.evaluate(() => window.test.picture())} is on screen at the end: it is played again, at ${slower[i]} times the rate`);
    await playOn(page, slower[i], TAIL_S);
    painted = await isPainted();
  }
  await page.evaluate((rate) => { document.getElementById('video').playbackRate = rate; }, 1);
  const last = await page.evaluate(() => window.test.picture());
  expect(first <= last && last < frames, `picture ${last} is on screen, not ${frames - 1}`);
}

// After playToEnd. Chromium counts pictures that came too late to be shown, too; and some
// twice where the player sought by itself.
export async function expectEachDecoded(page, frames) {
  const { decoded, sought } = await page.evaluate(() => window.test.played);
  expect(decoded === frames || (sought && decoded > frames),
    `${decoded} pictures were decoded, the title has ${frames}`);
}

// The whole title in one buffered range. Chromium takes pictures to be one range that
// lie up to two of them apart.
export async function expectWhole(page, frames, rate) {
  const buffered = await page.evaluate(() => {
    const ranges = document.getElementById('video').buffered;
    return Array.from({ length: ranges.length }, (_, i) => [ranges.start(i), ranges.end(i)]);
  });
  expect(buffered.length === 1, `${buffered.length} ranges: ${JSON.stringify(buffered)}`);
  const [[first, last]] = buffered;
  expect(first <= 0.5 / rate && last >= (frames - 1) / rate,
    `from ${first} to ${last} of ${frames / rate} s`);
}

// Runs in the page: from now on it plays until its picture has so many lines, and stops there by
// itself, before a busy machine's driver has heard of it. Where the end comes first, it goes back.
function playUntil(lines, backs, tail) {
  const video = document.getElementById('video');
  const from = video.currentTime;
  const events = ['timeupdate', 'resize', 'ended'];
  window.test.backs = 0;
  const look = () => {
    const isLast = video.ended || video.duration - video.currentTime < tail;
    if (video.videoHeight === lines || (isLast && window.test.backs === backs)) {
      video.pause();
      events.forEach((name) => video.removeEventListener(name, look));
    } else if (isLast && !video.seeking) {
      window.test.backs += 1;
      video.currentTime = from;
      video.play();
    }
  };
  events.forEach((name) => video.addEventListener(name, look));
  video.playbackRate = 1;
  video.play();
}

// Has the player `choose` what has so many lines, in mid-play, as a paused video goes on showing
// the picture of before; until such a picture is on screen.
export async function playsUntil(page, lines, choose) {
  await page.evaluate(`(${playUntil})(${lines}, ${BACKS}, ${TAIL_S}); ${choose}`);
  await outlast(page, (wanted) => {
    const { videoHeight, paused } = document.getElementById('video');
    return paused && videoHeight === wanted;
  }, lines).catch(() => {});
  const { backs, shown } = await page.evaluate(() => {
    const video = document.getElementById('video');
    video.pause();
    return { backs: window.test.backs, shown: video.videoHeight };
  });
  if (backs > 0) {
    console.log(`# it came to the end ${backs} times before it had ${lines} lines`);
  }
  return shown;
}

let failed = 0;

async function check(name, run) {
  try {
    await run();
    console.log(`ok - ${name}`);
    return 'good';
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}\n    ${error.message}`);
    return error.name === 'TimeoutError' ? 'stuck' : 'bad';
  }
}

// Checks things, { what must be so: a function that throws where it is not }, one after
// another. Of a player that is stuck there is nothing more to see but why: the last thing.
export async function checkAll(player, things) {
  const entries = Object.entries(things);
  let stuck = false;
  for (const [name, run] of entries) {
    if (!stuck || run === entries.at(-1)[1]) {
      stuck = await check(`${player}: ${name}`, run) === 'stuck' || stuck;
    }
  }
}

export const exit = () => process.exit(failed === 0 ? 0 : 1);
