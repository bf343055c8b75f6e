// SPDX-License-Identifier: GPL-2.0-or-later
// The players of the npm packages, and the browser's own, as players.mjs and edges.mjs start them.
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));

// `start` and `choose` run in the page. `start` gives the video to a player that is held
// to a codec unless `held` is false, and returns once it knows the heights of its rungs, which
// it leaves in test.heights; `choose` takes the rung of a height, `cross` that of a height and
// a codec, and both drop what is buffered of others ahead. All buffer the whole title, so that
// its gaps can be seen.
export const players = {
  'hls.js': {
    script: at('hls.js/dist/hls.min.js'),
    manifest: 'master.m3u8',
    start: (video, manifest, codec) => new Promise((resolve, reject) => {
      const hls = new window.Hls({
        videoPreference: { videoCodec: codec },
      });
      window.test.player = hls;
      hls.on(window.Hls.Events.ERROR, (event, { details, fatal }) => {
        const { INTERNAL_ABORTED, BUFFER_STALLED_ERROR } = window.Hls.ErrorDetails;
        // It changed its mind; or the playhead was late, which is the machine's doing where all
        // is buffered and decoded, as it must be.
        if (fatal || ![INTERNAL_ABORTED, BUFFER_STALLED_ERROR].includes(details)) {
          console.error(`hls.js: ${details}`);
        }
        if (fatal) {
          reject(new Error(details));
        }
      });
      hls.on(window.Hls.Events.MANIFEST_PARSED, () => {
        window.test.levels = hls.levels.filter(({ videoCodec }) => videoCodec.startsWith(codec));
        window.test.heights = window.test.levels.map(({ height }) => height);
        resolve();
      });
      hls.loadSource(manifest);
      hls.attachMedia(video);
    }),
    choose: (wanted) => {
      const { player, levels } = window.test;
      player.currentLevel = player.levels.indexOf(levels.find(({ height }) => height === wanted));
    },
    cross: (wanted, codec) => {
      const { player } = window.test;
      // Of what a busy machine took it would think that the next segments come too late, and
      // leave the whole title as it is.
      player.bandwidthEstimate = 1e9;
      player.nextLevel = player.levels.findIndex(({ height, videoCodec }) => (
        height === wanted && videoCodec.startsWith(codec)));
    },
  },
  'shaka-player': {
    script: at('shaka-player/dist/shaka-player.compiled.js'),
    manifest: 'manifest.mpd',
    start: async (video, manifest, codec, held) => {
      window.shaka.polyfill.installAll();
      const player = new window.shaka.Player();
      window.test.player = player;
      player.addEventListener('error', ({ detail }) => console.error(`shaka: ${detail.message}`));
      await player.attach(video);
      player.configure({
        preferredVideo: held ? [{ codec }] : [], // which the other codec does not survive
        streaming: { bufferingGoal: 60 },
      });
      await player.load(manifest);
      window.test.tracks = player.getVariantTracks()
        .filter(({ videoCodec }) => videoCodec.startsWith(codec));
      window.test.heights = window.test.tracks.map(({ height }) => height);
    },
    choose: (wanted) => {
      const { player, tracks } = window.test;
      player.configure({ abr: { enabled: false } });
      player.selectVariantTrack(tracks.find(({ height }) => height === wanted), true);
    },
    cross: (wanted, codec) => {
      const { player } = window.test;
      player.configure({ abr: { enabled: false } });
      player.selectVariantTrack(player.getVariantTracks().find(({ height, videoCodec }) => (
        height === wanted && videoCodec.startsWith(codec))), true);
    },
  },
  'dash.js': {
    script: at('dashjs/dist/modern/umd/dash.all.min.js'),
    manifest: 'manifest.mpd',
    start: (video, manifest, codec, held) => new Promise((resolve, reject) => {
      const player = window.dashjs.MediaPlayer().create();
      window.test.player = player;
      player.updateSettings({
        streaming: {
          seekDurationBackoff: 0, // else its own end, see below, is half a second early
          buffer: { bufferTimeDefault: 60, bufferTimeAtTopQuality: 60, bufferToKeep: 60 },
        },
      });
      player.registerCustomCapabilitiesFilter(({ mimeType, codecs: its }) => (
        !held || !mimeType.startsWith('video/') || its.startsWith(codec)));
      player.on(window.dashjs.MediaPlayer.events.ERROR, ({ error }) => {
        console.error(`dash.js: ${error.message}`);
        reject(new Error(error.message));
      });
      // Sound may outlast the pictures by part of an AAC frame. Where a timer of dash.js finds the
      // playhead at the end, it ends the title itself: it seeks there and pauses, and the video's
      // own `ended` never comes.
      player.on(window.dashjs.MediaPlayer.events.PLAYBACK_ENDED, () => {
        window.test.happened.ended = true;
      });
      player.on(window.dashjs.MediaPlayer.events.STREAM_INITIALIZED, () => {
        window.test.representations = player.getRepresentationsByType('video');
        window.test.heights = window.test.representations.map(({ height }) => height);
        resolve();
      });
      player.initialize(video, manifest, false);
    }),
    choose: (wanted) => {
      const { player, representations } = window.test;
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
      const { id } = representations.find(({ height }) => height === wanted);
      player.setRepresentationForTypeById('video', id, true);
    },
    cross: (wanted, codec) => {
      const { player } = window.test;
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
      const { id } = player.getRepresentationsByType('video')
        .find(({ height, codecs }) => height === wanted && codecs.startsWith(codec));
      player.setRepresentationForTypeById('video', id, true);
    },
  },
  browser: {
    manifest: 'master.m3u8',
    start: (video, manifest) => { video.src = manifest; },
  },
  'browser, AV1 alone': { // which it does not take where there is H.264
    manifest: 'av1.m3u8',
    start: (video, manifest) => { video.src = manifest; },
    fetches: 'av1',
  },
};
