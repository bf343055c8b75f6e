// SPDX-License-Identifier: GPL-2.0-or-later
// What happened to a title, and its versions.
import {
  call, every, may, now,
} from './api.js';
import {
  h, keyed, notice, say, setText,
} from './dom.js';
import {
  lasting, moment, plural, whole, withoutName,
} from './format.js';

const SHOWN = 300; // events at a time
const LOOK_MS = 5000; // how often versions are looked at

const words = {
  'title.submit': 'submitted', 'title.plan': 'planned', 'title.finish': 'done', 'title.publish': 'published', 'title.fail': 'given up',
  'title.clear': 'what it made is removed', 'title.cancel': 'cancelled', 'title.remove': 'to be removed', 'title.drop': 'removed',
  'unit.unblock': 'may begin', 'unit.block': 'waits again', 'unit.lease': 'given out', 'unit.hedge': 'given out a second time',
  'unit.yield': 'another was first', 'unit.adopt': 'taken up again', 'unit.complete': 'done', 'unit.reuse': 'made before',
  'unit.retry': 'failed, to be tried again', 'unit.return': 'lost, given back', 'unit.redo': 'to be made again',
  'unit.fail': 'failed', 'unit.cancel': 'stopped', 'version.drop': 'old versions dropped', 'version.rollback': 'goes back to a version of before',
  'publication.want': 'is to have', 'publication.held': 'has', 'publication.fail': 'did not get', 'publication.withdraw': 'is to lose', 'publication.gone': 'no longer has',
  'publication.fetches': 'no longer has, but fetches from the output',
  'early.begin': 'may be watched', 'early.end': 'all of it may be watched',
};
const troubles = ['title.fail', 'unit.retry', 'unit.return', 'unit.fail', 'unit.redo', 'publication.fail'];
const ofTitle = /^(title|version|early)\./;

// An end of a push is told once more, of its endpoint.
const isNews = ({ kind, detail }) => detail?.kind !== 'push' || !['unit.complete', 'unit.retry'].includes(kind);

export async function eventsOf(place, model) {
  let troubleAlone = false;
  let most = SHOWN;
  const count = h('p', { class: 'dim count', role: 'status' });
  const list = h('ol', { class: 'events' });
  const more = h('button', { class: 'plain', hidden: true, onclick: () => { most += SHOWN; update(); } }, 'Show more');
  const only = h('label', { class: 'check' }, h('input', {
    type: 'checkbox', onchange: (event) => { troubleAlone = event.target.checked; update(); },
  }), 'only what went wrong');
  place.append(h('div', { class: 'tools line' }, count, only), list, more);
  function update() {
    const found = model.events.filter((event) => isNews(event) && (!troubleAlone || troubles.includes(event.kind)));
    const shown = found.slice(-most).reverse();
    setText(count, `${plural(found.length, 'event')}, the newest first`);
    keyed(list, shown, ({ seq }) => seq, (event) => row(event, model), () => {});
    more.hidden = found.length <= most;
  }
  model.on(update);
  update();
}

// What happened to what: a unit, or an endpoint.
function happened({ kind, unit: id, detail = {} }, model) {
  const unit = model.units.get(id);
  const what = unit?.rendition ? `${unit.rendition}${unit.chunk >= 0 ? ` chunk ${unit.chunk + 1}` : ''}`
    : unit?.kind ?? detail.kind ?? (detail.count ? plural(detail.count, 'unit') : `unit ${id}`);
  return detail.endpoint ? `${detail.endpoint} ${words[kind] ?? kind} ${detail.version ? `version ${detail.version}` : 'it'}`
    : `${what}: ${words[kind] ?? kind}`;
}

function row(event, model) {
  const { kind, at, detail = {} } = event;
  const where = detail.worker ? ` on ${detail.worker}${detail.attempt > 1 ? `, attempt ${detail.attempt}` : ''}` : '';
  const why = withoutName(detail.endpoint, detail.message ?? detail.error ?? detail.versions?.join(', ') ?? '');
  return h('li', { class: troubles.includes(kind) ? 'trouble' : null },
    h('time', { datetime: new Date(at).toISOString() }, moment(at)),
    h('span', { class: 'what' }, ofTitle.test(kind) ? h('strong', {}, words[kind] ?? kind) : happened(event, model), where),
    why && h('span', { class: 'dim reason' }, detail.class && !detail.endpoint ? `${detail.class}: ` : '', why));
}

// What edges still have goes with time alone, of which the title's news say nothing.
export async function versionsOf(place, model, { signal }) {
  const list = h('ul', { class: 'cards' });
  const empty = h('p', { class: 'dim', hidden: true }, 'No version was published yet.');
  place.append(empty, list);
  let seen = '';
  const look = async () => {
    const { versions, edges } = await model.get('/versions');
    const cards = withEdges(versions, edges);
    empty.hidden = cards.length > 0;
    keyed(list, cards, asWhat, (version) => createVersion(version, model), (card, version) => updateVersion(card, version, model));
  };
  model.on(() => {
    const { state, version: current, publications = [] } = model.title;
    const told = [state, current, ...publications.map(({ held }) => held)].join(' ');
    if (seen !== told && !signal.aborted) {
      seen = told;
      look().catch((error) => !signal.aborted && notice(error.message));
    }
  });
  await every(LOOK_MS, signal, () => !model.gone && look(), (error) => (error.status === 404 ? model.lose(error) : notice(error.message)));
}

// Each with what edges have of it; behind them what edges alone have, since the output has dropped it.
function withEdges(versions, edges) {
  const of = (name) => edges.filter(({ version }) => version === name);
  const known = new Set(versions.map(({ version }) => version));
  const alone = [...new Set(edges.map(({ version }) => version))].filter((name) => !known.has(name));
  return [...versions, ...alone.map((version) => ({ version, alone: true }))].map((version) => ({ ...version, edges: of(version.version) }));
}

// An edge with it, and for how long at least.
function edgeText({ endpoint, kept_until: kept, leaving }) {
  const time = leaving ? 'being taken from there' : kept === null ? 'until it has another'
    : kept > now() ? `for ${lasting(kept - now())} or longer` : '';
  return time ? `${endpoint} (${time})` : endpoint;
}

async function rollBack(model, version) {
  try {
    await call('POST', `/v1/titles/${model.name}/rollback`, { version });
    say(`${model.name} goes back to version ${version}.`);
    location.hash = `#/titles/${model.name}`;
  } catch (error) {
    notice(error.message);
  }
}

// What a card can't become.
const asWhat = ({
  version, current, dropping, alone, media,
}) => [version, current, dropping, alone, media].join(' ');

function createVersion({
  version, output, media, current, dropping, alone,
}, model) {
  const state = alone ? 'at edges alone' : dropping ? 'being removed' : current ? 'current' : 'replaced';
  return h('li', { class: 'card' },
    h('header', {}, h('h2', { class: 'code' }, version), h('span', { class: 'badge', 'data-state': current ? 'done' : 'cancelled' }, state),
      h('span', { class: 'actions' },
        model.title.publications && may.submit() && !current && !dropping && !alone && h('button', {
          class: 'plain small', onclick: () => rollBack(model, version),
        }, 'Make current'),
        media && !dropping && h('a', { class: 'button plain small', href: `#/titles/${model.name}/play?version=${version}` }, 'Play'))),
    output && h('p', { class: 'place' }, output),
    h('dl', { class: 'facts' }));
}

function updateVersion(card, {
  current, since, until, kept_until: kept, edges,
}, model) {
  const facts = {
    since: since && moment(since),
    replaced: until && moment(until),
    'kept for': kept && (kept > now() ? `${lasting(kept - now())} or longer` : 'its time is past'),
    'edges that still have it': edges.map(edgeText).join(', '),
    frames: current && model.title.frames > 0 && whole(model.title.frames),
  };
  keyed(card.querySelector('.facts'), Object.entries(facts).filter(([, text]) => text), ([name]) => name,
    ([name]) => h('div', {}, h('dt', {}, name), h('dd')), (element, [, text]) => setText(element.lastChild, text));
}
