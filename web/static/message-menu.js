// The menu of one message: WAI-ARIA's menu pattern, one element for all messages.

export class MessageMenu {
  #menu = document.getElementById("message-menu");
  #at = null;

  constructor() {
    this.#menu.addEventListener("keydown", (event) => this.#press(event));
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#menu.contains(target)) this.#menu.hidden = true;
    });
  }

  /** `actions` are [label, action]; the menu appears at an element of the chat. */
  open(at, actions) {
    this.#at = at;
    this.#menu.replaceChildren(...actions.map(([label, action]) => this.#entry(label, action)));
    this.#menu.hidden = false;
    const chat = this.#menu.offsetParent.getBoundingClientRect();
    const { bottom } = at.getBoundingClientRect();
    const top = Math.max(0, Math.min(bottom - chat.top, chat.height - this.#menu.offsetHeight));
    this.#menu.style.setProperty("top", `${top}px`);
    this.#menu.firstElementChild.focus();
  }

  #entry(label, action) {
    const entry = document.createElement("button");
    entry.type = "button";
    entry.className = "quiet";
    entry.setAttribute("role", "menuitem");
    entry.textContent = label;
    entry.addEventListener("click", () => {
      this.#close();
      action();
    });
    return entry;
  }

  #press(event) {
    const entries = [...this.#menu.children];
    const at = entries.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.#close();
    else if (to !== undefined) entries.at(to % entries.length)?.focus();
    else return;
    event.preventDefault();
  }

  #close() {
    this.#menu.hidden = true;
    (this.#at?.closest("li") ?? this.#at)?.focus();
  }
}
