/**
 * Distances and angles: placed by hand, kept in the series' millimetres, drawn wherever their places are shown.
 * Nothing of it is stored: it ends with the page.
 */
import { beside, COLOURS, nearest } from "./pen.js";
import { dot, length, minus } from "./space.js";

const NEEDED = { distance: 2, angle: 3 };
const NEAR_PX = 14;
const CLICK_PX = 4;

/** @param {number[][]} points Two places in mm. */
export const distanceOf = ([a, b]) => length(minus(a, b));

/** @param {number[][]} points Three places; the middle one is the corner. @returns {number} Degrees. */
export function angleOf([a, corner, b]) {
  const [u, v] = [minus(a, corner), minus(b, corner)];
  return (Math.acos(Math.max(-1, Math.min(1, dot(u, v) / (length(u) * length(v) || 1)))) * 180) / Math.PI;
}

export class Measures {
  #bench;
  #draft = null;
  list = [];           // {kind, pane: name, points}

  /** @param {import("./workbench.js").Workbench} bench */
  constructor(bench) {
    this.#bench = bench;
  }

  /** @returns {boolean} The tool at hand measures, and this pane can be measured in. */
  canBegin(pane) {
    const { tool } = this.#bench;
    return tool in NEEDED && Boolean(pane.toMm) && (pane.canMeasure?.(tool) ?? true);
  }

  /** An unfinished one waits for its next place. */
  get isWaiting() {
    return this.#draft !== null;
  }

  /** @returns {object|null} What a press at (x, y) takes hold of: the end of a measure, or a new one. */
  press(pane, x, y, reach = NEAR_PX) {
    if (!pane.toMm) return null;
    return this.#endAt(pane, x, y, reach) ?? (this.canBegin(pane) ? this.#place(pane, x, y) : null);
  }

  /** The mouse is over a place while a measure waits for its next one. */
  hover(pane, x, y) {
    if (!this.#draft || this.#draft.pane !== this.#bench.view || !pane.toMm) return;
    this.#draft.points[this.#draft.points.length - 1] = pane.toMm(x, y);
    this.#bench.redraw();
  }

  /** Forget the unfinished one. */
  drop() {
    this.#draft = null;
  }

  remove(index = this.list.length - 1) {
    this.list.splice(index, 1);
    this.#bench.changed();
  }

  /** @returns {string} "40.0 mm", "90.0°". One digit: a dental scan knows no more. */
  label({ kind, points }) {
    if (kind === "angle") return `${angleOf(points).toFixed(1)}°`;
    const { series, words } = this.#bench;
    if (!series.spacing_mm) return words("unscaled");
    const mm = `${distanceOf(points).toFixed(1)} mm`;
    return series.spacing_calibrated ? mm : `${mm} (${words("unscaled")})`;
  }

  paint(pen, pane) {
    if (!pane.toScreen) return;
    for (const one of [...this.list, this.#draft]) {
      if (!one || !(pane.isShowing?.(one.points) ?? one.pane === pane.name)) continue;
      const points = one.points.map((mm) => pane.toScreen(mm));
      pen.line(points, COLOURS.measure);
      for (const at of points) pen.ring(at, 3, COLOURS.measure);
      this.#paintLabel(pen, one, points);
    }
  }

  #paintLabel(pen, one, points) {
    if (one.points.length < NEEDED[one.kind]) return;
    const [x, y] = points[one.kind === "angle" ? 1 : points.length - 1];
    const isRight = x < pen.width - 90;
    pen.text(this.label(one), [x + (isRight ? 12 : -12), Math.max(12, y - 12)],
      { colour: COLOURS.measure, align: isRight ? "left" : "right", size: 15 });
  }

  /** Hold of an end, to put it elsewhere. */
  #endAt(pane, x, y, reach) {
    for (const one of this.list) {
      if (!(pane.isShowing?.(one.points) ?? one.pane === pane.name)) continue;
      const places = one.points.map((mm) => pane.toScreen(mm));
      const found = nearest(places, x, y, reach);
      if (found >= 0) return beside(places[found], x, y, (...to) => this.#put(one, found, pane.toMm(...to)));
    }
    return null;
  }

  #put(one, index, mm) {
    one.points[index] = mm;
    this.#bench.changed();
  }

  /** Press, pull, let go; or click, move, click. An angle takes a second pull. */
  #place(pane, x, y) {
    const { tool, view } = this.#bench;
    const mm = pane.toMm(x, y);
    if (this.#draft?.pane !== view) this.#draft = { kind: tool, pane: view, points: [mm] };
    else this.#draft.points.pop();
    this.#draft.points.push(mm);
    return {
      move: (toX, toY) => this.hover(pane, toX, toY),
      end: () => this.#letGo(pane),
    };
  }

  #letGo(pane) {
    const { points, kind } = this.#draft;
    const [last, before] = points.slice(-2).map((mm) => pane.toScreen(mm));
    if (Math.hypot(last[0] - before[0], last[1] - before[1]) < CLICK_PX) return;
    if (points.length < NEEDED[kind]) {
      points.push(points[points.length - 1]);
      return;
    }
    this.list.push(this.#draft);
    this.#draft = null;
    this.#bench.changed();
  }
}
