// Where one writes: the text, what it replies to, emotes, how long to wait, and why something was not said.

const REASONS = {
  msg_banned: "You are banned from this chat.",
  msg_timedout: "You are timed out.",
  msg_duplicate: "You said just that a moment ago.",
  msg_unique: "Somebody said just that already, and here every message must be new.",
  msg_emoteonly: "Only emotes can be said here now.",
  msg_followersonly: "Only those who have followed this channel for a while may speak.",
  msg_subsonly: "Only subscribers may speak here now.",
  msg_rejected: "Your message waits for a moderator.",
  msg_rejected_mandatory: "Your message was not sent: it is against this channel's rules.",
  msg_slowmode: "The chat is in slow mode.",
  msg_ratelimit: "You are sending too quickly.",
  msg_warned: "You were warned. Read why before you go on.",
  msg_too_long: "That is too long: 500 characters at most.",
  msg_empty: "There is nothing to send.",
  missing_scope: "This sign-in may not chat. Sign in anew.",
};
const DONE = new Set(["msg_rejected"]); // the message is with the moderators: nothing to send again

/** `send` says a text, in reply to a message or null; it throws ChatProblem. `onWarned` is called when it is refused for a warning. */
export class ChatForm {
  #form = document.getElementById("say");
  #text = document.getElementById("text");
  #button = document.querySelector("#say .send");
  #problem = document.getElementById("chat-error");
  #reply = document.getElementById("reply");
  #replyTo = null;
  #waitUntil = 0;
  #sending = false;
  #tick = 0;
  #onWarned;

  constructor({ send, picker, onWarned }) {
    this.#onWarned = onWarned;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.#text.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.replyTo(null);
    });
    document.getElementById("reply-cancel").addEventListener("click", () => this.replyTo(null));
    const opener = document.getElementById("emotes-open");
    opener.addEventListener("click", () => picker.toggle(opener, (name) => this.#insert(name)));
  }

  replyTo(message) {
    this.#replyTo = message?.id ?? null;
    this.#reply.hidden = !message;
    if (!message) return;
    document.getElementById("reply-name").textContent = message.user.name;
    document.getElementById("reply-text").textContent = message.content;
    this.#text.focus();
  }

  /** Count down these seconds before the next message. */
  wait(seconds) {
    this.#waitUntil = Math.max(this.#waitUntil, performance.now() + seconds * 1000);
    this.#show();
  }

  /** The wait is over, since the mode is. */
  waitNoMore() {
    this.#waitUntil = 0;
    this.#show();
  }

  complain(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = !text;
  }

  /** Say why something was not done. */
  explain(error) {
    if (error.code === "msg_warned") this.#onWarned();
    this.complain(REASONS[error.code] ?? error.message);
    if (error.retryAfter > 0) this.wait(error.retryAfter);
  }

  async #submit(send) {
    if (this.#sending || this.#waitUntil > performance.now()) return;
    this.#sending = true;
    this.#show();
    try {
      if (await send(this.#text.value.toWellFormed?.() ?? this.#text.value, this.#replyTo)) this.#sent();
    } catch (error) {
      if (DONE.has(error.code)) this.#sent();
      this.explain(error);
    } finally {
      this.#sending = false;
      this.#show();
    }
  }

  #sent() {
    this.#text.value = "";
    this.replyTo(null);
    this.complain("");
  }

  #insert(name) {
    const { value, selectionStart: at } = this.#text;
    const before = value.slice(0, at);
    const gap = before && !before.endsWith(" ") ? " " : "";
    const whole = `${before}${gap}${name} ${value.slice(at)}`;
    if (whole.length <= this.#text.maxLength) this.#text.value = whole;
  }

  #show() {
    clearTimeout(this.#tick);
    const left = Math.ceil((this.#waitUntil - performance.now()) / 1000);
    this.#button.disabled = this.#sending || left > 0;
    this.#button.textContent = left > 0 ? `Wait ${left} s` : "Send";
    if (left > 0) this.#tick = setTimeout(() => this.#show(), 250);
  }
}
