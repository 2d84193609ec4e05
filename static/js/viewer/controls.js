/** The slider, its two buttons, the tabs of the views, the letters and the keys. Knows nothing of pictures. */

import { Light } from "./light.js";

const BIG_STEP = 10;

/**
 * @typedef {object} Shown What the controls show.
 * @property {string} view @property {string[]} views @property {number} index @property {number} count
 * @property {{left: string, right: string}|null} letters @property {boolean} canZoom
 * @property {{center: number, width: number}|null} [ownWindow] As recorded, where people may set it by eye.
 */

export class Controls {
  #parts;
  #words;
  #deeds;
  #light;
  #tabs = new Map();

  /**
   * @param {Record<string, HTMLElement>} parts By their data-part.
   * @param {(key: string, values?: object) => string} words
   * @param {{onView: (view: string) => void, onIndex: (index: number) => void, onZoom: (factor: number) => void,
   *   onReset: () => void, onPan: (dx: number, dy: number) => void}} deeds
   */
  constructor(parts, words, deeds) {
    this.#parts = parts;
    this.#words = words;
    this.#deeds = deeds;
    this.#light = new Light(parts.light);
    parts.slider.addEventListener("input", () => deeds.onIndex(Number(parts.slider.value)));
    parts.less.addEventListener("click", () => this.#step(-1));
    parts.more.addEventListener("click", () => this.#step(1));
    parts.nearer.addEventListener("click", () => deeds.onZoom(1.5));
    parts.further.addEventListener("click", () => deeds.onZoom(1 / 1.5));
    parts.stage.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Shown} shown @param {string} title Of the series. */
  show(shown, title) {
    const { slider, canvas, image, zoom } = this.#parts;
    this.#showTabs(shown);
    this.#showLetters(shown.letters);
    this.#light.show(shown);
    zoom.hidden = !shown.canZoom;
    slider.max = shown.count - 1;
    slider.value = shown.index;
    const place = this.#placeOf(shown);
    slider.setAttribute("aria-valuetext", place);
    const text = this.#words("alternative", { series: title, view: this.#words(shown.view), place });
    canvas.setAttribute("aria-label", text);
    image.alt = text;
    this.#parts.place.textContent = `${shown.index + 1} / ${shown.count}`;
    for (const name of ["less", "more"]) this.#parts[name].disabled = false;
    this.#parts.less.disabled = shown.index === 0;
    this.#parts.more.disabled = shown.index === shown.count - 1;
    this.#parts.controls.hidden = shown.count === 1;
  }

  #placeOf({ view, index, count }) {
    return this.#words(["image", "solid"].includes(view) ? "picture" : "slice", { n: index + 1, count });
  }

  #showTabs({ view, views }) {
    const { tabs } = this.#parts;
    tabs.hidden = views.length < 2;
    if ([...this.#tabs.keys()].join() !== views.join()) {
      this.#tabs = new Map(views.map((name) => [name, this.#tab(name)]));
      tabs.replaceChildren(...this.#tabs.values());
    }
    for (const [name, tab] of this.#tabs) tab.setAttribute("aria-pressed", String(name === view));
  }

  #tab(view) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = this.#words(view);
    tab.addEventListener("click", () => this.#deeds.onView(view));
    return tab;
  }

  #showLetters(letters) {
    for (const side of ["left", "right"]) {
      const letter = this.#parts[`letter-${side}`];
      letter.hidden = !letters;
      letter.textContent = letters ? this.#words(letters[side]) : "";
    }
  }

  #step(by) {
    this.#deeds.onIndex(Number(this.#parts.slider.value) + by);
  }

  /** On the stage. The slider has the browser's own keys; these go the same way. */
  #key(event) {
    if (event.target.closest("button") || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed = event.shiftKey ? this.#panKey(event.key) : this.#plainKey(event.key);
    if (!deed) return;
    event.preventDefault();
    deed();
  }

  #plainKey(key) {
    const { onIndex, onZoom, onReset } = this.#deeds;
    return {
      ArrowUp: () => this.#step(1), ArrowRight: () => this.#step(1),
      ArrowDown: () => this.#step(-1), ArrowLeft: () => this.#step(-1),
      PageUp: () => this.#step(BIG_STEP), PageDown: () => this.#step(-BIG_STEP),
      Home: () => onIndex(0), End: () => onIndex(Number(this.#parts.slider.max)),
      "+": () => onZoom(1.25), "=": () => onZoom(1.25), "-": () => onZoom(0.8), 0: onReset,
    }[key];
  }

  #panKey(key) {
    const { onPan, onZoom } = this.#deeds;
    return {
      ArrowUp: () => onPan(0, 40), ArrowDown: () => onPan(0, -40),
      ArrowLeft: () => onPan(40, 0), ArrowRight: () => onPan(-40, 0),
      "+": () => onZoom(1.25),  // shift is how many keyboards write a plus
    }[key];
  }
}
