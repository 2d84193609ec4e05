/**
 * The 3D view among the cuts of a patient's view: its slices are turns of the head. Fetched when someone asks for
 * it, not before. It answers to what stack_view.js asks of a plane.
 */
import { pixelsPerMm } from "./planes.js";
import { Pace, seenFrom, solidDrawing } from "./solid_rays.js";
import { length, lettersOf, spaceOf, times } from "./space.js";

const TURNS = 37;  // of ten degrees, the front in the middle
const REST_MS = 250;

/**
 * @param {import("./manifest.js").Series} series @param {() => void} redraw
 * @returns {import("./planes.js").Plane & {drawing: Function, took: Function, lettersAt: Function, close: Function}}
 */
export function solidPlane(series, redraw) {
  const space = spaceOf(series);
  const pace = new Pace();
  const side = length(space.size) / 1.5;  // as solid_rays.fittingScale has it
  const basisAt = (index) => seenFrom(space, ((index - (TURNS - 1) / 2) * Math.PI) / 18);
  let [drawn, divide, rest] = [-1, 1, 0];
  const plane = {
    view: "solid", axis: -1, sign: 1, count: TURNS, across: [0, 1], along: [2, -1], size_mm: [side, side],
    dims: space.dims, spacing: space.spacing, letters: null, close: () => clearTimeout(rest),
  };
  plane.lettersAt = (index) => {
    const { right } = basisAt(index);
    const [left] = lettersOf(times(right, -1), space);
    return left ? { left, right: lettersOf(right, space)[0] } : null;
  };
  plane.drawing = (index, camera, width, height, { texelRamp }) => {
    divide = pace.divide(index !== drawn);
    drawn = index;
    const scale = pixelsPerMm(plane, camera, width, height);
    return {
      divide, ...solidDrawing({
        series, space, texelRamp, look: "bone", basis: basisAt(index), scale: scale / divide,
        first: [width, height].map((pixels, i) => camera.centre[i] - pixels / 2 / scale),
      }),
    };
  };
  plane.took = (ms) => {
    pace.took(ms, divide);
    clearTimeout(rest);
    if (pace.divide(false) < divide) rest = setTimeout(redraw, REST_MS);
  };
  return plane;
}
