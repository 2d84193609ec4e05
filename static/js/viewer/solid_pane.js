/** The 3D view: bone or teeth, turned by hand. Coarser while it turns, in full when it rests. */
import { fittingScale, Pace, seenFrom, solidDrawing } from "./solid_rays.js";
import { lettersOf, times } from "./space.js";

const RADIANS_PER_PX = 0.008;
const STEEPEST = Math.PI / 2;

export class SolidPane {
  #bench;
  #zoom = 1;
  #shift = [0, 0];     // mm
  #yaw = 0;
  #pitch = 0;
  #isTurning = false;
  #pace = new Pace();

  constructor(bench) {
    this.#bench = bench;
    this.box = { x: 0, y: 0, width: 0, height: 0 };
    this.count = 1;
    this.index = 0;
  }

  setIndex() {}

  get isZoomed() {
    return this.#zoom > 1;
  }

  /** Rays are parallel, so a millimetre is as long wherever it lies across them. */
  get pixelsPerMm() {
    return fittingScale(this.#bench.space, this.box.width, this.box.height) * this.#zoom;
  }

  get filled() {
    const side = Math.min(this.box.width, this.box.height) * Math.max(1, this.#zoom);
    const [width, height] = this.#shift.map((mm) => side + 2 * Math.abs(mm) * this.pixelsPerMm);
    return { width, height };
  }

  drawing(ratio) {
    const { space, solid, series, texelRamp, isOnPaper } = this.#bench;
    const divide = this.#pace.divide(this.#isTurning);
    const scale = this.pixelsPerMm;
    return {
      ...this.#bench.textures(false), divide, ...solidDrawing({
        series, space, texelRamp, isOnPaper, look: solid, basis: this.#basis, scale: (scale * ratio) / divide,
        first: [this.box.width, this.box.height].map((side, i) => this.#shift[i] - side / 2 / scale),
      }),
    };
  }

  paint(pen) {
    const { space, words } = this.#bench;
    const { right, down } = this.#basis;
    const say = (way, at, how) => pen.text(lettersOf(way, space).map((word) => words(word)).join(""), at, how);
    say(times(right, -1), [8, pen.height / 2], { align: "left" });
    say(right, [pen.width - 8, pen.height / 2], { align: "right" });
    say(times(down, -1), [pen.width / 2, 8], { baseline: "top" });
    say(down, [pen.width / 2, pen.height - 8], { baseline: "bottom" });
  }

  press(x, y) {
    let [atX, atY] = [x, y];
    return {
      move: (toX, toY) => {
        this.#isTurning = true;
        this.turnBy((toX - atX) * RADIANS_PER_PX, (toY - atY) * RADIANS_PER_PX);
        [atX, atY] = [toX, toY];
        this.#bench.redraw();
      },
      end: () => {
        this.#isTurning = false;
        this.#bench.redraw();
      },
    };
  }

  /** @param {number} yaw Radians, the front to the right. @param {number} [pitch] The top towards the eye. */
  turnBy(yaw, pitch = 0) {
    this.#yaw += yaw;
    this.#pitch = Math.max(-STEEPEST, Math.min(STEEPEST, this.#pitch + pitch));
  }

  zoomBy(factor) {
    this.#zoom = Math.max(0.5, Math.min(8, this.#zoom * factor));
  }

  pan(dx, dy) {
    this.#shift = [dx, dy].map((by, i) => this.#shift[i] - by / this.pixelsPerMm);
  }

  reset() {
    [this.#zoom, this.#shift, this.#yaw, this.#pitch] = [1, [0, 0], 0, 0];
  }

  /** @param {number} ms The last drawing took. */
  took(ms) {
    const divide = this.#pace.divide(this.#isTurning);
    this.#pace.took(ms, divide);
    if (this.#pace.divide(this.#isTurning) < divide) this.#bench.redraw();
  }

  get #basis() {
    return seenFrom(this.#bench.space, this.#yaw, this.#pitch);
  }
}
