// A line over time in plain SVG, with its name, its latest value and its range.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 100;

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export class Chart {
  #latest = document.createElement("strong");
  #range = document.createElement("small");
  #line = shape("polyline", {});
  #zero = shape("line", { class: "zero", x1: 0, x2: WIDTH });
  #picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  #name;
  #format;
  #least;

  /** `format` makes text of a value; `least` is the range shown at least, so that small changes look small. */
  constructor(figure, name, format, least) {
    this.#name = name;
    this.#format = format;
    this.#least = least;
    const caption = document.createElement("figcaption");
    const label = document.createElement("span");
    label.textContent = name;
    this.#range.className = "muted";
    caption.append(label, this.#latest);
    this.#picture.append(this.#zero, this.#line);
    figure.replaceChildren(caption, this.#picture, this.#range);
  }

  /** `points` are [time in ms, value], oldest first. */
  draw(points) {
    if (!points.length) return;
    const values = points.map(([, value]) => value);
    const low = Math.min(this.#least[0], ...values);
    const high = Math.max(this.#least[1], ...values);
    const [from] = points[0];
    const span = points.at(-1)[0] - from || 1;
    const y = (value) => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
    const path = points.map(([time, value]) => `${(((time - from) / span) * WIDTH).toFixed(1)},${y(value).toFixed(1)}`);
    this.#line.setAttribute("points", path.join(" "));
    this.#zero.setAttribute("y1", y(0));
    this.#zero.setAttribute("y2", y(0));
    const latest = this.#format(values.at(-1));
    const range = `${this.#format(Math.min(...values))} to ${this.#format(Math.max(...values))}`;
    this.#latest.textContent = latest;
    this.#range.textContent = range;
    this.#picture.setAttribute("aria-label", `${this.#name}: ${latest} now, ${range} in the last minutes`);
  }
}
