// What moderators have on the watch page, and nobody else: the server decides anyway, this only offers.

const HELD_MS = 5000;
const TIMEOUT_S = 600;
const MODES = {
  "mode-followers": "follower_mode",
  "mode-subscribers": "subscriber_mode",
  "mode-emotes": "emote_mode",
  "mode-unique": "unique_chat_mode",
};

export class Moderation {
  #session;
  #channel;
  #complain;
  #home = document.getElementById("moderation-home");
  #template = document.getElementById("moderation");
  #poll = 0;
  #held = "";

  constructor(session, channel, complain) {
    this.#session = session;
    this.#channel = channel;
    this.#complain = complain;
  }

  get active() {
    return this.#home.childElementCount > 0;
  }

  /** Show the tools, or take them away. */
  offer(moderates, modes) {
    if (moderates === this.active) {
      this.show(modes);
      return;
    }
    clearTimeout(this.#poll);
    this.#held = "";
    this.#home.replaceChildren();
    if (!moderates) return;
    this.#home.append(this.#template.content.cloneNode(true));
    element("clear-chat").addEventListener("click", () => this.#do("DELETE", "/helix/moderation/chat"));
    element("mode-slow").addEventListener("change", ({ target }) => {
      const seconds = Number(target.value);
      this.#set(seconds ? { slow_mode: true, slow_mode_wait_time: seconds } : { slow_mode: false });
    });
    for (const [id, name] of Object.entries(MODES)) {
      element(id).addEventListener("change", ({ target }) => this.#set({ [name]: target.checked }));
    }
    element("mode-shield").addEventListener("change", ({ target }) =>
      this.#do("PUT", "/helix/moderation/shield_mode", { json: { is_active: target.checked } }),
    );
    this.show(modes);
    this.#keepHeld();
  }

  /** The modes in force. */
  show(modes) {
    if (!this.active) return;
    const slow = element("mode-slow");
    const seconds = String(modes.slow_mode_s);
    if (![...slow.options].some(({ value }) => value === seconds)) slow.add(new Option(`${seconds} s`, seconds));
    slow.value = seconds;
    element("mode-followers").checked = modes.follower_mode_min !== undefined;
    element("mode-subscribers").checked = modes.subscriber_mode;
    element("mode-emotes").checked = modes.emote_mode;
    element("mode-unique").checked = modes.unique_chat_mode;
    element("mode-shield").checked = modes.shield_mode;
  }

  /** What a moderator can do about a message: [label, action]. */
  actionsFor({ id, user }) {
    const actions = [["Delete message", () => this.#do("DELETE", "/helix/moderation/chat", { message_id: id })]];
    if (user.id === this.#session.user?.id || user.id === this.#channel) return actions;
    const ban = (more) => this.#do("POST", "/helix/moderation/bans", { json: { data: { user_id: user.id, ...more } } });
    return [
      ...actions,
      ["Time out for 10 minutes", () => ban({ duration: TIMEOUT_S })],
      ["Ban", () => ban({})],
      ["Warn …", () => this.#warn(user)],
    ];
  }

  #warn(user) {
    const form = element("warn-form");
    element("warn-name").textContent = user.name;
    form.hidden = false;
    form.elements.reason.focus();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const json = { data: { user_id: user.id, reason: form.elements.reason.value } };
      if (!(await this.#do("POST", "/helix/moderation/warnings", { json }))) return;
      form.reset();
      form.hidden = true;
    };
    form.onreset = () => {
      form.hidden = true;
    };
  }

  async #keepHeld() {
    if (!this.active) return;
    if (!document.hidden) await this.#readHeld().catch(() => {});
    clearTimeout(this.#poll);
    this.#poll = setTimeout(() => this.#keepHeld(), HELD_MS);
  }

  async #readHeld() {
    const { body } = await this.#session.ask("GET", "/helix/moderation/automod/message", { query: this.#query() });
    const ids = body.data.map(({ message_id: id }) => id).join();
    if (!this.active || ids === this.#held) return;
    this.#held = ids;
    element("held-title").hidden = body.data.length === 0;
    element("held").replaceChildren(...body.data.map((message) => this.#heldLine(message)));
  }

  #heldLine(message) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    const text = document.createElement("bdi");
    name.textContent = message.user_name;
    text.textContent = message.message;
    item.append(name, ": ", text, ` (${message.category || message.rule}) `);
    for (const [label, action] of [["Allow", "ALLOW"], ["Deny", "DENY"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = label;
      button.addEventListener("click", async () => {
        const json = { user_id: this.#session.user.id, msg_id: message.message_id, action };
        if (await this.#try("POST", "/helix/moderation/automod/message", { json })) item.remove();
      });
      item.append(button);
    }
    return item;
  }

  #set(json) {
    return this.#do("PATCH", "/helix/chat/settings", { json });
  }

  #do(method, path, { json, ...more } = {}) {
    return this.#try(method, path, { json, query: { ...this.#query(), ...more } });
  }

  async #try(method, path, options) {
    try {
      await this.#session.ask(method, path, options);
      this.#complain("");
      return true;
    } catch (error) {
      this.#complain(error.message);
      return false;
    }
  }

  #query() {
    return { broadcaster_id: this.#channel, moderator_id: this.#session.user?.id ?? "" };
  }
}

function element(id) {
  return document.getElementById(id);
}
