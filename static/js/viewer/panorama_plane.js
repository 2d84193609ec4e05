/** All teeth: the panorama among the cuts of a patient's view. It answers to what stack_view.js asks of a plane. */
import { archThrough, controlOf } from "./arch.js";
import { ArchSheet } from "./arch_sheet.js";
import { panoramaDrawing } from "./panorama.js";
import { pixelsPerMm } from "./planes.js";
import { spaceOf } from "./space.js";

const THICKNESS_MM = 10;
const REACH_MM = 10;

/**
 * @typedef {import("./planes.js").Plane & {drawing: Function, close: () => void}} PanoramaPlane Its cuts are sheets,
 *   a millimetre apart from the tongue to the cheek.
 */

/** @param {import("./manifest.js").Series} series @returns {PanoramaPlane|null} Null where no good arch was found. */
export function panoramaPlane(series) {
  const space = spaceOf(series);
  const control = series.kind === "volume" ? controlOf(series, space) : null;
  if (!control) return null;
  const arch = archThrough(control, space);
  const sheet = new ArchSheet();
  const size = [arch.length, arch.top - arch.bottom];
  const plane = {
    view: "panorama", axis: -1, sign: 1, count: 2 * REACH_MM + 1, across: [0, 1], along: [2, -1], size_mm: size,
    dims: space.dims, spacing: space.spacing, letters: { left: "right", right: "left" }, close: () => sheet.close(),
  };
  plane.drawing = (index, camera, width, height) => {
    const scale = pixelsPerMm(plane, camera, width, height);
    const first = [
      size[0] / 2 + camera.centre[0] - width / 2 / scale,
      (arch.top + arch.bottom) / 2 - camera.centre[1] + height / 2 / scale,
    ];
    return panoramaDrawing(sheet, arch, space.spacing,
      { first, perPixel: 1 / scale, thickness: THICKNESS_MM, shift: index - REACH_MM });
  };
  return plane;
}
