/**
 * The dentist's panes and layouts. A pane is one view of the series on the workbench; a layout says which panes
 * stand where. To add one: write its class, name it in PANES, put it in a layout, and bring its word (words.js).
 *
 * @typedef {object} Pane What the workbench asks of a pane. Places are CSS pixels from the pane's top left corner.
 *   The class is made as `new Class(bench, name)`; `bench` is the Workbench (its public half is written there).
 * @property {{x: number, y: number, width: number, height: number}} box Set by the workbench: its place on the
 *   stage in CSS pixels. Width 0 while it isn't shown.
 * @property {number} count @property {number} index What the slider and the wheel go through; count 1: nothing.
 * @property {(index: number) => void} setIndex
 * @property {(ratio: number) => object} drawing A View of renderer.js without `rect`, `shade` and `isColour`;
 *   `ratio` is device pixels per CSS pixel. Null draws nothing.
 * @property {(pen: import("./pen.js").Pen) => void} paint Lines and letters over the picture.
 * @property {(x: number, y: number, reach: number) => {move: (x: number, y: number) => void, end?: () => void}|null}
 *   press A mouse button or finger goes down with no measuring tool at hand; it takes hold of what is within reach
 *   (CSS pixels). Null: nothing there.
 * @property {(factor: number, x: number, y: number) => void} zoomBy x and y from the pane's middle, as for `pan`.
 * @property {(dx: number, dy: number) => void} pan @property {() => void} reset @property {boolean} isZoomed
 * @property {number} [pixelsPerMm] CSS pixels; draws the scale bar. Left out (or 0): no bar.
 * @property {{width: number, height: number}} [filled] As much of the box as the picture fills, CSS pixels; a box of that
 *   size shows it in the same scale. Left out: all of it.
 * @property {{width: number, height: number}} [frame] Of each cut, where several stand side by side.
 * @property {(x: number, y: number) => number[]} [toMm] A place in the series' millimetres (space.js). Left out: no
 *   measuring here.
 * @property {(mm: number[]) => number[]} [toScreen] The other way: x, y.
 * @property {(points: number[][]) => boolean} [isShowing] Do these places (mm) lie in what is shown?
 * @property {(kind: "distance"|"angle") => boolean} [canMeasure] Left out: both.
 * @property {(angle: number) => void} [turnBy] What the turning keys do here; left out: they turn the crosshair.
 * @property {(ms: number) => void} [took] Told what the drawing took, where that is asked for by having this.
 * @property {() => void} [close]
 *
 * A class may say, by `static isFor(series) → boolean`, which series it can show; else it is for volumes.
 */
import { ArchPane } from "./arch_pane.js";
import { CrossSectionPane } from "./cross_section_pane.js";
import { PanoramaPane } from "./panorama_pane.js";
import { PlanePane } from "./plane_pane.js";
import { SolidPane } from "./solid_pane.js";

/** In the order of the tabs. */
export const PANES = {
  axial: ArchPane,
  coronal: PlanePane,
  sagittal: PlanePane,
  image: PlanePane,
  panorama: PanoramaPane,
  sections: CrossSectionPane,
  solid: SolidPane,
};

/**
 * Cells as shares of the stage: [pane, x, y, width, height]. Where the stage is higher than wide, x and y trade
 * places, but for the dental one. A layout is offered when all of its panes are for the series; `single` shows the
 * pane at hand.
 *
 * @type {Record<string, [string, number, number, number, number][]>}
 */
export const LAYOUTS = {
  dental: [
    ["axial", 0, 0, 0.4, 0.5], ["coronal", 0, 0.5, 0.4, 0.5],
    ["sections", 0.4, 0, 0.6, 0.45], ["panorama", 0.4, 0.45, 0.6, 0.55],
  ],
  mpr: [["axial", 0, 0, 0.5, 1], ["coronal", 0.5, 0, 0.5, 0.5], ["sagittal", 0.5, 0.5, 0.5, 0.5]],
  single: [],
};

/** @param {import("./manifest.js").Series} series @returns {string[]} The panes it can be shown in. */
export function panesFor(series) {
  const isVolume = series.kind === "volume";
  return Object.keys(PANES).filter((name) =>
    PANES[name].isFor?.(series, name) ?? isVolume);
}

/** @param {string[]} panes Of the series. @returns {string[]} The layouts that can be filled with them. */
export function layoutsFor(panes) {
  return Object.keys(LAYOUTS).filter((name) => LAYOUTS[name].every(([pane]) => panes.includes(pane)));
}

/** @returns {string} The pane at hand in a layout that someone chooses: the same if it holds that, else its first. */
export function paneIn(layout, active) {
  const cells = LAYOUTS[layout];
  return !cells.length || cells.some(([pane]) => pane === active) ? active : cells[0][0];
}

/**
 * @param {string} layout @param {string} active The pane at hand.
 * @param {number} width Of the stage. @param {number} height
 * @returns {Map<string, {x: number, y: number, width: number, height: number}>} Whole pixels, a line apart.
 */
export function boxesOf(layout, active, width, height) {
  const cells = LAYOUTS[layout]?.some(([pane]) => pane === active) ? LAYOUTS[layout] : [[active, 0, 0, 1, 1]];
  // A panorama is wide on any stage.
  const turned = height > width && layout !== "dental" ? cells.map(([pane, x, y, w, h]) => [pane, y, x, h, w]) : cells;
  return new Map(turned.map(([pane, x, y, w, h]) => {
    const [left, top] = [Math.round(x * width), Math.round(y * height)];
    const [right, bottom] = [Math.round((x + w) * width), Math.round((y + h) * height)];
    const gap = (edge, whole) => (edge < whole ? 1 : 0);
    return [pane, {
      x: left, y: top, width: right - left - gap(right, width), height: bottom - top - gap(bottom, height),
    }];
  }));
}
