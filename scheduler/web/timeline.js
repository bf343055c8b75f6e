// SPDX-License-Identifier: GPL-2.0-or-later
// The tasks of a title over its workers: a lane for each slot that was used, a bar for each task.
import { now } from './api.js';
import {
  canvas, colour, h, keyed, rem, setText, small,
} from './dom.js';
import { lasting, moment, plural, whole } from './format.js';
import { isBusy } from './states.js';

// rem:
const LANE = 1.3;
const BETWEEN = 0.7; // workers
const AXIS = 1.7;
const LATER_MS = 60000; // and as long as all else took: what is pushed later is not drawn
const kinds = ['video', 'audio', 'images', 'early', 'probe', 'package', 'swap', 'push', 'remove'];
const bad = ['retry', 'return', 'fail', 'yield'];

const hows = {
  complete: 'done', retry: 'failed, tried again', return: 'lost, given back', fail: 'failed', yield: 'another was first', stop: 'stopped',
};

export async function timeline(place, model, { signal }) {
  const empty = h('p', { class: 'dim' }, 'No task of this run has begun yet.');
  const later = h('p', { class: 'dim later', hidden: true });
  const names = h('div', { class: 'lanes', 'aria-hidden': 'true' });
  const about = h('p', { class: 'about', role: 'status' });
  const rows = h('tbody');
  const legend = h('ul', { class: 'legend' }, kinds.map((kind) => h('li', { 'data-kind': kind, hidden: true },
    h('span', { class: 'swatch' }), h('span', {}, kind))), h('li', { 'data-kind': 'bad', hidden: true },
    h('span', { class: 'swatch' }), h('span', {}, 'failed or lost')));
  const chart = new Chart(model, names, about);
  place.append(empty, h('div', { class: 'gantt' }, names, h('div', { class: 'scroller' }, h('div', { class: 'sheet' }, chart.paper.element))),
    h('div', { class: 'under' }, legend, about), later,
    h('h2', {}, 'By worker'),
    h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Tasks by worker' }, h('table', {}, h('thead', {}, h('tr', {}, ['worker', 'tasks', 'at work', 'failed or lost']
      .map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))), rows)));
  chart.paper.start();
  signal.addEventListener('abort', () => chart.paper.stop());
  const update = () => {
    const tasks = model.run();
    chart.arrange(tasks);
    empty.hidden = tasks.length > 0;
    later.hidden = chart.later === 0;
    setText(later, `${plural(chart.later, 'push', 'pushes')} came much later, and ${chart.later === 1 ? 'is' : 'are'} in the table alone.`);
    for (const item of legend.children) {
      item.hidden = !tasks.some(({ kind, how }) => (item.dataset.kind === 'bad' ? bad.includes(how) : kind === item.dataset.kind));
    }
    keyed(rows, chart.workers, ({ name }) => name, ({ name }) => h('tr', {}, h('th', { scope: 'row' }, name),
      h('td', { class: 'number' }), h('td', { class: 'number' }), h('td', { class: 'number' })), (row, { tasks: own }) => {
      setText(row.cells[1], whole(own.length));
      setText(row.cells[2], lasting(own.reduce((sum, { start, end }) => sum + (end ?? now()) - start, 0)));
      setText(row.cells[3], whole(own.filter(({ how }) => bad.includes(how)).length));
    });
  };
  model.on(update);
  update();
  const timer = setInterval(() => isBusy(model.title.state) && chart.paper.redraw(), 1000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

// Whether a task is drawn: an edge that comes back after a week would leave the rest no room.
function drawn(tasks) {
  const made = tasks.filter(({ kind }) => kind !== 'push');
  const first = Math.min(...made.map(({ start }) => start));
  const last = Math.max(...made.map(({ end }) => end ?? now()));
  const until = last + Math.max(LATER_MS, last - first);
  return ({ kind, start }) => kind !== 'push' || made.length === 0 || start <= until;
}

class Chart {
  constructor(model, names, about) {
    Object.assign(this, { model, names, about });
    this.workers = []; // { name, tasks, those that are drawn, free: until when each lane is taken, top }
    this.bars = []; // { task, y } in order of time; heights are in rem, which the screen's size changes
    this.chosen = null;
    this.later = 0; // tasks that are not drawn
    this.paper = canvas(() => (this.height + AXIS) * rem(), (context, width) => this.draw(context, width), {
      tabindex: 0, role: 'img', class: 'tasks-chart', 'aria-label': '',
      onmousemove: (event) => this.choose(this.find(event.offsetX, event.offsetY)),
      onmouseleave: () => this.choose(null),
      onblur: () => this.choose(null),
      onkeydown: (event) => this.key(event),
    });
    this.height = 0;
  }

  // Each task to the first lane of its worker that is free by then.
  arrange(tasks) {
    const byWorker = new Map();
    const isDrawn = drawn(tasks);
    for (const task of tasks.toSorted((a, b) => a.start - b.start)) {
      if (!byWorker.has(task.worker)) {
        byWorker.set(task.worker, {
          name: task.worker, tasks: [], drawn: [], free: [],
        });
      }
      const worker = byWorker.get(task.worker);
      worker.tasks.push(task);
      if (isDrawn(task)) {
        const lane = worker.free.findIndex((until) => until <= task.start);
        task.lane = lane < 0 ? worker.free.length : lane;
        worker.free[task.lane] = task.end ?? Infinity;
        worker.drawn.push(task);
      }
    }
    this.later = tasks.filter((task) => !isDrawn(task)).length;
    this.workers = [...byWorker.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    let top = 0;
    const lanes = this.workers.filter(({ drawn: own }) => own.length > 0);
    for (const worker of lanes) {
      worker.top = top;
      top += worker.free.length * LANE + BETWEEN;
    }
    this.height = top;
    this.bars = this.workers.flatMap((worker) => worker.drawn.map((task) => ({ task, y: worker.top + task.lane * LANE })))
      .sort((a, b) => a.task.start - b.task.start);
    this.first = this.bars[0]?.task.start ?? 0;
    keyed(this.names, lanes, ({ name }) => name, ({ name }) => h('span', { title: name }, name), (element, { free }) => {
      element.style.height = `${free.length * LANE + BETWEEN}rem`;
    });
    this.paper.element.setAttribute('aria-label', `${plural(tasks.length, 'task')} on ${plural(this.workers.length, 'worker')}, `
      + 'also in the table below. Arrow keys go from task to task.');
    this.paper.redraw();
  }

  last() {
    const ends = this.bars.map(({ task }) => task.end ?? now());
    return Math.max(this.first + 1000, ...ends);
  }

  scale(width) {
    return Math.max(1, width - 8) / (this.last() - this.first);
  }

  find(x, y) {
    const scale = this.scale(this.paper.element.clientWidth);
    const at = this.first + x / scale;
    const near = 2 / scale; // short ones are drawn two pixels wide
    return this.bars.findLast(({ task, y: top }) => y >= top * rem() && y < (top + LANE) * rem() && at >= task.start
      && at <= Math.max(task.end ?? now(), task.start + near)) ?? null;
  }

  choose(bar) {
    if (bar?.task !== this.chosen?.task) {
      this.chosen = bar;
      setText(this.about, bar ? this.describe(bar.task) : '');
      this.paper.redraw();
    }
  }

  describe({
    kind, worker, start, end, how, units, message, hedge,
  }) {
    const first = this.model.units.get(units[0]);
    const rungs = units.map((unit) => this.model.units.get(unit)?.rendition).filter(Boolean).join(', ');
    const what = kind === 'video' && first ? `chunk ${first.chunk + 1} (${rungs})` : rungs || kind;
    return `${kind === 'video' || rungs ? `${kind}, ` : ''}${what} on ${worker}${hedge ? ', a second time' : ''}: ${hows[how] ?? 'running'}, ${
      lasting((end ?? now()) - start)} from ${moment(start)}${message ? `; ${message}` : ''}`;
  }

  key(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    if (event.key in steps && this.bars.length > 0) {
      event.preventDefault();
      const here = this.chosen ? this.bars.findIndex(({ task }) => task === this.chosen.task) : -1;
      this.choose(this.bars[Math.min(Math.max(here + steps[event.key], 0), this.bars.length - 1)]);
    }
  }

  draw(context, width) {
    const scale = this.scale(width);
    const tall = LANE * rem();
    const dim = colour('dim');
    const paints = Object.fromEntries([...kinds, 'bad'].map((kind) => [kind, colour(`task-${kind}`)]));
    this.axis(context, width, scale, dim);
    for (const { task, y: top } of this.bars) {
      const y = top * rem();
      const x = (task.start - this.first) * scale;
      const wide = Math.max(2, ((task.end ?? now()) - task.start) * scale - 1);
      context.fillStyle = bad.includes(task.how) ? paints.bad : paints[task.kind] ?? dim;
      context.globalAlpha = task.end === null ? 0.55 : 1;
      context.beginPath();
      context.roundRect(x, y + 2, wide, tall - 4, Math.min(3, wide / 3));
      context.fill();
      context.globalAlpha = 1;
      if (task === this.chosen?.task) {
        context.strokeStyle = colour('ink');
        context.lineWidth = 2;
        context.strokeRect(x - 1, y + 1, wide + 2, tall - 2);
      }
    }
  }

  axis(context, width, scale, dim) {
    const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400];
    const step = 1000 * (steps.find((s) => s * 1000 * scale > 6.5 * rem()) ?? 172800);
    context.font = small();
    for (let at = 0; at * scale < width; at += step) {
      const x = Math.round(at * scale) + 0.5;
      context.strokeStyle = colour('line');
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, this.height * rem());
      context.stroke();
      context.fillStyle = dim;
      const text = at === 0 ? '0' : lasting(at).replace(/ min 0 s$/, ' min').replace(/ h 0 min$/, ' h');
      if (x + context.measureText(text).width < width) {
        context.fillText(text, x, (this.height + 1) * rem());
      }
    }
  }
}
