// SPDX-License-Identifier: GPL-2.0-or-later
// The page: which view is shown, and who is signed in. A view is a function
// view(place, { parts, query, signal, onState }) that fills `place` until `signal`.
import {
  call, may, onSignedOut, session, signIn, signOut,
} from './api.js';
import { h, notice, say } from './dom.js';
import { titlesView } from './titles.js';
import { titleView } from './title.js';
import { workersView } from './workers.js';
import { endpointsView } from './endpoints.js';
import { submitView } from './submit.js';

const at = (id) => document.getElementById(id);

const views = {
  titles: { name: 'Titles', offered: () => true, run: (place, way) => (way.parts[1] ? titleView : titlesView)(place, way) },
  workers: { name: 'Workers', offered: () => may.seeFarm(), run: workersView },
  endpoints: { name: 'Endpoints', offered: () => may.seeFarm(), run: endpointsView },
  submit: { name: 'Submit', offered: () => may.submit(), run: submitView },
};
const TAB_MS = 12 * 3600 * 1000; // how long who came by a link is signed in
const linkPattern = /^#\/enter\/([A-Za-z0-9_]+)$/;
let leave = new AbortController();

// Why a view is not for this token.
const lackOf = (name) => (name === 'submit' ? `A ${session.role}’s token submits nothing.`
  : `A token of tenant ${session.tenant} sees its own titles alone.`);

// ---- The way: #/titles/NAME/timeline?state=running ------------------------------------

function way() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter((part) => part !== '');
  return { parts: parts[0] in views ? parts : ['titles'], query: new URLSearchParams(search) };
}

function showBar(view) {
  at('bar').hidden = false;
  at('views').replaceChildren(...Object.entries(views)
    .filter(([, { offered }]) => offered())
    .map(([name, { name: text }]) => h('a', {
      href: `#/${name}`, 'aria-current': name === view ? 'page' : null,
    }, text)));
  if (!at('who').hasChildNodes()) {
    at('who').append(
      h('span', { id: 'feed', 'data-state': '', title: 'whether news come by themselves' }),
      h('span', { class: 'role' }, session.role, session.tenant ? ` of ${session.tenant}` : ''),
      h('button', { class: 'plain', onclick: () => { signOut(); start(); } }, 'Sign out'));
  }
}

// Looked at every few seconds is as good as told.
const feedNames = { live: 'live', polling: 'live', lost: 'not connected' };

// Whether what is shown is kept up to date.
function onState(state) {
  const place = at('feed');
  if (place && place.dataset.state !== state) {
    place.dataset.state = state;
    place.textContent = feedNames[state] ?? '';
    if (state === 'lost') {
      say('The connection to the scheduler is lost; it is tried again.');
    }
  }
}

function show() {
  const here = way();
  const view = views[here.parts[0]];
  leave.abort();
  leave = new AbortController();
  notice('');
  showBar(here.parts[0]);
  onState('');
  document.title = `${here.parts[1] ?? view.name} – reelfarm`;
  const { signal } = leave;
  const place = h('div', { class: `view ${here.parts[0]}` });
  at('main').replaceChildren(place);
  if (!view.offered()) {
    place.append(h('div', { class: 'empty' }, h('h1', {}, view.name), h('p', {}, lackOf(here.parts[0])),
      h('p', {}, h('a', { href: '#/titles' }, 'All titles'))));
    return;
  }
  Promise.resolve(view.run(place, { ...here, signal, onState })).catch((error) => {
    if (!signal.aborted && error.name !== 'AbortError') {
      notice(error.message);
    }
  });
}

// ---- Signing in ------------------------------------------------------------------------

const workersToken = 'This token is a worker’s: it may take tasks, and look at nothing. '
  + 'Ask who runs the farm for one of role viewer, submitter or admin.';

async function enter(token) {
  await signIn(token);
  if (session.role === 'worker') {
    signOut();
    throw new Error(workersToken);
  }
}

function showSignIn(message = '') {
  leave.abort();
  at('bar').hidden = true;
  at('who').replaceChildren();
  notice('');
  document.title = 'Sign in – reelfarm';
  const problem = h('p', { class: 'problem', role: 'alert', id: 'problem' }, message);
  const input = h('input', {
    type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false', required: true,
    'aria-describedby': 'hint problem',
  });
  const button = h('button', { class: 'primary' }, 'Sign in');
  const form = h('form', {
    class: 'sign-in',
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await enter(input.value.trim());
        show();
        at('main').focus();
      } catch (error) {
        problem.textContent = error.status === 401 ? 'The scheduler does not know this token.' : error.message;
        input.select();
      } finally {
        button.disabled = false;
      }
    },
  },
  h('h1', {}, h('img', { src: document.querySelector('link[rel=icon]').href, alt: '', width: 40, height: 40 }), 'reelfarm'),
  h('label', { for: 'token' }, 'Token'), input, problem, button,
  h('p', { id: 'hint', class: 'dim' }, 'A token says who you are. On the scheduler’s machine it lies in ',
    h('code', {}, '~/.local/state/reelfarm/token'), '; ', h('code', {}, 'reelfarm token create'),
    ' makes others. It is kept until this tab is closed.'));
  at('main').replaceChildren(form);
  input.focus();
}

// The address that `reelfarm page` and `reelfarm up` print has a token that is good for one
// sign-in: it is taken out of the address, makes one for this tab, and ends.
async function enterByLink(link) {
  history.replaceState(null, '', location.pathname);
  await signIn(link);
  const { token } = await call('POST', '/v1/tokens', {
    role: 'admin', name: 'the page', expires_in_ms: TAB_MS,
  });
  await call('DELETE', `/v1/tokens/${link.split('_')[1]}`);
  await signIn(token);
}

async function start() {
  const [, link] = location.hash.match(linkPattern) ?? [];
  if (link) {
    try {
      await enterByLink(link);
    } catch (error) {
      signOut();
      showSignIn(error.status === 401 ? 'This address was opened before, or has run out; `reelfarm page` prints another.' : error.message);
      return;
    }
  }
  if (session.token === '') {
    showSignIn();
    return;
  }
  try {
    await enter(session.token);
    show();
  } catch (error) {
    showSignIn(error.status === 401 ? 'The token is good no more: it has run out, or was revoked.' : error.message);
  }
}

onSignedOut(showSignIn);
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address is the view's
  at('main').focus();
});
window.addEventListener('hashchange', () => {
  if (linkPattern.test(location.hash)) {
    start();
  } else if (session.role !== '') {
    show();
  }
});
start();
