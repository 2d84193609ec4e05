/** The main thread's side of the decode workers: hands items out in turn, keeps the promises. */

export class ItemDamaged extends Error {}

export class Decoder {
  #workers = [];
  #waiting = new Map();
  #next = 0;
  #onBroken;

  /**
   * @param {() => void} onBroken Called once when a worker can't run at all (blocked, too old).
   * @param {number} [count] Workers; two when the device has cores to spare.
   */
  constructor(onBroken, count = (navigator.hardwareConcurrency || 2) >= 4 ? 2 : 1) {
    this.#onBroken = onBroken;
    for (let i = 0; i < count; i += 1) this.#workers.push(this.#start());
  }

  /**
   * @param {ArrayBuffer} payload One item; it is transferred, so the caller loses it.
   * @param {{shape: import("./codec.js").ItemShape, offset?: number, maximum?: number}} how
   * @returns {Promise<Uint16Array|Uint8Array>} Texels, ready to upload.
   * @throws {ItemDamaged}
   */
  decode(payload, how) {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#workers[id % this.#workers.length].postMessage({ id, payload, ...how }, [payload]);
    });
  }

  close() {
    for (const worker of this.#workers) worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new DOMException("Closed.", "AbortError"));
    this.#waiting.clear();
  }

  #start() {
    const worker = new Worker(new URL("./decode_worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => this.#settle(data);
    worker.onerror = () => {
      this.close();
      this.#onBroken();
    };
    return worker;
  }

  #settle({ id, texels }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (texels) waiting?.resolve(texels);
    else waiting?.reject(new ItemDamaged("An item could not be decoded."));
  }
}
