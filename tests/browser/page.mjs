// SPDX-License-Identifier: GPL-2.0-or-later
// What play.mjs and players.mjs share: a browser, what to do with the <video id="video">
// of a page that shows a title of clip.sh, and one TAP line for each thing that must be so.
import process from 'node:process';
import puppeteer from 'puppeteer-core';

const SPEED = 4;
const LATE = 6; // pictures that a busy machine may leave unpainted at the end, at that speed
const LIMIT_MS = 30000; // for each thing waited for; most take a tenth of a second

export function expect(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

// "24000/1001" as a number.
export const ratio = (text) => text.split('/').map(Number).reduce((above, below) => above / below);

export const launch = (chromium) => puppeteer.launch({
  executablePath: chromium,
  protocolTimeout: 2 * LIMIT_MS,
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

export const showsPicture = (page) => page.waitForFunction(
  () => document.getElementById('video').readyState >= 2,
);

// Waits until that picture is on screen: its painting may come after the event that
// announces it.
export async function expectPicture(page, number) {
  await page.waitForFunction((wanted) => window.test.picture() === wanted, {}, number)
    .catch(() => {});
  const last = await page.evaluate(() => window.test.picture());
  expect(last === number, `picture ${last} is on screen, not ${number}`);
}

// Where the video stands, for a message.
const stands = (page) => page.evaluate(() => {
  const { currentTime, readyState, paused, seeking, buffered } = document.getElementById('video');
  const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
  return JSON.stringify({ currentTime, readyState, paused, seeking, end });
});

async function happens(page, name) {
  try {
    await page.waitForFunction((event) => window.test.happened[event], {}, name);
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

export async function playToEnd(page, frames) {
  await page.evaluate((speed) => {
    const video = document.getElementById('video');
    window.test.note('ended');
    window.test.note('seeking');
    video.playbackRate = speed;
    video.play();
  }, SPEED);
  await happens(page, 'ended');
  const first = frames - 1 - LATE;
  await page.waitForFunction((late) => window.test.picture() >= late, {}, first).catch(() => {});
  const last = await page.evaluate(() => window.test.picture());
  expect(first <= last && last < frames, `picture ${last} is on screen, not ${frames - 1}`);
}

// After playToEnd. Chromium counts pictures that came too late to be shown, too; and some
// twice where the player sought by itself.
export async function expectEachDecoded(page, frames) {
  const { decoded, sought } = await page.evaluate(() => ({
    decoded: document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames,
    sought: window.test.happened.seeking,
  }));
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
