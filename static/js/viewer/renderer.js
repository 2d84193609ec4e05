/**
 * One canvas, one WebGL2 context, many scissored views. It draws what it is given and remembers no picture.
 */
import { ofKind, PART, PICTURE_FRAGMENT, VERTEX, VOLUME_FRAGMENT } from "./shaders.js";
import { VolumeTexels } from "./textures.js";

/**
 * @typedef {object} View
 * @property {{x: number, y: number, width: number, height: number}} rect Device pixels from the top left.
 * @property {import("./textures.js").Texels} fine @property {import("./textures.js").Texels} coarse
 * @property {{origin: number[], right: number[], down: number[]}} [place] See planes.screenToVoxel. For the plane
 *   shader, with:
 * @property {{through: number[], samples: number, isMax: boolean}} [slab] Else the cut is thin.
 * @property {string} [fragment] Another shader, see shaders.VOLUME_HEAD. Compiled at its first use, then kept.
 * @property {(gl: WebGL2RenderingContext, at: (name: string) => WebGLUniformLocation) => void} [set] Sets what
 *   that shader asks for besides.
 * @property {unknown[]} [of] What `set` depends on, see kept_renderer.js.
 * @property {number} [divide] Draw with so many times fewer pixels each way, then stretch; 1 if not given. The
 *   shader then sees the smaller picture's pixels.
 * @property {number[]} size Level 0 voxels along x, y, z.
 * @property {[number, number]} shade texel * shade[0] + shade[1] is the brightness, 0 to 1.
 * @property {boolean} isColour
 */

export class Renderer {
  #canvas;
  #gl;
  #size = {};
  #programs = new Map();
  #small = null;       // {frame, texture}: where views with `divide` are drawn first

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{onLost: () => void, onRestored: () => void}} events The context went away, or came back empty.
   * @param {WebGLContextAttributes} [attributes]
   * @throws {Error} where there is no WebGL2.
   */
  constructor(canvas, { onLost, onRestored }, attributes = {}) {
    this.#canvas = canvas;
    this.#gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, ...attributes });
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

  /** @param {boolean} isVolume @returns {number} Longest side of a texture; of a volume's, its slices are one too. */
  maxSide(isVolume) {
    const { MAX_ARRAY_TEXTURE_LAYERS: volume, MAX_TEXTURE_SIZE: picture } = this.#gl;
    return this.#gl.getParameter(isVolume ? volume : picture) || 0;
  }

  /**
   * Fit the canvas to its box, with the next drawing: a canvas that gets a size waits for all that its card still does.
   *
   * @param {number} [ratio] Pixels of the canvas per CSS pixel. @returns {{width: number, height: number}} In these.
   */
  resize(ratio = Math.min(3, window.devicePixelRatio || 1)) {
    const { clientWidth, clientHeight } = this.#canvas;
    const [width, height] = [clientWidth, clientHeight].map((side) => Math.max(1, Math.round(side * ratio)));
    this.#size = { width, height };
    return this.#size;
  }

  /** @returns {boolean} The canvas has another size now, and is empty. */
  fit() {
    const { width, height } = this.#canvas;
    if (this.#size.width === width && this.#size.height === height) return false;
    Object.assign(this.#canvas, this.#size);
    return true;
  }

  /** @param {View[]} views */
  draw(views) {
    if (this.#gl.isContextLost()) return;
    this.fit();
    this.clear();
    for (const view of views) this.drawView(view);
  }

  /** Black. @param {View["rect"]} [rect] Else all of it. */
  clear(rect = { x: 0, y: 0, width: this.#canvas.width, height: this.#canvas.height }) {
    const gl = this.#gl;
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(rect.x, this.#canvas.height - rect.y - rect.height, rect.width, rect.height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** Until what was drawn is there. */
  wait() {
    this.#gl.readPixels(0, 0, 1, 1, this.#gl.RGBA, this.#gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  /** Black, and nothing of the picture left on the card. The renderer is of no use afterwards. */
  wipe() {
    this.draw([]);
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.#canvas.width = 1;
    this.#canvas.height = 1;
  }

  drawView(view) {
    const { rect: { x, y, width, height }, divide = 1 } = view;
    const bottom = this.#canvas.height - y - height;
    if (divide > 1) {
      const small = [width, height].map((side) => Math.ceil(side / divide));
      this.#drawSmall(view, [x, bottom, x + width, bottom + height], small);
      return;
    }
    this.#drawInto(view, x, bottom, width, height);
  }

  /** x and y from the bottom left. */
  #drawInto(view, x, y, width, height) {
    const gl = this.#gl;
    const { coarse, size, shade, isColour } = view;
    const fine = seenOf(view, width, height);
    gl.viewport(x, y, width, height);
    const [[left, right], [top, bottom]] = view.place ? seenBox(view.place, size, width, height) : [[0, width], [0, height]];
    if (right <= left || bottom <= top) return;
    gl.scissor(x + left, y + height - bottom, right - left, bottom - top);
    const { program, at } = this.#program(view.fragment
      ?? (fine instanceof VolumeTexels ? VOLUME_FRAGMENT : PICTURE_FRAGMENT), kindOf({ ...view, fine }, width, height));
    gl.useProgram(program);
    gl.uniform3fv(at("size"), size);
    gl.uniform2f(at("corner"), x, y + height);
    gl.uniform2f(at("viewSize"), width, height);
    gl.uniform2fv(at("shade"), shade);
    gl.uniform1i(at("isColour"), isColour ? 1 : 0);
    if (view.place) setPlane(gl, at, view);
    view.set?.(gl, at);
    this.#bindLayer(at, "fine", fine, 0);
    this.#bindLayer(at, "coarse", coarse, 2);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #drawSmall(view, target, [width, height]) {
    const gl = this.#gl;
    this.#small ??= { frame: gl.createFramebuffer(), texture: gl.createTexture() };
    gl.bindTexture(gl.TEXTURE_2D, this.#small.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#small.frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#small.texture, 0);
    this.#drawInto(view, 0, 0, width, height);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.scissor(target[0], target[1], target[2] - target[0], target[3] - target[1]);
    gl.blitFramebuffer(0, 0, width, height, ...target, gl.COLOR_BUFFER_BIT, gl.LINEAR);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  #program(fragment, kind) {
    if (!this.#programs.has(fragment)) this.#programs.set(fragment, {});
    const kinds = this.#programs.get(fragment);
    kinds[kind] ??= link(this.#gl, ofKind(VERTEX, kind), ofKind(fragment, kind));
    return kinds[kind];
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
    [this.#programs, this.#small] = [new Map(), null];  // those of a lost context are gone
    this.#warm();
  }

  /**
   * Use the shader of the first picture once, on one voxel: cards make their own of a shader at its first use, and now
   * the page waits for its data anyway. Where this one doesn't link, none will, and that must be known now.
   */
  #warm() {
    const voxel = new VolumeTexels(this.#gl, { level: 0, Frames: 1, Rows: 1, Columns: 1, StripRows: 1, Strips: 1 });
    voxel.put(0, new Uint16Array(1));
    const [still, between] = [[0, 0, 0], [0.5, 0.5, 0.25]];
    this.drawView({
      rect: { x: 0, y: 0, width: 1, height: 1 }, fine: voxel, coarse: voxel, size: [1, 1, 1], shade: [1, 0],
      isColour: false, place: { origin: between, right: still, down: still },
    });
    voxel.dispose();
  }
}

export const THIN = { through: [0, 0, 0], samples: 1, isMax: false };

/**
 * The level that is seen where it is the same all over the view: the coarser one while nothing of the finer has come, and
 * in a cut along the slices while one that it touches is awaited. Then no mask needs to be asked, and no page waits for
 * the shader that asks.
 */
function seenOf({ fine, coarse, place, slab = THIN }, width, height) {
  if (fine === coarse) return fine;
  const isThin = place && slab.samples === 1;
  const states = isThin ? fine.touched(place, width, height) : fine.states;
  const isAlongSlices = isThin && fine instanceof VolumeTexels && !place.right[2] && !place.down[2];
  const isCoarse = isAlongSlices ? states.includes(PART.awaited) && !states.includes(PART.lost)
    : !states.some(Boolean);  // 0 is PART.awaited
  return isCoarse ? coarse : fine;
}

/** What the shader may take for granted, see shaders.js. */
function kindOf({ fine, place, slab = THIN }, width, height) {
  if (!place || slab.samples > 1) return fine.isComplete ? "whole" : "partial";
  if (!fine.covers(place, width, height)) return "partial";
  if (!isStraight(place)) return "whole";
  return fine instanceof VolumeTexels && fine.isOnSlice(place) ? "layer" : "thin";
}

/** The cut lies along the series' own axes. */
const isStraight = ({ right, down }) => right.every((step, i) => !(step && down[i]));

/**
 * The pixels of a view whose middles lie in the series, from its left and top: of a straight cut exactly those, of a
 * turned one all that there are.
 */
function seenBox({ origin, right, down }, size, width, height) {
  const box = [[0, width], [0, height]];
  size.forEach((side, i) => {
    for (const [way, step, other] of [[0, right[i], down[i]], [1, down[i], right[i]]]) {
      if (!step || other) continue;
      const [low, high] = [-origin[i] / step, (side - origin[i]) / step].sort((a, b) => a - b);
      box[way] = [Math.max(box[way][0], Math.ceil(low - 0.5)), Math.min(box[way][1], Math.floor(high - 0.5) + 1)];
    }
  });
  return box;
}

function setPlane(gl, at, { place, slab = THIN }) {
  for (const name of ["origin", "right", "down"]) gl.uniform3fv(at(name), place[name]);
  gl.uniform3fv(at("through"), slab.through);
  gl.uniform1i(at("samples"), slab.samples);
  gl.uniform1i(at("isMax"), slab.isMax ? 1 : 0);
}

function link(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
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
