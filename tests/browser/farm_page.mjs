// SPDX-License-Identifier: GPL-2.0-or-later
// What the farm_*.mjs share: the API, and the scheduler's page in a browser. What a test is given
// are the program's arguments, NAME=VALUE each: see tests/browser/farm.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { expect, open } from './page.mjs';

export const given = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split(/=(.*)/s)));
export const TITLE = 'bunny';
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const read = (file) => fs.readFileSync(file, 'utf8').trim();

// Of a role, or of one of a tenant: viewer-of-news. farm is the operator's own.
export const tokenOf = (role) => read(`${given.tokens}/${role}.token`);

export async function api(base, token, method, path, body) {
  const answer = await fetch(base + path, {
    method, headers: { Authorization: `Bearer ${token}` }, body: body && JSON.stringify(body),
  });
  expect(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

// The farm's, as its operator.
export const farm = (method, path, body) => api(given.url, tokenOf('farm'), method, path, body);

// Asks `look` until it answers something; what that is. As long as a busy machine may take.
export async function until(what, look) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) {
      return found;
    }
    await new Promise((done) => { setTimeout(done, 200); });
  }
  throw new Error(`${what} did not come about`);
}

// What the browser itself says of a wrong token.
const expected = /\b401 .*|401 for .*\/v1\/caller$/;

// The last of each list of things.
export const noComplaint = (troubles, also = /^$/) => ({
  'nothing is complained of': async () => {
    const real = troubles.filter((trouble) => !expected.test(trouble) && !also.test(trouble));
    expect(real.length === 0, real.join('; '));
  },
});

export async function visit(browser) {
  const { page, troubles } = await open(browser);
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.setViewport({ width: 1280, height: 800 });
  return { page, troubles };
}

export async function signIn(page, base, token) {
  await page.goto(base);
  await page.waitForSelector('#token');
  await page.type('#token', token);
  await page.keyboard.press('Enter');
}

export const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
export const shows = (page, selector, words) => page.waitForFunction(
  (where, what) => document.querySelector(where)?.textContent.includes(what), {}, selector, words,
).catch(async (error) => {
  error.message = `${selector} does not say '${words}' but '${await text(page, selector).catch(() => 'nothing')}'`;
  throw error;
});

// For what a busy machine may take longer to than any other thing.
export async function patiently(wait) {
  for (let tries = 1; tries < 5; tries++) {
    if (await wait().then(() => true, () => false)) {
      return;
    }
  }
  await wait();
}

export async function go(page, way) {
  await page.evaluate((hash) => { location.hash = hash; }, `#/${way}`);
  await page.waitForFunction((hash) => location.hash === hash && document.querySelector('.view')?.hasChildNodes(), {}, `#/${way}`);
}

// How many cells look so.
export const cells = (page, look) => page.evaluate((name) => Number(
  document.querySelector(`.legend [data-look=${name}]`)?.dataset.count ?? 0,
), look);

// What axe-core has against the page, or what is in `within`, by light and by dark.
export async function audit(page, name, within = 'html', schemes = ['light', 'dark']) {
  for (const scheme of schemes) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.evaluate(axe);
    const violations = await page.evaluate((place) => window.axe.run(place, { resultTypes: ['violations'] })
      .then((result) => result.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)), within);
    expect(violations.length === 0, `${name}, ${scheme}: ${violations.join('; ')}`);
  }
}

const sizes = [[360, 740], [3840, 2160], [1280, 800]]; // the last is that of all other tests
const LONGEST = 60; // ems of a line that is read
const WALL = 2200; // what is wider is read from afar
const WALL_FONT = 18;

// Nothing sticks out of a telephone's screen nor of a wall's, and lines can be read there.
export async function fits(page, name) {
  for (const [width, height] of sizes) {
    await page.setViewport({ width, height });
    const { over, long, font, share } = await page.evaluate((most) => ({
      font: parseFloat(getComputedStyle(document.documentElement).fontSize),
      share: document.querySelector('main').getBoundingClientRect().width / window.innerWidth,
      over: document.documentElement.scrollWidth - window.innerWidth,
      long: [...document.querySelectorAll('main :is(p, .why li, .reason)')].filter((element) => {
        const { fontSize } = getComputedStyle(element);
        const lines = document.createRange();
        lines.selectNodeContents(element);
        return lines.getBoundingClientRect().width > most * parseFloat(fontSize);
      }).map(({ textContent }) => textContent),
    }), LONGEST);
    expect(over <= 0, `${name} is ${over} pixels wider than ${width}`);
    expect(width < WALL || (font >= WALL_FONT && share > 0.6), `${name} has words of ${font} pixels on ${share} of a wall`);
    expect(long.length === 0, `${name} has lines that are too long at ${width}: ${long[0]}`);
    if (width === Math.min(...sizes.map(([across]) => across))) {
      await audit(page, `${name} at ${width}`, 'html', ['light']);
    }
  }
}

// What `change` makes of the answers to GET `path`, for as long as `run` takes.
export async function answering(page, path, change, run) {
  await page.evaluate((wanted, body) => {
    window.plainFetch = window.fetch;
    window.fetch = async (where, options) => {
      const answer = await window.plainFetch(where, options);
      const isIt = where === wanted && (options.method ?? 'GET') === 'GET' && answer.ok;
      return isIt ? Response.json(Object.assign(await answer.json(), JSON.parse(body))) : answer;
    };
  }, path, JSON.stringify(change));
  try {
    await run();
  } finally {
    await page.evaluate(() => { window.fetch = window.plainFetch; });
  }
}
