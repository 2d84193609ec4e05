/**
 * The pane at hand on paper, in life size where the series' spacing is known and the paper is large enough. The
 * canvas itself is printed, so that no picture needs an address.
 */
import { pictureOf } from "./keep.js";

/** Of A4 and Letter, inside any printer's margins. */
const PAPER_MM = { width: 180, height: 220 };

/** @returns {{mm: number, share: number}} Width on paper, and how much smaller than life (1: life size). */
export function paperSize({ width, height }, pixelsPerMm) {
  const [w, h] = [width / pixelsPerMm, height / pixelsPerMm];
  const share = Math.min(1, PAPER_MM.width / w, PAPER_MM.height / h);
  return { mm: w * share, share };
}

/** Nothing of a print stays in the page: not after printing, not when access ends. */
export const dropPrint = () => document.querySelector(".viewer-print")?.remove();

/** @param {import("./workbench.js").Workbench} bench @param {string[]} caption Lines. */
export function printPicture(bench, caption) {
  dropPrint();
  const { box, pixelsPerMm } = bench.pane;
  const sheet = document.createElement("section");
  sheet.className = "viewer-print";
  const picture = pictureOf(bench, [], box);
  const lines = [...caption, ...sized(picture, box, pixelsPerMm, bench)];
  sheet.append(picture, ...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  document.body.append(sheet);
  window.addEventListener("afterprint", dropPrint, { once: true });
  window.print();
}

function sized(picture, box, pixelsPerMm, { series, words }) {
  const isKnown = pixelsPerMm && series.spacing_mm && series.spacing_calibrated;
  const { mm, share } = paperSize(box, isKnown ? pixelsPerMm : box.width / PAPER_MM.width);
  picture.style.inlineSize = `${mm}mm`;
  if (!isKnown) return [words("unscaled")];
  return [share === 1 ? words("lifesize") : words("shrunk", { percent: Math.round(share * 100) })];
}
