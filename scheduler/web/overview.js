// SPDX-License-Identifier: GPL-2.0-or-later
// A title at a glance: the cells of chunk x rung as they are made, its renditions, what it waits for,
// and how far it is at each endpoint.
import {
  call, every, get, may, now, sentence,
} from './api.js';
import {
  confirmed, h, keyed, meter, notice, say, setMeter, setText,
} from './dom.js';
import {
  bitrate, lasting, moment, perSecond, plural, whole, withoutName,
} from './format.js';
import { cells } from './cells.js';
import { isBusy } from './states.js';

const WHY_MS = 4000;
const nothingKnown = { others: [], unlisted: new Set() };

export async function overview(place, model, { signal }) {
  const why = h('ul');
  const runs = h('ul');
  const running = h('details', { hidden: true }, h('summary'), runs);
  const rows = h('tbody');
  const edges = h('ul', { class: 'edges' });
  const grid = h('div', { class: 'grid-place' });
  const made = h('div', {}, h('h2', {}, 'Renditions'), h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Renditions' }, h('table', {},
    h('thead', {}, h('tr', {}, ['rendition', 'picture', 'limit', 'done', 'frames/s', 'reused']
      .map((name, i) => h('th', { scope: 'col', class: i > 1 ? 'number' : null }, name)))), rows)));
  place.append(
    h('section', {}, h('h2', { class: 'unseen' }, 'Chunks'), grid),
    h('section', { class: 'split' }, made,
      h('div', {}, h('h2', {}, 'How it stands'), h('div', { class: 'why' }, why, running),
        h('div', { class: 'edges-place', hidden: true }, h('h2', {}, 'Endpoints'), edges))));
  let known = nothingKnown; // of endpoints
  cells(grid, model, signal);
  const update = () => {
    keyed(rows, model.title.renditions, ({ id }) => id, createRow, (row, rendition) => updateRow(row, rendition, model));
    showEdges(edges, model, known);
    made.hidden = model.title.renditions.length === 0;
  };
  model.on(update);
  update();
  readEndpoints(signal).then((endpoints) => {
    known = endpoints;
    update();
  }, (error) => !signal.aborted && notice(error.message));
  let seen = '';
  every(WHY_MS, signal, async () => {
    const { state, publications = [] } = model.title;
    const told = [state, ...publications.map(({ state: how }) => how)].join(' ');
    if (model.gone || (seen === told && !model.moves())) {
      return;
    }
    const answer = await model.get('/why');
    seen = told;
    showSentences(why, answer.sentences.filter(({ about }) => !['publication', 'running'].includes(about)));
    showSentences(runs, answer.sentences.filter(({ about }) => about === 'running'));
    running.hidden = runs.childElementCount === 0;
    setText(running.querySelector('summary'), plural(model.title.tasks.length, 'task runs', 'tasks run'));
  }, (error) => notice(error.message));
}

// What is said of publications stands beside their endpoints; of each task, only for who asks.
const showSentences = (list, sentences) => keyed(list, sentences, ({ text }) => text, ({ text }) => h('li', {}, withCommands(text)), () => {});

const specOf = (model, id) => model.plan?.renditions.find((rendition) => rendition.id === id)?.spec;

function createRow({ id }) {
  const number = (name) => h('td', { class: 'number', 'data-cell': name });
  return h('tr', {}, h('th', { scope: 'row' }, id), h('td', { 'data-cell': 'size' }), number('most'),
    h('td', { class: 'number' }, h('span', { class: 'with-bar' }, meter(0), h('span', { 'data-cell': 'done' }))),
    number('speed'), number('reused'));
}

function updateRow(row, rendition, model) {
  const spec = specOf(model, rendition.id);
  const share = rendition.kind === 'video' && rendition.frames > 0 ? rendition.frames_done / rendition.frames
    : rendition.units_done / Math.max(1, rendition.units);
  const speed = isBusy(model.title.state) && rendition.kind === 'video' ? model.speed(rendition.id) : 0;
  const facts = {
    size: !spec ? '' : spec.width ? `${spec.width}×${spec.height}` : `${spec.channels} ch`,
    most: !spec ? '' : spec.maxrate_bps || spec.bitrate_bps ? bitrate(spec.maxrate_bps ?? spec.bitrate_bps) : '–',
    done: `${Math.floor(100 * share)} %`,
    speed: speed > 0 ? perSecond(speed) : '–',
    reused: rendition.reused > 0 ? `${whole(rendition.reused)} of ${whole(rendition.units)}` : '–',
  };
  row.querySelector('.meter').dataset.state = share >= 1 ? 'done' : '';
  setMeter(row.querySelector('.meter'), share, `${Math.floor(100 * share)} % of ${rendition.id} is done`);
  for (const [name, value] of Object.entries(facts)) {
    setText(row.querySelector(`[data-cell="${name}"]`), value);
  }
}

// ---- endpoints: where the scheduler has them ----------------------------------------------

// What can be asked for: `others` hold nothing of it unless somebody asks, `unlisted` can be asked
// for nothing; a tenant's token is told of none.
async function readEndpoints(signal) {
  if (!may.submit() || !may.seeFarm()) {
    return nothingKnown;
  }
  const { endpoints } = await get('/v1/endpoints', { signal });
  return {
    others: endpoints.filter(({ listed, webhook, fill }) => listed && !webhook && fill !== 'never').map(({ name }) => name),
    unlisted: new Set(endpoints.filter(({ listed }) => !listed).map(({ name }) => name)),
  };
}

function showEdges(place, model, { others, unlisted }) {
  const { publications = [], state, version } = model.title;
  const known = new Set(publications.map(({ endpoint }) => endpoint));
  const rest = others.filter((name) => version !== '' && !known.has(name))
    .map((endpoint) => ({ endpoint, state: 'not there', wanted: '', held: '' }));
  const mayChange = version !== '' && state !== 'removing' && !model.gone;
  place.parentElement.hidden = publications.length + rest.length === 0;
  keyed(place, [...publications, ...rest], ({ endpoint }) => endpoint, ({ endpoint }) => createEdge(endpoint, model),
    (element, publication) => updateEdge(element, publication, mayChange && !unlisted.has(publication.endpoint)));
}

// What stands between `...` is to be typed.
const withCommands = (text) => text.split('`').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part));

const soon = (at) => (at > now() ? `in ${lasting(at - now())}` : 'at once');

// What failed with this title there; else what failed there last, which may be another's.
const failed = ({ own, last }) => (own ? `: ${sentence(own)}` : last ? `. What failed there last: ${sentence(last)}` : '.');

// What it waits for, by what that is.
const waits = {
  window: ({ until }) => `Its window is shut until ${moment(until)}, for ${lasting(until - now())} more.`,
  others: (wait, { wanted }) => (wanted ? 'It waits for the edges.' : 'It waits for the catalogs.'),
  worker: ({ reason }) => `It waits for a worker: ${sentence(reason)}`,
  breaker: ({ since, until }, known) => `That endpoint is broken off since ${moment(since)}, and tried again ${soon(until)}${failed(known)}`,
  trial: ({ since }, known) => `That endpoint is on trial, a push at a time: it is broken off since ${moment(since)}${failed(known)}`,
  sweep: ({ until }) => (until ? `Who took away what lies there in vain was lost: it goes on ${soon(until)}.`
    : 'What lies there in vain is taken away first.'),
  pause: ({ until }, { own }) => `${own ? `${sentence(own)} ` : ''}It is tried again ${soon(until)}.`,
  turn: (wait, { own }) => (own ? sentence(own) : 'It waits for its turn.'),
};
const mayBeTried = ['trial', 'pause', 'turn']; // by hand: nothing passes the others

// What is to be said of a title at an edge, but its state.
function aboutEdge({
  endpoint, state: how, wanted, held, error, listed = true, waits: wait,
}) {
  if (!listed) {
    return `The scheduler’s file has it no more: nothing is done there.${held ? ` It has version ${held}.` : ''}`;
  }
  if (how === 'fetches') {
    return 'It fetches from the output, which has the title still: remove the title, or block it at that edge.';
  }
  if (wait) {
    const tell = waits[wait.for] ?? waits.turn; // of a newer scheduler
    return tell(wait, { wanted, own: withoutName(endpoint, error), last: withoutName(endpoint, wait.reason) });
  }
  return error ? `The last time: ${withoutName(endpoint, error)}` : held ? `version ${held}` : '';
}

function updateEdge(element, publication, isTitles) {
  const {
    endpoint, state: how, wanted, done, total, error, listed = true, waits: wait,
  } = publication;
  const mayChange = isTitles && listed;
  const badge = element.querySelector('.badge');
  const bar = element.querySelector('.meter');
  const publish = element.querySelector('.publish');
  badge.dataset.state = `push-${how}`;
  setText(badge, how);
  bar.hidden = how !== 'running';
  if (!bar.hidden) {
    setMeter(bar, total > 0 ? done / total : 0, `${whole(done)} of ${whole(total)} objects`);
  }
  setText(element.querySelector('.about'), aboutEdge(publication));
  if (publish) {
    const isOnWay = wanted !== '' && how !== 'held';
    publish.hidden = !mayChange || (isOnWay && !(error && mayBeTried.includes(wait?.for)));
    setText(publish, wanted === '' ? 'Publish' : isOnWay ? 'Try now' : 'Publish again');
    publish.setAttribute('aria-label', `${publish.textContent} at ${endpoint}`);
    element.querySelector('.withdraw').hidden = !mayChange || wanted === '';
  }
}

function createEdge(endpoint, model) {
  const deed = (path, said) => async () => {
    try {
      await call('POST', `/v1/titles/${model.name}/${path}`, { endpoint });
      say(said);
      await model.look();
    } catch (error) {
      notice(error.message);
    }
  };
  const publish = deed('publish', `${endpoint} is to have it.`);
  const withdraw = deed('unpublish', `It is taken from ${endpoint}.`);
  return h('li', {}, h('strong', {}, may.seeFarm() ? h('a', { href: '#/endpoints' }, endpoint) : endpoint), h('span', { class: 'badge' }), meter(0),
    may.submit() && h('span', { class: 'actions' },
      h('button', { class: 'plain small publish', onclick: publish }),
      h('button', {
        class: 'plain small withdraw',
        'aria-label': `Withdraw from ${endpoint}`,
        onclick: async () => await confirmed(`Withdraw ${model.name} from ${endpoint}?`,
          'Who plays it from there finds it no more, unless that edge fetches from the output what it lacks: then '
          + 'only removing the title, or blocking it there, ends that. It can be published again.', 'Withdraw') && withdraw(),
      }, 'Withdraw')),
    h('p', { class: 'dim about' }));
}
