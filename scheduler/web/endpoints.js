// SPDX-License-Identifier: GPL-2.0-or-later
// Endpoints: the edges, catalogs and webhooks that titles and events go to, and how each does.
import {
  call, every, get, may, now,
} from './api.js';
import {
  confirmed, h, keyed, notice, say, setText,
} from './dom.js';
import {
  bytes, lasting, moment, plural, whole, withoutName,
} from './format.js';
import { sweep } from './sweep.js';

const LOOK_MS = 2000;

// Of an edge or a catalog, and of a webhook.
const facts = {
  backlog: ({ backlog }) => whole(backlog),
  running: ({ running, limit, listed }) => (listed && running + limit > 0 ? `${running} of ${limit}` : '–'),
  latency: ({ request_ms: ms }) => (ms > 0 ? `${whole(ms)} ms` : '–'),
  brought: ({ bytes: size }) => bytes(size),
  fill: ({ fill }) => fill || '–',
};
const hookFacts = {
  waiting: ({ backlog }) => whole(backlog),
  delivered: ({ webhook }) => whole(webhook.delivered),
  dead: ({ webhook: { dead, lost } }) => (lost > 0 ? `${whole(dead)}, and ${whole(lost)} not kept` : whole(dead)),
  latency: facts.latency,
  events: ({ webhook }) => webhook.events.join(', '),
};
const texts = ['fill', 'events']; // the others are numbers, which stand below each other
const factsOf = ({ webhook }) => (webhook ? hookFacts : facts);

// What its breaker says, and what that says less plainly: that all has failed of late, though too
// little for it to break off.
const words = {
  closed: 'well', failing: 'failing', open: 'broken off', 'half-open': 'on trial', gone: 'gone', unlisted: 'unlisted',
};

function stateOf({ state, error, listed, webhook }) {
  if (!listed || webhook?.gone_at) {
    return listed ? 'gone' : 'unlisted';
  }
  return state === 'closed' && error ? 'failing' : state;
}

// A scheduler that starts anew may know by a name what is something else.
const asWhat = ({
  name, driver, url, lists,
}) => [name, driver, url, lists].join(' ');

export async function endpointsView(place, { signal, onState }) {
  const count = h('p', { class: 'dim count', role: 'status' }, 'Fetching …');
  const cards = h('ul', { class: 'cards' });
  place.append(h('h1', {}, 'Endpoints'), count, cards);
  const look = async () => {
    const { endpoints } = await get('/v1/endpoints', { signal });
    const well = endpoints.filter((endpoint) => stateOf(endpoint) === 'closed').length;
    onState('polling');
    setText(count, endpoints.length === 0
      ? 'There are none; the scheduler’s option endpoints names a file of them.'
      : `${well} of ${endpoints.length} are well`);
    keyed(cards, endpoints, asWhat, (endpoint) => create(endpoint, look, signal), update);
  };
  await every(LOOK_MS, signal, look, (error) => {
    onState('lost');
    notice(error.message);
  });
}

// A call about one, and what is said when it is done: run answers that, or null where nothing was.
function action(className, text, label, look, run) {
  return may.manage() && h('button', {
    class: `plain small ${className}`,
    'aria-label': label,
    hidden: true,
    onclick: async () => {
      try {
        const said = await run();
        if (said !== null) {
          say(said);
          await look();
        }
      } catch (error) {
        notice(error.message);
      }
    },
  }, text);
}

// One that is no more, and that the file has no more: its card goes, and focus with it.
function forgetter(name, look) {
  const what = 'What is known of it goes: which titles it holds, and which are still to be taken from there. '
    + 'What lies there stays. Should the scheduler’s file have it again, it is a new one, and all is brought there anew.';
  return action('forget', 'Forget', `Forget ${name}`, look, async () => {
    if (!await confirmed(`Forget ${name}?`, what, 'Forget')) {
      return null;
    }
    const { titles } = await call('DELETE', `/v1/endpoints/${name}`);
    document.getElementById('main').focus();
    return `${name} is forgotten, with what was known of ${plural(titles, 'title')} there.`;
  });
}

function create(endpoint, look, signal) {
  const { name, driver, url, lists } = endpoint;
  const sweeper = may.manage() && lists && h('button', {
    class: 'plain small sweep',
    'aria-label': `Sweep ${name}: list what lies there in vain`,
    'aria-haspopup': 'dialog',
    onclick: () => sweep(name, signal),
  }, 'Sweep');
  const reset = action('reset', '', null, look, async () => {
    await call('POST', `/v1/endpoints/${name}/reset`);
    return `${name} is tried again.`;
  });
  const replay = action('replay', 'Replay', `Tell ${name} of its dead events again`, look, async () => {
    const { events } = await call('POST', `/v1/endpoints/${name}/replay`, { dead: true });
    return `${name} is told of ${plural(events, 'event')} again.`;
  });
  return h('li', { class: 'card endpoint', 'data-endpoint': name },
    h('header', {}, h('h2', {}, name), h('span', { class: 'badge', 'data-state': '' }),
      h('span', { class: 'dim driver' }, driver),
      h('span', { class: 'actions' }, sweeper, replay, reset, forgetter(name, look))),
    url && h('p', { class: 'place' }, url),
    h('dl', { class: 'facts even' }, Object.keys(factsOf(endpoint)).map((fact) => h('div', { class: texts.includes(fact) ? 'long' : null },
      h('dt', {}, fact), h('dd', { 'data-fact': fact })))),
    h('p', { class: 'problem', hidden: true }),
    h('p', { class: 'dim next', hidden: true }),
    h('p', { class: 'dim window', hidden: true }),
    h('p', { class: 'dim leaving', hidden: true }));
}

// Why it is as it is. Errors name the endpoint, as the card does.
function problemOf({ name, error, webhook }, state) {
  if (state === 'unlisted') {
    return 'The scheduler’s file has it no more: nothing is done there, and what it holds is remembered.';
  }
  if (state === 'gone') {
    return `It wants nothing more since ${moment(webhook.gone_at)}.`;
  }
  return withoutName(name, error);
}

// For how long, and what comes next.
function nextOf({ failing_at: failingAt, retry_at: retryAt }, state) {
  const since = failingAt ? `Nothing has succeeded for ${lasting(now() - failingAt)}` : '';
  const again = state === 'open' && retryAt ? `tried again in ${lasting(retryAt - now())}` : '';
  return state === 'closed' ? '' : [since, again].filter(Boolean).join(', ');
}

// Whether it may be filled at this time of the day, where it says so.
function windowOf({ window_open: isOpen, window_turns_at: turnsAt }) {
  return turnsAt ? `Its window is ${isOpen ? 'open' : 'shut'} until ${moment(turnsAt)}, for ${lasting(turnsAt - now())} more` : '';
}

function setLine(line, text) {
  setText(line, text);
  line.hidden = text === '';
}

function update(card, endpoint) {
  const state = stateOf(endpoint);
  const badge = card.querySelector('.badge');
  const { leaving } = endpoint;
  const reset = card.querySelector('.reset');
  const replay = card.querySelector('.replay');
  badge.dataset.state = `breaker-${state}`;
  setText(badge, words[state] ?? state);
  setLine(card.querySelector('.problem'), problemOf(endpoint, state));
  setLine(card.querySelector('.next'), nextOf(endpoint, state));
  setLine(card.querySelector('.window'), windowOf(endpoint));
  setLine(card.querySelector('.leaving'), leaving.length > 0 ? `Still to be taken from there: ${leaving.join(', ')}` : '');
  for (const [name, value] of Object.entries(factsOf(endpoint))) {
    setText(card.querySelector(`[data-fact="${name}"]`), value(endpoint));
  }
  if (reset) {
    reset.hidden = state === 'closed' || state === 'unlisted';
    setText(reset, state === 'gone' ? 'Take up again' : 'Try now');
    reset.setAttribute('aria-label', state === 'gone' ? `Take ${endpoint.name} up again` : `Try ${endpoint.name} now`);
    replay.hidden = !endpoint.webhook?.dead || state === 'gone';
    card.querySelector('.forget').hidden = state !== 'unlisted';
  }
}
