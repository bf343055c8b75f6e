// SPDX-License-Identifier: GPL-2.0-or-later
// What plays a title: each row of `players` is one library, or the browser itself. attach(it) has
// it.video play it.url, tells it.onRungs() when its rungs are known and it.onError(why) when it
// has given up, and answers what the view asks of it:
//   version, rungs() [{ id, height, bps, codec }], pick(id | null: by itself),
//   rung() the one on screen or null, bps() what the network gave or 0, stop()
const OWN = 'application/vnd.apple.mpegurl';
const noCors = 'without an answer; see that its server is there and lets other sites’ pages read it (CORS)';

const isAv1 = (codecs) => (codecs ?? '').startsWith('av01');

// No worker: our media need no work, and the page's policy allows none.
async function attachHls({
  video, url, onRungs, onError,
}) {
  const { default: Hls } = await import('/hls.min.mjs');
  const hls = new Hls({ enableWorker: false });
  const rungOf = (level) => hls.levels[level] && {
    id: String(level), height: hls.levels[level].height, bps: hls.levels[level].bitrate, codec: hls.levels[level].videoCodec,
  };
  hls.on(Hls.Events.ERROR, (event, { fatal, details, response }) => {
    if (fatal) {
      onError(response?.code ? `${details}, answered ${response.code}` : `${details}, ${noCors}`);
    }
  });
  hls.on(Hls.Events.MANIFEST_PARSED, onRungs);
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    version: Hls.version,
    rungs: () => hls.levels.map((each, level) => rungOf(level)),
    pick: (id) => { hls.currentLevel = id === null ? -1 : Number(id); },
    rung: () => rungOf(hls.currentLevel) ?? null,
    bps: () => hls.bandwidthEstimate || 0,
    stop: () => hls.destroy(),
  };
}

// It is no module: it leaves itself in the window.
async function attachShaka({
  video, url, onRungs, onError,
}) {
  await import('/shaka-player.compiled-es2021.js');
  const { shaka } = window;
  const player = new shaka.Player();
  const rungOf = (track) => track && {
    id: String(track.id), height: track.height, bps: track.bandwidth, codec: track.videoCodec,
  };
  const tracks = () => player.getVariantTracks();
  const fail = ({ code, category, data }) => onError(category === shaka.util.Error.Category.NETWORK
    ? `error ${code}, ${data?.[1] ? `answered ${data[1]}` : noCors}` : `error ${code} of shaka-player`);
  player.addEventListener('error', ({ detail }) => fail(detail));
  await player.attach(video);
  player.load(url).then(onRungs, (error) => error.code !== shaka.util.Error.Code.LOAD_INTERRUPTED && fail(error));
  return {
    version: shaka.Player.version.replace(/^v/, ''),
    rungs: () => tracks().map(rungOf),
    pick: (id) => {
      player.configure({ abr: { enabled: id === null } });
      if (id !== null) {
        player.selectVariantTrack(tracks().find((track) => String(track.id) === id), true);
      }
    },
    rung: () => rungOf(tracks().find(({ active }) => active)) ?? null,
    bps: () => player.getStats().estimatedBandwidth || 0,
    stop: () => player.destroy(),
  };
}

async function attachDash({
  video, url, onRungs, onError,
}) {
  const { MediaPlayer } = await import('/dash.all.min.js');
  const player = MediaPlayer().create();
  const rungOf = (representation) => representation && {
    id: representation.id, height: representation.height, bps: representation.bandwidth, codec: representation.codecs,
  };
  player.on(MediaPlayer.events.ERROR, ({ error }) => {
    const status = error.data?.response?.status;
    onError(status ? `${error.message}, answered ${status}` : `${error.message}; see that its server lets other sites’ pages read it (CORS)`);
  });
  player.on(MediaPlayer.events.STREAM_INITIALIZED, onRungs);
  player.updateSettings({ debug: { logLevel: 0 } });
  player.initialize(video, url, false);
  return {
    version: player.getVersion(),
    rungs: () => player.getRepresentationsByType('video').map(rungOf),
    pick: (id) => {
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: id === null } } } });
      if (id !== null) {
        player.setRepresentationForTypeById('video', id, true);
      }
    },
    rung: () => rungOf(player.getCurrentRepresentationForType('video')) ?? null,
    bps: () => 1000 * (player.getAverageThroughput('video') || 0),
    stop: () => player.destroy(),
  };
}

async function attachBrowser({ video, url }) {
  video.src = url;
  return {
    version: '', rungs: () => [], pick: () => {}, rung: () => null, bps: () => 0, stop: () => {},
  };
}

// `early`: it plays what still grows.
export const players = {
  hlsjs: {
    name: 'hls.js', manifest: 'hls', early: true, attach: attachHls,
  },
  shaka: { name: 'shaka-player', manifest: 'dash', attach: attachShaka },
  dashjs: { name: 'dash.js', manifest: 'dash', attach: attachDash },
  browser: {
    name: 'the browser’s own', manifest: 'hls', early: true, attach: attachBrowser,
  },
};

// Those that this browser can use at all, by name.
export function usable(isEarly) {
  const hasSource = 'MediaSource' in window || 'ManagedMediaSource' in window;
  const hasOwn = document.createElement('video').canPlayType(OWN) !== '';
  return Object.keys(players).filter((key) => (key === 'browser' ? hasOwn : hasSource) && (!isEarly || players[key].early));
}

// "720p AV1".
export const rungName = ({ height, codec }) => `${height}p${isAv1(codec) ? ' AV1' : ''}`;
