/**
 * One canvas, one WebGL2 context, many scissored views. It draws what it is given and remembers nothing.
 */
import { PICTURE_FRAGMENT, VERTEX, VOLUME_FRAGMENT } from "./shaders.js";
import { VolumeTexels } from "./textures.js";

/**
 * @typedef {object} View
 * @property {{x: number, y: number, width: number, height: number}} rect Device pixels from the top left.
 * @property {import("./textures.js").Texels} fine @property {import("./textures.js").Texels} coarse
 * @property {{origin: number[], right: number[], down: number[]}} place See planes.screenToVoxel.
 * @property {number[]} size Level 0 voxels along x, y, z.
 * @property {[number, number]} shade texel * shade[0] + shade[1] is the brightness, 0 to 1.
 * @property {boolean} isColour
 */

export class Renderer {
  #canvas;
  #gl;
  #programs = {};

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{onLost: () => void, onRestored: () => void}} events The context went away, or came back empty.
   * @throws {Error} where there is no WebGL2.
   */
  constructor(canvas, { onLost, onRestored }) {
    this.#canvas = canvas;
    this.#gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false });
    if (!this.#gl) throw new Error("No WebGL2 here.");
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();  // else it never comes back
      onLost();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.#build();
      onRestored();
    });
    this.#build();
  }

  get gl() {
    return this.#gl;
  }

  /** @param {boolean} isVolume @returns {number} Longest side of a 3D or 2D texture. */
  maxSide(isVolume) {
    const { MAX_3D_TEXTURE_SIZE: volume, MAX_TEXTURE_SIZE: picture } = this.#gl;
    return this.#gl.getParameter(isVolume ? volume : picture) || 0;
  }

  /** Fit the canvas to its box. @returns {{width: number, height: number}} In device pixels. */
  resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [width, height] = [clientWidth, clientHeight].map((side) => Math.max(1, Math.round(side * ratio)));
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    return { width, height };
  }

  /** @param {View[]} views */
  draw(views) {
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    for (const view of views) this.#drawView(view);
  }

  /** Black, and nothing of the picture left on the card. The renderer is of no use afterwards. */
  wipe() {
    this.draw([]);
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.#canvas.width = 1;
    this.#canvas.height = 1;
  }

  #drawView({ rect, fine, coarse, place, size, shade, isColour }) {
    const gl = this.#gl;
    const top = this.#canvas.height - rect.y;
    gl.viewport(rect.x, top - rect.height, rect.width, rect.height);
    gl.scissor(rect.x, top - rect.height, rect.width, rect.height);
    const { program, at } = fine instanceof VolumeTexels ? this.#programs.volume : this.#programs.picture;
    gl.useProgram(program);
    for (const name of ["origin", "right", "down"]) gl.uniform3fv(at(name), place[name]);
    gl.uniform3fv(at("size"), size);
    gl.uniform2f(at("corner"), rect.x, top);
    gl.uniform2fv(at("shade"), shade);
    gl.uniform1i(at("isColour"), isColour ? 1 : 0);
    this.#bindLayer(at, "fine", fine, 0);
    this.#bindLayer(at, "coarse", coarse, 2);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #bindLayer(at, name, texels, unit) {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(texels.target, texels.texture);
    gl.activeTexture(gl.TEXTURE0 + unit + 1);
    gl.bindTexture(gl.TEXTURE_2D, texels.mask);
    gl.uniform1i(at(`${name}Texels`), unit);
    gl.uniform1i(at(`${name}Mask`), unit + 1);
    gl.uniform3fv(at(`${name}Scale`), texels.scale);
    gl.uniform4fv(at(`${name}Part`), texels.part);
    gl.uniform1f(at(`${name}Reach`), texels.reach);
    gl.activeTexture(gl.TEXTURE0 + 7);  // uploads bind here and disturb nobody
  }

  #build() {
    const gl = this.#gl;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.bindVertexArray(gl.createVertexArray());
    this.#programs = { volume: link(gl, VOLUME_FRAGMENT), picture: link(gl, PICTURE_FRAGMENT) };
  }
}

function link(gl, fragment) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The shader doesn't link: ${gl.getProgramInfoLog(program)}`);
  }
  const places = new Map();
  const at = (name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
    return places.get(name);
  };
  return { program, at };
}
