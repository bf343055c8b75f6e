// SPDX-License-Identifier: GPL-2.0-or-later
// Workers: what each has and does, and whether it is given more.
import {
  call, every, get, may,
} from './api.js';
import {
  h, keyed, meter, notice, say, setMeter, setText,
} from './dom.js';
import { gibibytes, lasting, plural } from './format.js';

const LOOK_MS = 2000;

export async function workersView(place, { signal, onState }) {
  const count = h('p', { class: 'dim count', role: 'status' }, 'Fetching …');
  const cards = h('ul', { class: 'cards' });
  place.append(h('h1', {}, 'Workers'), count, cards);
  const look = async () => {
    const { workers } = await get('/v1/workers', { signal });
    onState('polling');
    const slots = workers.reduce((sum, { slots: more }) => sum + more, 0);
    const busy = workers.reduce((sum, worker) => sum + worker.busy, 0);
    setText(count, workers.length === 0 ? 'No worker is here.'
      : `${plural(workers.length, 'worker')}, ${busy} of ${plural(slots, 'slot')} busy`);
    keyed(cards, workers, ({ session }) => session, (worker) => create(worker, look), update);
    if (workers.length === 0) {
      cards.append(h('li', { class: 'empty', 'data-key': '' }, h('p', {}, 'Titles wait until one comes.'),
        h('p', { class: 'dim' }, h('code', {}, 'reelfarm worker'), ' on any machine that reaches this scheduler is one.')));
    }
  };
  await every(LOOK_MS, signal, look, (error) => {
    onState('lost');
    notice(error.message);
  });
}

function fact(name, className) {
  return h('div', { class: className }, h('dt', {}, name), h('dd', { 'data-fact': name }));
}

function create(worker, look) {
  const drain = may.manage() && h('button', {
    class: 'plain small drain',
    onclick: async (event) => {
      const wants = event.target.dataset.drains !== 'true';
      try {
        await call(wants ? 'POST' : 'DELETE', `/v1/workers/${worker.worker}/drain`);
        say(wants ? `${worker.worker} is given no more tasks.` : `${worker.worker} is given tasks again.`);
        await look();
      } catch (error) {
        notice(error.message);
      }
    },
  });
  return h('li', { class: 'card worker', 'data-worker': worker.worker },
    h('header', {},
      h('h2', {}, worker.worker),
      h('span', { class: 'badge', 'data-state': '' }), drain),
    h('p', { class: 'place' }, `${worker.host}, process ${worker.pid}`),
    h('p', { class: 'problem', hidden: true }),
    h('div', { class: 'load' }, meter(0), h('span', { class: 'slots' })),
    h('ul', { class: 'tasks' }),
    h('dl', { class: 'facts even' },
      fact('cores'), fact('memory'), fact('sandbox'), fact('heard of'), fact('codecs', 'long')));
}

function update(card, worker) {
  const state = worker.refused ? 'refused' : worker.drain ? 'draining' : worker.tasks.length > 0 ? 'working' : 'idle';
  const { busy } = worker;
  const badge = card.querySelector('.badge');
  const drain = card.querySelector('.drain');
  badge.dataset.state = state;
  setText(badge, state);
  card.querySelector('.problem').hidden = worker.refused === '';
  setText(card.querySelector('.problem'), worker.refused ? `It is given no sources: ${worker.refused}.` : '');
  setMeter(card.querySelector('.meter'), busy / worker.slots, `${busy} of ${worker.slots} slots are busy`);
  setText(card.querySelector('.slots'), `${busy} of ${plural(worker.slots, 'slot')}`);
  const facts = {
    cores: worker.cores || '–',
    memory: gibibytes(worker.memory_bytes),
    sandbox: worker.sandbox,
    codecs: worker.codecs.join(', '),
    'heard of': `${lasting(worker.seen_ms_ago)} ago`,
  };
  for (const [name, value] of Object.entries(facts)) {
    setText(card.querySelector(`[data-fact="${name}"]`), value);
  }
  if (drain) {
    drain.dataset.drains = worker.drain;
    setText(drain, worker.drain ? 'Give it tasks' : 'Drain');
    drain.setAttribute('aria-label', worker.drain ? `Give ${worker.worker} tasks again` : `Drain ${worker.worker}`);
  }
  keyed(card.querySelector('.tasks'), worker.tasks, ({ fence }) => fence, createTask, updateTask);
}

function createTask(task) {
  const of = task.title ? h('a', { href: `#/titles/${task.title}` }, task.title)
    : h('span', { class: 'dim' }, { push: 'events', sweep: 'an edge' }[task.kind] ?? 'a source');
  return h('li', {}, of,
    h('span', { class: 'kind' }, task.kind), meter(0), h('span', { class: 'age dim' }));
}

function updateTask(element, task) {
  const share = task.total > 0 ? task.done / task.total : 0;
  setMeter(element.querySelector('.meter'), share, `${Math.round(100 * share)} % done`);
  setText(element.querySelector('.age'), lasting(task.running_ms));
}
