/** Cross-sections of the jaw around one place of the arch. Each is flat, so it may be measured in. */
import { outwardAt, pointAt } from "./arch.js";
import { crossSectionDrawing } from "./cross_section.js";
import { JawPane } from "./jaw_pane.js";
import { COLOURS } from "./pen.js";
import { cross, dot, minus, plus } from "./space.js";

const MOST_CUTS = 7;
const LEAST_PX = 90;
const IN_CUT_MM = 0.3;

export class CrossSectionPane extends JawPane {
  get pixelsPerMm() {
    return this.scale;
  }

  /** One cut. */
  get frame() {
    return { width: this.#cutWidth, height: this.box.height };
  }

  drawing(ratio) {
    const { jaw, space } = this.bench;
    const how = {
      firstAlong: this.#alongOf(0), apart: jaw.step, cutPixels: this.#cutWidth * ratio,
      first: this.#inCut(0, 0), perPixel: 1 / (this.pixelsPerMm * ratio),
    };
    return { ...this.bench.textures(false), ...crossSectionDrawing(this.sheet, jaw.arch, space.spacing, how) };
  }

  paint(pen) {
    const { jaw, words } = this.bench;
    for (let cut = 0; cut < this.#cuts; cut += 1) {
      const left = cut * this.#cutWidth;
      if (cut) pen.line([[left, 0], [left, pen.height]], COLOURS.quiet, { width: 1 });
      const away = (cut - this.#middle) * jaw.step;
      const label = away ? `${away > 0 ? "+" : "−"}${Math.abs(away)} mm` : "0";
      pen.text(label, [left + this.#cutWidth / 2, 36], { size: 12, colour: away ? COLOURS.letter : COLOURS.arch });
      pen.text(words("tongue"), [left + 6, pen.height / 2], { align: "left", size: 12 });
      pen.text(words("cheek"), [left + this.#cutWidth - 6, pen.height / 2], { align: "right", size: 12 });
    }
  }

  press(x, y) {
    const go = (toX, toY) => this.bench.moveTo(this.toMm(toX, toY));
    go(x, y);
    return { move: go };
  }

  zoomBy(factor, x = 0, y = 0) {
    const at = ((x + this.box.width / 2) % this.#cutWidth) - this.#cutWidth / 2;
    super.zoomBy(factor, at, y);
  }

  toMm(x, y) {
    const cut = Math.max(0, Math.min(this.#cuts - 1, Math.floor(x / this.#cutWidth)));
    const { point, outward, up } = this.#frameOf(cut);
    const [out, above] = this.#inCut(x - cut * this.#cutWidth, y);
    return plus(plus(point, outward, out), up, above);
  }

  toScreen(mm) {
    const cut = this.#cutOf(mm);
    const { point, outward, up } = this.#frameOf(cut);
    const from = minus(mm, point);
    const [[left, top], scale] = [this.#inCut(0, 0), this.pixelsPerMm];
    return [cut * this.#cutWidth + (dot(from, outward) - left) * scale, (top - dot(from, up)) * scale];
  }

  /** All in one and the same cut. */
  isShowing(points) {
    const cuts = points.map((mm) => this.#cutOf(mm));
    return cuts.every((cut) => cut === cuts[0]) && points.every((mm) => {
      const { width } = this.bench.jaw;
      const { point, outward } = this.#frameOf(cuts[0]);
      return this.#awayFrom(cuts[0], mm) <= IN_CUT_MM && Math.abs(dot(minus(mm, point), outward)) <= width / 2;
    });
  }

  /** What planes.js asks of a plane: of one cut. */
  get plane() {
    const { arch, width } = this.bench.jaw;
    return { size_mm: [width, arch.top - arch.bottom] };
  }

  /** An odd number, as many as there is room for. */
  get #cuts() {
    const [width, height] = this.plane.size_mm;
    const room = Math.floor(this.box.width / Math.max(LEAST_PX, (this.box.height * width) / height));
    return Math.max(1, Math.min(MOST_CUTS, room - (room % 2 ? 0 : 1)));
  }

  get #middle() {
    return (this.#cuts - 1) / 2;
  }

  get #cutWidth() {
    return Math.max(1, this.box.width / this.#cuts);
  }

  #alongOf(cut) {
    const { s, step } = this.bench.jaw;
    return s + (cut - this.#middle) * step;
  }

  #frameOf(cut) {
    const { arch } = this.bench.jaw;
    const s = this.#alongOf(cut);
    return { point: pointAt(arch, s), outward: outwardAt(arch, s), up: arch.up };
  }

  #cutOf(mm) {
    const away = Array.from({ length: this.#cuts }, (_, cut) => this.#awayFrom(cut, mm));
    return away.indexOf(Math.min(...away));
  }

  #awayFrom(cut, mm) {
    const { point, outward, up } = this.#frameOf(cut);
    return Math.abs(dot(minus(mm, point), cross(outward, up)));
  }

  /** @returns {number[]} mm outwards and above the arch of a place in a cut. */
  #inCut(x, y) {
    const { arch } = this.bench.jaw;
    const [out, down] = this.fromMiddle(x, y);
    return [out, (arch.top + arch.bottom) / 2 - down];
  }
}
