/** The lines and letters over the panes, on a canvas of their own that also takes the mouse and the fingers. */
import { COLOURS, Pen } from "./pen.js";

const BAR_MM = [100, 50, 20, 10, 5, 2, 1, 0.5];

export class Overlay {
  #context;
  #point = null;       // {pane, at}: where the keyboard measures

  /** @param {HTMLElement} stage @param {HTMLElement} canvas It is laid over this one. */
  constructor(stage, canvas) {
    this.element = document.createElement("canvas");
    this.element.className = "viewer-overlay";
    this.element.setAttribute("aria-hidden", "true");  // the canvas below has the words
    stage.insertBefore(this.element, canvas.nextSibling);
    this.#context = this.element.getContext("2d");
  }

  /** @param {import("./layouts.js").Pane} pane @param {number[]} at */
  point(pane, at) {
    this.#point = { pane, at };
  }

  close() {
    this.element.width = 0;  // nothing of it stays in memory
    this.element.remove();
  }

  /**
   * @param {import("./workbench.js").Workbench} bench
   * @param {Map<string, object>} boxes @param {Map<string, import("./layouts.js").Pane>} panes By name.
   * @param {{width: number, height: number}} size In device pixels. @param {number} ratio Of these, per CSS pixel.
   */
  paint(bench, boxes, panes, { width, height }, ratio) {
    // A canvas that is given a size is made anew, even if it had it.
    if (this.element.width !== width || this.element.height !== height) Object.assign(this.element, { width, height });
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    const pen = new Pen(this.#context);
    for (const [name, box] of boxes) {
      const pane = panes.get(name);
      pen.inside(box, () => {
        pane.paint(pen);
        if (boxes.size > 1 || bench.isOnPaper) paintName(pen, name, bench);
        if (pane.pixelsPerMm) paintBar(pen, pane, bench);
        bench.measures.paint(pen, pane);
        if (this.#point?.pane === pane && bench.measures.canBegin(pane)) pen.ring(this.#point.at, 8, COLOURS.measure);
      });
    }
  }
}

/** Which pane this is, and whether it is the one at hand. */
function paintName(pen, name, { view, isKept, words }) {
  const [w, h] = [pen.width - 1, pen.height - 1];
  const colour = COLOURS[name] ?? COLOURS.letter;
  pen.text(words(name), [10, 10], { colour, align: "left", baseline: "top", size: 13 });
  if (name === view && !isKept) pen.line([[1, 1], [w, 1], [w, h], [1, h], [1, 1]], colour, { width: 2 });
}

/** The longest round length that takes less than a third of the pane, or of each of its cuts, at the bottom left. */
function paintBar(pen, { pixelsPerMm, frame = pen }, { series, words }) {
  const y = pen.height - 14;
  if (!series.spacing_mm || !series.spacing_calibrated) {
    pen.text(words("unscaled"), [12, y], { align: "left", size: 13 });
    return;
  }
  const mm = BAR_MM.find((one) => one * pixelsPerMm < frame.width / 3);
  if (!mm) return;
  const end = 12 + mm * pixelsPerMm;
  pen.line([[12, y - 5], [12, y], [end, y], [end, y - 5]], COLOURS.letter);
  pen.text(`${mm} mm`, [12, y - 8], { align: "left", baseline: "bottom", size: 13 });
}
