import { ChatLog } from "./chat-log.js";
import { ChatReplay } from "./chat-replay.js";
import { Controls } from "./controls.js";
import { Recording } from "./recording.js";
import { Seekbar } from "./seekbar.js";
import { Session, signInDialog } from "./session.js";
import { Thumbnails } from "./thumbnails.js";

const RETRY_MS = 3000;

const element = (id) => document.getElementById(id);
const id = decodeURIComponent(location.pathname.split("/")[2]);
const screen = document.querySelector(".screen");
const session = new Session();
const recording = new Recording(element("video"));
const thumbnails = new Thumbnails();
let playing = false;

function show(state, title = "", text = "") {
  screen.dataset.state = state;
  element("cover-title").textContent = title;
  element("cover-text").textContent = text;
}

async function open() {
  try {
    const { body } = await session.ask("GET", "/helix/videos", { query: { id } });
    const [video] = body.data;
    if (video) play(video);
    else show("unknown", "There is no such recording", "It may be deleted, or only be there for some: sign in to see those.");
  } catch (error) {
    if (error.status !== 0 && error.status < 500) {
      show("unknown", "There is no such recording", error.message);
      return;
    }
    show("problem", "The server does not answer", `${error.message} Trying again.`);
    setTimeout(open, RETRY_MS);
  }
}

function play(video) {
  if (playing) return;
  playing = true;
  const name = video.user_name || video.user_login;
  element("title").textContent = video.title || "Untitled stream";
  element("channel").textContent = name;
  element("channel").href = `/watch/${encodeURIComponent(video.user_login)}`;
  element("began").textContent = new Date(video.created_at).toLocaleString();
  document.title = `${video.title ? `${video.title} – ` : ""}${name} – Tally`;
  show("loading", "Starting …");
  const { search } = new URL(video.playback_url);
  thumbnails.open(video.playback_url, () => search.slice(1));
  recording.play(video.playback_url);
  new ChatReplay(session, video.id, recording, new ChatLog(false));
}

new Controls(element("video"));
new Seekbar(recording, thumbnails);
signInDialog(session);
recording.addEventListener("playing", () => show("playing"));
recording.addEventListener("problem", ({ detail }) => show("problem", detail));
recording.addEventListener("muted", () => {
  element("unmute").hidden = false;
});
element("unmute").addEventListener("click", () => {
  element("unmute").hidden = true;
  recording.unmute();
});
session.addEventListener("change", () => open());
open();
