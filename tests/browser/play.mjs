// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title of clip.sh in Chromium through the player page, by the browser's own
// HLS and by hls.js, and prints one TAP line for each thing that must be so.
//   node play.mjs CHROMIUM URL TITLE FRAMES RATE
import process from 'node:process';
import {
  checkAll, exit, expect, expectEachDecoded, expectPicture, expectWhole, launch, open, playToEnd,
  ratio, seek, showsPicture,
} from './page.mjs';

const [chromium, url, title, framesText, rateText] = process.argv.slice(2);
const frames = Number(framesText);
const rate = ratio(rateText);
const players = [{ name: 'browser', shown: /^browser$/ }, { name: 'hlsjs', shown: /^hls\.js \d/ }];

const shownPlayer = (page) => page.waitForFunction(() => [...document.querySelectorAll('#now div')]
  .find((div) => div.firstChild.textContent === 'player')?.lastChild.textContent);

const read = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  return {
    duration: video.duration,
    sound: video.webkitAudioDecodedByteCount,
    pictures: video.webkitVideoDecodedByteCount,
    message: document.getElementById('message').textContent,
  };
});

async function answersKeys(page) {
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
}

// One thing after another on one page, so that each says what it found.
const things = (page, player, troubles) => ({
  'shows a picture': () => showsPicture(page),
  'is the player that was asked for': async () => {
    const shown = await (await shownPlayer(page)).jsonValue();
    expect(player.shown.test(shown), `the page says that the player is ${shown}`);
  },
  'starts with the first picture': () => expectPicture(page, 0),
  'has a duration right to a frame': async () => {
    const { duration } = await read(page);
    expect(Math.abs(duration - frames / rate) <= 1 / rate,
      `${duration} s, where ${frames} frames last ${frames / rate} s`);
  },
  'plays from start to end': () => playToEnd(page, frames),
  'decodes each picture once': () => expectEachDecoded(page, frames),
  'has the whole title in one buffered range': () => expectWhole(page, frames, rate),
  'decodes sound and pictures': async () => {
    const { sound, pictures } = await read(page);
    expect(sound > 0 && pictures > 0, `${sound} bytes of sound, ${pictures} of pictures`);
  },
  'seeks back to the middle': () => seek(page, Math.floor(frames / 2), rate),
  'seeks back near the start': () => seek(page, 7, rate),
  'seeks into the last segment': () => seek(page, frames - 5, rate),
  'answers its keys': () => answersKeys(page),
  'complains of nothing': async () => {
    const { message } = await read(page);
    expect(troubles.length === 0 && message === '', [...troubles, message].join('; '));
  },
});

const browser = await launch(chromium);
try {
  for (const player of players) {
    const { page, troubles } = await open(browser);
    await page.goto(`${url}?title=${title}&player=${player.name}`);
    await checkAll(player.name, things(page, player, troubles));
    await page.browserContext().close();
  }
} finally {
  await browser.close();
}
exit();
