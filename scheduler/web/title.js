// SPDX-License-Identifier: GPL-2.0-or-later
// One title: its head, and one of the views of it below.
import { call, may } from './api.js';
import {
  confirmed, h, meter, notice, say, setMeter, setText,
} from './dom.js';
import {
  fixed, lasting, lastPart, moment, perSecond, plural, whole,
} from './format.js';
import { TitleModel } from './model.js';
import { badge, isBusy, setBadge } from './states.js';
import { overview } from './overview.js';
import { timeline } from './timeline.js';
import { bitrates } from './bitrates.js';
import { player } from './player.js';
import { eventsOf, versionsOf } from './history.js';

// Each is view(place, model, way).
const parts = {
  overview: { name: 'Overview', run: overview },
  play: { name: 'Play', run: player },
  timeline: { name: 'Timeline', run: timeline },
  bitrate: { name: 'Bitrate', run: bitrates },
  events: { name: 'Events', run: eventsOf },
  versions: { name: 'Versions', run: versionsOf },
};

export async function titleView(place, way) {
  const [, name, wanted] = way.parts;
  const part = wanted in parts ? wanted : 'overview';
  const model = new TitleModel(name, way.signal);
  const head = new Head(model);
  const below = h('section', { class: `part ${part}`, 'aria-label': parts[part].name });
  const onError = (error) => notice(error.message);
  place.append(head.element, h('nav', { class: 'parts', 'aria-label': `Views of ${name}` },
    Object.entries(parts).map(([key, { name: text }]) => h('a', {
      href: `#/titles/${name}${key === 'overview' ? '' : `/${key}`}`,
      'aria-current': key === part ? 'page' : null,
    }, text))), below);
  place.querySelector('.parts [aria-current]').scrollIntoView({ block: 'nearest', inline: 'center' });
  try {
    await model.start(way.onState, onError);
  } catch (error) {
    if (error.status !== 404) {
      throw error;
    }
    place.replaceChildren(h('div', { class: 'empty' }, h('h1', {}, name),
      h('p', {}, 'There is no title of this name.'), h('p', {}, h('a', { href: '#/titles' }, 'All titles'))));
    return;
  }
  model.on(() => head.update());
  head.update();
  await parts[part].run(below, model, way);
}

// What may be done to a title, by its state.
const deeds = [
  {
    name: 'Cancel', states: ['submitted', 'running'], method: 'POST', path: '/cancel', said: 'is cancelled',
    ask: 'Its tasks are stopped. What was made is kept for another run.',
  },
  {
    name: 'Retry', states: ['failed', 'cancelled'], ifLacking: ['done'], method: 'POST', path: '/retry', said: 'is tried again',
  },
  {
    name: 'Remove', states: ['done', 'failed', 'cancelled'], method: 'DELETE', path: '', said: 'is being removed',
    ask: 'All that it published is deleted, at each of its outputs.',
  },
];

const troubleOf = ({ failures, losses }) => [failures > 0 && plural(failures, 'failure'), losses > 0 && plural(losses, 'loss', 'losses')]
  .filter(Boolean).join(', ');

class Head {
  constructor(model) {
    this.model = model;
    this.state = badge('');
    this.source = h('span', { class: 'place' });
    this.submitted = h('span', { class: 'submitted' });
    this.labels = h('span', { class: 'labels' });
    this.actions = h('div', { class: 'actions' });
    this.error = h('p', { class: 'problem', hidden: true });
    this.bar = meter(0);
    this.figures = h('dl', { class: 'figures' });
    this.element = h('header', { class: 'title-head' },
      h('div', { class: 'line' }, h('h1', {}, model.name), this.state, this.actions),
      h('p', { class: 'dim from' }, 'of ', this.source, ' ', this.submitted, ' ', this.labels),
      this.error, this.bar, this.figures);
  }

  update() {
    const { title, gone } = this.model;
    const state = gone ? 'removed' : title.state;
    if (this.state.dataset.state && this.state.dataset.state !== state) {
      say(`${title.title} is ${state}.`);
    }
    setBadge(this.state, state);
    setText(this.source, lastPart(title.source ?? ''));
    this.source.title = title.source ?? '';
    setText(this.submitted, title.submitted_at ? `submitted ${moment(title.submitted_at)}` : '');
    if (this.labelled !== title.labels.join()) {
      this.labelled = title.labels.join();
      this.labels.replaceChildren(...title.labels.map((label) => h('a', { class: 'chip', href: `#/titles?label=${label}` }, label)));
    }
    const missing = (title.missing ?? []).map(({ id, error }) => `It goes without its ${id}: ${error}.`);
    const problem = gone ? 'There is no title of this name any more.' : title.error || missing.join(' ');
    this.error.hidden = problem === '';
    setText(this.error, problem);
    const share = title.encoded_total > 0 ? title.encoded_frames / title.encoded_total : title.state === 'done' ? 1 : 0;
    setMeter(this.bar, share, `${Math.round(100 * share)} % of all frames are encoded`);
    this.bar.dataset.state = state;
    this.showFigures();
    this.showActions(state, missing.length > 0);
  }

  showFigures() {
    const { model, model: { title } } = this;
    const busy = isBusy(title.state);
    const speed = model.speed();
    const left = model.left();
    const took = model.took();
    const rungs = title.renditions.filter(({ kind }) => kind === 'video').length;
    const rate = title.seconds > 0 ? title.frames / title.seconds : 0;
    const facts = {
      length: title.frames > 0 ? lasting(1000 * title.seconds) : '–',
      encoded: title.encoded_total > 0 ? `${fixed((100 * title.encoded_frames) / title.encoded_total, 0)} %` : '–',
      ...(busy ? {
        'frames/s': speed > 0 ? perSecond(speed) : '–',
        speed: speed > 0 && rungs > 0 ? `${fixed(speed / rungs / rate, 2)}×` : '–',
        'time left': left === null ? '–' : lasting(left),
        workers: whole(title.workers_busy),
      } : {}),
      [busy ? 'so far' : 'took']: took === null ? '–' : lasting(took),
      'CPU time': lasting(1000 * title.stats.cpu_s),
      ...(title.stats.failures + title.stats.losses > 0
        ? { trouble: troubleOf(title.stats) } : {}),
    };
    const names = Object.keys(facts);
    if (this.names !== names.join()) {
      this.names = names.join();
      this.figures.replaceChildren(...names.map((name) => h('div', {}, h('dt', {}, name), h('dd', { 'data-fact': name }))));
    }
    for (const [name, value] of Object.entries(facts)) {
      setText(this.figures.querySelector(`[data-fact="${name}"]`), value);
    }
  }

  showActions(state, lacks) {
    const offered = `${state} ${lacks}`;
    if (this.offered === offered || !may.submit()) {
      return;
    }
    this.offered = offered;
    const fits = ({ states, ifLacking = [] }) => states.includes(state) || (lacks && ifLacking.includes(state));
    this.actions.replaceChildren(...deeds.filter(fits).map((deed) => h('button', {
      class: 'plain', onclick: () => this.act(deed),
    }, deed.name)));
  }

  async act({ name, method, path, ask, said }) {
    const title = this.model.name;
    if (ask && !await confirmed(`${name} ${title}?`, ask, name)) {
      return;
    }
    try {
      await call(method, `/v1/titles/${title}${path}`);
      say(`${title} ${said}.`);
      await this.model.look().catch((error) => this.model.lose(error));
    } catch (error) {
      notice(error.message);
    }
  }
}
