/**
 * The image floor: pictures made by the server, for browsers that can't run the canvas. Same controls as the
 * stack view, without zoom of its own (the page's zoom works).
 */
import { planeOf, viewsOf } from "./planes.js";

export class FloorView {
  #series;
  #image;
  #views;
  #view;
  #index = new Map();
  #onTrouble;
  #onShown;
  #wanted = "";
  #end = new AbortController();

  /**
   * @param {object} how
   * @param {import("./manifest.js").Series} how.series
   * @param {HTMLImageElement} how.image
   * @param {{view?: string, index?: number}} how.place
   * @param {() => void} how.onShown @param {(trouble: object) => void} how.onTrouble
   */
  constructor({ series, image, place, onShown, onTrouble }) {
    this.#series = series;
    this.#image = image;
    this.#onShown = onShown;
    this.#onTrouble = onTrouble;
    this.#views = floorViews(series);
    this.views = [...this.#views.keys()];
    const listen = (name, deed) => image.addEventListener(name, deed, { signal: this.#end.signal });
    listen("load", () => this.#settled(false));
    listen("error", () => this.#settled(true));
    if (place.index >= 0) this.#index.set(place.view, place.index);
    this.setView(this.views.includes(place.view) ? place.view : this.views[0]);
  }

  get view() {
    return this.#view;
  }

  get count() {
    return this.#views.get(this.#view).count;
  }

  get index() {
    return Math.min(this.count - 1, this.#index.get(this.#view) ?? Math.floor(this.count / 2));
  }

  get letters() {
    return this.#views.get(this.#view).letters;
  }

  get canZoom() {
    return false;
  }

  setView(view) {
    this.#view = view;
    this.#show();
  }

  setIndex(index) {
    this.#index.set(this.#view, Math.max(0, Math.min(this.count - 1, Math.round(index))));
    this.#show();
  }

  retry() {
    this.#load();
  }

  close() {
    this.#end.abort();
    this.#image.removeAttribute("src");
  }

  /** One picture at a time: while one loads, only the newest wish is kept. */
  #show() {
    const url = this.#views.get(this.#view).urlOf(this.index);
    const isLoading = this.#wanted !== "";
    this.#wanted = url;
    if (!isLoading) this.#load();
  }

  #load() {
    this.#image.hidden = false;
    this.#image.src = this.#wanted || this.#views.get(this.#view).urlOf(this.index);
  }

  #settled(isLost) {
    const isNewest = this.#image.getAttribute("src") === this.#wanted;
    this.#onTrouble({ isLost });
    if (!isNewest && this.#wanted) {
      this.#load();
      return;
    }
    this.#wanted = "";
    if (!isLost) this.#onShown();
  }
}

/** The stored slices are one view; of the others there is the one preview each. */
function floorViews(series) {
  const main = series.kind === "volume" ? "axial" : "image";
  const stored = planeOf(series, "image");
  const views = new Map([[main, {
    count: series.slices.count, letters: stored.letters,
    urlOf: (index) => series.slices.url.replace("{index}", index),
  }]]);
  for (const { view, url } of series.previews) {
    if (view !== main && viewsOf(series).includes(view)) {
      views.set(view, { count: 1, letters: planeOf(series, view).letters, urlOf: () => url });
    }
  }
  return views;
}
