/** Brightness and contrast of an X-ray picture in plain words: two sliders, for people who know no window tool. */

const STEPS = 100;

export class Light {
  #box;
  #sliders;
  #view = null;

  /** @param {HTMLElement|undefined} box With two sliders and a button; pages without one have no such tool. */
  constructor(box) {
    this.#box = box;
    if (!box) return;
    this.#sliders = [...box.querySelectorAll("input")];
    for (const slider of this.#sliders) slider.addEventListener("input", () => this.#shine());
    box.querySelector("button").addEventListener("click", () => {
      this.#rest();
      this.#shine();
    });
  }

  /** @param {object} view What is shown; `ownWindow` is null where there is nothing to set. */
  show(view) {
    if (!this.#box || view === this.#view) return;
    this.#view = view;
    this.#box.hidden = !view.ownWindow;
    this.#rest();
  }

  #rest() {
    for (const slider of this.#sliders) slider.value = 0;
  }

  #shine() {
    const [brightness, contrast] = this.#sliders.map((slider) => Number(slider.value) / STEPS);
    this.#view.setWindow(shone(this.#view.ownWindow, brightness, contrast));
  }
}

/**
 * @param {{center: number, width: number}} window As recorded.
 * @param {number} brightness −1 (nearly black) to 1 (nearly white). @param {number} contrast −1 to 1: a third to three times.
 * @returns {{center: number, width: number}}
 */
export function shone({ center, width }, brightness, contrast) {
  return { center: center - brightness * width * 0.45, width: width / 3 ** contrast };
}
