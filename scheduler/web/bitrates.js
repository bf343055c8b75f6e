// SPDX-License-Identifier: GPL-2.0-or-later
// The bitrate of each rendition over time, segment by segment, from the reports of its units.
import {
  canvas, colour, h, keyed, notice, rem, setText, small,
} from './dom.js';
import { bitrate, bytes, clock } from './format.js';

// rem:
const HIGH = 20;
const LEFT = 4.6;
const FOOT = 1.7;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds of the axis

export async function bitrates(place, model, { signal }) {
  const chart = new Chart(model);
  const rows = h('tbody');
  const about = h('p', { class: 'about', role: 'status' });
  const empty = h('p', { class: 'dim' }, 'Bitrates come with the first chunk that is done.');
  chart.about = about;
  place.append(empty, h('div', { class: 'chart' }, chart.paper.element), h('div', { class: 'under' }, about),
    h('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Bitrates by rendition' }, h('table', {}, h('thead', {}, h('tr', {},
      ['rendition', 'average', 'peak', 'limit', 'size'].map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))), rows)));
  chart.paper.start();
  signal.addEventListener('abort', () => chart.paper.stop());
  const update = () => {
    const lines = chart.arrange();
    empty.hidden = lines.some(({ segments }) => segments.length > 0);
    keyed(rows, lines, ({ id }) => id, (line) => row(line, chart), (element, {
      segments, spec,
    }) => {
      const size = segments.reduce((sum, { bytes: own }) => sum + own, 0);
      const lasts = segments.reduce((sum, { start, end }) => sum + end - start, 0);
      const peak = Math.max(0, ...segments.map(rate));
      setText(element.cells[1], lasts > 0 ? bitrate((8 * size) / lasts) : '–');
      setText(element.cells[2], peak > 0 ? bitrate(peak) : '–');
      setText(element.cells[3], spec.maxrate_bps || spec.bitrate_bps ? bitrate(spec.maxrate_bps ?? spec.bitrate_bps) : '–');
      setText(element.cells[4], bytes(size));
    });
  };
  model.on(update);
  update();
  await model.readSegments().catch((error) => !signal.aborted && notice(error.message));
}

const rate = ({ start, end, bytes: size }) => (end > start ? (8 * size) / (end - start) : 0);

// A rendition's row; its box takes the line out of the chart.
function row({ id, hue }, chart) {
  const number = () => h('td', { class: 'number' });
  return h('tr', {}, h('th', { scope: 'row' }, h('label', { class: 'line-name', 'data-hue': hue }, h('input', {
    type: 'checkbox',
    checked: true,
    onchange: (event) => {
      chart.hidden[event.target.checked ? 'delete' : 'add'](id);
      chart.paper.redraw();
    },
  }), h('span', { class: 'swatch' }), id)), number(), number(), number(), number());
}

class Chart {
  constructor(model) {
    this.model = model;
    this.hidden = new Set();
    this.lines = [];
    this.when = null; // seconds that are looked at
    this.paper = canvas(() => (HIGH + FOOT) * rem(), (context, width) => this.draw(context, width), {
      tabindex: 0, role: 'img', class: 'bitrates', 'aria-label': 'Bitrate over time; averages and peaks are in the table below. Arrow keys go through time.',
      onmousemove: (event) => this.look(this.time(event.offsetX)),
      onmouseleave: () => this.look(null),
      onblur: () => this.look(null),
      onkeydown: (event) => this.key(event),
    });
  }

  arrange() {
    const renditions = this.model.plan?.renditions ?? [];
    this.lines = renditions.map(({ id, spec }, i) => ({
      id, spec, hue: i % 10, segments: this.model.segments.get(id) ?? [],
    }));
    this.lasts = this.model.chunks.at(-1) ?? 0;
    this.paper.redraw();
    return this.lines;
  }

  time(x) {
    const left = LEFT * rem();
    const wide = this.paper.element.clientWidth - left;
    return Math.min(Math.max(((x - left) / wide) * this.lasts, 0), this.lasts);
  }

  look(when) {
    this.when = when;
    const shown = when === null ? [] : this.lines.filter(({ id }) => !this.hidden.has(id)).map(({ id, segments }) => {
      const segment = segments.find(({ start, end }) => start <= when && when < end);
      return segment ? `${id} ${bitrate(rate(segment))}` : '';
    }).filter((text) => text !== '');
    setText(this.about, shown.length > 0 ? `${clock(when)}: ${shown.join(' · ')}` : '');
    this.paper.redraw();
  }

  key(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    const segment = this.lines.find(({ segments }) => segments.length > 0)?.segments[0];
    if (event.key in steps && segment) {
      event.preventDefault();
      const step = steps[event.key] * (segment.end - segment.start);
      this.look(Math.min(Math.max((this.when ?? 0) + step, 0), this.lasts - 0.001));
    }
  }

  draw(context, width) {
    const shown = this.lines.filter(({ id }) => !this.hidden.has(id));
    const most = Math.max(1, ...shown.flatMap(({ segments }) => segments.map(rate)));
    const top = nice(most);
    const left = LEFT * rem();
    const high = HIGH * rem();
    const x = (seconds) => left + ((width - left) * seconds) / Math.max(this.lasts, 0.001);
    const y = (bps) => high - ((high - 8) * bps) / top;
    this.frame(context, {
      width, left, high, top,
    }, x, y);
    for (const { hue, segments } of shown) {
      context.strokeStyle = colour(`hue-${hue}`);
      context.lineWidth = 0.125 * rem();
      context.beginPath();
      let end = -1;
      for (const segment of segments) {
        const at = y(rate(segment));
        if (Math.abs(segment.start - end) > 0.05) {
          context.moveTo(x(segment.start), at);
        } else {
          context.lineTo(x(segment.start), at);
        }
        context.lineTo(x(segment.end), at);
        end = segment.end;
      }
      context.stroke();
    }
    if (this.when !== null) {
      context.strokeStyle = colour('ink');
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(Math.round(x(this.when)) + 0.5, 0);
      context.lineTo(Math.round(x(this.when)) + 0.5, high);
      context.stroke();
    }
  }

  frame(context, {
    width, left, high, top,
  }, x, y) {
    context.font = small();
    context.fillStyle = colour('dim');
    context.strokeStyle = colour('line');
    context.lineWidth = 1;
    for (let i = 0; i <= 4; i++) {
      const line = Math.round(y((top * i) / 4)) + 0.5;
      context.beginPath();
      context.moveTo(left, line);
      context.lineTo(width, line);
      context.stroke();
      context.fillText(i === 0 ? '0' : bitrate((top * i) / 4), 0, line + 4);
    }
    const step = STEPS.find((seconds) => x(seconds) - left > 6 * rem()) ?? 7200;
    for (let at = 0; x(at) + 2.5 * rem() < width; at += step) {
      context.fillText(clock(at), x(at), high + 1.15 * rem());
    }
  }
}

// The next of 1, 2, 4, 8 times a power of ten.
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8, 10].find((step) => step * power >= value) ?? 10);
}
