// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a published title from edges, on a page of another site, by each player in Chromium and by
// the browser's own HLS, and prints one TAP line for each. In the full form it plays to the end.
//   node edges.mjs CHROMIUM FRAMES RATE FORM NAME=URL...      URL: of the title's folder
import http from 'node:http';
import process from 'node:process';
import { players } from './libraries.mjs';
import {
  checkAll, exit, expect, expectWhole, launch, open, outlast, playToEnd, ratio, showsPicture,
} from './page.mjs';

const [chromium, framesText, rateText, form, ...edges] = process.argv.slice(2);
const frames = Number(framesText);
const rate = ratio(rateText);
const names = ['hls.js', 'shaka-player', 'dash.js', 'browser'];
const own = 'application/vnd.apple.mpegurl';

// A site that is none of the edges.
const site = http.createServer((request, answer) => {
  answer.setHeader('Content-Type', 'text/html; charset=utf-8');
  answer.end('<!doctype html><title>a site</title><link rel="icon" href="data:,"><video id="video" muted crossorigin="anonymous"></video>');
});

async function plays(page, player, url, fetched) {
  await page.evaluate(`(${player.start})(document.getElementById('video'), '${url}/${player.manifest}', '', false)`);
  await showsPicture(page);
  await page.evaluate(() => document.getElementById('video').play());
  await outlast(page, () => document.getElementById('video').currentTime > 0.3);
  await outlast(page, (end) => {
    const { buffered } = document.getElementById('video');
    return buffered.length > 0 && buffered.end(buffered.length - 1) >= end;
  }, (frames - 1) / rate);
  await expectWhole(page, frames, rate);
  expect(fetched.some((at) => at.startsWith(`${url}/video/`)), `no segment came from ${url}`);
}

async function check(browser, edge, url, name, origin) {
  const player = players[name];
  const { page, troubles } = await open(browser);
  const fetched = [];
  page.on('request', (request) => fetched.push(request.url()));
  await page.goto(origin);
  if (!player.script && !await page.evaluate((type) => document.getElementById('video').canPlayType(type), own)) {
    console.log(`SKIP ${edge}, the browser's own HLS: this Chromium has none`);
    await page.browserContext().close();
    return;
  }
  if (player.script) {
    await page.addScriptTag({ path: player.script });
  }
  await checkAll(`${name} from ${edge}`, {
    'plays the title, has all of it in one range, and complains of nothing': async () => {
      await plays(page, player, url, fetched);
      if (form === 'full') {
        await playToEnd(page, frames);
      }
      expect(troubles.length === 0, troubles.join('; '));
    },
  });
  await page.browserContext().close();
}

await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
const origin = `http://127.0.0.1:${site.address().port}/`;
const browser = await launch(chromium);
try {
  for (const edge of edges) {
    const [name, url] = edge.split(/=(.*)/);
    for (const player of names) {
      await check(browser, name, url, player, origin);
    }
  }
} finally {
  await browser.close();
  site.close();
}
exit();
