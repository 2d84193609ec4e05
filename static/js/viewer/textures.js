/**
 * Texels on the graphics card: a level of a volume (an array of slices) or of one frame, each with a mask that says which of
 * its parts are here. A part is a slice of the volume or a strip of the picture.
 */
import { PART } from "./shaders.js";

/** The graphics card has no room for this level. */
export class TextureRefused extends Error {}

class Texels {
  /** @param {WebGL2RenderingContext} gl @param {import("./manifest.js").Level} level */
  constructor(gl, target, level, { parts, partAxis, partTexels, scale }) {
    this.gl = gl;
    this.target = target;
    this.level = level;
    this.scale = scale;
    this.part = [...partAxis.map((on, i) => (on * scale[i] * this.size[i]) / partTexels), parts];
    this.reach = 0.5 / partTexels;
    this.states = new Uint8Array(parts);
    this.changes = 0;    // so often has something come or been lost
    this.texture = this.#make(target, parts);
  }

  get isWhole() {
    return this.states.every((state) => state !== PART.awaited);
  }

  /** All of it is here: nothing awaited, nothing lost. */
  get isComplete() {
    return this.states.every((state) => state === PART.here);
  }

  /**
   * @param {{origin: number[], right: number[], down: number[]}} place See renderer.js, View.
   * @param {number} width Of the view in pixels. @param {number} height
   * @returns {Uint8Array} The states of the parts that a thin cut touches there.
   */
  touched({ origin, right, down }, width, height) {
    const along = (way) => way.reduce((sum, v, i) => sum + v * this.part[i], 0);
    const [at, x, y] = [along(origin), along(right) * width, along(down) * height];
    const last = this.states.length - 1;
    const bounded = (part) => Math.max(0, Math.min(last, Math.floor(part)));
    const low = bounded(at + Math.min(0, x) + Math.min(0, y) - this.reach);
    const high = bounded(at + Math.max(0, x) + Math.max(0, y) + this.reach);
    return this.states.subarray(low, high + 1);
  }

  /** @returns {boolean} All that a thin cut touches there is here. */
  covers(place, width, height) {
    return this.touched(place, width, height).every((state) => state === PART.here);
  }

  /** @returns {boolean} That cut is one of the recorded slices. */
  isOnSlice({ origin, right, down }) {
    const z = origin[2] * this.part[2] - 0.5;
    return !right[2] && !down[2] && Math.abs(z - Math.round(z)) < 1e-4;
  }

  /** Say what has become of a part. @param {number} part @param {number} state Of PART. */
  mark(part, state) {
    this.states[part] = state;
    this.changes += 1;
    this.gl.bindTexture(this.gl.TEXTURE_2D, this.mask);
    this.gl.texSubImage2D(this.gl.TEXTURE_2D, 0, part, 0, 1, 1, this.gl.RED, this.gl.UNSIGNED_BYTE,
      this.states.subarray(part, part + 1));
  }

  dispose() {
    this.gl.deleteTexture(this.texture);
    this.gl.deleteTexture(this.mask);
  }

  #make(target, parts) {
    const { gl } = this;
    while (gl.getError() !== gl.NO_ERROR && !gl.isContextLost());
    const texture = bare(gl, target, gl.LINEAR);
    this.allocate();
    this.mask = bare(gl, gl.TEXTURE_2D, gl.NEAREST);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R8, parts, 1);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, parts, 1, gl.RED, gl.UNSIGNED_BYTE, this.states);
    if (gl.getError() !== gl.NO_ERROR) {
      gl.deleteTexture(texture);
      gl.deleteTexture(this.mask);
      throw new TextureRefused("The graphics card has no room for this level.");
    }
    return texture;
  }
}

/** A bound texture without mipmaps. R16F filters linearly in core WebGL2; 32-bit floats don't on phones. */
function bare(gl, target, filter) {
  const texture = gl.createTexture();
  gl.bindTexture(target, texture);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, filter);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
    gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  }
  return texture;
}

/** Level 0 voxels → texture coordinates. Sizes round up on the way down, so it isn't simply 1 / size. */
const scaleOf = (level, isVolume) => {
  const step = 2 ** level.level;
  return [1 / (step * level.Columns), 1 / (step * level.Rows), 1 / ((isVolume ? step : 1) * level.Frames)];
};

/** A whole level of a volume; its parts are the slices. */
export class VolumeTexels extends Texels {
  constructor(gl, level) {
    super(gl, gl.TEXTURE_2D_ARRAY, level,
      { parts: level.Frames, partAxis: [0, 0, 1], partTexels: 1, scale: scaleOf(level, true) });
    this.strips = new Uint8Array(level.Frames);
  }

  get size() {
    return [this.level.Columns, this.level.Rows, this.level.Frames];
  }

  allocate() {
    const { gl } = this;
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.R16F, ...this.size);
  }

  /** @param {number} item frame * Strips + strip @param {Uint16Array} texels Half-float bits. */
  put(item, texels) {
    const { gl, level } = this;
    const [frame, strip] = [Math.floor(item / level.Strips), item % level.Strips];
    const rows = texels.length / level.Columns;
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, strip * level.StripRows, frame, level.Columns, rows, 1,
      gl.RED, gl.HALF_FLOAT, texels);
    this.strips[frame] += 1;
    if (this.strips[frame] === level.Strips) this.mark(frame, PART.here);
  }

  /** @param {number} item It can't be had. */
  lose(item) {
    this.mark(Math.floor(item / this.level.Strips), PART.lost);
  }
}

/** One frame of a level, grey (R16F) or colour (RGBA8); its parts are the strips. */
export class PictureTexels extends Texels {
  constructor(gl, level, isColour) {
    super(gl, gl.TEXTURE_2D, { ...level, isColour },
      { parts: level.Strips, partAxis: [0, 1, 0], partTexels: level.StripRows, scale: scaleOf(level, false) });
  }

  get size() {
    return [this.level.Columns, this.level.Rows, 1];
  }

  allocate() {
    const { gl, level } = this;
    gl.texStorage2D(gl.TEXTURE_2D, 1, level.isColour ? gl.RGBA8 : gl.R16F, level.Columns, level.Rows);
  }

  /** @param {number} item @param {Uint16Array|Uint8Array} texels Half-float bits, or RGBA bytes. */
  put(item, texels) {
    const { gl, level } = this;
    const strip = item % level.Strips;
    const rows = texels.length / level.Columns / (level.isColour ? 4 : 1);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, strip * level.StripRows, level.Columns, rows,
      level.isColour ? gl.RGBA : gl.RED, level.isColour ? gl.UNSIGNED_BYTE : gl.HALF_FLOAT, texels);
    this.mark(strip, PART.here);
  }

  lose(item) {
    this.mark(item % this.level.Strips, PART.lost);
  }
}
