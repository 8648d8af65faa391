import { ask } from "./api.js";

const REFRESH_MS = 5000;
const PAGE = 60;

const list = document.getElementById("streams");
const notice = document.getElementById("notice");
const more = document.getElementById("more");
const template = document.getElementById("card");
let pages = 1;

async function liveStreams() {
  const streams = [];
  let cursor;
  for (let page = 0; page < pages; page += 1) {
    const { body } = await ask("GET", "/helix/streams", { query: { first: PAGE, ...(cursor && { after: cursor }) } });
    streams.push(...body.data);
    cursor = body.pagination.cursor;
    if (!cursor) break;
  }
  return { streams, cursor };
}

function card(stream) {
  const item = template.content.cloneNode(true);
  const set = (selector, text) => {
    item.querySelector(selector).textContent = text;
  };
  item.querySelector("a").href = `/watch/${encodeURIComponent(stream.user_login)}`;
  item.querySelector(".tile").style.setProperty("--hue", Number(BigInt(stream.user_id) % 360n));
  set(".initial", stream.user_name.slice(0, 1).toUpperCase());
  set(".viewers", stream.viewer_count === 1 ? "1 viewer" : `${stream.viewer_count} viewers`);
  set(".card-title", stream.title || "Untitled stream");
  set(".card-channel", stream.user_name);
  set(".card-category", stream.game_name);
  return item;
}

async function refresh() {
  try {
    const { streams, cursor } = await liveStreams();
    const focused = document.activeElement?.getAttribute("href");
    list.replaceChildren(...streams.map(card));
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    say(streams.length ? "" : "Nobody is live right now. Streams appear here as they start.");
    more.hidden = !cursor;
  } catch (error) {
    say(`The list could not be loaded. ${error.message}`);
  }
}

function say(text) {
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = !text;
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, REFRESH_MS);
}

more.addEventListener("click", () => {
  pages += 1;
  refresh();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
keepFresh();
