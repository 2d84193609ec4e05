/** The arch on the graphics card: a small texture of points along the curve and of the ways out of the mouth. */
import { outwardAt, pointAt } from "./arch.js";

const COLUMNS = 512;
const UNIT = 4;  // the layers have 0 to 3

/**
 * For shaders along the arch: `onArch` gives a place on the curve and the step of a millimetre outwards, for `s` in mm
 * along it. In level 0 voxels: `sheet` (row 0 points of the curve, row 1 a millimetre outwards), `up` (a millimetre to
 * the head). `curveLength` is in mm.
 */
export const SHEET_HEAD = `
uniform sampler2D sheet;
uniform vec3 up;
uniform float curveLength;

void onArch(float s, out vec3 point, out vec3 outward) {
  float last = ${COLUMNS - 1}.0;
  float at = clamp(s / curveLength * ${COLUMNS}.0 - 0.5, 0.0, last);
  int low = int(min(floor(at), last - 1.0));
  float part = at - float(low);
  point = mix(texelFetch(sheet, ivec2(low, 0), 0), texelFetch(sheet, ivec2(low + 1, 0), 0), part).xyz;
  outward = mix(texelFetch(sheet, ivec2(low, 1), 0), texelFetch(sheet, ivec2(low + 1, 1), 0), part).xyz;
}`;

export class ArchSheet {
  #gl = null;
  #texture = null;
  #arch = null;

  /** Set what SHEET_HEAD asks for. @param {import("./arch.js").Arch} arch @param {number[]} spacing mm along x, y, z. */
  set(gl, at, arch, spacing) {
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    if (!this.#texture) this.#make(gl);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    if (this.#arch !== arch) this.#fill(arch, spacing);
    gl.uniform1i(at("sheet"), UNIT);
    gl.uniform3fv(at("up"), arch.up.map((v, i) => v / spacing[i]));
    gl.uniform1f(at("curveLength"), arch.length);
  }

  close() {
    this.#gl?.deleteTexture(this.#texture);
    [this.#gl, this.#texture, this.#arch] = [null, null, null];
  }

  #make(gl) {
    [this.#gl, this.#texture] = [gl, gl.createTexture()];
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, COLUMNS, 2);
  }

  #fill(arch, spacing) {
    const gl = this.#gl;
    const texels = new Float32Array(COLUMNS * 8);
    for (let i = 0; i < COLUMNS; i += 1) {
      const s = ((i + 0.5) / COLUMNS) * arch.length;
      [pointAt(arch, s), outwardAt(arch, s)].forEach((vector, row) =>
        texels.set(vector.map((v, axis) => v / spacing[axis]), (row * COLUMNS + i) * 4));
    }
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, COLUMNS, 2, gl.RGBA, gl.FLOAT, texels);
    this.#arch = arch;
  }
}
