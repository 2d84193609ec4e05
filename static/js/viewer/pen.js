/**
 * Lines and letters over the pictures. Everything bright has a dark edge, so that it is seen on any grey: the edge
 * on the light ones, the line on the dark ones.
 */

const EDGE = "#0b0f14";
const FONT = "system-ui, sans-serif";

export const COLOURS = {
  axial: "#ffa198", coronal: "#7ee787", sagittal: "#8cc8ff", arch: "#ffb454",
  measure: "#ffe66d", letter: "#ffffff", quiet: "#556475",
};

/** @param {number[][]} places On the screen. @returns {number} The nearest to (x, y) within reach, −1: none. */
export function nearest(places, x, y, reach) {
  const far = places.map(([px, py]) => Math.hypot(px - x, py - y));
  const found = far.indexOf(Math.min(...far));
  return far[found] < reach ? found : -1;
}

/** @returns {object} A hold of a place by a press beside it: it keeps its distance, and a finger doesn't hide it. */
export function beside([left, top], x, y, put) {
  return { move: (toX, toY) => put(toX + left - x, toY + top - y) };
}

export class Pen {
  #context;

  /** @param {CanvasRenderingContext2D} context Its unit is the CSS pixel of the pane, its origin the top left corner. */
  constructor(context) {
    this.#context = context;
    this.width = 0;
    this.height = 0;
  }

  /** Draw in a box of the stage; nothing leaves it. @param {(pen: Pen) => void} deed */
  inside({ x, y, width, height }, deed) {
    const context = this.#context;
    [this.width, this.height] = [width, height];
    context.save();
    context.translate(x, y);
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    deed(this);
    context.restore();
  }

  /** @param {number[][]} points Two or more. @param {{dash?: number[], width?: number}} [how] */
  line(points, colour, { dash = [], width = 1.5 } = {}) {
    this.#stroke(colour, width, dash, (path) => points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y))));
  }

  ring([x, y], radius, colour) {
    this.#stroke(colour, 2, [], (path) => path.arc(x, y, radius, 0, 7));
  }

  /** @param {"left"|"center"|"right"} align @param {"top"|"middle"|"bottom"} baseline */
  text(text, [x, y], { colour = COLOURS.letter, align = "center", baseline = "middle", size = 14 } = {}) {
    const context = this.#context;
    Object.assign(context, {
      font: `600 ${size}px ${FONT}`, textAlign: align, textBaseline: baseline, lineJoin: "round",
      strokeStyle: EDGE, fillStyle: colour, lineWidth: 4,
    });
    context.setLineDash([]);
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  #stroke(colour, width, dash, trace) {
    const context = this.#context;
    context.setLineDash(dash);
    for (const [style, lineWidth] of [[EDGE, width + 2.5], [colour, width]]) {
      Object.assign(context, { strokeStyle: style, lineWidth });
      context.beginPath();
      trace(context);
      context.stroke();
    }
  }
}
