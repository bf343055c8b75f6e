// SPDX-License-Identifier: GPL-2.0-or-later
// The list of titles. However many there are, the page has only the rows that are on screen: the
// API's pages are fetched as they come near, and a search goes on through them to the end.
import {
  every, follow, get, lastEvent, may,
} from './api.js';
import {
  h, keyed, meter, notice, say, setMeter, setText,
} from './dom.js';
import { lastPart, whole } from './format.js';
import {
  badge, isBusy, setBadge, stateAfter, titleStates,
} from './states.js';

const PAGE = 500;
const AHEAD = 60; // rows that are fetched before they are needed
const SPARE = 8; // rows above and below the screen
const PROGRESS_MS = 2500;
const PROGRESS_ROWS = 12; // running titles whose progress is asked for
const GATHER_MS = 400; // news of the feed come together
const LABELS = 4; // that a list may be asked for
const word = /^[A-Za-z0-9._-]*$/;
const shapes = { state: word, tenant: word, label: /^([A-Za-z0-9._-]+=[A-Za-z0-9._-]+(,(?=.)|$)){0,4}$/ };

export async function titlesView(place, { query, signal, onState }) {
  const list = new TitleList(place, query, signal);
  list.build();
  const after = await lastEvent(signal);
  await list.more();
  follow({
    after,
    onState,
    onEvents: (events) => list.hear(events),
  }, signal);
  every(PROGRESS_MS, signal, () => list.progress(), (error) => notice(error.message));
}

class TitleList {
  constructor(place, query, signal) {
    Object.assign(this, { place, signal });
    this.search = query.get('q') ?? '';
    this.filters = {
      state: query.get('state') ?? '', label: query.get('label') ?? '', tenant: query.get('tenant') ?? '',
    };
    this.forget();
    this.done = new Map(); // title -> share
  }

  forget() {
    this.titles = []; // all that were fetched, newest first
    this.byName = new Map();
    this.next = undefined; // cursor of the next page; null: there is none
    this.rows = []; // those that the search finds
  }

  // ---- what there is -------------------------------------------------------------------

  path(before, limit = PAGE) {
    const wanted = Object.entries({ ...this.filters, before: before ?? '' }).filter(([, value]) => value !== '');
    return `/v1/titles?limit=${limit}${wanted.map(([name, value]) => `&${name}=${value}`).join('')}`;
  }

  finds(title) {
    return this.search === '' || title.title.includes(this.search.toLowerCase())
      || title.source.toLowerCase().includes(this.search.toLowerCase());
  }

  // Fetches pages until what is on screen is there, one call at a time.
  async more() {
    if (this.fetching) {
      return;
    }
    this.fetching = true;
    try {
      while (this.next !== null && this.wants() && !this.signal.aborted) {
        const generation = this.titles;
        const page = await get(this.path(this.next), { signal: this.signal });
        if (generation !== this.titles) {
          continue; // the filters are others now
        }
        this.next = page.next;
        for (const title of page.titles.filter(({ title: name }) => !this.byName.has(name))) {
          this.titles.push(title);
          this.byName.set(title.title, title);
          if (this.finds(title)) {
            this.rows.push(title);
          }
        }
        this.show();
      }
    } finally {
      this.fetching = false;
    }
    this.show();
  }

  wants() {
    return this.window().last + AHEAD > this.rows.length;
  }

  sift() {
    this.rows = this.titles.filter((title) => this.finds(title));
    this.show();
    this.fetch();
  }

  fetch() {
    this.more().catch((error) => {
      if (!this.signal.aborted && error.name !== 'AbortError') {
        notice(error.message);
      }
    });
  }

  // ---- news ------------------------------------------------------------------------------

  hear(events) {
    let isNews = false;
    for (const { title, kind } of events) {
      const known = this.byName.get(title);
      if (known && stateAfter[kind]) {
        known.state = stateAfter[kind];
      }
      isNews = isNews || kind.startsWith('title.');
    }
    if (isNews && !this.gathering) {
      this.gathering = setTimeout(() => this.refresh(), GATHER_MS);
    }
  }

  // The first page again: what is new is in it.
  async refresh() {
    this.gathering = null;
    if (this.signal.aborted) {
      return;
    }
    const generation = this.titles;
    const page = await get(this.path(null), { signal: this.signal }).catch(() => null);
    if (page === null || generation !== this.titles) {
      return;
    }
    const fresh = new Set(page.titles.map(({ title }) => title));
    const isWhole = page.next === null;
    const rest = this.titles.filter(({ title, state }) => !fresh.has(title) && !isWhole
      && (this.filters.state === '' || state === this.filters.state));
    this.titles = [...page.titles, ...rest];
    this.byName = new Map(this.titles.map((title) => [title.title, title]));
    this.next = isWhole ? null : this.next ?? page.next;
    this.rows = this.titles.filter((title) => this.finds(title));
    this.show();
  }

  // How far those are that run and are on screen.
  async progress() {
    const { first, last } = this.window();
    const running = this.rows.slice(first, last).filter(({ state }) => state === 'running').slice(0, PROGRESS_ROWS);
    await Promise.all(running.map(async ({ title }) => {
      const now = await get(`/v1/titles/${title}`, { signal: this.signal }).catch(() => null);
      if (now?.encoded_total > 0) {
        this.done.set(title, now.encoded_frames / now.encoded_total);
      }
    }));
    if (running.length > 0) {
      this.show();
    }
  }

  // ---- what is shown -----------------------------------------------------------------------

  build() {
    this.count = h('p', { class: 'dim count', role: 'status' });
    this.body = h('div', { class: 'rows', role: 'rowgroup' });
    this.table = h('div', {
      class: 'list', role: 'table', 'aria-label': 'Titles', onkeydown: (event) => this.key(event),
    },
    h('div', { role: 'rowgroup' }, h('div', { class: 'row head', role: 'row', 'aria-rowindex': '1' },
      ['State', 'Title', 'Labels', 'Tenant', 'Source'].map((name) => h('span', { role: 'columnheader' }, name)))),
    this.body);
    this.empty = h('div', { class: 'empty', hidden: true });
    this.place.append(
      h('h1', { class: 'unseen' }, 'Titles'),
      this.tools(), this.count, this.table, this.empty);
    const onMove = () => {
      if (!this.painting) {
        this.painting = requestAnimationFrame(() => {
          this.painting = null;
          this.show();
          this.fetch();
        });
      }
    };
    window.addEventListener('scroll', onMove, { passive: true, signal: this.signal });
    window.addEventListener('resize', onMove, { signal: this.signal });
    document.addEventListener('keydown', (event) => {
      if (event.key === '/' && !event.ctrlKey && !event.target.closest('input, select, textarea')) {
        event.preventDefault();
        this.place.querySelector('#search').focus();
      }
    }, { signal: this.signal });
  }

  tools() {
    const field = (name, label, placeholder) => h('label', { class: 'field' }, h('span', {}, label), h('input', {
      id: `filter-${name}`,
      value: this.filters[name],
      placeholder,
      spellcheck: 'false',
      autocapitalize: 'off',
      onchange: (event) => this.filter(name, event.target.value.trim()),
    }));
    const states = ['', ...titleStates].map((state) => h('button', {
      class: 'choice',
      'aria-pressed': state === this.filters.state,
      onclick: (event) => {
        for (const button of event.target.parentElement.children) {
          button.setAttribute('aria-pressed', button === event.target);
        }
        this.filter('state', state);
      },
    }, state === '' ? 'all' : state));
    return h('div', { class: 'tools', role: 'search' },
      h('label', { class: 'field grow' }, h('span', {}, 'Search', h('kbd', { 'aria-hidden': 'true' }, '/')), h('input', {
        id: 'search',
        type: 'search',
        value: this.search,
        placeholder: 'name or source',
        spellcheck: 'false',
        oninput: (event) => {
          this.search = event.target.value.trim();
          this.remember();
          window.scrollTo(0, 0);
          this.sift();
        },
      })),
      field('label', 'Label', 'kind=film'),
      may.seeFarm() && field('tenant', 'Tenant', 'any'),
      h('div', { class: 'choices', role: 'group', 'aria-label': 'State' }, states));
  }

  // The address says what is looked for, so that it may be sent to others; no history of it.
  remember() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ q: this.search, ...this.filters })) {
      if (value !== '') {
        query.set(name, value);
      }
    }
    history.replaceState(null, '', `#/titles${query.size > 0 ? `?${query}` : ''}`);
  }

  filter(name, value) {
    if (!shapes[name].test(value)) {
      notice(name === 'label' ? `A label is NAME=VALUE of letters, digits, '.', '_' and '-'; up to ${LABELS} have commas between.`
        : `A ${name} has letters, digits, '.', '_' and '-' alone.`);
      return;
    }
    notice('');
    this.filters[name] = value;
    this.place.querySelector(`#filter-${name}`)?.setAttribute('value', value);
    this.remember();
    this.forget();
    window.scrollTo(0, 0);
    this.show();
    this.fetch();
  }

  rowHeight() {
    return parseFloat(getComputedStyle(this.table).getPropertyValue('--row'))
      * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  // The rows that are on screen, and some more.
  window() {
    const height = this.rowHeight();
    const top = this.body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - SPARE);
    return { height, first, last: first + Math.ceil(window.innerHeight / height) + 2 * SPARE };
  }

  show() {
    const { height, first, last } = this.window();
    this.body.style.height = `${this.rows.length * height}px`;
    const rows = this.rows.slice(first, last).map((title, i) => ({ title, index: first + i }));
    keyed(this.body, rows, ({ title }) => title.title, (row) => this.create(row), (element, row) => {
      this.update(element, row, height);
    });
    const isAll = this.next === null;
    this.table.setAttribute('aria-rowcount', isAll ? this.rows.length + 1 : -1);
    this.tell(isAll);
  }

  tell(isAll) {
    const searched = this.search !== '';
    const found = `${whole(this.rows.length)}${searched ? ` of ${whole(this.titles.length)}` : ''}`;
    const more = isAll ? '' : searched ? ', searching on …' : ' so far, more as you scroll';
    const isEmpty = isAll && this.rows.length === 0;
    setText(this.count, this.next === undefined ? 'Fetching …' : `${found} ${(searched ? this.titles : this.rows).length === 1 ? 'title' : 'titles'}${more}`);
    this.table.hidden = isEmpty;
    this.empty.hidden = !isEmpty;
    if (isEmpty) {
      this.tellNone(searched || Object.values(this.filters).some((value) => value !== ''));
    }
  }

  // None at all, or none that is as asked.
  tellNone(isAsked) {
    const kind = isAsked ? 'asked' : 'all';
    if (this.empty.dataset.of !== kind) {
      this.empty.dataset.of = kind;
      this.empty.replaceChildren(h('p', {}, isAsked ? 'There is no title here that is so.' : 'There is no title here.'),
        isAsked ? h('p', {}, h('a', { class: 'button', href: '#/titles' }, 'All titles'))
          : may.submit() ? h('p', {}, h('a', { class: 'button primary', href: '#/submit' }, 'Submit one'))
            : h('p', { class: 'dim' }, 'They come with ', h('code', {}, 'reelfarm submit'), '.'));
    }
  }

  create({ title }) {
    const cell = (name, ...children) => h('span', { role: 'cell', class: name }, children);
    return h('div', { class: 'row', role: 'row' },
      cell('state', badge(title.state)),
      cell('title', h('a', { href: `#/titles/${title.title}` }, title.title), meter(0), h('span', { class: 'failure', hidden: true })),
      cell('labels', title.labels.map((label) => h('button', {
        class: 'chip', tabindex: -1, title: `only titles with ${label}`, onclick: () => this.pick(label),
      }, label))),
      cell('tenant', title.tenant || h('span', { class: 'dim' }, '–')),
      cell('source', h('span', { title: title.source }, lastPart(title.source))));
  }

  // A label that was clicked, beside those of other names that are asked for.
  pick(label) {
    const name = label.slice(0, label.indexOf('=') + 1);
    const others = this.filters.label.split(',').filter((other) => other !== '' && !other.startsWith(name));
    const labels = [...others, label].slice(-LABELS);
    this.place.querySelector('#filter-label').value = labels.join(',');
    this.filter('label', labels.join(','));
    say(`Only titles with ${labels.join(' and ')} are shown.`);
  }

  update(element, { title, index }, height) {
    element.style.transform = `translateY(${index * height}px)`;
    element.setAttribute('aria-rowindex', index + 2);
    element.dataset.index = index;
    setBadge(element.querySelector('.badge'), title.state);
    const failure = element.querySelector('.failure');
    const fails = ['failed', 'failing'].includes(title.state) && title.error !== '';
    failure.hidden = !fails;
    setText(failure, fails ? title.error : '');
    failure.title = fails ? title.error : '';
    element.classList.toggle('trouble', fails);
    const bar = element.querySelector('.meter');
    const share = this.done.get(title.title);
    bar.hidden = !(isBusy(title.state) && share !== undefined);
    if (!bar.hidden) {
      setMeter(bar, share, `${Math.round(100 * share)} % of its frames are done`);
    }
  }

  // Arrow keys go from row to row.
  key(event) {
    const page = Math.floor(window.innerHeight / this.rowHeight()) - 2;
    const steps = {
      ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity,
    };
    const row = event.target.closest('.row[data-index]');
    if (!(event.key in steps) || !row || event.ctrlKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const index = Math.min(Math.max(Number(row.dataset.index) + steps[event.key], 0), this.rows.length - 1);
    const height = this.rowHeight();
    const top = this.body.getBoundingClientRect().top + index * height;
    const head = 2 * height;
    if (top < head || top + height > window.innerHeight) {
      window.scrollBy(0, top < head ? top - head : top + height - window.innerHeight);
    }
    this.show();
    this.body.querySelector(`[data-index="${index}"] a`)?.focus({ preventScroll: true });
    this.fetch();
  }
}
