// Tells the edge that somebody watches and how it goes. No user id: a random one per page view.
// Where the player reports by itself (CMCD), only the end is told here: a closing page gets no other request out.

const EVERY_MS = 10000;

export class Beacon {
  #viewer;
  #report;
  #stream = null;
  #timer = 0;

  /** `viewer` is the page view's id; `report` gives latency_ms, stalled_ms and bitrate_kbps. */
  constructor(viewer, report) {
    this.#viewer = viewer;
    this.#report = report;
    addEventListener("pagehide", () => this.leave());
  }

  /** `reported`: the player reports by itself. */
  join(stream, reported) {
    if (this.#stream === stream) return;
    this.leave();
    this.#stream = stream;
    if (reported) return;
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
