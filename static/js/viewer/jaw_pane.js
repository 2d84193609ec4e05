/**
 * What the panes along the arch have in common: the slider goes along it, and a camera looks at a flat sheet of
 * millimetres. Those made from it say how large their sheet is (`plane`) and what they draw.
 */
import { ArchSheet } from "./arch_sheet.js";
import { countOf, goAlong, hasJaw, indexOf } from "./jaw.js";
import { panBy, zoomAt } from "./planes.js";

const WHOLE = { zoom: 1, centre: [0, 0] };

export class JawPane {
  static isFor(series) {
    return hasJaw(series);
  }

  constructor(bench) {
    this.bench = bench;
    this.sheet = new ArchSheet();
    this.camera = WHOLE;
    this.box = { x: 0, y: 0, width: 0, height: 0 };
  }

  get count() {
    return countOf(this.bench.jaw);
  }

  get index() {
    return indexOf(this.bench.jaw);
  }

  setIndex(index) {
    goAlong(this.bench, index * this.bench.jaw.step);
  }

  /** What the sheet is fitted into, in CSS pixels. */
  get frame() {
    return this.box;
  }

  /** CSS pixels a mm of the sheet. */
  get scale() {
    const [width, height] = this.plane.size_mm;
    return Math.min(this.frame.width / width, this.frame.height / height) * this.camera.zoom;
  }

  /** @returns {number[]} mm right of the sheet's middle and below it. */
  fromMiddle(x, y) {
    const { width, height } = this.frame;
    return [[x, width], [y, height]].map(([at, side], i) => (at - side / 2) / this.scale + this.camera.centre[i]);
  }

  get isZoomed() {
    return this.camera.zoom > 1;
  }

  zoomBy(factor, x = 0, y = 0) {
    this.camera = zoomAt(this.camera, factor, this.plane, this.frame.width, this.frame.height, x, y);
  }

  pan(dx, dy) {
    this.camera = panBy(this.camera, this.plane, this.frame.width, this.frame.height, dx, dy);
  }

  reset() {
    this.camera = WHOLE;
  }

  close() {
    this.sheet.close();
  }
}
