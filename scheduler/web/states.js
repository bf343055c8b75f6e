// SPDX-License-Identifier: GPL-2.0-or-later
// Names of states, and how they look wherever they are shown.
import { h } from './dom.js';

export const titleStates = ['submitted', 'running', 'done', 'failing', 'failed', 'cancelled', 'removing'];
export const isBusy = (state) => ['submitted', 'running', 'failing', 'removing'].includes(state);

export const badge = (state) => h('span', { class: 'badge', 'data-state': state }, state);

export function setBadge(element, state) {
  if (element.dataset.state !== state) {
    element.dataset.state = state;
    element.textContent = state;
  }
}

// What a title is after an event of the feed; undefined where the event says nothing of it.
export const stateAfter = {
  'title.submit': 'submitted',
  'title.plan': 'running',
  'title.finish': 'done',
  'title.fail': 'failing',
  'title.clear': 'failed',
  'title.cancel': 'cancelled',
  'title.remove': 'removing',
};
