/**
 * Inflates and decodes items off the main thread. One message is one item; the buffer comes and goes by transfer.
 *
 * In:  {id, payload: ArrayBuffer, shape: ItemShape, offset: number} for grey, {…, maximum: number} for colour.
 * Out: {id, texels: Uint16Array | Uint8Array} or {id, failed: true}. A damaged item never becomes a picture.
 */
import { halfTable, itemBytes, toHalf, toRgba, undoItem } from "./codec.js";

let table = { offset: -1, entries: null };

/** The table of the series at hand; one is kept, for a viewer shows one series at a time. */
function tableFor(offset) {
  if (table.offset !== offset) table = { offset, entries: halfTable(offset) };
  return table.entries;
}

/**
 * Inflate into exactly `length` bytes: a stream that gives more is stopped at once, so a crafted item can't
 * fill the memory.
 */
async function inflate(payload, length) {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = writer.write(payload).then(() => writer.close());
  const out = new Uint8Array(length);
  let filled = 0;
  const reader = stream.readable.getReader();
  written.catch(() => {});  // the reader below meets the same error and throws it
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (filled + part.value.length > length) {
      reader.cancel().catch(() => {});
      throw new RangeError("The item is too long.");
    }
    out.set(part.value, filled);
    filled += part.value.length;
  }
  if (filled !== length) throw new RangeError("The item is too short.");
  return out;
}

async function decode({ payload, shape, offset, maximum }) {
  const samples = undoItem(await inflate(payload, itemBytes(shape)), shape);
  return shape.planes === 3 ? toRgba(samples, maximum) : toHalf(samples, tableFor(offset));
}

self.onmessage = async ({ data }) => {
  try {
    const texels = await decode(data);
    self.postMessage({ id: data.id, texels }, [texels.buffer]);
  } catch {
    self.postMessage({ id: data.id, failed: true });
  }
};
