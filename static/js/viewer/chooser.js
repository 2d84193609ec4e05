/** The series of a study as a row of small pictures, and the list of what has no picture. */

export class Chooser {
  #buttons;

  /**
   * @param {Record<string, HTMLElement>} parts
   * @param {import("./manifest.js").Manifest} manifest
   * @param {(series: import("./manifest.js").Series) => void} onChoose
   */
  constructor({ series: row, others: list }, manifest, onChoose) {
    this.#buttons = new Map(manifest.series.map((series) => [series.id, seriesButton(series, onChoose)]));
    row.replaceChildren(...this.#buttons.values());
    row.hidden = manifest.series.length < 2;
    list.replaceChildren(...manifest.others.map(otherLine));
    list.hidden = manifest.others.length === 0;
  }

  /** @param {string} id Of the series that is shown. */
  mark(id) {
    for (const [one, button] of this.#buttons) button.setAttribute("aria-pressed", String(one === id));
  }
}

function seriesButton(series, onChoose) {
  const button = document.createElement("button");
  button.type = "button";
  const preview = series.previews[0];
  if (preview) {
    const image = document.createElement("img");
    Object.assign(image, { src: preview.url, alt: "", width: 56, height: 56, decoding: "async" });
    button.append(image);
  }
  const title = document.createElement("span");
  title.textContent = series.title;
  button.append(title);
  button.addEventListener("click", () => onChoose(series));
  return button;
}

function otherLine({ title, reason }) {
  const line = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = title;
  line.append(name, " ", reason);
  return line;
}
