// SPDX-License-Identifier: GPL-2.0-or-later
// A new title: what its source is, and what its ladder would make of that, before it is sent.
import { call, get, session } from './api.js';
import { h, notice, say } from './dom.js';
import {
  bitrate, lasting, lastPart, plural, whole,
} from './format.js';
import { look, sourceFacts } from './source.js';

const states = {
  waiting: 'Waiting for a worker with a free slot to look at the source…',
  running: 'A worker looks at the source…',
};

export async function submitView(place, { signal }) {
  const [{ ladders }, { titles }] = await Promise.all([
    get('/v1/ladders', { signal }), get('/v1/titles?limit=1', { signal })]);
  new Form(place, ladders, titles[0]?.output ?? '', signal).build();
}

// "My Film (2024).mov" -> "my-film-2024".
const nameOf = (source) => lastPart(source).replace(/\.[^.]+$/, '').toLowerCase()
  .replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+|-+$/g, '').slice(0, 128);

class Form {
  constructor(place, ladders, output, signal) {
    Object.assign(this, {
      place, ladders, output, signal,
    });
    this.found = null; // what a worker found, and of which source and ladder
    this.looking = new AbortController();
    signal.addEventListener('abort', () => this.looking.abort());
  }

  field(name, label, { tag = 'input', children = [], ...attributes }, hint) {
    const id = `submit-${name}`;
    const input = h(tag, {
      id, name, spellcheck: 'false', autocapitalize: 'off', 'aria-describedby': hint ? `${id}-hint` : null, ...attributes,
    }, children);
    this[name] = input;
    return h('div', { class: 'field' }, h('label', { for: id }, label), input, hint && h('p', { class: 'dim hint', id: `${id}-hint` }, hint));
  }

  build() {
    this.rungs = h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Rungs of the ladder' });
    this.plan = h('div', { class: 'plan', role: 'status' });
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    const ladders = this.ladders.map(({ name }) => h('option', { value: name }, name));
    const own = h('form', { class: 'submit-form', onsubmit: (event) => this.send(event), oninput: () => this.stale() },
      this.field('source', 'Source', { required: true, placeholder: 's3://masters/film.mov', onchange: () => this.suggest() }, 'A path or URL that all workers can read.'),
      this.field('title', 'Title', { required: true, pattern: '[a-z0-9][a-z0-9._\\-]*', maxlength: 128 }, 'Its name: a-z, 0-9, ., _ and -.'),
      this.field('output', 'Output', { required: true, value: this.output, placeholder: 's3://streams' }, 'The folder above the title’s.'),
      this.field('ladder', 'Ladder', { tag: 'select', children: ladders, onchange: () => this.showLadder() }),
      h('div', { class: 'field' },
        h('label', { class: 'check' }, this.early = h('input', { type: 'checkbox', name: 'early', 'aria-describedby': 'submit-early-hint' }), 'Can be watched while it is encoded'),
        h('p', { class: 'dim hint', id: 'submit-early-hint' }, 'early.m3u8 grows with it: HLS of the H.264 rungs and AAC, seconds after the start.')),
      h('details', {}, h('summary', {}, 'More'),
        this.field('labels', 'Labels', { placeholder: 'kind=film year=2024' }, 'NAME=VALUE, separated by blanks.'),
        this.field('priority', 'Priority', { type: 'number', min: -100, max: 100, placeholder: '0' }, 'Higher is sooner.'),
        this.field('deadline', 'To be done by', { type: 'datetime-local' }),
        session.tenant === '' && this.field('tenant', 'Tenant', { pattern: '[A-Za-z0-9._\\-]*', maxlength: 64 }),
        h('div', { class: 'field' }, h('label', { class: 'check' }, this.force = h('input', { type: 'checkbox', name: 'force' }), 'Make all of it again, though it was made before'))),
      this.problem,
      h('p', { class: 'actions' },
        h('button', { class: 'plain', value: 'plan' }, 'Show the plan'),
        h('button', { class: 'primary', value: 'send' }, 'Submit')));
    this.place.append(h('h1', {}, 'Submit'), h('div', { class: 'split' }, own,
      h('aside', { 'aria-label': 'Ladder and plan' },
        this.plan, h('section', { class: 'card' }, h('h2', {}, 'Ladder'), this.about = h('p', { class: 'dim' }), this.rungs))));
    this.showLadder();
  }

  suggest() {
    if (this.title.value === '' || this.title.value === this.suggested) {
      this.suggested = nameOf(this.source.value);
      this.title.value = this.suggested;
    }
  }

  chosen() {
    return this.ladders.find(({ name }) => name === this.ladder.value) ?? this.ladders[0];
  }

  showLadder() {
    const { description, video, audio } = this.chosen();
    const isAble = video.some(({ codec }) => codec === 'h264');
    this.early.disabled = !isAble;
    this.early.checked = this.early.checked && isAble;
    const head = ['rung', 'encoder', 'quality', 'limit'];
    this.about.textContent = description;
    this.rungs.replaceChildren(h('table', {}, h('thead', {}, h('tr', {}, head.map((name, i) => h('th', { scope: 'col', class: i > 1 ? 'number' : null }, name)))),
      h('tbody', {}, video.map((rung) => h('tr', {},
        h('th', { scope: 'row' }, `${rung.codec}-${rung.height ? `${rung.height}p` : 'source'}`), h('td', {}, `${rung.encoder} ${rung.preset}`),
        h('td', { class: 'number' }, rung.lossless ? 'lossless' : `crf ${rung.crf_hundredths / 100}`),
        h('td', { class: 'number' }, rung.maxrate_bps ? bitrate(rung.maxrate_bps) : '–'))),
      audio.map((sound) => h('tr', {}, h('th', { scope: 'row' }, `${sound.codec}-${sound.channels}`), h('td', {}, sound.encoder), h('td', {}),
        h('td', { class: 'number' }, bitrate(sound.bitrate_bps)))))));
    this.stale();
  }

  // A plan that is not of what the form says now would mislead.
  stale() {
    this.looking.abort();
    this.plan.replaceChildren();
    this.problem.hidden = true;
  }

  body() {
    const body = {
      title: this.title.value.trim(), source: this.source.value.trim(), output: this.output.value.trim().replace(/(.)\/+$/, '$1'), ladder: this.chosen(), force: this.force.checked, early: this.early.checked,
    };
    const labels = this.labels.value.split(/[\s,]+/).filter((label) => label !== '');
    return {
      ...body,
      ...(labels.length > 0 ? { labels } : {}),
      ...(this.priority.value !== '' ? { priority: Number(this.priority.value) } : {}),
      ...(this.deadline.value !== '' ? { deadline: new Date(this.deadline.value).getTime() } : {}),
      ...(this.tenant?.value ? { tenant: this.tenant.value } : {}),
    };
  }

  refuse(text) {
    this.problem.hidden = false;
    this.problem.textContent = text;
  }

  async send(event) {
    event.preventDefault();
    const wantsPlan = event.submitter?.value !== 'send';
    const buttons = event.target.querySelectorAll(wantsPlan ? '[value=plan]' : 'button'); // who has seen enough sends
    buttons.forEach((button) => { button.disabled = true; });
    notice('');
    this.stale();
    try {
      if (wantsPlan) {
        await this.makePlan();
      } else {
        const { title } = await call('POST', '/v1/titles', this.body());
        location.hash = `#/titles/${title}`;
      }
    } catch (error) {
      if (error.name !== 'AbortError') {
        this.plan.replaceChildren();
        this.refuse(error.message);
      }
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  }

  // By what the farm knows of the source; else a worker has a look at it first.
  async makePlan() {
    this.looking = new AbortController();
    const { signal } = this.looking;
    const body = this.body();
    const key = JSON.stringify([body.source, body.ladder]);
    const known = this.found?.key === key ? this.found.facts : {};
    let plan = await call('POST', '/v1/plans', { ...body, ...known }, { signal });
    if (plan.source === 'unknown') {
      const facts = await look(body.source, body.ladder, signal, (state) => this.showLooking(state));
      this.found = { key, facts };
      plan = await call('POST', '/v1/plans', { ...body, ...facts }, { signal });
    }
    const document = this.found?.key === key ? this.found.facts.document
      : (await get(`/v1/titles/${body.title}/plan`, { signal })).source;
    this.showPlan(plan, document);
    say('The plan is there.');
  }

  // On a small screen it is below the form.
  bringIntoView() {
    if (this.plan.getBoundingClientRect().top > 0.8 * window.innerHeight) {
      this.plan.scrollIntoView();
    }
  }

  showLooking(state) {
    if (this.plan.dataset.state !== state || !this.plan.hasChildNodes()) {
      this.plan.dataset.state = state;
      this.plan.replaceChildren(h('section', { class: 'card' }, h('h2', {}, 'Source'),
        h('p', { class: 'looking' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), states[state])));
      this.bringIntoView();
    }
  }

  showPlan(plan, document) {
    const { renditions, dropped } = plan;
    const source = h('section', { class: 'card' }, h('h2', {}, 'Source'), sourceFacts(document));
    const made = h('p', {}, plan.runs && 'Just this runs already. ',
      h('strong', {}, `${whole(plan.encoded)} of ${plural(plan.encoded + plan.reused, 'piece')} would be made`),
      `, in about ${lasting(1000 * plan.encoded_s)} of one core${plan.table_s >= plan.encoded_s && plan.encoded > 0 ? ' (a guess: this farm has made none like them yet)' : ''}`,
      plan.reused > 0 ? `; ${lasting(1000 * plan.reused_s)} are saved.` : '.',
      !plan.exact && ' Some may be reused: that is known when all of the source was read.');
    const table = h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Planned renditions' }, h('table', {}, h('thead', {}, h('tr', {}, ['rendition', 'made', 'reused', 'core time']
      .map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))),
    h('tbody', {}, renditions.map((one) => h('tr', {}, h('th', { scope: 'row' }, one.id), h('td', { class: 'number' }, whole(one.encoded)),
      h('td', { class: 'number' }, whole(one.reused)), h('td', { class: 'number' }, lasting(1000 * one.encoded_s)))))));
    this.plan.replaceChildren(source, h('section', { class: 'card' }, h('h2', {}, 'Plan'), made, table,
      dropped.length > 0 && h('ul', { class: 'dropped' }, dropped.map(({ name, reason }) => h('li', {}, h('strong', {}, name), ` is left out: ${reason}`)))));
    this.bringIntoView();
  }
}
