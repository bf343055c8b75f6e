// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and times as people read them.
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const whole = (value) => number.format(value);
export const fixed = (value, digits = 1) => value.toLocaleString('en', { maximumFractionDigits: digits });
export const plural = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;

export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${fixed(value, value < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
}

export const gibibytes = (value) => `${fixed(value / 2 ** 30, 1)} GiB`;

export function bitrate(bps) {
  return bps >= 1e6 ? `${fixed(bps / 1e6, 2)} Mb/s` : `${fixed(bps / 1000, 0)} kb/s`;
}

// "3 h 12 min", "4 min 5 s", "12 s", "0.4 s".
export function lasting(ms) {
  const s = Math.round(ms / 1000);
  if (ms < 0) {
    return '0 s';
  }
  if (s < 10) {
    return `${fixed(ms / 1000, 1)} s`;
  }
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min ${s % 60} s`;
  }
  return s < 2 * 86400 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
    : `${Math.floor(s / 86400)} days`;
}

// Frames a second: a slow encoder's are told to a tenth.
export const perSecond = (value) => fixed(value, value < 10 ? 1 : 0);

// "1:02:03" of a place in a title.
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, '0');
  const hours = Math.floor(s / 3600);
  return hours > 0 ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function moment(ms) {
  const at = new Date(ms);
  const today = new Date().toDateString() === at.toDateString();
  return at.toLocaleString('en-GB', {
    ...(today ? {} : { day: 'numeric', month: 'short', year: 'numeric' }),
    hour: '2-digit', minute: '2-digit', second: '2-digit',
  });
}

// "24000/1001" as a number.
export function ratio(text) {
  const [above, below = 1] = String(text).split('/').map(Number);
  return above / below;
}

// The last part of a path or URL.
export const lastPart = (place) => place.replace(/[?#].*$/, '').replace(/\/+$/, '').split('/').pop() || place;

// What an endpoint's error says, where it is clear of whom.
export const withoutName = (endpoint, text) => (text.startsWith(`endpoint '${endpoint}': `) ? text.slice(`endpoint '${endpoint}': `.length) : text);

// Pairs of count and length as a list of lengths.
export function runs(pairs) {
  const list = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    for (let n = 0; n < pairs[i]; n++) {
      list.push(pairs[i + 1]);
    }
  }
  return list;
}
