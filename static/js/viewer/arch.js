/**
 * The dental arch: a curve through seven control points, and the upright sheet that stands on it. Pure.
 *
 * Places are millimetres of the series (space.js). portal/dicom/arch/curve.py and panorama.py do the same at ingest;
 * the tests compare the two. Lengths along the curve aren't distances in the jaw.
 *
 * Source: Yuksel, Schaefer, Keyser, "Parameterization and applications of Catmull-Rom curves", Computer-Aided Design
 * 43 (2011): centripetal knots.
 */
import { cross, dot, length, minus, plus, times, unit } from "./space.js";

const PER_SPAN = 64;
const REACH_MM = 50;  // above and below the curve: chin and sinuses lie within it, a skull doesn't

/**
 * @typedef {object} Arch
 * @property {number[][]} control Right molar first. @property {number[]} up To the head, a unit vector.
 * @property {number[][]} dense The curve as a polyline. @property {number[]} along How far along each of its points is.
 * @property {number} length mm. @property {number} top @property {number} bottom mm above the curve that are seen.
 */

/**
 * @param {import("./manifest.js").Series} series @param {import("./space.js").Space} space
 * @returns {number[][]|null} Control points, null where no arch was found: then there is no panorama.
 */
export function controlOf({ arch, position_mm: corner, spacing_calibrated: isScaled }, { directions, spacing }) {
  const points = arch?.points;
  if (!directions || !corner || !isScaled || points?.length !== 7 || !points.flat().every(Number.isFinite)) return null;
  return points.map((point) =>
    directions.map((way, i) => dot(minus(point, corner), way) + spacing[i] / 2));
}

/** @returns {Arch} */
export function archThrough(control, space) {
  const up = upOf(control, space);
  const dense = catmullRom(control);
  const along = [0];
  for (let i = 1; i < dense.length; i += 1) along.push(along[i - 1] + length(minus(dense[i], dense[i - 1])));
  const middle = times(control.reduce((sum, point) => plus(sum, point)), 1 / control.length);
  const heights = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) =>
    dot(minus(space.size.map((side, i) => (corner >> i & 1) * side), middle), up));
  return {
    control, up, dense, along, length: along[along.length - 1],
    top: Math.min(REACH_MM, Math.max(...heights)), bottom: Math.max(-REACH_MM, Math.min(...heights)),
  };
}

/** @param {Arch} arch @param {number} s mm from its right end; beyond the ends it stays at them. */
export function pointAt({ dense, along }, s) {
  let [low, high] = [0, along.length - 1];
  if (s <= 0) return dense[low];
  if (s >= along[high]) return dense[high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (along[middle] <= s) low = middle;
    else high = middle;
  }
  return plus(dense[low], minus(dense[high], dense[low]), (s - along[low]) / (along[high] - along[low]));
}

/** @param {Arch} arch @param {number} s @returns {number[]} Out of the mouth, square to the curve, a unit vector. */
export function outwardAt(arch, s) {
  return unit(cross(minus(pointAt(arch, s + 1), pointAt(arch, s - 1)), arch.up));
}

/** A smooth dense line through all control points; its ends run on straight. */
export function catmullRom(control) {
  const [first, second] = control;
  const [beforeLast, last] = control.slice(-2);
  const knots = [minus(times(first, 2), second), ...control, minus(times(last, 2), beforeLast)];
  const dense = [];
  for (let i = 0; i + 3 < knots.length; i += 1) {
    for (let k = 0; k < PER_SPAN; k += 1) dense.push(onSpan(knots.slice(i, i + 4), k / PER_SPAN));
  }
  return [...dense, last];
}

/** Barry and Goldman's pyramid between the second and the third of four points. */
function onSpan(knots, t) {
  const at = [0];
  for (let i = 0; i < 3; i += 1) at.push(at[i] + Math.max(Math.sqrt(length(minus(knots[i + 1], knots[i]))), 1e-6));
  const when = at[1] + t * (at[2] - at[1]);
  const between = (a, b, low, high) =>
    plus(times(a, (at[high] - when) / (at[high] - at[low])), b, (when - at[low]) / (at[high] - at[low]));
  const first = [0, 1, 2].map((i) => between(knots[i], knots[i + 1], i, i + 1));
  const second = [0, 1].map((i) => between(first[i], first[i + 1], i, i + 2));
  return between(second[0], second[1], 1, 2);
}

/** The normal of the plane head = a left + b back + c nearest to the points (least squares). */
function upOf(control, { axes: [left, back, head] }) {
  const middle = times(control.reduce((sum, point) => plus(sum, point)), 1 / control.length);
  const rows = control.map((point) => [left, back, head].map((axis) => dot(minus(point, middle), axis)));
  const sum = (i, j) => rows.reduce((total, row) => total + row[i] * row[j], 0);
  const determinant = sum(0, 0) * sum(1, 1) - sum(0, 1) ** 2 || 1;
  const a = (sum(0, 2) * sum(1, 1) - sum(1, 2) * sum(0, 1)) / determinant;
  const b = (sum(1, 2) * sum(0, 0) - sum(0, 2) * sum(0, 1)) / determinant;
  return unit(plus(plus(head, left, -a), back, -b));
}
