/**
 * The pure maths of the frame codec `grad-zz-split-zlib`, after inflation, and the tables that turn stored
 * samples into texels. No DOM, no WebGL: it runs in the decode worker and in the tests.
 *
 * Source: docs of the viewer's wire contract (manifest.json, field `codec`).
 */

export const CODEC = "grad-zz-split-zlib";

/**
 * @typedef {object} ItemShape What one item (a strip of a frame) decodes to.
 * @property {number} rows
 * @property {number} columns
 * @property {number} planes 1 for grey, 3 for red, green and blue one after another.
 * @property {1|2} sampleBytes
 */

/** @param {ItemShape} shape @returns {number} Length in bytes of the inflated item. */
export function itemBytes({ rows, columns, planes, sampleBytes }) {
  return rows * columns * planes * sampleBytes;
}

/**
 * Undo the predictor of a whole item.
 *
 * @param {Uint8Array} bytes The inflated item.
 * @param {ItemShape} shape
 * @returns {Uint8Array|Uint16Array} planes x rows x columns stored samples.
 * @throws {RangeError} when the length isn't the one the shape asks for.
 */
export function undoItem(bytes, shape) {
  if (bytes.length !== itemBytes(shape)) throw new RangeError("The item has the wrong length.");
  const { rows, columns, planes, sampleBytes } = shape;
  const plane = rows * columns;
  const samples = sampleBytes === 2 ? new Uint16Array(plane * planes) : new Uint8Array(plane * planes);
  for (let i = 0; i < planes; i += 1) {
    const part = bytes.subarray(i * plane * sampleBytes, (i + 1) * plane * sampleBytes);
    const out = samples.subarray(i * plane, (i + 1) * plane);
    if (sampleBytes === 2) joinBytes(part, out);
    else out.set(part);
    undoGradient(out, columns);
  }
  return samples;
}

/** High bytes first, then low bytes, back to 16-bit samples. */
function joinBytes(part, out) {
  const half = out.length;
  for (let i = 0; i < half; i += 1) out[i] = (part[i] << 8) | part[half + i];
}

/**
 * Zigzag back, then sum along the row and add the row above. The typed array itself takes the sums modulo
 * 256 or 65536, which is what the encoder's modulus asks for.
 */
function undoGradient(out, columns) {
  let sum = 0;
  for (let x = 0; x < columns; x += 1) {
    sum += unzigzag(out[x]);
    out[x] = sum;
  }
  for (let start = columns; start < out.length; start += columns) {
    sum = 0;
    for (let i = start; i < start + columns; i += 1) {
      sum += unzigzag(out[i]);
      out[i] = out[i - columns] + sum;
    }
  }
}

const unzigzag = (value) => (value >>> 1) ^ -(value & 1);

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);
const HALF_MAX = 65504;

/** @param {number} value An integer. @returns {number} The bits of the nearest half float, ties to even. */
export function halfBits(value) {
  FLOAT[0] = Math.max(-HALF_MAX, Math.min(HALF_MAX, value));
  const bits = BITS[0];
  if (FLOAT[0] === 0) return 0;
  let half = ((bits >>> 16) & 0x8000) | (((bits >>> 23) & 0xff) - 112) << 10 | ((bits >>> 13) & 0x3ff);
  const rest = bits & 0x1fff;
  // Carrying into the exponent is right: the next half float after 1.11…1 x 2^n is 1.0 x 2^(n+1).
  if (rest > 0x1000 || (rest === 0x1000 && half & 1)) half += 1;
  return half;
}

/**
 * Stored sample → bits of half(sample − offset), for an R16F texture.
 *
 * A half float keeps integers up to 2048 exactly, so every sample within 2048 of the offset is exact: all of a
 * 12-bit range with its offset in the middle. Further out the step doubles with each doubling of the distance,
 * never more than 32 in 65536 (1/2048 of the range).
 *
 * @param {number} offset An integer, 0 to 65535.
 * @returns {Uint16Array} 65536 entries.
 */
export function halfTable(offset) {
  return Uint16Array.from({ length: 65536 }, (_, sample) => halfBits(sample - offset));
}

/**
 * The offset that spends the half float's exact 4096 steps best: the middle of the data when they all fit,
 * else the centre of the window, where the eye looks.
 *
 * @param {{slope: number, intercept: number, value_range: number[], window: {center: number}}} series
 */
export function halfOffset({ slope, intercept, value_range: range, window }) {
  const stored = range.map((value) => Math.round((value - intercept) / slope)).sort((a, b) => a - b);
  const middle = stored[1] - stored[0] < 4096 ? Math.ceil((stored[0] + stored[1]) / 2)
    : Math.round((window.center - intercept) / slope);
  return Math.max(0, Math.min(65535, middle));
}

/** Colour planes → RGBA bytes; `maximum` is the brightest stored sample. */
export function toRgba(samples, maximum) {
  const plane = samples.length / 3;
  const texels = new Uint8Array(plane * 4);
  const scale = 255 / maximum;
  for (let i = 0; i < plane; i += 1) {
    texels[i * 4] = Math.min(255, samples[i] * scale + 0.5);
    texels[i * 4 + 1] = Math.min(255, samples[plane + i] * scale + 0.5);
    texels[i * 4 + 2] = Math.min(255, samples[2 * plane + i] * scale + 0.5);
    texels[i * 4 + 3] = 255;
  }
  return texels;
}

/** Grey samples → half-float bits through a table of `halfTable`. */
export function toHalf(samples, table) {
  const texels = new Uint16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) texels[i] = table[samples[i]];
  return texels;
}
