// Who is signed in. The token lives as long as the tab.

import { ApiError, ask } from "./api.js";

const KEPT = "tally.session";
const DIALOG = `
  <dialog id="sign-in-dialog" aria-labelledby="sign-in-title">
    <form id="sign-in-form">
      <h2 id="sign-in-title">Sign in</h2>
      <label>Login <input name="login" autocomplete="username" autocapitalize="none" pattern="[a-z0-9_]{3,25}" title="3 to 25 small letters, digits or _" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" minlength="8" maxlength="128" required></label>
      <label class="check"><input name="register" type="checkbox"> I am new here: make this account</label>
      <p id="sign-in-error" class="error" role="alert" hidden></p>
      <div class="row">
        <button>Sign in</button>
        <button type="button" class="quiet" id="sign-in-cancel">Cancel</button>
      </div>
    </form>
  </dialog>`;

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

/** Adds the sign-in dialog to the page and wires the buttons of the bar. Returns a function that opens the dialog. */
export function signInDialog(session) {
  document.body.insertAdjacentHTML("beforeend", DIALOG);
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
