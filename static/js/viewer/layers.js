/**
 * What of a series is on the graphics card: one level in full, as a volume texture or as a picture a frame.
 * `texels(frame)` gives what a view draws from; it may be empty still, its mask says so.
 */
import { PictureTexels, VolumeTexels } from "./textures.js";

export class VolumeLayer {
  #texels;

  /** @throws {import("./textures.js").TextureRefused} */
  constructor(gl, level) {
    this.level = level;
    this.#texels = new VolumeTexels(gl, level);
  }

  texels() {
    return this.#texels;
  }

  put(item, texels) {
    this.#texels.put(item, texels);
  }

  lose(item) {
    this.#texels.lose(item);
  }

  dispose() {
    this.#texels.dispose();
  }
}

/** The frames of a stack, or an image (a stack of one). Textures are made as frames are asked for. */
export class FramesLayer {
  #gl;
  #isColour;
  #frames = new Map();

  constructor(gl, level, isColour) {
    this.level = level;
    this.#gl = gl;
    this.#isColour = isColour;
    this.texels(0);  // so that a refusal comes now, not in the middle
  }

  texels(frame) {
    if (!this.#frames.has(frame)) {
      this.#frames.set(frame, new PictureTexels(this.#gl, this.level, this.#isColour));
    }
    return this.#frames.get(frame);
  }

  put(item, texels) {
    this.texels(Math.floor(item / this.level.Strips)).put(item, texels);
  }

  lose(item) {
    this.texels(Math.floor(item / this.level.Strips)).lose(item);
  }

  dispose() {
    for (const texels of this.#frames.values()) texels.dispose();
    this.#frames.clear();
  }
}
