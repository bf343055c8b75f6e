// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title where the scheduler knows its public address: by hls.js, or the browser's own HLS.
import {
  h, keyed, notice, setText,
} from './dom.js';
import { bitrate, lastPart, ratio } from './format.js';
import { isBusy } from './states.js';

const LOOK_MS = 250;
const OWN = 'application/vnd.apple.mpegurl';

// What may be watched of a title while it is encoded, where it was submitted for that.
function earlyUrl({ title: { early, media } }) {
  return early?.seconds > 0 && media ? `${media}/${lastPart(early.playlist)}` : null;
}

// Comes back when there is something to play.
function wait(place, model, way) {
  const again = () => {
    if (earlyUrl(model) || !isBusy(model.title.state)) {
      model.off(again);
      place.replaceChildren();
      player(place, model, way).catch((error) => !way.signal.aborted && notice(error.message));
    }
  };
  place.append(h('p', { class: 'dim' }, 'There is nothing to play yet: a title is published when all of it is made.'));
  model.on(again);
}

export async function player(place, model, way) {
  const { query, signal } = way;
  const { versions } = await model.get('/versions');
  const version = query.get('version');
  const found = versions.find((one) => (version ? one.version === version : one.current) && !one.dropping);
  const early = earlyUrl(model);
  if (!version && isBusy(model.title.state) && early) {
    await new Player(place, model, early, signal).start(query.get('player'));
    return;
  }
  if (!found && !version && isBusy(model.title.state)) {
    wait(place, model, way);
    return;
  }
  if (!found) {
    place.append(h('p', { class: 'dim' }, version ? 'It has no such version.' : 'It has no version to play.'));
    return;
  }
  if (!found.media) {
    place.append(h('p', {}, 'This scheduler does not know where players read ', h('code', {}, found.output), '.'),
      h('p', { class: 'dim' }, 'Start it with ', h('code', {}, `--public-outputs ${found.output}=https://…`),
        ', and this page can play what lies there.'));
    return;
  }
  await new Player(place, model, `${found.media}/${version ? found.version : 'master'}.m3u8`, signal).start(query.get('player'));
}

class Player {
  constructor(place, model, url, signal) {
    Object.assign(this, {
      place, model, url, signal,
    });
    this.hls = null;
    this.shown = null; // number of the frame on screen
  }

  async start(wanted) {
    const rung = this.model.plan?.renditions.find(({ is_video: isVideo }) => isVideo)?.spec;
    this.rate = ratio(this.model.plan?.grid.rate ?? '0');
    this.video = h('video', { id: 'video', controls: true, playsinline: true, 'aria-label': this.model.name });
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.rungs = h('div', { class: 'choices', role: 'group', 'aria-label': 'Rendition' });
    this.facts = h('dl', { class: 'facts' });
    if (rung) {
      this.video.style.aspectRatio = `${rung.width} / ${rung.height}`;
    }
    this.place.append(this.problem, h('div', { class: 'screen' }, this.video), this.rungs, this.facts,
      h('p', { class: 'dim' }, h('a', { href: this.url }, 'HLS'), ' ', h('a', { href: this.url.replace(/master\.m3u8$/, 'manifest.mpd').replace(/\.m3u8$/, '.mpd') }, 'DASH')));
    this.video.addEventListener('error', () => this.fail(this.video.error?.message || 'it cannot be read'));
    this.signal.addEventListener('abort', () => this.stop());
    this.watchFrames();
    await this.attach(wanted);
    this.timer = setInterval(() => this.show(), LOOK_MS);
    this.show();
  }

  stop() {
    clearInterval(this.timer);
    this.hls?.destroy();
    this.video.removeAttribute('src');
    this.video.load();
  }

  fail(why) {
    this.problem.hidden = false;
    setText(this.problem, `It does not play: ${why}.`);
  }

  async attach(wanted) {
    const Hls = wanted === 'browser' ? null : await import('/hls.min.mjs').then((module) => module.default, () => null);
    if (this.signal.aborted) {
      return;
    }
    if (!Hls?.isSupported()) {
      if (this.video.canPlayType(OWN)) {
        this.name = 'the browser’s own';
        this.video.src = this.url;
      } else {
        this.fail('this browser has no HLS of its own, and hls.js was not built in');
      }
      return;
    }
    this.name = `hls.js ${Hls.version}`;
    // No worker: our media need no work, and the page's policy allows none.
    this.hls = new Hls({ enableWorker: false });
    this.hls.on(Hls.Events.ERROR, (event, { fatal, details, response }) => {
      if (fatal) {
        this.fail(response?.code ? `${details}, answered ${response.code}`
          : `${details}, without an answer; see that its server is there and lets other sites’ pages read it (CORS)`);
      }
    });
    this.hls.on(Hls.Events.MANIFEST_PARSED, () => this.offer());
    this.hls.loadSource(this.url);
    this.hls.attachMedia(this.video);
  }

  // A button a rendition; `-1` lets hls.js choose.
  offer() {
    const levels = this.hls.levels.map(({ height, bitrate: bps, codecSet }, level) => ({
      level, text: `${height}p ${(codecSet ?? '').startsWith('av01') ? 'AV1' : ''}`.trim(), title: bitrate(bps), height, bps,
    })).sort((a, b) => b.height - a.height || b.bps - a.bps);
    this.rungs.replaceChildren(...[{ level: -1, text: 'auto', title: 'as the network allows' }, ...levels].map(({ level, text, title }) => h('button', {
      class: 'choice', title, 'data-level': level, 'aria-pressed': level === -1, onclick: () => this.pick(level),
    }, text)));
  }

  pick(level) {
    this.hls.currentLevel = level;
    for (const button of this.rungs.children) {
      button.setAttribute('aria-pressed', Number(button.dataset.level) === level);
    }
  }

  watchFrames() {
    this.video.requestVideoFrameCallback?.((at, { mediaTime }) => {
      this.shown = Math.round(mediaTime * this.rate);
      this.watchFrames();
    });
  }

  ahead() {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i)) {
        return `${(buffered.end(i) - currentTime).toFixed(1)} s`;
      }
    }
    return '–';
  }

  show() {
    const quality = this.video.getVideoPlaybackQuality?.();
    const level = this.hls?.levels[this.hls.currentLevel];
    const facts = {
      picture: this.video.videoWidth ? `${this.video.videoWidth}×${this.video.videoHeight}` : '–',
      rung: level ? bitrate(level.bitrate) : '–',
      network: this.hls?.bandwidthEstimate ? bitrate(this.hls.bandwidthEstimate) : '–',
      buffered: this.ahead(),
      frame: this.shown === null ? '–' : `${this.shown} of ${this.model.title.frames}`,
      dropped: quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : '–',
      player: this.name ?? '–',
    };
    keyed(this.facts, Object.entries(facts), ([name]) => name, ([name]) => h('div', {}, h('dt', {}, name), h('dd', {})),
      (element, [, value]) => setText(element.lastChild, value));
  }
}
