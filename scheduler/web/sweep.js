// SPDX-License-Identifier: GPL-2.0-or-later
// What lies at an edge in vain: a dialog that has a worker list it, shows what would go, and has
// just that taken away when it is told to.
import { call, get, sentence } from './api.js';
import { h, notice, setText } from './dom.js';
import {
  bytes, plural, whole, withoutName,
} from './format.js';

const WAIT_MS = 1000;

const hasEnded = ({ state }) => state === 'done' || state === 'failed';
const sum = (list, name) => list.reduce((all, one) => all + one[name], 0);
const amount = (list) => `${plural(sum(list, 'objects'), 'object')}, ${bytes(sum(list, 'bytes'))}`;

// How it stands with what has not ended.
function underWay({ state, removes, objects, removed_objects: removed }) {
  if (state === 'waiting') {
    return removes ? 'Waits for a worker, and for the pushes that run there.' : 'Waits for a worker.';
  }
  return removes ? `${plural(removed, 'object')} removed so far.` : `${plural(objects, 'object')} looked at so far.`;
}

function found({ orphans, objects, more }) {
  return orphans.length === 0 ? `Nothing lies there in vain, of ${plural(objects, 'object')}.`
    : `No version names ${more ? 'at least ' : ''}${amount(orphans)}, of ${plural(objects, 'object')} there.`;
}

const removed = ({ removed_objects: count, removed_bytes: size, more }) => (
  `Removed ${plural(count, 'object')}, ${bytes(size)}.${more ? ' There is more: sweep it once more.' : ''}`);

class SweepDialog {
  constructor(name, signal) {
    this.name = name;
    this.path = `/v1/endpoints/${name}/sweep`;
    this.ended = new AbortController();
    this.standing = h('p', { class: 'standing', role: 'status' }, 'Asking …');
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.rows = h('tbody');
    this.table = h('div', {
      class: 'wide found', role: 'region', tabindex: 0, 'aria-label': 'What was found', hidden: true,
    }, h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Title'), h('th', { scope: 'col' }, 'Part'),
      h('th', { scope: 'col', class: 'number' }, 'Objects'), h('th', { scope: 'col', class: 'number' }, 'Size'),
      h('th', { scope: 'col' }, 'Removed'))), this.rows));
    this.unknown = h('input', { type: 'checkbox', onchange: () => this.offer() });
    this.strangers = h('span');
    this.choice = h('label', { class: 'check', hidden: true }, this.unknown, this.strangers);
    this.close = h('button', { class: 'plain close', onclick: () => this.dialog.close() }, 'Close');
    this.remove = h('button', { class: 'danger remove', hidden: true, onclick: () => this.run(true) });
    this.dialog = h('dialog', { class: 'sweep', 'aria-labelledby': 'sweep' },
      h('h2', { id: 'sweep' }, `What lies at ${name} in vain`), this.standing, this.problem, this.table, this.choice,
      h('p', { class: 'actions' }, this.close, this.remove));
    this.dialog.addEventListener('close', () => {
      this.ended.abort();
      this.dialog.remove();
    });
    signal.addEventListener('abort', () => this.dialog.close(), { signal: this.ended.signal });
  }

  // Shown, with the button that changes nothing in focus.
  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.close.focus();
    return this.run(false);
  }

  // What goes: of titles that the farm knows, and of others where that is asked for.
  going() {
    return this.answer.orphans.filter(({ known }) => known || this.unknown.checked);
  }

  offer() {
    const { orphans } = this.answer;
    const strangers = orphans.filter(({ known }) => !known);
    const going = this.going();
    this.rows.replaceChildren(...orphans.map((orphan) => h('tr', {}, h('td', {}, orphan.title),
      h('td', { class: 'code' }, orphan.path), h('td', { class: 'number' }, whole(orphan.objects)),
      h('td', { class: 'number' }, bytes(orphan.bytes)),
      h('td', {}, going.includes(orphan) ? 'yes' : 'no: of no title known here'))));
    this.table.hidden = orphans.length === 0;
    this.choice.hidden = strangers.length === 0;
    setText(this.strangers, `Also ${amount(strangers)} of titles that this farm does not know: they may be another farm’s`);
    this.remove.hidden = orphans.length === 0;
    this.remove.disabled = going.length === 0;
    setText(this.remove, going.length === 0 ? 'Remove nothing' : `Remove ${amount(going)}`);
  }

  // Has it listed, or what was shown removed, and follows that to its end.
  async run(removes) {
    const { signal } = this.ended;
    const { listing } = this.answer ?? {};
    const body = removes ? { remove: true, unknown: this.unknown.checked, listing } : {};
    this.close.focus(); // the other button goes
    for (const part of [this.table, this.choice, this.remove]) {
      part.hidden = true;
    }
    try {
      this.answer = await call('POST', this.path, body);
      while (!hasEnded(this.answer)) {
        setText(this.standing, underWay(this.answer));
        this.answer = await get(`${this.path}?wait_ms=${WAIT_MS}`, { signal });
      }
      this.end(removes);
    } catch (error) {
      this.fail(error);
    }
  }

  end(removes) {
    const { state, error } = this.answer;
    if (state === 'failed') {
      this.fail({ message: error });
    } else if (removes) {
      setText(this.standing, removed(this.answer));
    } else {
      setText(this.standing, found(this.answer));
      this.offer();
    }
  }

  fail(error) {
    if (error.name === 'AbortError') {
      return;
    }
    setText(this.standing, 'It could not be done.');
    setText(this.problem, sentence(withoutName(this.name, error.message)));
    if (!this.dialog.open) {
      notice(error.message);
    }
  }
}

// Has an edge listed, and shows what was found, until `signal` or until it is closed.
export const sweep = (name, signal) => new SweepDialog(name, signal).open();
