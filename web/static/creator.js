import { Chart } from "./chart.js";
import { Session, signInDialog } from "./session.js";

const REFRESH_MS = 2000;
const SAMPLES = 90;
const CHANGES = 12;
const WORST_FIRST = ["error", "warning", "info"];
const STATUS = { ok: "Good", warning: "Warning", error: "Problem", unknown: "Waiting for the first segment" };

const element = (id) => document.getElementById(id);
const session = new Session();
const timeOf = (text) => new Date(text).toLocaleTimeString();
const chart = (id, name, of, format, least) => ({ of, lines: new Chart(element(id), name, format, least) });

const charts = [
  chart("bitrate", "Bitrate", (sample) => sample.bitrate_kbps, (value) => `${Math.round(value)} kbit/s`, [0, 1000]),
  chart("frame-rate", "Frame rate", (sample) => sample.frame_rate, (value) => `${value.toFixed(1)} / s`, [0, 30]),
  chart("gop", "Keyframe interval", (sample) => sample.gop_ms / 1000, (value) => `${value.toFixed(1)} s`, [0, 4]),
  chart("skew", "Sound after picture", (sample) => sample.av_skew_ms, (value) => `${Math.round(value)} ms`, [-250, 250]),
];
let poll = 0;

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function say(text) {
  setText(element("notice"), text);
  element("notice").hidden = !text;
}

function showNow({ now, encoder, samples }) {
  element("status").dataset.status = now.status;
  setText(element("status"), STATUS[now.status] ?? now.status);
  setText(element("since"), now.since ? `since ${timeOf(now.since)}` : "");
  const [last] = samples;
  const picture = last?.width ? `${last.width}×${last.height}, ` : "";
  setText(element("sent"), last ? `Sent: ${picture}${last.frame_rate.toFixed(1)} frames/s, ${Math.round(last.bitrate_kbps)} kbit/s` : "");
  setText(element("encoder"), encoder ? `Set in the encoder: ${setIn(encoder)}` : "");
}

function setIn(encoder) {
  const parts = [encoder.encoder];
  if (encoder.configured_width) parts.push(`${encoder.configured_width}×${encoder.configured_height}`);
  if (encoder.configured_frame_rate) parts.push(`${encoder.configured_frame_rate} frames/s`);
  if (encoder.configured_video_kbps) parts.push(`${Math.round(encoder.configured_video_kbps)} kbit/s of video`);
  return parts.filter(Boolean).join(", ");
}

function adviceItem({ code, severity, since, message }) {
  const item = element("advice-item").content.cloneNode(true);
  item.querySelector("li").dataset.severity = severity;
  item.querySelector("li").dataset.code = code;
  item.querySelector(".severity").textContent = { info: "Note", warning: "Warning", error: "Problem" }[severity] ?? severity;
  item.querySelector(".message").textContent = message;
  item.querySelector(".since").textContent = `${code}, since ${timeOf(since)}`;
  return item;
}

function happened({ changes, starvations }) {
  const told = [
    ...changes.map(({ changed_at: at, codes }) => [at, codes.length ? codes.join(", ") : "Everything is fine"]),
    ...starvations.map(({ noticed_at: at, starving, ms }) => [
      at,
      starving ? "Media stopped arriving in time" : `Media arrives in time again, after ${(ms / 1000).toFixed(1)} s`,
    ]),
  ];
  return told.sort(([one], [other]) => (one < other ? 1 : -1)).slice(0, CHANGES);
}

function show(health) {
  showNow(health);
  const rank = ({ severity }) => WORST_FIRST.indexOf(severity);
  const advice = health.now.advice.toSorted((one, other) => rank(one) - rank(other));
  element("advice").replaceChildren(...advice.map(adviceItem));
  const samples = health.samples.toReversed();
  for (const { of, lines } of charts) lines.draw(samples.map((sample) => [Date.parse(sample.sampled_at), of(sample)]));
  element("changes").replaceChildren(
    ...happened(health).map(([at, text]) => {
      const item = document.createElement("li");
      item.textContent = `${timeOf(at)} ${text}`;
      return item;
    }),
  );
  element("health").hidden = false;
  say("");
}

function showNothing(why) {
  element("health").hidden = true;
  say(why);
}

async function healthOf(user) {
  const { body: streams } = await session.ask("GET", "/helix/streams", { query: { user_id: user.id } });
  if (!streams.data.length) return null;
  const path = `/streams/${encodeURIComponent(streams.data[0].id)}/health`;
  return (await session.ask("GET", path, { query: { first: SAMPLES } })).body.data[0];
}

async function look() {
  const { user } = session;
  const health = user && (await healthOf(user));
  if (session.user !== user) return; // signed in or out meanwhile, which looks again
  if (health) show(health);
  else showNothing(user ? "You are not live. Your stream's health is shown as soon as it starts." : "Sign in to see how your stream is doing.");
}

async function keepLooking() {
  clearTimeout(poll);
  try {
    if (!document.hidden) await look();
  } catch (error) {
    say(`${error.message} Trying again.`);
  }
  clearTimeout(poll);
  poll = setTimeout(keepLooking, REFRESH_MS);
}

signInDialog(session);
session.addEventListener("change", keepLooking);
document.addEventListener("visibilitychange", keepLooking);
keepLooking();
