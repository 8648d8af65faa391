// What lets this page play a stream that is not public: a token from the link it was opened with, or from the edge.

import { ApiError } from "./api.js";

const RENEW_AT = 0.7;
const RETRY_MS = 10000;

/** Keeps a query for one live stream, renewing it before it expires. Events: "renewed", "refused" (detail: an ApiError). */
export class Pass extends EventTarget {
  #session;
  #channel;
  #renewal = 0;
  query = "";

  constructor(session, channel) {
    super();
    this.#session = session;
    this.#channel = channel;
  }

  /** The address to play. Throws ApiError when the user may not watch. */
  async open(stream) {
    this.close();
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) {
      this.query = new URLSearchParams({ token: given }).toString();
      return stream.playback_url;
    }
    if (!this.#session.user) throw new ApiError(401, "Sign in, or open the link that the streamer gave you.");
    return this.#ask();
  }

  close() {
    clearTimeout(this.#renewal);
    this.query = "";
  }

  async #ask() {
    const json = { broadcaster_id: this.#channel };
    const { body } = await this.#session.ask("POST", "/helix/streams/playback_token", { json });
    const { query, playback_url: url, expires_at: until } = body.data[0];
    this.query = query;
    this.#later((new Date(until) - Date.now()) * RENEW_AT);
    return url.split("?")[0];
  }

  #later(wait) {
    this.#renewal = setTimeout(async () => {
      try {
        await this.#ask();
        this.dispatchEvent(new Event("renewed"));
      } catch (error) {
        if (error.status === 0 || error.status >= 500 || error.status === 429) this.#later(RETRY_MS);
        else this.dispatchEvent(new CustomEvent("refused", { detail: error }));
      }
    }, wait);
  }
}
