import { ask, randomId } from "./api.js";
import { Beacon } from "./beacon.js";
import { Chat } from "./chat.js";
import { Follow } from "./follow.js";
import { Pass } from "./pass.js";
import { Player } from "./player.js";
import { Session, signInDialog } from "./session.js";

const LIVE_POLL_MS = 5000;
const OFFLINE_POLL_MS = 2000;

const element = (id) => document.getElementById(id);
const login = decodeURIComponent(location.pathname.split("/")[2]).toLowerCase();
const screen = document.querySelector(".screen");
const viewer = randomId();
const player = new Player(element("video"), viewer);
const beacon = new Beacon(viewer, () => player.report());
let playing = null;
let pass = null;
let poll = 0;

function show(state, title = "", text = "") {
  screen.dataset.state = state;
  if (element("cover-title").textContent !== title) element("cover-title").textContent = title;
  if (element("cover-text").textContent !== text) element("cover-text").textContent = text;
}

function describe(title, category, name) {
  element("title").textContent = title;
  element("title").hidden = !title;
  element("category").textContent = category;
  document.title = `${title ? `${title} – ` : ""}${name} – Tally`;
}

function goLive(stream) {
  describe(stream.title || "Untitled stream", stream.game_name, stream.user_name);
  element("viewers").textContent = stream.viewer_count.toLocaleString();
  if (playing === stream.id) return;
  playing = stream.id;
  show("loading", "Starting …");
  if (stream.playback_policy === "public") player.play(stream.playback_url, stream.id);
  else playWithPass(stream);
}

async function playWithPass(stream) {
  try {
    const url = await pass.open(stream);
    if (playing === stream.id) player.play(url, stream.id, () => pass.query);
  } catch (error) {
    if (error.status === 0 || error.status >= 500) playing = null; // the next look tries again
    else refuse(error);
  }
}

function refuse({ message }) {
  show("refused", "This stream is not public", message);
}

function goOffline(channel) {
  if (playing !== null) {
    beacon.leave();
    player.stop();
    pass.close();
    playing = null;
  }
  describe(channel.title, channel.game_name, channel.broadcaster_name);
  element("viewers").textContent = "–";
  element("unmute").hidden = true;
  show("offline", `${channel.broadcaster_name} is offline`, "This page plays by itself when the stream starts.");
}

async function look(channel) {
  clearTimeout(poll);
  try {
    const { body } = await ask("GET", "/helix/streams", { query: { user_id: channel.broadcaster_id } });
    if (body.data.length) goLive(body.data[0]);
    else goOffline(channel);
  } catch (error) {
    if (playing === null) show("problem", "The server does not answer", `${error.message} Trying again.`);
  }
  poll = setTimeout(() => look(channel), playing === null ? OFFLINE_POLL_MS : LIVE_POLL_MS);
}

async function findChannel() {
  for (;;) {
    try {
      const { body: users } = await ask("GET", "/helix/users", { query: { login } });
      if (!users.data.length) return null;
      const query = { broadcaster_id: users.data[0].id };
      return (await ask("GET", "/helix/channels", { query })).body.data[0] ?? null;
    } catch (error) {
      if (error.status === 400) return null;
      show("problem", "The server does not answer", `${error.message} Trying again.`);
      await new Promise((resume) => setTimeout(resume, OFFLINE_POLL_MS));
    }
  }
}

function showLatency() {
  const { latency } = player;
  const known = playing !== null && latency !== null && screen.dataset.state === "playing";
  element("latency").textContent = known ? `${latency.toFixed(1)} s` : "–";
}

async function open() {
  const session = new Session();
  const signIn = signInDialog(session);
  const channel = await findChannel();
  if (channel === null) {
    show("unknown", `There is no channel named ${login}`, "See who is live on the home page.");
    return;
  }
  element("channel").textContent = channel.broadcaster_name;
  pass = new Pass(session, channel.broadcaster_id);
  new Follow(session, channel.broadcaster_id, signIn);
  new Chat(session, channel.broadcaster_id, signIn);

  player.addEventListener("playing", () => {
    show("playing");
    if (playing !== null) beacon.join(playing, player.reports);
  });
  player.addEventListener("problem", ({ detail }) => show("problem", detail, "Trying again."));
  player.addEventListener("refused", ({ detail }) => refuse(detail));
  pass.addEventListener("renewed", () => player.renew());
  pass.addEventListener("refused", ({ detail }) => {
    player.stop();
    refuse(detail);
  });
  session.addEventListener("change", () => {
    if (screen.dataset.state !== "refused") return;
    playing = null;
    look(channel);
  });
  player.addEventListener("muted", () => {
    element("unmute").hidden = false;
  });
  player.addEventListener("over", () => {
    show("loading", "The stream is over");
    look(channel);
  });
  element("unmute").addEventListener("click", () => {
    player.unmute();
    element("unmute").hidden = true;
  });
  setInterval(showLatency, 500);
  await look(channel);
}

// The viewer of a page that comes back has been counted as gone.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

open();
