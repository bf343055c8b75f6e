// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title of clip.sh in Chromium through the player page, by the browser's own
// HLS and by hls.js, and prints one TAP line for each thing that must be so.
//   node play.mjs CHROMIUM URL TITLE FRAMES RATE
import process from 'node:process';
import puppeteer from 'puppeteer-core';

const [chromium, url, title, framesText, rateText] = process.argv.slice(2);
const frames = Number(framesText);
const rate = rateText.split('/').map(Number).reduce((above, below) => above / below);
const players = [{ name: 'browser', shown: /^browser$/ }, { name: 'hlsjs', shown: /^hls\.js \d/ }];
const SPEED = 4;
const LIMIT_MS = 30000; // for each thing waited for; most take a tenth of a second

function expect(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

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

// Everything that went wrong behind the page's back, as sentences.
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

async function open(browser, player) {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const troubles = watch(page);
  await page.evaluateOnNewDocument(prepare);
  await page.goto(`${url}?title=${title}&player=${player}`);
  return { page, troubles };
}

const shownPlayer = (page) => page.waitForFunction(() => [...document.querySelectorAll('#now div')]
  .find((div) => div.firstChild.textContent === 'player')?.lastChild.textContent);

// Waits until that picture is on screen: its painting may come after the event that
// announces it.
async function expectPicture(page, number) {
  const seen = () => page.evaluate(() => window.test.picture());
  await page.waitForFunction((wanted) => window.test.picture() === wanted, {}, number)
    .catch(() => {});
  const last = await seen();
  expect(last === number, `picture ${last} is on screen, not ${number}`);
}

const happens = (page, name) => page.waitForFunction((event) => window.test.happened[event], {}, name);

async function seek(page, number) {
  await page.evaluate((seconds) => {
    window.test.note('seeked');
    document.getElementById('video').currentTime = seconds;
  }, (number + 0.5) / rate);
  await happens(page, 'seeked');
  await expectPicture(page, number);
}

const read = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  const buffered = [];
  for (let i = 0; i < video.buffered.length; i++) {
    buffered.push([video.buffered.start(i), video.buffered.end(i)]);
  }
  return {
    duration: video.duration,
    buffered,
    sound: video.webkitAudioDecodedByteCount,
    pictures: video.webkitVideoDecodedByteCount,
    message: document.getElementById('message').textContent,
  };
});

async function playToEnd(page) {
  await page.evaluate((speed) => {
    const video = document.getElementById('video');
    window.test.note('ended');
    video.playbackRate = speed;
    video.play();
  }, SPEED);
  await happens(page, 'ended');
  await expectPicture(page, frames - 1);
}

// One thing after another on one page, so that each says what it found.
const things = {
  'shows a picture': (page) => page.waitForFunction(() => document.getElementById('video').readyState >= 2),
  'is the player that was asked for': async (page, player) => {
    const shown = await (await shownPlayer(page)).jsonValue();
    expect(player.shown.test(shown), `the page says that the player is ${shown}`);
  },
  'starts with the first picture': (page) => expectPicture(page, 0),
  'has a duration right to a frame': async (page) => {
    const { duration } = await read(page);
    expect(Math.abs(duration - frames / rate) <= 1 / rate,
      `${duration} s, where ${frames} frames last ${frames / rate} s`);
  },
  'plays from start to end': playToEnd,
  'has the whole title in one buffered range': async (page) => {
    const { buffered } = await read(page);
    expect(buffered.length === 1, `${buffered.length} ranges: ${JSON.stringify(buffered)}`);
    const [[first, last]] = buffered;
    expect(first <= 0.5 / rate && last >= (frames - 1) / rate,
      `from ${first} to ${last} of ${frames / rate} s`);
  },
  'decodes sound and pictures': async (page) => {
    const { sound, pictures } = await read(page);
    expect(sound > 0 && pictures > 0, `${sound} bytes of sound, ${pictures} of pictures`);
  },
  'seeks back to the middle': (page) => seek(page, Math.floor(frames / 2)),
  'seeks back near the start': (page) => seek(page, 7),
  'seeks into the last segment': (page) => seek(page, frames - 5),
  'answers its keys': async (page) => {
    await page.keyboard.press(',');
    await expectPicture(page, frames - 6);
    await page.keyboard.press('.');
    await expectPicture(page, frames - 5);
    await page.keyboard.press('ArrowLeft');
    await expectPicture(page, frames - 5 - Math.round(5 * rate));
    await page.keyboard.press('k');
    await page.waitForFunction(() => !document.getElementById('video').paused);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.getElementById('video').paused);
  },
  'complains of nothing': async (page, player, troubles) => {
    const { message } = await read(page);
    expect(troubles.length === 0 && message === '', [...troubles, message].join('; '));
  },
};

let failed = 0;

async function check(name, run) {
  try {
    await run();
    console.log(`ok - ${name}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}\n    ${error.message}`);
    return false;
  }
}

const browser = await puppeteer.launch({
  executablePath: chromium,
  protocolTimeout: 2 * LIMIT_MS,
  args: ['--autoplay-policy=no-user-gesture-required', '--mute-audio', '--disable-dev-shm-usage',
    ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
});
try {
  for (const player of players) {
    const { page, troubles } = await open(browser, player.name);
    let alive = true; // without a picture there is nothing more to see but why
    for (const [name, run] of Object.entries(things)) {
      if (alive || run === things['complains of nothing']) {
        const good = await check(`${player.name}: ${name}`, () => run(page, player, troubles));
        alive = alive && (good || run !== things['shows a picture']);
      }
    }
    await page.close();
  }
} finally {
  await browser.close();
}
process.exit(failed === 0 ? 0 : 1);
