/**
 * The panorama: the volume unrolled along its arch, through a thickness. The patient's right is on the left.
 * portal/dicom/arch/panorama.py is the twin of its shader.
 */
import { SHEET_HEAD } from "./arch_sheet.js";
import { VOLUME_HEAD } from "./shaders.js";

const MOST_SAMPLES = 48;

/** Its uniforms are those of `Unrolled`; `samples` through the thickness, the brightest of them or their mean. */
export const PANORAMA_FRAGMENT = `${VOLUME_HEAD}${SHEET_HEAD}
uniform vec2 first;
uniform float perPixel, thickness, shift;
uniform int samples;
uniform bool isMax;

void main() {
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  float s = first.x + perPixel * pixel().x;
  if (s < 0.0 || s > curveLength) return;
  vec3 point, outward;
  onArch(s, point, outward);
  vec3 middle = point + up * (first.y - perPixel * pixel().y) + outward * shift;
  if (!isInside(middle)) return;
  Sum sum = Sum(vec4(0.0), 0.0, false, false);
  for (int i = 0; i < samples; i += 1) {
    add(sum, middle + outward * ((float(i) + 0.5) / float(samples) - 0.5) * thickness, isMax);
  }
  colour.rgb = result(sum, isMax);
}`;

/**
 * @typedef {object} Unrolled How the panorama lies in its view.
 * @property {number[]} first mm along the curve and above it, at the top left corner.
 * @property {number} perPixel mm. @property {number} thickness mm. @property {number} [shift] mm outwards.
 * @property {boolean} [isMax]
 */

/**
 * @param {import("./arch_sheet.js").ArchSheet} sheet @param {import("./arch.js").Arch} arch
 * @param {number[]} spacing mm along x, y, z. @param {Unrolled} how
 * @returns {{fragment: string, of: unknown[], set: Function}} Of a View, see renderer.js.
 */
export function panoramaDrawing(sheet, arch, spacing, { first, perPixel, thickness, shift = 0, isMax = false }) {
  const samples = Math.max(1, Math.min(MOST_SAMPLES, Math.ceil(thickness / Math.min(...spacing))));
  return {
    fragment: PANORAMA_FRAGMENT, of: [arch, ...first, perPixel, thickness, shift, samples, isMax],
    set: (gl, at) => {
      sheet.set(gl, at, arch, spacing);
      gl.uniform2fv(at("first"), first);
      gl.uniform1f(at("perPixel"), perPixel);
      gl.uniform1f(at("thickness"), thickness);
      gl.uniform1f(at("shift"), shift);
      gl.uniform1i(at("samples"), samples);
      gl.uniform1i(at("isMax"), isMax ? 1 : 0);
    },
  };
}
