// SPDX-License-Identifier: GPL-2.0-or-later
// An edge is swept on the page: by the keyboard, of what was shown and no more.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import {
  TITLE, audit, fits, given, go, shows,
} from './farm_page.mjs';
import { expect } from './page.mjs';

// Nothing goes that was not shown, nor before it is said; and all of it by the keyboard.
async function sweepsByKeyboard(page) {
  const lost = `${given.swept}/${TITLE}/video/h264-999p-0123456789`;
  const ghost = `${given.swept}/ghost/0123456789abcdef`;
  for (const [folder, ...files] of [[lost, 'init.mp4', '00001.m4s'], [ghost, 'x.m3u8']]) {
    fs.mkdirSync(folder, { recursive: true });
    files.forEach((file) => fs.writeFileSync(`${folder}/${file}`, 'in vain'));
  }
  spawnSync('chmod', ['-R', 'a+rwX', given.swept]);
  const opens = async () => {
    await page.keyboard.press('Enter');
    await shows(page, 'dialog .standing', 'No version names 3 objects, 21 B, of 3 objects there');
    expect(await page.evaluate(() => document.activeElement.matches('dialog .close')), 'another button has the focus');
  };
  await go(page, 'endpoints');
  await page.waitForSelector('[data-endpoint=swept] .sweep');
  await page.focus('[data-endpoint=swept] .sweep');
  await opens();
  const rows = await page.$$eval('dialog tbody tr', (all) => all.map(({ cells: own }) => [...own].map(({ textContent }) => textContent).join('|')));
  expect(rows.sort().join() === [`${TITLE}|video/h264-999p-0123456789|2|14 B|yes`, 'ghost|0123456789abcdef|1|7 B|no: of no title known here'].join(), rows.join());
  await shows(page, 'dialog .remove', 'Remove 2 objects, 14 B');
  await audit(page, 'a sweep');
  await fits(page, 'a sweep');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog') && document.activeElement.matches('.sweep'));
  expect(fs.existsSync(`${lost}/00001.m4s`), 'it went and nobody said so');
  await opens();
  await page.focus('dialog input');
  await page.keyboard.press('Space');
  await shows(page, 'dialog .remove', 'Remove 3 objects, 21 B');
  await page.keyboard.press('Space');
  await page.focus('dialog .remove');
  await page.keyboard.press('Enter');
  await shows(page, 'dialog .standing', 'Removed 2 objects, 14 B.');
  expect(!fs.existsSync(lost) && fs.existsSync(`${ghost}/x.m3u8`), 'another thing went than was shown');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => !document.querySelector('dialog'));
}

export const sweep = (page) => ({
  'an edge is swept by the keyboard, of what was shown and no more': () => sweepsByKeyboard(page),
});
