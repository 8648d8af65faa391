// The chat column: composes the connection, the list, the form and what moderators have.

import { ask } from "./api.js";
import { ChatForm } from "./chat-form.js";
import { frameOf } from "./chat-line.js";
import { ChatLog } from "./chat-log.js";
import { Moderation } from "./chat-moderation.js";
import { ChatProblem, ChatSocket } from "./chat-socket.js";
import { EmotePicker } from "./emotes.js";
import { MessageMenu } from "./message-menu.js";

const HISTORY = 50;
const SETTLED_MS = 3000; // by then the history has what was said just before the room was entered
const RETRY_MS = 3000;
const STATES = { connecting: "Connecting …", open: "", closed: "Not connected" };

const element = (id) => document.getElementById(id);

export class Chat {
  #session;
  #channel;
  #signIn;
  #log = new ChatLog();
  #menu = new MessageMenu();
  #socket = null;
  #picker;
  #form;
  #moderation;
  #you = null;
  #modes = null;
  #refused = false;
  #onScreen = new Map(); // reactions to what is on screen, by emote

  constructor(session, channel, signIn) {
    this.#session = session;
    this.#channel = channel;
    this.#signIn = signIn;
    this.#picker = new EmotePicker(channel);
    const send = (text, replyTo) => this.#say(text, replyTo);
    this.#form = new ChatForm({ send, picker: this.#picker, onWarned: () => this.#readWarning() });
    this.#moderation = new Moderation(session, channel, (text) => this.#form.complain(text));
    this.#log.addEventListener("chosen", ({ detail }) => this.#menu.open(detail.at, this.#actionsFor(detail.message, detail.at)));
    element("warning-read").addEventListener("click", () => this.#acknowledge());
    session.addEventListener("change", () => this.#socket?.enter(session.user?.token ?? null));
    this.#open();
  }

  async #open() {
    try {
      const { body } = await ask("GET", "/site.json");
      this.#connect(body.chat_url);
    } catch {
      setTimeout(() => this.#open(), RETRY_MS);
      return;
    }
    this.#picker.load().then((emotes) => this.#log.know(emotes), () => {});
  }

  #connect(url) {
    const socket = new ChatSocket(url, this.#channel);
    this.#socket = socket;
    socket.addEventListener("state", ({ detail }) => {
      element("chat-state").textContent = STATES[detail];
    });
    socket.addEventListener("joined", ({ detail }) => this.#joined(detail));
    socket.addEventListener("standing", ({ detail }) => this.#stand(detail.you));
    socket.addEventListener("frame", ({ detail }) => this.#show(detail));
    socket.addEventListener("refused", ({ detail }) => {
      this.#refused = true;
      this.#stand(null);
      this.#form.complain(detail.message);
    });
    socket.addEventListener("session-over", () => this.#session.expire());
    socket.enter(this.#session.user?.token ?? null);
  }

  #joined({ fresh, you, room_state: modes }) {
    this.#showModes(modes);
    this.#stand(you ?? null);
    if (this.#refused) this.#form.complain("");
    this.#refused = false;
    if (!fresh) return;
    this.#log.empty();
    this.#readHistory();
    setTimeout(() => this.#readHistory(), SETTLED_MS);
  }

  #stand(you) {
    this.#you = you;
    this.#log.me = you?.user.login ?? null;
    this.#moderation.offer(this.#moderates, this.#modes);
  }

  /** What was said before the room was entered; the list knows what it has already. */
  async #readHistory() {
    const query = { broadcaster_id: this.#channel, first: HISTORY };
    try {
      const { body } = await this.#session.ask("GET", "/helix/chat/messages", { query });
      this.#log.fill(body.data.reverse().map(frameOf));
    } catch (error) {
      this.#form.complain(`What was said before cannot be shown. ${error.message}`);
    }
  }

  #show(frame) {
    if (frame.type === "message") this.#log.add(frame);
    else if (frame.type === "reaction") this.#react(frame);
    else if (frame.type === "deleted") this.#log.remove(frame.message_id);
    else if (frame.type === "cleared") this.#clear();
    else if (frame.type === "user_banned") this.#banned(frame);
    else if (frame.type === "room_state") this.#showModes(frame.room_state);
    else if (frame.type === "raid") this.#log.tell(`${frame.user.name} raids with ${frame.viewers} viewers!`, "raid");
    else if (frame.type === "subscription") this.#log.tell(`${frame.user.name} subscribed at tier ${frame.tier[0]}!`, "subscription");
  }

  #clear() {
    this.#log.empty();
    this.#log.tell("The chat was cleared.");
  }

  #banned({ user_id: id, login, duration_s: seconds }) {
    this.#log.removeAllOf(id);
    const how = seconds ? `timed out for ${seconds} s` : "banned";
    if (id === this.#you?.user.id) this.#form.complain(`You were ${how}.`);
    else if (this.#moderates) this.#log.tell(`${login || "Somebody"} was ${how}.`);
  }

  #react({ message_id: id, emote }) {
    if (id) this.#log.react(id, emote);
    else {
      this.#onScreen.set(emote, (this.#onScreen.get(emote) ?? 0) + 1);
      const counts = [...this.#onScreen].sort((one, other) => other[1] - one[1]).slice(0, 5);
      element("on-screen").textContent = counts.map(([name, count]) => `${name} ${count}`).join("  ");
    }
  }

  #showModes(modes) {
    if (this.#modes?.slow_mode_s && !modes.slow_mode_s) this.#form.waitNoMore();
    this.#modes = modes;
    this.#moderation.show(modes);
    const minutes = modes.follower_mode_min;
    const named = [
      modes.slow_mode_s && `Slow mode: ${modes.slow_mode_s} s`,
      minutes !== undefined && (minutes ? `Followers only: ${minutes} min` : "Followers only"),
      modes.subscriber_mode && "Subscribers only",
      modes.emote_mode && "Emotes only",
      modes.unique_chat_mode && "Nothing twice",
      modes.shield_mode && "Shield",
    ];
    element("modes").textContent = named.filter(Boolean).join(" · ");
  }

  get #moderates() {
    return Boolean(this.#you?.roles.some((role) => role === "broadcaster" || role === "moderator"));
  }

  #actionsFor(message, at) {
    const reply = ["Reply", () => this.#form.replyTo(message)];
    const react = ["React …", () => this.#picker.toggle(at.closest("li"), (emote) => this.#reactTo(message, emote))];
    const own = message.user.id === this.#you?.user.id;
    const takeBack = ["Delete message", () => this.#ask({ type: "delete", message_id: message.id })];
    if (this.#moderates) return [reply, react, ...this.#moderation.actionsFor(message)];
    return own ? [reply, react, takeBack] : [reply, react];
  }

  #reactTo(message, emote) {
    if (this.#session.user) this.#ask({ type: "react", message_id: message.id, emote });
    else this.#signIn();
  }

  async #ask(frame) {
    try {
      await this.#socket.ask(frame);
    } catch (error) {
      this.#form.explain(error);
    }
  }

  /** Whether it was said. */
  async #say(content, replyTo) {
    if (!this.#session.user) {
      this.#signIn();
      return false;
    }
    if (!this.#socket) throw new ChatProblem({ code: "connecting", text: "The chat is not connected yet." });
    await this.#socket.ask({ type: "message", content, ...(replyTo && { reply_to: replyTo }) });
    if (this.#modes?.slow_mode_s && !this.#you?.roles.length) this.#form.wait(this.#modes.slow_mode_s);
    return true;
  }

  async #readWarning() {
    const query = { broadcaster_id: this.#channel };
    const { body } = await this.#session.ask("GET", "/helix/moderation/warnings", { query });
    element("warning-text").textContent = body.data[0]?.reason ?? "";
    element("warning").hidden = false;
  }

  async #acknowledge() {
    try {
      await this.#session.ask("PATCH", "/helix/moderation/warnings", { query: { broadcaster_id: this.#channel } });
      element("warning").hidden = true;
      this.#form.complain("");
    } catch (error) {
      this.#form.complain(error.message);
    }
  }
}
