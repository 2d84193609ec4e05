/**
 * Millimetres of a series and the planes through them. Pure.
 *
 * A place is [x, y, z] in mm along the series' columns, rows and frames from the outer corner of its first voxel
 * (voxel * spacing). The axes stand square on each other, so lengths and angles are those of the body, however
 * the series lies in it and however unlike its spacings are.
 */
import { matchAxes } from "./planes.js";

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const plus = (a, b, factor = 1) => a.map((v, i) => v + b[i] * factor);
export const minus = (a, b) => plus(a, b, -1);
export const times = (a, factor) => a.map((v) => v * factor);
export const length = (a) => Math.hypot(...a);
export const unit = (a) => times(a, 1 / length(a));
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/**
 * @typedef {object} Space
 * @property {number[]} dims Voxels along x, y, z. @property {number[]} spacing mm along x, y, z.
 * @property {number[]} size mm. @property {number[]} middle mm.
 * @property {number[][]} axes To the patient's left, back and head, as unit vectors of this space: the voxel axis
 *   nearest to each.
 * @property {number[][]|null} directions Of x, y, z in the patient (LPS), null when the series doesn't say.
 */

/** @param {import("./manifest.js").Series} series @returns {Space} */
export function spaceOf({ Columns, Rows, NumberOfFrames, spacing_mm: spacingMm, directions }) {
  const dims = [Columns, Rows, NumberOfFrames];
  const spacing = spacingMm ? spacingMm.slice().reverse() : [1, 1, 1];
  const size = dims.map((count, i) => count * spacing[i]);
  const axes = matchAxes(directions ?? [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).map(([voxel, sign]) =>
    [0, 1, 2].map((i) => (i === voxel ? sign : 0)));
  return { dims, spacing, size, middle: times(size, 0.5), axes, directions };
}

/**
 * @typedef {object} Basis How a view looks at the space, in unit vectors.
 * @property {number[]} right To the right of the screen. @property {number[]} down Down it.
 * @property {number[]} normal The way slices count.
 */

/** @param {number[][]} axes To the left, back and head. @returns {Record<string, Basis>} Of each view, unturned. */
export function basesOf([left, back, head]) {
  const up = times(head, -1);
  return {
    axial: { right: left, down: back, normal: head },
    coronal: { right: left, down: up, normal: back },
    sagittal: { right: back, down: up, normal: left },
  };
}

/** The picture as stored. */
export const STORED = { right: [1, 0, 0], down: [0, 1, 0], normal: [0, 0, 1] };

/** @returns {Basis} Turned about a unit vector by an angle in radians. */
export function turned({ right, down, normal }, about, angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const turn = (v) => plus(plus(times(v, c), cross(about, v), s), about, dot(about, v) * (1 - c));
  // Many small turns must not add up to a crooked frame.
  const r = unit(turn(right));
  const d = turn(down);
  const squareDown = unit(minus(d, times(r, dot(d, r))));
  const n = cross(r, squareDown);
  return { right: r, down: squareDown, normal: times(n, Math.sign(dot(n, turn(normal)))) };
}

const LETTERS = [["left", "right"], ["back", "front"], ["head", "feet"]];
const SEEN = Math.sin(Math.PI / 8);

/**
 * @param {number[]} direction A unit vector of the space. @param {Space} space
 * @returns {string[]} Where it points in the patient, the clearest first: one word, or two or three when it is
 *   turned by more than 22.5 degrees. Empty when the series doesn't say.
 */
export function lettersOf(direction, { directions }) {
  if (!directions) return [];
  const patient = [0, 1, 2].map((i) => directions.reduce((sum, axis, k) => sum + axis[i] * direction[k], 0));
  return LETTERS.map(([more, less], i) => [Math.abs(patient[i]), patient[i] > 0 ? more : less])
    .filter(([share]) => share > SEEN).sort((a, b) => b[0] - a[0]).map(([, word]) => word);
}
