/** The 3D view: bone or teeth, turned by hand. Coarser while it turns, in full when it rests. */
import { SOLID_FRAGMENT } from "./solid_shader.js";
import { basesOf, length, lettersOf, plus, times, turned } from "./space.js";

const MOST_STEPS = 400;
const RADIANS_PER_PX = 0.008;
const STEEPEST = Math.PI / 2;
const TURNING_MS = 60;
const RESTING_MS = 1200;
const COARSEST = 8;

/** Where a step begins to take light and where it takes all, in shown values (HU), and the colour. */
const LOOKS = {
  bone: { from: 250, to: 900, tint: [0.95, 0.89, 0.78] },
  teeth: { from: 1500, to: 2400, tint: [1, 0.97, 0.9] },
};

export class SolidPane {
  #bench;
  #zoom = 1;
  #shift = [0, 0];     // mm
  #yaw = 0;
  #pitch = 0;
  #isTurning = false;
  #wholeMs = 0;        // what a picture in full would take on this graphics card; 0: not known yet

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

  get pixelsPerMm() {
    return (Math.min(this.box.width, this.box.height) / length(this.#bench.space.size)) * 1.5 * this.#zoom;
  }

  drawing(ratio) {
    const { space, solid, series, texelRamp } = this.#bench;
    const textures = this.#bench.textures(false);
    const divide = this.#divide;
    const { from, to, tint } = lookOf(solid, series);
    return {
      ...textures, divide, fragment: SOLID_FRAGMENT,
      set: rays({
        ...this.#rays(ratio / divide), spacing: space.spacing, tint, ramp: texelRamp(from, to),
        isWhole: textures.fine.isComplete,
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

  /** @param {number} ms The last drawing took. A slow card gets coarser pictures, never a frozen page. */
  took(ms) {
    const divide = this.#divide;
    this.#wholeMs = ms * divide ** 2;
    if (this.#divide < divide) this.#bench.redraw();
  }

  /** Half the pixels each way while it turns, all of them at rest, where the card is quick enough. */
  get #divide() {
    if (!this.#wholeMs) return COARSEST / 2;
    const wanted = Math.ceil(Math.sqrt(this.#wholeMs / (this.#isTurning ? TURNING_MS : RESTING_MS)));
    return Math.max(this.#isTurning ? 2 : 1, Math.min(COARSEST, wanted));
  }

  /** From the front, then turned about the patient's long axis, then tipped. `normal` is where the rays go. */
  get #basis() {
    const { axes } = this.#bench.space;
    const seen = turned(basesOf(axes).coronal, axes[2], -this.#yaw);
    return turned(seen, seen.right, -this.#pitch);
  }

  /** In voxels, for pixels that are `ratio` to a CSS pixel. */
  #rays(ratio) {
    const { space } = this.#bench;
    const { right, down, normal } = this.#basis;
    const scale = this.pixelsPerMm * ratio;
    const whole = length(space.size);
    const step = Math.max(Math.min(...space.spacing), whole / MOST_STEPS);
    const [u, v] = [this.box.width, this.box.height].map((side, i) => this.#shift[i] - side / 2 / this.pixelsPerMm);
    const near = plus(plus(plus(space.middle, right, u), down, v), normal, -whole / 2);
    const voxels = (mm) => mm.map((one, i) => one / space.spacing[i]);
    return {
      origin: voxels(near), right: voxels(times(right, 1 / scale)), down: voxels(times(down, 1 / scale)),
      ahead: voxels(times(normal, step)), steps: Math.ceil(whole / step), forward: normal,
    };
  }
}

/** A series that isn't in HU is looked through by its own window. */
function lookOf(name, { unit, window: { center, width } }) {
  const look = LOOKS[name];
  if (unit === "HU") return look;
  const from = center + (name === "teeth" ? width / 4 : -width / 4);
  return { ...look, from, to: from + width / 4 };
}

/** @returns {(gl: WebGL2RenderingContext, at: (name: string) => WebGLUniformLocation) => void} See renderer.js. */
export function rays({ steps, ramp, isWhole, ...vectors }) {
  return (gl, at) => {
    gl.uniform1i(at("isWhole"), isWhole ? 1 : 0);
    gl.uniform1i(at("steps"), steps);
    gl.uniform2fv(at("ramp"), ramp);
    for (const [name, vector] of Object.entries(vectors)) gl.uniform3fv(at(name), vector);
  };
}
