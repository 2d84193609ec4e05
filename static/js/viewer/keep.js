/**
 * The picture as it stands, to keep: panes and lines, and below them what it is, whose practice's and the notice.
 * No name: a file goes further than its maker thinks.
 */

const LINE_PX = 24;
const FILE_NAME = "picture.png";
const LEAST_PX = 240;  // the letters and the bar need room

/**
 * @param {import("./layouts.js").Pane} pane
 * @returns {{x: number, y: number, width: number, height: number}} As much of its box as its picture fills, about the
 *   middle: nobody keeps or prints the black beside it.
 */
export function filledBox({ box, filled = box }) {
  const [width, height] = ["width", "height"].map((side) =>
    Math.min(box[side], Math.max(LEAST_PX, Math.ceil(filled[side]))));
  return {
    x: box.x + Math.floor((box.width - width) / 2), y: box.y + Math.floor((box.height - height) / 2), width, height,
  };
}

/**
 * @param {import("./workbench.js").Workbench} bench @param {string[]} caption Lines.
 * @param {object} [alone] The box in which the pane at hand is drawn alone; else the whole stage.
 * @param {boolean} [isOnPaper]
 * @returns {HTMLCanvasElement}
 */
export function pictureOf(bench, caption, alone, isOnPaper) {
  const ratio = bench.ratio;
  const made = document.createElement("canvas");
  const box = alone ?? bench.whole;
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((side) => Math.round(side * ratio));
  Object.assign(made, { width, height: height + Math.round(caption.length * LINE_PX * ratio) });
  const pen = made.getContext("2d");
  pen.fillRect(0, 0, made.width, made.height);
  for (const layer of bench.drawnNow(alone, isOnPaper)) pen.drawImage(layer, x, y, width, height, 0, 0, width, height);
  Object.assign(pen, { font: `${13 * ratio}px system-ui, sans-serif`, fillStyle: "#fff", textBaseline: "middle" });
  caption.forEach((line, i) => pen.fillText(line, 8 * ratio, height + (i + 0.5) * LINE_PX * ratio, width - 16 * ratio));
  return made;
}

/** Hand it over as a file. */
export function keepPicture(bench, caption) {
  const isAlone = bench.views.filter((name) => bench.shows(name)).length === 1;
  pictureOf(bench, caption, isAlone ? filledBox(bench.pane) : undefined).toBlob((blob) => {
    const link = document.createElement("a");
    link.download = FILE_NAME;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
