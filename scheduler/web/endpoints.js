// SPDX-License-Identifier: GPL-2.0-or-later
// Endpoints: the edges and catalogs that titles go to, and how each does.
import {
  call, every, get, may, now,
} from './api.js';
import {
  h, keyed, notice, say, setText,
} from './dom.js';
import { lasting, whole } from './format.js';

const LOOK_MS = 2000;
const facts = {
  backlog: ({ backlog }) => whole(backlog),
  running: ({ running, limit }) => `${running} of ${limit}`,
  latency: ({ request_ms: ms }) => (ms > 0 ? `${whole(ms)} ms` : '–'),
  failures: ({ failures }) => whole(failures),
  fill: ({ fill }) => fill,
  window: ({ window_open: isOpen }) => (isOpen === false ? 'closed now' : 'open'),
};
const breaker = {
  closed: 'well', open: 'broken off', 'half-open': 'on trial',
};

export async function endpointsView(place, { signal, onState }) {
  const count = h('p', { class: 'dim count', role: 'status' }, 'Fetching …');
  const cards = h('ul', { class: 'cards' });
  place.append(h('h1', {}, 'Endpoints'), count, cards);
  const look = async () => {
    const { endpoints } = await get('/v1/endpoints', { signal });
    const ill = endpoints.filter(({ state }) => state !== 'closed').length;
    onState('polling');
    setText(count, endpoints.length === 0
      ? 'There are none; the scheduler’s option endpoints names a file of them.'
      : `${endpoints.length - ill} of ${endpoints.length} are well`);
    keyed(cards, endpoints, ({ name }) => name, (endpoint) => create(endpoint, look), update);
  };
  await every(LOOK_MS, signal, look, (error) => {
    onState('lost');
    notice(error.message);
  });
}

function create({ name, driver, url }, look) {
  const reset = may.manage() && h('button', {
    class: 'plain reset',
    'aria-label': `Try ${name} now`,
    onclick: async () => {
      try {
        await call('POST', `/v1/endpoints/${name}/reset`);
        say(`${name} is tried again.`);
        await look();
      } catch (error) {
        notice(error.message);
      }
    },
  }, 'Try now');
  return h('li', { class: 'card endpoint', 'data-endpoint': name },
    h('header', {}, h('h2', {}, name), h('span', { class: 'dim' }, driver),
      h('span', { class: 'badge', 'data-state': '' }), reset),
    h('p', { class: 'place' }, url),
    h('p', { class: 'problem', hidden: true }),
    h('dl', { class: 'facts' }, Object.keys(facts).map((fact) => h('div', {},
      h('dt', {}, fact), h('dd', { 'data-fact': fact })))));
}

function update(card, endpoint) {
  const badge = card.querySelector('.badge');
  const problem = card.querySelector('.problem');
  const reset = card.querySelector('.reset');
  const { state, error, retry_at: retryAt } = endpoint;
  badge.dataset.state = `breaker-${state}`;
  setText(badge, breaker[state] ?? state);
  const again = state === 'open' && retryAt ? `tried again in ${lasting(retryAt - now())}` : '';
  problem.hidden = state === 'closed' || !(error || again);
  setText(problem, [error, again].filter(Boolean).join('; '));
  for (const [name, value] of Object.entries(facts)) {
    setText(card.querySelector(`[data-fact="${name}"]`), value(endpoint));
  }
  if (reset) {
    reset.hidden = state === 'closed';
  }
}
