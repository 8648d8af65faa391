// The quality menu, and the choice that outlives the page.

const KEPT = "tally.quality";
const AUTO = "auto";

export class Quality {
  #player;
  #menu = document.getElementById("quality");
  #shown = "";

  constructor(player) {
    this.#player = player;
    player.choose(localStorage.getItem(KEPT));
    this.#menu.addEventListener("change", () => this.#choose(this.#menu.value));
    player.addEventListener("qualities", () => this.#show());
    this.#show();
  }

  #choose(name) {
    if (name === AUTO) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, name);
    this.#player.choose(name === AUTO ? null : name);
  }

  #show() {
    const { qualities, quality, playing } = this.#player;
    const names = qualities.map(({ name }) => name);
    if (names.length > 1) names.unshift(AUTO);
    // A menu that is open would close when its options are made anew.
    if (names.join() !== this.#shown) {
      this.#shown = names.join();
      this.#menu.replaceChildren(...names.map((name) => new Option(name, name)));
    }
    const labels = new Map(qualities.map((each) => [each.name, label(each)]));
    for (const option of this.#menu.options) option.textContent = labels.get(option.value) ?? auto(labels.get(playing));
    this.#menu.value = names.includes(quality) ? quality : (names[0] ?? "");
    this.#menu.parentElement.hidden = names.length === 0;
  }
}

function label({ name, height }) {
  if (name === "audio") return "Sound only";
  if (name === "source") return height ? `Source (${height}p)` : "Source";
  return name;
}

function auto(playing) {
  return playing ? `Auto: ${playing}` : "Auto";
}
