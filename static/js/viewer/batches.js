/**
 * Batches of items: which to ask for, how to write it in a URL, how to read the answer.
 *
 * Answer: repeated u32 index ‖ u32 length ‖ payload, big endian, in the order asked.
 */

export const MAX_ITEMS = 512;
const AHEAD = 3;  // what is seen of a slice lies between it and its neighbours

/** The answer isn't what was asked for. `index` is the item that should have come. */
export class BatchDamaged extends Error {
  constructor(sentence, index) {
    super(sentence);
    this.index = index;
  }
}

/** @param {number[]} items @returns {string} Ranges in the order given: [3, 4, 5, 9] → "3-5,9". */
export function toRanges(items) {
  const ranges = [];
  for (const item of items) {
    const last = ranges[ranges.length - 1];
    if (last && last[1] + 1 === item) last[1] = item;
    else ranges.push([item, item]);
  }
  return ranges.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(",");
}

/**
 * @param {Iterable<number>} wanted Items, most wanted first.
 * @param {number} meanBytes Mean size of an item.
 * @param {number} limitBytes What the batch may weigh.
 * @param {(item: number) => number} [mostWith] How many items a batch with this one may have.
 * @returns {number[]} At least one if any is wanted: the three most wanted, then the others in stored order, which
 *   makes few ranges and one straight read for the server.
 */
export function planBatch(wanted, meanBytes, limitBytes, mostWith = () => MAX_ITEMS) {
  let most = Math.max(1, Math.min(MAX_ITEMS, Math.floor(limitBytes / (meanBytes + 8))));
  const items = [];
  for (const item of wanted) {
    most = Math.min(most, mostWith(item));
    if (items.length && items.length >= most) break;
    items.push(item);
    if (items.length >= most) break;
  }
  return [...items.slice(0, AHEAD), ...items.slice(AHEAD).sort((a, b) => a - b)];
}

/** Reads a batch as it streams in. Knows what was asked for, and takes nothing else. */
export class BatchReader {
  #expected;
  #maxItemBytes;
  #chunks = [];
  #held = 0;

  /** @param {number[]} items As asked. @param {number} maxItemBytes No honest payload is longer. */
  constructor(items, maxItemBytes) {
    this.#expected = items.slice();
    this.#maxItemBytes = maxItemBytes;
  }

  /**
   * @param {Uint8Array} chunk
   * @returns {{index: number, payload: ArrayBuffer}[]} Items that became whole.
   * @throws {BatchDamaged}
   */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const items = [];
    for (let item = this.#take(); item; item = this.#take()) items.push(item);
    return items;
  }

  /** @throws {BatchDamaged} when the answer stopped early. */
  end() {
    if (this.#expected.length || this.#held) {
      throw new BatchDamaged("The answer stopped early.", this.#expected[0]);
    }
  }

  #take() {
    if (this.#held < 8) return null;
    const head = this.#gather();
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const [index, length] = [view.getUint32(0), view.getUint32(4)];
    if (index !== this.#expected[0]) throw new BatchDamaged("Another item came.", this.#expected[0]);
    if (length > this.#maxItemBytes) throw new BatchDamaged("The item is too long.", index);
    if (this.#held < 8 + length) return null;
    return this.#cut(index, length);
  }

  /** Joins the chunks only when the first doesn't hold a head, so long payloads aren't copied at each chunk. */
  #gather() {
    if (this.#chunks[0].length < 8) this.#chunks = [join(this.#chunks, this.#held)];
    return this.#chunks[0];
  }

  #cut(index, length) {
    const whole = join(this.#chunks, this.#held);
    const payload = whole.slice(8, 8 + length).buffer;
    this.#held -= 8 + length;
    this.#chunks = this.#held ? [whole.subarray(8 + length)] : [];
    this.#expected.shift();
    return { index, payload };
  }
}

function join(chunks, length) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Fetch one batch and hand over each item as soon as it is whole.
 *
 * @param {import("./requests.js").Requests} requests
 * @param {string} url With the place `{ranges}`.
 * @param {number[]} items
 * @param {{signal: AbortSignal, maxItemBytes: number, onItem: (index: number, payload: ArrayBuffer) => void}} how
 * @throws {BatchDamaged} and all that `Requests.get` throws.
 */
export async function fetchBatch(requests, url, items, { signal, maxItemBytes, onItem }) {
  const response = await requests.get(url.replace("{ranges}", toRanges(items)), signal);
  const reader = new BatchReader(items, maxItemBytes);
  const body = response.body.getReader();
  try {
    for (let part = await body.read(); !part.done; part = await body.read()) {
      for (const { index, payload } of reader.push(part.value)) onItem(index, payload);
    }
    reader.end();
  } finally {
    body.cancel().catch(() => {});
  }
}
