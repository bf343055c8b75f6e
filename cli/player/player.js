// SPDX-License-Identifier: GPL-2.0-or-later
// Plays the titles below the served folder: by the browser's own HLS where it has
// one, else by hls.js where that was built in.
const at = (id) => document.getElementById(id);
const video = at('video');
const source = (title, name) => `/media/${encodeURIComponent(title)}/${name}`;

function tell(message) {
  at('message').textContent = message;
}

function kilobits(bps) {
  return `${Math.round(bps / 1000).toLocaleString('en')} kb/s`;
}

function row(rendition) {
  const tr = document.createElement('tr');
  const spec = rendition.spec;
  const size = rendition.kind === 'video' ? `${spec.width}×${spec.height}` : `${spec.channels} ch`;
  tr.dataset.height = rendition.kind === 'video' ? spec.height : '';
  for (const text of [rendition.id, rendition.codecs, size, kilobits(rendition.average_bps),
    kilobits(rendition.peak_bps), rendition.segments, rendition.bytes.toLocaleString('en')]) {
    const td = document.createElement('td');
    td.textContent = text;
    tr.append(td);
  }
  return tr;
}

function facts(title, doc) {
  at('name').textContent = title;
  at('renditions').replaceChildren(...doc.renditions.map(row));
  at('hls').href = source(title, 'master.m3u8');
  at('dash').href = source(title, 'manifest.mpd');
  at('document').href = source(title, 'title.json');
  at('facts').hidden = false;
}

function showNow(player) {
  const quality = video.getVideoPlaybackQuality?.();
  const rows = {
    player,
    picture: video.videoWidth ? `${video.videoWidth}×${video.videoHeight}` : '–',
    position: `${video.currentTime.toFixed(1)} / ${(video.duration || 0).toFixed(1)} s`,
    buffered: video.buffered.length
      ? `${(video.buffered.end(video.buffered.length - 1) - video.currentTime).toFixed(1)} s` : '–',
    dropped: quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : '–',
  };
  at('now').replaceChildren(...Object.entries(rows).map(([name, value]) => {
    const div = document.createElement('div');
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    div.append(dt, dd);
    return div;
  }));
  for (const tr of at('renditions').children) {
    tr.classList.toggle('playing', tr.dataset.height === String(video.videoHeight));
  }
}

// Which player: `?player=native` or `?player=hlsjs` in the address decides for tests.
async function attach(url, wanted) {
  const native = video.canPlayType('application/vnd.apple.mpegurl') !== '';
  if (native && wanted !== 'hlsjs') {
    video.src = url;
    return 'browser';
  }
  const found = await fetch('/hls.min.mjs', { method: 'HEAD' });
  if (!found.ok) {
    tell('This browser does not play HLS by itself and hls.js was not built in: install npm and build again, or open the HLS address in a player such as VLC or mpv.');
    return 'none';
  }
  const { default: Hls } = await import('/hls.min.mjs');
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (event, data) => {
    if (data.fatal) {
      tell(`hls.js cannot play it: ${data.details}`);
    }
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  window.hls = hls;
  return `hls.js ${Hls.version}`;
}

async function main() {
  const answer = await fetch('/titles.json');
  const titles = await answer.json();
  const query = new URLSearchParams(location.search);
  const title = query.get('title') ?? titles[0];
  at('titles').append(...titles.map((name) => {
    const a = document.createElement('a');
    a.href = `/?title=${encodeURIComponent(name)}`;
    a.textContent = name;
    if (name === title) {
      a.setAttribute('aria-current', 'page');
    }
    return a;
  }));
  if (!title) {
    tell('There is no finished title in this folder yet: `reelfarm encode SOURCE --out DIR` makes one.');
    return;
  }
  document.title = `${title} – reelfarm`;
  const doc = await fetch(source(title, 'title.json'));
  if (!doc.ok) {
    tell(`There is no finished title called ${title} in this folder.`);
    return;
  }
  facts(title, await doc.json());
  video.addEventListener('error', () => tell(`The browser cannot play it: ${video.error?.message ?? 'unknown error'}`));
  const player = await attach(source(title, 'master.m3u8'), query.get('player'));
  showNow(player);
  setInterval(() => showNow(player), 500);
}

main().catch((error) => tell(`The page failed: ${error.message}`));
