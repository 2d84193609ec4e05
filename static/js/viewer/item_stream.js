/**
 * Brings the items of one level, most wanted first, in batches, two at a time. Whoever starts a stream says by
 * `order` what is wanted next; it is asked anew for each batch, so what the eye moves to comes first.
 */
import { BatchDamaged, fetchBatch, MAX_ITEMS, planBatch } from "./batches.js";
import { itemBytes } from "./codec.js";
import { ItemDamaged } from "./decoder.js";
import { AccessEnded, Refused } from "./requests.js";

const SLOTS = 2;
// No batch takes longer: a change of view is soon heard, and no server keeps megabytes for a slow phone.
const BATCH_MS = 700;
const FIRST_BYTES = 512 * 1024;  // small at first, so that the visible slice isn't behind 4 MiB of others
const MOST_TRIES = 3;            // for one item; then it counts as lost
const MOST_PAUSE_MS = { offline: 15_000, busy: 4000 };
const STATE = { wanted: 0, coming: 1, here: 2, lost: 3 };

/** Waits, or less when the browser says that the network is back. */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms * (0.75 + Math.random() / 2));
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}

export class ItemStream {
  #how;
  #states;
  #tries;
  #most;
  #slots = new Set();
  #limitBytes;
  #failures = 0;
  #closed = false;
  #settled = 0;

  /**
   * @param {object} how
   * @param {import("./requests.js").Requests} how.requests
   * @param {import("./decoder.js").Decoder} how.decoder
   * @param {import("./manifest.js").Series} how.series
   * @param {import("./manifest.js").Level} how.level
   * @param {number} how.batchBytes The server's limit.
   * @param {object} how.decoding offset or maximum, see decode_worker.js.
   * @param {() => Iterable<number>} how.order Items, most wanted first; those that came already are skipped.
   * @param {(item: number, texels: Uint16Array|Uint8Array) => void} how.onItem
   * @param {(item: number) => void} how.onLost
   * @param {(isBusy: boolean) => void} how.onBusy The server refuses for now, or answers again.
   */
  constructor(how) {
    const { level, series } = how;
    const count = level.Frames * level.Strips;
    this.#how = {
      ...how,
      url: series.frames.replace("{level}", level.level),
      meanBytes: level.bytes / count,
      // zlib never grows what it can't press by more than a few bytes in a thousand
      maxItemBytes: Math.ceil(1.01 * itemBytes(this.#shape(level, series, 0))) + 1024,
    };
    this.#states = new Uint8Array(count);
    this.#tries = new Uint8Array(count);
    this.#most = new Uint16Array(count).fill(MAX_ITEMS);
    this.#limitBytes = Math.min(FIRST_BYTES, 0.9 * how.batchBytes);
  }

  /** Every item came or is lost, and someone still listens. */
  get isSettled() {
    return !this.#closed && this.#settled === this.#states.length;
  }

  get progress() {
    return this.#settled / this.#states.length;
  }

  /** Start what can be started; call again whenever the order changed. */
  kick() {
    while (!this.#closed && this.#slots.size < SLOTS) {
      const items = this.#next();
      if (!items.length) return;
      this.#open(items);
    }
  }

  /** The eye rests on this item: if it is neither here nor coming, the batch that is oldest makes way. */
  hurry(item) {
    if (this.#states[item] === STATE.wanted && this.#slots.size === SLOTS) {
      this.#slots.values().next().value.abort();
    }
    this.kick();
  }

  /** Try the lost ones again. */
  retry() {
    this.#states.forEach((state, item) => {
      if (state !== STATE.lost) return;
      this.#settled -= 1;
      [this.#states[item], this.#tries[item]] = [STATE.wanted, 0];
    });
    this.kick();
  }

  close() {
    this.#closed = true;
    for (const slot of this.#slots) slot.abort();
  }

  #next() {
    const { order, meanBytes } = this.#how;
    const states = this.#states;
    const wanted = (function* () {
      for (const item of order()) if (states[item] === STATE.wanted) yield item;
    })();
    return planBatch(wanted, meanBytes, this.#limitBytes, (item) => this.#most[item]);
  }

  async #open(items) {
    const slot = new AbortController();
    this.#slots.add(slot);
    for (const item of items) this.#states[item] = STATE.coming;
    const decoding = [];
    let bytes = 0;
    const began = performance.now();
    const onItem = (item, payload) => {
      bytes += payload.byteLength;
      decoding.push(this.#decode(item, payload));
    };
    try {
      await fetchBatch(this.#how.requests, this.#how.url, items,
        { signal: slot.signal, maxItemBytes: this.#how.maxItemBytes, onItem });
      this.#succeed(bytes / (performance.now() - began));
    } catch (error) {
      await this.#fail(error, items, slot.signal);
    }
    await Promise.all(decoding);
    for (const item of items) if (this.#states[item] === STATE.coming) this.#states[item] = STATE.wanted;
    this.#slots.delete(slot);
    this.kick();
  }

  async #decode(item, payload) {
    const { decoder, decoding, level, series, onItem } = this.#how;
    try {
      const shape = this.#shape(level, series, item % level.Strips);
      const texels = await decoder.decode(payload, { shape, ...decoding });
      if (!this.#closed) this.#settle(item, STATE.here, () => onItem(item, texels));
    } catch (error) {
      if (error instanceof ItemDamaged) this.#miss(item);
      else if (!this.#closed && error.name !== "AbortError") throw error;
    }
  }

  #shape(level, series, strip) {
    const rows = Math.min(level.StripRows, level.Rows - strip * level.StripRows);
    return { rows, columns: level.Columns, planes: series.SamplesPerPixel, sampleBytes: series.sample_bytes };
  }

  #succeed(bytesPerMs) {
    this.#failures = 0;
    this.#how.onBusy(false);
    const inTime = Math.max(FIRST_BYTES, bytesPerMs * BATCH_MS);
    // Nine tenths: the items of a batch may weigh more than the mean.
    this.#limitBytes = Math.min(this.#limitBytes * 2, inTime, 0.9 * this.#how.batchBytes);
  }

  async #fail(error, items, signal) {
    if (this.#closed || signal.aborted || error instanceof AccessEnded) return;
    if (error instanceof BatchDamaged) {
      this.#miss(error.index ?? items[0]);
    } else if (error instanceof Refused) {
      await this.#refused(error, items, signal);
    } else {
      this.#failures += 1;  // no network: nothing is lost, it only waits
      await pause(this.#pauseMs(MOST_PAUSE_MS.offline), signal);
    }
  }

  async #refused({ status, retryAfterMs }, items, signal) {
    if (status === 413) {
      this.#limitBytes = Math.min(this.#limitBytes, this.#how.meanBytes * items.length) / 2;
      return;
    }
    if (items.length === 1 && status !== 429) this.#miss(items[0]);
    // One item at fault refuses its whole batch: ask for these in fewer and fewer, until it stands alone.
    for (const item of items) this.#most[item] = Math.max(1, items.length >> 2);
    this.#failures += 1;
    this.#how.onBusy(true);
    await pause(Math.max(retryAfterMs, this.#pauseMs(MOST_PAUSE_MS.busy)), signal);
  }

  #pauseMs(most) {
    return Math.min(most, 250 * 2 ** this.#failures);
  }

  #miss(item) {
    this.#tries[item] += 1;
    if (this.#tries[item] >= MOST_TRIES) this.#settle(item, STATE.lost, () => this.#how.onLost(item));
    else this.#states[item] = STATE.wanted;
  }

  #settle(item, state, tell) {
    this.#states[item] = state;
    this.#settled += 1;
    if (this.isSettled) this.#how.onBusy(false);
    tell();
  }
}
