// SPDX-License-Identifier: GPL-2.0-or-later
// What the page offers to each role, and to tokens of a tenant: no less than it may do, no more.
import {
  TITLE, audit, farm, given, go, noComplaint, shows, signIn, text, tokenOf,
} from './farm_page.mjs';
import { expect } from './page.mjs';

const OWN = 'broken'; // the tenant's only title, which failed
const views = (page) => page.$$eval('#views a', (all) => all.map((link) => link.textContent).join());
const buttons = (page, within) => page.$$eval(`${within} button`, (all) => all
  .filter((button) => button.checkVisibility()).map((button) => button.textContent));

async function offers(page, within, wanted) {
  const found = await buttons(page, within);
  expect(found.join() === wanted.join(), `${within} offers ${found}, not ${wanted}`);
}

const lacks = async (page, way, words) => {
  await go(page, way);
  await shows(page, '.empty', words);
  expect(await page.$('main input') === null, `${way} is there all the same`);
};

async function seesFarm(page) {
  await go(page, 'workers');
  await page.waitForSelector('.worker');
  await offers(page, '.worker', []);
  await go(page, 'endpoints');
  await page.waitForSelector('[data-endpoint=hook] [data-fact=dead]');
  await offers(page, '.endpoint', []);
}

export const viewer = (page, troubles) => ({
  'sees all and is offered nothing that it may not do': async () => {
    await signIn(page, given.url, tokenOf('viewer'));
    await shows(page, '.rows', TITLE);
    expect(await views(page) === 'Titles,Workers,Endpoints', `it is offered ${await views(page)}`);
    await go(page, `titles/${TITLE}`);
    await page.waitForSelector('.legend [data-look=done]');
    await page.waitForSelector('.edges li');
    await offers(page, '.title-head', []);
    await offers(page, '.edges', []);
    expect(!(await text(page, '.edges')).includes('not there'), 'it is told where it could be published');
    await go(page, `titles/${TITLE}/versions`);
    await page.waitForSelector('.card');
    await offers(page, '.cards', []);
    await seesFarm(page);
    await lacks(page, 'submit', 'A viewer’s token submits nothing');
  },
  ...noComplaint(troubles),
});

export const submitter = (page, troubles) => ({
  'is offered what changes titles, and nothing that changes the farm': async () => {
    await signIn(page, given.url, tokenOf('submitter'));
    await shows(page, '.rows', TITLE);
    expect(await views(page) === 'Titles,Workers,Endpoints,Submit', `it is offered ${await views(page)}`);
    await go(page, `titles/${TITLE}`);
    await page.waitForSelector('.edges .publish:not([hidden])');
    await offers(page, '.title-head', ['Remove']);
    expect((await buttons(page, '.edges')).includes('Withdraw'), 'it is not offered to withdraw');
    await go(page, `titles/${TITLE}/versions`);
    await page.waitForSelector('.card button');
    await offers(page, '.cards', ['Make current']);
    await seesFarm(page);
    await go(page, 'submit');
    await page.waitForSelector('#submit-tenant');
  },
  ...noComplaint(troubles),
});

// Sees its own titles alone, and nothing of the farm.
async function seesOwn(page) {
  await shows(page, '.count', '1 title');
  await shows(page, '.rows', OWN);
  expect(await page.$('#filter-tenant') === null, 'it is offered to look for tenants');
  await shows(page, '#who', ' of news');
  await lacks(page, 'workers', 'A token of tenant news sees its own titles alone');
  await lacks(page, 'endpoints', 'A token of tenant news sees its own titles alone');
  await go(page, `titles/${TITLE}`);
  await shows(page, '.empty', 'There is no title of this name');
  await go(page, `titles/${OWN}`);
  await shows(page, '.title-head .badge', 'failed');
  await shows(page, '.why', 'It failed (bad_source)');
}

// What the browser says of a title that is not to be seen.
const unseen = new RegExp(`\\b404 .*|404 for .*/(${TITLE}|[a-z-]+/plan)$`);

export const tenant = (page, troubles) => ({
  'a submitter’s sees and submits its own titles, and nothing of others': async () => {
    await signIn(page, given.url, tokenOf('submitter-of-news'));
    await page.waitForSelector('.rows .row');
    expect(await views(page) === 'Titles,Submit', `it is offered ${await views(page)}`);
    await seesOwn(page);
    await offers(page, '.title-head', ['Retry', 'Remove']);
    await go(page, 'submit');
    await page.waitForSelector('#submit-source');
    expect(await page.$('#submit-tenant') === null, 'it is asked for a tenant');
    await page.type('#submit-source', given.broken);
    await page.$eval('#submit-title', (input) => { input.value = 'of-news'; });
    await page.$eval('#submit-output', (input, value) => { input.value = value; }, given.out);
    await page.click('button[value=send]');
    await page.waitForFunction(() => location.hash === '#/titles/of-news');
    expect((await farm('GET', 'v1/titles/of-news')).tenant === 'news', 'it is none of the tenant’s');
    await audit(page, 'a tenant’s title');
    await farm('DELETE', 'v1/titles/of-news').catch(() => {});
  },
  ...noComplaint(troubles, unseen),
});

export const tenantViewer = (page, troubles) => ({
  'a viewer’s sees them, and is offered nothing': async () => {
    await signIn(page, given.url, tokenOf('viewer-of-news'));
    await page.waitForSelector('.rows .row');
    expect(await views(page) === 'Titles', `it is offered ${await views(page)}`);
    expect((await text(page, '.rows')).includes(OWN), 'it does not see its own');
    await go(page, `titles/${OWN}`);
    await shows(page, '.title-head .badge', 'failed');
    await offers(page, '.title-head', []);
    await lacks(page, 'submit', 'A viewer’s token submits nothing');
  },
  ...noComplaint(troubles, unseen),
});
