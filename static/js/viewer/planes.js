/**
 * The geometry of a view: which way a series is cut, how the cut lies on the screen, where right and left are.
 * Pure. Voxel space is level 0: x the column, y the row, z the frame; the centre of voxel i lies at i + 0.5.
 * Patient space is LPS: x to the patient's left, y to the back, z to the head (DICOM PS3.3 C.7.6.2.1.1).
 */

/**
 * @typedef {object} Plane A family of parallel cuts through a series.
 * @property {string} view "axial" | "coronal" | "sagittal" | "image"
 * @property {number} axis The voxel axis cut across (0 x, 1 y, 2 z). @property {1|-1} sign
 * @property {number} count How many cuts.
 * @property {[number, number]} across Voxel axis and sign to the right of the screen.
 * @property {[number, number]} along Voxel axis and sign down the screen.
 * @property {number[]} size_mm Width and height.
 * @property {number[]} dims Voxels along x, y, z. @property {number[]} spacing mm along x, y, z.
 * @property {{left: string, right: string}|null} letters Keys of words.
 *
 * @typedef {object} Camera
 * @property {number} zoom 1 fits the plane into the view. @property {[number, number]} centre In mm from the middle.
 */

const AXES_OF_VIEW = {
  // patient axis to the right, patient axis down (with its sign), patient axis cut across
  axial: { across: [0, 1], along: [1, 1], cut: 2, letters: { left: "right", right: "left" } },
  coronal: { across: [0, 1], along: [2, -1], cut: 1, letters: { left: "right", right: "left" } },
  sagittal: { across: [1, 1], along: [2, -1], cut: 0, letters: { left: "front", right: "back" } },
};

/** @param {import("./manifest.js").Series} series @returns {string[]} The views it can be shown in. */
export function viewsOf(series) {
  return series.kind === "volume" ? Object.keys(AXES_OF_VIEW) : ["image"];
}

/**
 * @param {import("./manifest.js").Series} series
 * @param {string} view
 * @returns {Plane}
 */
export function planeOf(series, view) {
  const dims = [series.Columns, series.Rows, series.NumberOfFrames];
  const spacing = series.spacing_mm ? series.spacing_mm.slice().reverse() : [1, 1, 1];
  const { across, along, cut, letters } = view === "image" ? storedAxes(series) : patientAxes(series, view);
  const side = ([axis]) => dims[axis] * spacing[axis];
  return {
    view, across, along, letters, dims, spacing,
    axis: cut[0], sign: cut[1], count: dims[cut[0]], size_mm: [side(across), side(along)],
  };
}

/** The picture as stored: columns to the right, rows down. */
function storedAxes({ directions }) {
  return { across: [0, 1], along: [1, 1], cut: [2, 1], letters: lettersAlong(directions?.[0]) };
}

/** @param {number[]|undefined} direction Of the screen's right. @returns {{left, right}|null} */
function lettersAlong(direction) {
  if (!direction) return null;
  const main = largest(direction);
  if (main === 2) return null;
  const [low, high] = main === 0 ? ["right", "left"] : ["front", "back"];
  return direction[main] > 0 ? { left: low, right: high } : { left: high, right: low };
}

/** The voxel axes nearest to the patient's. */
function patientAxes({ directions }, view) {
  const wanted = AXES_OF_VIEW[view];
  const voxel = matchAxes(directions ?? [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
  const turned = ([axis, sign]) => [voxel[axis][0], voxel[axis][1] * sign];
  return {
    across: turned(wanted.across), along: turned(wanted.along), cut: voxel[wanted.cut],
    letters: directions ? wanted.letters : null,
  };
}

/**
 * @param {number[][]} directions Of x, y, z in patient space.
 * @returns {[number, number][]} For each patient axis the voxel axis that follows it best, and its sign. Each
 *   voxel axis is given once, the clearest pair first.
 */
export function matchAxes(directions) {
  const pairs = directions.flatMap((direction, voxel) =>
    direction.map((cosine, patient) => ({ voxel, patient, cosine })));
  pairs.sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine));
  const matched = [];
  const used = new Set();
  for (const { voxel, patient, cosine } of pairs) {
    if (matched[patient] || used.has(voxel)) continue;
    matched[patient] = [voxel, cosine < 0 ? -1 : 1];
    used.add(voxel);
  }
  return matched;
}

const largest = (vector) => vector.reduce((best, v, i) => (Math.abs(v) > Math.abs(vector[best]) ? i : best), 0);

/** @param {Plane} plane @param {number} index Of the cut. @returns {number} The voxel index along plane.axis. */
export function voxelIndex(plane, index) {
  return plane.sign > 0 ? index : plane.count - 1 - index;
}

/** @returns {number} Device pixels per mm. */
export function pixelsPerMm(plane, camera, width, height) {
  return Math.min(width / plane.size_mm[0], height / plane.size_mm[1]) * camera.zoom;
}

/**
 * @param {Plane} plane @param {number} index @param {Camera} camera
 * @param {number} width Of the view in pixels. @param {number} height
 * @returns {{origin: number[], right: number[], down: number[]}} In voxels: of the view's top left corner, and of
 *   a step of one pixel to the right and down.
 */
export function screenToVoxel(plane, index, camera, width, height) {
  const scale = pixelsPerMm(plane, camera, width, height);
  const right = step(plane, plane.across, scale);
  const down = step(plane, plane.along, scale);
  const origin = plane.dims.map((size) => size / 2);
  origin[plane.axis] = voxelIndex(plane, index) + 0.5;
  const x = camera.centre[0] * scale - width / 2;
  const y = camera.centre[1] * scale - height / 2;
  for (let i = 0; i < 3; i += 1) origin[i] += right[i] * x + down[i] * y;
  return { origin, right, down };
}

function step({ spacing }, [axis, sign], scale) {
  const vector = [0, 0, 0];
  vector[axis] = sign / (scale * spacing[axis]);
  return vector;
}

/**
 * Zoom so that the point under (x, y) stays where it is.
 *
 * @param {Camera} camera @param {number} factor @param {Plane} plane
 * @param {number} x Pixels right of the view's middle. @param {number} y Pixels below it.
 * @returns {Camera}
 */
export function zoomAt(camera, factor, plane, width, height, x = 0, y = 0) {
  const zoom = Math.max(1, Math.min(12, camera.zoom * factor));
  const before = pixelsPerMm(plane, camera, width, height);
  const after = pixelsPerMm(plane, { ...camera, zoom }, width, height);
  const shift = (at, i) => camera.centre[i] + at / before - at / after;
  return bound({ zoom, centre: [shift(x, 0), shift(y, 1)] }, plane);
}

/** @returns {Camera} Moved by pixels, with the picture's middle never further away than its edge. */
export function panBy(camera, plane, width, height, dx, dy) {
  const scale = pixelsPerMm(plane, camera, width, height);
  return bound({ ...camera, centre: [camera.centre[0] - dx / scale, camera.centre[1] - dy / scale] }, plane);
}

function bound({ zoom, centre }, plane) {
  // At zoom 1 all of it is in view: nothing to pan to.
  const reach = (i) => (plane.size_mm[i] / 2) * (1 - 1 / zoom);
  return { zoom, centre: centre.map((at, i) => Math.max(-reach(i), Math.min(reach(i), at))) };
}
