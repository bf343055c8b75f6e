// SPDX-License-Identifier: GPL-2.0-or-later
// What the page knows of one title: its document, plan, units and events, kept up to date by the
// feed. Views call on(f), and f is called whenever something has changed.
import {
  every, follow, get, now, pastEvents,
} from './api.js';
import { ratio, runs } from './format.js';
import { isBusy } from './states.js';

const LOOK_MS = 2000; // how often a title is looked at that changes
const GATHER_MS = 250;
const RATE_MS = 20000; // frames a second are those of so long
const UNITS_PAGE = 5000;
const REPORTS_PAGE = 500;

// What becomes of a unit by an event; `state` undefined: it stays as it was.
const unitMoves = {
  'unit.lease': { state: 'leased' },
  'unit.hedge': { state: 'leased' },
  'unit.adopt': { state: 'leased' },
  'unit.complete': { state: 'done' },
  'unit.reuse': { state: 'done', reused: true },
  'unit.retry': { state: 'ready', failures: 1 },
  'unit.return': { state: 'ready', losses: 1 },
  'unit.redo': { state: 'ready' },
  'unit.unblock': { state: 'ready' },
  'unit.block': { state: 'blocked' },
  'unit.fail': { state: 'failed', failures: 1 },
  'unit.cancel': { state: 'cancelled' },
};
const pushing = ['waiting', 'running', 'withdrawing'];
const begins = ['unit.lease', 'unit.hedge', 'unit.adopt'];
const ends = ['unit.complete', 'unit.retry', 'unit.return', 'unit.yield', 'unit.fail', 'unit.block']; // early playlists go on later
const stops = ['title.cancel', 'title.fail'];

// Starts of chunks in seconds, and the end.
function chunkStarts(grid) {
  const rate = ratio(grid.rate);
  const gops = runs(grid.gops);
  const segments = runs(grid.segments);
  const starts = [0];
  let gop = 0;
  let segment = 0;
  let frame = 0;
  for (const count of runs(grid.chunks)) {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < segments[segment]; j++) {
        frame += gops[gop];
        gop += 1;
      }
      segment += 1;
    }
    starts.push(frame / rate);
  }
  return starts;
}

export class TitleModel {
  constructor(name, signal) {
    Object.assign(this, { name, signal });
    this.title = null;
    this.plan = null;
    this.chunks = []; // starts in seconds, and the end
    this.units = new Map();
    this.events = [];
    this.tasks = new Map(); // by fence: what a worker was given, from when to when
    this.segments = new Map(); // rendition -> [{ start, end, bytes }], once asked for
    this.samples = []; // [ms, frames], of which the speed is
    this.gone = false;
    this.listeners = new Set();
  }

  on(listener) {
    this.listeners.add(listener);
    this.signal.addEventListener('abort', () => this.listeners.delete(listener));
  }

  off(listener) {
    this.listeners.delete(listener);
  }

  changed() {
    if (!this.telling) {
      this.telling = requestAnimationFrame(() => {
        this.telling = null;
        for (const listener of this.listeners) {
          listener();
        }
      });
    }
  }

  // ---- from the API ----------------------------------------------------------------------

  get(path) {
    return get(`/v1/titles/${this.name}${path}`, { signal: this.signal });
  }

  async look() {
    this.title = await this.get('');
    this.sample();
    const { trace } = this.title;
    if (!this.plan || this.plan.trace !== trace) {
      await this.readPlan(trace);
    }
    this.changed();
  }

  async readPlan(trace) {
    const plan = await this.get('/plan').catch((error) => {
      if (error.status === 404) {
        return null;
      }
      throw error;
    });
    if (plan) {
      this.plan = { ...plan, trace };
      this.chunks = chunkStarts(plan.grid);
      await this.readUnits();
    }
  }

  async readUnits() {
    const units = new Map();
    let after = 0;
    while (after !== null) {
      const page = await this.get(`/units?reports=false&limit=${UNITS_PAGE}&after=${after}`);
      page.units.forEach((unit) => units.set(unit.id, unit));
      after = page.next;
    }
    this.units = units;
    this.changed();
  }

  // The sizes of segments come with reports, which only who shows bitrates asks for.
  async readSegments() {
    this.wantsSegments = true;
    let after = 0;
    while (after !== null && !this.signal.aborted) {
      const page = await this.get(`/units?limit=${REPORTS_PAGE}&after=${after}`);
      page.units.forEach((unit) => this.takeReport(unit));
      after = page.next;
      this.changed();
    }
  }

  takeReport({ id, rendition, report }) {
    const plan = this.plan?.renditions.find(({ id: name }) => name === rendition);
    if (!report || !plan) {
      return;
    }
    const scale = plan.is_video ? Number(plan.spec.rate.split('/')[0]) : plan.spec.sample_rate;
    const own = report.segments.map(({ decode_time: at, duration, bytes }) => (
      { unit: id, start: at / scale, end: (at + duration) / scale, bytes }));
    const others = (this.segments.get(rendition) ?? []).filter(({ unit }) => unit !== id);
    this.segments.set(rendition, [...others, ...own].sort((a, b) => a.start - b.start));
  }

  // ---- from the feed -----------------------------------------------------------------------

  take(events) {
    for (const event of events) {
      this.events.push(event);
      this.takeTask(event);
    }
    this.changed();
  }

  takeTask({ kind, at, unit, detail, trace }) {
    if (stops.includes(kind)) {
      [...this.tasks.values()].filter((task) => task.trace === trace && task.end === null && task.kind !== 'push')
        .forEach((task) => Object.assign(task, { end: at, how: 'stop' }));
    }
    if (detail?.fence === undefined) {
      return;
    }
    const task = this.tasks.get(detail.fence);
    if (begins.includes(kind) && !task) {
      this.tasks.set(detail.fence, {
        fence: detail.fence, kind: detail.kind, worker: detail.worker, trace, start: at, end: null, how: '', units: [unit], hedge: kind === 'unit.hedge',
      });
    } else if (begins.includes(kind)) {
      task.units.push(unit);
    } else if (task && ends.includes(kind)) {
      const how = kind === 'unit.block' ? (detail.class ? 'retry' : 'complete') : kind.slice(5);
      Object.assign(task, { end: at, how, message: detail.message });
    }
  }

  // What happened while the page looks on.
  hear(events) {
    let wantsUnits = false;
    for (const { kind, unit, detail } of events) {
      const move = unitMoves[kind];
      const known = this.units.get(unit);
      if (move && known) {
        known.state = move.state ?? known.state;
        known.reused = known.reused || (move.reused ?? false);
        known.failures += move.failures ?? 0;
        known.losses += move.losses ?? 0;
      } else if (move && (unit === 0 || detail?.count > 1) && this.plan) {
        wantsUnits = true;
      }
      if (kind === 'unit.complete' && this.wantsSegments && known) {
        this.readReport(unit);
      }
    }
    this.take(events);
    this.soon(wantsUnits);
  }

  async readReport(unit) {
    const page = await this.get(`/units?limit=1&after=${unit - 1}`).catch(() => null);
    page?.units.forEach((one) => this.takeReport(one));
    this.changed();
  }

  soon(wantsUnits) {
    this.wantsUnits = this.wantsUnits || wantsUnits;
    if (!this.gathering) {
      this.gathering = setTimeout(async () => {
        this.gathering = null;
        const units = this.wantsUnits;
        this.wantsUnits = false;
        await this.look().catch((error) => this.lose(error));
        if (units && this.plan) {
          await this.readUnits().catch(() => {});
        }
      }, GATHER_MS);
    }
  }

  lose(error) {
    if (error.status === 404) {
      this.gone = true;
      this.changed();
    }
  }

  // Whether it changes by itself: it is made, or brought somewhere.
  moves() {
    const { state, publications = [] } = this.title;
    return isBusy(state) || publications.some(({ state: how }) => pushing.includes(how));
  }

  // ---- how fast -------------------------------------------------------------------------------

  sample() {
    const at = Date.now();
    const { encoded_frames: frames, renditions } = this.title;
    const rungs = new Map(renditions.map(({ id, frames_done: done }) => [id, done]));
    this.samples.push({ at, frames, rungs });
    while (this.samples.length > 2 && this.samples[0].at < at - RATE_MS) {
      this.samples.shift();
    }
  }

  // Frames a second, of one rendition or of all; 0: not known.
  speed(rendition) {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    const of = ({ frames, rungs }) => (rendition ? rungs.get(rendition) ?? 0 : frames);
    if (!last || last.at - first.at < 1000) {
      return 0;
    }
    return Math.max(0, (1000 * (of(last) - of(first))) / (last.at - first.at));
  }

  left() {
    const speed = this.speed();
    const { encoded_total: total, encoded_frames: done } = this.title;
    return speed > 0 && total > done ? (1000 * (total - done)) / speed : null;
  }

  // From submission to the end of this run, or to now.
  took() {
    const own = this.events.filter(({ trace }) => trace === this.title.trace);
    const first = own.find(({ kind }) => kind === 'title.submit') ?? own[0];
    const last = own.findLast(({ kind }) => ['title.finish', 'title.fail', 'title.cancel'].includes(kind));
    return first ? (isBusy(this.title.state) || !last ? now() : last.at) - first.at : null;
  }

  // Tasks of this run, in order.
  run() {
    return [...this.tasks.values()].filter(({ trace }) => trace === this.title.trace);
  }

  // ---- start --------------------------------------------------------------------------------------

  async start(onState, onError) {
    await this.look();
    this.readPast(onState).catch((error) => !this.signal.aborted && onError(error));
    every(LOOK_MS, this.signal, async () => {
      if (!this.gone && this.moves()) {
        await this.look().catch((error) => {
          this.lose(error);
          if (!this.gone) {
            throw error;
          }
        });
      }
    }, onError);
  }

  async readPast(onState) {
    const after = await pastEvents(this.name, this.signal, (events) => this.take(events));
    await follow({
      title: this.name, after, onState, onEvents: (events) => this.hear(events),
    }, this.signal);
  }
}
