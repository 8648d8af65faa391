// The follow button and the count beside it.

export class Follow {
  #session;
  #channel;
  #button = document.getElementById("follow");
  #count = document.getElementById("followers");
  #following = false;

  constructor(session, channel, signIn) {
    this.#session = session;
    this.#channel = channel;
    this.#button.addEventListener("click", () => (session.user ? this.#toggle() : signIn()));
    session.addEventListener("change", () => this.#read().catch(() => {}));
    this.#read().catch(() => {});
  }

  async #read(consistency) {
    const { user } = this.#session;
    const query = { broadcaster_id: this.#channel, first: 1, ...(user && { user_id: user.id }) };
    const { body } = await this.#session.ask("GET", "/helix/channels/followers", { query, consistency });
    this.#following = Boolean(user) && body.data.length > 0;
    this.#count.textContent = body.total.toLocaleString();
    this.#button.textContent = this.#following ? "Following" : "Follow";
    this.#button.setAttribute("aria-pressed", String(this.#following));
    this.#button.disabled = user?.id === this.#channel;
    this.#button.title = this.#following ? "Stop following" : "";
  }

  async #toggle() {
    this.#button.disabled = true;
    const method = this.#following ? "DELETE" : "POST";
    try {
      const query = { broadcaster_id: this.#channel };
      const { consistency } = await this.#session.ask(method, "/helix/channels/followers", { query });
      await this.#read(consistency);
    } catch (error) {
      this.#button.title = error.message;
      this.#button.disabled = false;
    }
  }
}
