// SPDX-License-Identifier: GPL-2.0-or-later
// The live grid: a row a rendition, a cell a chunk, a colour a state. Drawn on one canvas, as a long
// title has thousands; the legend below counts them in words, and arrow keys go from cell to cell.
import {
  canvas, colour, h, keyed, rem, setText, small,
} from './dom.js';
import { clock, whole } from './format.js';
import { isBusy } from './states.js';

const GAP = 2;
const ROW = 1.85; // rem, as the style sheet has it
const LEAST = 3; // pixels a chunk
const MOST = 12; // rem

const names = {
  waiting: 'waiting', running: 'running', done: 'done', reused: 'reused', failed: 'failed', retried: 'tried again',
};

// How a unit looks.
function lookOf({ state, reused }) {
  return state === 'done' ? (reused ? 'reused' : 'done')
    : state === 'leased' ? 'running'
      : state === 'failed' || state === 'cancelled' ? 'failed' : 'waiting';
}

export function cells(place, model, signal) {
  new Cells(place, model).start(signal);
}

class Cells {
  constructor(place, model) {
    Object.assign(this, { place, model });
    this.rows = []; // renditions, each with its units by chunk
    this.chosen = null; // { row, chunk }
  }

  start(signal) {
    this.names = h('div', { class: 'rungs', 'aria-hidden': 'true' });
    this.legend = h('ul', { class: 'legend', 'aria-label': 'Cells by state' });
    this.about = h('p', { class: 'about', role: 'status' });
    this.empty = h('p', { class: 'dim' });
    this.paper = canvas(() => (this.rows.length * ROW + 1.3) * rem(), (context, width) => this.draw(context, width), {
      tabindex: 0, role: 'img', 'aria-label': '', class: 'cells',
      onkeydown: (event) => this.key(event),
      onmousemove: (event) => this.choose(this.at(event.offsetX, event.offsetY)),
      onmouseleave: () => this.choose(null),
      onblur: () => this.choose(null),
    });
    this.scroller = h('div', { class: 'scroller' }, h('div', { class: 'sheet' }, this.paper.element));
    this.frame = h('div', { class: 'grid' }, this.names, this.scroller);
    this.under = h('div', { class: 'under' }, this.legend, this.about);
    this.place.append(this.empty, this.frame, this.under);
    this.paper.start();
    signal.addEventListener('abort', () => this.paper.stop());
    this.model.on(() => this.update());
    this.update();
  }

  update() {
    const { plan, units } = this.model;
    this.empty.hidden = plan !== null;
    setText(this.empty, isBusy(this.model.title.state) ? 'The source is being looked at; the chunks come with the plan.'
      : 'There are no chunks: it came to no plan.');
    this.frame.hidden = plan === null;
    this.under.hidden = plan === null;
    if (!plan) {
      return;
    }
    this.rows = plan.renditions.map(({ id, is_video: isVideo }) => ({ id, isVideo, units: [] }));
    const byId = new Map(this.rows.map((row) => [row.id, row]));
    for (const unit of units.values()) {
      const row = byId.get(unit.rendition);
      if (row) {
        row.units[Math.max(unit.chunk, 0)] = unit;
      }
    }
    this.running = new Map();
    for (const task of this.model.title.tasks) {
      for (const rendition of task.renditions) {
        this.running.set(`${rendition} ${task.chunk}`, task);
      }
    }
    keyed(this.names, this.rows, ({ id }) => id, ({ id }) => h('span', {}, id), () => {});
    this.place.querySelector('.sheet').style.minWidth = `${(this.model.chunks.length - 1) * LEAST}px`;
    this.count();
    this.paper.redraw();
  }

  count() {
    const counts = { waiting: 0, running: 0, done: 0, reused: 0, failed: 0, retried: 0 };
    for (const unit of this.rows.flatMap(({ units }) => units)) {
      counts[lookOf(unit)] += 1;
      counts.retried += unit.failures + unit.losses > 0 ? 1 : 0;
    }
    const shown = Object.entries(counts).filter(([look, count]) => count > 0 || ['waiting', 'running', 'done'].includes(look));
    keyed(this.legend, shown, ([look]) => look, ([look]) => h('li', { 'data-look': look },
      h('span', { class: 'swatch' }), h('span', { class: 'said' })), (element, [look, count]) => {
      element.dataset.count = count;
      setText(element.querySelector('.said'), `${whole(count)} ${names[look]}`);
    });
    this.paper.element.setAttribute('aria-label', `Chunks of ${this.rows.length} renditions: ${
      shown.map(([look, count]) => `${count} ${names[look]}`).join(', ')}. Arrow keys go from cell to cell.`);
  }

  // ---- where things are -------------------------------------------------------------------

  chunkWidth(width) {
    const chunks = Math.max(1, this.model.chunks.length - 1);
    return Math.min(MOST * rem(), width / chunks);
  }

  at(x, y) {
    const row = Math.floor(y / (ROW * rem()));
    const chunk = Math.floor(x / this.chunkWidth(this.paper.element.clientWidth));
    return this.unit(row, chunk) ? { row, chunk } : null;
  }

  // Sound is one unit for the whole title.
  unit(row, chunk) {
    const { isVideo, units } = this.rows[row] ?? { units: [] };
    const last = this.model.chunks.length - 2;
    return chunk < 0 || chunk > last ? undefined : units[isVideo === false ? 0 : chunk];
  }

  choose(cell) {
    if (cell?.row !== this.chosen?.row || cell?.chunk !== this.chosen?.chunk) {
      this.chosen = cell;
      setText(this.about, cell ? this.describe(cell) : '');
      this.paper.redraw();
    }
  }

  describe({ row, chunk }) {
    const { chunks } = this.model;
    const { id, isVideo } = this.rows[row];
    const unit = this.unit(row, chunk);
    const look = lookOf(unit);
    const task = this.running.get(`${id} ${unit.chunk}`);
    const share = task?.total > 0 ? `, ${Math.round((100 * task.done) / task.total)} %` : '';
    const where = isVideo ? `chunk ${chunk + 1} of ${chunks.length - 1}, ${clock(chunks[chunk])}–${clock(chunks[chunk + 1])}` : 'whole';
    const tries = unit.failures + unit.losses > 0 ? `, failed ${unit.failures}× and lost ${unit.losses}×` : '';
    return `${id}, ${where}: ${names[look]}${task ? ` on ${task.worker}${share}` : ''}${tries}`;
  }

  key(event) {
    const moves = {
      ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -Infinity], End: [0, Infinity],
    };
    if (!(event.key in moves) || this.rows.length === 0) {
      return;
    }
    event.preventDefault();
    const [down, right] = moves[event.key];
    const { row, chunk } = this.chosen ?? { row: down > 0 ? -1 : 0, chunk: right > 0 ? -1 : 0 }; // the first, or the last
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    this.choose({
      row: within(row + down, this.rows.length - 1), chunk: within(chunk + right, this.model.chunks.length - 2),
    });
    const wide = this.chunkWidth(this.paper.element.clientWidth);
    this.scroller.scrollLeft = Math.min(this.scroller.scrollLeft, this.chosen.chunk * wide)
      || Math.max(0, (this.chosen.chunk + 1) * wide - this.scroller.clientWidth);
  }

  // ---- drawing --------------------------------------------------------------------------------

  draw(context, width) {
    const tall = ROW * rem();
    const wide = this.chunkWidth(width);
    const gap = wide > 8 ? GAP : wide > 4 ? 1 : 0.5;
    const chunks = this.model.chunks.length - 1;
    const paints = Object.fromEntries(['waiting', 'running', 'running-soft', 'done', 'reused', 'failed', 'retried', 'ink', 'dim', 'paper']
      .map((name) => [name, colour(name)]));
    this.rows.forEach(({ id, isVideo, units }, row) => {
      units.forEach((unit, chunk) => {
        const cell = {
          x: chunk * wide, y: row * tall + 3, w: (isVideo ? wide : chunks * wide) - gap, h: tall - 6,
        };
        const task = this.running.get(`${id} ${unit.chunk}`);
        this.cell(context, cell, unit, task, paints);
      });
    });
    this.ruler(context, wide, chunks, paints.dim);
    if (this.chosen) {
      const isVideo = this.rows[this.chosen.row]?.isVideo;
      context.strokeStyle = paints.ink;
      context.lineWidth = 2;
      context.strokeRect(isVideo ? this.chosen.chunk * wide - 1 : -1, this.chosen.row * tall + 2,
        (isVideo ? wide : chunks * wide) - gap + 2, tall - 4);
    }
  }

  cell(context, { x, y, w, h: high }, unit, task, paints) {
    const look = lookOf(unit);
    const round = Math.min(3, w / 3);
    context.fillStyle = look === 'running' ? paints['running-soft'] : paints[look];
    context.beginPath();
    context.roundRect(x, y, w, high, round);
    context.fill();
    if (look === 'running') {
      const share = task?.total > 0 ? Math.max(task.done / task.total, 0.08) : 0.08;
      context.fillStyle = paints.running;
      context.beginPath();
      context.roundRect(x, y + high * (1 - share), w, high * share, round);
      context.fill();
    }
    if (look === 'reused' && w > 6) { // striped, so that it is not told by its colour alone
      context.save();
      context.clip();
      context.strokeStyle = paints.paper;
      context.globalAlpha = 0.35;
      context.lineWidth = 1.5;
      context.beginPath();
      for (let at = x - high; at < x + w; at += 6) {
        context.moveTo(at, y + high);
        context.lineTo(at + high, y);
      }
      context.stroke();
      context.restore();
    }
    if (unit.failures + unit.losses > 0) {
      const size = Math.min(9, w);
      context.fillStyle = paints.retried;
      context.beginPath();
      context.moveTo(x + w - size, y);
      context.lineTo(x + w, y);
      context.lineTo(x + w, y + size);
      context.fill();
    }
  }

  ruler(context, wide, chunks, dim) {
    const y = (this.rows.length * ROW + 0.95) * rem();
    let free = 0;
    context.fillStyle = dim;
    context.font = small();
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (chunk * wide >= free) {
        const text = clock(this.model.chunks[chunk]);
        context.fillText(text, chunk * wide, y);
        free = chunk * wide + Math.max(5 * rem(), context.measureText(text).width + 24);
      }
    }
  }
}
