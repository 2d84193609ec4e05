/** The dentist's panorama. It isn't measured in: lengths along a curve aren't distances in the jaw. */
import { ArchSheet } from "./arch_sheet.js";
import { countOf, goAlong, hasJaw, indexOf } from "./jaw.js";
import { panoramaDrawing } from "./panorama.js";
import { COLOURS } from "./pen.js";
import { panBy, zoomAt } from "./planes.js";

const WHOLE = { zoom: 1, centre: [0, 0] };

export class PanoramaPane {
  #bench;
  #sheet = new ArchSheet();
  #camera = WHOLE;

  static isFor(series) {
    return hasJaw(series);
  }

  constructor(bench) {
    this.#bench = bench;
    this.box = { x: 0, y: 0, width: 0, height: 0 };
  }

  get count() {
    return countOf(this.#bench.jaw);
  }

  get index() {
    return indexOf(this.#bench.jaw);
  }

  get isZoomed() {
    return this.#camera.zoom > 1;
  }

  setIndex(index) {
    goAlong(this.#bench, index * this.#bench.jaw.step);
  }

  drawing(ratio) {
    const { jaw, space, slab } = this.#bench;
    const how = {
      first: this.#onSheet(0, 0), perPixel: 1 / (this.#scale * ratio), thickness: jaw.thickness,
      isMax: slab.mm > 0 && slab.isMax,
    };
    return { ...this.#bench.textures(false), ...panoramaDrawing(this.#sheet, jaw.arch, space.spacing, how) };
  }

  paint(pen) {
    const { jaw, words, isCrossShown } = this.#bench;
    if (isCrossShown) {
      const x = this.#xOf(jaw.s);
      pen.line([[x, 0], [x, pen.height]], COLOURS.arch, { dash: [4, 3] });
    }
    pen.text(words("right"), [8, pen.height / 2], { align: "left" });
    pen.text(words("left"), [pen.width - 8, pen.height / 2], { align: "right" });
    pen.text(words("unscaled"), [8, pen.height - 8], { align: "left", baseline: "bottom", size: 12 });
  }

  press(x, y) {
    const go = (toX, toY) => goAlong(this.#bench, ...this.#onSheet(toX, toY));
    go(x, y);
    return { move: go };
  }

  zoomBy(factor, x = 0, y = 0) {
    this.#camera = zoomAt(this.#camera, factor, this.#plane, this.box.width, this.box.height, x, y);
  }

  pan(dx, dy) {
    this.#camera = panBy(this.#camera, this.#plane, this.box.width, this.box.height, dx, dy);
  }

  reset() {
    this.#camera = WHOLE;
  }

  close() {
    this.#sheet.close();
  }

  /** What planes.js asks of a plane. */
  get #plane() {
    const { arch } = this.#bench.jaw;
    return { size_mm: [arch.length, arch.top - arch.bottom] };
  }

  get #scale() {
    const [width, height] = this.#plane.size_mm;
    return Math.min(this.box.width / width, this.box.height / height) * this.#camera.zoom;
  }

  /** @returns {number[]} mm along the arch and above it. */
  #onSheet(x, y) {
    const { arch } = this.#bench.jaw;
    const [u, v] = [[x, this.box.width], [y, this.box.height]].map(([at, side], i) =>
      (at - side / 2) / this.#scale + this.#camera.centre[i]);
    return [arch.length / 2 + u, (arch.top + arch.bottom) / 2 - v];
  }

  #xOf(s) {
    return (s - this.#bench.jaw.arch.length / 2 - this.#camera.centre[0]) * this.#scale + this.box.width / 2;
  }
}
