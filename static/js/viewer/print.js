/**
 * The pane at hand on paper, in life size where the series' spacing is known and the paper is large enough; 3D, which
 * nobody measures, as large as the paper. The canvas itself is printed, so that no picture needs an address.
 */
import { filledBox, pictureOf } from "./keep.js";

/** Of A4 and Letter, inside any printer's margins. */
const PAPER_MM = { width: 180, height: 220 };

/**
 * @param {{width: number, height: number}} box @param {number} pixelsPerMm
 * @param {number} [most] How much larger than life it may get.
 * @returns {{mm: number, share: number}} Width on paper, and its share of life size (1: life size).
 */
export function paperSize({ width, height }, pixelsPerMm, most = 1) {
  const [w, h] = [width / pixelsPerMm, height / pixelsPerMm];
  const share = Math.min(most, PAPER_MM.width / w, PAPER_MM.height / h);
  return { mm: w * share, share };
}

/** Nothing of a print stays in the page: not after printing, not when access ends. */
export const dropPrint = () => document.querySelector(".viewer-print")?.remove();

/** @param {import("./workbench.js").Workbench} bench @param {string[]} caption Lines. */
export function printPicture(bench, caption) {
  dropPrint();
  const box = filledBox(bench.pane);
  const sheet = document.createElement("section");
  sheet.className = "viewer-print";
  const picture = pictureOf(bench, [], box, true);
  const lines = [...caption, ...sized(picture, box, bench)];
  sheet.append(picture, ...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  document.body.append(sheet);
  window.addEventListener("afterprint", dropPrint, { once: true });
  window.print();
}

function sized(picture, box, { pane, series, words }) {
  const { pixelsPerMm } = pane;
  const isKnown = pixelsPerMm && series.spacing_mm && series.spacing_calibrated;
  const { mm, share } = paperSize(box, isKnown ? pixelsPerMm : box.width / PAPER_MM.width, pane.toMm ? 1 : Infinity);
  picture.style.inlineSize = `${mm}mm`;
  if (!isKnown) return [words("unscaled")];
  return [share === 1 ? words("lifesize") : words("shrunk", { percent: Math.round(share * 100) })];
}
