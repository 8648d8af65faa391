// The chat of a recording, in step with what is on the screen.

import { frameOf } from "./chat-line.js";

const LOOK_MS = 250;
const BEFORE_MS = 60000; // shown at once of what was said before the moment that was sought
const AHEAD_MS = 30000;
const SPAN_MS = 60000;
const PAGE = 100;
const PAGES = 20;
const RETRY_MS = 5000;

export class ChatReplay {
  #session;
  #video;
  #recording;
  #log;
  #coming = []; // what was loaded and not shown, oldest first
  #from = 0; // what is loaded, in ms: from here
  #until = 0; // to here
  #shown = 0; // up to this moment
  #course = 0; // changes with each seek: answers of an older one are not wanted
  #busy = false;
  #notBefore = 0;

  /** `video` is the recording's id; `recording` tells the moment. */
  constructor(session, video, recording, log) {
    this.#session = session;
    this.#video = video;
    this.#recording = recording;
    this.#log = log;
    setInterval(() => this.#look(), LOOK_MS);
  }

  #look() {
    const now = this.#recording.moment?.getTime();
    if (now === undefined || Number.isNaN(now)) return;
    if (now < this.#shown - LOOK_MS * 2 || now < this.#from || now > this.#until + SPAN_MS) this.#startAt(now);
    this.#shown = now;
    const due = this.#coming.findIndex(({ timestamp }) => Date.parse(timestamp) > now);
    const ready = this.#coming.splice(0, due < 0 ? this.#coming.length : due);
    if (ready.length) this.#log.fill(ready);
    if (!this.#busy && this.#until < now + AHEAD_MS && performance.now() > this.#notBefore) this.#load();
  }

  #startAt(now) {
    this.#course += 1;
    this.#busy = false;
    this.#coming = [];
    this.#from = now - BEFORE_MS;
    this.#until = this.#from;
    this.#log.empty();
  }

  async #load() {
    const course = this.#course;
    const since = this.#until;
    this.#busy = true;
    try {
      const length = SPAN_MS + BEFORE_MS;
      const messages = await this.#read(since, length);
      if (course !== this.#course) return;
      this.#coming.push(...messages);
      this.#until = since + length;
    } catch {
      this.#notBefore = performance.now() + RETRY_MS;
    }
    if (course === this.#course) this.#busy = false;
  }

  async #read(since, length) {
    const messages = [];
    const query = { video_id: this.#video, started_at: new Date(since).toISOString(), length_s: length / 1000, first: PAGE };
    for (let page = 0; page < PAGES; page += 1) {
      const { body } = await this.#session.ask("GET", "/helix/videos/chat", { query });
      messages.push(...body.data.map(frameOf));
      query.after = body.pagination.cursor;
      if (!query.after) break;
    }
    return messages;
  }
}
