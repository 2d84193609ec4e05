/** The dentist's panorama. It isn't measured in: lengths along a curve aren't distances in the jaw. */
import { goAlong } from "./jaw.js";
import { JawPane } from "./jaw_pane.js";
import { panoramaDrawing } from "./panorama.js";
import { COLOURS } from "./pen.js";

export class PanoramaPane extends JawPane {
  drawing(ratio) {
    const { jaw, space, slab } = this.bench;
    const how = {
      first: this.#onSheet(0, 0), perPixel: 1 / (this.scale * ratio), thickness: jaw.thickness,
      isMax: slab.mm > 0 && slab.isMax,
    };
    return { ...this.bench.textures(false), ...panoramaDrawing(this.sheet, jaw.arch, space.spacing, how) };
  }

  get filled() {
    const [width, height] = this.plane.size_mm.map((mm) => mm * this.scale);
    return { width, height };
  }

  paint(pen) {
    const { jaw, words, isCrossShown } = this.bench;
    if (isCrossShown) {
      const x = this.#xOf(jaw.s);
      pen.line([[x, 0], [x, pen.height]], COLOURS.arch, { dash: [4, 3] });
    }
    pen.text(words("right"), [8, pen.height / 2], { align: "left" });
    pen.text(words("left"), [pen.width - 8, pen.height / 2], { align: "right" });
    pen.text(words("unscaled"), [8, pen.height - 8], { align: "left", baseline: "bottom", size: 12 });
  }

  press(x, y) {
    const go = (toX, toY) => goAlong(this.bench, ...this.#onSheet(toX, toY));
    go(x, y);
    return { move: go };
  }

  /** What planes.js asks of a plane. */
  get plane() {
    const { arch } = this.bench.jaw;
    return { size_mm: [arch.length, arch.top - arch.bottom] };
  }

  /** @returns {number[]} mm along the arch and above it. */
  #onSheet(x, y) {
    const { arch } = this.bench.jaw;
    const [u, v] = this.fromMiddle(x, y);
    return [arch.length / 2 + u, (arch.top + arch.bottom) / 2 - v];
  }

  #xOf(s) {
    return (s - this.bench.jaw.arch.length / 2 - this.camera.centre[0]) * this.scale + this.box.width / 2;
  }
}
