// Plays a recording by hls.js, and knows which moment is on the screen. To the seek bar it is a player like the live one.

import { autoplay } from "./autoplay.js";

const END_S = 0.5;

/** Events: "playing", "problem" (detail: what happened), "muted" (sound needs a click). */
export class Recording extends EventTarget {
  #video;
  #hls = null;

  constructor(video) {
    super();
    this.#video = video;
    video.addEventListener("playing", () => this.dispatchEvent(new Event("playing")));
  }

  /** `url` is the multivariant playlist's; its query belongs on every request below it. */
  play(url) {
    const { Hls } = window;
    if (!Hls?.isSupported()) {
      if (this.#video.canPlayType("application/vnd.apple.mpegurl")) this.#video.src = url;
      else this.#tell("problem", "This browser cannot play the recording. Try a current version of any browser.");
      return;
    }
    const { search } = new URL(url);
    const below = url.slice(0, url.split("?")[0].lastIndexOf("/") + 1);
    const whole = (address) => (search && address.startsWith(below) && !address.includes("?") ? address + search : address);
    this.#hls = new Hls({ xhrSetup: (xhr, address) => xhr.open("GET", whole(address), true) });
    this.#hls.on(Hls.Events.ERROR, (_, { fatal, type }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR) this.#hls.recoverMediaError();
      else this.#tell("problem", "The recording cannot be loaded. Load the page again.");
    });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, () => this.#start());
    this.#hls.loadSource(url);
    this.#hls.attachMedia(this.#video);
  }

  /** {start, live, position, isLive, recorded} in seconds, `live` being the end; null while unknown. */
  get window() {
    const { duration, currentTime: position } = this.#video;
    if (!Number.isFinite(duration) || duration <= 0) return null;
    return { start: 0, live: duration, position, isLive: duration - position < END_S, recorded: true };
  }

  /** For the thumbnails, whose times count from the recording's beginning. */
  dateAt(position) {
    return new Date(position * 1000);
  }

  /** When what is on the screen was live: a Date by the playlist's clock, exact behind interruptions; null while unknown. */
  get moment() {
    if (this.#hls) return this.#hls.playingDate;
    const start = this.#video.getStartDate?.();
    return start && !Number.isNaN(start.getTime()) ? new Date(start.getTime() + this.#video.currentTime * 1000) : null;
  }

  seek(position) {
    if (this.window) this.#video.currentTime = Math.min(this.window.live, Math.max(0, position));
  }

  /** The seek bar's End. */
  goLive() {
    if (this.window) this.seek(this.window.live - END_S);
  }

  unmute() {
    this.#video.muted = false;
    this.#video.play();
  }

  #start() {
    autoplay(this.#video, () => this.#tell("muted"));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
