// The emotes that can be said here, and the picker for them.

import { ask } from "./api.js";
import { emotePicture } from "./chat-line.js";

/** Calls what it was opened with when an emote is picked. */
export class EmotePicker {
  #channel;
  #panel = document.getElementById("emotes");
  #opener = null;
  #picked = null;
  #loading = null;

  constructor(channel) {
    this.#channel = channel;
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#panel.hidden && !this.#panel.contains(target) && !this.#opener?.contains(target)) this.#hide();
    });
  }

  /** Global emotes, then the channel's: [{id, name}]. Asked for once. */
  load() {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async toggle(opener, picked) {
    if (!this.#panel.hidden && this.#opener === opener) {
      this.close();
      return;
    }
    this.#opener = opener;
    this.#picked = picked;
    const emotes = await this.load().catch(() => []);
    if (!this.#panel.childElementCount) this.#panel.append(...emotes.map((emote) => this.#button(emote)));
    this.#panel.hidden = false;
    if (opener.ariaExpanded !== null) opener.ariaExpanded = "true";
    this.#panel.querySelector("button")?.focus();
  }

  close() {
    this.#hide();
    this.#opener?.focus();
  }

  #hide() {
    this.#panel.hidden = true;
    if (this.#opener?.ariaExpanded) this.#opener.ariaExpanded = "false";
  }

  async #load() {
    const own = { query: { broadcaster_id: this.#channel } };
    const lists = await Promise.all([ask("GET", "/helix/chat/emotes/global"), ask("GET", "/helix/chat/emotes", own)]);
    return lists.flatMap(({ body }) => body.data.map(({ id, name }) => ({ id, name })));
  }

  #button({ id, name }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.setAttribute("aria-label", name);
    button.append(emotePicture(id, name));
    button.addEventListener("click", () => {
      this.#picked(name);
      this.close();
    });
    return button;
  }
}
