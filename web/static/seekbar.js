// The bar over what of the live stream can be seen again: its right end is live. WAI-ARIA's slider pattern.

const LOOK_MS = 250;
const STEP_S = 10;
const PAGE_S = 60;
const STEPS = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S, PageDown: -PAGE_S, PageUp: PAGE_S };

export class Seekbar {
  #player;
  #thumbnails;
  #bar = document.getElementById("seek");
  #live = document.getElementById("live"); // a recording has none
  #behind = document.getElementById("behind");
  #preview = document.getElementById("preview");
  #previewTime = document.getElementById("preview-time");
  #picture = new Image();
  #pointer = null; // where the mouse or a finger is, 0 to 1 of the bar
  #dragging = false;

  constructor(player, thumbnails) {
    this.#player = player;
    this.#thumbnails = thumbnails;
    this.#picture.alt = "";
    this.#picture.hidden = true;
    this.#picture.addEventListener("error", () => {
      this.#picture.hidden = true;
    });
    this.#preview.prepend(this.#picture);
    this.#live?.addEventListener("click", () => player.goLive());
    this.#bar.addEventListener("keydown", (event) => this.#press(event));
    this.#bar.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !player.window) return;
      this.#bar.setPointerCapture(event.pointerId);
      this.#dragging = true;
      this.#point(event);
    });
    this.#bar.addEventListener("pointermove", (event) => this.#point(event));
    this.#bar.addEventListener("pointerup", (event) => {
      if (!this.#dragging) return;
      this.#point(event);
      player.seek(this.#pointed());
      this.#leave(event);
    });
    this.#bar.addEventListener("pointercancel", (event) => this.#leave(event));
    this.#bar.addEventListener("pointerleave", (event) => {
      if (!this.#dragging) this.#leave(event);
    });
    setInterval(() => this.#show(), LOOK_MS);
    this.#show();
  }

  #press(event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    const { window } = this.#player;
    if (!window || ctrlKey || metaKey || altKey) return;
    if (key === "Home") this.#player.seek(window.start);
    else if (key === "End") this.#player.goLive();
    else if (STEPS[key]) this.#player.seek(window.position + STEPS[key]);
    else return;
    event.preventDefault();
    this.#show();
  }

  #point({ clientX }) {
    const { left, width } = this.#bar.getBoundingClientRect();
    this.#pointer = Math.min(1, Math.max(0, (clientX - left) / width));
    this.#show();
  }

  /** Its position in the stream, seconds. */
  #pointed() {
    const { start, live } = this.#player.window;
    return start + this.#pointer * (live - start);
  }

  /** A finger leaves when it is lifted, a mouse when it goes elsewhere. */
  #leave({ type, pointerType }) {
    this.#dragging = false;
    if (type !== "pointerup" || pointerType !== "mouse") this.#pointer = null;
    this.#show();
  }

  #show() {
    const { window } = this.#player;
    const isLive = !window || window.isLive;
    const behind = isLive ? 0 : Math.round(window.live - window.position);
    const length = window ? Math.round(window.live - window.start) : 0;
    this.#bar.setAttribute("aria-disabled", String(!window));
    this.#bar.setAttribute("aria-valuemin", String(-length));
    this.#bar.setAttribute("aria-valuenow", String(-Math.min(behind, length)));
    this.#bar.setAttribute("aria-valuetext", said(window, behind));
    this.#live?.setAttribute("aria-pressed", String(isLive));
    this.#behind.textContent = behind ? `−${clock(behind)}` : "";
    const dragged = this.#dragging && window;
    const part = dragged ? this.#pointer : isLive ? 1 : (window.position - window.start) / (window.live - window.start);
    this.#bar.style.setProperty("--played", String(Math.min(1, Math.max(0, part))));
    this.#showPreview(window);
  }

  #showPreview(window) {
    this.#preview.hidden = this.#pointer === null || !window;
    if (this.#preview.hidden) return;
    this.#thumbnails.refresh();
    const back = Math.round((1 - this.#pointer) * (window.live - window.start));
    if (window.recorded) this.#previewTime.textContent = clock(Math.round(this.#pointed()));
    else this.#previewTime.textContent = back ? `−${clock(back)}` : "Live";
    const date = this.#player.dateAt(this.#pointed());
    const tile = date && this.#thumbnails.at(date);
    if (tile) this.#draw(tile);
    this.#picture.hidden = !tile;
    const { width } = this.#bar.getBoundingClientRect();
    const room = Math.max(0, width - this.#preview.offsetWidth);
    const left = Math.min(room, Math.max(0, this.#pointer * width - this.#preview.offsetWidth / 2));
    this.#preview.style.setProperty("left", `${left}px`);
  }

  #draw({ src, x, y, width, height }) {
    if (this.#picture.src !== src) this.#picture.src = src;
    this.#picture.width = width;
    this.#picture.height = height;
    this.#picture.style.setProperty("object-position", `${-x}px ${-y}px`);
  }
}

function said(window, behind) {
  if (window?.recorded) return behind ? `${spoken(behind)} before the end` : "The end";
  return behind ? `${spoken(behind)} behind live` : "Live";
}

/** m:ss or h:mm:ss. */
function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

function spoken(seconds) {
  const parts = { hour: Math.floor(seconds / 3600), minute: Math.floor(seconds / 60) % 60, second: seconds % 60 };
  const said = Object.entries(parts).filter(([, count]) => count);
  return said.map(([unit, count]) => `${count} ${unit}${count > 1 ? "s" : ""}`).join(" ");
}
