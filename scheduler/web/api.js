// SPDX-License-Identifier: GPL-2.0-or-later
// The scheduler's public API, with this tab's token. The token is kept for as long as the tab is
// open, and goes in a header alone.
const KEY = 'reelfarm.token';
const WAIT_MS = 20000; // of a call that waits for news
const AGAIN_MS = [1000, 2000, 5000, 10000]; // after a loss of the feed
const LAST = Number.MAX_SAFE_INTEGER;

export const session = { token: sessionStorage.getItem(KEY) ?? '', role: '', tenant: '' };

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: no answer
  }
}

let signedOut = () => {};

// Called when the token is good no more.
export function onSignedOut(run) {
  signedOut = run;
}

async function send(path, options) {
  const headers = { Authorization: `Bearer ${session.token}`, ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'omit' });
  } catch (error) {
    if (error.name === 'AbortError') {
      throw error;
    }
    throw new Refused(0, 'The scheduler does not answer. Is it running?');
  }
  if (answer.status === 401 && session.token !== '' && !options.isTrial) {
    signOut();
    signedOut('The token is good no more: it has run out, or was revoked.');
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, sentence(problem.detail ?? `${path} was answered ${answer.status}`));
  }
  return answer;
}

export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

// call('GET', '/v1/titles') answers the parsed body, null where there is none.
export async function call(method, path, body, more = {}) {
  const answer = await send(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    ...more,
  });
  return answer.status === 204 ? null : answer.json();
}

export const get = (path, more) => call('GET', path, undefined, more);

// Tries a token and keeps it where it is good; throws Refused where it is not.
export async function signIn(token) {
  const before = session.token;
  session.token = token;
  try {
    const { role, tenant, now } = await get('/v1/caller', { isTrial: true });
    Object.assign(session, { role, tenant, ahead: now - Date.now() });
    sessionStorage.setItem(KEY, token);
  } catch (error) {
    session.token = before;
    throw error;
  }
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  Object.assign(session, { token: '', role: '', tenant: '' });
}

// The scheduler's clock.
export const now = () => Date.now() + (session.ahead ?? 0);

export const may = {
  submit: () => session.role === 'submitter' || session.role === 'admin',
  manage: () => session.role === 'admin',
  seeFarm: () => session.tenant === '', // a tenant's token is told of its titles alone
};

// ---- The feed ------------------------------------------------------------------------

const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
});

const eventsPath = (title, after, more = '') => `/v1/events?after=${after}${title ? `&title=${title}` : ''}${more}`;

// The number of the newest event.
export async function lastEvent(signal) {
  return (await get(eventsPath('', LAST), { signal })).next;
}

// All kept events of a title, a page at a time: onPage(events). Answers the number to go on after.
export async function pastEvents(title, signal, onPage) {
  let after = 0;
  for (;;) {
    const page = await get(eventsPath(title, after), { signal });
    if (page.events.length > 0) {
      onPage(page.events);
    }
    if (page.next <= after) {
      return after;
    }
    after = page.next;
  }
}

// The events of one piece of a stream that is whole; what is left of it.
function parse(text) {
  const pieces = text.split('\n\n');
  const rest = pieces.pop();
  const events = pieces.flatMap((piece) => piece.split('\n'))
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)));
  return { events, rest };
}

// EventSource can't send the token in a header; a fetch can.
async function stream(feed, signal) {
  const answer = await send(eventsPath(feed.title, feed.after), {
    headers: { Accept: 'text/event-stream' }, signal,
  });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  feed.onState('live');
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const { events, rest } = parse(text + value);
    text = rest;
    take(feed, events);
  }
}

function take(feed, events) {
  if (events.length > 0) {
    feed.after = events.at(-1).seq;
    feed.onEvents(events);
  }
}

// Where no stream is to be had: calls that wait for news.
async function poll(feed, signal) {
  const until = Date.now() + 3 * WAIT_MS;
  while (Date.now() < until && !signal.aborted) {
    const page = await get(eventsPath(feed.title, feed.after, `&wait_ms=${WAIT_MS}`), { signal });
    feed.onState('polling');
    take(feed, page.events);
    feed.after = Math.max(feed.after, page.next);
  }
}

// A hidden page follows nothing: browsers have six connections to a server for all their tabs.
const shown = (signal) => new Promise((resolve) => {
  const look = () => {
    if (!document.hidden || signal.aborted) {
      document.removeEventListener('visibilitychange', look);
      resolve();
    }
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', look);
  look();
});

async function followOnce(feed, outer) {
  const inner = new AbortController();
  const end = () => inner.abort();
  const hide = () => document.hidden && end();
  outer.addEventListener('abort', end);
  document.addEventListener('visibilitychange', hide);
  try {
    try {
      await stream(feed, inner.signal);
    } catch (error) {
      if (error.status !== 503 || inner.signal.aborted) {
        throw error;
      }
      await poll(feed, inner.signal);
    }
  } finally {
    outer.removeEventListener('abort', end);
    document.removeEventListener('visibilitychange', hide);
  }
}

// Follows the feed after event `after`, of one title or ('') of all, until `signal`:
// onEvents(events), onState('live' | 'polling' | 'lost').
export async function follow({ title = '', after, onEvents, onState }, signal) {
  const feed = { title, after, onEvents, onState };
  let lost = 0;
  while (!signal.aborted && session.token !== '') {
    await shown(signal);
    const seen = feed.after;
    try {
      await followOnce(feed, signal);
      lost = 0;
    } catch (error) {
      lost = feed.after === seen ? lost + 1 : 1;
      if (!signal.aborted && !document.hidden) {
        onState('lost');
      }
    }
    if (!signal.aborted && !document.hidden) {
      await pause(AGAIN_MS[Math.min(lost, AGAIN_MS.length - 1)], signal);
    }
  }
}

// Runs `run` now and every `ms` while the page is shown, until `signal`; its errors go to onError.
export async function every(ms, signal, run, onError) {
  while (!signal.aborted) {
    await shown(signal);
    try {
      await run();
    } catch (error) {
      if (!signal.aborted && error.name !== 'AbortError') {
        onError(error);
      }
    }
    await pause(ms, signal);
  }
}
