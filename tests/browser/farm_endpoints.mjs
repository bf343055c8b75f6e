// SPDX-License-Identifier: GPL-2.0-or-later
// Endpoints on the page: an edge that is well, one that is dead until this test lets it live, one
// whose window is shut, one that is filled on demand, and a webhook; and what a title says of them.
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import {
  TITLE, answering, audit, farm, fits, given, go, patiently, shows, until,
} from './farm_page.mjs';
import { expect } from './page.mjs';

const ROW_FAILS = 5; // in a row, after which a breaker opens
const card = (name) => `[data-endpoint=${name}]`;
const says = (page, name, part, words) => shows(page, `${card(name)} ${part}`, words);
const fact = (name, what) => `${card(name)} [data-fact=${what}]`;
const endpoint = async (name) => (await farm('GET', 'v1/endpoints')).endpoints.find((one) => one.name === name);
const publication = async (name) => (await farm('GET', `v1/titles/${TITLE}`)).publications.find((one) => one.endpoint === name);

// What listens where the dead edge is to be: it hangs, refuses all, or brings it to another edge.
class Road {
  constructor() {
    this.way = 'hangs';
    this.sockets = new Set();
    this.server = net.createServer((socket) => this.take(socket));
  }

  open() {
    return new Promise((resolve) => { this.server.listen(Number(given.dead), '127.0.0.1', resolve); });
  }

  take(socket) {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (this.way === 'refuses') {
      socket.destroy();
    } else if (this.way === 'lives') {
      const other = net.connect(Number(given.small), '127.0.0.1');
      other.on('error', () => socket.destroy());
      socket.on('close', () => other.destroy());
      socket.pipe(other).pipe(socket);
    }
  }

  refuse() {
    this.way = 'refuses';
    this.sockets.forEach((socket) => socket.destroy());
  }

  close() {
    this.refuse();
    this.server.close();
  }
}

async function showsEach(page) {
  await until('the push', async () => (await publication('near')).state === 'held');
  await farm('POST', 'v1/endpoints/dead/reset'); // a minute without success would open it by now
  await go(page, 'endpoints');
  await says(page, 'near', '.badge', 'well');
  const { bytes } = await endpoint('near');
  expect(bytes > 100000, `${bytes} bytes were brought`);
  await page.waitForFunction((at) => /^\d+ ms$/.test(document.querySelector(at).textContent), {}, fact('near', 'latency'));
  await shows(page, fact('near', 'brought'), ' MB');
  for (const [name, backlog] of Object.entries({ near: 0, dead: 1, night: 1, shelf: 0 })) {
    await page.waitForFunction((at, count) => document.querySelector(at).textContent === count, {}, fact(name, 'backlog'), String(backlog));
  }
  await says(page, 'night', '.window', 'Its window is shut until');
  await page.waitForFunction( // by the hour at which the test began
    (at) => / for \d+ (h|min)/.test(document.querySelector(at).textContent), {}, `${card('night')} .window`);
  expect(await page.$eval(`${card('near')} .window`, ({ hidden }) => hidden), 'an edge without a window has one');
  await shows(page, fact('shelf', 'fill'), 'on-demand');
  await says(page, 'dead', '.badge', 'failing');
  await says(page, 'dead', '.problem', 'connect');
  await says(page, 'dead', '.next', 'Nothing has succeeded for');
  await shows(page, '.count', '4 of 8 are well');
}

// What this farm has none of: one that is not rid of titles, one that the file has no more, a webhook
// that is gone and one to which all was told; each with words that are too long for a telephone.
async function showsOthers(page) {
  const { endpoints: all } = await farm('GET', 'v1/endpoints');
  const like = (name, change) => ({ ...all.find((one) => one.name === name), ...change });
  const hook = (change) => like('hook', { webhook: { ...like('hook').webhook, ...change } });
  const long = `http://${'a-very-long-name'.repeat(12)}/`;
  await answering(page, '/v1/endpoints', {
    endpoints: [
      like('near', { leaving: ['one', 'two'], url: long }), like('shelf', { listed: false, fill: long }),
      { ...hook({ dead: 0 }), state: 'closed', error: '' }, { ...hook({ gone_at: 1000 }), name: 'far' },
    ],
  }, async () => {
    await go(page, 'endpoints');
    await says(page, 'near', '.leaving', 'Still to be taken from there: one, two');
    expect(await page.$eval(`${card('hook')} .leaving`, ({ hidden }) => hidden), 'what is rid of all has a line of it');
    await says(page, 'shelf', '.badge', 'unlisted');
    await says(page, 'shelf', '.problem', 'has it no more');
    await says(page, 'far', '.badge', 'gone');
    await says(page, 'far', '.problem', 'It wants nothing more since');
    for (const [name, button] of [['shelf', 'reset'], ['hook', 'replay'], ['far', 'replay']]) {
      expect(await page.$eval(`${card(name)} .${button}`, ({ hidden }) => hidden), `${name} has a button to ${button}`);
    }
    await shows(page, '.count', '2 of 4 are well');
    await fits(page, 'endpoints with long words');
  });
}

// By the keyboard, and by who says so twice; another that the file has no more stays.
async function forgets(page) {
  const names = async () => (await farm('GET', 'v1/endpoints')).endpoints.map(({ name }) => name);
  const asks = async () => {
    await page.focus('[aria-label="Forget former"]');
    await page.keyboard.press('Enter');
    await shows(page, 'dialog', 'What lies there stays');
  };
  await go(page, 'endpoints');
  await says(page, 'former', '.badge', 'unlisted');
  expect(await page.$eval(`${card('near')} .forget`, ({ hidden }) => hidden), 'what the file has can be forgotten');
  await asks();
  await audit(page, 'the dialog of Forget', 'dialog');
  await page.keyboard.press('Enter'); // which leaves it
  await page.waitForFunction(() => !document.querySelector('dialog'));
  expect((await names()).includes('former'), 'it was forgotten though nobody said so');
  await asks();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await shows(page, '#said', 'former is forgotten, with what was known of 0 titles there');
  await page.waitForFunction((at) => !document.querySelector(at), {}, card('former'));
  expect((await names()).join() === 'dead,former-too,hook,near,night,shelf,swept', `there are ${await names()}`);
  expect(await page.evaluate(() => document.activeElement.id === 'main'), 'the focus went with it');
}

// The same title is asked to go there once more, as often as it takes.
async function breaksOff(page) {
  for (let tries = 0; tries < 4 * ROW_FAILS && (await endpoint('dead')).state !== 'open'; tries++) {
    const { pushes_failed: before } = await endpoint('dead');
    await farm('POST', `v1/titles/${TITLE}/publish`, { endpoint: 'dead' });
    await until('a failure', async () => (await endpoint('dead')).pushes_failed > before);
  }
  await says(page, 'dead', '.badge', 'broken off');
  await says(page, 'dead', '.next', 'tried again in');
  await shows(page, fact('dead', 'running'), '–');
}

const run = (...words) => spawnSync(given.reelfarm, [...words, TITLE, '--token-file', `${given.tokens}/farm.token`], { encoding: 'utf8' }).stdout;
const iso = (at) => new Date(at).toISOString();
// As the page has it, but for the day.
const time = (at) => new Date(at).toLocaleString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

// What is said of a title that waits, by page, status and why, with the times of the API.
const tellings = {
  window: (name, { waits }) => ({
    page: ['Its window is shut until ', time(waits.until), / for \d+ (h|min) \d+ (min|s) more\.$/],
    status: [`at ${name}: waiting; its window is shut until ${iso(waits.until)}\n`],
    why: [`${name} is to have it: it waits for the time of the day at which that may be filled, in `],
  }),
  breaker: (name, { waits }) => ({
    page: [/^That endpoint is broken off since /, `${time(waits.since)}, and tried again in `, /: .*connect/],
    status: [`at ${name}: waiting; it failed so: `,
      `; that endpoint is broken off since ${iso(waits.since)}, and tried again after ${iso(waits.until)}\n`],
    why: [`${name} is to have it: the endpoint has been broken off for `, ', and is tried again in ', 'It failed with this title '],
  }),
};

// As soon as all do: what they say is of one moment after another.
async function tellsWait(page, name, kind) {
  let wrong = 'nothing';
  await go(page, `titles/${TITLE}`);
  await until(`that a title waits at ${name}, by ${kind},`, async () => {
    const told = await publication(name);
    if (told.waits?.for !== kind || told.waits.until === null) {
      wrong = `the API says ${JSON.stringify(told.waits)}`;
      return false;
    }
    const heard = {
      page: await page.evaluate((where) => [...document.querySelectorAll('.edges li')]
        .find((row) => row.querySelector('strong').textContent === where)?.querySelector('.about').textContent ?? '', name),
      status: run('status'),
      why: run('why'),
    };
    const lacking = Object.entries(tellings[kind](name, told)).flatMap(([by, parts]) => parts
      .filter((part) => (part instanceof RegExp ? !part.test(heard[by]) : !heard[by].includes(part)))
      .map((part) => `${by} lacks '${part}': ${heard[by]}`));
    wrong = lacking.join('; ');
    return lacking.length === 0;
  }).catch((error) => {
    error.message += `: ${wrong}`;
    throw error;
  });
}

async function tellsWaits(page) {
  await tellsWait(page, 'night', 'window');
  await tellsWait(page, 'dead', 'breaker');
  expect(await page.$('[aria-label="Try now at dead"]:not([hidden])') === null, 'what is broken off can be tried now by one title');
}

async function auditsBroken(page, road) {
  await go(page, 'endpoints');
  await road.open();
  await audit(page, 'endpoints');
  await fits(page, 'endpoints');
}

async function comesBack(page, road) {
  try {
    await patiently(() => says(page, 'dead', '.badge', 'on trial'));
    await shows(page, fact('dead', 'running'), '1 of 1');
    road.refuse();
    await says(page, 'dead', '.badge', 'broken off');
    road.way = 'lives';
    await page.click(`${card('dead')} .reset`);
    await shows(page, '#said', 'dead is tried again');
    await says(page, 'dead', '.badge', 'well');
    await page.waitForFunction((at) => document.querySelector(at).textContent === '0', {}, fact('dead', 'backlog'));
    await until('what waited', async () => (await publication('dead')).state === 'held');
    expect(await page.$eval(`${card('dead')} .reset`, ({ hidden }) => hidden), 'one that is well can be tried');
  } finally {
    road.close();
  }
}

const badgeOf = (page, name, state) => page.waitForFunction((where, how) => [...document.querySelectorAll('.edges li')]
  .some((row) => row.querySelector('strong').textContent === where && row.querySelector('.badge').textContent === how), {}, name, state);
const press = (page, label) => page.evaluate((name) => document.querySelector(`[aria-label="${name}"]`).click(), label);

async function publishes(page) {
  await go(page, `titles/${TITLE}`);
  await badgeOf(page, 'near', 'held');
  await badgeOf(page, 'night', 'waiting');
  await badgeOf(page, 'shelf', 'not there');
  const names = await page.$$eval('.edges strong', (all) => all.map(({ textContent }) => textContent));
  expect(!names.includes('hook'), `titles go to ${names}`);
  await page.waitForSelector('[aria-label="Publish again at near"]:not([hidden])');
  expect(await page.$('[aria-label="Try now at night"]:not([hidden])') === null, 'what waits for its time can be tried now');
  await press(page, 'Publish at shelf');
  await badgeOf(page, 'shelf', 'held');
  const { version } = await farm('GET', `v1/titles/${TITLE}`);
  expect((await publication('shelf')).held === version, 'it holds another version');
}

async function withdraws(page) {
  await press(page, 'Withdraw from shelf');
  await shows(page, 'dialog', 'finds it no more');
  await audit(page, 'the dialog of Withdraw', 'dialog');
  await page.click('dialog [value=no]');
  expect((await publication('shelf')).state === 'held', 'it was withdrawn though nobody said so');
  await press(page, 'Withdraw from shelf');
  await page.click('dialog [value=yes]');
  await badgeOf(page, 'shelf', 'gone');
  await until('the withdrawal', async () => (await publication('shelf')).state === 'gone');
  expect(await page.$('[aria-label="Withdraw from shelf"]:not([hidden])') === null, 'what is gone can be withdrawn');
}

// One that is dead and takes a single attempt: what it did not take is told, and replayed.
async function replaysTheDead(page) {
  await go(page, 'endpoints');
  await says(page, 'hook', '.badge', 'failing');
  await says(page, 'hook', '.problem', 'connect');
  await page.waitForFunction((at) => document.querySelector(at).textContent === '1', {}, fact('hook', 'dead'));
  const attempts = async () => (await endpoint('hook')).pushes_failed;
  const before = await attempts();
  await page.click(`${card('hook')} .replay`);
  await shows(page, '#said', 'hook is told of 1 event again');
  await until('the telling', async () => await attempts() > before);
}

// One that answers 410 is told of nothing more, until somebody says otherwise.
async function takesUpAgain(page) {
  let status = 410;
  const server = http.createServer((request, answer) => answer.writeHead(status).end());
  await new Promise((resolve) => { server.listen(Number(given.hook), '127.0.0.1', resolve); });
  try {
    await until('the end of what was told', async () => (await endpoint('hook')).webhook.dead === 1);
    await farm('POST', 'v1/endpoints/hook/reset'); // a minute without success would have opened it
    await page.waitForFunction((at) => !document.querySelector(at).hidden, {}, `${card('hook')} .replay`);
    await page.click(`${card('hook')} .replay`);
    await says(page, 'hook', '.badge', 'gone');
    await says(page, 'hook', '.problem', 'It wants nothing more since');
    await says(page, 'hook', '.reset', 'Take up again');
    expect(await page.$eval(`${card('hook')} .replay`, ({ hidden }) => hidden), 'what is gone can be told again');
    status = 204;
    await page.click('[aria-label="Take hook up again"]');
    await shows(page, '#said', 'hook is tried again');
    await until('its return', async () => (await endpoint('hook')).webhook.gone_at === null);
  } finally {
    server.close();
  }
}

export const endpoints = (page, road = new Road()) => ({
  'endpoints tell how each is: well, dead, shut at this time, filled on demand': () => showsEach(page),
  'and those that are none of these': () => showsOthers(page),
  'one that the file has no more is forgotten by who says so twice': () => forgets(page),
  'a breaker that opens is told of': () => breaksOff(page),
  'a title says for what it waits at each, since when and until when; so do status and why': () => tellsWaits(page),
  'axe-core has nothing against the page of one that is broken off': () => auditsBroken(page, road),
  'an endpoint on trial says so; tried by hand when it lives, it is well and has what waited': () => comesBack(page, road),
  'a webhook that is dead says so, and its events are replayed': () => replaysTheDead(page),
  'a webhook that is gone is taken up again, and nothing else is offered': () => takesUpAgain(page),
  'a title says how far it is at each, and is published where it was not': () => publishes(page),
  'and is withdrawn by who says so twice': () => withdraws(page),
});
