// The renditions that a stream has. hls.js reads the multivariant playlist once; which came and went since, the
// rendition reports of the media playlists say.

const SOURCE = "source";
const AUDIO = "audio";
const ROUNDING_S = 0.1;

export class Renditions {
  #hls;
  #read = new Set();
  #present = new Set();
  #change;
  #told = false;
  #chosen = null;
  #interrupted = false;

  /**
   * `onChange` is called when the list, or what is played, may be another one; with true when only a new reading of
   * the multivariant playlist shows the stream right, since its own picture or its sound came or went.
   */
  constructor(hls, onChange) {
    this.#hls = hls;
    this.#change = onChange;
    const { Events } = window.Hls;
    hls.on(Events.MANIFEST_LOADED, (_, { levels, audioTracks }) => {
      this.#read = new Set([...levels, ...audioTracks].map(({ url }) => nameOf(url)));
      this.#present = new Set(this.#read);
    });
    for (const event of [Events.MANIFEST_PARSED, Events.LEVELS_UPDATED, Events.LEVEL_SWITCHED]) hls.on(event, () => onChange(false));
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.#compare(details));
    // hls.js 1.7.4 gives up the choice where it meets a gap: the rung was not there yet at what is shown.
    hls.on(Events.ERROR, (_, { details, frag }) => {
      if (details === window.Hls.ErrorDetails.FRAG_GAP && frag.type === "main") this.#interrupted = true;
    });
    hls.on(Events.FRAG_BUFFERED, (_, { frag }) => {
      if (frag.type === "main") this.#resume(frag.end);
    });
  }

  /** Name and height (pixels; 0 is unknown) of each that can be chosen: the source first, then from the largest down. */
  list() {
    const listed = this.#hls.levels.map((level) => ({ name: nameOf(level.uri), height: level.height }));
    const names = new Set(listed.map(({ name }) => name));
    for (const name of this.#waiting()) if (!names.has(name)) listed.push({ name, height: heightOf(name) });
    return listed.sort((one, other) => (other.name === SOURCE) - (one.name === SOURCE) || other.height - one.height);
  }

  /** The name of what is on the screen, or null. */
  get playing() {
    const level = this.#hls.levels[this.#hls.currentLevel];
    return level ? nameOf(level.uri) : null;
  }

  /** There is one that hls.js does not know of. */
  get incomplete() {
    return this.#waiting().length > 0;
  }

  /**
   * Play the one of this name, else of this height, else (and with null) what suits the connection. Who is `following`
   * what is live plays what is buffered first: hls.js 1.7.4 throws it away otherwise, forgets that its parts are gone, and
   * stands still.
   */
  choose(name, following) {
    const hls = this.#hls;
    const level = this.#find(name);
    this.#chosen = name;
    this.#interrupted = false;
    if (level === hls.manualLevel) return;
    if (following || level === hls.loadLevel) hls.loadLevel = level;
    else hls.nextLevel = level;
  }

  /** Like `choose`, before anything is loaded. */
  begin(name) {
    this.#chosen = name;
    this.#hls.loadLevel = this.#find(name);
  }

  /** Whether choosing this one takes a new reading of the multivariant playlist. */
  isNew(name) {
    return this.#waiting().includes(name);
  }

  #find(name) {
    const levels = this.#hls.levels;
    const named = levels.findIndex((level) => nameOf(level.uri) === name);
    return named >= 0 || !heightOf(name) ? named : levels.findIndex((level) => level.height === heightOf(name));
  }

  /** Take up the choice again when it has a picture from `position` on. */
  #resume(position) {
    const level = this.#interrupted && this.#chosen !== null ? this.#find(this.#chosen) : -1;
    if (level < 0) return;
    // A playlist ends where it was when it was read: what comes later is worth another look.
    const next = this.#hls.levels[level].details?.fragments.find(({ end }) => end > position + ROUNDING_S);
    if (next?.gap) return;
    this.#interrupted = false;
    this.#hls.loadLevel = level;
  }

  #waiting() {
    return [...this.#present].filter((name) => !this.#read.has(name));
  }

  #compare({ live, url, renditionReports: reports, partList: parts }) {
    if (this.#told || !live || !reports) return; // a server that does not report says nothing of what is there
    const there = reports.filter((report) => report["X-ABSENT"] !== "YES");
    const present = new Set(there.map((report) => nameOf(new URL(report.URI, url).href)));
    // A rung that went goes on with gaps, and its own playlist has no report on it.
    if (!heightOf(nameOf(url)) || !parts?.at(-1)?.gap) present.add(nameOf(url));
    if (same(present, this.#present)) return;
    this.#present = present;
    this.#told = [SOURCE, AUDIO].some((name) => present.has(name) !== this.#read.has(name));
    this.#change(this.#told);
    // Not now: hls.js is in the middle of taking this playlist in.
    if (!this.#told) setTimeout(() => this.#remove(), 0);
  }

  #remove() {
    const gone = [...this.#read].filter((name) => !this.#present.has(name));
    for (const name of gone) {
      this.#read.delete(name);
      const level = this.#hls.levels.findIndex((each) => nameOf(each.uri) === name);
      if (level < 0) continue;
      this.#renumberHints(level);
      this.#hls.removeLevel(level);
    }
  }

  /** hls.js 1.7.4 forgets the open segments when it numbers what is left, and loads their parts over and over. */
  #renumberHints(removed) {
    this.#hls.levels.forEach(({ details }, level) => {
      const hint = details?.fragmentHint;
      if (hint) hint.level = level === removed ? -1 : level - (level > removed);
    });
  }
}

/** A rendition's name is its directory's. */
function nameOf(url) {
  return new URL(url).pathname.split("/").at(-2);
}

function heightOf(name) {
  return Number(/^(\d+)p$/.exec(name ?? "")?.[1] ?? 0);
}

function same(one, other) {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
