// SPDX-License-Identifier: GPL-2.0-or-later
// A new title: what its ladder would make of the source, before it is sent.
import { call, get, session } from './api.js';
import { h, notice } from './dom.js';
import {
  bitrate, lasting, lastPart, plural, whole,
} from './format.js';

export async function submitView(place, { signal }) {
  const [{ ladders }, { titles }] = await Promise.all([
    get('/v1/ladders', { signal }), get('/v1/titles?limit=1', { signal })]);
  new Form(place, ladders, titles[0]?.output ?? '').build();
}

// "My Film (2024).mov" -> "my-film-2024".
const nameOf = (source) => lastPart(source).replace(/\.[^.]+$/, '').toLowerCase()
  .replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+|-+$/g, '').slice(0, 128);

class Form {
  constructor(place, ladders, output) {
    Object.assign(this, { place, ladders, output });
    this.document = null; // of a probe
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
      h('details', {}, h('summary', {}, 'More'),
        this.field('labels', 'Labels', { placeholder: 'kind=film year=2024' }, 'NAME=VALUE, separated by blanks.'),
        this.field('priority', 'Priority', { type: 'number', min: -100, max: 100, placeholder: '0' }, 'Higher is sooner.'),
        this.field('deadline', 'To be done by', { type: 'datetime-local' }),
        session.tenant === '' && this.field('tenant', 'Tenant', { pattern: '[A-Za-z0-9._\\-]*', maxlength: 64 }),
        this.field('probe', 'What a probe found', { type: 'file', accept: '.json,application/json', onchange: () => this.readProbe() },
          'The file of reelfarm probe SOURCE --json: then the plan is known before any worker has read the source.'),
        h('div', { class: 'field' }, h('label', { class: 'check' }, this.force = h('input', { type: 'checkbox', name: 'force' }), 'Make all of it again, though it was made before'))),
      this.problem,
      h('p', { class: 'actions' },
        h('button', { class: 'plain', value: 'plan' }, 'Show the plan'),
        h('button', { class: 'primary', value: 'send' }, 'Submit')));
    this.place.append(h('h1', {}, 'Submit'), h('div', { class: 'split' }, own,
      h('aside', { 'aria-label': 'Ladder and plan' }, h('h2', {}, 'Ladder'), this.about = h('p', { class: 'dim' }), this.rungs, this.plan)));
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
    const head = ['rung', 'encoder', 'quality', 'most'];
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
    this.plan.replaceChildren();
    this.problem.hidden = true;
  }

  async readProbe() {
    this.document = null;
    const [file] = this.probe.files;
    if (file) {
      try {
        const text = JSON.parse(await file.text());
        this.document = text.source ?? text;
      } catch {
        this.refuse('The file is no JSON; reelfarm probe SOURCE --json writes such.');
      }
    }
  }

  body() {
    const body = {
      title: this.title.value.trim(), source: this.source.value.trim(), output: this.output.value.trim().replace(/(.)\/+$/, '$1'), ladder: this.chosen(), force: this.force.checked,
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
    const buttons = event.target.querySelectorAll('button');
    buttons.forEach((button) => { button.disabled = true; });
    notice('');
    try {
      if (wantsPlan) {
        const more = this.document ? { document: this.document } : {};
        this.showPlan(await call('POST', '/v1/plans', { ...this.body(), ...more }));
        this.problem.hidden = true;
      } else {
        const { title } = await call('POST', '/v1/titles', this.body());
        location.hash = `#/titles/${title}`;
      }
    } catch (error) {
      this.refuse(error.message);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  }

  showPlan(plan) {
    if (plan.runs) {
      this.plan.replaceChildren(h('h2', {}, 'Plan'), h('p', {}, 'Just this runs already.'));
      return;
    }
    if (plan.source === 'unknown') {
      this.plan.replaceChildren(h('h2', {}, 'Plan'),
        h('p', {}, 'No worker has read this source yet. When one has, it gets the rungs above that are no larger than its picture.'),
        h('p', { class: 'dim' }, 'To know more before, give what a probe found (under More).'));
      return;
    }
    const { renditions, dropped } = plan;
    this.plan.replaceChildren(h('h2', {}, 'Plan'),
      h('p', {}, `${lasting(1000 * plan.seconds)}, ${plural(plan.frames, 'frame')}, ${plural(plan.chunks, 'chunk')} of each rung. `,
        h('strong', {}, `${whole(plan.encoded)} of ${plural(plan.encoded + plan.reused, 'piece')} would be made`),
        `, in about ${lasting(1000 * plan.encoded_s)} of one core${plan.reused > 0 ? `; ${lasting(1000 * plan.reused_s)} are saved` : ''}.`),
      h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Planned renditions' }, h('table', {}, h('thead', {}, h('tr', {}, ['rendition', 'made', 'reused', 'core time']
        .map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))),
      h('tbody', {}, renditions.map((one) => h('tr', {}, h('th', { scope: 'row' }, one.id), h('td', { class: 'number' }, whole(one.encoded)),
        h('td', { class: 'number' }, whole(one.reused)), h('td', { class: 'number' }, lasting(1000 * one.encoded_s))))))),
      ...(dropped.length > 0 ? [h('ul', { class: 'dropped' }, dropped.map(({ name, reason }) => h('li', {}, h('strong', {}, name), ` is left out: ${reason}`)))] : []));
  }
}
