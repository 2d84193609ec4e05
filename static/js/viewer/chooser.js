/**
 * The pictures of a study: a first page of cards when there are many, else (and once one is chosen) a row above the
 * stage; and the list of what has no picture. X-rays whose teeth are known hang as on the tooth chart.
 */

const MANY = 4;         // from so many on people choose first; fewer stand side by side above the stage
const A_MOUNT = 4;      // so few tooth X-rays are cards like all others

export class Chooser {
  #root;
  #buttons;
  #all;

  /**
   * @param {Record<string, HTMLElement>} parts
   * @param {import("./manifest.js").Manifest} manifest
   * @param {{words: (key: string) => string, onChoose: (series: import("./manifest.js").Series) => void,
   *   onAll: () => void}} how `onAll`: back to the first page.
   */
  constructor({ series: row, others: list }, manifest, { words, onChoose, onAll }) {
    const { series } = manifest;
    this.#root = row.parentElement;
    this.#buttons = new Map(series.map((one) => [one.id, seriesButton(one, onChoose)]));
    this.hasFirstPage = series.length >= MANY;
    this.#all = plainButton(words("all"), () => {
      this.showAll();
      onAll();
    });
    this.#all.className = "viewer-all";
    const { mounted, cards } = parted(series);
    row.replaceChildren(
      ...(this.hasFirstPage ? [this.#all] : []),
      ...cards.map(({ id }) => this.#buttons.get(id)),
      ...(mounted.length ? [this.#mount(mounted, words("teeth"))] : []),
    );
    row.hidden = series.length < 2;
    list.replaceChildren(...manifest.others.map(otherLine));
    list.hidden = manifest.others.length === 0;
  }

  /** The first page, in place of the stage. */
  showAll() {
    this.mark("");
    this.#root.dataset.page = "all";
  }

  /** @param {string} id Of the series that is shown; the first page gives way to it. */
  mark(id) {
    delete this.#root.dataset.page;
    for (const [one, button] of this.#buttons) button.setAttribute("aria-pressed", String(one === id));
    this.#buttons.get(id)?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }

  /** Three rows as dentists hang them: upper teeth, bitewings, lower teeth; the server has put them in order. */
  #mount(mounted, title) {
    const mount = element("div", "viewer-mount");
    const heading = element("h2", "");
    heading.textContent = title;
    mount.append(heading);
    for (const row of ["upper", "bite", "lower"]) {
      const line = element("div", "viewer-mount-row");
      line.append(...mounted.filter((one) => rowOf(one.teeth) === row).map(({ id }) => this.#buttons.get(id)));
      if (line.childElementCount) mount.append(line);
    }
    return mount;
  }
}

/** Which series hang on the chart, and which are cards. */
function parted(series) {
  const known = series.filter(({ teeth }) => teeth.length > 0);
  const mounted = known.length >= A_MOUNT ? known : [];
  return { mounted, cards: series.filter((one) => !mounted.includes(one)) };
}

/** @param {number[]} teeth Two digits each (ISO 3950): quarters 1, 2, 5 and 6 are above. */
function rowOf(teeth) {
  const areAbove = teeth.map((tooth) => [1, 2, 5, 6].includes(Math.floor(tooth / 10)));
  if (areAbove.every(Boolean)) return "upper";
  return areAbove.some(Boolean) ? "bite" : "lower";
}

function seriesButton(series, onChoose) {
  const button = plainButton("", () => onChoose(series));
  const preview = series.previews[0];
  if (preview) {
    const image = document.createElement("img");
    Object.assign(image, { src: preview.url, alt: "", width: 56, height: 56, decoding: "async", loading: "lazy" });
    button.append(image);
  }
  const title = document.createElement("span");
  title.textContent = series.title;
  button.append(title);
  return button;
}

function plainButton(text, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", onClick);
  return button;
}

function otherLine({ title, reason }) {
  const line = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = title;
  line.append(name, " ", reason);
  return line;
}

function element(name, className) {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
