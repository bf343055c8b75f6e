// SPDX-License-Identifier: GPL-2.0-or-later
// A scheduler with so many titles that no page could hold them all.
import {
  api, given, noComplaint, shows, signIn, text, tokenOf,
} from './farm_page.mjs';
import { expect } from './page.mjs';

const CROWD = 10000;
const BATCH = 200;
const BLOCKED_MS = 1000; // no script may keep the page from answering so long, on a busy machine too
const TENANTS = 7;
const SLOW_MS = 10000;
const SCREENS = 60; // that are looked at
const nameOf = (number) => `title-${String(number).padStart(5, '0')}`;

export async function crowdIn() {
  const token = tokenOf('crowd');
  const { ladders } = await api(given.crowdUrl, token, 'GET', 'v1/ladders');
  const fast = ladders.filter(({ name }) => name === 'fast');
  for (let first = 1; first <= CROWD; first += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, i) => first + i);
    await api(given.crowdUrl, token, 'POST', 'v1/titles/batch', {
      ladders: fast,
      titles: numbers.map((number) => ({
        title: nameOf(number), source: `/nowhere/${nameOf(number)}.mov`, output: '/nowhere', ladder: 0, force: false,
        labels: ['kind=crowd', `hundred=${Math.floor((number - 1) / 100)}`], tenant: `t${number % TENANTS}`,
      })),
    });
  }
}

// Waits for it, and says how long it took: some hundred ms, for which a busy machine may take longer.
async function timed(what, run) {
  const start = performance.now();
  await run();
  const took = Math.round(performance.now() - start);
  console.log(`# ${what}: ${took} ms`);
  expect(took < SLOW_MS, `${what} took ${took} ms`);
}

const search = (page, words) => page.$eval('#search', (input, value) => {
  input.value = value;
  input.dispatchEvent(new Event('input'));
}, words);

async function filter(page, name, value) {
  await page.$eval(`#filter-${name}`, (input, words) => {
    input.value = words;
    input.dispatchEvent(new Event('change'));
  }, value);
}

// Steps through all of it as a wheel does; after each, what is on screen has rows.
async function scrolls(page) {
  const empty = await page.evaluate(async (screens) => {
    let missing = 0;
    const high = document.documentElement.scrollHeight;
    for (let at = 0; at < high; at += high / screens) {
      window.scrollTo(0, at);
      await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
      const row = document.elementFromPoint(window.innerWidth / 2, window.innerHeight / 2)?.closest('.row');
      missing += row ? 0 : 1;
    }
    return missing;
  }, SCREENS);
  expect(empty <= 2, `${empty} of ${SCREENS} screens had no row`);
}

// `put` is crowdIn's promise.
export const crowd = (page, troubles, put) => ({
  [`${CROWD} titles are put in`]: () => put,
  'the newest are on screen': async () => {
    await page.evaluateOnNewDocument(() => {
      window.longest = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => {
        window.longest = Math.max(window.longest, duration);
      })).observe({ type: 'longtask', buffered: true });
    });
    await timed('the first titles', async () => {
      await signIn(page, given.crowdUrl, tokenOf('crowd'));
      await shows(page, '.rows', nameOf(CROWD));
    });
  },
  'a search that is made at once goes through all of them': () => timed('a search for the oldest', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type(nameOf(42));
    await page.waitForFunction(() => document.querySelectorAll('.rows .row').length === 1);
    await shows(page, '.rows', nameOf(42));
    await shows(page, '.count', '1 of 10,000 titles');
  }),
  'then another answers at once, and filters do': async () => {
    await timed('a second search', async () => {
      await search(page, nameOf(420));
      await shows(page, '.rows', nameOf(420));
    });
    await search(page, '');
    await timed('a label', async () => {
      await filter(page, 'label', 'hundred=7');
      await shows(page, '.count', '100 titles');
      await shows(page, '.rows', nameOf(800));
    });
    await timed('a label and a tenant', async () => {
      await filter(page, 'tenant', 't3');
      await page.waitForFunction(() => /^1[45] titles$/.test(document.querySelector('.count').textContent));
    });
    await filter(page, 'label', '');
    await filter(page, 'tenant', '');
    await timed('a state that none has', async () => {
      await page.evaluate(() => [...document.querySelectorAll('.choice')].find((b) => b.textContent === 'failed').click());
      await shows(page, '.empty', 'There is no title here');
      await page.evaluate(() => [...document.querySelectorAll('.choice')].find((b) => b.textContent === 'all').click());
      await shows(page, '.rows', nameOf(CROWD));
    });
  },
  'scrolling leads to the oldest, by the keyboard too': () => timed('to the oldest', async () => {
    await page.focus('.rows a');
    for (let i = 0; i < 60 && !(await text(page, '.rows')).includes(nameOf(1)); i++) {
      await page.keyboard.press('End');
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    await shows(page, '.rows', nameOf(1));
    await page.waitForFunction(() => document.activeElement.closest('.row') !== null);
    await shows(page, '.count', '10,000 titles');
  }),
  'and back through all of them, with rows on every screen': () => timed(`${SCREENS} screens`, () => scrolls(page)),
  'few of them are ever in the page, which never stops answering': async () => {
    const { rows, longest } = await page.evaluate(() => (
      { rows: document.querySelectorAll('.rows .row').length, longest: window.longest }));
    expect(rows > 0 && rows < 100, `${rows} rows are in the page`);
    expect(longest < BLOCKED_MS, `a script ran for ${longest} ms`);
    console.log(`# the longest script took ${Math.round(longest)} ms, ${rows} rows`);
  },
  ...noComplaint(troubles),
});
