// One message as it is shown. Whatever somebody wrote becomes text, never markup, and keeps its direction to itself.

const BADGES = { broadcaster: "Broadcaster", moderator: "Moderator", vip: "VIP", subscriber: "Subscriber" };

export function emotePicture(id, name) {
  const picture = new Image(28, 28);
  picture.className = "emote";
  picture.alt = name;
  picture.title = name;
  picture.loading = "lazy";
  picture.src = `/emotes/${encodeURIComponent(id)}/2x`;
  picture.addEventListener("error", () => picture.replaceWith(name));
  return picture;
}

/** A message of the REST history in the form of the socket's frame. */
export function frameOf(message) {
  const parent = message.reply_parent_message_id;
  return {
    id: message.message_id,
    user: { id: message.sender_id, login: message.sender_login, name: message.sender_name },
    content: message.message,
    timestamp: message.sent_at,
    badges: message.badges,
    color: message.color,
    fragments: message.fragments,
    reply: parent && { message_id: parent },
    announcement: message.announcement,
    reactions: message.reactions,
  };
}

/** `me` is the visitor's login, whose mention stands out; `parent` is the message replied to, where it is known. */
export function lineOf(message, me, parent) {
  const item = document.createElement("li");
  item.tabIndex = -1;
  item.dataset.id = message.id;
  item.dataset.user = message.user.id;
  item.dataset.at = String(Date.parse(message.timestamp));
  if (message.announcement) item.classList.add("announcement");
  if (message.reply) item.append(replyOf(message.reply, parent));
  const mentioned = me && message.fragments.some(({ type, login }) => type === "mention" && login === me);
  item.classList.toggle("for-me", Boolean(mentioned));
  item.append(...message.badges.map(badgeOf), nameOf(message.user, message.color), " ", textOf(message.fragments, me));
  return item;
}

function replyOf(reply, parent) {
  const quote = document.createElement("p");
  quote.className = "parent";
  const name = document.createElement("bdi");
  const text = document.createElement("bdi");
  name.textContent = reply.user?.name ?? parent?.user.name ?? "an earlier message";
  text.textContent = reply.content ?? parent?.content ?? "";
  quote.append("Replying to ", name, text.textContent ? ": " : "", text);
  return quote;
}

function badgeOf({ set_id: set, id }) {
  const name = BADGES[set] ?? set;
  if (!BADGES[set]) return "";
  const picture = new Image(18, 18);
  picture.className = "badge";
  picture.alt = name;
  picture.title = set === "subscriber" ? `${name}, ${id} months` : name;
  picture.src = `/static/badges/${set}.svg`;
  return picture;
}

function nameOf(user, color) {
  const name = document.createElement("b");
  const isolated = document.createElement("bdi");
  isolated.textContent = user.name;
  name.title = user.login;
  name.style.setProperty("--name", color);
  name.append(isolated);
  return name;
}

function textOf(fragments, me) {
  const text = document.createElement("bdi");
  text.className = "text";
  for (const { type, text: written, emote_id: emote, login } of fragments) {
    if (type === "emote") text.append(emotePicture(emote, written));
    else if (type === "mention") {
      const mention = document.createElement("mark");
      mention.textContent = written;
      mention.classList.toggle("me", login === me);
      text.append(mention);
    } else if (type === "cheer") {
      const given = document.createElement("strong");
      given.className = "cheer";
      given.textContent = written;
      text.append(given);
    } else text.append(written);
  }
  return text;
}
