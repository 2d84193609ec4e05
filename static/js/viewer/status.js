/** One line that says how things stand: the most serious that is true now. Read out by screen readers. */

const ORDER = ["failed", "nothing", "offline", "restoring", "busy", "missing", "smaller", "simple", "loading"];

export class Status {
  #line;
  #again;
  #words;
  #true = new Map();

  /** @param {HTMLElement} line @param {HTMLButtonElement} again @param {(key: string, values?: object) => string} words */
  constructor(line, again, words) {
    this.#line = line;
    this.#again = again;
    this.#words = words;
  }

  /** @param {string} name One of ORDER. @param {boolean} isTrue @param {object} [values] For the sentence. */
  set(name, isTrue, values = {}) {
    if (isTrue) this.#true.set(name, values);
    else if (!this.#true.delete(name)) return;
    const first = ORDER.find((one) => this.#true.has(one));
    const sentence = this.#words(first ?? "ready", this.#true.get(first));
    // The same text again would be read out again.
    if (this.#line.textContent !== sentence) this.#line.textContent = sentence;
    this.#line.dataset.kind = first ?? "ready";
    this.#again.hidden = first !== "missing";
  }
}
