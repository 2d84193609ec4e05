/**
 * The arch on the workbench: its control points as they stand after correction, how it is looked at, and where along
 * it the eye is. `bench.jaw` is one of these or null; it is never changed, only replaced by `bench.set({ jaw })`.
 *
 * @typedef {object} Jaw
 * @property {number[][]} control @property {import("./arch.js").Arch} arch The curve through them.
 * @property {number[][]} found The control points before any correction.
 * @property {number} s mm along the curve. @property {number} thickness mm of the panorama.
 * @property {number} step mm between cross-sections. @property {number} width mm of each.
 */
import { archThrough, controlOf, pointAt } from "./arch.js";
import { dot, length, minus, plus, spaceOf } from "./space.js";

/** Smallest and largest mm that may be chosen. */
export const LIMITS = { thickness: [0.5, 40], step: [0.5, 10], width: [10, 60] };

/** @returns {boolean} An arch was found in this series. */
export const hasJaw = (series) => series.kind === "volume" && controlOf(series, spaceOf(series)) !== null;

/** @returns {Jaw|null} */
export function jawOf(series, space) {
  if (!hasJaw(series)) return null;
  const found = controlOf(series, space);
  const arch = archThrough(found, space);
  return { control: found, found, arch, s: arch.length / 2, thickness: 10, step: 2, width: 24 };
}

/** @returns {Jaw} With another thickness, step or width, within its limits; what isn't a number changes nothing. */
export function chosen(jaw, name, mm) {
  const [least, most] = LIMITS[name];
  return Number.isFinite(mm) && mm > 0 ? { ...jaw, [name]: Math.max(least, Math.min(most, mm)) } : jaw;
}

/** @returns {Jaw} With one control point put elsewhere. */
export function corrected(jaw, index, mm, space) {
  return through(moved(jaw.control, index, mm, space), jaw, space);
}

/** @returns {boolean} Somebody put a control point elsewhere. */
export const isCorrected = (jaw) => jaw !== null && jaw.control !== jaw.found;

/** @returns {Jaw} Without any correction. */
export const asFound = (jaw, space) => through(jaw.found, jaw, space);

function through(control, jaw, space) {
  const arch = archThrough(control, space);
  return { ...jaw, control, arch, s: Math.min(jaw.s, arch.length) };
}

/** Where along the arch a pane of it stands, as the slider counts: cross-sections. */
export const countOf = ({ arch, step }) => Math.floor(arch.length / step) + 1;
export const indexOf = (jaw) => Math.max(0, Math.min(countOf(jaw) - 1, Math.round(jaw.s / jaw.step)));

/** Bring the eye and the crosshair along the arch. @param {number} [height] mm above it; if not given, as it is. */
export function goAlong(bench, s, height = dot(minus(bench.cross.at, pointAt(bench.jaw.arch, s)), bench.jaw.arch.up)) {
  const { arch } = bench.jaw;
  const at = Math.max(0, Math.min(arch.length, s));
  bench.jaw = { ...bench.jaw, s: at };
  bench.moveTo(plus(pointAt(arch, at), arch.up, height));
}

/** The crosshair was moved in a plane: the cross-sections come along. */
export function follow(bench) {
  bench.set({ jaw: { ...bench.jaw, s: nearestAlong(bench.jaw.arch, bench.cross.at) } });
}

/** @param {import("./arch.js").Arch} arch @param {number[]} mm @returns {number} How far along its nearest point is. */
function nearestAlong({ dense, along, up }, mm) {
  const flat = (one) => length(plus(minus(one, mm), up, -dot(minus(one, mm), up)));
  return along[dense.reduce((best, one, i) => (flat(one) < flat(dense[best]) ? i : best), 0)];
}

/**
 * A control point let go somewhere else; its height above the plane of the teeth stays.
 *
 * @param {number[][]} control @param {number} index @param {number[]} mm Only its place across `head` counts.
 * @param {import("./space.js").Space} space
 */
function moved(control, index, mm, { axes: [, , head], size }) {
  const bounded = mm.map((v, i) => Math.max(0, Math.min(size[i], v)));
  const at = plus(bounded, head, dot(minus(control[index], bounded), head));
  return control.map((point, i) => (i === index ? at : point));
}
