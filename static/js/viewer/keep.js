/**
 * The picture as it stands, to keep: panes and lines, and below them what it is, whose practice's and the notice.
 * No name: a file goes further than its maker thinks.
 */

const LINE_PX = 24;
const FILE_NAME = "picture.png";

/**
 * @param {import("./workbench.js").Workbench} bench @param {string[]} caption Lines.
 * @returns {HTMLCanvasElement}
 */
export function pictureOf(bench, caption, box = bench.whole) {
  const ratio = bench.ratio;
  const made = document.createElement("canvas");
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((side) => Math.round(side * ratio));
  Object.assign(made, { width, height: height + Math.round(caption.length * LINE_PX * ratio) });
  const pen = made.getContext("2d");
  pen.fillRect(0, 0, made.width, made.height);
  for (const layer of bench.drawnNow()) pen.drawImage(layer, x, y, width, height, 0, 0, width, height);
  Object.assign(pen, { font: `${13 * ratio}px system-ui, sans-serif`, fillStyle: "#fff", textBaseline: "middle" });
  caption.forEach((line, i) => pen.fillText(line, 8 * ratio, height + (i + 0.5) * LINE_PX * ratio, width - 16 * ratio));
  return made;
}

/** Hand it over as a file. */
export function keepPicture(bench, caption) {
  pictureOf(bench, caption).toBlob((blob) => {
    const link = document.createElement("a");
    link.download = FILE_NAME;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
