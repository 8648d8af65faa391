// The list of messages: bounded, in order, following the newest unless somebody reads further up.

import { emotePicture, lineOf } from "./chat-line.js";

const KEPT = 200;
const NEAR_PX = 60;
const KINDS = 12; // of reactions to one message

/** Events: "chosen" (detail: {message, at}: a message's menu is asked for, at an element). */
export class ChatLog extends EventTarget {
  #list = document.getElementById("messages");
  #newer = document.getElementById("newer");
  #messages = new Map(); // what the list shows, by id
  #reactions = new Map(); // message id to emote to count
  #emotes = new Map(); // name to id, as far as known
  #menus;
  me = null;

  /** `menus`: whether messages offer one. */
  constructor(menus = true) {
    super();
    this.#menus = menus;
    this.#newer.addEventListener("click", () => this.#follow());
    this.#list.addEventListener("scroll", () => {
      if (this.#atEnd()) this.#newer.hidden = true;
    });
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("click", ({ target }) => {
      const more = target.closest("button.more");
      if (more) this.#choose(more.closest("li"), more);
    });
  }

  /** Emotes by name, so that reactions are shown as pictures. */
  know(emotes) {
    for (const { name, id } of emotes) this.#emotes.set(name, id);
  }

  get(id) {
    return this.#messages.get(id);
  }

  /** The newest message. One that is there already stays as it is. */
  add(message) {
    this.#place([message], false);
  }

  /** Messages of the history, where they belong by their time. */
  fill(messages) {
    this.#place(messages, true);
  }

  #place(messages, byTime) {
    const follow = this.#atEnd();
    const fresh = messages.filter(({ id }) => !this.#messages.has(id));
    if (!fresh.length) return;
    for (const message of fresh) this.#insert(message, byTime);
    this.#bound();
    if (follow) this.#follow();
    else this.#newer.hidden = false;
  }

  /** A line that nobody said: a raid, a ban. */
  tell(text, kind = "told") {
    const follow = this.#atEnd();
    const item = document.createElement("li");
    item.className = kind;
    item.dataset.at = this.#list.lastElementChild?.dataset.at ?? "0";
    const isolated = document.createElement("bdi");
    isolated.textContent = text;
    item.append(isolated);
    this.#list.append(item);
    this.#bound();
    if (follow) this.#follow();
  }

  remove(id, words = "Message deleted") {
    const item = this.#item(id);
    if (!item || item.classList.contains("gone")) return;
    item.classList.add("gone");
    item.classList.remove("for-me", "announcement");
    item.querySelector(".parent")?.remove();
    item.querySelector(".reactions")?.remove();
    item.querySelector(".more")?.remove();
    item.querySelector(".text").replaceWith(words);
    for (const quote of this.#list.querySelectorAll(`.parent[data-of="${CSS.escape(id)}"]`)) quote.textContent = "Replying to a deleted message";
  }

  removeAllOf(userId) {
    for (const item of this.#list.querySelectorAll(`[data-user="${CSS.escape(userId)}"]`)) this.remove(item.dataset.id, "Message removed");
  }

  empty() {
    this.#messages.clear();
    this.#reactions.clear();
    this.#list.replaceChildren();
    this.#newer.hidden = true;
  }

  /** One more reaction to a message. */
  react(id, emote) {
    if (this.#messages.has(id)) this.#count(id, emote, 1);
  }

  #insert(message, byTime) {
    const parent = message.reply && this.#messages.get(message.reply.message_id);
    const item = lineOf(message, this.me, parent);
    const quote = item.querySelector(".parent");
    if (quote) quote.dataset.of = message.reply.message_id;
    if (this.#menus) item.append(moreButton());
    this.#messages.set(message.id, message);
    const earlier = ({ dataset }) => Number(dataset.at) <= Number(item.dataset.at);
    const before = byTime ? [...this.#list.children].findLast(earlier) : this.#list.lastElementChild;
    if (before) before.after(item);
    else this.#list.prepend(item);
    for (const { emote, count } of message.reactions ?? []) this.#count(message.id, emote, count);
  }

  #count(id, emote, by) {
    const counts = this.#reactions.get(id) ?? new Map();
    if (!counts.has(emote) && counts.size >= KINDS) return;
    counts.set(emote, (counts.get(emote) ?? 0) + by);
    this.#reactions.set(id, counts);
    const item = this.#item(id);
    if (!item || item.classList.contains("gone")) return;
    let row = item.querySelector(".reactions");
    if (!row) {
      row = document.createElement("p");
      row.className = "reactions";
      item.append(row);
    }
    row.replaceChildren(...[...counts].map(([name, count]) => this.#chip(name, count)));
  }

  #chip(name, count) {
    const chip = document.createElement("span");
    chip.className = "reaction";
    const known = this.#emotes.get(name);
    chip.append(known ? emotePicture(known, name) : name, ` ${count}`);
    return chip;
  }

  #bound() {
    while (this.#list.childElementCount > KEPT) {
      const { id } = this.#list.firstElementChild.dataset;
      this.#messages.delete(id);
      this.#reactions.delete(id);
      this.#list.firstElementChild.remove();
    }
  }

  #press(event) {
    const lines = [...this.#list.children];
    const at = lines.indexOf(document.activeElement);
    const next = { ArrowUp: at < 0 ? lines.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: lines.length - 1 }[event.key];
    if (event.key === "Enter" && at >= 0) this.#choose(lines[at], lines[at]);
    else if (next !== undefined) lines[next]?.focus();
    else return;
    event.preventDefault();
  }

  #choose(item, at) {
    const message = this.#messages.get(item.dataset.id);
    if (message && !item.classList.contains("gone")) this.dispatchEvent(new CustomEvent("chosen", { detail: { message, at } }));
  }

  #item(id) {
    return this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  #atEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR_PX;
  }

  #follow() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#newer.hidden = true;
  }
}

function moreButton() {
  const more = document.createElement("button");
  more.type = "button";
  more.className = "more quiet";
  more.tabIndex = -1;
  more.setAttribute("aria-label", "Actions for this message");
  more.textContent = "⋯";
  return more;
}
