// The chat's connection: enters a room, comes back to where it was, and says everything once.

import { randomId } from "./api.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15000;
const PING_MS = 20000;
const SILENCE_MS = 45000;
const MOST_WAITING = 20;
const PASSING = new Set(["unavailable", "overloaded", "too_many_connections", "join_ratelimit"]);
const SESSION_OVER = new Set(["bad_token", "session_ended"]);

export class ChatProblem extends Error {
  constructor({ code, text, retry_after: retryAfter }) {
    super(text);
    this.code = code;
    this.retryAfter = retryAfter ?? 0;
  }
}

/**
 * Events: "frame" (detail: a frame of the room; each comes once, in the log's order), "joined" (detail: that frame;
 * `fresh` says that what was before it is unknown), "standing" (detail: that frame), "state" (detail: "connecting",
 * "open" or "closed"), "refused" (detail: a ChatProblem: the room is not open to this visitor), "session-over".
 */
export class ChatSocket extends EventTarget {
  #url;
  #room;
  #token = null;
  #socket = null;
  #cursor = null;
  #joined = false;
  #fresh = true;
  #waiting = new Map(); // by id, what is not answered yet
  #attempt = 0;
  #retry = 0;
  #heardAt = 0;

  constructor(url, room) {
    super();
    this.#url = url;
    this.#room = room;
    setInterval(() => this.#watchSilence(), PING_MS);
    addEventListener("online", () => this.#socket || this.#connect());
    addEventListener("pagehide", () => this.#drop());
  }

  /** Enter as who has the token, or as nobody where it is null; again when that changed. */
  enter(token) {
    this.#token = token;
    this.#drop();
    this.#connect();
  }

  /** Send a frame that is answered. Resolves to `accepted`; throws ChatProblem. Repeated under one id until it is answered. */
  ask(frame) {
    if (this.#waiting.size >= MOST_WAITING) {
      const text = "Too much waits to be sent. Wait until the chat is connected.";
      return Promise.reject(new ChatProblem({ code: "busy", text }));
    }
    const id = randomId();
    const whole = { ...frame, room_id: this.#room, id };
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { frame: whole, resolve, reject }));
    if (this.#joined) this.#send(whole);
    return answer;
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#tell("state", "connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.addEventListener("open", () => this.#join());
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = performance.now();
      this.#take(JSON.parse(data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#again();
    });
  }

  #join() {
    const token = this.#token && { token: this.#token };
    this.#send({ type: "join", room_id: this.#room, ...token, ...(this.#cursor && { after: this.#cursor }) });
  }

  #take(frame) {
    if (frame.type === "error") this.#takeError(frame);
    else if (frame.type === "accepted") this.#settle(frame.id)?.resolve(frame);
    else if (frame.type === "reconnect") this.#again();
    else if (frame.type === "joined") this.#enterRoom(frame);
    else if (frame.type === "standing") this.#tell("standing", frame);
    else if (frame.cursor) {
      this.#cursor = frame.cursor;
      this.#tell("frame", frame);
    }
  }

  #enterRoom(frame) {
    this.#joined = true;
    this.#attempt = 0;
    this.#cursor = frame.cursor;
    this.#tell("joined", { ...frame, fresh: this.#fresh });
    this.#fresh = false;
    this.#tell("state", "open");
    for (const { frame: unanswered } of this.#waiting.values()) this.#send(unanswered);
  }

  #takeError(error) {
    const { code, id } = error;
    const waiting = this.#waiting.get(id);
    if (code === "outcome_unknown" && waiting) {
      setTimeout(() => this.#waiting.has(id) && this.#joined && this.#send(waiting.frame), (error.retry_after ?? 1) * 1000);
    } else if (id) this.#settle(id)?.reject(new ChatProblem(error));
    else if (code === "cursor_too_old") {
      this.#cursor = null;
      this.#fresh = true;
      this.#join();
    } else if (SESSION_OVER.has(code)) {
      this.#token = null;
      this.#fail(error);
      this.#again();
      this.#tell("session-over");
    } else if (PASSING.has(code)) this.#again(error.retry_after);
    else if (code === "bad_frame") this.#fail(error);
    else if (!this.#joined || code === "room_closed") {
      this.#drop();
      this.#fail(error);
      this.#tell("state", "closed");
      this.#tell("refused", new ChatProblem(error));
    }
  }

  /** Exponentially later each time, at random, so that not everybody comes back in the same moment. */
  #again(leastS = 0) {
    this.#drop();
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#tell("state", "connecting");
    this.#retry = setTimeout(() => this.#connect(), leastS * 1000 + most * (0.5 + Math.random() / 2));
  }

  #drop() {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    this.#joined = false;
    socket?.close();
  }

  #watchSilence() {
    if (!this.#socket) return;
    if (performance.now() - this.#heardAt > SILENCE_MS) this.#again();
    else this.#send({ type: "ping" });
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(new ChatProblem(error));
    this.#waiting.clear();
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
