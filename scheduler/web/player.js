// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a title where the scheduler knows its public address, by a player of one's choice.
import {
  h, keyed, notice, say, setText,
} from './dom.js';
import { bitrate, lastPart, ratio } from './format.js';
import { players, rungName, usable } from './players.js';
import { isBusy } from './states.js';

const LOOK_MS = 250;
const CHOICE = 'reelfarm.player'; // which player was chosen last, kept by the browser

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
    new Player(place, model, { hls: early }, signal).start(query.get('player'));
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
  const base = `${found.media}/`;
  const urls = version ? { hls: `${base}${version}.m3u8`, dash: `${base}${version}.mpd` } : { hls: `${base}master.m3u8`, dash: `${base}manifest.mpd` };
  new Player(place, model, urls, signal).start(query.get('player'));
}

class Player {
  constructor(place, model, urls, signal) {
    Object.assign(this, {
      place, model, urls, signal,
    });
    this.key = ''; // of `players`
    this.playing = null; // what attach answered
    this.shown = null; // number of the frame on screen
  }

  start(wanted) {
    const rung = this.model.plan?.renditions.find(({ is_video: isVideo }) => isVideo)?.spec;
    this.able = usable(!this.urls.dash);
    this.rate = ratio(this.model.plan?.grid.rate ?? '0');
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.screen = h('div', { class: 'screen' });
    if (rung) {
      this.screen.style.setProperty('--ratio', rung.width / rung.height);
    }
    this.choices = h('div', { class: 'choices', role: 'group', 'aria-label': 'Player' }, this.able.map((key) => h('button', {
      class: 'choice', 'data-player': key, onclick: () => this.choose(key),
    }, players[key].name)));
    this.rungs = h('div', { class: 'choices', role: 'group', 'aria-label': 'Rendition' });
    this.facts = h('dl', { class: 'facts' });
    this.place.append(this.problem, h('div', { class: 'watch' }, this.screen, h('div', { class: 'beside' },
      h('div', {}, h('h2', {}, 'Rendition'), this.rungs),
      h('div', {}, h('h2', {}, 'Player'), this.choices),
      this.facts,
      h('p', { class: 'dim' }, 'Manifests: ', h('a', { href: this.urls.hls }, 'HLS'), this.urls.dash && [' ', h('a', { href: this.urls.dash }, 'DASH')]))));
    this.signal.addEventListener('abort', () => this.stop());
    this.timer = setInterval(() => this.show(), LOOK_MS);
    if (this.able.length === 0) {
      this.fail('this browser has neither Media Source Extensions nor HLS of its own');
      return;
    }
    this.play([wanted, localStorage.getItem(CHOICE)].find((key) => this.able.includes(key)) ?? this.able[0]);
  }

  stop() {
    clearInterval(this.timer);
    this.leave();
  }

  leave() {
    this.playing?.stop();
    this.playing = null;
    this.video?.removeAttribute('src');
    this.video?.load();
  }

  fail(why) {
    this.problem.hidden = false;
    setText(this.problem, `It does not play: ${why}.`);
  }

  choose(key) {
    localStorage.setItem(CHOICE, key);
    say(`${players[key].name} plays.`);
    this.play(key);
  }

  // By that player, from where the one before it was.
  async play(key) {
    const { currentTime: at = 0, paused = true } = this.video ?? {};
    this.leave();
    this.key = key;
    this.problem.hidden = true;
    this.shown = null;
    this.video = h('video', {
      id: 'video', controls: true, playsinline: true, 'aria-label': this.model.name,
    });
    const { video } = this;
    video.addEventListener('error', () => video === this.video && video.error && this.fail(video.error.message || 'it cannot be read'));
    video.addEventListener('loadedmetadata', () => {
      if (at > 0) {
        video.currentTime = at;
      }
      if (!paused) {
        video.play().catch(() => {}); // the browser may want a touch first
      }
    }, { once: true });
    this.screen.replaceChildren(video);
    this.rungs.replaceChildren(h('span', { class: 'dim' }, key === 'browser' ? 'the browser chooses by itself' : 'not known yet'));
    for (const button of this.choices.children) {
      button.setAttribute('aria-pressed', button.dataset.player === key);
    }
    this.watchFrames(video);
    await this.attach(video);
  }

  async attach(video) {
    const { name, manifest, attach } = players[this.key];
    const isCurrent = () => video === this.video && !this.signal.aborted;
    let playing;
    try {
      playing = await attach({
        video,
        url: this.urls[manifest],
        onRungs: () => isCurrent() && this.playing && this.offer(),
        onError: (why) => isCurrent() && this.fail(why),
      });
    } catch {
      if (isCurrent()) {
        this.lack(name);
      }
      return;
    }
    if (!isCurrent()) {
      playing.stop();
      return;
    }
    this.playing = playing;
    if (playing.rungs().length > 0) { // it was faster
      this.offer();
    }
    this.show();
  }

  // A scheduler that was built without npm has no library: then what the browser can itself.
  lack(name) {
    this.able = this.able.filter((key) => key !== this.key);
    this.choices.querySelector(`[data-player=${this.key}]`).disabled = true;
    if (this.able.length === 0) {
      this.fail(`${name} is not built into this scheduler, whose build needs npm for it, and this browser has no HLS of its own`);
      return;
    }
    this.play(this.able[0]);
  }

  // A button a rendition, and one that lets the player choose.
  offer() {
    const rungs = this.playing.rungs().sort((a, b) => b.height - a.height || b.bps - a.bps);
    const buttons = [{ id: null, text: 'auto', title: 'as the network allows' },
      ...rungs.map((rung) => ({ id: rung.id, text: rungName(rung), title: bitrate(rung.bps) }))];
    this.rungs.replaceChildren(...buttons.map(({ id, text, title }) => h('button', {
      class: 'choice', title, 'data-rung': id ?? '', 'aria-pressed': id === null, onclick: () => this.pick(id),
    }, text)));
  }

  pick(id) {
    this.playing.pick(id);
    for (const button of this.rungs.children) {
      button.setAttribute('aria-pressed', button.dataset.rung === (id ?? ''));
    }
  }

  watchFrames(video) {
    video.requestVideoFrameCallback?.((at, { mediaTime }) => {
      this.shown = Math.round(mediaTime * this.rate);
      if (video === this.video) {
        this.watchFrames(video);
      }
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
    if (!this.video) {
      return;
    }
    const quality = this.video.getVideoPlaybackQuality?.();
    const rung = this.playing?.rung();
    const bps = this.playing?.bps() ?? 0;
    const facts = {
      picture: this.video.videoWidth ? `${this.video.videoWidth}×${this.video.videoHeight}` : '–',
      rung: rung ? `${rungName(rung)}, ${bitrate(rung.bps)}` : '–',
      network: bps > 0 ? bitrate(bps) : '–',
      buffered: this.ahead(),
      frame: this.shown === null ? '–' : `${this.shown} of ${this.model.title.frames}`,
      dropped: quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : '–',
      player: this.playing ? `${players[this.key].name} ${this.playing.version}`.trim() : '–',
    };
    keyed(this.facts, Object.entries(facts), ([name]) => name, ([name]) => h('div', { 'data-fact': name }, h('dt', {}, name), h('dd', {})),
      (element, [, value]) => setText(element.lastChild, value));
  }
}
