// SPDX-License-Identifier: GPL-2.0-or-later
// The scheduler's page over a real farm, in Chromium; one TAP line for each thing that must be so.
// Run by tests/browser/farm, which says what it is given.
import { spawnSync } from 'node:child_process';
import {
  TITLE, answering, audit, cells, farm, fits, given, go, noComplaint, patiently, read, shows, signIn, text, tokenOf, visit,
} from './farm_page.mjs';
import { crowd, crowdIn } from './farm_crowd.mjs';
import { endpoints } from './farm_endpoints.mjs';
import {
  submitter, tenant, tenantViewer, viewer,
} from './farm_roles.mjs';
import { sweep } from './farm_sweep.mjs';
import { titles } from './farm_titles.mjs';
import {
  checkAll, exit, expect, launch, ratio,
} from './page.mjs';

const views = {
  titles: '.rows .row', workers: '.worker', submit: '.submit-form', [`titles/${TITLE}`]: '.legend [data-look=done]',
  [`titles/${TITLE}/timeline`]: '.gantt canvas', [`titles/${TITLE}/bitrate`]: '.bitrates', [`titles/${TITLE}/play`]: 'video',
  [`titles/${TITLE}/events`]: '.events li', [`titles/${TITLE}/versions`]: '.card',
};

async function drainByKeyboard(page) {
  await go(page, 'workers');
  await page.waitForSelector('.worker .drain');
  await page.focus('.skip');
  for (let i = 0; i < 20 && !await page.evaluate(() => document.activeElement.matches('.drain')); i++) {
    await page.keyboard.press('Tab');
  }
  const drains = async () => (await farm('GET', 'v1/workers')).workers[0].drain;
  await page.keyboard.press('Enter');
  await shows(page, '.worker .badge', 'draining');
  expect(await drains(), 'the scheduler has not heard of it');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.worker .badge').textContent !== 'draining');
  expect(!await drains(), 'the scheduler has not heard of its end');
}

// A worker that tells of events, looks at a source and encodes, and has a task waiting besides.
async function showsTasks(page) {
  const { workers: [worker] } = await farm('GET', 'v1/workers');
  const tasks = [['', 'push'], ['', 'probe'], [TITLE, 'video']].map(([title, kind], i) => ({
    fence: 1 + i, title, kind, running_ms: 1000, done: 1, total: 2,
  }));
  const told = { cores: 12, memory_bytes: 3.5 * 2 ** 30, seen_ms_ago: 5000 };
  await answering(page, '/v1/workers', { workers: [{ ...worker, ...told, busy: 2, tasks }] }, async () => {
    await go(page, 'workers');
    await shows(page, '.worker [data-fact=cores]', '12');
    await shows(page, '.worker [data-fact=memory]', '3.5 GiB');
    await shows(page, '.worker [data-fact="heard of"]', '5 s ago');
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
    await signIn(page, given.url, 'wrong');
    await shows(page, '#problem', 'does not know this token');
  },
  'the sign-in is for everybody': () => audit(page, 'sign-in'),
  'lets a good one in, and keeps it out of the address': async () => {
    await signIn(page, given.url, tokenOf('farm'));
    await shows(page, '.empty', 'There is no title here');
    expect(!page.url().includes(tokenOf('farm')), 'the token is in the address');
  },
  'shows a plan before it is sent': async () => {
    await go(page, 'submit');
    await page.waitForSelector('#submit-source');
    await page.type('#submit-source', given.clip);
    await page.type('#submit-output', given.out);
    expect((await page.$eval('#submit-title', ({ value }) => value)).startsWith('big-buck-bunny'), 'no name is suggested');
    await page.$eval('#submit-title', (input) => { input.value = ''; });
    await page.type('#submit-title', TITLE);
    await page.select('#submit-ladder', 'fast');
    await page.click('summary');
    await page.type('#submit-labels', 'kind=film');
    await page.click('button[value=plan]');
    await shows(page, '.plan', 'pieces would be made');
    const source = JSON.parse(spawnSync(given.reelfarm, ['probe', given.clip, '--json'], { encoding: 'utf8' }).stdout);
    const said = await text(page, '.plan');
    const { frames, rate } = source.timeline;
    for (const words of [source.container, `${frames} frames`, `${source.video.codec} ${source.video.coded_width}×${source.video.coded_height}`, `${ratio(rate)} fps`, source.audio[0].codec, 'h264-360p', 'audio-und-aac-2', 'of one core']) {
      expect(said.includes(words), `'${words}' is not in '${said}'`);
    }
    expect((await farm('GET', 'v1/titles')).titles.length === 0, 'it was submitted');
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
    await page.$eval('#submit-source', (input, value) => { input.value = value; }, given.clip);
  },
  'a title that was submitted runs before the eyes': async () => {
    await page.click('[name=early]');
    await page.click('button[value=send]');
    await page.waitForFunction(() => Number(document.querySelector('.legend [data-look=running]')?.dataset.count) > 0);
    await shows(page, '.title-head .badge', 'running');
  },
  'it plays on the page while it is made': async () => {
    const fetched = [];
    const note = (request) => fetched.push(new URL(request.url()).pathname);
    page.on('request', note);
    await go(page, `titles/${TITLE}/play`);
    await patiently(() => page.waitForFunction(() => document.getElementById('video')?.readyState >= 2));
    page.off('request', note);
    const { early } = await farm('GET', `v1/titles/${TITLE}`);
    const playlist = early.playlist.split('/').at(-1);
    expect(fetched.some((path) => path.endsWith(`/${playlist}`)), `${playlist} is not among ${fetched}`);
    await go(page, `titles/${TITLE}`);
  },
  'and is done, all cells of it': async () => {
    await patiently(() => shows(page, '.title-head .badge', 'done'));
    await page.waitForFunction(() => document.querySelector('.legend [data-look=waiting]').dataset.count === '0'
      && document.querySelector('.legend [data-look=running]').dataset.count === '0');
    const { units } = await farm('GET', `v1/titles/${TITLE}/units?reports=false`);
    const made = units.filter(({ rendition }) => rendition !== '').length;
    expect(await cells(page, 'done') === made, `${await cells(page, 'done')} cells are done, of ${made}`);
  },
  'its timeline has each task': async () => {
    await go(page, `titles/${TITLE}/timeline`);
    const { events } = await farm('GET', `v1/events?title=${TITLE}`);
    const tasks = new Set(events.map(({ detail }) => detail?.fence).filter(Boolean)).size;
    await page.waitForFunction((count) => document.querySelector('tbody tr')?.cells[1].textContent === String(count), {}, tasks);
    await page.focus('.gantt canvas');
    for (let i = 0; i < tasks; i++) {
      await page.keyboard.press('ArrowRight');
      const said = await text(page, '.about');
      expect(said.startsWith('push') || said.includes(': done'), `of a title that is done: ${said}`);
    }
    const named = await page.$$eval('.legend li:not([hidden])', (all) => all.map(({ dataset }) => dataset.kind));
    expect(named.includes('early') && !named.includes('images'), `in the legend are ${named}`);
    const lanes = await page.$eval('.lanes span', (name) => parseFloat(name.style.height));
    expect(lanes > 3, `what ran at a time is in lanes of ${lanes} rem`); // one has 2
  },
  'a push that comes a day later leaves the others their room in it': async () => {
    const path = `/v1/events?after=0&title=${TITLE}`;
    const { events } = await farm('GET', path.slice(1));
    const push = events.findLast(({ kind, detail }) => kind === 'unit.lease' && detail.kind === 'push');
    const late = { ...push, at: push.at + 86400000, detail: { ...push.detail, fence: 1e9 } };
    await answering(page, path, { events: [...events, late] }, async () => {
      await go(page, 'titles');
      await go(page, `titles/${TITLE}/timeline`);
      await shows(page, '.later', '1 push came much later, and is in the table alone');
      await page.focus('.gantt canvas');
      await page.keyboard.press('End');
      expect(await text(page, '.about') !== '', 'nothing is said of the last that is drawn');
      const day = new Date(late.at).toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
      expect(!(await text(page, '.about')).includes(day), `the last that is drawn is ${await text(page, '.about')}`);
    });
  },
  'its bitrates are those of its segments': async () => {
    await go(page, `titles/${TITLE}/bitrate`);
    const { units } = await farm('GET', `v1/titles/${TITLE}/units?limit=500`);
    const bytes = units.filter(({ rendition, report }) => report && rendition === 'h264-360p')
      .flatMap(({ report }) => report.segments).reduce((sum, segment) => sum + segment.bytes, 0);
    const wanted = `${(bytes / 1e6).toFixed(1).replace(/\.0$/, '')} MB`;
    await page.waitForFunction((size) => [...document.querySelectorAll('tbody tr')]
      .some(({ cells: own }) => own[0].textContent === 'h264-360p' && own[4].textContent === size), {}, wanted);
  },
  'it could be watched before it was done': async () => {
    const { early } = await farm('GET', `v1/titles/${TITLE}`);
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
  ...endpoints(page),
  ...sweep(page),
  ...titles(page),
  'a worker is drained and undrained by the keyboard': () => drainByKeyboard(page),
  ...Object.fromEntries(Object.entries(views).map(([way, sign]) => [`axe-core has nothing against ${way}`, async () => {
    await go(page, way);
    await page.waitForSelector(sign);
    await audit(page, way);
    await fits(page, way);
  }])),
  ...noComplaint(troubles, /\b404 .*|404 for .*\/v1\/titles\/[a-z]+(\/plan|\/why)?$/), // before a plan, after a removal
});

const link = (page, troubles) => ({
  'signs in who opens it first, and is in no address then': async () => {
    await page.goto(read(given.link));
    await shows(page, '.role', 'admin');
    expect(!page.url().includes('enter'), page.url());
    expect(await page.evaluate((first) => sessionStorage.getItem('reelfarm.token') !== first, read(given.link).split('/').pop()), 'its token is kept');
  },
  'and nobody else': async () => {
    const other = await visit(page.browser());
    await other.page.goto(read(given.link));
    await shows(other.page, '#problem', 'was opened before');
    await other.page.browserContext().close();
  },
  ...noComplaint(troubles),
});

const put = crowdIn(); // meanwhile: it is another scheduler's work
put.catch(() => {}); // told when it is waited for
const browser = await launch(given.chromium);
try {
  for (const [name, things] of Object.entries({ // the link first: it lasts ten minutes
    link, admin, viewer, submitter, tenant, tenantViewer, crowd: (page, troubles) => crowd(page, troubles, put),
  })) {
    const { page, troubles } = await visit(browser);
    await checkAll(name, things(page, troubles));
    await page.browserContext().close();
  }
} finally {
  await browser.close();
}
exit();
