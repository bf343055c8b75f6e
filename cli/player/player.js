// SPDX-License-Identifier: GPL-2.0-or-later
// Plays the titles below the served folder: by the browser's own HLS where it has
// one, else by hls.js where that was built in. In the address ?title=NAME picks the
// title, ?player=browser or ?player=hlsjs the player.
const at = (id) => document.getElementById(id);
const video = at('video');
const query = new URLSearchParams(location.search);

const players = {
  browser: { name: 'browser', attach: (url) => { video.src = url; } },
  hlsjs: { name: 'hls.js', attach: attachHls },
};

const state = {
  player: null, // a key of `players`
  rate: 0, // frames a second
  frames: 0, // of the title
  shown: null, // number of the frame on screen
  renditions: [],
  hls: null, // the Hls object where hls.js plays
};

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  return element;
}

function tell(message) {
  at('message').textContent = message;
}

const media = (title, name) => `/media/${title}/${name}`;

function here(change) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    next.set(name, value);
  }
  return `/?${next}`;
}

// ---- About the title --------------------------------------------------------------

const ratio = (text) => {
  const [above, below = 1] = String(text).split('/').map(Number);
  return above / below;
};
const rounded = (value, digits) => value.toLocaleString('en', { maximumFractionDigits: digits });
const kilobits = (bps) => `${rounded(bps / 1000, 0)} kb/s`;

function renditionRow(rendition) {
  const { spec, kind } = rendition;
  const size = kind === 'video' ? `${spec.width}×${spec.height}`
    : `${spec.channels} ch, ${rounded(spec.sample_rate / 1000, 1)} kHz`;
  const tr = make('tr', '');
  tr.append(make('td', rendition.id), make('td', rendition.codecs), make('td', size));
  for (const text of [kilobits(rendition.average_bps), kilobits(rendition.peak_bps),
    rendition.segments, rounded(rendition.bytes / 1e6, 2)]) {
    tr.append(make('td', text, { class: 'number' }));
  }
  return tr;
}

function about(title, doc) {
  const { source } = doc;
  state.rate = ratio(doc.rate);
  state.frames = doc.frames;
  state.renditions = doc.renditions;
  at('name').textContent = title;
  at('source').textContent = `${rounded(ratio(doc.duration_s), 3)} s, ${rounded(doc.frames, 0)} frames at `
    + `${rounded(state.rate, 3)} a second, ladder ${doc.ladder}, from ${source.codec} `
    + `${source.width}×${source.height} in ${source.container}`;
  const picture = doc.renditions.find(({ kind }) => kind === 'video');
  if (picture) {
    video.style.setProperty('--shape', picture.spec.width / picture.spec.height);
  }
  at('defects').replaceChildren(...[...source.defects, ...source.left_out].map((text) => make('li', text)));
  at('renditions').replaceChildren(...doc.renditions.map(renditionRow));
  at('hls').href = media(title, 'master.m3u8');
  at('dash').href = media(title, 'manifest.mpd');
  at('document').href = media(title, 'title.json');
  at('about').hidden = false;
}

// ---- Now --------------------------------------------------------------------------

// Which rendition is on screen: hls.js knows it, for the browser its height tells.
function playing() {
  const url = state.hls?.levels[state.hls.currentLevel]?.url[0] ?? '';
  return state.renditions.findIndex((rendition) => rendition.kind === 'video'
    && (state.hls ? url.endsWith(`/${rendition.id}.m3u8`) : rendition.spec.height === video.videoHeight));
}

function bufferedAhead() {
  const now = video.currentTime;
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= now && now <= video.buffered.end(i)) {
      return `${(video.buffered.end(i) - now).toFixed(1)} s ahead`;
    }
  }
  return '–';
}

function showNow() {
  const quality = video.getVideoPlaybackQuality?.();
  const index = playing();
  const facts = {
    rendition: state.renditions[index]?.id ?? (video.videoHeight ? `${video.videoWidth}×${video.videoHeight}` : '–'),
    time: `${video.currentTime.toFixed(2)} of ${(video.duration || 0).toFixed(2)} s`,
    frame: state.shown === null || !state.frames ? '–' : `${state.shown} of ${state.frames}`,
    buffered: bufferedAhead(),
    dropped: quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : '–',
    player: state.hls ? `hls.js ${state.hls.constructor.version}` : players[state.player].name,
  };
  at('now').replaceChildren(...Object.entries(facts).map(([name, value]) => {
    const div = make('div', '');
    div.append(make('dt', name), make('dd', value));
    return div;
  }));
  at('now').hidden = false;
  [...at('renditions').children].forEach((tr, i) => tr.classList.toggle('playing', i === index));
}

function watchFrames() {
  video.requestVideoFrameCallback?.((now, frame) => {
    state.shown = Math.round(frame.mediaTime * state.rate);
    watchFrames();
  });
}

// ---- Playing ------------------------------------------------------------------------

// hls.js can be held to one rendition: the names of the table become buttons.
function offerChoice(hls) {
  const buttons = [];
  const choose = (level) => {
    hls.currentLevel = level;
    buttons.forEach((button) => button.setAttribute('aria-pressed', Number(button.dataset.level) === level));
  };
  state.renditions.forEach((rendition, i) => {
    const level = hls.levels.findIndex(({ url }) => url[0].endsWith(`/${rendition.id}.m3u8`));
    if (level < 0) {
      return;
    }
    const button = make('button', rendition.id, {
      'data-level': level, 'aria-pressed': false, title: 'play this rendition alone, or all again',
    });
    button.addEventListener('click', () => choose(button.getAttribute('aria-pressed') === 'true' ? -1 : level));
    at('renditions').children[i].cells[0].replaceChildren(button);
    buttons.push(button);
  });
}

async function attachHls(url) {
  const { default: Hls } = await import('/hls.min.mjs');
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (event, data) => {
    if (data.fatal) {
      tell(`hls.js cannot play it: ${data.details}.`);
    }
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => offerChoice(hls));
  hls.loadSource(url);
  hls.attachMedia(video);
  state.hls = hls;
}

// Of a title that still grows the browser alone reads what is there once, and stops there.
function pickPlayer(hlsJsBuiltIn, grows) {
  const able = [];
  if (video.canPlayType('application/vnd.apple.mpegurl')) {
    able.push('browser');
  }
  if (hlsJsBuiltIn) {
    able.push('hlsjs');
  }
  const wanted = query.get('player');
  const usual = grows ? able.at(-1) : able[0];
  state.player = able.includes(wanted) ? wanted : usual ?? null;
  if (able.length > 1) {
    at('players').append(...able.map((player) => make('a', players[player].name, {
      href: here({ player }), ...(player === state.player ? { 'aria-current': 'true' } : {}),
    })));
  }
}

// From the time, not from the frame last painted: that may lag behind quick keys.
function step(frames) {
  if (state.rate) {
    video.pause();
    const last = state.frames - 1;
    const now = Math.min(Math.floor(video.currentTime * state.rate + 0.01), last);
    video.currentTime = (Math.min(Math.max(now + frames, 0), last) + 0.5) / state.rate;
  }
}

const keys = {
  ' ': () => (video.paused ? video.play() : video.pause()),
  k: () => keys[' '](),
  ArrowLeft: () => { video.currentTime -= 5; },
  ArrowRight: () => { video.currentTime += 5; },
  ',': () => step(-1),
  '.': () => step(1),
  m: () => { video.muted = !video.muted; },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
};

function onKey(event) {
  const busy = event.ctrlKey || event.altKey || event.metaKey || event.target.closest('a, button');
  if (!busy && keys[event.key]) {
    event.preventDefault();
    Promise.resolve(keys[event.key]()).catch(() => {}); // a play() that a pause overtook
  }
}

// ---- Start --------------------------------------------------------------------------

async function main() {
  const { titles, hls_js: hlsJsBuiltIn } = await (await fetch('/titles.json')).json();
  const title = query.get('title') ?? titles[0];
  at('titles').append(...titles.map((name) => make('a', name, {
    href: here({ title: name }), ...(name === title ? { 'aria-current': 'page' } : {}),
  })));
  if (!titles.includes(title)) {
    tell(title === undefined
      ? 'There is no finished title in this folder yet: `reelfarm encode SOURCE --out DIR` makes one.'
      : `There is no finished title called ${title} in this folder.`);
    return;
  }
  document.title = `${title} – reelfarm`;
  const doc = await fetch(media(title, 'title.json'));
  if (doc.ok) {
    about(title, await doc.json());
  }
  pickPlayer(hlsJsBuiltIn, !doc.ok);
  if (state.player === null) {
    tell('This browser does not play HLS by itself, and hls.js was not built in: install npm and build '
      + 'again, or open the HLS address below in a player such as mpv or VLC.');
    return;
  }
  video.addEventListener('error', () => tell(`The browser cannot play it: ${video.error.message || 'unknown error'}.`));
  document.addEventListener('keydown', onKey, true);
  video.hidden = false;
  at('keys').hidden = false;
  watchFrames();
  if (!doc.ok) {
    at('name').textContent = title;
    tell('This title is still being encoded: it plays as far as it is made.');
  }
  await players[state.player].attach(media(title, doc.ok ? 'master.m3u8' : 'early.m3u8'));
  showNow();
  setInterval(showNow, 250);
}

main().catch((error) => tell(`The page failed: ${error.message}.`));
