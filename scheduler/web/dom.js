// SPDX-License-Identifier: GPL-2.0-or-later
// Elements, and the few things that all views do with them. No HTML is ever made of text.

// h('button', { class: 'plain', onclick: f, 'aria-pressed': false }, 'Text', element, ...):
// null, undefined and false children are left out, and so are such attributes (but for aria-*).
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'hidden') {
      element[name] = value;
    } else if (name.startsWith('aria-') ? value != null : value != null && value !== false) {
      element.setAttribute(name, value === true && !name.startsWith('aria-') ? '' : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

// Says it to who can't see the page.
export function say(text) {
  document.getElementById('said').textContent = text;
}

// What went wrong, until the next view; '' takes it away.
export function notice(text) {
  const place = document.getElementById('notice');
  place.textContent = text;
  place.hidden = text === '';
}

export function setText(element, text) {
  if (element.textContent !== String(text)) {
    element.textContent = text;
  }
}

// Makes `parent`'s children those of `items`, keeping the elements of keys that were there, so
// that focus stays where it is. `create(item)` makes an element, `update(element, item)` fills it.
export function keyed(parent, items, keyOf, create, update) {
  const old = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = old.get(key);
    old.delete(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (element === before) {
      before = before.nextElementSibling;
    } else {
      parent.insertBefore(element, before);
    }
  }
  for (const element of old.values()) {
    element.remove();
  }
}

// A bar that is `share` (0 to 1) full.
export function meter(share, label) {
  const fill = h('span');
  const element = h('span', { class: 'meter', role: 'img', 'aria-label': label ?? '' }, fill);
  setMeter(element, share, label);
  return element;
}

export function setMeter(element, share, label) {
  element.firstChild.style.width = `${(100 * Math.min(Math.max(share, 0), 1)).toFixed(2)}%`;
  element.setAttribute('aria-label', label ?? `${Math.round(100 * share)} %`);
}

// Asks before something that can't be taken back; answers whether to do it.
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { 'aria-labelledby': 'ask', 'aria-describedby': 'ask-text' },
      h('form', { method: 'dialog' },
        h('h2', { id: 'ask' }, title), h('p', { id: 'ask-text' }, text),
        h('p', { class: 'actions' },
          h('button', { value: 'no', class: 'plain' }, 'Leave it'),
          h('button', { value: 'yes', class: 'danger' }, action))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A canvas as wide as its parent, redrawn by `draw(context, width, height)` when that changes.
// `heightOf(width)` is its height; both in CSS pixels.
export function canvas(heightOf, draw, attributes) {
  const element = h('canvas', attributes);
  const context = element.getContext('2d');
  function redraw() {
    const width = Math.floor(element.parentElement?.clientWidth ?? 0);
    const height = Math.ceil(heightOf(width));
    const scale = window.devicePixelRatio || 1;
    if (width === 0) {
      return;
    }
    if (element.width !== Math.round(width * scale) || element.height !== Math.round(height * scale)) {
      element.width = Math.round(width * scale);
      element.height = Math.round(height * scale);
      element.style.width = `${width}px`;
      element.style.height = `${height}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  }
  let asked = false;
  function soon() {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        redraw();
      });
    }
  }
  const observer = new ResizeObserver(soon);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', soon);
  return {
    element,
    redraw: soon,
    start: () => observer.observe(element.parentElement),
    stop: () => {
      observer.disconnect();
      dark.removeEventListener('change', soon);
    },
  };
}

// The size of the root's letters, which drawings follow as all else does.
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

// What small letters of a drawing are set in.
export const small = () => `${0.78 * rem()}px system-ui, sans-serif`;

// A colour of the style sheet: colour('done') is --done.
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
