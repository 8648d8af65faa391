// The chat column: reads every two seconds, writes as the user who is signed in.

import { ask } from "./api.js";

const EVERY_MS = 2000;
const KEPT = 200;

export class Chat {
  #session;
  #channel;
  #list = document.getElementById("messages");
  #problem = document.getElementById("chat-error");
  #shown = new Set();

  constructor(session, channel, signIn) {
    this.#session = session;
    this.#channel = channel;
    const form = document.getElementById("say");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (session.user) this.#say(form.elements.text);
      else signIn();
    });
    this.#keepReading();
  }

  async #keepReading() {
    if (!document.hidden) await this.#read().catch(() => {});
    setTimeout(() => this.#keepReading(), EVERY_MS);
  }

  async #read(consistency) {
    const query = { broadcaster_id: this.#channel, first: 50 };
    const { body } = await ask("GET", "/helix/chat/messages", { query, consistency });
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    for (const message of body.data.reverse()) {
      if (this.#shown.has(message.message_id)) continue;
      this.#shown.add(message.message_id);
      this.#list.append(line(message));
    }
    while (this.#list.childElementCount > KEPT) {
      this.#shown.delete(this.#list.firstElementChild.dataset.id);
      this.#list.firstElementChild.remove();
    }
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  async #say(input) {
    const json = { broadcaster_id: this.#channel, sender_id: this.#session.user.id, message: input.value };
    try {
      const { body, consistency } = await this.#session.ask("POST", "/helix/chat/messages", { json });
      const [sent] = body.data;
      this.#complain(sent.is_sent ? "" : sent.drop_reason.message);
      if (!sent.is_sent) return;
      input.value = "";
      await this.#read(consistency);
    } catch (error) {
      this.#complain(error.message);
    }
  }

  #complain(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = !text;
  }
}

function line(message) {
  const item = document.createElement("li");
  const name = document.createElement("b");
  item.dataset.id = message.message_id;
  name.textContent = message.sender_login;
  name.style.setProperty("--hue", Number(BigInt(message.sender_id) % 360n));
  item.append(name, " ", message.message);
  return item;
}
