// Who is signed in. The token lives as long as the tab.

import { ApiError, ask } from "./api.js";

const KEPT = "tally.session";

/** Event: "change". `user` is {id, login, token} or null. */
export class Session extends EventTarget {
  user = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");

  async signIn(login, password) {
    const form = { grant_type: "password", username: login, password };
    const { access_token: token } = (await ask("POST", "/oauth2/token", { form })).body;
    const { user_id: id, login: named } = (await ask("GET", "/oauth2/validate", { token })).body;
    this.#become({ id, login: named, token });
  }

  async register(login, password) {
    await ask("POST", "/accounts", { json: { login, password } });
    await this.signIn(login, password);
  }

  async signOut() {
    const { token } = this.user;
    this.#become(null);
    await ask("POST", "/oauth2/revoke", { form: { token } });
  }

  /** Like `ask`, as the user; a token that no longer holds signs out. */
  async ask(method, path, options) {
    try {
      return await ask(method, path, { ...options, token: this.user?.token });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.#become(null);
      throw error;
    }
  }

  /** The token is known not to hold any more. */
  expire() {
    if (this.user) this.#become(null);
  }

  #become(user) {
    this.user = user;
    if (user) sessionStorage.setItem(KEPT, JSON.stringify(user));
    else sessionStorage.removeItem(KEPT);
    this.dispatchEvent(new Event("change"));
  }
}

/** An element with its attributes; `true` is one without a value. */
function made(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value === true ? "" : value);
  element.append(...children);
  return element;
}

function signInForm() {
  const login = {
    name: "login",
    autocomplete: "username",
    autocapitalize: "none",
    pattern: "[a-z0-9_]{3,25}",
    title: "3 to 25 small letters, digits or _",
    required: true,
  };
  const password = {
    name: "password",
    type: "password",
    autocomplete: "current-password",
    minlength: 8,
    maxlength: 128,
    required: true,
  };
  const form = made(
    "form",
    { id: "sign-in-form" },
    made("h2", { id: "sign-in-title" }, "Sign in"),
    made("label", {}, "Login ", made("input", login)),
    made("label", {}, "Password ", made("input", password)),
    made("label", { class: "check" }, made("input", { name: "register", type: "checkbox" }), " I am new here: make this account"),
    made("p", { id: "sign-in-error", class: "error", role: "alert", hidden: true }),
    made(
      "div",
      { class: "row" },
      made("button", {}, "Sign in"),
      made("button", { type: "button", class: "quiet", id: "sign-in-cancel" }, "Cancel"),
    ),
  );
  return made("dialog", { id: "sign-in-dialog", "aria-labelledby": "sign-in-title" }, form);
}

/** Adds the sign-in dialog to the page and wires the buttons of the bar. Returns a function that opens the dialog. */
export function signInDialog(session) {
  document.body.append(signInForm());
  const element = (id) => document.getElementById(id);
  const dialog = element("sign-in-dialog");
  const form = element("sign-in-form");
  const problem = element("sign-in-error");

  const show = () => {
    element("sign-in").hidden = session.user !== null;
    element("sign-out").hidden = session.user === null;
    element("who").hidden = session.user === null;
    element("who").textContent = session.user?.login ?? "";
  };
  const open = () => {
    problem.hidden = true;
    dialog.showModal();
  };
  element("sign-in").addEventListener("click", open);
  element("sign-in-cancel").addEventListener("click", () => dialog.close());
  element("sign-out").addEventListener("click", () => session.signOut().catch(() => {}));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { login, password, register } = Object.fromEntries(new FormData(form));
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await (register ? session.register(login, password) : session.signIn(login, password));
      form.reset();
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  session.addEventListener("change", show);
  show();
  return open;
}
