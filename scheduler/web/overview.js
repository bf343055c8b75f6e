// SPDX-License-Identifier: GPL-2.0-or-later
// A title at a glance: the cells of chunk x rung as they are made, its renditions, what it waits for,
// and how far it is at each endpoint.
import {
  call, every, may, now,
} from './api.js';
import {
  h, keyed, meter, notice, say, setMeter, setText,
} from './dom.js';
import {
  bitrate, lasting, perSecond, whole,
} from './format.js';
import { cells } from './cells.js';
import { isBusy } from './states.js';

const WHY_MS = 4000;

export async function overview(place, model, { signal }) {
  const why = h('ul', { class: 'why' });
  const rows = h('tbody');
  const edges = h('ul', { class: 'edges' });
  const grid = h('div', { class: 'grid-place' });
  place.append(
    h('section', {}, h('h2', { class: 'unseen' }, 'Chunks'), grid),
    h('section', { class: 'split' },
      h('div', {}, h('h2', {}, 'Renditions'), h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Renditions' }, h('table', {},
        h('thead', {}, h('tr', {}, ['rendition', 'picture', 'most', 'done', 'frames/s', 'reused']
          .map((name, i) => h('th', { scope: 'col', class: i > 1 ? 'number' : null }, name)))), rows))),
      h('div', {}, h('h2', {}, 'Why'), why,
        h('div', { class: 'edges-place', hidden: true }, h('h2', {}, 'Endpoints'), edges))));
  cells(grid, model, signal);
  const update = () => {
    keyed(rows, model.title.renditions, ({ id }) => id, createRow, (row, rendition) => updateRow(row, rendition, model));
    showEdges(edges, model);
  };
  model.on(update);
  update();
  let state = '';
  every(WHY_MS, signal, async () => {
    if (model.gone || (state === model.title.state && !isBusy(state))) {
      return;
    }
    const answer = await model.get('/why');
    state = answer.state;
    const sentences = answer.sentences.map(({ text }, i) => ({ text, i }));
    keyed(why, sentences, ({ text }) => text, ({ text }) => h('li', {}, text), () => {});
  }, (error) => notice(error.message));
}

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

function showEdges(place, model) {
  const { publications = [], state } = model.title;
  place.parentElement.hidden = publications.length === 0;
  keyed(place, publications, ({ endpoint }) => endpoint, (publication) => createEdge(publication, model), (element, publication) => {
    const {
      state: how, done, total, error, retry_at: again,
    } = publication;
    const badge = element.querySelector('.badge');
    badge.dataset.state = `push-${how}`;
    setText(badge, how);
    element.querySelector('.meter').hidden = how !== 'running';
    setMeter(element.querySelector('.meter'), total > 0 ? done / total : 0, `${whole(done)} of ${whole(total)} objects`);
    const wait = error && again ? `; tried again in ${lasting(Math.max(0, again - now()))}` : '';
    setText(element.querySelector('.dim'), error ? `${error}${wait}` : publication.held ? `version ${publication.held}` : '');
    element.querySelectorAll('button').forEach((button) => { button.hidden = state !== 'done'; });
  });
}

function createEdge({ endpoint }, model) {
  const deed = (path, text, said) => h('button', {
    class: 'plain small',
    'aria-label': `${text} ${endpoint}`,
    onclick: async () => {
      try {
        await call('POST', `/v1/titles/${model.name}/${path}`, { endpoint });
        say(said);
        await model.look();
      } catch (error) {
        notice(error.message);
      }
    },
  }, text);
  return h('li', {}, h('strong', {}, endpoint), h('span', { class: 'badge' }), meter(0),
    may.submit() && deed('publish', 'Publish', `It is published at ${endpoint}.`),
    may.submit() && deed('unpublish', 'Withdraw', `It is withdrawn from ${endpoint}.`),
    h('span', { class: 'dim' }));
}
