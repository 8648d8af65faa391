// Tells the edge that somebody watches and how it goes. No user id: a random one per page view.

import { randomId } from "./api.js";

const EVERY_MS = 10000;

export class Beacon {
  #viewer = randomId();
  #report;
  #stream = null;
  #timer = 0;

  /** `report` gives latency_ms, stalled_ms and bitrate_kbps. */
  constructor(report) {
    this.#report = report;
    addEventListener("pagehide", () => this.leave());
  }

  join(stream) {
    if (this.#stream === stream) return;
    this.leave();
    this.#stream = stream;
    this.#send({ event: "joined" });
    this.#timer = setInterval(() => this.#send({ event: "sampled", ...this.#report() }), EVERY_MS);
  }

  leave() {
    if (this.#stream === null) return;
    clearInterval(this.#timer);
    this.#send({ event: "left" });
    this.#stream = null;
  }

  #send(report) {
    const body = JSON.stringify({ ...report, viewer_session_id: this.#viewer });
    navigator.sendBeacon(`/streams/${encodeURIComponent(this.#stream)}/playback`, body);
  }
}
