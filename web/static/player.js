// Plays one stream: hls.js in low-latency mode, the browser's own player where Media Source Extensions are missing.

import { autoplay } from "./autoplay.js";
import { Renditions } from "./renditions.js";
import { Timeline } from "./timeline.js";

const RETRY_MS = 2000;
const OVERSEEN_MS = 400;
const HOP_S = 0.05;
const STUCK_MS = 3000;
const BEHIND_S = 1;
const REPORT_S = 10;
const CATCH_UP_RATE = 1.1;
const STALL_COSTS_S = 0.5; // further behind live after each stall; hls.js would add a whole second

/**
 * Events: "playing", "problem" (detail: what happened), "over" (the stream ended), "muted" (sound needs a click),
 * "refused" (detail: {code, message}; the stream is not public, and the query does not open it), "qualities" (what can
 * be chosen, or what of it plays, may be another).
 */
export class Player extends EventTarget {
  #video;
  #hls = null;
  #renditions = null;
  #timeline = null;
  #chosen = null;
  #following = true; // what is live, not something older
  #resume = null;
  #url = null;
  #viewer;
  #content = null;
  #reporter = null;
  #query = () => "";
  #retry = 0;
  #stalledSince = null;
  #stalledMs = 0;
  #stuck = 0;
  #overseen = 0;

  /** `viewer` is the page view's id. */
  constructor(video, viewer) {
    super();
    this.#video = video;
    this.#viewer = viewer;
    video.addEventListener("waiting", () => {
      if (!video.seeking) this.#stalledSince ??= performance.now();
      this.#unstick();
      this.#overseen = setTimeout(() => this.#hop(), OVERSEEN_MS);
      this.#stuck = setTimeout(() => this.#jump(), STUCK_MS);
    });
    video.addEventListener("playing", () => {
      this.#endStall();
      this.#unstick();
      this.#tell("playing");
    });
    video.addEventListener("play", () => {
      this.#following = this.window?.isLive ?? true;
    });
    video.addEventListener("ended", () => this.#tell("over"));
    video.addEventListener("error", () => {
      if (this.#hls || !this.#url) return;
      this.#tell("problem", "The stream is interrupted.");
      this.#later(() => this.#open());
    });
  }

  /** `content` is the stream's id; `query` gives what belongs on every request below the playlist's address, "" for a public stream. */
  play(url, content, query = () => "") {
    this.stop();
    this.#url = url;
    this.#content = content;
    this.#query = query;
    this.#following = true;
    this.#open();
  }

  stop() {
    this.#close();
    this.#url = null;
    this.#resume = null;
    this.#stalledSince = null;
    this.#video.removeAttribute("src");
    this.#video.load();
    this.#tell("qualities");
  }

  /** The query is a new one. The browser's own player goes by a cookie, which the playlist's answer sets. */
  renew() {
    if (this.#hls || !this.#url) return;
    fetch(this.#addressed(this.#url), { mode: "no-cors", credentials: "include" }).catch(() => {});
  }

  unmute() {
    this.#video.muted = false;
    this.#video.play();
  }

  /** `Timeline.window`, or null. */
  get window() {
    return this.#timeline?.window ?? null;
  }

  /** `Timeline.dateAt`, or null. */
  dateAt(position) {
    return this.#timeline?.dateAt(position) ?? null;
  }

  /** Show what is at this position, or the nearest that can be shown. */
  seek(position) {
    if (!this.window) return;
    const nearest = this.#timeline.nearest(position);
    if (nearest === null) {
      this.goLive();
      return;
    }
    this.#following = false;
    this.#resume = null;
    this.#video.currentTime = nearest;
  }

  /** Also takes up a player that was paused. */
  goLive() {
    const { window } = this;
    if (!window) return;
    this.#following = true;
    this.#resume = null;
    if (!window.isLive) this.#video.currentTime = window.live;
    if (this.#video.paused) this.#start();
  }

  /** Name and height (pixels) of each rendition that can be chosen; none where the browser's own player chooses. */
  get qualities() {
    return this.#renditions?.list() ?? [];
  }

  /** The name of the rendition that was chosen, null for what suits the connection. */
  get quality() {
    return this.#chosen;
  }

  /** The name of the rendition on the screen, or null. */
  get playing() {
    return this.#renditions?.playing ?? null;
  }

  /** `name` is a rendition's, null for what suits the connection. A stream that has no such one takes the same height. */
  choose(name) {
    this.#chosen = name;
    if (this.#renditions?.isNew(name)) this.#reopen();
    else this.#renditions?.choose(name, this.#following);
    this.#tell("qualities");
  }

  /** Seconds behind the camera, by the playlist's clock; null while unknown. */
  get latency() {
    const shown = this.#timeline?.date;
    if (shown) return Math.max(0, (Date.now() - shown.getTime()) / 1000);
    return this.#hls?.latency || null;
  }

  /** Whether the player reports to the origin by itself. */
  get reports() {
    return this.#hls !== null;
  }

  /** What a playback report holds; the stall time counts from the last call. */
  report() {
    if (this.#stalledSince !== null) {
      this.#endStall();
      this.#stalledSince = performance.now();
    }
    const stalled = this.#stalledMs;
    this.#stalledMs = 0;
    const bits = this.#hls?.levels[this.#hls.currentLevel]?.bitrate ?? 0;
    return {
      latency_ms: this.#latencyMs(),
      stalled_ms: Math.min(3600000, Math.round(stalled)),
      bitrate_kbps: Math.round(bits / 1000),
    };
  }

  #open() {
    if (window.Hls?.isSupported()) this.#openWithHls();
    else if (this.#video.canPlayType("application/vnd.apple.mpegurl")) this.#openNatively();
    else this.#tell("problem", "This browser cannot play the stream. Try a current version of any browser.");
  }

  #openWithHls() {
    const { Hls } = window;
    // No backBufferLength: hls.js 1.7.4 then forgets which parts of the newest segment it has, and stands still until
    // that segment's parts leave the playlist. The browser evicts what is old by itself.
    const xhrSetup = (xhr, address) => xhr.open("GET", this.#addressed(address), true);
    const pace = { lowLatencyMode: true, maxLiveSyncPlaybackRate: CATCH_UP_RATE, liveSyncOnStallIncrease: STALL_COSTS_S };
    const hls = new Hls({ ...pace, cmcd: this.#cmcd(), xhrSetup });
    this.#hls = hls;
    this.#timeline = new Timeline(this.#video, hls);
    hls.on(Hls.Events.LEVEL_UPDATED, () => {
      this.#reporter?.updateCustomData({ "tally-ltc": this.#latencyMs() });
      this.#keepUp();
    });
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.response?.code === 403) {
        this.stop();
        this.#tell("refused", reasonOf(data.networkDetails));
        return;
      }
      if (!data.fatal) return;
      this.#tell("problem", "The stream is interrupted.");
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
      else this.#later(() => this.#reopen());
    });
    const renditions = new Renditions(hls, (stale) => {
      if (stale || renditions.isNew(this.#chosen)) this.#later(() => this.#reopen());
      this.#tell("qualities");
    });
    this.#renditions = renditions;
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      renditions.begin(this.#chosen);
      this.#start();
    });
    if (this.#resume) this.#video.addEventListener("loadeddata", () => this.#takeUp(), { once: true });
    hls.loadSource(this.#url);
    hls.attachMedia(this.#video);
  }

  /** CMCD in event mode: media requests stay plain, so a CDN's cache key and CORS preflights do not grow. */
  #cmcd() {
    const includeKeys = ["sid", "cid", "v", "e", "ts", "sta", "ec", "br", "bl", "mtp", "msd", "tally-ltc"];
    const url = new URL("/cmcd", this.#url).href;
    return {
      version: 2,
      sessionId: this.#viewer,
      contentId: this.#content,
      includeKeys: [],
      eventTargets: [{ url, events: ["ps", "e", "t", "bc"], interval: REPORT_S, includeKeys }],
      reporterCallback: (reporter) => {
        this.#reporter = reporter;
      },
    };
  }

  #openNatively() {
    this.#timeline = new Timeline(this.#video, null);
    this.#video.src = this.#addressed(this.#url);
    this.#start();
  }

  /** Who was behind live comes back to the same moment. */
  #reopen() {
    if (!this.#following) this.#resume ??= this.dateAt(this.#video.currentTime);
    this.#close();
    if (this.#url) this.#open();
  }

  #takeUp() {
    const { window } = this;
    const live = window && this.dateAt(window.live);
    if (live && this.#resume) this.seek(window.live - (live - this.#resume) / 1000);
    this.#resume = null;
  }

  #close() {
    clearTimeout(this.#retry);
    this.#unstick();
    this.#hls?.destroy();
    this.#hls = null;
    this.#renditions = null;
    this.#timeline = null;
  }

  #start() {
    autoplay(this.#video, () => this.#tell("muted"));
  }

  #unstick() {
    clearTimeout(this.#overseen);
    clearTimeout(this.#stuck);
  }

  /** hls.js 1.7.4 may not see the next segment when the rendition was changed within one; past its beginning it does. */
  #hop() {
    const { buffered, currentTime } = this.#video;
    const edge = this.#hls?.latestLevelDetails?.edge ?? 0;
    for (let index = 0; index < buffered.length; index++) {
      const end = buffered.end(index);
      if (buffered.start(index) <= currentTime && currentTime <= end && edge > end + BEHIND_S) this.#video.currentTime = end + HOP_S;
    }
  }

  /**
   * A player that has stood still while the stream went on takes it up where it is now, with smaller renditions where
   * there are some by now.
   */
  #jump() {
    if (this.#renditions?.incomplete && this.#chosen === null) {
      this.#reopen();
      return;
    }
    if (!this.#following) return;
    const edge = this.#hls?.liveSyncPosition;
    if (edge && edge > this.#video.currentTime + BEHIND_S) this.#video.currentTime = edge;
  }

  /** Who follows what is live and has fallen so far behind that hls.js does not play faster any more is taken there. */
  #keepUp() {
    const { paused, seeking, readyState } = this.#video;
    const { latency, targetLatency, liveSyncPosition, latestLevelDetails } = this.#hls;
    if (!this.#following || this.#resume || paused || seeking || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    if (liveSyncPosition && latency > targetLatency + latestLevelDetails.targetduration) this.#video.currentTime = liveSyncPosition;
  }

  #latencyMs() {
    return Math.min(3600000, Math.round((this.latency ?? 0) * 1000));
  }

  #endStall() {
    if (this.#stalledSince === null) return;
    this.#stalledMs += performance.now() - this.#stalledSince;
    this.#stalledSince = null;
  }

  /** Nobody but the stream's own server gets the query. */
  #addressed(address) {
    const query = this.#url && this.#query();
    if (!query || !address.startsWith(this.#url.slice(0, this.#url.lastIndexOf("/") + 1))) return address;
    return `${address}${address.includes("?") ? "&" : "?"}${query}`;
  }

  #later(action) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(action, RETRY_MS);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function reasonOf(xhr) {
  try {
    const { code, message } = JSON.parse(xhr.responseText);
    return { code, message };
  } catch {
    return { code: "refused", message: "The server does not give this stream out." };
  }
}
