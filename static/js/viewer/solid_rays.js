/** Where the rays of the 3D view go and what they take for bone or teeth. Pure, but for the last step to the card. */
import { SOLID_FRAGMENT } from "./solid_shader.js";
import { basesOf, length, plus, times, turned } from "./space.js";

const MOST_STEPS = 400;
const TURNING_MS = 60;
const RESTING_MS = 1200;
const COARSEST = 8;
const [BLACK, WHITE] = [[0, 0, 0], [1, 1, 1]];

/** Where a step begins to take light and where it takes all, in shown values (HU), and the colour. */
const LOOKS = {
  bone: { from: 250, to: 900, tint: [0.95, 0.89, 0.78] },
  teeth: { from: 1300, to: 2200, tint: [1, 0.97, 0.9] },
};

/**
 * From the front, then turned about the patient's long axis, then tipped. `normal` is where the rays go.
 *
 * @param {import("./space.js").Space} space @param {number} yaw Radians, the front to the right.
 * @param {number} pitch The top towards the eye. @returns {import("./space.js").Basis}
 */
export function seenFrom({ axes }, yaw, pitch = 0) {
  const seen = turned(basesOf(axes).coronal, axes[2], -yaw);
  return turned(seen, seen.right, -pitch);
}

/** @returns {number} Pixels a mm that show all of it, however it is turned, and little else. */
export function fittingScale({ size }, width, height) {
  return (Math.min(width, height) / length(size)) * 1.5;
}

/**
 * @param {object} how
 * @param {import("./manifest.js").Series} how.series @param {import("./space.js").Space} how.space
 * @param {import("./space.js").Basis} how.basis @param {"bone"|"teeth"} how.look
 * @param {number[]} how.first mm right of and below the middle: the view's top left corner.
 * @param {number} how.scale Pixels a mm.
 * @param {(from: number, to: number) => number[]} how.texelRamp See Workbench.
 * @param {boolean} [how.isOnPaper] White behind it, else black.
 * @returns {{fragment: string, set: Function}} Of a View, see renderer.js.
 */
export function solidDrawing({ series, space, basis, look, first, scale, texelRamp, isOnPaper = false }) {
  const { right, down, normal } = basis;
  const whole = length(space.size);
  const step = Math.max(Math.min(...space.spacing), whole / MOST_STEPS);
  const near = plus(plus(plus(space.middle, right, first[0]), down, first[1]), normal, -whole / 2);
  const voxels = (mm) => mm.map((one, i) => one / space.spacing[i]);
  const { from, to, tint } = lookOf(look, series);
  return {
    fragment: SOLID_FRAGMENT,
    set: rays({
      origin: voxels(near), right: voxels(times(right, 1 / scale)), down: voxels(times(down, 1 / scale)),
      ahead: voxels(times(normal, step)), steps: Math.ceil(whole / step), forward: normal, spacing: space.spacing,
      tint, ramp: texelRamp(from, to), behind: isOnPaper ? WHITE : BLACK,
    }),
  };
}

/**
 * How coarse to draw: half the pixels each way while it turns, all of them at rest, and fewer where the card is
 * slow, for a coarse picture is better than a frozen page.
 */
export class Pace {
  #wholeMs = 0;        // what a picture in full would take; 0: not known yet

  /** @param {boolean} isTurning @returns {number} See View.divide. */
  divide(isTurning) {
    if (!this.#wholeMs) return COARSEST / 2;
    const wanted = Math.ceil(Math.sqrt(this.#wholeMs / (isTurning ? TURNING_MS : RESTING_MS)));
    return Math.max(isTurning ? 2 : 1, Math.min(COARSEST, wanted));
  }

  /** @param {number} ms @param {number} divide What the last drawing took, and how coarse it was. */
  took(ms, divide) {
    this.#wholeMs = ms * divide ** 2;
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
function rays({ steps, ramp, ...vectors }) {
  return (gl, at) => {
    gl.uniform1i(at("steps"), steps);
    gl.uniform2fv(at("ramp"), ramp);
    for (const [name, vector] of Object.entries(vectors)) gl.uniform3fv(at(name), vector);
  };
}
