// SPDX-License-Identifier: GPL-2.0-or-later
// Opens each title of a player page in Chromium, by hls.js, and prints one TAP line a title:
// its picture is shown, at the start and after a seek to the middle, and nothing is complained of.
//   node titles.mjs CHROMIUM URL COUNT
import process from 'node:process';
import { checkAll, exit, expect, launch, open, showsPicture } from './page.mjs';

const [chromium, url, count] = process.argv.slice(2);

async function plays(browser, title) {
  const { page, troubles } = await open(browser);
  await page.goto(`${url}?title=${title}&player=hlsjs`);
  await showsPicture(page);
  await page.evaluate(() => {
    window.test.note('seeked');
    const video = document.getElementById('video');
    video.currentTime = video.duration / 2;
  });
  await page.waitForFunction(() => window.test.happened.seeked);
  await showsPicture(page);
  const { width, time } = await page.evaluate(() => {
    const { videoWidth, currentTime } = document.getElementById('video');
    return { width: videoWidth, time: currentTime };
  });
  expect(width > 0 && time > 0, `${width} pixels wide, at ${time} s`);
  expect(troubles.length === 0, troubles.join('; '));
  await page.browserContext().close();
}

const browser = await launch(chromium);
try {
  const { titles } = await (await fetch(`${url}titles.json`)).json();
  await checkAll('a bucket', {
    [`has ${count} titles`]: async () => expect(titles.length === Number(count), titles.join(' ')),
    ...Object.fromEntries(titles.map((title) => [`plays ${title}`, () => plays(browser, title)])),
  });
} finally {
  await browser.close();
}
exit();
