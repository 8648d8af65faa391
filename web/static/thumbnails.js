// Small pictures of what was shown, from the stream's WebVTT of sprites.

const FRESH_MS = 5000;
const CUE = /^([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
const BEGINNING = "1970-01-01T00:00:00Z";
const ZERO = /^NOTE PROGRAM-DATE-TIME:(\S+)$/m;

export class Thumbnails {
  #base = null;
  #query = () => "";
  #cues = [];
  #askedAt = -Infinity;

  /** `url` is the stream's playlist, `query` gives what belongs on every request. Nothing is loaded before `refresh`. */
  open(url, query = () => "") {
    this.#base = url;
    this.#query = query;
    this.#cues = [];
    this.#askedAt = -Infinity;
  }

  close() {
    this.open(null);
  }

  /** Load the list unless it was loaded just now. Streams without pictures have none, which is no error. */
  async refresh() {
    const base = this.#base;
    if (!base || performance.now() - this.#askedAt < FRESH_MS) return;
    this.#askedAt = performance.now();
    const answer = await fetch(this.#address("thumbnails.vtt")).catch(() => null);
    const text = answer?.ok ? await answer.text() : "";
    if (base === this.#base) this.#cues = cuesOf(text);
  }

  /** The tile {src, x, y, width, height} for a moment (a Date), sizes in pixels; null where there is none. */
  at(date) {
    const cue = this.#cues.findLast((each) => each.from <= date && date < each.until);
    return cue ? { ...cue.tile, src: this.#address(cue.sheet) } : null;
  }

  #address(name) {
    const url = new URL(name, this.#base);
    for (const [field, value] of new URLSearchParams(this.#query())) url.searchParams.append(field, value);
    return url.href;
  }
}

/** Cue times count from the program date time in the note; a recording's, which have none, from its beginning. */
function cuesOf(vtt) {
  const zero = Date.parse(ZERO.exec(vtt)?.[1] ?? BEGINNING);
  if (Number.isNaN(zero)) return [];
  return [...vtt.matchAll(CUE)].map(([, from, until, sheet, ...box]) => {
    const [x, y, width, height] = box.map(Number);
    return { from: zero + milliseconds(from), until: zero + milliseconds(until), sheet, tile: { x, y, width, height } };
  });
}

/** Of hh:mm:ss.mmm. */
function milliseconds(time) {
  return Math.round(time.split(":").reduce((total, part) => total * 60 + Number(part), 0) * 1000);
}
