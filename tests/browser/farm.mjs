// SPDX-License-Identifier: GPL-2.0-or-later
// The scheduler's page over a real farm, in Chromium; one TAP line for each thing that must be so.
//   node farm.mjs CHROMIUM URL TOKEN_FILE VIEWER_FILE CLIP OUT CROWD_URL CROWD_TOKEN_FILE LINK_FILE REELFARM EDGE
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import {
  checkAll, exit, expect, launch, open, ratio,
} from './page.mjs';

const [chromium, url, tokenFile, viewerFile, clip, out, crowdUrl, crowdFile, linkFile, reelfarm, edge] = process.argv.slice(2);
const read = (file) => fs.readFileSync(file, 'utf8').trim();
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TITLE = 'bunny';
const CROWD = 10000;
const BATCH = 200;
const BLOCKED_MS = 1000; // no script may keep the page from answering so long, on a busy machine too

async function api(base, token, method, path, body) {
  const answer = await fetch(base + path, {
    method, headers: { Authorization: `Bearer ${token}` }, body: body && JSON.stringify(body),
  });
  expect(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

// What the browser itself says of a scheduler without endpoints, and of a wrong token.
const expected = /\b(401|404) .*|404 for .*\/v1\/endpoints$|401 for .*\/v1\/caller$/;

async function visit(browser) {
  const { page, troubles } = await open(browser);
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.setViewport({ width: 1280, height: 800 });
  return { page, troubles };
}

async function signIn(page, base, token) {
  await page.goto(base);
  await page.waitForSelector('#token');
  await page.type('#token', token);
  await page.keyboard.press('Enter');
}

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const shows = (page, selector, words) => page.waitForFunction(
  (where, what) => document.querySelector(where)?.textContent.includes(what), {}, selector, words,
).catch(async (error) => {
  error.message = `${selector} does not say '${words}' but '${await text(page, selector).catch(() => 'nothing')}'`;
  throw error;
});

// For what a busy machine may take longer to than any other thing.
async function patiently(wait) {
  for (let tries = 1; tries < 5; tries++) {
    if (await wait().then(() => true, () => false)) {
      return;
    }
  }
  await wait();
}

async function go(page, way) {
  await page.evaluate((hash) => { location.hash = hash; }, `#/${way}`);
  await page.waitForFunction((hash) => location.hash === hash && document.querySelector('.view')?.hasChildNodes(), {}, `#/${way}`);
}

// How many cells look so.
const cells = (page, look) => page.evaluate((name) => Number(
  document.querySelector(`.legend [data-look=${name}]`)?.dataset.count ?? 0,
), look);

async function audit(page, name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.evaluate(axe);
    const violations = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] })
      .then((result) => result.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)));
    expect(violations.length === 0, `${name}, ${scheme}: ${violations.join('; ')}`);
  }
}

// Nothing sticks out of the narrowest screen.
async function fits(page, name) {
  await page.setViewport({ width: 360, height: 740 });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await page.setViewport({ width: 1280, height: 800 });
  expect(over <= 0, `${name} is ${over} pixels wider than 360`);
}

const views = {
  titles: '.rows .row', workers: '.worker', endpoints: '.endpoint .replay', submit: '.submit-form', [`titles/${TITLE}`]: '.legend [data-look=done]',
  [`titles/${TITLE}/timeline`]: '.gantt canvas', [`titles/${TITLE}/bitrate`]: '.bitrates', [`titles/${TITLE}/play`]: 'video',
  [`titles/${TITLE}/events`]: '.events li', [`titles/${TITLE}/versions`]: '.card',
};

// One that is dead and takes a single attempt: what it did not take is told, and replayed.
async function replaysTheDead(page) {
  await go(page, 'endpoints');
  await shows(page, '.endpoint .badge', 'failing');
  await shows(page, '.endpoint .problem', 'connect');
  await shows(page, '.endpoint .next', 'Nothing has succeeded for');
  await page.waitForFunction(() => document.querySelector('[data-fact=dead]').textContent === '1');
  const attempts = async () => (await api(url, read(tokenFile), 'GET', 'v1/endpoints')).endpoints[0].pushes_failed;
  const before = await attempts();
  await page.click('.endpoint .replay');
  await shows(page, '#said', 'hook is told of 1 event again');
  for (let tries = 0; tries < 100 && await attempts() === before; tries++) {
    await new Promise((done) => { setTimeout(done, 200); });
  }
  expect(await attempts() > before, 'it was not told');
}

// Nothing goes that was not shown, nor before it is said; and all of it by the keyboard.
async function sweepsByKeyboard(page) {
  const lost = `${edge}/${TITLE}/video/h264-999p-0123456789`;
  const ghost = `${edge}/ghost/0123456789abcdef`;
  for (const [folder, ...files] of [[lost, 'init.mp4', '00001.m4s'], [ghost, 'x.m3u8']]) {
    fs.mkdirSync(folder, { recursive: true });
    files.forEach((file) => fs.writeFileSync(`${folder}/${file}`, 'in vain'));
  }
  spawnSync('chmod', ['-R', 'a+rwX', edge]);
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

async function drainByKeyboard(page) {
  await go(page, 'workers');
  await page.waitForSelector('.worker .drain');
  await page.focus('.skip');
  for (let i = 0; i < 20 && !await page.evaluate(() => document.activeElement.matches('.drain')); i++) {
    await page.keyboard.press('Tab');
  }
  const drains = async () => (await api(url, read(tokenFile), 'GET', 'v1/workers')).workers[0].drain;
  await page.keyboard.press('Enter');
  await shows(page, '.worker .badge', 'draining');
  expect(await drains(), 'the scheduler has not heard of it');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.worker .badge').textContent !== 'draining');
  expect(!await drains(), 'the scheduler has not heard of its end');
}

// What `change` makes of the answers to GET `path`, for as long as `run` takes.
async function answering(page, path, change, run) {
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

// A worker that tells of events, looks at a source and encodes, and has a task waiting besides.
async function showsTasks(page) {
  const { workers: [worker] } = await api(url, read(tokenFile), 'GET', 'v1/workers');
  const tasks = [['', 'push'], ['', 'probe'], [TITLE, 'video']].map(([title, kind], i) => ({
    fence: 1 + i, title, kind, running_ms: 1000, done: 1, total: 2,
  }));
  await answering(page, '/v1/workers', { workers: [{ ...worker, busy: 2, tasks }] }, async () => {
    await go(page, 'workers');
    await page.waitForFunction((count) => document.querySelectorAll('.worker .tasks li').length === count, {}, tasks.length);
    const links = await page.$$eval('.worker .tasks a', (all) => all.map((link) => link.getAttribute('href')));
    expect(links.join() === `#/titles/${TITLE}`, `links are ${links}`);
    await shows(page, '.worker .slots', '2 of 2 slots');
    await shows(page, '.count', '2 of 2 slots busy');
  });
  await page.waitForFunction(() => document.querySelectorAll('.worker .tasks li').length === 0);
}

const fact = (page, name) => text(page, `.part [data-fact=${name}] dd`);

async function playBy(page, key, name) {
  await go(page, `titles/${TITLE}/play`);
  await page.waitForSelector(`[data-player=${key}]`);
  await page.click(`[data-player=${key}]`);
  await shows(page, '.part [data-fact=player] dd', name);
  await page.waitForSelector('.part [data-rung]');
  await page.evaluate(() => [...document.querySelectorAll('.part [data-rung]')].at(-1).click());
  await page.waitForFunction(() => document.getElementById('video')?.readyState >= 2);
  await page.evaluate(() => document.getElementById('video').play());
  await page.waitForFunction(() => document.getElementById('video').videoHeight === 180);
  await page.waitForFunction(() => document.getElementById('video').currentTime > 0.5);
  await shows(page, '.part [data-fact=rung] dd', '180p');
  await shows(page, '.part [data-fact=buffered] dd', ' s');
  if (key !== 'dashjs') { // which says nothing of what lay in the browser's cache
    await shows(page, '.part [data-fact=network] dd', 'b/s');
  }
  await shows(page, '.part [data-fact=dropped] dd', ' of ');
  await page.waitForFunction(() => /^\d+ of \d+$/.test(document.querySelector('.part [data-fact=frame] dd').textContent));
  console.log(`# ${await fact(page, 'player')}: ${await fact(page, 'rung')}, network ${await fact(page, 'network')}, dropped ${await fact(page, 'dropped')}`);
}

const admin = (page, troubles) => ({
  'refuses a wrong token': async () => {
    await signIn(page, url, 'wrong');
    await shows(page, '#problem', 'does not know this token');
  },
  'the sign-in is for everybody': () => audit(page, 'sign-in'),
  'lets a good one in, and keeps it out of the address': async () => {
    await signIn(page, url, read(tokenFile));
    await shows(page, '.empty', 'There is no title here');
    expect(!page.url().includes(read(tokenFile)), 'the token is in the address');
  },
  'shows a plan before it is sent': async () => {
    await go(page, 'submit');
    await page.waitForSelector('#submit-source');
    await page.type('#submit-source', clip);
    await page.type('#submit-output', out);
    expect((await page.$eval('#submit-title', ({ value }) => value)).startsWith('big-buck-bunny'), 'no name is suggested');
    await page.$eval('#submit-title', (input) => { input.value = ''; });
    await page.type('#submit-title', TITLE);
    await page.select('#submit-ladder', 'fast');
    await page.click('summary');
    await page.type('#submit-labels', 'kind=film');
    await page.click('button[value=plan]');
    await shows(page, '.plan', 'pieces would be made');
    const source = JSON.parse(spawnSync(reelfarm, ['probe', clip, '--json'], { encoding: 'utf8' }).stdout);
    const said = await text(page, '.plan');
    const { frames, rate } = source.timeline;
    for (const words of [source.container, `${frames} frames`, `${source.video.codec} ${source.video.coded_width}×${source.video.coded_height}`, `${ratio(rate)} fps`, source.audio[0].codec, 'h264-360p', 'audio-und-aac-2', 'of one core']) {
      expect(said.includes(words), `'${words}' is not in '${said}'`);
    }
    expect((await api(url, read(tokenFile), 'GET', 'v1/titles')).titles.length === 0, 'it was submitted');
  },
  'a plan is of what the form says, and of a source that is known': async () => {
    const calls = [];
    const note = (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`);
    page.on('request', note);
    await page.click('button[value=plan]');
    await shows(page, '.plan', 'pieces would be made');
    page.off('request', note);
    expect(calls.includes('POST /v1/plans') && !calls.includes('POST /v1/probes'), `it asks ${calls}`);
    await page.select('#submit-ladder', 'av1');
    expect(await text(page, '.plan') === '', 'it shows the plan of another ladder');
    expect(await page.$eval('[name=early]', ({ disabled }) => disabled), 'AV1 alone is offered to be watched early');
    await page.select('#submit-ladder', 'fast');
    expect(await page.$eval('[name=early]', ({ disabled }) => !disabled), 'H.264 is not offered to be watched early');
  },
  'says what is wrong with a source before it is sent': async () => {
    await page.$eval('#submit-source', (input) => { input.value = '/nowhere/film.mov'; input.dispatchEvent(new Event('input', { bubbles: true })); });
    expect(await text(page, '.plan') === '', 'it shows the plan of another source');
    await page.click('button[value=plan]');
    await shows(page, '.submit-form .problem', '/nowhere/film.mov');
    await page.$eval('#submit-source', (input, value) => { input.value = value; }, clip);
  },
  'a title that was submitted runs before the eyes': async () => {
    await page.click('[name=early]');
    await page.click('button[value=send]');
    await page.waitForFunction(() => Number(document.querySelector('.legend [data-look=running]')?.dataset.count) > 0);
    await shows(page, '.title-head .badge', 'running');
  },
  'and is done, all cells of it': async () => {
    await patiently(() => shows(page, '.title-head .badge', 'done'));
    await page.waitForFunction(() => document.querySelector('.legend [data-look=waiting]').dataset.count === '0'
      && document.querySelector('.legend [data-look=running]').dataset.count === '0');
    const { units } = await api(url, read(tokenFile), 'GET', `v1/titles/${TITLE}/units?reports=false`);
    const made = units.filter(({ rendition }) => rendition !== '').length;
    expect(await cells(page, 'done') === made, `${await cells(page, 'done')} cells are done, of ${made}`);
  },
  'its timeline has each task': async () => {
    await go(page, `titles/${TITLE}/timeline`);
    const { events } = await api(url, read(tokenFile), 'GET', `v1/events?title=${TITLE}`);
    const tasks = new Set(events.map(({ detail }) => detail?.fence).filter(Boolean)).size;
    await page.waitForFunction((count) => document.querySelector('tbody tr')?.cells[1].textContent === String(count), {}, tasks);
  },
  'its bitrates are those of its segments': async () => {
    await go(page, `titles/${TITLE}/bitrate`);
    const { units } = await api(url, read(tokenFile), 'GET', `v1/titles/${TITLE}/units?limit=500`);
    const bytes = units.filter(({ rendition, report }) => report && rendition === 'h264-360p')
      .flatMap(({ report }) => report.segments).reduce((sum, segment) => sum + segment.bytes, 0);
    const wanted = `${(bytes / 1e6).toFixed(1).replace(/\.0$/, '')} MB`;
    await page.waitForFunction((size) => [...document.querySelectorAll('tbody tr')]
      .some(({ cells: own }) => own[0].textContent === 'h264-360p' && own[4].textContent === size), {}, wanted);
  },
  'it could be watched before it was done': async () => {
    const { early } = await api(url, read(tokenFile), 'GET', `v1/titles/${TITLE}`);
    expect(early?.seconds > 0, `early is ${JSON.stringify(early)}`);
  },
  ...Object.fromEntries(Object.entries({ hlsjs: 'hls.js ', shaka: 'shaka-player ', dashjs: 'dash.js ' }).map(([key, name]) => [
    `${name}plays it, the rung that is picked, and tells how`, () => playBy(page, key, name)])),
  'the player that was chosen is chosen the next time, and another goes on where it was': async () => {
    await go(page, `titles/${TITLE}`);
    await go(page, `titles/${TITLE}/play`);
    await page.waitForSelector('[data-player=dashjs][aria-pressed=true]');
    const at = 12;
    await page.waitForFunction(() => document.getElementById('video')?.readyState >= 2);
    await page.evaluate((to) => { document.getElementById('video').currentTime = to; }, at);
    await page.click('[data-player=hlsjs]');
    await shows(page, '.part [data-fact=player] dd', 'hls.js ');
    await page.waitForFunction((to) => Math.abs(document.getElementById('video').currentTime - to) < 1, {}, at);
  },
  'the list finds it by name, label and state, and nothing else': async () => {
    await go(page, 'titles');
    await shows(page, '.rows', TITLE);
    await page.type('#search', 'no-such');
    await shows(page, '.empty', 'There is no title here');
    await page.$eval('#search', (input) => { input.value = ''; input.dispatchEvent(new Event('input')); });
    await page.type('#filter-label', 'kind=film');
    await page.keyboard.press('Enter');
    await shows(page, '.rows', TITLE);
    await page.evaluate(() => [...document.querySelectorAll('.choice')].find((b) => b.textContent === 'failed').click());
    await shows(page, '.empty', 'There is no title here');
    expect(/state=failed/.test(page.url()) && /label=kind%3Dfilm/.test(page.url()), page.url());
  },
  'tasks of no title link to none, and busy are slots and not tasks': () => showsTasks(page),
  'a webhook that is dead says so, and its events are replayed': () => replaysTheDead(page),
  'an edge is swept by the keyboard, of what was shown and no more': () => sweepsByKeyboard(page),
  'a worker is drained and undrained by the keyboard': () => drainByKeyboard(page),
  ...Object.fromEntries(Object.entries(views).map(([way, sign]) => [`axe-core has nothing against ${way}`, async () => {
    await go(page, way);
    await page.waitForSelector(sign);
    await audit(page, way);
    await fits(page, way);
  }])),
  'nothing is complained of': async () => {
    const real = troubles.filter((trouble) => !expected.test(trouble));
    expect(real.length === 0, real.join('; '));
  },
});

const viewer = (page, troubles) => ({
  'is offered nothing that it may not do': async () => {
    await signIn(page, url, read(viewerFile));
    await shows(page, '.rows', TITLE);
    expect(!(await text(page, '#views')).includes('Submit'), 'it is offered to submit');
    await go(page, `titles/${TITLE}`);
    await page.waitForSelector('.legend [data-look=done]');
    expect(await page.$('.title-head button') === null, 'it is offered to change a title');
    await go(page, 'workers');
    await page.waitForSelector('.worker');
    expect(await page.$('.drain') === null, 'it is offered to drain');
    await go(page, 'endpoints');
    await page.waitForSelector('.endpoint');
    expect(await page.$('.endpoint button') === null, 'it is offered to change an endpoint');
    await go(page, 'submit');
    await page.waitForSelector('#submit-source');
    await page.type('#submit-source', clip);
    await page.type('#submit-title', 'other');
    await page.type('#submit-output', out);
    await page.click('button[value=send]');
    await shows(page, '.submit-form .problem', 'The token is a viewer');
  },
  'nothing is complained of': async () => {
    const real = troubles.filter((trouble) => !expected.test(trouble) && !/\b403\b/.test(trouble));
    expect(real.length === 0, real.join('; '));
  },
});

const link = (page, troubles) => ({
  'signs in who opens it first, and is in no address then': async () => {
    await page.goto(read(linkFile));
    await shows(page, '.role', 'admin');
    expect(!page.url().includes('enter'), page.url());
    expect(await page.evaluate((first) => sessionStorage.getItem('reelfarm.token') !== first, read(linkFile).split('/').pop()), 'its token is kept');
  },
  'and nobody else': async () => {
    const other = await visit(page.browser());
    await other.page.goto(read(linkFile));
    await shows(other.page, '#problem', 'was opened before');
    await other.page.browserContext().close();
  },
  'nothing is complained of': async () => {
    const real = troubles.filter((trouble) => !expected.test(trouble));
    expect(real.length === 0, real.join('; '));
  },
});

async function crowdIn() {
  const token = read(crowdFile);
  const { ladders } = await api(crowdUrl, token, 'GET', 'v1/ladders');
  const fast = ladders.filter(({ name }) => name === 'fast');
  for (let first = 1; first <= CROWD; first += BATCH) {
    const titles = Array.from({ length: BATCH }, (_, i) => `title-${String(first + i).padStart(5, '0')}`);
    await api(crowdUrl, token, 'POST', 'v1/titles/batch', {
      ladders: fast,
      titles: titles.map((title) => ({
        title, source: `/nowhere/${title}.mov`, output: '/nowhere', ladder: 0, force: false, labels: ['kind=crowd'],
      })),
    });
  }
}

const crowd = (page, troubles) => ({
  [`${CROWD} titles are put in`]: crowdIn,
  'the newest are on screen': async () => {
    await page.evaluateOnNewDocument(() => {
      window.longest = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => {
        window.longest = Math.max(window.longest, duration);
      })).observe({ type: 'longtask', buffered: true });
    });
    await signIn(page, crowdUrl, read(crowdFile));
    await shows(page, '.rows', 'title-10000');
  },
  'scrolling leads to the oldest, by the keyboard too': async () => {
    await page.focus('.rows a');
    for (let i = 0; i < 60 && !(await text(page, '.rows')).includes('title-00001'); i++) {
      await page.keyboard.press('End');
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    await shows(page, '.rows', 'title-00001');
    await page.waitForFunction(() => document.activeElement.closest('.row') !== null);
    await shows(page, '.count', '10,000 titles');
  },
  'a search finds one of them': async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('title-00420');
    await page.waitForFunction(() => document.querySelectorAll('.rows .row').length === 1);
    await shows(page, '.rows', 'title-00420');
  },
  'few of them are ever in the page, which never stops answering': async () => {
    await page.$eval('#search', (input) => { input.value = ''; input.dispatchEvent(new Event('input')); });
    await page.waitForFunction(() => document.querySelectorAll('.rows .row').length > 1);
    const { rows, longest } = await page.evaluate(() => (
      { rows: document.querySelectorAll('.rows .row').length, longest: window.longest }));
    expect(rows < 100, `${rows} rows are in the page`);
    expect(longest < BLOCKED_MS, `a script ran for ${longest} ms`);
    console.log(`# the longest script took ${Math.round(longest)} ms, ${rows} rows`);
  },
  'nothing is complained of': async () => {
    const real = troubles.filter((trouble) => !expected.test(trouble));
    expect(real.length === 0, real.join('; '));
  },
});

const browser = await launch(chromium);
try {
  for (const [name, things] of Object.entries({ admin, viewer, link, crowd })) {
    const { page, troubles } = await visit(browser);
    await checkAll(name, things(page, troubles));
    await page.browserContext().close();
  }
} finally {
  await browser.close();
}
exit();
