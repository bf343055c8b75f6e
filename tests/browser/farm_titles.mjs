// SPDX-License-Identifier: GPL-2.0-or-later
// What is done to titles on the page, and what it tells meanwhile: of one that is made of what was
// made before, one that runs, one that fails, and of versions.
import {
  TITLE, answering, audit, cells, farm, fits, given, go, patiently, shows, until,
} from './farm_page.mjs';
import { expect } from './page.mjs';

const SLOW = 'slow';
const BROKEN = 'broken';

async function ladderOf(name, change) {
  const { ladders } = await farm('GET', 'v1/ladders');
  return change(ladders.find((ladder) => ladder.name === name));
}

const submit = async (title, source, ladder, more = {}) => farm('POST', 'v1/titles', {
  title, source, ladder, output: given.out, force: false, ...more,
});
const titleOf = (name) => farm('GET', `v1/titles/${name}`);
const press = (page, name) => page.evaluate((words) => [...document.querySelectorAll('.title-head button')]
  .find((button) => button.textContent === words).click(), name);
const offered = (page) => page.$$eval('.title-head button', (all) => all.map((button) => button.textContent).join());
const fact = (page, name, pattern) => page.waitForFunction((where, what) => new RegExp(what).test(
  document.querySelector(`.figures [data-fact="${where}"]`)?.textContent), {}, name, pattern);

// A version of one rung less: nothing of it is made anew.
async function reuses(page) {
  const { version: before } = await titleOf(TITLE);
  await submit(TITLE, given.clip, await ladderOf('fast', (ladder) => ({ ...ladder, video: ladder.video.slice(0, 1) })));
  await go(page, `titles/${TITLE}`);
  await until('the second version', async () => {
    const { state, version, publications } = await titleOf(TITLE);
    return state === 'done' && version !== before && publications.some(({ endpoint, held }) => endpoint === 'near' && held === version);
  });
  await shows(page, '.title-head .badge', 'done');
  const { units } = await farm('GET', `v1/titles/${TITLE}/units?reports=false`);
  const made = units.filter(({ rendition }) => rendition !== '').length;
  await page.waitForFunction((count) => document.querySelector('.legend [data-look=reused]')?.dataset.count === String(count), {}, made);
  expect(await cells(page, 'done') === 0, `${await cells(page, 'done')} cells were made anew`);
  const video = units.filter(({ rendition }) => rendition === 'h264-360p').length;
  await shows(page, 'tbody [data-cell=reused]', `${video} of ${video}`);
  await page.focus('.cells');
  await page.keyboard.press('ArrowRight');
  await shows(page, '.about', `h264-360p, chunk 1 of ${video}, 0:00–`);
  await shows(page, '.about', 'reused');
  return before;
}

const cardIs = (page, version, words) => page.waitForFunction((name, what) => [...document.querySelectorAll('.card')]
  .some((card) => card.querySelector('h2').textContent === name && card.querySelector('.badge').textContent === what), {}, version, words);

async function makesCurrent(page, before) {
  const { version } = await titleOf(TITLE);
  await go(page, `titles/${TITLE}/versions`);
  await cardIs(page, version, 'current');
  await cardIs(page, before, 'replaced');
  await page.evaluate(() => [...document.querySelectorAll('.card button')].find((button) => button.textContent === 'Make current').click());
  await shows(page, '#said', `${TITLE} goes back to version ${before}`);
  await until('the version of before', async () => (await titleOf(TITLE)).version === before);
  await go(page, `titles/${TITLE}/versions`);
  await cardIs(page, before, 'current');
  await cardIs(page, version, 'replaced');
  await page.waitForFunction((name) => [...document.querySelectorAll('.card')]
    .some((card) => card.querySelector('h2').textContent === name && / or longer.*near \(for \d.* or longer/.test(card.textContent)), {}, version);
  await go(page, `titles/${TITLE}/events`);
  await shows(page, '.events', 'goes back to a version of before');
  await shows(page, '.events', `near has version ${version}`);
}

// Of which no event tells.
async function looksAtEdges(page) {
  const { version } = await titleOf(TITLE);
  const says = (words, isSo = true) => page.waitForFunction((name, what, wanted) => [...document.querySelectorAll('.card')]
    .some((card) => card.querySelector('h2').textContent === name && card.textContent.includes(what) === wanted), {}, version, words, isSo);
  const edges = [{ version, endpoint: 'near', kept_until: null, leaving: true }];
  await go(page, `titles/${TITLE}/versions`);
  await says('near', false);
  await answering(page, `/v1/titles/${TITLE}/versions`, { edges }, () => says('near (being taken from there)'));
  await says('near', false);
}

async function runs(page) {
  await submit(SLOW, given.clip, await ladderOf('fast', (ladder) => ({
    ...ladder, video: ladder.video.map((rung) => ({ ...rung, preset: 'placebo' })),
  })));
  await go(page, `titles/${SLOW}`);
  await shows(page, '.title-head .badge', 'running');
  await patiently(() => fact(page, 'frames/s', '^[0-9.,]+$'));
  await fact(page, 'time left', '^[0-9.]+ (s|min|h)');
  await fact(page, 'speed', '^[0-9.,]+×$');
  await fact(page, 'workers', '^1$');
  await page.waitForFunction(() => [...document.querySelectorAll('tbody [data-cell=speed]')].some((cell) => /^[0-9.,]+$/.test(cell.textContent)));
  await shows(page, '.why', `${SLOW} is being made, and all is well: `);
  await shows(page, '.why', ' runs on first for ');
  expect(await offered(page) === 'Cancel', `${await offered(page)} is offered`);
  expect(await page.$eval('.edges-place', ({ hidden }) => hidden), 'what has no version has endpoints');
}

// By a worker's word, which the operator may give.
async function triesAgain(page) {
  const { fence, chunk } = await until('a task', async () => (await titleOf(SLOW)).tasks.find(({ kind }) => kind === 'video'));
  await farm('POST', `v1/leases/${fence}/fail`, { class: 'io', message: 'its source went away' });
  await page.waitForFunction(() => Number(document.querySelector('.legend [data-look=retried]')?.dataset.count) > 0);
  await page.focus('.cells');
  await page.keyboard.press('Home');
  for (let at = 0; at < chunk; at++) {
    await page.keyboard.press('ArrowRight');
  }
  await shows(page, '.about', 'failed 1×');
  await fact(page, 'trouble', '1 failure');
  await go(page, `titles/${SLOW}/events`);
  await shows(page, '.events .trouble', 'its source went away');
  await go(page, `titles/${SLOW}/timeline`);
  await page.waitForFunction(() => document.querySelector('tbody tr')?.cells[3].textContent === '1');
  await page.waitForSelector('.legend [data-kind=bad]:not([hidden])');
  await go(page, `titles/${SLOW}`);
  await page.waitForFunction(() => Number(document.querySelector('.legend [data-look=retried]')?.dataset.count) > 0);
}

async function looksWell(page, name) {
  await audit(page, name);
  await fits(page, name);
}

async function asks(page, name, words) {
  await press(page, name);
  await shows(page, 'dialog', words);
  await audit(page, `the dialog of ${name}`, 'dialog');
  await page.click('dialog [value=no]');
  await page.waitForFunction(() => !document.querySelector('dialog')); // which its close event tells of
  await press(page, name);
  await page.click('dialog [value=yes]');
}

async function cancels(page) {
  await asks(page, 'Cancel', 'What was made is kept');
  await shows(page, '.title-head .badge', 'cancelled');
  await until('its end', async () => (await titleOf(SLOW)).state === 'cancelled');
  expect(await offered(page) === 'Retry,Remove', `${await offered(page)} is offered`);
  await press(page, 'Retry');
  await shows(page, '#said', `${SLOW} is `);
  await shows(page, '.title-head .badge', 'running');
  await farm('POST', `v1/titles/${SLOW}/cancel`);
  await shows(page, '.title-head .badge', 'cancelled');
}

async function removes(page) {
  await asks(page, 'Remove', 'All that it published is deleted');
  await shows(page, '.title-head .badge', 'removed');
  await shows(page, '.title-head .problem', 'There is no title of this name any more');
  expect(await offered(page) === '', `${await offered(page)} is offered`);
  const { titles } = await farm('GET', 'v1/titles');
  expect(titles.every(({ title }) => title !== SLOW), 'it is there');
}

async function fails(page) {
  await submit(BROKEN, given.broken, await ladderOf('fast', (ladder) => ladder), { tenant: 'news' });
  await go(page, `titles/${BROKEN}`);
  await shows(page, '.title-head .badge', 'failed');
  await page.waitForFunction(() => !document.querySelector('.title-head .problem').hidden);
  await shows(page, '.why', `${BROKEN} failed.`);
  await shows(page, '.why', 'It failed (bad_source)');
  await shows(page, '.why', 'Put a sound source in its place');
  await looksWell(page, 'a title that failed');
  const { error } = await titleOf(BROKEN);
  await go(page, 'titles?state=failed');
  await shows(page, '.rows .failure', error);
  await looksWell(page, 'a list with one that failed');
  await go(page, `titles/${BROKEN}`);
  await shows(page, '.title-head .badge', 'failed');
  const { trace } = await titleOf(BROKEN);
  await press(page, 'Retry');
  await until('another run', async () => {
    const { state, trace: other } = await titleOf(BROKEN);
    return other !== trace && state === 'failed';
  });
  await shows(page, '.title-head .badge', 'failed');
}

export function titles(page) {
  let before = '';
  return {
    'a version that is made of what was made before says so, cell by cell': async () => { before = await reuses(page); },
    'an old version is made current': () => makesCurrent(page, before),
    'what edges have of versions is looked at while the page is open': () => looksAtEdges(page),
    'a title that runs tells how fast, how long yet, and why': () => runs(page),
    'axe-core has nothing against it': () => looksWell(page, 'a title that runs'),
    'a cell that failed and is tried again says so, then and later': () => triesAgain(page),
    'it is cancelled by who says so twice, and tried again': () => cancels(page),
    'and removed, which it says in the end': () => removes(page),
    'a title that fails says why and what to do, and can be tried again': () => fails(page),
  };
}
