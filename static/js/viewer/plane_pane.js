/**
 * A flat cut: axial, coronal or sagittal through the crosshair, square or turned, thin or a slab; or a picture as
 * it is stored.
 */
import { COLOURS, nearest } from "./pen.js";
import { panBy, zoomAt } from "./planes.js";
import { cross, dot, lettersOf, minus, plus, STORED, times, unit } from "./space.js";

const WHOLE = { zoom: 1, centre: [0, 0] };
const MOST_SAMPLES = 96;
const SQUARE = 1 - 1e-9;

export class PlanePane {
  #bench;
  #name;
  #camera = WHOLE;

  static isFor({ kind }, name) {
    return (kind === "volume") !== (name === "image");
  }

  constructor(bench, name) {
    this.#bench = bench;
    this.#name = name;
    this.box = { x: 0, y: 0, width: 0, height: 0 };
  }

  get isZoomed() {
    return this.#camera.zoom > 1;
  }

  get pixelsPerMm() {
    const { width, height } = this.box;
    const [w, h] = this.#plane.size_mm;
    return Math.min(width / w, height / h) * this.#camera.zoom;
  }

  /** A turned cut reaches further than a square one. */
  get filled() {
    const { cross, unturned } = this.#bench;
    if (cross.bases !== unturned) return this.box;
    const [width, height] = this.#plane.size_mm.map((mm) => mm * this.pixelsPerMm);
    return { width, height };
  }

  get count() {
    return Math.round(along(this.#unturned.normal, this.#bench.space.dims));
  }

  get index() {
    const { space, cross: { at } } = this.#bench;
    const middle = dot(minus(at, space.middle), this.#basis.normal) / this.#step;
    return Math.max(0, Math.min(this.count - 1, Math.round(middle + (this.count - 1) / 2)));
  }

  setIndex(index) {
    const { space, cross: { at } } = this.#bench;
    const { normal } = this.#basis;
    const wanted = (Math.max(0, Math.min(this.count - 1, index)) - (this.count - 1) / 2) * this.#step;
    this.#bench.moveTo(plus(at, normal, wanted - dot(minus(at, space.middle), normal)));
  }

  drawing(ratio) {
    const { space, slab } = this.#bench;
    const { right, down, normal } = this.#basis;
    const scale = this.pixelsPerMm * ratio;
    const voxels = (mm) => mm.map((v, i) => v / space.spacing[i]);
    const samples = slab.mm && this.#name !== "image" ? this.#samples(slab.mm) : 1;
    return {
      ...this.#bench.textures(samples === 1 && Math.abs(normal[2]) > SQUARE),
      place: {
        origin: voxels(this.toMm(0, 0)), right: voxels(times(right, 1 / scale)), down: voxels(times(down, 1 / scale)),
      },
      slab: { samples, isMax: slab.isMax, through: voxels(times(normal, slab.mm / samples)) },
    };
  }

  paint(pen) {
    if (this.#name !== "image" && this.#bench.isCrossShown) this.#paintCross(pen);
    this.#paintLetters(pen);
  }

  press(x, y, reach) {
    if (this.#name === "image") return this.#panning(x, y);
    const isOnHandle = nearest(this.#handles().map(({ at }) => at), x, y, reach) >= 0;
    if (isOnHandle && this.#bench.isCrossShown) return this.#turning(x, y);
    this.#bench.moveTo(this.toMm(x, y));
    return { move: (toX, toY) => this.#bench.moveTo(this.toMm(toX, toY)) };
  }

  zoomBy(factor, x = 0, y = 0) {
    const { width, height } = this.box;
    this.#camera = zoomAt(this.#camera, factor, this.#plane, width, height, x, y);
  }

  pan(dx, dy) {
    this.#camera = panBy(this.#camera, this.#plane, this.box.width, this.box.height, dx, dy);
  }

  reset() {
    this.#camera = WHOLE;
  }

  toMm(x, y) {
    const { right, down } = this.#basis;
    const scale = this.pixelsPerMm;
    const [u, v] = [[x, this.box.width], [y, this.box.height]].map(([at, side], i) =>
      (at - side / 2) / scale + this.#camera.centre[i]);
    return plus(plus(this.#middle, right, u), down, v);
  }

  toScreen(mm) {
    const { right, down } = this.#basis;
    const from = minus(mm, this.#middle);
    const { width, height } = this.box;
    return [[right, width], [down, height]].map(([way, side], i) =>
      (dot(from, way) - this.#camera.centre[i]) * this.pixelsPerMm + side / 2);
  }

  isShowing(points) {
    const { slab, cross: { at } } = this.#bench;
    const reach = Math.max(this.#step, slab.mm) / 2 + 1e-6;
    return points.every((mm) => Math.abs(dot(minus(mm, at), this.#basis.normal)) <= reach);
  }

  get #basis() {
    return this.#bench.cross.bases[this.#name] ?? STORED;
  }

  get #unturned() {
    return this.#bench.unturned[this.#name] ?? STORED;
  }

  /** What planes.js asks of a plane, for zoom and pan. A turned cut keeps the scale of the square one. */
  get #plane() {
    const { right, down } = this.#unturned;
    return { size_mm: [right, down].map((way) => along(way, this.#bench.space.size)) };
  }

  get #step() {
    return along(this.#unturned.normal, this.#bench.space.spacing);
  }

  /** Where the series' middle lies on this cut. */
  get #middle() {
    const { space, cross: { at } } = this.#bench;
    const { normal } = this.#basis;
    return plus(space.middle, normal, dot(minus(at, space.middle), normal));
  }

  /** Two samples a voxel miss nothing that linear interpolation could show. */
  #samples(mm) {
    return Math.max(1, Math.min(MOST_SAMPLES, Math.ceil((2 * mm) / Math.min(...this.#bench.space.spacing))));
  }

  #paintLetters(pen) {
    const { space } = this.#bench;
    const { right, down } = this.#basis;
    const { width, height } = pen;
    const say = (way, at, how) =>
      pen.text(lettersOf(way, space).map((word) => this.#bench.words(word)).join(""), at, how);
    say(times(right, -1), [8, height / 2], { align: "left" });
    say(right, [width - 8, height / 2], { align: "right" });
    say(times(down, -1), [width / 2, 8], { baseline: "top" });
    say(down, [width / 2, height - 8], { baseline: "bottom" });
  }

  /** The other two cuts as lines, each with two rings to turn them by. */
  #paintCross(pen) {
    const reach = pen.width + pen.height;
    for (const { name, way, centre } of this.#lines()) {
      for (const side of [-1, 1]) {
        const at = (far) => plus(centre, way, side * far);
        pen.line([at(10), at(reach)], COLOURS[name], { width: 1 });
      }
    }
    if (this.#bench.isKept) return;
    for (const { at, name } of this.#handles()) pen.ring(at, 5, COLOURS[name]);
  }

  /** @returns {{name: string, way: number[], centre: number[]}[]} On the screen. */
  #lines() {
    const { cross: { at, bases } } = this.#bench;
    const { right, down, normal } = this.#basis;
    const centre = this.toScreen(at);
    return Object.keys(bases).filter((name) => name !== this.#name).map((name) => {
      const way = unit(cross(normal, bases[name].normal));
      return { name, centre, way: [dot(way, right), dot(way, down)] };
    });
  }

  #handles() {
    const far = Math.min(this.box.width, this.box.height) * 0.36;
    return this.#lines().flatMap(({ name, way, centre }) =>
      [-far, far].map((side) => ({ name, at: plus(centre, way, side) })));
  }

  #turning(x, y) {
    const angleOf = (px, py) => {
      const [cx, cy] = this.toScreen(this.#bench.cross.at);
      return Math.atan2(py - cy, px - cx);
    };
    let before = angleOf(x, y);
    return {
      move: (toX, toY) => {
        const angle = angleOf(toX, toY);
        this.#bench.turn(this.#name, angle - before);
        before = angle;
      },
    };
  }

  #panning(x, y) {
    let [atX, atY] = [x, y];
    return {
      move: (toX, toY) => {
        this.pan(toX - atX, toY - atY);
        [atX, atY] = [toX, toY];
      },
    };
  }
}

/** @returns {number} The sizes seen along an axis of the space. */
const along = (way, sizes) => Math.abs(way[0]) * sizes[0] + Math.abs(way[1]) * sizes[1] + Math.abs(way[2]) * sizes[2];
