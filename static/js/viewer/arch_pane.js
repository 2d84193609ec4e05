/** The axial cut, with the arch and its seven handles: beside a panorama, or alone, where a phone has room for them. */
import { outwardAt, pointAt } from "./arch.js";
import { corrected, follow } from "./jaw.js";
import { beside, COLOURS, nearest } from "./pen.js";
import { PlanePane } from "./plane_pane.js";
import { plus } from "./space.js";

export class ArchPane extends PlanePane {
  #bench;

  constructor(bench, name) {
    super(bench, name);
    this.#bench = bench;
  }

  paint(pen) {
    if (this.#isShown) this.#paintArch(pen);
    super.paint(pen);
  }

  press(x, y, reach) {
    if (!this.#isShown) return super.press(x, y, reach);
    const places = this.#bench.jaw.control.map((mm) => this.toScreen(mm));
    const found = nearest(places, x, y, reach);
    if (found >= 0) return beside(places[found], x, y, (toX, toY) => this.#put(found, toX, toY));
    const hold = super.press(x, y, reach);
    follow(this.#bench);
    return { ...hold, move: (toX, toY) => { hold.move(toX, toY); follow(this.#bench); } };
  }

  get #isShown() {
    return Boolean(this.#bench.jaw) && this.#bench.layout !== "mpr" && this.#bench.isCrossShown;
  }

  #put(index, x, y) {
    const { jaw, space } = this.#bench;
    this.#bench.set({ jaw: corrected(jaw, index, this.toMm(x, y), space) });
  }

  #paintArch(pen) {
    const { arch, control, s, width } = this.#bench.jaw;
    pen.line(arch.dense.filter((_, i) => i % 4 === 0).map((mm) => this.toScreen(mm)), COLOURS.arch);
    const [at, out] = [pointAt(arch, s), outwardAt(arch, s)];
    pen.line([-0.5, 0.5].map((share) => this.toScreen(plus(at, out, share * width))), COLOURS.arch, { dash: [4, 3] });
    if (this.#bench.isKept) return;
    for (const mm of control) pen.ring(this.toScreen(mm), 6, COLOURS.arch);
  }
}
