// Plays one stream: hls.js in low-latency mode, the browser's own player where Media Source Extensions are missing.

const RETRY_MS = 2000;
const STUCK_MS = 3000;
const BEHIND_S = 1;
const REPORT_S = 10;

/**
 * Events: "playing", "problem" (detail: what happened), "over" (the stream ended), "muted" (sound needs a click),
 * "refused" (detail: {code, message}; the stream is not public, and the query does not open it).
 */
export class Player extends EventTarget {
  #video;
  #hls = null;
  #url = null;
  #viewer;
  #content = null;
  #reporter = null;
  #query = () => "";
  #retry = 0;
  #stalledSince = null;
  #stalledMs = 0;
  #stuck = 0;

  /** `viewer` is the page view's id. */
  constructor(video, viewer) {
    super();
    this.#video = video;
    this.#viewer = viewer;
    video.addEventListener("waiting", () => {
      this.#stalledSince ??= performance.now();
      clearTimeout(this.#stuck);
      this.#stuck = setTimeout(() => this.#jump(), STUCK_MS);
    });
    video.addEventListener("playing", () => {
      this.#endStall();
      clearTimeout(this.#stuck);
      this.#tell("playing");
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
    this.#open();
  }

  stop() {
    clearTimeout(this.#retry);
    clearTimeout(this.#stuck);
    this.#hls?.destroy();
    this.#hls = null;
    this.#url = null;
    this.#stalledSince = null;
    this.#video.removeAttribute("src");
    this.#video.load();
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

  /** Seconds behind the camera, by the playlist's clock; null while unknown. */
  get latency() {
    const shown = this.#hls ? this.#hls.playingDate : this.#nativeDate();
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
    const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1, cmcd: this.#cmcd(), xhrSetup });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_UPDATED, () => this.#reporter?.updateCustomData({ "tally-ltc": this.#latencyMs() }));
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
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.#start());
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
    this.#video.src = this.#addressed(this.#url);
    this.#start();
  }

  #reopen() {
    this.#hls?.destroy();
    this.#hls = null;
    if (this.#url) this.#open();
  }

  async #start() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      this.#video.muted = true;
      this.#tell("muted");
      // Refused even muted: the controls are there.
      await this.#video.play().catch(() => {});
    }
  }

  /** A player that has stood still while the stream went on takes it up where it is now. */
  #jump() {
    const edge = this.#hls?.liveSyncPosition;
    if (edge && edge > this.#video.currentTime + BEHIND_S) this.#video.currentTime = edge;
  }

  #nativeDate() {
    const start = this.#video.getStartDate?.();
    return start && !Number.isNaN(start.getTime()) ? new Date(start.getTime() + this.#video.currentTime * 1000) : null;
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
